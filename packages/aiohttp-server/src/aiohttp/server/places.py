"""Where a program wants to be found, told as ``run_app`` is told it, and the sites for that."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp.protocol import Tls

from .runner import BaseRunner
from .sites import BACKLOG, BaseSite, SockSite, TCPSite, UnixSite

__all__ = ["Places", "SocketPath"]

SocketPath: TypeAlias = str | os.PathLike[str]
"""Where a unix socket is in the file system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The arguments of ``run_app`` that say where the program is found.

    No place at all means port 8080 (8443 with TLS) on all addresses of this machine.
    """

    host: str | Iterable[str] | None = None
    port: int | None = None
    path: SocketPath | Iterable[SocketPath] | None = None
    sock: socket.socket | Iterable[socket.socket] | None = None
    ssl_context: Tls = None
    backlog: int = BACKLOG
    reuse_address: bool | None = None
    reuse_port: bool | None = None

    def sites(self, runner: BaseRunner) -> Iterator[BaseSite]:
        """Return the sites that are to be started."""
        tls, backlog = self.ssl_context, self.backlog
        for host in self._hosts():
            yield TCPSite(
                runner,
                host,
                self.port,
                ssl_context=tls,
                backlog=backlog,
                reuse_address=self.reuse_address,
                reuse_port=self.reuse_port,
            )
        for path in self._paths():
            yield UnixSite(runner, path, ssl_context=tls, backlog=backlog)
        for sock in self._socks():
            yield SockSite(runner, sock, ssl_context=tls, backlog=backlog)

    def _hosts(self) -> Iterable[str | None]:
        if self.host is None:
            is_elsewhere = self.path is not None or self.sock is not None
            return () if is_elsewhere and self.port is None else (None,)
        return (self.host,) if isinstance(self.host, str) else self.host

    def _paths(self) -> Iterable[SocketPath]:
        if self.path is None:
            return ()
        return (self.path,) if isinstance(self.path, (str, os.PathLike)) else self.path

    def _socks(self) -> Iterable[socket.socket]:
        if self.sock is None:
            return ()
        return (self.sock,) if isinstance(self.sock, socket.socket) else self.sock
