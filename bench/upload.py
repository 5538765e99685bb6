"""What it costs a client to send 100 MB: as one ``bytes``, and as an async generator gives them.

Compared is the client's own processor time, each turn in a process of its own,
as with a download.
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
WARM_UP = 1_000_000
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
    with Process(SERVER, LOAD_CORE) as server:
        url = f"http://127.0.0.1:{server.hear()}/"
        jobs = [(kind, c) for kind in figures for c in contenders]
        _check(contenders, url)
        for _, (kind, contender) in turns("upload", jobs, options.rounds):
            sample = _take_turn(kind, contender, url, size)
            figures[kind].samples.setdefault(contender, []).append(sample)
    return list(figures.values())


def _take_turn(kind: str, contender: Contender, url: str, size: int) -> Sample:
    with Process(contender) as process:
        process.hear()
        process.ask("upload", kind, f"{url}size/{WARM_UP}", WARM_UP)
        spent = process.ask("upload", kind, f"{url}size/{size}", size)
    if spent["answer"] != f"{size}":
        raise ContenderFailed(f"{contender.label}: {spent['answer']} bytes of {size} came")
    megabytes = size / 1e6
    return Sample(megabytes / spent["cpu"], megabytes / spent["seconds"])


def _check(contenders: tuple[Contender, ...], url: str) -> None:
    """Make sure that all send the same bytes, in both ways."""
    came: dict[str, list[str]] = {}
    for contender in contenders:
        with Process(contender) as process:
            process.hear()
            came[contender.label] = [
                process.ask("upload", kind, f"{url}checksum/{WARM_UP}", WARM_UP)["answer"]
                for kind in FIGURES
            ]
    if len({checksum for checksums in came.values() for checksum in checksums}) > 1:
        raise ContenderFailed(f"expected the same bytes from everybody, got checksums {came}")
