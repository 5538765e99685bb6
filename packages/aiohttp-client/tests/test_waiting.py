"""One timer for all who wait for a connection."""

from __future__ import annotations

import asyncio
import math

from aiohttp.client.waiting import WaitingRoom
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
