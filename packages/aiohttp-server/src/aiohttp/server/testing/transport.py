"""A connection in memory: two transports, of which each receives what the other one sends."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["MemoryTransport", "connect"]

_PIECE = 256 * 1024
"""Bytes that are received in one turn of the loop, as a socket's owner does it."""


class MemoryTransport(asyncio.Transport):
    """One end of a connection between two protocols of the same event loop.

    As with sockets, what is written arrives in a later turn of the loop and may
    be received in other pieces; a writer is paused while its peer doesn't read; who
    closes reads no more, but still delivers what it wrote. The peer of one who aborts
    gets ``ConnectionResetError`` behind what has arrived, or at once if it doesn't
    read; so does whoever writes to a peer that is gone.
    """

    def __init__(
        self,
        protocol: asyncio.BufferedProtocol,
        loop: asyncio.AbstractEventLoop,
        extra: dict[str, Any],
    ) -> None:
        super().__init__(extra)
        self.peer = self  # until it is connected
        self._protocol: asyncio.BaseProtocol = protocol
        self._loop = loop
        self._inbox = bytearray()
        self._has_eof = False  # behind what is in the inbox
        self._is_eof_told = False
        self._is_eof_written = False
        self._is_reading = True
        self._is_due = False
        self._is_reset = False  # by the peer, behind what is in the inbox
        self._is_closing = False
        self._is_lost = False
        self._is_paused = False
        self._low, self._high = 16 * 1024, 64 * 1024

    def __repr__(self) -> str:
        state = "lost" if self._is_lost else "closing" if self._is_closing else "open"
        return f"<MemoryTransport of {self._protocol!r}, {state}>"

    # Receiving.

    def receive(self, data: bytes) -> None:
        """Take what the peer sends, or its end of file: no bytes."""
        self._inbox += data
        self._has_eof |= not data
        self._schedule()

    @property
    def waiting(self) -> int:
        """How many bytes have arrived and weren't received yet."""
        return len(self._inbox)

    def _schedule(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        """Hand a piece to the protocol, and let the peer go on writing."""
        self._is_due = False
        if not self._is_reading or self._is_closing:
            return
        protocol = self._protocol
        if self._inbox:
            size = min(len(self._inbox), _PIECE)
            if isinstance(protocol, asyncio.BufferedProtocol):
                size = self._fill(protocol, size)
            else:
                data = bytes(self._inbox[:size])
                del self._inbox[:size]
                if isinstance(protocol, asyncio.Protocol):
                    protocol.data_received(data)
            self.peer.sent()
        elif self._is_reset:
            self.lose(ConnectionResetError("the other end has cut the connection"))
        elif self._has_eof and not self._is_eof_told:
            self._is_eof_told = True
            keeps_open = (
                isinstance(protocol, asyncio.Protocol | asyncio.BufferedProtocol)
                and protocol.eof_received()
            )
            if not keeps_open:
                self.close()
        if self._inbox or self._is_reset or (self._has_eof and not self._is_eof_told):
            self._schedule()

    def _fill(self, protocol: asyncio.BufferedProtocol, size: int) -> int:
        room = memoryview(protocol.get_buffer(size))
        size = min(size, len(room))
        room[:size] = self._inbox[:size]
        room.release()
        del self._inbox[:size]
        protocol.buffer_updated(size)
        return size

    def is_reading(self) -> bool:
        """Tell whether what arrives is handed on."""
        return self._is_reading and not self._is_closing

    def pause_reading(self) -> None:
        """Hand nothing on until ``resume_reading``."""
        self._is_reading = False

    def resume_reading(self) -> None:
        """Hand on what waits, in the loop's next turn."""
        self._is_reading = True
        self._schedule()

    # Sending.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send some bytes; nobody gets them if the connection is lost."""
        if self._is_eof_written:
            raise RuntimeError("nothing can be written after write_eof()")
        if self._is_closing or not data:
            return
        if self.peer.is_closing():
            self.lose(ConnectionResetError("the other end is closed"))
            return
        self.peer.receive(bytes(data))
        self._consider_pause()

    def can_write_eof(self) -> bool:
        """Tell that one direction can be closed before the other."""
        return self.get_extra_info("sslcontext") is None

    def write_eof(self) -> None:
        """Send the end of file behind what was written."""
        if not self._is_eof_written:
            self._is_eof_written = True
            self.peer.receive(b"")

    def sent(self) -> None:
        """Go on after the peer has received something."""
        if self._is_paused and self.get_write_buffer_size() <= self._low:
            self._is_paused = False
            self._protocol.resume_writing()
        if self._is_closing:
            self._lose_when_sent()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the peer hasn't received."""
        return self.peer.waiting

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and the high mark in bytes."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the marks in bytes, with asyncio's defaults."""
        if high is None:
            high = 64 * 1024 if low is None else 4 * low
        self._high = high
        self._low = high // 4 if low is None else low
        self._consider_pause()

    def _consider_pause(self) -> None:
        if not self._is_paused and self.get_write_buffer_size() > self._high:
            self._is_paused = True
            self._protocol.pause_writing()

    # The end.

    def is_closing(self) -> bool:
        """Tell whether this end is closed, or about to be."""
        return self._is_closing

    def close(self) -> None:
        """Close this end, once the peer has received what was written."""
        if not self._is_closing:
            self._is_closing = True
            self.write_eof()
            self._lose_when_sent()

    def abort(self) -> None:
        """Close this end at once."""
        if not self._is_lost:
            self.lose(None)
            self.peer.reset()

    def reset(self) -> None:
        """Take the peer's reset."""
        self._is_reset = True
        if self._is_reading:
            self._schedule()
        else:
            self.lose(ConnectionResetError("the other end has cut the connection"))

    def lose(self, exc: Exception | None) -> None:
        """Break this end: its protocol is told in the loop's next turn."""
        self._is_closing = True
        self._is_eof_written = True
        self._inbox.clear()
        if not self._is_lost:
            self._is_lost = True
            self._loop.call_soon(self._tell_loss, exc)

    def _lose_when_sent(self) -> None:
        if self._is_lost:
            return
        if self.peer.is_closing() or not self.get_write_buffer_size():
            self.lose(None)
            self.peer.sent()  # which doesn't wait for us any more

    def _tell_loss(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc)

    # Whose it is.

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return whoever receives now."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol receive from here on."""
        self._protocol = protocol


def connect(
    client: asyncio.BufferedProtocol,
    server: asyncio.BufferedProtocol,
    *,
    peername: object,
    sockname: object,
    **extra: Any,
) -> MemoryTransport:
    """Connect two protocols, and return the client's end; needs a running loop.

    Args:
        client: what asked for the connection.
        server: what was asked.
        peername: the client's address, as the server sees it.
        sockname: the server's.
        extra: what ``get_extra_info`` tells at both ends besides.
    """
    loop = asyncio.get_running_loop()
    near = MemoryTransport(client, loop, {"peername": sockname, "sockname": peername, **extra})
    far = MemoryTransport(server, loop, {"peername": peername, "sockname": sockname, **extra})
    near.peer, far.peer = far, near
    server.connection_made(far)
    client.connection_made(near)
    return near
