"""gunicorn with our worker as a process of its own, on a free port of the loopback."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

__all__ = ["PATIENCE", "Gunicorn", "until"]

PATIENCE = 15.0  # seconds until a test that hangs fails


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Return what ``condition`` gives once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.02)
    return found


class Gunicorn:
    """One arbiter with its workers; leaving the block stops it, if it still runs.

    ``source`` is the module whose ``app`` is served, ``config`` one of gunicorn's
    configuration. ``launcher`` is a command that starts another, ``pass_fds`` are
    descriptors that it inherits. ``log`` is everything that gunicorn has written so far.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        *options: str,
        bind: str = "127.0.0.1:0",
        config: str = "",
        control_socket: Path | None = None,
        environ: Mapping[str, str] | None = None,
        launcher: Sequence[str] = (),
        pass_fds: Sequence[int] = (),
    ) -> None:
        (folder / "served.py").write_text(source, encoding="utf-8")
        if config:
            (folder / "gunicorn.conf.py").write_text(config, encoding="utf-8")
        control = ["--control-socket", str(control_socket)] if control_socket else []
        # The script, not ``python -m``: with that, after SIGUSR2, gunicorn's own modules
        # would be found in the place of the standard library's.
        script = Path(sysconfig.get_path("scripts")) / "gunicorn"
        command = [*launcher, str(script), "--bind", bind]
        command += control or ["--no-control-socket"]
        command += ["--worker-class", "aiohttp.worker.AsyncGunicornWorker", *options, "served:app"]
        self._start(folder, command, environ, pass_fds)
        self.is_tls = "--certfile" in options

    def _start(
        self,
        folder: Path,
        command: Sequence[str],
        environ: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._log_path = folder / "gunicorn.log"
        # Appended to, so that what two processes write at once isn't written to one place.
        self._log_path.unlink(missing_ok=True)
        with self._log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **(environ or {})},
                pass_fds=pass_fds,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        """Wait until a worker runs."""
        until(self._has_booted, "a worker")
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(PATIENCE)
        # The workers of a killed arbiter notice it within a second.
        until(lambda: not any(map(_is_alive, self.pids)), "the workers' end")

    @property
    def log(self) -> str:
        """What gunicorn has written so far."""
        return self._log_path.read_text(encoding="utf-8")

    @property
    def pids(self) -> list[int]:
        """The process ids of all workers so far."""
        return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", self.log)]

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        found = re.search(r"Listening at: https?://\[?([\d.:a-f]+)\]?:(\d+)", self.log)
        if found is None:
            raise LookupError(f"no address in {self.log!r}")
        return found[1], int(found[2])

    @property
    def url(self) -> str:
        """Where it listens, as a URL without a path."""
        host, port = self.address
        return f"http{'s' * self.is_tls}://{host}:{port}"

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection of the standard library's client."""
        return http.client.HTTPConnection(*self.address, timeout=PATIENCE)

    def get(self, target: str = "/", **fields: str) -> tuple[int, bytes]:
        """Return status and content of a GET on a connection of its own."""
        connection = self.connect()
        try:
            connection.request("GET", target, headers=fields)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def begin(self, target: str) -> Future[tuple[int, bytes]]:
        """Begin a GET in a thread, and return what will be its answer."""
        executor = ThreadPoolExecutor(1)
        future = executor.submit(self.get, target)
        executor.shutdown(wait=False)
        return future

    def signal(self, number: signal.Signals, pid: int | None = None) -> None:
        """Send a signal to the arbiter, or to a worker."""
        os.kill(self.process.pid if pid is None else pid, number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Return the exit code of the arbiter, once it has ended."""
        return self.process.wait(seconds)

    def has_logged(self, text: str, seconds: float = PATIENCE) -> bool:
        """Wait until a text is in the log."""
        until(lambda: text in self.log, f"{text!r} in the log", seconds)
        return True

    def _has_booted(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"gunicorn ended with {self.process.returncode}: {self.log}")
        return "Booting worker" in self.log


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie whose parent is gone waits for init, in a container perhaps for ever.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True
