"""Views: a method of the class for each method of HTTP."""

from __future__ import annotations

import pytest

from aiohttp import web
from aiohttp.test_utils import MemoryClient


class Tea(web.View):
    """Answers GET and POST, and has a method that nobody may call from outside."""

    async def get(self) -> web.Response:
        """Answer with the path's value."""
        return web.Response(text=f"tea of {self.request.match_info['leaf']}")

    async def post(self) -> web.Response:
        """Answer with the body."""
        return web.Response(text=await self.request.text(), status=201)

    async def brew(self) -> web.Response:
        """Be no method of HTTP."""
        raise AssertionError


def client() -> MemoryClient:
    """Return a client of an application with a view."""
    app = web.Application()
    app.router.add_view("/{leaf}", Tea)
    return MemoryClient(app)


async def test_the_method_of_the_request_is_called() -> None:
    """get for GET, post for POST."""
    async with client() as asked:
        assert (await asked.get("/mint")).text() == "tea of mint"
        response = await asked.post("/mint", data=b"hot")
        assert (response.status, response.text()) == (201, "hot")


async def test_head_is_answered_by_get() -> None:
    """RFC 9110, section 9.1: where there is GET, there is HEAD."""
    async with client() as asked:
        response = await asked.head("/mint")
    assert (response.status, response.headers["Content-Length"]) == (200, "11")


@pytest.mark.parametrize("method", ["PUT", "BREW", "brew", "_ANSWER", "__AWAIT__", "REQUEST"])
async def test_any_other_method_is_405(method: str) -> None:
    """Only what the registry knows is looked up by the name that a client sends."""
    async with client() as asked:
        response = await asked.request(method, "/mint")
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, POST")
