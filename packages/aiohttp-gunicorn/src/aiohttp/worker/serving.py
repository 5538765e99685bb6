"""What a worker serves: one listener for each application, started and drained together."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable
from types import FrameType
from typing import Any, NamedTuple

from aiohttp.protocol import Listener, Service

from .application import Workshop
from .running import busy_request, describe_running, dump_running

__all__ = ["Place", "Serving"]

_GIVEN_UP = 5.0
"""Seconds for the cleanup of applications that have started where another one couldn't."""


class Place(NamedTuple):
    """An application, as gunicorn or a factory has made it, and the sockets it is served on."""

    application: object
    sockets: list[socket.socket]


class Serving:
    """The listeners of one worker.

    Args:
        workshop: makes applications ready.
        log: is told what is cut, and what goes wrong at the end.
    """

    def __init__(self, workshop: Workshop, log: logging.Logger) -> None:
        self._workshop = workshop
        self._log = log
        self._listeners: list[Listener] = []
        self._services: list[Service] = []
        self._is_cut = False

    async def open(
        self, places: Iterable[Place], *, tls: Any, backlog: int, **options: Any
    ) -> None:
        """Start all applications, and then accept connections; ``options`` are of ``Listener``.

        Raises:
            Exception: an application's; those that were started have cleaned up then.
        """
        try:
            opening: list[tuple[Listener, Place]] = []
            for place in places:
                application = await self._workshop.finish(place.application)
                listener = Listener(application, **options)
                self._listeners.append(listener)
                self._services.append(listener.service)  # made here, where the loop is
                opening.append((listener, place))
                await listener.start()
            for listener, place in opening:
                for sock in place.sockets:
                    await listener.listen_socket(sock, tls=tls, backlog=backlog)
        except BaseException:
            await self.close(0, _GIVEN_UP)
            raise

    async def close(self, limit: float, spare: float) -> None:
        """Let requests finish within ``limit`` seconds, and cut what is left.

        Then the applications have ``spare`` seconds to clean up, and so have their threads:
        one that is still blocked ends with the process. Its client has gone, or will never be
        answered.
        """
        drains = [asyncio.create_task(each.drain(limit + spare)) for each in self._listeners]
        try:
            await self._drain(drains, limit, spare)
            async with asyncio.timeout(min(spare, 0.1) if self._is_cut else spare):
                await self._workshop.close()
        except TimeoutError:
            self._log.warning("Threads that are still blocked end with the process")
        for drain in drains:
            if drain.done() and not drain.cancelled() and (error := drain.exception()):
                self._log.error("Error while stopping", exc_info=error)  # of a cleanup()

    async def _drain(self, drains: list[asyncio.Task[bool]], limit: float, spare: float) -> None:
        if not drains:
            return
        if (await asyncio.wait(drains, timeout=limit))[1] and not self._is_cut:
            self._log_running("graceful_timeout is over; what still runs is cut")
            self.cut()
        if (await asyncio.wait(drains, timeout=spare))[1]:
            for drain in drains:
                drain.cancel()
            await asyncio.wait(drains, timeout=spare)

    def cut(self) -> bool:
        """Wait for nobody, neither now nor in ``close``; the applications still clean up.

        Returns whether this is the first time.
        """
        is_first, self._is_cut = not self._is_cut, True
        for listener in self._listeners:
            listener.cut()
        return is_first

    def announce_end(self) -> None:
        """Have all responses from now on say that they are the last of their connections."""
        for service in self.services:
            service.announce_end()

    # What is going on.

    @property
    def services(self) -> list[Service]:
        """The services of all listeners, from the moment when they start; any thread may ask."""
        return list(self._services)

    def busy(self) -> str | None:
        """Name the request in whose handler the loop is at this moment; for any thread."""
        return busy_request(self.services)

    def dump(self, innermost: FrameType | None) -> str:
        """Return where every request is, with its stack; a signal's handler may ask."""
        return dump_running(self.services, self._workshop.pool, innermost)

    def _log_running(self, why: str) -> None:
        for line in describe_running(self.services, self._workshop.pool):
            self._log.warning("%s: %s", why, line)
