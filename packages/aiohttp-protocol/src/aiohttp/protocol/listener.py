"""Sockets that listen, and what becomes of their connections: what server and worker both start."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .doors import Door, Reuse, Tls, open_tcp, open_unix, take_backlog, take_connection
from .errors import BadHttpMessage, IncompleteRead
from .exchange import Application
from .http1.server import ServerHttpProtocol
from .patience import Patience
from .service import Books, Service

if TYPE_CHECKING:
    from .forwarded import TrustedProxies
    from .proxy_protocol import Proxied

__all__ = ["Listener"]

logger = logging.getLogger("aiohttp.server")

# So many connections are taken in one go; then the others get their turn.
_ACCEPTS_IN_TURN = 64
# The client went before it was accepted. Any other error, such as no more file
# descriptors, would come again at once: nothing helps but to wait.
_CLIENT_IS_GONE = frozenset({errno.ECONNABORTED, errno.EPROTO, errno.EINTR})
_BREATHE = 1.0  # seconds


class Listener:
    """Serve an application on any number of sockets of the running loop.

    ::

        async with Listener(application) as listener:
            await listener.listen_tcp("127.0.0.1", 8080)
            await stop.wait()

    Leaving the block drains. ``application.startup`` is called when it is entered,
    before the first connection is accepted; ``shutdown`` when draining begins;
    ``cleanup`` after the last exchange, whatever happened before.

    Args:
        application: see ``aiohttp.protocol.Application``; None if ``protocol``
            answers itself.
        protocol: makes a connection out of the service, such as a subclass of
            ``ServerHttpProtocol``.
        drain_limit: seconds that leaving the block gives to what runs.
        drain_delay: of these, seconds in which connections are still accepted after
            draining has begun: whoever asks whether this server is ready learns that it
            isn't, and sends nobody any more.
        proxy_protocol: whose connections begin by the PROXY protocol, before TLS. Each of
            theirs must, and has ``handshake_time`` for it; nobody else's is looked at for
            it, so that a stranger's is a bad request.
        proxy_versions: of the PROXY protocol, that these may speak.
        options: of ``Service``: ``limits``, ``allowed_methods``, ``tcp_keepalive``,
            ``server``, ``on_exchange``, ``observers``, ``trusted_proxies``,
            ``deadlines``.
    """

    def __init__(
        self,
        application: Application | None = None,
        *,
        protocol: Callable[[Service], ServerHttpProtocol] = ServerHttpProtocol,
        drain_limit: float = 25.0,
        drain_delay: float = 0.0,
        proxy_protocol: TrustedProxies | None = None,
        proxy_versions: Collection[int] = (1, 2),
        **options: Any,
    ) -> None:
        self._application = application
        self._protocol = protocol
        self._drain_limit = drain_limit
        self._drain_delay = drain_delay
        self._proxy_protocol = proxy_protocol
        self._proxy_versions = proxy_versions
        self._options = options
        self._service: Service | None = None
        self._doors: dict[asyncio.Task[None], Door] = {}
        self._handshakes: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()
        self._is_started = False
        self._drained: asyncio.Event | None = None  # from the moment when draining begins
        self._patience: Patience | None = None  # as long as the drain waits for others
        self._is_cut = False

    def __repr__(self) -> str:
        where = ", ".join(map(_address, self.sockets)) or "nowhere"
        return f"<Listener on {where}>"

    @property
    def service(self) -> Service:
        """What the connections share: the registry, the limits and the books."""
        if self._service is None:
            self._service = Service(self._application, **self._options)
        return self._service

    @property
    def books(self) -> Books:
        """What was served so far, counted."""
        return self.service.books

    @property
    def sockets(self) -> list[socket.socket]:
        """The sockets that accept connections, in the order in which they were opened."""
        return [door.sock for door in self._doors.values()]

    @property
    def addresses(self) -> list[Any]:
        """Where to connect: ``(host, port)``, four items for IPv6, the path of a unix socket."""
        return [sock.getsockname() for sock in self.sockets]

    # Opening.

    async def start(self) -> None:
        """Have the application prepare itself; done by ``async with``, and by listening.

        Raises:
            Exception: the application's; its ``cleanup`` has been called then.
            RuntimeError: if this listener has been drained, or is by now.
        """
        async with self._starting:
            self._check_undrained()
            if self._is_started:
                return
            try:
                await self._tell_application("startup")
                self._check_undrained()
            except BaseException:
                if self._drained is None:
                    self._drained = asyncio.Event()
                    self._drained.set()
                await self._tell_application("cleanup")
                raise
            self._is_started = True

    def _check_undrained(self) -> None:
        if self._drained is not None:
            raise RuntimeError("this listener has been drained: make a new one")

    async def listen_tcp(
        self,
        host: str | None,
        port: int,
        *,
        tls: Tls = None,
        backlog: int = 1024,
        reuse_address: bool | None = None,
        reuse_port: bool = False,
    ) -> list[Any]:
        """Listen on every address that ``host`` stands for; return those addresses.

        ``None`` means all of this machine's, IPv4 and IPv6; what this machine lacks
        is left out. Port 0 finds a free one, the same for all of the host's addresses.
        ``reuse_address`` None sets SO_REUSEADDR where it only means that a port may be
        taken from connections of the past.

        Raises:
            OSError: if the host is unknown, or an address is in use; nothing is
                left open then.
        """
        await self.start()
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except socket.gaierror as exc:
            raise socket.gaierror(exc.errno, f"can't listen on {host}: {exc.strerror}") from exc
        self._check_undrained()  # while the name was looked up
        reuse = Reuse(os.name == "posix" if reuse_address is None else reuse_address, reuse_port)
        opened = open_tcp(list(dict.fromkeys(found)), reuse, backlog)
        for sock in opened:
            self._open_door(Door(sock, tls, backlog))
        return [sock.getsockname() for sock in opened]

    async def listen_unix(
        self,
        path: str | os.PathLike[str],
        *,
        tls: Tls = None,
        backlog: int = 1024,
    ) -> str:
        """Listen on a unix socket; a socket that is left there by a dead server is replaced.

        The file is removed when listening ends.
        """
        await self.start()
        place = Path(path)
        self._open_door(open_unix(place, tls, backlog))
        return str(place)

    async def listen_socket(
        self, sock: socket.socket, *, tls: Tls = None, backlog: int = 1024
    ) -> None:
        """Accept connections from a bound socket; it belongs to the listener from now on."""
        await self.start()
        sock.listen(backlog)
        self._open_door(Door(sock, tls, backlog))

    def _open_door(self, door: Door) -> None:
        door.sock.setblocking(False)
        self._doors[asyncio.get_running_loop().create_task(self._accept(door))] = door

    # Accepting.

    async def _accept(self, door: Door) -> None:
        """Take connections as long as there is room for them."""
        taken = 0
        while True:
            await self._wait_for_room()
            try:
                connection = await take_connection(door.sock)
            except OSError as exc:
                if exc.errno not in _CLIENT_IS_GONE:
                    logger.error("can't accept connections for a moment: %s", exc)  # noqa: TRY400
                    await asyncio.sleep(_BREATHE)
                continue
            self._receive(connection, door.tls)
            taken += 1
            if taken % _ACCEPTS_IN_TURN == 0:
                await asyncio.sleep(0)

    async def _wait_for_room(self) -> None:
        """Return when there are fewer connections than may be."""
        service = self.service
        limit = service.limits.connections
        if len(service.connections) + len(self._handshakes) < limit:
            return
        service.books.limits_hit["connections"] += 1
        while len(service.connections) + len(self._handshakes) >= limit:
            await service.wait_change()

    def _receive(self, connection: socket.socket, tls: Tls) -> None:
        task = asyncio.get_running_loop().create_task(self._welcome(connection, tls))
        self._handshakes.add(task)
        task.add_done_callback(self._end_handshake)

    def _end_handshake(self, task: asyncio.Task[None]) -> None:
        self._handshakes.discard(task)
        self.service.tell_change()

    async def _welcome(self, sock: socket.socket, tls: Tls) -> None:
        """Make a connection of an accepted socket; a failed handshake is its end."""
        service = self.service
        timeout = service.limits.handshake_time if tls is not None else None
        try:
            proxied = await self._ask_proxy(sock)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._connect(proxied),
                sock,
                ssl=tls() if callable(tls) else tls,
                ssl_handshake_timeout=timeout,
            )
        except (OSError, ssl.SSLError, IncompleteRead) as exc:
            if tls is not None or isinstance(exc, TimeoutError):
                service.books.limits_hit["handshake"] += 1
            logger.debug("no connection came of a socket: %s", exc)
            sock.close()
        except BadHttpMessage as exc:
            # A proxy that is trusted, and set up in another way than it was thought to be.
            service.books.limits_hit["proxy_protocol"] += 1
            logger.warning("no connection came of a socket: %s", exc)
            sock.close()
        except BaseException:
            sock.close()
            raise

    def _connect(self, proxied: Proxied | None) -> ServerHttpProtocol:
        protocol = self._protocol(self.service)
        protocol.proxied = proxied
        return protocol

    async def _ask_proxy(self, sock: socket.socket) -> Proxied | None:
        """Return what a trusted peer says of itself by the PROXY protocol."""
        trusted = self._proxy_protocol
        if trusted is None or not trusted.trusts(sock.getpeername()):
            return None
        from .proxy_protocol import ProxyHeader

        header, loop = ProxyHeader(self._proxy_versions), asyncio.get_running_loop()
        async with asyncio.timeout(self.service.limits.handshake_time):
            while header.wanted:
                header.feed(await loop.sock_recv(sock, header.wanted))
        return header.proxied

    # Closing.

    async def stop_listening(self, addresses: Iterable[Any]) -> None:
        """Close the sockets of these addresses; clients that wait in their backlog are served.

        Raises:
            ValueError: if nothing listens on one of them; the others are closed then.
        """
        wanted = list(addresses)
        leaving = {t: door for t, door in self._doors.items() if door.address in wanted}
        found = [door.address for door in leaving.values()]
        await self._stop_accepting(leaving)
        if unknown := [address for address in wanted if address not in found]:
            raise ValueError(f"{self!r} doesn't listen on {unknown}")

    async def _stop_accepting(self, leaving: dict[asyncio.Task[None], Door]) -> None:
        """Close listening sockets. Clients in the backlog think that they are connected."""
        for task in leaving:
            task.cancel()
        if leaving:
            await asyncio.wait(leaving)
        for door in leaving.values():
            for connection in take_backlog(door):
                self._receive(connection, door.tls)
        self._close_doors(leaving)

    def _close_doors(self, leaving: dict[asyncio.Task[None], Door]) -> None:
        for task, door in leaving.items():
            door.close()
            self._doors.pop(task, None)

    # Draining.

    async def drain(self, limit: float | None = None) -> bool:
        """Stop in order, within ``limit`` seconds (``drain_limit`` if None).

        Tells the handlers, and has each response announce that it is the last of its
        connection; stops accepting (``drain_delay`` later), after having taken what
        waits in the backlog; tells the application; closes idle connections soon
        and lets the others answer what they have begun; cuts what is left at the
        limit; calls the application's ``cleanup``. Returns whether nothing had to be
        cut. Calling it again returns True when the first call has ended.
        """
        if self._drained is not None:
            await self._drained.wait()
            return True
        self._drained = asyncio.Event()
        try:
            return await self._drain(self._drain_limit if limit is None else limit)
        finally:
            self._patience = None
            try:
                await self._end()
            finally:
                self._drained.set()

    def cut(self) -> None:
        """Have the drain that runs, or the one to come, wait for nobody.

        The application's ``shutdown`` and ``cleanup`` are called all the same.
        """
        self._is_cut = True
        if self._patience is not None:
            self._patience.lose()

    async def _drain(self, limit: float) -> bool:
        service = self.service
        self._patience = patience = Patience(0.0 if self._is_cut else limit)
        service.begin_drain()
        if self._drain_delay and self._doors:
            with suppress(TimeoutError):
                async with patience.bound():
                    await asyncio.sleep(self._drain_delay)
        await self._stop_accepting(dict(self._doors))
        try:
            # Even who has no time left may say good-bye.
            async with patience.bound(grace=_BREATHE):
                await self._tell_shutdown()
            async with patience.bound():
                while service.connections or service.tasks or self._handshakes:
                    await service.wait_change()
        except TimeoutError:
            return False
        return True

    async def _end(self) -> None:
        try:
            await self._cut()
        finally:
            if self._is_started:
                await self._tell_application("cleanup")

    async def _cut(self) -> None:
        """End what is left. A handler that doesn't let itself be cancelled is left behind."""
        service = self.service
        for task in {*self._doors, *self._handshakes}:
            task.cancel()
        service.abort()
        try:
            async with asyncio.timeout(_BREATHE):
                while service.connections or service.tasks or self._handshakes:
                    await service.wait_change()
        except TimeoutError:
            for task in service.tasks:
                logger.error("a handler goes on though it was cancelled: %r", task)  # noqa: TRY400
        finally:
            self._close_doors(dict(self._doors))

    async def _tell_shutdown(self) -> None:
        """Tell the application that draining has begun; its error must not stop that."""
        try:
            if self._is_started:
                await self._tell_application("shutdown")
        except Exception:
            logger.exception("error in shutdown() of %r", self._application)

    async def _tell_application(self, name: str) -> None:
        method = getattr(self._application, name, None)
        if method is not None:
            await method()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.drain()


def _address(sock: socket.socket) -> str:
    name = sock.getsockname()
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)
