"""The seam above the wire: one request, and the means to answer it.

An *application* is an object with ``async handle_exchange(exchange)``; a server
connection calls it once for every request. What it gets is an *exchange*. Both
are contracts, not classes: a framework implements the first, a connection of
HTTP/1 (and later of HTTP/2) the second, and neither knows the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from .errors import RemoteProtocolError
from .http1.head import HttpVersion, RequestHead
from .streams import StreamReader

if TYPE_CHECKING:
    from .limits import Limits
    from .service import Books

__all__ = [
    "Application",
    "Exchange",
    "Fields",
    "HasCleanup",
    "HasShutdown",
    "HasStartup",
    "TakenExchange",
    "TakesExchanges",
]

Fields: TypeAlias = Iterable[tuple[str, str]]
"""Fields in the order in which they are sent: pairs, or ``headers.items()``."""


class Application(Protocol):
    """What a server serves: one coroutine method.

    Three more coroutine methods are called where they exist, each once:
    ``startup()`` before the first connection is accepted, ``shutdown()`` when
    draining begins, ``cleanup()`` after the last exchange.

    One whose attribute ``handles_refusals`` is True gets the requests, too, that the
    connection could not take: see ``Exchange.refusal``. Others never see them.

    Its attribute ``disconnect_grace``, where it exists, says how many seconds a handler has
    for itself after its client has gone, before it is cancelled; none otherwise.

    Its plain method ``take_exchange``, where it exists, is asked before: see ``TakesExchanges``.

    Its attribute ``exchange_observers``, where it exists, is a list of functions that are
    called with each exchange when its response is over, complete or not: see ``on_exchange``
    of ``Service``, which reads it once.
    """

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request.

        Returns when the response is complete. An exception, or a return without
        a response, is answered with 500 if nothing was sent yet; otherwise the
        connection is cut, so that nobody takes the part for the whole.
        Cancelled when the client goes away, ``disconnect_grace`` later, unless
        ``exchange.cancel_on_disconnect`` was set to False.
        """


class HasStartup(Protocol):
    """An application that prepares itself."""

    async def startup(self) -> None:
        """Called once, before the first connection is accepted; an error stops the start."""


class HasShutdown(Protocol):
    """An application that is told when draining begins."""

    async def shutdown(self) -> None:
        """Called once; exchanges are still running, new connections are not accepted."""


class HasCleanup(Protocol):
    """An application that frees what it holds."""

    async def cleanup(self) -> None:
        """Called once, after the last exchange, also when the start failed half way."""


class Exchange(Protocol):
    """One request and the means to answer it, in one of two ways.

    At once: ``await respond(status, fields, body)``. Or in parts:
    ``await start(status, fields)``, any number of ``await write(data)`` and
    ``await sendfile(...)``, then ``await finish(trailers)``. Any other order
    raises ``InvalidUse``.

    The connection adds what every response needs: Date, the framing
    (Content-Length where the length is known, else chunked, else until close),
    and Connection. A Content-Length among the fields is honoured and enforced.
    A body for HEAD, 204 and 304 is dropped (RFC 9110, section 6.4.1).
    """

    cancel_on_disconnect: bool
    """Whether the handler's task is cancelled when the client goes away (default: True)."""

    request: Any
    """The application's own object for this request, where it left one: access logs look at it.

    Forgotten when ``handle_exchange`` has returned and the response is over.
    """

    @property
    def refusal(self) -> RemoteProtocolError | None:
        """Why the connection could not take this request, with the status to answer; else None.

        A bad head, a method that isn't allowed, a client too slow, too large a body. The
        head is then what could be read of it: where not even the request line is right,
        the method is ``"UNKNOWN"`` and the target ``"/"``. There is no body, and the
        response is the connection's last. If the application has none, a plain one is sent.
        """
        ...

    @property
    def task(self) -> asyncio.Task[Any] | None:
        """The task in which the application answers.

        None when the connection does it itself, and while nobody waits for the answer to a
        request that was taken.
        """
        ...

    @property
    def books(self) -> Books:
        """What the server has done so far, counted."""
        ...

    @property
    def limits(self) -> Limits:
        """The bounds of this connection."""
        ...

    @property
    def head(self) -> RequestHead:
        """Method, target, version and fields as they came."""
        ...

    @property
    def body(self) -> StreamReader:
        """The request's content, free of transfer coding; at its end when there is none.

        The first read sends ``100 Continue`` to a client that waits for it.
        """
        ...

    @property
    def version(self) -> HttpVersion:
        """The request's version."""
        ...

    @property
    def scheme(self) -> Literal["http", "https"]:
        """Whether the client came over TLS: by the transport, or by a proxy that is trusted."""
        ...

    @property
    def host(self) -> str | None:
        """The host, with its port, that a trusted proxy was asked for; None if none says so."""
        ...

    @property
    def peername(self) -> Any:
        """The client's address: ``(host, port)``, four items for IPv6, "" for a unix socket.

        By the transport, or what a proxy says that is trusted.
        """
        ...

    @property
    def sockname(self) -> Any:
        """Our address on this connection, in the shape of ``peername``."""
        ...

    def get_extra_info(self, name: str) -> Any:
        """Return what the transport knows by this name, such as ``"ssl_object"``, or None.

        ``"proxied"`` is what the connection began with by the PROXY protocol (``Proxied``).
        """
        ...

    async def respond(
        self, status: int, fields: Fields = (), body: bytes = b"", *, reason: str | None = None
    ) -> None:
        """Send a whole response, as one write where it is small.

        Raises:
            LocalProtocolError: if status, reason or a field can't be put on the
                wire; nothing was sent then, and another response may be.
        """

    async def inform(self, status: int, fields: Fields = ()) -> None:
        """Send an informational response, 100 to 199 but not 101; dropped for HTTP/1.0."""

    async def start(self, status: int, fields: Fields = (), *, reason: str | None = None) -> None:
        """Begin a response whose body follows. The head leaves with the first body bytes."""

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a part of the body; waits while the client reads slower than we write.

        Raises:
            PeerDisconnected: if the client has gone.
        """

    async def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> None:
        """Send ``count`` bytes of a file (to its end if None) as a part of the body."""

    async def finish(self, trailers: Fields = ()) -> None:
        """End the response. Trailers need chunked framing, else they are dropped."""

    async def upgrade(
        self, status: int = 101, fields: Fields = (), *, reason: str | None = None
    ) -> tuple[asyncio.Transport, bytes]:
        """Send this head and give away the transport, with the bytes already read from it.

        For 101 and for CONNECT's 2xx. Reading is paused; whoever takes the
        transport calls ``set_protocol`` and ``resume_reading`` and closes it.
        """
        ...

    def close_after(self) -> None:
        """Announce ``Connection: close`` and close when this exchange is over."""

    @property
    def response_status(self) -> int:
        """The final status that was sent; 0 before the head is decided."""
        ...

    @property
    def sent_fields(self) -> Fields:
        """The fields that were given to ``respond`` or ``start``, without what was added."""
        ...

    @property
    def body_sent(self) -> int:
        """Bytes of the body that were sent so far, without framing."""
        ...

    @property
    def started(self) -> float:
        """When the request's head was read, in seconds of ``time.monotonic()``."""
        ...

    @property
    def is_disconnected(self) -> bool:
        """Whether the client has gone away."""
        ...

    async def wait_disconnected(self) -> None:
        """Return when the client has gone away, or this exchange is over."""

    async def wait_input_ended(self) -> None:
        """Return when the client has closed its side, has gone, or this exchange is over.

        Nearly always it has gone then, too. But it may wait for the response, which can
        still be sent.
        """

    @property
    def is_draining(self) -> bool:
        """Whether the server is about to stop: endless responses should end now."""
        ...

    async def wait_draining(self) -> None:
        """Return when the server begins to drain."""


class TakenExchange(Exchange, Protocol):
    """An exchange that an application was asked to take: two more ways to answer it."""

    def respond_now(
        self, status: int, fields: Fields = (), body: bytes = b"", *, reason: str | None = None
    ) -> None:
        """Send a whole response to a request that was taken, without waiting: so a small one.

        What is wrong with it is answered for as if ``handle_exchange`` had raised it.
        """

    def handle(self) -> None:
        """Have ``handle_exchange`` answer a request that was taken, in a task."""


class TakesExchanges(Protocol):
    """An application that answers some requests from outside of a task, such as a thread does.

    That spares the task: 4 of the 20 µs that a small answer from a thread takes.
    """

    def take_exchange(self, exchange: TakenExchange) -> Callable[[], object] | None:
        """Begin to answer a request, without a task; must not block.

        None leaves it to ``handle_exchange``; an error is answered for as one of that.
        Otherwise either ``exchange.respond_now`` is called later, on the loop, or
        ``exchange.handle``; should the client go before, what was returned is called, and
        neither has an effect any more.
        """
        ...
