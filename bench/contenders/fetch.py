"""What every client does for the bench: fetch small things, and large ones.

A contender opens itself as an async context manager that gives three coroutine
functions: ``get(url)`` returns status and body; ``iterate(url)`` yields pieces of
at most 64 KB; ``keep(url)`` returns the whole body as ``bytes``.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.worker import answer_lines, new_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

__all__ = ["PIECE", "Fetcher", "serve"]

PIECE = 64 * 1024


class Fetcher(NamedTuple):
    """What a contender can do; None where it can't."""

    get: Callable[[str], Awaitable[tuple[int, bytes]]]
    iterate: Callable[[str], AsyncIterator[bytes]] | None = None
    keep: Callable[[str], Awaitable[bytes]] | None = None


def serve(open_fetcher: Callable[[], AbstractAsyncContextManager[Fetcher]]) -> None:
    """Answer the bench, on the loop that the last argument names.

    ``get URL`` and ``digest URL`` show what came; ``load URL CONCURRENCY SECONDS``
    and ``iterate URL``, ``keep URL`` tell how fast it came.
    """
    with asyncio.Runner(loop_factory=new_loop(sys.argv[-1])) as runner:
        opened = open_fetcher()
        fetcher = runner.run(_enter(opened))
        commands = {
            "get": _get,
            "digest": _digest,
            "load": _load,
            "iterate": _iterate,
            "keep": _keep,
        }
        try:
            answer_lines(
                {
                    name: lambda *words, command=command: runner.run(command(fetcher, *words))
                    for name, command in commands.items()
                }
            )
        finally:
            runner.run(_leave(opened))


async def _enter(opened: AbstractAsyncContextManager[Fetcher]) -> Fetcher:
    return await opened.__aenter__()


async def _leave(opened: AbstractAsyncContextManager[Fetcher]) -> None:
    await opened.__aexit__(None, None, None)


async def _get(fetcher: Fetcher, url: str) -> tuple[int, str]:
    status, body = await fetcher.get(url)
    return status, body.decode()


async def _digest(fetcher: Fetcher, url: str) -> list[int]:
    """Return the checksums of what was iterated over and of what was kept."""
    iterated = 0
    if fetcher.iterate is None or fetcher.keep is None:
        return []
    async for piece in fetcher.iterate(url):
        if len(piece) > PIECE:
            raise ValueError(f"expected pieces of at most {PIECE} bytes, got {len(piece)}")
        iterated = zlib.crc32(piece, iterated)
    kept = await fetcher.keep(url)
    if type(kept) is not bytes:
        raise TypeError(f"expected bytes, got {type(kept).__name__}")
    return [iterated, zlib.crc32(kept)]


async def _load(fetcher: Fetcher, url: str, concurrency: str, seconds: str) -> dict[str, float]:
    """Fetch again and again, so many at once, and count."""
    end = time.perf_counter() + float(seconds)
    get = fetcher.get

    async def fetch() -> int:
        count = 0
        while time.perf_counter() < end:
            _, body = await get(url)
            if len(body) != 12:
                raise ValueError(f"expected 12 bytes, got {len(body)}")
            count += 1
        return count

    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    counts = await asyncio.gather(*(fetch() for _ in range(int(concurrency))))
    return _spent(began, cpu, done=sum(counts))


async def _iterate(fetcher: Fetcher, url: str) -> dict[str, float]:
    began, cpu = time.perf_counter(), time.process_time()
    size = 0
    if fetcher.iterate is not None:
        async for piece in fetcher.iterate(url):
            size += len(piece)
    return _spent(began, cpu, done=size)


async def _keep(fetcher: Fetcher, url: str) -> dict[str, float]:
    began, cpu = time.perf_counter(), time.process_time()
    body = await fetcher.keep(url) if fetcher.keep is not None else b""
    return _spent(began, cpu, done=len(body))


def _spent(began: float, cpu: float, **facts: Any) -> dict[str, float]:
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        **facts,
    }
