"""Responses that are raised."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from yarl import URL

from aiohttp.server import web
from aiohttp.server.testing import MemoryClient, MemoryResponse
from aiohttp.server.web import exceptions
from aiohttp.server.web.exceptions import (
    HTTPClientError,
    HTTPError,
    HTTPException,
    HTTPFound,
    HTTPMethodNotAllowed,
    HTTPMove,
    HTTPNoContent,
    HTTPNotFound,
    HTTPNotModified,
    HTTPOk,
    HTTPRedirection,
    HTTPRequestEntityTooLarge,
    HTTPServerError,
    HTTPSuccessful,
    HTTPUnavailableForLegalReasons,
    exception_class,
)
from aiohttp.server.web.request import BaseRequest
from aiohttp.server.web.response import Response
from answering import answer_of

FAMILY: list[type[HTTPException]] = [
    found
    for found in map(vars(exceptions).get, exceptions.__all__)
    if isinstance(found, type) and issubclass(found, HTTPException)
]
LEAVES = [found for found in FAMILY if found.status_code > 0]
BRANCHES = {2: HTTPSuccessful, 3: HTTPRedirection, 4: HTTPClientError, 5: HTTPServerError}
NEEDED: dict[type[HTTPException], tuple[Any, ...]] = {
    HTTPMethodNotAllowed: ("PUT", ["GET"]),
    HTTPUnavailableForLegalReasons: ("https://example.org/law",),
}


def made(kind: type[HTTPException], **options: Any) -> HTTPException:
    """Return an exception of this class, whatever it needs."""
    needed = ("/there",) if issubclass(kind, HTTPMove) else NEEDED.get(kind, ())
    return kind(*needed, **options)


@pytest.mark.parametrize("kind", LEAVES)
async def test_family(kind: type[HTTPException]) -> None:
    """Each is of its branch, has its status and its registered reason, and can be sent."""
    exception = made(kind)
    assert isinstance(exception, Response)
    assert isinstance(exception, BRANCHES[kind.status_code // 100])
    assert isinstance(exception, HTTPError) == (kind.status_code >= 400)
    assert isinstance(exception, HTTPMove) == (
        300 <= kind.status_code < 309 and kind is not HTTPNotModified
    )
    assert exception.status == exception.status_code == kind.status_code
    assert HTTPStatus(kind.status_code).name
    assert str(exception) == exception.reason != ""
    expected = b"" if kind.empty_body else f"{exception.status}: {exception.reason}".encode()
    found = await answer_of(exception)
    assert (found.status, found.reason, found.body) == (
        exception.status,
        exception.reason,
        expected,
    )


def test_each_status_is_one_class() -> None:
    """No two have the same status."""
    assert len({kind.status_code for kind in LEAVES}) == len(LEAVES) == 51


@pytest.mark.parametrize("kind", [kind for kind in FAMILY if kind.status_code < 0])
def test_branches_have_no_status(kind: type[HTTPException]) -> None:
    """A class without a status can be caught but not made."""
    with pytest.raises(TypeError, match=f"{kind.__name__} has no status"):
        made(kind)


async def test_options() -> None:
    """Fields, reason, text and type are those of a response."""
    exception = HTTPNotFound(
        headers={"X-A": "b"}, reason="Elsewhere", text="<p>no</p>", content_type="text/html"
    )
    assert str(exception) == "Elsewhere"
    found = await answer_of(exception)
    assert (found.status, found.reason, found.text()) == (404, "Elsewhere", "<p>no</p>")
    assert found.headers["Content-Type"] == "text/html; charset=utf-8"
    assert found.headers["X-A"] == "b"


def test_body_instead_of_text() -> None:
    """The body may be bytes, and may be empty."""
    assert HTTPNotFound(body=b"\0").body == b"\0"
    assert HTTPOk(text="").text == ""


async def test_raised() -> None:
    """What was raised is a response, caught by any of its bases."""

    async def answer(request: BaseRequest) -> Response:
        try:
            raise HTTPNotFound
        except HTTPClientError as exc:
            return exc

    assert (await answer_of(answer)).status == 404


async def test_own_class() -> None:
    """A program's own status is a subclass."""

    class HTTPTeapot(HTTPClientError):
        status_code = 418

    found = await answer_of(HTTPTeapot())
    assert found.text() == f"418: {found.reason}"


@pytest.mark.parametrize("location", ["/a b?c=ü#d", URL("/a b?c=ü#d")])
async def test_location(location: str | URL) -> None:
    """A location is a URL, percent-encoded where it is sent."""
    exception = HTTPFound(location)
    assert exception.location == URL("/a b?c=ü#d")
    assert (await answer_of(exception)).headers["Location"] == "/a%20b?c=%C3%BC#d"


@pytest.mark.parametrize("location", ["", URL()])
def test_empty_location(location: str | URL) -> None:
    """To be sent nowhere is an error."""
    with pytest.raises(ValueError, match="expected a location"):
        HTTPFound(location)


async def test_method_not_allowed() -> None:
    """405 tells in Allow what may be asked; that may be nothing."""
    exception = HTTPMethodNotAllowed("put", ["POST", "GET", "GET"])
    assert (exception.method, sorted(exception.allowed_methods)) == ("PUT", ["GET", "POST"])
    assert (await answer_of(exception)).headers["Allow"] == "GET, POST"
    assert (await answer_of(HTTPMethodNotAllowed("PUT", []))).headers["Allow"] == ""


def test_too_large() -> None:
    """413 tells both sizes, unless another text is given."""
    text = HTTPRequestEntityTooLarge(max_size=10, actual_size=11).text
    assert text == "Maximum request body size 10 exceeded, actual body size 11"
    assert HTTPRequestEntityTooLarge(10, text="too large").text == "too large"


async def test_legal_reasons() -> None:
    """451 names who demands it, if anybody is to be named."""
    exception = HTTPUnavailableForLegalReasons("https://example.org/law")
    assert exception.link == URL("https://example.org/law")
    found = await answer_of(exception)
    assert found.headers["Link"] == '<https://example.org/law>; rel="blocked-by"'
    nobody = HTTPUnavailableForLegalReasons(None)
    assert nobody.link is None
    assert "Link" not in nobody.headers


def test_empty_bodies() -> None:
    """204, 205 and 304 have no text of their own."""
    assert HTTPNoContent().body is None
    assert {kind.status_code for kind in LEAVES if kind.empty_body} == {204, 205, 304}


def test_class_of_a_status() -> None:
    """The class for a status is found, if a text is all that it needs."""
    assert exception_class(404) is HTTPNotFound
    assert exception_class(413)(text="too large").text == "too large"
    for status in (302, 405, 418, 451, 700):
        with pytest.raises(ValueError, match=f"an exception of its own, got {status}"):
            exception_class(status)


# What a client is told.


async def told(accept: str, text: str | None = None) -> MemoryResponse:
    """Return how a client that accepts this is told of an error."""

    async def fail(request: web.Request) -> web.Response:
        raise web.HTTPNotFound(text=text)

    app = web.Application()
    app.router.add_get("/", fail)
    async with MemoryClient(app) as client:
        return await client.get("/", headers={"Accept": accept} if accept else {})


@pytest.mark.parametrize("accept", ["", "*/*", "text/html, */*;q=0.1"])
async def test_error_is_a_line_of_text(accept: str) -> None:
    """Clients that accept text, or anything, get a line of it."""
    response = await told(accept)
    assert (response.content_type, response.text()) == ("text/plain", "404: Not Found")
    assert response.headers["Vary"] == "Accept"


async def test_error_as_json() -> None:
    """A client that accepts nothing but JSON gets JSON."""
    response = await told("application/json")
    assert response.content_type == "application/json"
    assert response.json() == {"status": 404, "error": "Not Found"}
    assert response.headers["Vary"] == "Accept"


async def test_own_text_stays() -> None:
    """What the program says itself is sent as it is."""
    response = await told("application/json", text="404: Not Found!")
    assert (response.content_type, response.text()) == ("text/plain", "404: Not Found!")
    assert "Vary" not in response.headers


async def test_limit_as_json() -> None:
    """What exceeds a limit is told with its message, in JSON too."""

    async def read(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application(client_max_size=10)
    app.router.add_post("/", read)
    async with MemoryClient(app) as client:
        response = await client.post("/", data=b"x" * 11, headers={"Accept": "application/json"})
    told = response.json()
    assert (told["status"], told["error"]) == (413, "Content Too Large")
    assert "at most 10 bytes, got 11" in told["message"]


def test_say() -> None:
    """A message stands behind the status, instead of the reason."""
    assert web.HTTPConflict().say("it was sold").text == "409: it was sold"
