"""What a request's fields say about conditions and ranges (RFC 9110, sections 13.1 and 14.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aiohttp.protocol import ETag, Headers, parse_etags, parse_http_date, shown

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["date_of", "etags_of", "slice_of"]

# ASCII digits only: \d takes those of every script. Units are in any case (section 14.1).
_RANGE: Final = re.compile(r"(?ai:bytes)=([0-9]{0,30})-([0-9]{0,30})")


def date_of(headers: Headers, name: str) -> datetime | None:
    """Return the date in a field, in UTC; None if it isn't there, or is no date.

    A recipient must ignore what is no date (sections 13.1.3 and 13.1.4).
    """
    value = headers.get(name)
    return None if value is None else parse_http_date(value)


def etags_of(headers: Headers, name: str) -> tuple[ETag, ...] | None:
    """Return the entity tags in If-Match or If-None-Match; None if it isn't there.

    ``*`` is ``(ETag("*"),)``.
    """
    values = headers.getall(name, None)
    return None if values is None else parse_etags(values)


def slice_of(headers: Headers) -> slice:
    """Return the one range that Range asks for, as a slice of the whole; without it, all.

    Raises:
        ValueError: if it asks for several, for none, or in another unit.
    """
    field = headers.get("Range")
    if field is None:
        return slice(None, None, 1)
    match = _RANGE.fullmatch(field)
    if match is None:
        raise ValueError(f"expected a range such as bytes=0-499, got {shown(field)}")
    first, last = match.groups()
    if not first:
        if not int(last or 0):
            raise ValueError(f"expected a range with a start or an end, got {field}")
        return slice(-int(last), None, 1)
    if not last:
        return slice(int(first), None, 1)
    if int(last) < int(first):
        raise ValueError(f"expected a range that ends behind its start, got {field}")
    return slice(int(first), int(last) + 1, 1)
