"""How a server stops: under load, with handlers that never end, and when somebody insists."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("stopping_server.py")
CLIENTS = 64
LOAD_TIME = 0.6  # seconds under load before the signal comes
RUNS = 3
PATIENCE = 15.0


class Server:
    """The server as a process; ``port`` is where it serves."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self._process = process

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def line(self) -> str:
        """Return the next line that it prints."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            return (await self._process.stdout.readline()).decode()

    async def end(self) -> tuple[str, int]:
        """Return the rest of what it prints, and its exit status, when it has ended."""
        async with asyncio.timeout(PATIENCE):
            printed, _ = await self._process.communicate()
        assert self._process.returncode is not None
        return printed.decode(), self._process.returncode


@asynccontextmanager
async def server(
    loop: str = "asyncio", *, shutdown_timeout: float = 10.0
) -> AsyncGenerator[Server]:
    """Run the server; what still runs behind the block is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, PROGRAM, loop, str(shutdown_timeout), stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        greeting = (await process.stdout.readline()).decode()
        (port,) = re.findall(r"127\.0\.0\.1:(\d+)", greeting)
        assert "CTRL+C" in (await process.stdout.readline()).decode()
        yield Server(process, int(port))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


# Under load.


@dataclass
class Load:
    """What clients have seen: answers, those that were a connection's last, and what went wrong."""

    port: int
    answers: int = 0
    farewells: int = 0
    failures: Counter[str] = field(default_factory=Counter[str])

    async def client(self, number: int) -> None:
        """Ask again and again, until connections are refused."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except (ConnectionRefusedError, ConnectionResetError):
                return  # it listens no more: nothing was accepted
            try:
                while await self._ask(number, reader, writer):
                    pass
            except (OSError, asyncio.IncompleteReadError) as exc:
                self.failures[repr(exc)] += 1
            finally:
                writer.close()

    async def _ask(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Send one request, and read its answer; return whether the connection goes on."""
        if number % 4 == 0:
            expected = b"a\r\n0123456789\r\n" * 5 + b"0\r\n\r\n"
            writer.write(b"GET /pieces HTTP/1.1\r\nHost: localhost\r\n\r\n")
        else:
            expected = b"%d" % number * 1000
            target = f"/work?takes={number % 4 * 0.004}"
            head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(expected)}"
            writer.write(f"{head}\r\n\r\n".encode() + expected[:500])
            if number % 3 == 0:
                await asyncio.sleep(0.001)
            writer.write(expected[500:])
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        body = await reader.readexactly(len(expected))
        if not head.startswith("HTTP/1.1 200 ") or body != expected:
            self.failures[head] += 1
            return False
        self.answers += 1
        is_last = "\r\nConnection: close\r\n" in head
        self.farewells += is_last
        return not is_last


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_no_request_fails_under_load(loop: str) -> None:
    """SIGTERM while 64 clients ask: whoever had a connection is answered, wholly."""
    for _ in range(RUNS):
        async with server(loop) as running:
            load = Load(running.port)
            clients = [asyncio.create_task(load.client(number)) for number in range(CLIENTS)]
            await asyncio.sleep(LOAD_TIME)
            running.signal(signal.SIGTERM)
            began = time.monotonic()
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*clients)
            printed, status = await running.end()
            took = time.monotonic() - began
        print(f"{loop}: {load.answers} answers, {load.farewells} farewells, {took:.2f} s to stop")
        assert not load.failures
        assert status == 0
        # Nobody was told twice, and nothing was answered that nobody saw.
        assert f"cleanup after {load.answers} answers\n" in printed
        assert load.answers > CLIENTS


# With what never ends.


async def opened(port: int, target: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection on which a response has begun."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    await reader.readuntil(b"\n")
    return reader, writer


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_event_stream_ends_with_the_server(loop: str) -> None:
    """It is told, ends its response in order, and nobody waits for the limit."""
    async with server(loop) as running:
        reader, writer = await opened(running.port, "/events")
        running.signal(signal.SIGTERM)
        began = time.monotonic()
        rest = await reader.read()
        writer.close()
        printed, status = await running.end()
        took = time.monotonic() - began
    assert rest.endswith(b"data: tick\n\n\r\n0\r\n\r\n")
    assert took < 2  # of 10
    assert "cleanup after 0 answers\n" in printed
    assert status == 0


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_handler_that_never_ends_is_cut_at_the_limit(loop: str) -> None:
    """So many seconds were allowed; cleanup has run all the same, and the client sees the cut."""
    limit = 1.5
    async with server(loop, shutdown_timeout=limit) as running:
        reader, writer = await opened(running.port, "/forever")
        began = time.monotonic()
        running.signal(signal.SIGTERM)
        assert "Stopping: 1 request is still running" in await running.line()
        printed, status = await running.end()
        took = time.monotonic() - began
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readuntil(b"0\r\n\r\n")
        writer.close()
    assert limit - 0.1 < took < limit + 3
    assert "cleanup after 0 answers\n" in printed
    assert status == 0


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_second_sigint_cuts_at_once(loop: str) -> None:
    """Who presses CTRL+C again waits no longer; cleanup runs even then."""
    async with server(loop) as running:
        _, writer = await opened(running.port, "/forever")
        running.signal(signal.SIGINT)
        assert "CTRL+C cuts it" in await running.line()
        began = time.monotonic()
        running.signal(signal.SIGINT)
        printed, status = await running.end()
        took = time.monotonic() - began
        writer.close()
    assert took < 3  # of 10
    assert "cleanup after 0 answers\n" in printed
    assert status in {0, 130}
