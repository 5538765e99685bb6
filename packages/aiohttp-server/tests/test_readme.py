"""The README's programs run as printed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from urllib.request import urlopen

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
            assert response.read() == b"Hello, you asked for /a?b=c\n"
        server.send_signal(signal.SIGTERM)
    assert server.returncode == 0


def test_answer_in_parts() -> None:
    """The second program answers in three parts, and asks for them itself."""
    assert run_program(PROGRAMS[1]) == r"b'0\n1\n2\n'" + "\n"


def test_protocol() -> None:
    """The third program serves a protocol by asyncio alone."""
    assert run_program(PROGRAMS[2]) == r"b'Hello\n'" + "\n"


def test_test() -> None:
    """The fourth program is a test, and passes."""
    assert run_program(PROGRAMS[3]) == ""
    assert len(PROGRAMS) == 4
