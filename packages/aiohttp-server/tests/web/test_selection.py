"""Conditions and ranges: what a request gets of a file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aiohttp.protocol import ETag, headers_of
from aiohttp.server.web.selection import Selection, Validators, select, validators_of

NOW = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"

STATE = Validators(ETag("v1"), datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC))
WEAK = Validators(ETag("v1", is_weak=True), STATE.modified, is_strong=False)

WHOLE = Selection(200)
PART = Selection(206, (range(5),))


def selected(
    *fields: tuple[str, str], method: str = "GET", state: Validators = STATE, ranges: bool = True
) -> Selection:
    """Return what a request with these fields gets of ten bytes."""
    return select(method, headers_of(fields), state, 10, ranges=ranges)


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("If-Match", '"v1"', 200),
        ("If-Match", '"v0", "v1"', 200),
        ("If-Match", "*", 200),
        ("If-Match", '"v0"', 412),
        ("If-Match", 'W/"v1"', 412),
        ("If-Match", "", 412),
        ("If-Unmodified-Since", NOW, 200),
        ("If-Unmodified-Since", AFTER, 200),
        ("If-Unmodified-Since", BEFORE, 412),
        ("If-Unmodified-Since", "yesterday", 200),
        ("If-None-Match", '"v1"', 304),
        ("If-None-Match", 'W/"v1"', 304),
        ("If-None-Match", '"v0", "v1"', 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", '"v0"', 200),
        ("If-Modified-Since", NOW, 304),
        ("If-Modified-Since", AFTER, 304),
        ("If-Modified-Since", BEFORE, 200),
        ("If-Modified-Since", "yesterday", 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_one_condition(method: str, name: str, value: str, status: int) -> None:
    """Each condition of RFC 9110, section 13.1, by itself."""
    assert selected((name, value), method=method).status == status


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        # If-Match makes If-Unmodified-Since unseen, If-None-Match If-Modified-Since.
        ([("If-Match", '"v1"'), ("If-Unmodified-Since", BEFORE)], 200),
        ([("If-None-Match", '"v0"'), ("If-Modified-Since", NOW)], 200),
        # What fails first decides.
        ([("If-Match", '"v0"'), ("If-None-Match", '"v1"')], 412),
        ([("If-Match", '"v1"'), ("If-None-Match", '"v1"')], 304),
        ([("If-None-Match", '"v1"'), ("Range", "bytes=0-4")], 304),
        ([("If-None-Match", '"v0"'), ("Range", "bytes=0-4")], 206),
        # A list may be on several lines.
        ([("If-None-Match", '"v0"'), ("If-None-Match", '"v1"')], 304),
    ],
)
def test_conditions_in_their_order(fields: list[tuple[str, str]], status: int) -> None:
    """RFC 9110, section 13.2.2."""
    assert selected(*fields).status == status


def test_conditions_of_other_methods() -> None:
    """In answer to POST a file is sent whatever the conditions: the work is done."""
    fields = ("If-Match", '"v0"'), ("If-None-Match", "*"), ("Range", "bytes=0-4")
    assert selected(*fields, method="POST") == WHOLE


def test_range() -> None:
    """GET gets a part; HEAD the head of the whole; what doesn't exist is 416."""
    field = ("Range", "bytes=0-4")
    assert selected(field) == PART
    assert selected(field, method="HEAD") == WHOLE
    assert selected(field, ranges=False) == WHOLE
    assert selected(("Range", "bytes=10-")) == Selection(416)
    assert selected(("Range", "lines=1-2")) == WHOLE


@pytest.mark.parametrize(
    ("value", "state", "expected"),
    [
        ('"v1"', STATE, PART),
        ('"v0"', STATE, WHOLE),
        ('W/"v1"', STATE, WHOLE),
        ('"v1"', WEAK, WHOLE),
        (NOW, STATE, PART),
        (BEFORE, STATE, WHOLE),
        (AFTER, STATE, WHOLE),
        (NOW, WEAK, WHOLE),
        ("nonsense", STATE, WHOLE),
    ],
)
def test_if_range(value: str, state: Validators, expected: Selection) -> None:
    """A part is sent only if the client has parts of the very same bytes (section 13.1.5)."""
    assert selected(("Range", "bytes=0-4"), ("If-Range", value), state=state) == expected


def test_if_range_is_looked_at_before_the_range() -> None:
    """A range that lies behind the end of the new state is no error: the client has the old."""
    assert selected(("Range", "bytes=10-"), ("If-Range", '"v0"')) == WHOLE


def test_validators() -> None:
    """The tag has time, size and coding; it is strong once the time can't stay the same."""
    second = 1_000_000_000
    state = validators_of(100 * second, 16, None, now=102.0)
    assert str(state.etag) == '"174876e800-10"'
    assert state.modified == datetime(1970, 1, 1, 0, 1, 40, tzinfo=UTC)
    assert state.is_strong
    assert str(validators_of(100 * second, 16, "br", now=200.0).etag) == '"174876e800-10-br"'
    young = validators_of(100 * second, 16, None, now=101.9)
    assert str(young.etag) == 'W/"174876e800-10"'
    assert not young.is_strong


@pytest.mark.parametrize("mtime", [10**9, 2**62 // 10**9])
def test_time_in_the_future(mtime: int) -> None:
    """No date later than that of the response is sent (RFC 9110, section 8.8.2.1)."""
    state = validators_of(mtime * 10**9, 1, None, now=1000.5)
    assert state.modified == datetime(1970, 1, 1, 0, 16, 40, tzinfo=UTC)
    assert not state.is_strong


def test_time_that_the_calendar_does_not_know() -> None:
    """A file from before the year 1 is sent with the time of now."""
    assert validators_of(-(10**23), 1, None, now=60.0).modified.minute == 1
