"""``web/middlewares.py``: both documented styles, and what each sees."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttp import web
from aiohttp.protocol import Limits
from aiohttp.server.testing import MemoryClient
from aiohttp.server.web.middlewares import is_factory


async def hello(request: web.Request) -> web.Response:
    """Tell the application whose turn it is."""
    return web.Response(text=f"{request.app['name']} {request.get('seen', '')}")


def named(name: str, *middlewares: Any) -> web.Application:
    """Return an application that knows its name."""
    app = web.Application(middlewares=middlewares)
    with pytest.warns(web.NotAppKeyWarning):
        app["name"] = name
    return app


@web.middleware
async def marks(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """Write down which application runs it, before and after."""
    request["seen"] = request.get("seen", "") + f"<{request.app['name']}"
    response = await handler(request)
    response.headers.add("X-After", request.app["name"])
    return response


async def old_style(app: web.Application, handler: web.Handler) -> web.Handler:
    """A factory, as before aiohttp 3."""

    async def old(request: web.Request) -> web.StreamResponse:
        request["seen"] = request.get("seen", "") + f"old {app['name']}"
        return await handler(request)

    return old


async def unmarked(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """Look like a middleware, without saying so."""
    request["seen"] = request.get("seen", "") + "unmarked"
    return await handler(request)


def test_style_is_told_by_the_mark_or_the_first_parameter() -> None:
    """A factory's first parameter is ``app``; what is marked is none, whatever it takes."""
    assert is_factory(old_style)
    assert not is_factory(marks)
    assert not is_factory(unmarked)

    @web.middleware
    async def odd(app: Any, handler: Any) -> Any:
        return await handler(app)

    assert not is_factory(odd)


@pytest.mark.parametrize(
    ("middlewares", "text"),
    [
        ([marks], "a <a"),
        ([old_style], "a old a"),
        ([unmarked], "a unmarked"),
        ([marks, old_style, unmarked], "a <aold aunmarked"),
    ],
)
async def test_styles(middlewares: list[Any], text: str) -> None:
    """Middlewares of both styles run in their order, the first outermost."""
    app = named("a", *middlewares)
    app.router.add_get("/", hello)
    async with MemoryClient(app) as client:
        for _ in range(2):
            assert (await client.get("/")).text() == text


async def test_middleware_of_a_sub_application() -> None:
    """Each middleware runs with its own application as ``request.app``, the outer one outside."""
    app, inner = named("outer", marks), named("inner", marks)
    inner.router.add_get("/x", hello)
    app.add_subapp("/in", inner)
    async with MemoryClient(app) as client:
        response = await client.get("/in/x")
        assert response.text() == "inner <outer<inner"
        assert response.headers.getall("X-After") == ["inner", "outer"]


@pytest.mark.parametrize(
    ("of_outer", "of_middle", "text"),
    [
        ([marks], [], "inner <outer"),
        ([], [marks], "inner <middle"),
        ([marks], [marks], "inner <outer<middle"),
    ],
)
async def test_handler_of_a_sub_application_without_middlewares(
    of_outer: list[Any], of_middle: list[Any], text: str
) -> None:
    """A handler runs with its own application as ``request.app``, whoever's middlewares ran."""
    app, middle, inner = named("outer", *of_outer), named("middle", *of_middle), named("inner")
    inner.router.add_get("/x", hello)
    middle.add_subapp("/deeper", inner)
    app.add_subapp("/in", middle)
    async with MemoryClient(app) as client:
        assert (await client.get("/in/deeper/x")).text() == text


@web.middleware
async def tells_errors(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """Answer with what is raised."""
    try:
        return await handler(request)
    except web.HTTPException as exc:
        return web.Response(status=exc.status, text=f"told: {exc.status}")


async def test_errors_of_the_router() -> None:
    """404 and 405 come to a middleware as exceptions."""
    app = named("a", tells_errors)
    app.router.add_get("/", hello)
    async with MemoryClient(app) as client:
        assert (await client.get("/no")).text() == "told: 404"
        assert (await client.post("/")).text() == "told: 405"


async def test_errors_of_the_parser() -> None:
    """A request that the connection refuses comes to a middleware, too."""
    app = named("a", tells_errors)
    async with MemoryClient(app) as client:
        response = await client.get("/", headers={"X-Long": "a" * 9000})
        assert (response.status, response.text()) == (431, "told: 431")


async def test_errors_of_the_body() -> None:
    """A body that breaks a rule is an exception of the handler that reads it."""

    async def read(request: web.Request) -> web.Response:
        return web.Response(body=await request.content.read())

    app = named("a", tells_errors)
    app.router.add_post("/", read)
    async with MemoryClient(app, limits=Limits(body=10)) as client:
        response = await client.post("/", data=b"eleven bytes")
        assert (response.status, response.text()) == (413, "told: 413")


async def test_handler_keeps_its_name() -> None:
    """A middleware finds the name of the handler behind all middlewares in between."""
    names: list[str] = []

    @web.middleware
    async def names_handler(request: web.Request, handler: web.Handler) -> web.StreamResponse:
        names.append(handler.__name__)
        return await handler(request)

    app = named("a", names_handler, marks, names_handler)
    app.router.add_get("/", hello)
    async with MemoryClient(app) as client:
        await client.get("/")
    assert names == ["hello", "hello"]


async def test_what_is_no_middleware_is_told_at_the_start() -> None:
    """Not by the first request."""
    with pytest.raises(TypeError, match="expected a coroutine function as middleware, got 5"):
        await web.Application(middlewares=[5]).startup()  # type: ignore[list-item]
