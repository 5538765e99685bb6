"""How a thread waits for its client, without others having to wait with it."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TypeVar

from .threads import ThreadPool

__all__ = ["FAST", "PATIENCE", "ClientWait"]

_T = TypeVar("_T")

PATIENCE = 0.05
"""Seconds that a job waits for its client before its thread is parked."""

FAST = 1024 * 1024
"""Bytes a second: a client that takes or gives so many is never the one that is waited for."""


class ClientWait:
    """How long one job has waited for its client, and what happens when that is too long.

    A client that takes or gives ``FAST`` bytes a second never wears out the patience with
    it; one that only trickles does, however short each wait is.
    """

    __slots__ = ("_patience", "_pool")

    def __init__(self, pool: ThreadPool) -> None:
        self._pool = pool
        self._patience = PATIENCE

    def get(self, queue: SimpleQueue[_T]) -> _T:
        """Return what comes next out of a queue. Without patience the thread waits parked."""
        with suppress(Empty):
            return self.get_in_time(queue)
        self._pool.park()
        try:
            return queue.get()
        finally:
            self._pool.unpark()

    def get_in_time(self, queue: SimpleQueue[_T]) -> _T:
        """Return what comes next out of a queue, while there is patience.

        Raises:
            Empty: when there is none any more.
        """
        begun = monotonic()
        try:
            return queue.get(timeout=max(self._patience, 0))
        finally:
            self._patience -= monotonic() - begun

    def note_progress(self, size: int) -> None:
        """Regain patience: the client has given or taken so many bytes."""
        self._patience = min(PATIENCE, max(self._patience, 0) + size / FAST)
