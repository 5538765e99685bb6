"""The ASGI door of an application: HTTP and lifespan, under any ASGI server.

The request is put together again and read by our own parser: what it refuses, such as a Host
that could confuse a URL, is refused here too, whatever the server lets through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from aiohttp.protocol import (
    HttpVersion,
    PeerDisconnected,
    RemoteProtocolError,
    RequestHead,
    Service,
    parse_request_head,
    refused_request_head,
)

from .asgi_exchange import AsgiExchange, Receive, Scope, Send
from .signals import error_of

if TYPE_CHECKING:
    from .application import Application

__all__ = ["serve_asgi"]

# What an application has done, and who wants to know, for as long as it lives.
_services: WeakKeyDictionary[Application, Service] = WeakKeyDictionary()

_NO_WEBSOCKETS: Final = "this application has no websockets"


async def serve_asgi(app: Application, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as an ASGI 3 application does.

    Raises:
        ValueError: if the scope is of a type that ASGI had not yet when this was written.
    """
    kind = scope["type"]
    if kind == "http":
        await _serve_http(app, scope, receive, send)
    elif kind == "lifespan":
        await _serve_lifespan(app, receive, send)
    elif kind == "websocket":
        await _refuse_websocket(scope, receive, send)
    else:
        raise ValueError(f"expected a scope of type http, websocket or lifespan, got {kind!r}")


def _service_of(app: Application) -> Service:
    """Return what the exchanges of an application share; one for each loop."""
    loop = asyncio.get_running_loop()
    service = _services.get(app)
    if service is None or service.loop is not loop:
        service = _services[app] = Service()
        service.observers = tuple(app.exchange_observers)
    return service


# HTTP.


async def _serve_http(app: Application, scope: Scope, receive: Receive, send: Send) -> None:
    service = _service_of(app)
    head, refusal = _head_of(scope)
    service.books.requests += refusal is None
    exchange = AsgiExchange(scope, receive, send, head, service, refusal=refusal)
    asyncio.get_running_loop().call_soon(exchange.begin)
    try:
        await app.handle_exchange(exchange)
        if not exchange.is_over and not exchange.is_disconnected:
            raise RuntimeError(
                f"the application returned without a complete response: {exchange!r}"
            )
    except PeerDisconnected:
        if exchange.response_status and not exchange.is_disconnected:
            raise
    except asyncio.CancelledError:
        if not exchange.was_cancelled or exchange.task is None or exchange.task.uncancel():
            raise
    finally:
        exchange.end()
        service.report(exchange)
        await exchange.stop_listening()


def _head_of(scope: Scope) -> tuple[RequestHead, RemoteProtocolError | None]:
    """Return the request's head, and why it is refused, or None.

    The version on the wire is ours, so that the rules of HTTP/1.1 apply to all; the one
    of the scope is what the application sees.
    """
    lines = [b"%b %b HTTP/1.1" % (scope["method"].encode("latin-1"), _target_of(scope))]
    lines += [b"%b: %b" % (name, value) for name, value in scope["headers"]]
    if scope.get("http_version") == "1.0" and not any(
        name.lower() == b"host" for name, _ in scope["headers"]
    ):
        lines.append(b"Host:")  # HTTP/1.0 has none
    data = b"\r\n".join([*lines, b"", b""])
    try:
        if b"\n" in b"".join(lines):
            return refused_request_head(b""), RemoteProtocolError("a line break in the head")
        head = parse_request_head(data)
    except RemoteProtocolError as exc:
        return refused_request_head(data), exc
    head.version = _version_of(scope)
    return head, None


def _target_of(scope: Scope) -> bytes:
    """Return path and query as the client sent them, without what the server has mounted us at.

    A path without its escapes is escaped again: what it was is lost, as ``%2F``.
    """
    path: bytes | None = scope.get("raw_path")
    root = scope.get("root_path", "").rstrip("/")
    if path is None:
        from urllib.parse import quote

        path = quote(scope["path"], safe="/!$&'()*+,;=:@~").encode()
    path = path.partition(b"?")[0]
    prefix = root.encode()
    if prefix and (path == prefix or path.startswith(prefix + b"/")):
        path = path[len(prefix) :] or b"/"
    query: bytes = scope.get("query_string", b"")
    return b"%b?%b" % (path or b"/", query) if query else path or b"/"


def _version_of(scope: Scope) -> HttpVersion:
    major, _, minor = scope.get("http_version", "1.1").partition(".")
    return HttpVersion(int(major), int(minor or 0))


# Lifespan.


async def _serve_lifespan(app: Application, receive: Receive, send: Send) -> None:
    """Start and stop the application when the server does, or when this is cancelled."""
    await receive()
    try:
        await app.startup()
    except BaseException as exc:
        await _end(app, app.cleanup)  # frees what the start has left
        if not isinstance(exc, Exception):
            raise
        app.logger.exception("the application could not be started")
        await send({"type": "lifespan.startup.failed", "message": _told(exc)})
        return
    try:
        await send({"type": "lifespan.startup.complete"})
        await receive()
    except BaseException:
        await _end(app, app.shutdown, app.cleanup)
        raise
    _service_of(app).begin_drain()
    error = await _end(app, app.shutdown, app.cleanup)
    if error is None:
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await send({"type": "lifespan.shutdown.failed", "message": _told(error)})


async def _end(app: Application, *steps: Callable[[], Awaitable[None]]) -> BaseException | None:
    """Take all these steps; log what goes wrong, and return the first error."""
    errors = [exc for step in steps if (exc := await error_of(step)) is not None]
    for exc in errors:
        app.logger.error("the application could not be stopped in order", exc_info=exc)
    return errors[0] if errors else None


def _told(exc: BaseException) -> str:
    return f"{type(exc).__name__}: {exc}"


# Websockets.


async def _refuse_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """Close before the handshake; with a readable 501 where the server can send it."""
    await receive()
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1011, "reason": _NO_WEBSOCKETS})
        return
    text = f"501: {_NO_WEBSOCKETS}".encode()
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(text)),
    ]
    await send({"type": "websocket.http.response.start", "status": 501, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": text})
