"""How a program comes to its end: who may wish for it, and what becomes of the wish."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any

from aiohttp.protocol import Tls

from .certificates import Certificates
from .greeting import farewell
from .os_signals import signal_calls
from .runner import BaseRunner

__all__ = ["Stopping"]


class Stopping:
    """The wish that a program ends, uttered by signals or by itself.

    The first one stops in order, and gives up a start that is under way. Another
    SIGINT cuts what still runs. One more ends the program where it stands.

    Args:
        handle_signals: whether SIGINT and SIGTERM utter it; SIGHUP, too, is only heard then.
        say: called with lines for people.
        say_after: seconds after the wish, when it says what still runs: usually nothing.

    Attributes:
        is_wished: whether the end has been wished for.
        is_cut: whether what still runs is not to be waited for.
    """

    def __init__(
        self,
        *,
        handle_signals: bool = True,
        say: Callable[[str], object] = lambda _: None,
        say_after: float = 1.0,
    ) -> None:
        self.is_wished = False
        self.is_cut = False
        self._handle_signals = handle_signals
        self._say = say
        self._say_after = say_after
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._runner: BaseRunner | None = None
        self._starting: asyncio.Task[Any] | None = None
        self._wish = asyncio.Event()

    @contextmanager
    def heard(self, tls: Tls = None) -> Generator[None]:
        """Hear signals as long as the block lasts, in the task that runs it.

        Until ``wait`` is called, a wish cancels the block; this CancelledError goes no
        further. SIGHUP loads ``tls`` again if that are ``Certificates``.
        """
        self._starting = asyncio.current_task()
        with signal_calls(self._calls(tls)) if self._handle_signals else nullcontext():
            try:
                yield
            except asyncio.CancelledError:
                if not self.is_wished:
                    raise
            finally:
                self._starting = None

    @asynccontextmanager
    async def ends(self, runner: BaseRunner) -> AsyncGenerator[None]:
        """Clean this runner up at the end of the block, undisturbed by further wishes."""
        self._runner = runner
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._starting = None
            try:
                await runner.cleanup()
            finally:
                if self._timer is not None:
                    self._timer.cancel()

    async def wait(self) -> None:
        """Return when the end is wished for."""
        self._starting = None
        await self._wish.wait()

    def stop(self) -> None:
        """Wish for an end in order."""
        if self.is_wished:
            return
        self.is_wished = True
        self._wish.set()
        if self._starting is not None:
            self._starting.cancel()
        elif self._loop is not None:  # which may not run: KeyboardInterrupt stops it for a moment
            self._timer = self._loop.call_later(self._say_after, self._tell_who_waits)

    def _tell_who_waits(self) -> None:
        if self._runner is not None and (running := self._runner.running_handlers):
            self._say(farewell(running, self._runner.shutdown_timeout - self._say_after))

    def interrupt(self) -> None:
        """Wish for an end in order; the second time, for one at once."""
        if not self.is_wished:
            self.stop()
            return
        self.is_cut = True
        if self._runner is not None:
            self._runner.cut()
        if self._handle_signals:
            # Who can't even be cut, as a cleanup without end can't, can be ended by a third one.
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _calls(self, tls: Tls) -> dict[int, Callable[[], object]]:
        calls: dict[int, Callable[[], object]] = {
            signal.SIGINT: self.interrupt,
            signal.SIGTERM: self.stop,
        }
        if isinstance(tls, Certificates) and hasattr(signal, "SIGHUP"):
            calls[signal.SIGHUP] = tls.reload
        return calls
