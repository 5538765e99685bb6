"""Signals of the operating system, as calls in the event loop."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial

__all__ = ["signal_calls"]


@contextmanager
def signal_calls(calls: Mapping[int, Callable[[], object]]) -> Generator[None]:
    """Call these functions in the running loop when their signals come; then as before.

    Raises:
        RuntimeError: outside of the main thread, where Python handles no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("signals are handled in the main thread only: use handle_signals=False")
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in calls}
    try:
        for number, call in calls.items():
            _call_at(loop, number, call)
        yield
    finally:
        for number, handler in before.items():
            if sys.platform != "win32":
                loop.remove_signal_handler(number)
            if handler is not None:  # None: it was not set by Python
                signal.signal(number, handler)


def _call_at(loop: asyncio.AbstractEventLoop, number: int, call: Callable[[], object]) -> None:
    if sys.platform == "win32":
        wake = partial(loop.call_soon_threadsafe, call)
        signal.signal(number, lambda *_: wake())
    else:
        loop.add_signal_handler(number, call)
