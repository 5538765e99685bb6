"""Rule 13: nothing that a server says is run, or reaches a terminal as it came.

That there is neither ``assert`` nor pickle in the sources is in ``tests/test_language.py``.
"""

from __future__ import annotations

import gc
import logging
import pickle

import pytest

from aiohttp.client import ClientError, Session
from aiohttp.client.errors import InvalidURL
from aiohttp.protocol.errors import HttpException
from origin import Origin, response

ESCAPES = "\x1b[2J\x1b]0;title\x07\x9b31m\r\n\u202e"


@pytest.mark.parametrize(
    "data",
    [
        f"HTTP/1.1 200 OK\r\nA: {ESCAPES}\r\n\r\n".encode("latin-1", "ignore"),
        f"HTTP/1.1 {ESCAPES}\r\n\r\n".encode("latin-1", "ignore"),
        b"\x1b[2J\x9b",
        b"HTTP/1.1 200 OK\r\nContent-Length: \x9b5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\x1b[2J\x9b\r\n",
        response(b"x", "Content-Encoding: \x9b"),
        response(b"", "Location: http://a:\x9b/", status="302 Found"),
        response(b"", "Location: \x9b31m://a", status="302 Found"),
        response(b"", "Location: /", status="302 \x9b31m"),
        response(b"", status="404 \x9b31m"),
        response(b"{}", "Content-Type: \x9b31m"),
    ],
    ids=ascii,
)
async def test_no_escape_sequence_in_an_error(data: bytes) -> None:
    """CVE-2020-7694: an error, and what caused it, are printable."""
    async with Origin(data) as origin, Session() as session:
        with pytest.raises(ClientError) as caught:
            async with session.get(origin.url, raise_for_status=True) as answer:
                await answer.json()
    for text in [str(caught.value), repr(caught.value)]:
        assert text.isprintable()
    cause = caught.value.__cause__
    assert not isinstance(cause, HttpException) or str(cause).isprintable()


async def test_no_escape_sequence_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2020-7694: a log shows a URL as it is on the wire."""
    caplog.set_level(logging.WARNING, logger="aiohttp")
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    async with Origin(long) as origin, Session() as session:
        await session.get(f"{origin.url}/{ESCAPES}%1b%0a")
        gc.collect()
    (record,) = caplog.records
    assert record.getMessage().isprintable()


@pytest.mark.parametrize("url", [f"http://{ESCAPES}/", f"{ESCAPES}://a", f"//me:pw@{ESCAPES}"])
def test_no_escape_sequence_of_a_url(url: str) -> None:
    """CVE-2020-7694: nor does a malformed URL bring them into an error."""
    assert str(InvalidURL(url, "it is malformed")).isprintable()


async def test_errors_can_be_pickled_and_run_nothing() -> None:
    """CVE-2026-34993: an error comes back as what it was: data, without a server's objects."""
    async with Origin(response(b"", status="404 Not Found")) as origin, Session() as session:
        with pytest.raises(ClientError) as caught:
            await session.get(origin.url, raise_for_status=True)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (type(caught.value), str(caught.value))
