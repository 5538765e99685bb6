"""``web/signals.py``: lists that freeze, signals, and contexts around an application's life."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import pytest

from aiohttp.server.web.signals import (
    CleanupContext,
    CleanupError,
    FrozenList,
    Signal,
    raise_all,
)

APP = cast(Any, object())


def test_frozen_list_is_a_list() -> None:
    """Before it is frozen, it does what a list does."""
    items = FrozenList([1, 2, 3])
    items.append(4)
    items.insert(0, 0)
    items[1] = 10
    del items[2]
    assert items == [0, 10, 3, 4]
    assert list(items[1:3]) == [10, 3]
    assert items != 5
    assert repr(items) == "<FrozenList([0, 10, 3, 4])>"


def test_frozen_list_refuses_changes() -> None:
    """A change of a frozen list says why it can't be."""
    items = FrozenList([1])
    items.freeze()
    items.freeze()
    assert items.frozen
    with pytest.raises(RuntimeError, match="its application has started: change it before"):
        items.append(2)
    with pytest.raises(RuntimeError, match="frozen"):
        items[0] = 2
    with pytest.raises(RuntimeError, match="frozen"):
        del items[0]
    assert repr(items) == "<FrozenList([1], frozen)>"


async def test_signal_calls_in_order() -> None:
    """Receivers are called one after the other, with what is sent."""
    signal: Signal[int] = Signal("owner")
    seen: list[tuple[str, int]] = []

    @signal
    async def one(number: int) -> None:
        seen.append(("one", number))

    async def two(number: int) -> None:
        seen.append(("two", number))

    signal.append(two)
    with pytest.raises(RuntimeError, match="of 'owner', 2 receivers> can't be sent before"):
        await signal.send(1)
    signal.freeze()
    await signal.send(1)
    assert seen == [("one", 1), ("two", 1)]


async def test_signal_stops_at_the_first_error() -> None:
    """``send`` ends with the first error, ``send_to_all`` returns them all."""
    seen: list[Any] = []

    async def bad(number: int) -> None:
        seen.append(number)
        raise ValueError(number)

    signal: Signal[int] = Signal()
    signal.extend([bad, bad])
    signal.freeze()
    with pytest.raises(ValueError, match="1"):
        await signal.send(1)
    assert seen == [1]
    assert [str(exc) for exc in await signal.send_to_all(2)] == ["2", "2"]


async def test_cancelled_signal_ends() -> None:
    """Who cancels it doesn't wait for the receivers that weren't called yet."""
    seen: list[str] = []

    async def endless(number: int) -> None:
        seen.append("endless")
        await asyncio.Event().wait()

    signal: Signal[int] = Signal()
    signal.extend([endless, endless])
    task = asyncio.create_task(signal.send_to_all(1))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["endless"]


def test_several_errors_become_one() -> None:
    """One error is raised itself, several are listed."""
    raise_all("cleanup", [])
    with pytest.raises(KeyError):
        raise_all("cleanup", [KeyError("a")])
    errors = [KeyError("a"), ValueError("b")]
    with pytest.raises(CleanupError, match=r"2 errors in cleanup; KeyError.*; ValueError") as info:
        raise_all("cleanup", errors)
    assert info.value.exceptions == errors


async def test_contexts_are_left_in_reverse() -> None:
    """Generators, and functions that return context managers, surround each other."""
    seen: list[Any] = []

    async def outer(app: object) -> AsyncIterator[None]:
        seen.append("in outer")
        yield
        seen.append("out outer")

    @asynccontextmanager
    async def inner(app: object) -> AsyncGenerator[None]:
        seen.append("in inner")
        yield
        seen.append("out inner")

    contexts = CleanupContext()
    contexts.extend([outer, inner, partial(outer)])
    await contexts.enter(APP)
    assert await contexts.leave() == []
    assert await contexts.leave() == []
    assert seen == [
        "in outer", "in inner", "in outer", "out outer", "out inner", "out outer",
    ]  # fmt: skip


async def test_only_entered_contexts_are_left() -> None:
    """After an error on the way in, what was entered before is left; errors are returned."""
    seen: list[Any] = []

    async def good(app: object) -> AsyncIterator[None]:
        yield
        seen.append("left")

    async def worse(app: object) -> AsyncIterator[None]:
        yield
        raise ValueError("on the way out")

    async def bad(app: object) -> AsyncIterator[None]:
        if app is APP:
            raise KeyError("on the way in")
        yield

    contexts = CleanupContext()
    contexts.extend([good, worse, bad, good])
    with pytest.raises(KeyError, match="on the way in"):
        await contexts.enter(APP)
    assert [str(exc) for exc in await contexts.leave()] == ["on the way out"]
    assert seen == ["left"]


async def test_context_yields_once() -> None:
    """A generator that yields twice is an error of the way out."""

    async def twice(app: object) -> AsyncIterator[None]:
        yield
        yield

    contexts = CleanupContext()
    contexts.append(twice)
    await contexts.enter(APP)
    (error,) = await contexts.leave()
    assert "didn't stop" in str(error)
