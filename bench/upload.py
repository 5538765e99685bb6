"""What it costs a client to send 100 MB: as one ``bytes``, and as an async generator gives them.

Compared is the client's own processor time, as with a download.
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

SERVER = Contender("upload server", "serve_upload", "peer")
RAW = "raw writes of 64 KB, the limit"
CONTENDERS = (
    Contender(RAW, "send_raw", "limit", "asyncio"),
    Contender("ours", "fetch_ours", "ours", "asyncio"),
    Contender("aiohttp 3", "fetch_aiohttp3", "peer", "asyncio"),
    Contender("pyreqwest, Rust", "fetch_pyreqwest", "peer", "asyncio"),
    Contender("httpx", "fetch_httpx", "peer", "asyncio"),
    Contender(RAW, "send_raw", "limit", "uvloop"),
    Contender("ours", "fetch_ours", "ours", "uvloop"),
    Contender("aiohttp 3", "fetch_aiohttp3", "peer", "uvloop"),
    Contender("pyreqwest, Rust", "fetch_pyreqwest", "peer", "uvloop"),
)
SIZE = 100_000_000
LOOPS = ("asyncio", "uvloop")
FIGURES = {
    "bytes": (
        "100 MB upload of bytes",
        tuple(Goal("aiohttp 3", loop, 3.0) for loop in LOOPS),
    ),
    "pieces": (
        "100 MB upload of an async generator, in pieces of 64 KB",
        tuple(Goal(RAW, loop, 0.95) for loop in LOOPS),  # level, but for the chunks' framing
    ),
}


def measure(options: Options) -> list[Figure]:
    """Return two figures: bytes, and an async generator."""
    figures = {
        kind: Figure(title, "MB/CPU-s", also="MB/s", goals=goals)
        for kind, (title, goals) in FIGURES.items()
        if options.wants(title)
    }
    contenders = on_loops_we_have(CONTENDERS) if figures else ()
    size = SIZE // 10 if options.quick else SIZE
    with ExitStack() as stack:
        server = stack.enter_context(Process(SERVER, LOAD_CORE))
        url = f"http://127.0.0.1:{server.hear()}/"
        processes = {c: stack.enter_context(Process(c)) for c in contenders}
        for process in processes.values():
            process.hear()
        jobs = [(kind, c) for kind in figures for c in contenders]
        _check([(kind, processes[c]) for kind, c in jobs], url)
        for _, (kind, contender) in turns("upload", jobs, options.rounds):
            spent = processes[contender].ask("upload", kind, f"{url}size/{size}", size)
            if spent["answer"] != f"{size}":
                raise ContenderFailed(f"{contender.label}: {spent['answer']} bytes of {size} came")
            megabytes = size / 1e6
            samples = figures[kind].samples.setdefault(contender, [])
            samples.append(Sample(megabytes / spent["cpu"], megabytes / spent["seconds"]))
    return list(figures.values())


def _check(jobs: list[tuple[str, Process]], url: str) -> None:
    """Make sure that all send the same bytes, in both ways."""
    size = 1_000_000
    came = {
        f"{process.label}, {kind}": process.ask("upload", kind, f"{url}checksum/{size}", size)[
            "answer"
        ]
        for kind, process in jobs
    }
    if len(set(came.values())) > 1:
        raise ContenderFailed(f"expected the same bytes from everybody, got checksums {came}")
