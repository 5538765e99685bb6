"""How many requests a server answers in a second, on one core, with wrk on the other.

Small GETs, a browser's requests, uploads, pipelines, and few and many routes; then
what ``bench.sending`` and ``bench.crowd`` measure.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import crowd, sending
from bench.contender import Contender, on_loops_we_have
from bench.figure import CPU, Figure, Goal, Sample
from bench.heads import request_heads
from bench.page import ITEMS
from bench.process import ContenderFailed, Process
from bench.rounds import turns
from bench.wrk import load, write_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.__main__ import Options

__all__ = [
    "AIOHTTP",
    "CANNED",
    "CONNECTIONS",
    "CONTENDERS",
    "HELLO",
    "LOOPS",
    "Row",
    "check",
    "measure",
    "measure_row",
]

CONNECTIONS = 64
DEPTH = 16
LOOPS = ("asyncio", "uvloop")
AIOHTTP = "aiohttp.web 3"
CANNED = "canned bytes, the limit"
UVICORN = "uvicorn, httptools"
GRANIAN = "granian, Rust, RSGI"
TEN = "ours, 10 routes"
BROWSER = "server, a browser's GET with 12 fields: path parameter, middleware; JSON"

HELLO = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
BODY = b"x" * 65536
UPLOAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
NAMES = 5_000
"""Heads of which no two are alike: more of them than anybody might remember."""


def _web(*words: str, loops: tuple[str, ...] = LOOPS) -> tuple[Contender, ...]:
    """Return ours and aiohttp 3, which run the same program."""
    return tuple(
        Contender(name, "serve_web", role, loop, words)  # type: ignore[arg-type]
        for loop in loops
        for name, role in (("ours", "ours"), (AIOHTTP, "peer"))
    )


def _others(*others: tuple[str, str, str]) -> tuple[Contender, ...]:
    return tuple(
        Contender(name, module, role, loop)  # type: ignore[arg-type]
        for loop in LOOPS
        for name, module, role in others
    )


CONTENDERS = (
    *_web("hello"),
    *_others(
        (CANNED, "serve_canned", "limit"),
        ("ours, exchanges alone", "serve_exchange", "beside"),
        (UVICORN, "serve_uvicorn", "peer"),
    ),
)


def _goals(*goals: tuple[str, float]) -> tuple[Goal, ...]:
    return tuple(Goal(peer, loop, at_least) for loop in LOOPS for peer, at_least in goals)


def _browser(_contender: Contender) -> list[bytes]:
    """Return what many browsers ask for: an item each."""
    return [
        re.sub(rb"^GET \S+", b"GET /items/%08x" % number, head)
        for number, head in enumerate(request_heads(2014, NAMES))
    ]


def _routes(contender: Contender) -> list[bytes]:
    """Return requests for all routes in turn, of which no two are alike."""
    kind, count = contender.words
    path = {"fixed": "/section{}/page?number={}", "named": "/section{}/{}/page"}[kind]
    targets = (path.format(number * 7 % int(count), number) for number in range(NAMES))
    return [f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() for target in targets]


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        requests: what a contender is asked, one after the other.
        answer: the body of the first answer.
        depth: how many requests are under way on each connection.
    """

    title: str
    contenders: tuple[Contender, ...]
    goals: tuple[Goal, ...]
    requests: Callable[[Contender], list[bytes]] = lambda _: [HELLO]
    answer: bytes = b"Hello, world"
    depth: int = 1


def _row_of_routes(kind: str, paths: str) -> Row:
    return Row(
        f"server, GET of one of 1,000 routes, {paths}",
        (
            *_web(kind, "1000", loops=("asyncio",)),
            Contender(TEN, "serve_web", "beside", "asyncio", (kind, "10")),
            Contender(f"{AIOHTTP}, 10 routes", "serve_web", "peer", "asyncio", (kind, "10")),
        ),
        (Goal(TEN, "asyncio", 0.95, by_cpu=True),),
        _routes,
    )


ROWS = (
    Row(
        f"server, small GET, {CONNECTIONS} connections",
        (*CONTENDERS, *_others((GRANIAN, "serve_granian", "peer"))),
        (*_goals((AIOHTTP, 2.2), (GRANIAN, 1.15), (CANNED, 0.45)), Goal(UVICORN, "uvloop", 1.7)),
    ),
    Row(
        f"server, small GET, {CONNECTIONS} connections, {DEPTH} requests at once on each",
        CONTENDERS,
        _goals((AIOHTTP, 3.0)),
        depth=DEPTH,
    ),
    Row(
        f"{BROWSER}, 2 KB by json_response",
        _web("item"),
        _goals((AIOHTTP, 1.7)),
        _browser,
        json.dumps({"name": "00000000", "items": ITEMS}).encode(),
    ),
    Row(
        f"{BROWSER}, 2 KB made beforehand",
        _web("made"),
        _goals((AIOHTTP, 1.7)),
        _browser,
        json.dumps(ITEMS).encode(),
    ),
    Row(
        "server, POST of 64 KB, which are read",
        _web("size"),
        _goals((AIOHTTP, 1.6)),
        lambda _: [UPLOAD],
        b"%d" % len(BODY),
    ),
    _row_of_routes("fixed", "all of fixed paths"),
    _row_of_routes("named", "each with a {name}"),
)


def measure(options: Options) -> Iterator[Figure]:
    """Yield one figure for each row, and those of whole bodies and of many connections."""
    for row in ROWS:
        if options.wants(row.title):
            yield measure_row(row, options)
    yield from sending.measure(options)
    yield from crowd.measure(options)


def measure_row(row: Row, options: Options) -> Figure:
    """Return how many requests each contender of a row answers in a second."""
    figure = Figure(row.title, "requests/s", also=CPU, goals=row.goals)
    contenders = on_loops_we_have(row.contenders)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        processes = {c: stack.enter_context(Process(c)) for c in contenders}
        ports = {c: process.hear() for c, process in processes.items()}
        files: dict[Contender, Path] = {}
        for number, (contender, port) in enumerate(ports.items()):
            requests = row.requests(contender)
            check(contender.label, port, requests[0], row.answer)
            files[contender] = folder / str(number)
            write_requests(files[contender], requests, row.depth)
        for _, contender in turns(row.title, contenders, options.rounds, lambda c: c.label):
            process = processes[contender]
            before = process.processor_seconds()
            done = load(
                ports[contender],
                contender.label,
                files[contender],
                connections=CONNECTIONS,
                seconds=options.seconds,
            )
            cpu = (process.processor_seconds() - before) / done.requests * 1e6
            samples = figure.samples.setdefault(contender, [])
            samples.append(Sample(done.requests / done.seconds, cpu))
    return figure


def check(whom: str, port: int, request: bytes, body: bytes) -> None:
    """Make sure that a server answers rightly, twice on one connection."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        for _ in range(2):
            connection.sendall(request)
            response = http.client.HTTPResponse(connection)
            try:
                response.begin()
                answer = (response.status, response.read(), response.will_close)
            except (OSError, http.client.HTTPException) as exc:
                raise ContenderFailed(f"{whom}: expected an answer, got {exc!r}") from exc
            if answer != (200, body, False):
                raise ContenderFailed(f"{whom}: expected 200 and {body!r}, got {answer}")
            if response.getheader("Date") is None:
                raise ContenderFailed(f"{whom}: expected a Date in its answer")
