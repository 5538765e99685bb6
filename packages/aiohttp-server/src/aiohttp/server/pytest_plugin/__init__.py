"""Fixtures for pytest, found by its entry point; nothing happens until a test asks for one.

    aiohttp_client          TestClient of an application, or of a server
    aiohttp_server          TestServer of an application
    aiohttp_raw_server      RawTestServer of a handler
    aiohttp_unused_port     unused_port
    loop                    the event loop in which the test runs

With pytest-asyncio, tests and fixtures run in its loops. Without, a coroutine that asks
for one of these fixtures is run here: tests, and fixtures like this one::

    @pytest.fixture
    async def client(aiohttp_client):
        return await aiohttp_client(create_app())
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["pytest_configure"]


def pytest_configure(config: pytest.Config) -> None:
    """Offer the fixtures: for pytest-asyncio's loops, or for our own."""
    manager = config.pluginmanager
    name = "theirs" if manager.hasplugin("asyncio") else "ours"
    manager.register(import_module(f".{name}", __name__), "aiohttp-fixtures")
