"""Connections to servers: leased when they are needed, kept while they may be needed again."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl as tls
import warnings
from abc import ABC, abstractmethod
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aiohttp.protocol.http1.client import ClientHttpProtocol
from aiohttp.protocol.limits import Limits
from aiohttp.protocol.timers import deadlines_of

from .awaitables import FINISHED, Finished
from .call import Call
from .destination import ConnectionKey
from .errors import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ServerFingerprintMismatch,
)
from .pool import Pool, Waiter
from .request import HttpRequest
from .timeouts import DEFAULT_TIMEOUT
from .tls import Ssl, context_for
from .waiting import TimeLimit, WaitingRoom

if TYPE_CHECKING:
    pass

__all__ = ["CLIENT_LIMITS", "BaseConnector", "Connection"]

CLIENT_LIMITS = Limits(body=None, decoded=None, keep_alive=15.0, linger=0.5)
"""What a client accepts: bodies of any size, since a program may read them as a stream. The
rest of a body that nobody reads is waited for no longer than a new connection would take."""


class Connection:
    """A connection on loan from a connector; to be given back by ``release`` or ``close``.

    Once an exchange was started on its protocol, the connection goes back by itself
    when that is over.
    """

    __slots__ = ("_connector", "_key", "_protocol", "_requests", "loop")

    def __init__(
        self,
        connector: BaseConnector,
        key: ConnectionKey,
        protocol: ClientHttpProtocol,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.loop = loop
        self._connector = connector
        self._key = key
        self._protocol: ClientHttpProtocol | None = protocol
        self._requests = protocol.requests

    def __repr__(self) -> str:
        return f"<Connection {self._protocol or 'given back'!r}>"

    @property
    def protocol(self) -> ClientHttpProtocol | None:
        """What speaks HTTP on it; None once it was given back."""
        return self._protocol

    @property
    def transport(self) -> asyncio.Transport | None:
        """What carries the bytes; None once it was given back."""
        return None if self._protocol is None else self._protocol.transport

    @property
    def closed(self) -> bool:
        """Whether it can't be used: it was given back, or the server has closed it."""
        return self.transport is None or self.transport.is_closing()

    def release(self) -> None:
        """Give it back: for others to use, if it has served a request. Twice is fine."""
        protocol, self._protocol = self._protocol, None
        if protocol is not None and protocol.requests == self._requests:
            self._connector.give_back(self._key, protocol)

    def close(self) -> None:
        """Close it, whatever it is doing. Twice is fine."""
        if self._protocol is not None:
            self._protocol.close()
            self.release()

    def __del__(self) -> None:
        if getattr(self, "_protocol", None) is not None and not self.loop.is_closed():
            warnings.warn(
                f"unreleased {self!r}: call release() or close()",
                ResourceWarning,
                source=self,
                stacklevel=1,
            )
            self.loop.call_soon_threadsafe(self.close)


class BaseConnector(ABC):
    """Keeps connections in a pool, and leases them; subclasses say how one is opened.

    Belongs to one event loop, the one of its first request. ``async with``, or close
    it: the session that it was given to does so.

    Args:
        keepalive_timeout: seconds for which an idle connection is kept, unless the
            server announces less; None: as ``limits`` say, which is 15.
        force_close: use each connection for one request only.
        limit: connections at the same time; 0: any number.
        limit_per_host: likewise, to one host and port.
        enable_cleanup_closed: accepted and not needed: a connection over TLS is closed
            at once, whether or not the server says goodbye.
        loop: the loop that this belongs to, if it is known already.
        limits: of what a server may send.
    """

    def __init__(
        self,
        *,
        keepalive_timeout: float | None = None,
        force_close: bool = False,
        limit: int = 100,
        limit_per_host: int = 0,
        enable_cleanup_closed: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        limits: Limits = CLIENT_LIMITS,
    ) -> None:
        if keepalive_timeout is not None:
            limits = replace(limits, keep_alive=keepalive_timeout)
        self.force_close = force_close
        self.loop: asyncio.AbstractEventLoop | None = None
        self._limits = limits
        self._pool: Pool[ConnectionKey, ClientHttpProtocol] = Pool(limit, limit_per_host)
        self._opened: set[ClientHttpProtocol] = set()
        self._openings: set[TimeLimit] = set()
        self._room: WaitingRoom | None = None
        self._open_time: float | None = None  # seconds for which opening one may take
        self._is_closed = False
        self._process = 0
        if loop is not None:
            self.bind(loop)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'closed' if self._is_closed else self._pool}>"

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._is_closed

    @property
    def limits(self) -> Limits:
        """What a server may send, unless a request says otherwise."""
        return self._limits

    @property
    def limit(self) -> int:
        """How many connections there may be; 0: any number."""
        return self._pool.limit

    @property
    def limit_per_host(self) -> int:
        """How many connections to one host there may be; 0: any number."""
        return self._pool.limit_per_host

    @property
    def open_connections(self) -> int:
        """How many connections are open, idle or not."""
        return len(self._opened)

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Belong to this loop.

        Raises:
            RuntimeError: if this belongs to another loop, or is closed.
        """
        if self._is_closed:
            raise RuntimeError("the session is closed: make a new one")
        if self.loop is None:
            self.loop = loop
            self._process = os.getpid()
        elif self.loop is not loop:
            raise RuntimeError(
                "this session belongs to another event loop, in which its connections live: "
                "make one session for each loop"
            )

    # Getting a connection, and giving it back.

    async def connect(self, request: HttpRequest) -> Connection:
        """Lend a connection on which this request can be sent, a kept one or a new one.

        With the default limits in time; a session goes another way, with its own.

        Raises:
            ClientConnectionError: as ``lease`` does.
        """
        loop = asyncio.get_running_loop()
        self.bind(loop)
        key = request.key
        protocol = self.take(key) or await self.lease(key, Call(request, DEFAULT_TIMEOUT, loop))
        return Connection(self, key, protocol, loop)

    def take(self, key: ConnectionKey) -> ClientHttpProtocol | None:
        """Return an idle connection, if there is one and nobody came before us."""
        return self._pool.take(key)

    async def lease(self, key: ConnectionKey, call: Call) -> ClientHttpProtocol:
        """Return a connection as soon as the pool allows one: an idle one, or a new one.

        Cancelling it gives back whatever it had got.

        Raises:
            ConnectionTimeoutError: if a limit of ``call`` was hit.
            ClientConnectorError: if no connection could be opened.
            ClientConnectionError: if this was closed meanwhile.
        """
        call.connection = call.peer = None
        until = call.limit(call.timeout.connect)
        waiter = await self._wait_for_slot(key, call, until)
        if waiter.connection is not None:
            return waiter.connection
        try:
            until = min(until, call.limit(call.timeout.sock_connect), call.limit(self._open_time))
            return await self._open(call, until)
        except BaseException:
            self._close_all(self._pool.free(key))
            raise

    def give_back(self, key: ConnectionKey, connection: ClientHttpProtocol) -> None:
        """Take back a connection on which no exchange was started."""
        if not connection.requests:
            connection.close()  # nobody watches how long it is idle
        self._released(key, connection)

    def drop_idle(self, key: ConnectionKey) -> None:
        """Close the idle connections with this key: the server seems to have closed them."""
        while (connection := self._pool.take(key)) is not None:
            connection.close()
            self._close_all(self._pool.free(key))

    async def _wait_for_slot(
        self, key: ConnectionKey, call: Call, until: float
    ) -> Waiter[ConnectionKey, ClientHttpProtocol]:
        if self._is_closed:
            raise ClientConnectionError("the session was closed before the request had its answer")
        call.phase = "pool"
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        waiter, to_close = self._pool.join(key, partial(_wake, woken))
        if to_close:
            self._close_all(to_close)
        try:
            if not waiter.is_granted:
                if self._room is None:
                    self._room = WaitingRoom(deadlines_of(loop))
                self._room.enter(woken, min(until, call.limit(call.timeout.pool)))
                try:
                    await woken
                finally:
                    self._room.leave(woken)
            if self._is_closed:
                raise ClientConnectionError("the session was closed while a request waited")
            if not waiter.is_granted:
                call.pool = self._pool.occupancy(key)
                raise call.timed_out()
        except BaseException:
            self._close_all(self._pool.leave(waiter))
            raise
        return waiter

    def _released(self, key: ConnectionKey, connection: ClientHttpProtocol) -> None:
        if to_close := self._pool.release(key, connection):
            self._close_all(to_close)

    def _close_all(self, connections: list[ClientHttpProtocol]) -> None:
        for connection in connections:
            self._opened.discard(connection)
            connection.close()

    def _lost(self, key: ConnectionKey, connection: ClientHttpProtocol) -> None:
        self._opened.discard(connection)
        self._close_all(self._pool.forget(key, connection))

    # Opening one.

    @abstractmethod
    async def _create_connection(self, req: HttpRequest, call: Call) -> ClientHttpProtocol:
        """Open a connection for this request: to be overridden.

        ``_start`` makes one of a socket. ``call.phase`` tells what is being done. Whatever
        was begun must be closed when this is cancelled, or fails.

        Raises:
            ClientConnectionError: if there is no connection.
        """

    async def _open(self, call: Call, until: float) -> ClientHttpProtocol:
        limit = TimeLimit(deadlines_of(asyncio.get_running_loop()), until)
        self._openings.add(limit)
        try:
            with limit:
                connection = await self._create_connection(call.request, call)
        except TimeoutError as exc:
            if not limit.has_passed:
                raise
            error = self._closed_meanwhile() if self._is_closed else call.timed_out()
            error.peer = call.peer
            raise error from exc
        finally:
            self._openings.discard(limit)
        if self._is_closed:
            connection.close()
            error = self._closed_meanwhile()
            error.peer = call.peer
            raise error
        self._opened.add(connection)
        return connection

    def _closed_meanwhile(self) -> ClientConnectionError:
        return ClientConnectionError("the session was closed while a connection was opened")

    async def _start(
        self, sock: socket.socket, key: ConnectionKey, call: Call, *, ssl: Ssl = True
    ) -> ClientHttpProtocol:
        """Return a connection over a connected socket, which it owns from here on.

        With TLS where the key says so; ``ssl``: how, where the key doesn't say it.

        Raises:
            ClientConnectorError: if the other end and we can't agree on TLS.
            ServerFingerprintMismatch: if it isn't whom it should be.
        """
        protocol = self._new_protocol(key, sock)
        try:
            context, fingerprint = None, None
            if key.is_tls:
                call.peer = _peer_of(sock)  # now: once the other end has reset it, nobody knows
                call.phase = "tls"
                context, fingerprint = await context_for(key.ssl, ssl)
            await asyncio.get_running_loop().create_connection(
                lambda: protocol,
                sock=sock,
                ssl=context,
                # A name may end in a dot, but never does in a certificate (RFC 6066, section 3).
                server_hostname=(key.server_hostname or key.host).rstrip(".") if context else None,
                ssl_handshake_timeout=self._limits.handshake_time if context else None,
            )
            if fingerprint is not None and protocol.transport is not None:
                fingerprint.check(protocol.transport)
        except BaseException as exc:
            # The transport first, if there is one already: while it watches the socket's
            # number, no other socket may get that number.
            protocol.close()
            sock.close()
            if isinstance(exc, ServerFingerprintMismatch):
                exc.peer = call.peer
            if isinstance(exc, OSError):
                error = _not_started(key, exc)
                error.peer = call.peer
                raise error from exc
            raise
        return protocol

    def _new_protocol(
        self, key: ConnectionKey, sock: socket.socket | None = None
    ) -> ClientHttpProtocol:
        """Return a connection without a transport, which will tell this pool of itself."""
        return ClientHttpProtocol(
            deadlines_of(asyncio.get_running_loop()),
            limits=self._limits,
            label=str(key),
            released=partial(self._released, key),
            lost=partial(self._lost, key),
            sock=sock,
        )

    # The end.

    def close(self) -> Finished:
        """Close all connections at once, whatever they do, and those that are being opened.

        All who wait for one get an error. What this returns may be awaited, or dropped;
        after awaiting it the sockets are closed, TLS or not. It works without a running
        loop, too, and from another thread than the loop's.
        """
        self._is_closed = True
        loop, self.loop = self.loop, None  # so that the next request asks to bind, and is refused
        # After a fork the sockets, and what the loop watches, are the parent's.
        if loop is None or loop.is_closed() or self._process != os.getpid():
            self._opened.clear()
        elif loop is _running_loop():
            self._close_now(loop)
        elif loop.is_running():
            loop.call_soon_threadsafe(self._close_now, loop)
        else:
            self._close_now(loop)
            if _running_loop() is None:
                # Transports close their sockets in the next turn, which may never come.
                loop.call_soon(loop.stop)
                loop.run_forever()
        return FINISHED

    def _close_now(self, loop: asyncio.AbstractEventLoop) -> None:
        self._pool.dismiss()
        for connection in [*self._opened]:
            connection.close()
        self._opened.clear()
        loop.call_soon(self._give_up_openings)
        self._close_more()

    def _give_up_openings(self) -> None:
        for limit in self._openings:
            limit.end()

    def _close_more(self) -> None:  # noqa: B027 most have nothing more
        """Let go of what a subclass has beside connections."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, or None."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)


def _peer_of(sock: socket.socket) -> object:
    """Return the address of the other end; None if that has gone already."""
    try:
        return sock.getpeername()
    except OSError:
        return None


def _not_started(key: ConnectionKey, exc: OSError) -> ClientConnectorError:
    if isinstance(exc, tls.CertificateError):
        return ClientConnectorCertificateError(key.host, key.port, exc)
    if isinstance(exc, tls.SSLError):
        return ClientConnectorSSLError(key.host, key.port, exc)
    action = "open TLS" if key.is_tls else "connect"
    return ClientConnectorError(key.host, key.port, exc, action=action)
