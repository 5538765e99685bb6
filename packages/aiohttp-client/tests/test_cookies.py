"""The cookies of one request."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest

from aiohttp.client.cookies import cookie_field


def test_pairs_in_order() -> None:
    """Values are sent as they are."""
    assert cookie_field({"a": "1", "b": '"x y"', "c": 3}) == 'a=1; b="x y"; c=3'


def test_morsels_send_their_value() -> None:
    """The standard library's cookies can be given, too."""
    assert cookie_field(SimpleCookie("a=1; b=2")) == "a=1; b=2"


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a=b", "a\r\nX: y", "a\x00"])
def test_name_that_ends_its_pair(name: str) -> None:
    """Nothing in a name can begin another cookie or field."""
    with pytest.raises(ValueError, match="a cookie's name must be a token"):
        cookie_field({name: "x"})


@pytest.mark.parametrize("value", ["1; admin=1", "1\r\nX: y", "\x00", "\x7f"])
def test_value_that_ends_its_pair(value: str) -> None:
    """Nothing in a value can begin another cookie or field."""
    with pytest.raises(ValueError, match="in the value of cookie 'a'"):
        cookie_field({"a": value})
