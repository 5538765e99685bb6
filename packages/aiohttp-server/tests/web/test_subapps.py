"""Applications below others: by prefix, by host; their 404, middlewares and URLs."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest

from aiohttp import web
from aiohttp.abc import AbstractMatchInfo, AbstractRouter
from aiohttp.server.web.request import BaseRequest
from aiohttp.server.web.subapps import Domain, MaskDomain
from aiohttp.test_utils import MemoryClient, make_mocked_request


async def tell(request: web.Request) -> web.Response:
    """Answer with the route's path and values."""
    resource = request.match_info.route.resource
    assert resource is not None
    return web.Response(text=f"{resource.canonical} {dict(request.match_info)}")


def app_of(*paths: str, name: str | None = None) -> web.Application:
    """Return an application with these paths."""
    app = web.Application()
    for path in paths:
        app.router.add_get(path, tell, name=name)
    return app


async def asked(app: web.Application, *paths: str, host: str = "example.org") -> list[str]:
    """Return what is answered: the text, or the status of an error."""
    async with MemoryClient(app, host=host) as client:
        responses = [await client.get(path) for path in paths]
    return [each.text() if each.status == 200 else str(each.status) for each in responses]


async def test_by_prefix() -> None:
    """All paths below the prefix are the other application's, also those that it has not."""
    app = app_of("/", "/{tail:.*}")
    app.add_subapp("/admin/", app_of("/users/{name}", "/", ""))
    assert await asked(
        app, "/admin/users/tea", "/admin/", "/admin", "/admin/nowhere", "/administrator"
    ) == [
        "/admin/users/{name} {'name': 'tea'}",
        "/admin/ {}",
        "/admin {}",
        "404",
        "/{tail} {'tail': 'administrator'}",
    ]


async def test_nested() -> None:
    """Prefixes add up."""
    app, middle, inner = app_of("/"), app_of("/m"), app_of("/i/{x}")
    middle.add_subapp("/inner", inner)
    app.add_subapp("/middle", middle)
    answers = await asked(app, "/middle/m", "/middle/inner/i/1", "/middle/inner/nowhere")
    assert answers == ["/middle/m {}", "/middle/inner/i/{x} {'x': '1'}", "404"]


async def test_the_apps_on_the_way_are_told() -> None:
    """The match info has them all, the outermost first; the inner one is request.app."""
    app, inner = app_of(), web.Application()
    apps: list[object] = []

    async def handler(request: web.Request) -> web.Response:
        apps.extend((*request.match_info.apps, request.app))
        return web.Response()

    inner.router.add_get("/x", handler)
    app.add_subapp("/inner", inner)
    await asked(app, "/inner/x")
    assert apps == [app, inner, inner]


async def test_method_not_allowed_below() -> None:
    """A 405 of the other application has its methods."""
    app = app_of("/")
    app.add_subapp("/inner", app_of("/x"))
    async with MemoryClient(app) as client:
        response = await client.post("/inner/x")
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")


def test_what_a_sub_application_tells() -> None:
    """Its resource has prefix, application and routes, but no URL; the routes' URLs are whole."""
    app, inner = app_of("/"), app_of("/{x}", name="x")
    resource = app.add_subapp("/inner", inner)
    assert resource.get_info() == {"app": inner, "prefix": "/inner"}
    assert repr(resource) == f"<PrefixedSubAppResource /inner -> {inner!r}>"
    assert len(resource) == len(list(resource)) == 2
    assert len(app.router.routes()) == 4
    assert str(inner.router["x"].url_for(x="1")) == "/inner/1"
    with pytest.raises(RuntimeError, match="has no URL of its own"):
        resource.url_for(x="1")


class OwnRouter(AbstractRouter):
    """A router of somebody's own: it has one route, for everything."""

    def __init__(self, route: web.AbstractRoute) -> None:
        self._route = route

    async def resolve(self, request: web.Request) -> AbstractMatchInfo:
        """Find the route."""
        return web.UrlMappingMatchInfo({"own": request.path}, self._route)


class CaselessRouter(web.UrlDispatcher):
    """A router that is ours, but for how it finds who answers."""

    async def resolve(self, request: BaseRequest) -> web.UrlMappingMatchInfo:
        """Look for the path in lower case."""
        return await super().resolve(request.clone(rel_url=request.raw_path.lower()))


async def test_a_subclass_of_our_router_resolves() -> None:
    """What a subclass does in ``resolve`` counts, for the application itself and below another."""
    app, inner = web.Application(router=CaselessRouter()), web.Application(router=CaselessRouter())
    app.router.add_get("/here", tell)
    inner.router.add_get("/there", tell)
    app.add_subapp("/inner", inner)
    assert await asked(app, "/here", "/HERE", "/inner/There") == [
        "/here {}",
        "/here {}",
        "/inner/there {}",
    ]


class OddRouter(web.UrlDispatcher):
    """A router that is ours, but for how it matches."""

    def match(
        self, request: BaseRequest, path: str | None = None
    ) -> web.UrlMappingMatchInfo | None:
        """Find the same, whatever is asked for."""
        return super().match(request, "/here")


async def test_a_subclass_of_our_router_matches() -> None:
    """What a subclass does in ``match`` counts, also for paths without parts."""
    app = web.Application(router=OddRouter())
    app.router.add_get("/here", tell)
    app.router.add_get("/there", tell)
    assert await asked(app, "/there", "/there") == ["/here {}", "/here {}"]


class OwnMatch(AbstractMatchInfo):
    """A match info of somebody's own."""

    @property
    def http_exception(self) -> None:
        """None: there is a handler."""

    async def handler(self, request: web.Request) -> web.Response:
        """Tell how deep the application is."""
        return web.Response(text=str(request.match_info.apps.index(request.app)))

    async def expect_handler(self, request: Any) -> None:
        """Let it go on."""


class OwnMatchRouter(AbstractRouter):
    """A router that finds match infos of its own class."""

    async def resolve(self, request: web.Request) -> AbstractMatchInfo:
        """Find the same for all paths."""
        return OwnMatch()


async def test_a_match_info_of_ones_own_below() -> None:
    """Another application's router may find what is no UrlMappingMatchInfo."""
    app = app_of("/")
    app.add_subapp("/inner", web.Application(router=OwnMatchRouter()))
    assert await asked(app, "/inner/x") == ["1"]


async def test_a_router_of_ones_own_below() -> None:
    """Another application may have a router that has to be awaited; it sees whole paths."""
    route = web.UrlDispatcher().add_get("/own", tell)
    app = app_of("/")
    resource = app.add_subapp("/inner", web.Application(router=OwnRouter(route)))
    assert len(resource) == 0
    assert await asked(app, "/inner/x", "/", "/x") == ["/own {'own': '/inner/x'}", "/ {}", "404"]


@pytest.mark.parametrize(
    ("domain", "host", "expected"),
    [
        ("example.com", "example.com", True),
        ("Example.com.", "EXAMPLE.COM", True),
        ("example.com", "example.com:80", True),
        ("example.com", "example.com:8080", False),
        ("example.com:8080", "example.com:8080", True),
        ("example.com", "www.example.com", False),
        ("пример.com", "xn--e1afmkfd.com", True),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "a.b.example.com:8080", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.exampleXcom", False),
        ("*.example.com:8080", "a.example.com", False),
        ("a*.example.com", "abc.example.com", True),
        ("example.com", "example.com.", True),
        ("*.example.com:8080", "a.example.com.:8080", True),
        ("*.*.com", "a.b.com", True),
        ("*.*.com", "b.com", False),
        ("*a*b*", "xaxbx", True),
        ("*a*b*", "xbxax", False),
    ],
)
def test_domain(domain: str, host: str, expected: bool) -> None:
    """A host is compared without regard to case and to a scheme's own port."""
    rule = (MaskDomain if "*" in domain else Domain)(domain)
    assert rule.match(make_mocked_request("GET", "/", headers={"Host": host})) is expected
    assert rule.get_info() == {"domain": rule.canonical}


def test_mask_takes_linear_time() -> None:
    """However many stars a mask has, a host of 8 KB is looked at once."""
    rule = MaskDomain("*.*.*.*.example.com")
    began = perf_counter()
    assert not rule.match_domain("." * 8000)
    assert perf_counter() - began < 1


@pytest.mark.parametrize(
    "domain",
    ["", "http://x", "a b", "x/y", "-a.com", "a..b", "x:y", "x:99999", "x:1:2", "a" * 64, "é" * 64],
)
def test_a_domain_that_is_none_is_refused(domain: str) -> None:
    """The error shows how one looks."""
    with pytest.raises(ValueError, match=r"expected a domain such as 'example\.com'"):
        Domain(domain)


def test_a_domain_is_a_str() -> None:
    """Anything else is refused."""
    with pytest.raises(TypeError, match="expected a str as domain, got int"):
        Domain(5)  # type: ignore[arg-type]


async def test_by_host() -> None:
    """An application of a host is asked before the paths of the outer one, whatever was first."""
    app, inner = app_of("/", "/here"), app_of("/", "/{there}")
    resource = app.add_domain("*.example.com", inner)
    assert resource.canonical == "*.example.com"
    assert resource.get_info()["app"] is inner
    assert await asked(app, "/here", "/", host="a.example.com") == [
        "/{there} {'there': 'here'}",
        "/ {}",
    ]
    assert await asked(app, "/nowhere/at/all", host="a.example.com") == ["404"]
