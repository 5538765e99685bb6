"""Servers for the length of a test: on a free port of this machine, gone when the test is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from socket import AF_INET, AF_INET6, AddressFamily, socket
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from aiohttp.protocol import Application, Listener

from .ports import get_port_socket

if TYPE_CHECKING:
    import asyncio
    from ssl import SSLContext

    from yarl import URL

    from ..runner import BaseRunner
    from ..server import Server
    from ..web.request import BaseRequest
    from ..web.stream_response import StreamResponse

__all__ = ["BaseTestServer", "RawTestServer", "TestServer"]

SocketFactory: TypeAlias = Callable[[str, int, AddressFamily], socket]

_PATIENCE: Final = 1.0
"""Seconds until what still runs is cut, unless ``shutdown_timeout`` is given."""


class BaseTestServer(ABC):
    """What serves for the length of a test; see ``TestServer`` and ``RawTestServer``.

    Args:
        scheme: "https" where ``start_server`` is given a context as ``ssl``.
        host: to listen on, and in URLs.
        port: None: a free one.
        socket_factory: makes the socket, bound to host and port.

    Attributes:
        scheme, host, socket_factory: as given.
        port: the one that was found; None before the server is started.
        runner: what runs the server; None before it is started.
    """

    __test__ = False  # whatever pytest thinks of its name

    def __init__(
        self,
        *,
        scheme: str = "http",
        host: str = "127.0.0.1",
        port: int | None = None,
        socket_factory: SocketFactory = get_port_socket,
    ) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.socket_factory = socket_factory
        self.runner: BaseRunner | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        state = "not started" if self.runner is None else f"on {self.host}:{self.port}"
        return f"<{type(self).__name__} {state}>"

    @property
    def handler(self) -> Server | None:
        """What makes and counts the connections; None unless the server runs."""
        return None if self.runner is None else self.runner.server

    @property
    def listener(self) -> Listener | None:
        """What accepts the connections; None unless the server runs."""
        return None if self.handler is None else self.handler.listener

    @property
    def server(self) -> Listener | None:
        """``listener``, by the name of aiohttp 3: it has ``sockets``."""
        return self.listener

    @property
    def started(self) -> bool:
        """Whether the server runs."""
        return self.listener is not None

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._is_closed

    async def start_server(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        ssl: SSLContext | None = None,
        **kwargs: Any,
    ) -> None:
        """Start to serve; nothing happens if that was done before.

        Args:
            loop: ignored, for programs of long ago.
            ssl: serve over TLS.
            kwargs: options of connections, as those of ``web.AppRunner``. Unless they say
                something else, handlers are cancelled when their client goes away, and
                what runs a second after the end is cut.

        Raises:
            OSError: if the port is in use; the application has been cleaned up then.
            Exception: what the application raises when it starts; likewise.
        """
        if self.runner is not None:
            return
        if ssl is not None:
            self.scheme = "https"
        options = {"handler_cancellation": True, "shutdown_timeout": _PATIENCE, **kwargs}
        self.runner = runner = await self._make_runner(**options)
        try:
            await runner.setup()
            family = AF_INET6 if ":" in self.host else AF_INET
            sock = self.socket_factory(self.host, self.port or 0, family)
            self.port = sock.getsockname()[1]
            await runner.listener.listen_socket(sock, tls=ssl)
        except BaseException:
            await self.close()
            raise

    @abstractmethod
    async def _make_runner(self, **kwargs: Any) -> BaseRunner:
        """Return what will run the server."""

    def make_url(self, path: str | URL) -> URL:
        """Return the URL of a path of this server; the path may have a query."""
        from yarl import URL

        text = str(path)
        if not text.startswith("/"):
            raise ValueError(f"expected a path that begins with /, got {text!r}")
        if self.port is None:
            raise RuntimeError("the server has no port yet: start_server() first")
        host = f"[{self.host}]" if ":" in self.host else self.host
        # A string is quoted where it needs that; a URL has been.
        encoded = isinstance(path, URL)
        return URL(f"{self.scheme}://{host}:{self.port}{text}", encoded=encoded)

    async def close(self) -> None:
        """Stop; what still runs after a second is cut. Twice is fine."""
        self._is_closed = True
        if self.runner is not None:
            await self.runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start_server()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()


class TestServer(BaseTestServer):
    """Serve an application.

    ::

        async with TestServer(app) as server:
            url = server.make_url("/hello")

    Args:
        app: a ``web.Application``, or any other ``aiohttp.protocol.Application``.
        kwargs: of ``BaseTestServer``.

    Attributes:
        app: the application.
    """

    def __init__(
        self, app: Application, *, scheme: str = "http", host: str = "127.0.0.1", **kwargs: Any
    ) -> None:
        super().__init__(scheme=scheme, host=host, **kwargs)
        self.app = app

    async def _make_runner(self, **kwargs: Any) -> BaseRunner:
        from ..runner import AppRunner

        return AppRunner(self.app, **kwargs)


class RawTestServer(BaseTestServer):
    """Serve a handler: a coroutine function that answers every request, whatever its path.

    Args:
        handler: gets a ``web.BaseRequest``, returns a response.
        kwargs: of ``BaseTestServer``.
    """

    def __init__(
        self,
        handler: Callable[[BaseRequest], Awaitable[StreamResponse]],
        *,
        scheme: str = "http",
        host: str = "127.0.0.1",
        **kwargs: Any,
    ) -> None:
        super().__init__(scheme=scheme, host=host, **kwargs)
        self._handler = handler

    async def _make_runner(self, **kwargs: Any) -> BaseRunner:
        from ..runner import ServerRunner
        from ..server import Server

        ends = {n: kwargs.pop(n) for n in ("shutdown_timeout", "shutdown_delay") if n in kwargs}
        return ServerRunner(Server(self._handler, **kwargs), **ends)
