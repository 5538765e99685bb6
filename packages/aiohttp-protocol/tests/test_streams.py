"""Body readers and the write gate: every read against every way in which bytes can come."""

from __future__ import annotations

import asyncio
import ctypes
import pickle
import socket
import threading
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from itertools import cycle
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from aiohttp.protocol import streams
from aiohttp.protocol.coding import ContentDecoder, content_decoder
from aiohttp.protocol.errors import (
    BodyTooLarge,
    ContentCodingError,
    DecompressionBomb,
    IncompleteRead,
    InvalidUse,
    LimitExceeded,
    PeerDisconnected,
)
from aiohttp.protocol.limits import Limits
from aiohttp.protocol.streams import (
    EMPTY_STREAM,
    IncompleteReadError,
    StreamReader,
    WriteGate,
    receive_buffer,
)
from wire import cuts

_T = TypeVar("_T")
KIB = 1024

Read = Callable[[StreamReader], Awaitable[object]]


class Flow:
    """Takes the place of a transport: what the reader asked of it, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.flows = asyncio.Event()
        self.flows.set()

    def pause(self) -> None:
        """Note a pause."""
        self.calls.append("pause")
        self.flows.clear()

    def resume(self) -> None:
        """Note a resume."""
        self.calls.append("resume")
        self.flows.set()

    def is_paused(self) -> bool:
        """Tell whether the reader wants nothing more."""
        return not self.flows.is_set()


def flowing(**options: Any) -> tuple[StreamReader, Flow]:
    """Return a reader that pauses above 8 bytes, and its flow."""
    flow = Flow()
    options.setdefault("high_water", 8)
    return StreamReader(pause=flow.pause, resume=flow.resume, **options), flow


def fed(*pieces: bytes, is_whole: bool = True, **options: Any) -> StreamReader:
    """Return a reader that these pieces were fed to, and by default their end."""
    reader = StreamReader(**options)
    for piece in pieces:
        reader.feed_data(piece)
    if is_whole:
        reader.feed_eof()
    return reader


async def turn(times: int = 3) -> None:
    """Let all tasks run until they wait."""
    for _ in range(times):
        await asyncio.sleep(0)


async def started(awaitable: Awaitable[_T]) -> asyncio.Task[_T]:
    """Return a task that has run until it waits."""

    async def run() -> _T:
        return await awaitable

    task = asyncio.create_task(run())
    await turn()
    return task


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task that waits, and see that it is."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def collect(iterator: AsyncIterator[_T], into: list[_T]) -> None:
    """Add what an iterator gives, up to its error."""
    async for item in iterator:
        into.append(item)  # noqa: PERF401 - a comprehension would lose them all


async def listed(iterator: AsyncIterator[_T]) -> list[_T]:
    """Return what an iterator gives."""
    return [item async for item in iterator]


def receive(reader: StreamReader, data: bytes, most: int = 1 << 30) -> int:
    """Receive bytes as a BufferedProtocol does; return how many found a buffer of the reader."""
    received = 0
    while received < len(data) and (room := reader.get_buffer()) is not None:
        size = min(len(room), len(data) - received, most)
        room[:size] = data[received : received + size]
        reader.buffer_updated(size)
        received += size
    return received


def gunzip(limits: Limits | None = None) -> ContentDecoder:
    """Return a decoder of gzip."""
    decoder = content_decoder("gzip", limits or Limits())
    if decoder is None:
        raise TypeError("expected a decoder")
    return decoder


def gzipped(data: bytes) -> bytes:
    """Return the data in one gzip member."""
    return zlib.compress(data, wbits=31)


# IncompleteReadError


def test_incomplete_read_is_asyncios_and_ours() -> None:
    """Whoever catches asyncio's IncompleteReadError, or the error with a status, gets this one."""
    error = IncompleteReadError(b"abc", 10)
    assert isinstance(error, asyncio.IncompleteReadError)
    assert isinstance(error, IncompleteRead)
    assert (error.partial, error.received, error.expected, error.status) == (b"abc", 3, 10, 400)
    assert str(error) == "expected 10 more bytes of the body, but it ended after 3"
    assert error.message == str(error)


def test_incomplete_read_can_be_pickled() -> None:
    """The error survives the way to another process."""
    error = pickle.loads(pickle.dumps(IncompleteReadError(b"abc", 10)))
    assert (error.partial, error.expected, error.received) == (b"abc", 10, 3)


# WriteGate


async def test_open_gate_lets_through() -> None:
    """Nobody waits at a gate that was never closed."""
    gate = WriteGate()
    assert gate.is_open
    assert repr(gate) == "<WriteGate open>"
    await gate.wait()


async def test_gate_holds_all_until_resume() -> None:
    """Every waiter stands still while the gate is closed, and all go on when it opens."""
    gate = WriteGate()
    gate.pause()
    gate.pause()
    assert repr(gate) == "<WriteGate closed>"
    tasks = [await started(gate.wait()) for _ in range(3)]
    assert not any(task.done() for task in tasks)
    gate.resume()
    gate.resume()
    await turn()
    assert all(task.done() for task in tasks)


async def test_gate_closed_again_before_the_waiter_runs() -> None:
    """A waiter that was woken looks again, and waits on; nothing is lost by that."""
    gate = WriteGate()
    gate.pause()
    task = await started(gate.wait())
    gate.resume()
    gate.pause()
    await turn()
    assert not task.done()
    gate.resume()
    await task


async def test_gate_fails_waiters_now_and_later() -> None:
    """After a failure every wait raises it, the first error counts."""
    gate = WriteGate()
    gate.pause()
    task = await started(gate.wait())
    gate.fail(PeerDisconnected("gone"))
    gate.fail(PeerDisconnected("gone again"))
    with pytest.raises(PeerDisconnected, match=r"^gone$"):
        await task
    gate.pause()
    with pytest.raises(PeerDisconnected, match=r"^gone$"):
        await gate.wait()
    assert not gate.is_open
    assert repr(gate) == "<WriteGate failed>"


async def test_cancelling_one_waiter_leaves_the_others() -> None:
    """A cancelled writer takes nobody with it."""
    gate = WriteGate()
    gate.pause()
    first, second = await started(gate.wait()), await started(gate.wait())
    await cancelled(first)
    assert not second.done()
    gate.resume()
    await second


# Reading what is there


LINES = b"one\ntwo\n\nlonger than a piece\nrest"


@pytest.mark.parametrize("pieces", list(cuts(LINES)), ids=len)
async def test_reads_do_not_depend_on_cuts(pieces: list[bytes]) -> None:
    """Reads that say what they want give it, wherever the body was cut."""
    assert await fed(*pieces).read() == LINES
    assert await fed(*pieces).readexactly(len(LINES)) == LINES
    assert await listed(aiter(fed(*pieces))) == LINES.splitlines(keepends=True)
    assert b"".join(await listed(fed(*pieces).iter_any())) == LINES
    assert b"".join(await listed(fed(*pieces).iter_chunked(5))) == LINES
    reader = fed(*pieces)
    assert await reader.readuntil(b"o\n\nlon") == b"one\ntwo\n\nlon"
    assert await reader.readuntil(b"a piece") == b"ger than a piece"
    assert await reader.readuntil(b"never") == b"\nrest"
    assert await reader.readuntil(b"never") == b""


@pytest.mark.parametrize("pieces", list(cuts(LINES)), ids=len)
async def test_reads_wait_for_bytes(pieces: list[bytes]) -> None:
    """The same, when the pieces come one after the other and every read has to wait."""
    reads: list[tuple[Callable[[StreamReader], Coroutine[Any, Any, bytes]], bytes]] = [
        (lambda reader: reader.read(), LINES),
        (lambda reader: reader.readexactly(12), LINES[:12]),
        (lambda reader: reader.readuntil(b"\n\n"), LINES[:9]),
        (lambda reader: reader.readuntil(b"never"), LINES),
    ]
    for read, expected in reads:
        reader = StreamReader()
        task = await started(read(reader))
        for piece in pieces:
            reader.feed_data(piece)
            await turn(1)
        reader.feed_eof()
        assert await task == expected
        assert await reader.read() == LINES[len(expected) :]


async def test_read_gives_up_to_n_bytes_at_once() -> None:
    """read(n) does not wait for n bytes, only for one."""
    reader = fed(b"abcdef", is_whole=False)
    assert await reader.read(4) == b"abcd"
    assert await reader.read(4) == b"ef"
    assert await reader.read(0) == b""
    task = await started(reader.read(4))
    assert not task.done()
    reader.feed_data(b"g")
    assert await task == b"g"


async def test_end_of_body() -> None:
    """At the end every read is empty, again and again."""
    reader = fed()
    assert await reader.read() == b""
    assert await reader.read(5) == b""
    assert await reader.readany() == b""
    assert await reader.readexactly(0) == b""
    assert await reader.readline() == b""
    assert await reader.readchunk() == (b"", False)
    assert reader.read_nowait() == b""
    assert await listed(reader.iter_chunks()) == []


async def test_eof_wakes_a_waiting_read() -> None:
    """A read that waits learns of the end."""
    reader = StreamReader()
    task = await started(reader.readany())
    reader.feed_eof()
    assert await task == b""


async def test_pieces_that_fit_are_not_copied() -> None:
    """A large piece is handed out as the object that was fed."""
    piece = bytes(64 * KIB)
    assert await fed(piece).read() is piece
    assert await fed(piece, b"x").read(64 * KIB) is piece
    assert await fed(piece, b"x").readany() is piece
    assert await fed(piece, b"x").readexactly(64 * KIB) is piece


async def test_small_pieces_are_joined() -> None:
    """Crumbs come together, up to the limit, so that the consumer turns less often."""
    crumbs = [bytes([65 + i]) * 2000 for i in range(4)]
    assert await fed(*crumbs).readany() == b"".join(crumbs)
    assert await fed(*crumbs).read(5000) == b"".join(crumbs[:2])
    assert await fed(*crumbs[:2], bytes(64 * KIB)).readany() == b"".join(crumbs[:2])


async def test_drops_run_together_while_they_wait() -> None:
    """A body that comes byte by byte is not kept as an object per byte."""
    reader = fed(*([b"ab"] * 5000), is_whole=False)
    assert len(reader._pieces._pieces) <= 10
    assert reader.read_nowait() == b"ab" * 5000


async def test_readexactly_at_the_end() -> None:
    """Fewer bytes than asked for are an error that carries them; they count as read."""
    reader = fed(b"abc", b"def")
    with pytest.raises(
        IncompleteReadError, match=r"expected 7 more bytes .* ended after 6"
    ) as info:
        await reader.readexactly(7)
    assert info.value.partial == b"abcdef"
    assert reader.at_eof()


async def test_sizes_that_make_no_sense() -> None:
    """A size below the least is the caller's mistake."""
    reader = fed(b"abc")
    with pytest.raises(ValueError, match="not -1"):
        await reader.readexactly(-1)
    with pytest.raises(ValueError, match="not 0"):
        reader.iter_chunked(0)
    with pytest.raises(ValueError, match="at least one byte"):
        await reader.readuntil(b"")


async def test_line_longer_than_the_limit() -> None:
    """The error names the limit, and the bytes stay where they are."""
    for pieces in cuts(b"12345\n789"):
        reader = fed(*pieces)
        with pytest.raises(LimitExceeded, match=r"expected b'\\n' within 5 bytes") as info:
            await reader.readuntil(max_size=5)
        assert (info.value.name, info.value.limit, info.value.status) == ("max_size", 5, 413)
        assert await reader.readuntil(max_size=6) == b"12345\n"
        assert await reader.read() == b"789"
        assert await fed(*pieces).readuntil(max_size=6) == b"12345\n"


async def test_line_longer_than_the_read_buffer() -> None:
    """By default a line may be as long as the read buffer, and no longer."""
    reader = fed(b"12345", b"678\n", high_water=8)
    with pytest.raises(LimitExceeded, match="within 8 bytes") as info:
        await reader.readline()
    assert (info.value.name, info.value.limit) == ("read_buffer", 8)
    assert await fed(b"1234567\n", high_water=8).readline() == b"1234567\n"


def explained(exc: BaseException) -> BaseException:
    """Make another error of it, as a client does."""
    error = RuntimeError(f"explained: {exc}")
    error.__cause__ = exc
    return error


LINE_READS: dict[str, Read] = {
    "readline": StreamReader.readline,
    "readuntil": lambda reader: reader.readuntil(b"\r\n"),
    "max_size": lambda reader: reader.readuntil(max_size=8),
    "iteration": lambda reader: anext(aiter(reader)),
}


@pytest.mark.parametrize("read", LINE_READS.values(), ids=LINE_READS)
async def test_line_longer_than_the_limit_is_translated(read: Read) -> None:
    """Readers get what ``translate`` makes of it, each time, and the bytes still stay."""
    for pieces in cuts(b"123456789\r\n"):
        for is_whole in (True, False):
            reader = fed(*pieces, is_whole=is_whole, high_water=8, translate=explained)
            for _ in range(2):
                with pytest.raises(RuntimeError, match=r"explained: .* within 8 bytes") as info:
                    await read(reader)
                assert isinstance(info.value.__cause__, LimitExceeded)
            assert reader.exception() is None
            assert await reader.readexactly(11) == b"123456789\r\n"


async def test_line_of_a_complete_body_is_translated() -> None:
    """A body that is here already has its errors translated, too."""
    reader = StreamReader.complete(b"123\n", translate=explained)
    with pytest.raises(RuntimeError, match="explained"):
        await reader.readuntil(max_size=3)
    assert await reader.readline() == b"123\n"


async def test_misuse_is_not_translated() -> None:
    """What the reader itself does wrong, or expects in vain, is no error of the other end."""
    reader = fed(b"abc", is_whole=False, translate=explained)
    reading = await started(reader.readexactly(5))
    with pytest.raises(InvalidUse, match="one reader at a time"):
        await reader.read()
    reader.feed_eof()
    with pytest.raises(IncompleteReadError, match="expected 5 more bytes"):
        await reading


async def test_line_longer_than_the_buffer_may_be_asked_for() -> None:
    """With a larger max_size a line is read although the connection pauses on the way."""
    reader, flow = flowing()
    task = await started(reader.readuntil(max_size=100))
    for _ in range(9):
        reader.feed_data(b"123456789 ")
        await turn()
        assert not flow.is_paused()
    reader.feed_data(b"12345678\n")
    assert len(await task) == 99


async def test_readchunk_gives_pieces() -> None:
    """A chunk is what came; the flag is false at the end only."""
    reader = fed(bytes(9000), b"def")
    assert await listed(reader.iter_chunks()) == [(bytes(9000), True), (b"def", True)]


async def test_read_nowait() -> None:
    """read_nowait gives what is queued and never waits."""
    reader = fed(b"abc", b"def", is_whole=False)
    assert reader.read_nowait(4) == b"abcd"
    assert reader.read_nowait() == b"ef"
    assert reader.read_nowait() == b""
    assert reader.read_nowait(0) == b""


async def test_unread_data() -> None:
    """Bytes that were put back are read again, before all others, also after the end."""
    reader = fed(b"abcdef")
    assert await reader.read(2) == b"ab"
    reader.unread_data(b"AB")
    reader.unread_data(b"")
    assert await reader.read(4) == b"AB"
    assert await reader.read() == b"cdef"
    reader.unread_data(b"xyz")
    assert not reader.at_eof()
    assert await reader.read() == b"xyz"


# State


async def test_state_on_the_way() -> None:
    """is_eof tells whether all came, at_eof whether all was read."""
    reader = StreamReader(length=6)
    assert (reader.is_eof(), reader.at_eof(), reader.total_raw_bytes) == (False, False, 0)
    reader.feed_data(b"abcdef")
    assert repr(reader) == "<StreamReader 6 of 6 bytes came, 6 queued>"
    reader.feed_eof()
    assert (reader.is_eof(), reader.at_eof(), reader.total_raw_bytes) == (True, False, 6)
    await reader.read()
    assert (reader.is_eof(), reader.at_eof()) == (True, True)
    assert repr(reader) == "<StreamReader 6 of 6 bytes came, 0 queued, complete>"


async def test_trailers_come_with_the_end() -> None:
    """Trailers are empty until the body has ended."""
    reader = StreamReader()
    assert not reader.trailers
    reader.feed_eof(CIMultiDictProxy(CIMultiDict({"Checksum": "1"})))
    assert reader.trailers["checksum"] == "1"
    assert not StreamReader().trailers


async def test_on_eof() -> None:
    """Callbacks run when the last byte came, or at once if it has, and not after an error."""
    calls: list[str] = []
    reader = fed(b"unread", is_whole=False)
    reader.on_eof(lambda: calls.append("first"))
    reader.on_eof(lambda: calls.append("second"))
    assert calls == []
    reader.feed_eof()
    reader.feed_eof()
    assert calls == ["first", "second"]
    reader.on_eof(lambda: calls.append("late"))
    assert calls == ["first", "second", "late"]
    broken = StreamReader()
    broken.on_eof(lambda: calls.append("never"))
    broken.set_exception(PeerDisconnected("gone"))
    broken.on_eof(lambda: calls.append("never"))
    broken.feed_eof()
    assert "never" not in calls


async def test_wait_eof() -> None:
    """wait_eof returns at the end, for any number of tasks, beside a reader."""
    reader = StreamReader()
    tasks = [await started(reader.wait_eof()) for _ in range(2)]
    reading = await started(reader.read())
    await cancelled(await started(reader.wait_eof()))
    reader.feed_data(b"abc")
    await turn()
    assert not any(task.done() for task in tasks)
    reader.feed_eof()
    await asyncio.gather(*tasks)
    assert await reading == b"abc"
    await reader.wait_eof()


async def test_wait_eof_of_a_broken_body() -> None:
    """wait_eof raises the error, now and later."""
    reader = StreamReader()
    task = await started(reader.wait_eof())
    reader.set_exception(PeerDisconnected("gone"))
    for waiting in (task, reader.wait_eof()):
        with pytest.raises(PeerDisconnected, match="gone"):
            await waiting


# One consumer


READS: dict[str, Read] = {
    "read": lambda reader: reader.read(),
    "read n": lambda reader: reader.read(5),
    "readany": lambda reader: reader.readany(),
    "readexactly": lambda reader: reader.readexactly(5),
    "readline": lambda reader: reader.readline(),
    "readuntil": lambda reader: reader.readuntil(b"xy"),
    "readchunk": lambda reader: reader.readchunk(),
    "iter_any": lambda reader: anext(reader.iter_any()),
    "iter_chunked": lambda reader: anext(reader.iter_chunked(5)),
    "iter_chunks": lambda reader: anext(reader.iter_chunks()),
    "lines": lambda reader: anext(aiter(reader)),
}
every_read = pytest.mark.parametrize("read", READS.values(), ids=READS)


@every_read
async def test_second_reader_is_refused(read: Read) -> None:
    """While one coroutine reads, another is told so; the first goes on."""
    reader = StreamReader()
    first = await started(reader.readexactly(6))
    reader.feed_data(b"abc")  # the second must not get between the first and its bytes
    with pytest.raises(InvalidUse, match="another coroutine is reading this body"):
        await read(reader)
    with pytest.raises(InvalidUse, match="one reader at a time"):
        reader.read_nowait()
    with pytest.raises(InvalidUse, match="one reader at a time"):
        reader.unread_data(b"x")
    reader.feed_data(b"def")
    assert await first == b"abcdef"


@every_read
@pytest.mark.parametrize("before", [b"", b"abc"])
async def test_cancelling_a_read_loses_no_byte(read: Read, before: bytes) -> None:
    """A read that is cancelled while it waits leaves everything for the next one."""
    reader = StreamReader()
    task = await started(read(reader))
    if before:
        reader.feed_data(before)
        # Cancelled in the same turn in which the bytes came.
    await cancelled(task)
    reader.feed_data(b"def")
    reader.feed_eof()
    assert await reader.read() == before + b"def"


@pytest.mark.parametrize("name", ["read", "readexactly", "readline", "readuntil", "lines"])
async def test_cancelling_a_read_half_way(name: str) -> None:
    """A read that had collected some bytes puts them back in order."""
    reader = StreamReader()
    task = await started(READS[name](reader))
    for piece in (b"a", b"b", b"x"):
        reader.feed_data(piece)
        await turn()
    await cancelled(task)
    reader.feed_data(b"y\n")
    reader.feed_eof()
    assert await reader.readuntil(b"xy") == b"abxy"
    assert await reader.read() == b"\n"


# Errors


async def test_iterating_gives_what_came_before_the_error() -> None:
    """Pieces that came are given, then the error is raised, and again by every read."""
    reader = fed(bytes(9000), b"def", is_whole=False)
    reader.set_exception(PeerDisconnected("gone"))
    pieces: list[bytes] = []
    with pytest.raises(PeerDisconnected, match="gone"):
        await collect(reader.iter_any(), pieces)
    assert pieces == [bytes(9000), b"def"]
    assert not reader.at_eof()
    with pytest.raises(PeerDisconnected, match="gone"):
        reader.read_nowait()


async def test_error_after_whole_lines() -> None:
    """Whole lines are given; a last one without its end could be mistaken for whole."""
    reader = fed(b"one\ntw", is_whole=False)
    reader.set_exception(PeerDisconnected("gone"))
    assert await reader.readline() == b"one\n"
    with pytest.raises(PeerDisconnected, match="gone"):
        await reader.readline()
    with pytest.raises(PeerDisconnected, match="gone"):
        await reader.readexactly(3)
    assert await reader.readexactly(2) == b"tw"


async def test_read_to_the_end_raises_at_once() -> None:
    """read() never gives a part for the whole, and leaves it to be read otherwise."""
    reader = fed(b"abc", is_whole=False)
    reader.set_exception(PeerDisconnected("gone"))
    with pytest.raises(PeerDisconnected, match="gone"):
        await reader.read()
    assert reader.read_nowait() == b"abc"


@every_read
async def test_error_wakes_a_waiting_read(read: Read) -> None:
    """Whoever waits gets the error; so does whoever comes later."""
    reader = StreamReader()
    task = await started(read(reader))
    reader.set_exception(PeerDisconnected("gone"))
    with pytest.raises(PeerDisconnected, match="gone"):
        await task
    with pytest.raises(PeerDisconnected, match="gone"):
        await read(reader)


async def test_error_half_way_through_a_read() -> None:
    """What read() had collected before the error stays readable."""
    reader = StreamReader()
    task = await started(reader.read())
    reader.feed_data(b"abc")
    await turn()
    reader.set_exception(PeerDisconnected("gone"))
    with pytest.raises(PeerDisconnected, match="gone"):
        await task
    assert reader.read_nowait() == b"abc"


async def test_first_end_counts() -> None:
    """An error after the end, bytes after an error and a second error change nothing."""
    reader = fed(b"abc")
    reader.set_exception(PeerDisconnected("gone"))
    assert reader.exception() is None
    assert await reader.read() == b"abc"
    broken = fed(b"abc", is_whole=False)
    error = PeerDisconnected("gone")
    broken.set_exception(error)
    broken.set_exception(PeerDisconnected("gone again"))
    broken.feed_data(b"def")
    broken.feed_eof()
    assert broken.exception() is error
    assert not broken.is_eof()
    assert broken.read_nowait() == b"abc"
    assert "failed: PeerDisconnected('gone')" in repr(broken)


async def test_bytes_after_the_end_are_a_mistake() -> None:
    """A connection that feeds after the end is told so."""
    with pytest.raises(InvalidUse, match=r"feed_data\(3 bytes\) after the end"):
        fed(b"abc").feed_data(b"def")


# Flow


async def test_pause_above_high_water_resume_below_a_quarter() -> None:
    """Each is asked for once."""
    reader, flow = flowing()
    reader.feed_data(b"x" * 8)
    assert flow.calls == []
    reader.feed_data(b"x")
    reader.feed_data(b"x")
    assert flow.calls == ["pause"]
    assert "paused" in repr(reader)
    assert await reader.readexactly(7) == b"x" * 7
    assert flow.calls == ["pause"]
    assert await reader.readexactly(1) == b"x"
    assert flow.calls == ["pause", "resume"]
    assert reader.read_nowait() == b"xx"
    assert flow.calls == ["pause", "resume"]


@pytest.mark.parametrize("size", [20, -1])
async def test_read_larger_than_the_buffer(size: int) -> None:
    """A read that wants more than the buffer holds keeps the connection going."""
    reader, flow = flowing()
    reader.feed_data(b"x" * 10)
    assert flow.is_paused()
    task = await started(reader.read() if size < 0 else reader.readexactly(size))
    assert not flow.is_paused()
    reader.feed_data(b"x" * 10)
    await turn()
    reader.feed_eof()
    assert await task == b"x" * 20
    assert not flow.is_paused()


async def test_cancelled_read_pauses_again() -> None:
    """What a cancelled read puts back counts."""
    reader, flow = flowing()
    task = await started(reader.read())
    reader.feed_data(b"x" * 10)
    await turn()
    assert not flow.is_paused()
    await cancelled(task)
    assert flow.is_paused()


@pytest.mark.parametrize("is_good", [True, False])
async def test_end_resumes(is_good: bool) -> None:
    """A body that has ended, well or not, holds the connection no longer."""
    reader, flow = flowing()
    reader.feed_data(b"x" * 9)
    if is_good:
        reader.feed_eof()
    else:
        reader.set_exception(PeerDisconnected("gone"))
    assert flow.calls == ["pause", "resume"]
    reader.unread_data(b"x" * 100)
    assert flow.calls == ["pause", "resume"]


async def test_resume_that_feeds_at_once() -> None:
    """A connection may hand over what it holds back while it is being resumed."""
    held = [b"y" * 9, b"z" * 9]
    reader = StreamReader(
        resume=lambda: reader.feed_data(held.pop(0)) if held else None, high_water=8, length=99
    )
    reader.feed_data(b"x" * 9)
    assert await reader.readexactly(30 - 3) == b"x" * 9 + b"y" * 9 + b"z" * 9


async def test_resume_that_feeds_the_final_buffer() -> None:
    """The same, when the rest of the body goes straight into its final buffer."""
    reader = StreamReader(resume=lambda: reader.feed_data(b"y" * 9), high_water=8, length=200_000)
    reader.feed_data(b"x" * 9)
    task = await started(reader.read())
    reader.feed_data(b"z")
    reader.feed_eof()
    assert await task == b"x" * 9 + b"y" * 9 + b"z"


async def test_first_read_that_waits_calls_the_hook() -> None:
    """The hook is called once, by the first read that finds nothing at all."""
    calls: list[str] = []
    reader = StreamReader(on_first_read=lambda: calls.append("100"))
    assert reader.read_nowait() == b""
    assert calls == []
    task = await started(reader.read(1))
    assert calls == ["100"]
    reader.feed_data(b"a")
    assert await task == b"a"
    await cancelled(await started(reader.read(1)))
    assert calls == ["100"]


async def test_waiting_for_the_end_calls_the_hook() -> None:
    """Who waits for the end of a body wants it sent."""
    calls: list[str] = []
    reader = StreamReader(on_first_read=lambda: calls.append("100"))
    await cancelled(await started(reader.wait_eof()))
    assert calls == ["100"]


async def test_hook_is_needless_when_bytes_have_come() -> None:
    """A client that did not wait needs no 100 Continue (RFC 9110, section 10.1.1)."""
    calls: list[str] = []
    reader = fed(b"a", is_whole=False, on_first_read=lambda: calls.append("100"))
    assert await reader.read(1) == b"a"
    await cancelled(await started(reader.read(1)))
    whole = fed(on_first_read=lambda: calls.append("100"))
    await whole.wait_eof()
    assert calls == []


async def test_hook_that_fails_leaves_the_reader_free() -> None:
    """An error of the hook reaches the read, and the next read may wait."""

    def fail() -> None:
        raise PeerDisconnected("gone")

    reader = StreamReader(on_first_read=fail)
    with pytest.raises(PeerDisconnected, match="gone"):
        await reader.read()
    reader.feed_eof()
    assert await reader.read() == b""


# Limits


async def test_body_larger_than_the_limit() -> None:
    """The piece that goes beyond the limit is refused, with the name of the limit."""
    reader = fed(b"12345", b"67890", is_whole=False, max_size=10)
    reader.feed_data(b"1")
    reader.feed_data(b"2")
    assert reader.read_nowait() == b"1234567890"
    with pytest.raises(BodyTooLarge, match=r"got 11 bytes .* no more than 10") as info:
        await reader.read()
    assert (info.value.name, info.value.limit, info.value.status) == ("decoded", 10, 413)


async def test_body_as_large_as_the_limit() -> None:
    """The limit itself is allowed."""
    assert await fed(b"12345", b"67890", max_size=10).read() == b"1234567890"


@pytest.mark.parametrize("limit", [5, None])
@pytest.mark.parametrize("options", [{}, {"length": 5}, {"max_size": 5}], ids=str)
async def test_read_all_within_its_limit(options: dict[str, Any], limit: int | None) -> None:
    """A body of just so many bytes comes whole, in whichever way it is read."""
    for pieces in cuts(b"hello"):
        assert await fed(*pieces, **options).read_all(limit) == b"hello"
    assert await EMPTY_STREAM.read_all(0) == b""


async def test_read_all_beyond_its_limit() -> None:
    """One byte more is an error, for further reads to the end, too; what came is kept."""
    for pieces in cuts(b"hello"):
        reader = fed(*pieces)
        for _ in range(2):
            with pytest.raises(BodyTooLarge, match="expected a body of at most 4 bytes, got 5"):
                await reader.read_all(4)
        assert await reader.readexactly(5) == b"hello"


async def test_read_all_refuses_what_is_announced() -> None:
    """Nobody waits for a body that says itself that it is too large."""
    reader = StreamReader(length=100 * KIB)
    with pytest.raises(BodyTooLarge, match="at most 102399 bytes, got 102400"):
        await reader.read_all(100 * KIB - 1)


async def test_read_all_counts_what_is_left() -> None:
    """The limit is one of what this call returns."""
    reader = fed(b"hello world", length=11)
    assert await reader.readexactly(6) == b"hello "
    assert await reader.read_all(5) == b"world"


async def test_read_all_counts_decoded_bytes() -> None:
    """A coded body is decoded up to its limit, and no step further."""
    reader = StreamReader(decoder=content_decoder("deflate"), length=1000)
    reader.feed_data(zlib.compress(bytes(1024 * KIB)))
    with pytest.raises(BodyTooLarge, match="at most 1024 bytes, got 65536"):
        await reader.read_all(1024)
    assert reader.total_raw_bytes < 2 * KIB


async def test_read_all_needs_a_sensible_limit() -> None:
    """A negative limit is a mistake of the program, and harms no shared stream."""
    with pytest.raises(ValueError, match="limit from 0 on, not -1"):
        await EMPTY_STREAM.read_all(-1)
    assert EMPTY_STREAM.at_eof()


async def test_read_all_is_received_into_its_final_buffer() -> None:
    """A limit that isn't exceeded costs no copy."""
    reader = StreamReader(length=100 * KIB)
    reading = asyncio.ensure_future(reader.read_all(100 * KIB))
    await asyncio.sleep(0)
    assert reader.get_buffer() is not None
    reader.feed_data(b"x" * 100 * KIB)
    reader.feed_eof()
    assert await reading == b"x" * 100 * KIB


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ({"max_size": 4}, b"hello"),
        ({"decoder": "deflate"}, b"hello"),
        ({"decoder": "deflate", "max_size": 4}, zlib.compress(b"hello")),
    ],
    ids=["large", "malformed", "decoded"],
)
@pytest.mark.parametrize("is_whole", [True, False])
async def test_body_that_is_refused_is_given_up(
    options: dict[str, Any], data: bytes, is_whole: bool
) -> None:
    """Whoever feeds is told once, with the error, unless there is nothing more to feed."""
    told: list[BaseException] = []
    if "decoder" in options:
        options = {**options, "decoder": content_decoder(options["decoder"])}
    reader = StreamReader(**options, give_up=told.append)
    reader.feed_data(data)
    if is_whole:
        reader.feed_eof()
    for read in (reader.readany, reader.read, reader.readany):
        with pytest.raises(LimitExceeded if "max_size" in options else ContentCodingError):
            await read()
    is_too_late = is_whole and "decoder" in options
    assert [type(exc) for exc in told] == ([] if is_too_late else [type(reader.exception())])


async def test_error_of_the_connection_is_not_told_to_it() -> None:
    """``give_up`` is for what the reader finds out by itself."""
    told: list[BaseException] = []
    reader = StreamReader(give_up=told.append)
    reader.set_exception(PeerDisconnected("gone"))
    assert told == []


async def test_limit_counts_decoded_bytes() -> None:
    """A coded body is measured as it is read."""
    coded = gzipped(bytes(200_000))
    assert await fed(coded, decoder=gunzip(), max_size=200_000).read() == bytes(200_000)
    reader = fed(coded, decoder=gunzip(), max_size=199_999)
    with pytest.raises(BodyTooLarge, match="expected no more than 199999"):
        await reader.read()
    with pytest.raises(BodyTooLarge, match="expected no more than 199999"):
        await listed(reader.iter_any())


# Content codings


TEXT = b"".join(b"%d bottles of beer\n" % i for i in range(300))


@pytest.mark.parametrize("pieces", list(cuts(gzipped(TEXT), splits=16)), ids=len)
async def test_coded_body_is_decoded_when_read(pieces: list[bytes]) -> None:
    """Every read gives decoded bytes, wherever the coded ones were cut."""
    assert await fed(*pieces, decoder=gunzip()).read() == TEXT
    assert await listed(aiter(fed(*pieces, decoder=gunzip()))) == TEXT.splitlines(keepends=True)
    assert await fed(*pieces, decoder=gunzip()).readexactly(len(TEXT)) == TEXT
    reader = StreamReader(decoder=gunzip())
    task = await started(reader.read())
    for piece in pieces:
        reader.feed_data(piece)
        await turn(1)
    reader.feed_eof()
    assert await task == TEXT
    assert reader.at_eof()
    assert reader.total_raw_bytes == len(gzipped(TEXT))


async def test_chain_of_codings() -> None:
    """Several codings are undone in their order."""
    decoder = content_decoder("deflate, gzip")
    assert await fed(gzipped(zlib.compress(TEXT)), decoder=decoder).read() == TEXT


async def test_steps_of_decoding_are_bounded() -> None:
    """No step gives more than 64 KiB, however small the coded body is."""
    reader = fed(gzipped(bytes(1_000_000)), decoder=gunzip())
    sizes = [len(piece) for piece in await listed(reader.iter_any())]
    assert sum(sizes) == 1_000_000
    assert max(sizes) <= 64 * KIB


async def test_at_eof_of_a_coded_body() -> None:
    """at_eof knows whether there is more, before and after it was decoded."""
    reader = fed(gzipped(bytes(100_000)), decoder=gunzip())
    size = 0
    while not reader.at_eof():
        piece = await reader.readany()
        assert piece
        size += len(piece)
    assert size == 100_000
    assert fed(gzipped(b""), decoder=gunzip()).at_eof()


async def test_coded_bytes_count_for_flow() -> None:
    """The connection is paused by what came over the wire, and resumed as it is decoded."""
    coded = gzipped(TEXT)
    reader, flow = flowing(decoder=gunzip(), high_water=len(coded) - 2)
    reader.feed_data(coded[:-1])
    assert flow.is_paused()
    assert TEXT.startswith(await reader.readany())
    assert flow.calls == ["pause", "resume"]


async def test_truncated_coded_body() -> None:
    """What could be decoded is given, then the error; read() gives the error only."""
    cut = gzipped(TEXT)[:-9]
    reader = fed(cut, decoder=gunzip())
    for _ in range(2):
        with pytest.raises(ContentCodingError):
            await reader.read()
    reader = fed(cut, decoder=gunzip())
    got: list[bytes] = []
    with pytest.raises(ContentCodingError):
        await collect(reader.iter_any(), got)
    assert got
    assert TEXT.startswith(b"".join(got))
    assert not reader.at_eof()


async def test_truncated_coded_body_is_never_at_its_end() -> None:
    """at_eof finds the error, and leaves it to the next read to raise it."""
    reader = fed(gzipped(b"")[:-1], decoder=gunzip())
    assert not reader.at_eof()
    with pytest.raises(ContentCodingError):
        reader.read_nowait()


async def test_broken_connection_behind_coded_bytes() -> None:
    """The coded bytes that came are still decoded for who iterates."""
    reader = fed(gzipped(TEXT)[:-1], decoder=gunzip(), is_whole=False)
    reader.set_exception(PeerDisconnected("gone"))
    got: list[bytes] = []
    with pytest.raises(PeerDisconnected, match="gone"):
        await collect(reader.iter_any(), got)
    assert b"".join(got) == TEXT


async def test_bomb_is_refused_on_the_way() -> None:
    """The decoder's own limits reach the reader."""
    reader = fed(gzipped(bytes(1_000_000)), decoder=gunzip(Limits(decoded=500_000)))
    with pytest.raises(DecompressionBomb, match="500000"):
        await reader.read()


async def test_other_tasks_run_while_much_is_decoded() -> None:
    """Decoding lets others run after each MiB, and can be cancelled there without loss."""
    reader = fed(gzipped(bytes(3_000_000)), decoder=gunzip(Limits(ratio=10_000)))
    task = asyncio.create_task(reader.read())
    await asyncio.sleep(0)
    assert not task.done()
    with pytest.raises(InvalidUse, match="another coroutine is reading"):
        reader.read_nowait()
    await cancelled(task)
    assert await reader.read() == bytes(3_000_000)


# Into the final buffer


BIG = bytes(range(256)) * 4096


@pytest.mark.parametrize("before", [0, 1000])
@pytest.mark.parametrize("most", [1 << 30, 100_000, 4095])
async def test_known_length_is_received_into_its_final_buffer(before: int, most: int) -> None:
    """Bytes that came before read() and bytes received since make one body."""
    reader = fed(BIG[:before], length=len(BIG), is_whole=False)
    assert reader.get_buffer() is None
    task = await started(reader.read())
    assert receive(reader, BIG[before:], most) == len(BIG) - before
    assert reader.get_buffer() is None
    reader.feed_eof()
    assert await task == BIG
    assert reader.total_raw_bytes == len(BIG)


async def test_final_buffer_becomes_bytes_without_a_copy() -> None:
    """The memory that was received into is the memory of the result."""
    final = streams._FinalBuffer(len(BIG))
    address = 0
    while final.size < len(BIG):
        room = final.room()
        room[:] = BIG[final.size : final.size + len(room)]
        address = ctypes.addressof(ctypes.c_char.from_buffer(room)) - final.size
        final.received(len(room))
    body = final.take()
    assert body == BIG
    assert ctypes.cast(ctypes.c_char_p(body), ctypes.c_void_p).value == address


async def test_memory_is_bounded_by_what_came() -> None:
    """A peer that announces a terabyte gets memory for what it sent, and some to go on."""
    reader = StreamReader(length=1 << 40)
    task = await started(reader.read())
    came = 0
    while came < 10_000_000:
        room = reader.get_buffer()
        if room is None:
            raise TypeError("expected a buffer")
        assert len(room) <= min(came, 2048 * KIB) or len(room) <= 256 * KIB
        came += min(len(room), 100_000)
        reader.buffer_updated(min(len(room), 100_000))
    await cancelled(task)


async def test_final_buffer_ends_where_the_body_ends() -> None:
    """Bytes of the next message have no room in it."""
    reader = StreamReader(length=100_000)
    task = await started(reader.read())
    room = reader.get_buffer()
    assert room is not None
    assert len(room) == 100_000
    reader.buffer_updated(99_999)
    room = reader.get_buffer()
    assert room is not None
    assert len(room) == 1
    await cancelled(task)


async def test_fed_bytes_find_their_place_in_the_final_buffer() -> None:
    """A connection may change between receiving and feeding."""
    reader = StreamReader(length=len(BIG))
    task = await started(reader.read())
    assert receive(reader, BIG[:1000]) == 1000
    reader.feed_data(BIG[1000:700_000])
    assert receive(reader, BIG[700_000:-1]) == len(BIG) - 700_001
    reader.feed_data(BIG[-1:])
    reader.feed_eof()
    assert await task == BIG


@pytest.mark.parametrize(
    "options", [{"length": None}, {"length": 64 * KIB - 1}, {"length": 10**6, "decoder": gunzip()}]
)
async def test_no_final_buffer(options: dict[str, Any]) -> None:
    """Without a length, for a small body and for a coded one there is none."""
    reader = StreamReader(**options)
    task = await started(reader.read())
    assert reader.get_buffer() is None
    with pytest.raises(InvalidUse, match="no read has lent a buffer"):
        reader.buffer_updated(1)
    await cancelled(task)


async def test_cancelling_while_receiving_loses_no_byte() -> None:
    """What was received is there for the next read, which may receive again."""
    reader, flow = flowing(length=len(BIG))
    task = await started(reader.read())
    assert receive(reader, BIG[:300_000]) == 300_000
    await cancelled(task)
    assert flow.is_paused()
    assert reader.get_buffer() is None
    assert await reader.readexactly(100_000) == BIG[:100_000]
    task = await started(reader.read())
    assert not flow.is_paused()
    assert receive(reader, BIG[300_000:]) == len(BIG) - 300_000
    reader.feed_eof()
    assert await task == BIG[100_000:]


async def test_error_while_receiving() -> None:
    """read() raises, and what had come is kept."""
    reader = StreamReader(length=len(BIG))
    task = await started(reader.read())
    receive(reader, BIG[:300_000])
    reader.set_exception(PeerDisconnected("gone"))
    assert reader.get_buffer() is None
    with pytest.raises(PeerDisconnected, match="gone"):
        await task
    assert reader.read_nowait() == BIG[:300_000]


async def test_limit_while_receiving() -> None:
    """The limit holds in the final buffer, too."""
    reader = StreamReader(length=len(BIG), max_size=100_000)
    task = await started(reader.read())
    receive(reader, BIG[:100_001])
    with pytest.raises(BodyTooLarge, match="expected no more than 100000"):
        await task


async def test_unread_bytes_before_a_final_buffer() -> None:
    """Bytes that were put back come first, although they aren't in the length."""
    reader = StreamReader(length=len(BIG))
    reader.unread_data(b"before")
    task = await started(reader.read())
    assert receive(reader, BIG) == len(BIG)
    reader.feed_eof()
    assert await task == b"before" + BIG


async def test_final_buffer_that_is_held_while_bytes_are_reported() -> None:
    """As uvloop does, until buffer_updated has returned; then the memory is free to grow."""
    reader = StreamReader(length=len(BIG))
    task = await started(reader.read())
    came = 0
    while came < len(BIG):
        room = reader.get_buffer()
        assert room is not None
        with memoryview(room) as held:
            held[:] = BIG[came : came + len(held)]
            came += len(held)
            reader.buffer_updated(len(held))
    reader.feed_eof()
    assert await task == BIG


class Receiver(asyncio.BufferedProtocol):
    """A connection reduced to one body of known length: how the reader is meant to be used."""

    def __init__(self, length: int) -> None:
        self._left = length
        self._is_lent = False
        self.reader = StreamReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the transport's brakes to the reader."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("expected a transport that reads")
        self.reader = StreamReader(
            pause=transport.pause_reading, resume=transport.resume_reading, length=self._left
        )

    def get_buffer(self, sizehint: int) -> memoryview:
        """Ask the reader first."""
        room = self.reader.get_buffer()
        self._is_lent = room is not None
        return receive_buffer() if room is None else room

    def buffer_updated(self, nbytes: int) -> None:
        """Report what came, or copy it out of the shared buffer."""
        self._left -= nbytes
        if self._is_lent:
            self.reader.buffer_updated(nbytes)
        else:
            self.reader.feed_data(bytes(receive_buffer()[:nbytes]))
        if not self._left:
            self.reader.feed_eof()


@pytest.mark.parametrize("is_kept", [True, False])
async def test_body_over_a_socket(is_kept: bool) -> None:
    """A body comes whole through a real transport, into its final buffer or in pieces."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.setblocking(False)
        transport, receiver = await loop.create_connection(lambda: Receiver(len(BIG)), sock=ours)
        sending = asyncio.create_task(loop.sock_sendall(theirs, BIG))
        reader = receiver.reader
        if is_kept:
            body = await reader.read()
        else:
            body = b"".join(await listed(reader.iter_chunked(64 * KIB)))
        await sending
        transport.abort()
    assert body == BIG


# Whole bodies, and none


async def test_complete_body() -> None:
    """A body that is here already is a reader like any other."""
    reader = StreamReader.complete(b"one\ntwo")
    assert (reader.is_eof(), reader.at_eof(), reader.total_raw_bytes) == (True, False, 7)
    assert await reader.readline() == b"one\n"
    assert await reader.read() == b"two"
    assert reader.at_eof()


def test_complete_body_needs_no_loop() -> None:
    """It can be made, and read without waiting, where no event loop runs."""
    assert StreamReader.complete(b"abc").read_nowait() == b"abc"


async def test_empty_stream_is_at_its_end_and_stays_so() -> None:
    """The shared reader of all messages without a body can't be changed by one of them."""
    before = repr(EMPTY_STREAM)
    with pytest.raises(InvalidUse, match=r"unread_data\(1 bytes\) of a message that has no body"):
        EMPTY_STREAM.unread_data(b"x")
    with pytest.raises(InvalidUse, match="after the end"):
        EMPTY_STREAM.feed_data(b"x")
    EMPTY_STREAM.unread_data(b"")
    EMPTY_STREAM.set_exception(PeerDisconnected("gone"))
    EMPTY_STREAM.feed_eof(CIMultiDictProxy(CIMultiDict({"A": "b"})))
    calls: list[str] = []
    EMPTY_STREAM.on_eof(lambda: calls.append("called"))
    await EMPTY_STREAM.wait_eof()
    with pytest.raises(IncompleteReadError, match="expected 1 more bytes"):
        await EMPTY_STREAM.readexactly(1)
    assert await EMPTY_STREAM.read() == b""
    assert await listed(aiter(EMPTY_STREAM)) == []
    assert calls == ["called"]
    assert EMPTY_STREAM.at_eof()
    assert EMPTY_STREAM.exception() is None
    assert not EMPTY_STREAM.trailers
    assert repr(EMPTY_STREAM) == before


# The receive buffer


def test_receive_buffer_is_one_per_thread() -> None:
    """All connections of a loop share one buffer; another thread's loop has another."""
    assert receive_buffer() is receive_buffer()
    assert not receive_buffer().readonly
    others: list[memoryview] = []
    thread = threading.Thread(target=lambda: others.append(receive_buffer()))
    thread.start()
    thread.join()
    assert others[0] is not receive_buffer()


# Any cut, any reads


_PATTERNS = st.lists(
    st.tuples(st.sampled_from(["read", "any", "exactly", "until", "nowait"]), st.integers(1, 40)),
    min_size=1,
    max_size=5,
)
_PIECES = st.lists(st.binary(max_size=30), max_size=20)


async def _read_once(reader: StreamReader, kind: str, size: int) -> bytes:
    """Make one read, in one of the ways of the pattern."""
    if kind == "read":
        return await reader.read(size)
    if kind == "any":
        return await reader.readany()
    if kind == "exactly":
        try:
            return await reader.readexactly(size)
        except IncompleteReadError as exc:
            return exc.partial
    if kind == "until":
        return await reader.readuntil(bytes(size % 3 + 1), max_size=10_000)
    await reader.read(0)
    return reader.read_nowait(size) or await reader.read(1)


async def _read_by_pattern(
    reader: StreamReader, pattern: list[tuple[str, int]], impatience: set[int], got: list[bytes]
) -> None:
    """Read to the end; the reads whose numbers are in ``impatience`` are cancelled once."""
    for number, (kind, size) in enumerate(cycle(pattern)):
        task = asyncio.create_task(_read_once(reader, kind, size))
        if number in impatience:
            await turn(size % 3 + 1)
            task.cancel()
            await asyncio.wait([task])
            if task.cancelled():
                continue
        got.append(await task)
        if reader.at_eof():
            return


async def _feed(reader: StreamReader, flow: Flow, pieces: list[bytes], pace: list[int]) -> None:
    """Feed the pieces as a transport would, with so many turns of the loop between them."""
    for piece, turns in zip(pieces, cycle(pace)):
        await flow.flows.wait()
        reader.feed_data(piece)
        await turn(turns)
    reader.feed_eof()


@given(
    pieces=_PIECES,
    pattern=_PATTERNS,
    pace=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    impatience=st.sets(st.integers(0, 10)),
    is_coded=st.booleans(),
    high_water=st.integers(0, 20),
)
@settings(deadline=None, max_examples=150)
def test_any_cut_and_any_reads_give_the_body(
    *,
    pieces: list[bytes],
    pattern: list[tuple[str, int]],
    pace: list[int],
    impatience: set[int],
    is_coded: bool,
    high_water: int,
) -> None:
    """However a body is cut, coded, read and cancelled: what is read is what was sent."""
    body = b"".join(pieces)
    if is_coded:
        coded, places = gzipped(body), [len(piece) + 1 for piece in pieces]
        pieces = [coded[i : i + size] for i, size in _slices(len(coded), places or [7])]
    got: list[bytes] = []

    async def run() -> None:
        reader, flow = flowing(high_water=high_water, decoder=gunzip() if is_coded else None)
        async with asyncio.timeout(10):
            await asyncio.gather(
                _feed(reader, flow, pieces, pace),
                _read_by_pattern(reader, pattern, impatience, got),
            )
        assert not flow.is_paused()

    asyncio.run(run())
    assert b"".join(got) == body


def _slices(length: int, sizes: list[int]) -> list[tuple[int, int]]:
    """Return (start, size) of parts that cover ``length`` bytes, in sizes that repeat."""
    found: list[tuple[int, int]] = []
    start = 0
    for size in cycle(sizes):
        if start >= length:
            return found
        found.append((start, size))
        start += size
    return found
