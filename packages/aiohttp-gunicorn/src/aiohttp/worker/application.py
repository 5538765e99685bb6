"""Applications of any kind, as ones that a connection can serve."""

from __future__ import annotations

import inspect
import logging
from typing import Any, cast

import gunicorn

from aiohttp.protocol import Application

from .asgi.application import AsgiApplication
from .boot import BootError
from .fields import FieldRule
from .hooks import HookedApplication, RequestHooks
from .kinds import Kind, kind_of
from .targets import script_name
from .wsgi.application import WsgiApplication
from .wsgi.environ import ErrorLog, base_environ
from .wsgi.threads import Inbox, ThreadPool

__all__ = ["Workshop", "call_factory"]


def call_factory(application: object, wanted: Kind | None = None) -> object:
    """Return what a factory makes, and anything else as it is.

    That of a coroutine function is a coroutine, which ``Workshop.finish`` awaits. A plain one
    is called while there is no loop yet, so that it may run one of its own.

    Raises:
        BootError: if the object is nothing that can be served.
        Exception: the factory's.
    """
    if inspect.isawaitable(application) or kind_of(application, wanted) != "factory":
        return application
    made: object = cast(Any, application)()
    return made


class Workshop:
    """Makes applications ready to be served, and keeps what those of one worker share.

    Args:
        cfg: gunicorn's configuration.
        log: where applications' errors go.
        wanted: the kind of all applications, where the user has named it.
        hooks: what the configuration wants to be called with each request.

    Attributes:
        pool: the threads in which WSGI applications run; None if there is none of WSGI.
    """

    def __init__(
        self,
        cfg: Any,
        log: logging.Logger,
        *,
        wanted: Kind | None = None,
        hooks: RequestHooks | None = None,
    ) -> None:
        self._cfg = cfg
        self._log = log
        self._wanted: Kind | None = wanted
        self._hooks = hooks
        self._fields = FieldRule.of(cfg)
        self.pool: ThreadPool | None = None

    async def finish(self, made: object) -> Application:
        """Return what ``call_factory`` has returned as one that can be served.

        Raises:
            BootError: if it is nothing that can be served.
            Exception: a coroutine factory's.
        """
        application: object = await made if inspect.isawaitable(made) else made
        match kind_of(application, self._wanted):
            case "native":
                return self._hooked(cast(Application, application))
            case "asgi":
                return self._hooked(self._asgi(application))
            case "wsgi":
                return self._wsgi(application)
            case "factory":
                raise BootError(
                    f"expected the factory to make an application, got {application!r}, which "
                    "is a factory, too"
                )

    def _hooked(self, application: Application) -> Application:
        return application if self._hooks is None else HookedApplication(application, self._hooks)

    def _asgi(self, application: Any) -> AsgiApplication:
        cfg = self._cfg
        return AsgiApplication(
            application,
            log=self._log,
            lifespan=cfg.asgi_lifespan,
            root_path=cfg.root_path or script_name(),
            disconnect_grace=float(cfg.asgi_disconnect_grace_period),
            fields=self._fields,
        )

    def _wsgi(self, application: Any) -> WsgiApplication:
        cfg = self._cfg
        if self.pool is None:
            self.pool = ThreadPool(cfg.threads, Inbox(), most=cfg.worker_connections)
            self.pool.start()
        environ = base_environ(
            errors=ErrorLog(self._log.error),
            server_software=gunicorn.SERVER_SOFTWARE,
            is_multithread=cfg.threads > 1,
            is_multiprocess=cfg.workers > 1,
            can_sendfile=cfg.sendfile,
        )
        return WsgiApplication(
            application,
            environ=environ,
            pool=self.pool,
            log=self._log,
            fields=self._fields,
            hooks=self._hooks,
        )

    async def close(self) -> None:
        """End the threads; those that are blocked take as long as they take."""
        if self.pool is not None:
            await self.pool.stop()
