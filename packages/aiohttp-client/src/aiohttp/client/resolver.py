"""Resolvers: who knows the addresses of a name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import PathFinder
from typing import Any, Final

from aiohttp.protocol.abc import AbstractResolver, ResolveResult

__all__ = ["AsyncResolver", "DefaultResolver", "ThreadedResolver"]

_IS_NUMERIC: Final = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV

# c-ares: the name has no data of this kind; there is no such name.
_UNKNOWN: Final = frozenset({1, 4})


class ThreadedResolver(AbstractResolver):
    """Asks the operating system (``getaddrinfo``), in a thread of the loop's executor.

    Args:
        loop: accepted for the sake of aiohttp's signature; the running one is used.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        pass

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``, in the system's order (RFC 6724).

        Raises:
            OSError: if there is none, or ``host`` can't be a name.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        except UnicodeError as exc:
            raise OSError(f"not a name: {exc}") from exc
        return [_result(host, kind, proto, address) for kind, _, proto, _, address in found]

    def stop(self) -> None:
        """Do nothing: the threads are the loop's."""

    async def close(self) -> None:
        """Do nothing: the threads are the loop's."""


class AsyncResolver(AbstractResolver):
    """Asks name servers by itself, without threads: needs aiodns (extra ``[dns]``).

    Args:
        args: for ``aiodns.DNSResolver``, such as a list of name servers.
        loop: accepted for the sake of aiohttp's signature; the running one is used.
        kwargs: likewise, such as ``timeout`` and ``tries``.

    Raises:
        ImportError: if aiodns is not installed.
    """

    def __init__(
        self, *args: Any, loop: asyncio.AbstractEventLoop | None = None, **kwargs: Any
    ) -> None:
        try:
            self._aiodns: Any = import_module("aiodns")
        except ModuleNotFoundError as exc:
            raise ImportError(
                "AsyncResolver needs aiodns: pip install aiohttp-client[dns]", name="aiodns"
            ) from exc
        self._arguments = args
        self._options = kwargs
        self._resolver: Any = None  # made in the running loop, when it is needed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``.

        Raises:
            OSError: if there is none, or no name server answers.
        """
        if self._resolver is None:
            self._resolver = self._aiodns.DNSResolver(
                *self._arguments, loop=asyncio.get_running_loop(), **self._options
            )
        try:
            found = await self._resolver.getaddrinfo(
                host, family=family, port=port, type=socket.SOCK_STREAM
            )
        except self._aiodns.error.DNSError as exc:
            code, *text = exc.args or (0,)
            kind = socket.EAI_NONAME if code in _UNKNOWN else socket.EAI_AGAIN
            raise socket.gaierror(kind, str(text[0] if text else exc)) from exc
        return [_result(host, node.family, 0, node.addr) for node in found.nodes]

    async def close(self) -> None:
        """Give up what was asked, and free the sockets."""
        self.stop()

    def stop(self) -> None:
        """Do what ``close`` does, without waiting."""
        resolver, self._resolver = self._resolver, None
        if resolver is not None:
            resolver.cancel()


DefaultResolver: type[AsyncResolver | ThreadedResolver] = (
    ThreadedResolver if PathFinder.find_spec("aiodns") is None else AsyncResolver
)
"""``AsyncResolver`` where aiodns is installed, else ``ThreadedResolver``."""


def _result(hostname: str, family: int, proto: int, address: Sequence[Any]) -> ResolveResult:
    host, port = address[0], address[1]
    if isinstance(host, bytes):
        host = host.decode("ascii")
    if len(address) == 4 and address[3]:
        host = f"{host}%{address[3]}"  # link-local: without its zone it leads nowhere
    return ResolveResult(
        hostname=hostname, host=host, port=port, family=family, proto=proto, flags=_IS_NUMERIC
    )
