"""One timer for all who wait for a connection."""

from __future__ import annotations

import asyncio
import math

import pytest

from aiohttp.client.waiting import TimeLimit, WaitingRoom
from aiohttp.protocol.timers import TICK, Deadlines
from wire import HandClock


class Room:
    """A waiting room with a clock turned by hand."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.deadlines = Deadlines(self.clock)
        self.room = WaitingRoom(self.deadlines)

    def enter(self, seconds: float) -> asyncio.Future[None]:
        """Let somebody wait for so long."""
        woken = asyncio.get_running_loop().create_future()
        self.room.enter(woken, self.clock.time() + seconds)
        return woken


async def test_woken_when_the_time_is_over() -> None:
    """Each is woken at its own time, never early, in whatever order they came."""
    here = Room()
    late, soon = here.enter(2.0), here.enter(1.0)
    here.clock.advance(1.0 - TICK)
    assert (soon.done(), late.done()) == (False, False)
    here.clock.advance(2 * TICK)
    assert (soon.done(), late.done()) == (True, False)
    here.clock.advance(1.0)
    assert late.done()


async def test_leaving_in_time() -> None:
    """Who has left isn't woken; those who came later still are."""
    here = Room()
    first, second = here.enter(1.0), here.enter(1.5)
    here.room.leave(first)
    here.clock.advance(1.6)
    assert (first.done(), second.done()) == (False, True)


async def test_empty_room_has_no_timer() -> None:
    """Nothing is left to be looked at when the last one has left."""
    here = Room()
    woken = here.enter(1.0)
    assert repr(here.room) == "<WaitingRoom 1 inside>"
    here.room.leave(woken)
    assert repr(here.room) == "<WaitingRoom 0 inside>"
    assert repr(here.deadlines) == "<Deadlines 0 watched>"
    again = here.enter(1.0)
    here.clock.advance(1.1)
    assert again.done()


async def test_no_limit() -> None:
    """Without a limit nobody is ever woken by the clock."""
    here = Room()
    woken = here.enter(math.inf)
    assert repr(here.deadlines) == "<Deadlines 0 watched>"
    here.clock.advance(1e6)
    assert not woken.done()


async def test_woken_by_somebody_else() -> None:
    """A future that is done, or cancelled, already is let alone."""
    here = Room()
    granted, cancelled = here.enter(1.0), here.enter(1.0)
    granted.set_result(None)
    cancelled.cancel()
    here.clock.advance(1.1)
    assert cancelled.cancelled()


# Limits around a block.


async def forever() -> None:
    """Wait for nothing."""
    await asyncio.get_running_loop().create_future()


async def test_block_that_takes_too_long() -> None:
    """What it awaits is cancelled, and a TimeoutError comes out; the task isn't cancelled."""
    here = Room()
    limit = TimeLimit(here.deadlines, here.clock.time() + 1.0)
    asyncio.get_running_loop().call_soon(here.clock.advance, 1.1)
    with pytest.raises(TimeoutError), limit:
        await forever()
    assert limit.has_passed
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_block_that_ends_in_time() -> None:
    """Nothing is left of the limit."""
    here = Room()
    with TimeLimit(here.deadlines, here.clock.time() + 1.0) as limit:
        await asyncio.sleep(0)
    here.clock.advance(2.0)
    limit.end()
    await asyncio.sleep(0)
    assert not limit.has_passed
    assert repr(here.deadlines) == "<Deadlines 0 watched>"


async def test_block_that_is_ended() -> None:
    """``end`` is the same as time that has passed."""
    limit = TimeLimit(Room().deadlines, math.inf)
    asyncio.get_running_loop().call_soon(limit.end)
    with pytest.raises(TimeoutError), limit:
        await forever()


async def test_cancelled_by_somebody_else() -> None:
    """A cancellation from outside stays one, alone or beside the limit's own."""
    here = Room()

    async def wait() -> None:
        with TimeLimit(here.deadlines, here.clock.time() + 1.0):
            await forever()

    for seconds in (0.0, 1.1):
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        here.clock.advance(seconds)
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_error_of_the_block() -> None:
    """What the block makes of its cancellation comes out, and the task isn't cancelled."""
    limit = TimeLimit(Room().deadlines, math.inf)
    asyncio.get_running_loop().call_soon(limit.end)
    with pytest.raises(KeyError), limit:
        try:
            await forever()
        except asyncio.CancelledError:
            raise KeyError from None
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
