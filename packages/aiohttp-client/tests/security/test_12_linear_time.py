"""Rule 12: what a server says is read in time proportional to its size, and floods no log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import pytest
from yarl import URL

from aiohttp.client import ClientError, HttpRequest, HttpResponse, Session
from aiohttp.client.call import Call
from aiohttp.client.destination import check_authority, destination_of
from aiohttp.client.errors import InvalidURL
from aiohttp.client.links import parse_links
from aiohttp.client.redirects import redirect
from aiohttp.protocol.http1.client_exchange import ClientExchange
from aiohttp.protocol.http1.head import parse_response_head
from aiohttp.protocol.limits import Limits
from origin import Origin, response

BASE = destination_of("http://a/")
WIDE = Limits(line=10**9, field_line=10**9, fields=10**9, head=10**9)


def links(text: str) -> None:
    """Read a Link field."""
    parse_links([text], URL("http://a/"))


def location(text: str) -> None:
    """Follow a Location."""
    redirect(302, "GET", BASE, text)


class Exchange:
    """An exchange that is over."""

    is_complete = is_request_sent = True


def content_type(text: str) -> None:
    """Ask a response for its charset."""
    head = parse_response_head(f"HTTP/1.1 200 OK\r\nContent-Type: {text}\r\n\r\n".encode(), WIDE)
    call = Call.__new__(Call)
    call.history, call.early_hints, call.connection = (), (), None
    request = HttpRequest("GET", "http://a/")
    answer = HttpResponse(request, head, cast(ClientExchange, Exchange()), call)
    assert answer.content_type
    answer.charset  # noqa: B018 it is what takes time


WORK: dict[str, Callable[[int], object]] = {
    "CVE-2025-67726 parameters of a link": lambda n: links("<a>" + ";b=c" * (n // 4)),
    "CVE-2025-67726 semicolons of a link": lambda n: links("<a>" + ";" * n),
    "CVE-2025-67726 quotes of a link": lambda n: links('<a>;b="' + '\\"' * (n // 2)),
    "CVE-2025-67726 white space of a link": lambda n: links("<a>;b" + " " * n + "c"),
    "CVE-2020-5236 commas before a link": lambda n: links(", " * (n // 2) + "a"),
    "links without end": lambda n: links("<" * n),
    "CVE-2025-67726 parameters of a type": lambda n: content_type("a/b" + ";c=d" * (n // 4)),
    "CVE-2025-67726 semicolons of a type": lambda n: content_type("a/b" + "; " * (n // 2)),
    "CVE-2025-67726 quotes of a type": lambda n: content_type('a/b;charset="' + '\\"' * (n // 2)),
    "CVE-2020-5236 white space of a type": lambda n: content_type("a/b;" + "\t " * (n // 2) + "c"),
    "charsets of a type": lambda n: content_type("a/b" + ";charset=" * (n // 9)),
    "path of a location": lambda n: location("/a" * (n // 2)),
    "dots of a location": lambda n: location("/.." * (n // 3)),
    "query of a location": lambda n: location("/?" + "a=b&" * (n // 4)),
    "escapes of a location": lambda n: location("/" + "%61" * (n // 3)),
    "colons of a location": lambda n: check_authority("//" + ":" * n),
    "logins of a location": lambda n: InvalidURL("http://" + "a:b@" * (n // 4)),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_time_is_linear(work: Callable[[int], object]) -> None:
    """Sixteen times as much takes about sixteen times as long, and never its square."""

    def seconds(size: int) -> float:
        began = time.thread_time()
        with suppress(InvalidURL):
            work(size)
        return time.thread_time() - began

    small = min(seconds(20_000) for _ in range(3))
    large = min(seconds(320_000) for _ in range(3))
    assert large < 16 * 6 * max(small, 0.0002)


@pytest.mark.parametrize(
    "answer",
    [
        response(b"", *["Set-Cookie: \u00fc"] * 100),
        response(b"x", "Content-Encoding: gzip"),
        response(b"--", "Content-Type: multipart/mixed"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nXX\r\n",
        b"HTTP/1.1 200 OK\r\nA: \x1b[2J\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000,
        b"SSH-2.0-x\r\n",
        response(b"ok") * 3,
    ],
)
async def test_nothing_is_logged(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2025-69230, CVE-2025-47287: what is wrong is told the program, and no log."""
    caplog.set_level(logging.DEBUG, logger="aiohttp")
    async with Origin(answer) as origin, Session() as session:
        for _ in range(3):
            with suppress(ClientError):
                async with session.get(origin.url) as got:
                    await got.read()
    assert [record for record in caplog.records if record.name.startswith("aiohttp")] == []
