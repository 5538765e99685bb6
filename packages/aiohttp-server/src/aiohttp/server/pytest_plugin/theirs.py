"""The fixtures, as pytest-asyncio runs them."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio

from . import fixtures

__all__ = ["aiohttp_client", "aiohttp_raw_server", "aiohttp_server", "aiohttp_unused_port", "loop"]

aiohttp_server = pytest_asyncio.fixture(fixtures.aiohttp_server)
aiohttp_raw_server = pytest_asyncio.fixture(fixtures.aiohttp_raw_server)
aiohttp_client = pytest_asyncio.fixture(fixtures.aiohttp_client)
aiohttp_unused_port = pytest.fixture(fixtures.aiohttp_unused_port)


@pytest_asyncio.fixture
async def loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of the test."""
    return asyncio.get_running_loop()
