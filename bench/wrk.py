"""wrk: many connections, each with one request under way, or with several at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.process import LOAD_CORE, ContenderFailed, pinned

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Load", "load", "write_requests"]

SCRIPT = Path(__file__).with_name("wrk.lua")


class Load(NamedTuple):
    """What wrk counted: responses, and the seconds they took altogether."""

    requests: int
    seconds: float


def write_requests(file: Path, requests: Sequence[bytes], depth: int = 1) -> None:
    """Write down what wrk is to send, one after the other: so many requests at once.

    None of them may contain NUL.
    """
    groups = zip(*[iter([*requests] * depth)] * depth, strict=True) if depth > 1 else zip(requests)
    file.write_bytes(b"\0".join(map(b"".join, groups)))


def load(port: int, whom: str, requests: Path, *, connections: int, seconds: float) -> Load:
    """Load a server on the loopback with these requests for so many seconds.

    ``whom`` names the server where something is wrong.

    Raises:
        ContenderFailed: if wrk isn't there, or any answer was wrong or missing.
    """
    if shutil.which("wrk") is None:
        raise ContenderFailed("the server's figures need wrk: apt-get install wrk")
    # Whole seconds are all that wrk knows.
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    done = subprocess.run(
        pinned([*command, "-s", str(SCRIPT), f"http://127.0.0.1:{port}/"], LOAD_CORE),
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        env={**os.environ, "REQUESTS": str(requests)},
        process_group=0,
    )
    if done.returncode:
        raise ContenderFailed(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    facts = json.loads(done.stdout.strip().splitlines()[-1])
    if facts["bad"] or not facts["requests"]:
        raise ContenderFailed(f"{whom}: wrk got wrong or missing answers: {facts}")
    return Load(facts["requests"], facts["microseconds"] / 1e6)
