"""Which event loop a worker runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .boot import BootError

__all__ = ["loop_factory"]


def loop_factory(setting: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the loop, by gunicorn's ``asgi_loop``; None for asyncio's own.

    ``auto`` takes uvloop where it is installed, ``asyncio`` refuses it.

    Raises:
        BootError: if ``uvloop`` is wanted, and isn't installed.
    """
    if setting == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:
        if setting == "auto":
            return None
        raise BootError("asgi_loop is 'uvloop': pip install aiohttp-gunicorn[uvloop]") from None
    return uvloop.new_event_loop
