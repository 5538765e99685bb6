"""One socket, connected to whichever address of a host answers first."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

__all__ = ["AddrInfoType", "Dialer", "Dialing", "SocketFactoryType", "address_info", "connect_unix"]

AddrInfoType: TypeAlias = tuple[
    int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]
]
"""An address as ``getaddrinfo`` has it: family, kind, protocol, canonical name, address."""

SocketFactoryType: TypeAlias = Callable[[AddrInfoType], socket.socket]
"""Makes a socket that is to be connected to an address."""


def address_info(host: str, port: int, proto: int = socket.IPPROTO_TCP) -> AddrInfoType | None:
    """Return an address in the form of ``getaddrinfo``; None if ``host`` is a name.

    Only what the RFCs call an address is one: ``127.1`` is for a resolver to refuse.
    """
    stream = socket.SOCK_STREAM
    if ":" in host:
        address, _, zone = host.partition("%")
        try:
            socket.inet_pton(socket.AF_INET6, address)
            scope = 0 if not zone else int(zone) if zone.isdigit() else socket.if_nametoindex(zone)
        except OSError:
            return None
        return socket.AF_INET6, stream, proto, "", (address, port, 0, scope)
    if not host[-1:].isdigit():
        return None
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return None
    return socket.AF_INET, stream, proto, "", (host, port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialing:
    """How a host with several addresses is tried (RFC 8305).

    Attributes:
        delay: seconds after which the next address is tried beside the one before;
            None: one after the other.
        interleave: how many addresses of the first family come before the next one;
            None: one, or with no delay all.
        local: what the socket is bound to; None: whatever the system chooses.
        socket_factory: makes the sockets, from the address they are to be connected to.
    """

    delay: float | None = 0.25
    interleave: int | None = None
    local: Sequence[AddrInfoType] | None = None
    socket_factory: SocketFactoryType | None = None


class Dialer:
    """Tries the addresses of one host; an error names each of them with its reason.

    Attributes:
        left: the addresses that haven't failed yet.
        host: as errors need not repeat it.
    """

    def __init__(self, addresses: Sequence[AddrInfoType], how: Dialing, host: str = "") -> None:
        self.left = [*addresses]
        self.host = host
        self._how = how
        self._failures: dict[Any, tuple[str, Exception]] = {}
        self._reached: dict[socket.socket, Any] = {}

    async def dial(self) -> socket.socket:
        """Return a socket that is connected to one of the addresses left.

        Cancelling it closes whatever was opened.

        Raises:
            OSError: if none of them answers; then none is left.
        """
        how = self._how
        if len(self.left) == 1 and how.local is None and how.socket_factory is None:
            return await self._dial_only(self.left[0])
        import aiohappyeyeballs

        try:
            return await aiohappyeyeballs.start_connection(  # pyright: ignore[reportUnknownMemberType]
                self.left,
                happy_eyeballs_delay=how.delay,
                interleave=how.interleave,
                local_addr_infos=how.local,
                socket_factory=how.socket_factory,
                loop=cast(asyncio.AbstractEventLoop, _Witness(self)),
            )
        except (OSError, RuntimeError) as exc:
            # RuntimeError: uvloop's, for an address that no socket can be bound to.
            self.left.clear()
            raise self._error(exc) from self._causes(exc)

    @property
    def leaves_it_to_the_loop(self) -> bool:
        """Whether ``connect`` is the better way: by uvloop, to the only address.

        It connects in C, a socket of Python's takes it a detour: 78 instead of 91 µs for a
        new connection. asyncio's own loops gain more by ``dial``, 114 instead of 126 µs.
        """
        how = self._how
        return (
            len(self.left) == 1
            and len(self.left[0][4]) == 2  # no zone
            and how.local is None
            and how.socket_factory is None
            and not isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)
        )

    async def connect(self, protocol: asyncio.BaseProtocol) -> None:
        """Connect a protocol to the only address.

        Raises:
            OSError: if it doesn't answer; then none is left.
        """
        family, _, proto, _, address = self.left[0]
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: protocol, *address, family=family, proto=proto
            )
        except (OSError, RuntimeError) as exc:
            self.failed(address, exc)
            self.left.clear()
            raise self._error(exc) from exc

    async def _dial_only(self, info: AddrInfoType) -> socket.socket:
        """Connect to the only address, without what chooses among several."""
        family, kind, proto, _, address = info
        sock = socket.socket(family, kind, proto)
        try:
            sock.setblocking(False)
            await _connect(sock, address)
        except BaseException as exc:
            sock.close()
            if not isinstance(exc, OSError | RuntimeError):
                raise
            self.failed(address, exc)
            self.left.clear()
            raise self._error(exc) from exc
        self.reached(sock, address)
        return sock

    def strike(self, sock: socket.socket, exc: Exception) -> None:
        """Count the address that a socket is connected to as failed after all."""
        self._failures[self._reached[sock]] = str(exc), exc
        self.left = [info for info in self.left if info[4] not in self._failures]

    def failed(self, address: Any, exc: Exception) -> None:
        """Write down why an address can't be reached."""
        self._failures[address] = _reason(exc), exc

    def reached(self, sock: socket.socket, address: Any) -> None:
        """Write down where a socket leads."""
        self._reached[sock] = address

    def _error(self, exc: Exception) -> OSError:
        """Return one error for all that failed."""
        errno = getattr(exc, "errno", None)
        if not self._failures:
            return OSError(errno, getattr(exc, "strerror", None) or str(exc))
        reasons = [
            reason if address[0] == self.host else f"{address[0]}: {reason}"
            for address, (reason, _) in self._failures.items()
        ]
        _, first = next(iter(self._failures.values()))
        return OSError(getattr(first, "errno", None) or errno, "; ".join(reasons))

    def _causes(self, exc: Exception) -> Exception:
        if len(self._failures) < 2:
            return exc
        return ExceptionGroup("no address answers", [each for _, each in self._failures.values()])


async def _connect(sock: socket.socket, address: Any) -> None:
    """Connect a socket that doesn't block.

    Within a machine the handshake is over when ``connect`` returns: asking saves a turn of
    the loop, and the system calls to watch the socket (a fifth of the time for a new
    connection). On Linux alone: only there a socket may be connected a second time.
    """
    if sys.platform == "linux":
        try:
            sock.connect(address)
        except BlockingIOError:
            if not _is_connected(sock):
                await asyncio.get_running_loop().sock_connect(sock, address)
    else:
        await asyncio.get_running_loop().sock_connect(sock, address)


async def connect_unix(sock: socket.socket, path: str) -> None:
    """Connect a Unix socket that doesn't block, as soon as its listener has room in its queue.

    Until then Linux says EAGAIN, which the loop's ``sock_connect`` takes for a handshake under
    way: it reports a connection that was never made. Nothing tells when there is room.

    Raises:
        OSError: if nobody listens there.
    """
    pause = 0.001
    while True:
        try:
            sock.connect(path)
        except BlockingIOError:
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.1)
        else:
            return


def _is_connected(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


class _Witness:
    """Stands in for the loop, and writes down how each address answered.

    aiohappyeyeballs wants nothing of the loop it is given but ``sock_connect``. Its own
    error is one text, from which nobody can tell what failed, and what is left to try.
    """

    def __init__(self, dialer: Dialer) -> None:
        self._loop = asyncio.get_running_loop()
        self._dialer = dialer

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect a socket."""
        try:
            await self._loop.sock_connect(sock, address)
        except (OSError, RuntimeError) as exc:
            self._dialer.failed(address, exc)
            raise
        self._dialer.reached(sock, address)


def _reason(exc: Exception) -> str:
    """Return what is wrong, without the address, which asyncio says in a form of its own."""
    errno = getattr(exc, "errno", None)
    return os.strerror(errno) if errno and errno > 0 else str(exc) or type(exc).__name__
