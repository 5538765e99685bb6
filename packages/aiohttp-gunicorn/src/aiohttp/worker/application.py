"""Which kind of application an object is, decided once, when the worker boots."""

from __future__ import annotations

import inspect
import logging
from typing import Any

import gunicorn

from aiohttp.protocol import Application

from .environ import ErrorLog, base_environ
from .wsgi import WsgiApplication

__all__ = ["adapt"]


def adapt(application: Any, cfg: Any, log: logging.Logger) -> Application:
    """Return ``application`` as one that a connection can serve.

    What has ``handle_exchange`` is served as it is, anything else as WSGI.

    Raises:
        TypeError: for a coroutine function, which is no WSGI application.
    """
    if hasattr(application, "handle_exchange"):
        native: Application = application
        return native
    if any(map(inspect.iscoroutinefunction, (application, type(application).__call__))):
        raise TypeError(
            f"expected a WSGI application, or one with handle_exchange(), "
            f"but {application!r} is a coroutine function, as of ASGI"
        )
    environ = base_environ(
        errors=ErrorLog(log.error),
        server_software=gunicorn.SERVER_SOFTWARE,
        is_multithread=cfg.threads > 1,
        is_multiprocess=cfg.workers > 1,
    )
    return WsgiApplication(application, environ=environ, threads=cfg.threads, log=log)
