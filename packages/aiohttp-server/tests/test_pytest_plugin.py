"""The fixtures for pytest: in pytest-asyncio's loops, in our own, and not at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import asyncio
import pytest
from aiohttp.protocol import Exchange

closed = []

class App:
    async def handle_exchange(self, exchange):
        await exchange.respond(200, (), exchange.head.target.encode())
    async def cleanup(self):
        closed.append("cleanup")

@pytest.fixture
async def client(aiohttp_client):
    client = await aiohttp_client(App())
    yield client
    closed.append(await (await client.get("/last")).text())

async def test_client(client):
    async with client.get("/a") as response:
        assert await response.text() == "/a"

def test_what_was_opened_was_closed():
    assert closed == ["/last", "cleanup"]

class TestMethods:
    @pytest.fixture
    async def me(self, loop):
        assert loop is asyncio.get_running_loop()
        self.mark = 1
        return self

    async def test_instance_is_the_tests_own(self, me, aiohttp_unused_port):
        assert me is self and self.mark
        assert aiohttp_unused_port() > 0

async def test_servers(aiohttp_server, aiohttp_client, loop):
    assert loop is asyncio.get_running_loop()
    server = await aiohttp_server(App(), shutdown_timeout=0.5)
    first, second = await aiohttp_client(server), await aiohttp_client(server, headers={"A": "1"})
    assert first.server is second.server is server

async def test_place_of_a_server(aiohttp_client, aiohttp_unused_port):
    port = aiohttp_unused_port()
    client = await aiohttp_client(App(), server_kwargs={"port": port, "keepalive_timeout": 1.0})
    assert client.port == port
    assert (await aiohttp_client(App(), host="localhost")).host == "localhost"

@pytest.mark.parametrize("status", [200, 404])
async def test_raw_server(aiohttp_raw_server, aiohttp_client, status):
    from aiohttp import web

    async def handler(request):
        return web.Response(status=status)

    client = await aiohttp_client(await aiohttp_raw_server(handler))
    assert (await client.get("/")).status == status
"""

OPTIONS = ["-p", "aiohttp.server.pytest_plugin", "-p", "no:cacheprovider", "-W", "error", "-q"]
IN_AUTO_MODE = [
    "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function",
]  # fmt: skip

IN_STRICT_MODE = [
    "-o", "asyncio_mode=strict", "-o", "asyncio_default_fixture_loop_scope=function",
]  # fmt: skip


def run(path: Path, *options: str, tests: str = TESTS) -> str:
    """Return what pytest says of these tests, in a process of its own."""
    path.joinpath("pytest.ini").write_text("[pytest]\n")
    path.joinpath("test_it.py").write_text(tests)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, *options],
        check=False,
        cwd=path,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "options", [["-p", "no:asyncio"], IN_AUTO_MODE], ids=["alone", "pytest-asyncio"]
)
def test_fixtures_work(tmp_path: Path, options: list[str]) -> None:
    """Clients and servers are made, and closed with the test, whoever has the loop."""
    assert "7 passed" in run(tmp_path, *options)


def test_fixtures_work_in_strict_mode(tmp_path: Path) -> None:
    """So they do where pytest-asyncio runs only what is marked."""
    tests = """
import asyncio
import pytest

class App:
    async def handle_exchange(self, exchange):
        await exchange.respond(200)

@pytest.mark.asyncio
async def test_client(aiohttp_client, loop):
    assert loop is asyncio.get_running_loop()
    client = await aiohttp_client(App())
    assert (await client.get("/")).status == 200

def test_loop(loop):
    assert isinstance(loop, asyncio.AbstractEventLoop)
"""
    assert "2 passed" in run(tmp_path, *IN_STRICT_MODE, tests=tests)


def test_nothing_happens_unasked(tmp_path: Path) -> None:
    """A test without our fixtures is as it would be without the plugin."""
    tests = """
import asyncio, sys

def test_sync():
    assert "aiohttp.server.testing" not in sys.modules
    assert "aiohttp.protocol" not in sys.modules

async def test_coroutine():
    pass
"""
    found = run(tmp_path, "-p", "no:asyncio", tests=tests)
    assert "async def functions are not natively supported" in found
    assert "1 passed" in found
