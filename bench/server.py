"""How many small GETs a server answers in a second, on one core, with wrk on the other."""

from __future__ import annotations

import http.client
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.contender import Contender, on_loops_we_have
from bench.figure import CPU, Figure, Goal, Sample
from bench.process import ContenderFailed, Process
from bench.rounds import turns
from bench.wrk import load

if TYPE_CHECKING:
    from bench.__main__ import Options

__all__ = ["CONTENDERS", "check", "measure"]

CONNECTIONS = 64
DEPTH = 16
CANNED = "canned bytes, the limit"
CONTENDERS = (
    Contender(CANNED, "serve_canned", "limit", "asyncio"),
    Contender("ours", "serve_ours", "ours", "asyncio"),
    Contender("aiohttp.web 3", "serve_aiohttp3", "peer", "asyncio"),
    Contender("uvicorn, httptools", "serve_uvicorn", "peer", "asyncio"),
    Contender(CANNED, "serve_canned", "limit", "uvloop"),
    Contender("ours", "serve_ours", "ours", "uvloop"),
    Contender("aiohttp.web 3", "serve_aiohttp3", "peer", "uvloop"),
    Contender("uvicorn, httptools", "serve_uvicorn", "peer", "uvloop"),
)
GOALS = tuple(
    Goal(peer, loop, at_least)
    for loop in ("asyncio", "uvloop")
    for peer, at_least in (("aiohttp.web 3", 2.0), (CANNED, 0.45))
)


def measure(options: Options) -> list[Figure]:
    """Return two figures: one request under way on each connection, and sixteen."""
    figures = {
        1: Figure(
            f"server, small GET, {CONNECTIONS} connections",
            "requests/s",
            also=CPU,
            goals=GOALS,
        ),
        DEPTH: Figure(
            f"server, small GET, {CONNECTIONS} connections, {DEPTH} requests at once on each",
            "requests/s",
            also=CPU,
        ),
    }
    contenders = on_loops_we_have(CONTENDERS)
    with ExitStack() as stack:
        processes = {c: stack.enter_context(Process(c)) for c in contenders}
        ports = {c: process.hear() for c, process in processes.items()}
        for contender, port in ports.items():
            check(contender, port)
        jobs = [(depth, c) for depth in figures for c in contenders]
        for _, (depth, contender) in turns("server", jobs, options.rounds):
            process = processes[contender]
            before = process.processor_seconds()
            done = load(
                ports[contender],
                contender.label,
                connections=CONNECTIONS,
                seconds=options.seconds,
                depth=depth,
            )
            cpu = (process.processor_seconds() - before) / done.requests * 1e6
            samples = figures[depth].samples.setdefault(contender, [])
            samples.append(Sample(done.requests / done.seconds, cpu))
    return list(figures.values())


def check(contender: Contender, port: int) -> None:
    """Make sure that a server answers rightly, twice on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    for _ in range(2):
        connection.request("GET", "/")
        response = connection.getresponse()
        answer = (response.status, response.read(), response.will_close)
        expected = (200, b"Hello, world", False)
        if answer != expected:
            raise ContenderFailed(f"{contender.label}: expected {expected}, got {answer}")
        if response.getheader("Date") is None:
            raise ContenderFailed(f"{contender.label}: expected a Date in its answer")
    connection.close()
