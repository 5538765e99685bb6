"""gunicorn's access log: its formats, its logger class and its statsd see our exchanges."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, NamedTuple

from gunicorn.glogging import Logger

from aiohttp.protocol import Exchange, RemoteProtocolError

from .wsgi.environ import Environ, make_environ

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
    """Logs exchanges that are over to a logger of gunicorn's kind, refused ones included.

    What the client has written can't end a line, nor its place in one: control
    characters and backslashes are escaped, beside the quotes that gunicorn escapes.
    """

    def __init__(self, log: Any) -> None:
        self._log = log
        if (wrap := getattr(log, "atoms_wrapper_class", None)) is not None:

            def wrap_escaped(atoms: dict[str, object]) -> object:
                return wrap({k: _escaped(v) if isinstance(v, str) else v for k, v in atoms.items()})

            log.atoms_wrapper_class = wrap_escaped

    def __call__(self, exchange: Exchange) -> None:
        """Log one exchange, in the format of gunicorn's configuration."""
        seconds = time.monotonic() - exchange.started
        environ = _environ_of(exchange)
        status = exchange.response_status
        self._log.access(
            LoggedResponse(str(status), exchange.body_sent, list(exchange.sent_fields)),
            LoggedRequest(list(exchange.head.headers.items())),
            environ,
            timedelta(seconds=seconds),
        )


def _environ_of(exchange: Exchange) -> Environ:
    # The whole path: whether it is below SCRIPT_NAME was for the application to say.
    base = {"SCRIPT_NAME": ""}
    try:
        return make_environ(exchange, base)
    except RemoteProtocolError:
        # Proxies contradict themselves, and nobody has looked before: the connection's word.
        return make_environ(exchange, base)


def _escaped(text: str) -> str:
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(
        char if char.isprintable() and char != "\\" else char.encode("unicode_escape").decode()
        for char in text
    )
