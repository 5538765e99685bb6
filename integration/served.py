"""A server for real clients, as a process of its own: ``python served.py [HEAD_TIME]``.

Prints its port, serves until SIGTERM, and prints how many requests it answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import signal
import sys

from aiohttp.protocol import Exchange, Limits, Listener

PAGE = b"""<!doctype html>
<title>Served</title>
<p id=answer>nothing yet</p>
<script>
(async () => {
  const body = "x".repeat(100000);
  const counted = await (await fetch("/count", {method: "POST", body})).text();
  const pieces = await (await fetch("/pieces/50")).text();
  document.getElementById("answer").textContent = `${counted} ${pieces.length}`;
})();
</script>
"""


class Served:
    """What clients ask for: a page, pieces, and what became of their uploads."""

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request by the first part of its path."""
        kind, _, rest = exchange.head.target[1:].partition("/")
        if kind == "":
            await exchange.respond(200, [("Content-Type", "text/html")], PAGE)
        elif kind == "count":
            size = 0
            async for piece in exchange.body.iter_any():
                size += len(piece)
            await exchange.respond(200, (), str(size).encode())
        elif kind == "digest":
            digest = hashlib.sha256(await exchange.body.read()).hexdigest()
            await exchange.respond(200, (), digest.encode())
        elif kind == "pieces":
            await exchange.start(200, [("Content-Type", "text/plain")])
            for _ in range(int(rest)):
                await exchange.write(b"0123456789" * 100)
            await exchange.finish()
        elif kind == "bytes":
            await exchange.respond(200, (), bytes(int(rest)))
        else:
            await exchange.respond(404, [("Content-Type", "text/plain")], b"not here\n")


async def main() -> None:
    """Serve until SIGTERM."""
    limits = Limits(head_time=float(sys.argv[1])) if len(sys.argv) > 1 else Limits()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Listener(Served(), limits=limits, drain_limit=5) as listener:
        ((_, port),) = await listener.listen_tcp("127.0.0.1", 0)
        print(port, flush=True)
        await stop.wait()
    print(dict(listener.books.responses), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
