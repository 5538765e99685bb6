"""Tests of applications as classes, for unittest."""

from __future__ import annotations

import asyncio
from unittest import IsolatedAsyncioTestCase

from aiohttp.protocol import Application

from .client import TestClient
from .servers import BaseTestServer, TestServer

__all__ = ["AioHTTPTestCase"]


class AioHTTPTestCase(IsolatedAsyncioTestCase):
    """Test an application, with a server and a client of its own for each test.

    ::

        class HelloTest(AioHTTPTestCase):
            async def get_application(self):
                return my_package.create_app()

            async def test_hello(self):
                async with self.client.get("/") as response:
                    self.assertEqual(await response.text(), "Hello")

    Attributes:
        app: what ``get_application`` returned.
        server: what ``get_server`` returned.
        client: what ``get_client`` returned; its server is started.
    """

    app: Application
    server: BaseTestServer
    client: TestClient

    async def get_application(self) -> Application:
        """Return the application; to be overridden."""
        raise NotImplementedError(
            f"define get_application() in {type(self).__name__}: it returns the web.Application "
            "that is to be tested"
        )

    async def get_server(self, app: Application) -> BaseTestServer:
        """Return a server for the application."""
        return TestServer(app)

    async def get_client(self, server: BaseTestServer) -> TestClient:
        """Return a client for the server."""
        return TestClient(server)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        return asyncio.get_running_loop()

    async def asyncSetUp(self) -> None:
        """Make application, server and client, and start the server."""
        self.app = await self.get_application()
        self.server = await self.get_server(self.app)
        self.client = await self.get_client(self.server)
        await self.client.start_server()

    async def asyncTearDown(self) -> None:
        """Close client and server."""
        await self.client.close()
