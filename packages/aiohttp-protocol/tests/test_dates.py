"""Dates: one format, whatever the locale, and made once a second."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol.dates import DateLine, http_date, parse_http_date


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
    passed = 0.0
    monkeypatch.setattr(time, "time", lambda: 784111777.25 + passed)
    line = DateLine()
    first = line(1000.0)
    assert first == b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    passed = 0.734375
    assert line(1000.0 + passed) is first
    passed = 0.75
    assert line(1000.0 + passed) == b"Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"


def test_date_line_follows_a_clock_that_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on the wall that is set back takes the line with it, within a second."""
    now = 784111777.0
    monkeypatch.setattr(time, "time", lambda: now)
    line = DateLine()
    line(1000.0)
    now = 0.0
    assert line(1001.0) == b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_all_three_formats_are_read(text: str) -> None:
    """A recipient must accept each format of RFC 9110, section 5.6.7."""
    assert parse_http_date(text) == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@given(st.integers(min_value=0, max_value=253402300799))
def test_date_is_read_as_it_is_written(timestamp: int) -> None:
    """Whatever date is written comes back."""
    date = parse_http_date(http_date(timestamp))
    assert date is not None
    assert date.timestamp() == timestamp


def test_two_digits_of_a_year() -> None:
    """A year of two digits is at most 50 years ahead."""
    now = time.gmtime().tm_year
    for year in range(now - 49, now + 51):
        date = parse_http_date(f"Sunday, 06-Nov-{year % 100:02} 08:49:37 GMT")
        assert date is not None
        assert date.year == year


def test_leap_second() -> None:
    """A leap second is valid, and counts as the second before."""
    date = parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT")
    assert date == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        '"etag"',
    ],
)
def test_what_is_no_date(text: str) -> None:
    """Anything else is None, for conditions with no date are ignored."""
    assert parse_http_date(text) is None
