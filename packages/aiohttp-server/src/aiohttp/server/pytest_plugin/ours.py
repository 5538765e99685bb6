"""The fixtures in event loops of our own, one for each test, and whatever runs coroutines."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from . import fixtures

__all__ = [
    "aiohttp_client",
    "aiohttp_raw_server",
    "aiohttp_server",
    "aiohttp_unused_port",
    "loop",
    "pytest_fixture_setup",
    "pytest_pyfunc_call",
]

aiohttp_server = pytest.fixture(fixtures.aiohttp_server)
aiohttp_raw_server = pytest.fixture(fixtures.aiohttp_raw_server)
aiohttp_client = pytest.fixture(fixtures.aiohttp_client)
aiohttp_unused_port = pytest.fixture(fixtures.aiohttp_unused_port)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Give the event loop of the test; what still runs in it at the end is cancelled."""
    from ..testing import loop_context

    with loop_context(fast=True) as loop:
        yield loop


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine function and asks for a loop."""
    loop: Any = pyfuncitem.funcargs.get("loop")
    if loop is None or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001 - as pytest's other plugins do
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    loop.run_until_complete(pyfuncitem.obj(**arguments))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    """Run a fixture that is one, too, if its test has a loop."""
    function: Any = fixturedef.func
    original = function
    is_coroutine = inspect.iscoroutinefunction(function)
    if not is_coroutine and not inspect.isasyncgenfunction(function):
        return (yield)
    if "loop" not in request.fixturenames:
        return (yield)
    loop = request.getfixturevalue("loop")
    if inspect.ismethod(function) and request.instance is not None:
        # pytest knows the method of an instance of its own, for its collection.
        function = function.__func__.__get__(request.instance)
    wrap = _waiting if is_coroutine else _waiting_twice
    definition: Any = fixturedef
    definition.func = wrap(loop, function)  # for this setup: pytest calls it by names
    try:
        return (yield)
    finally:
        definition.func = original


def _waiting(loop: asyncio.AbstractEventLoop, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that waits for what a coroutine function returns."""

    def run(**arguments: Any) -> Any:
        return loop.run_until_complete(function(**arguments))

    return run


def _waiting_twice(
    loop: asyncio.AbstractEventLoop, function: Callable[..., Any]
) -> Callable[..., Any]:
    """Return a generator function that waits for the two halves of an asynchronous one."""

    def run(**arguments: Any) -> Iterator[Any]:
        generator = function(**arguments)
        yield loop.run_until_complete(anext(generator))
        try:
            loop.run_until_complete(anext(generator))
        except StopAsyncIteration:
            return
        raise RuntimeError(f"expected one yield in the fixture {function.__name__}, got two")

    return run
