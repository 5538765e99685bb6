"""gunicorn's access log: its formats, its logger class and its statsd see our exchanges."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, NamedTuple

from gunicorn.glogging import Logger

from aiohttp.protocol import Exchange

from .environ import make_environ

__all__ = ["AccessLog", "LoggedRequest", "LoggedResponse", "is_access_logged"]


class LoggedRequest(NamedTuple):
    """What a log format can ask of gunicorn's request."""

    headers: list[tuple[str, str]]


class LoggedResponse(NamedTuple):
    """What a log format can ask of gunicorn's response."""

    status: str
    sent: int
    headers: list[tuple[str, str]]


def is_access_logged(log: Any) -> bool:
    """Tell whether anybody wants to know of requests.

    A logger class of its own, such as gunicorn's for statsd, may count them
    although no access log is written.
    """
    return type(log) is not Logger or log.access_log_enabled


class AccessLog:
    """Logs exchanges that are over to a logger of gunicorn's kind."""

    def __init__(self, log: Any) -> None:
        self._log = log

    def __call__(self, exchange: Exchange) -> None:
        """Log one exchange, in the format of gunicorn's configuration."""
        seconds = asyncio.get_running_loop().time() - exchange.started
        # The whole path: whether it is below SCRIPT_NAME was for the application to say.
        environ = make_environ(exchange, {"SCRIPT_NAME": ""})
        self._log.access(
            LoggedResponse(str(exchange.response_status), exchange.body_sent, []),
            LoggedRequest(list(exchange.head.headers.items())),
            environ,
            timedelta(seconds=seconds),
        )
