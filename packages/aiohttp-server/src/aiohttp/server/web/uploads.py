"""Files that clients upload: a little of them in memory, the rest in one temporary file.

One for all files of a form. With one for each, a form of a thousand files would take
all the descriptors that the process has.
"""

from __future__ import annotations

import asyncio
import io
import threading
from typing import IO, Any, Final

from aiohttp.protocol import KIB

__all__ = ["Spool", "Upload"]

# Bytes that are written in one go, by a thread: the way there and back costs 0.1 ms.
_BATCH: Final = 512 * KIB


class Spool:
    """Where the files of one form are kept.

    Args:
        room: how many bytes of all of them together stay in memory.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.lock = threading.Lock()  # of the position: files may be read in threads
        self._disk: IO[bytes] | None = None
        self._size = 0
        self._writing: asyncio.Future[None] | None = None

    @property
    def is_on_disk(self) -> bool:
        """Whether there is a temporary file, which ``close`` removes."""
        return self._disk is not None

    @property
    def disk(self) -> IO[bytes]:
        """The temporary file, made at first look; it has no name, so no crash leaves it behind."""
        if self._disk is None:
            from tempfile import TemporaryFile

            self._disk = TemporaryFile(buffering=0)  # noqa: SIM115 - see close
        return self._disk

    async def append(self, data: bytearray) -> int:
        """Write behind everything else, in a thread; return where that begins.

        If this is cancelled the thread goes on, so ``close`` waits for it.
        """
        start = self._size
        self._size += len(data)
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(None, self._write, data)
        await asyncio.shield(self._writing)
        return start

    def _write(self, data: bytearray) -> None:
        left = memoryview(data)
        while left:
            left = left[self.disk.write(left) :]

    def close(self) -> None:
        """Remove the temporary file, now, or when the thread that writes is done. Twice is fine."""
        writing = self._writing
        if writing is not None and not writing.done():
            writing.add_done_callback(self._close_behind)
        elif self._disk is not None:
            with self.lock:  # nobody may read from a descriptor that is another file's by then
                self._disk.close()

    def _close_behind(self, writing: asyncio.Future[None]) -> None:
        writing.exception()  # nobody waits for it
        self.close()


class Upload:
    """One file on its way into a spool.

    Attributes:
        size: bytes so far.
    """

    def __init__(self, spool: Spool) -> None:
        self.size = 0
        self._spool = spool
        self._start: int | None = None  # in the temporary file
        self._unwritten = bytearray()

    async def write(self, data: bytes) -> None:
        """Take some bytes."""
        self._unwritten += data
        self.size += len(data)
        is_in_memory = self._start is None
        if len(self._unwritten) > (self._spool.room if is_in_memory else _BATCH):
            await self._flush()

    async def finish(self) -> IO[bytes]:
        """Return the whole, to be read from its beginning."""
        if self._start is None:
            self._spool.room -= self.size
            return io.BytesIO(self._unwritten)
        if self._unwritten:
            await self._flush()
        return io.BufferedReader(_Section(self._spool, self._start, self.size))

    async def _flush(self) -> None:
        data, self._unwritten = self._unwritten, bytearray()
        start = await self._spool.append(data)
        if self._start is None:
            self._start = start


class _Section(io.RawIOBase):
    """A part of a spool's temporary file, as a file of its own."""

    def __init__(self, spool: Spool, start: int, size: int) -> None:
        super().__init__()
        self._spool = spool
        self._start = start
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative position {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        left = max(0, self._size - self._position)
        with memoryview(buffer) as whole, whole[:left] as wanted, self._spool.lock:
            disk: Any = self._spool.disk
            disk.seek(self._start + self._position)
            size: int = disk.readinto(wanted)
        self._position += size
        return size
