"""Clients of WSGI applications, in memory: what they send, and the answers that they read."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse

from aiohttp.protocol import Limits, ServerHttpProtocol, Service
from aiohttp.worker.wsgi import WsgiApplication
from aiohttp.worker.wsgi.environ import Environ, ErrorLog, base_environ
from aiohttp.worker.wsgi.threads import Inbox, ThreadPool
from wire import connect

if TYPE_CHECKING:
    from aiohttp.worker.hooks import RequestHooks

__all__ = [
    "GET",
    "HEAD",
    "PATIENCE",
    "PLAIN",
    "Adapter",
    "Answer",
    "Client",
    "echo",
    "hello",
    "post",
    "until",
]

GET = b"GET /path HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"HEAD /path HTTP/1.1\r\nHost: x\r\n\r\n"
PLAIN = [("Content-Type", "text/plain")]
PATIENCE = 10  # seconds until a test that hangs fails


def post(*fields: str, content: bytes = b"") -> bytes:
    """Return a request with these fields, and as much of its content."""
    return "\r\n".join(["POST /path HTTP/1.1", "Host: x", *fields, "", ""]).encode() + content


class Answer:
    """A response, as a client reads it."""

    def __init__(self, data: bytes, method: str) -> None:
        class Socket:
            def makefile(self, mode: str) -> io.BytesIO:
                return io.BytesIO(data)

        response = HTTPResponse(Socket(), method=method)  # type: ignore[arg-type]
        response.begin()
        self.status = response.status
        self.reason = response.reason
        self.fields = response.headers
        self.content = response.read()


class Client:
    """The client's end of a connection to an application."""

    def __init__(self, application: WsgiApplication) -> None:
        self.application = application
        self.service = Service(application, limits=Limits(write_buffer=65536))
        self.transport = connect(ServerHttpProtocol(self.service))
        self.method = "GET"

    def another(self) -> Client:
        """Return a client of the same application, on a connection of its own."""
        return Client(self.application)

    def send(self, data: bytes) -> None:
        """Send bytes of a request."""
        if data[:5] in {b"HEAD ", b"POST "}:
            self.method = data[:4].decode()
        self.transport.feed(data)

    async def answer(self) -> Answer:
        """Return the response, once it is over, and its handler done."""
        await until(lambda: not self.service.exchanges and not self.service.tasks)
        return Answer(self.transport.written, self.method)

    async def has(self, data: bytes) -> None:
        """Wait until these bytes have been received."""
        await until(lambda: data in self.transport.written)


async def until(condition: Callable[[], bool]) -> None:
    """Let threads and the loop run until a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0)


class Adapter:
    """Serves applications for a test, and stops their threads at its end."""

    def __init__(self) -> None:
        self.pools: list[ThreadPool] = []

    async def connect(
        self,
        application: Any,
        threads: int = 2,
        most: int = 100,
        hooks: RequestHooks | None = None,
    ) -> Client:
        """Return a client of this application."""
        base = base_environ(
            errors=ErrorLog(lambda template, line: None),
            server_software="test/1",
            is_multithread=True,
            is_multiprocess=False,
        )
        log = logging.getLogger("aiohttp.worker")
        pool = ThreadPool(threads, Inbox(), most=most)
        pool.start()
        self.pools.append(pool)
        adapted = WsgiApplication(application, environ=base, pool=pool, log=log, hooks=hooks)
        return Client(adapted)

    async def ask(self, application: Any, request: bytes = GET) -> Answer:
        """Return the answer to one request."""
        client = await self.connect(application)
        client.send(request)
        return await client.answer()


def hello(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer with one chunk."""
    start_response("200 OK", PLAIN)
    return [b"hello"]


def echo(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer with the request's content."""
    content = environ["wsgi.input"].read()
    start_response("200 OK", PLAIN)
    return [content]
