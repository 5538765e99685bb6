"""Bodies on their way between a connection and a program, with flow control on both sides.

``StreamReader`` stands between one connection, which feeds it, and one consumer,
which reads. ``WriteGate`` holds writers back while a transport has enough to
send. Neither knows a transport: they call, or are, a ``pause`` and a ``resume``.
Everything here belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from multidict import CIMultiDict, CIMultiDictProxy

from .errors import BodyTooLarge, HttpException, IncompleteRead, InvalidUse, LimitExceeded
from .limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from .coding import ContentDecoder

__all__ = [
    "DECODE_TURN",
    "EMPTY_STREAM",
    "IncompleteReadError",
    "StreamIterator",
    "StreamReader",
    "WriteGate",
    "receive_buffer",
]

_T = TypeVar("_T")

_KIB: Final = 1024
_UNBOUNDED: Final = sys.maxsize

_RECEIVE_SIZE: Final = 128 * _KIB  # so that 64 KiB come with their head in one piece
"""Of the buffer that all connections of a thread receive into.

Less than half of the default high-water mark: uvloop fills whatever it gets, and a buffer
of 256 KiB would pause the transport every second turn. And a piece that is copied out of it
stays well below 128 KiB, from where on glibc's malloc maps fresh pages for each, or gives the
top of the heap back after each: iterating over 100 MB on uvloop takes a third of the CPU time
that it takes with 80 to 128 KiB. With 32 KiB asyncio takes twice as much.
"""

_DECODE_STEP: Final = 64 * _KIB
"""How many bytes one step of a content decoder may give."""
DECODE_TURN: Final = 1024 * _KIB
"""How many bytes are decoded before other tasks get their turn (about 2 ms of inflate)."""

_WORTH_JOINING: Final = 8 * _KIB
"""A smaller piece is joined with those behind it: copying it costs less than a turn of a loop."""

_WORTH_FINAL: Final = 64 * _KIB
"""From so many missing bytes on, a body is received into its final buffer."""

_DROP: Final = 1 * _KIB
"""Smaller pieces than this run together while they wait."""

_NO_TRAILERS: Final = CIMultiDictProxy(CIMultiDict[str]())


class IncompleteReadError(asyncio.IncompleteReadError, IncompleteRead):
    """The body ended before ``readexactly`` had its bytes; also an asyncio.IncompleteReadError.

    The message is whole: its sender did nothing wrong, only the reader expected more. So
    no ``translate`` of a ``StreamReader`` applies. A body that breaks off raises what
    ended it, and keeps its bytes.

    Attributes:
        partial: the bytes that there were; they count as read.
        expected: how many were asked for.
    """

    def __init__(self, partial: bytes, expected: int) -> None:
        super().__init__(partial, expected)
        self.received = len(partial)
        self.message = (
            f"expected {expected} more bytes of the body, but it ended after {len(partial)}"
        )
        self.args = (self.message,)


class WriteGate:
    """Holds writers back while the transport has enough to send.

    ``pause`` and ``resume`` are for ``pause_writing`` and ``resume_writing`` of an
    asyncio protocol, ``fail`` for ``connection_lost``. Any number of tasks may
    wait; cancelling one leaves the others waiting.
    """

    __slots__ = ("_closed", "_error")

    def __init__(self) -> None:
        # Made when it is needed: most connections never fill their write buffer.
        self._closed: asyncio.Event | None = None
        self._error: BaseException | None = None

    def __repr__(self) -> str:
        state = "failed" if self._error is not None else "open" if self.is_open else "closed"
        return f"<WriteGate {state}>"

    @property
    def is_open(self) -> bool:
        """Whether ``wait`` would return at once; false after ``fail``, so that it is called."""
        return self._closed is None and self._error is None

    def pause(self) -> None:
        """Close the gate: the transport has more than enough to send."""
        if self._closed is None:
            self._closed = asyncio.Event()

    def resume(self) -> None:
        """Open the gate, and let everybody through who waits."""
        if self._closed is not None:
            self._closed.set()
            self._closed = None

    def fail(self, exc: BaseException) -> None:
        """Make every ``wait``, begun or to come, raise this: nothing can be sent any more."""
        if self._error is None:
            self._error = exc
        self.resume()

    async def wait(self) -> None:
        """Return as soon as the gate is open.

        Raises:
            BaseException: what ``fail`` was given.
        """
        # A loop: between the wake-up and our turn another task may have written enough again.
        while self._closed is not None and self._error is None:
            await self._closed.wait()
        if self._error is not None:
            raise self._error


class _Pieces:
    """Bytes in the pieces in which they came, taken out in order with the fewest copies."""

    __slots__ = ("_offset", "_pieces", "size")

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._offset = 0  # how much of the first piece is already taken
        self.size = 0

    def append(self, data: bytes) -> None:
        """Put bytes behind the others.

        Drops of a few bytes run together: otherwise a peer that sends one byte at a
        time would fill the memory with objects, each far larger than its content.
        """
        pieces = self._pieces
        if len(data) < _DROP and pieces and len(pieces[-1]) < _DROP:
            pieces[-1] += data
        else:
            pieces.append(data)
        self.size += len(data)

    def put_back(self, taken: Sequence[bytes]) -> None:
        """Put pieces that were taken out, in the order in which they were, before the others."""
        self._drop_taken()
        self._pieces.extendleft(piece for piece in reversed(taken) if piece)
        self.size += sum(map(len, taken))

    def take(self, size: int) -> bytes:
        """Take so many bytes, or all if there are fewer. A piece that fits is not copied."""
        if size >= self.size:
            return self.take_all()
        self.size -= size
        taken: list[bytes] = []
        while size > 0:
            piece = self._pieces[0]
            start = self._offset
            if size < len(piece) - start:
                self._offset += size
                taken.append(piece[start : self._offset])
                break
            self._drop_taken()
            taken.append(self._pieces.popleft())
            size -= len(taken[-1])
        return b"".join(taken)

    def take_some(self, limit: int) -> bytes:
        """Take what costs least: one piece, or some small ones, but never more than the limit."""
        size = len(self._pieces[0]) - self._offset
        if size < _WORTH_JOINING:
            for piece in islice(self._pieces, 1, None):
                if len(piece) >= _WORTH_JOINING or size + len(piece) > limit:
                    break
                size += len(piece)
        return self.take(min(size, limit))

    def take_all(self) -> bytes:
        """Take everything. Joining a single piece copies nothing."""
        self._drop_taken()
        data = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return data

    def find_end(self, separator: bytes) -> int:
        """Return how many bytes reach to the end of the separator in the first piece, or -1."""
        found = self._pieces[0].find(separator, self._offset)
        return -1 if found < 0 else found - self._offset + len(separator)

    def _drop_taken(self) -> None:
        if self._offset:
            self._pieces[0] = self._pieces[0][self._offset :]
            self._offset = 0


class _FinalBuffer:
    """Memory that a body of announced length is received into, and that then is its ``bytes``.

    ``BytesIO`` lends its memory by ``getbuffer`` and gives it away by ``getvalue``
    without a copy. It grows in steps, since the length is only the peer's word:
    what has come, as much again, and 256 KiB is the most that is ever held, and
    never more than 2 MiB beyond what has come.

    The steps cost nothing that could be measured, because a large ``realloc``
    moves page tables, not bytes: 100 MB over loopback at 1.0 to 1.15 of
    ``recv_into`` memory of the full length, pieces and a join at 0.4. Steps of
    1 MiB reach 0.95, of 16 MiB 0.85 (their memory has left the cache again when it is used).
    """

    __slots__ = ("_capacity", "_file", "_length", "_room", "size")

    FIRST_STEP: Final = 256 * _KIB
    LAST_STEP: Final = 2048 * _KIB

    def __init__(self, length: int) -> None:
        self._file = BytesIO()
        self._room = memoryview(b"")
        self._capacity = 0
        self._length = length
        self.size = 0

    def room(self) -> memoryview:
        """Return where the next bytes belong, never more than the length allows."""
        self._reclaim()
        if self.size == self._capacity < self._length:
            step = min(max(self.size, self.FIRST_STEP), self.LAST_STEP)
            self._capacity = min(self._length, self.size + step)
            self._file.seek(self._capacity - 1)
            self._file.write(b"\0")
        with self._file.getbuffer() as whole:
            self._room = whole[self.size : self._capacity]
        return self._room

    def received(self, size: int) -> None:
        """Count bytes that were put into the room.

        The room is reclaimed later: uvloop holds it until the protocol's
        ``buffer_updated`` has returned.
        """
        self.size += size

    def write(self, data: bytes) -> None:
        """Copy bytes that came another way."""
        self._reclaim()
        self._file.seek(self.size)
        self._file.write(data)
        self.size += len(data)
        self._capacity = max(self._capacity, self.size)  # BytesIO has grown if need be

    def take(self) -> bytes:
        """Give the memory away as ``bytes``; this object is of no use then."""
        self._reclaim()
        self._file.truncate(self.size)
        return self._file.getvalue()

    def _reclaim(self) -> None:
        # BytesIO can't grow while any part of it is lent.
        self._room.release()


def _nothing() -> None:
    """Stand in for a transport that needs no pause."""


class StreamIterator(AsyncIterator[_T], Generic[_T]):
    """What the ``iter_…`` methods return: calls one read again and again, until its end."""

    __slots__ = ("_end", "_read")

    def __init__(self, read: Callable[[], Awaitable[_T]], end: _T) -> None:
        self._read = read
        self._end = end

    def __aiter__(self) -> StreamIterator[_T]:
        return self

    async def __anext__(self) -> _T:
        item = await self._read()
        if item == self._end:
            raise StopAsyncIteration
        return item


class StreamReader:
    """The body of one message: a connection feeds it, one consumer reads it.

    **Reading.** Every read returns as soon as it can; at the end of the body
    ``b""``. Only one coroutine may read at a time, a second one gets
    ``InvalidUse``. Cancelling a read loses no byte: the next read has them.

    **Errors.** A body that breaks off must never pass for a complete one, and what
    came before should not be lost. So reads that promise a certain amount or a
    piece (``readexactly``, a whole line, ``read(n)``, iterating …) first give what
    came before the error, and then raise it; reads that promise the end
    (``read()``, a last line without its separator) raise at once and keep the
    bytes. The error is raised by each read from then on; no read returns ``b""``
    instead.

    **Flow.** When more than ``high_water`` bytes are queued, as they came over the
    wire, the connection is paused; it is resumed when no more than a quarter is
    left. Coded content is decoded when it is read, in steps of 64 KiB, so that a
    small coded body can't fill the memory before somebody wants it.

    **The connection's side** is ``feed_data``, ``feed_eof`` and ``set_exception``. A
    body whose length is known, and that the consumer wants whole, is received
    without a detour into the memory that the consumer gets: the connection asks
    ``get_buffer`` first, and reports with ``buffer_updated``.

    Args:
        pause: called when the connection should stop reading.
        resume: called when it should go on.
        high_water: bytes; ``Limits.read_buffer``.
        max_size: bytes of the body, decoded, that may be read; None for no bound.
        length: bytes that the body has on the wire, if that is known.
        decoder: undoes the content coding; None if there is none.
        on_first_read: called when the consumer waits although nothing has come
            yet, once: the moment for a server to send ``100 Continue`` (RFC 9110,
            section 10.1.1).
        translate: makes of an error about what the other end sent, wherever it comes
            from, what readers get: of the one that ends the body, and of each line over
            its limit. Misuse, and ``IncompleteReadError``, stay what they are.
        give_up: called with the error when the reader itself ends a body that is still
            coming: a limit was exceeded, or the content can't be decoded. Nothing more
            of it is wanted.
    """

    __slots__ = (
        "__weakref__",
        "_callbacks",
        "_decoded",
        "_decoded_in_turn",
        "_decoder",
        "_ended",
        "_error",
        "_final",
        "_give_up",
        "_high_water",
        "_is_eof",
        "_is_paused",
        "_length",
        "_max_size",
        "_on_first_read",
        "_pause",
        "_pieces",
        "_resume",
        "_total_raw_bytes",
        "_trailers",
        "_translate",
        "_waiter",
    )

    def __init__(
        self,
        *,
        pause: Callable[[], object] = _nothing,
        resume: Callable[[], object] = _nothing,
        high_water: int = DEFAULT_LIMITS.read_buffer,
        max_size: int | None = None,
        length: int | None = None,
        decoder: ContentDecoder | None = None,
        on_first_read: Callable[[], object] | None = None,
        translate: Callable[[BaseException], BaseException] | None = None,
        give_up: Callable[[BaseException], object] | None = None,
    ) -> None:
        self._give_up = give_up
        self._pause = pause
        self._resume = resume
        self._high_water = high_water
        self._max_size = max_size
        self._length = length
        self._decoder = decoder
        self._on_first_read = on_first_read
        self._translate = translate
        self._pieces = _Pieces()
        self._final: _FinalBuffer | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._ended: asyncio.Event | None = None
        self._callbacks: list[Callable[[], object]] | None = None
        self._error: BaseException | None = None
        self._is_eof = False
        self._is_paused = False
        self._trailers = _NO_TRAILERS
        self._total_raw_bytes = 0
        self._decoded = 0
        self._decoded_in_turn = 0

    @classmethod
    def complete(
        cls,
        data: bytes,
        trailers: CIMultiDictProxy[str] = _NO_TRAILERS,
        *,
        translate: Callable[[BaseException], BaseException] | None = None,
    ) -> Self:
        """Return a reader of a body that is here already: no read of it will ever wait."""
        self = cls(translate=translate)
        if data:
            self._pieces.append(data)
        self._total_raw_bytes = len(data)
        self._trailers = trailers
        self._is_eof = True
        return self

    def __repr__(self) -> str:
        of = "" if self._length is None else f" of {self._length}"
        facts = [f"{self._total_raw_bytes}{of} bytes came", f"{self._queued} queued"]
        if self._is_paused:
            facts.append("paused")
        if self._error is not None:
            facts.append(f"failed: {self._error!r}")
        elif self._is_eof:
            facts.append("complete")
        return f"<{type(self).__name__} {', '.join(facts)}>"

    # The consumer: state.

    @property
    def total_raw_bytes(self) -> int:
        """How many bytes have come over the wire, before their content coding was undone."""
        return self._total_raw_bytes

    @property
    def trailers(self) -> CIMultiDictProxy[str]:
        """The trailer fields (RFC 9110, section 6.5); empty before the end of the body."""
        return self._trailers

    def exception(self) -> BaseException | None:
        """Return the error that ended this body, or None."""
        return self._error

    def is_eof(self) -> bool:
        """Return whether the last byte has come, read or not."""
        return self._is_eof

    def at_eof(self) -> bool:
        """Return whether the body was read to its end; False if a read would raise."""
        if self._is_eof and not self._pieces.size:
            self._decode()
        return self._is_eof and not self._pieces.size and self._error is None

    def on_eof(self, callback: Callable[[], object]) -> None:
        """Call this when the last byte has come, at once if it has; never after an error.

        From then on the connection is free for the next message, whatever is still
        unread here.
        """
        if self._is_eof:
            callback()
        elif self._error is None:
            self._callbacks = [*(self._callbacks or ()), callback]

    async def wait_eof(self) -> None:
        """Return when the last byte has come.

        That waits for ever if nobody reads a body that is larger than the read
        buffer. Raises the error of a body that breaks off.
        """
        self._announce_read()
        while not self._is_eof:
            self._raise_error()
            if self._ended is None:
                self._ended = asyncio.Event()
            await self._ended.wait()

    # The consumer: reading.

    async def read(self, n: int = -1) -> bytes:
        """Return 1 to ``n`` bytes as soon as there are any; all to the end if ``n`` is -1."""
        if n < 0:
            return await self._read_to_end(_UNBOUNDED)
        self._check_alone()
        if n == 0 or not (self._pieces.size or await self._has_more()):
            return b""
        return self._take_some(n)

    async def read_all(self, limit: int | None = None) -> bytes:
        """Return all to the end, as ``read()`` does, if that is no more than ``limit`` bytes.

        Raises:
            BodyTooLarge: as soon as more is announced, or there. The body is given up
                then: its connection is closed, and each further read that finds
                nothing raises this, too.
        """
        if limit is None:
            return await self._read_to_end(_UNBOUNDED)
        if limit < 0:
            raise ValueError(f"read_all needs a limit from 0 on, not {limit}")
        return await self._read_to_end(limit)

    async def readany(self) -> bytes:
        """Return the next bytes as they came: at least one, at the cost of no needless copy."""
        return await self.read(_UNBOUNDED)

    async def readexactly(self, n: int) -> bytes:
        """Return ``n`` bytes.

        Raises:
            IncompleteReadError: if the body ends before; what was left of it is in
                ``partial``, and counts as read.
        """
        if n < 0:
            raise ValueError(f"readexactly needs a size from 0 on, not {n}")
        self._check_alone()
        taken: list[bytes] = []
        left = n
        try:
            while left and (self._pieces.size or await self._has_more()):
                taken.append(self._take(left))
                left -= len(taken[-1])
        except BaseException:
            self._put_back(taken)
            raise
        if left:
            raise IncompleteReadError(b"".join(taken), n)
        return b"".join(taken)

    async def readline(self) -> bytes:
        """Return a line with its LF; without at the end of the body, and then ``b""``."""
        return await self.readuntil(b"\n")

    async def readuntil(self, separator: bytes = b"\n", *, max_size: int | None = None) -> bytes:
        """Return the bytes up to a separator, and the separator; at the end, what is left.

        Raises:
            LimitExceeded: if that would be more than ``max_size`` bytes, the size of
                the read buffer by default. The bytes stay where they are, and
                another kind of read can have them. A server answers 413. What
                ``translate`` makes of it, if there is one.
        """
        if not separator:
            raise ValueError("the separator of readuntil must have at least one byte")
        self._check_alone()
        if not (self._pieces.size or await self._has_more()):
            return b""
        limit = self._high_water if max_size is None else max_size
        if 0 < (end := self._pieces.find_end(separator)) <= limit:
            return self._take(end)
        limit_name = "read_buffer" if max_size is None else "max_size"
        return await self._collect_line(separator, limit, limit_name)

    async def readchunk(self) -> tuple[bytes, bool]:
        """Return ``(data, True)`` for the next bytes, and ``(b"", False)`` at the end.

        The flag says that the data is a chunk of its own. It does not mean a chunk of
        the transfer coding: where those begin and end has no meaning, and anybody on
        the way may change it (RFC 9112, section 7.1).
        """
        data = await self.readany()
        return data, bool(data)

    def read_nowait(self, n: int = -1) -> bytes:
        """Return what is queued, up to ``n`` bytes; ``b""`` if nothing is.

        Of a coded body that is what one step of decoding gives.
        """
        self._check_alone()
        if not self._pieces.size and not self._decode():
            self._raise_error()
        return self._take(_UNBOUNDED if n < 0 else n)

    def unread_data(self, data: bytes) -> None:
        """Put bytes back, so that the next read returns them first."""
        self._check_alone()
        self._put_back([data])

    def __aiter__(self) -> StreamIterator[bytes]:
        """Iterate over lines, as ``readline`` returns them."""
        return StreamIterator(self.readuntil, b"")

    def iter_chunked(self, n: int) -> StreamIterator[bytes]:
        """Iterate over pieces of 1 to ``n`` bytes."""
        if n < 1:
            raise ValueError(f"iter_chunked needs a size from 1 on, not {n}")
        return StreamIterator(partial(self.read, n), b"")

    def iter_any(self) -> StreamIterator[bytes]:
        """Iterate over pieces as they come."""
        return StreamIterator(self.readany, b"")

    def iter_chunks(self) -> StreamIterator[tuple[bytes, bool]]:
        """Iterate over what ``readchunk`` returns."""
        return StreamIterator(self.readchunk, (b"", False))

    # The connection.

    def feed_data(self, data: bytes) -> None:
        """Add bytes of the body, as they came over the wire but without chunk framing.

        After an error they are dropped.
        """
        if self._is_eof:
            raise InvalidUse(f"feed_data({len(data)} bytes) after the end of the body")
        if not data or not self._count(len(data)):
            return
        if self._final is not None:
            self._final.write(data)
            return
        if self._decoder is None:
            self._pieces.append(data)
        else:
            self._decoder.feed(data)
        if self._waiter is not None:
            self._wake()
        if self._queued > self._high_water:
            self._regulate()

    def feed_eof(self, trailers: CIMultiDictProxy[str] | None = None) -> None:
        """End the body: all of it was fed. Ends a pause, too, for the sake of the next message."""
        if self._is_eof or self._error is not None:
            return
        self._is_eof = True
        if trailers is not None:
            self._trailers = trailers
        if self._decoder is not None:
            self._decoder.end()
        callbacks, self._callbacks = self._callbacks, None
        self._end()
        for callback in callbacks or ():
            callback()

    def set_exception(self, exc: BaseException) -> None:
        """End the body by an error. Ignored if it has ended already, well or not."""
        if not self._is_eof:
            self._fail(exc)

    def get_buffer(self) -> memoryview | None:
        """Return where the next bytes of the body belong; None to receive and feed as usual.

        For the ``get_buffer`` of an ``asyncio.BufferedProtocol``. The memory ends where
        the body ends, so that nothing of the next message can get into it. What was
        received into it must be reported by ``buffer_updated`` before anything else.
        """
        if self._final is None or self._error is not None:
            return None
        return self._final.room() or None

    def buffer_updated(self, size: int) -> None:
        """Take over bytes that were received into what ``get_buffer`` returned."""
        if self._final is None:
            raise InvalidUse(f"buffer_updated({size}), but no read has lent a buffer")
        if self._count(size):
            self._final.received(size)

    # Inside.

    async def _read_to_end(self, limit: int) -> bytes:
        self._check_alone()
        self._raise_error()
        missing = 0
        if self._length is not None and self._decoder is None:
            missing = self._length - self._total_raw_bytes
        self._check_room(self._pieces.size + missing, limit)
        if missing >= _WORTH_FINAL:
            return await self._receive_to_end(missing)
        if self._is_eof and self._decoder is None:
            return self._pieces.take_all()
        taken: list[bytes] = []
        size = 0
        try:
            while await self._has_more():
                size += self._pieces.size
                self._check_room(size, limit)
                taken.append(self._pieces.take_all())
                self._regulate()
        except BaseException:
            self._put_back(taken)
            raise
        return b"".join(taken)

    def _check_room(self, size: int, limit: int) -> None:
        """Refuse a body of so many bytes, if a read is bound to fewer."""
        if size > limit:
            message = f"expected a body of at most {limit} bytes, got {size} or more"
            self._refuse(BodyTooLarge(message, name="limit", limit=limit))
            self._raise_error()

    async def _collect_line(self, separator: bytes, limit: int, limit_name: str) -> bytes:
        """Return a line that doesn't end in the first piece. No byte is searched twice."""
        line = bytearray()
        try:
            while await self._has_more():
                start = max(0, len(line) - len(separator) + 1)
                line += self._take_some(_UNBOUNDED)
                found = line.find(separator, start)
                end = len(line) if found < 0 else found + len(separator)
                if end > limit:
                    message = f"expected {separator!r} within {limit} bytes of the body, found none"
                    raise self._translated(LimitExceeded(message, name=limit_name, limit=limit))
                if found >= 0:
                    rest = bytes(line[end:])
                    del line[end:]
                    self._put_back([rest])
                    break
        except BaseException:
            self._put_back([bytes(line)])
            raise
        return bytes(line)

    async def _receive_to_end(self, missing: int) -> bytes:
        final = _FinalBuffer(self._pieces.size + missing)
        final.write(self._pieces.take_all())
        self._final = final
        try:
            self._regulate()
            while not self._is_eof:
                self._raise_error()
                await self._wait()
        except BaseException:
            self._final = None
            self._put_back([final.take()])
            raise
        self._final = None
        return final.take()

    @property
    def _queued(self) -> int:
        """How many bytes wait here in the form in which they came."""
        return self._pieces.size if self._decoder is None else self._decoder.pending

    async def _has_more(self) -> bool:
        """Return True when there is something to read, False at the end; raise the error."""
        if self._decoded_in_turn >= DECODE_TURN:
            asyncio.get_running_loop().call_soon(self._wake)
            await self._wait()
        while not self._pieces.size and not self._decode():
            self._raise_error()
            if self._is_eof:
                return False
            await self._wait()
        return True

    async def _wait(self) -> None:
        """Return when something has happened, or for no reason."""
        self._decoded_in_turn = 0
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            self._announce_read()
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _announce_read(self) -> None:
        hook, self._on_first_read = self._on_first_read, None
        if hook is not None and not self._total_raw_bytes and not self._is_eof:
            hook()

    def _check_alone(self) -> None:
        if self._waiter is not None:
            raise InvalidUse(
                "another coroutine is reading this body: expected one reader at a time"
            )

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _take(self, size: int) -> bytes:
        data = self._pieces.take(size)
        if self._is_paused:
            self._regulate()
        return data

    def _take_some(self, limit: int) -> bytes:
        data = self._pieces.take_some(limit)
        if self._is_paused:
            self._regulate()
        return data

    def _put_back(self, taken: Sequence[bytes]) -> None:
        self._pieces.put_back(taken)
        self._regulate()

    def _regulate(self) -> None:
        """Pause or resume the connection as the queue demands; last, for it may feed at once."""
        has_ended = self._is_eof or self._error is not None
        if not self._is_paused:
            if self._queued > self._high_water and not has_ended:
                self._is_paused = True
                self._pause()
        elif self._queued <= self._high_water // 4 or has_ended:
            self._is_paused = False
            self._resume()

    def _count(self, size: int) -> bool:
        """Count what came; False if it must be dropped."""
        if self._error is not None:
            return False
        self._total_raw_bytes += size
        return self._decoder is not None or self._is_within_limit(self._total_raw_bytes)

    def _is_within_limit(self, size: int) -> bool:
        limit = self._max_size
        if limit is None or size <= limit:
            return True
        message = f"got {size} bytes of a body, expected no more than {limit}"
        self._refuse(BodyTooLarge(message, name="decoded", limit=limit))
        return False

    def _decode(self) -> bool:
        """Make one step of decoding; False if it gave nothing: more must come, or the end is here.

        An error of the content waits, as one of the connection does, until a read raises it.
        """
        if self._decoder is None:
            return False
        try:
            data = self._decoder.read(_DECODE_STEP)
        except HttpException as exc:
            self._refuse(exc)
            return False
        if self._is_paused:
            self._regulate()
        if not data:
            return False
        self._decoded += len(data)
        self._decoded_in_turn += len(data)
        if not self._is_within_limit(self._decoded):
            return False
        self._pieces.append(data)
        return True

    def _refuse(self, exc: BaseException) -> None:
        """End the body by an error of our own, and have no more of it sent."""
        is_first = self._error is None
        self._fail(exc)
        if is_first and self._give_up is not None and not self._is_eof:
            self._give_up(exc)

    def _fail(self, exc: BaseException) -> None:
        if self._error is None:
            self._error = self._translated(exc)
            self._callbacks = None
            self._end()

    def _translated(self, exc: BaseException) -> BaseException:
        return exc if self._translate is None else self._translate(exc)

    def _end(self) -> None:
        """Tell everybody that nothing more will come."""
        self._wake()
        if self._ended is not None:
            self._ended.set()
        self._regulate()


class _EmptyStream(StreamReader):
    """The reader of a message without a body: shared, so nothing can be put into it."""

    __slots__ = ()

    def unread_data(self, data: bytes) -> None:
        """Refuse: these bytes can't come from here."""
        if data:
            raise InvalidUse(f"unread_data({len(data)} bytes) of a message that has no body")


EMPTY_STREAM: Final[StreamReader] = _EmptyStream.complete(b"")
"""For every message that has no body: each read is at the end at once."""


class _ReceiveBuffer(threading.local):
    view: memoryview | None = None


_receive_buffer = _ReceiveBuffer()


def _keep_freed_memory() -> None:
    """Have the C library keep what is freed, up to 8 MiB, for what is allocated next.

    By default glibc gives 128 KiB at the end of the heap back to the kernel, which has to
    clear it anew for each body: a POST of 64 KiB takes 64 µs of processor like that, and 39
    otherwise. Its bounds follow the largest block that was ever freed (mallopt(3), "dynamic
    mmap threshold"): this one, of which not a page is touched.
    """
    bytearray(4 * 1024 * _KIB)


def receive_buffer() -> memoryview:
    """Return the buffer that all connections of this thread receive into.

    An event loop asks a ``BufferedProtocol`` for a buffer, receives and reports in
    one go, so that one buffer is enough, and stays in the processor's cache. What
    must be kept has to be copied before ``buffer_updated`` returns.
    """
    if _receive_buffer.view is None:
        _keep_freed_memory()
        _receive_buffer.view = memoryview(bytearray(_RECEIVE_SIZE))
    return _receive_buffer.view
