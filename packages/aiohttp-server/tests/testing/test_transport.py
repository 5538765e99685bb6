"""A connection in memory behaves as one of sockets, as far as a protocol can tell."""

from __future__ import annotations

import asyncio

import pytest

from aiohttp.server.testing.transport import MemoryTransport, connect
from served import settle


class End(asyncio.BufferedProtocol):
    """One end of a connection, which writes down what it is told."""

    def __init__(self, *, keeps_open: bool = False, room: int = 1024) -> None:
        self.transport: MemoryTransport | None = None
        self.told: list[object] = []
        self._keeps_open = keeps_open
        self._buffer = bytearray(room)

    @property
    def wire(self) -> MemoryTransport:
        """The transport."""
        assert self.transport is not None
        return self.transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, MemoryTransport)
        self.transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.told.append(bytes(self._buffer[:nbytes]))

    def eof_received(self) -> bool:
        self.told.append("eof")
        return self._keeps_open

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(exc if exc is None else type(exc))


def pair(near: End | None = None, far: End | None = None) -> tuple[End, End]:
    """Return two ends that are connected."""
    near, far = near or End(), far or End()
    connect(near, far, peername=("192.0.2.1", 5), sockname=("192.0.2.2", 80))
    return near, far


async def test_each_end_has_its_address() -> None:
    """What is one end's own address is the other one's peer."""
    near, far = pair()
    assert far.wire.get_extra_info("peername") == ("192.0.2.1", 5)
    assert near.wire.get_extra_info("peername") == ("192.0.2.2", 80)
    assert near.wire.get_extra_info("sockname") == ("192.0.2.1", 5)


async def test_bytes_arrive_in_a_later_turn() -> None:
    """Nothing is received inside of write; what doesn't fit into a buffer comes after it."""
    near, far = pair(far=End(room=2))
    near.wire.write(b"abc")
    near.wire.write(b"d")
    assert far.told == []
    await settle()
    assert far.told == [b"ab", b"cd"]


async def test_protocol_with_data_received_gets_bytes() -> None:
    """A protocol of the other kind may take over."""
    near, far = pair()
    received: list[bytes] = []

    class Taker(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            received.append(data)

    far.wire.set_protocol(Taker())
    assert isinstance(far.wire.get_protocol(), Taker)
    near.wire.write(b"abc")
    await settle()
    assert received == [b"abc"]


async def test_half_closed_connection_can_be_answered() -> None:
    """After the end of file the other direction stays open, if its owner wants that."""
    near, far = pair(far=End(keeps_open=True))
    near.wire.write(b"ask")
    near.wire.write_eof()
    with pytest.raises(RuntimeError, match="write_eof"):
        near.wire.write(b"more")
    await settle()
    assert far.told == [b"ask", "eof"]
    far.wire.write(b"answer")
    far.wire.close()
    await settle()
    assert near.told == [b"answer", "eof", None]
    assert far.told[2:] == [None]


async def test_closing_delivers_what_was_written() -> None:
    """Who closes still sends, and is lost when all was received."""
    near, far = pair()
    far.wire.pause_reading()
    near.wire.write(b"last")
    near.wire.close()
    await settle()
    assert near.told == far.told == []
    far.wire.resume_reading()
    await settle()
    assert far.told == [b"last", "eof", None]
    assert near.told == [None]


async def test_aborting_resets_the_other_end() -> None:
    """It gets what had arrived, then an error; at once, if it doesn't read."""
    near, far = pair()
    near.wire.write(b"last")
    near.wire.abort()
    near.wire.abort()
    await settle()
    assert near.told == [None]
    assert far.told == [b"last", ConnectionResetError]
    near, far = pair()
    far.wire.pause_reading()
    near.wire.write(b"last")
    near.wire.abort()
    await settle()
    assert far.told == [ConnectionResetError]


async def test_writing_to_one_who_is_gone_is_a_reset() -> None:
    """As with a socket, the writer learns of it by losing the connection."""
    near, far = pair(near=End(keeps_open=True))
    far.wire.close()
    await settle()
    near.wire.write(b"x")
    await settle()
    assert near.told == ["eof", ConnectionResetError]


async def test_writer_waits_for_its_reader() -> None:
    """Above the high mark a writer is paused, and goes on below the low one."""
    near, far = pair(far=End(room=5))
    near.wire.set_write_buffer_limits(high=8, low=4)
    assert near.wire.get_write_buffer_limits() == (4, 8)
    far.wire.pause_reading()
    near.wire.write(b"0123456789")
    assert near.told == ["pause"]
    assert near.wire.get_write_buffer_size() == 10
    far.wire.resume_reading()
    assert far.wire.is_reading()
    await settle()
    assert near.told == ["pause", "resume"]
    assert far.told == [b"01234", b"56789"]
