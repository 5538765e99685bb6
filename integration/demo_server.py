"""The example application of aiohttp-server, served as a process of its own."""

from __future__ import annotations

import asyncio
import hashlib
import re
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

__all__ = ["EXAMPLES", "DemoServer", "demo_server", "digest_of"]

EXAMPLES = Path(__file__).parents[1] / "packages/aiohttp-server/examples"
COMMAND = ("-m", "aiohttp.server", "demo:make_app", "--host", "127.0.0.1", "--port", "0")


class DemoServer:
    """Where it is found, and how much memory it has."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.pid = pid

    def forget_peak(self) -> None:
        """Let the peak of its memory begin anew, from what it has now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak(self) -> int:
        """Return the most memory that it had, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (found,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
        return int(found) * 1024


@asynccontextmanager
async def demo_server(*options: str) -> AsyncGenerator[DemoServer]:
    """Serve the example as long as the block lasts; it must end well at SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *COMMAND, *options, cwd=EXAMPLES, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    greeting = (await process.stdout.readline()).decode()
    found = re.search(r"http://\S+", greeting)
    if found is None:
        raise RuntimeError(f"the example doesn't say where it serves: {greeting!r}")
    try:
        yield DemoServer(found[0], process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the example ended with {process.returncode}")


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
