"""What every client does for the bench: fetch small things and large ones, and send large ones.

A contender opens itself as an async context manager that gives a ``Fetcher``.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import zlib
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from bench.worker import answer_lines, new_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    Body: TypeAlias = bytes | AsyncIterator[bytes]

__all__ = ["PIECE", "Body", "Fetcher", "serve"]

PIECE = 64 * 1024


class Fetcher(NamedTuple):
    """What a contender can do; None where it can't.

    Attributes:
        get: returns status and body, on a connection that is kept.
        fresh: the same on a new connection, which is closed afterwards.
        json: returns status and what the body says.
        iterate: yields pieces of at most 64 KB.
        keep: returns the whole body as ``bytes``.
        upload: sends a body by POST, and returns that of the response.
    """

    get: Callable[[str], Awaitable[tuple[int, bytes]]] | None = None
    fresh: Callable[[str], Awaitable[tuple[int, bytes]]] | None = None
    json: Callable[[str], Awaitable[tuple[int, Any]]] | None = None
    iterate: Callable[[str], AsyncIterator[bytes]] | None = None
    keep: Callable[[str], Awaitable[bytes]] | None = None
    upload: Callable[[str, Body], Awaitable[bytes]] | None = None


def serve(open_fetcher: Callable[[], AbstractAsyncContextManager[Fetcher]]) -> None:
    """Answer the bench, on the loop that the last argument names.

    ``show METHOD URL`` and ``digest URL`` show what came; ``load METHOD URL CONCURRENCY
    SECONDS SIZE``, ``iterate URL``, ``keep URL`` and ``upload KIND URL SIZE`` tell how
    fast it came, or went.
    """
    with asyncio.Runner(loop_factory=new_loop(sys.argv[-1])) as runner:
        opened = open_fetcher()
        fetcher = runner.run(_enter(opened))
        commands = {
            "show": _show,
            "digest": _digest,
            "load": _load,
            "iterate": _iterate,
            "keep": _keep,
            "upload": _upload,
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


async def _show(fetcher: Fetcher, method: str, url: str) -> tuple[int, Any]:
    status, body = await getattr(fetcher, method)(url)
    return status, body.decode() if isinstance(body, bytes) else body


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


async def _load(fetcher: Fetcher, method: str, url: str, *numbers: str) -> dict[str, float]:
    """Fetch again and again, so many at once, for so many seconds, what has a length; count."""
    at_once, seconds, expected = int(numbers[0]), float(numbers[1]), int(numbers[2])
    get = getattr(fetcher, method)
    end = time.perf_counter() + seconds

    async def fetch() -> int:
        count = 0
        while time.perf_counter() < end:
            _, body = await get(url)
            if len(body) != expected:
                raise ValueError(f"expected a length of {expected}, got {len(body)}")
            count += 1
        return count

    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    counts = await asyncio.gather(*(fetch() for _ in range(at_once)))
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


async def _upload(fetcher: Fetcher, kind: str, url: str, size: str) -> dict[str, Any]:
    """Send ``bytes``, or an async generator's ``pieces``; the generator costs next to nothing."""
    piece = Random(2014).randbytes(PIECE)
    whole, rest = divmod(int(size), PIECE)
    body: Body = b"".join([piece] * whole + [piece[:rest]]) if kind == "bytes" else b""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(whole):
            yield piece
        yield piece[:rest]

    if fetcher.upload is None:
        raise TypeError("this contender doesn't upload")
    began, cpu = time.perf_counter(), time.process_time()
    answer = await fetcher.upload(url, body or pieces())
    return _spent(began, cpu, answer=answer.decode())


def _spent(began: float, cpu: float, **facts: Any) -> dict[str, float]:
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        **facts,
    }
