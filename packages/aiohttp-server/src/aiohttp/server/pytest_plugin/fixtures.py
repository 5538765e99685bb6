"""What the fixtures give, whoever runs them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    from aiohttp.protocol import Application

    from ..testing import BaseTestServer, RawTestServer, TestClient, TestServer

__all__ = ["aiohttp_client", "aiohttp_raw_server", "aiohttp_server", "aiohttp_unused_port"]


_PLACE = ("scheme", "host", "port", "socket_factory")
"""What ``TestServer`` is made with; the rest is for its start."""


async def aiohttp_server(
    loop: asyncio.AbstractEventLoop,
) -> AsyncIterator[Callable[..., Awaitable[TestServer]]]:
    """Give ``aiohttp_server(app, *, port=None, **kwargs)``, to be awaited for a server that runs.

    ``kwargs`` are those of ``TestServer.start_server``.
    """
    from ..testing import TestServer

    servers: list[TestServer] = []

    async def go(
        app: Application, *, host: str = "127.0.0.1", port: int | None = None, **kwargs: Any
    ) -> TestServer:
        server = TestServer(app, host=host, port=port)
        servers.append(server)
        await server.start_server(**kwargs)
        return server

    yield go
    await _close(servers)


async def aiohttp_raw_server(
    loop: asyncio.AbstractEventLoop,
) -> AsyncIterator[Callable[..., Awaitable[RawTestServer]]]:
    """Give ``aiohttp_raw_server(handler, *, port=None, **kwargs)``, likewise.

    ``kwargs`` are those of ``RawTestServer.start_server``.
    """
    from ..testing import RawTestServer

    servers: list[RawTestServer] = []

    async def go(
        handler: Callable[[Any], Awaitable[Any]],
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        **kwargs: Any,
    ) -> RawTestServer:
        server = RawTestServer(handler, host=host, port=port)
        servers.append(server)
        await server.start_server(**kwargs)
        return server

    yield go
    await _close(servers)


async def aiohttp_client(
    loop: asyncio.AbstractEventLoop,
) -> AsyncIterator[Callable[..., Awaitable[TestClient]]]:
    """Give ``aiohttp_client(app_or_server, server_kwargs=None, **kwargs)``, to be awaited.

    The server of the client that it returns runs. ``kwargs`` are those of ``TestClient``,
    ``server_kwargs`` those of ``TestServer`` and of its ``start_server``.
    """
    from ..testing import BaseTestServer, TestClient, TestServer

    clients: list[TestClient] = []

    async def go(
        app_or_server: Application | BaseTestServer,
        server_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> TestClient:
        options = dict(server_kwargs or {})
        if not isinstance(app_or_server, BaseTestServer):
            given = [(each, name) for each in (options, kwargs) for name in _PLACE if name in each]
            app_or_server = TestServer(app_or_server, **{n: each.pop(n) for each, n in given})
        client = TestClient(app_or_server, **kwargs)
        clients.append(client)
        await client.start_server(**options)
        return client

    yield go
    await _close(clients)


async def _close(opened: list[Any]) -> None:
    """Close all, the last one first, whatever goes wrong with the others."""
    while opened:
        try:
            await opened.pop().close()
        finally:
            if opened:
                await _close(opened)


def aiohttp_unused_port() -> Callable[[], int]:
    """Give ``aiohttp_unused_port()``: a port of 127.0.0.1 that was free a moment ago."""
    from ..testing import unused_port

    return unused_port
