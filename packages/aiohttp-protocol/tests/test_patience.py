"""Patience: a bound that everybody who waits within it shares, and that can be taken back."""

from __future__ import annotations

import asyncio

import pytest

from aiohttp.protocol.patience import Patience
from served import settle


async def test_patience_ends() -> None:
    """Who waits longer than it lasts gets TimeoutError, in this block and in the next."""
    patience = Patience(0.001)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with patience.bound():
                await asyncio.Event().wait()


async def test_who_needs_no_time_needs_no_patience() -> None:
    """A block that doesn't wait is done, though the end has come."""
    async with Patience(0).bound():
        done = True
    assert done


async def test_patience_can_be_lost() -> None:
    """Whoever waits stops; twice is fine, and so is losing it when nobody waits."""
    patience = Patience(1000)

    async def wait() -> None:
        async with patience.bound():
            await asyncio.Event().wait()

    waiting = [asyncio.create_task(wait()) for _ in range(2)]
    await settle()
    patience.lose()
    patience.lose()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [TimeoutError, TimeoutError]
    patience.lose()


async def test_grace_is_granted_beyond_the_end() -> None:
    """Of what is asked for there, also when patience is lost."""
    patience = Patience(0)
    async with patience.bound(grace=1000):
        await settle()
        patience.lose()
        await settle()
