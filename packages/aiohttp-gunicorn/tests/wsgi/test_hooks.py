"""gunicorn's hooks around the calls of WSGI applications: where they run, and what they see."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from wsgiref.types import StartResponse

import pytest

from aiohttp.protocol import Exchange
from aiohttp.worker.hooks import RequestHooks
from aiohttp.worker.wsgi.environ import Environ
from wsgi_client import GET, PATIENCE, PLAIN, Adapter, hello, until


class NotedHooks(RequestHooks):
    """Hooks that note where they run, and what they see."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.seen: list[tuple[object, ...]] = []
        self.threads: set[str] = set()

    def before(self, exchange: Exchange) -> None:
        """Note the call, and fail if that is to be."""
        self._note("before", exchange.head.target)
        if self.error is not None:
            raise self.error

    def after(self, exchange: Exchange, environ: Mapping[str, Any] | None) -> None:
        """Note what was sent until now."""
        is_environ = environ is not None and "wsgi.input" in environ
        self._note("after", exchange.response_status, exchange.body_sent, is_environ)

    def _note(self, *what: object) -> None:
        self.seen.append(what)
        self.threads.add(threading.current_thread().name)


def streams(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Answer in parts."""
    start_response("200 OK", PLAIN)
    yield b"ab"
    yield b"cd"


async def awaits(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer on the loop."""
    await asyncio.sleep(0)
    return hello(environ, start_response)


async def iterates(environ: Environ, start_response: StartResponse) -> AsyncIterator[bytes]:
    """Answer on the loop, in parts."""
    start_response("200 OK", PLAIN)
    yield b"hello"


def goes_on(environ: Environ, start_response: StartResponse) -> Awaitable[list[bytes]]:
    """Answer on the loop what was asked in a thread."""
    return awaits(environ, start_response)


def fails(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Fail."""
    raise ValueError("out of order")


@pytest.mark.parametrize(("application", "size"), [(hello, 5), (streams, 4)])
async def test_hooks_run_in_the_applications_thread(
    wsgi: Adapter, application: Any, size: int
) -> None:
    """A hook may block as the application may; the second one knows what was sent."""
    hooks = NotedHooks()
    client = await wsgi.connect(application, hooks=hooks)
    client.send(GET)
    assert (await client.answer()).status == 200
    assert hooks.seen == [("before", "/path"), ("after", 200, size, True)]
    assert len(hooks.threads) == 1
    assert threading.main_thread().name not in hooks.threads


@pytest.mark.parametrize("application", [awaits, iterates])
async def test_hooks_of_a_coroutine_run_on_the_loop(wsgi: Adapter, application: Any) -> None:
    """Where the application runs, there they do."""
    hooks = NotedHooks()
    client = await wsgi.connect(application, hooks=hooks)
    client.send(GET)
    assert (await client.answer()).content == b"hello"
    assert hooks.seen == [("before", "/path"), ("after", 200, 5, True)]
    assert hooks.threads == {threading.main_thread().name}


async def test_hooks_of_what_goes_on_elsewhere(wsgi: Adapter) -> None:
    """Of an application that begins in a thread and ends on the loop each is called once."""
    hooks = NotedHooks()
    client = await wsgi.connect(goes_on, hooks=hooks)
    client.send(GET)
    assert (await client.answer()).content == b"hello"
    assert hooks.seen == [("before", "/path"), ("after", 200, 5, True)]
    assert len(hooks.threads) == 2


async def test_hook_that_fails_is_the_requests_error(wsgi: Adapter) -> None:
    """Then the application isn't called, and the second hook is, without a response."""
    hooks = NotedHooks(ValueError("out of order"))
    for application in (hello, awaits):
        client = await wsgi.connect(application, hooks=hooks)
        client.send(GET)
        assert (await client.answer()).status == 500
    assert hooks.seen == [("before", "/path"), ("after", 0, 0, True)] * 2


async def test_hook_after_an_error(wsgi: Adapter, caplog: pytest.LogCaptureFixture) -> None:
    """An application that fails has its second hook, too."""
    hooks = NotedHooks()
    client = await wsgi.connect(fails, hooks=hooks)
    client.send(GET)
    assert (await client.answer()).status == 500
    assert hooks.seen == [("before", "/path"), ("after", 0, 0, True)]
    assert "ValueError: out of order" in caplog.text


async def test_hook_after_the_client_went(wsgi: Adapter) -> None:
    """And so has one whose client has gone."""
    begun, gone = threading.Event(), threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        begun.set()
        gone.wait(PATIENCE)
        return hello(environ, start_response)

    hooks = NotedHooks()
    client = await wsgi.connect(application, hooks=hooks)
    client.send(GET)
    await until(begun.is_set)
    client.transport.lose()
    await until(lambda: not client.service.tasks)
    gone.set()
    await until(lambda: len(hooks.seen) == 2)
    assert hooks.seen[1] == ("after", 0, 0, True)


async def test_hook_of_what_the_loop_does_not_want_any_more(wsgi: Adapter) -> None:
    """It is told of the request, too, when the client went before there was anything to await."""
    begun, gone = threading.Event(), threading.Event()
    paths: list[str] = []

    def application(environ: Environ, start_response: StartResponse) -> Awaitable[list[bytes]]:
        begun.set()
        gone.wait(PATIENCE)
        return awaits(environ, start_response)

    def pre_request(worker: Any, request: Any) -> None: ...

    def post_request(worker: Any, request: Any, environ: Environ, response: Any) -> None:
        paths.append(environ["PATH_INFO"])

    cfg = SimpleNamespace(pre_request=pre_request, post_request=post_request)
    hooks = RequestHooks(SimpleNamespace(cfg=cfg, log=logging.getLogger("hooks")))
    client = await wsgi.connect(application, hooks=hooks)
    client.send(GET)
    await until(begun.is_set)
    client.transport.lose()
    await until(lambda: not client.service.tasks)
    gone.set()
    await until(lambda: paths == ["/path"])
