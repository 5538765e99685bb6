"""``aiohttp.test_utils``: the servers that it offers to tests."""

from __future__ import annotations

import asyncio
from urllib.request import urlopen

import pytest

from aiohttp.protocol import Exchange
from aiohttp.test_utils import TestServer


class Hello:
    """Answer with the target."""

    async def handle_exchange(self, exchange: Exchange) -> None:
        await exchange.respond(200, (), exchange.head.target.encode())


async def test_server_answers_under_its_url() -> None:
    """A URL of make_url leads to the application."""
    async with TestServer(Hello()) as server:
        url = server.make_url("/a?b=c")
        with await asyncio.to_thread(urlopen, str(url)) as answer:
            assert answer.read() == b"/a?b=c"


async def test_closing_twice_is_fine() -> None:
    """A closed server can be closed again, and one that never started too."""
    server = TestServer(Hello())
    await server.close()
    await server.start_server()
    await server.close()
    await server.close()


def test_path_must_begin_with_a_slash() -> None:
    """make_url refuses a relative path, and a server without a port."""
    with pytest.raises(ValueError, match="begins with /"):
        TestServer(Hello(), port=80).make_url("a")
    with pytest.raises(RuntimeError, match="start_server"):
        TestServer(Hello()).make_url("/")
