"""What several files of tests here ask for by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from wsgi_client import PATIENCE, Adapter


@pytest.fixture
async def wsgi() -> AsyncIterator[Adapter]:
    """Return what serves applications; at the end of the test all their threads end."""
    adapter = Adapter()
    yield adapter
    async with asyncio.timeout(PATIENCE):
        for pool in adapter.pools:
            await pool.stop()
