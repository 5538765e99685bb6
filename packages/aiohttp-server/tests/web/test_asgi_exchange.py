"""The exchange over ASGI: responses in messages, extensions, and clients that leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from aiohttp import web
from aiohttp.protocol import InvalidUse, LocalProtocolError, PeerDisconnected
from aiohttp.server.web.asgi import serve_asgi
from aiohttp.server.web.asgi_exchange import AsgiExchange
from asgi_server import AsgiServer, body_of, scope_of

Handler = Callable[[AsgiExchange], Awaitable[object]]


class Raw(web.Application):
    """An application that is one function of the exchange."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self._function = handler

    async def handle_exchange(self, exchange: Any) -> None:
        """Have the function answer."""
        await self._function(exchange)


async def served(
    handler: Handler,
    method: str = "GET",
    *messages: dict[str, Any],
    by: AsgiServer | None = None,
    **scope: Any,
) -> AsgiServer:
    """Have a function answer a request, and return what the server holds then."""
    server = by or AsgiServer(*messages)
    await serve_asgi(Raw(handler), scope_of("/", method, **scope), server.receive, server.send)
    return server


def extensions(*names: str) -> dict[str, Any]:
    """Return what a scope says of these extensions."""
    return {f"http.response.{name}": {} for name in names}


async def test_respond() -> None:
    """A whole response is two messages, with the length and without fields of the connection."""
    fields = [("Content-Type", "text/plain"), ("Connection", "x"), ("X-É".replace("É", "E"), "é")]
    server = await served(lambda exchange: exchange.respond(201, fields, b"hello", reason="Yes"))
    assert server.sent == [
        {
            "type": "http.response.start",
            "status": 201,
            "headers": [
                (b"content-type", b"text/plain"),
                (b"x-e", b"\xe9"),
                (b"content-length", b"5"),
            ],
        },
        {"type": "http.response.body", "body": b"hello", "more_body": False},
    ]


async def test_in_parts() -> None:
    """A response of unknown length is sent as it is written; empty parts are not."""

    async def handler(exchange: AsgiExchange) -> None:
        await exchange.start(200)
        for piece in (b"a", b"", memoryview(b"bc"), bytearray(b"d")):
            await exchange.write(piece)
        assert (exchange.body_sent, exchange.response_status) == (4, 200)
        await exchange.finish()

    server = await served(handler)
    assert [each.get("body") for each in server.sent] == [None, b"a", b"bc", b"d", b""]
    assert b"content-length" not in server.headers


@pytest.mark.parametrize(
    ("method", "status", "length"),
    [("HEAD", 200, b"5"), ("GET", 204, None), ("GET", 304, b"5")],
)
async def test_without_content(method: str, status: int, length: bytes | None) -> None:
    """HEAD, 204 and 304 have no body, whatever is written (RFC 9110, section 6.4.1)."""

    async def handler(exchange: AsgiExchange) -> None:
        await exchange.start(status, [] if length is None else [("Content-Length", "5")])
        await exchange.write(b"hello")
        await exchange.finish()

    server = await served(handler, method)
    assert server.body == b""
    assert server.headers.get(b"content-length") == length


async def test_a_length_is_kept_to() -> None:
    """Content-Length is a promise: more, less, or another one is an error of the program."""

    async def too_much(exchange: AsgiExchange) -> None:
        await exchange.start(200, [("Content-Length", "2")])
        with pytest.raises(LocalProtocolError, match="expected 2 bytes of body"):
            await exchange.write(b"abc")
        with pytest.raises(LocalProtocolError):
            await exchange.finish()
        await exchange.write(b"ab")
        await exchange.finish()

    async def another(exchange: AsgiExchange) -> None:
        with pytest.raises(LocalProtocolError, match="says 9 bytes, but the body has 2"):
            await exchange.respond(200, [("Content-Length", "9")], b"ab")
        await exchange.respond(200, (), b"ab")

    assert (await served(too_much)).body == b"ab"
    assert (await served(another)).body == b"ab"


@pytest.mark.parametrize(
    ("status", "fields", "reason"),
    [
        (200, [("X", "a\r\nb: c")], None),
        (200, [("a b", "c")], None),
        (99, [], None),
        (200, [], "\n"),
    ],
)
async def test_what_must_not_be_sent(
    status: int, fields: list[tuple[str, str]], reason: str | None
) -> None:
    """The validator is that of our own wire; nothing was sent, and another response may be."""

    async def handler(exchange: AsgiExchange) -> None:
        with pytest.raises(LocalProtocolError):
            await exchange.respond(status, fields, b"", reason=reason)
        await exchange.respond(500)

    assert (await served(handler)).status == 500


async def test_misuse() -> None:
    """Calls out of order say what was expected."""

    async def handler(exchange: AsgiExchange) -> None:
        for call in (exchange.write(b""), exchange.finish(), exchange.sendfile(None)):  # type: ignore[arg-type]
            with pytest.raises(InvalidUse, match="before the response: expected respond"):
                await call
        with pytest.raises(InvalidUse, match="keeps its connections"):
            await exchange.upgrade()
        with pytest.raises(LocalProtocolError, match="is 100 to 199, got 200"):
            await exchange.inform(200)
        await exchange.start(200)
        for call in (exchange.start(200), exchange.respond(200), exchange.inform(103)):
            with pytest.raises(InvalidUse, match="during the response"):
                await call
        await exchange.finish()
        with pytest.raises(InvalidUse, match="after the response"):
            await exchange.write(b"")

    await served(handler)


@pytest.mark.parametrize(
    ("version", "expected"), [("1.1", b"close"), ("1.0", b"close"), ("2", None)]
)
@pytest.mark.parametrize("by_field", [True, False])
async def test_close(version: str, expected: bytes | None, by_field: bool) -> None:
    """The wish to close is passed on, where the version has one."""

    async def handler(exchange: AsgiExchange) -> None:
        if not by_field:
            exchange.close_after()
        await exchange.respond(200, [("Connection", "close")] if by_field else [])

    assert (await served(handler, http_version=version)).headers.get(b"connection") == expected


# Extensions.


async def test_early_hints() -> None:
    """Links of a 103 are passed on where the server can; everything else is dropped."""

    async def handler(exchange: AsgiExchange) -> None:
        await exchange.inform(102)
        await exchange.inform(103, [("Link", "</a>"), ("X", "y"), ("link", "</b>")])
        await exchange.respond(200)

    server = await served(handler, extensions=extensions("early_hint"))
    hint = {"type": "http.response.early_hint", "links": [b"</a>", b"</b>"]}
    assert server.sent[0] == hint
    assert (await served(handler)).status == 200


async def test_trailers() -> None:
    """Trailers that were announced are sent where the server can; otherwise they are dropped."""

    async def handler(exchange: AsgiExchange) -> None:
        await exchange.start(200, [("Trailer", "Digest")])
        await exchange.finish([("Digest", "x")])

    server = await served(handler, extensions=extensions("trailers"))
    assert server.sent[0]["trailers"] is True
    assert server.sent[-1] == {
        "type": "http.response.trailers",
        "headers": [(b"digest", b"x")],
        "more_trailers": False,
    }
    assert [each["type"] for each in (await served(handler)).sent] == [
        "http.response.start",
        "http.response.body",
    ]


@pytest.mark.parametrize("path_send", [True, False])
@pytest.mark.parametrize(("offset", "count"), [(0, None), (0, 5), (1, None), (1, 2)])
async def test_sendfile(tmp_path: Path, path_send: bool, offset: int, count: int | None) -> None:
    """A whole file goes by its path where the server offers that; a part of one is read."""
    path = tmp_path / "greeting"
    path.write_bytes(b"hello")
    expected = b"hello"[offset:][:count]

    async def handler(exchange: AsgiExchange) -> None:
        await exchange.start(200, [("Content-Length", str(len(expected)))])
        with path.open("rb") as file:
            await exchange.sendfile(file, offset, count)
        assert exchange.body_sent == len(expected)
        await exchange.finish()

    server = await served(handler, extensions=extensions("pathsend") if path_send else {})
    if path_send and offset == 0:
        assert server.sent[1:] == [{"type": "http.response.pathsend", "path": str(path)}]
    else:
        assert server.body == expected


async def test_a_file_that_is_another_one_by_now(tmp_path: Path) -> None:
    """What was opened is sent, not what is at its path later."""
    path = tmp_path / "greeting"
    path.write_bytes(b"hello")

    async def handler(exchange: AsgiExchange) -> None:
        await exchange.start(200, [("Content-Length", "5")])
        with path.open("rb") as file:
            path.rename(tmp_path / "old")
            path.write_bytes(b"other")
            await exchange.sendfile(file)
        await exchange.finish()

    assert (await served(handler, extensions=extensions("pathsend"))).body == b"hello"


async def test_a_file_that_has_shrunk(tmp_path: Path) -> None:
    """A file that ends early is told, and the response is not taken for complete."""
    path = tmp_path / "greeting"
    path.write_bytes(b"hello")

    async def handler(exchange: AsgiExchange) -> None:
        await exchange.start(200, [("Content-Length", "9")])
        with path.open("rb") as file:
            await exchange.sendfile(file, 0, 9)

    with pytest.raises(LocalProtocolError, match="the file ended 4 bytes early"):
        await served(handler)


# The client.


async def test_addresses() -> None:
    """Addresses are those of the scope, in the shape that sockets give them."""
    seen: list[Any] = []

    async def handler(exchange: AsgiExchange) -> None:
        seen.append((exchange.peername, exchange.sockname, exchange.get_extra_info("peername")))
        await exchange.respond(200)

    await served(handler, client=["::1", 9], server=["::1", 80])
    await served(handler, client=None, server=("/run/app.sock", None))
    await served(handler, client=None, server=["::1", 80])  # reset, as uvicorn tells it
    await served(handler, client=None, server=None)
    assert seen == [
        (("::1", 9), ("::1", 80), ("::1", 9)),
        ("", "/run/app.sock", ""),
        (None, ("::1", 80), None),
        (None, None, None),
    ]


async def test_a_handler_is_cancelled_when_its_client_leaves() -> None:
    """By default, as on our own connections; the server sees no error."""
    server = AsgiServer(*body_of(b""))
    ended = asyncio.Event()

    async def handler(exchange: AsgiExchange) -> None:
        server.leave()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    await served(handler, by=server)
    assert ended.is_set()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_handler_that_is_cancelled_by_others() -> None:
    """A cancellation of the server's own passes through."""

    async def handler(exchange: AsgiExchange) -> None:
        assert exchange.task is not None
        exchange.task.cancel()
        await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await served(handler)
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()


async def test_an_endless_response_ends_when_its_client_leaves() -> None:
    """Writing raises once the client has gone, though nobody cancels the handler."""
    server = AsgiServer(*body_of(b""))
    seen: list[str] = []

    async def handler(exchange: AsgiExchange) -> None:
        exchange.cancel_on_disconnect = False
        await exchange.start(200)
        server.leave()
        try:
            while True:
                await exchange.write(b"tick")
                await asyncio.sleep(0)
        except PeerDisconnected as exc:
            seen.append(str(exc))
            assert exchange.is_disconnected
            raise

    await served(handler, by=server)
    assert seen == ["the client closed the connection"]


async def test_wait_disconnected() -> None:
    """It returns when the client has gone, or when the response is over."""
    server = AsgiServer()

    async def handler(exchange: AsgiExchange) -> None:
        exchange.cancel_on_disconnect = False
        waiter = asyncio.create_task(exchange.wait_disconnected())
        await asyncio.sleep(0)
        await exchange.respond(200)
        await waiter
        assert not exchange.is_disconnected

    assert (await served(handler, by=server)).status == 200


async def test_a_server_that_cannot_send() -> None:
    """An OSError of the server's says that the client has gone."""

    class Broken(AsgiServer):
        async def send(self, message: Any) -> None:
            raise ConnectionResetError

    async def handler(exchange: AsgiExchange) -> None:
        with pytest.raises(PeerDisconnected):
            await exchange.start(200)
        exchange.is_disconnected = True

    await served(handler, by=Broken())


async def test_a_server_that_fails_while_it_is_listened_to() -> None:
    """Whoever reads gets the server's error, and so does the server."""

    class Broken(AsgiServer):
        async def receive(self) -> Any:
            raise OSError("no more")

    async def handler(exchange: AsgiExchange) -> None:
        with pytest.raises(OSError, match="no more"):
            await exchange.body.read()
        await exchange.respond(500)

    scope = {"headers": [(b"content-length", b"5")]}
    with pytest.raises(OSError, match="no more"):
        await served(handler, "POST", by=Broken(), **scope)


async def test_a_large_body_waits_for_its_reader() -> None:
    """No more is asked of the server than the reader's buffer holds."""
    pieces = [b"x" * 100_000] * 20
    server = AsgiServer(*body_of(*pieces))

    async def handler(exchange: AsgiExchange) -> None:
        exchange.body._announce_read()
        for _ in range(100):
            await asyncio.sleep(0)
        assert server.received < 6
        assert len(await exchange.body.read()) == 2_000_000
        await exchange.respond(200)

    scope = {"headers": [(b"content-length", b"2000000")]}
    assert (await served(handler, "POST", by=server, **scope)).status == 200


async def test_draining_is_told_by_the_lifespan() -> None:
    """Endless responses are told when the server says that it stops."""
    drained = asyncio.Event()

    async def handler(exchange: AsgiExchange) -> None:
        before = exchange.is_draining
        await exchange.wait_draining()
        if (before, exchange.is_draining) == (False, True):
            drained.set()
        await exchange.respond(200)

    app, request, life = Raw(handler), AsgiServer(), AsgiServer({"type": "lifespan.startup"})
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve_asgi(app, {"type": "lifespan"}, life.receive, life.send))
        tasks.create_task(serve_asgi(app, scope_of(), request.receive, request.send))
        await asyncio.sleep(0)
        life.tell({"type": "lifespan.shutdown"})
    assert drained.is_set()
    assert (request.status, life.sent[-1]["type"]) == (200, "lifespan.shutdown.complete")
