"""Dates as HTTP writes and reads them (RFC 9110, section 5.6.7)."""

from __future__ import annotations

import math
import re
import time
from datetime import UTC, datetime
from typing import Final

__all__ = ["DateLine", "http_date", "parse_http_date"]

# Not strftime: its names depend on the locale.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_date(timestamp: float) -> str:
    """Return an IMF-fixdate such as ``Sun, 06 Nov 1994 08:49:37 GMT``.

    ``timestamp`` counts seconds since 1970; fractions are dropped.
    """
    year, month, day, hour, minute, second, weekday, _, _ = time.gmtime(timestamp)
    return (
        f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} "
        f"{hour:02}:{minute:02}:{second:02} GMT"
    )


_MONTH_NUMBERS: Final = {name: number for number, name in enumerate(_MONTHS, 1)}
_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_FORMATS: Final = (
    # Sun, 06 Nov 1994 08:49:37 GMT
    re.compile(
        rf"[A-Z][a-z]{{2}}, (?P<day>[0-9]{{2}}) (?P<month>[A-Z][a-z]{{2}}) "
        rf"(?P<year>[0-9]{{4}}) {_CLOCK} GMT"
    ),
    # Sunday, 06-Nov-94 08:49:37 GMT
    re.compile(
        rf"[A-Z][a-z]{{5,8}}, (?P<day>[0-9]{{2}})-(?P<month>[A-Z][a-z]{{2}})-"
        rf"(?P<year>[0-9]{{2}}) {_CLOCK} GMT"
    ),
    # Sun Nov  6 08:49:37 1994
    re.compile(
        rf"[A-Z][a-z]{{2}} (?P<month>[A-Z][a-z]{{2}}) (?P<day>[0-9 ][0-9]) {_CLOCK} "
        r"(?P<year>[0-9]{4})"
    ),
)


def parse_http_date(text: str) -> datetime | None:
    """Return the date of a field in UTC, or None if it is none.

    All three formats are read: the one that is written today, and two of old.
    """
    for each in _FORMATS:
        if match := each.fullmatch(text):
            break
    else:
        return None
    year, month = int(match["year"]), _MONTH_NUMBERS.get(match["month"], 0)
    if len(match["year"]) == 2:
        # Of two digits the year is the last one that is no more than 50 years ahead.
        now = time.gmtime().tm_year
        year += (now - year + 50) // 100 * 100
    day, hour, minute = int(match["day"]), int(match["hour"]), int(match["minute"])
    second = 59 if match["second"] == "60" else int(match["second"])  # a datetime has no 60
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:  # there is no such day, hour, minute or month
        return None


class DateLine:
    """The Date line of this second; formatting it for each response would cost 2 µs.

    Asks the clock of the wall once a second only: until then the caller's own clock tells,
    which it looks at anyway. Who is in a hurry looks at ``line`` and ``end`` without a call.

    Attributes:
        line: with its CRLF; as good as long as the caller's clock is before ``end``.
        end: of the second whose line it is, on the caller's clock.
    """

    __slots__ = ("end", "line")

    def __init__(self) -> None:
        self.end = -math.inf
        self.line = b""

    def __call__(self, now: float) -> bytes:
        """Return the line with its CRLF; ``now`` is the time of any clock that never goes back."""
        if now >= self.end:
            timestamp = time.time()
            self.line = f"Date: {http_date(timestamp)}\r\n".encode("ascii")
            self.end = now + 1 - timestamp % 1
        return self.line
