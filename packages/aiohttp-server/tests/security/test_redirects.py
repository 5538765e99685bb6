"""Redirects of our own making never lead to another host."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from aiohttp import web
from aiohttp.server.web.normalize import normalize_path_middleware
from aiohttp.test_utils import MemoryClient

HOST = "example.org"


async def handler(request: web.Request) -> web.Response:
    """Answer."""
    return web.Response(text=request.path)


def is_elsewhere(location: str) -> bool:
    """Tell whether a browser would leave the host: it takes a backslash for a slash."""
    target = urljoin(f"http://{HOST}/x", location.replace("\\", "/"))
    return location.startswith("//") or urlsplit(target).hostname != HOST


@pytest.mark.parametrize("options", [{}, {"append_slash": False, "remove_slash": True}])
@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("path", ["/{name}", "/{name}/", "/{name}/{other}/", "/{rest:.*}/"])
@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/%2f..",
        "//evil.example",
        "//evil.example/",
        "///evil.example",
        "////evil.example//",
        "/\\evil.example",
        "/\\evil.example/",
        "\\\\evil.example",
        "/%5Cevil.example",
        "/%2Fevil.example",
        "/%2F/evil.example/",
        "//evil.example?//x",
        "http://evil.example//evil.example",
    ],
)
async def test_normalize_path(target: str, path: str, merge: bool, options: dict[str, Any]) -> None:
    """CVE-2021-21330: a path of two slashes was a Location that names another host."""
    middleware = normalize_path_middleware(merge_slashes=merge, **options)
    app = web.Application(middlewares=[middleware])
    app.router.add_get(path, handler)
    async with MemoryClient(app, host=HOST) as client:
        answer = await client.raw(f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    head = answer.decode("latin-1").partition("\r\n\r\n")[0]
    locations = [line[10:] for line in head.split("\r\n") if line.lower().startswith("location: ")]
    assert not any(map(is_elsewhere, locations)), locations


@pytest.mark.parametrize("name", ["/evil.example", "//evil.example", "\\evil.example", "\\/x"])
@pytest.mark.parametrize("path", ["/{name}", "/{name:.*}", "/{name:.*}/x"])
def test_url_for(path: str, name: str) -> None:
    """Nor does a URL that is made of a value."""
    assert not is_elsewhere(str(web.UrlDispatcher().add_resource(path).url_for(name=name)))
