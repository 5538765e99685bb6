"""Which loop a worker runs on."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace

import pytest

from aiohttp.worker.boot import BootError
from aiohttp.worker.loops import loop_factory


def test_asyncio_is_the_loop_where_uvloop_is_refused() -> None:
    """With asgi_loop "asyncio" the loop is asyncio's own."""
    assert loop_factory("asyncio") is None


def test_asyncio_is_the_loop_without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    """With "auto", gunicorn's default, uvloop need not be installed."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory("auto") is None


def test_uvloop_is_the_loop_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With "auto", uvloop is taken where it is installed."""
    uvloop = SimpleNamespace(new_event_loop=asyncio.new_event_loop)
    monkeypatch.setitem(sys.modules, "uvloop", uvloop)
    assert loop_factory("auto") is uvloop.new_event_loop


def test_uvloop_that_is_wanted_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """With "uvloop" the worker doesn't start without it, and says how to get it."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with pytest.raises(BootError, match=r"pip install aiohttp-gunicorn\[uvloop\]"):
        loop_factory("uvloop")
