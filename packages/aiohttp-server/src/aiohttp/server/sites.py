"""Sites: the places where a runner's server is found."""

from __future__ import annotations

import asyncio
import os
import socket
from abc import ABC, abstractmethod
from typing import Any, Final, cast

from aiohttp.protocol import Tls

from .runner import BaseRunner

__all__ = ["BaseSite", "NamedPipeSite", "SockSite", "TCPSite", "UnixSite"]

BACKLOG: Final = 1024
"""Connections that wait to be accepted; the kernel has its own bound, often 4096."""


class BaseSite(ABC):
    """A place where the server of a runner is found, from ``start`` to ``stop``.

    Args:
        runner: set up already.
        shutdown_timeout: for the whole runner, of which it is the better place; None:
            as the runner says.
        ssl_context: serves TLS: a context, or what returns the one for the next
            connection, such as ``Certificates``.
        backlog: how many connections may wait to be accepted.

    Raises:
        RuntimeError: if the runner is not set up.
    """

    def __init__(
        self,
        runner: BaseRunner,
        *,
        shutdown_timeout: float | None = None,
        ssl_context: Tls = None,
        backlog: int = BACKLOG,
    ) -> None:
        if runner.server is None:
            raise RuntimeError("call runner.setup() before making a site")
        if shutdown_timeout is not None:
            runner.shutdown_timeout = shutdown_timeout
        self._runner = runner
        self._tls = ssl_context
        self._backlog = backlog
        self._addresses: list[Any] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @property
    @abstractmethod
    def name(self) -> str:
        """Where it is found: a URL, or what comes close."""

    @property
    def _scheme(self) -> str:
        return "http" if self._tls is None else "https"

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: if the place can't be had; the message says which.
            RuntimeError: if it is started already.
        """
        self._runner.enter_site(self, self._tls)
        try:
            self._addresses = await self._listen()
        except BaseException:
            self._runner.leave_site(self)
            raise

    async def stop(self) -> None:
        """Listen no more; connections that are open live on until the runner stops.

        Raises:
            RuntimeError: if it is not started.
        """
        self._runner.leave_site(self)
        addresses, self._addresses = self._addresses, []
        await self._runner.listener.stop_listening(addresses)

    @abstractmethod
    async def _listen(self) -> list[Any]:
        """Open sockets; return their addresses."""


class TCPSite(BaseSite):
    """A host and a port.

    Args:
        runner: set up already.
        host: None means all addresses of this machine.
        port: 0 finds a free one; None means 8080, or 8443 with TLS.
        shutdown_timeout, ssl_context, backlog: see ``BaseSite``.
        reuse_address: SO_REUSEADDR; None: where it is safe, which is not on Windows.
        reuse_port: SO_REUSEPORT: other processes may listen on this port as well.
    """

    def __init__(
        self,
        runner: BaseRunner,
        host: str | None = None,
        port: int | None = None,
        *,
        shutdown_timeout: float | None = None,
        ssl_context: Tls = None,
        backlog: int = BACKLOG,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
    ) -> None:
        super().__init__(
            runner, shutdown_timeout=shutdown_timeout, ssl_context=ssl_context, backlog=backlog
        )
        self._host = host
        self._port = port if port is not None else 8080 if ssl_context is None else 8443
        self._reuse_address = reuse_address
        self._reuse_port = reuse_port

    @property
    def port(self) -> int:
        """The port: once started the one that was found."""
        return self._addresses[0][1] if self._addresses else self._port

    @property
    def name(self) -> str:
        """The URL of its root."""
        return _url(self._scheme, self._host or "0.0.0.0", self.port)  # noqa: S104 - a name

    async def _listen(self) -> list[Any]:
        return await self._runner.listener.listen_tcp(
            self._host,
            self._port,
            tls=self._tls,
            backlog=self._backlog,
            reuse_address=self._reuse_address,
            reuse_port=bool(self._reuse_port),
        )


class UnixSite(BaseSite):
    """A unix socket at a path; what a dead server left there is replaced.

    Args:
        runner: set up already.
        path: of the socket; it is removed at the end.
        shutdown_timeout, ssl_context, backlog: see ``BaseSite``.
    """

    def __init__(
        self,
        runner: BaseRunner,
        path: str | os.PathLike[str],
        *,
        shutdown_timeout: float | None = None,
        ssl_context: Tls = None,
        backlog: int = BACKLOG,
    ) -> None:
        super().__init__(
            runner, shutdown_timeout=shutdown_timeout, ssl_context=ssl_context, backlog=backlog
        )
        self._path = path

    @property
    def name(self) -> str:
        """The path, as nginx spells it in a URL."""
        return f"{self._scheme}://unix:{os.fspath(self._path)}:"

    async def _listen(self) -> list[Any]:
        listener = self._runner.listener
        return [await listener.listen_unix(self._path, tls=self._tls, backlog=self._backlog)]


class SockSite(BaseSite):
    """A socket that is bound already; it belongs to the site from ``start`` on.

    Args:
        runner: set up already.
        sock: bound; whether it listens already doesn't matter.
        shutdown_timeout, ssl_context, backlog: see ``BaseSite``.
    """

    def __init__(
        self,
        runner: BaseRunner,
        sock: socket.socket,
        *,
        shutdown_timeout: float | None = None,
        ssl_context: Tls = None,
        backlog: int = BACKLOG,
    ) -> None:
        super().__init__(
            runner, shutdown_timeout=shutdown_timeout, ssl_context=ssl_context, backlog=backlog
        )
        self._sock = sock
        # Told here, for it can't be asked any more when it is closed.
        address: Any = sock.getsockname()
        self._name = (
            _url(self._scheme, cast(str, address[0]), cast(int, address[1]))
            if isinstance(address, tuple)
            else f"{self._scheme}://unix:{os.fsdecode(address)}:"
        )

    @property
    def name(self) -> str:
        """The URL of its root, or the path of a unix socket as nginx spells it."""
        return self._name

    async def _listen(self) -> list[Any]:
        listener = self._runner.listener
        await listener.listen_socket(self._sock, tls=self._tls, backlog=self._backlog)
        return [self._sock.getsockname()]


class NamedPipeSite(BaseSite):
    r"""A named pipe of Windows.

    Args:
        runner: set up already.
        path: such as ``r"\\.\pipe\name"``.
        shutdown_timeout: see ``BaseSite``.

    Raises:
        RuntimeError: on a loop without pipes, which only Windows' proactor loop has.
    """

    def __init__(
        self, runner: BaseRunner, path: str, *, shutdown_timeout: float | None = None
    ) -> None:
        super().__init__(runner, shutdown_timeout=shutdown_timeout)
        loop: Any = asyncio.get_running_loop()
        if not hasattr(loop, "start_serving_pipe"):
            raise RuntimeError(
                f"named pipes need Windows' proactor event loop, this is {type(loop).__name__}"
            )
        self._serve_pipe = loop.start_serving_pipe
        self._path = path
        self._pipes: list[Any] = []

    @property
    def name(self) -> str:
        """The path of the pipe."""
        return self._path

    async def _listen(self) -> list[Any]:
        self._pipes = await self._serve_pipe(self._runner.server, self._path)
        return []

    async def stop(self) -> None:
        """Listen no more."""
        for pipe in self._pipes:
            pipe.close()
        await super().stop()


def _url(scheme: str, host: str, port: int) -> str:
    bracketed = f"[{host}]" if ":" in host else host
    is_usual = port == (80 if scheme == "http" else 443)
    return f"{scheme}://{bracketed}" if is_usual else f"{scheme}://{bracketed}:{port}"
