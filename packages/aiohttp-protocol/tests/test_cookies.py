"""The field Cookie: whatever comes is read, and nothing is refused."""

from __future__ import annotations

import time
from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol.cookies import cookie_text, parse_cookie_field


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        ("SID=31d4d96e407aad42; lang=en-US", [("SID", "31d4d96e407aad42"), ("lang", "en-US")]),
        ('a="b c";d=e=f', [("a", '"b c"'), ("d", "e=f")]),
        ("a; =b; ;c=", [("", "a"), ("", "b"), ("c", "")]),
        (" a = b \t; a=c", [("a", "b"), ("a", "c")]),
        ("", []),
    ],
)
def test_field_is_split_as_browsers_write_it(value: str, pairs: list[tuple[str, str]]) -> None:
    """Pairs come in order, in quotes where they have some."""
    assert parse_cookie_field(value) == pairs


@pytest.mark.parametrize(
    ("coded", "text"),
    [
        ("plain", "plain"),
        ('"a b"', "a b"),
        ('"a\\"b\\\\c\\054"', 'a"b\\c,'),
        ('"', '"'),
        ("caf\xc3\xa9", "caf\xe9"),
        ("caf\xe9", "caf\xe9"),
        ('"\\012"', '"\\012"'),
    ],
)
def test_values_for_people(coded: str, text: str) -> None:
    """Quotes, escapes and UTF-8 are undone; a control character is never made."""
    assert cookie_text(coded) == text


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_what_the_standard_library_writes_is_read(value: str) -> None:
    """A value that http.cookies has quoted comes back."""
    cookies = SimpleCookie({"name": value})
    if not (value[:1] == value[-1:] == '"'):
        assert cookie_text(cookies["name"].coded_value) == value


@pytest.mark.parametrize("text", ["a=1;", ";", "=", '\\"', "\\054", "\xe9"])
def test_time_is_linear(text: str) -> None:
    """CVE-2024-52804: undoing half a megabyte of escapes takes no more than moments."""
    long = f'"{text * (500_000 // len(text))}"'
    began = time.process_time()
    parse_cookie_field(long)
    cookie_text(long)
    assert time.process_time() - began < 1
