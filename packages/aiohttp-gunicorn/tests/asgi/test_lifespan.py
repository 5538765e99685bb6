"""The life of an ASGI application: how it starts and ends, and what becomes of one that can't."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pytest

from aiohttp.protocol import InvalidUse
from aiohttp.worker.asgi.lifespan import Lifespan, Phase
from aiohttp.worker.asgi.messages import AsgiCallable, Receive, Scope, Send
from aiohttp.worker.boot import BootError

COMPLETE = {"type": "lifespan.startup.complete"}
STOPPED = {"type": "lifespan.shutdown.complete"}
LOG = logging.getLogger("test.lifespan")


def life(application: AsgiCallable, mode: Literal["auto", "on", "off"] = "auto") -> Lifespan:
    """Return the lifespan of an application."""
    return Lifespan(application, mode, LOG)


class Example:
    """The specification's own example, which notes what it sees.

    Attributes:
        seen: all that it was told, and "end".
    """

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        try:
            while True:
                message = await receive()
                self.seen.append(message["type"])
                if message["type"] == "lifespan.startup":
                    scope["state"]["key"] = "value"
                    await send(COMPLETE)
                elif message["type"] == "lifespan.shutdown":
                    await send(STOPPED)
                    return
        finally:
            self.seen.append("end")


def saying(*messages: dict[str, Any], error: BaseException | None = None) -> AsgiCallable:
    """Return an application that receives and sends in turns, and then returns or raises."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await receive()
            await send(message)
        if error is not None:
            raise error

    return application


# A life as it should be.


async def test_application_lives_from_start_to_end() -> None:
    """It is called once, with a scope of its own, and told of both."""
    example = Example()
    lifespan = life(example)
    assert repr(lifespan) == "<Lifespan auto, unborn>"
    await lifespan.startup()
    assert repr(lifespan) == "<Lifespan auto, serving>"
    assert example.seen == [
        {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": {"key": "value"},
        },
        "lifespan.startup",
    ]
    assert lifespan.state == {"key": "value"}
    await lifespan.shutdown()
    assert example.seen[2:] == ["lifespan.shutdown", "end"]
    assert lifespan.phase is Phase.STOPPED


async def test_application_that_has_told_its_end_may_take_time_to_return() -> None:
    """What it does after its last message is waited for."""
    done: list[int] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        await receive()
        await send(STOPPED)
        for number in range(3):
            await asyncio.sleep(0)
            done.append(number)

    lifespan = life(application)
    await lifespan.startup()
    await lifespan.shutdown()
    assert done == [0, 1, 2]


async def test_application_that_asks_on_is_ended() -> None:
    """Nothing follows lifespan.shutdown: who waits for more waits in vain."""
    seen: list[str] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while True:
                message = await receive()
                seen.append(message["type"])
                await send({"type": f"{message['type']}.complete"})
        finally:
            seen.append("end")

    lifespan = life(application)
    await lifespan.startup()
    await lifespan.shutdown()
    assert seen == ["lifespan.startup", "lifespan.shutdown", "end"]


async def test_application_may_return_before_its_end(caplog: Any) -> None:
    """It has said all it wants to say: it isn't told of the end, and keeps its state."""
    lifespan = life(saying(COMPLETE))
    await lifespan.startup()
    await asyncio.sleep(0)
    assert lifespan.state == {}
    await lifespan.shutdown()
    assert caplog.records == []


async def test_application_may_complete_its_start_without_asking() -> None:
    """The message isn't received by everybody."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send(COMPLETE)

    lifespan = life(application, "on")
    await lifespan.startup()
    assert lifespan.phase is Phase.SERVING
    await lifespan.shutdown()


async def test_cancelled_receive_loses_nothing() -> None:
    """A receive() that the application cancels doesn't take the message with it."""
    seen: list[str] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        waiting.cancel()
        seen.append((await receive())["type"])
        await send(STOPPED)

    lifespan = life(application)
    await lifespan.startup()
    for _ in range(5):
        await asyncio.sleep(0)
    await lifespan.shutdown()
    assert seen == ["lifespan.shutdown"]


async def test_off_calls_nobody() -> None:
    """The application isn't asked."""
    example = Example()
    lifespan = life(example, "off")
    await lifespan.startup()
    await lifespan.shutdown()
    assert (example.seen, lifespan.state) == ([], None)


# A start that fails.


@pytest.mark.parametrize("mode", ["auto", "on"])
async def test_start_that_fails_is_a_boot_error(mode: Any) -> None:
    """What the application says is what gunicorn logs."""
    lifespan = life(saying({"type": "lifespan.startup.failed", "message": "no database"}), mode)
    with pytest.raises(BootError, match=r"^the application failed to start: no database$"):
        await lifespan.startup()
    assert lifespan.state is None
    await lifespan.shutdown()


@pytest.mark.parametrize("more", [{}, {"message": None}])
async def test_start_that_fails_without_a_message_is_a_boot_error(more: dict[str, Any]) -> None:
    """The message is optional."""
    lifespan = life(saying({"type": "lifespan.startup.failed", **more}))
    with pytest.raises(BootError, match=r"^the application failed to start: no reason$"):
        await lifespan.startup()
    await lifespan.shutdown()


async def test_start_that_fails_with_a_traceback_is_a_sentence_first() -> None:
    """Frameworks send a traceback: its last line is the reason, and all of it follows."""
    text = "Traceback (most recent call last):\n  File ...\nOSError: no database"
    failed = {"type": "lifespan.startup.failed", "message": f"{text}\n"}
    lifespan = life(saying(failed, error=OSError("no database")))
    with pytest.raises(BootError) as caught:
        await lifespan.startup()
    assert str(caught.value) == f"the application failed to start: OSError: no database\n{text}"
    await lifespan.shutdown()


async def test_application_that_failed_may_clean_up() -> None:
    """It has the time until it returns, or waits for what will never come."""
    done: list[str] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed"})
        await asyncio.sleep(0)
        done.append("closed")
        await receive()

    lifespan = life(application)
    with pytest.raises(BootError):
        await lifespan.startup()
    await lifespan.shutdown()
    assert done == ["closed"]


@pytest.mark.parametrize("error", [None, ValueError("only http")])
async def test_application_without_lifespan_is_served_in_mode_auto(
    error: Exception | None, caplog: Any
) -> None:
    """It raises or returns at the sight of the scope; nobody is alarmed."""
    lifespan = life(saying(error=error))
    await lifespan.startup()
    assert lifespan.state is None
    await lifespan.shutdown()
    assert caplog.records == []


async def test_error_at_the_start_is_a_warning_in_mode_auto(caplog: Any) -> None:
    """The specification has it served all the same; but it looks like a start that failed."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise OSError("no database")

    lifespan = life(application)
    await lifespan.startup()
    assert lifespan.state is None
    text = "The application raised OSError('no database') at lifespan.startup, and is served "
    assert caplog.messages[0].startswith(text)
    assert "Traceback" in caplog.text
    await lifespan.shutdown()


@pytest.mark.parametrize(
    ("error", "did"),
    [
        (None, "returned"),
        (ValueError("only http"), "raised ValueError('only http')"),
    ],
)
async def test_application_without_lifespan_is_a_boot_error_in_mode_on(
    error: Exception | None, did: str
) -> None:
    """Who insists on it learns that there is none."""
    lifespan = life(saying(error=error), "on")
    with pytest.raises(BootError) as caught:
        await lifespan.startup()
    text = f"the application {did} instead of sending lifespan.startup.complete"
    assert str(caught.value) == text
    assert caught.value.error is error
    await lifespan.shutdown()


async def test_application_that_exits_is_a_boot_error() -> None:
    """``sys.exit()`` at the start means it, in every mode; it doesn't end the loop."""
    lifespan = life(saying(error=SystemExit(1)))
    with pytest.raises(BootError, match=r"the application raised SystemExit\(1\) instead of"):
        await lifespan.startup()
    await lifespan.shutdown()


async def test_start_may_be_cancelled() -> None:
    """An application that never gets ready is ended by the shutdown that follows."""
    ended = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    lifespan = life(application)
    starting = asyncio.create_task(lifespan.startup())
    for _ in range(3):
        await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait((starting,))
    assert starting.cancelled()
    assert not ended.is_set()
    await lifespan.shutdown()
    assert ended.is_set()


# An end that fails.


async def test_application_that_dies_later_is_logged(caplog: Any) -> None:
    """While it serves: what it raises would be missed otherwise."""
    lifespan = life(saying(COMPLETE, error=RuntimeError("later")))
    await lifespan.startup()
    await asyncio.sleep(0)
    assert caplog.messages == ["Error in the application's lifespan"]
    assert "RuntimeError: later" in caplog.text
    await lifespan.shutdown()
    assert len(caplog.records) == 1


async def test_end_that_raises_is_logged(caplog: Any) -> None:
    """The worker ends all the same."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        await receive()
        raise SystemExit("enough")

    lifespan = life(application)
    await lifespan.startup()
    await lifespan.shutdown()
    assert "SystemExit: enough" in caplog.text


@pytest.mark.parametrize(
    ("more", "text"),
    [({"message": "lost"}, "lost"), ({}, "no reason"), ({"message": ""}, "no reason")],
)
async def test_end_that_fails_is_logged(more: dict[str, str], text: str, caplog: Any) -> None:
    """With the application's own words, once, though it raises the same."""
    failed = {"type": "lifespan.shutdown.failed", **more}
    lifespan = life(saying(COMPLETE, failed, error=OSError("lost")))
    await lifespan.startup()
    await lifespan.shutdown()
    assert caplog.messages == [f"The application failed to shut down: {text}"]


async def test_end_is_bounded_by_its_cancellation(caplog: Any) -> None:
    """An application that doesn't end is cancelled when the worker's time is up."""
    ended = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    lifespan = life(application)
    await lifespan.startup()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await lifespan.shutdown()
    await ended.wait()
    assert caplog.messages == ["The application did not end its lifespan in time"]


async def test_end_after_a_start_that_failed_may_be_cut(caplog: Any) -> None:
    """There, nobody is surprised."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.failed"})
        await asyncio.get_running_loop().create_future()

    lifespan = life(application)
    with pytest.raises(BootError):
        await lifespan.startup()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await lifespan.shutdown()
    assert caplog.records == []


# Whose turn it is.


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize(
    "kind",
    [
        "lifespan.startup.complete",
        "lifespan.startup.failed",
        "lifespan.shutdown.complete",
        "lifespan.shutdown.failed",
        "http.response.start",
        None,
    ],
)
async def test_every_message_in_every_phase(phase: Phase, kind: str | None) -> None:
    """What isn't this phase's turn is an error that says what would be."""
    lifespan = life(Example())
    lifespan.phase = phase
    turn = {Phase.STARTING: "lifespan.startup.", Phase.STOPPING: "lifespan.shutdown."}.get(phase)
    send: Callable[[Any], Awaitable[None]] = lifespan._send
    if turn is not None and kind is not None and kind.startswith(turn):
        await send({"type": kind})
        assert lifespan.phase in {Phase.SERVING, Phase.FAILED, Phase.STOPPED}
        return
    expected = f"{turn}complete or {turn}failed" if turn else "nothing"
    with pytest.raises(InvalidUse) as caught:
        await send({"type": kind})
    assert caught.value.message == f"expected {expected} while {phase.value}, got {kind!r}"
