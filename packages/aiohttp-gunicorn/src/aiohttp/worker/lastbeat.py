"""The heartbeat of a worker whose loop is over, while threads of its application hold it up."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

__all__ = ["LastBeat"]

BEAT = 0.5
"""Seconds from one heartbeat to the next."""


class LastBeat:
    """Goes on telling the arbiter that a process lives, and ends it if that takes too long.

    A thread that was started by ``asyncio.to_thread``, or by the application itself, can't be
    cancelled, and Python waits for it when a process ends.

    Args:
        notify: tells the arbiter; what it raises, when gunicorn has closed its file, is no harm.
        limit: seconds from the end of the loop to that of the process, at most.
        wait: waits for so many seconds.
        leave: ends the process at once.
    """

    def __init__(
        self,
        notify: Callable[[], object],
        log: logging.Logger,
        limit: float,
        *,
        wait: Callable[[float], object] = time.sleep,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        self._notify = notify
        self._log = log
        self._limit = limit
        self._wait = wait
        self._leave = leave

    def start(self) -> None:
        """Begin, in a thread that holds nobody up."""
        threading.Thread(target=self.beat, name="last-beat", daemon=True).start()

    def beat(self) -> None:
        """Tell the arbiter until ``limit``, and then end the process."""
        waited = 0.0
        while waited < self._limit:
            with suppress(OSError, ValueError):  # closed: only threads are left by then
                self._notify()
            self._wait(BEAT)
            waited += BEAT
        self._log.warning("Threads of the application go on; the process ends without them")
        self._leave(0)
