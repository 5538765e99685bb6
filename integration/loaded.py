"""One application three times, of each kind that the worker serves: for tests under load.

GET /hello answers "hello", GET /pieces many ``PIECES``, GET /sleep?MILLISECONDS "slept",
POST /echo its own body, GET /who the client's address and port, scheme and host, and GET
/stream 50 MB in small pieces. The field ``pid`` tells which process has answered.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from itertools import repeat
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from aiohttp.protocol import Exchange

__all__ = ["KINDS", "PIECES", "asgi", "native", "wsgi"]

KINDS = ("wsgi", "asgi", "native")
PIECES = [b"0123456789" * 100] * 20
MANY = 50_000

Message = MutableMapping[str, Any]


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer by the path."""
    path, fields = environ["PATH_INFO"], [("pid", str(os.getpid()))]
    if path in {"/pieces", "/stream"}:
        start_response("200 OK", fields)
        return iter(_pieces(path))
    if path == "/sleep":
        time.sleep(int(environ["QUERY_STRING"]) / 1000)
    if path == "/who":
        names = ("REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme", "HTTP_HOST")
        body = " ".join(str(environ.get(name)) for name in names).encode()
    else:
        body = environ["wsgi.input"].read() if path == "/echo" else _short(path)
    start_response("200 OK", [*fields, ("Content-Length", str(len(body)))])
    return [body]


async def asgi(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer by the path; start and stop when told to."""
    if scope["type"] == "lifespan":
        while True:
            told = (await receive())["type"]
            await send({"type": f"{told}.complete"})
            if told == "lifespan.shutdown":
                return
    path, fields = scope["path"], [(b"pid", b"%d" % os.getpid())]
    start = {"type": "http.response.start", "status": 200}
    if path in {"/pieces", "/stream"}:
        await send({**start, "headers": fields})
        for piece in _pieces(path):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body"})
        return
    if path == "/sleep":
        await asyncio.sleep(int(scope["query_string"]) / 1000)
    if path == "/who":
        address, port = scope["client"] or (None, None)
        host = dict(scope["headers"])[b"host"].decode()
        body = f"{address} {port} {scope['scheme']} {host}".encode()
    else:
        body = await _received(receive) if path == "/echo" else _short(path)
    await send({**start, "headers": [*fields, (b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def _received(receive: Callable[[], Awaitable[Message]]) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message["body"]
        if not message.get("more_body"):
            return bytes(body)


class Native:
    """An ``Application`` of ``aiohttp.protocol``."""

    def __call__(self) -> None:
        """Be callable: gunicorn loads nothing else."""

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer by the path."""
        path, _, query = exchange.head.target.partition("?")
        fields = [("pid", str(os.getpid()))]
        if path in {"/pieces", "/stream"}:
            await exchange.start(200, fields)
            for piece in _pieces(path):
                await exchange.write(piece)
                await asyncio.sleep(0)
            await exchange.finish()
            return
        if path == "/sleep":
            await asyncio.sleep(int(query) / 1000)
        if path == "/who":
            address, port = (exchange.peername or (None, None))[:2]
            body = f"{address} {port} {exchange.scheme} {exchange.head.headers['Host']}".encode()
        else:
            body = await exchange.body.read() if path == "/echo" else _short(path)
        await exchange.respond(200, fields, body)


native = Native()


def _pieces(path: str) -> Iterable[bytes]:
    return PIECES if path == "/pieces" else repeat(PIECES[0], MANY)


def _short(path: str) -> bytes:
    return b"slept" if path == "/sleep" else b"hello"
