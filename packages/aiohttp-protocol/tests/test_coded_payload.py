"""Bodies that are coded while they are sent: at once, in steps, again."""

from __future__ import annotations

import asyncio
import gzip
import io
import random
import zlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from aiohttp.protocol.coded_payload import CodedPayload
from aiohttp.protocol.coding import content_encoder
from aiohttp.protocol.errors import InvalidUse
from aiohttp.protocol.payload import Payload, get_payload, pieces_of

KIB = 1024
NOISE = random.Random(1).randbytes(300 * KIB)
gzipped = partial(content_encoder, "gzip")


def test_small_body_is_coded_at_once() -> None:
    """Up to 64 KiB in memory: the length is known, and the content is bytes."""
    payload = CodedPayload(get_payload("ä" * 1000), gzipped)
    content = payload.content
    assert isinstance(content, bytes)
    assert gzip.decompress(content).decode() == "ä" * 1000
    assert payload.size == len(content)
    assert payload.is_in_memory
    assert payload.can_be_replayed


@pytest.mark.parametrize(
    ("source", "can_be_replayed"),
    [
        (get_payload(NOISE), True),
        (get_payload(io.BytesIO(NOISE)), True),
        (get_payload(iter([NOISE])), False),
    ],
)
async def test_large_body_is_coded_while_it_is_sent(source: Payload, can_be_replayed: bool) -> None:
    """More than that: in steps, of unknown length, and again if the source can."""
    payload = CodedPayload(source, partial(content_encoder, "deflate"))
    assert payload.size is None
    assert not payload.is_in_memory
    assert payload.can_be_replayed is can_be_replayed
    assert zlib.decompress(await payload.as_bytes()) == NOISE
    if can_be_replayed:
        assert zlib.decompress(await payload.as_bytes()) == NOISE
    else:
        with pytest.raises(InvalidUse, match="only once"):
            await payload.as_bytes()


async def test_loop_has_its_turn() -> None:
    """Between two steps of 64 KiB other tasks run, also within one large piece."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counter = asyncio.ensure_future(count())
    await CodedPayload(get_payload(iter([NOISE])), gzipped).as_bytes()
    counter.cancel()
    assert turns >= 4


async def test_fields_are_copied() -> None:
    """Type, name and fields are those of the source, which doesn't see what becomes of them."""
    source = get_payload(b"a", content_type="a/b", filename="c", headers={"X-Own": "1"})
    payload = CodedPayload(source, gzipped)
    payload.headers["Content-Encoding"] = "gzip"
    assert (payload.content_type, payload.filename, payload.headers["X-Own"]) == ("a/b", "c", "1")
    assert "Content-Encoding" not in source.headers
    assert CodedPayload(get_payload(b"", content_type=""), gzipped).content_type == ""


async def test_fields_are_not_asked_for(tmp_path: Path) -> None:
    """A file that is no part is sent whatever it is called."""
    path = tmp_path / "a\nb"
    path.write_bytes(b"abc")
    with path.open("rb") as file:
        payload = CodedPayload(get_payload(file), gzipped)
        assert payload.content_type == "application/octet-stream"
        assert gzip.decompress(await payload.as_bytes()) == b"abc"


async def test_source_is_closed() -> None:
    """A source that isn't read to its end is closed at once."""
    closed: list[bool] = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield NOISE
        finally:
            closed.append(True)

    sent = pieces_of(CodedPayload(get_payload(pieces()), gzipped).content)
    await anext(sent)
    await sent.aclose()
    assert closed == [True]
