"""How long a fresh process takes to import a client, ready for its first request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.contender import Contender
from bench.figure import Figure, Goal, Sample
from bench.process import Process
from bench.rounds import turns

if TYPE_CHECKING:
    from bench.__main__ import Options

__all__ = ["measure"]

CONTENDERS = (
    Contender(
        "asyncio, ssl, multidict, yarl: the limit",
        "start",
        "limit",
        words=("import asyncio, ssl, multidict, yarl",),
    ),
    Contender("ours", "start", "ours", words=("import aiohttp; aiohttp.request",)),
    Contender("aiohttp 3", "start", "peer", words=("import aiohttp; aiohttp.request",)),
    Contender("pyreqwest, Rust", "start", "peer", words=("import pyreqwest.client",)),
    Contender("httpx", "start", "peer", words=("import httpx; httpx.AsyncClient",)),
)
GOALS = (Goal("aiohttp 3", "", 1 / 0.45),)


def measure(options: Options) -> list[Figure]:
    """Return one figure. A round is the best of several processes, the files being in memory."""
    figure = Figure(
        "client, import in a fresh process",
        "ms",
        more_is_better=False,
        also="modules",
        goals=GOALS,
    )
    if not options.wants(figure.title):
        return []
    for contender in CONTENDERS:
        _import(contender)  # compiles, and brings files into memory
    for _, contender in turns("start", CONTENDERS, options.rounds, lambda c: c.label):
        samples = [_import(contender) for _ in range(1 if options.quick else 5)]
        figure.samples.setdefault(contender, []).append(min(samples))
    return [figure]


def _import(contender: Contender) -> Sample:
    with Process(contender) as process:
        milliseconds, modules = process.hear()
        return Sample(milliseconds, modules)
