"""Serving an application on host and port."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from aiohttp.protocol import Exchange
from aiohttp.server import serve

PROGRAM = """
from aiohttp import web

class Hello:
    async def handle_exchange(self, exchange):
        await exchange.respond(200, [("Content-Type", "text/plain")], b"Hello")

    async def cleanup(self):
        print("cleaned up", flush=True)

def say(text):
    print(text, flush=True)

web.run_app(Hello(), host="127.0.0.1", port=0, print=say)
"""


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
    """A port that is taken is an OSError that names host and port."""
    async with serve(Echo()) as listener:
        port = listener.addresses[0][1]
        with pytest.raises(OSError, match=f"can't listen on 127.0.0.1 port {port}"):
            async with serve(Echo(), "127.0.0.1", port):
                pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_run_app_serves_until_a_signal(number: signal.Signals) -> None:
    """run_app says where it serves, answers, and at a signal cleans up and returns."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdout=subprocess.PIPE, env={**os.environ, "NO_COLOR": "1"}
    )
    assert program.stdout is not None
    welcome = (await program.stdout.readline()).decode()
    port = int(welcome.split(":")[2].split()[0])
    request = b"GET / HTTP/1.0\r\n\r\n"
    assert (await fetch(port, request)).endswith(b"Hello")
    program.send_signal(number)
    rest, _ = await program.communicate()
    assert rest.decode().splitlines()[-1] == "cleaned up"
    assert program.returncode == 0
