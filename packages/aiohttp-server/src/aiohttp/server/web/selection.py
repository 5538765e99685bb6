"""What a request gets of a file: all of it, parts, or the news that it has it already.

Pure: fields and facts in, a decision out. RFC 9110, sections 13 and 14.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor
from typing import Final

from aiohttp.protocol import ANY_ETAG, ETag, Headers, parse_etag, parse_http_date

from .preconditions import date_of, etags_of
from .ranges import parse_ranges

__all__ = ["WHOLE", "Selection", "Validators", "select", "validators_of"]


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells two states of a file apart (RFC 9110, section 8.8).

    Attributes:
        etag: of the representation that is sent.
        modified: when it was modified, in whole seconds.
        is_strong: whether ``modified`` differs after every change of the content.
    """

    etag: ETag
    modified: datetime
    is_strong: bool = True


def validators_of(mtime_ns: int, size: int, coding: str | None, now: float) -> Validators:
    """Return the validators of a file that was modified at ``mtime_ns``; ``now`` in seconds.

    A file that was modified less than two seconds ago may be modified again without a change
    of its time: some file systems count in steps of two. Its validators are weak (sections
    8.8.1 and 8.8.2.2). A time in the future is sent as now (section 8.8.2.1).

    The inode is not in the tag: copies of a file on several servers are to have the same.
    """
    is_strong = mtime_ns <= (now - 2) * 1e9
    tag = f"{mtime_ns:x}-{size:x}" if coding is None else f"{mtime_ns:x}-{size:x}-{coding}"
    modified = min(mtime_ns // 1_000_000_000, floor(now))
    try:
        moment = datetime.fromtimestamp(modified, UTC)
    except (OverflowError, ValueError, OSError):  # a year that the calendar doesn't know
        moment = datetime.fromtimestamp(floor(now), UTC)
    return Validators(ETag(tag, is_weak=not is_strong), moment, is_strong)


@dataclass(frozen=True, slots=True)
class Selection:
    """The decision.

    Attributes:
        status: 200, 206, 304, 412 or 416.
        parts: those that are sent if it is 206.
    """

    status: int
    parts: tuple[range, ...] = ()


WHOLE: Final = Selection(200)
"""All of it, whatever the request says."""


def select(
    method: str, fields: Headers, validators: Validators, size: int, *, ranges: bool = True
) -> Selection:
    """Return what a request gets of a file that would be answered with 200 otherwise.

    Conditions count for GET and HEAD only: in answer to any other method the program has
    done already what a condition was to prevent. Ranges count for GET (section 14.2).

    Args:
        method: of the request.
        fields: of the request.
        validators: of the file.
        size: of the file, in bytes.
        ranges: whether parts of it can be sent.

    """
    if method not in {"GET", "HEAD"}:
        return WHOLE
    if status := _failed_condition(fields, validators):
        return Selection(status)
    field = fields.get("Range")
    if field is None or not ranges or method == "HEAD" or not _is_range_wanted(fields, validators):
        return WHOLE
    parts = parse_ranges(field, size)
    if parts is None:
        return WHOLE
    return Selection(206, tuple(parts)) if parts else Selection(416)


def _failed_condition(fields: Headers, validators: Validators) -> int:
    """Return the status for the first condition that doesn't hold, or 0 (section 13.2.2)."""
    # 1. and 2.: a date counts only where there are no tags.
    if (tags := etags_of(fields, "If-Match")) is not None:
        if not any(tag == ANY_ETAG or tag.is_strongly(validators.etag) for tag in tags):
            return 412
    elif (date := date_of(fields, "If-Unmodified-Since")) and validators.modified > date:
        return 412
    # 3. and 4.: likewise.
    if (tags := etags_of(fields, "If-None-Match")) is not None:
        if any(tag == ANY_ETAG or tag.is_weakly(validators.etag) for tag in tags):
            return 304
    elif (date := date_of(fields, "If-Modified-Since")) and validators.modified <= date:
        return 304
    return 0


def _is_range_wanted(fields: Headers, validators: Validators) -> bool:
    """Tell whether If-Range holds: by an exact and strong match only (section 13.1.5)."""
    text = fields.get("If-Range")
    if text is None:
        return True
    tag = parse_etag(text)
    if tag is not None:
        return tag.is_strongly(validators.etag)
    return validators.is_strong and parse_http_date(text) == validators.modified
