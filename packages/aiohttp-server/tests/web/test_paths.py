"""Routing paths: what of a target is decoded, and what stays escaped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.server.web.paths import encode_value, routing_path, value_of


@pytest.mark.parametrize(
    ("raw_path", "expected"),
    [
        ("/", "/"),
        ("/a/b?c=/d", "/a/b"),
        ("/a%20b", "/a b"),
        ("/%D1%8B%d1%8b", "/ыы"),
        ("/a%2Fb", "/a%2Fb"),
        ("/a%2fb", "/a%2Fb"),
        ("/100%25", "/100%25"),
        ("/%252F", "/%252F"),
        ("/%FF", "/%FF"),
        ("/%D1%2F%8B", "/%D1%2F%8B"),
        ("/%zz%4", "/%25zz%254"),
        ("/%%32f", "/%252f"),
        ("/%2%35", "/%2525"),
        ("/%2e%2E/", "/../"),
        ("*", "*"),
        ("example.org:443", "example.org:443"),
    ],
)
def test_routing_path(raw_path: str, expected: str) -> None:
    """All is decoded as UTF-8, once, but an escaped slash, a percent sign, and what is none."""
    assert routing_path(raw_path) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain", "plain"), ("a%2Fb", "a/b"), ("100%25", "100%"), ("%252F", "%2F")],
)
def test_value(text: str, expected: str) -> None:
    """A value is decoded once, never twice."""
    assert value_of(text) == expected


@given(st.text())
def test_a_value_comes_back_as_it_was(value: str) -> None:
    """What is put into a path as a value is one segment, and the same value again."""
    path = routing_path("/" + encode_value(value))
    assert path.count("/") == 1
    assert value_of(path[1:]) == value
