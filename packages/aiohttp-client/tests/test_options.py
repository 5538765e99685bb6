"""Every option of ``request()`` and of a session, by what it does to the wire."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from aiohttp.client import (
    ClientPayloadError,
    ClientResponseError,
    ConnectionTimeoutError,
    HttpRequest,
    HttpResponse,
    InvalidURL,
    InvalidUrlRedirectClientError,
    MalformedResponseError,
    Session,
    TCPConnector,
    request,
)
from aiohttp.client.options import RequestOptions
from aiohttp.client.reception import RECEPTION_OPTIONS
from aiohttp.protocol import LineTooLong, ResponseHead
from origin import Answer, Origin, response

CERTIFICATE = Path(__file__).with_name("localhost.pem")


def line(request: bytes) -> str:
    """Return the target that was asked for."""
    return request.split(b" ")[1].decode()


def fields_of(request: bytes, name: str) -> list[str]:
    """Return the values of a field, in order."""
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    pairs = [line.split(": ", 1) for line in lines]
    return [value for found, value in pairs if found.lower() == name]


def redirecting(location: str, status: str = "302 Found") -> Callable[[bytes], Answer]:
    """Answer the first request with a redirect, the others with 200."""
    answers = iter([response(b"", f"Location: {location}", status=status)])
    return lambda _: next(answers, response(b"end"))


def test_every_option_has_a_type() -> None:
    """What ``request`` takes is what editors and type checkers are told."""
    taken = {
        *signature(Session._request).parameters,
        *signature(HttpRequest.__init__).parameters,
        *RECEPTION_OPTIONS,
    } - {"self", "method", "url", "options", "session"}
    assert set(RequestOptions.__annotations__) == taken


async def test_unknown_option() -> None:
    """A misspelled option is an error, which names it."""
    async with Session() as session:
        with pytest.raises(TypeError, match="tiemout"):
            await session.get("http://a/", tiemout=1)  # type: ignore[call-arg]


# Where it goes.


@pytest.mark.parametrize(
    ("base", "url", "target"),
    [
        ("/", "x", "/x"),
        ("/api/", "x?y", "/api/x?y"),
        ("/api/", "/x", "/x"),
        ("/api/", "", "/api/"),
        ("/api/v1/", "../x", "/api/x"),
        ("", "/x", "/x"),
        ("/a%2Fb/", "x", "/a%2Fb/x"),
        ("/a%3F/%0D%0A/", "./x?y", "/a%3F/%0D%0A/x?y"),
    ],
)
async def test_base_url(base: str, url: str, target: str) -> None:
    """Relative URLs are meant from ``base_url`` on (RFC 3986, section 5)."""
    async with Origin(response()) as origin, Session(origin.url + base) as session:
        await session.get(url)
        assert line(origin.request) == target


async def test_base_url_and_an_absolute_one() -> None:
    """A URL with a host needs no base."""
    async with Origin(response()) as origin, Session("http://nowhere.example/") as session:
        await session.get(origin.url + "/x")
        assert line(origin.request) == "/x"


async def test_base_url_and_another_host() -> None:
    """``//host/x`` has the scheme of the base, and nothing else of it (RFC 3986, 5.2.2)."""
    async with Origin(response()) as origin, Session("http://me:pw@nowhere.example/a/") as session:
        await session.get(f"//127.0.0.1:{origin.port}/x")
        assert line(origin.request) == "/x"
        assert b"Authorization" not in origin.request


@pytest.mark.parametrize(
    "url",
    [
        "http://h:+80/", "//h:+80/x", "http://h:8_0/", "http://h\\@b/", "//h\\@b/",
        "http:x", "http:///x", "mailto:a", "http://h:x/", "//h:x/", "//", "///x",
    ],
)  # fmt: skip
async def test_base_url_lets_nothing_pass(url: str) -> None:
    """What is refused without a base is refused with one: no other scheme, no odd port."""
    async with Session("http://nowhere.example/a/") as session:
        with pytest.raises(InvalidURL) as caught:
            await session.get(url)
    assert caught.value.description


def test_base_url_without_a_slash() -> None:
    """The last part of its path would be lost: that is an error, not a surprise."""
    with pytest.raises(ValueError, match="base_url must end in '/', or its last part is lost"):
        Session("http://a/api")
    with pytest.raises(InvalidURL):
        Session("api/")


# Cookies.


async def test_cookies_are_one_field() -> None:
    """The jar, the Cookie header and ``cookies=`` go out as one field."""
    async with (
        Origin(response(b"", "Set-Cookie: jar=1", "Set-Cookie: both=jar")) as origin,
        Session(cookies={"mine": "1"}) as session,
    ):
        await session.get(origin.url)
        assert fields_of(origin.request, "cookie") == ["mine=1"]
        await session.get(origin.url, headers={"Cookie": "h=1; both=h"}, cookies={"c": "1"})
        (cookie,) = fields_of(origin.request, "cookie")
        assert sorted(cookie.split("; ")) == ["both=h", "c=1", "h=1", "jar=1", "mine=1"]


async def test_cookies_of_2014() -> None:
    """``update_cookies`` and ``cookies`` of a session, in the words of 2014."""
    async with Origin(response(b"", "Set-Cookie: a=1")) as origin, Session() as session:
        session.update_cookies({"b": "2"})
        await session.get(origin.url)
        assert {name: morsel.value for name, morsel in session.cookies.items()} == {
            "a": "1", "b": "2",
        }  # fmt: skip


async def test_cookies_of_one_request_are_not_kept() -> None:
    """Nor are they sent to another origin (CVE-2026-47265)."""
    async with (
        Origin(response()) as other,
        Origin(redirecting(other.url + "/x")) as origin,
        Session() as session,
    ):
        await session.get(origin.url, cookies={"mine": "1"}, headers={"Cookie": "also=1"})
        assert fields_of(origin.request, "cookie") == ["also=1; mine=1"]
        assert fields_of(other.request, "cookie") == []
        await session.get(origin.url)
        assert fields_of(origin.request, "cookie") == []


async def test_cookie_that_a_redirect_sets() -> None:
    """It is sent with the next request of the same call."""
    answers = iter([response(b"", "Set-Cookie: a=1", "Location: /x", status="302 Found")])
    async with Origin(lambda _: next(answers, response())) as origin, Session() as session:
        await session.get(origin.url)
        assert fields_of(origin.request, "cookie") == ["a=1"]


# How a request is made.


async def test_request_class() -> None:
    """A subclass may change what is sent; a request's own class comes before the session's."""

    class Signed(HttpRequest):
        def __init__(self, method: str, url: Any, **options: Any) -> None:
            super().__init__(method, url, **options)
            self.headers["X-Signature"] = f"{self.method} {self.url.path}"

    class Plain(HttpRequest):
        pass

    async with Origin(response()) as origin, Session(request_class=Signed) as session:
        await session.get(origin.url + "/x")
        assert fields_of(origin.request, "x-signature") == ["GET /x"]
        await session.get(origin.url, request_class=Plain)
        assert fields_of(origin.request, "x-signature") == []
    async with Origin(response()) as origin:
        await request("GET", origin.url + "/y", request_class=Signed)
        assert fields_of(origin.request, "x-signature") == ["GET /y"]


async def test_response_class() -> None:
    """A subclass may know more."""

    class Mine(HttpResponse):
        @property
        def is_mine(self) -> bool:
            return True

    async with Origin(response()) as origin, Session(response_class=Mine) as session:
        answer = await session.get(origin.url)
        assert isinstance(answer, Mine)
        assert answer.is_mine


async def test_files_of_2014() -> None:
    """``files`` are sent as multipart, beside the fields of ``data``."""
    async with Origin(response()) as origin, Session() as session:
        await session.post(origin.url, data={"a": "1"}, files={"b": b"content"})
        (content_type,) = fields_of(origin.request, "content-type")
        assert content_type.startswith("multipart/form-data; boundary=")
        assert b'name="a"\r\n' in origin.request
        assert b'name="b"' in origin.request
        assert b"\r\n\r\ncontent\r\n" in origin.request


async def test_encoding_of_a_form() -> None:
    """``encoding`` is that of the text in a form."""
    async with Origin(response()) as origin, Session() as session:
        await session.post(origin.url, data={"a": "ü"}, encoding="latin-1")
        assert origin.request.endswith(b"\r\n\r\na=%FC")


async def test_expect_in_a_header() -> None:
    """A field Expect means the same as ``expect100``, and is sent once."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.lower().count(b"\r\nexpect: 100-continue\r\n") == 1
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        writer.write(response(await reader.readexactly(5)))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, Session() as session:
        headers = {"Expect": "100-Continue"}
        async with session.post(url, data=b"hello", headers=headers) as answer:
            assert await answer.read() == b"hello"


@pytest.mark.parametrize("verify", [{"ssl": False}, {"verify_ssl": False}])
async def test_no_verification(verify: Any) -> None:
    """``ssl=False`` and ``verify_ssl=False`` trust a certificate that nobody vouches for."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    async with Origin(response(), tls=context) as origin, Session() as session:
        assert (await session.get(origin.url, **verify)).status == 200
        with pytest.raises(OSError, match="certificate"):
            await session.get(origin.url)


# Limits.


async def test_conn_timeout() -> None:
    """``conn_timeout`` bounds the opening of a connection, and the error says so."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with socket.create_connection(address), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(address)
            url = f"http://127.0.0.1:{address[1]}"
            async with Session() as session:
                with pytest.raises(ConnectionTimeoutError) as caught:
                    await session.get(url, conn_timeout=0.05)
    assert caught.value.limit == "ClientTimeout.sock_connect=0.05 s"
    assert caught.value.phase == "connect"


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"max_line_size": 10}, "a first line of at most 10 bytes"),
        ({"max_field_size": 20}, "field"),
        ({"max_headers": 2}, "field"),
    ],
)
@pytest.mark.parametrize("of_session", [True, False])
async def test_limits_of_a_head(options: Any, cause: str, of_session: bool) -> None:
    """Session and request may bound what the head of a response has."""
    nothing: dict[str, Any] = {}
    of_all, of_one = (options, nothing) if of_session else (nothing, options)
    answer = response(b"", "X-Long: " + "x" * 50, "X-More: 1", status="200 Everything is fine")
    async with Origin(answer) as origin, Session(**of_all) as session:
        with pytest.raises(MalformedResponseError, match=cause) as caught:
            await session.get(origin.url, **of_one)
        assert caught.value.limit
        assert isinstance(caught.value.__cause__, LineTooLong | Exception)


@pytest.mark.parametrize("of_session", [True, False])
async def test_max_body(of_session: bool) -> None:
    """A body that exceeds ``max_body`` ends in an error, as stream and as a whole."""
    of_all, of_one = (10, None) if of_session else (None, 10)
    async with Origin(response(b"x" * 11)) as origin, Session(max_body=of_all) as session:
        for read in ("read", "content.read"):
            with pytest.raises(ClientPayloadError, match="10") as caught:
                answer = await session.get(origin.url, max_body=of_one)
                await (answer.read() if read == "read" else answer.content.read())
            assert caught.value.limit


async def test_max_body_that_suffices() -> None:
    """A body of exactly that size is fine."""
    async with Origin(response(b"x" * 10)) as origin, Session(max_body=10) as session:
        assert await (await session.get(origin.url)).read() == b"x" * 10


# What comes back.


async def test_early_hints() -> None:
    """103 comes before the final response: to a callback at once, and in ``early_hints``."""
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
    seen: list[tuple[int, str]] = []

    def informed(head: ResponseHead) -> None:
        seen.append((head.status, head.headers["Link"]))

    async with Origin(hint + response()) as origin, Session() as session:
        answer = await session.get(origin.url, on_information=informed)
        assert seen == [(103, "</style.css>; rel=preload")]
        assert [hints["Link"] for hints in answer.early_hints] == ["</style.css>; rel=preload"]


async def test_raise_for_status_by_a_coroutine() -> None:
    """Who decides about a response may be a coroutine function; the request's comes first."""
    asked: list[int] = []

    async def strict(answer: HttpResponse) -> None:
        asked.append(answer.status)
        if answer.status != 200:
            raise KeyError(answer.status)

    async with (
        Origin(response(b"no", status="404 Not Found")) as origin,
        Session(raise_for_status=strict) as session,
    ):
        with pytest.raises(KeyError):
            await session.get(origin.url)
        assert (await session.get(origin.url, raise_for_status=False)).status == 404
        with pytest.raises(ClientResponseError):
            await session.get(origin.url, raise_for_status=True)
    assert asked == [404]


async def test_requote_redirect_url() -> None:
    """A Location is put into normal form, or taken literally."""
    async with Origin(redirecting("/%7ea")) as origin, Session() as session:
        await session.get(origin.url)
        assert line(origin.request) == "/~a"
    async with (
        Origin(redirecting("/%7ea")) as origin,
        Session(requote_redirect_url=False) as session,
    ):
        await session.get(origin.url)
        assert line(origin.request) == "/%7ea"


async def test_redirect_from_https_to_http() -> None:
    """It loses Referer, and can be refused."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    async with Origin(response()) as plain:
        answer = response(b"", f"Location: {plain.url}/x", status="302 Found")
        connector = TCPConnector(ssl=False)
        async with (
            Origin(answer, tls=context) as origin,
            Session(connector=connector, headers={"Referer": "https://a/secret"}) as session,
        ):
            await session.get(origin.url)
            assert fields_of(origin.request, "referer") == ["https://a/secret"]
            assert fields_of(plain.request, "referer") == []
            session.allow_insecure_redirects = False
            with pytest.raises(InvalidUrlRedirectClientError, match="from https to http"):
                await session.get(origin.url)


# Where it runs.


async def test_loop() -> None:
    """The running loop is accepted, any other is refused by a sentence."""
    other = asyncio.new_event_loop()
    try:
        async with Origin(response()) as origin, Session() as session:
            await session.get(origin.url, loop=asyncio.get_running_loop())
            with pytest.raises(RuntimeError, match="a request always belongs to the loop"):
                await session.get(origin.url, loop=other)
            with pytest.raises(RuntimeError, match="a request always belongs to the loop"):
                await Session(loop=other).get(origin.url)
    finally:
        other.close()


async def test_detach() -> None:
    """A detached connector goes on living; the session doesn't."""
    async with Origin(response()) as origin:
        session = Session()
        await session.get(origin.url)
        connector = session.connector
        assert connector is not None
        session.detach()
        assert session.closed
        assert session.connector is None
        assert not connector.closed
        async with Session(connector=connector) as other:
            await other.get(origin.url)
        assert origin.connections == 1


async def test_connector_of_a_single_request() -> None:
    """``request`` takes a connector, and leaves it open; with a session it would be two."""
    async with Origin(response()) as origin, Session() as session:
        connector = session.connector
        assert connector is not None
        for _ in range(2):
            await request("GET", origin.url, connector=connector)
        assert origin.connections == 1
        with pytest.raises(ValueError, match="session and connector exclude each other"):
            request("GET", origin.url, session=session, connector=connector)


def test_attributes_of_a_session() -> None:
    """A session tells how it was made."""
    session = Session(
        auth=("a", "b"), trust_env=True, auto_decompress=False, raise_for_status=True,
        skip_auto_headers=["User-Agent"], connector_owner=False,
    )  # fmt: skip
    assert session.auth == ("a", "b")
    assert session.trust_env
    assert not session.auto_decompress
    assert session.raise_for_status is True
    assert "user-agent" in {name.lower() for name in session.skip_auto_headers}
    assert not session.connector_owner
    assert session.requote_redirect_url
    assert session.loop is None
    assert session.timeout.total == 300
    assert URL("http://a/") == URL("http://a")
