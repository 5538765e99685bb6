"""``server/workers.py``: workers are kept running, told to stop, and never waited for in vain."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from aiohttp.server import workers
from aiohttp.server.workers import Supervisor

if sys.platform == "win32":
    pytest.skip("workers inherit sockets", allow_module_level=True)

READY = "import os, sys; line = int(sys.argv[1]); os.write(line, b'ready\\0'); "
WAIT = "os.read(line, 1); "


def command(*codes: str) -> Callable[[int], list[str]]:
    """Return the commands of workers: this code for each; the last one for all others."""
    left = list(codes)
    return lambda line: ["-I", "-S", "-c", left.pop(0) if left[1:] else left[0], str(line)]


async def supervise(
    run: Callable[[int], list[str]],
    count: int,
    *,
    until: int,
    on_ready: Callable[[], object] = lambda: None,
    **options: Any,
) -> tuple[int, list[str]]:
    """Supervise until so many lines were said; return the exit status, and the lines."""
    lines: list[str] = []

    def log(line: str) -> None:
        lines.append(line.partition(" ended ")[2] or line)
        if len(lines) == until:
            supervisor.stop()

    def ready(line: str) -> None:
        log(line)
        on_ready()

    supervisor = Supervisor(run, count, log=log, on_ready=ready, **options)
    async with asyncio.timeout(20):
        return await supervisor.run(), lines


async def test_words_of_a_worker() -> None:
    """The last one's first word is told; later ones are for people."""
    status, lines = await supervise(
        command(READY + "os.write(line, b'later\\0'); " + WAIT), 1, until=2
    )
    assert (status, lines) == (0, ["ready", "later"])


async def test_dead_worker_with_a_living_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end is seen, though a process that it left behind holds its line."""
    monkeypatch.setattr(workers, "_LAST_WORDS", 0.01)
    code = READY + "os._exit(3) if os.fork() else os.read(line, 1)"
    status, lines = await supervise(command(code, READY + WAIT), 1, until=2)
    assert (status, lines) == (0, ["ready", "with status 3: starting another one"])


async def test_each_place_has_its_own_patience() -> None:
    """Workers that die together, each for the first time, are replaced, however many they are."""
    count = 6
    killer, victim = socket.socketpair()
    dying = READY + f"os.read({victim.fileno()}, 1); os._exit(9)"
    with killer, victim:
        status, lines = await supervise(
            command(*[dying] * count, READY + WAIT),
            count,
            until=count + 1,
            descriptors=[victim.fileno()],
            on_ready=lambda: killer.send(b"x" * count),
        )
    assert status == 0
    assert lines == ["ready", *["with status 9: starting another one"] * count]


async def test_place_where_none_lives() -> None:
    """After five who die soon no more is tried, and the exit status is theirs."""
    status, lines = await supervise(command(READY + "os._exit(7)"), 1, until=-1)
    again = ["with status 7: starting another one"] * 4
    assert (status, lines) == (7, ["ready", *again, "with status 7: stopping"])


async def test_failure_while_stopping() -> None:
    """A worker that can't clean up is told of, and its exit status handed on."""
    code = "import signal; signal.signal(signal.SIGTERM, lambda *_: os._exit(4)); "
    status, lines = await supervise(command("import os; " + code + READY + WAIT), 1, until=1)
    assert (status, lines) == (4, ["ready", "with status 4"])


async def test_worker_that_does_not_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed."""
    monkeypatch.setattr(workers, "_ENOUGH", 0)
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + READY + WAIT
    status, lines = await supervise(command(code), 1, until=1, shutdown_timeout=0.01)
    assert (status, lines) == (1, ["ready", "by SIGKILL"])


async def test_no_process_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the system refuses another process, all stop in order."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    status, lines = await supervise(command(""), 2, until=-1)
    assert status == 1
    assert lines[0] == "can't start a worker: No such file or directory: stopping"


def test_worker_without_parent_that_does_not_stop() -> None:
    """What doesn't stop by itself is killed then, too: nobody else is left who could."""
    code = (
        "import signal, sys, time; from aiohttp.server import workers; workers._ENOUGH = 0; "
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "line = workers.Lifeline(int(sys.argv[1])); line.stop_with_parent(0.01); "
        "line.say('ready'); time.sleep(60)"
    )
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
    with ours:
        assert ours.recv(10) == b"ready\0"
    assert process.wait(timeout=20) == -signal.SIGKILL
