"""What a server has done, as Prometheus asks for it; off until a program adds it."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeAlias

from aiohttp.protocol import Books, Exchange

if TYPE_CHECKING:
    from .web.application import Application
    from .web.request import Request
    from .web.response import Response

__all__ = ["Metrics"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
CLIENT_LEFT: Final = 499
"""The status of a request whose client left before it was answered, as in the access log."""

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# Others count as one: each label is kept for ever, and a client may make up methods.
_METHODS: Final = frozenset({
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
})  # fmt: skip

_Sample: TypeAlias = tuple[str, float]
"""What stands behind a metric's name, such as labels, and the value."""


class Metrics:
    """Counts the exchanges of an application, and tells a Prometheus server of them.

    ::

        app.router.add_get("/metrics", web.Metrics(app).handler)

    Counted are requests by method and status, refused and abandoned ones included; the
    seconds from a request's head to the end of its response; and what the server's books
    say of connections, bytes and limits. Each process counts for itself: with several,
    let each be asked on an address of its own.

    Args:
        app: one that has not started, and is not below another one.
        buckets: upper bounds of durations, in seconds, in ascending order.

    Raises:
        RuntimeError: if the application has started.
        ValueError: if the buckets aren't in ascending order.
    """

    def __init__(self, app: Application, *, buckets: Sequence[float] = _BUCKETS) -> None:
        if sorted({*buckets}) != [*buckets]:
            raise ValueError(f"expected bounds in ascending order, got {buckets!r}")
        self._bounds = tuple(map(float, buckets))
        self._durations = [0] * (len(self._bounds) + 1)
        self._seconds = 0.0
        self._requests: Counter[tuple[str, int]] = Counter()
        app.exchange_observers.append(self.observe)

    def __repr__(self) -> str:
        return f"<Metrics of {self._requests.total()} requests>"

    def observe(self, exchange: Exchange) -> None:
        """Count an exchange that is over."""
        seconds = time.monotonic() - exchange.started
        method = exchange.head.method
        label = method if method in _METHODS else "other"
        self._requests[label, exchange.response_status or CLIENT_LEFT] += 1
        self._durations[bisect_left(self._bounds, seconds)] += 1
        self._seconds += seconds

    async def handler(self, request: Request) -> Response:
        """Answer with the counts, in Prometheus' text format 0.0.4."""
        from .web.response import Response

        return Response(
            body=self.text(request.exchange.books).encode(),
            headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"},
        )

    def text(self, books: Books) -> str:
        """Return the counts and what the books of a server say, as lines."""
        return "".join([*self._own_lines(), *_lines_of(books)])

    def _own_lines(self) -> Iterator[str]:
        yield from _metric(
            "requests_total",
            "counter",
            "Requests whose response is over, by method and status.",
            (
                (f'{{method="{method}",status="{status}"}}', count)
                for (method, status), count in sorted(self._requests.items())
            ),
        )
        counts = list(accumulate(self._durations))
        bounds = [*map(_number, self._bounds), "+Inf"]
        buckets = zip(bounds, counts, strict=True)
        yield from _metric(
            "request_duration_seconds",
            "histogram",
            "From a request's head to the end of its response.",
            (
                *((f'_bucket{{le="{bound}"}}', count) for bound, count in buckets),
                ("_sum", self._seconds),
                ("_count", counts[-1]),
            ),
        )


def _lines_of(books: Books) -> Iterator[str]:
    is_open = books.connections - books.disconnections
    for name, kind, told, value in (
        ("connections", "gauge", "Connections that are open.", is_open),
        ("connections_total", "counter", "Connections accepted.", books.connections),
        ("received_bytes_total", "counter", "Bytes from clients.", books.bytes_received),
        ("sent_bytes_total", "counter", "Bytes to clients.", books.bytes_sent),
    ):
        yield from _metric(name, kind, told, [("", value)])
    yield from _metric(
        "limits_hit_total",
        "counter",
        "Clients that went beyond a limit, or broke a rule, by its name.",
        ((f'{{limit="{name}"}}', count) for name, count in sorted(books.limits_hit.items())),
    )


def _metric(name: str, kind: str, told: str, samples: Iterable[_Sample]) -> Iterator[str]:
    """Yield a metric's lines. No label needs escaping: none is a client's own word."""
    yield f"# HELP aiohttp_server_{name} {told}\n# TYPE aiohttp_server_{name} {kind}\n"
    for suffix, value in samples:
        yield f"aiohttp_server_{name}{suffix} {_number(value)}\n"


def _number(value: float) -> str:
    """Return a number as Go reads it."""
    return str(value) if isinstance(value, int) else repr(float(value)).removesuffix(".0")
