"""How far a request has come: for its limits in time, and for errors that explain."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final, TypeVar

from aiohttp.protocol.errors import (
    BodyTooLarge,
    HttpException,
    InvalidUse,
    LimitExceeded,
    LocalProtocolError,
    PeerDisconnected,
    PeerTooSlow,
)
from aiohttp.protocol.headers import Headers
from aiohttp.protocol.http1.client import ClientHttpProtocol
from aiohttp.protocol.http1.head import ResponseHead

from .errors import (
    ClientConnectionError,
    ClientConnectionResetError,
    ClientError,
    ClientPayloadError,
    ConnectionTimeoutError,
    MalformedResponseError,
    Phase,
    ServerDisconnectedError,
    ServerTimeoutError,
    SocketTimeoutError,
)
from .reception import Reception
from .request import HttpRequest, is_idempotent
from .timeouts import ClientTimeout

if TYPE_CHECKING:
    from .options import CharsetResolver
    from .response import HttpResponse

__all__ = ["Call"]

_AS_USUAL: Final = Reception()

E = TypeVar("E", bound=ClientError)

_DOING: dict[Phase, str] = {
    "": "before it began to",
    "pool": "waiting for a connection to {key} ({pool})",
    "dns": "resolving {host}",
    "connect": "connecting to {key}",
    "tls": "shaking hands with {key}",
    "send": "sending to {key}",
    "head": "waiting for a response from {key}",
    "body": "receiving the body from {key}",
}


_LIMITS = {
    "line": "max_line_size",
    "field_line": "max_field_size",
    "fields": "max_headers",
    "body": "max_body",
    "decoded": "max_body",
    "limit": "max_body",
    "max_size": "max_size",
}
"""Limits of the wire, and the options that set them."""


class Call:
    """One call of ``request()``, through all redirects and repetitions.

    Attributes:
        request: that is under way now.
        timeout: the limits.
        deadline: for all of it, on the loop's clock; ``inf`` if there is none.
        reception: how the response is received.
        early_hints: the fields of each 103 so far (RFC 8297).
        phase: what is being done now.
        attempt: 1, or 2 for a repetition on a fresh connection.
        history: the redirects so far.
        connection: that is used now, or None.
        peer: the address of the other end of a connection that is being opened, or None.
        pool: what the pool looks like, for the message of a limit in vain.
    """

    __slots__ = (
        "attempt",
        "connection",
        "deadline",
        "early_hints",
        "history",
        "peer",
        "phase",
        "pool",
        "reception",
        "request",
        "started",
        "time",
        "timeout",
    )

    def __init__(
        self,
        request: HttpRequest,
        timeout: ClientTimeout,
        loop: asyncio.AbstractEventLoop,
        reception: Reception = _AS_USUAL,
    ) -> None:
        self.request = request
        self.timeout = timeout
        self.time = loop.time
        self.started = loop.time()
        self.deadline = self.started + timeout.total if timeout.total else math.inf
        self.reception = reception
        self.early_hints: tuple[Headers, ...] = ()
        self.phase: Phase = ""
        self.attempt = 1
        self.history: tuple[HttpResponse, ...] = ()
        self.connection: ClientHttpProtocol | None = None
        self.peer: object = None
        self.pool: object = ""

    def __repr__(self) -> str:
        return f"<Call {self.request.method} {self.request.url} {self.phase or 'not begun'}>"

    def limit(self, seconds: float | None) -> float:
        """Return when so many seconds from now have passed, or the time for the whole call.

        On the loop's clock; ``inf`` if there is no limit. None, or 0: no limit of its own.
        """
        return min(self.deadline, self.time() + seconds) if seconds else self.deadline

    @property
    def fallback_charset_resolver(self) -> CharsetResolver | None:
        """What names the encoding of a text that doesn't say it, or None."""
        session = self.request.session
        return None if session is None else session.fallback_charset_resolver

    @property
    def left_no_trace(self) -> bool:
        """Whether the redirects so far were answers to nothing that a server acts on."""
        return all(is_idempotent(response.method) for response in self.history)

    def inform(self, head: ResponseHead) -> None:
        """Take an informational response."""
        if head.status == 103:
            self.early_hints = (*self.early_hints, head.headers)
        if self.reception.on_information is not None:
            self.reception.on_information(head)

    def explain_body(self, exc: BaseException) -> BaseException:
        """Return what readers of the body get to see, whatever the call is at by then."""
        phase, self.phase = self.phase, "body"
        try:
            return self.explain(exc)
        finally:
            self.phase = phase

    def explain(self, exc: BaseException) -> BaseException:
        """Return what the program gets to see for an error of the connection."""
        if isinstance(exc, ClientError):
            return self.marked(exc)
        if isinstance(exc, LocalProtocolError) and not isinstance(exc, InvalidUse):
            return exc  # the program's own mistake
        if isinstance(exc, PeerTooSlow):
            late = SocketTimeoutError(self._timed_out(exc.waited))
            late.limit = f"ClientTimeout.sock_read={exc.waited:g} s"
            return self.marked(late, exc)
        if isinstance(exc, TimeoutError):
            return self.timed_out()
        if not isinstance(exc, HttpException):
            return exc
        error = self._wire_error(exc)
        if isinstance(exc, LimitExceeded):
            error.limit = f"{_LIMITS.get(exc.name, f'Limits.{exc.name}')}={exc.limit}"
        return self.marked(error, exc)

    def _wire_error(self, exc: HttpException) -> ClientError:
        if isinstance(exc, InvalidUse):
            return ClientConnectionError(exc.message)
        if self.phase == "body" or isinstance(exc, BodyTooLarge):
            return ClientPayloadError(exc.message)
        if isinstance(exc, PeerDisconnected):
            if self.phase == "send" and isinstance(exc.__cause__, OSError):
                return ClientConnectionResetError(exc.message)
            return ServerDisconnectedError(exc.message)
        return MalformedResponseError(self.request.info, self.history, message=exc.message)

    def timed_out(self) -> ServerTimeoutError:
        """Return the error for a limit that was hit in this phase."""
        message = self._timed_out(self.time() - self.started)
        error = ServerTimeoutError(message)
        if self.phase in ("pool", "dns", "connect", "tls"):
            error = ConnectionTimeoutError(message)
        error.limit = self._limit_in_time()
        return self.marked(error)

    def _limit_in_time(self) -> str:
        """Return which limit has passed: of those that hold in this phase, the shortest."""
        timeout = self.timeout
        if timeout.total and self.time() >= self.deadline:
            return f"ClientTimeout.total={timeout.total:g} s"
        names = ("connect", "pool") if self.phase == "pool" else ("connect", "sock_connect")
        limits = [(seconds, name) for name in names if (seconds := getattr(timeout, name))]
        if not limits:
            return ""
        seconds, name = min(limits)
        return f"ClientTimeout.{name}={seconds:g} s"

    def _timed_out(self, waited: float) -> str:
        key = self.request.key
        doing = _DOING[self.phase].format(key=key, host=key.host, pool=self.pool)
        return f"timed out after {waited:.1f} s {doing}"

    def marked(self, error: E, cause: BaseException | None = None) -> E:
        """Write the facts into an error."""
        error.method = self.request.method
        if error.url is None:
            error.url = self.request.url
        error.phase = self.phase
        error.attempt = self.attempt
        error.elapsed = self.time() - self.started
        if self.connection is not None:
            error.peer = self.connection.get_extra_info("peername")
            error.reused = self.connection.requests > 1
        if cause is not None:
            error.__cause__ = cause
        return error
