"""A contender's process: pinned to a core, asked line by line, and ended for certain."""

from __future__ import annotations

import json
import os
import resource
import selectors
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, cast

from bench.environment import ROOT, ours, peers

if TYPE_CHECKING:
    from types import TracebackType

    from bench.contender import Contender

__all__ = ["LOAD_CORE", "WORK_CORE", "ContenderFailed", "Process", "allow_open_files", "pinned"]

WORK_CORE = 0
"""Where contenders are measured."""
LOAD_CORE = 1
"""Where that runs which loads them."""


class ContenderFailed(Exception):
    """A contender did its work wrong, too late, or not at all."""


def pinned(command: list[str], core: int) -> list[str]:
    """Return a command that keeps to one core, where the system can do that."""
    if shutil.which("taskset") is None:
        return command
    return ["taskset", "--cpu-list", str(core), *command]


def allow_open_files(count: int) -> None:
    """Let this process, and those it starts, open so many files at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def _environment() -> dict[str, str]:
    """Return the variables of ours, without the one that makes every import compile again."""
    return {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Process:
    """One contender at work.

    A context manager: leaving it ends the process. Should the bench itself be
    killed, the process notices that its standard input has ended.
    """

    def __init__(self, contender: Contender, core: int = WORK_CORE) -> None:
        self.label = contender.label
        python = ours() if contender.is_ours else peers()
        loop = [contender.loop] if contender.loop else []
        module = f"bench.contenders.{contender.module}"
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)
        self._popen = subprocess.Popen(
            pinned([python, "-m", module, *contender.words, *loop], core),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=ROOT,
            env=_environment(),
            bufsize=0,
            process_group=0,  # Ctrl-C reaches the bench alone, which then ends us
        )
        self._stdin = cast(IO[bytes], self._popen.stdin)
        self._stdout = cast(IO[bytes], self._popen.stdout)
        self.pid = self._popen.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._popen.terminate()
        try:
            self._popen.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._popen.wait()
        for stream in (self._stdin, self._stdout, self._errors):
            stream.close()

    def ask(self, *words: object, within: float = 60.0) -> Any:
        """Send a command and return its answer, which must come within so many seconds."""
        line = " ".join(map(str, words)) + "\n"
        try:
            self._stdin.write(line.encode())
        except BrokenPipeError:
            raise self._failure("has gone") from None
        return self.hear(within)

    def hear(self, within: float = 20.0) -> Any:
        """Return the next thing that the process tells."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdout, selectors.EVENT_READ)
            if not selector.select(within):
                raise self._failure(f"said nothing for {within:.0f} s")
        line = self._stdout.readline()
        if not line:
            raise self._failure("ended")
        return json.loads(line)

    def processor_seconds(self) -> float:
        """Return the processor time, user and system, of all threads of its process group.

        Of the group, as some peers work in a process that they start. To 10 ms; 0.0
        where the system has no ``/proc``.
        """
        ticks = 0
        for file in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = file.read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # somebody else's, gone meanwhile
            if int(fields[2]) == self.pid:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _failure(self, what: str) -> ContenderFailed:
        self._errors.seek(0)
        last = self._errors.read().decode(errors="replace").strip().splitlines()[-8:]
        return ContenderFailed("\n  ".join([f"{self.label} {what}", *last]))
