"""The README's programs run as printed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import Any
from urllib.request import urlopen

import pytest

from aiohttp.test_utils import MemoryClient
from house import readme_programs, run_program

PROGRAMS = readme_programs("packages/aiohttp-server")


def test_application() -> None:
    """The first program serves until it is told to stop, and ends with status 0."""
    program = PROGRAMS[0].replace("port=8080", "port=0")
    server = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    with server:
        assert server.stdout is not None
        url = re.search(r"http://[\d.:]+", server.stdout.readline())
        assert url is not None
        with urlopen(f"{url[0]}/a?b=c", timeout=10) as response:
            assert response.read() == b"Hello, a\n"
        server.send_signal(signal.SIGTERM)
    assert server.returncode == 0


@pytest.mark.parametrize("number", [1, 2, 3])
def test_applications(number: int) -> None:
    """Programs that only make an application make it."""
    assert run_program(PROGRAMS[number]) == ""


async def test_middleware() -> None:
    """The middleware that is printed turns errors into JSON."""
    namespace: dict[str, Any] = {}
    exec(PROGRAMS[1], namespace)
    async with MemoryClient(namespace["app"]) as client:
        assert (await client.get("/")).json() == {"error": "Not Found"}


async def test_context() -> None:
    """The application that is printed keeps what its context gives it."""
    namespace: dict[str, Any] = {}
    exec(PROGRAMS[3], namespace)
    async with MemoryClient(namespace["app"]) as client:
        assert (await client.get("/")).json() == {"apples": 3}


def test_test() -> None:
    """The program that is a test passes."""
    assert run_program(PROGRAMS[4]) == ""


def test_answer_in_parts() -> None:
    """The program below the framework answers in three parts, and asks for them itself."""
    assert run_program(PROGRAMS[5]) == r"b'0\n1\n2\n'" + "\n"


def test_protocol() -> None:
    """The last program serves a protocol by asyncio alone."""
    assert run_program(PROGRAMS[6]) == r"b'Hello\n'" + "\n"
    assert len(PROGRAMS) == 7
