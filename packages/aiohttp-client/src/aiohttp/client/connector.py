"""Connections to servers: opened when they are needed, kept while they may be needed again."""

from __future__ import annotations

import asyncio
import math
import socket
import ssl as tls
from collections.abc import Awaitable
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias, TypeVar

import aiohappyeyeballs

from aiohttp.protocol.http1.client import ClientHttpProtocol
from aiohttp.protocol.limits import Limits
from aiohttp.protocol.timers import deadlines_of

from .awaitables import FINISHED, Finished
from .call import Call
from .destination import ConnectionKey
from .errors import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
)
from .pool import Pool, Waiter
from .tls import Ssl, context_for, validate_ssl

__all__ = ["CLIENT_LIMITS", "BaseConnector", "TCPConnector"]

CLIENT_LIMITS = Limits(body=None, decoded=None, keep_alive=15.0, linger=0.5)
"""What a client accepts: bodies of any size, since a program may read them as a stream. The
rest of a body that nobody reads is waited for no longer than a new connection would take."""

_AddressInfo: TypeAlias = tuple[Any, Any, int, str, Any]

T = TypeVar("T")


class TCPConnector:
    """Opens TCP connections, with TLS where the URL says so, and keeps them in a pool.

    Belongs to one event loop, the one of its first request.

    Args:
        limit: connections at the same time; 0: any number.
        limit_per_host: likewise, to one host and port.
        keepalive_timeout: seconds for which an idle connection is kept, unless the
            server announces less.
        force_close: use each connection for one request only.
        ssl: how to do TLS where the request doesn't say it: True, False for no
            verification, or a context.
        family: ``socket.AF_INET`` or ``AF_INET6``; 0: both.
        happy_eyeballs_delay: seconds after which the next address of a host is tried
            beside the one before (RFC 8305); None: one after the other.
        limits: of what a server may send.
    """

    def __init__(
        self,
        *,
        limit: int = 100,
        limit_per_host: int = 0,
        keepalive_timeout: float = CLIENT_LIMITS.keep_alive,
        force_close: bool = False,
        ssl: Ssl = True,
        family: int = 0,
        happy_eyeballs_delay: float | None = 0.25,
        limits: Limits = CLIENT_LIMITS,
    ) -> None:
        validate_ssl(ssl)
        self.force_close = force_close
        self.ssl = ssl
        self.loop: asyncio.AbstractEventLoop | None = None
        self._pool: Pool[ConnectionKey, ClientHttpProtocol] = Pool(limit, limit_per_host)
        self._limits = limits
        if keepalive_timeout != limits.keep_alive:
            self._limits = replace(limits, keep_alive=keepalive_timeout)
        self._family = family
        self._happy_eyeballs_delay = happy_eyeballs_delay
        self._opened: set[ClientHttpProtocol] = set()
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<TCPConnector {'closed' if self._is_closed else self._pool!r}>"

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._is_closed

    @property
    def limits(self) -> Limits:
        """What a server may send."""
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
        elif self.loop is not loop:
            raise RuntimeError(
                "this session belongs to another event loop, in which its connections live: "
                "make one session for each loop"
            )

    # Getting a connection, and giving it back.

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
        call.connection = None
        until = call.limit(call.timeout.connect)
        waiter = await self._wait_for_slot(key, call, until)
        if waiter.connection is not None:
            return waiter.connection
        until = min(until, call.limit(call.timeout.sock_connect))
        try:
            return await _within(self._open(key, call), call, until)
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
        call.phase, call.pool = "pool", self._pool.occupancy
        granted = asyncio.Event()
        waiter, to_close = self._pool.join(key, granted.set)
        self._close_all(to_close)
        try:
            if not waiter.is_granted:
                until = min(until, call.limit(call.timeout.pool))
                await _within(granted.wait(), call, until)
            if self._is_closed:
                raise ClientConnectionError("the session was closed while a request waited")
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

    async def _open(self, key: ConnectionKey, call: Call) -> ClientHttpProtocol:
        loop = asyncio.get_running_loop()
        call.phase = "dns"
        addresses = await self._resolve(loop, key)
        call.phase = "connect"
        try:
            sock = await aiohappyeyeballs.start_connection(  # pyright: ignore[reportUnknownMemberType]
                addresses, happy_eyeballs_delay=self._happy_eyeballs_delay, loop=loop
            )
        except OSError as exc:
            raise ClientConnectorError(key.host, key.port, exc) from exc
        except RuntimeError as exc:  # uvloop's, for an address that no socket can be bound to
            raise ClientConnectorError(key.host, key.port, OSError(str(exc))) from exc
        protocol = ClientHttpProtocol(
            deadlines_of(loop),
            limits=self._limits,
            label=str(key),
            released=partial(self._released, key),
            lost=partial(self._lost, key),
        )
        await self._start_transport(loop, protocol, sock, key, call)
        if self._is_closed:
            protocol.close()
            raise ClientConnectionError("the session was closed while a connection was opened")
        self._opened.add(protocol)
        return protocol

    async def _resolve(
        self, loop: asyncio.AbstractEventLoop, key: ConnectionKey
    ) -> list[_AddressInfo]:
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        try:
            # An address is no name: no thread is needed to look it up.
            return socket.getaddrinfo(
                key.host, key.port, family=self._family, type=socket.SOCK_STREAM, flags=numeric
            )
        except (OSError, UnicodeError):
            pass
        try:
            return await loop.getaddrinfo(
                key.host, key.port, family=self._family, type=socket.SOCK_STREAM
            )
        except OSError as exc:
            raise ClientConnectorDNSError(key.host, key.port, exc) from exc
        except UnicodeError as exc:
            raise ClientConnectorDNSError(key.host, key.port, OSError(str(exc))) from exc

    async def _start_transport(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: ClientHttpProtocol,
        sock: socket.socket,
        key: ConnectionKey,
        call: Call,
    ) -> None:
        try:
            context, fingerprint = None, None
            if key.is_tls:
                call.phase = "tls"
                context, fingerprint = await context_for(key.ssl, self.ssl)
            transport, _ = await loop.create_connection(
                lambda: protocol,
                sock=sock,
                ssl=context,
                # A name may end in a dot, but never does in a certificate (RFC 6066, section 3).
                server_hostname=(key.server_hostname or key.host).rstrip(".") if context else None,
                ssl_handshake_timeout=self._limits.handshake_time if context else None,
            )
            if fingerprint is not None:
                fingerprint.check(transport)
        except BaseException as exc:
            # The transport first, if there is one already: while it watches the socket's
            # number, no other socket may get that number.
            protocol.close()
            sock.close()
            if isinstance(exc, OSError):
                raise _not_started(key, exc) from exc
            raise

    # The end.

    def close(self) -> Finished:
        """Close all connections at once, whatever they do; wake all who wait with an error."""
        self._is_closed = True
        loop, self.loop = self.loop, None  # so that the next request asks to bind, and is refused
        if loop is not None and not loop.is_closed():
            self._pool.dismiss()
            for connection in [*self._opened]:
                connection.close()
        self._opened.clear()
        return FINISHED


BaseConnector = TCPConnector


async def _within(awaitable: Awaitable[T], call: Call, until: float) -> T:
    """Wait no longer than to this moment on the loop's clock."""
    limit = asyncio.timeout_at(None if until == math.inf else until)
    try:
        async with limit:
            return await awaitable
    except TimeoutError as exc:
        if limit.expired():
            raise call.timed_out() from exc
        raise


def _not_started(key: ConnectionKey, exc: OSError) -> ClientConnectorError:
    if isinstance(exc, tls.CertificateError):
        return ClientConnectorCertificateError(key.host, key.port, exc)
    if isinstance(exc, tls.SSLError):
        return ClientConnectorSSLError(key.host, key.port, exc)
    action = "open TLS" if key.is_tls else "connect"
    return ClientConnectorError(key.host, key.port, exc, action=action)
