"""Requests that nobody has sent."""

from __future__ import annotations

import tempfile
from types import SimpleNamespace
from typing import Any, cast

import pytest

from aiohttp import web
from aiohttp.protocol import HttpVersion10, InvalidUse, StreamReader
from aiohttp.test_utils import MockedExchange, make_mocked_coro, make_mocked_request


def exchange_of(request: web.Request) -> MockedExchange:
    """Return what keeps the answer."""
    assert isinstance(request.exchange, MockedExchange)
    return request.exchange


def test_request_is_what_is_asked_for() -> None:
    """Method, target, fields and what the router found are as given."""
    app = web.Application()
    request = make_mocked_request(
        "POST",
        "/a%20b?c=d",
        {"X-Mine": "1", "Content-Length": "3"},
        match_info={"name": "x"},
        version=HttpVersion10,
        closing=True,
        app=app,
        payload=StreamReader.complete(b"abc"),
    )
    assert (request.method, request.path, request.query["c"]) == ("POST", "/a b", "d")
    assert request.headers["x-mine"] == "1"
    assert request.match_info["name"] == "x"
    assert request.version == HttpVersion10
    assert not request.keep_alive
    assert request.app is app
    assert request.can_read_body


def test_request_is_usual_where_nothing_is_said() -> None:
    """Without more it is a request of HTTP/1.1 from this machine, without a body."""
    request = make_mocked_request("GET", "/")
    assert (request.remote, request.scheme) == ("127.0.0.1", "http")
    assert request.keep_alive
    assert not request.body_exists
    assert isinstance(request.app, web.Application)
    assert make_mocked_request("GET", "/", sslcontext=object()).scheme == "https"


async def test_body_is_read_within_its_limit() -> None:
    """The body is the payload; more than ``client_max_size`` is 413."""
    headers = {"Content-Length": "3"}

    def request(limit: int) -> web.Request:
        body = StreamReader.complete(b"abc")
        return make_mocked_request("POST", "/", headers, payload=body, client_max_size=limit)

    assert await request(3).read() == b"abc"
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        await request(2).read()


async def test_answer_is_kept() -> None:
    """What a handler answers can be looked at."""
    request = make_mocked_request("GET", "/")
    response = web.Response(status=201, text="made", headers={"X-Mine": "1"})
    await response.prepare(request)
    await response.write_eof()
    exchange = exchange_of(request)
    assert (exchange.response_status, exchange.sent, exchange.is_finished) == (201, b"made", True)
    assert ("X-Mine", "1") in exchange.sent_fields


async def test_answer_in_parts_is_kept() -> None:
    """Parts, trailers and early hints are kept, and written to a ``writer`` as well."""
    write: Any = make_mocked_coro()
    writer = SimpleNamespace(write=write)
    request = make_mocked_request("GET", "/", writer=writer)
    exchange = exchange_of(request)
    with pytest.raises(InvalidUse):
        await exchange.write(b"too early")
    await exchange.inform(103, [("Link", "</a.css>; rel=preload")])
    await exchange.start(200, [("A", "1")], reason="Fine")
    await exchange.write(b"one")
    with tempfile.TemporaryFile() as file:
        file.write(b"0123456789")
        await exchange.sendfile(file, 3, 4)
    await exchange.finish([("Sum", "7")])
    exchange.close_after()
    assert exchange.sent == b"one3456"
    assert exchange.body_sent == 7
    assert (exchange.reason, exchange.trailers) == ("Fine", [("Sum", "7")])
    assert exchange.informational == [(103, [("Link", "</a.css>; rel=preload")])]
    assert exchange.is_closing
    write.assert_any_await(b"one")
    with pytest.raises(InvalidUse):
        await exchange.respond(200)


async def test_end_can_come() -> None:
    """The client can go, and the server be about to stop."""
    request = make_mocked_request("GET", "/")
    exchange = exchange_of(request)
    before = request.is_draining
    exchange.begin_drain()
    exchange.disconnect()
    await request.wait_draining()
    await request.wait_disconnected()
    assert (before, request.is_draining, exchange.is_disconnected) == (False, True, True)


async def test_transport_is_given_away_if_there_is_one() -> None:
    """An upgrade gets the transport of the test."""
    transport = object()
    request = make_mocked_request("GET", "/", transport=None)
    with pytest.raises(InvalidUse, match="transport"):
        await exchange_of(request).upgrade()
    exchange = MockedExchange(request.head, transport=transport)
    assert await exchange.upgrade() == (transport, b"")
    assert exchange.response_status == 101


async def test_mocked_coroutine_returns_or_raises() -> None:
    """A mocked coroutine function gives what it was told, and counts."""
    returning = cast(Any, make_mocked_coro(7))
    assert await returning("a", b=1) == 7
    returning.assert_awaited_once_with("a", b=1)
    with pytest.raises(OSError, match="gone"):
        await make_mocked_coro(raise_exception=OSError("gone"))()


@pytest.mark.parametrize(
    ("method", "target"), [("OPTIONS", "*"), ("CONNECT", "localhost:80"), ("GET", "http://h/x")]
)
def test_every_form_of_a_target(method: str, target: str) -> None:
    """A target needn't be a path (RFC 9112, 3.2); a request may have matched nothing."""
    request = make_mocked_request(method, target, match_info=None)
    assert request.exchange.head.target == target
    assert dict(request.match_info) == {}
