"""Routes: which handlers are taken, and what a route tells."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from functools import partial, wraps
from typing import Any

import pytest

from aiohttp import web
from aiohttp.server.web.routes import SystemRoute
from aiohttp.test_utils import make_mocked_request


async def handler(request: web.Request, *, extra: str = "") -> web.Response:
    """Answer with the path."""
    return web.Response(text=request.path + extra)


class CallableObject:
    """An object that is called like a handler."""

    async def __call__(self, request: web.Request) -> web.Response:
        return await handler(request)


class Kitchen:
    """Has a handler among its methods."""

    async def cook(self, request: web.Request) -> web.Response:
        """Answer."""
        return await handler(request)


def returns_awaitable(request: web.Request) -> Awaitable[web.Response]:
    """Be a handler that isn't async itself."""
    return handler(request)


@wraps(handler)
def decorated(request: web.Request) -> Awaitable[web.Response]:
    """Be what a plain decorator makes of a handler."""
    return handler(request)


def route_of(handler: Any, **options: Any) -> web.ResourceRoute:
    """Return a route with this handler."""
    return web.UrlDispatcher().add_resource("/x").add_route("GET", handler, **options)


@pytest.mark.parametrize(
    "good",
    [
        handler,
        partial(handler, extra=""),
        CallableObject(),
        Kitchen().cook,
        returns_awaitable,
        decorated,
    ],
)
async def test_what_returns_an_awaitable_is_a_handler(good: Any) -> None:
    """Async functions, methods, partials, objects, and what passes on their coroutine."""
    response = await route_of(good).handler(make_mocked_request("GET", "/x"))
    assert isinstance(response, web.Response)
    assert response.text == "/x"


def generator(request: web.Request) -> Iterator[str]:
    """Be no handler."""
    yield request.path


async def async_generator(request: web.Request) -> AsyncIterator[str]:
    """Be no handler."""
    yield request.path


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("text", "got 'text'"),
        (None, "got None"),
        (dict, "got the class dict"),
        (CallableObject, "got the class CallableObject"),
        (generator, "but generator is a generator"),
        (async_generator, "but async_generator is a generator"),
    ],
)
def test_what_is_no_handler_is_refused_at_once(bad: Any, message: str) -> None:
    """The mistake shows where it is made."""
    with pytest.raises(TypeError, match=r"an async function, or a subclass of web\.View") as caught:
        route_of(bad)
    assert message in str(caught.value)


async def test_a_forgotten_async_is_told() -> None:
    """A plain function that returns a response says what it lacks."""

    def forgetful(request: web.Request) -> web.Response:
        return web.Response(text=request.path)

    route = route_of(forgetful)
    with pytest.raises(TypeError, match=r"returned Response, .* is it 'async def forgetful'\?"):
        await route.handler(make_mocked_request("GET", "/x"))


@pytest.mark.parametrize("method", ["", "GE T", "GET\r\n", "*x y", "é"])
def test_a_method_has_to_be_a_token(method: str) -> None:
    """RFC 9110, section 9.1."""
    with pytest.raises(ValueError, match="expected a method such as 'GET'"):
        web.UrlDispatcher().add_route(method, "/", handler)


async def test_expect_handler() -> None:
    """An expect_handler may let a request go on, or answer it; it has to be async."""

    async def check(request: web.Request) -> web.Response | None:
        return None if "Authorization" in request.headers else web.Response(status=417)

    route = route_of(handler, expect_handler=check)
    refused = await route.handle_expect_header(make_mocked_request("GET", "/x"))
    assert refused is not None
    assert refused.status == 417
    allowed = make_mocked_request("GET", "/x", headers={"Authorization": "yes"})
    assert await route.handle_expect_header(allowed) is None
    with pytest.raises(TypeError, match="a coroutine function as expect_handler"):
        route_of(handler, expect_handler=print)


def test_what_a_route_tells() -> None:
    """A route knows its resource, with name, path and URL."""
    route = web.UrlDispatcher().add_route("get", "/x/{y}", handler, name="here")
    assert (route.method, route.name) == ("GET", "here")
    assert route.resource is not None
    assert route.resource.canonical == "/x/{y}"
    assert route.get_info() == route.resource.get_info()
    assert str(route.url_for(y="z")) == "/x/z"
    assert repr(route) == "<ResourceRoute [GET] <DynamicResource 'here' /x/{y}> -> handler>"


async def test_system_route() -> None:
    """The router's own answer has a status, but no resource and no URL."""
    exc = web.HTTPNotFound()
    route = SystemRoute(exc)
    assert (route.status, route.reason) == (404, "Not Found")
    assert (route.name, route.resource) == (None, None)
    assert route.get_info() == {"http_exception": exc}
    assert repr(route) == "<SystemRoute 404: Not Found>"
    with pytest.raises(web.HTTPNotFound):
        await route.handler(make_mocked_request("GET", "/"))
    with pytest.raises(RuntimeError, match="has no URL"):
        route.url_for()
