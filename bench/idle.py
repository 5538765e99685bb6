"""What an idle kept-alive connection costs a server in memory, once it has made a request."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench.contender import on_loops_we_have
from bench.figure import Bound, Figure, Goal, Sample
from bench.process import ContenderFailed, Process, allow_open_files
from bench.rounds import turns
from bench.server import CONTENDERS, HELLO, check

if TYPE_CHECKING:
    from bench.__main__ import Options
    from bench.contender import Contender

__all__ = ["measure"]

CONNECTIONS = 2_000
LOOPS = ("asyncio", "uvloop")
GOALS = tuple(Goal("aiohttp.web 3", loop, 1.0) for loop in LOOPS)


def measure(options: Options) -> list[Figure]:
    """Return one figure, from processes that are fresh in every round."""
    figure = Figure(
        f"memory of a server for each of {CONNECTIONS:,} idle connections",
        "KiB",
        more_is_better=False,
        goals=GOALS,
        bounds=tuple(Bound(loop, 4.0) for loop in LOOPS),
    )
    if not options.wants(figure.title):
        return []
    allow_open_files(2 * CONNECTIONS + 100)
    rounds = min(options.rounds, 3)
    for _, contender in turns("idle", on_loops_we_have(CONTENDERS), rounds):
        samples = figure.samples.setdefault(contender, [])
        samples.append(Sample(_kib_of_a_connection(contender)))
    return [figure]


def _kib_of_a_connection(contender: Contender) -> float:
    """Return how much a fresh server grows, divided by what it grows for."""
    with ExitStack() as stack:
        process = stack.enter_context(Process(contender))
        port = process.hear()
        check(contender.label, port, HELLO, b"Hello, world")
        before = _proportional_set_size(process.pid)
        for _ in range(CONNECTIONS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
            client.sendall(HELLO)
            if not client.recv(4096).startswith(b"HTTP/1.1 200 "):
                raise ContenderFailed(f"{contender.label}: expected 200")
        return (_proportional_set_size(process.pid) - before) / CONNECTIONS


def _proportional_set_size(pid: int) -> int:
    """Return the memory of a process in KiB; what it shares counts in proportion."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except FileNotFoundError:
        raise ContenderFailed("the memory of a process is known on Linux only") from None
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise ContenderFailed(f"expected a line Pss in {rollup}")
