"""Who notices that the event loop is blocked, when nothing on the loop can."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic

from .frames import called_by_loop, format_frames, frames_of_thread

__all__ = ["LoopWatch"]


class LoopWatch:
    """Logs what blocks the event loop, while it does, and afterwards how long it took.

    A thread sleeps until the loop could be late, and looks: some wake-ups a minute are
    all it costs. Code that keeps the interpreter's lock, such as the search for a bad
    regular expression, keeps this thread from it, too; gunicorn's SIGABRT finds that.

    Args:
        log: gets the stack of the loop's thread, once for each time that it is blocked.
        limit: seconds without ``turned()`` after which it is. As with gunicorn's
            ``timeout``, they count from the last heartbeat.
        request: names the request that the loop is busy with, if it is with any;
            called in the watching thread.
        clock: tells seconds.
    """

    def __init__(
        self,
        log: logging.Logger,
        limit: float,
        request: Callable[[], str | None] = lambda: None,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._log = log
        self._limit = limit
        self._request = request
        self._clock = clock
        self._loop_thread: int | None = None
        self._turned = clock()
        self._reported: float | None = None  # the last turn before the block that is logged
        self._is_stopped = threading.Event()

    def start(self) -> None:
        """Watch the loop of the calling thread from now on."""
        self._loop_thread = threading.get_ident()
        self._turned = self._clock()
        threading.Thread(target=self._watch, name="loop-watch", daemon=True).start()

    def stop(self) -> None:
        """End the thread, soon."""
        self._is_stopped.set()

    def turned(self) -> None:
        """Take note that the loop turns; the heartbeat calls it, on the loop."""
        before, self._turned = self._turned, self._clock()
        if self._reported == before:
            self._log.warning("The event loop turns again, after %.1f s", self._turned - before)

    def look(self) -> float:
        """Log that the loop is blocked, if it is; return in how many seconds to look again."""
        turned = self._turned
        seconds = self._clock() - turned
        if seconds < self._limit:
            return self._limit - seconds
        if self._reported != turned:
            self._reported = turned
            self._report(seconds)
        return self._limit

    def _watch(self) -> None:
        wait = self._limit
        while not self._is_stopped.wait(wait):
            wait = self.look()

    def _report(self, seconds: float) -> None:
        frames = called_by_loop(frames_of_thread(self._loop_thread))
        request = self._request()
        self._log.error(
            "The event loop has not turned for %.1f s; it is blocked%s:\n%s",
            seconds,
            f" by {request}" if request else "",
            format_frames(frames),
        )
