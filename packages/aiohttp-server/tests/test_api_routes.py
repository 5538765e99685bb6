"""What aiohttp 3 documents of routing, called as documented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from aiohttp import web
from aiohttp.abc import AbstractView
from aiohttp.test_utils import MemoryClient, make_mocked_request
from documented_server import calls

METHODS = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]


async def tell(request: web.Request) -> web.Response:
    """Answer with the method, the route's name, and what was found in the path."""
    name = request.match_info.route.name
    text = f"{request.method} {name} {dict(request.match_info)}"
    return web.Response(text=text, headers={"X-Told": text})


async def expect(request: web.Request) -> web.StreamResponse | None:
    """Refuse whoever has nothing to say."""
    return None if request.content_length else web.Response(status=417)


async def told(app: web.Application, method: str, path: str) -> str:
    """Return what ``tell`` says."""
    async with MemoryClient(app) as client:
        return (await client.request(method, path)).headers.get("X-Told", "nothing")


def app_of(*routes: web.AbstractRouteDef) -> web.Application:
    """Return an application with these routes."""
    app = web.Application()
    app.add_routes(routes)
    return app


@calls("web.UrlDispatcher")
@calls("web.UrlDispatcher", "add_get", "add_post", "add_head", "add_put", "add_patch")
@calls("web.UrlDispatcher", "add_delete", "add_route", "add_routes")
async def test_routes_are_added() -> None:
    """By method and path; GET brings HEAD along, unless told not to."""
    app = web.Application()
    router = app.router
    assert isinstance(web.UrlDispatcher(), type(router))
    router.add_get("/get", tell, name="get")
    router.add_get("/only", tell, allow_head=False)
    router.add_post("/post", tell, name="post", expect_handler=expect)
    router.add_head("/head", tell)
    router.add_put("/put", tell)
    router.add_patch("/patch", tell)
    router.add_delete("/delete", tell)
    router.add_options("/options", tell)
    router.add_route("REPORT", "/any/{x}", tell, name="any", expect_handler=expect)
    router.add_routes([web.get("/more", tell)])
    async with MemoryClient(app) as client:
        for method in ("get", "post", "head", "put", "patch", "delete", "options"):
            answer = await client.request(method.upper(), f"/{method}")
            assert answer.headers["X-Told"].startswith(method.upper())
        assert (await client.head("/get")).status == 200
        only = await client.head("/only")
        assert (only.status, only.headers["Allow"]) == (405, "GET")
        assert (await client.request("REPORT", "/any/1")).text() == "REPORT any {'x': '1'}"
        assert (await client.get("/more")).status == 200
        assert (await client.get("/less")).status == 404
        refused = await client.post("/post", expect_continue=True, data=b"1")
        assert refused.status == 200


@calls("web.UrlDispatcher", "add_resource", "resources", "routes", "named_resources", "resolve")
@calls("web.Resource")
@calls("web.Resource", "add_route")
@calls("web.AbstractResource")
@calls("web.AbstractResource", "name", "canonical", "resolve", "get_info", "url_for")
@calls("web.PlainResource")
@calls("web.PlainResource", "canonical", "url_for")
@calls("web.DynamicResource")
@calls("web.DynamicResource", "canonical", "url_for")
async def test_resources() -> None:
    """A resource is a path with its routes; it makes URLs of its path."""
    router = web.UrlDispatcher()
    plain = router.add_resource("/plain", name="plain")
    dynamic = router.add_resource(r"/{name}/{number:\d+}", name="dynamic")
    assert isinstance(plain, web.PlainResource)
    assert isinstance(dynamic, web.DynamicResource)
    assert isinstance(dynamic, web.Resource)
    assert isinstance(dynamic, web.AbstractResource)
    route = plain.add_route("GET", tell, expect_handler=None)
    dynamic.add_route("*", tell)
    assert (plain.name, plain.canonical, dynamic.canonical) == (
        "plain", "/plain", "/{name}/{number}",
    )  # fmt: skip
    assert plain.url_for() == URL("/plain")
    assert dynamic.url_for(name="a b", number="7") == URL("/a%20b/7", encoded=True)
    assert plain.get_info() == {"path": "/plain"}
    assert list(router.resources()) == [plain, dynamic]
    assert route in router.routes()
    assert len(router.routes()) == 2
    assert router.named_resources()["dynamic"] is dynamic
    assert router["plain"] is plain
    request = make_mocked_request("GET", "/a/7")
    assert (await router.resolve(request))["number"] == "7"
    match_info, _ = await dynamic.resolve(request)
    assert match_info is not None
    assert match_info["name"] == "a"
    assert await plain.resolve(make_mocked_request("GET", "/")) == (None, set())


@calls("web.AbstractRoute")
@calls("web.AbstractRoute", "method", "handler", "name", "resource", "url_for")
@calls("web.AbstractRoute", "handle_expect_header")
@calls("web.ResourceRoute")
@calls("web.SystemRoute")
@calls("web.SystemRoute", "status", "reason")
@calls("web.UrlMappingMatchInfo")
@calls("web.UrlMappingMatchInfo", "expect_handler", "handler", "route")
async def test_routes() -> None:
    """A route has a method and a handler; a match info has its route."""
    router = web.UrlDispatcher()
    route = router.add_route("POST", "/{a}", tell, name="it", expect_handler=expect)
    assert isinstance(route, web.AbstractRoute)
    assert isinstance(route, web.ResourceRoute)
    assert (route.method, route.name) == ("POST", "it")
    assert route.handler is tell
    assert route.resource is router["it"]
    assert route.url_for(a="b") == URL("/b")
    request = make_mocked_request("POST", "/b")
    refused = await route.handle_expect_header(request)
    assert refused is not None
    assert refused.status == 417
    match_info = await router.resolve(request)
    assert isinstance(match_info, web.UrlMappingMatchInfo)
    assert match_info.route is route
    assert match_info.handler is tell
    answer = await match_info.expect_handler(request)
    assert answer is not None

    nobody = (await router.resolve(make_mocked_request("GET", "/b/c"))).route
    assert isinstance(nobody, web.SystemRoute)
    assert (nobody.status, nobody.reason) == (404, "Not Found")


@calls("web.UrlDispatcher", "add_static")
@calls("web.StaticResource")
@calls("web.StaticResource", "canonical", "url_for")
@calls("web.static")
@calls("web.StaticDef")
@calls("web.StaticDef", "prefix", "path", "kwargs")
@calls("web.RouteTableDef", "static")
async def test_files(tmp_path: Path) -> None:
    """A directory is served below a prefix; its URLs may carry a version."""
    (tmp_path / "a.txt").write_text("text")
    options: dict[str, Any] = {
        "expect_handler": None,
        "chunk_size": 1024,
        "show_index": True,
        "follow_symlinks": False,
        "append_version": True,
    }
    router = web.UrlDispatcher()
    resource = router.add_static("/one/", tmp_path, name="one", **options)
    assert isinstance(resource, web.StaticResource)
    assert resource.canonical == "/one"
    url = resource.url_for(filename="a.txt", append_version=None)
    assert (url.path, bool(url.query["v"])) == ("/one/a.txt", True)

    static = web.static("/two", tmp_path, name="two", **options)
    assert isinstance(static, web.StaticDef)
    assert (static.prefix, static.path, static.kwargs["show_index"]) == ("/two", tmp_path, True)
    table = web.RouteTableDef()
    table.static("/three", tmp_path, name="three", **options)
    app = app_of(static, *table)
    async with MemoryClient(app) as client:
        assert (await client.get("/two/a.txt")).text() == "text"
        assert (await client.get("/three/a.txt")).text() == "text"
        assert "a.txt" in (await client.get("/three/")).text()


@calls("web.PrefixedSubAppResource")
@calls("web.PrefixedSubAppResource", "canonical", "url_for")
def test_resource_of_an_application() -> None:
    """It has a prefix, but no URL of its own."""
    resource = web.Application().add_subapp("/admin", web.Application())
    assert isinstance(resource, web.PrefixedSubAppResource)
    assert resource.canonical == "/admin"
    with pytest.raises(RuntimeError):
        resource.url_for()


@calls("web.AbstractRouteDef")
@calls("web.AbstractRouteDef", "register")
@calls("web.RouteDef")
@calls("web.RouteDef", "method", "path", "handler", "kwargs")
@calls("web.get")
@calls("web.post")
@calls("web.head")
@calls("web.put")
@calls("web.patch")
@calls("web.delete")
@calls("web.options")
@calls("web.route")
async def test_route_definitions() -> None:
    """Each function defines a route of its method."""
    made = [
        web.get("/", tell, name="get", allow_head=False, expect_handler=expect),
        web.post("/", tell, name="post", expect_handler=expect),
        web.head("/", tell, name="head", expect_handler=expect),
        web.put("/", tell, name="put", expect_handler=expect),
        web.patch("/", tell, name="patch", expect_handler=expect),
        web.delete("/", tell, name="delete", expect_handler=expect),
        web.options("/", tell, name="options", expect_handler=expect),
        web.route("REPORT", "/", tell, name="route", expect_handler=expect),
    ]
    for each in made:
        assert isinstance(each, web.RouteDef)
        assert isinstance(each, web.AbstractRouteDef)
        assert (each.path, each.handler) == ("/", tell)
        assert each.kwargs["expect_handler"] is expect
        router = web.UrlDispatcher()
        (route,) = each.register(router)
        assert route.method == each.method
        assert route.name == each.kwargs["name"]


@calls("web.RouteTableDef")
@calls("web.RouteTableDef", "get", "post", "head", "put", "patch", "delete", "route", "view")
async def test_table_of_routes() -> None:
    """Decorators collect routes."""
    routes = web.RouteTableDef()

    @routes.get("/", name="root", allow_head=True, expect_handler=expect)
    @routes.post("/", expect_handler=expect)
    @routes.head("/head", name="head", expect_handler=expect)
    @routes.put("/", expect_handler=expect)
    @routes.patch("/", expect_handler=expect)
    @routes.delete("/", expect_handler=expect)
    @routes.route("REPORT", "/", expect_handler=expect)
    async def handler(request: web.Request) -> web.Response:
        return await tell(request)

    @routes.view("/view", name="view", expect_handler=expect)
    class Viewed(web.View):
        async def get(self) -> web.Response:
            return await tell(self.request)

    assert len(routes) == 8
    app = app_of(*routes)
    async with MemoryClient(app) as client:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "REPORT"):
            assert (await client.request(method, "/")).status == 200
        assert (await client.head("/head")).headers["X-Told"] == "HEAD head {}"
        assert (await client.get("/view")).text() == "GET view {}"


@calls("web.View")
@calls("web.View", "request")
@calls("web.view")
@calls("web.UrlDispatcher", "add_view")
@calls("abc.AbstractView")
@calls("abc.AbstractView", "request")
async def test_views() -> None:
    """A class has a method for each method."""

    class Page(web.View):
        async def get(self) -> web.Response:
            return await tell(self.request)

    class Odd(AbstractView):
        def __await__(self) -> Any:
            return tell(self.request).__await__()

    app = app_of(web.view("/page", Page, name="page", expect_handler=None))
    app.router.add_view("/again/{x}", Page)
    app.router.add_view("/odd", Odd)
    async with MemoryClient(app) as client:
        assert (await client.get("/page")).text() == "GET page {}"
        assert (await client.get("/again/1")).text() == "GET None {'x': '1'}"
        assert (await client.request("ODD", "/odd")).text() == "ODD None {}"
        refused = await client.post("/page")
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
