"""The ASGI door: requests, lifespan, websockets; what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aiohttp import web
from aiohttp.server.web.asgi import serve_asgi
from asgi_server import AsgiServer, body_of, scope_of


async def tell(request: web.Request) -> web.Response:
    """Answer with what the request says of itself."""
    return web.Response(
        text=f"{request.method} {request.url} {dict(request.match_info)} "
        f"{request.remote} {tuple(request.version)}"
    )


async def echo(request: web.Request) -> web.Response:
    """Answer with the body."""
    return web.Response(body=await request.read())


def application(**options: Any) -> web.Application:
    """Return an application with some routes."""
    app = web.Application(**options)
    app.router.add_get("/{rest:.*}", tell)
    app.router.add_post("/echo", echo)
    return app


async def asked(scope: dict[str, Any], *messages: dict[str, Any]) -> AsgiServer:
    """Have the application answer a request, and return what the server holds then."""
    server = AsgiServer(*(messages or body_of(b"")))
    await serve_asgi(application(), scope, server.receive, server.send)
    return server


# Requests.


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (scope_of("/a/b?c=d"), "http://example.org/a/b?c=d {'rest': 'a/b'}"),
        (scope_of("?c=d"), "http://example.org/?c=d {'rest': ''}"),
        (scope_of("/a%2Fb"), "http://example.org/a%2Fb {'rest': 'a/b'}"),
        (scope_of("/a b", raw_path=None), "http://example.org/a%20b {'rest': 'a b'}"),
        (scope_of("/ы?x", raw_path=None), "http://example.org/%D1%8B?x {'rest': 'ы'}"),
        (scope_of("/in/a", root_path="/in"), "http://example.org/a {'rest': 'a'}"),
        (scope_of("/in", root_path="/in"), "http://example.org/ {'rest': ''}"),
        (scope_of("/inn", root_path="/in"), "http://example.org/inn {'rest': 'inn'}"),
        (scope_of("/a", scheme="https"), "https://example.org/a {'rest': 'a'}"),
    ],
)
async def test_request(scope: dict[str, Any], expected: str) -> None:
    """Path, query, scheme and addresses are those of the scope, without its root_path."""
    server = await asked(scope)
    assert server.body.decode() == f"GET {expected} 192.0.2.7 (1, 1)"
    assert server.status == 200
    assert server.headers[b"content-length"] == b"%d" % len(server.body)


@pytest.mark.parametrize(("version", "expected"), [("1.0", "(1, 0)"), ("2", "(2, 0)")])
async def test_version(version: str, expected: str) -> None:
    """The application sees the version that the client speaks."""
    assert (await asked(scope_of(http_version=version))).body.decode().endswith(expected)


async def test_http_1_0_needs_no_host() -> None:
    """A request of HTTP/1.0 without Host is right."""
    scope = scope_of(http_version="1.0", headers=())
    scope["headers"] = []
    assert (await asked(scope)).status == 200


@pytest.mark.parametrize("pieces", [(b"hello",), (b"he", b"", b"llo"), (b"hello", b"")])
@pytest.mark.parametrize(
    "extra",
    [
        {"headers": [(b"content-length", b"5")]},
        {"headers": [(b"transfer-encoding", b"chunked")]},
        {"http_version": "2"},
    ],
)
async def test_body(pieces: tuple[bytes, ...], extra: dict[str, Any]) -> None:
    """A body is read as it comes; of HTTP/2 also where it is not announced."""
    server = await asked(scope_of("/echo", "POST", **extra), *body_of(*pieces))
    assert server.body == b"hello"


@pytest.mark.parametrize(("method", "expected"), [("POST", b"True"), ("GET", b"False")])
async def test_body_that_is_not_announced_exists_by_its_method(
    method: str, expected: bytes
) -> None:
    """HTTP/2 needs no Content-Length: a POST without one has a body, as far as one can know."""

    async def has_body(request: web.Request) -> web.Response:
        return web.Response(text=str(request.can_read_body))

    app = web.Application()
    app.router.add_route(method, "/", has_body)
    server = AsgiServer(*body_of(b"hello"))
    await serve_asgi(app, scope_of("/", method, http_version="2"), server.receive, server.send)
    assert server.body == expected


async def test_head_has_the_length_that_get_would_have() -> None:
    """Content-Length of a whole response is told, without its body."""
    app = web.Application()
    app.router.add_get("/", echo)
    server = AsgiServer()
    await serve_asgi(app, scope_of("/", "HEAD"), server.receive, server.send)
    assert server.headers[b"content-length"] == b"0"
    server = await asked(scope_of("/ab", "HEAD"))
    assert (int(server.headers[b"content-length"]) > 9, server.body) == (True, b"")


async def test_a_body_that_breaks_off() -> None:
    """Nobody is answered when the client has gone; and a part never passes for the whole."""
    scope = scope_of("/echo", "POST", [(b"content-length", b"9")])
    server = await asked(scope, *body_of(b"he", b"")[:1], {"type": "http.disconnect"})
    assert server.sent == []


async def test_a_request_that_needs_nothing_is_not_listened_for() -> None:
    """A small answer costs no task and no message."""
    assert (await asked(scope_of())).received == 0


# What our parser refuses.


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"host", b"evil.example/x")], 400),
        ([(b"host", b"a"), (b"host", b"b")], 400),
        ([], 400),
        ([(b"host", b"a"), (b"content-length", b"1"), (b"transfer-encoding", b"chunked")], 400),
        ([(b"host", b"a"), (b"x", b"1\r\ny: 2")], 400),
        ([(b"host", b"a"), (b"expect", b"tea")], 417),
        ([(b"host", b"a"), (b"long", b"x" * 10_000)], 431),
    ],
)
async def test_what_our_parser_refuses(headers: list[tuple[bytes, bytes]], status: int) -> None:
    """A server may let through what would confuse us (CVE-2026-48710): it is refused."""
    assert (await asked({**scope_of(), "headers": headers})).status == status


# Errors.


async def test_an_application_that_does_not_answer() -> None:
    """The server learns of it, and answers 500."""

    class Silent(web.Application):
        async def handle_exchange(self, exchange: Any) -> None:
            """Do nothing."""

    server = AsgiServer()
    with pytest.raises(RuntimeError, match="returned without a complete response: <AsgiExchange"):
        await serve_asgi(Silent(), scope_of(), server.receive, server.send)


async def test_exchanges_are_counted_and_observed() -> None:
    """Metrics and access logs of the application get every exchange, once."""
    app = application()
    seen: list[str] = []
    app.exchange_observers.append(lambda exchange: seen.append(repr(exchange)))
    for path in ("/a", "/b"):
        server = AsgiServer()
        await serve_asgi(app, scope_of(path), server.receive, server.send)
    assert seen == ["<AsgiExchange GET '/a' 200>", "<AsgiExchange GET '/b' 200>"]


async def test_a_scope_of_another_type() -> None:
    """As ASGI wants it, an unknown type is an error."""
    server = AsgiServer()
    with pytest.raises(ValueError, match="expected a scope of type http, websocket or lifespan"):
        await serve_asgi(application(), {"type": "smoke"}, server.receive, server.send)


# Websockets.


async def test_websockets_are_closed_before_the_handshake() -> None:
    """Without the extension by a close, which servers answer by 403."""
    server = AsgiServer({"type": "websocket.connect"})
    await serve_asgi(application(), {"type": "websocket"}, server.receive, server.send)
    assert server.sent == [
        {
            "type": "websocket.close",
            "code": 1011,
            "reason": "this application has no websockets",
        }
    ]


async def test_websockets_are_answered_501_where_that_is_possible() -> None:
    """With the extension by a response that people can read."""
    server = AsgiServer({"type": "websocket.connect"})
    scope: dict[str, Any] = {"type": "websocket", "extensions": {"websocket.http.response": {}}}
    await serve_asgi(application(), scope, server.receive, server.send)
    assert (server.status, server.body) == (501, b"501: this application has no websockets")


# Lifespan.


class Life:
    """An application that tells of its life."""

    def __init__(self, fails_in: str = "") -> None:
        self.told: list[str] = []
        self.app = web.Application()
        for name in ("startup", "shutdown", "cleanup"):
            getattr(self.app, f"on_{name}").append(self._teller(name, name == fails_in))

    def _teller(self, name: str, fails: bool) -> Any:
        async def tell(app: web.Application) -> None:
            self.told.append(name)
            if fails:
                raise ValueError(f"no {name} today")

        return tell

    async def live(self) -> list[dict[str, Any]]:
        """Go through a whole life, and return what the server was told."""
        server = AsgiServer({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
        await serve_asgi(self.app, {"type": "lifespan"}, server.receive, server.send)
        return server.sent


async def test_lifespan() -> None:
    """The application starts and stops with the server."""
    life = Life()
    assert [each["type"] for each in await life.live()] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert life.told == ["startup", "shutdown", "cleanup"]


async def test_a_start_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """The server is told why, and what had begun is cleaned up."""
    life = Life("startup")
    assert await life.live() == [
        {"type": "lifespan.startup.failed", "message": "ValueError: no startup today"}
    ]
    assert "the application could not be started" in caplog.text


async def test_a_server_that_ends_without_saying_so() -> None:
    """A lifespan that is cancelled is at its end, whether it had begun or not."""
    life = Life()
    server = AsgiServer({"type": "lifespan.startup"})
    task = asyncio.create_task(
        serve_asgi(life.app, {"type": "lifespan"}, server.receive, server.send)
    )
    while not server.sent:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert life.told == ["startup", "shutdown", "cleanup"]


async def test_a_start_that_is_cancelled() -> None:
    """What a start had begun when it was cancelled is cleaned up."""
    told: list[str] = []

    async def context(app: web.Application) -> AsyncIterator[None]:
        told.append("in")
        yield
        told.append("out")

    async def endless(app: web.Application) -> None:
        await asyncio.Event().wait()

    app = web.Application()
    app.cleanup_ctx.append(context)
    app.on_startup.append(endless)
    server = AsgiServer({"type": "lifespan.startup"})
    task = asyncio.create_task(serve_asgi(app, {"type": "lifespan"}, server.receive, server.send))
    while not told:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (told, server.sent) == (["in", "out"], [])


@pytest.mark.parametrize("step", ["shutdown", "cleanup"])
async def test_an_end_that_fails(step: str) -> None:
    """Cleanup runs whatever fails before it; the server is told the error."""
    life = Life(step)
    assert (await life.live())[1] == {
        "type": "lifespan.shutdown.failed",
        "message": f"ValueError: no {step} today",
    }
    assert life.told == ["startup", "shutdown", "cleanup"]
