"""``Spool``: where uploaded files are kept, and how their memory and descriptor are given back."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import threading
from typing import IO, Any

import pytest

from aiohttp.server.web.uploads import Spool, Upload
from served import settle


async def uploaded(spool: Spool, *pieces: bytes) -> IO[bytes]:
    """Return the file that these pieces make."""
    upload = Upload(spool)
    for piece in pieces:
        await upload.write(piece)
    assert upload.size == sum(map(len, pieces))
    return await upload.finish()


async def test_small_files_stay_in_memory() -> None:
    """Up to ``room`` bytes of all files together nothing is written."""
    spool = Spool(10)
    files = [
        await uploaded(spool, b"abc", b"de"),
        await uploaded(spool),
        await uploaded(spool, b"fghij"),
    ]
    assert [file.read() for file in files] == [b"abcde", b"", b"fghij"]
    assert not spool.is_on_disk
    spool.close()


async def test_all_large_files_share_one_descriptor() -> None:
    """However many files come, one descriptor is open."""
    spool = Spool(0)
    files = [await uploaded(spool, b"%d" % number) for number in range(50)]
    assert [file.read() for file in files] == [b"%d" % number for number in range(50)]
    assert spool.is_on_disk
    with pytest.raises(io.UnsupportedOperation):
        files[0].fileno()
    spool.close()


async def test_file_of_many_pieces_is_written_in_order() -> None:
    """A file that is larger than a batch is the same when it is read."""
    spool = Spool(1000)
    data = os.urandom(3_000_000)
    file = await uploaded(
        spool, *(data[start : start + 70_000] for start in range(0, 3_000_000, 70_000))
    )
    assert file.read() == data
    spool.close()


async def test_files_are_read_anywhere() -> None:
    """A file on disk is seekable, and ends where it ends."""
    spool = Spool(0)
    await uploaded(spool, b"before")
    file = await uploaded(spool, b"0123456789")
    await uploaded(spool, b"behind")
    assert file.seekable()
    assert file.readable()
    assert not file.writable()
    assert (file.seek(4), file.read(2), file.tell()) == (4, b"45", 6)
    assert (file.seek(-2, os.SEEK_END), file.read()) == (8, b"89")
    assert (file.seek(0), file.seek(3, os.SEEK_CUR), file.read(1)) == (0, 3, b"3")
    assert (file.seek(20), file.read()) == (20, b"")
    with pytest.raises(ValueError, match="negative"):
        file.seek(-11, os.SEEK_END)
    spool.close()


async def test_files_are_read_by_threads_at_once() -> None:
    """Files of one form may be read in threads at the same time."""
    spool = Spool(0)
    contents = [bytes([number]) * 200_000 for number in range(8)]
    files = [await uploaded(spool, content) for content in contents]
    reads = [asyncio.to_thread(file.read) for file in files]
    assert await asyncio.gather(*reads) == contents
    spool.close()


async def test_closed_spool_is_not_read() -> None:
    """What is closed can't be read; closing twice is fine."""
    spool = Spool(0)
    file = await uploaded(spool, b"data")
    spool.close()
    spool.close()
    with pytest.raises(ValueError, match="closed file"):
        file.read()


class SlowSpool(Spool):
    """A spool whose thread waits until it is told to go on."""

    def __init__(self) -> None:
        super().__init__(0)
        self.may_write = threading.Event()
        self.is_writing = threading.Event()

    def _write(self, data: bytearray) -> None:
        self.is_writing.set()
        self.may_write.wait()
        super()._write(data)


async def test_spool_is_closed_behind_a_thread_that_writes() -> None:
    """Cancelled while a thread writes, the file is closed when that thread is done, not before."""
    spool = SlowSpool()
    writing = asyncio.create_task(uploaded(spool, b"data"))
    await asyncio.to_thread(spool.is_writing.wait)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    spool.close()
    assert not spool.disk.closed
    spool.may_write.set()
    while not spool.disk.closed:
        await asyncio.sleep(0)


async def test_error_of_the_disk_is_raised() -> None:
    """A full disk fails the upload; a thread's error that nobody waits for is not lost as noise."""

    class FullSpool(SlowSpool):
        def _write(self, data: bytearray) -> None:
            self.is_writing.set()
            self.may_write.wait()
            raise OSError(28, "No space left on device")

    spool = FullSpool()
    spool.may_write.set()
    with pytest.raises(OSError, match="No space left"):
        await uploaded(spool, b"data")
    noise: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))
    spool = FullSpool()
    writing = asyncio.create_task(uploaded(spool, b"data"))
    await asyncio.to_thread(spool.is_writing.wait)
    writing.cancel()
    await asyncio.wait([writing])
    spool.close()
    spool.may_write.set()
    assert spool._writing is not None
    await asyncio.wait([spool._writing])
    del spool, writing
    gc.collect()
    await settle()
    assert noise == []
