"""The way from an application's thread to the coroutine that answers its request.

The thread posts steps, the coroutine takes them one after the other. Only so
much of a response waits between the two: ``AHEAD`` bytes.
"""

from __future__ import annotations

import asyncio
import io
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import IO

from aiohttp.protocol import Exchange, TakenExchange

from ..heads import parse_hints
from .spool import Spill
from .steps import Chunk, Inform, SendFile, SendSpilled, Settle, Step, Whole
from .threads import ThreadPool, Ticket
from .waiting import ClientWait

__all__ = ["AHEAD", "AHEAD_ON_DISK", "ClientGone", "Handover"]

AHEAD = 64 * 1024
"""Bytes of a response that an application may produce before they are written."""

AHEAD_ON_DISK = 1024 * 1024 * 1024
"""As many if its thread is the only one, and its client reads slowly: others must not wait."""


GONE = "the client has gone, or the worker is stopping"


class ClientGone(ConnectionResetError):
    """Nobody takes the response any more: the client has gone, or the worker is stopping."""


class Handover:
    """The steps of one request: posted by one thread, taken by one coroutine.

    ``drop`` is called on the loop with each step that nobody takes any more.

    Attributes:
        is_abandoned: whether nobody takes steps any more.
        taken: an exchange for which there is no coroutine yet. An answer that comes as a
            whole is sent at once then, and any other first step has it called.
        ticket: of the thread's job.
    """

    __slots__ = (
        "_arrived",
        "_client",
        "_drop",
        "_exchange",
        "_files",
        "_pool",
        "_spill",
        "_unwritten",
        "_waiter",
        "_written",
        "is_abandoned",
        "taken",
        "ticket",
    )

    def __init__(
        self, pool: ThreadPool, exchange: Exchange, drop: Callable[[Exchange, Step], object]
    ) -> None:
        self._pool = pool
        self._exchange = exchange
        self._drop = drop
        # Touched on the loop only.
        self._arrived: deque[Step] = deque()
        self._waiter: asyncio.Future[None] | None = None
        # Touched by the thread only.
        self._unwritten = 0
        self._client: ClientWait | None = None
        self._spill: Spill | None = None
        # By both, but not at a time.
        self._files: Sequence[IO[bytes]] = ()
        # Between the two. The queue is made by the thread, if it ever has to wait.
        self._written: SimpleQueue[int] | None = None
        self.is_abandoned = False
        self.taken: TakenExchange | None = None
        self.ticket: Ticket = []

    # For the thread.

    @property
    def client(self) -> ClientWait:
        """The patience with this request's client."""
        if self._client is None:
            self._client = ClientWait(self._pool)
        return self._client

    def post(self, step: Step) -> None:
        """Hand over a step that needs no room."""
        self._pool.inbox.post(self._arrive, step)

    def post_chunk(self, data: bytes) -> None:
        """Hand over a part of the body; wait while ``AHEAD`` bytes are not yet written.

        Raises:
            ClientGone: if nobody takes the steps any more.
        """
        if self._spill is not None:
            for start in range(0, len(data), self._spill.ahead):
                self._post_spilled(self._spill, data[start : start + self._spill.ahead])
        elif self._pool.most > 1:
            self._post_counted(Chunk(data), len(data), AHEAD, self.client.get)
        else:
            try:
                self._post_counted(Chunk(data), len(data), AHEAD, self.client.get_in_time)
            except Empty:
                self._begin_to_spill()

    def post_file(self, step: SendFile) -> None:
        """Hand over a file; the application may close it at once, this has one of its own."""
        file = io.FileIO(os.dup(step.file.fileno()))
        self.post(SendFile(file, step.offset, step.size))

    def post_hints(self, headers: Iterable[tuple[str | bytes, str | bytes]]) -> None:
        """Hand over early hints: ``wsgi.early_hints``, with the arguments of gunicorn's own.

        Raises:
            LocalProtocolError: if a header can't be sent.
        """
        self.post(Inform(parse_hints(headers)))

    def settle(self) -> None:
        """Wait until everything that was posted is done, or nobody takes it any more.

        The one thread of its pool waits no longer than it has patience.
        """
        get = self.client.get if self._pool.most > 1 else self.client.get_in_time
        with suppress(ClientGone, Empty):
            self._post_counted(Settle(), 1, 0, get)

    def written(self) -> None:
        """Return what ``write()`` returns in a thread, where it has waited for room."""

    def own(self, file: IO[bytes]) -> None:
        """Close a file when the steps are over, and so is the thread's job."""
        self._files = [*self._files, file]
        if self.is_abandoned:
            file.close()

    def _begin_to_spill(self) -> None:
        self._spill = Spill(AHEAD_ON_DISK)
        self.own(self._spill.file)

    def _post_spilled(self, spill: Spill, data: bytes) -> None:
        if self.is_abandoned:  # and so the file may be closed
            raise ClientGone(GONE)
        step = SendSpilled(spill.file, spill.add(data), len(data))
        self._post_counted(step, len(data), spill.ahead, self.client.get)

    def _post_counted(
        self,
        step: Step,
        size: int,
        room: int,
        get: Callable[[SimpleQueue[int]], int],
    ) -> None:
        """Hand over a step of this size, and wait until no more than ``room`` is not yet done."""
        written = self._written
        if written is None:
            # Before it is asked below whether the coroutine goes on: it fills the queue after it
            # has said that it doesn't.
            written = self._written = SimpleQueue()
        self._unwritten += size
        self.post(step)
        while self._unwritten > room and not self.is_abandoned:
            done = get(written)
            self.client.note_progress(done)
            self._unwritten -= done
        if self.is_abandoned:
            raise ClientGone(GONE)

    # For the coroutine.

    async def next(self) -> Step:
        """Return the next step. Chunks that already wait come joined, as one write."""
        if not self._arrived:
            self._waiter = self._pool.inbox.loop.create_future()
            await self._waiter
        step = self._arrived.popleft()
        if not isinstance(step, Chunk):
            return step
        pieces = [step.data]
        while self._arrived and isinstance(chunk := self._arrived[0], Chunk):
            pieces.append(chunk.data)
            self._arrived.popleft()
        return step if len(pieces) == 1 else Chunk(b"".join(pieces))

    def note_done(self, step: Step) -> None:
        """Make room for the thread: this step is done."""
        if self._written is not None:
            if isinstance(step, Chunk):
                self._written.put(len(step.data))
            elif isinstance(step, SendSpilled):
                self._written.put(step.size)
            elif isinstance(step, Settle):
                self._written.put(1)

    def abandon(self) -> None:
        """Take no more steps: the thread's next chunk, or the one that waits, fails."""
        if self.is_abandoned:
            return
        self.is_abandoned = True
        self.ticket.clear()  # a client that went while all threads were busy isn't worked for
        if self._written is not None:
            self._written.put(0)
        if self._files:
            self._pool.submit(self._close_files)  # the one thread has ended its job then
        # Here, on the loop, a step is either taken or dropped, never both, never neither.
        while self._arrived:
            self._drop(self._exchange, self._arrived.popleft())

    def _close_files(self) -> None:
        for file in self._files:
            file.close()

    def _arrive(self, step: Step) -> None:
        if self.is_abandoned:
            self._drop(self._exchange, step)
            return
        if self.taken is not None:
            self._take_first(self.taken, step)
            return
        if isinstance(step, SendSpilled) and self._arrived:
            last = self._arrived[-1]
            if isinstance(last, SendSpilled) and last.offset + last.size == step.offset:
                # They are as many as the application likes.
                self._arrived[-1] = last._replace(size=last.size + step.size)
                return
        self._arrived.append(step)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _take_first(self, exchange: TakenExchange, step: Step) -> None:
        """Send what is all there is; otherwise have the coroutine take this and what follows."""
        self.taken = None
        if isinstance(step, Whole) and step.is_end and len(step.body) <= AHEAD:
            status, reason, fields, body, _ = step
            self.is_abandoned = True
            exchange.respond_now(status, fields, body, reason=reason)
            return
        self._arrived.append(step)
        exchange.handle()
        if exchange.task is not None:
            # One that is cancelled before it has begun gets to no ``finally``.
            exchange.task.add_done_callback(lambda _: self.abandon())
