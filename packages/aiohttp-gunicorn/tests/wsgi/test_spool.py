"""Whole bodies, in memory or on the disk."""

from __future__ import annotations

import asyncio
import io
import tempfile
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

    def temporary_file(**options: Any) -> IO[bytes]:
        made.append(tempfile.NamedTemporaryFile(**options))  # noqa: SIM115
        return made[-1]

    monkeypatch.setattr(module, "TemporaryFile", temporary_file)
    return made


def body(data: bytes) -> StreamReader:
    """Return a body that has come."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


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
    assert [file.closed for file in files] == [True]


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
    assert [file.closed for file in files] == [True]


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
