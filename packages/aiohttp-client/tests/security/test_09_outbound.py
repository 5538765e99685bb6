"""Rule 9: nothing that a program passes on becomes a line of its own in a request."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

import pytest
from yarl import URL

from aiohttp.client import FormData, InvalidURL, Session
from aiohttp.client.awaitables import RequestContext
from aiohttp.protocol import MultipartWriter
from origin import Origin, response

EVIL = ["a\r\nEvil: 1", "a\r\n\r\nGET /evil HTTP/1.1", "a\nEvil: 1", "a\rEvil: 1", "a\0b"]
# CR and LF, if somebody keeps only the low byte of a character.
HIDDEN = ["a\u010d\u010aEvil: 1", "a\u560d\u560aEvil: 1"]

Door: TypeAlias = Callable[[Session, str, str], RequestContext]

DOORS: dict[str, Door] = {
    "CVE-2023-49082 method": lambda session, url, evil: session.request(evil, url),
    "CVE-2023-49081 version": lambda session, url, evil: session.get(
        url,
        version=(1, evil),  # type: ignore[arg-type]
    ),
    "CVE-2020-7695 value": lambda session, url, evil: session.get(url, headers={"A": evil}),
    "CVE-2020-7695 name": lambda session, url, evil: session.get(url, headers={evil: "a"}),
    "CVE-2025-57804 Host": lambda session, url, evil: session.get(url, headers={"Host": evil}),
    "Content-Length": lambda session, url, evil: session.post(
        url, headers={"Content-Length": evil}
    ),
    "Transfer-Encoding": lambda session, url, evil: session.post(
        url, headers={"Transfer-Encoding": evil}
    ),
    "Content-Type": lambda session, url, evil: session.post(
        url, data=b"a", headers={"Content-Type": evil}
    ),
    "Connection": lambda session, url, evil: session.get(url, headers={"Connection": evil}),
    "CVE-2026-35536 name of a cookie": lambda session, url, evil: session.get(
        url, cookies={evil: "a"}
    ),
    "header of cookies": lambda session, url, evil: session.get(url, headers={"Cookie": evil}),
    "type of a file": lambda session, url, evil: session.post(
        url, files=[("a", io.BytesIO(b"b"), evil)]
    ),
    "name of a file": lambda session, url, evil: session.post(
        url, files=[(evil, io.BytesIO(b"b"))]
    ),
}


@pytest.mark.parametrize("evil", EVIL + HIDDEN, ids=ascii)
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
async def test_door(door: Door, evil: str) -> None:
    """No option lets a line break or a control through: it is refused, or sent encoded."""
    async with Origin(response()) as origin, Session() as session:
        with suppress(ValueError, TypeError):
            await door(session, origin.url, evil)
        assert all(is_harmless(request) for request in origin.requests)
        await session.get(origin.url)  # the session is as good as before
        assert is_harmless(origin.request)


def is_harmless(request: bytes) -> bool:
    """Whether there is no line in a request but the client's own."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line for part in (head, body) for line in part.replace(b"\r", b"\n").split(b"\n")]
    return b"\0" not in head and not any(line.startswith((b"Evil", b"GET /e")) for line in lines)


URLS = {
    "path": "http://127.0.0.1:{port}/a\r\nEvil: 1",
    "query": "http://127.0.0.1:{port}/?a\r\nEvil: 1",
    "CVE-2019-9740 version": "http://127.0.0.1:{port}/ HTTP/1.1\r\nEvil: 1\r\n",
    "userinfo": "http://a\r\nEvil: 1:b@127.0.0.1:{port}/",
    "fragment": "http://127.0.0.1:{port}/#\r\nEvil: 1",
    "hidden": "http://127.0.0.1:{port}/\u560d\u560aEvil: 1",
}


@pytest.mark.parametrize("is_encoded", [False, True])
@pytest.mark.parametrize("url", URLS.values(), ids=URLS.keys())
async def test_url(url: str, is_encoded: bool) -> None:
    """CVE-2021-41945: nor does a URL, not even one that says it was encoded already."""
    async with Origin(response()) as origin, Session() as session:
        with suppress(ValueError):
            await session.get(URL(url.format(port=origin.port), encoded=is_encoded))
        assert all(is_harmless(request) for request in origin.requests)


@pytest.mark.parametrize("host", ["a\r\nEvil: 1", "a b", "a/b", "a?b", "a#b", "a\\b", "a\0"])
async def test_host_of_a_url_that_was_built(host: str) -> None:
    """CVE-2026-48710: a host that isn't one goes neither to a resolver nor into Host."""
    async with Session() as session:
        with pytest.raises(InvalidURL):
            await session.get(URL.build(scheme="http", authority=host, path="/", encoded=True))


@pytest.mark.parametrize("params", [{"a": "b\r\nEvil: 1"}, {"b\r\nEvil: 1": "a"}, "a\r\nEvil: 1"])
async def test_params(params: Any) -> None:
    """A query is encoded, whatever is in it."""
    async with Origin(response()) as origin, Session() as session:
        await session.get(origin.url, params=params)
        assert is_harmless(origin.request)


@pytest.mark.parametrize("evil", EVIL, ids=ascii)
@pytest.mark.parametrize("argument", ["name", "filename", "content_type"])
def test_form(argument: str, evil: str) -> None:
    """CVE-2026-34514, CVE-2026-50269: no part of a form has a line of somebody else's."""
    given: dict[str, Any] = {"name": "a", "value": b"b", argument: evil}
    with pytest.raises(ValueError, match="control character"):
        FormData().add_field(**given)


async def test_quotes_of_a_form() -> None:
    """CVE-2026-50269: a quote in a filename ends nothing."""
    form = FormData()
    form.add_field("a", b"b", filename='x"; name="evil')
    async with Origin(response()) as origin, Session() as session:
        await session.post(origin.url, data=form)
        assert b'; name="evil' not in origin.request


@pytest.mark.parametrize("evil", EVIL, ids=ascii)
async def test_boundary(evil: str) -> None:
    """CVE-2026-50269: nor does a boundary end a line."""
    with pytest.raises(ValueError, match="boundary"):
        MultipartWriter("mixed", boundary=evil)


async def test_session_checks_too() -> None:
    """What a session has for all requests is validated like the rest."""
    async with Origin(response()) as origin, Session(headers={"A": "b\r\nEvil: 1"}) as session:
        with pytest.raises(ValueError, match="A"):
            await session.get(origin.url)
        assert origin.requests == []
