"""How applications are made ready to be served."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from gunicorn.config import Config

from aiohttp.protocol import Exchange, Limits, ServerHttpProtocol, Service
from aiohttp.worker.application import Workshop, call_factory
from aiohttp.worker.asgi import AsgiApplication
from aiohttp.worker.boot import BootError
from aiohttp.worker.hooks import HookedApplication, RequestHooks
from aiohttp.worker.kinds import Kind
from aiohttp.worker.wsgi import WsgiApplication
from wire import connect

LOG = logging.getLogger("test_application")


class Native:
    async def handle_exchange(self, exchange: Exchange) -> None: ...

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    return []


async def made(application: object, wanted: Kind | None = None, **settings: Any) -> Any:
    """Return what is served, the way that the worker goes."""
    cfg = Config()
    for name, value in settings.items():
        cfg.set(name, value)
    workshop = Workshop(cfg, LOG, wanted=wanted)
    try:
        return await workshop.finish(call_factory(application, wanted))
    finally:
        await workshop.close()


async def test_native_application_is_served_as_it_is() -> None:
    """What has handle_exchange needs no adapter, even if it is callable too."""
    application = Native()
    assert await made(application) is application


async def test_others_have_their_adapters() -> None:
    """Of WSGI, of ASGI, and of ASGI although it is native, where that is wanted."""
    assert isinstance(await made(wsgi), WsgiApplication)
    assert isinstance(await made(asgi), AsgiApplication)
    assert isinstance(await made(Native(), "asgi"), AsgiApplication)


async def test_factories() -> None:
    """A function, a coroutine function, a class, and a coroutine that was called by its name."""
    application = Native()

    async def make_soon() -> Native:
        await asyncio.sleep(0)
        return application

    assert await made(lambda: application) is application
    assert await made(make_soon) is application
    assert await made(make_soon()) is application
    assert isinstance(await made(Native), Native)
    assert isinstance(await made(lambda: wsgi), WsgiApplication)


def test_plain_factory_may_run_a_loop() -> None:
    """It is called while there is none."""
    assert call_factory(lambda: asyncio.run(asyncio.sleep(0, "made"))) == "made"


async def test_factory_of_factories_is_refused() -> None:
    """That looks like a mistake, and where would it end?"""
    with pytest.raises(BootError, match="expected the factory to make an application"):
        await made(lambda: lambda: wsgi)


@pytest.mark.parametrize("maker", [lambda: None, lambda: {8000: wsgi}])
async def test_factory_of_nothing_is_refused(maker: Callable[[], object]) -> None:
    """What it has made is shown."""
    with pytest.raises(BootError, match="expected an application, got"):
        await made(maker)


async def test_threads_are_shared() -> None:
    """Several WSGI applications have one pool; there is none where nobody needs it."""
    workshop = Workshop(Config(), LOG)
    await workshop.finish(asgi)
    assert workshop.pool is None
    await workshop.finish(wsgi)
    pool = workshop.pool
    await workshop.finish(wsgi)
    assert workshop.pool is pool
    await workshop.close()


async def test_hooks_are_around_native_and_asgi_applications() -> None:
    """Those of WSGI applications run in their threads, which is the adapter's affair."""

    class Worker:
        cfg = Config()
        log = LOG

    hooks = RequestHooks(Worker())
    workshop = Workshop(Config(), LOG, hooks=hooks)
    applications: list[object] = [Native(), asgi]
    for application in applications:
        assert isinstance(await workshop.finish(application), HookedApplication)
    assert isinstance(await workshop.finish(wsgi), WsgiApplication)
    await workshop.close()


async def test_mount_point_is_gunicorns_or_that_of_wsgi(monkeypatch: pytest.MonkeyPatch) -> None:
    """``root_path`` goes before SCRIPT_NAME, which is one for applications of both kinds."""
    seen: list[str] = []

    async def tell(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        seen.append(scope["root_path"])
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    async def ask(**settings: Any) -> None:
        service = Service(await made(tell, **settings), limits=Limits(linger=0))
        client = connect(ServerHttpProtocol(service))
        client.feed(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while service.connections:
            await asyncio.sleep(0)

    monkeypatch.setenv("SCRIPT_NAME", "/mounted/")
    await ask()
    await ask(root_path="/root")
    assert seen == ["/mounted", "/root"]
