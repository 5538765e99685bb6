"""The life of an ASGI application in one worker: its start, its end, and the state in between.

Lifespan 2.0. The application is called once with a scope of its own, in a task that lasts as
long as the worker serves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Literal

from aiohttp.protocol import InvalidUse

from ..boot import BootError
from .messages import AsgiCallable, Message, Scope
from .scope import VERSION

__all__ = ["Lifespan", "Phase"]

SPEC_VERSION: Final = "2.0"


class Phase(Enum):
    """How far an application's life has come."""

    UNBORN = "unborn"
    STARTING = "starting"
    SERVING = "serving"
    FAILED = "failed"
    """It said so."""
    STOPPING = "stopping"
    STOPPED = "stopped"


# What an application may say, and the phase that follows.
_TABLE: Final[dict[Phase, dict[str, Phase]]] = {
    Phase.UNBORN: {},
    Phase.STARTING: {
        "lifespan.startup.complete": Phase.SERVING,
        "lifespan.startup.failed": Phase.FAILED,
    },
    Phase.SERVING: {},
    Phase.FAILED: {},
    Phase.STOPPING: {
        "lifespan.shutdown.complete": Phase.STOPPED,
        "lifespan.shutdown.failed": Phase.STOPPED,
    },
    Phase.STOPPED: {},
}


class Lifespan:
    """Tells an application when it starts and ends.

    In mode ``auto`` an application that raises or returns before it has said anything
    doesn't know of lifespan, and is served without (gunicorn's ``asgi_lifespan``). With
    ``on`` that is an error. With ``off`` it is never asked.

    Attributes:
        state: what the application keeps for its requests; None if it has no lifespan.
        phase: how far its life has come.
    """

    def __init__(
        self,
        application: AsgiCallable,
        mode: Literal["auto", "on", "off"],
        log: logging.Logger,
    ) -> None:
        self.state: dict[str, Any] | None = None
        self.phase = Phase.UNBORN
        self._application = application
        self._mode = mode
        self._log = log
        self._task: asyncio.Task[None] | None = None
        self._has_heard_start = False
        self._has_heard_end = False
        self._waits_in_vain = False
        self._message = ""
        self._error: BaseException | None = None
        self._news = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Lifespan {self._mode}, {self.phase.value}>"

    async def startup(self) -> None:
        """Return when the application is ready, or turned out to know nothing of lifespan.

        Cancelling it leaves the application's call to ``shutdown``.

        Raises:
            BootError: if the application says that it failed; in mode ``on`` also if it
                says nothing.
        """
        if self._mode == "off":
            return
        state: dict[str, Any] = {}
        asgi = {"version": VERSION, "spec_version": SPEC_VERSION}
        scope: Scope = {"type": "lifespan", "asgi": asgi, "state": state}
        self._enter(Phase.STARTING)
        self._task = task = asyncio.create_task(self._live(scope), name="lifespan")
        task.add_done_callback(lambda _: self._news.set())
        await self._until(lambda: self.phase is not Phase.STARTING or task.done())
        if self.phase is Phase.FAILED:
            raise self._boot_error()
        if self.phase is Phase.STARTING:
            self._note_silence()
        else:
            self.state = state

    async def shutdown(self) -> None:
        """Tell the application that it ends; return when it has.

        What goes wrong is logged. Cancelled, it cancels the application's call.
        """
        task = self._task
        if task is None:
            return
        if self.phase is Phase.SERVING:
            self._enter(Phase.STOPPING)
        try:
            if self.phase is not Phase.STARTING:
                # After its last word it may have something to do, but not to wait for.
                await self._until(lambda: task.done() or self._waits_in_vain)
            task.cancel()
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.cancel()
            if self.phase is Phase.STOPPING:
                self._log.warning("The application did not end its lifespan in time")
            raise

    # What the application is called with.

    async def _receive(self) -> Message:
        if not self._has_heard_start:
            self._has_heard_start = True
            return {"type": "lifespan.startup"}
        await self._until(lambda: self.phase not in {Phase.STARTING, Phase.SERVING})
        if self.phase is not Phase.STOPPING or self._has_heard_end:
            self._waits_in_vain = True
            self._news.set()
            await asyncio.get_running_loop().create_future()
        self._has_heard_end = True
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        kind: Any = message.get("type")
        phase = _TABLE[self.phase].get(kind)
        if phase is None:
            expected = " or ".join(_TABLE[self.phase]) or "nothing"
            raise InvalidUse(f"expected {expected} while {self.phase.value}, got {kind!r}")
        self._enter(phase)
        if kind == "lifespan.startup.failed":
            self._message = str(message.get("message") or "")
        elif kind == "lifespan.shutdown.failed":
            self._log.error(
                "The application failed to shut down: %s", message.get("message") or "no reason"
            )

    async def _live(self, scope: Scope) -> None:
        """Call the application; what it raises is kept for its start, and logged later on."""
        try:
            await self._application(scope, self._receive, self._send)
        except asyncio.CancelledError:
            raise
        except BaseException as exc:  # noqa: BLE001 - SystemExit, too: it would end the loop
            if self.phase is Phase.STARTING:
                self._error = exc
            elif self.phase in {Phase.SERVING, Phase.STOPPING}:
                self._log.error("Error in the application's lifespan", exc_info=exc)
            else:  # it has said so itself
                self._log.debug("The application's lifespan ended", exc_info=exc)

    # How its start ended.

    def _boot_error(self) -> BootError:
        """Return the reason that the application gave; frameworks give a traceback."""
        text = self._message.strip()
        reason = text.splitlines()[-1] if text else "no reason"
        details = f"\n{text}" if text != reason and text else ""
        return BootError(f"the application failed to start: {reason}{details}")

    def _note_silence(self) -> None:
        """Go on without lifespan, if that may be.

        Raises:
            BootError: in mode ``on``, and if the application wants to exit.
        """
        error = self._error
        did = "returned" if error is None else f"raised {error!r}"
        if self._mode == "on" or not isinstance(error, Exception | None):
            raise BootError(
                f"the application {did} instead of sending lifespan.startup.complete",
                error=error if isinstance(error, Exception) else None,
            )
        if error is not None and self._has_heard_start:
            self._log.warning(
                "The application %s at lifespan.startup, and is served without lifespan; "
                "with asgi_lifespan = 'on' this would end gunicorn",
                did,
                exc_info=error,
            )
        else:
            self._log.debug("The application %s, and is served without lifespan", did)

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self._news.set()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._news.clear()
            await self._news.wait()
