"""The limit of a server on an event loop: canned bytes for whatever comes, nothing parsed."""

import asyncio
import sys

from bench.certificate import for_server
from bench.worker import announce, end_with_parent, listen, run

RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n"
    b"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\nHello, world"
)


class Canned(asyncio.Protocol):
    """Answers each empty line."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport's write."""
        self.write = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Answer as many requests as end here."""
        self.write(RESPONSE * data.count(b"\r\n\r\n"))


async def main() -> None:
    """Serve until the bench ends."""
    listener = listen()
    context = for_server() if "tls" in sys.argv else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Canned, sock=listener, ssl=context)
    announce(listener.getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    end_with_parent()
    run(sys.argv[-1], main())
