"""What aiohttp 3 documents of applications, called as documented."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractMatchInfo, AbstractRouter
from aiohttp.test_utils import MemoryClient, make_mocked_request
from documented_server import calls


async def hello(request: web.Request) -> web.Response:
    """Greet."""
    return web.Response(text="Hello")


@calls("web.Application")
@calls("web.Application", "router", "logger", "debug", "loop")
async def test_application_has_what_it_was_given() -> None:
    """Its parts can be read, its router be filled."""
    logger = logging.getLogger("mine")
    app = web.Application(
        logger=logger,
        middlewares=[],
        handler_args={"keepalive_timeout": 5},
        client_max_size=10,
        client_max_fields=2,
        debug=True,
    )
    assert isinstance(app.router, web.UrlDispatcher)
    assert app.logger is logger
    assert app.debug
    assert app.loop is asyncio.get_running_loop()
    app.router.add_post("/", hello)
    request = make_mocked_request("POST", "/", app=app)
    assert (request.client_max_size, request.client_max_fields) == (10, 2)


@calls("web.Application", "on_startup", "on_shutdown", "on_cleanup", "cleanup_ctx")
@calls("web.Application", "startup", "shutdown", "cleanup", "on_response_prepare")
async def test_life_of_an_application() -> None:
    """Signals are sent in their order, each with the application."""
    told: list[str] = []

    def teller(name: str) -> Any:
        async def tell(app: web.Application) -> None:
            told.append(name)

        return tell

    async def context(app: web.Application) -> AsyncIterator[None]:
        told.append("enter")
        yield
        told.append("leave")

    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Prepared"] = request.path

    app = web.Application()
    app.on_startup.append(teller("startup"))
    app.on_shutdown.append(teller("shutdown"))
    app.on_cleanup.append(teller("cleanup"))
    app.cleanup_ctx.append(context)
    app.on_response_prepare.append(prepare)
    app.router.add_get("/", hello)
    async with MemoryClient(app) as client:
        assert (await client.get("/")).headers["X-Prepared"] == "/"
    assert told == ["enter", "startup", "shutdown", "cleanup", "leave"]

    again = web.Application()
    again.on_cleanup.append(teller("again"))
    await again.startup()
    await again.shutdown()
    await again.cleanup()
    assert told[-1] == "again"


@calls("web.Application", "add_subapp", "add_domain", "add_routes")
async def test_applications_below_an_application() -> None:
    """One answers below a prefix, one for a host, and the outer one all the rest."""

    async def tell(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.app['name']} {request.path}")

    def named(name: str) -> web.Application:
        app = web.Application()
        with pytest.warns(web.NotAppKeyWarning):
            app["name"] = name
        app.add_routes([web.get("/a", tell)])
        return app

    app, admin, shop = named("outer"), named("admin"), named("shop")
    prefixed = app.add_subapp("/admin", admin)
    app.add_domain("*.shop.example", shop)
    assert prefixed.canonical == "/admin"
    async with MemoryClient(app) as client:
        assert (await client.get("/a")).text() == "outer /a"
        assert (await client.get("/admin/a")).text() == "admin /admin/a"
        there = {"Host": "my.shop.example"}
        assert (await client.get("/a", headers=there)).text() == "shop /a"


@calls("web.AppKey")
@calls("web.NotAppKeyWarning")
@calls("ChainMapProxy")
@calls("web.Request", "config_dict", "app")
async def test_what_applications_keep() -> None:
    """Keys tell the type; a request finds what its applications keep, the inner first."""
    inner_key, both_key = web.AppKey("inner", str), web.AppKey("both", int)
    found: list[object] = []

    async def look(request: web.Request) -> web.Response:
        assert isinstance(request.config_dict, aiohttp.ChainMapProxy)
        found.extend([request.config_dict[inner_key], request.config_dict[both_key]])
        found.append(request.app)
        return web.Response()

    outer, inner = web.Application(), web.Application()
    outer[both_key] = 1
    inner[inner_key] = "x"
    inner.router.add_get("/", look)
    outer.add_subapp("/in", inner)
    async with MemoryClient(outer) as client:
        await client.get("/in/")
    assert found == ["x", 1, inner]
    with pytest.warns(web.NotAppKeyWarning):
        web.Application()["text"] = 1
    assert aiohttp.ChainMapProxy([{"a": 1}, {"a": 2, "b": 3}])["b"] == 3


@calls("web.middleware")
@calls("web.normalize_path_middleware")
async def test_middlewares() -> None:
    """They stand around handlers, the first one outside."""

    @web.middleware
    async def mark(request: web.Request, handler: Any) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)
        response.headers["X-Mark"] = str(response.status)
        return response

    normalize = web.normalize_path_middleware(
        append_slash=True,
        remove_slash=False,
        merge_slashes=True,
        redirect_class=web.HTTPMovedPermanently,
    )
    app = web.Application(middlewares=[normalize, mark])
    app.router.add_get("/a/b/", hello)
    async with MemoryClient(app) as client:
        assert (await client.get("/a/b/")).headers["X-Mark"] == "200"
        moved = await client.get("//a///b?c=d")
    assert (moved.status, moved.headers["Location"]) == (301, "/a/b/?c=d")


@calls("web.FrozenList")
@calls("web.FrozenList", "frozen", "freeze")
def test_frozen_list() -> None:
    """A list that can't be changed any more, once it is frozen."""
    found = web.FrozenList([1, 2])
    found.append(3)
    before = found.frozen
    found.freeze()
    assert (before, found.frozen) == (False, True)
    assert list(found) == [1, 2, 3]
    with pytest.raises(RuntimeError):
        found.append(4)


@calls("web.CleanupError")
async def test_several_errors_of_a_cleanup() -> None:
    """When several go wrong, all of them are told."""

    async def fail(app: web.Application) -> None:
        raise OSError("one")

    async def fail_too(app: web.Application) -> None:
        raise ValueError("two")

    app = web.Application()
    app.on_cleanup.extend([fail, fail_too])
    await app.startup()
    with pytest.raises(web.CleanupError, match="one"):
        await app.cleanup()


@calls("abc.AbstractRouter")
@calls("abc.AbstractRouter", "resolve")
@calls("abc.AbstractMatchInfo")
@calls("abc.AbstractMatchInfo", "http_exception", "handler", "expect_handler")
async def test_router_of_ones_own() -> None:
    """A router says who answers; a match info may be any of the abstract class."""

    class Found(AbstractMatchInfo):
        @property
        def http_exception(self) -> None:
            return None

        async def handler(self, request: Any) -> web.Response:
            return await hello(request)

        async def expect_handler(self, request: Any) -> None:
            return None

        # Not documented, but no match info of aiohttp 3 works without.
        def get_info(self) -> dict[str, Any]:
            return {}

        apps: Any = ()

        def add_app(self, app: web.Application) -> None:
            self.apps = (app, *self.apps)

        def freeze(self) -> None:
            """Nothing is to be frozen."""

    class Router(AbstractRouter):
        async def resolve(self, request: Any) -> AbstractMatchInfo:
            return Found()

    app = web.Application(router=Router())
    async with MemoryClient(app) as client:
        assert (await client.get("/anywhere")).text() == "Hello"
