"""Connections over TCP: to whichever address of a host answers, with TLS where the URL says so."""

from __future__ import annotations

import asyncio
import socket
import ssl as tls
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp.protocol.abc import AbstractResolver, ResolveResult
from aiohttp.protocol.http1.client import ClientHttpProtocol
from aiohttp.protocol.limits import Limits

from .call import Call
from .connector import CLIENT_LIMITS, BaseConnector
from .destination import ConnectionKey
from .dial import AddrInfoType, Dialer, Dialing, SocketFactoryType, address_info
from .errors import (
    ClientConnectionError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ServerFingerprintMismatch,
)
from .names import Names
from .request import HttpRequest
from .timeouts import validate_seconds
from .tls import Ssl, merged_ssl

if TYPE_CHECKING:
    from .resolver import AsyncResolver, ThreadedResolver

__all__ = ["TCPConnector"]


class TCPConnector(BaseConnector):
    """Opens TCP connections, with TLS where the URL says so.

    Args:
        ssl: how to do TLS where the request doesn't say it: True, False for no
            verification, a context, or a ``Fingerprint``.
        verify_ssl: False: the same as ``ssl=False``.
        fingerprint: the same as ``ssl=Fingerprint(…)``.
        ssl_context: the same as ``ssl=``.
        use_dns_cache: whether addresses of names are kept.
        ttl_dns_cache: for how many seconds; None: until ``clear_dns_cache``, or until
            a connection fails.
        family: ``socket.AF_INET`` or ``AF_INET6``; 0: both.
        local_addr: address and port that sockets are bound to.
        resolver: who knows the addresses of names; whoever made it closes it.
            ``DefaultResolver()`` by default.
        happy_eyeballs_delay: seconds after which the next address of a host is tried
            beside the one before (RFC 8305); None: one after the other.
        interleave: how many addresses of the first family are tried before the other
            one has its turn.
        socket_factory: makes the sockets, from the address they are to be connected to
            as ``getaddrinfo`` has it; what it refuses by an OSError is not connected to.
        timeout_ceil_threshold: accepted and not needed: limits in time are exact.
        ssl_shutdown_timeout: likewise: nobody waits for the other end's goodbye.

    The others are those of ``BaseConnector``.
    """

    def __init__(
        self,
        *,
        ssl: Ssl = True,
        verify_ssl: bool = True,
        fingerprint: bytes | None = None,
        use_dns_cache: bool = True,
        ttl_dns_cache: float | None = 10,
        family: int = 0,
        ssl_context: tls.SSLContext | None = None,
        local_addr: tuple[str, int] | None = None,
        resolver: AbstractResolver | None = None,
        keepalive_timeout: float | None = None,
        force_close: bool = False,
        limit: int = 100,
        limit_per_host: int = 0,
        enable_cleanup_closed: bool = False,
        timeout_ceil_threshold: float = 5,
        happy_eyeballs_delay: float | None = 0.25,
        interleave: int | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        socket_factory: SocketFactoryType | None = None,
        ssl_shutdown_timeout: float = 0,
        limits: Limits = CLIENT_LIMITS,
    ) -> None:
        super().__init__(
            keepalive_timeout=keepalive_timeout,
            force_close=force_close,
            limit=limit,
            limit_per_host=limit_per_host,
            loop=loop,
            limits=limits,
        )
        self.ssl = merged_ssl(
            ssl, verify_ssl=verify_ssl, fingerprint=fingerprint, ssl_context=ssl_context
        )
        if ttl_dns_cache is not None:
            validate_seconds("ttl_dns_cache", ttl_dns_cache)
        self._family = socket.AddressFamily(family)
        self._resolver = resolver
        self._own_resolver: AsyncResolver | ThreadedResolver | None = None
        self._ttl = ttl_dns_cache if use_dns_cache else 0
        self._keeps_names = use_dns_cache
        self._known: Names | None = None
        self._how = Dialing(
            delay=happy_eyeballs_delay,
            interleave=interleave,
            local=None if local_addr is None else [_local(local_addr)],
            socket_factory=socket_factory,
        )

    @property
    def family(self) -> socket.AddressFamily:
        """Of the addresses that are connected to; ``AF_UNSPEC``: any."""
        return self._family

    @property
    def dns_cache(self) -> bool:
        """Whether addresses of names are kept."""
        return self._keeps_names

    @property
    def cached_hosts(self) -> Mapping[tuple[str, int], list[ResolveResult]]:
        """The addresses that are kept, by host and port."""
        return self._names.kept

    def clear_dns_cache(self, host: str | None = None, port: int | None = None) -> None:
        """Forget the addresses of a host and port, of a host, or of all.

        Raises:
            ValueError: if there is a port without a host.
        """
        if host is None and port is not None:
            raise ValueError(f"expected a host, and maybe a port, got port {port} alone")
        self._names.forget(host, port)

    @property
    def _names(self) -> Names:
        # Made when it is needed: an address needs no resolver, and no aiodns.
        if self._known is None:
            resolver = self._resolver
            if resolver is None:
                from .resolver import DefaultResolver

                resolver = self._own_resolver = DefaultResolver()
            self._known = Names(resolver, family=self._family, ttl=self._ttl)
        return self._known

    async def _create_connection(self, req: HttpRequest, call: Call) -> ClientHttpProtocol:
        """Try the addresses of the host until TCP and TLS work with one of them.

        Raises:
            ClientConnectorDNSError: if there is no address.
            ClientConnectorError: if none of them answers, with the reasons of all.
            ServerFingerprintMismatch: if somebody else answers.
        """
        key = req.key
        try:
            dialer = Dialer(await self._addresses(key, call), self._how, key.host)
            return await self._reach(dialer, key, call)
        except Exception:
            # The addresses may be out of date, or never were any.
            if self._known is not None:
                self._known.forget(key.host, key.port)
            raise

    async def _reach(self, dialer: Dialer, key: ConnectionKey, call: Call) -> ClientHttpProtocol:
        if dialer.leaves_it_to_the_loop and not key.is_tls:
            return await self._connect(dialer, key, call)
        refused: ClientConnectionError | None = None
        while True:
            call.phase, call.peer = "connect", None
            try:
                sock = await dialer.dial()
            except OSError as exc:
                if refused is None:
                    raise ClientConnectorError(key.host, key.port, exc) from exc
                call.phase = "tls"
                raise refused from exc
            try:
                return await self._start(sock, key, call, ssl=self.ssl)
            except (ClientConnectorError, ServerFingerprintMismatch) as exc:
                # One machine of several may be out of order; the first one tells why.
                dialer.strike(sock, exc)
                refused = refused or exc
                if not dialer.left:
                    raise refused from refused.__cause__

    async def _connect(self, dialer: Dialer, key: ConnectionKey, call: Call) -> ClientHttpProtocol:
        """Connect in one step, by what the loop has for it."""
        call.phase, call.peer = "connect", None
        protocol = self._new_protocol(key)
        try:
            await dialer.connect(protocol)
        except BaseException as exc:
            protocol.close()
            if isinstance(exc, OSError):
                raise ClientConnectorError(key.host, key.port, exc) from exc
            raise
        protocol.look_into(protocol.get_extra_info("socket"))
        return protocol

    async def _addresses(self, key: ConnectionKey, call: Call) -> list[AddrInfoType]:
        given = address_info(key.host, key.port)
        if given is not None:
            found = [given]  # an address is no name: nobody has to be asked
        else:
            call.phase = "dns"
            try:
                answers = await self._names.look_up(key.host, key.port)
                found = [_address_info_of(answer) for answer in answers]
            except OSError as exc:
                raise ClientConnectorDNSError(key.host, key.port, exc) from exc
        wanted = [info for info in found if self._family in (socket.AF_UNSPEC, info[0])]
        if not wanted:
            error = OSError(f"expected an address of {self._family.name}, got {found[0][4][0]}")
            raise ClientConnectorDNSError(key.host, key.port, error)
        return wanted

    def _close_more(self) -> None:
        if self._known is not None:
            self._known.close()
        if self._own_resolver is not None:
            self._own_resolver.stop()


def _address_info_of(answer: ResolveResult) -> AddrInfoType:
    """Return what a resolver answered in the form of ``getaddrinfo``."""
    info = address_info(answer["host"], answer["port"], answer["proto"] or socket.IPPROTO_TCP)
    if info is None:
        raise OSError(f"the resolver answered {answer['host']!r}, which is no address")
    return info


def _local(given: object) -> AddrInfoType:
    """Return an address to bind sockets to.

    Raises:
        TypeError: if it is no pair of address and port.
        ValueError: if it is a name.
    """
    match given:
        case (str(host), int(port)):
            info = address_info(host, port)
            if info is None:
                raise ValueError(f"local_addr must be an address and a port, not {given!r}")
            return info
        case _:
            raise TypeError(
                "local_addr must be a tuple of address and port (0: any), "
                f"such as ('127.0.0.1', 0), not {given!r}"
            )
