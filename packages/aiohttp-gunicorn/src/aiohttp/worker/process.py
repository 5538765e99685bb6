"""The worker: one process under gunicorn, with one event loop; when it starts, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any, ClassVar, NoReturn

from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.errors import AppImportError
from gunicorn.workers.base import Worker

from aiohttp.protocol import Exchange

from .accesslog import AccessLog, is_access_logged
from .application import Workshop, call_factory
from .boot import BootError, SharedFlag
from .contexts import tls_context
from .hooks import RequestHooks
from .kinds import VARIABLE, Kind, kind_wanted
from .lastbeat import LastBeat
from .loading import load
from .loops import loop_factory
from .proxies import proxy_protocol_by, trusted_by
from .running import dump_running
from .serving import Place, Serving
from .settings import check, limits_of
from .watch import LoopWatch

__all__ = [
    "AsyncGunicornWorker",
    "GunicornUVLoopWebWorker",
    "GunicornWebWorker",
    "share_handlers",
]

HEARTBEAT = 1.0
"""Seconds from one heartbeat to the next, at most."""

BLOCKED = 5.0
"""Seconds without a turn of the loop that are worth a line in the log, at most."""

DRAIN = 0.8
"""The part of ``graceful_timeout`` in which requests are answered before they are cut."""

CLEANUP = 0.1
"""The part that the application's cleanup gets then: at the end gunicorn kills the process."""

SPARED = 0.5
"""Seconds that the cleanup gets where ``graceful_timeout`` is 0."""

GIVEN_UP = 2.0
"""Seconds in which a worker that can't start waits for another one to end gunicorn."""


class AsyncGunicornWorker(Worker):  # type: ignore[misc]
    """Serves applications of WSGI, of ASGI 3 and of protocol's own kind on asyncio.

    SIGTERM drains: what runs is answered within ``graceful_timeout``. SIGINT and
    SIGQUIT cut. What fails before the first request ends gunicorn, instead of
    being tried for ever.
    """

    event_loop: ClassVar[str] = ""
    """Goes before gunicorn's ``asgi_loop``, if it isn't empty."""

    application_kind: ClassVar[str] = "auto"
    """``native``, ``wsgi`` or ``asgi``; AIOHTTP_APPLICATION in the environment goes before it."""

    _failure: ClassVar[SharedFlag | None] = None
    """Whether a worker has already told why none of them can start."""

    # What gunicorn leaves here; its stubs know neither its loggers nor its sockets' wrappers.
    alive: bool
    app: Any
    log: Any
    sockets: list[Any]

    _serving: Serving | None = None
    _has_left_tasks = False

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Share a flag with the workers to come; gunicorn calls this in the arbiter."""
        cls._failure = SharedFlag()

    # How it starts.

    def load_wsgi(self) -> None:
        """Load the application: ourselves, where gunicorn would load it by its name."""
        application = self.app
        is_usual = getattr(application.__class__, "load", None) is WSGIApplication.load
        if is_usual and self.cfg.paste is None:
            application.load = partial(load, application.app_uri)
        try:
            super().load_wsgi()
        except BootError as exc:
            self._give_up(exc)
        except AppImportError as exc:
            self._give_up(BootError(str(exc), code=4))
        except (Exception, SystemExit) as exc:  # noqa: BLE001 - the application's
            self._give_up(self._boot_error(exc, "the application can't be loaded"))

    def places(self) -> list[Place]:
        """Return which application is served on which sockets; a subclass may know several.

        Raises:
            BootError: if they don't fit together.
        """
        return [Place(self.wsgi, [wrapper.sock for wrapper in self.sockets])]

    def run(self) -> None:
        """Serve until told to stop. gunicorn calls it in the new process."""
        share_handlers(self._error_log)
        try:
            check(self.cfg, self.log)
            wanted = kind_wanted(os.environ.get(VARIABLE, self.application_kind))
            places = self._made_places(wanted)
            hooks = RequestHooks.of(self)
            workshop = Workshop(self.cfg, self._error_log, wanted=wanted, hooks=hooks)
            self._serving = Serving(workshop, self._error_log)
            make_loop = loop_factory(self.event_loop or self.cfg.asgi_loop)
            with asyncio.Runner(loop_factory=make_loop) as runner:
                runner.run(self._serve(self._serving, places))
        except BootError as exc:
            self._give_up(exc)
        except RuntimeError as exc:
            if not self._has_left_tasks:  # by which the loop's end has failed
                raise
            if isinstance(exc.__context__, BootError):
                self._give_up(exc.__context__)
        except SystemExit as exc:
            if not self.alive:  # a signal's handler has raised it
                raise
            # With the codes of a failed start it would end all the others, too.
            self.log.critical("The application has called exit(%r); this worker ends", exc.code)
            sys.exit(1)

    def _made_places(self, wanted: Kind | None) -> list[Place]:
        """Return the places, once plain factories have made what is served there."""
        try:
            return [Place(call_factory(each, wanted), socks) for each, socks in self.places()]
        except BootError:
            raise
        except (Exception, SystemExit) as exc:
            raise self._boot_error(exc, "the application can't be made") from exc

    def _boot_error(self, exc: Exception | SystemExit, what: str) -> BootError:
        """Return that this error of the application is why the worker can't start.

        Raises:
            SystemExit: if a signal's handler has raised it, and not the application.
        """
        if isinstance(exc, SystemExit) and not self.alive:
            raise exc
        return BootError.by(exc, what)

    def _give_up(self, exc: BootError) -> NoReturn:
        """Say why no worker can start, and end gunicorn; other workers wait for their end.

        A gunicorn that is ending already stumbles over a worker that can't start. And
        SIGTERM may be lost on a process that has only just been forked: so nobody waits
        for long.
        """
        if self._failure is None or self._failure.take():
            self.log.critical("The worker can't start: %s", exc, exc_info=exc.error)
            sys.exit(exc.code if self.alive else 0)
        end = time.monotonic() + GIVEN_UP
        while self.alive and time.monotonic() < end:
            self.notify()
            time.sleep(0.05)
        if self.alive:
            # Should the other one have been killed before it could say so, the next one does.
            self._failure.lower()
        sys.exit(0)

    @property
    def _error_log(self) -> logging.Logger:
        # A logger class of somebody's own need not have one.
        log: logging.Logger = getattr(self.log, "error_log", logging.getLogger("gunicorn.error"))
        return log

    # How it lives.

    async def _serve(self, serving: Serving, places: list[Place]) -> None:
        self._stopping = asyncio.Event()
        self._take_signals()
        # ``self.timeout`` is half of gunicorn's; 0 means that nobody waits for us.
        watch = LoopWatch(self._error_log, min(BLOCKED, self.timeout or BLOCKED), serving.busy)
        watch.start()
        heart = asyncio.create_task(self._beat(watch))
        starting = asyncio.create_task(self._open(serving, places))
        stopping = asyncio.create_task(self._stopping.wait())
        limit: int = self.cfg.graceful_timeout
        try:
            await asyncio.wait((starting, stopping), return_when="FIRST_COMPLETED")
            if not starting.done():
                await self._cancel_start(starting, max(limit * DRAIN, SPARED))
                return
            await starting
            if self.max_requests == 1:
                self._come_to_the_last()
            await stopping
            await serving.close(limit * DRAIN, limit * CLEANUP or SPARED)
        finally:
            self._leave_signals()
            asyncio.get_running_loop().call_later(SPARED, self._leave_tasks, asyncio.all_tasks())
            LastBeat(self.notify, self._error_log, max(limit, SPARED)).start()
            heart.cancel()
            watch.stop()

    def _leave_tasks(self, tasks: set[asyncio.Task[Any]]) -> None:
        """Wait no longer for tasks that the end of the loop has cancelled, and that go on."""
        if left := [task for task in tasks if not task.done()]:
            self._has_left_tasks = True
            self.log.warning("Tasks that go on though they were cancelled: %s", left)
            asyncio.get_running_loop().stop()

    async def _cancel_start(self, starting: asyncio.Task[None], limit: float) -> None:
        """Wait for no application that waits for something in startup(), but for its cleanup."""
        starting.cancel()
        if not (await asyncio.wait((starting,), timeout=limit))[0]:
            self.log.warning("The application goes on though its start was cancelled")
        elif not starting.cancelled() and (error := starting.exception()) is not None:
            self.log.error("Error while stopping: %s", error, exc_info=error)

    async def _open(self, serving: Serving, places: list[Place]) -> None:
        """Start the applications and accept connections.

        Raises:
            BootError: if anything of that fails.
        """
        cfg = self.cfg
        self._access_log = AccessLog(self.log) if is_access_logged(self.log) else None
        try:
            await serving.open(
                places,
                tls=tls_context(cfg),
                backlog=cfg.backlog,
                limits=limits_of(cfg, os.environ),
                on_exchange=self._note_exchange,
                trusted_proxies=trusted_by(cfg),
                **proxy_protocol_by(cfg),
            )
        except BootError:
            raise
        except (Exception, SystemExit) as exc:
            raise self._boot_error(exc, "the application can't start") from exc

    async def _beat(self, watch: LoopWatch) -> None:
        """Tell the arbiter that the loop turns, until the process ends; see what it wants."""
        seconds = min(HEARTBEAT, self.timeout / 2) if self.timeout else HEARTBEAT
        while True:
            self.notify()
            watch.turned()
            if self.alive and os.getppid() != self.ppid:
                self.log.info("Parent changed, shutting down: %s", self)
                self.alive = False
            self._look_alive()
            await asyncio.sleep(seconds)

    def _look_alive(self) -> None:
        """Stop if somebody has said so, as gunicorn's reloader does, by no more than this."""
        if not self.alive:
            self._stopping.set()

    def _note_exchange(self, exchange: Exchange) -> None:
        """Count a request that is answered, and log it."""
        self.nr += 1
        if self.nr >= self.max_requests - 1:
            self._come_to_the_last()
        if self._access_log is not None:
            self._access_log(exchange)

    def _come_to_the_last(self) -> None:
        """Have the last request, by ``max_requests``, be answered as such; stop after it."""
        if self.nr < self.max_requests:
            if self._serving is not None:
                self._serving.announce_end()
        elif self.alive:
            self.log.info("Autorestarting worker after current request.")
            self._stop()

    # Signals. gunicorn's own handlers hold until the loop runs; SIGABRT, which comes
    # when the loop doesn't turn any more, stays with them.

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGINT, self._cut)
        loop.add_signal_handler(signal.SIGQUIT, self._cut)
        loop.add_signal_handler(signal.SIGUSR1, self.log.reopen_files)
        loop.add_reader(self.PIPE[0], self._read_pipe)

    def _leave_signals(self) -> None:
        """Let the exit take its course, whatever comes: gunicorn repeats a SIGTERM.

        asyncio would leave them to the system, which ends the process in the middle
        of ``worker_exit``.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1):
            loop.remove_signal_handler(number)
            usual = self.handle_usr1 if number is signal.SIGUSR1 else self.handle_exit
            signal.signal(number, usual)

    def _stop(self) -> None:
        self.alive = False
        self._stopping.set()

    def _cut(self) -> None:
        """Stop and wait for nobody; called again, it changes nothing."""
        if self._serving is not None and self._serving.cut():
            self._stop()
            self.cfg.worker_int(self)

    def _read_pipe(self) -> None:
        """Take what the reloader has written to wake the worker up."""
        with suppress(BlockingIOError):
            os.read(self.PIPE[0], 4096)
        self._look_alive()

    def handle_abort(self, sig: int, frame: FrameType | None) -> NoReturn:
        """Say where everything was when gunicorn, or somebody else, sent SIGABRT."""
        serving = self._serving
        try:
            runs = dump_running((), None, frame) if serving is None else serving.dump(frame)
            self.log.error("Aborted. What runs:\n%s", runs)
        except Exception:
            self.log.exception("Aborted, and what runs can't be told")
        if serving is not None:
            serving.cut()  # should somebody catch SystemExit and go on
        super().handle_abort(sig, frame)
        raise SystemExit(1)  # which gunicorn has done


GunicornWebWorker = AsyncGunicornWorker
"""Its name in aiohttp 3."""


class GunicornUVLoopWebWorker(AsyncGunicornWorker):
    """Insists on uvloop; its name in aiohttp 3."""

    event_loop = "uvloop"


def share_handlers(error_log: logging.Logger) -> None:
    """Let what our packages log go where gunicorn's errors go, unless somebody said where."""
    ours = logging.getLogger("aiohttp")
    if not ours.hasHandlers():
        ours.handlers = list(error_log.handlers)
        ours.setLevel(error_log.level)
        ours.propagate = False
