"""A server connection in memory: its application is a function, its clock is turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from aiohttp.protocol.exchange import Exchange
from aiohttp.protocol.http1.server import ServerHttpProtocol
from aiohttp.protocol.limits import DEFAULT_LIMITS, Limits
from aiohttp.protocol.service import Service
from aiohttp.protocol.timers import Deadlines
from wire import HandClock, MemoryTransport, connect

__all__ = ["GET", "Application", "Handler", "Served", "post", "request", "settle"]

GET = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"

Handler = Callable[[Exchange], Awaitable[object]]


def request(target: str, *lines: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    """Return a request without a body."""
    fields = "".join(f"{line}\r\n" for line in ("Host: example.org", *lines))
    return f"{method} {target} {version}\r\n{fields}\r\n".encode()


def post(body: bytes, *lines: str, target: str = "/") -> bytes:
    """Return a request with a body of known length."""
    return request(target, f"Content-Length: {len(body)}", *lines, method="POST") + body


async def settle(turns: int = 8) -> None:
    """Let everything happen that can happen without time."""
    for _ in range(turns):
        await asyncio.sleep(0)


class Application:
    """An application that is one function."""

    def __init__(self, handler: Handler, *, handles_refusals: bool = False) -> None:
        self._handler = handler
        self.handles_refusals = handles_refusals
        self.disconnect_grace = 0.0

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Have the function answer."""
        await self._handler(exchange)


async def tell_target(exchange: Exchange) -> None:
    """Answer with the request's target."""
    await exchange.respond(200, (), exchange.head.target.encode())


class Served:
    """One connection to a service; ``client`` is the wire that the test holds."""

    def __init__(
        self,
        handler: Handler = tell_target,
        *,
        limits: Limits = DEFAULT_LIMITS,
        allowed_methods: Collection[str] = (),
        handles_refusals: bool = False,
        service: Service | None = None,
        on_exchange: Callable[[Exchange], object] | None = None,
        **extra: Any,
    ) -> None:
        self.clock = HandClock()
        self.service = service or Service(
            Application(handler, handles_refusals=handles_refusals),
            limits=limits,
            allowed_methods=allowed_methods,
            on_exchange=on_exchange,
            deadlines=Deadlines(self.clock),
        )
        self.protocol = ServerHttpProtocol(self.service)
        self.client: MemoryTransport = connect(self.protocol, **extra)

    async def exchange(self, *pieces: bytes) -> bytes:
        """Send pieces, one by one, and return what was answered until nothing more happens."""
        loop = asyncio.get_running_loop()
        for piece in pieces:
            loop.call_soon(self.client.feed, piece)  # as a loop delivers: in no task
            await settle(2)
        await settle(40)
        return self.client.take()

    @property
    def is_closed(self) -> bool:
        """Whether the server has closed its side."""
        return self.client.is_eof_written or self.client.is_closing()
