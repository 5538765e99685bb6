"""A server of pages made beforehand, one after the other; at ``/cookies``, what a client sent."""

import asyncio
import re
import sys
from itertools import cycle

from bench.page import pages
from bench.worker import announce, end_with_parent, listen, run

PAGES = cycle(pages(1000))


class Pages(asyncio.Protocol):
    """Answers each request, which comes whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport's write."""
        self.write = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Answer one request."""
        self.write(self.cookies(data) if data.startswith(b"GET /cookies ") else next(PAGES))

    def cookies(self, data: bytes) -> bytes:
        """Return a response that tells the request's Cookie field."""
        found = re.search(rb"\r\ncookie: (.*)\r\n", data, re.IGNORECASE)
        value = found[1] if found else b""
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(value), value)


async def main() -> None:
    """Serve until the bench ends."""
    listener = listen()
    server = await asyncio.get_running_loop().create_server(Pages, sock=listener)
    announce(listener.getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    end_with_parent()
    run(sys.argv[-1], main())
