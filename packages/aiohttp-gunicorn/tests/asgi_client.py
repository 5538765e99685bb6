"""A client of ASGI applications, in memory: what it sends, and the answers that it reads."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any

from aiohttp.protocol import Limits, ServerHttpProtocol, Service
from aiohttp.worker.asgi import AsgiApplication
from aiohttp.worker.asgi.messages import AsgiCallable, Message, Receive, Scope, Send
from wire import connect

__all__ = ["GET", "HEAD", "LOG", "Answer", "Client", "answer_with", "ask", "body", "post", "start"]

GET = b"GET /path HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"HEAD /path HTTP/1.1\r\nHost: x\r\n\r\n"
LOG = logging.getLogger("test.asgi")
PATIENCE = 10  # seconds until a test that hangs fails


def post(*fields: str, content: bytes = b"") -> bytes:
    """Return a request with these fields, and as much of its content."""
    return "\r\n".join(["POST /path HTTP/1.1", "Host: x", *fields, "", ""]).encode() + content


def start(status: int = 200, *headers: tuple[bytes, bytes], **more: Any) -> Message:
    """Return the message that begins a response."""
    return {"type": "http.response.start", "status": status, "headers": headers, **more}


def body(content: object = b"", **more: Any) -> Message:
    """Return the message with the last part of a body, or, with ``more_body=True``, a first."""
    return {"type": "http.response.body", "body": content, **more}


def answer_with(*messages: Message) -> AsgiCallable:
    """Return an application that sends these messages."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return application


class Answer:
    """A response, as a client reads it."""

    def __init__(self, data: bytes, method: str) -> None:
        class Socket:
            def makefile(self, mode: str) -> io.BytesIO:
                return io.BytesIO(data)

        response = HTTPResponse(Socket(), method=method)  # type: ignore[arg-type]
        response.begin()
        self.status = response.status
        self.fields = response.headers
        self.content = response.read()


class Client:
    """The client's end of a connection to an application."""

    def __init__(self, application: AsgiCallable, *, peer: Any = None, **options: Any) -> None:
        self.application = AsgiApplication(application, log=LOG, **options)
        self.service = Service(self.application, limits=Limits(write_buffer=65536))
        self.transport = connect(ServerHttpProtocol(self.service), **(peer or {}))
        self._method = "GET"

    def send(self, data: bytes) -> None:
        """Send bytes of a request."""
        if data[:5] in {b"HEAD ", b"POST "}:
            self._method = data[:4].decode()
        self.transport.feed(data)

    def leave(self) -> None:
        """Reset the connection."""
        self.transport.lose(ConnectionResetError("reset"))

    async def answer(self) -> Answer:
        """Return the response, once the application is done."""
        await self.until(lambda: not self.service.tasks)
        return Answer(self.transport.written, self._method)

    async def has(self, data: bytes) -> None:
        """Wait until these bytes have been received."""
        await self.until(lambda: data in self.transport.written)

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the loop run until a condition holds."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0)


async def ask(application: AsgiCallable, request: bytes = GET, **options: Any) -> Answer:
    """Return the answer to one request."""
    client = Client(application, **options)
    client.send(request)
    return await client.answer()


async def scope_of(request: bytes = GET, *, peer: Any = None, **options: Any) -> dict[str, Any]:
    """Return the scope that an application gets for a request."""
    scopes: list[Any] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await send(start())
        await send(body())

    client = Client(application, peer=peer, **options)
    client.send(request)
    await client.answer()
    found: dict[str, Any] = scopes[0]
    return found
