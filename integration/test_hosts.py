"""Three servers under load: one is killed and started again, another one is stopped for a while.

For those who ask, nothing of it is to be noticed, as far as that is possible.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp.client import ClientConnectionError
from aiohttp.client.hosts import HttpClient

PROGRAM = Path(__file__).with_name("hosts_server.py")
CALLERS = 32


class Server:
    """A server that can be killed, started again at the same address, stopped and continued."""

    def __init__(self, folder: Path) -> None:
        # Bound here, but never listened at: the port stays ours while the server is gone.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._place.bind(("127.0.0.1", 0))
        self.port: int = self._place.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self._journal = folder / f"{self.port}.txt"

    async def start(self) -> None:
        """Start the server, and wait until it listens."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, PROGRAM, str(self.port), self._journal, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == b"listening\n"

    def signal(self, number: signal.Signals) -> None:
        """Send the server a signal."""
        self._process.send_signal(number)

    async def kill(self) -> None:
        """End the server in the midst of its work."""
        self._process.kill()
        await self._process.wait()

    @property
    def journal(self) -> list[str]:
        """Method and target of each request that the server has acted upon."""
        return self._journal.read_text().splitlines()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Server, None]:
        """Run as long as the block lasts."""
        with self._place:
            await self.start()
            try:
                yield self
            finally:
                if self._process.returncode is None:
                    await self.kill()


class Load:
    """Callers, each of whom asks again and again; every fourth request is a POST.

    Attributes:
        answers: method and target of each answered request, and the port that answered.
        failures: what was raised instead of an answer.
    """

    def __init__(self, client: HttpClient) -> None:
        self.answers: list[tuple[str, int]] = []
        self.failures: list[ClientConnectionError] = []
        self._client = client
        self._is_over = False

    @asynccontextmanager
    async def lasting(self) -> AsyncGenerator[Load, None]:
        """Ask as long as the block lasts, and to the end of what was asked then."""
        numbers = itertools.count()
        async with asyncio.TaskGroup() as callers:
            for _ in range(CALLERS):
                callers.create_task(self._ask(numbers))
            yield self
            self._is_over = True

    async def _ask(self, numbers: Iterator[int]) -> None:
        while not self._is_over:
            number = next(numbers)
            method, target = "POST" if number % 4 == 0 else "GET", f"/{number}"
            try:
                async with self._client.request(method, target) as response:
                    port, _, answered = (await response.text()).partition(" ")
            except ClientConnectionError as exc:
                self.failures.append(exc)
            else:
                assert answered == target
                self.answers.append((f"{method} {target}", int(port)))

    async def shares(self, count: int = 300) -> Counter[int]:
        """Return how many of the next ``count`` answers come from each port."""
        end = len(self.answers) + count
        await until(lambda: len(self.answers) >= end)
        return Counter(port for _, port in self.answers[end - count : end])


async def until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds."""
    while not condition():
        await asyncio.sleep(0.01)


async def test_hosts_come_and_go(tmp_path: Path) -> None:
    """No request that may be repeated fails, no POST is acted upon twice, load returns."""
    servers = [Server(tmp_path) for _ in range(3)]
    killed, stopped, steady = servers
    async with asyncio.timeout(20), AsyncExitStack() as stack:
        for server in servers:
            await stack.enter_async_context(server.running())
        hosts = [server.host for server in servers]
        client = await stack.enter_async_context(
            HttpClient(hosts, session=True, timeout=1.5, failed_timeout=0.3)
        )
        async with Load(client).lasting() as load:
            shares = await load.shares()
            assert min(shares[server.port] for server in servers) > 60

            await killed.kill()
            await until(lambda: f"{killed.host} set aside" in repr(client))
            assert killed.port not in await load.shares()
            await killed.start()
            await until(lambda: "set aside" not in repr(client))
            assert (await load.shares())[killed.port] > 60

            stopped.signal(signal.SIGSTOP)
            await until(lambda: f"{stopped.host} set aside" in repr(client))
            assert stopped.port not in await load.shares()
            stopped.signal(signal.SIGCONT)
            await until(lambda: "set aside" not in repr(client))
            assert (await load.shares())[stopped.port] > 60

    # Only what may have been acted upon failed, and was not sent to anybody else.
    assert {failure.method for failure in load.failures} <= {"POST"}
    assert not any(failure.may_be_repeated for failure in load.failures)
    acted = Counter(entry for server in servers for entry in server.journal)
    assert {count for entry, count in acted.items() if entry.startswith("POST")} == {1}
    # Each request has one answer, of somebody who acted upon it.
    answered = [entry for entry, _ in load.answers]
    assert len(answered) == len(set(answered))
    assert {*answered} <= {*acted}
    assert steady.journal
