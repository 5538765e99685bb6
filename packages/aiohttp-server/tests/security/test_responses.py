"""What went wrong elsewhere where a response was written, and does not here.

Whatever part of a response comes from somebody else, it can't end its field, begin another one,
or another response: nothing that could is sent, and the error is raised in the program.
"""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import Morsel
from typing import Any

import pytest
from yarl import URL

from aiohttp.server.web.cookies import set_cookie_line
from aiohttp.server.web.eventsource import encode_event
from aiohttp.server.web.exceptions import HTTPFound, HTTPNotFound, HTTPUnavailableForLegalReasons
from aiohttp.server.web.request import BaseRequest
from aiohttp.server.web.response import Response, json_response
from aiohttp.server.web.stream_response import StreamResponse
from answering import Answer, Answering, answer_of
from served import GET, Served

INJECTIONS = ["\r\nX-Evil: 1", "\rX-Evil: 1", "\nX-Evil: 1", "\r\n\r\n<script>", "\0", "\x1b[2J"]
inject = pytest.mark.parametrize("evil", INJECTIONS)


async def wire(answer: Answer) -> bytes:
    """Return the octets of an answer to one request."""
    return await Served(Answering(answer).handle_exchange).exchange(GET)


def assert_harmless(octets: bytes) -> None:
    """Check that there is one response, and nothing that was to be smuggled into it."""
    head, _, _ = octets.partition(b"\r\n\r\n")
    assert octets.count(b"HTTP/1.1 ") == 1
    assert not any(line.lower().startswith(b"x-evil") for line in head.splitlines())
    assert b"<script>" not in octets
    assert b"\0" not in head
    assert b"\x1b" not in head


@pytest.mark.parametrize("kind", [StreamResponse, Response, HTTPNotFound])
@inject
async def test_reason(kind: Callable[..., StreamResponse], evil: str) -> None:
    """CVE-2026-34519 of aiohttp, CVE-2025-67724 of tornado: a line break in a reason."""
    with pytest.raises(ValueError, match="in a reason phrase: expected printable ISO-8859-1"):
        kind(reason=f"OK{evil}")
    response = StreamResponse()
    with pytest.raises(ValueError, match="in a reason phrase"):
        response.set_status(200, f"OK{evil}")
    assert response.reason == "OK"


@pytest.mark.parametrize("where", ["name", "value", "type", "charset", "trailer", "hint"])
@inject
async def test_fields(where: str, evil: str) -> None:
    """CVE-2020-7695 of uvicorn, CVE-2026-34520 of aiohttp: controls in names and values."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = Response(text="", headers={"X-A": "b"})
        match where:
            case "name":
                response.headers[f"X-A{evil}"] = "b"
            case "value":
                response.headers["X-A"] = f"b{evil}"
            case "type":
                response.content_type = f"text/html{evil}"
            case "charset":
                response.charset = f"utf-8{evil}"
            case "trailer":
                response.trailers[f"X-A{evil}"] = f"b{evil}"
            case _:
                await response.send_early_hints(request, {"Link": f"</a>{evil}"})
        return response

    octets = await wire(answer)
    assert octets.startswith(b"HTTP/1.1 500 ")
    assert_harmless(octets)


async def test_trailer_value() -> None:
    """A trailer that was good when the head left can't smuggle in more: the body is cut."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = StreamResponse()
        response.trailers["X-A"] = ""
        await response.prepare(request)
        await response.write(b"body")
        response.trailers["X-A"] = "b\r\nX-Evil: 1"
        return response

    octets = await wire(answer)
    assert b"X-Evil" not in octets
    assert not octets.endswith(b"0\r\n\r\n")


@inject
def test_content_type_argument(evil: str) -> None:
    """CVE-2026-34514's kind: a type given as an argument is a field, too."""
    for response in (
        Response(text="", content_type=f"text/html{evil}"),
        Response(body=b"", content_type=f"text/html{evil}"),
        json_response([], content_type=f"application/json{evil}"),
        HTTPNotFound(content_type=f"text/html{evil}", text=""),
    ):
        assert response.status in {200, 404}  # nothing is on the wire yet


@inject
async def test_content_type_argument_is_not_sent(evil: str) -> None:
    """Such a type isn't sent: the answer is 500."""
    octets = await wire(Response(text="", content_type=f"text/html{evil}"))
    assert octets.startswith(b"HTTP/1.1 500 ")
    assert_harmless(octets)


@pytest.mark.parametrize(
    "attribute", ["path", "domain", "samesite", "expires", "max_age", "version"]
)
@pytest.mark.parametrize("evil", [*INJECTIONS, "; Domain=evil.example", ";HttpOnly"])
def test_cookie_attributes(attribute: str, evil: str) -> None:
    """CVE-2026-35536 of tornado: an attribute that begins another attribute, or another field."""
    given: Any = {"path": "/", "samesite": "Lax", "max_age": "1"}.get(attribute, "a") + evil
    response = StreamResponse()
    with pytest.raises(ValueError, match="of cookie 'a'"):
        response.set_cookie("a", "b", **{attribute: given})
    with pytest.raises(ValueError, match="of cookie 'a'"):
        set_cookie_line("a", "b", **{attribute: given})
    assert not response.cookies


@pytest.mark.parametrize("attribute", ["Path", "DOMAIN", "SameSite", "samesite ", "path;"])
def test_cookie_attributes_in_other_case(attribute: str) -> None:
    """GHSA-wwv5-g3v4-889x of tornado: no other spelling of an attribute is taken at all."""
    arguments: dict[str, Any] = {attribute: "/; Domain=evil.example"}
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        StreamResponse().set_cookie("a", "b", **arguments)


@inject
def test_cookie_name_and_value(evil: str) -> None:
    """A name or a value can't begin a field; nor can a name begin an attribute."""
    response = StreamResponse()
    with pytest.raises(ValueError, match="a cookie's name must be a token"):
        response.set_cookie(f"a{evil}", "b")
    with pytest.raises(ValueError, match="in the value of cookie 'a'"):
        response.set_cookie("a", f"b{evil}")
    with pytest.raises(ValueError, match="a cookie's name must be a token"):
        response.set_cookie("a; Domain=evil.example", "b")


def test_cookie_value_with_attributes() -> None:
    """A value that looks like attributes stays a value."""
    line = set_cookie_line("a", "b; Domain=evil.example")
    assert line == r'a="b\073 Domain=evil.example"; Path=/'


@pytest.mark.parametrize("evil", [*INJECTIONS, "; Domain=evil.example"])
async def test_cookies_set_past_the_check(evil: str) -> None:
    """What a program puts into ``cookies`` itself is looked at when it is sent."""
    for attribute in ("path", "domain", "samesite", "comment", None):
        response = StreamResponse()
        response.cookies["a"] = "b"
        morsel: Morsel[str] = response.cookies["a"]
        if attribute is None:
            # As by unpickling, or a Morsel of another kind: past what Python checks.
            state = {"key": "a", "value": "b", "coded_value": f"b{evil}"}
            morsel.__setstate__(state)  # type: ignore[attr-defined]
        else:
            super(Morsel, morsel).__setitem__(attribute, f"/{evil}")
        octets = await wire(response)
        assert octets.startswith(b"HTTP/1.1 500 ")
        assert b"evil.example" not in octets
        assert_harmless(octets)


@inject
async def test_location(evil: str) -> None:
    """A location from the client can't begin another field: it is percent-encoded."""
    for exception in (HTTPFound(f"/a{evil}"), HTTPUnavailableForLegalReasons(f"/a{evil}")):
        octets = await wire(exception)
        assert octets.startswith((b"HTTP/1.1 302 ", b"HTTP/1.1 451 "))
        assert_harmless(octets)


async def test_link_that_ends_early() -> None:
    """A link can't leave its angle brackets."""
    exception = HTTPUnavailableForLegalReasons('/a>; rel="evil", </b')
    assert exception.link == URL('/a>; rel="evil", </b')
    response = await answer_of(exception)
    assert response.headers["Link"].count(">") == 1


async def test_allowed_methods() -> None:
    """The text of an error has nothing of the request: no markup can come back in it."""
    response = await answer_of(HTTPNotFound())
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.text() == "404: Not Found"


@pytest.mark.parametrize("name", ["event", "id"])
@pytest.mark.parametrize("evil", ["\r", "\n", "\r\n", "\0"])
def test_event_fields(name: str, evil: str) -> None:
    """A type or id of an event can't begin another event."""
    with pytest.raises(ValueError, match="expected one line"):
        encode_event("", **{name: f"a{evil}data: evil"})  # type: ignore[arg-type]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r", "\n\n", "\r\n\r\n"])
def test_event_data(end: str) -> None:
    """Data with line ends stays data of one event."""
    octets = encode_event(f"a{end}{end}event: evil{end}data: b")
    lines = octets.decode().removesuffix("\n\n").split("\n")
    assert all(line.startswith("data: ") for line in lines)
