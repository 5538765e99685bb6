"""Dates as HTTP writes them (RFC 9110, section 5.6.7)."""

from __future__ import annotations

import time

__all__ = ["DateLine", "http_date"]

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


class DateLine:
    """The Date line of this second; formatting it for each response would cost 2 µs."""

    __slots__ = ("_line", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._line = b""

    def __call__(self) -> bytes:
        """Return the line with its CRLF."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._line = f"Date: {http_date(second)}\r\n".encode("ascii")
        return self._line
