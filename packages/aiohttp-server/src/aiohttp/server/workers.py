"""Several processes that serve one address, and the one that looks after them.

The parent never serves. It starts its workers, tells them to stop, starts anew what
died, and ends when all have ended. To each it holds a line, one end of a socket pair:
over it comes the worker's first word, that it serves; and a worker whose line breaks
knows that its parent is gone, and stops.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

__all__ = ["RESTART", "Lifeline", "Supervisor"]

RESTART = 75
"""Exit status of a worker that wants to be started anew, for its code has changed."""

_CRASHES = 5
_SOON = 10.0
"""If so many workers die within so many seconds, another one wouldn't live either."""
_ENOUGH = 5.0
"""Seconds that a worker gets beyond ``shutdown_timeout`` before it is killed."""


class Lifeline:
    """A worker's end of the line to its parent."""

    def __init__(self, descriptor: int) -> None:
        self._sock = socket.socket(fileno=descriptor)
        self._sock.setblocking(True)

    def say(self, text: str) -> None:
        """Tell the parent that this worker serves, and where."""
        self._sock.sendall(text.encode() + b"\0")

    def stop_with_parent(self) -> None:
        """Stop this process in order when the parent is gone."""
        threading.Thread(target=self._wait_for_end, name="lifeline", daemon=True).start()

    def _wait_for_end(self) -> None:
        try:
            while self._sock.recv(1):
                pass
        except OSError:
            pass  # that is an end, too
        os.kill(os.getpid(), signal.SIGTERM)


class Supervisor:
    """Keeps a number of workers running until it is told to stop.

    Args:
        arguments: of a worker's Python, to which ``--lifeline N`` is added.
        count: of workers.
        descriptors: that workers inherit.
        shutdown_timeout: seconds in which a worker stops by itself.
        log: called with lines for people.
        on_ready: called once, when all workers serve, with the last one's word.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        count: int,
        *,
        descriptors: Sequence[int] = (),
        shutdown_timeout: float = 25.0,
        log: Callable[[str], object] = print,
        on_ready: Callable[[str], object] = print,
    ) -> None:
        self._arguments = list(arguments)
        self._count = count
        self._descriptors = tuple(descriptors)
        self._shutdown_timeout = shutdown_timeout
        self._log = log
        self._on_ready = on_ready
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._served = 0  # workers that have said so
        self._is_stopping = False
        self._crashes: list[float] = []
        self._exit_status = 0

    async def run(self) -> int:
        """Serve until a signal comes or no worker can; return the exit status of it all."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        loop.add_signal_handler(signal.SIGINT, self.interrupt)
        loop.add_signal_handler(signal.SIGHUP, self._pass_on, signal.SIGHUP)
        try:
            await asyncio.gather(*(self._tend() for _ in range(self._count)))
        finally:
            for process in self._processes:
                process.kill()
        return self._exit_status

    def stop(self) -> None:
        """Tell all workers to stop in order. Twice is fine."""
        if self._is_stopping:
            return
        self._is_stopping = True
        self._pass_on(signal.SIGTERM)
        asyncio.get_running_loop().call_later(
            self._shutdown_timeout + _ENOUGH, self._pass_on, signal.SIGKILL
        )

    def interrupt(self) -> None:
        """Tell all workers to stop in order; the second time, to cut what still runs."""
        if not self._is_stopping:
            self.stop()
        elif self._count > 1:  # the single one has heard it itself
            self._pass_on(signal.SIGINT)

    def _pass_on(self, number: int) -> None:
        for process in self._processes:
            process.send_signal(number)

    async def _tend(self) -> None:
        """Keep one place filled with a worker."""
        while not self._is_stopping:
            ours, theirs = socket.socketpair()
            with theirs:
                process = self._start(theirs.fileno())
            await self._listen_to(ours)
            await asyncio.to_thread(process.wait)
            self._processes.discard(process)
            self._judge(process)

    def _start(self, lifeline: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - our own Python with our own arguments
            [sys.executable, *self._arguments, "--lifeline", str(lifeline)],
            pass_fds=(lifeline, *self._descriptors),
            # CTRL+C is for us, who pass it on. A single worker is left in the foreground,
            # where a debugger can read from the terminal, and hears it itself.
            process_group=0 if self._count > 1 else None,
        )
        self._processes.add(process)
        return process

    async def _listen_to(self, line: socket.socket) -> None:
        """Take a worker's first word, and return when the line breaks: it has ended."""
        reader, writer = await asyncio.open_connection(sock=line)
        try:
            word = await reader.readuntil(b"\0")
            self._served += 1
            if self._served == self._count:
                self._on_ready(word[:-1].decode())
            await reader.read()
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            writer.close()

    def _judge(self, process: subprocess.Popen[bytes]) -> None:
        """Decide what follows from the end of a worker: another one, or the end of all."""
        status = process.returncode
        if self._is_stopping or status == RESTART:
            return
        self._crashes.append(time.monotonic())
        is_hopeless = self._served < self._count or (
            len(self._crashes) >= _CRASHES and self._crashes[-1] - self._crashes[-_CRASHES] < _SOON
        )
        how = f"with status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"
        if is_hopeless:
            self._exit_status = max(status, 1)
            self._log(f"worker {process.pid} ended {how}: stopping")
            self.stop()
        else:
            self._log(f"worker {process.pid} ended {how}: starting another one")
