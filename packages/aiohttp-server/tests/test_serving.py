"""Serving an application: in a block of a running loop, and as a whole program."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from aiohttp.protocol import Exchange
from aiohttp.server import run_app, serve
from aiohttp.server.runner import GracefulExit

PEM = Path(__file__).parents[2] / "aiohttp-protocol" / "tests" / "localhost.pem"
GET = b"GET / HTTP/1.0\r\n\r\n"


class Echo:
    """Answer with the method, the target and the body."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def startup(self) -> None:
        self.told.append("startup")

    async def shutdown(self) -> None:
        self.told.append("shutdown")

    async def cleanup(self) -> None:
        self.told.append("cleanup")

    async def handle_exchange(self, exchange: Exchange) -> None:
        body = await exchange.body.read()
        line = f"{exchange.head.method} {exchange.head.target} ".encode()
        await exchange.respond(200, [("Content-Type", "text/plain")], line + body)


async def fetch(port: int, request: bytes) -> bytes:
    """Return all that a server sends in answer, up to its close."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def port_of(welcome: str) -> int:
    """Return the port that is told by the line that greets."""
    return int(welcome.split(":")[2].split(maxsplit=1)[0])


# In a block.


async def test_run_app_does_not_run_in_a_loop() -> None:
    """The error says what does."""
    with pytest.raises(RuntimeError, match=r"use 'async with web.serve\(app\)', or AppRunner"):
        run_app(Echo())


async def test_application_is_served_on_a_free_port() -> None:
    """Port 0 finds a free port, and a request gets the application's answer."""
    async with serve(Echo(), "127.0.0.1", 0) as listener:
        answer = await fetch(
            listener.addresses[0][1],
            b"POST /a HTTP/1.1\r\n"
            b"Host: localhost\r\n"
            b"Connection: close\r\n"
            b"Content-Length: 4\r\n"
            b"\r\n"
            b"body",
        )
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nPOST /a body")


async def test_application_is_told_of_start_and_end() -> None:
    """startup, shutdown and cleanup are called once each, in that order."""
    application = Echo()
    async with serve(application):
        assert application.told == ["startup"]
    assert application.told == ["startup", "shutdown", "cleanup"]


async def test_port_in_use_says_which() -> None:
    """A port that is taken is an OSError that names host and port; what started is cleaned up."""
    late = Echo()
    async with serve(Echo()) as listener:
        port = listener.addresses[0][1]
        with pytest.raises(OSError, match=f"can't listen on 127.0.0.1 port {port}"):
            async with serve(late, "127.0.0.1", port):
                pass
    assert late.told == ["startup", "shutdown", "cleanup"]


# As a program, inside of this one.


class Ending(Echo):
    """An application whose handler raises what ends programs."""

    def __init__(self, ending: BaseException) -> None:
        super().__init__()
        self.ending = ending

    async def handle_exchange(self, exchange: Exchange) -> None:
        raise self.ending


def run(app: Any, **options: Any) -> list[str]:
    """Run a program that is asked once, as soon as it tells where; return what it said."""
    lines: list[str] = []
    with ExitStack() as clients:

        def say(line: str) -> None:
            lines.append(line)
            if len(lines) == 1:
                client = socket.create_connection(("127.0.0.1", port_of(line)))
                clients.enter_context(client).sendall(GET)

        run_app(
            app,
            host="127.0.0.1",
            port=0,
            print=say,
            shutdown_timeout=1000,  # a handler that ended the loop isn't waited for
            lingering_time=0,
            **options,
        )
    return lines


def test_handler_may_end_the_program(caplog: pytest.LogCaptureFixture) -> None:
    """GracefulExit stops in order, and so does KeyboardInterrupt without handled signals."""
    for ending in (GracefulExit(), KeyboardInterrupt()):
        application = Ending(ending)
        lines = run(application, handle_signals=False)
        assert application.told == ["startup", "shutdown", "cleanup"]
        assert lines[0].splitlines()[1] == "(Press CTRL+C to stop)"
    gc.collect()
    assert [each for each in caplog.records if each.levelno > logging.INFO] == []


def test_exit_code_of_a_handler_is_handed_on() -> None:
    """Stopped in order, too."""
    application = Ending(SystemExit(3))
    with pytest.raises(SystemExit) as caught:
        run(application)
    assert caught.value.code == 3
    assert application.told == ["startup", "shutdown", "cleanup"]


def test_application_may_be_awaited() -> None:
    """It is made in the loop that serves it, which may be the program's own, and is closed."""
    made: list[Ending] = []
    loop = asyncio.new_event_loop()

    async def make() -> Ending:
        assert asyncio.get_running_loop() is loop
        made.append(Ending(GracefulExit()))
        return made[0]

    run(make(), loop=loop)
    assert made[0].told == ["startup", "shutdown", "cleanup"]
    assert loop.is_closed()


def test_program_that_can_not_start_raises() -> None:
    """Port in use, unknown option, no application: the error says what to do."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        application = Echo()
        with pytest.raises(OSError, match=f"can't listen on 127.0.0.1 port {port}: Address"):
            run_app(application, host="127.0.0.1", port=port, print=None)
        assert application.told == ["startup", "shutdown", "cleanup"]
    with pytest.raises(
        TypeError, match="'keepalive_timout' is no option of a connection: did you mean"
    ):
        run_app(Echo(), keepalive_timout=8)
    wrong: Any = "module:app"
    with pytest.raises(TypeError, match=r"expected an application, such as web\.Application\(\)"):
        run_app(wrong)


# As a program of its own.

PROGRAM = """
import asyncio, os, sys
from aiohttp import web

class Hello:
    async def startup(self):
        say("starting")
        if "slow" in sys.argv:
            await asyncio.Event().wait()

    async def handle_exchange(self, exchange):
        if exchange.head.target == "/endless":
            await exchange.start(200)
            await exchange.write(b"begun")
            say("begun")
            await asyncio.Event().wait()
        await exchange.respond(200, [("Content-Type", "text/plain")], b"Hello")

    async def shutdown(self):
        say("shutting down")

    async def cleanup(self):
        say("cleaned up")
        if "stuck" in sys.argv:
            await asyncio.Event().wait()

def say(text):
    print(text, flush=True)

options = eval(sys.argv[1])
web.run_app(Hello(), **options)
say("over")
"""


class Program:
    """A process that serves."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        """Return the next line that it says."""
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().rstrip("\n")

    async def port(self) -> int:
        """Return where it serves, when it does."""
        assert await self.line() == "starting"
        port = port_of(await self.line())
        assert await self.line() == "(Press CTRL+C to stop)"
        return port

    async def rest(self) -> list[str]:
        """Return what it says until its end."""
        return (await self.process.communicate())[0].decode().splitlines()

    def send(self, number: int) -> None:
        """Send a signal, if it still runs.

        Not by ``send_signal``: that looks whether the process has ended, and then asyncio
        doesn't hear how.
        """
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, number)


@asynccontextmanager
async def program(*arguments: str, **options: Any) -> AsyncGenerator[Program]:
    """Start a program with these options of ``run_app``; it is gone at the end."""
    options = {"host": "127.0.0.1", "port": 0, "lingering_time": 0, **options}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, repr(options), *arguments,
        stdout=subprocess.PIPE, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_run_app_serves_until_a_signal(number: int) -> None:
    """run_app says where it serves, answers, and at a signal cleans up and returns."""
    async with program() as served:
        port = await served.port()
        assert (await fetch(port, GET)).endswith(b"Hello")
        served.send(number)
        assert await served.rest() == ["shutting down", "cleaned up", "over"]
        assert served.process.returncode == 0


async def test_second_sigint_cuts_at_once() -> None:
    """The first one waits for what runs; cleanup runs all the same."""
    async with program(shutdown_timeout=1000) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", await served.port())
        writer.write(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await served.line() == "begun"
        served.send(signal.SIGINT)
        assert await served.line() == "shutting down"
        served.send(signal.SIGINT)
        assert await served.rest() == ["cleaned up", "over"]
        assert served.process.returncode == 0
        assert not (await reader.read()).endswith(b"0\r\n\r\n")
        writer.close()
        await writer.wait_closed()


async def test_third_sigint_ends_what_can_not_be_cut() -> None:
    """A cleanup without end is ended where it stands, as any program is."""
    async with program("stuck") as served:
        await served.port()
        served.send(signal.SIGINT)
        assert await served.line() == "shutting down"
        assert await served.line() == "cleaned up"
        while served.process.returncode is None:  # signals that come at once are one
            served.send(signal.SIGINT)
            with suppress(TimeoutError):
                await asyncio.wait_for(served.process.wait(), 0.02)
        assert served.process.returncode == -signal.SIGINT


async def test_endless_response_is_cut_at_the_timeout() -> None:
    """The program is gone within the limit, and cleanup has run."""
    async with program(shutdown_timeout=0.05) as served:
        _, writer = await asyncio.open_connection("127.0.0.1", await served.port())
        writer.write(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await served.line() == "begun"
        served.send(signal.SIGTERM)
        assert (await served.rest())[-2:] == ["cleaned up", "over"]
        assert served.process.returncode == 0
        writer.close()
        await writer.wait_closed()


async def test_start_that_is_under_way_is_given_up() -> None:
    """A signal need not wait for the application to be ready; what it began is cleaned up."""
    async with program("slow") as served:
        assert await served.line() == "starting"
        served.send(signal.SIGTERM)
        assert await served.rest() == ["cleaned up", "over"]
        assert served.process.returncode == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: that of a unix socket has 108 bytes at most."""
    with TemporaryDirectory() as name:
        yield Path(name)


async def test_program_on_a_unix_socket(folder: Path) -> None:
    """Then there is no TCP, and the file is gone in the end."""
    path = folder / "s"
    async with program(path=str(path), host=None, port=None) as served:
        assert await served.line() == "starting"
        assert await served.line() == f"======== Serving on http://unix:{path}: ========"
        served.send(signal.SIGTERM)
        assert (await served.rest())[-1] == "over"
    assert not path.exists()
