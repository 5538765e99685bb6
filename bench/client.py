"""How many small GETs a client makes in a second, from a server that costs next to nothing."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.contender import Contender, on_loops_we_have
from bench.figure import CPU, Figure, Goal, Sample
from bench.process import LOAD_CORE, ContenderFailed, Process
from bench.rounds import turns

if TYPE_CHECKING:
    from bench.__main__ import Options

__all__ = ["measure"]

SERVER = Contender("canned server", "serve_canned", "peer", "uvloop")
CANNED = "canned bytes, the limit"
CONTENDERS = (
    Contender(CANNED, "fetch_canned", "limit", "asyncio"),
    Contender("ours", "fetch_ours", "ours", "asyncio"),
    Contender("aiohttp 3", "fetch_aiohttp3", "peer", "asyncio"),
    Contender("pyreqwest, Rust", "fetch_pyreqwest", "peer", "asyncio"),
    Contender("httpx", "fetch_httpx", "peer", "asyncio"),
    Contender(CANNED, "fetch_canned", "limit", "uvloop"),
    Contender("ours", "fetch_ours", "ours", "uvloop"),
    Contender("aiohttp 3", "fetch_aiohttp3", "peer", "uvloop"),
    Contender("pyreqwest, Rust", "fetch_pyreqwest", "peer", "uvloop"),
)
GOALS = (Goal("aiohttp 3", "asyncio", 1.8), Goal("aiohttp 3", "uvloop", 2.5))


def measure(options: Options) -> list[Figure]:
    """Return two figures: one request at a time, and 32 at once."""
    figures = {
        1: Figure("client, small GET, one at a time", "requests/s", also=CPU),
        32: Figure("client, small GET, 32 at once", "requests/s", also=CPU, goals=GOALS),
    }
    contenders = on_loops_we_have(CONTENDERS)
    with ExitStack() as stack:
        server = stack.enter_context(Process(SERVER, LOAD_CORE))
        url = f"http://127.0.0.1:{server.hear()}/"
        processes = {c: stack.enter_context(Process(c)) for c in contenders}
        for process in processes.values():
            process.hear()
            if (answer := process.ask("get", url)) != [200, "Hello, world"]:
                raise ContenderFailed(f"{process.label}: expected 'Hello, world', got {answer}")
            process.ask("load", url, 32, 0.1)  # opens its connections
        jobs = [(at_once, c) for at_once in figures for c in contenders]
        for _, (at_once, contender) in turns("client", jobs, options.rounds):
            spent = processes[contender].ask("load", url, at_once, options.seconds)
            done = spent["done"]
            samples = figures[at_once].samples.setdefault(contender, [])
            samples.append(Sample(done / spent["seconds"], spent["cpu"] / done * 1e6))
    return list(figures.values())
