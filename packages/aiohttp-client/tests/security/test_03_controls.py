"""Rule 3: controls in a response's head are refused, wherever the segments end."""

from __future__ import annotations

import asyncio

import pytest

from aiohttp.client import MalformedResponseError, Session
from odd import refusal
from origin import Origin, response
from wire import cuts

CONTROLS = {
    "CVE-2026-34520 NUL in a value": b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
    "CVE-2026-34520 control in a value": b"HTTP/1.1 200 OK\r\nA: b\x1b[2Jc\r\n\r\n",
    "CVE-2023-37276 CR in a value": b"HTTP/1.1 200 OK\r\nA: b\rContent-Length: 0\r\n\r\n",
    "CVE-2023-47627 control in a name": b"HTTP/1.1 200 OK\r\nA\x0b: b\r\n\r\n",
    "CVE-2023-47627 no name": b"HTTP/1.1 200 OK\r\n: b\r\n\r\n",
    "CVE-2023-47627 no colon": b"HTTP/1.1 200 OK\r\nA b\r\n\r\n",
    "CVE-2024-23829 NUL in a status line": b"HTTP/1.1 200 O\0K\r\n\r\n",
    "CVE-2024-23829 CR in a status line": b"HTTP/1.1 200 O\rK\r\n\r\n",
    "CVE-2024-23829 other white space": b"HTTP/1.1\x0b200 OK\r\n\r\n",
    "white space before the first field": b"HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
    "NUL before all": b"\0HTTP/1.1 200 OK\r\n\r\n",
}


@pytest.mark.parametrize("head", CONTROLS.values(), ids=CONTROLS.keys())
async def test_control(head: bytes) -> None:
    """The answer is malformed, and the error shows it on one printable line."""
    error = await refusal(head)
    assert isinstance(error, MalformedResponseError)
    assert str(error).isprintable()


async def test_bare_cr_across_reads() -> None:
    """#13136: a CR at the end of one segment is as bare as in the middle of it."""
    head = b"HTTP/1.1 200 OK\r\nA: b\rC: d\r\nContent-Length: 0\r\n\r\n"
    for pieces in cuts(head, splits=24):

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:  # noqa: B023 the server is gone before the next turn
                writer.write(piece)
                await asyncio.sleep(0)
            await reader.read()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, Session(timeout=5) as session:
            with pytest.raises(MalformedResponseError, match="control character"):
                await session.get(f"http://127.0.0.1:{port}/")


async def test_fold_is_one_value() -> None:
    """A line that goes on with white space is one value, with a space (RFC 9112, section 5.2)."""
    data = b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n"
    async with Origin(data) as origin, Session() as session:
        assert (await session.get(origin.url)).headers["A"] == "b c"


async def test_bytes_beyond_ascii_stay_as_they_are() -> None:
    """They are no controls: obs-text (RFC 9110, section 5.5)."""
    async with Origin(response(b"", "A: \u00fc")) as origin, Session() as session:
        answer = await session.get(origin.url)
        assert answer.raw_headers[-1] == (b"A", "\u00fc".encode())
