"""What 100 MB cost a client: looked at in pieces of 64 KB, and kept as one ``bytes``.

Compared is the client's own processor time: over the loopback it is the sender
who bounds the MB/s of the best, and those are told beside it. Each turn has a
process of its own: whether memory comes from the heap or page by page from the
kernel decides more than the client does, and once a process has freed 100 MB it
comes from the heap for everybody.
"""

from __future__ import annotations

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
WARM_UP = 1_000_000
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
    with Process(SERVER, LOAD_CORE) as server:
        url = f"http://127.0.0.1:{server.hear()}/"
        _check(contenders, f"{url}{size}")
        jobs = [(kind, c) for kind in figures for c in contenders]
        for _, (kind, contender) in turns("download", jobs, options.rounds):
            sample = _take_turn(kind, contender, url, size)
            figures[kind].samples.setdefault(contender, []).append(sample)
    return list(figures.values())


def _take_turn(kind: str, contender: Contender, url: str, size: int) -> Sample:
    with Process(contender) as process:
        process.hear()
        process.ask(kind, f"{url}{WARM_UP}")
        spent = process.ask(kind, f"{url}{size}")
    if spent["done"] != size:
        raise ContenderFailed(f"{contender.label}: {spent['done']} bytes of {size}")
    megabytes = size / 1e6
    return Sample(megabytes / spent["cpu"], megabytes / spent["seconds"])


def _check(contenders: tuple[Contender, ...], url: str) -> None:
    """Make sure that all get the same bytes, in both ways."""
    answers: dict[str, list[int]] = {}
    for contender in contenders:
        with Process(contender) as process:
            process.hear()
            answers[contender.label] = process.ask("digest", url)
    if len({digest for answer in answers.values() for digest in answer}) > 1:
        raise ContenderFailed(f"expected the same bytes everywhere, got checksums {answers}")
