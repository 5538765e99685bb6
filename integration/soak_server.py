"""A server for the soak test, as a process of its own; ``/state`` tells how it is (Linux)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

from aiohttp.protocol import Exchange, Listener

LARGE = bytes(1_000_000)


class Application:
    """Answers with little, with much, with the length of what came, or with its own state."""

    def __init__(self) -> None:
        self.listener = Listener(self)

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request."""
        match exchange.head.target:
            case "/large":
                await exchange.respond(200, (), LARGE)
            case "/pieces":
                await exchange.start(200)
                for _ in range(100):
                    await exchange.write(LARGE[:10_000])
                await exchange.finish()
            case "/length":
                await exchange.respond(200, (), str(len(await exchange.body.read())).encode())
            case "/state":
                await exchange.respond(200, (), json.dumps(self.state()).encode())
            case _:
                await exchange.respond(200, (), b"hello")

    def state(self) -> dict[str, int]:
        """Return what must not grow."""
        resident_pages = int(Path("/proc/self/statm").read_text().split()[1])
        return {
            "bytes": resident_pages * os.sysconf("SC_PAGESIZE"),
            "connections": len(self.listener.service.connections),
            "files": len(list(Path("/proc/self/fd").iterdir())),
            "requests": self.listener.books.requests,
            "tasks": len(asyncio.all_tasks()),
        }


async def main() -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Application().listener as listener:
        ((_, port),) = await listener.listen_tcp("127.0.0.1", 0)
        print(port, flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
