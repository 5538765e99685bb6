"""Clients that ask a server again and again, and note whatever goes wrong, seen from their side."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from loaded import PIECES

__all__ = ["Failure", "Load", "peers_of", "soon"]

PATIENCE = 30.0
"""Seconds until one answer counts as lost, however busy the machine is."""

CHUNK = b"x" * 10_000


async def soon(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Return what ``condition`` gives once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        await asyncio.sleep(0.02)
    return found


async def peers_of(pid: int) -> set[int]:
    """Return the ports of all who are connected by IPv4 to a process that stands still.

    While sockets of other processes come and go, the kernel's table may lack a row: so it
    is read more than once.
    """
    folder = Path(f"/proc/{pid}")
    own = {str(file.readlink()) for file in (folder / "fd").iterdir()}
    found: set[int] = set()
    for _ in range(5):
        table = (folder / "net/tcp").read_text().splitlines()
        rows = [line.split() for line in table if " 01 " in line]  # established
        mine = [row for row in rows if f"socket:[{row[9]}]" in own]
        found |= {int(row[2].partition(":")[2], 16) for row in mine}
        await asyncio.sleep(0)
    return found


class Failure(NamedTuple):
    """A request without its answer."""

    error: str
    target: str
    before: int
    """How many requests of its connection were answered."""
    pid: str
    """By which process they were."""
    port: int
    """The client's."""


class Wrong(ValueError):
    """An answer that isn't the expected one."""


@dataclass
class Load:
    """So many clients, as long as the block lasts, of an application in ``loaded``.

    Each keeps its connection as long as it may, or for ``requests``. Answers are compared
    with what was asked for, and behind a connection's last answer there must be its end.

    Attributes:
        answers: how many each process has given.
        connections: how many were made.
        farewells: answers that were announced to be the last of their connection.
        is_ending: whether nobody connects any more.
    """

    address: tuple[str, int]
    clients: int = 32
    requests: int | None = None
    answers: Counter[str] = field(default_factory=Counter[str])
    connections: int = 0
    farewells: int = 0
    failures: list[Failure] = field(default_factory=list[Failure])
    is_ending: bool = False
    _is_over: bool = False

    async def __aenter__(self) -> Self:
        """Begin."""
        self._tasks = [asyncio.create_task(self._ask(number)) for number in range(self.clients)]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Let every client have the answer that it waits for."""
        self._is_over = True
        async with asyncio.timeout(2 * PATIENCE):
            await asyncio.gather(*self._tasks)

    async def more(self, number: int) -> None:
        """Return after so many more answers."""
        wanted = self.answers.total() + number
        await soon(lambda: self.answers.total() >= wanted or self.failures, f"{number} answers")

    async def _ask(self, number: int) -> None:
        kinds = itertools.count(number)  # so that not all ask for the same
        while not (self._is_over or self.is_ending):
            try:
                connection = await Connection.open(self.address)
            except OSError as exc:
                self.failures.append(Failure(repr(exc), "", 0, "", 0))
                await asyncio.sleep(0.1)
                continue
            self.connections += 1
            try:
                await self._use(connection, kinds)
            except (OSError, EOFError, ValueError) as exc:
                self.failures.append(connection.failure(exc))
            finally:
                connection.close()

    async def _use(self, connection: Connection, kinds: Iterator[int]) -> None:
        """Ask until the connection ends, or has had its requests, or all is over."""
        while True:
            async with asyncio.timeout(PATIENCE):
                await connection.ask(next(kinds))
            self.answers[connection.pid] += 1
            if connection.is_ended:
                self.farewells += 1
                return
            if self._is_over or connection.answered == self.requests:
                return


class Connection:
    """One connection of a client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._target = ""
        self.answered = 0
        self.pid = ""
        self.is_ended = False

    @classmethod
    async def open(cls, address: tuple[str, int]) -> Self:
        """Connect."""
        return cls(*await asyncio.open_connection(*address))

    def close(self) -> None:
        """Close it, whatever is under way."""
        self._writer.close()

    def failure(self, exc: Exception) -> Failure:
        """Tell what was under way when it went wrong."""
        port: int = self._writer.get_extra_info("sockname")[1]
        return Failure(repr(exc), self._target, self.answered, self.pid, port)

    async def ask(self, number: int) -> None:
        """Send a request, of a kind by its number, and take the answer.

        Raises:
            Wrong: if that is any other than expected.
        """
        expected = await self._send(number)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        if lines[0] != "HTTP/1.1 200 OK":
            raise Wrong(lines)
        fields = dict(line.lower().split(": ", 1) for line in lines[1:-1])
        if "content-length" in fields:
            body = await self._reader.readexactly(int(fields["content-length"]))
        else:
            body = await self._read_chunks()
        if body != expected:
            raise Wrong(f"expected {len(expected)} bytes, got {len(body)}, behind {lines}")
        if fields.get("connection") == "close":
            if rest := await self._reader.read():
                raise Wrong(f"got {rest!r} behind the last answer")
            self.is_ended = True
        self.answered += 1
        self.pid = fields["pid"]

    async def _send(self, number: int) -> bytes:
        """Send a request, and return the body of its answer."""
        match number % 6:
            case 0:
                self._begin("GET /pieces")
                return b"".join(PIECES)
            case 1:
                self._begin(f"GET /sleep?{number % 20}")
                return b"slept"
            case 2:
                body = b"%d" % number * 500
                self._begin("POST /echo", f"Content-Length: {len(body)}", body[:300])
                if number % 4 == 0:
                    await asyncio.sleep(0.001)
                self._writer.write(body[300:])
                return body
            case 3:
                self._begin("POST /echo", "Transfer-Encoding: chunked")
                for _ in range(15):
                    self._writer.write(b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK))
                    await self._writer.drain()
                self._writer.write(b"0\r\n\r\n")
                return CHUNK * 15
            case _:
                self._begin("GET /hello")
                return b"hello"

    def _begin(self, line: str, field: str = "Accept: */*", body: bytes = b"") -> None:
        self._target = f"{line} {field}"
        self._writer.write(f"{line} HTTP/1.1\r\nHost: x\r\n{field}\r\n\r\n".encode() + body)

    async def _read_chunks(self) -> bytes:
        pieces: list[bytes] = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            pieces.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readexactly(2)
        return b"".join(pieces)
