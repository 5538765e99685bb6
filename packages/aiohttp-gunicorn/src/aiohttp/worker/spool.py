"""A whole request body in a file, for an application that has but one thread.

Nothing can take the place of that thread while it waits for a slow client. So it never
waits: the application is called when the body is there.
"""

from __future__ import annotations

import asyncio
import io
from tempfile import TemporaryFile
from typing import IO

from aiohttp.protocol import StreamReader

__all__ = ["read_up_to", "spool"]

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
    file = await asyncio.to_thread(TemporaryFile)
    try:
        piece = first
        while piece:
            await asyncio.to_thread(file.write, piece)
            piece = await read_up_to(body, IN_MEMORY)
        await asyncio.to_thread(file.seek, 0)
    except BaseException:
        file.close()
        raise
    return file
