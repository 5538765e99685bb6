"""Entity tags: written, read, compared (RFC 9110, section 8.8.3)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol.etag import ANY_ETAG, ETag, parse_etag, parse_etags

VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f'))


@pytest.mark.parametrize(
    ("text", "etag"),
    [
        ('"xyzzy"', ETag("xyzzy")),  # section 8.8.3
        ('W/"xyzzy"', ETag("xyzzy", is_weak=True)),
        ('""', ETag("")),
        ('"a,b"', ETag("a,b")),
        ('"\\"', ETag("\\")),
        ('"*"', ETag("*")),
    ],
)
def test_etag_is_read_as_it_is_written(text: str, etag: ETag) -> None:
    """What a field says and what ``str`` gives is the same."""
    assert parse_etag(text) == etag
    assert str(etag) == text


@pytest.mark.parametrize(
    "text",
    ["", "xyzzy", '"', '"a', 'w/"a"', 'W/a"', ' "a"', '"a" ', '"a", "b"', '"a b"', "*", '"\u20ac"'],
)
def test_what_is_no_etag(text: str) -> None:
    """Anything else is None: a date in If-Range, two tags, a lower w."""
    assert parse_etag(text) is None


@given(VALUES, st.booleans())
def test_every_etag_comes_back(value: str, is_weak: bool) -> None:
    """Whatever can be a tag is read as it was written."""
    etag = ETag(value, is_weak)
    assert parse_etag(str(etag)) == etag
    assert parse_etags([f"{etag}, {etag}"]) == (etag, etag)


@pytest.mark.parametrize("value", ['a"', "a b", "a\r\n", "\x7f", "\u20ac"])
def test_etag_that_can_not_be_written_is_refused(value: str) -> None:
    """A value with a quote, a space, a control or beyond ISO-8859-1 would end the field."""
    with pytest.raises(ValueError, match="visible characters"):
        ETag(value)


@pytest.mark.parametrize(
    ("first", "second", "is_strongly", "is_weakly"),
    [
        ('W/"1"', 'W/"1"', False, True),
        ('W/"1"', 'W/"2"', False, False),
        ('W/"1"', '"1"', False, True),
        ('"1"', '"1"', True, True),
    ],
)
def test_comparison(first: str, second: str, is_strongly: bool, is_weakly: bool) -> None:
    """The table of RFC 9110, section 8.8.3.2."""
    one, other = parse_etag(first), parse_etag(second)
    assert one is not None
    assert other is not None
    assert one.is_strongly(other) is other.is_strongly(one) is is_strongly
    assert one.is_weakly(other) is other.is_weakly(one) is is_weakly


@pytest.mark.parametrize(
    ("values", "etags"),
    [
        (["*"], (ANY_ETAG,)),
        ([" * "], (ANY_ETAG,)),
        (['"a", "b,c" ,W/"d"'], (ETag("a"), ETag("b,c"), ETag("d", is_weak=True))),
        ([',, "a",\t,"b",'], (ETag("a"), ETag("b"))),
        (['"a"', '"b"'], (ETag("a"), ETag("b"))),
        (['"a" junk, "b"'], ()),
        (['"a", junk, "b"'], (ETag("a"),)),
        ([], ()),
        ([""], ()),
    ],
)
def test_lists(values: list[str], etags: tuple[ETag, ...]) -> None:
    """A list is read over all its lines, each up to where it is malformed."""
    assert parse_etags(values) == etags


@pytest.mark.parametrize("text", ['"a",', " ,", '"a" ', '"', 'W/"', '"a"\t'])
def test_lists_are_read_in_linear_time(text: str) -> None:
    """Half a megabyte of anything takes no more than moments."""
    began = time.process_time()
    parse_etags([text * (500_000 // len(text))])
    parse_etag(text * (500_000 // len(text)))
    assert time.process_time() - began < 1
