"""What ``request()`` returns works in every way in which a coroutine can be used."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any

import pytest

from aiohttp.client import Session, request
from aiohttp.client.awaitables import FINISHED
from origin import Origin, response

HELLO = response(b"hello")


async def test_await() -> None:
    """``await request(…)`` gives the response."""
    async with Origin(HELLO) as origin:
        assert await (await request("GET", origin.url)).read() == b"hello"


async def test_async_with() -> None:
    """``async with request(…) as response`` lets go at the end."""
    async with Origin(HELLO) as origin:
        async with request("GET", origin.url) as answer:
            assert await answer.read() == b"hello"
        assert answer.closed


async def test_task() -> None:
    """It is a coroutine by the ABC, so that asyncio makes a task of it."""
    async with Origin(HELLO) as origin:
        coroutine = request("GET", origin.url)
        assert isinstance(coroutine, Coroutine)
        answer = await asyncio.create_task(coroutine)
        assert await answer.read() == b"hello"
        answers = await asyncio.gather(request("GET", origin.url), request("GET", origin.url))
        assert [answer.status for answer in answers] == [200, 200]


async def test_task_says_what_it_does() -> None:
    """asyncio calls the coroutine of a task by a name that a person understands."""
    async with Origin(HELLO) as origin:
        task = asyncio.ensure_future(request("GET", origin.url))
        assert "coro=<request()" in repr(task)
        await task


async def test_yield_from() -> None:
    """The example of 2014 runs with one line added: the heir of ``asyncio.coroutine``."""

    @types.coroutine
    def get_body(url: str) -> Generator[Any, Any, bytes]:
        answer = yield from request("GET", url)
        body: object = yield from answer.read_and_close()  # pyright: ignore[reportUnknownVariableType]
        assert isinstance(body, bytes)
        return body

    async with Origin(HELLO) as origin:
        assert await get_body(origin.url) == b"hello"


async def test_error_in_a_block_reaches_the_program() -> None:
    """Leaving by an exception lets go, and hides nothing."""
    async with Origin(HELLO) as origin, Session() as session:
        with pytest.raises(KeyError):
            async with session.get(origin.url):
                raise KeyError
        assert " 0 in use" in repr(session)


async def test_response_can_be_entered_itself() -> None:
    """``async with await request(…)`` lets go at the end, too."""
    async with Origin(HELLO) as origin, Session() as session:
        async with await session.get(origin.url) as answer:
            assert await answer.read() == b"hello"
        assert answer.closed


async def test_request_that_is_given_up() -> None:
    """A request that was never sent can be closed."""
    coroutine = request("GET", "http://127.0.0.1/")
    coroutine.close()
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        await coroutine


async def test_request_that_is_forgotten() -> None:
    """A request that is never awaited warns, as every coroutine does."""
    with pytest.warns(RuntimeWarning, match="was never awaited"):
        request("GET", "http://127.0.0.1/")


async def test_request_is_sent_when_it_is_awaited() -> None:
    """Making it sends nothing."""
    async with Origin(HELLO) as origin, Session() as session:
        coroutine = session.get(origin.url)
        await asyncio.sleep(0)
        assert origin.connections == 0
        await coroutine


async def test_finished() -> None:
    """What is done already may be awaited, made a task, driven by hand, or dropped."""
    assert isinstance(FINISHED, Coroutine)
    await FINISHED
    await asyncio.create_task(FINISHED)
    with pytest.raises(StopIteration):
        FINISHED.send(None)
    with pytest.raises(KeyError):
        FINISHED.throw(KeyError())
    FINISHED.close()
