"""Event loops for tests that make their own."""

from __future__ import annotations

import asyncio
import threading

from aiohttp.test_utils import loop_context, setup_test_loop, teardown_test_loop


def test_loop_is_this_threads_and_closed_in_the_end() -> None:
    """The loop is the current one, until it is closed."""
    with loop_context() as loop:
        assert asyncio.get_event_loop() is loop
        assert loop.run_until_complete(asyncio.sleep(0, "result")) == "result"
    assert loop.is_closed()


def test_what_was_begun_is_ended() -> None:
    """Tasks are cancelled, generators closed, and threads joined, before the loop is closed."""
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("task")

    async def begin() -> asyncio.Task[None]:
        task = asyncio.create_task(wait())
        await asyncio.to_thread(ended.append, "thread")
        return task

    made: list[asyncio.AbstractEventLoop] = []

    def make() -> asyncio.AbstractEventLoop:
        made.append(asyncio.new_event_loop())
        return made[-1]

    before = threading.active_count()
    loop = setup_test_loop(make)
    task = loop.run_until_complete(begin())
    teardown_test_loop(loop, fast=True)
    teardown_test_loop(loop)
    assert made == [loop]
    assert task.cancelled()
    assert ended == ["thread", "task"]
    assert threading.active_count() == before
