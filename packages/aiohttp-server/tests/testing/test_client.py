"""``TestClient``: a session that asks a test server by path."""

from __future__ import annotations

import subprocess
import sys

import pytest
from yarl import URL

from aiohttp.protocol import Exchange
from aiohttp.test_utils import TestClient, TestServer
from served import Application


async def echo(exchange: Exchange) -> None:
    """Answer with method, target and cookies, and set a cookie."""
    head = exchange.head
    text = f"{head.method} {head.target} {head.headers.get('Cookie', '-')}"
    await exchange.respond(200, [("Set-Cookie", "seen=1"), ("X-Asked", text)], text.encode())


async def test_application_is_served_and_asked() -> None:
    """A client of an application starts a server for it, and asks it by path."""
    app = Application(echo)
    async with TestClient(app, headers={"X-Mine": "1"}) as client:
        assert client.app is app
        assert client.port is not None
        assert client.make_url("/a") == URL(f"http://127.0.0.1:{client.port}/a")
        async with client.get("/a?b=c") as response:
            assert await response.text() == "GET /a?b=c -"
        response = await client.request("REPORT", "/")
        assert response.request_info.headers["X-Mine"] == "1"
        assert await response.text() == "REPORT / seen=1"


@pytest.mark.parametrize("method", ["get", "post", "options", "head", "put", "patch", "delete"])
async def test_each_method_has_its_function(method: str) -> None:
    """A method's function asks by that method."""
    async with TestClient(Application(echo)) as client:
        response = await getattr(client, method)("/")
        assert response.headers["X-Asked"] == f"{method.upper()} / -"


async def test_server_can_be_given() -> None:
    """A client of a server starts that one, and closes it with itself."""
    server = TestServer(Application(echo))
    async with TestClient(server) as client:
        assert client.server is server
        assert server.started
        assert (client.scheme, client.host) == ("http", "127.0.0.1")
    assert server.closed
    assert client.session.closed
    await client.close()


async def test_server_that_cant_start_closes_its_client() -> None:
    """When the application fails to start, the session is closed, too."""

    class Failing(Application):
        async def startup(self) -> None:
            raise OSError("no database")

    client = TestClient(Failing(echo))
    with pytest.raises(OSError, match="no database"):
        await client.start_server()
    assert client.session.closed


def test_missing_client_is_told_with_the_command() -> None:
    """Where aiohttp-client is missing, only a TestClient needs it, and says so."""
    program = (
        "import sys; sys.modules['aiohttp.client'] = None\n"
        "from aiohttp.test_utils import MemoryClient, TestClient\n"
        "try: TestClient(object())\n"
        "except ImportError as exc: print(exc)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "TestClient needs aiohttp-client: pip install aiohttp-server[testing]\n"
