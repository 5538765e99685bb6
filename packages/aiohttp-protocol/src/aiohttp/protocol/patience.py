"""How long somebody goes on waiting: a bound that can be taken back while they wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

__all__ = ["Patience"]


class Patience:
    """A moment of the loop's clock, at which whoever waits within it stops waiting.

    Args:
        seconds: from now on.
    """

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + seconds
        self._waiting: dict[asyncio.Timeout, float] = {}

    @asynccontextmanager
    async def bound(self, grace: float = 0.0) -> AsyncGenerator[None]:
        """Let the block run until ``grace`` seconds after the end, or after ``lose``.

        Raises:
            TimeoutError: if the block was not done by then; it has been cancelled.
        """
        async with asyncio.timeout_at(self._end + grace) as timeout:
            self._waiting[timeout] = grace
            try:
                yield
            finally:
                del self._waiting[timeout]

    def lose(self) -> None:
        """Make now the end, unless it has come already."""
        self._end = min(self._end, self._loop.time())
        for timeout, grace in self._waiting.items():
            if not timeout.expired():
                timeout.reschedule(self._end + grace)
