"""gunicorn's hooks around each request, and what they are shown of it."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from aiohttp.protocol import (
    Exchange,
    InvalidHeader,
    Proxied,
    ServerHttpProtocol,
    Service,
    TakenExchange,
)
from aiohttp.worker.hooks import HookedApplication, RequestHooks
from wire import MemoryTransport, connect

REQUEST = b"POST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-It: 1\r\nContent-Length: 0\r\n\r\n"


def worker(*, level: int = logging.INFO, **hooks: Any) -> Any:
    """Return a worker with these hooks, as far as they look at one, and its log's lines."""
    cfg = Config()
    for name, hook in hooks.items():
        cfg.set(name, hook)
    log = logging.Logger("test_hooks", level)  # noqa: LOG001 - one for each test
    log.addHandler(handler := Collector())
    writes = SimpleNamespace(error_log=log, debug=log.debug, exception=log.exception)
    return SimpleNamespace(cfg=cfg, log=writes, lines=handler.lines)


class Collector(logging.Handler):
    """Keeps the lines of a log."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(record.getMessage())


class Answer:
    """An application that answers with five bytes, or fails."""

    disconnect_grace = 3.0

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def startup(self) -> None:
        """Do nothing."""

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request."""
        if self.error is not None:
            raise self.error
        await exchange.respond(201, [("X-Out", "2")], b"hello")


def hooked(worker: Any, application: Answer | None = None) -> HookedApplication:
    """Return an application with the hooks of this worker."""
    hooks = RequestHooks.of(worker)
    assert hooks is not None
    return HookedApplication(application or Answer(), hooks)


async def exchange(application: Any, request: bytes = REQUEST, **extra: Any) -> MemoryTransport:
    """Send a request and return the wire, when it is answered."""
    transport = connect(ServerHttpProtocol(Service(application)), **extra)
    transport.feed(request)
    for _ in range(5):
        await asyncio.sleep(0)
    transport.abort()
    return transport


# Whether there are any.


def test_no_hooks() -> None:
    """Where neither is set nothing is called, for gunicorn's own do nothing."""
    assert RequestHooks.of(worker()) is None


def two(worker: Any, req: Any) -> None:
    """Do nothing, with two arguments."""


def three(worker: Any, req: Any, environ: Any) -> None:
    """Do nothing, with three arguments."""


def four(worker: Any, req: Any, environ: Any, resp: Any) -> None:
    """Do nothing, with four arguments."""


@pytest.mark.parametrize(
    "hooks",
    [{"pre_request": two}, {"post_request": two}, {"post_request": three}, {"post_request": four}],
)
async def test_either_hook(hooks: dict[str, Any]) -> None:
    """Each of the shapes that gunicorn takes can be called."""
    one = worker(**hooks)
    transport = await exchange(hooked(one))
    assert transport.written.startswith(b"HTTP/1.1 201")
    assert one.lines == []


async def test_own_hook_writes_to_the_log() -> None:
    """gunicorn's pre_request logs each request, where its level is debug."""
    one = worker(level=logging.DEBUG)
    await exchange(hooked(one))
    assert one.lines == ["POST /a%20b"]


# What they are shown.


async def test_request_has_the_shape_of_gunicorns() -> None:
    """Names in upper case, the target in its parts and not decoded."""
    seen: list[Any] = []

    def look(worker: Any, req: Any) -> None:
        seen.append(req)

    await exchange(hooked(worker(pre_request=look)))
    (req,) = seen
    assert (req.method, req.uri, req.path, req.query) == ("POST", "/a%20b?c=d", "/a%20b", "c=d")
    assert req.headers == [("HOST", "x"), ("X-IT", "1"), ("CONTENT-LENGTH", "0")]
    assert (req.version, req.scheme, req.fragment) == ((1, 1), "http", "")
    assert repr(req) == "<HookRequest POST /a%20b?c=d>"


async def test_response_has_the_shape_of_gunicorns() -> None:
    """As it was sent; the environ is there without an application of WSGI, too."""
    seen: list[Any] = []

    def look(worker: Any, req: Any, environ: Any, resp: Any) -> None:
        seen.append((environ, resp))

    await exchange(hooked(worker(post_request=look)))
    ((environ, resp),) = seen
    assert (resp.status, resp.status_code, resp.sent) == ("201 Created", 201, 5)
    assert resp.headers == [("X-Out", "2")]
    assert resp.headers_sent
    assert repr(resp) == "<HookResponse 201 Created>"
    assert (environ["PATH_INFO"], environ["HTTP_X_IT"]) == ("/a b", "1")


async def test_environ_of_the_application_is_shown() -> None:
    """With what the application has put there."""
    seen: list[Any] = []

    def look(worker: Any, req: Any, environ: Any) -> None:
        seen.append(environ)

    hooks = RequestHooks.of(worker(post_request=look))

    class Own:
        async def handle_exchange(self, exchange: Exchange) -> None:
            assert hooks is not None
            await exchange.respond(200)
            hooks.after(exchange, {"of": "the application"})

    await exchange(Own())
    assert seen == [{"of": "the application"}]


async def test_both_hooks_get_the_same_request() -> None:
    """So that one can leave the other when it began."""
    seen: list[Any] = []

    def begin(worker: Any, req: Any) -> None:
        req.begun = 17

    def end(worker: Any, req: Any) -> None:
        seen.append((worker, req.begun))

    one = worker(pre_request=begin, post_request=end)
    await exchange(hooked(one))
    assert seen == [(one, 17)]


async def test_addresses_are_of_the_client_and_of_the_connection() -> None:
    """One is whom a proxy speaks for, the other one the proxy."""
    seen: list[Any] = []

    def look(worker: Any, req: Any) -> None:
        seen.append((req.remote_addr, req.peer_addr))

    protocol = ServerHttpProtocol(Service(hooked(worker(pre_request=look))))
    protocol.proxied = Proxied(("192.0.2.7", 5), ("192.0.2.8", 443))
    transport = connect(protocol)
    transport.feed(REQUEST)
    for _ in range(5):
        await asyncio.sleep(0)
    transport.abort()
    assert seen == [(("192.0.2.7", 5), ("192.0.2.1", 50000))]


# What goes wrong.


async def test_error_before_is_that_of_the_request(caplog: pytest.LogCaptureFixture) -> None:
    """The application isn't called, and the other hook is, with the response's lack."""
    seen: list[Any] = []

    def fail(worker: Any, req: Any) -> None:
        raise ValueError("no")

    def look(worker: Any, req: Any, environ: Any, resp: Any) -> None:
        seen.append(resp.status)

    transport = await exchange(hooked(worker(pre_request=fail, post_request=look)))
    assert transport.written.startswith(b"HTTP/1.1 500")
    assert "ValueError: no" in caplog.text
    assert seen == [None]


async def test_error_afterwards_is_logged() -> None:
    """The response is sent by then."""

    def fail(worker: Any, req: Any) -> None:
        raise ValueError("no")

    one = worker(post_request=fail)
    transport = await exchange(hooked(one))
    assert transport.written.startswith(b"HTTP/1.1 201")
    assert one.lines == ["Exception in post_request hook"]


@pytest.mark.parametrize("error", [ValueError("no"), InvalidHeader("no")])
async def test_request_that_fails_is_told_of(error: Exception) -> None:
    """Without a status: its response comes later."""
    seen: list[Any] = []

    def look(worker: Any, req: Any, environ: Any, resp: Any) -> None:
        seen.append((resp.status, resp.headers_sent))

    await exchange(hooked(worker(post_request=look), Answer(error)))
    assert seen == [(None, False)]


async def test_refused_requests_go_through_no_hook() -> None:
    """As with gunicorn: they are none. An application that answers them does so."""

    class Refuses(Answer):
        handles_refusals = True

        async def handle_exchange(self, exchange: Exchange) -> None:
            assert exchange.refusal is not None
            await exchange.respond(exchange.refusal.status, (), b"own words")

    def fail(worker: Any, req: Any) -> None:
        raise ValueError("no")

    transport = await exchange(hooked(worker(pre_request=fail), Refuses()), b"nonsense\r\n\r\n")
    assert transport.written.startswith(b"HTTP/1.1 400")
    assert transport.written.endswith(b"own words")


async def test_no_request_passes_by_the_hooks() -> None:
    """Not even one that the application would answer from outside of a task."""
    seen: list[Any] = []

    class Takes(Answer):
        def take_exchange(self, exchange: TakenExchange) -> Callable[[], object]:
            exchange.respond_now(202)
            return lambda: None

    def look(worker: Any, req: Any) -> None:
        seen.append(req.uri)

    transport = await exchange(hooked(worker(pre_request=look), Takes()))
    assert transport.written.startswith(b"HTTP/1.1 201")
    assert seen == ["/a%20b?c=d"]


def test_what_else_an_application_has_stays() -> None:
    """Such as startup(); and what it hasn't is missing still."""
    application = hooked(worker(level=logging.DEBUG))
    assert application.disconnect_grace == 3.0
    assert inspect.iscoroutinefunction(application.startup)
    assert not hasattr(application, "cleanup")
