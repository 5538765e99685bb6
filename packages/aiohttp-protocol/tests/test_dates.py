"""Dates: one format, whatever the locale, and made once a second."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol.dates import DateLine, http_date


@pytest.mark.parametrize(
    ("timestamp", "date"),
    [
        (784111777, "Sun, 06 Nov 1994 08:49:37 GMT"),  # RFC 9110, section 5.6.7
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951782400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (784111777.999, "Sun, 06 Nov 1994 08:49:37 GMT"),
    ],
)
def test_http_date(timestamp: float, date: str) -> None:
    """A date is an IMF-fixdate; fractions of a second are dropped."""
    assert http_date(timestamp) == date


@given(st.integers(min_value=0, max_value=253402300799))
def test_http_date_agrees_with_email(timestamp: int) -> None:
    """Up to the year 9999 dates are those of Python's email package."""
    assert http_date(timestamp) == formatdate(timestamp, usegmt=True)


def test_date_line_changes_with_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is made once a second, and is a whole field line."""
    now = 784111777.0
    monkeypatch.setattr(time, "time", lambda: now)
    line = DateLine()
    first = line()
    assert first == b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    now += 0.999
    assert line() is first
    now += 0.001
    assert line() == b"Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"


def test_date_line_follows_a_clock_that_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is set back takes the line with it."""
    now = 784111777.0
    monkeypatch.setattr(time, "time", lambda: now)
    line = DateLine()
    line()
    now = 0.0
    assert line() == b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
