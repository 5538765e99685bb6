"""What it costs a server to send 100 MB: streamed piece by piece, and from a file.

Compared is the server's own processor time for a stream, as the receiver on the other
core would hide what the best do better; for a file also the MB/s.
"""

from __future__ import annotations

import tempfile
import urllib.request
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from bench.contender import Contender, on_loops_we_have
from bench.figure import CPU, Figure, Goal, Sample
from bench.process import LOAD_CORE, ContenderFailed, Process
from bench.rounds import turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.__main__ import Options

__all__ = ["measure"]

SIZE = 100_000_000
LOOPS = ("asyncio", "uvloop")
DRAIN = Contender("receiver", "drain", "peer")
RAW = "raw writes of 64 KB, the limit"
NGINX = "nginx, sendfile"


@dataclass(frozen=True)
class Row:
    """One figure: ``targets`` for contenders that are asked for another than the others."""

    title: str
    contenders: tuple[Contender, ...]
    goals: tuple[Goal, ...]
    target: str
    targets: dict[str, str]
    by_cpu: bool


def _stream() -> Row:
    announced = "ours, length announced"
    kinds = (
        (RAW, "serve_raw", "limit"),
        ("ours", "serve_web", "ours"),
        (announced, "serve_web", "beside"),
        ("aiohttp.web 3", "serve_web", "peer"),
    )
    return Row(
        "server, 100 MB streamed in pieces of 64 KB",
        tuple(
            Contender(name, module, role, loop, ("stream",))  # type: ignore[arg-type]
            for loop in LOOPS
            for name, module, role in kinds
        ),
        tuple(Goal(RAW, loop, 1 / 1.1) for loop in LOOPS),
        f"/{SIZE}",
        {announced: f"/announced/{SIZE}"},
        by_cpu=True,
    )


def _file(folder: str) -> Row:
    return Row(
        "server, a static file of 100 MB",
        (
            Contender(NGINX, "serve_nginx", "peer", words=(folder,)),
            *(
                Contender(name, "serve_web", role, loop, ("file", folder))  # type: ignore[arg-type]
                for loop in LOOPS
                for name, role in (("ours", "ours"), ("aiohttp.web 3", "peer"))
            ),
        ),
        (Goal(NGINX, "asyncio", 0.95), Goal(NGINX, "uvloop", 0.85)),
        "/file",
        {},
        by_cpu=False,
    )


def measure(options: Options) -> Iterator[Figure]:
    """Yield two figures: streamed, and from a file."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [row for row in (_stream(), _file(folder)) if options.wants(row.title)]
        if any(row.target == "/file" for row in rows):
            Path(folder).chmod(0o755)  # for nginx, whoever runs it
            block = Random(2014).randbytes(1_000_000)
            Path(folder, "file").write_bytes(block * (SIZE // len(block)))
        for row in rows:
            yield _measure(row, options)


def _measure(row: Row, options: Options) -> Figure:
    if row.by_cpu:
        figure = Figure(row.title, "MB/CPU-s", also="MB/s", goals=row.goals)
    else:
        figure = Figure(row.title, "MB/s", also=CPU, goals=row.goals)
    contenders = on_loops_we_have(row.contenders)
    with ExitStack() as stack:
        processes = {c: stack.enter_context(Process(c)) for c in contenders}
        ports = {c: process.hear() for c, process in processes.items()}
        receiver = stack.enter_context(Process(DRAIN, LOAD_CORE))
        receiver.hear()
        _check(row, ports)
        for _, contender in turns(row.title, contenders, options.rounds, lambda c: c.label):
            target = row.targets.get(contender.name, row.target)
            before = processes[contender].processor_seconds()
            done = receiver.ask("drain", ports[contender], target, max(1, options.seconds))
            cpu = processes[contender].processor_seconds() - before
            megabytes = done["times"] * SIZE / 1e6
            if done["bytes"] < done["times"] * SIZE:
                raise ContenderFailed(f"{contender.label}: expected {SIZE} bytes, got {done}")
            speed = megabytes / done["seconds"]
            sample = (
                Sample(megabytes / cpu, speed)
                if row.by_cpu
                else Sample(speed, cpu / megabytes * 1e6)
            )
            figure.samples.setdefault(contender, []).append(sample)
    return figure


def _check(row: Row, ports: dict[Contender, int]) -> None:
    """Make sure that all send the same bytes."""
    came: dict[str, int] = {}
    for contender, port in ports.items():
        url = f"http://127.0.0.1:{port}{row.targets.get(contender.name, row.target)}"
        checksum = 0
        with urllib.request.urlopen(url, timeout=20) as response:
            while piece := response.read(1_000_000):
                checksum = zlib.crc32(piece, checksum)
        came[contender.label] = checksum
    if len(set(came.values())) > 1:
        raise ContenderFailed(f"expected the same bytes from everybody, got checksums {came}")
