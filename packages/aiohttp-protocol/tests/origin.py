"""A server of raw bytes on the loopback: for tests of clients, which need odd answers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeAlias

__all__ = ["Answer", "Origin", "response"]

Answer: TypeAlias = bytes | Awaitable[bytes | None] | None
"""What is sent back; None: the connection is closed instead."""


def response(body: bytes = b"", *fields: str, status: str = "200 OK") -> bytes:
    """Return a response of known length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


class Origin:
    """Answers each request by what a function returns for its bytes.

    Attributes:
        requests: what came, each with head and body as they were on the wire.
        connections: how many were accepted.
        url: without a path.
    """

    def __init__(
        self,
        answer: Callable[[bytes], Answer] | bytes,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self._answer = answer
        self._tls = tls
        self._host = host
        self._tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.requests: list[bytes] = []
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self._host, 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"{'https' if self._tls else 'http'}://{host}:{self.port}"
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A client that has come and gone may have left a socket that is accepted in the next
        # turn, and has a task two turns later; asyncio forgets it if the server closes between.
        for _ in range(4):
            await asyncio.sleep(0)
        self._server.close()
        for _ in range(3):
            await asyncio.sleep(0)
        for task, writer in self._tasks.items():
            task.cancel()  # which may not have begun
            writer.transport.abort()  # nobody is left to wait for the end of TLS
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def request(self) -> bytes:
        """The last request."""
        return self.requests[-1]

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Not a coroutine function: asyncio's own task would log its cancellation.
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks[task] = writer
        task.add_done_callback(self._tasks.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await _read_request(reader)
                self.requests.append(request)
                given = self._answer
                answer = given if isinstance(given, bytes) else given(request)
                if isinstance(answer, Awaitable):
                    answer = await answer
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
                if b"\r\nconnection: close" in (request + answer).lower():
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    fields = head.lower()
    if b"\r\ntransfer-encoding: chunked" in fields:
        return head + await reader.readuntil(b"0\r\n\r\n")
    _, found, rest = fields.partition(b"\r\ncontent-length: ")
    return head + await reader.readexactly(int(rest.split(b"\r\n")[0])) if found else head
