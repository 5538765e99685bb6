"""Sockets that listen, and what becomes of their connections: what server and worker both start."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from .exchange import Application
from .http1.server import ServerHttpProtocol
from .service import Books, Service

__all__ = ["Listener"]

logger = logging.getLogger("aiohttp.server")

# So many connections are taken in one go; then the others get their turn.
_ACCEPTS_IN_TURN = 64
# Nothing to do but wait when there are no more file descriptors.
_OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
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
        options: of ``Service``: ``limits``, ``allowed_methods``, ``tcp_keepalive``,
            ``server``, ``on_exchange``, ``deadlines``.
    """

    def __init__(
        self,
        application: Application | None = None,
        *,
        protocol: Callable[[Service], ServerHttpProtocol] = ServerHttpProtocol,
        drain_limit: float = 25.0,
        **options: Any,
    ) -> None:
        self._application = application
        self._protocol = protocol
        self._drain_limit = drain_limit
        self._options = options
        self._service: Service | None = None
        self._accepting: dict[asyncio.Task[None], socket.socket] = {}
        self._tls: dict[asyncio.Task[None], ssl.SSLContext | None] = {}
        self._handshakes: set[asyncio.Task[None]] = set()
        self._unix_paths: list[tuple[Path, int]] = []
        self._is_started = False
        self._is_closed = False

    def __repr__(self) -> str:
        where = ", ".join(map(_address, self._accepting.values())) or "nowhere"
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
        return list(self._accepting.values())

    @property
    def addresses(self) -> list[Any]:
        """Where to connect: ``(host, port)``, four items for IPv6, the path of a unix socket."""
        return [sock.getsockname() for sock in self.sockets]

    # Opening.

    async def start(self) -> None:
        """Have the application prepare itself; done by ``async with``, and by listening.

        Raises:
            Exception: the application's; its ``cleanup`` has been called then.
        """
        if self._is_started:
            return
        self._is_started = True
        try:
            await self._tell_application("startup")
        except BaseException:
            await self.drain(0)
            raise

    async def listen_tcp(
        self,
        host: str | None,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        backlog: int = 1024,
        reuse_port: bool = False,
    ) -> list[Any]:
        """Listen on every address that ``host`` stands for; return those addresses.

        ``None`` means all of this machine's, IPv4 and IPv6. Port 0 finds a free one,
        the same for all of the host's addresses.

        Raises:
            OSError: if the host is unknown, or an address is in use; nothing is
                left open then.
        """
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        opened: list[socket.socket] = []
        try:
            for family, kind, proto, _, address in dict.fromkeys(found):
                opened_port = opened[0].getsockname()[1] if opened else port
                target = (address[0], opened_port, *address[2:])
                opened.append(_open_tcp(family, kind, proto, target, reuse_port=reuse_port))
            for sock in opened:
                await self.listen_socket(sock, tls=tls, backlog=backlog)
        except BaseException:
            for sock in opened:
                sock.close()
            raise
        return [sock.getsockname() for sock in opened]

    async def listen_unix(
        self,
        path: str | os.PathLike[str],
        *,
        tls: ssl.SSLContext | None = None,
        backlog: int = 1024,
    ) -> str:
        """Listen on a unix socket; a socket that is left there by a dead server is replaced.

        The file is removed when listening ends.
        """
        place = Path(path)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _remove_dead_socket(place)
            sock.bind(str(place))
            self._unix_paths.append((place, _inode(place)))
            await self.listen_socket(sock, tls=tls, backlog=backlog)
        except BaseException:
            sock.close()
            raise
        return str(place)

    async def listen_socket(
        self, sock: socket.socket, *, tls: ssl.SSLContext | None = None, backlog: int = 1024
    ) -> None:
        """Accept connections from a bound socket; it belongs to the listener from now on."""
        await self.start()
        if self._is_closed:
            raise RuntimeError("this listener has been drained: make a new one")
        sock.setblocking(False)
        sock.listen(backlog)
        task = asyncio.get_running_loop().create_task(self._accept(sock, tls))
        self._accepting[task] = sock
        self._tls[task] = tls

    # Accepting.

    async def _accept(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Take connections as long as there is room for them."""
        loop = asyncio.get_running_loop()
        service = self.service
        taken = 0
        while True:
            while len(service.connections) + len(self._handshakes) >= service.limits.connections:
                service.books.limits_hit["connections"] += 1
                await service.wait_change()
            try:
                connection, _ = await loop.sock_accept(sock)
            except OSError as exc:
                if exc.errno in _OUT_OF_RESOURCES:
                    logger.error("can't accept connections for a moment: %s", exc)  # noqa: TRY400
                    await asyncio.sleep(_BREATHE)
                # Otherwise the client has gone before we could take it.
                continue
            self._receive(connection, tls)
            taken += 1
            if taken % _ACCEPTS_IN_TURN == 0:
                await asyncio.sleep(0)

    def _receive(self, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
        task = asyncio.get_running_loop().create_task(self._welcome(connection, tls))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _welcome(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Make a connection of an accepted socket; a failed handshake is its end."""
        service = self.service
        timeout = service.limits.handshake_time if tls is not None else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._protocol(service), sock, ssl=tls, ssl_handshake_timeout=timeout
            )
        except (OSError, ssl.SSLError) as exc:
            service.books.limits_hit["handshake"] += 1
            logger.debug("no connection came of a socket: %s", exc)
            sock.close()
        except BaseException:
            sock.close()
            raise

    # Draining.

    async def drain(self, limit: float | None = None) -> bool:
        """Stop in order, within ``limit`` seconds (``drain_limit`` if None).

        Stops accepting, after having taken what waits in the backlog; tells the
        application and the handlers; closes idle connections at once and lets the
        others answer what they have begun; cuts what is left at the limit; calls
        the application's ``cleanup``. Returns whether nothing had to be cut.
        Calling it again returns True at once.
        """
        if self._is_closed:
            return True
        self._is_closed = True
        service = self.service
        try:
            async with asyncio.timeout(self._drain_limit if limit is None else limit):
                await self._stop_accepting()
                service.begin_drain()
                await self._tell_application("shutdown")
                while service.connections or service.tasks:
                    await service.wait_change()
            return True
        except TimeoutError:
            return False
        finally:
            await self._cut()
            await self._tell_application("cleanup")

    async def _stop_accepting(self) -> None:
        """Close the listening sockets. Clients in the backlog think that they are connected."""
        accepting, self._accepting = self._accepting, {}
        # Cancelling a task to which a connection is just being handed would lose it,
        # and reset its client: first look away, let the tasks take what they have,
        # look away from what they began to wait for then, and only now cancel.
        for sock in accepting.values():
            _look_away(sock)
        await asyncio.sleep(0)
        for task, sock in accepting.items():
            _look_away(sock)
            task.cancel()
        await asyncio.gather(*accepting, return_exceptions=True)
        for task, sock in accepting.items():
            tls = self._tls.pop(task)
            for connection in _take_backlog(sock):
                self._receive(connection, tls)
            sock.close()
        for path, inode in self._unix_paths:
            _remove_own_socket(path, inode)
        self._unix_paths.clear()
        if self._handshakes:
            await asyncio.wait(set(self._handshakes))

    async def _cut(self) -> None:
        """End what is left. A handler that doesn't let itself be cancelled is left behind."""
        service = self.service
        for sock in self._accepting.values():  # only if draining itself was cut short
            sock.close()
        left = service.tasks | self._handshakes | set(self._accepting)
        service.abort()
        for task in left:
            task.cancel()
        if left:
            _, deaf = await asyncio.wait(left, timeout=_BREATHE)
            for task in deaf:
                logger.error("a handler goes on though it was cancelled: %r", task)

    async def _tell_application(self, name: str) -> None:
        method = getattr(self._application, name, None)
        if method is not None:
            await method()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.drain()


def _open_tcp(
    family: int, kind: int, proto: int, address: tuple[Any, ...], *, reuse_port: bool
) -> socket.socket:
    """Return a socket that is bound to this address."""
    sock = socket.socket(family, kind, proto)
    try:
        if os.name == "posix":
            # Elsewhere the option means that two servers may share a port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            # IPv4 has a socket of its own.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
    except OSError as exc:
        sock.close()
        host, port = address[:2]
        raise OSError(exc.errno, f"can't listen on {host} port {port}: {exc.strerror}") from exc
    except BaseException:
        sock.close()
        raise
    return sock


def _look_away(sock: socket.socket) -> None:
    """Have the loop accept nothing more from a socket; not every loop can (Windows)."""
    with suppress(NotImplementedError):
        asyncio.get_running_loop().remove_reader(sock)


def _take_backlog(sock: socket.socket) -> Iterator[socket.socket]:
    """Accept what waits, without waiting for more."""
    while True:
        try:
            connection, _ = sock.accept()
        except OSError:
            return  # nobody waits any more
        connection.setblocking(False)
        yield connection


def _remove_dead_socket(path: Path) -> None:
    """Remove a unix socket that nobody answers; anything else at ``path`` stays."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()


def _inode(path: Path) -> int:
    return path.stat().st_ino


def _remove_own_socket(path: Path, inode: int) -> None:
    """Remove our unix socket, unless a successor has put its own there."""
    try:
        if _inode(path) == inode:
            path.unlink()
    except FileNotFoundError:
        return


def _address(sock: socket.socket) -> str:
    name = sock.getsockname()
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)
