"""``aiohttp.protocol``: the lowest public way to write a server."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from aiohttp.protocol.http1.server import ServerHttpProtocol
from aiohttp.protocol.service import Service
from bench.worker import announce, end_with_parent, listen, run

if TYPE_CHECKING:
    from aiohttp.protocol.exchange import Exchange


class Hello:
    """An application that answers with few bytes."""

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer."""
        await exchange.respond(200, [("Content-Type", "text/plain")], b"Hello, world")


async def main() -> None:
    """Serve until the bench ends."""
    listener = listen()
    service = Service(Hello())
    server = await asyncio.get_running_loop().create_server(
        lambda: ServerHttpProtocol(service), sock=listener
    )
    announce(listener.getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    end_with_parent()
    run(sys.argv[1], main())
