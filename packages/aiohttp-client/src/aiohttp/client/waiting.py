"""Limits in time of those who wait for a connection, or open one: by one timer for all."""

from __future__ import annotations

import asyncio
import math
from types import TracebackType
from typing import Self

from aiohttp.protocol.timers import Deadlines

__all__ = ["TimeLimit", "WaitingRoom"]


class WaitingRoom:
    """Wakes whoever waits in vain when the time is over.

    A timer for each waiter would cost 6 µs of the 27 that a small GET takes; nearly all
    of them leave in time, and so this one looks when the first of them might be late.
    """

    __slots__ = ("_deadlines", "_late", "_until")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._late = deadlines.deadline(self._look)
        self._until: dict[asyncio.Future[None], float] = {}

    def __repr__(self) -> str:
        return f"<WaitingRoom {len(self._until)} inside>"

    def enter(self, woken: asyncio.Future[None], until: float) -> None:
        """Let somebody wait for this future, which has a result by ``until`` at the latest.

        On the loop's clock; ``inf``: without a limit.
        """
        self._until[woken] = until
        if until < self._late.when:
            self._late.set(until)

    def leave(self, woken: asyncio.Future[None]) -> None:
        """Know that nobody waits for this future any more."""
        del self._until[woken]
        if not self._until:
            self._late.close()
            self._late = self._deadlines.deadline(self._look)

    def _look(self) -> None:
        now = self._deadlines.time()
        for woken, until in self._until.items():
            if until <= now and not woken.done():
                woken.set_result(None)
        left = [until for woken, until in self._until.items() if not woken.done()]
        self._late.set(min(left, default=math.inf))


class TimeLimit:
    """``asyncio.timeout_at``, by the timer that all connections share: 1.5 µs instead of 6.

    Cancels what its block awaits, and makes a TimeoutError of that. To be used once, in
    the task that made it.

    Attributes:
        has_passed: whether the time was over, or ``end`` called, before the block ended.
    """

    __slots__ = ("_cancelling", "_deadline", "_task", "has_passed")

    def __init__(self, deadlines: Deadlines, until: float) -> None:
        self._deadline = deadlines.deadline(self.end)
        self._deadline.set(until)
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self.has_passed = False

    def end(self) -> None:
        """Let the time be over now."""
        if self._task is not None and not self.has_passed:
            self.has_passed = True
            self._task.cancel()

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        if self._task is not None:
            self._cancelling = self._task.cancelling()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._deadline.close()
        task, self._task = self._task, None
        if self.has_passed and task is not None:
            # Somebody else may have cancelled the task, too: that counts, then.
            is_ours = task.uncancel() <= self._cancelling
            if is_ours and exc_type is asyncio.CancelledError:
                raise TimeoutError from exc
