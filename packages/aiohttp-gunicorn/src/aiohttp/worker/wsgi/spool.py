"""What waits on the disk for slow clients, of an application that has but one thread.

Nothing can take the place of that thread while it waits for its client. So it doesn't wait:
the application is called when the whole body is there, and its response is taken from it.
"""

from __future__ import annotations

import asyncio
import io
import os
from tempfile import TemporaryFile
from typing import IO

from aiohttp.protocol import StreamReader

__all__ = ["Spill", "read_up_to", "spool"]

IN_MEMORY = 1024 * 1024
"""Bytes of a body that are kept in memory; a longer one goes to the disk, in such pieces."""


async def read_up_to(body: StreamReader, size: int) -> bytes:
    """Return so many bytes, or fewer at the end of the body; errors are those of ``body.read``."""
    pieces: list[bytes] = []
    while size > 0 and (piece := await body.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


async def spool(body: StreamReader) -> IO[bytes]:
    """Return a file that stands at the beginning of the body; a long one is on the disk.

    Errors are those of ``body.read``, and of the disk. Cancelling leaves no file behind.
    """
    first = await read_up_to(body, IN_MEMORY)
    if body.at_eof():
        return io.BytesIO(first)
    # Not on the loop: a disk may be busy.
    file = await _make_file()
    try:
        piece = first
        while piece:
            await asyncio.to_thread(file.write, piece)
            piece = await read_up_to(body, IN_MEMORY)
        await asyncio.to_thread(file.seek, 0)
    except BaseException:
        # Nor this: it waits for a write() that goes on in its thread when it is cancelled here.
        asyncio.get_running_loop().run_in_executor(None, file.close)
        raise
    return file


async def _make_file() -> IO[bytes]:
    making = asyncio.ensure_future(asyncio.to_thread(TemporaryFile))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        making.add_done_callback(_close_made)
        raise


def _close_made(making: asyncio.Future[io.BufferedRandom]) -> None:
    if making.exception() is None:
        making.result().close()


class Spill:
    """Parts of a response on the disk: a thread adds them, the loop sends them.

    The file has no more than three times ``ahead`` bytes, however long the response is: after
    twice as many its front is used again.

    Args:
        ahead: so many bytes may wait to be sent when one more part is added, and no part is
            longer. So what the new one lies upon has been sent.

    Attributes:
        file: where they are, as the loop reads it; adding doesn't move its position.
    """

    def __init__(self, ahead: int) -> None:
        self.ahead = ahead
        self.file: IO[bytes] = TemporaryFile(buffering=0)  # noqa: SIM115 - its owner's
        self._end = 0

    def add(self, data: bytes) -> int:
        """Return where these bytes are from now on.

        Raises:
            OSError: if the disk has no room for them.
        """
        if self._end >= 2 * self.ahead:
            self._end = 0
        offset = self._end
        rest = memoryview(data)
        while rest:
            size = os.pwrite(self.file.fileno(), rest, self._end)
            self._end += size
            rest = rest[size:]
        return offset
