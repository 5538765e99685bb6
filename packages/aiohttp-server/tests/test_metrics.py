"""Metrics: what was counted, in a form that Prometheus reads."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import pytest

from aiohttp.protocol import Books, Service
from aiohttp.server.metrics import Metrics
from aiohttp.server.testing import MemoryClient
from aiohttp.server.web.application import Application
from aiohttp.server.web.request import Request
from aiohttp.server.web.response import Response
from served import Served, request, settle

LINE = re.compile(r'aiohttp_server_[a-z_]+(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? [0-9.e+-]+')


def samples(text: str) -> dict[str, float]:
    """Return the samples by name and labels, after a check of each line's grammar."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        if not line.startswith(("# HELP aiohttp_server_", "# TYPE aiohttp_server_")):
            assert LINE.fullmatch(line), line
            name, _, value = line.removeprefix("aiohttp_server_").partition(" ")
            found[name] = float(value)
    return found


@pytest.fixture
def app() -> Application:
    """An application that counts."""

    async def hello(request: Request) -> Response:
        return Response(text="hello")

    app = Application()
    app.router.add_get("/hello", hello)
    app.router.add_get("/metrics", Metrics(app).handler)
    return app


async def test_what_was_done_is_told(app: Application) -> None:
    """Requests by method and status, also refused ones; connections, bytes and limits."""
    async with MemoryClient(app) as client:
        for _ in range(3):
            await client.get("/hello")
        await client.get("/missing")
        await client.request("BREW", "/hello")
        await client.raw(b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        response = await client.get("/metrics")
        books = client.books
        expected = (books.bytes_received, books.bytes_sent)
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples(response.text())
    assert found['requests_total{method="GET",status="200"}'] == 3
    assert found['requests_total{method="GET",status="404"}'] == 1
    assert found['requests_total{method="other",status="405"}'] == 1
    assert found['requests_total{method="other",status="414"}'] == 1
    assert found['limits_hit_total{limit="line"}'] == 1
    assert found["connections_total"] == 2
    assert found["connections"] == 1
    assert found["received_bytes_total"] == expected[0]
    assert found["sent_bytes_total"] < expected[1]
    assert found["request_duration_seconds_count"] == 6
    assert found['request_duration_seconds_bucket{le="+Inf"}'] == 6


async def test_durations_fall_into_buckets(app: Application) -> None:
    """Each counts all that are not longer than its bound."""
    metrics = Metrics(app, buckets=(0.1, 1, 2.5))
    now = asyncio.get_running_loop().time()
    for seconds in (0.05, 0.5, 0.6, 2, 60):
        exchange: Any = SimpleNamespace(
            head=SimpleNamespace(method="GET"), response_status=200, started=now - seconds
        )
        metrics.observe(exchange)
    found = samples(metrics.text(Books()))
    assert {
        bound: found[f'request_duration_seconds_bucket{{le="{bound}"}}']
        for bound in ("0.1", "1", "2.5", "+Inf")
    } == {"0.1": 1, "1": 3, "2.5": 4, "+Inf": 5}
    assert found["request_duration_seconds_sum"] == pytest.approx(63.15, abs=0.5)
    assert repr(metrics) == "<Metrics of 5 requests>"


async def test_client_that_left_is_counted() -> None:
    """As 499, as in the access log."""
    app = Application()
    metrics = Metrics(app)

    async def wait(request: Request) -> Response:
        await asyncio.Event().wait()
        return Response()

    app.handler_cancellation = True
    app.router.add_get("/wait", wait)
    served = Served(service=Service(app))
    served.client.feed(request("/wait"))
    await settle()
    served.client.lose()
    await settle(20)
    found = samples(metrics.text(served.service.books))
    assert found['requests_total{method="GET",status="499"}'] == 1
    assert found["connections"] == 0


def test_metrics_come_before_the_start(app: Application) -> None:
    """Afterwards nobody would call them."""
    app.freeze()
    with pytest.raises(RuntimeError, match="frozen"):
        Metrics(app)


@pytest.mark.parametrize("buckets", [(1, 0.5), (1, 1)])
def test_buckets_must_ascend(app: Application, buckets: tuple[float, ...]) -> None:
    """Or they would count nothing."""
    with pytest.raises(ValueError, match="expected bounds in ascending order"):
        Metrics(app, buckets=buckets)
