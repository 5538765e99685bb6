"""The limit of a streamed body on an event loop: pieces written whenever a transport has room."""

from __future__ import annotations

import asyncio
import sys

from bench.worker import announce, end_with_parent, listen, run

PIECE = b"x" * 65536
HEAD = "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n"


class Raw(asyncio.Protocol):
    """Sends as many bytes as the target's last segment says, then closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self.has_room = asyncio.Event()
        self.has_room.set()

    def pause_writing(self) -> None:
        """Wait from now on."""
        self.has_room.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self.has_room.set()

    def data_received(self, data: bytes) -> None:
        """Answer a request, which comes whole."""
        target = data.split(b" ", 2)[1]
        self.task = asyncio.ensure_future(self.send(int(target.rpartition(b"/")[2])))

    async def send(self, left: int) -> None:
        """Send head and body."""
        self.transport.write(HEAD.format(left).encode())
        while left > 0:
            self.transport.write(PIECE if left >= len(PIECE) else PIECE[:left])
            left -= len(PIECE)
            if not self.has_room.is_set():
                await self.has_room.wait()
        self.transport.close()


async def main() -> None:
    """Serve until the bench ends."""
    listener = listen()
    server = await asyncio.get_running_loop().create_server(Raw, sock=listener)
    announce(listener.getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    end_with_parent()
    run(sys.argv[-1], main())
