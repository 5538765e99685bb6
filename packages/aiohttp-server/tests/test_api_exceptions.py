"""The documented exceptions of ``aiohttp.web``: each is an answer, and can be raised."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttp import web
from aiohttp.test_utils import MemoryClient
from documented import mentions
from documented_server import SERVER, calls

NEEDED: dict[str, tuple[Any, ...]] = {
    "HTTPMethodNotAllowed": ("PUT", ["GET", "HEAD"]),
    "HTTPRequestEntityTooLarge": (10, 11),
    "HTTPUnavailableForLegalReasons": ("https://law.example/",),
}
"""What must be given, but for the location of a redirect."""


def made(name: str, **options: Any) -> web.HTTPException:
    """Return an exception of this class."""
    kind: type[web.HTTPException] = getattr(web, name)
    needed = ("/there",) if issubclass(kind, web.HTTPMove) else NEEDED.get(name, ())
    exception: web.HTTPException = kind(*needed, **options)
    return exception


def family(status: int) -> type[web.HTTPException]:
    """Return the class of all exceptions with such a status."""
    if status < 300:
        return web.HTTPSuccessful
    if status < 400:
        return web.HTTPRedirection
    return web.HTTPClientError if status < 500 else web.HTTPServerError


@calls("web.HTTPException")
@calls("web.HTTPException", "status_code")
@calls("web.HTTPError")
@calls("web.HTTPRedirection")
@calls("web.HTTPSuccessful")
@calls("web.HTTPClientError")
@calls("web.HTTPServerError")
@calls("web.HTTPMove")
def test_families() -> None:
    """What is caught by one class is what belongs together."""
    assert issubclass(web.HTTPError, web.HTTPException)
    assert issubclass(web.HTTPClientError, web.HTTPError)
    assert issubclass(web.HTTPServerError, web.HTTPError)
    assert issubclass(web.HTTPRedirection, web.HTTPException)
    assert issubclass(web.HTTPSuccessful, web.HTTPException)
    assert issubclass(web.HTTPMove, web.HTTPRedirection)
    assert issubclass(web.HTTPFound, web.HTTPMove)
    assert web.HTTPNotFound().status_code == web.HTTPNotFound.status_code == 404


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (200, "HTTPOk"),
        (201, "HTTPCreated"),
        (202, "HTTPAccepted"),
        (203, "HTTPNonAuthoritativeInformation"),
        (204, "HTTPNoContent"),
        (205, "HTTPResetContent"),
        (206, "HTTPPartialContent"),
        (300, "HTTPMultipleChoices"),
        (301, "HTTPMovedPermanently"),
        (302, "HTTPFound"),
        (303, "HTTPSeeOther"),
        (304, "HTTPNotModified"),
        (305, "HTTPUseProxy"),
        (307, "HTTPTemporaryRedirect"),
        (308, "HTTPPermanentRedirect"),
        (400, "HTTPBadRequest"),
        (401, "HTTPUnauthorized"),
        (402, "HTTPPaymentRequired"),
        (403, "HTTPForbidden"),
        (404, "HTTPNotFound"),
        (405, "HTTPMethodNotAllowed"),
        (406, "HTTPNotAcceptable"),
        (407, "HTTPProxyAuthenticationRequired"),
        (408, "HTTPRequestTimeout"),
        (409, "HTTPConflict"),
        (410, "HTTPGone"),
        (411, "HTTPLengthRequired"),
        (412, "HTTPPreconditionFailed"),
        (413, "HTTPRequestEntityTooLarge"),
        (414, "HTTPRequestURITooLong"),
        (415, "HTTPUnsupportedMediaType"),
        (416, "HTTPRequestRangeNotSatisfiable"),
        (417, "HTTPExpectationFailed"),
        (421, "HTTPMisdirectedRequest"),
        (422, "HTTPUnprocessableEntity"),
        (424, "HTTPFailedDependency"),
        (426, "HTTPUpgradeRequired"),
        (428, "HTTPPreconditionRequired"),
        (429, "HTTPTooManyRequests"),
        (431, "HTTPRequestHeaderFieldsTooLarge"),
        (451, "HTTPUnavailableForLegalReasons"),
        (500, "HTTPInternalServerError"),
        (501, "HTTPNotImplemented"),
        (502, "HTTPBadGateway"),
        (503, "HTTPServiceUnavailable"),
        (504, "HTTPGatewayTimeout"),
        (505, "HTTPVersionNotSupported"),
        (506, "HTTPVariantAlsoNegotiates"),
        (507, "HTTPInsufficientStorage"),
        (510, "HTTPNotExtended"),
        (511, "HTTPNetworkAuthenticationRequired"),
    ],
)
async def test_exception_is_an_answer(status: int, name: str) -> None:
    """Raised in a handler, it is sent: status, reason, fields and text as they were given."""
    exception = made(name, reason="Because", headers={"X-Mine": "1"})
    assert isinstance(exception, family(status))
    assert isinstance(exception, web.HTTPError) is (status >= 400)

    async def handler(request: web.Request) -> web.StreamResponse:
        raise exception

    app = web.Application()
    app.router.add_get("/", handler)
    async with MemoryClient(app) as client:
        answer = await client.get("/")
    assert (answer.status, answer.reason) == (status, "Because")
    assert answer.headers["X-Mine"] == "1"
    if status in (204, 205, 304):
        assert answer.body == b""
    else:
        assert answer.text() == exception.text
    if isinstance(exception, web.HTTPMove):
        assert answer.headers["Location"] == "/there"


async def test_text_can_be_given() -> None:
    """The body is the text, of the type that was given."""
    exception = web.HTTPNotFound(text="<b>no</b>", content_type="text/html")
    assert exception.text == "<b>no</b>"
    assert exception.content_type == "text/html"
    with pytest.raises(web.HTTPNotFound):
        raise exception


def test_what_is_needed_is_kept() -> None:
    """405 tells what is allowed, 413 what is too much, 451 who forbids it, a redirect whereto."""
    assert web.HTTPMethodNotAllowed("PUT", ["GET", "HEAD"]).headers["Allow"] == "GET, HEAD"
    assert "10" in (web.HTTPRequestEntityTooLarge(10, 11).text or "")
    law = web.HTTPUnavailableForLegalReasons("https://law.example/")
    assert law.headers["Link"] == '<https://law.example/>; rel="blocked-by"'
    assert str(web.HTTPSeeOther("/there").location) == "/there"
    with pytest.raises(ValueError, match="redirect"):
        web.HTTPFound("")


for _row in SERVER.rows:
    if _row.name in mentions(test_exception_is_an_answer):
        calls(_row.path)(test_exception_is_an_answer)
