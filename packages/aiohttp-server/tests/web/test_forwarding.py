"""The middleware that believes trusted proxies."""

from __future__ import annotations

import pytest

from aiohttp.protocol import TrustedProxies
from aiohttp.server.testing import MemoryClient
from aiohttp.server.web.application import Application
from aiohttp.server.web.forwarding import forwarded_middleware
from aiohttp.server.web.request import Request
from aiohttp.server.web.response import Response
from aiohttp.server.web.stream_response import StreamResponse

FIELDS = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}


async def tell(request: Request) -> Response:
    """Answer with what is known of the client."""
    name = request.match_info["name"]
    url = f"{request.url.scheme}://{request.url.host}"
    return Response(text=f"{name} {request.remote} {request.scheme} {request.host} {url}")


async def stream(request: Request) -> StreamResponse:
    """Answer in parts."""
    response = StreamResponse()
    await response.prepare(request)
    await response.write(f"{request.remote}".encode())
    return response


def application(trusted: TrustedProxies | list[str]) -> Application:
    """Return an application that believes these proxies."""
    app = Application(middlewares=[forwarded_middleware(trusted)])
    app.router.add_get("/tell/{name}", tell)
    app.router.add_get("/stream", stream)
    return app


async def told(trusted: TrustedProxies | list[str], path: str = "/tell/me", **fields: str) -> str:
    """Return what a handler knows of a client behind a proxy of this machine."""
    async with MemoryClient(application(trusted), headers=FIELDS | fields) as client:
        return (await client.get(path)).text()


async def test_handler_sees_the_client_of_a_trusted_proxy() -> None:
    """By networks, or by what was made of them."""
    expected = "me 192.0.2.1 https localhost https://localhost"
    assert await told(["127.0.0.0/8"]) == expected
    assert await told(TrustedProxies(["127.0.0.1"])) == expected


async def test_handler_sees_the_peer_that_is_no_trusted_proxy() -> None:
    """Whatever it says."""
    assert await told(["10.0.0.0/8"]) == "me 127.0.0.1 http localhost http://localhost"


async def test_host_is_believed_where_the_proxy_writes_it() -> None:
    """And only there."""
    fields = {"X-Forwarded-Host": "shop.example"}
    assert "localhost" in await told(["127.0.0.1"], **fields)
    trusted = TrustedProxies(["127.0.0.1"], fields=["X-Forwarded-Host"])
    assert await told(trusted, **fields) == "me 127.0.0.1 http shop.example http://shop.example"


async def test_response_may_come_in_parts() -> None:
    """The request that a handler gets is good for all of its work."""
    assert await told(["127.0.0.1"], "/stream") == "192.0.2.1"


async def test_network_is_checked_when_the_program_starts() -> None:
    """Not when the first request comes."""
    with pytest.raises(ValueError, match="expected an address or a network"):
        forwarded_middleware(["localhost"])
