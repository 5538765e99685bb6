"""Connections within the machine: Unix sockets and named pipes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aiohttp.client import (
    ConnectionTimeoutError,
    Session,
)
from aiohttp.client.errors import UnixClientConnectorError
from aiohttp.client.local import NamedPipeConnector, UnixConnector
from connectors import connector_of
from origin import response

# Other ways to connect.


async def unix_server(path: Path) -> asyncio.Server:
    """Return a server on a Unix socket, which answers one request a connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(response(head.split(b"\r\n")[1], "Connection: close"))
        writer.close()

    return await asyncio.start_unix_server(answer, path)


async def test_unix_socket(tmp_path: Path) -> None:
    """A Unix socket takes requests for any host; Host says which."""
    path = tmp_path / "socket"
    connector = UnixConnector(path)
    async with await unix_server(path), Session(connector=connector) as session:
        assert connector.path == str(path)
        async with session.get("http://a.example/") as answer:
            assert await answer.read() == b"Host: a.example"


async def test_nobody_at_the_unix_socket(tmp_path: Path) -> None:
    """The error names the path; the slot is free again."""
    path = str(tmp_path / "socket")
    async with Session(connector=UnixConnector(path, limit=1)) as session:
        for _ in range(2):
            with pytest.raises(UnixClientConnectorError, match=f"to {path}: No such") as caught:
                await session.get("http://a.example/")
            assert (caught.value.path, caught.value.phase) == (path, "connect")


@pytest.fixture
def full_unix_socket(tmp_path: Path) -> Iterator[socket.socket]:
    """A Unix socket whose queue of connections to be accepted is full."""
    path = str(tmp_path / "full")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen(0)
        client.connect(path)
        yield server


async def test_full_unix_socket(full_unix_socket: socket.socket) -> None:
    """The limit of the connector ends the wait for room in the queue; no socket is left."""
    connector = UnixConnector(full_unix_socket.getsockname(), conn_timeout=0.02)
    async with Session(connector=connector) as session:
        with pytest.raises(ConnectionTimeoutError, match=r"connecting to a\.example:80"):
            await session.get("http://a.example/")


async def test_room_at_the_unix_socket(full_unix_socket: socket.socket) -> None:
    """Whoever waits for room in the queue is connected when there is some."""
    connector = UnixConnector(full_unix_socket.getsockname())
    async with Session(connector=connector) as session:
        request = asyncio.ensure_future(session.post("http://a.example/", data=b"body"))
        await asyncio.sleep(0.01)
        first, _ = full_unix_socket.accept()
        with first:
            second, _ = await asyncio.to_thread(full_unix_socket.accept)
        with second:
            assert await asyncio.to_thread(second.recv, 9) == b"POST / HT"
            second.sendall(response(b"hello"))
            assert await (await request).read() == b"hello"


def test_system_without_unix_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to use instead."""
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(RuntimeError, match="use TCPConnector"):
        UnixConnector("/socket")


def test_system_without_named_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to use instead."""
    monkeypatch.delattr(asyncio, "ProactorEventLoop", raising=False)
    with pytest.raises(RuntimeError, match="on Windows only: use UnixConnector"):
        NamedPipeConnector(r"\\.\pipe\name")


async def test_named_pipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A pipe takes requests for any host, by the one method that Windows' loop adds."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(asyncio, "ProactorEventLoop", type(loop), raising=False)
    path = str(tmp_path / "pipe")
    connector = NamedPipeConnector(path)
    assert connector.path == path
    async with Session(connector=connector) as session:
        with pytest.raises(RuntimeError, match="need a ProactorEventLoop"):
            await session.get("http://a.example/")
        create: Any = loop.create_unix_connection
        monkeypatch.setattr(loop, "create_pipe_connection", create, raising=False)
        with pytest.raises(UnixClientConnectorError, match=f"to {path}: No such"):
            await session.get("http://a.example/")
        async with await unix_server(Path(path)), session.get("http://a.example/") as answer:
            assert await answer.read() == b"Host: a.example"
        assert connector_of(session).open_connections == 0
