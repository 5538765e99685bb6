"""The body of a request on its way: how far it has got, and in which chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing

from aiohttp.protocol.payload import pieces_of

from .errors import UploadAbortedError

__all__ = ["UploadTracker", "in_chunks"]


class UploadTracker:
    """Follows the upload of one request, from a running loop: ``upload_tracker=``.

    Attributes:
        bytes_written: of the body that were handed to the transport, without framing;
            from 0 again when it is sent once more.
        attempts: how many times the body was begun: once more for each redirect that
            keeps it, and for a repetition on another connection.
        upload_complete: a future that is done when the body was sent whole, and fails
            with ``UploadAbortedError`` if it never will be.
    """

    def __init__(self) -> None:
        self.bytes_written = 0
        self.attempts = 0
        self.upload_complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_taken = False
        self._is_last = False  # no further attempt will come
        self._under_way = 0  # bodies that are being sent, or waited for

    def __repr__(self) -> str:
        return f"<UploadTracker {self.bytes_written} bytes, attempt {self.attempts}>"

    def bind(self) -> None:
        """Belong to one request.

        Raises:
            RuntimeError: if this belongs to another one.
        """
        if self._is_taken:
            raise RuntimeError("this UploadTracker follows another request: make a new one")
        self._is_taken = True

    def nothing_to_send(self) -> None:
        """Know that the request has no body: that is sent already, unless it had one before."""
        if not self.attempts and not self.upload_complete.done():
            self.upload_complete.set_result(None)

    async def follow(self, body: bytes | AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        """Yield the body piece by piece, and count what was taken."""
        self.attempts += 1
        attempt, self.bytes_written = self.attempts, 0
        self._under_way += 1
        is_whole = False
        try:
            async with aclosing(pieces_of(body)) as pieces:
                async for piece in pieces:
                    yield piece
                    # Whoever asks for the next piece has sent this one.
                    if attempt == self.attempts:
                        self.bytes_written += len(piece)
            is_whole = attempt == self.attempts
        finally:
            self._under_way -= 1
            if is_whole and not self.upload_complete.done():
                self.upload_complete.set_result(None)
            self._settle()

    def end(self) -> None:
        """Know that the request won't be sent again."""
        self._is_last = True
        self._settle()

    def _settle(self) -> None:
        if self._is_last and not self._under_way and not self.upload_complete.done():
            error = UploadAbortedError(
                f"the body was not sent whole: only {self.bytes_written} bytes of it"
            )
            self.upload_complete.set_exception(error)
            self.upload_complete.exception()  # whoever doesn't ask need not be told


async def in_chunks(body: AsyncIterable[bytes], size: int) -> AsyncGenerator[bytes, None]:
    """Yield a body in pieces of ``size`` bytes, however it comes; the last one may be shorter."""
    rest = bytearray()
    async with aclosing(pieces_of(body)) as pieces:
        async for piece in pieces:
            rest += piece
            whole = len(rest) - len(rest) % size
            for start in range(0, whole, size):
                yield bytes(rest[start : start + size])
            del rest[:whole]
    if rest:
        yield bytes(rest)
