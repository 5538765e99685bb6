"""The middleware that finds a path spelled a little differently."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttp import web
from aiohttp.server.web.normalize import normalize_path_middleware
from aiohttp.test_utils import MemoryClient


async def handler(request: web.Request) -> web.Response:
    """Answer."""
    return web.Response(text=request.path)


async def asked(target: str, *paths: str, **options: Any) -> tuple[int, str | None]:
    """Return status and Location of the answer to a target."""
    app = web.Application(middlewares=[normalize_path_middleware(**options)])
    for path in paths:
        app.router.add_get(path, handler)
    async with MemoryClient(app) as client:
        response = await client.get(target)
    return response.status, response.headers.get("Location")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/plain", (200, None)),
        ("/slash/", (200, None)),
        ("/slash", (308, "/slash/")),
        ("/slash?a=%20b&c", (308, "/slash/?a=%20b&c")),
        ("//slash//", (308, "/slash/")),
        ("//slash", (308, "/slash/")),
        ("/plain/", (404, None)),
        ("/nowhere", (404, None)),
        ("/of/a%20b", (308, "/of/a%20b/")),
    ],
)
async def test_append_slash(target: str, expected: tuple[int, str | None]) -> None:
    """By default a slash is appended, and slashes are merged."""
    assert await asked(target, "/plain", "/slash/", "/of/{name}/") == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/plain/", (308, "/plain")),
        ("/plain//?a", (308, "/plain?a")),
        ("/slash/", (200, None)),
        ("//", (308, "/")),
    ],
)
async def test_remove_slash(target: str, expected: tuple[int, str | None]) -> None:
    """The other way round."""
    answer = await asked(target, "/plain", "/slash/", "/", append_slash=False, remove_slash=True)
    assert answer == expected


async def test_refused_request_is_not_redirected() -> None:
    """What is wrong with a request is told, also where another spelling would lead somewhere."""
    app = web.Application(middlewares=[normalize_path_middleware()])
    app.router.add_get("/slash/", handler)
    async with MemoryClient(app) as client:
        response = await client.get("/slash", headers={"Expect": "tea"})
    assert (response.status, "Location" in response.headers) == (417, False)


async def test_without_merging() -> None:
    """Several slashes may mean something."""
    assert await asked("/a//b", "/a/b", merge_slashes=False) == (404, None)
    assert await asked("/a//b", "/a/{rest:.*}/", merge_slashes=False) == (308, "/a//b/")


async def test_redirect_class() -> None:
    """Another class of redirects."""
    answer = await asked("/a", "/a/", redirect_class=web.HTTPMovedPermanently)
    assert answer == (301, "/a/")


def test_both_is_neither() -> None:
    """To append and to remove slashes would redirect for ever."""
    with pytest.raises(ValueError, match="expected append_slash or remove_slash, got both"):
        normalize_path_middleware(remove_slash=True)


async def test_in_an_application_below() -> None:
    """Below a prefix the redirect has the prefix."""
    inner = web.Application(middlewares=[normalize_path_middleware()])
    inner.router.add_get("/a/", handler)
    app = web.Application()
    app.add_subapp("/inner", inner)
    async with MemoryClient(app) as client:
        response = await client.get("/inner/a?b")
    assert (response.status, response.headers["Location"]) == (308, "/inner/a/?b")
