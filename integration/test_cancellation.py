"""10,000 requests, one in five of them cancelled wherever it was: nothing is left of them."""

from __future__ import annotations

import asyncio
import hashlib
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import aiohttp

REQUESTS = 10_000
CANCELLED = 0.2
"""Of all requests; nearly: the last ones may end before they can be cancelled."""
AT_ONCE = 64
LIMIT = 20
"""Connections: so few that most requests wait for one."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a server in a process of its own."""
    program = Path(__file__).with_name("served.py")
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        yield f"http://127.0.0.1:{int(started.stdout.readline())}"
        started.send_signal(signal.SIGTERM)
        started.communicate(timeout=30)


def loop_factories() -> list[Any]:
    """Return what makes an event loop: asyncio's, and uvloop's where there is one."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return [pytest.param(asyncio.new_event_loop, id="asyncio")]
    return [
        pytest.param(asyncio.new_event_loop, id="asyncio"),
        pytest.param(new_event_loop, id="uvloop"),
    ]


@pytest.mark.parametrize("loop_factory", loop_factories())
def test_cancelled_requests_leave_nothing(
    url: str,
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every other request has its own answer; then nothing is in use, and the limit is served."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(Load(url, random.Random(seed)).run())
    assert caplog.records == []


class Load:
    """Requests of all kinds through one session, and what became of them."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self.url = url
        self.chance = chance
        self.begun = 0
        self.answered = 0
        self.cancelled = 0
        self.errors: list[dict[str, Any]] = []

    async def run(self) -> None:
        """Do everything, and look at what is left."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, error: self.errors.append(error))
        loop.slow_callback_duration = 60  # in dev mode a busy machine would be logged
        connector = aiohttp.TCPConnector(limit=LIMIT)
        async with aiohttp.ClientSession(connector=connector) as session:
            async with asyncio.timeout(300), asyncio.TaskGroup() as callers:
                for _ in range(AT_ONCE):
                    callers.create_task(self.call(session))
            assert self.answered + self.cancelled == REQUESTS
            assert self.cancelled == pytest.approx(CANCELLED * REQUESTS, rel=0.05)
            assert " 0 in use, " in repr(connector)
            assert " 0 waiting, " in repr(connector)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            await self.fill(session)
            assert " 0 in use, " in repr(connector)
        assert connector.open_connections == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert self.errors == []

    async def call(self, session: aiohttp.ClientSession) -> None:
        """Make one request after the other, and cancel some of them."""
        kinds = [self.get, self.read_in_pieces, self.upload, self.upload_in_pieces]
        while self.begun < REQUESTS:
            self.begun += 1
            request = asyncio.create_task(self.chance.choice(kinds)(session))
            if self.cancelled < CANCELLED * self.begun and self.chance.random() < 0.6:
                await self.cancel(request)
            try:
                await request
                self.answered += 1
            except asyncio.CancelledError:
                self.cancelled += 1

    async def cancel(self, request: asyncio.Task[None]) -> None:
        """Cancel a request after a random number of the loop's turns, unless it has ended."""
        for _ in range(int(self.chance.expovariate(1 / 30))):
            if request.done():
                break
            await asyncio.sleep(0)
        request.cancel()

    def fields(self) -> dict[str, str]:
        """Let some connections end with their request, so that new ones are opened."""
        return {"Connection": "close"} if self.chance.random() < 0.2 else {}

    async def get(self, session: aiohttp.ClientSession) -> None:
        size = self.chance.randrange(3000)
        async with session.get(f"{self.url}/bytes/{size}", headers=self.fields()) as found:
            assert await found.read() == bytes(size)

    async def read_in_pieces(self, session: aiohttp.ClientSession) -> None:
        count = self.chance.randrange(1, 300)
        async with session.get(f"{self.url}/pieces/{count}", headers=self.fields()) as found:
            sizes = [len(piece) async for piece in found.content.iter_chunked(10_000)]
        assert sum(sizes) == count * 1000

    async def upload(self, session: aiohttp.ClientSession) -> None:
        body = self.chance.randbytes(self.chance.choice([10, 1000, 200_000]))
        async with session.post(f"{self.url}/digest", data=body, headers=self.fields()) as found:
            assert await found.text() == hashlib.sha256(body).hexdigest()

    async def upload_in_pieces(self, session: aiohttp.ClientSession) -> None:
        count = self.chance.randrange(1, 20)
        async with session.post(f"{self.url}/count", data=pieces(count)) as found:
            assert await found.text() == str(count * 1000)

    async def fill(self, session: aiohttp.ClientSession) -> None:
        """Use as many connections as there may be: there are so many, and not one more."""
        large = f"{self.url}/bytes/50000000"
        found = await asyncio.gather(*(session.get(large) for _ in range(LIMIT)))
        full = rf"\(limit {LIMIT}, {LIMIT} in use\)"
        with pytest.raises(aiohttp.ConnectionTimeoutError, match=full):
            await session.get(large, timeout=aiohttp.ClientTimeout(pool=0.01))
        for each in found:
            each.close()


async def pieces(count: int) -> AsyncIterator[bytes]:
    """Yield a body, with pauses in which a request may be cancelled."""
    for _ in range(count):
        yield bytes(1000)
        await asyncio.sleep(0)
