"""Steps go from an application's thread to the coroutine that answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aiohttp.worker.wsgi import handover, waiting
from aiohttp.worker.wsgi.handover import AHEAD, ClientGone, Handover
from aiohttp.worker.wsgi.spool import Spill
from aiohttp.worker.wsgi.steps import Chunk, SendSpilled
from aiohttp.worker.wsgi.threads import Inbox, ThreadPool


async def test_client_that_goes_when_the_disk_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next chunk finds out that nobody takes it, not that its file is closed."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    inbox = Inbox()
    inbox.open(asyncio.get_running_loop())
    nobody: Any = None
    steps = Handover(ThreadPool(1, inbox, most=1), nobody, lambda exchange, step: None)
    spills: list[Spill] = []

    def go_meanwhile(ahead: int) -> Spill:
        steps.abandon()
        spills.append(Spill(ahead))
        return spills[-1]

    monkeypatch.setattr(handover, "Spill", go_meanwhile)
    steps.post_chunk(b"x" * (AHEAD + 1))
    assert [spill.file.closed for spill in spills] == [True]
    with pytest.raises(ClientGone):
        steps.post_chunk(b"x")


async def test_parts_on_the_disk_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many follow each other there, for they don't take the memory instead."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    inbox = Inbox()
    inbox.open(asyncio.get_running_loop())
    nobody: Any = None
    steps = Handover(ThreadPool(1, inbox, most=1), nobody, lambda exchange, step: None)
    steps.post_chunk(b"x" * (AHEAD + 1))
    for _ in range(100):
        steps.post_chunk(b"abc")
    await asyncio.sleep(0)
    assert await steps.next() == Chunk(b"x" * (AHEAD + 1))
    spilled = await steps.next()
    assert isinstance(spilled, SendSpilled)
    with spilled.file as file:
        assert (spilled.offset, spilled.size) == (0, 300)
        assert file.read() == b"abc" * 100
