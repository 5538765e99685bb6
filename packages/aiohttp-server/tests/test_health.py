"""Health checks: alive as long as the loop turns, ready until the server is about to stop."""

from __future__ import annotations

import pytest

from aiohttp.server.health import livez, readyz
from aiohttp.server.web.application import Application
from served import Served, request


def checked() -> Served:
    """Return a server with both checks."""
    app = Application()
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    return Served(app.handle_exchange)


@pytest.mark.parametrize(("target", "text"), [("/livez", b"alive"), ("/readyz", b"ready")])
async def test_server_that_runs_is_alive_and_ready(target: str, text: bytes) -> None:
    """No cache may remember that."""
    answer = await checked().exchange(request(target))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nCache-Control: no-store\r\n" in answer
    assert answer.endswith(b"\r\n\r\n" + text + b"\n")


@pytest.mark.parametrize(
    ("target", "status", "text"), [("/livez", b"200", b"alive"), ("/readyz", b"503", b"stopping")]
)
async def test_server_that_stops_is_alive_but_not_ready(
    target: str, status: bytes, text: bytes
) -> None:
    """So that nobody restarts it, and nobody sends it requests."""
    served = checked()
    served.service.begin_drain()
    answer = await served.exchange(request(target))
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.endswith(b"\r\n\r\n" + text + b"\n")
