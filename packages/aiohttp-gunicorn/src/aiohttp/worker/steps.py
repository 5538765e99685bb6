"""The way from an application's thread to the coroutine that answers its request.

The thread posts steps, the coroutine takes them one after the other. Only so
much of a response waits between the two: ``AHEAD`` bytes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import IO, NamedTuple, TypeAlias

from .threads import Inbox

__all__ = [
    "AHEAD",
    "Chunk",
    "ClientGone",
    "End",
    "Finish",
    "ReadBody",
    "ResponseFields",
    "SendFile",
    "Start",
    "Step",
    "Steps",
    "Whole",
]

AHEAD = 64 * 1024
"""Bytes of a response that an application may produce before they are written."""

ResponseFields: TypeAlias = list[tuple[str, str]]


class ClientGone(ConnectionResetError):
    """Nobody takes the response any more: the client has gone, or the worker is stopping."""


class Whole(NamedTuple):
    """A response that is complete."""

    status: int
    reason: str | None
    fields: ResponseFields
    body: bytes


class Start(NamedTuple):
    """The head of a response whose body follows."""

    status: int
    reason: str | None
    fields: ResponseFields


class Chunk(NamedTuple):
    """A part of the body."""

    data: bytes


class SendFile(NamedTuple):
    """A part of the body: ``size`` bytes of a regular file."""

    file: IO[bytes]
    offset: int
    size: int


class Finish(NamedTuple):
    """The body is complete."""


class ReadBody(NamedTuple):
    """The application waits for up to ``size`` bytes of the request's body."""

    size: int


class End(NamedTuple):
    """The application has returned and is closed; ``error`` is what the connection answers for."""

    error: Exception | None


Step: TypeAlias = Whole | Start | Chunk | SendFile | Finish | ReadBody | End


class Steps:
    """The steps of one request: posted by one thread, taken by one coroutine.

    ``miss`` is called on the loop with the application's error, if it comes when
    nobody takes the steps any more.
    """

    __slots__ = (
        "_arrived",
        "_inbox",
        "_miss",
        "_unwritten",
        "_waiter",
        "_written",
        "is_abandoned",
    )

    def __init__(self, inbox: Inbox, miss: Callable[[Exception], object]) -> None:
        self._inbox = inbox
        self._miss = miss
        # Touched on the loop only.
        self._arrived: deque[Step] = deque()
        self._waiter: asyncio.Future[None] | None = None
        # Touched by the thread only.
        self._unwritten = 0
        # Between the two.
        self._written: SimpleQueue[int] = SimpleQueue()
        self.is_abandoned = False

    # For the thread.

    def post(self, step: Step) -> None:
        """Hand over a step that needs no room."""
        self._inbox.post(self._arrive, step)

    def post_chunk(self, data: bytes) -> None:
        """Hand over a part of the body; wait while ``AHEAD`` bytes are not yet written.

        Raises:
            ClientGone: if nobody takes the steps any more.
        """
        self._unwritten += len(data)
        self.post(Chunk(data))
        self._wait_for_room(AHEAD)

    def post_file(self, step: SendFile) -> None:
        """Hand over a file, and wait until it is sent: then it may be closed.

        Raises:
            ClientGone: if nobody takes the steps any more.
        """
        self._unwritten += 1
        self.post(step)
        self._wait_for_room(0)

    def _wait_for_room(self, unwritten: int) -> None:
        while self._unwritten > unwritten and not self.is_abandoned:
            self._unwritten -= self._written.get()
        if self.is_abandoned:
            raise ClientGone("the client has gone, or the worker is stopping")

    # For the coroutine.

    async def next(self) -> Step:
        """Return the next step. Chunks that already wait come joined, as one write."""
        if not self._arrived:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        step = self._arrived.popleft()
        if not isinstance(step, Chunk):
            return step
        pieces = [step.data]
        while self._arrived and isinstance(chunk := self._arrived[0], Chunk):
            pieces.append(chunk.data)
            self._arrived.popleft()
        return step if len(pieces) == 1 else Chunk(b"".join(pieces))

    def note_written(self, step: Chunk | SendFile) -> None:
        """Make room for the thread: the connection has taken this step."""
        self._written.put(len(step.data) if isinstance(step, Chunk) else 1)

    def abandon(self) -> None:
        """Take no more steps: the thread's next chunk, or the one that waits, fails."""
        self.is_abandoned = True
        self._written.put(0)
        while self._arrived:
            self._drop(self._arrived.popleft())

    def _arrive(self, step: Step) -> None:
        if self.is_abandoned:
            self._drop(step)
            return
        self._arrived.append(step)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _drop(self, step: Step) -> None:
        # Here, on the loop, an error is either taken or missed, never both, never neither.
        if isinstance(step, End) and step.error is not None:
            self._miss(step.error)
