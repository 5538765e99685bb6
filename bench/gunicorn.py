"""What our worker makes of gunicorn: a small GET of each kind of application, and what blocks.

One worker each, under the same gunicorn. Peers run as their users install them; gunicorn's
own workers also with its parser in C, which is an extra of it.
"""

from __future__ import annotations

import http.client
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from bench.contender import Contender, on_loops_we_have
from bench.figure import Bound, Figure, Goal, Sample
from bench.process import ContenderFailed, Process
from bench.rounds import turns
from bench.server import CANNED, CONNECTIONS, HELLO, LOOPS, Row, check, measure_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.__main__ import Options

__all__ = ["measure"]

THREADS = 8
BARE = "ours, exchanges alone"
OURS = "aiohttp.worker.AsyncGunicornWorker"
UVICORN = "uvicorn-worker, httptools"
ASGI, ASGI_C = "gunicorn's asgi", "gunicorn's asgi, parser in C"
GTHREAD, GTHREAD_C = "gunicorn's gthread", "gunicorn's gthread, parser in C"
GRANIAN = "granian, Rust, WSGI"
AIOHTTP = "aiohttp 3's worker"


def _worker(
    name: str,
    worker: str,
    application: str,
    *,
    role: Literal["ours", "peer", "beside"] = "peer",
    loop: str = "",
    threads: int = 1,
    parser: str = "python",
) -> Contender:
    """Return gunicorn with one worker of this class."""
    words = (worker, parser, application, str(threads))
    return Contender(name, "serve_gunicorn", role, loop, words)  # type: ignore[arg-type]


def _ours(application: str, threads: int = 1) -> tuple[Contender, ...]:
    """Return our worker with this application, on both loops."""
    return tuple(
        _worker("ours", OURS, application, role="ours", loop=loop, threads=threads)
        for loop in LOOPS
    )


def _threaded(application: str) -> tuple[Contender, ...]:
    """Return who runs a WSGI application in threads; of the peers none has a loop to choose."""
    return (
        *_ours(application, THREADS),
        _worker(GTHREAD, "gthread", application, threads=THREADS),
        _worker(GTHREAD_C, "gthread", application, threads=THREADS, parser="fast"),
        Contender(GRANIAN, "serve_granian_wsgi", "peer", "", (application, str(THREADS))),
    )


BESIDE = (
    *(Contender(CANNED, "serve_canned", "limit", loop) for loop in LOOPS),  # type: ignore[arg-type]
    *(_worker(BARE, OURS, "exchanges", role="beside", loop=loop) for loop in LOOPS),
)
"""What every figure is seen against; the exchanges are behind gunicorn too."""

ROWS = (
    Row(
        f"gunicorn, ASGI, small GET, {CONNECTIONS} connections",
        (
            *BESIDE,
            *_ours("asgi"),
            _worker(UVICORN, "uvicorn_worker.UvicornWorker", "asgi", loop="uvloop"),
            *(_worker(ASGI, "asgi", "asgi", loop=loop) for loop in LOOPS),
            *(_worker(ASGI_C, "asgi", "asgi", loop=loop, parser="fast") for loop in LOOPS),
        ),
        (Goal(UVICORN, "uvloop", 1.4), *(Goal(ASGI, loop, 2.0) for loop in LOOPS)),
    ),
    Row(
        f"gunicorn, web.Application, small GET, {CONNECTIONS} connections",
        (
            *BESIDE,
            *_ours("web"),
            _worker(AIOHTTP, "aiohttp.GunicornWebWorker", "web", loop="asyncio"),
            _worker(AIOHTTP, "aiohttp.GunicornUVLoopWebWorker", "web", loop="uvloop"),
        ),
        tuple(Goal(AIOHTTP, loop, 2.0) for loop in LOOPS),
    ),
    Row(
        f"gunicorn, WSGI in {THREADS} threads, small GET, {CONNECTIONS} connections",
        (*BESIDE, *_threaded("wsgi")),
        tuple(
            Goal(peer, loop, at_least)
            for loop in LOOPS
            for peer, at_least in ((GTHREAD, 5.0), (GRANIAN, 0.6))
        ),
    ),
)


def measure(options: Options) -> Iterator[Figure]:
    """Yield one figure for each row, and that of requests that block."""
    for row in ROWS:
        if options.wants(row.title):
            yield measure_row(row, options)
    title = f"gunicorn, {THREADS} WSGI requests at once that block for a second each"
    if options.wants(title):
        yield _measure_blocking(title, options)


def _measure_blocking(title: str, options: Options) -> Figure:
    """Return how long all of them take together; few rounds: little else happens in them."""
    bounds = tuple(Bound(loop, 1.1) for loop in LOOPS)
    figure = Figure(title, "s", more_is_better=False, bounds=bounds)
    contenders = on_loops_we_have(_threaded("blocking"))
    with ExitStack() as stack:
        processes = {c: stack.enter_context(Process(c)) for c in contenders}
        ports = {c: process.hear() for c, process in processes.items()}
        for contender, port in ports.items():
            check(contender.label, port, HELLO, b"Hello, world")
        rounds = min(options.rounds, 3)
        for _, contender in turns(title, contenders, rounds, lambda c: c.label):
            seconds = _seconds_at_once(contender.label, ports[contender])
            figure.samples.setdefault(contender, []).append(Sample(seconds))
    return figure


def _seconds_at_once(whom: str, port: int) -> float:
    """Ask on as many connections as there are threads; return when the last answer has come."""
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
            for _ in range(THREADS)
        ]
        started = time.perf_counter()
        for connection in connections:
            connection.sendall(HELLO)
        for connection in connections:
            response = http.client.HTTPResponse(connection)
            response.begin()
            answer = (response.status, response.read())
            if answer != (200, b"Hello, world"):
                raise ContenderFailed(f"{whom}: expected 200 and a greeting, got {answer}")
        return time.perf_counter() - started
