"""Peers, clocks and cuts for tests of the wire: no socket, no waiting, nothing by chance."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["HandClock", "HandTimer", "MemoryTransport", "connect", "cuts"]


def cuts(data: bytes, *, splits: int = 256) -> Iterator[list[bytes]]:
    """Yield ``data`` whole, byte by byte, and in two pieces at every place.

    Input longer than ``splits`` bytes is split at the first and the last quarter
    of ``splits`` places, where framing is dense, and evenly between them.
    """
    yield [data]
    if len(data) < 2:
        return
    yield [data[i : i + 1] for i in range(len(data))]
    for place in _places(len(data), splits):
        yield [data[:place], data[place:]]


def _places(size: int, splits: int) -> Iterable[int]:
    if size <= splits:
        return range(1, size)
    quarter = splits // 4
    step = size // (2 * quarter)
    dense = {*range(1, quarter), *range(size - quarter, size)}
    return sorted(dense | set(range(quarter, size - quarter, step)))


class HandTimer:
    """What ``HandClock.call_at`` returns: like ``asyncio.TimerHandle``, without a loop."""

    def __init__(self, when: float, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._cancelled = False

    def when(self) -> float:
        """Return the time at which the callback is due, in seconds."""
        return self._when

    def cancel(self) -> None:
        """Make sure that the callback isn't called; a second call changes nothing."""
        self._cancelled = True

    def cancelled(self) -> bool:
        """Tell whether ``cancel`` was called."""
        return self._cancelled

    def run(self) -> None:
        """Call the callback, unless cancelled."""
        if not self._cancelled:
            self._callback(*self._args)


class HandClock:
    """A clock that stands still until ``advance`` turns it."""

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now
        self._count = 0
        self._timers: list[tuple[float, int, HandTimer]] = []

    def time(self) -> float:
        """Return the time in seconds; only differences mean anything."""
        return self._now

    def call_at(self, when: float, callback: Callable[..., object], *args: Any) -> HandTimer:
        """Call ``callback(*args)`` once the clock has been turned to ``when``, never at once."""
        timer = HandTimer(when, callback, args)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Turn the clock, and call whatever becomes due, each at its own time and in order."""
        end = self._now + seconds
        while self._timers and self._timers[0][0] <= end:
            when, _, timer = heapq.heappop(self._timers)
            self._now = max(self._now, when)
            timer.run()
        self._now = end

    @property
    def pending(self) -> int:
        """How many callbacks are due some day and weren't cancelled."""
        return sum(not timer.cancelled() for _, _, timer in self._timers)


class MemoryTransport(asyncio.Transport):
    """A transport whose other end is the test.

    Attributes:
        writes: every piece that was written, in order, one per call.
        late_writes: what was written after ``close`` or ``abort``: it reaches nobody.
        is_aborted: whether ``abort`` was called.
        is_eof_written: whether ``write_eof`` was called.

    What ``feed`` delivers waits while reading is paused, as in a kernel's buffer.
    With ``hold`` the peer stops reading: what is written stays in the write
    buffer, and the protocol is paused by the limits as by a real transport.
    """

    def __init__(
        self,
        protocol: asyncio.BaseProtocol,
        loop: asyncio.AbstractEventLoop,
        extra: dict[str, Any] | None = None,
    ) -> None:
        facts = {"peername": ("192.0.2.1", 50000), "sockname": ("192.0.2.2", 80)}
        super().__init__({**facts, **(extra or {})})
        self.writes: list[bytes] = []
        self.late_writes: list[bytes] = []
        self.is_aborted = False
        self.is_eof_written = False
        self._protocol = protocol
        self._loop = loop
        self._is_closing = False
        self._is_lost = False
        self._is_reading = True
        self._inbox: list[bytes | None] = []  # None: the peer's end of file
        self._is_held = False
        self._unsent = 0
        self._is_writing_paused = False
        self._low, self._high = 16 * 1024, 64 * 1024

    def __repr__(self) -> str:
        state = "closing" if self._is_closing else "open"
        return f"<MemoryTransport {state} {len(self.written)} bytes written>"

    # What the test does.

    @property
    def written(self) -> bytes:
        """All that was written, joined."""
        return b"".join(self.writes)

    def take(self) -> bytes:
        """Return what was written since the last call, joined, and forget it."""
        data = self.written
        self.writes.clear()
        return data

    def feed(self, data: bytes) -> None:
        """Deliver bytes from the peer, now, or when reading is resumed."""
        self._inbox.append(data)
        self._deliver()

    def feed_eof(self) -> None:
        """Deliver the peer's end of file behind what was fed before."""
        self._inbox.append(None)
        self._deliver()

    def lose(self, exc: Exception | None = None) -> None:
        """Break the connection, as by the peer's reset: ``connection_lost(exc)`` comes next."""
        self._is_closing = True
        self._unsent = 0
        self._schedule_lost(exc)

    def hold(self) -> None:
        """Let the peer stop reading: from here on writes stay in the buffer."""
        self._is_held = True

    def release(self, size: int | None = None) -> None:
        """Let the peer read ``size`` bytes of the buffer, or go on reading for good (None)."""
        if size is None:
            self._is_held = False
            size = self._unsent
        self._unsent = max(0, self._unsent - size)
        if self._is_writing_paused and self._unsent <= self._low:
            self._is_writing_paused = False
            self._protocol.resume_writing()
        if self._is_closing and not self._unsent:
            self._schedule_lost(None)

    def _deliver(self) -> None:
        while self._inbox and self._is_reading and not self._is_closing:
            data = self._inbox.pop(0)
            protocol = self._protocol
            if not isinstance(protocol, asyncio.Protocol | asyncio.BufferedProtocol):
                raise TypeError(f"expected a protocol that receives bytes, got {protocol!r}")
            if data is None:
                if not protocol.eof_received():
                    self.close()
            elif isinstance(protocol, asyncio.Protocol):
                protocol.data_received(data)
            else:
                self._fill(protocol, data)

    def _fill(self, protocol: asyncio.BufferedProtocol, data: bytes) -> None:
        # What doesn't fit waits like anything else that wasn't read yet.
        buffer = memoryview(protocol.get_buffer(len(data)))
        size = min(len(buffer), len(data))
        if not size:
            raise RuntimeError("get_buffer() returned an empty buffer")
        buffer[:size] = data[:size]
        buffer.release()
        if size < len(data):
            self._inbox.insert(0, data[size:])
        protocol.buffer_updated(size)

    def _schedule_lost(self, exc: Exception | None) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._loop.call_soon(self._lose_now, exc)

    def _lose_now(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc)

    # What a protocol does.

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol receive from here on."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return whoever receives now."""
        return self._protocol

    def is_closing(self) -> bool:
        """Tell whether ``close``, ``abort`` or ``lose`` was called."""
        return self._is_closing

    def is_reading(self) -> bool:
        """Tell whether what is fed is delivered at once."""
        return self._is_reading and not self._is_closing

    def pause_reading(self) -> None:
        """Keep what is fed until ``resume_reading``."""
        self._is_reading = False

    def resume_reading(self) -> None:
        """Deliver what waits, in the loop's next turn."""
        if not self._is_reading:
            self._is_reading = True
            self._loop.call_soon(self._deliver)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Record a piece, and count it as unsent while the peer is held."""
        if self.is_eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        piece = bytes(data)
        if self._is_closing:
            self.late_writes.append(piece)
            return
        self.writes.append(piece)
        if self._is_held:
            self._unsent += len(piece)
            if self._unsent > self._high and not self._is_writing_paused:
                self._is_writing_paused = True
                self._protocol.pause_writing()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Record the pieces as one, as one call of ``sendmsg`` sends them."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """Tell that half-closing works, as for plain TCP."""
        return True

    def write_eof(self) -> None:
        """Record that nothing follows; a later ``write`` is an error, as in asyncio."""
        self.is_eof_written = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the marks in bytes, with asyncio's defaults."""
        if high is None:
            high = 64 * 1024 if low is None else 4 * low
        self._high = high
        self._low = high // 4 if low is None else low

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and the high mark in bytes."""
        return self._low, self._high

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the held peer has not taken."""
        return self._unsent

    def close(self) -> None:
        """Lose the connection once everything unsent is sent."""
        self._is_closing = True
        if not self._unsent:
            self._schedule_lost(None)

    def abort(self) -> None:
        """Lose the connection now, with what is unsent."""
        self.is_aborted = True
        self.lose()


def connect(protocol: asyncio.BaseProtocol, **extra: Any) -> MemoryTransport:
    """Return a transport that is connected to ``protocol``; needs a running loop.

    ``extra`` is what ``get_extra_info`` tells, such as ``peername=("192.0.2.9", 1)``.
    """
    transport = MemoryTransport(protocol, asyncio.get_running_loop(), extra)
    protocol.connection_made(transport)
    return transport
