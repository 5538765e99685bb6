"""``wsgi.input`` of coroutines: the methods of PEP 3333, to be awaited."""

from __future__ import annotations

import asyncio

import pytest

from aiohttp.protocol import IncompleteRead, StreamReader
from aiohttp.worker.wsgi.async_input import AsyncInput
from aiohttp.worker.wsgi.input import UnreadableBody


def body(*pieces: bytes, error: Exception | None = None) -> StreamReader:
    """Return a body that came in these pieces, whole unless there is an error."""
    reader = StreamReader()
    for piece in pieces:
        reader.feed_data(piece)
    if error is None:
        reader.feed_eof()
    else:
        reader.set_exception(error)
    return reader


@pytest.mark.parametrize("size", [-1, None])
async def test_read_all(size: int | None) -> None:
    """read() returns the whole content, however it came."""
    assert await AsyncInput(body(b"ab", b"c")).read(size) == b"abc"


async def test_read_some() -> None:
    """read(n) returns n bytes, and fewer only at the end."""
    content = AsyncInput(body(b"ab", b"c", b"def"))
    assert [await content.read(4) for _ in range(3)] == [b"abcd", b"ef", b""]


async def test_readline() -> None:
    """readline() returns a line with its end; the last one may have none."""
    content = AsyncInput(body(b"on", b"e\ntwo\n", b"three"))
    assert [await content.readline() for _ in range(4)] == [b"one\n", b"two\n", b"three", b""]


async def test_long_line() -> None:
    """A line may be longer than what the connection keeps."""
    line = b"x" * 1_000_000 + b"\n"
    assert await AsyncInput(body(line)).readline() == line


async def test_readline_with_a_bound() -> None:
    """readline(n) returns no more than n bytes of a line, and the rest the next time."""
    content = AsyncInput(body(b"abc", b"def\ng\n"))
    assert [await content.readline(4) for _ in range(4)] == [b"abcd", b"ef\n", b"g\n", b""]
    assert await AsyncInput(body(b"a\n")).readline(0) == b""


async def test_readlines() -> None:
    """readlines() returns all lines; with a hint as many as have that many bytes."""
    assert await AsyncInput(body(b"a\nb\nc")).readlines() == [b"a\n", b"b\n", b"c"]
    assert await AsyncInput(body(b"a\nb\nc")).readlines(3) == [b"a\n", b"b\n"]
    assert await AsyncInput(body(b"a\nb\nc")).readlines(0) == [b"a\n", b"b\n", b"c"]


async def test_iteration() -> None:
    """It is iterated over by lines."""
    assert [line async for line in AsyncInput(body(b"a\n", b"b"))] == [b"a\n", b"b"]


async def test_broken_body_is_an_os_error() -> None:
    """A body that breaks off is an OSError, whatever reads it, with its cause."""
    content = AsyncInput(body(b"abc", error=IncompleteRead("cut short")))
    for read in (content.read, content.readline, content.readlines):
        with pytest.raises(UnreadableBody, match="body can't be read: cut short") as caught:
            await read()
        assert isinstance(caught.value.cause, IncompleteRead)


async def test_cancelled_read_loses_nothing() -> None:
    """What came before a read was cancelled is there for the next one."""
    reader = StreamReader()
    content = AsyncInput(reader)
    reader.feed_data(b"abc")
    reading = asyncio.create_task(content.read(10))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    reader.feed_data(b"def")
    reader.feed_eof()
    assert await content.read(10) == b"abcdef"
