"""``python -m aiohttp.server`` as a process of its own, on a free port of the loopback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["CERTIFICATE", "EXAMPLES", "CommandServer", "command_server"]

INTEGRATION = Path(__file__).parent
EXAMPLES = INTEGRATION.parent / "packages/aiohttp-server/examples"
CERTIFICATE = INTEGRATION.parent / "packages/aiohttp-protocol/tests/localhost.pem"
"""Of localhost and 127.0.0.1, with its key; signed by itself."""


class CommandServer:
    """A running server.

    Attributes:
        process: in which it runs.
        url: where it is found, without a path.
        port: the same as a number.
    """

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.port = int(url.rpartition(":")[2])

    def forget_peak(self) -> None:
        """Let the peak of its memory begin anew, from what it has now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak(self) -> int:
        """Return the most memory that it had, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (found,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
        return int(found) * 1024


@contextmanager
def command_server(
    target: str, *options: str | Path, folder: Path = INTEGRATION, journal: Path | None = None
) -> Generator[CommandServer]:
    """Serve ``module:app`` of a folder as long as the block lasts; it must end well at SIGTERM.

    ``journal`` is that of ``web_application``.
    """
    command = [sys.executable, "-m", "aiohttp.server", "--host", "127.0.0.1", "--port", "0"]
    # As it is run elsewhere: asyncio's debug mode would take time and memory that are measured.
    environment = {**os.environ, "WEB_JOURNAL": os.fspath(journal or ""), "PYTHONDEVMODE": ""}
    process = subprocess.Popen(
        [*command, *options, target],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        greeting = process.stdout.readline()
        found = re.search(r"https?://[\d.]+:\d+", greeting)
        if found is None:
            raise RuntimeError(f"the server doesn't say where it is: {greeting!r}")
        yield CommandServer(process, found[0])
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
    if process.returncode:
        raise RuntimeError(f"the server ended with {process.returncode}")
