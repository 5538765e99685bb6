"""Many deadlines, one timer.

A ``call_later`` for each request costs more than parsing it. Here a deadline is
an attribute: moving it later, which is what nearly every byte does, is one
assignment. The clock looks at all deadlines together, in ticks, and finds out
which have really passed.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Protocol
from weakref import WeakKeyDictionary, proxy

__all__ = ["NEVER", "TICK", "Clock", "Deadline", "Deadlines", "deadlines_of"]

logger = logging.getLogger("aiohttp")

NEVER = math.inf


class Cancellable(Protocol):
    """What ``call_at`` gives back."""

    def cancel(self) -> None:
        """Forget the call."""


class Clock(Protocol):
    """The two methods of an event loop that time needs; a test turns one by hand."""

    def time(self) -> float:
        """Return the monotonic time in seconds."""
        ...

    def call_at(self, when: float, callback: Callable[[], object], /) -> Cancellable:
        """Arrange for ``callback`` to be called at ``when``."""
        ...


class Deadline:
    """A moment after which something is called, unless it is moved in time.

    Attributes:
        when: the moment, on the clock; ``inf`` while nothing is awaited. Move it
            with ``set`` and ``clear``. Each expiry calls back once.
    """

    __slots__ = ("_deadlines", "expired", "tick", "when")

    def __init__(self, deadlines: Deadlines, expired: Callable[[], object]) -> None:
        self._deadlines = deadlines
        self.expired: Callable[[], object] | None = expired
        self.tick = NEVER  # the tick at which it will be looked at
        self.when = NEVER

    def set(self, when: float) -> None:
        """Move the deadline to ``when`` on the clock."""
        self.when = when
        if when <= self.tick * TICK - TICK:
            self._deadlines.watch(self)

    def clear(self) -> None:
        """Expect nothing. Costs nothing: the next look will find it idle."""
        self.when = NEVER

    def close(self) -> None:
        """Expect nothing ever again, and let go of what would have been called."""
        self.when = NEVER
        self.expired = None
        self._deadlines.forget(self)

    def __repr__(self) -> str:
        return f"<Deadline at {self.when:.3f}>" if self.when < NEVER else "<Deadline idle>"


TICK = 1 / 32
"""Seconds. A deadline passes never early, and at most so much late.

A power of two, so that ticks are exact: rounding can't put one before its deadline.
"""


class Deadlines:
    """All deadlines of one event loop; while none is watched, no timer runs."""

    __slots__ = ("_clock", "_next", "_timer", "_watched")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watched: dict[float, set[Deadline]] = {}
        self._timer: Cancellable | None = None
        self._next = NEVER  # the tick for which the timer is set

    def __repr__(self) -> str:
        return f"<Deadlines {sum(map(len, self._watched.values()))} watched>"

    def time(self) -> float:
        """Return the time on the clock, in seconds."""
        return self._clock.time()

    def deadline(self, expired: Callable[[], object]) -> Deadline:
        """Return a new deadline that calls ``expired`` when it passes; idle at first."""
        return Deadline(self, expired)

    def watch(self, deadline: Deadline) -> None:
        """Look at ``deadline`` at its own moment, rounded up: never early."""
        self.forget(deadline)
        if deadline.when == NEVER:
            return
        tick = float(math.ceil(deadline.when / TICK))
        deadline.tick = tick
        self._watched.setdefault(tick, set()).add(deadline)
        if tick < self._next:
            self._arm(tick)

    def forget(self, deadline: Deadline) -> None:
        """Stop looking at ``deadline``."""
        if (watched := self._watched.get(deadline.tick)) is not None:
            watched.discard(deadline)
            if not watched:
                del self._watched[deadline.tick]
        deadline.tick = NEVER
        if not self._watched and self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._next = NEVER

    def _arm(self, tick: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = tick
        self._timer = self._clock.call_at(tick * TICK, self._look)

    def _look(self) -> None:
        """Call what has passed; what was moved later is watched at its new moment."""
        self._timer = None
        self._next = NEVER
        now = self._clock.time()
        passed: list[Deadline] = []
        for tick in [tick for tick in self._watched if tick * TICK <= now]:
            for deadline in self._watched.pop(tick):
                deadline.tick = NEVER
                if deadline.when <= now:
                    passed.append(deadline)
                elif deadline.when < NEVER:
                    self.watch(deadline)
        if self._watched:
            self._arm(min(self._watched))
        for deadline in passed:
            # What is called first may have moved or closed the others.
            if deadline.when <= now and deadline.expired is not None:
                deadline.when = NEVER
                try:
                    deadline.expired()
                except Exception:  # the others must not wait for ever
                    logger.exception("error in %r", deadline.expired)


_deadlines: WeakKeyDictionary[asyncio.AbstractEventLoop, Deadlines] = WeakKeyDictionary()


def deadlines_of(loop: asyncio.AbstractEventLoop) -> Deadlines:
    """Return the deadlines that all connections of this loop share."""
    found = _deadlines.get(loop)
    if found is None:
        # By proxy: the value of a weak dictionary must not keep its key alive.
        found = _deadlines[loop] = Deadlines(proxy(loop))
    return found
