"""Event loops for tests that make their own."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["loop_context", "setup_test_loop", "teardown_test_loop"]


@contextmanager
def loop_context(
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    fast: bool = False,
) -> Generator[asyncio.AbstractEventLoop]:
    """Give a new event loop, which is closed in the end; see ``teardown_test_loop``."""
    loop = setup_test_loop(loop_factory)
    try:
        yield loop
    finally:
        teardown_test_loop(loop, fast=fast)


def setup_test_loop(
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> asyncio.AbstractEventLoop:
    """Return a new event loop, which is this thread's from now on."""
    loop = loop_factory()
    asyncio.set_event_loop(loop)
    return loop


def teardown_test_loop(loop: asyncio.AbstractEventLoop, fast: bool = False) -> None:
    """Close an event loop, with all that was begun in it: tasks, generators, threads.

    Unless it is to be ``fast``, garbage is collected: so that what was not closed
    complains now, and not in another test.
    """
    if not loop.is_closed():
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    if not fast:
        gc.collect()
    asyncio.set_event_loop(None)
