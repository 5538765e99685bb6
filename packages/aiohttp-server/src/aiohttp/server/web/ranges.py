"""Parts of a file: what a Range field asks for, and how parts travel (RFC 9110, section 14).

Pure: text and sizes in, ``range`` objects and bytes out. A part is a ``range`` of
byte positions, so that ``part.start`` is the first and ``len(part)`` the number of bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

__all__ = ["MAX_RANGES", "ByteRanges", "content_range", "parse_ranges"]

MAX_RANGES: Final = 16
"""So many parts are sent in one response; who asks for more gets the whole.

A reader of PDF or of a picture pyramid asks for up to ten. RFC 9110, section 14.2, wants
servers to beware of many small or overlapping ranges: a request of 8 KB can name 2,000.
"""

# ASCII digits only: int() takes those of every script. Thirty are more than any file needs.
_SPEC: Final = re.compile(r"([0-9]{1,30})-([0-9]{0,30})|-([0-9]{1,30})")


def parse_ranges(field: str, size: int) -> list[range] | None:
    """Return the parts of ``size`` bytes that the value of a Range field asks for, in its order.

    None: the field is to be ignored, for the whole is the better answer. That is an unknown
    unit; more than ``MAX_RANGES`` parts; parts that overlap, which nobody needs; and the last
    bytes of nothing, which no Content-Range can name. An empty list: nothing that is asked
    for exists, or the field is malformed; answer 416. RFC 9110, sections 14.1.2 and 14.2.
    """
    unit, equals, specs = field.partition("=")
    if not equals or unit.strip(" \t").lower() != "bytes":
        return None
    if specs.count(",") >= MAX_RANGES:
        return None
    parts: list[range] = []
    for spec in specs.split(","):
        text = spec.strip(" \t")
        if not text:
            continue  # a recipient accepts empty members (section 5.6.1)
        found = _SPEC.fullmatch(text)
        if found is None:
            return []
        first, last, suffix = found.groups()
        if first is None:
            if int(suffix) and not size:
                return None
            part = range(max(0, size - int(suffix)), size)
        else:
            if last and int(last) < int(first):
                return []
            part = range(int(first), min(int(last) + 1, size) if last else size)
        if part:
            parts.append(part)
    return None if _overlap(parts) else parts


def _overlap(parts: Sequence[range]) -> bool:
    in_order = sorted(parts, key=lambda part: part.start)
    return any(after.start < before.stop for before, after in pairwise(in_order))


def content_range(part: range | None, size: int) -> str:
    """Return the value of Content-Range: of a part, or of 416 (None). RFC 9110, section 14.4."""
    if part is None:
        return f"bytes */{size}"
    return f"bytes {part.start}-{part.stop - 1}/{size}"


class ByteRanges:
    """A body of type ``multipart/byteranges`` (RFC 9110, section 14.6).

    Iterating gives, for each part, the bytes that go before it, and the part; then ``ending``
    follows.

    Args:
        parts: what is sent, at least one.
        size: of the whole, in bytes.
        content_type: of the whole; "" leaves it unsaid.
        boundary: 1 to 70 letters and digits that the content doesn't contain: random ones.
    """

    def __init__(
        self, parts: Sequence[range], size: int, *, content_type: str, boundary: str
    ) -> None:
        self._parts = parts
        self._size = size
        self._type_line = f"Content-Type: {content_type}\r\n" if content_type else ""
        self._boundary = boundary
        self.content_type = f"multipart/byteranges; boundary={boundary}"
        self.ending = f"\r\n--{boundary}--\r\n".encode("ascii")

    def __iter__(self) -> Iterator[tuple[bytes, range]]:
        before = ""
        for part in self._parts:
            head = (
                f"{before}--{self._boundary}\r\n{self._type_line}"
                f"Content-Range: {content_range(part, self._size)}\r\n\r\n"
            )
            yield head.encode("utf-8"), part
            before = "\r\n"

    @property
    def length(self) -> int:
        """How many bytes the body has in all."""
        return sum(len(head) + len(part) for head, part in self) + len(self.ending)
