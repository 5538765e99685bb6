"""The client, let loose on the servers of the world: httpbin, nginx, HTTP/1.0, raw bytes.

Each option of ``request()``, ``ClientSession`` and ``TCPConnector`` is named by a test
that looks at what was on the wire, or at what came back; a table says which.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import http.server
import inspect
import io
import json
import re
import socket
import ssl
import sys
import threading
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from inspect import Parameter
from pathlib import Path
from typing import Any, TypeVar

import pytest
from yarl import URL

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client.options import RequestOptions
from aiohttp.protocol import Exchange, Limits, Listener, ServerHttpProtocol
from gunicorn_process import Gunicorn
from nginx import nginx
from origin import Answer, Origin, response

CERTIFICATE = Path(__file__).parents[1] / "packages/aiohttp-client/tests/localhost.pem"
"""Of localhost, other.example and 127.0.0.1; signed by itself, an authority."""


# Which test looks at which option.

LOOKED_AT: dict[str, set[str]] = {"request": set(), "ClientSession": set(), "TCPConnector": set()}

Test = TypeVar("Test", bound=Callable[..., object])


def looks_at(what: str, *options: str) -> Callable[[Test], Test]:
    """Say of a test that it looks at what these options do."""

    def register(test: Test) -> Test:
        # Saying it is not doing it: the code must give the option.
        code = re.sub(r"@looks_at\([^)]*\)", "", inspect.getsource(test))
        for option in options:
            if not re.search(rf'\b{option}=|"{option}":', code):
                raise ValueError(f"{test.__name__} looks at {option}, but doesn't use it")
        LOOKED_AT[what].update(options)
        return test

    return register


def keywords(function: Callable[..., object]) -> set[str]:
    """Return the parameters that a function has names for."""
    parameters = inspect.signature(function).parameters.values()
    kinds = (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return {each.name for each in parameters if each.kind in kinds}


def test_each_option_is_looked_at() -> None:
    """No option is without a test that looks at its effect."""
    asked = set(RequestOptions.__annotations__) | keywords(aiohttp.request) - {"method", "url"}
    assert LOOKED_AT["request"] == asked
    assert LOOKED_AT["ClientSession"] == keywords(aiohttp.ClientSession)
    assert LOOKED_AT["TCPConnector"] == keywords(aiohttp.TCPConnector)


# The servers.


@pytest.fixture(scope="module")
def httpbin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of httpbin under gunicorn, with a worker of gunicorn's own."""
    folder = tmp_path_factory.mktemp("httpbin")
    options = ("--worker-class", "gthread", "--threads", "8", "--keep-alive", "60")
    with Gunicorn(folder, "from httpbin import app\n", *options) as served:
        yield served.url


TLS = f"ssl_certificate {CERTIFICATE}; ssl_certificate_key {CERTIFICATE};"

SERVERS = {
    "plain": """
        location /moved { return 301 https://localhost:@tls@/; }
        location / { return 200 "$scheme $request_method $connection_requests"; }
    """,
    "tls": TLS
    + """
        keepalive_timeout 60 7;
        location /moved { return 301 http://localhost:@plain@/; }
        location /files { root @folder; }
        location / { return 200 "$ssl_server_name $ssl_protocol $connection_requests"; }
    """,
    "known": TLS
    + f"""
        ssl_client_certificate {CERTIFICATE};
        ssl_verify_client on;
        location / {{ return 200 "$ssl_client_s_dn"; }}
    """,
}


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The ports of nginx: plain, with TLS, and with TLS for clients with a certificate."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "files").mkdir()
    (folder / "files" / "large").write_bytes(LARGE)
    servers = {name: body.replace("@folder", str(folder)) for name, body in SERVERS.items()}
    with nginx(folder, servers) as ports:
        yield ports


LARGE = bytes(range(256)) * 40_000
"""10 MB."""


class Old(http.server.BaseHTTPRequestHandler):
    """A server of HTTP/1.0: no chunks, no ``Connection: keep-alive``, bodies end with it."""

    def do_GET(self) -> None:
        """Answer with the request's first line and fields, to the end of the connection."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.requestline}\n{self.headers}".encode())

    def do_POST(self) -> None:
        """Answer with the request's body."""
        length = int(self.headers["Content-Length"])
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(self.rfile.read(length))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def old() -> Iterator[str]:
    """The URL of a server of HTTP/1.0."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Old)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session as it is by default."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    """A server that answers with what it was sent."""
    async with Origin(response) as origin:
        yield origin


def trusting() -> ssl.SSLContext:
    """Return a context that trusts our own certificate."""
    return ssl.create_default_context(cafile=str(CERTIFICATE))


def serving() -> ssl.SSLContext:
    """Return a server's context."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


def silence(_: bytes) -> Answer:
    """Never answer."""
    return asyncio.get_running_loop().create_future()


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    """Yield a body as a program would."""
    for piece in given:
        yield piece


# What a request says: httpbin tells what it understood.


async def understood(
    session: aiohttp.ClientSession, url: str, method: str = "POST", **options: Any
) -> dict[str, Any]:
    """Return what httpbin has understood of a request."""
    async with session.request(method, f"{url}/anything", **options) as found:
        assert found.status == 200
        told: dict[str, Any] = await found.json()
        return told


@looks_at("request", "params", "headers", "cookies", "auth", "version")
async def test_head_of_a_request(httpbin: str, session: aiohttp.ClientSession) -> None:
    """A query, fields, cookies and credentials arrive as what they are."""
    told = await understood(
        session,
        httpbin,
        "GET",
        params={"a": ["1", "ü&"], "b": ""},
        headers={"X-Mine": "1"},
        cookies={"c": "2", "d": "3"},
        auth=("me", "sécret"),
        version=(1, 0),
    )
    assert told["args"] == {"a": ["1", "ü&"], "b": ""}
    assert told["headers"]["X-Mine"] == "1"
    assert told["headers"]["Cookie"] == "c=2; d=3"
    assert told["headers"]["Authorization"] == aiohttp.encode_basic_auth("me", "sécret")
    async with session.get(f"{httpbin}/basic-auth/me/secret", auth=("me", "secret")) as found:
        assert (await found.json())["authenticated"] is True


@looks_at("request", "data")
@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"bytes", "bytes"),
        (bytearray(b"bytes"), "bytes"),
        (memoryview(b"bytes"), "bytes"),
        ("grüße", "grüße"),
        (io.BytesIO(b"file"), "file"),
        (io.StringIO("text"), "text"),
        ([b"one", b"two"], "onetwo"),
        (iter([b"one", b"two"]), "onetwo"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_bodies(httpbin: str, session: aiohttp.ClientSession, data: Any, body: str) -> None:
    """Every kind of body arrives whole, in chunks where its length isn't known."""
    assert (await understood(session, httpbin, data=data))["data"] == body


async def test_body_of_a_file(httpbin: str, session: aiohttp.ClientSession, tmp_path: Path) -> None:
    """A file is read as it is sent, from where it is, and left open."""
    (tmp_path / "file").write_bytes(b"left out" + b"x" * 1_000_000)
    with (tmp_path / "file").open("rb") as file:
        file.seek(8)
        told = await understood(session, httpbin, data=file)
        assert told["data"] == "x" * 1_000_000
        assert told["headers"]["Content-Length"] == "1000000"
        assert not file.closed


async def test_body_that_is_another_response(httpbin: str, session: aiohttp.ClientSession) -> None:
    """What is received can be sent on as it comes."""
    async with session.get(f"{httpbin}/bytes/50000?seed=1") as source:
        told = await understood(session, httpbin, data=source.content)
    async with session.get(f"{httpbin}/bytes/50000?seed=1") as source:
        assert told["data"] == "data:application/octet-stream;base64," + base64_of(
            await source.read()
        )


def base64_of(data: bytes) -> str:
    """Return bytes as httpbin shows them."""
    from base64 import b64encode

    return b64encode(data).decode()


@looks_at("request", "json", "encoding")
async def test_forms_and_json(httpbin: str, session: aiohttp.ClientSession) -> None:
    """Fields come as fields, JSON as JSON."""
    assert (await understood(session, httpbin, json={"a": [1, "ü"]}))["json"] == {"a": [1, "ü"]}
    fields = {"a": "1 2", "b": "ü"}
    assert (await understood(session, httpbin, data=fields))["form"] == fields
    pairs = [("a", "1"), ("a", "2")]
    assert (await understood(session, httpbin, data=pairs))["form"] == {"a": ["1", "2"]}
    async with Origin(response) as origin:
        await session.post(origin.url, data={"a": "ü"}, encoding="latin-1")
        assert origin.request.endswith(b"\r\n\r\na=%FC")


@looks_at("request", "files")
@pytest.mark.parametrize("as_list", [True, False])
async def test_files(httpbin: str, session: aiohttp.ClientSession, as_list: bool) -> None:
    """Files come as files, with the fields beside them."""
    file = io.BytesIO(b"content")
    files: Any = (
        [("f", file), ("g", io.StringIO("text"), "text/x-mine")] if as_list else {"f": file}
    )
    told = await understood(session, httpbin, files=files, data={"a": "ü"})
    assert told["form"] == {"a": "ü"}
    assert told["files"] == {"f": "content", **({"g": "text"} if as_list else {})}


async def test_form_data(httpbin: str, session: aiohttp.ClientSession) -> None:
    """A form with a file of a name that needs quoting arrives unharmed."""
    form = aiohttp.FormData({"a": "1"})
    form.add_field("f\"'ü", b"content", filename='ü "1".txt', content_type="text/plain")
    told = await understood(session, httpbin, data=form)
    assert told["form"] == {"a": "1"}
    assert list(told["files"].values()) == ["content"]


@looks_at("request", "compress")
@pytest.mark.parametrize(
    ("compress", "undo"),
    [(True, zlib.decompress), ("deflate", zlib.decompress), ("gzip", gzip.decompress)],
)
async def test_compressed_body(
    session: aiohttp.ClientSession, compress: bool | str, undo: Callable[[bytes], bytes]
) -> None:
    """The body is smaller on the wire, and says how to undo it; a stream stays a stream."""
    received: list[bytes] = []

    async def serve(exchange: Exchange) -> None:
        received.append(await exchange.body.read())
        await exchange.respond(200, (), exchange.head.headers["Content-Encoding"].encode())

    async with served(serve) as url:
        for data in (b"a" * 100_000, pieces(b"a" * 50_000, b"a" * 50_000)):
            async with session.post(url, data=data, compress=compress) as found:
                coding = "deflate" if compress is True else compress
                assert await found.text() == coding
    for body in received:
        assert len(body) < 1_000
        assert undo(body) == b"a" * 100_000


@asynccontextmanager
async def served(handler: Callable[[Exchange], Awaitable[None]]) -> AsyncGenerator[str]:
    """Run a server of ours, which leaves bodies as they came; the block gets its URL."""

    class Handling(ServerHttpProtocol):
        """Has the function answer."""

        async def handle_request(self, exchange: Exchange) -> None:
            await handler(exchange)

    async with Listener(protocol=Handling) as listener:
        ((host, port),) = await listener.listen_tcp("127.0.0.1", 0)
        yield f"http://{host}:{port}"


@looks_at("request", "chunked")
@pytest.mark.parametrize(
    ("chunked", "chunks"),
    [(True, b"5\r\nhello\r\n0\r\n\r\n"), (3, b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")],
)
async def test_chunks(
    httpbin: str, origin: Origin, session: aiohttp.ClientSession, chunked: int, chunks: bytes
) -> None:
    """``chunked`` is True or the size of a chunk, and seen on the wire."""
    assert (await understood(session, httpbin, data=b"hello", chunked=chunked))["data"] == "hello"
    await session.post(origin.url, data=b"hello", chunked=chunked)
    head, _, body = origin.request.partition(b"\r\n\r\n")
    assert body == chunks
    assert b"Content-Length" not in head


@looks_at("request", "expect100")
async def test_expectation(httpbin: str, session: aiohttp.ClientSession) -> None:
    """A server that knows 100 asks for the body; one that is silent gets it a little later."""
    assert (await understood(session, httpbin, data=b"x" * 9, expect100=True))["data"] == "x" * 9
    times: list[float] = []

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        times.append(time.monotonic())
        writer.write(response(await reader.readexactly(5), "Connection: close"))
        times.append(time.monotonic())
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        async with session.post(f"http://{host}:{port}/", data=b"hello", expect100=True) as found:
            assert await found.read() == b"hello"
    assert 0.2 < times[1] - times[0] < 5


@looks_at("request", "skip_auto_headers")
@looks_at("ClientSession", "skip_auto_headers", "headers", "auth", "cookies", "base_url", "version")
async def test_what_all_requests_of_a_session_have(origin: Origin) -> None:
    """Headers, cookies, credentials and a version, which a request may replace."""
    async with aiohttp.ClientSession(
        base_url=origin.url + "/base/",
        headers={"X-One": "1", "X-Two": "2"},
        cookies={"a": "1"},
        auth=("me", "secret"),
        skip_auto_headers=["Accept-Encoding"],
        version=(1, 0),
    ) as session:
        await session.get("path", headers={"x-two": "two"}, skip_auto_headers=["User-Agent"])
        lines = origin.request.decode().split("\r\n")
        assert lines[0] == "GET /base/path HTTP/1.0"
        names = [line.partition(":")[0] for line in lines[1:-2]]
        assert sorted(names) == sorted([
            "Host", "Accept", "X-One", "x-two", "Cookie", "Authorization", "Connection",
        ])  # fmt: skip
        assert "Cookie: a=1" in lines
        assert "Authorization: Basic bWU6c2VjcmV0" in lines


@looks_at("ClientSession", "json_serialize", "request_class", "response_class", "loop")
@looks_at("request", "request_class", "loop")
async def test_classes_of_ones_own(origin: Origin) -> None:
    """Requests and responses may be of one's own classes, JSON by one's own serializer."""

    class Marked(aiohttp.ClientRequest):
        """Says so."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.headers["X-Class"] = type(self).__name__

    class Twice(Marked):
        """Says so, too."""

    class Loud(aiohttp.ClientResponse):
        """Gives text in capitals."""

        async def text(self, *args: Any, **options: Any) -> str:
            return (await super().text(*args, **options)).upper()

    async with aiohttp.ClientSession(
        json_serialize=lambda value: json.dumps(value, separators=(",", ":")).encode(),
        request_class=Marked,
        response_class=Loud,
        loop=asyncio.get_running_loop(),
    ) as session:
        async with session.post(origin.url, json=[1, 2]) as found:
            text = await found.text()
        assert "\r\nX-CLASS: MARKED\r\n" in text
        assert text.endswith("\r\n\r\n[1,2]")
        loop = asyncio.get_running_loop()
        async with session.get(origin.url, request_class=Twice, loop=loop) as found:
            assert "\r\nX-CLASS: TWICE\r\n" in await found.text()


@looks_at("request", "upload_tracker")
async def test_upload_is_followed(httpbin: str, session: aiohttp.ClientSession) -> None:
    """A tracker knows when the body was sent whole."""
    tracker = aiohttp.UploadTracker()
    await understood(session, httpbin, data=b"x" * 1_000_000, upload_tracker=tracker)
    await tracker.upload_complete
    assert tracker.bytes_written == 1_000_000


@looks_at("request", "session", "connector")
async def test_requests_that_share(origin: Origin, session: aiohttp.ClientSession) -> None:
    """``session=`` and ``connector=`` lend their connections to ``request``."""
    for _ in range(2):
        async with aiohttp.request("GET", origin.url, session=session) as found:
            await found.read()
    assert origin.connections == 1
    async with aiohttp.TCPConnector() as connector:
        for _ in range(2):
            async with aiohttp.request("GET", origin.url, connector=connector) as found:
                await found.read()
    assert origin.connections == 2


# What comes back.


@pytest.mark.parametrize("coding", ["gzip", "deflate", "brotli"])
async def test_codings(httpbin: str, session: aiohttp.ClientSession, coding: str) -> None:
    """Content codings are undone."""
    async with session.get(f"{httpbin}/{coding}") as found:
        assert (await found.json())[{"gzip": "gzipped", "deflate": "deflated"}.get(coding, coding)]


@looks_at("request", "auto_decompress")
@looks_at("ClientSession", "auto_decompress")
async def test_coding_is_kept(httpbin: str) -> None:
    """On demand content is left as it came."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        async with session.get(f"{httpbin}/gzip") as found:
            assert json.loads(gzip.decompress(await found.read()))["gzipped"]
        async with session.get(f"{httpbin}/gzip", auto_decompress=True) as found:
            assert (await found.json())["gzipped"]


@looks_at("ClientSession", "fallback_charset_resolver")
async def test_text(httpbin: str) -> None:
    """Text is decoded by its charset, or by what a function of one's own says."""
    async with aiohttp.request("GET", f"{httpbin}/encoding/utf8") as found:
        assert "STARGΛ̊TE SG-1" in await found.text()
    told: list[bytes] = []

    def resolve(_: aiohttp.ClientResponse, body: bytes) -> str:
        told.append(body)
        return "latin-1"

    async with (
        Origin(response(b"gr\xfc\xdfe", "Content-Type: text/plain")) as origin,
        aiohttp.ClientSession(fallback_charset_resolver=resolve) as session,
        session.get(origin.url) as found,
    ):
        assert await found.text() == "grüße"
        assert told == [b"gr\xfc\xdfe"]


async def test_streams(httpbin: str, session: aiohttp.ClientSession) -> None:
    """A response without a length is read as it comes, by lines or by pieces."""
    async with session.get(f"{httpbin}/stream/20") as found:
        lines = [json.loads(line) async for line in found.content]
        assert [line["id"] for line in lines] == list(range(20))
    async with session.get(f"{httpbin}/stream-bytes/50000?seed=1&chunk_size=777") as found:
        sizes = [len(piece) async for piece in found.content.iter_chunked(1000)]
        assert sum(sizes) == 50_000
        assert max(sizes) <= 1000


@looks_at("request", "raise_for_status")
@looks_at("ClientSession", "raise_for_status")
async def test_bad_statuses(httpbin: str) -> None:
    """A status of 400 or more is an error where somebody says so, or decides so."""
    asked: list[int] = []

    async def decide(found: aiohttp.ClientResponse) -> None:
        asked.append(found.status)
        if found.status == 418:
            raise RuntimeError(await found.text())

    async with aiohttp.ClientSession(raise_for_status=True) as session:
        with pytest.raises(aiohttp.ClientResponseError) as caught:
            await session.get(f"{httpbin}/status/503")
        assert caught.value.status == 503
        async with session.get(f"{httpbin}/status/503", raise_for_status=False) as found:
            assert not found.ok
        await session.get(f"{httpbin}/status/503", raise_for_status=decide)
        with pytest.raises(RuntimeError, match="teapot"):
            await session.get(f"{httpbin}/status/418", raise_for_status=decide)
    assert asked == [503, 418]


@looks_at("request", "on_information")
async def test_early_hints(session: aiohttp.ClientSession) -> None:
    """What comes before the response is told at once, and kept."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    told: list[int] = []
    async with (
        Origin(hints + response(b"page")) as origin,
        session.get(origin.url, on_information=lambda head: told.append(head.status)) as found,
    ):
        assert await found.read() == b"page"
        assert [each["Link"] for each in found.early_hints] == ["</a.css>; rel=preload"]
    assert told == [103]


@looks_at("request", "max_line_size", "max_field_size", "max_headers")
@looks_at("ClientSession", "max_line_size", "max_field_size", "max_headers")
@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"max_line_size": 100}, "max_line_size=100"),
        ({"max_field_size": 100}, "max_field_size=100"),
        ({"max_headers": 5}, "max_headers=5"),
    ],
)
async def test_bounds_of_a_head(limits: Mapping[str, Any], named: str) -> None:
    """What is larger than a session, or a request, allows is an error that names the bound."""
    fields = [f"X-{number}: {'x' * 200}" for number in range(6)]
    async with Origin(response(b"page", *fields, status="200 " + "x" * 200)) as origin:
        async with aiohttp.ClientSession(**limits) as session:
            with pytest.raises(aiohttp.MalformedResponseError) as caught:
                await session.get(origin.url)
            assert caught.value.limit == named
            generous: dict[str, Any] = dict.fromkeys(limits, 1000)
            async with session.get(origin.url, **generous) as found:
                assert await found.read() == b"page"
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.MalformedResponseError):
                await session.get(origin.url, **limits)


@looks_at("request", "max_body")
@looks_at("ClientSession", "max_body")
@pytest.mark.parametrize("in_chunks", [True, False])
async def test_bound_of_a_body(httpbin: str, in_chunks: bool) -> None:
    """A body that is larger is refused, when its length is announced, or when it has come."""
    path = f"/stream-bytes/5000?seed=1&chunk_size={1000}" if in_chunks else "/bytes/5000?seed=1"
    async with aiohttp.ClientSession(max_body=4999) as session:
        with pytest.raises(aiohttp.ClientPayloadError) as caught:
            async with session.get(httpbin + path) as found:
                await found.read()
        assert "4999" in caught.value.limit
        async with session.get(httpbin + path, max_body=5000) as found:
            assert len(await found.read()) == 5000


@looks_at("request", "read_bufsize")
@looks_at("ClientSession", "read_bufsize")
@pytest.mark.parametrize("of_the_session", [True, False])
@pytest.mark.parametrize("all_of_it", [True, False])
async def test_slow_reader_makes_the_server_wait(of_the_session: bool, all_of_it: bool) -> None:
    """So much is received ahead of the program's reading, and no more."""
    options: dict[str, Any] = {"read_bufsize": SIZE if all_of_it else 20_000}
    sent = 0

    async def stream(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.start(200, [("Content-Length", str(SIZE))])
        for _ in range(SIZE // 100_000):
            await exchange.write(bytes(100_000))
            sent += 100_000
        await exchange.finish()

    given, asked = (options, {}) if of_the_session else ({}, options)
    async with (
        served(stream) as url,
        aiohttp.ClientSession(**given) as session,
        session.get(url, **asked) as found,
    ):
        assert len(await found.content.readexactly(100_000)) == 100_000
        before = 0
        while sent != before:  # until nothing moves
            before = sent
            await asyncio.sleep(0.05)
        if all_of_it:
            assert sent == SIZE
        else:
            assert sent < SIZE / 2  # what the kernel keeps is its own affair
        assert len(await found.read()) == SIZE - 100_000


SIZE = 50_000_000


@looks_at("request", "read_until_eof")
async def test_body_to_the_end(old: str, session: aiohttp.ClientSession) -> None:
    """A response without a length ends with its connection, or has no body on demand."""
    async with session.get(old + "/path") as found:
        assert (await found.text()).startswith("GET /path HTTP/1.1\n")
    async with session.get(old + "/path", read_until_eof=False) as found:
        assert await found.text() == ""


async def test_old_server(old: str, session: aiohttp.ClientSession) -> None:
    """HTTP/1.0 is answered in HTTP/1.0; a body of known length arrives."""
    async with session.post(old, data=b"hello") as found:
        assert (found.version, await found.read()) == ((1, 0), b"hello")
    async with session.post(old, data=b"hello", version=(1, 0)) as found:
        assert await found.read() == b"hello"


# Redirects and cookies.


@looks_at("request", "allow_redirects", "max_redirects")
@pytest.mark.parametrize("kind", ["redirect", "absolute-redirect", "relative-redirect"])
async def test_redirects(httpbin: str, session: aiohttp.ClientSession, kind: str) -> None:
    """They are followed, up to a number."""
    async with session.get(f"{httpbin}/{kind}/3") as found:
        assert (await found.json())["url"].endswith("/get")
        assert [each.status for each in found.history] == [302, 302, 302]
    async with session.get(f"{httpbin}/{kind}/3", allow_redirects=False) as found:
        assert found.status == 302
    with pytest.raises(aiohttp.TooManyRedirects, match="more than 2 redirects"):
        await session.get(f"{httpbin}/{kind}/3", max_redirects=2)
    while " 0 in use, " not in repr(session):  # what was let go of is read to its end
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")]
)
async def test_redirected_post(
    httpbin: str, session: aiohttp.ClientSession, status: int, method: str
) -> None:
    """307 and 308 repeat method and body, the others ask for a page."""
    query = {"url": "/anything", "status_code": str(status)}
    async with session.post(f"{httpbin}/redirect-to", params=query, data=b"body") as found:
        told = await found.json()
    assert (told["method"], told["data"]) == (method, "body" if method == "POST" else "")


@looks_at("ClientSession", "requote_redirect_url")
@pytest.mark.parametrize(("requote", "target"), [(True, b"/~a%20b"), (False, b"/%7Ea%20b")])
async def test_location_is_quoted(requote: bool, target: bytes) -> None:
    """A Location is brought into the usual quoting; on demand it is taken as it is."""
    moved = response(b"", "Location: /%7Ea%20b", status="302 Found")
    async with (
        Origin(lambda request: moved if b"GET / " in request else response()) as origin,
        aiohttp.ClientSession(requote_redirect_url=requote) as session,
    ):
        await session.get(origin.url)
        assert origin.request.startswith(b"GET %b " % target)


@looks_at("ClientSession", "allow_insecure_redirects")
async def test_redirect_that_leaves_tls(ports: dict[str, int]) -> None:
    """From https to http is followed, unless the session forbids it; the other way always."""
    connector = aiohttp.TCPConnector(ssl=trusting())
    moved = f"https://localhost:{ports['tls']}/moved"
    async with aiohttp.ClientSession(
        connector=connector, connector_owner=False, allow_insecure_redirects=True
    ) as session:
        async with session.get(moved) as found:
            assert (await found.text()).startswith("http GET")
        async with session.get(f"http://localhost:{ports['plain']}/moved") as found:
            assert (await found.text()).startswith("localhost TLS")
    async with aiohttp.ClientSession(
        connector=connector, allow_insecure_redirects=False
    ) as session:
        with pytest.raises(aiohttp.RedirectClientError, match="https"):
            await session.get(moved)


@looks_at("ClientSession", "cookie_jar")
async def test_cookies(httpbin: str) -> None:
    """What a server sets comes back to it, and is forgotten when it says so."""
    jar = aiohttp.CookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        async with session.get(f"{httpbin}/cookies/set?a=1&b=two") as found:
            assert (await found.json())["cookies"] == {"a": "1", "b": "two"}
            assert found.history[0].cookies["a"].value == "1"
        async with session.get(f"{httpbin}/cookies", cookies={"b": "3"}) as found:
            assert (await found.json())["cookies"] == {"a": "1", "b": "3"}
        async with session.get(f"{httpbin}/cookies/delete?a=") as found:
            assert (await found.json())["cookies"] == {"b": "two"}
    async with (
        aiohttp.ClientSession(cookie_jar=jar) as session,
        session.get(f"{httpbin}/cookies") as found,
    ):
        assert (await found.json())["cookies"] == {"b": "two"}


@looks_at("ClientSession", "trust_env")
async def test_netrc(httpbin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of ``.netrc`` are used where somebody says so."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for trusted, status in ((True, 200), (False, 401)):
        async with (
            aiohttp.ClientSession(trust_env=trusted) as session,
            session.get(f"{httpbin}/basic-auth/me/secret") as found,
        ):
            assert found.status == status


# TLS, as nginx speaks it.


@looks_at("request", "ssl", "verify_ssl", "server_hostname")
async def test_tls(ports: dict[str, int], session: aiohttp.ClientSession) -> None:
    """A certificate is verified by a context, or by its fingerprint, or not at all."""
    url = f"https://localhost:{ports['tls']}/"
    with pytest.raises(aiohttp.ClientConnectorCertificateError, match="certificate"):
        await session.get(url)
    for ssl_or_none in (trusting(), aiohttp.Fingerprint(fingerprint()), False):
        async with session.get(url, ssl=ssl_or_none) as found:
            assert re.fullmatch(r"localhost TLSv1\.[23] 1", await found.text())
    async with session.get(url, verify_ssl=False) as found:
        assert (await found.text()).endswith(" 2")  # the same as ssl=False, the same connection
    async with session.get(url, ssl=trusting(), server_hostname="other.example") as found:
        assert (await found.text()).startswith("other.example ")
    with pytest.raises(aiohttp.ClientConnectorCertificateError, match=r"nobody\.example"):
        await session.get(url, ssl=trusting(), server_hostname="nobody.example")
    with pytest.raises(aiohttp.ServerFingerprintMismatch):
        await session.get(url, ssl=aiohttp.Fingerprint(bytes(32)))


def fingerprint() -> bytes:
    """Return that of our certificate."""
    text = CERTIFICATE.read_text()
    found = re.search(r"-----BEGIN CERT.*-----END CERTIFICATE-----\n", text, re.DOTALL)
    assert found is not None
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(found[0])).digest()


@looks_at("TCPConnector", "ssl", "verify_ssl", "fingerprint", "ssl_context")
@pytest.mark.parametrize("option", ["ssl", "verify_ssl", "fingerprint", "ssl_context"])
async def test_tls_of_a_connector(ports: dict[str, int], option: str) -> None:
    """A connector says for all its requests how to do TLS; in old words, too."""
    options: dict[str, Any] = {
        "ssl": trusting(),
        "verify_ssl": False,
        "fingerprint": fingerprint(),
        "ssl_context": trusting(),
    }
    connector = aiohttp.TCPConnector(**{option: options[option]})
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"https://localhost:{ports['tls']}/") as found,
    ):
        assert found.status == 200


async def test_certificate_of_a_client(ports: dict[str, int]) -> None:
    """A server that wants to know its clients gets their certificate."""
    url = f"https://localhost:{ports['known']}/"
    context = trusting()
    async with aiohttp.ClientSession() as session, session.get(url, ssl=context) as found:
        assert found.status == 400
    context.load_cert_chain(CERTIFICATE)
    async with aiohttp.ClientSession() as session, session.get(url, ssl=context) as found:
        assert await found.text() == "CN=localhost"


async def test_tls_connections_are_kept(ports: dict[str, int]) -> None:
    """Requests share a connection, which nginx counts, and not one with other settings."""
    connector = aiohttp.TCPConnector(ssl=trusting())
    async with aiohttp.ClientSession(connector=connector) as session:
        url = f"https://localhost:{ports['tls']}/"
        for number in range(1, 4):
            async with session.get(url) as found:
                assert (await found.text()).endswith(f" {number}")
        async with session.get(url, ssl=False) as found:
            assert (await found.text()).endswith(" 1")


async def test_large_file_over_tls(ports: dict[str, int]) -> None:
    """10 MB arrive unharmed, whole and in pieces."""
    connector = aiohttp.TCPConnector(ssl=trusting())
    async with aiohttp.ClientSession(connector=connector) as session:
        url = f"https://localhost:{ports['tls']}/files/large"
        async with session.get(url) as found:
            assert await found.read() == LARGE
        async with session.get(url, headers={"Range": "bytes=5-9"}) as found:
            assert (found.status, await found.read()) == (206, LARGE[5:10])
        async with session.get(url) as found:
            digest = hashlib.sha256()
            async for piece in found.content.iter_chunked(65536):
                digest.update(piece)
            assert digest.digest() == hashlib.sha256(LARGE).digest()


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@looks_at("ClientSession", "ssl_shutdown_timeout")
@looks_at("TCPConnector", "ssl_shutdown_timeout", "enable_cleanup_closed", "timeout_ceil_threshold")
async def test_end_of_tls_needs_no_time(ports: dict[str, int]) -> None:
    """When the end of a session was awaited, its sockets are closed: nobody need sleep."""
    before = open_sockets()
    connector = aiohttp.TCPConnector(
        ssl=trusting(), ssl_shutdown_timeout=0, enable_cleanup_closed=True, timeout_ceil_threshold=5
    )
    session = aiohttp.ClientSession(connector=connector, ssl_shutdown_timeout=0)
    await session.get(f"https://localhost:{ports['tls']}/")
    assert open_sockets() > before
    await session.close()
    assert open_sockets() == before


def open_sockets() -> set[str]:
    """Return the names that Linux has for the open sockets of this process."""
    names: set[str] = set()
    for file in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder itself, which was open while we read it
            names.add(str(file.readlink()))
    return {name for name in names if name.startswith("socket:")}


# Connections.


@looks_at("TCPConnector", "limit", "limit_per_host")
@pytest.mark.parametrize("limits", [{"limit": 3}, {"limit_per_host": 3}, {"limit": 0}])
async def test_limits(limits: dict[str, Any]) -> None:
    """There are never more connections than allowed, to all hosts or to one."""

    async def answer() -> bytes:
        await asyncio.sleep(0.01)
        return response()

    connector = aiohttp.TCPConnector(**limits)
    async with (
        Origin(lambda _: answer()) as origin,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        await asyncio.gather(*(session.get(origin.url) for _ in range(12)))
        assert origin.connections == (12 if limits == {"limit": 0} else 3)
        assert (connector.limit, connector.limit_per_host) == (
            limits.get("limit", 100), limits.get("limit_per_host", 0),
        )  # fmt: skip


@looks_at("TCPConnector", "force_close", "keepalive_timeout")
@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({"force_close": True}, "1"),
        ({"force_close": False}, "2"),
        ({"keepalive_timeout": 60}, "2"),
        ({"keepalive_timeout": 0.01}, "1"),
    ],
)
async def test_how_long_connections_are_kept(
    ports: dict[str, int], options: Any, number: str
) -> None:
    """For one request, or as long as the connector says; nginx counts the requests of each."""
    url = f"http://127.0.0.1:{ports['plain']}/"
    connector = aiohttp.TCPConnector(**options)
    async with aiohttp.ClientSession(connector=connector) as session:
        await session.get(url)
        await asyncio.sleep(0.1)
        async with session.get(url) as found:
            assert (await found.text()).endswith(f" {number}")


async def test_server_says_how_long_it_keeps_a_connection() -> None:
    """``Keep-Alive: timeout=`` counts, where it is shorter than the connector's."""
    async with (
        Origin(response(b"", "Keep-Alive: timeout=0")) as origin,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=60)) as session,
    ):
        for _ in range(2):
            await session.get(origin.url)
            await asyncio.sleep(0.1)
        assert origin.connections == 2


class Everywhere(AbstractResolver):
    """Gives the same addresses for every host, and counts."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self.addresses
        ]

    async def close(self) -> None:
        """Do nothing."""


@looks_at("TCPConnector", "resolver", "use_dns_cache", "ttl_dns_cache")
@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({}, 1),
        ({"use_dns_cache": False}, 3),
        ({"ttl_dns_cache": 0.001}, 3),
        ({"ttl_dns_cache": None}, 1),
    ],
)
async def test_names_are_remembered(origin: Origin, options: Any, asked: int) -> None:
    """An address is asked for once within its time to live."""
    resolver = Everywhere("127.0.0.1")
    connector = aiohttp.TCPConnector(resolver=resolver, force_close=True, **options)
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(3):
            await session.get(f"http://shop.test:{origin.port}/")
            await asyncio.sleep(0.005)
    assert resolver.asked == asked


@looks_at("TCPConnector", "happy_eyeballs_delay", "interleave", "family")
@pytest.mark.parametrize(
    ("options", "addresses"),
    [
        ({"happy_eyeballs_delay": None}, ["127.0.0.2", "127.0.0.1"]),
        ({"happy_eyeballs_delay": 0.01, "interleave": 2}, ["127.0.0.2", "::1", "127.0.0.1"]),
        ({"family": socket.AF_INET}, ["127.0.0.1"]),
    ],
)
async def test_several_addresses(origin: Origin, options: Any, addresses: list[str]) -> None:
    """An address that refuses doesn't keep the next one from being tried; nor one of IPv6."""
    connector = aiohttp.TCPConnector(resolver=Everywhere(*addresses), **options)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"http://shop.test:{origin.port}/") as found,
    ):
        assert found.status == 200


@looks_at("TCPConnector", "local_addr", "socket_factory", "loop")
async def test_sockets() -> None:
    """A connection comes from the address that was chosen, or through a socket of one's own."""
    made: list[socket.socket] = []
    peers: list[str] = []

    def factory(address: Any) -> socket.socket:
        made.append(socket.socket(*address[:3]))
        return made[-1]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[0])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response(b"", "Connection: close"))
        writer.close()

    connectors = (
        aiohttp.TCPConnector(local_addr=("127.0.0.9", 0)),
        aiohttp.TCPConnector(socket_factory=factory),
        aiohttp.TCPConnector(loop=asyncio.get_running_loop()),
    )
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for connector in connectors:
            async with aiohttp.ClientSession(connector=connector) as session:
                await session.get(f"http://127.0.0.1:{port}/")
    assert peers == ["127.0.0.9", "127.0.0.1", "127.0.0.1"]
    assert len(made) == 1


@looks_at("TCPConnector", "limits")
async def test_limits_of_a_connector(origin: Origin) -> None:
    """What servers may send is a matter of the connector, where no request says otherwise."""
    connector = aiohttp.TCPConnector(limits=Limits(body=10))
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientPayloadError, match="10"):
            await (await session.get(origin.url)).read()


@looks_at("ClientSession", "connector", "connector_owner")
async def test_connector_outlives_its_sessions(origin: Origin) -> None:
    """A connector that a session doesn't own stays open, with its connections."""
    connector = aiohttp.TCPConnector()
    for owner in (False, True):
        async with aiohttp.ClientSession(connector=connector, connector_owner=owner) as session:
            await session.get(origin.url)
        assert connector.closed is owner
    assert origin.connections == 1


class Forgetful(Origin):
    """Closes its first connection at the second request of it."""

    def __init__(self) -> None:
        super().__init__(self._answer_or_close)

    def _answer_or_close(self, request: bytes) -> bytes | None:
        return None if (self.connections, len(self.requests)) == (1, 2) else response(request)


@looks_at("ClientSession", "retry")
@looks_at("request", "replayable")
@pytest.mark.parametrize(
    ("method", "options", "retry", "repeated"),
    [
        ("GET", {}, True, 1),
        ("GET", {}, False, 0),
        ("POST", {"data": b"x"}, True, 0),
        ("POST", {"data": b"x", "replayable": True}, True, 1),
        ("POST", {"data": iter([b"x"]), "replayable": True}, True, 0),
    ],
)
async def test_server_that_closes_as_it_is_asked_again(
    method: str, options: Any, retry: bool, repeated: int
) -> None:
    """A GET is repeated; a POST where the program allows it; nothing where it is switched off."""
    async with Forgetful() as origin, aiohttp.ClientSession(retry=retry) as session:
        await session.get(origin.url)
        if repeated:
            assert (await session.request(method, origin.url, **options)).status == 200
        else:
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await session.request(method, origin.url, **options)
        assert session.retries == repeated


# Time.


@looks_at("request", "timeout", "conn_timeout")
@looks_at("ClientSession", "timeout", "conn_timeout")
@pytest.mark.parametrize("of_the_session", [True, False])
@pytest.mark.parametrize(
    ("limits", "tls", "message"),
    [
        ({"timeout": 0.01}, False, "waiting for a response"),
        ({"timeout": aiohttp.ClientTimeout(sock_read=0.01)}, False, "waiting for a response"),
        ({"timeout": 60, "conn_timeout": 0.01}, True, "shaking hands"),
        ({"timeout": aiohttp.ClientTimeout(sock_connect=0.01)}, True, "shaking hands"),
    ],
)
async def test_times(limits: Any, tls: bool, message: str, of_the_session: bool) -> None:
    """Each limit ends the request, and the error says what was waited for."""
    nothing: dict[str, Any] = {}
    given, asked = (limits, nothing) if of_the_session else (nothing, limits)
    async with Origin(silence) as origin, aiohttp.ClientSession(**given) as session:
        url = origin.url.replace("http:", "https:") if tls else origin.url
        with pytest.raises(TimeoutError, match=message) as caught:
            await session.get(url, **asked)
        assert isinstance(caught.value, aiohttp.ServerTimeoutError)
        assert " 0 in use" in repr(session)


# Odd answers, byte by byte.

HEAD = b"HTTP/1.1 200 OK\r\n"
IN_CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

ODD: dict[str, tuple[bytes, bytes | type[Exception]]] = {
    "bare LF": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", b"ok"),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    "folded field": (HEAD + b"X-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    "length twice": (HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    "informational": (b"HTTP/1.1 102 Processing\r\n\r\n" + response(b"ok"), b"ok"),
    "chunk extension": (IN_CHUNKS + b'2;a="b;c"\r\nok\r\n0;x\r\n\r\n', b"ok"),
    "trailers": (IN_CHUNKS + b"2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n", b"ok"),
    "surplus": (response(b"ok") + response(b"evil"), b"ok"),
    "surplus bytes": (response(b"ok") + b"\r\n\r\nrest", b"ok"),
    "no content, but some": (b"HTTP/1.1 204 No\r\n\r\nevil", b""),
    "not modified, with a length": (b"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", b""),
    "to the close": (HEAD + b"Connection: close\r\n\r\nok", b"ok"),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", aiohttp.MalformedResponseError),
    "HTTP/2": (b"HTTP/2.0 200 OK\r\n\r\n", aiohttp.MalformedResponseError),
    "status of four digits": (b"HTTP/1.1 2000 OK\r\n\r\n", aiohttp.MalformedResponseError),
    "bad field name": (HEAD + b"X A: 1\r\n\r\n", aiohttp.MalformedResponseError),
    "NUL": (HEAD + b"X-A: \0\r\n\r\n", aiohttp.MalformedResponseError),
    "two lengths": (
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        aiohttp.MalformedResponseError,
    ),
    "signed length": (HEAD + b"Content-Length: +2\r\n\r\nok", aiohttp.MalformedResponseError),
    "both framings": (
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        aiohttp.MalformedResponseError,
    ),
    "endless head": (HEAD + b"X-A: 1\r\n" * 1000, aiohttp.MalformedResponseError),
    "head that ends": (HEAD + b"X-A: 1\r\n", aiohttp.ServerDisconnectedError),
    "nothing": (b"", aiohttp.ServerDisconnectedError),
    "bad chunk after a good one": (
        IN_CHUNKS + b"2\r\nok\r\nXX\r\n0\r\n\r\n",
        aiohttp.ClientPayloadError,
    ),
    "chunk without its end": (IN_CHUNKS + b"2\r\nokXX0\r\n\r\n", aiohttp.ClientPayloadError),
    "no last chunk": (IN_CHUNKS + b"2\r\nok\r\n", aiohttp.ClientPayloadError),
    "short body": (HEAD + b"Content-Length: 9\r\n\r\nshort", aiohttp.ClientPayloadError),
    "no gzip": (
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\nnothing",
        aiohttp.ClientPayloadError,
    ),
    "half a gzip": (
        response(gzip.compress(b"ok" * 100)[:-9], "Content-Encoding: gzip"),
        aiohttp.ClientPayloadError,
    ),
    "bomb": (
        response(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip"),
        aiohttp.ClientPayloadError,
    ),
}
"""What a server says on a connection before it closes its side, and what a client makes of it."""


@pytest.mark.parametrize("way", ["at once", "byte by byte", "over TLS"])
@pytest.mark.parametrize("name", ODD)
async def test_odd_answer(name: str, way: str) -> None:
    """It is read, or an error at once; never a hang, and never part of another answer."""
    sent, expected = ODD[name]
    spoken = asyncio.Event()
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET /odd "):
                await speak(writer, sent, bytewise=way == "byte by byte" and len(sent) < 1000)
                spoken.set()
            else:
                writer.write(response(b"even", "Connection: close"))
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    tls = serving() if way == "over TLS" else None
    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trusting()),
            timeout=aiohttp.ClientTimeout(total=10),
        ) as session,
    ):
        host, port = server.sockets[0].getsockname()
        url = f"http{'s' if tls else ''}://{host}:{port}"
        if isinstance(expected, bytes):
            async with session.get(f"{url}/odd") as found:
                assert await found.read() == expected
        else:
            with pytest.raises(expected) as caught:
                async with session.get(f"{url}/odd") as found:
                    await found.read()
            assert not isinstance(caught.value, TimeoutError)
            assert "\n" not in str(caught.value)
        await spoken.wait()
        async with session.get(f"{url}/even") as found:
            assert await found.read() == b"even"
        assert connections == 2


async def speak(writer: asyncio.StreamWriter, data: bytes, *, bytewise: bool) -> None:
    """Send bytes at once, or one by one."""
    for at in range(0, len(data), 1 if bytewise else len(data) or 1):
        if writer.is_closing():
            break  # the client has heard enough
        writer.write(data[at : at + 1] if bytewise else data)
        await asyncio.sleep(0)


async def test_error_explains() -> None:
    """One line says what happened; the facts are attributes, and no secret is among them."""
    async with Origin(lambda _: None) as origin, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ServerDisconnectedError) as caught:
            await session.get(origin.url.replace("//", "//me:secret@") + "/path")
        error = caught.value
        assert (error.method, error.url) == ("GET", URL(origin.url + "/path"))
        assert (error.phase, error.peer) == ("head", ("127.0.0.1", origin.port))
        assert (error.reused, error.attempt) == (False, 1)
        assert 0 <= error.elapsed < 10
        assert "secret" not in str(error) + repr(error)
