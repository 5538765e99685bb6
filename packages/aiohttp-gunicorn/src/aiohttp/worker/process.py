"""The worker: one process under gunicorn, with one event loop; when it starts, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from gunicorn.arbiter import Arbiter
from gunicorn.sock import ssl_context
from gunicorn.workers.base import Worker

from aiohttp.protocol import Exchange, Listener

from .accesslog import AccessLog, is_access_logged
from .application import adapt
from .settings import limits_of

__all__ = [
    "AsyncGunicornWorker",
    "BootError",
    "GunicornUVLoopWebWorker",
    "GunicornWebWorker",
    "loop_factory",
    "share_handlers",
    "tls_context",
]

HEARTBEAT = 1.0
"""Seconds from one heartbeat to the next, at most."""

DRAIN = 0.8
"""The part of ``graceful_timeout`` in which requests are answered before they are cut."""

CLEANUP = 0.1
"""The part that the application's cleanup gets then: at the end gunicorn kills the process."""


class BootError(Exception):
    """Why this worker can't serve, as a sentence for whoever started gunicorn."""


class AsyncGunicornWorker(Worker):  # type: ignore[misc]
    """Serves WSGI applications on asyncio, in ``--threads`` threads.

    SIGTERM drains: what runs is answered within ``graceful_timeout``. SIGINT and
    SIGQUIT cut. What fails before the first request ends gunicorn, instead of
    being tried for ever.
    """

    event_loop: ClassVar[str] = ""
    """Goes before gunicorn's ``asgi_loop``, if it isn't empty."""

    def run(self) -> None:
        """Serve until told to stop. gunicorn calls it in the new process."""
        self._stopping, self._cutting = asyncio.Event(), asyncio.Event()
        self._access_log = AccessLog(self.log) if is_access_logged(self.log) else None
        # A logger class of somebody's own need not have one.
        self._error_log: logging.Logger = getattr(
            self.log, "error_log", logging.getLogger("gunicorn.error")
        )
        share_handlers(self._error_log)
        try:
            make_loop = loop_factory(self.event_loop or self.cfg.asgi_loop)
            with asyncio.Runner(loop_factory=make_loop) as runner:
                runner.run(self._serve())
        except BootError as exc:
            self.log.critical("The worker can't start: %s", exc)
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    async def _serve(self) -> None:
        self._take_signals()
        heart = asyncio.create_task(self._beat())
        starting = asyncio.create_task(self._listen())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((starting, stopping), return_when="FIRST_COMPLETED")
            if not starting.done():
                # An application that waits for something in startup() is not waited for.
                starting.cancel()
                await asyncio.wait((starting,))
                return
            listener = await starting
            await stopping
            await self._end(listener)
        finally:
            heart.cancel()

    async def _listen(self) -> Listener:
        """Start the application and accept connections.

        Raises:
            BootError: if anything of that fails; what the application raised is logged.
        """
        try:
            application = adapt(self.wsgi, self.cfg, self._error_log)
            tls = tls_context(self.cfg)
            listener = Listener(
                application, limits=limits_of(self.cfg), on_exchange=self._note_exchange
            )
            try:
                for wrapper in self.sockets:  # gunicorn.sock.BaseSocket
                    sock: socket.socket = getattr(wrapper, "sock")  # noqa: B009
                    await listener.listen_socket(sock, tls=tls, backlog=self.cfg.backlog)
            except BaseException:
                await listener.drain(0)
                raise
        except BootError:
            raise
        except Exception as exc:
            self.log.exception("Error while starting")
            raise BootError(f"{type(exc).__name__}: {exc}") from exc
        return listener

    async def _end(self, listener: Listener) -> None:
        """Let requests finish in the time there is, or until told to cut."""
        limit = self.cfg.graceful_timeout * DRAIN
        spare = self.cfg.graceful_timeout * CLEANUP
        drain = asyncio.create_task(listener.drain(limit))
        cut = asyncio.create_task(self._cutting.wait())
        await asyncio.wait((drain, cut), timeout=limit + spare, return_when="FIRST_COMPLETED")
        # Now everything is cut, if it wasn't. A thread that is still blocked then
        # ends with the process: its client has gone, or will never be answered.
        drain.cancel()
        cut.cancel()
        if (await asyncio.wait((drain, cut), timeout=spare))[1]:
            drain.cancel()
        error = (await asyncio.gather(drain, cut, return_exceptions=True))[0]
        if isinstance(error, Exception):  # of the application's cleanup()
            self.log.error("Error while stopping", exc_info=error)

    async def _beat(self) -> None:
        """Tell the arbiter that the loop turns, until the process ends; see what it wants."""
        # ``self.timeout`` is half of gunicorn's; 0 means that nobody waits for us.
        seconds = min(HEARTBEAT, self.timeout / 2) if self.timeout else HEARTBEAT
        while True:
            self.notify()
            if os.getppid() != self.ppid:
                self.log.info("Parent changed, shutting down: %s", self)
                self.alive = False
            if not self.alive:  # The reloader says no more than this.
                self._stopping.set()
            await asyncio.sleep(seconds)

    def _note_exchange(self, exchange: Exchange) -> None:
        """Count a request that is answered, and log it."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self._stop()
        if self._access_log is not None:
            self._access_log(exchange)

    # Signals. gunicorn's own handlers hold until the loop runs; SIGABRT, which comes
    # when the loop doesn't turn any more, stays with them.

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGINT, self._cut)
        loop.add_signal_handler(signal.SIGQUIT, self._cut)
        loop.add_signal_handler(signal.SIGUSR1, self.log.reopen_files)

    def _stop(self) -> None:
        self.alive = False
        self._stopping.set()

    def _cut(self) -> None:
        if not self._cutting.is_set():
            self._cutting.set()
            self._stop()
            self.cfg.worker_int(self)


GunicornWebWorker = AsyncGunicornWorker
"""Its name in aiohttp 3."""


class GunicornUVLoopWebWorker(AsyncGunicornWorker):
    """Insists on uvloop; its name in aiohttp 3."""

    event_loop = "uvloop"


def tls_context(cfg: Any) -> ssl.SSLContext | None:
    """Return the context for all listeners, or None for plain HTTP."""
    if not cfg.is_ssl:
        return None
    try:
        context: ssl.SSLContext = ssl_context(cfg)
    except OSError as exc:  # ssl.SSLError is one
        raise BootError(
            f"certfile {cfg.certfile!r} and keyfile {cfg.keyfile!r} can't be used: {exc}"
        ) from exc
    # Whatever http_protocols says: a client that was promised h2 would speak it.
    context.set_alpn_protocols(["http/1.1"])
    return context


def loop_factory(setting: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the loop, by gunicorn's ``asgi_loop``; None for asyncio's own.

    ``auto`` takes uvloop where it is installed, ``asyncio`` refuses it.
    """
    if setting == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:
        if setting == "auto":
            return None
        raise BootError("asgi_loop is 'uvloop': pip install aiohttp-gunicorn[uvloop]") from None
    return uvloop.new_event_loop


def share_handlers(error_log: logging.Logger) -> None:
    """Let what our packages log go where gunicorn's errors go, unless somebody said where."""
    ours = logging.getLogger("aiohttp")
    if not ours.hasHandlers():
        ours.handlers = list(error_log.handlers)
        ours.setLevel(error_log.level)
        ours.propagate = False
