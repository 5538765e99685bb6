"""Where code is at this moment: the frames of a thread or a task, and the one that matters.

Frames come outermost first, as in a traceback.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

__all__ = [
    "called_by_loop",
    "format_frames",
    "frames_from",
    "frames_of_task",
    "frames_of_thread",
    "place_of",
]


def frames_of_thread(ident: int | None) -> list[FrameType]:
    """Return where a thread is; nowhere if there is no such thread."""
    frame = sys._current_frames().get(ident or 0)  # noqa: SLF001 - documented, in spite of its name
    return [] if frame is None else frames_from(frame)


def frames_from(innermost: FrameType) -> list[FrameType]:
    """Return this frame, and before it those that have called it."""
    return [frame for frame, _ in traceback.walk_stack(innermost)][::-1]


def frames_of_task(task: asyncio.Task[Any], loop_frames: list[FrameType]) -> list[FrameType]:
    """Return where the coroutine of a task is, in what it awaits, and so on.

    A task that runs at this moment awaits nothing: the rest is in ``loop_frames``,
    those of the loop's thread.
    """
    frames = list(_awaiting(task.get_coro()))
    if frames and frames[0] in loop_frames:
        return loop_frames[loop_frames.index(frames[0]) :]
    return frames


def place_of(frames: list[FrameType]) -> str:
    """Return the innermost place in the application; failing that in a library, or in us."""
    frame = min(reversed(frames), key=_distance)
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


def called_by_loop(frames: list[FrameType]) -> list[FrameType]:
    """Leave out how the loop was started, and the loop itself: what it has called remains."""
    is_loop = [str(frame.f_globals.get("__name__")).startswith("asyncio.") for frame in frames]
    if True not in is_loop or is_loop[-1]:
        return frames
    return frames[is_loop.index(False, is_loop.index(True)) :]


def format_frames(frames: Iterable[FrameType]) -> str:
    """Return the lines of a stack, as ``traceback`` writes them."""
    found = ((frame, frame.f_lineno) for frame in frames)
    return "".join(traceback.StackSummary.extract(found).format())


_AWAITERS = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))


def _awaiting(awaitable: object) -> Iterator[FrameType]:
    """Yield the frames of a coroutine, of what it awaits, and so on; a future has none."""
    while awaitable is not None:
        for its_frame, what_it_awaits in _AWAITERS:
            frame = getattr(awaitable, its_frame, None)
            if frame is not None:
                yield frame
                awaitable = getattr(awaitable, what_it_awaits)
                break
        else:
            return


def _distance(frame: FrameType) -> int:
    """Return how far code is from the application: 0 its own, then libraries, Python's, ours."""
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    if package == "aiohttp":
        return 3
    if package in sys.stdlib_module_names:
        return 2
    return int("site-packages" in frame.f_code.co_filename)
