"""Match infos: values, route, and the applications on the way."""

from __future__ import annotations

import pytest

from aiohttp import web
from aiohttp.server.web.matchinfo import MatchInfoError, UrlMappingMatchInfo
from aiohttp.test_utils import make_mocked_request


async def handler(request: web.Request) -> web.Response:
    """Answer."""
    return web.Response(text=request.path)


def match_info() -> UrlMappingMatchInfo:
    """Return what a router finds."""
    router = web.UrlDispatcher()
    router.add_get("/{name}", handler)
    found = router.match(make_mocked_request("GET", "/tea"))
    assert found is not None
    return found


def test_values_and_route() -> None:
    """It is a dict of the path's values, and knows the route."""
    found = match_info()
    assert found == {"name": "tea"}
    assert found.handler is handler
    assert found.route.method == "GET"
    assert found.http_exception is None
    assert found.get_info()["formatter"] == "/{name}"
    assert repr(found) == (
        "<MatchInfo {'name': 'tea'}: <ResourceRoute [GET] <DynamicResource /{name}> -> handler>>"
    )


async def test_expect_handler_goes_on_by_default() -> None:
    """Without an expect_handler the request goes on."""
    assert await match_info().expect_handler(make_mocked_request("GET", "/tea")) is None


def test_apps_are_added_from_the_inside() -> None:
    """Each router on the way puts its application around those that are there."""
    inner, outer = web.Application(), web.Application()
    found = match_info()
    with pytest.raises(RuntimeError, match="no application has been added"):
        _ = found.current_app
    found.add_app(inner)
    found.add_app(outer)
    assert found.apps == (outer, inner)
    assert found.current_app is inner
    found.freeze()
    with pytest.raises(RuntimeError, match="is frozen"):
        found.add_app(outer)


def test_set_current_app() -> None:
    """The current application is another one inside of the block, and the old one after it."""
    inner, outer = web.Application(), web.Application()
    found = match_info()
    found.add_app(inner)
    found.add_app(outer)
    with pytest.raises(ZeroDivisionError), found.set_current_app(outer):
        assert found.current_app is outer
        _ = 1 // 0
    assert found.current_app is inner
    with pytest.raises(RuntimeError, match="expected one of"):
        found.set_current_app(web.Application())
    found.current_app = outer
    assert found.current_app is outer


async def test_match_info_error() -> None:
    """The router's own answer is raised by its handler."""
    gone = web.HTTPGone()
    found = MatchInfoError(gone)
    assert found.http_exception is gone
    assert repr(found) == "<MatchInfoError 410: Gone>"
    with pytest.raises(web.HTTPGone):
        await found.handler(make_mocked_request("GET", "/"))
