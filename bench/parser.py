"""How long a parser takes for one head, with everything built that a server or client needs."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.contender import Contender
from bench.figure import Figure, Goal, Sample
from bench.process import ContenderFailed, Process
from bench.rounds import turns

if TYPE_CHECKING:
    from bench.__main__ import Options

__all__ = ["measure"]

CONTENDERS = (
    Contender("ours, plain Python", "parse_ours", "ours"),
    Contender("aiohttp 3, C", "parse_aiohttp3", "peer"),
    Contender("httptools, C", "parse_httptools", "peer"),
    Contender("h11, plain Python", "parse_h11", "peer"),
)
DIRECTIONS = {"request": "browser request", "response": "response"}
KINDS = {
    "cold": "never seen before",
    "rotated": "1,000 in rotation",
    "repeated": "one repeated",
}
GOALS = (Goal("aiohttp 3, C", "", 1.0),)


def measure(options: Options) -> list[Figure]:
    """Return six figures: each direction with heads that are new, in rotation, and repeated."""
    figures = {
        (direction, kind): Figure(
            f"{whose} of 12 fields, {how}",
            "µs",
            more_is_better=False,
            goals=GOALS if (direction, kind) == ("request", "rotated") else (),
        )
        for direction, whose in DIRECTIONS.items()
        for kind, how in KINDS.items()
    }
    with ExitStack() as stack:
        processes = {c: stack.enter_context(Process(c)) for c in CONTENDERS}
        _check(processes)
        count = 2_000 if options.quick else 10_000
        jobs = [(key, c) for key in figures for c in CONTENDERS]
        for turn, ((direction, kind), contender) in turns("parser", jobs, options.rounds):
            # h11 takes ten times as long as the others; fewer heads will do for it.
            heads = count // 10 if contender.module == "parse_h11" else count
            seconds = processes[contender].ask("run", direction, kind, heads, turn)
            microseconds = seconds / heads * 1e6
            samples = figures[direction, kind].samples.setdefault(contender, [])
            samples.append(Sample(microseconds))
    return list(figures.values())


def _check(processes: dict[Contender, Process]) -> None:
    """Make sure that all understand a thousand heads of each direction alike."""
    answers: dict[str, object] = {}
    for contender, process in processes.items():
        process.hear()
        answers[contender.label] = process.ask("check")
    if len({str(answer) for answer in answers.values()}) > 1:
        raise ContenderFailed(f"the parsers understand the same heads differently: {answers}")
