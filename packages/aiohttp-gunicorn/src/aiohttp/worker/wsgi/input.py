"""What a WSGI application reads a request's content from: ``wsgi.input``."""

from __future__ import annotations

import io
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from .waiting import ClientWait

__all__ = ["PIECE", "BlockingInput", "UnreadableBody"]

PIECE = 64 * 1024


class UnreadableBody(OSError):
    """A body that can't be read to its end. Frameworks take an OSError for a lost client.

    Attributes:
        cause: why: the body is malformed, too slow, too large or cut short, or
            its request is over.
    """

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"the request's body can't be read: {cause}")
        self.cause = cause


class BlockingInput(io.RawIOBase):
    """A body that arrives on the loop, read by a thread that waits for it.

    ``first`` is what was read before the thread started. ``ask(size)`` asks the loop
    for up to ``size`` bytes more, which come by ``feed``. Nothing is read ahead of
    the application beyond one piece and what the connection holds, so a slow
    application slows its client down; ``client`` is the patience with a slow client.
    """

    def __init__(self, ask: Callable[[int], None], client: ClientWait, first: bytes = b"") -> None:
        self._ask = ask
        self._client = client
        self._first = first
        self._replies: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._error: Exception | None = None
        self._is_left = False

    # For the thread.

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill ``buffer`` with what there is, at least one byte; 0 at the end of the body.

        A writable buffer: the type has no name before Python 3.12.

        Raises:
            UnreadableBody: now and from then on, once the body has gone wrong.
        """
        target = memoryview(buffer).cast("B")
        piece = self._fetch(len(target))
        target[: len(piece)] = piece
        return len(piece)

    def readall(self) -> bytes:
        """Return the rest of the body; errors as in ``readinto``."""
        pieces: list[bytes] = []
        while piece := self._fetch(PIECE):
            pieces.append(piece)
        return b"".join(pieces)

    def _fetch(self, size: int) -> bytes:
        if self._first:
            piece, self._first = self._first[:size], self._first[size:]
            return piece
        if self._is_left:
            return b""
        if self._error is None:
            self._ask(size)
            reply = self._client.get(self._replies)
            if isinstance(reply, bytes):
                self._client.note_progress(len(reply))
                return reply
            self._error = reply
        raise UnreadableBody(self._error) from self._error

    # For the loop.

    def feed(self, reply: bytes | Exception) -> None:
        """Give the thread what it asked for: bytes, none at the end, or why there are none."""
        self._replies.put(reply)

    def end(self) -> None:
        """Fail the read that waits, and every later one: the request is over."""
        self._replies.put(EOFError("the request is over"))

    def leave(self) -> None:
        """Have reads give only what has come already: the thread has ended, the loop reads on."""
        self._is_left = True
