"""Rule 8: decompression is bounded, also where a body is iterated over, let go of or dropped."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

import pytest

from aiohttp.client import ClientPayloadError, HttpResponse, Session
from odd import refusal
from origin import Origin, response

MIB = 2**20
BOMB = gzip.compress(bytes(64 * MIB))
BOMBS = {
    "gzip": BOMB,
    "deflate": zlib.compress(bytes(64 * MIB)),
    "gzip, gzip": gzip.compress(BOMB),
}


@contextmanager
def bounded_memory(limit: int) -> Generator[None, None, None]:
    """Check that no more than ``limit`` bytes are held at the same time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", BOMBS)
async def test_bomb_is_refused(coding: str) -> None:
    """CVE-2025-69223, GHSA-mgf9-4vpg-hj56: what inflates beyond the ratio is an error."""
    with bounded_memory(8 * MIB):
        error = await refusal(response(BOMBS[coding], f"Content-Encoding: {coding}"))
    assert isinstance(error, ClientPayloadError)
    assert error.limit == "Limits.ratio=200"


async def test_steps_are_bounded() -> None:
    """CVE-2026-84382: pieces of a body are inflated one by one, as somebody takes them."""
    bomb = response(BOMB, "Content-Encoding: gzip")
    async with Origin(bomb) as origin, Session() as session:
        with bounded_memory(MIB):
            async with session.get(origin.url) as answer:
                with pytest.raises(ClientPayloadError):
                    while piece := await answer.content.readany():
                        assert len(piece) <= 256 * 1024


async def test_total_is_bounded() -> None:
    """CVE-2025-69223: ``max_body`` is about the decoded size, too."""
    small = response(gzip.compress(bytes(100_000)), "Content-Encoding: gzip")
    async with Origin(small) as origin, Session() as session:
        answer = await session.get(origin.url, max_body=50_000)
        with pytest.raises(ClientPayloadError) as caught:
            await answer.read()
    assert caught.value.limit == "max_body=50000"


async def entered(answer: HttpResponse) -> None:
    """Let ``async with`` let go of it."""
    async with answer:
        pass


async def released(answer: HttpResponse) -> None:
    """Let go of it."""
    answer.release()


async def closed(answer: HttpResponse) -> None:
    """Close it."""
    answer.close()


@pytest.mark.parametrize("leave", [entered, released, closed])
async def test_unread_body_is_not_inflated(
    leave: Callable[[HttpResponse], Awaitable[None]],
) -> None:
    """CVE-2026-54278, CVE-2026-44432: what nobody reads is dropped as it came."""
    bomb = response(BOMB, "Content-Encoding: gzip")
    async with Origin(bomb) as origin, Session() as session:
        await (await session.get(origin.url)).release()
        with bounded_memory(MIB):
            await leave(await session.get(origin.url))


async def test_body_of_a_redirect_is_not_inflated() -> None:
    """CVE-2026-21441: nobody reads what a redirect says."""
    answers = iter([
        response(BOMB, "Content-Encoding: gzip", "Location: /x", status="302 Found"),
        response(b"good"),
    ])  # fmt: skip
    async with Origin(lambda _: next(answers)) as origin, Session() as session:
        with bounded_memory(2 * MIB):
            async with session.get(origin.url) as answer:
                assert await answer.read() == b"good"


async def test_number_of_codings_is_bounded() -> None:
    """A chain of codings multiplies: a long one is refused before anything is decoded."""
    codings = ", ".join(["gzip"] * 50)
    await refusal(response(b"x", f"Content-Encoding: {codings}"))
