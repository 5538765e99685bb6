"""The limit of a download: a socket that blocks, and nothing else.

Iterated over: one buffer, again and again. Kept: into memory of the announced
length, which becomes ``bytes`` without a copy.
"""

from __future__ import annotations

import re
import socket
from contextlib import asynccontextmanager
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.contenders.fetch import PIECE, Fetcher, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def ask(url: str) -> tuple[socket.socket, int, bytes]:
    """Return a socket on which a body comes, its length, and what came with the head."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port or 80))
    connection.sendall(f"GET {address.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(4096)
    head, _, rest = data.partition(b"\r\n\r\n")
    found = re.search(rb"Content-Length: ([0-9]+)", head)
    return connection, int(found[1]) if found else 0, rest


async def get(url: str) -> tuple[int, bytes]:
    """Return what ``keep`` does."""
    return 200, await keep(url)


async def iterate(url: str) -> AsyncIterator[memoryview]:
    """Yield views of one buffer."""
    connection, left, rest = ask(url)
    with connection:
        yield memoryview(rest)
        left -= len(rest)
        view = memoryview(bytearray(PIECE))
        while left:
            size = connection.recv_into(view)
            left -= size
            yield view[:size]


async def keep(url: str) -> bytes:
    """Receive straight into what is returned."""
    connection, length, rest = ask(url)
    body = BytesIO(bytes(length))
    with connection, body.getbuffer() as view:
        view[: len(rest)] = rest
        start = len(rest)
        while start < length:
            start += connection.recv_into(view[start:])
    return body.getvalue()


@asynccontextmanager
async def open_fetcher() -> AsyncIterator[Fetcher]:
    """Open nothing."""
    yield Fetcher(get, iterate=iterate, keep=keep)  # type: ignore[arg-type]


if __name__ == "__main__":
    serve(open_fetcher)
