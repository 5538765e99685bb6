"""Applications of each kind, served in memory as gunicorn's settings say: for tests of attacks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from wsgiref.types import StartResponse, WSGIEnvironment

from gunicorn.config import Config

from aiohttp.protocol import Application, Exchange, ServerHttpProtocol, Service
from aiohttp.worker.application import Workshop
from aiohttp.worker.proxies import trusted_by
from aiohttp.worker.settings import limits_of
from wire import MemoryTransport, connect

__all__ = ["KINDS", "Call", "Victim", "victim"]

KINDS = ("wsgi", "asgi", "native")
PATIENCE = 10  # seconds until a test that hangs fails

Message = MutableMapping[str, Any]


class Call(NamedTuple):
    """A request that has reached an application, with the whole of its body."""

    method: str
    target: str
    body: bytes
    client: str
    scheme: str
    fields: dict[str, str]
    """By name in lower case, with hyphens, as the application sees them."""


class Victim:
    """An application that takes note of what reaches it."""

    def __init__(self, service: Service, application: Application, calls: list[Call]) -> None:
        self.service = service
        self.application = application
        self.calls = calls

    def connect(self, **extra: Any) -> MemoryTransport:
        """Return a client's end of a connection, such as from ``peername``."""
        return connect(ServerHttpProtocol(self.service), **extra)

    async def receive(self, data: bytes, *, eof: bool = False, **extra: Any) -> bytes:
        """Return everything that is answered to these bytes, until nothing more happens."""
        transport = self.connect(**extra)
        transport.feed(data)
        if eof:
            transport.feed_eof()
        idle = 0  # turns of the loop in which nobody worked: between two requests is one
        async with asyncio.timeout(PATIENCE):
            while idle < 20:
                await asyncio.sleep(0)
                is_busy = self.service.tasks or self.service.exchanges
                idle = 0 if is_busy else idle + 1
        written = transport.written
        transport.abort()
        return written


@asynccontextmanager
async def victim(kind: str, *, reads: bool = True, **settings: Any) -> AsyncGenerator[Victim]:
    """Serve an application by gunicorn's settings as long as the block lasts.

    Unless it ``reads``, it leaves bodies alone.
    """
    cfg = Config()
    for name, value in settings.items():
        cfg.set(name, value)
    calls: list[Call] = []
    workshop = Workshop(cfg, logging.getLogger("test.attacked"))
    made = {"wsgi": _wsgi, "asgi": _asgi, "native": _Native}[kind](calls, reads)
    application = await workshop.finish(made)
    service = Service(
        application,
        limits=limits_of(cfg, {}),
        trusted_proxies=trusted_by(cfg),
    )
    try:
        yield Victim(service, application, calls)
    finally:
        service.abort()
        await workshop.close()


def _wsgi(calls: list[Call], reads: bool) -> object:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read() if reads else b""
        fields = {
            key.removeprefix("HTTP_").replace("_", "-").lower(): value
            for key, value in environ.items()
            if key.startswith("HTTP_") or key == "CONTENT_TYPE"
        }
        client, scheme = environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]
        method, target = environ["REQUEST_METHOD"], environ["RAW_URI"]
        calls.append(Call(method, target, body, client, scheme, fields))
        start_response("200 OK", [])
        return [b"ok"]

    return application


def _asgi(calls: list[Call], reads: bool) -> object:
    async def application(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        body, more = b"", reads
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message.get("more_body", False)
        fields = {
            name.decode().replace("_", "-"): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        target = (scope["raw_path"] + b"?" * bool(scope["query_string"])).decode()
        target += scope["query_string"].decode()
        client, scheme = (scope["client"] or ("",))[0], scope["scheme"]
        calls.append(Call(scope["method"], target, body, client, scheme, fields))
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"ok"})

    return application


class _Native:
    def __init__(self, calls: list[Call], reads: bool) -> None:
        self._calls = calls
        self._reads = reads

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request."""
        head = exchange.head
        body = await exchange.body.read() if self._reads else b""
        fields = {name.lower(): value for name, value in head.headers.items()}
        client = exchange.peername[0]
        self._calls.append(Call(head.method, head.target, body, client, exchange.scheme, fields))
        await exchange.respond(200, (), b"ok")
