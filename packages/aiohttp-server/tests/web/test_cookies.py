"""Cookies that a response sets."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest

from aiohttp.server.web.cookies import set_cookie_line
from aiohttp.server.web.stream_response import StreamResponse
from answering import answer_of, client_of


async def lines_of(response: StreamResponse) -> list[str]:
    """Return the Set-Cookie fields of a response as they were sent."""
    return (await answer_of(response)).headers.getall("Set-Cookie", [])


async def test_cookie() -> None:
    """A cookie is for the whole site, until the browser ends."""
    response = StreamResponse()
    response.set_cookie("session", "abc")
    response.set_cookie("other", "def", path="/sub")
    assert await lines_of(response) == ["session=abc; Path=/", "other=def; Path=/sub"]


@pytest.mark.parametrize(
    ("attribute", "value", "sent"),
    [
        ("expires", "Sun, 06 Nov 1994 08:49:37 GMT", "Expires=Sun, 06 Nov 1994 08:49:37 GMT"),
        ("domain", "example.org", "Domain=example.org"),
        ("max_age", 3600, "Max-Age=3600"),
        ("max_age", "0", "Max-Age=0"),
        ("max_age", -1, "Max-Age=-1"),
        ("secure", True, "Secure"),
        ("httponly", True, "HttpOnly"),
        ("partitioned", True, "Partitioned"),
        ("samesite", "lax", "SameSite=Lax"),
        ("samesite", "STRICT", "SameSite=Strict"),
        ("samesite", "None", "SameSite=None"),
        ("version", "1", "Version=1"),
    ],
)
async def test_attributes(attribute: str, value: Any, sent: str) -> None:
    """Each attribute is sent under its name of the RFC, by both ways."""
    response = StreamResponse()
    response.set_cookie("a", "b", **{attribute: value})
    (line,) = await lines_of(response)
    assert set(line.split("; ")) == {"a=b", "Path=/", sent}
    assert set(set_cookie_line("a", "b", **{attribute: value}).split("; ")) == set(line.split("; "))


@pytest.mark.parametrize("attribute", ["secure", "httponly", "partitioned", "expires", "domain"])
def test_absent_attributes(attribute: str) -> None:
    """None, and False for what is no more than there, send nothing."""
    absent: Any = False
    assert set_cookie_line("a", "b", **{attribute: None}) == "a=b; Path=/"
    if attribute in {"secure", "httponly", "partitioned"}:
        assert set_cookie_line("a", "b", **{attribute: absent}) == "a=b; Path=/"
        absent = 0
        assert set_cookie_line("a", "b", **{attribute: absent}) == "a=b; Path=/"


@pytest.mark.parametrize(
    "value", ["a b", 'a"b', "a\\b", "a,b", "a;b", "plain", "", "!#$%&'()*+-./:<=>?@[]^_`{|}~"]
)
def test_values_come_back(value: str) -> None:
    """What must be quoted is, in the way that ``http.cookies`` undoes."""
    line = set_cookie_line("a", value)
    assert SimpleCookie(line)["a"].value == value
    assert ("a=" + value == line.removesuffix("; Path=/")) == (not set(value) & set(' ",;\\'))


@pytest.mark.parametrize(("value", "sent"), [("ü€", "ü€"), ("ü €", '"ü €"')])
async def test_value_beyond_ascii(value: str, sent: str) -> None:
    """Such a value is sent in UTF-8, once, as browsers read and return it; by both ways."""
    octets = f"a={sent}; Path=/".encode()
    assert set_cookie_line("a", value).encode("latin-1") == octets
    response = StreamResponse()
    response.set_cookie("a", value)
    async with client_of(response) as client:
        answer = await client.raw(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
    assert b"\r\nSet-Cookie: " + octets + b"\r\n" in answer


async def test_later_wins() -> None:
    """A cookie of the same name replaces the one before."""
    response = StreamResponse()
    response.set_cookie("a", "b", secure=True)
    response.set_cookie("a", "c")
    assert await lines_of(response) == ["a=c; Path=/"]


async def test_deleting() -> None:
    """A cookie is forgotten by one that is empty and expired, with its domain and path."""
    response = StreamResponse()
    response.set_cookie("a", "b")
    response.del_cookie("a", path="/sub", domain="example.org", secure=True, samesite="None")
    (line,) = await lines_of(response)
    assert line.startswith("a=; ")
    assert set(line.split("; ")[1:]) == {
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "Max-Age=0",
        "Domain=example.org",
        "Path=/sub",
        "Secure",
        "SameSite=None",
    }


async def test_cookies_as_they_are() -> None:
    """``cookies`` is a ``SimpleCookie``, to look at and to change."""
    response = StreamResponse()
    response.set_cookie("a", "b c", max_age=1)
    assert isinstance(response.cookies, SimpleCookie)
    assert (response.cookies["a"].value, response.cookies["a"]["max-age"]) == ("b c", 1)
    response.cookies["d"] = "e f"
    response.cookies["d"]["path"] = "/"
    assert await lines_of(response) == ['a="b c"; Max-Age=1; Path=/', 'd="e f"; Path=/']


async def test_beside_a_field_of_the_program() -> None:
    """A Set-Cookie that the program wrote itself stays."""
    response = StreamResponse(headers={"Set-Cookie": "a=b"})
    response.set_cookie("c", "d")
    assert await lines_of(response) == ["a=b", "c=d; Path=/"]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("a b", {}, "a cookie's name must be a token, not 'a b'"),
        ("", {}, "must be a token"),
        ("a=b", {}, "must be a token"),
        ("path", {}, "http.cookies knows no cookie of the name 'path'"),
        ("a", {"max_age": "1.5"}, "Max-Age of cookie 'a' must be seconds, not '1.5'"),
        ("a", {"max_age": "٣"}, "must be seconds"),
        ("a", {"samesite": "Loose"}, "SameSite of cookie 'a' must be Strict, Lax or None"),
        ("a", {"path": "sub"}, "Path of cookie 'a' must begin with /, not 'sub'"),
    ],
)
def test_refused(name: str, arguments: dict[str, Any], message: str) -> None:
    """What no browser would take as it is meant is refused where it is given."""
    response = StreamResponse()
    with pytest.raises(ValueError, match=message):
        response.set_cookie(name, "b", **arguments)
    assert not response.cookies


def test_wrong_type() -> None:
    """A value is text."""
    with pytest.raises(ValueError, match="a cookie's value must be str, not int"):
        StreamResponse().set_cookie("a", 1)  # type: ignore[arg-type]
