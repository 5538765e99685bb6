"""Servers for the tests of those who use aiohttp."""

from __future__ import annotations

from typing import Any, Literal, Self

from yarl import URL

from aiohttp.protocol import Application, Limits, Listener

__all__ = ["TestServer"]


class TestServer:
    """Serve an application on a free port of this machine, for the length of a test.

    ::

        async with TestServer(application) as server:
            url = server.make_url("/hello")

    Attributes:
        app: the application.
        scheme, host: as given.
        port: the one that was found; None before the server is started.
        listener: the running listener; None before the server is started.
    """

    __test__ = False  # whatever pytest thinks of its name

    def __init__(
        self,
        app: Application,
        *,
        scheme: Literal["http", "https"] = "http",
        host: str = "127.0.0.1",
        port: int | None = None,
    ) -> None:
        self.app = app
        self.scheme = scheme
        self.host = host
        self.port = port
        self.listener: Listener | None = None

    def __repr__(self) -> str:
        state = "not started" if self.listener is None else f"on {self.host}:{self.port}"
        return f"<TestServer {state}>"

    async def start_server(self, *, ssl: Any = None, limits: Limits | None = None) -> None:
        """Start to serve; with TLS if ``ssl`` is a context."""
        options: dict[str, Any] = {} if limits is None else {"limits": limits}
        self.listener = Listener(self.app, drain_limit=1.0, **options)
        addresses = await self.listener.listen_tcp(self.host, self.port or 0, tls=ssl)
        self.port = addresses[0][1]

    def make_url(self, path: str) -> URL:
        """Return the URL of a path of this server; the path may have a query."""
        if not path.startswith("/"):
            raise ValueError(f"expected a path that begins with /, got {path!r}")
        if self.port is None:
            raise RuntimeError("the server has no port yet: start_server() first")
        return URL(f"{self.scheme}://{self.host}:{self.port}{path}")

    async def close(self) -> None:
        """Stop; what still runs after a second is cut. Twice is fine."""
        if self.listener is not None:
            await self.listener.drain()

    async def __aenter__(self) -> Self:
        await self.start_server()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
