"""Whole bodies, in memory or on the disk."""

from __future__ import annotations

import asyncio
import io
import tempfile
from threading import Event, Lock
from typing import IO, Any

import pytest

from aiohttp.protocol import IncompleteRead, StreamReader
from aiohttp.worker.wsgi import spool as module
from aiohttp.worker.wsgi.spool import Spill, read_up_to, spool


@pytest.fixture(autouse=True)
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep no more than ten bytes in memory."""
    monkeypatch.setattr(module, "IN_MEMORY", 10)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> list[IO[bytes]]:
    """Return the files that are made."""
    made: list[IO[bytes]] = []

    def temporary_file(buffering: int = -1) -> IO[bytes]:
        made.append(tempfile.NamedTemporaryFile(buffering=buffering))  # noqa: SIM115
        return made[-1]

    monkeypatch.setattr(module, "TemporaryFile", temporary_file)
    return made


def body(data: bytes) -> StreamReader:
    """Return a body that has come."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def until_closed(files: list[IO[bytes]]) -> None:
    """Wait until a file was made, and is closed."""
    async with asyncio.timeout(10):
        while [file.closed for file in files] != [True]:
            await asyncio.sleep(0)


async def test_short_body_stays_in_memory(files: list[IO[bytes]]) -> None:
    """What fits makes no file."""
    file = await spool(body(b"0123456789"))
    assert isinstance(file, io.BytesIO)
    assert file.read() == b"0123456789"
    assert files == []


async def test_long_body_is_on_the_disk(files: list[IO[bytes]]) -> None:
    """What doesn't fit is a file that stands at its beginning."""
    with await spool(body(b"0123456789" * 5 + b"end")) as file:
        assert files == [file]
        assert file.read() == b"0123456789" * 5 + b"end"


async def test_broken_body_leaves_no_file(files: list[IO[bytes]]) -> None:
    """A body that breaks off raises, and its file is gone."""
    reader = StreamReader()
    reader.feed_data(b"0123456789" * 2)
    reader.set_exception(IncompleteRead("cut short"))
    with pytest.raises(IncompleteRead, match="cut short"):
        await spool(reader)
    await until_closed(files)


async def test_cancelling_leaves_no_file(files: list[IO[bytes]]) -> None:
    """So is that of a client that has gone."""
    reader = StreamReader()
    reader.feed_data(b"0123456789" * 2)
    spooling = asyncio.create_task(spool(reader))
    async with asyncio.timeout(10):
        while not (files and files[0].tell()):
            await asyncio.sleep(0)
    spooling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await spooling
    await until_closed(files)


class BusyFile(io.BytesIO):
    """A file whose disk is busy: it can be closed when what is written to it is done."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on, self.writing, self.waiting = Event(), Event(), Lock()

    def write(self, data: Any, /) -> int:
        """Write, when the test lets it."""
        with self.waiting:
            self.writing.set()
            assert self.goes_on.wait(10)
            return super().write(data)

    def close(self) -> None:
        """Wait for what is being written."""
        with self.waiting:
            super().close()


async def test_cancelling_waits_for_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that goes doesn't have the loop wait until its body is written."""
    file = BusyFile()
    monkeypatch.setattr(module, "TemporaryFile", lambda: file)
    spooling = asyncio.create_task(spool(body(b"0123456789" * 2)))
    await asyncio.to_thread(file.writing.wait, 10)
    spooling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await spooling
    assert not file.closed
    file.goes_on.set()
    await until_closed([file])


async def test_cancelling_while_the_file_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is closed as soon as it is there."""
    file, making, goes_on = io.BytesIO(), Event(), Event()

    def temporary_file() -> IO[bytes]:
        making.set()
        assert goes_on.wait(10)
        return file

    monkeypatch.setattr(module, "TemporaryFile", temporary_file)
    spooling = asyncio.create_task(spool(body(b"0123456789" * 2)))
    await asyncio.to_thread(making.wait, 10)
    spooling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await spooling
    goes_on.set()
    await until_closed([file])


def test_spill() -> None:
    """Each part is where it is said to be, and whoever reads isn't disturbed."""
    spill = Spill(100)
    with spill.file as file:
        assert spill.add(b"abc") == 0
        assert file.read(1) == b"a"
        assert spill.add(b"de") == 3
        assert file.read() == b"bcde"


async def test_read_up_to() -> None:
    """It returns so many bytes, and fewer only at the end."""
    reader = body(b"0123456789")
    assert [await read_up_to(reader, 6) for _ in range(3)] == [b"012345", b"6789", b""]
