"""Sockets that listen: how they are opened, how connections are taken from them, how they end."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

__all__ = ["Door", "Reuse", "Tls", "open_tcp", "open_unix", "take_backlog", "take_connection"]

Tls: TypeAlias = ssl.SSLContext | Callable[[], ssl.SSLContext] | None
"""A context; or what returns the one for the next connection, so that certificates can change."""

_NO_SUCH_FAMILY = frozenset({errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EADDRNOTAVAIL})


class Door(NamedTuple):
    """A socket that listens, and how its connections are received."""

    sock: socket.socket
    tls: Tls
    backlog: int
    place: tuple[Path, int] | None = None
    """The file of a unix socket and its inode."""

    @property
    def address(self) -> Any:
        """Where clients connect to."""
        return self.sock.getsockname()

    def close(self) -> None:
        """Stop listening; what stands in the file system for a unix socket goes, too."""
        self.sock.close()
        if self.place is not None:
            _remove_own(*self.place)


class Reuse(NamedTuple):
    """With whom a TCP socket may share its address."""

    address: bool
    """With connections of the past; but on Windows, with any other server."""
    port: bool
    """With other processes that want it so, among which the kernel spreads connections."""


async def take_connection(sock: socket.socket) -> socket.socket:
    """Return the next connection.

    Cancelling this loses no client, as cancelling ``loop.sock_accept`` may: nothing is
    awaited between accepting and returning.
    """
    while True:
        try:
            connection, _ = sock.accept()
        except BlockingIOError:
            try:
                await _wait_readable(sock.fileno())
            except NotImplementedError:  # by Windows' own loop
                return (await asyncio.get_running_loop().sock_accept(sock))[0]
        else:
            connection.setblocking(False)
            return connection


async def _wait_readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    is_readable = asyncio.Event()
    loop.add_reader(descriptor, is_readable.set)
    try:
        await is_readable.wait()
    finally:
        loop.remove_reader(descriptor)


def open_tcp(
    found: list[tuple[Any, ...]], reuse: Reuse, backlog: int, tries: int = 8
) -> list[socket.socket]:
    """Return sockets that listen on all these addresses, of ``getaddrinfo``, with one port."""
    opened: list[socket.socket] = []
    lacking: OSError | None = None
    wanted: int = found[0][4][1]
    try:
        for family, kind, proto, _, address in found:
            port = opened[0].getsockname()[1] if opened else wanted
            target = (address[0], port, *address[2:])
            try:
                opened.append(_open_one(family, kind, proto, target, reuse, backlog))
            except OSError as exc:
                if exc.errno not in _NO_SUCH_FAMILY or family != socket.AF_INET6:
                    raise
                lacking = exc
        if lacking is not None and not opened:
            raise lacking
    except BaseException as exc:
        for sock in opened:
            sock.close()
        is_taken = isinstance(exc, OSError) and exc.errno == errno.EADDRINUSE
        if is_taken and opened and not wanted and tries:
            # The port that was free for one address is in use on another.
            return open_tcp(found, reuse, backlog, tries - 1)
        raise
    return opened


def _open_one(  # noqa: PLR0917 - the first four are those of getaddrinfo
    family: int,
    kind: int,
    proto: int,
    address: tuple[Any, ...],
    reuse: Reuse,
    backlog: int,
) -> socket.socket:
    """Return a socket that listens on this address."""
    sock: socket.socket | None = None
    try:
        sock = socket.socket(family, kind, proto)
        if reuse.address:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse.port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            # IPv4 has a socket of its own.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(backlog)
    except OSError as exc:
        if sock is not None:
            sock.close()
        host, port = address[:2]
        raise OSError(exc.errno, f"can't listen on {host} port {port}: {exc.strerror}") from exc
    return sock


def take_backlog(door: Door) -> Iterator[socket.socket]:
    """Accept what waits, without waiting for more; others may go on filling a shared socket."""
    for _ in range(door.backlog + 1):
        try:
            connection, _ = door.sock.accept()
        except OSError:
            return  # nobody waits any more
        connection.setblocking(False)
        yield connection


def open_unix(path: Path, tls: Tls, backlog: int) -> Door:
    """Listen at this path; a socket that is left there by a dead server is replaced."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_dead(path)
        sock.bind(str(path))
        sock.listen(backlog)
    except OSError as exc:
        sock.close()
        # What Python itself refuses, such as a path that is too long, has no strerror.
        raise OSError(exc.errno, f"can't listen on {path}: {exc.strerror or exc}") from exc
    return Door(sock, tls, backlog, (path, _inode(path)))


def _remove_dead(path: Path) -> None:
    """Remove a unix socket that nobody answers; anything else at ``path`` stays."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        except BlockingIOError:
            return  # somebody is there, and busy


def _inode(path: Path) -> int:
    return path.stat().st_ino


def _remove_own(path: Path, inode: int) -> None:
    """Remove our unix socket, unless a successor has put its own there."""
    try:
        if _inode(path) == inode:
            path.unlink()
    except FileNotFoundError:
        return
