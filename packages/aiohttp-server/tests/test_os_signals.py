"""Signals of the operating system as calls in the event loop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import pytest

from aiohttp.server.os_signals import signal_calls


async def test_calls_are_made_in_the_loop_and_only_in_the_block() -> None:
    """Each signal its own; afterwards its handler is that of before."""
    came = asyncio.Queue[str]()
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    calls: dict[int, Callable[[], object]] = {
        signal.SIGTERM: lambda: came.put_nowait("term"),
        signal.SIGINT: lambda: came.put_nowait("int"),
    }
    with signal_calls(calls):
        os.kill(os.getpid(), signal.SIGTERM)
        assert await came.get() == "term"
        os.kill(os.getpid(), signal.SIGINT)
        assert await came.get() == "int"
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


async def test_other_threads_hear_no_signals() -> None:
    """The error says what to do."""

    async def hear() -> None:
        with signal_calls({signal.SIGTERM: print}):
            raise AssertionError("not reached")

    with pytest.raises(RuntimeError, match="main thread only: use handle_signals=False"):
        await asyncio.to_thread(lambda: asyncio.run(hear()))
