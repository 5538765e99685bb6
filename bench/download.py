"""What 100 MB cost a client: looked at in pieces of 64 KB, and kept as one ``bytes``.

Compared is the client's own processor time: over the loopback it is the sender
who bounds the MB/s of the best, and those are told beside it.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.contender import Contender, on_loops_we_have
from bench.figure import Figure, Goal, Sample
from bench.process import LOAD_CORE, ContenderFailed, Process
from bench.rounds import turns

if TYPE_CHECKING:
    from bench.__main__ import Options

__all__ = ["measure"]

SERVER = Contender("download server", "serve_download", "peer")
RAW = "recv_into, the limit"
CONTENDERS = (
    Contender(RAW, "fetch_raw", "limit", words=("asyncio",)),  # a loop runs it, no more
    Contender("ours", "fetch_ours", "ours", "asyncio"),
    Contender("aiohttp 3", "fetch_aiohttp3", "peer", "asyncio"),
    Contender("httpx", "fetch_httpx", "peer", "asyncio"),
    Contender("ours", "fetch_ours", "ours", "uvloop"),
    Contender("aiohttp 3", "fetch_aiohttp3", "peer", "uvloop"),
)
SIZE = 100_000_000
LOOPS = ("asyncio", "uvloop")
GOALS = {
    "iterate": tuple(Goal("aiohttp 3", loop, 2.0) for loop in LOOPS),
    "keep": tuple(
        Goal(peer, loop, at_least)
        for loop in LOOPS
        for peer, at_least in (("aiohttp 3", 1.1), (RAW, 0.9))
    ),
}


def measure(options: Options) -> list[Figure]:
    """Return two figures: iterated, and kept."""
    titles = {
        "iterate": "100 MB download, iterated in pieces of 64 KB",
        "keep": "100 MB download, kept as bytes",
    }
    figures = {
        kind: Figure(title, "MB/CPU-s", also="MB/s", goals=GOALS[kind])
        for kind, title in titles.items()
        if options.wants(title)
    }
    contenders = on_loops_we_have(CONTENDERS) if figures else ()
    size = SIZE // 10 if options.quick else SIZE
    with ExitStack() as stack:
        server = stack.enter_context(Process(SERVER, LOAD_CORE))
        url = f"http://127.0.0.1:{server.hear()}/{size}"
        processes = {c: stack.enter_context(Process(c)) for c in contenders}
        _check(processes, url)
        jobs = [(kind, c) for kind in figures for c in contenders]
        for _, (kind, contender) in turns("download", jobs, options.rounds):
            spent = processes[contender].ask(kind, url)
            if spent["done"] != size:
                raise ContenderFailed(f"{contender.label}: {spent['done']} bytes of {size}")
            megabytes = size / 1e6
            samples = figures[kind].samples.setdefault(contender, [])
            samples.append(Sample(megabytes / spent["cpu"], megabytes / spent["seconds"]))
    return list(figures.values())


def _check(processes: dict[Contender, Process], url: str) -> None:
    """Make sure that all get the same bytes, in both ways."""
    answers: dict[str, list[int]] = {}
    for contender, process in processes.items():
        process.hear()
        answers[contender.label] = process.ask("digest", url)
    if len({digest for answer in answers.values() for digest in answer}) != 1:
        raise ContenderFailed(f"expected the same bytes everywhere, got checksums {answers}")
