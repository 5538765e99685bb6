"""Runners: what starts an application, gives it sites to be found at, and stops it in order."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NoReturn, Unpack

from aiohttp.protocol import Application, Listener, Tls

from .certificates import Certificates
from .options import RunnerOptions
from .os_signals import signal_calls
from .server import Server

if TYPE_CHECKING:
    from .sites import BaseSite

__all__ = ["AppRunner", "BaseRunner", "GracefulExit", "ServerRunner"]


class GracefulExit(SystemExit):
    """Ends the event loop at SIGINT and SIGTERM, where a runner handles signals."""

    def __init__(self) -> None:
        super().__init__(1)


class BaseRunner(ABC):
    """What all runners do: prepare, be found at sites, stop in order within a bound.

    ::

        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 8080).start()
            await stop.wait()
        finally:
            await runner.cleanup()

    Args:
        handle_signals: whether SIGINT and SIGTERM raise ``GracefulExit`` in the loop.
        shutdown_timeout: seconds from the beginning of ``cleanup`` until what still
            runs is cut (Kubernetes kills after 30).
        shutdown_delay: of these, seconds in which connections are still accepted, and
            whoever asks for readiness hears 503.

    Attributes:
        shutdown_timeout, shutdown_delay: as given.
    """

    def __init__(
        self,
        *,
        handle_signals: bool = False,
        shutdown_timeout: float = 25.0,
        shutdown_delay: float = 0.0,
    ) -> None:
        if 0 < shutdown_timeout <= shutdown_delay:
            raise ValueError(
                "shutdown_delay is a part of shutdown_timeout: expected less than "
                f"{shutdown_timeout:g} s, got {shutdown_delay:g} s"
            )
        self.shutdown_timeout = shutdown_timeout
        self.shutdown_delay = shutdown_delay
        self._handle_signals = handle_signals
        self._server: Server | None = None
        self._sites: dict[BaseSite, ExitStack] = {}
        self._signals = ExitStack()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'not set up' if self._server is None else self._server}>"

    @property
    def server(self) -> Server | None:
        """The server; None before ``setup`` and after ``cleanup``."""
        return self._server

    @property
    def listener(self) -> Listener:
        """The server's listener: its sockets, its service, its books.

        Raises:
            RuntimeError: before ``setup``, and after ``cleanup``.
        """
        if self._server is None:
            raise RuntimeError("call runner.setup() first")
        return self._server.listener

    @property
    def addresses(self) -> list[Any]:
        """Where to connect: ``(host, port)``, four items for IPv6, the path of a unix socket."""
        return [] if self._server is None else self._server.listener.addresses

    @property
    def running_handlers(self) -> int:
        """How many requests are being answered."""
        return 0 if self._server is None else len(self._server.listener.service.tasks)

    @property
    def sites(self) -> set[BaseSite]:
        """The sites that have been started."""
        return set(self._sites)

    async def setup(self) -> None:
        """Have the application prepare itself.

        Raises:
            Exception: the application's; its ``cleanup`` has been called then.
            RuntimeError: if it was done before, or if signals are to be handled outside
                of the main thread.
        """
        if self._server is not None:
            raise RuntimeError("this runner is set up already")
        server = self._make_server()
        listener = server.prepare(
            drain_limit=self.shutdown_timeout, drain_delay=self.shutdown_delay
        )
        if self._handle_signals:
            self._signals.enter_context(
                signal_calls({signal.SIGINT: _exit_gracefully, signal.SIGTERM: _exit_gracefully})
            )
        self._server = server
        try:
            await listener.start()
        except BaseException:
            await self.cleanup()
            raise

    async def cleanup(self) -> None:
        """Stop all sites and the application, within ``shutdown_timeout``. Twice is fine."""
        if self._server is None:
            return
        try:
            await self._server.listener.drain(self.shutdown_timeout)
        finally:
            for site in list(self._sites):
                self.leave_site(site)
            self._signals.close()
            self._server = None

    def cut(self) -> None:
        """Have ``cleanup``, running or to come, wait for no handler."""
        if self._server is not None:
            self._server.listener.cut()

    def enter_site(self, site: BaseSite, tls: Tls) -> None:
        """Note that a site has been started, and watch its certificates."""
        if site in self._sites:
            raise RuntimeError(f"{site!r} is started already")
        self._sites[site] = ExitStack()
        if isinstance(tls, Certificates):
            self._sites[site].enter_context(tls.watched())

    def leave_site(self, site: BaseSite) -> None:
        """Forget a site that has been stopped."""
        if site not in self._sites:
            raise RuntimeError(f"{site!r} is not started")
        self._sites.pop(site).close()

    @abstractmethod
    def _make_server(self) -> Server:
        """Return what is to be served."""


class AppRunner(BaseRunner):
    """Run an application.

    Args:
        app: a ``web.Application``, or any other ``aiohttp.protocol.Application``.
        handle_signals: whether SIGINT and SIGTERM raise ``GracefulExit`` in the loop.
        kwargs: see ``RunnerOptions``; they win over the application's ``handler_args``.
    """

    def __init__(
        self,
        app: Application,
        *,
        handle_signals: bool = False,
        **kwargs: Unpack[RunnerOptions],
    ) -> None:
        if isinstance(app, type) or not callable(getattr(app, "handle_exchange", None)):
            raise TypeError(f"expected an application, such as web.Application(), got {app!r}")
        options: dict[str, Any] = {**getattr(app, "handler_args", {}), **kwargs}
        ends = {n: options.pop(n) for n in ("shutdown_timeout", "shutdown_delay") if n in options}
        super().__init__(handle_signals=handle_signals, **ends)
        self._app = app
        self._options = options

    @property
    def app(self) -> Application:
        """The application."""
        return self._app

    def _make_server(self) -> Server:
        return Server.serving(self._app, **self._options)


class ServerRunner(BaseRunner):
    """Run a ``web.Server``, which has its options itself.

    Args:
        web_server: what to run.
        handle_signals: whether SIGINT and SIGTERM raise ``GracefulExit`` in the loop.
        kwargs: ``shutdown_timeout`` and ``shutdown_delay``.
    """

    def __init__(
        self, web_server: Server, *, handle_signals: bool = False, **kwargs: float
    ) -> None:
        super().__init__(handle_signals=handle_signals, **kwargs)
        if not isinstance(web_server, Server):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"expected a web.Server, got {web_server!r}: AppRunner runs the rest")
        self._web_server = web_server

    def _make_server(self) -> Server:
        return self._web_server


def _exit_gracefully() -> NoReturn:
    raise GracefulExit
