"""What a small GET costs a server that has 5,000 connections, all of them at work."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.contender import Contender, on_loops_we_have
from bench.figure import CPU, Figure, Goal, Sample
from bench.process import LOAD_CORE, Process, allow_open_files
from bench.rounds import turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.__main__ import Options

__all__ = ["measure"]

MANY, FEW = 5_000, 64
LOOPS = ("asyncio", "uvloop")
CROWD = Contender("crowd", "crowd", "peer")
FEW_OF_OURS = f"ours, {FEW} connections"
KINDS = (
    ("canned bytes, the limit", "serve_canned", "limit", MANY),
    (f"canned bytes, {FEW} connections", "serve_canned", "limit", FEW),
    ("ours", "serve_web", "ours", MANY),
    (FEW_OF_OURS, "serve_web", "beside", FEW),
    ("aiohttp.web 3", "serve_web", "peer", MANY),
    (f"aiohttp.web 3, {FEW} connections", "serve_web", "peer", FEW),
)
CONNECTIONS = {name: count for name, _, _, count in KINDS}
CONTENDERS = tuple(
    Contender(name, module, role, loop, ("hello",))  # type: ignore[arg-type]
    for loop in LOOPS
    for name, module, role, _ in KINDS
)


def measure(options: Options) -> Iterator[Figure]:
    """Yield one figure. Those with few connections are processes of their own."""
    figure = Figure(
        f"server, small GET, {MANY:,} connections",
        "requests/s",
        also=CPU,
        goals=tuple(Goal(FEW_OF_OURS, loop, 1 / 1.3, by_cpu=True) for loop in LOOPS),
    )
    if not options.wants(figure.title):
        return
    allow_open_files(MANY + 100)
    contenders = on_loops_we_have(CONTENDERS)
    with ExitStack() as stack:
        processes = {c: stack.enter_context(Process(c)) for c in contenders}
        ports = {c: process.hear() for c, process in processes.items()}
        crowd = stack.enter_context(Process(CROWD, LOAD_CORE))
        crowd.hear()
        for _, contender in turns(figure.title, contenders, options.rounds, lambda c: c.label):
            crowd.ask("open", ports[contender], CONNECTIONS[contender.name])
            before = processes[contender].processor_seconds()
            seconds, done = crowd.ask("load", max(1, options.seconds))
            cpu = processes[contender].processor_seconds() - before
            crowd.ask("close")
            samples = figure.samples.setdefault(contender, [])
            samples.append(Sample(done / seconds, cpu / done * 1e6))
    yield figure
