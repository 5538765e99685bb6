"""Where code is at this moment, found from outside."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Generator
from types import CodeType, FrameType

import pytest

from aiohttp.worker.frames import (
    called_by_loop,
    format_frames,
    frames_from,
    frames_of_task,
    frames_of_thread,
    place_of,
)


def names(frames: list[FrameType]) -> list[str]:
    """Return what the frames' functions are called."""
    return [frame.f_code.co_name for frame in frames]


def frame_in(module: str, filename: str = "module.py") -> FrameType:
    """Return a frame of a module of this name."""
    code: CodeType = compile("import sys\nframe = sys._getframe()", filename, "exec")
    namespace = {"__name__": module}
    exec(code, namespace)
    frame: object = namespace["frame"]
    assert isinstance(frame, FrameType)
    return frame


def test_frames_of_a_thread() -> None:
    """A thread that blocks is where it blocks; what called it comes first."""
    is_over, is_there = threading.Event(), threading.Event()

    def block() -> None:
        is_there.set()
        is_over.wait()

    thread = threading.Thread(target=block)
    thread.start()
    is_there.wait()
    found = names(frames_of_thread(thread.ident))
    is_over.set()
    thread.join()
    assert found.index("run") < found.index("block") < found.index("wait")


@pytest.mark.parametrize("ident", [None, 0])
def test_no_frames_of_no_thread(ident: int | None) -> None:
    """A thread that is no more is nowhere."""
    assert frames_of_thread(ident) == []


def test_frames_from_the_innermost() -> None:
    """From where a signal has interrupted a thread, all its callers are found."""
    found = frames_from(sys._getframe())
    assert names(found)[-1] == "test_frames_from_the_innermost"
    assert len(found) > 3


async def test_frames_of_a_task_that_waits() -> None:
    """A task is in its coroutine, in what that awaits, and so on; generators included."""

    class Awaitable:
        def __await__(self) -> Generator[None]:
            yield from sleep()

    def sleep() -> Generator[None]:
        yield

    async def inner() -> None:
        await Awaitable()

    async def outer() -> None:
        await inner()

    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    assert names(frames_of_task(task, [])) == ["outer", "inner", "__await__", "sleep"]
    await task
    assert frames_of_task(task, []) == []


async def test_frames_of_a_task_that_iterates() -> None:
    """Python doesn't show into an asynchronous generator: the task is where it iterates."""

    async def items() -> AsyncIterator[int]:
        await asyncio.Event().wait()
        yield 1

    async def iterate() -> None:
        async for _ in items():
            pass

    task = asyncio.create_task(iterate())
    await asyncio.sleep(0)
    assert names(frames_of_task(task, []))[0] == "iterate"
    task.cancel()


async def test_frames_of_the_task_that_runs() -> None:
    """Of a running task, what its coroutine has called is in the frames of the thread."""

    def look(task: asyncio.Task[object]) -> list[str]:
        return names(frames_of_task(task, frames_from(sys._getframe())))

    async def handler() -> list[str]:
        task = asyncio.current_task()
        assert task is not None
        return look(task)

    assert await asyncio.create_task(handler()) == ["handler", "look"]


def test_place_is_the_application_s() -> None:
    """The place that matters is in the application, whatever it has called."""
    library = frame_in("library.sub", "/venv/lib/site-packages/library/sub.py")
    frames = [
        frame_in("aiohttp.worker.asgi"),
        library,
        frame_in("views", "outer.py"),
        frame_in("views", "inner.py"),
        library,
        frame_in("asyncio.locks"),
        frame_in("aiohttp.protocol.streams"),
    ]
    assert place_of(frames) == "inner.py:2 in <module>"
    assert place_of([frame for frame in frames if frame.f_globals["__name__"] != "views"]) == (
        "/venv/lib/site-packages/library/sub.py:2 in <module>"
    )
    assert place_of([frames[0], frame_in("asyncio.locks", "locks.py")]).startswith("locks.py:")


def test_called_by_loop() -> None:
    """Of a blocked loop's thread, how the loop was started is left out."""
    start = [frame_in("gunicorn.arbiter"), frame_in("asyncio.runners"), frame_in("asyncio.events")]
    called = [frame_in("aiohttp.protocol"), frame_in("views"), frame_in("asyncio.sslproto")]
    called += [frame_in("time")]
    assert called_by_loop(start + called) == called
    assert called_by_loop(start) == start
    assert called_by_loop(called[:2]) == called[:2]


def test_format_of_frames() -> None:
    """Frames are shown as in a traceback, with their source."""
    text = format_frames([sys._getframe()])
    assert text.startswith(f'  File "{__file__}", line ')
    assert text.endswith("    text = format_frames([sys._getframe()])\n")
