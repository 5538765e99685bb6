"""How many GETs a client makes in a second, from servers that cost next to nothing."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from bench.contender import Contender, on_loops_we_have
from bench.figure import CPU, Figure, Goal, Sample
from bench.page import RECORDS
from bench.process import LOAD_CORE, ContenderFailed, Process
from bench.rounds import turns

if TYPE_CHECKING:
    from bench.__main__ import Options

__all__ = ["measure"]

LOOPS = ("asyncio", "uvloop")
SERVERS = {
    "http://127.0.0.1": Contender("canned server", "serve_canned", "peer", "uvloop"),
    "https://127.0.0.1": Contender("canned server", "serve_canned", "peer", "uvloop", ("tls",)),
    # By name: aiohttp 3 keeps no cookies of hosts that are addresses.
    "http://localhost": Contender("server of pages", "serve_pages", "peer", "uvloop"),
}
CANNED = "canned bytes, the limit"
CLIENTS = {
    CANNED: ("fetch_canned", "limit"),
    "ours": ("fetch_ours", "ours"),
    "aiohttp 3": ("fetch_aiohttp3", "peer"),
    "pyreqwest, Rust": ("fetch_pyreqwest", "peer"),
    "httpx": ("fetch_httpx", "peer"),
}
CONTENDERS = tuple(
    Contender(name, module, role, loop)  # type: ignore[arg-type]
    for loop in LOOPS
    for name, (module, role) in CLIENTS.items()
    if (name, loop) != ("httpx", "uvloop")  # a tenth of the others, on either
)
OURS_AT_32 = "ours, 32 at once"


@dataclass(frozen=True)
class Row:
    """One figure: what is fetched, from where, and how.

    Attributes:
        method: of a ``Fetcher``: get, fresh (on a new connection) or json (parsed).
        size: what ``len()`` says of each answer.
        limit: whether canned bytes can take part.
        beside: whether ours with 32 at once takes part, too.
    """

    title: str
    goals: tuple[Goal, ...]
    server: str = "http://127.0.0.1"
    method: Literal["get", "fresh", "json"] = "get"
    at_once: int = 32
    size: int = len("Hello, world")
    limit: bool = True
    beside: bool = False


def _than_aiohttp(on_asyncio: float, on_uvloop: float, **by: bool) -> tuple[Goal, ...]:
    goals = zip(LOOPS, (on_asyncio, on_uvloop), strict=True)
    return tuple(Goal("aiohttp 3", loop, at_least, **by) for loop, at_least in goals)


ROWS = (
    Row(
        "client, small GET, one at a time",
        _than_aiohttp(1 / 0.6, 1 / 0.6, by_cpu=True),
        at_once=1,
    ),
    Row(
        "client, small GET, 32 at once",
        (
            *_than_aiohttp(2.0, 2.5),
            *(Goal("pyreqwest, Rust", loop, 1.15) for loop in LOOPS),
        ),
    ),
    Row(
        "client, small GET, 256 at once",
        tuple(Goal(OURS_AT_32, loop, 1.0) for loop in LOOPS),
        at_once=256,
        beside=True,
    ),
    Row(
        "client, GET of 20 KB JSON, gzip, 12 fields, cookies; as bytes",
        _than_aiohttp(1.4, 1.4),
        server="http://localhost",
        size=len(RECORDS),
        limit=False,
    ),
    Row(
        "client, GET of 20 KB JSON, gzip, 12 fields, cookies; parsed",
        _than_aiohttp(1.4, 1.4),
        server="http://localhost",
        method="json",
        size=RECORDS.count(b'"id"'),
        limit=False,
    ),
    Row(
        "client, small GET, each on a new connection, 32 at once",
        _than_aiohttp(1.5, 1.5),
        method="fresh",
    ),
    Row(
        "client, small GET with TLS, 32 at once",
        _than_aiohttp(1.8, 1.8),
        server="https://127.0.0.1",
    ),
)


class Job(NamedTuple):
    """One line of a figure: ``shown`` is what the line is called."""

    figure: Figure
    shown: Contender
    process: Process
    row: Row
    url: str
    at_once: int

    def take_turn(self, seconds: float) -> Sample:
        """Fetch for so many seconds."""
        spent = self.process.ask(
            "load", self.row.method, self.url, self.at_once, seconds, self.row.size
        )
        return Sample(spent["done"] / spent["seconds"], spent["cpu"] / spent["done"] * 1e6)


def measure(options: Options) -> list[Figure]:
    """Return one figure for each row: processes are the same, connections each row's own."""
    rows = [row for row in ROWS if options.wants(row.title)]
    with ExitStack() as stack:
        urls: dict[str, str] = {}
        for origin in {row.server for row in rows}:
            server = stack.enter_context(Process(SERVERS[origin], LOAD_CORE))
            urls[origin] = f"{origin}:{server.hear()}/"
        contenders = on_loops_we_have(CONTENDERS) if rows else ()
        processes = {c: stack.enter_context(Process(c)) for c in contenders}
        for process in processes.values():
            process.hear()
        jobs = [job for row in rows for job in _jobs(row, processes, urls[row.server])]
        for job in jobs:
            _check(job)
            job.take_turn(0.1)  # opens its connections
        for _, job in turns("client", jobs, options.rounds, lambda job: job.shown.label):
            sample = job.take_turn(options.seconds)
            job.figure.samples.setdefault(job.shown, []).append(sample)
    return list({job.figure.title: job.figure for job in jobs}.values())


def _jobs(row: Row, processes: dict[Contender, Process], url: str) -> list[Job]:
    figure = Figure(row.title, "requests/s", also=CPU, goals=row.goals)
    jobs: list[Job] = []
    for contender, process in processes.items():
        if contender.role == "limit" and not row.limit:
            continue
        jobs.append(Job(figure, contender, process, row, url, row.at_once))
        if contender.role == "ours" and row.beside:
            beside = Contender(OURS_AT_32, contender.module, "beside", contender.loop)
            jobs.append(Job(figure, beside, process, row, url, 32))
    return jobs


def _check(job: Job) -> None:
    """Make sure that a contender fetches what is there, and keeps cookies if they are given."""
    status, body = job.process.ask("show", job.row.method, job.url)
    if (status, len(body)) != (200, job.row.size):
        raise ContenderFailed(f"{job.shown.label}: expected {job.row.size}, got {status}, {body}")
    if job.row.server == "http://localhost":
        status, cookies = job.process.ask("show", "get", f"{job.url}cookies")
        if "session=" not in cookies or "seen=" not in cookies:
            raise ContenderFailed(f"{job.shown.label}: expected two cookies, sent '{cookies}'")
