"""HAProxy as a process of its own, on a socket that was opened before it: no port is guessed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["haproxy"]

CONFIGURATION = """
defaults
    mode {mode}
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    {options}
frontend front
    bind fd@{descriptor} {bind}
    {front}
    default_backend back
backend back
    server served {served} {server}
"""


@contextmanager
def haproxy(
    folder: Path,
    served: int | Path,
    *,
    mode: str = "tcp",
    options: str = "",
    bind: str = "",
    front: str = "",
    server: str = "",
) -> Generator[int]:
    """Run HAProxy before a port of this machine, or a unix socket; the block gets its own port."""
    program = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        raise FileNotFoundError("haproxy is not installed: .ci/debian-packages names it")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(128)  # who connects before HAProxy is there waits
        file = folder / "haproxy.conf"
        file.write_text(
            CONFIGURATION.format(
                mode=mode, options=options, bind=bind, front=front, server=server,
                served=f"unix@{served}" if isinstance(served, Path) else f"127.0.0.1:{served}",
                descriptor=sock.fileno(),
            )
        )  # fmt: skip
        process = subprocess.Popen([program, "-db", "-f", file], pass_fds=[sock.fileno()])
        try:
            yield sock.getsockname()[1]
        finally:
            process.terminate()
            process.wait(30)
