"""``DecodedStream``: the content of another stream, its coding undone while it is read."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from aiohttp.protocol.coding import ContentDecoder, content_decoder
from aiohttp.protocol.decoded import DecodedStream
from aiohttp.protocol.errors import (
    BodyTooLarge,
    ContentCodingError,
    DecompressionBomb,
    InvalidUse,
    PeerDisconnected,
)
from aiohttp.protocol.limits import Limits
from aiohttp.protocol.streams import StreamReader
from wire import cuts

TEXT = b"The quick brown fox jumps over the lazy dog. " * 20
CODED = gzip.compress(TEXT, mtime=0)


def decoder(limits: Limits | None = None) -> ContentDecoder:
    """Return what undoes gzip."""
    found = content_decoder("gzip", limits or Limits())
    assert found is not None
    return found


def fed(pieces: list[bytes]) -> StreamReader:
    """Return a source to which these pieces have come, and no more will."""
    source = StreamReader()
    for piece in pieces:
        source.feed_data(piece)
    source.feed_eof()
    return source


async def test_content_is_decoded_however_it_is_cut() -> None:
    """Whatever pieces the source has, all of it is read."""
    for pieces in cuts(CODED, splits=32):
        stream = DecodedStream(fed(pieces), decoder())
        assert await stream.read() == TEXT
        assert stream.at_eof()


async def test_content_is_read_as_it_comes() -> None:
    """Readers wait for the source, and get what there is."""
    source = StreamReader()
    stream = DecodedStream(source, decoder())
    reading = asyncio.create_task(stream.readexactly(len(TEXT)))
    for start in range(len(CODED)):
        await asyncio.sleep(0)
        source.feed_data(CODED[start : start + 1])
        assert not (reading.done() and start < 50)
    assert await reading == TEXT
    source.feed_eof()
    assert await stream.read() == b""


async def test_lines_and_pieces() -> None:
    """All reads of a stream work."""
    coded = gzip.compress(b"one\ntwo\nthree")
    stream = DecodedStream(fed([coded]), decoder())
    assert await stream.readline() == b"one\n"
    assert [line async for line in stream] == [b"two\n", b"three"]
    pieces = DecodedStream(fed([CODED]), decoder()).iter_chunked(100)
    assert b"".join([piece async for piece in pieces]) == TEXT


async def test_source_that_breaks_off() -> None:
    """The error of the source is raised behind what came before it."""
    source = StreamReader()
    source.feed_data(gzip.compress(TEXT)[:-4])
    source.set_exception(PeerDisconnected("gone"))
    stream = DecodedStream(source, decoder())
    assert await stream.readexactly(len(TEXT)) == TEXT
    with pytest.raises(PeerDisconnected, match="gone"):
        await stream.read()


@pytest.mark.parametrize("coded", [b"no gzip", CODED[:-1], CODED[:-8] + b"12345678"])
async def test_content_that_is_not_coded_so(coded: bytes) -> None:
    """What isn't gzip, or ends too early, is an error, and never passes for the whole."""
    stream = DecodedStream(fed([coded]), decoder())
    with pytest.raises(ContentCodingError):
        await stream.read()


async def test_content_is_bounded() -> None:
    """What the content grows to is bounded, by the reader and by the decoder."""
    limits = Limits(decoded=1000, ratio_grace=0)
    bomb = gzip.compress(bytes(2**20))
    with pytest.raises(BodyTooLarge):
        await DecodedStream(fed([gzip.compress(TEXT * 2)]), decoder()).read_all(1000)
    with pytest.raises((DecompressionBomb, BodyTooLarge)):
        await DecodedStream(fed([bomb]), decoder(limits), limits).read()


async def test_nothing_is_pulled_ahead() -> None:
    """What isn't read stays with the source, where it holds the connection back."""
    paused: list[bool] = []
    source = StreamReader(pause=lambda: paused.append(True), resume=paused.clear, high_water=1000)
    stream = DecodedStream(source, decoder())
    source.feed_data(gzip.compress(TEXT * 100, 0))
    assert paused
    assert await stream.readexactly(len(TEXT)) == TEXT
    assert not paused


async def test_others_have_their_turn() -> None:
    """A body of megabytes that is here already doesn't keep the loop from other tasks."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    stream = DecodedStream(fed([gzip.compress(bytes(2**23))]), decoder(Limits(ratio=10**6)))
    counting = asyncio.create_task(count())
    assert len(await stream.read()) == 2**23
    counting.cancel()
    assert turns >= 7


async def test_cancelled_read_loses_nothing() -> None:
    """A read that is cancelled leaves all for the next one."""
    source = StreamReader()
    stream = DecodedStream(source, decoder())
    source.feed_data(CODED[:50])
    reading = asyncio.create_task(stream.read())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    source.feed_data(CODED[50:])
    source.feed_eof()
    assert await stream.read() == TEXT


async def test_second_reader_is_refused() -> None:
    """Two coroutines can't read at once; the first one goes on."""
    source = StreamReader()
    stream = DecodedStream(source, decoder())
    reading = asyncio.create_task(stream.read())
    await asyncio.sleep(0)
    with pytest.raises(InvalidUse, match="one reader at a time"):
        await stream.read()
    source.feed_data(CODED)
    source.feed_eof()
    assert await reading == TEXT


async def test_end_of_the_source_is_told() -> None:
    """``on_eof`` and ``wait_eof`` speak of the source, read or not."""
    source = StreamReader()
    stream = DecodedStream(source, decoder())
    told: list[str] = []
    stream.on_eof(lambda: told.append("end"))
    waiting = asyncio.create_task(stream.wait_eof())
    await asyncio.sleep(0)
    source.feed_eof()
    await waiting
    assert told == ["end"]
