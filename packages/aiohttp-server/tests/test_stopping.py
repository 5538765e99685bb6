"""Stopping: one wish after the other, and what each changes."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from aiohttp.server.certificates import Certificates
from aiohttp.server.runner import AppRunner
from aiohttp.server.stopping import Stopping
from served import Application, settle

PEM = Path(__file__).parents[2] / "aiohttp-protocol" / "tests" / "localhost.pem"


class Slow(Application):
    """An application whose moments take as long as the test wants."""

    def __init__(self) -> None:
        super().__init__(lambda exchange: exchange.respond(200))
        self.told: list[str] = []
        self.may_start = asyncio.Event()
        self.may_clean_up = asyncio.Event()
        self.may_clean_up.set()

    async def startup(self) -> None:
        self.told.append("starting")
        await self.may_start.wait()
        self.told.append("started")

    async def cleanup(self) -> None:
        await self.may_clean_up.wait()
        self.told.append("cleaned up")


async def serve(application: Slow, stopping: Stopping) -> None:
    """Run the application, without a place, until the end is wished for."""
    with stopping.heard():
        runner = AppRunner(application)
        async with stopping.ends(runner):
            await runner.setup()
            await stopping.wait()


@pytest.fixture
def stopping() -> Stopping:
    """A wish that no signal utters."""
    return Stopping(handle_signals=False)


async def test_wish_ends_what_waits_for_it(stopping: Stopping) -> None:
    """Then the runner is cleaned up."""
    application = Slow()
    application.may_start.set()
    served = asyncio.create_task(serve(application, stopping))
    await settle()
    assert not served.done()
    stopping.stop()
    assert stopping.is_wished
    await served
    assert application.told == ["starting", "started", "cleaned up"]


async def test_wish_gives_up_a_start_that_is_under_way(stopping: Stopping) -> None:
    """What was begun is cleaned up; no error is raised."""
    application = Slow()
    served = asyncio.create_task(serve(application, stopping))
    await settle()
    stopping.stop()
    await served
    assert application.told == ["starting", "cleaned up"]


async def test_wish_before_the_start(stopping: Stopping) -> None:
    """It is not forgotten: all is over as soon as it is ready."""
    application = Slow()
    application.may_start.set()
    stopping.stop()
    await serve(application, stopping)
    assert application.told == ["starting", "started", "cleaned up"]


async def test_cancellation_by_others_is_theirs(stopping: Stopping) -> None:
    """It cleans up, and goes on."""
    application = Slow()
    served = asyncio.create_task(serve(application, stopping))
    await settle()
    served.cancel()
    with pytest.raises(asyncio.CancelledError):
        await served
    assert application.told == ["starting", "cleaned up"]


async def test_further_wishes_disturb_no_cleanup(stopping: Stopping) -> None:
    """A supervisor may send SIGTERM as often as it likes."""
    application = Slow()
    application.may_start.set()
    application.may_clean_up.clear()
    served = asyncio.create_task(serve(application, stopping))
    await settle()
    stopping.stop()
    await settle()
    stopping.stop()
    stopping.interrupt()
    assert stopping.is_cut
    await settle()
    assert not served.done()
    application.may_clean_up.set()
    await served
    assert application.told[-1] == "cleaned up"


async def test_who_waits_is_told_of_those_who_still_run() -> None:
    """The line comes from the first wish only, and only if somebody is waited for."""

    class Busy(AppRunner):
        @property
        def running_handlers(self) -> int:
            return 2

    lines: list[str] = []
    stopping = Stopping(handle_signals=False, say=lines.append, say_after=0)
    async with stopping.ends(Busy(Slow())):
        stopping.stop()
        stopping.stop()
        await stopping.wait()
        await settle()
    (line,) = lines
    assert line.startswith("Stopping: 2 requests are still running, for 25 s at most")


async def test_signals_are_wishes() -> None:
    """SIGTERM and the first SIGINT end in order, the next SIGINT cuts, one more is Python's."""
    stopping = Stopping()
    with stopping.heard():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.Event().wait()
        assert stopping.is_wished
        os.kill(os.getpid(), signal.SIGTERM)
        await settle()
        was_cut = stopping.is_cut
        os.kill(os.getpid(), signal.SIGINT)
        while not stopping.is_cut:
            await asyncio.sleep(0)
        assert not was_cut
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


async def test_sighup_loads_certificates_again() -> None:
    """Without certificates it is left alone: a terminal that is closed ends its programs."""
    certificates = Certificates(PEM)
    before = certificates()
    usual = signal.getsignal(signal.SIGHUP)
    with Stopping().heard(certificates):
        os.kill(os.getpid(), signal.SIGHUP)
        while certificates() is before:
            await asyncio.sleep(0)
    with Stopping().heard():
        assert signal.getsignal(signal.SIGHUP) is usual
