"""One of several servers, as a process of its own: ``python hosts_server.py PORT JOURNAL``.

Each request takes a moment, is written down, and is answered with the port and its own
target. What is written down stays, even if the process is killed in the next moment.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from aiohttp.protocol import Exchange, Listener

MOMENT = 0.01  # seconds: whenever the server is killed, requests are in flight


class Application:
    """Answers everything."""

    def __init__(self, port: int, journal: str) -> None:
        self.port = port
        self.journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request."""
        method, target = exchange.head.method, exchange.head.target
        await asyncio.sleep(MOMENT)
        os.write(self.journal, f"{method} {target}\n".encode())
        await exchange.respond(200, (), f"{self.port} {target}".encode())


async def main(port: int, journal: str) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Listener(Application(port, journal), drain_limit=1) as listener:
        await listener.listen_tcp("127.0.0.1", port, reuse_port=True)
        print("listening", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
