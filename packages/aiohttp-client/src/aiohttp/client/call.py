"""How far a request has come: for its limits in time, and for errors that explain."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, TypeVar

from aiohttp.protocol.errors import (
    HttpException,
    InvalidUse,
    LocalProtocolError,
    PeerDisconnected,
    PeerTooSlow,
)
from aiohttp.protocol.http1.client import ClientHttpProtocol

from .errors import (
    ClientConnectionError,
    ClientError,
    ClientPayloadError,
    ConnectionTimeoutError,
    MalformedResponseError,
    Phase,
    ServerDisconnectedError,
    ServerTimeoutError,
    SocketTimeoutError,
)
from .request import HttpRequest
from .timeouts import ClientTimeout

if TYPE_CHECKING:
    from .response import HttpResponse

__all__ = ["Call"]

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


class Call:
    """One call of ``request()``, through all redirects and repetitions.

    Attributes:
        request: that is under way now.
        timeout: the limits.
        deadline: for all of it, on the loop's clock; ``inf`` if there is none.
        phase: what is being done now.
        attempt: 1, or 2 for a repetition on a fresh connection.
        history: the redirects so far.
        connection: that is used now, or None.
        pool: what the pool looks like, for the message of a limit in vain.
    """

    __slots__ = (
        "attempt",
        "connection",
        "deadline",
        "history",
        "phase",
        "pool",
        "request",
        "started",
        "time",
        "timeout",
    )

    def __init__(
        self, request: HttpRequest, timeout: ClientTimeout, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.request = request
        self.timeout = timeout
        self.time = loop.time
        self.started = loop.time()
        self.deadline = self.started + timeout.total if timeout.total else math.inf
        self.phase: Phase = ""
        self.attempt = 1
        self.history: tuple[HttpResponse, ...] = ()
        self.connection: ClientHttpProtocol | None = None
        self.pool: object = ""

    def __repr__(self) -> str:
        return f"<Call {self.request.method} {self.request.url} {self.phase or 'not begun'}>"

    def limit(self, seconds: float | None) -> float:
        """Return when so many seconds from now have passed, or the time for the whole call.

        On the loop's clock; ``inf`` if there is no limit. None, or 0: no limit of its own.
        """
        return min(self.deadline, self.time() + seconds) if seconds else self.deadline

    def explain(self, exc: BaseException) -> BaseException:
        """Return what the program gets to see for an error of the connection."""
        if isinstance(exc, ClientError):
            return self.marked(exc)
        if isinstance(exc, LocalProtocolError) and not isinstance(exc, InvalidUse):
            return exc  # the program's own mistake
        if isinstance(exc, PeerTooSlow):
            return self.marked(SocketTimeoutError(self._timed_out(exc.waited)), exc)
        if isinstance(exc, TimeoutError):
            return self.timed_out()
        return self.marked(self._wire_error(exc), exc) if isinstance(exc, HttpException) else exc

    def _wire_error(self, exc: HttpException) -> ClientError:
        if isinstance(exc, InvalidUse):
            return ClientConnectionError(exc.message)
        if self.phase == "body":
            return ClientPayloadError(exc.message)
        if isinstance(exc, PeerDisconnected):
            return ServerDisconnectedError(exc.message)
        return MalformedResponseError(self.request.info, self.history, message=exc.message)

    def timed_out(self) -> ServerTimeoutError:
        """Return the error for a limit that was hit in this phase."""
        message = self._timed_out(self.time() - self.started)
        if self.phase in ("pool", "dns", "connect", "tls"):
            return self.marked(ConnectionTimeoutError(message))
        return self.marked(ServerTimeoutError(message))

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
