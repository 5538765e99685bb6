"""Definitions of routes: functions, decorators, and what they add to a router."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiohttp import hdrs, web


async def handler(request: web.Request) -> web.Response:
    """Answer."""
    return web.Response(text=request.path)


METHODS = sorted(hdrs.METH_ALL - {hdrs.METH_CONNECT, hdrs.METH_TRACE})


def methods_of(router: web.UrlDispatcher) -> list[str]:
    """Return methods and paths, such as ``"GET /a"``."""
    return [
        f"{route.method} {route.resource.canonical}"
        for route in router.routes()
        if route.resource is not None
    ]


@pytest.mark.parametrize("method", METHODS)
def test_a_function_for_each_method(method: str) -> None:
    """web.get and its like make the same definition as web.route."""
    made = getattr(web, method.lower())("/a", handler, name="n")
    kwargs: Any = {"name": "n", "allow_head": True} if method == "GET" else {"name": "n"}
    assert made == web.RouteDef(method, "/a", handler, kwargs)
    if method != "GET":
        assert made == web.route(method, "/a", handler, **kwargs)


@pytest.mark.parametrize("method", METHODS)
def test_a_decorator_for_each_method(method: str) -> None:
    """The decorators collect definitions, and leave the handler as it is."""
    table = web.RouteTableDef()
    assert getattr(table, method.lower())("/a", name="n")(handler) is handler
    assert list(table) == [web.RouteDef(method, "/a", handler, {"name": "n"})]


def test_add_routes() -> None:
    """Routes of a list and of a table are added in their order, and returned."""
    router = web.UrlDispatcher()
    added = router.add_routes([web.get("/a", handler), web.post("/b", handler, name="b")])
    assert [route.method for route in added] == ["GET", "POST"]
    table = web.RouteTableDef()
    table.get("/c", allow_head=False)(handler)
    table.route("BREW", "/c")(handler)
    router.add_routes(table)
    assert methods_of(router) == ["HEAD /a", "GET /a", "POST /b", "GET /c", "BREW /c"]
    assert router["b"].canonical == "/b"


def test_a_view_is_a_route_of_all_methods() -> None:
    """web.view and the decorator."""
    table = web.RouteTableDef()

    @table.view("/a")
    class Here(web.View):
        pass

    router = web.UrlDispatcher()
    router.add_routes([*table, web.view("/b", Here)])
    assert methods_of(router) == ["* /a", "* /b"]


def test_static(tmp_path: Path) -> None:
    """A directory is added with its options; its routes are returned."""
    table = web.RouteTableDef()
    table.static("/files", tmp_path, name="files")
    assert list(table) == [web.static("/files", tmp_path, name="files")]
    router = web.UrlDispatcher()
    assert [route.method for route in router.add_routes(table)] == ["GET", "HEAD"]
    assert router["files"].canonical == "/files"


def test_a_table_is_a_sequence() -> None:
    """Definitions are counted, found, sliced."""
    table = web.RouteTableDef()
    table.get("/a")(handler)
    table.get("/b")(handler)
    first, second = table
    assert (len(table), table[1], table[:1]) == (2, second, [first])
    assert first in table
    assert repr(table) == "<RouteTableDef count=2>"


def test_what_definitions_tell() -> None:
    """A definition shows method, path, handler and options."""
    assert repr(web.post("/a", handler, name="n")) == "<RouteDef POST /a -> 'handler', name='n'>"
    assert repr(web.static("/f", "/srv", show_index=True)) == (
        "<StaticDef /f -> /srv, show_index=True>"
    )
