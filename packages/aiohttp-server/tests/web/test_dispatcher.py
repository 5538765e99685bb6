"""The router: who answers, by path and method; names; freezing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from aiohttp import hdrs, web
from aiohttp.server.web.matchinfo import MatchInfoError
from aiohttp.server.web.resources import Outcome
from aiohttp.test_utils import make_mocked_request


async def handler(request: web.Request) -> web.Response:
    """Answer."""
    return web.Response(text=request.path)


def router_of(*routes: str) -> web.UrlDispatcher:
    """Return a router with routes such as ``"GET /path"``."""
    router = web.UrlDispatcher()
    for route in routes:
        method, path = route.split(" ", 1)
        router.add_route(method, path, handler)
    return router


def found(router: web.UrlDispatcher, asked: str) -> str:
    """Return who answers, such as ``"/{a} {'a': '1'}"``; or the status, and methods of a 405."""
    method, target = asked.split(" ", 1)
    return told(router.match(make_mocked_request(method, target)))


def told(match_info: web.UrlMappingMatchInfo | None) -> str:
    """Return what ``found`` does."""
    assert match_info is not None
    exc = match_info.http_exception
    if isinstance(exc, web.HTTPMethodNotAllowed):
        return f"405 {', '.join(sorted(exc.allowed_methods))}"
    if exc is not None:
        return str(exc.status)
    resource = match_info.route.resource
    assert resource is not None
    return f"{resource.canonical} {dict(match_info) or ''}".rstrip()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("GET /", "/"),
        ("GET /?q=/a", "/"),
        ("GET http://example.org", "/"),
        ("GET http://example.org/users/me?q", "/users/me"),
        ("GET /users/me", "/users/me"),
        ("PUT /users/me", "/users/{name} {'name': 'me'}"),
        ("GET /users/tea", "/users/{name} {'name': 'tea'}"),
        ("GET /users/a%2Fb", "/users/{name} {'name': 'a/b'}"),
        ("GET /users/a%252Fb", "/users/{name} {'name': 'a%2Fb'}"),
        ("GET /users/", "/{tail} {'tail': 'users/'}"),
        ("GET /users%2Fme", "/{tail} {'tail': 'users/me'}"),
        ("GET /any", "/any"),
        ("BREW /any", "/any"),
        ("DELETE /users/me", "405 GET, PUT"),
        ("DELETE /", "405 GET"),
        ("POST /nowhere", "405 GET"),
    ],
)
def test_match(asked: str, expected: str) -> None:
    """The longest fixed beginning wins, then the order; methods that others have are told."""
    router = router_of(
        "GET /",
        "GET /{tail:.*}",
        "GET /users/{name}",
        "PUT /users/{name}",
        "GET /users/me",
        "* /any",
    )
    assert found(router, asked) == expected


def test_nobody_is_there() -> None:
    """What no path matches is 404."""
    assert found(router_of("GET /a", "GET /b/{c}"), "GET /nowhere") == "404"
    assert found(web.UrlDispatcher(), "GET /") == "404"


def test_an_earlier_pattern_hides_a_plain_path() -> None:
    """Among resources with the same fixed beginning the first wins, plain or not."""
    router = router_of("GET /a/{rest:.*}", "GET /a/")
    assert found(router, "GET /a/") == "/a/{rest} {'rest': ''}"


def test_an_escaped_question_mark_begins_no_query() -> None:
    """The path /a%3Fb is one thing, the query b of /a another one."""
    router = router_of("GET /a%3Fb", "GET /a")
    assert found(router, "GET /a%3Fb") == "/a?b"
    assert found(router, "GET /a?b") == "/a"
    assert list(router.plain) == ["/a"]


def test_a_path_may_have_two_resources() -> None:
    """With another name the same path is another resource; they complement each other."""
    router = web.UrlDispatcher()
    router.add_get("/a", handler, name="one")
    router.add_post("/a", handler, name="two")
    assert found(router, "POST /a") == "/a"
    assert found(router, "PUT /a") == "405 GET, HEAD, POST"


@pytest.mark.parametrize("path", ["/a/{b}", "/a b/c"])
def test_escapes_of_a_route_do_not_matter(path: str) -> None:
    """A route may be written escaped or not."""
    for written in (path, path.replace(" ", "%20")):
        router = router_of(f"GET {written}")
        assert found(router, f"GET {path.replace(' ', '%20').replace('{b}', 'x')}").startswith(path)


@pytest.mark.parametrize("count", [10, 1000])
def test_every_route_of_many_is_found(count: int) -> None:
    """Plain and dynamic, with a fixed beginning or without."""
    router = web.UrlDispatcher()
    for i in range(count):
        router.add_get(f"/plain{i}", handler)
        router.add_get(f"/thing{i}/{{id}}", handler)
        router.add_get(f"/{{tenant}}/of{i}/{{id}}", handler)
    for i in (0, count // 2, count - 1):
        assert found(router, f"GET /plain{i}") == f"/plain{i}"
        assert found(router, f"GET /thing{i}/7") == f"/thing{i}/{{id}} {{'id': '7'}}"
        assert found(router, f"GET /t/of{i}/7") == (
            f"/{{tenant}}/of{i}/{{id}} {{'tenant': 't', 'id': '7'}}"
        )


PIECES = st.sampled_from(["", "a", "b", "{x}", "{y}", "b{x}", "{y:.*}"])
ASKED = st.sampled_from(["", "a", "b", "c", "bc", "{x", "x}", "a%2Fb", "a%25"])


def _distinct(pieces: list[str]) -> bool:
    """Whether no parameter comes twice."""
    names = [name for piece in pieces for name in re.findall(r"{(\w+)", piece)]
    return len(names) == len(set(names))


def slowly_found(routes: list[tuple[str, list[str]]], method: str, path: str) -> str:
    """Return what ``found`` should, by trying all routes."""

    def beginning(route: tuple[str, list[str]]) -> int:
        """Return how many whole segments are fixed, of those that aren't empty at the end."""
        fixed = "/".join(takewhile(lambda piece: "{" not in piece, route[1])).rstrip("/")
        return len(fixed.split("/")) if fixed else 0

    allowed: set[str] = set()
    for each, pieces in sorted(routes, key=beginning, reverse=True):
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^{}/]+)", "/" + "/".join(pieces))
        pattern = pattern.replace("{y:.*}", "(?P<y>.*)")
        values = re.fullmatch(pattern, path)
        if values is not None and each == method:
            canonical = "/" + "/".join(pieces).replace(":.*", "")
            decoded = {name: unquote(value) for name, value in values.groupdict().items()}
            return f"{canonical} {decoded or ''}".rstrip()
        if values is not None:
            allowed.add(each)
    return f"405 {', '.join(sorted(allowed))}" if allowed else "404"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GET", "PUT"]),
            st.lists(PIECES, min_size=1, max_size=3).filter(_distinct),
        ),
        max_size=7,
        unique_by=lambda route: (route[0], *route[1]),
    ),
    st.lists(ASKED, min_size=1, max_size=3),
)
def test_short_ways_lead_where_the_long_one_does(
    routes: list[tuple[str, list[str]]], pieces: list[str]
) -> None:
    """Whichever way a route is found, it is the one that the rules say."""
    router = router_of(*(f"{method} /{'/'.join(each)}" for method, each in routes))
    path = f"/{'/'.join(pieces)}"
    request = make_mocked_request("GET", "/")
    assert told(router.match(request, path)) == slowly_found(routes, "GET", path)


def test_a_longer_beginning_wins_however_it_is_found(tmp_path: Path) -> None:
    """A prefix, and a plain path behind a pattern of the same beginning, come before {name}."""
    router = router_of("GET /{name}", "GET /a/{rest:.*}", "GET /a")
    router.add_static("/files", tmp_path)
    assert found(router, "GET /a") == "/a"
    assert found(router, "GET /files") == "/files {'filename': ''}"
    assert found(router, "GET /b") == "/{name} {'name': 'b'}"


def test_what_is_no_path_has_no_parameter() -> None:
    """The asterisk of OPTIONS is no value of {name}."""
    request = make_mocked_request("OPTIONS", "/")
    assert told(router_of("OPTIONS /{name}").match(request, "*")) == "404"


class Waiting(web.AbstractResource):
    """A resource that has to wait before it knows."""

    def __init__(self, route: web.AbstractRoute) -> None:
        super().__init__()
        self._route = route

    @property
    def canonical(self) -> str:
        """The path."""
        return "/waiting"

    def url_for(self, **kwargs: str) -> URL:
        """Return the path."""
        return URL("/waiting")

    def add_prefix(self, prefix: str) -> None:
        """Ignore it."""

    def get_info(self) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter((self._route,))

    async def resolve(self, request: web.BaseRequest) -> Outcome:
        """Find GET."""
        if request.method == "GET":
            return web.UrlMappingMatchInfo({"waited": "yes"}, self._route), {"GET"}
        return None, {"GET"}


async def test_a_resource_that_waits() -> None:
    """match() leaves it to resolve(), which asks everybody in the usual order."""
    router = router_of("GET /plain", "PUT /other")
    resource = Waiting(router.add_get("/route", handler))
    router.register_resource(resource)
    request = make_mocked_request("GET", "/waiting")
    assert router.match(request) is None
    assert await router.resolve(request) == {"waited": "yes"}
    assert router.match(make_mocked_request("GET", "/plain")) is not None
    refused = await router.resolve(make_mocked_request("POST", "/waiting"))
    assert isinstance(refused, MatchInfoError)
    assert refused.http_exception.status == 405
    nobody = await router.resolve(make_mocked_request("GET", "/nowhere"))
    assert repr(nobody) == "<MatchInfoError 404: Not Found>"


def test_the_same_path_is_one_resource() -> None:
    """Methods that are added one after the other share a resource."""
    router = web.UrlDispatcher()
    assert router.add_get("/a", handler).resource is router.add_post("/a", handler).resource
    router.add_get("/b", handler)
    assert router.add_resource("/a") is not router.add_resource("/b")


def test_add_get_brings_head_along() -> None:
    """HEAD is answered where GET is, unless that is not wanted."""
    router = web.UrlDispatcher()
    router.add_get("/a", handler)
    router.add_get("/b", handler, allow_head=False)
    assert found(router, "HEAD /a") == "/a"
    assert found(router, "HEAD /b") == "405 GET"


@pytest.mark.parametrize("method", sorted(hdrs.METH_ALL - {hdrs.METH_CONNECT, hdrs.METH_TRACE}))
def test_a_method_of_the_router_for_each_method(method: str) -> None:
    """add_get, add_post … name the method."""
    router = web.UrlDispatcher()
    route = getattr(router, f"add_{method.lower()}")("/a", handler, name="n")
    assert (route.method, route.name) == (method, "n")


def test_names() -> None:
    """As a mapping a router has the resources with a name."""
    router = web.UrlDispatcher()
    resource = router.add_resource("/a", name="api.v1:users-list")
    router.add_resource("/b")
    assert dict(router) == {"api.v1:users-list": resource}
    assert router.named_resources() == dict(router)
    assert len(router) == 1
    assert "/a" not in router
    assert web.UrlDispatcher()
    with pytest.raises(ValueError, match=r"belongs to <PlainResource 'api.* already"):
        router.add_resource("/c", name="api.v1:users-list")


@pytest.mark.parametrize("name", ["", "a b", "1a", "a..b", ".a", "class", "a.class", "a/b"])
def test_a_name_has_to_be_one(name: str) -> None:
    """Identifiers, no keywords, with something between them."""
    with pytest.raises(ValueError, match="expected as name of a route Python identifiers"):
        web.UrlDispatcher().add_resource("/a", name=name)


def test_views_of_resources_and_routes() -> None:
    """All resources and routes, in the order of adding."""
    router = router_of("GET /a", "POST /a", "GET /{b}")
    resources, routes = router.resources(), router.routes()
    assert [each.canonical for each in resources] == ["/a", "/{b}"]
    assert [each.method for each in routes] == ["GET", "POST", "GET"]
    assert (len(resources), len(routes)) == (2, 3)
    assert next(iter(resources)) in resources
    assert next(iter(routes)) in routes
    assert object() not in routes
    assert repr(router) == "<UrlDispatcher 2 resources>"


def test_a_frozen_router_takes_nothing_more() -> None:
    """Whoever adds too late is told why."""
    router = router_of("GET /a")
    router.freeze()
    router.freeze()
    with pytest.raises(RuntimeError, match="<PlainResource /b> comes too late: the router is"):
        router.add_get("/b", handler)


def test_add_static(tmp_path: Path) -> None:
    """A directory is a resource with GET and HEAD."""
    router = web.UrlDispatcher()
    resource = router.add_static("/files", tmp_path, name="files")
    assert router["files"] is resource
    assert sorted(route.method for route in resource) == ["GET", "HEAD"]
    assert found(router, "GET /files/x") == "/files {'filename': 'x'}"


def test_add_prefix() -> None:
    """All paths get the prefix, and are found with it only."""
    router = router_of("GET /a", "GET /{b}/c", "GET ")
    router.add_prefix("/below")
    assert found(router, "GET /below/a") == "/below/a"
    assert found(router, "GET /below/x/c") == "/below/{b}/c {'b': 'x'}"
    assert found(router, "GET /below") == "/below"
    assert found(router, "GET /a") == "404"
