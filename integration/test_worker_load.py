"""Workers that come and go under load: no request fails, counted from the clients' side.

Everything is waited for, nothing is timed: on a busy machine the same happens, only later.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import signal
import subprocess
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import loaded
from gunicorn_process import Gunicorn
from load import Load, peers_of, soon

SOURCE = Path(loaded.__file__).read_text()
COUNTING = """
done = function(summary)
   local e = summary.errors
   io.write(string.format(
      '{"requests": %d, "connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}\\n',
      summary.requests, e.connect, e.read, e.write, e.status, e.timeout
   ))
end
"""
"""What has wrk tell its counters, in the last line that it prints."""


def served(folder: Path, kind: str, loop: str, *options: str) -> Gunicorn:
    """Return gunicorn with two workers and an application of ``loaded``."""
    common = ["--workers", "2", "--asgi-loop", loop]
    common += ["--keep-alive", "60"]  # however long it takes these clients to go on
    threads = ["--threads", "4"] * (kind == "wsgi")
    return Gunicorn(folder, f"{SOURCE}\n\napp = {kind}\n", *common, *threads, *options)


@asynccontextmanager
async def under_load(
    folder: Path, kind: str, loop: str, *options: str
) -> AsyncGenerator[tuple[Gunicorn, Load]]:
    """Run gunicorn with two workers and an application of ``loaded``; both have answered.

    Until then a signal may reach them before they listen to it.
    """
    with served(folder, kind, loop, *options) as gunicorn:
        async with Load(gunicorn.address, requests=50) as load:
            await all_answer(gunicorn, load)
            yield gunicorn, load


def complaints(gunicorn: Gunicorn) -> list[str]:
    """Return what gunicorn has logged that was trouble for somebody."""
    return re.findall(r"^.*\[(?:WARNING|ERROR|CRITICAL)\].*$", gunicorn.log, re.MULTILINE)


async def all_answer(gunicorn: Gunicorn, load: Load) -> None:
    """Return when the two youngest workers have answered."""

    def have_answered() -> bool:
        return load.answers.keys() >= set(map(str, gunicorn.pids[-2:]))

    await soon(lambda: len(gunicorn.pids) >= 2 and have_answered(), "answers of both")


async def added(gunicorn: Gunicorn) -> None:
    """Have the arbiter start one more worker."""
    known = len(gunicorn.pids)
    gunicorn.signal(signal.SIGTTIN)
    await soon(lambda: len(gunicorn.pids) > known, "a worker")


async def replaced(gunicorn: Gunicorn, number: signal.Signals, pids: list[int]) -> None:
    """Send the arbiter a signal, and return when these workers have gone."""
    gunicorn.signal(number)
    exits = [f"Worker exiting (pid: {pid})" for pid in pids]
    await soon(lambda: all(line in gunicorn.log for line in exits), "their exits")


every_kind = pytest.mark.parametrize("kind", loaded.KINDS)
every_loop = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
each_kind_on_a_loop = pytest.mark.parametrize(
    ("kind", "loop"), [("wsgi", "uvloop"), ("asgi", "asyncio"), ("native", "uvloop")]
)
"""Not all pairs: all of these tests together have a minute."""


@every_kind
@every_loop
async def test_reload(kind: str, loop: str, tmp_path: Path) -> None:
    """SIGHUP, three times: each time all workers are replaced."""
    async with under_load(tmp_path, kind, loop) as (gunicorn, load):
        for _ in range(3):
            await replaced(gunicorn, signal.SIGHUP, gunicorn.pids[-2:])
            await all_answer(gunicorn, load)
        assert not complaints(gunicorn)
    assert not load.failures
    assert len(load.answers) == 8
    assert load.farewells


@each_kind_on_a_loop
async def test_more_and_fewer_workers(kind: str, loop: str, tmp_path: Path) -> None:
    """SIGTTIN and SIGTTOU, twice each: the oldest workers go, and say good-bye."""
    async with under_load(tmp_path, kind, loop) as (gunicorn, load):
        oldest = gunicorn.pids
        for _ in range(2):
            await added(gunicorn)
            await all_answer(gunicorn, load)
        for pid in oldest:
            await replaced(gunicorn, signal.SIGTTOU, [pid])
        await load.more(200)
        assert not complaints(gunicorn)
    assert not load.failures
    assert len(load.answers) == 4


@each_kind_on_a_loop
async def test_workers_that_restart_themselves(kind: str, loop: str, tmp_path: Path) -> None:
    """``max_requests`` with jitter: a worker's last answers say that they are the last."""
    limit = ["--max-requests", "200", "--max-requests-jitter", "50"]
    async with under_load(tmp_path, kind, loop, *limit) as (gunicorn, load):
        await load.more(2000)
        assert not complaints(gunicorn)
    assert not load.failures
    assert len(load.answers) >= 6
    # Behind the limit a connection has one more answer; or two, if it was just promised one.
    assert max(load.answers.values()) <= 250 + 2 * load.clients


@each_kind_on_a_loop
async def test_stop(kind: str, loop: str, tmp_path: Path) -> None:
    """SIGTERM: whoever is connected is answered, and told that this was the last answer."""
    async with under_load(tmp_path, kind, loop) as (gunicorn, load):
        load.is_ending = True
        gunicorn.signal(signal.SIGTERM)
        assert await asyncio.to_thread(gunicorn.wait) == 0
    assert not load.failures + complaints(gunicorn)
    assert load.farewells


@every_loop
def test_exit_takes_its_course(loop: str, tmp_path: Path) -> None:
    """Gunicorn repeats its SIGTERM every second; what a worker does at its end is done."""
    config = """
import os, signal
def worker_exit(arbiter, worker):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        os.kill(os.getpid(), number)
    worker.log.info("Everything is done")
"""
    source = f"{SOURCE}\n\napp = wsgi\n"
    with Gunicorn(tmp_path, source, "--asgi-loop", loop, config=config) as gunicorn:
        gunicorn.get("/hello")
        gunicorn.signal(signal.SIGTERM)
        assert gunicorn.wait() == 0
        assert "Everything is done" in gunicorn.log


@each_kind_on_a_loop
async def test_killed_worker(kind: str, loop: str, tmp_path: Path) -> None:
    """``kill -9``: nobody fails but who is connected to this process."""
    async with under_load(tmp_path, kind, loop) as (gunicorn, load):
        victim = gunicorn.pids[0]
        await halted(gunicorn, victim)
        inside = await peers_of(victim)
        gunicorn.signal(signal.SIGKILL, victim)
        await soon(lambda: len(gunicorn.pids) == 3, "a worker in its place")
        await all_answer(gunicorn, load)
    assert inside
    assert load.failures
    assert {failure.port for failure in load.failures} <= inside


async def halted(gunicorn: Gunicorn, pid: int) -> None:
    """Have a worker stand still: from now on it accepts nobody."""
    gunicorn.signal(signal.SIGSTOP, pid)
    status = Path(f"/proc/{pid}/stat")
    await soon(lambda: status.read_text().rpartition(")")[2].startswith(" T"), "its standstill")


# Clients of another make.


@every_kind
def test_wrk_counts_no_error(kind: str, tmp_path: Path) -> None:
    """Wrk has 32 connections for as long as workers are replaced, come and go."""
    counting = tmp_path / "counting.lua"
    counting.write_text(COUNTING)
    options = ["-t1", "-c32", "-d3", "--timeout", "30", "-s", str(counting)]
    printed = while_workers_change(tmp_path, kind, "wrk", *options)
    counted = json.loads(printed.splitlines()[-1])
    assert counted.pop("requests") > 500
    assert not any(counted.values()), counted


@every_kind
def test_ab_counts_no_error(kind: str, tmp_path: Path) -> None:
    """Ab makes a new connection for each request, and ends at once if one is reset."""
    printed = while_workers_change(tmp_path, kind, "ab", "-q", "-n5000", "-c32", "-s30")
    assert re.search(r"Complete requests: +5000\n", printed)
    assert re.search(r"Failed requests: +0\n", printed)
    assert "Non-2xx" not in printed


def while_workers_change(folder: Path, kind: str, *command: str) -> str:
    """Return what a client prints that asks a server of which no worker stays."""
    log = folder / "client.log"
    with served(folder, kind, "uvloop", "--max-requests", "1000") as gunicorn:
        gunicorn.get("/hello")
        with log.open("wb") as output:
            client = subprocess.Popen([*command, f"{gunicorn.url}/hello"], stdout=output)
        numbers = itertools.cycle([signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU])
        while client.poll() is None:
            gunicorn.signal(next(numbers))
            time.sleep(0.3)
        assert not complaints(gunicorn)
    assert client.returncode == 0
    return log.read_text()
