"""Connections within the machine: over Unix sockets, and over named pipes of Windows."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

from aiohttp.protocol.http1.client import ClientHttpProtocol
from aiohttp.protocol.limits import Limits

from .call import Call
from .connector import CLIENT_LIMITS, BaseConnector
from .dial import connect_unix
from .errors import UnixClientConnectorError
from .request import HttpRequest

__all__ = ["NamedPipeConnector", "UnixConnector"]


class UnixConnector(BaseConnector):
    """Opens connections to a Unix socket, whatever host the URL names.

    Args:
        path: of the socket.
        conn_timeout: seconds to connect; None: as each request says.

    The others are those of ``BaseConnector``.

    Raises:
        RuntimeError: where the system has no Unix sockets.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        conn_timeout: float | None = None,
        keepalive_timeout: float | None = 30,
        limit: int = 100,
        limit_per_host: int = 0,
        force_close: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        limits: Limits = CLIENT_LIMITS,
    ) -> None:
        if not hasattr(socket, "AF_UNIX"):
            raise RuntimeError("this system has no Unix sockets: use TCPConnector")
        super().__init__(
            keepalive_timeout=keepalive_timeout,
            force_close=force_close,
            limit=limit,
            limit_per_host=limit_per_host,
            loop=loop,
            limits=limits,
        )
        self._path = os.fspath(path)
        self._open_time = conn_timeout

    @property
    def path(self) -> str:
        """Of the socket."""
        return self._path

    async def _create_connection(self, req: HttpRequest, call: Call) -> ClientHttpProtocol:
        """Connect to the socket.

        Raises:
            UnixClientConnectorError: if nobody listens there.
        """
        key = req.key
        call.phase = "connect"
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.setblocking(False)
            await connect_unix(sock, self._path)
        except BaseException as exc:
            sock.close()
            if isinstance(exc, OSError):
                raise UnixClientConnectorError(
                    self._path, exc, host=key.host, port=key.port
                ) from exc
            raise
        return await self._start(sock, key, call)


class NamedPipeConnector(BaseConnector):
    r"""Opens connections to a named pipe of Windows, whatever host the URL names.

    Args:
        path: of the pipe, such as ``r"\\.\pipe\name"``.

    The others are those of ``BaseConnector``.

    Raises:
        RuntimeError: where there are no named pipes, that is, not on Windows.
    """

    def __init__(
        self,
        path: str,
        *,
        force_close: bool = False,
        keepalive_timeout: float | None = None,
        limit: int = 100,
        limit_per_host: int = 0,
        loop: asyncio.AbstractEventLoop | None = None,
        limits: Limits = CLIENT_LIMITS,
    ) -> None:
        if not hasattr(asyncio, "ProactorEventLoop"):
            raise RuntimeError("named pipes exist on Windows only: use UnixConnector")
        super().__init__(
            force_close=force_close,
            keepalive_timeout=keepalive_timeout,
            limit=limit,
            limit_per_host=limit_per_host,
            loop=loop,
            limits=limits,
        )
        self._path = path

    @property
    def path(self) -> str:
        """Of the pipe."""
        return self._path

    async def _create_connection(self, req: HttpRequest, call: Call) -> ClientHttpProtocol:
        """Connect to the pipe.

        Raises:
            ClientConnectorError: if nobody listens there.
            RuntimeError: if the loop isn't a ``ProactorEventLoop``.
        """
        key = req.key
        call.phase = "connect"
        loop = asyncio.get_running_loop()
        start: Callable[..., Awaitable[object]] | None = getattr(
            loop, "create_pipe_connection", None
        )
        if start is None:
            raise RuntimeError(f"named pipes need a ProactorEventLoop, not {type(loop).__name__}")
        protocol = self._new_protocol(key)
        try:
            await start(lambda: protocol, self._path)
        except BaseException as exc:
            protocol.close()
            if isinstance(exc, OSError):
                raise UnixClientConnectorError(
                    self._path, exc, host=key.host, port=key.port
                ) from exc
            raise
        return protocol
