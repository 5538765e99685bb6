"""Several processes that serve one address, and the one that looks after them.

The parent never serves. It starts its workers, tells them to stop, starts anew what
died, and ends when all have ended. To each it holds a line, one end of a socket pair:
over it comes the worker's first word, that it serves, and what it says to people later;
and a worker whose line breaks knows that its parent is gone, and stops.
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
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress

__all__ = ["RESTART", "Lifeline", "Supervisor"]

RESTART = 75
"""Exit status of a worker that wants to be started anew, for its code has changed."""

_CRASHES = 5
_SOON = 10.0
"""If so many workers die in one place within so many seconds, another one wouldn't live either."""
_ENOUGH = 5.0
"""Seconds that a worker gets beyond ``shutdown_timeout`` before it is killed."""
_LAST_WORDS = 1.0
"""Seconds for the line of a dead worker to break: a process that it left behind may hold it."""
_TOLD_TO_END = (0, RESTART, -signal.SIGTERM, -signal.SIGINT)
"""Exit statuses of workers that were told to stop; by a signal before they could hear it."""


class Lifeline:
    """A worker's end of the line to its parent."""

    def __init__(self, descriptor: int) -> None:
        self._sock = socket.socket(fileno=descriptor)
        self._sock.setblocking(True)
        self._sock.set_inheritable(False)

    def say(self, text: str) -> None:
        """Tell the parent that this worker serves, and where; later, other things for people."""
        with suppress(OSError):  # there is no parent any more: we are stopping
            self._sock.sendall(text.encode() + b"\0")

    def stop_with_parent(self, shutdown_timeout: float) -> None:
        """Stop this process in order when the parent is gone; kill it if it doesn't stop."""
        threading.Thread(
            target=self._wait_for_end, args=(shutdown_timeout,), name="lifeline", daemon=True
        ).start()

    def _wait_for_end(self, shutdown_timeout: float) -> None:
        with suppress(OSError):  # that is an end, too
            while self._sock.recv(1):
                pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(min(shutdown_timeout + _ENOUGH, threading.TIMEOUT_MAX))
        os.kill(os.getpid(), signal.SIGKILL)


class Supervisor:
    """Keeps a number of workers running until it is told to stop.

    Args:
        command: returns the arguments of a worker's Python for the descriptor of its line.
        count: of workers.
        descriptors: that workers inherit.
        passed_on: signals that are for the workers that serve.
        shutdown_timeout: seconds in which a worker stops by itself.
        log: called with lines for people.
        on_ready: called once, when all workers serve, with the last one's word.
    """

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        count: int,
        *,
        descriptors: Sequence[int] = (),
        passed_on: Collection[int] = (),
        shutdown_timeout: float = 25.0,
        log: Callable[[str], object] = print,
        on_ready: Callable[[str], object] = print,
    ) -> None:
        self._command = command
        self._count = count
        self._descriptors = tuple(descriptors)
        self._passed_on = tuple(passed_on)
        self._shutdown_timeout = shutdown_timeout
        self._log = log
        self._on_ready = on_ready
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._serving: set[subprocess.Popen[bytes]] = set()
        self._served = 0  # workers that have said so
        self._is_stopping = False
        self._exit_status = 0

    async def run(self) -> int:
        """Serve until a signal comes or no worker can; return the exit status of it all."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        loop.add_signal_handler(signal.SIGINT, self.interrupt)
        for number in self._passed_on:
            loop.add_signal_handler(number, self._send, number, self._serving)
        with ThreadPoolExecutor(self._count) as waiters:
            try:
                await asyncio.gather(*(self._tend(waiters) for _ in range(self._count)))
            finally:
                self._send(signal.SIGKILL, self._processes)
        return self._exit_status

    def stop(self) -> None:
        """Tell all workers to stop in order. Twice is fine."""
        if self._is_stopping:
            return
        self._is_stopping = True
        self._send(signal.SIGTERM, self._processes)
        asyncio.get_running_loop().call_later(
            self._shutdown_timeout + _ENOUGH, self._send, signal.SIGKILL, self._processes
        )

    def interrupt(self) -> None:
        """Tell all workers to stop in order; the second time, to cut what still runs."""
        if not self._is_stopping:
            self.stop()
        elif self._count > 1:  # the single one has heard it itself
            self._send(signal.SIGINT, self._processes)

    def _send(self, number: int, processes: Collection[subprocess.Popen[bytes]]) -> None:
        for process in processes:
            process.send_signal(number)

    async def _tend(self, waiters: Executor) -> None:
        """Keep one place filled with a worker."""
        ends: deque[float] = deque(maxlen=_CRASHES)
        while not self._is_stopping:
            ours, theirs = socket.socketpair()
            try:
                with theirs:
                    process = self._start(theirs.fileno())
            except OSError as exc:
                ours.close()
                self._give_up(f"can't start a worker: {exc.strerror}", 1)
                return
            status = await self._follow(process, ours, waiters)
            ends.append(time.monotonic())
            self._judge(process.pid, status, ends)

    def _start(self, lifeline: int) -> subprocess.Popen[bytes]:
        # CTRL+C is for us, who pass it on. A single worker is left in the foreground, where
        # a debugger can read from the terminal, and hears it itself. Who read from there in
        # the background would be stopped for ever: several find an end of file.
        is_single = self._count == 1
        process = subprocess.Popen(  # noqa: S603 - our own Python with our own arguments
            [sys.executable, *self._command(lifeline)],
            stdin=None if is_single else subprocess.DEVNULL,
            pass_fds=(lifeline, *self._descriptors),
            process_group=None if is_single else 0,
        )
        self._processes.add(process)
        return process

    async def _follow(
        self, process: subprocess.Popen[bytes], line: socket.socket, waiters: Executor
    ) -> int:
        """Return the exit status of a worker when it has ended."""
        listening = asyncio.create_task(self._listen_to(process, line))
        status = await asyncio.get_running_loop().run_in_executor(waiters, process.wait)
        self._processes.discard(process)
        with suppress(TimeoutError):
            await asyncio.wait_for(listening, _LAST_WORDS)
        self._serving.discard(process)
        return status

    async def _listen_to(self, process: subprocess.Popen[bytes], line: socket.socket) -> None:
        """Take a worker's words until the line breaks."""
        reader, writer = await asyncio.open_connection(sock=line)
        try:
            word = await reader.readuntil(b"\0")
            self._serving.add(process)
            self._served += 1
            if self._served == self._count:
                self._on_ready(word[:-1].decode())
            while True:
                word = await reader.readuntil(b"\0")
                self._log(word[:-1].decode())
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            writer.close()

    def _judge(self, pid: int, status: int, ends: deque[float]) -> None:
        """Decide what follows from the end of a worker: another one, or the end of all.

        ``ends`` are the times of the last ends in its place.
        """
        if status == RESTART or (self._is_stopping and status in _TOLD_TO_END):
            return
        how = f"with status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"
        ended = f"worker {pid} ended {how}"
        is_hopeless = self._served < self._count or (
            len(ends) == _CRASHES and ends[-1] - ends[0] < _SOON
        )
        if self._is_stopping or is_hopeless:
            self._give_up(ended, max(status, 1))
        else:
            self._log(f"{ended}: starting another one")

    def _give_up(self, why: str, status: int) -> None:
        self._exit_status = max(self._exit_status, status)
        self._log(why if self._is_stopping else f"{why}: stopping")
        self.stop()
