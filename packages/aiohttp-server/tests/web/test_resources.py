"""Resources: methods of a path, URLs, prefixes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from yarl import URL

from aiohttp import web
from aiohttp.server.web.pattern import Place
from aiohttp.server.web.resources import PrefixResource
from aiohttp.test_utils import make_mocked_request


async def handler(request: web.Request) -> web.Response:
    """Answer."""
    return web.Response(text=request.path)


def test_a_method_has_one_handler() -> None:
    """A second handler that would never be called is refused."""
    resource = web.UrlDispatcher().add_resource("/x")
    resource.add_route("GET", handler)
    with pytest.raises(RuntimeError, match="/x has a handler for GET already: one for GET would"):
        resource.add_route("get", handler)
    resource.add_route("*", handler)
    with pytest.raises(RuntimeError, match="/x has a handler for all methods already: one for PUT"):
        resource.add_route("PUT", handler)
    assert [route.method for route in resource] == ["GET", "*"]
    assert len(resource) == 2


async def test_resolve() -> None:
    """A resource says who answers, or which methods it has, or that it is another path."""
    resource = web.UrlDispatcher().add_resource("/x/{y}")
    route = resource.add_route("GET", handler)
    found, methods = await resource.resolve(make_mocked_request("GET", "/x/1?q"))
    assert found is not None
    assert (found.route, dict(found), set(methods)) == (route, {"y": "1"}, {"GET"})
    found, methods = await resource.resolve(make_mocked_request("PUT", "/x/1"))
    assert (found, set(methods)) == (None, {"GET"})
    found, methods = await resource.resolve(make_mocked_request("PUT", "/x"))
    assert (found, set(methods)) == (None, set())


def test_plain_resource() -> None:
    """A path without parameters: as people write it, and as URLs have it."""
    resource = web.UrlDispatcher().add_resource("/a b/ы%2F", name="n")
    assert isinstance(resource, web.PlainResource)
    assert resource.canonical == "/a b/ы%2F"
    assert resource.get_info() == {"path": "/a b/ы%2F"}
    assert resource.url_for() == URL("/a%20b/%D1%8B%2F", encoded=True)
    assert repr(resource) == "<PlainResource 'n' /a b/ы%2F>"
    with pytest.raises(TypeError, match="expected values for nothing"):
        resource.url_for(x="1")


def test_dynamic_resource() -> None:
    """A path with parameters tells its regular expression."""
    resource = web.UrlDispatcher().add_resource(r"/a/{b:\d+}")
    assert isinstance(resource, web.DynamicResource)
    info = resource.get_info()
    assert info["formatter"] == "/a/{b}"
    assert info["pattern"].fullmatch("/a/12")
    assert resource.url_for(b="12").raw_path == "/a/12"


def test_add_prefix() -> None:
    """A prefix becomes part of the path."""
    resource = web.UrlDispatcher().add_resource("/{b}")
    resource.add_prefix("/a b")
    assert resource.canonical == "/a b/{b}"
    assert resource.raw_match("/a b/{b}")
    assert str(resource.url_for(b="c")) == "/a%20b/c"


class Lookup(web.AbstractResource):
    """A resource of somebody's own."""

    @property
    def canonical(self) -> str:
        """The path."""
        return "/lookup/in-{where}/"

    def url_for(self, **kwargs: str) -> URL:
        """Return no URL worth having."""
        return URL("/lookup")

    def add_prefix(self, prefix: str) -> None:
        """Ignore it."""

    def get_info(self) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter(())


async def test_a_resource_of_ones_own() -> None:
    """The index takes its place from canonical; one that can't match says so."""
    resource = Lookup()
    assert resource.place == Place("/lookup", None)
    assert resource.raw_match("/lookup") is False
    with pytest.raises(NotImplementedError, match="Lookup has neither match"):
        await resource.resolve(make_mocked_request("GET", "/lookup"))


class Files(PrefixResource):
    """A prefix that can be made."""

    def url_for(self, **kwargs: str) -> URL:
        """Return the prefix."""
        return URL(self.canonical)

    def get_info(self) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter(())


@pytest.mark.parametrize(
    ("path", "rest"),
    [("/a b", ""), ("/a b/", "/"), ("/a b/c", "/c"), ("/a bc", None), ("/", None)],
)
def test_rest_of(path: str, rest: str | None) -> None:
    """A prefix is whole segments."""
    assert Files("/a%20b/").rest_of(path) == rest


def test_a_prefix_has_no_parameters() -> None:
    """What differs between requests is refused."""
    with pytest.raises(ValueError, match="a prefix that is the same for all requests"):
        Files("/{a}")
