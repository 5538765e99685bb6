"""Names that aiohttp 3 documents of its client: each exists, takes what it should, is called here.

``aiohttp3-client.txt`` has what is documented. Tests say with ``@calls`` which names they
call; the table that this gives is compared with the documentation.
"""

from __future__ import annotations

import asyncio
import io
import json
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from hashlib import sha256
from http.cookies import Morsel, SimpleCookie
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest
from multidict import CIMultiDict
from yarl import URL

import aiohttp
from aiohttp.abc import AbstractCookieJar, AbstractResolver, ResolveResult
from documented import Row, agrees, mentions
from documented_client import CLIENT, calls, parameters_of
from origin import Answer, Origin, response

CERTIFICATE = Path(__file__).with_name("localhost.pem")

PAGE = response(
    "grüße".encode("latin-1"),
    'Content-Type: text/plain; charset="latin-1"',
    'Content-Disposition: attachment; filename="a b.txt"; size=5',
    'Link: </next?page=2>; rel="next"',
    "Set-Cookie: seen=1; Path=/",
    "X-Twice: 1",
    "X-Twice: 2",
)


def answer(request: bytes) -> bytes:
    """Answer by path: a page with all kinds of fields, JSON, an echo, a 404, a redirect."""
    path = request.split(b" ")[1].decode()
    if path == "/page":
        return PAGE
    if path == "/json":
        return response(b'{"a": [1, null]}', "Content-Type: application/json")
    if path == "/404":
        return response(b"no", "X-Why: gone", status="404 Not Found")
    if path == "/302":
        return response(b"", "Location: /page", status="302 Found")
    return response(request, "Content-Type: text/plain")


def tls_context() -> ssl.SSLContext:
    """Return what a server of localhost needs."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    """A server that knows ``answer``."""
    async with Origin(answer) as origin:
        yield origin


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session as it is by default."""
    async with aiohttp.ClientSession() as session:
        yield session


# The tables.


def with_signature() -> list[Row]:
    """Return the documented names that are documented with what they take."""
    return [row for row in CLIENT.rows if row.parameters]


@pytest.mark.parametrize("row", CLIENT.rows, ids=str)
def test_each_documented_name_is_called_in_a_test(row: Row) -> None:
    """It is in the table of names, and the test that the table names does use it."""
    assert row.path in CLIENT.covering
    assert row.name in mentions(CLIENT.covering[row.path])


def test_nothing_else_is_in_the_table() -> None:
    """The table of names has nothing that is not documented."""
    assert CLIENT.covering.keys() - {row.path for row in CLIENT.rows} == set()


@pytest.mark.parametrize("row", with_signature(), ids=str)
def test_each_documented_parameter_exists_with_its_kind(row: Row) -> None:
    """What can be given by position has its position, the rest its name."""
    assert agrees(parameters_of(row.found), row.parameters or {})


# Parts of one's own.


class TwoCookies(AbstractCookieJar):
    """Gives each request the same cookies, and writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, URL]] = []
        self.given = SimpleCookie("a=1; b=2")

    def __len__(self) -> int:
        return len(self.given)

    def __iter__(self) -> Iterator[Morsel[str]]:
        return iter(self.given.values())

    def update_cookies(self, cookies: Any, response_url: Any = None) -> None:
        self.told.append((cookies, response_url))

    def filter_cookies(self, request_url: URL) -> SimpleCookie:
        return self.given

    def clear(self, predicate: Callable[[Morsel[str]], bool] | None = None) -> None:
        self.given.clear()

    def clear_domain(self, domain: str) -> None:
        self.given.pop(domain)


@calls("abc.AbstractCookieJar")
@calls("abc.AbstractCookieJar", "update_cookies", "filter_cookies", "clear", "clear_domain")
async def test_cookie_jar_of_ones_own(origin: Origin) -> None:
    """A session asks its jar what to send, and tells it what came."""
    jar = TwoCookies()
    assert isinstance(jar, AbstractCookieJar)
    assert jar.filter_cookies(URL(origin.url)).keys() == {"a", "b"}
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        await session.get(origin.url + "/page")
        assert b"\r\nCookie: a=1; b=2\r\n" in origin.request
        ((cookies, url),) = jar.told
        assert dict(cast(Any, cookies))["seen"].value == "1"
        assert url == URL(origin.url + "/page")
        jar.clear_domain("a")
        await session.get(origin.url)
        assert b"\r\nCookie: b=2\r\n" in origin.request
        jar.clear()
        await session.get(origin.url)
        assert b"Cookie" not in origin.request
        jar.update_cookies({}, URL())
        assert len(jar.told) == 2


class Loopback(AbstractResolver):
    """Finds every host on the loopback."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.is_closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append((host, port))
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        self.is_closed = True


@calls("abc.AbstractResolver")
@calls("abc.AbstractResolver", "resolve", "close")
@calls("abc.ResolveResult")
@calls("abc.ResolveResult", "hostname", "host", "port", "family", "proto", "flags")
async def test_resolver_of_ones_own(origin: Origin) -> None:
    """A connector asks it once for each host, and leaves its end to whoever made it."""
    resolver = Loopback()
    assert isinstance(resolver, AbstractResolver)
    connector = aiohttp.TCPConnector(resolver=resolver, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(2):
            async with session.get(f"http://shop.test:{origin.port}/") as page:
                assert await page.read() == origin.request
        assert f"\r\nHost: shop.test:{origin.port}\r\n".encode() in origin.request
    assert resolver.asked == [("shop.test", origin.port)]
    assert not resolver.is_closed
    (found,) = await resolver.resolve("shop.test", 80)
    result: ResolveResult = found
    assert (result["hostname"], result["host"], result["port"]) == ("shop.test", "127.0.0.1", 80)
    assert (result["family"], result["proto"]) == (socket.AF_INET, socket.IPPROTO_TCP)
    assert result["flags"] == socket.AI_NUMERICHOST
    await resolver.close()
    assert resolver.is_closed


# Sessions.


@calls("ClientSession")
@calls("ClientSession", "connector", "cookie_jar", "loop", "timeout", "headers", "auth")
@calls("ClientSession", "skip_auto_headers", "json_serialize", "connector_owner")
@calls("ClientSession", "raise_for_status", "auto_decompress", "trust_env", "requote_redirect_url")
async def test_session_tells_what_it_was_given(origin: Origin) -> None:
    """Every option of a session that has an attribute can be read there."""

    def encode(value: object) -> str:
        return json.dumps(value, indent=1)

    connector = aiohttp.TCPConnector()
    jar = aiohttp.CookieJar()
    timeout = aiohttp.ClientTimeout(total=7)
    session = aiohttp.ClientSession(
        origin.url,
        connector=connector,
        cookie_jar=jar,
        timeout=timeout,
        headers={"X-Mine": "1"},
        auth=aiohttp.BasicAuth("me", "secret"),
        skip_auto_headers=["User-Agent"],
        json_serialize=encode,
        connector_owner=False,
        raise_for_status=True,
        auto_decompress=False,
        trust_env=True,
        requote_redirect_url=False,
    )
    async with session:
        await session.post("/echo", json=[1])
        assert session.connector is connector
        assert session.cookie_jar is jar
        assert session.loop is asyncio.get_running_loop()
        assert session.timeout == timeout
        assert session.headers["x-mine"] == "1"
        assert session.auth == aiohttp.BasicAuth("me", "secret")
        assert {name.lower() for name in session.skip_auto_headers} == {"user-agent"}
        assert session.json_serialize is encode
        assert not session.connector_owner
        assert session.raise_for_status is True
        assert not session.auto_decompress
        assert session.trust_env
        assert not session.requote_redirect_url
    assert not connector.closed
    await connector.close()
    text = origin.request.decode()
    assert text.startswith("POST /echo HTTP/1.1\r\n")
    assert "\r\nX-Mine: 1\r\n" in text
    assert "\r\nAuthorization: Basic bWU6c2VjcmV0\r\n" in text
    assert "User-Agent" not in text
    assert text.endswith("\r\n\r\n[\n 1\n]")


@calls("ClientSession", "request", "get", "post", "put", "delete", "head", "options", "patch")
async def test_methods(origin: Origin, session: aiohttp.ClientSession) -> None:
    """Each method has a name; they take what ``request`` takes."""
    for send in (session.get, session.post, session.put, session.delete, session.patch):
        async with send(origin.url, params={"a": "1"}) as found:
            assert (await found.text()).startswith(f"{found.method} /?a=1 ")
    for send in (session.options, session.head):
        async with send(origin.url, params={"a": "1"}) as found:
            assert origin.request.startswith(f"{found.method} /?a=1 ".encode())
    async with session.request("SEARCH", origin.url) as found:
        assert (await found.text()).startswith("SEARCH / ")


@calls("ClientSession", "close", "closed")
async def test_session_ends() -> None:
    """A session is closed by the end of its block, or by ``close``."""
    told: list[bool] = []
    async with aiohttp.ClientSession() as session:
        told.append(session.closed)
    told.append(session.closed)
    session = aiohttp.ClientSession()
    await session.close()
    told.append(session.closed)
    assert told == [False, True, True]


@calls("ClientSession", "detach")
async def test_detached_session_leaves_its_connector_alone(origin: Origin) -> None:
    """``detach`` ends the session, and neither closes its connections nor warns of them."""
    connector = aiohttp.TCPConnector()
    session = aiohttp.ClientSession(connector=connector)
    await session.get(origin.url)
    session.detach()
    assert session.closed
    assert session.connector is None
    assert not connector.closed
    async with aiohttp.ClientSession(connector=connector) as session:
        await session.get(origin.url)
    assert origin.connections == 1


@calls("request")
async def test_request_without_a_session(origin: Origin) -> None:
    """``aiohttp.request`` has a connection of its own, or one of the connector it is given."""
    async with aiohttp.request("GET", origin.url + "/page") as found:
        assert found.status == 200
    connector = aiohttp.TCPConnector()
    for _ in range(2):
        async with aiohttp.request("GET", origin.url, connector=connector) as found:
            assert await found.read() == origin.request
    assert origin.connections == 2
    await connector.close()


# Connections.


@calls("BaseConnector")
@calls("BaseConnector", "closed", "force_close", "limit", "limit_per_host", "close")
@calls("BaseConnector", "_create_connection", "connect")
@calls("ClientRequest")
@calls("Connection")
@calls("Connection", "closed", "loop", "transport", "close", "release")
async def test_connections(origin: Origin) -> None:
    """A connector makes a connection for a request; it ends unused, or is kept for others."""
    made: list[URL] = []

    class Counting(aiohttp.TCPConnector):
        """Writes down for which requests a connection is made."""

        async def _create_connection(self, req: aiohttp.ClientRequest, call: Any) -> Any:
            made.append(req.url)
            return await super()._create_connection(req, call)

    connector: aiohttp.BaseConnector = Counting(limit=5, limit_per_host=2, force_close=False)
    assert (connector.limit, connector.limit_per_host) == (5, 2)
    assert not connector.force_close
    request = aiohttp.ClientRequest("GET", URL(origin.url))
    connection = await connector.connect(request)
    assert isinstance(connection, aiohttp.Connection)
    assert connection.loop is asyncio.get_running_loop()
    assert connection.transport is not None
    peer = connection.transport.get_extra_info("peername")
    assert peer == ("127.0.0.1", origin.port)
    told = [connection.closed]
    connection.release()
    told.append(connection.closed)  # for whoever has let go of it
    connection = await connector.connect(request)
    told.append(connection.closed)
    connection.close()
    told.append(connection.closed)
    assert told == [False, True, False, True]
    assert made == [URL(origin.url)] * 2
    told = [connector.closed]
    await connector.close()
    assert [*told, connector.closed] == [False, True]


@calls("TCPConnector")
@calls("TCPConnector", "family", "dns_cache", "cached_hosts", "clear_dns_cache")
async def test_tcp_connector_remembers_addresses(origin: Origin) -> None:
    """What a resolver said is kept, can be looked at, and dropped for one host or for all."""
    connector = aiohttp.TCPConnector(
        resolver=Loopback(), family=socket.AF_INET, use_dns_cache=True, ttl_dns_cache=60
    )
    assert connector.family == socket.AF_INET
    assert connector.dns_cache
    async with aiohttp.ClientSession(connector=connector) as session:
        for host in ("one.test", "two.test"):
            await session.get(f"http://{host}:{origin.port}/")
        assert connector.cached_hosts.keys() == {
            ("one.test", origin.port),
            ("two.test", origin.port),
        }
        connector.clear_dns_cache("one.test", origin.port)
        assert connector.cached_hosts.keys() == {("two.test", origin.port)}
        connector.clear_dns_cache()
        assert not connector.cached_hosts


@calls("AddrInfoType")
@calls("SocketFactoryType")
async def test_sockets_of_ones_own(origin: Origin) -> None:
    """``socket_factory`` gets an address as getaddrinfo tells it, and returns a socket."""
    made: list[socket.socket] = []

    def factory(address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        made.append(socket.socket(family, kind, protocol))
        return made[-1]

    chosen: aiohttp.SocketFactoryType = factory
    connector = aiohttp.TCPConnector(socket_factory=chosen)
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(origin.url) as found:
            assert await found.read()
        assert [sock.getpeername() for sock in made] == [("127.0.0.1", origin.port)]


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs sockets of that family")
@calls("UnixConnector")
@calls("UnixConnector", "path")
async def test_unix_connector(tmp_path: Path) -> None:
    """Every host is reached through the one socket; the URL still says whom to ask for."""
    path = str(tmp_path / "socket")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response(await reader.readuntil(b"\r\n\r\n")))
        writer.close()

    connector = aiohttp.UnixConnector(path)
    assert connector.path == path
    async with (
        await asyncio.start_unix_server(serve, path),
        aiohttp.ClientSession(connector=connector) as session,
        session.get("http://shop.test/a") as found,
    ):
        assert (await found.text()).startswith("GET /a HTTP/1.1\r\nHost: shop.test\r\n")


@calls("NamedPipeConnector")
@pytest.mark.skipif(sys.platform == "win32", reason="there they exist")
async def test_named_pipes_are_of_windows() -> None:
    """Elsewhere the connector says so when it is made."""
    with pytest.raises(RuntimeError, match="Windows"):
        aiohttp.NamedPipeConnector(r"\\.\pipe\name")


@calls("ThreadedResolver")
@calls("AsyncResolver")
@calls("DefaultResolver")
async def test_resolvers() -> None:
    """Both ways to resolve give addresses as the system knows them; the default is one of both."""
    assert aiohttp.DefaultResolver in (aiohttp.ThreadedResolver, aiohttp.AsyncResolver)
    for make in resolvers():
        resolver = make()
        found = await resolver.resolve("127.0.0.1", 80, socket.AF_INET)
        assert [(each["host"], each["port"]) for each in found] == [("127.0.0.1", 80)]
        await resolver.close()


def resolvers() -> list[Callable[[], AbstractResolver]]:
    """Return the resolvers that can work here: one needs an extra."""
    if find_spec("aiodns") is not None:
        return [aiohttp.ThreadedResolver, aiohttp.AsyncResolver]
    with pytest.raises(ImportError, match=r"pip install aiohttp-client\[dns\]"):
        aiohttp.AsyncResolver()
    return [aiohttp.ThreadedResolver]


@calls("Fingerprint")
async def test_fingerprint() -> None:
    """The certificate itself may be named, whoever has signed it; any other is refused."""
    pem = CERTIFICATE.read_text()
    digest = sha256(ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERT") :])).digest()
    async with (
        Origin(answer, tls=tls_context()) as origin,
        aiohttp.ClientSession() as session,
    ):
        async with session.get(origin.url, ssl=aiohttp.Fingerprint(digest)) as found:
            assert found.status == 200
        wrong = aiohttp.Fingerprint(bytes(32))
        with pytest.raises(aiohttp.ServerFingerprintMismatch) as caught:
            await session.get(origin.url, ssl=wrong)
        assert caught.value.got == digest


# Requests.


@calls("ClientRequest", "body", "chunked", "compress", "headers", "is_ssl", "method", "session")
@calls(
    "ClientRequest", "original_url", "response_class", "server_hostname", "ssl", "url", "version"
)
@calls("ClientRequest", "update_body")
async def test_request_class_of_ones_own(origin: Origin) -> None:
    """A request tells all about itself, and can be changed until it is sent."""
    seen: list[aiohttp.ClientRequest] = []

    class Signed(aiohttp.ClientRequest):
        """Signs what is sent."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.update_body(b"signed")
            self.headers["X-Signature"] = "1"
            seen.append(self)

    async with aiohttp.ClientSession(request_class=Signed) as session:
        await session.post(origin.url + "/path#part", data=b"plain")
        (request,) = seen
        assert request.body.size == 6
        assert not request.chunked
        assert request.compress is None
        assert request.headers["x-signature"] == "1"
        assert not request.is_ssl
        assert request.method == "POST"
        assert request.original_url == URL(origin.url + "/path#part")
        assert request.response_class is aiohttp.ClientResponse
        assert request.server_hostname is None
        assert request.session is session
        assert request.ssl is True
        assert request.url == URL(origin.url + "/path")
        assert request.version == (1, 1)
    assert b"\r\nX-Signature: 1\r\n" in origin.request
    assert origin.request.endswith(b"\r\n\r\nsigned")


@calls("ClientTimeout")
@calls("ClientTimeout", "total", "connect", "sock_connect", "sock_read")
def test_timeouts() -> None:
    """A limit that isn't named is none."""
    limits = aiohttp.ClientTimeout(total=1, connect=2, sock_connect=3)
    assert (limits.total, limits.connect, limits.sock_connect) == (1, 2, 3)
    assert limits.sock_read is None


@calls("UploadTracker")
@calls("UploadTracker", "bytes_written", "attempts", "upload_complete")
async def test_upload_tracker(origin: Origin, session: aiohttp.ClientSession) -> None:
    """It tells how much was sent, in which attempt, and when all of it was."""
    tracker = aiohttp.UploadTracker()
    assert not tracker.upload_complete.done()
    await session.post(origin.url, data=b"x" * 100_000, upload_tracker=tracker)
    await tracker.upload_complete
    assert (tracker.bytes_written, tracker.attempts) == (100_000, 1)


@calls("RequestInfo")
@calls("RequestInfo", "url", "method", "headers", "real_url")
async def test_request_info(origin: Origin, session: aiohttp.ClientSession) -> None:
    """A response knows the request it answers."""
    found = await session.get(origin.url + "/page#part", headers={"X-Mine": "1"})
    info = found.request_info
    assert isinstance(info, aiohttp.RequestInfo)
    assert (info.method, info.url) == ("GET", URL(origin.url + "/page"))
    assert info.real_url == URL(origin.url + "/page#part")
    assert info.headers["X-Mine"] == "1"


@calls("HttpVersion")
@calls("HttpVersion10")
@calls("HttpVersion11")
async def test_versions(origin: Origin) -> None:
    """A version is a pair of numbers, and can be chosen."""
    assert aiohttp.HttpVersion(1, 0) == aiohttp.HttpVersion10 == (1, 0)
    assert aiohttp.HttpVersion11 == (1, 1)
    async with aiohttp.ClientSession(version=aiohttp.HttpVersion10) as session:
        await session.get(origin.url)
    assert origin.request.startswith(b"GET / HTTP/1.0\r\n")


# Responses.


@calls("ClientResponse")
@calls("ClientResponse", "version", "status", "reason", "ok", "method", "url", "real_url")
@calls("ClientResponse", "headers", "raw_headers", "cookies", "links", "content_type", "charset")
@calls("ClientResponse", "content_disposition", "history", "request_info", "get_encoding")
@calls("ContentDisposition")
@calls("ContentDisposition", "type", "filename", "parameters")
async def test_head_of_a_response(origin: Origin, session: aiohttp.ClientSession) -> None:
    """Everything that the head says can be asked."""
    async with session.get(origin.url + "/302") as found:
        assert isinstance(found, aiohttp.ClientResponse)
        assert found.version == aiohttp.HttpVersion11
        assert (found.status, found.reason, found.ok) == (200, "OK", True)
        assert (found.method, found.request_info.method) == ("GET", "GET")
        assert found.url == found.real_url == URL(origin.url + "/page")
        assert found.headers.getall("x-twice") == ["1", "2"]
        assert (b"X-Twice", b"2") in found.raw_headers
        assert found.cookies["seen"].value == "1"
        assert found.links["next"]["url"] == URL(origin.url + "/next?page=2")
        assert (found.content_type, found.charset) == ("text/plain", "latin-1")
        assert found.get_encoding() == "iso8859-1"
        assert isinstance(found.content_disposition, aiohttp.ContentDisposition)
        assert found.content_disposition.type == "attachment"
        assert found.content_disposition.filename == "a b.txt"
        assert found.content_disposition.parameters["size"] == "5"
        assert [each.status for each in found.history] == [302]


@calls("ClientResponse", "read", "text", "json", "content", "connection")
async def test_body_of_a_response(origin: Origin, session: aiohttp.ClientSession) -> None:
    """Bytes, text, JSON, or a stream."""
    async with session.get(origin.url + "/page") as found:
        assert await found.read() == b"gr\xfc\xdfe"
        assert await found.text() == "grüße"
        assert await found.text(encoding="utf-8", errors="ignore") == "gre"
        assert found.connection.closed  # for this response: it serves the next one
    async with session.get(origin.url + "/json") as found:
        assert await found.json() == {"a": [1, None]}
        assert await found.json(encoding="ascii", loads=len, content_type=None) == 16
    async with session.get(origin.url + "/page") as found:
        assert await found.content.read() == b"gr\xfc\xdfe"


@calls("ClientResponse", "close", "release", "raise_for_status")
async def test_end_of_a_response(origin: Origin, session: aiohttp.ClientSession) -> None:
    """Who lets go of a response says whether the connection may be kept."""
    found = await session.get(origin.url + "/404")
    with pytest.raises(aiohttp.ClientResponseError):
        found.raise_for_status()
    (await session.get(origin.url)).release()
    assert origin.connections == 1
    async with Origin(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n") as slow:
        found = await session.get(slow.url)
        assert not found.connection.closed
        found.close()
        await session.get(slow.url)
        assert slow.connections == 2


# Cookies.


@calls("CookieJar")
@calls("CookieJar", "update_cookies", "filter_cookies", "clear", "clear_domain")
@calls("CookieJar", "cookies", "host_only_cookies", "treat_as_secure_origin")
async def test_cookie_jar() -> None:
    """Cookies are kept by host and path, looked at, and removed."""
    shop, bank = URL("http://shop.test/"), URL("https://bank.test/")
    jar = aiohttp.CookieJar(treat_as_secure_origin=[shop])
    assert set(jar.treat_as_secure_origin) == {shop}
    jar.update_cookies({"a": "1", "b": "2"}, shop)
    jar.update_cookies(SimpleCookie("c=3; Secure"), shop)
    jar.update_cookies(SimpleCookie("d=4; Domain=bank.test"), bank)
    assert jar.filter_cookies(shop).keys() == {"a", "b", "c"}
    assert {domain for domain, _ in jar.cookies} == {"shop.test", "bank.test"}
    assert {(domain, name) for domain, *_, name in jar.host_only_cookies} == {
        ("shop.test", name) for name in "abc"
    }
    jar.clear(lambda cookie: cookie.key == "a")
    assert jar.filter_cookies(shop).keys() == {"b", "c"}
    jar.clear_domain("shop.test")
    assert [cookie.key for cookie in jar] == ["d"]
    jar.clear()
    assert len(jar) == 0


@calls("CookieJar", "save", "load")
async def test_cookie_jar_in_a_file(tmp_path: Path) -> None:
    """What is saved is JSON; loading it gives the same cookies."""
    jar = aiohttp.CookieJar()
    jar.update_cookies({"a": "1"}, URL("http://shop.test/"))
    jar.save(tmp_path / "jar")
    json.loads((tmp_path / "jar").read_text())
    other = aiohttp.CookieJar()
    other.load(tmp_path / "jar")
    assert other.cookies == jar.cookies
    assert other.host_only_cookies == jar.host_only_cookies


@calls("DummyCookieJar")
async def test_no_cookies(origin: Origin) -> None:
    """A jar that keeps nothing."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        await session.get(origin.url + "/page")
        await session.get(origin.url + "/page")
    assert b"Cookie" not in origin.request


# Errors. Each is raised by what it is for.


async def ask(url: str, method: str = "GET", **options: Any) -> None:
    """Ask, and read what comes."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, **options) as found,
    ):
        await found.json()


async def asked_of(answer: Answer, **options: Any) -> None:
    """Ask a server of one answer."""
    async with Origin(lambda _: answer) as origin:
        await ask(origin.url, **options)


def redirected_to(location: str) -> Awaitable[None]:
    """Ask a server that redirects."""
    return asked_of(response(b"", f"Location: {location}", status="302 Found"))


async def refused(**options: Any) -> None:
    """Ask a port that nobody listens to."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        await ask(f"http://127.0.0.1:{sock.getsockname()[1]}/", **options)


async def unknown() -> None:
    """Ask a host that has no address."""

    class Nowhere(Loopback):
        async def resolve(self, *_: Any, **__: Any) -> list[ResolveResult]:
            raise OSError(None, "no such host")

    connector = aiohttp.TCPConnector(resolver=Nowhere())
    async with aiohttp.ClientSession(connector=connector) as session:
        await session.get("http://shop.test/")


async def without_tls() -> None:
    """Ask for TLS where it isn't spoken."""

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response(status="400 Plain HTTP, please"))
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        await ask(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")


async def unsigned(ssl: Any = True) -> None:
    """Ask a server whose certificate nobody has signed."""
    async with Origin(response(), tls=tls_context()) as origin:
        await ask(origin.url, ssl=ssl)


async def through(path: str) -> None:
    """Ask through a socket that isn't there."""
    connector = aiohttp.UnixConnector(path)
    async with aiohttp.ClientSession(connector=connector) as session:
        await session.get("http://shop.test/")


def silence(**limits: float) -> Awaitable[None]:
    """Ask a server that never answers."""
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    return asked_of(never, timeout=aiohttp.ClientTimeout(**limits))


async def full() -> None:
    """Wait for a connection of a full pool."""
    connector = aiohttp.TCPConnector(limit=1)
    async with (
        Origin(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n") as origin,
        aiohttp.ClientSession(connector=connector) as session,
        session.get(origin.url),
    ):
        await session.get(origin.url, timeout=aiohttp.ClientTimeout(connect=0.01))


async def reset() -> None:
    """Send to a server that has cut the connection."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        linger_not = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
        writer.transport.abort()

    async with await asyncio.start_server(cut, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        async with aiohttp.ClientSession() as session:
            await session.post(f"http://{host}:{port}/", data=b"x" * 30_000_000)


async def uploaded_in_vain() -> None:
    """Wait for the end of an upload that never comes."""
    tracker = aiohttp.UploadTracker()
    with pytest.raises(aiohttp.ClientConnectorError):
        await refused(method="POST", data=b"x", upload_tracker=tracker)
    await tracker.upload_complete


Situation = Callable[[], Awaitable[None]]

SHORT = (
    b"HTTP/1.1 200 OK\r\n"
    b"Connection: close\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: 9\r\n"
    b"\r\n"
    b"short"
)


@calls("ClientError")
@calls("ClientPayloadError")
@calls("UploadAbortedError")
@calls("InvalidURL")
@calls("InvalidUrlClientError")
@calls("RedirectClientError")
@calls("NonHttpUrlClientError")
@calls("InvalidUrlRedirectClientError")
@calls("NonHttpUrlRedirectClientError")
@calls("ClientResponseError")
@calls("ContentTypeError")
@calls("TooManyRedirects")
@calls("ClientConnectionError")
@calls("ClientConnectionResetError")
@calls("ClientOSError")
@calls("ClientConnectorError")
@calls("ClientConnectorDNSError")
@calls("ClientSSLError")
@calls("ClientConnectorSSLError")
@calls("ClientConnectorCertificateError")
@calls("UnixClientConnectorError")
@calls("ServerConnectionError")
@calls("ServerDisconnectedError")
@calls("ServerFingerprintMismatch")
@calls("ServerTimeoutError")
@calls("ConnectionTimeoutError")
@calls("SocketTimeoutError")
@pytest.mark.parametrize(
    ("error", "bases", "situation"),
    [
        (aiohttp.ClientPayloadError, [aiohttp.ClientError], lambda: asked_of(SHORT)),
        (aiohttp.UploadAbortedError, [aiohttp.ClientError], uploaded_in_vain),
        (
            aiohttp.InvalidUrlClientError,
            [aiohttp.InvalidURL, ValueError],
            lambda: ask("http://:80/"),
        ),
        (aiohttp.NonHttpUrlClientError, [aiohttp.InvalidURL], lambda: ask("ftp://shop.test/")),
        (
            aiohttp.InvalidUrlRedirectClientError,
            [aiohttp.RedirectClientError, aiohttp.InvalidURL],
            lambda: redirected_to("http://:80/"),
        ),
        (
            aiohttp.NonHttpUrlRedirectClientError,
            [aiohttp.RedirectClientError, aiohttp.NonHttpUrlClientError],
            lambda: redirected_to("file:///etc/passwd"),
        ),
        (
            aiohttp.TooManyRedirects,
            [aiohttp.ClientResponseError, aiohttp.RedirectClientError],
            lambda: redirected_to("/"),
        ),
        (
            aiohttp.ContentTypeError,
            [aiohttp.ClientResponseError],
            lambda: asked_of(response(b"1", "Content-Type: text/plain")),
        ),
        (
            aiohttp.ClientResponseError,
            [aiohttp.ClientError],
            lambda: asked_of(response(status="500 Oh"), raise_for_status=True),
        ),
        (
            aiohttp.ClientConnectionResetError,
            [aiohttp.ClientConnectionError, ConnectionResetError],
            reset,
        ),
        (
            aiohttp.ClientConnectorError,
            [aiohttp.ClientOSError, aiohttp.ClientConnectionError, OSError],
            refused,
        ),
        (aiohttp.ClientConnectorDNSError, [aiohttp.ClientConnectorError], unknown),
        (
            aiohttp.ClientConnectorSSLError,
            [aiohttp.ClientSSLError, aiohttp.ClientConnectorError],
            without_tls,
        ),
        (aiohttp.ClientConnectorCertificateError, [aiohttp.ClientSSLError], unsigned),
        (
            aiohttp.ServerFingerprintMismatch,
            [aiohttp.ServerConnectionError],
            lambda: unsigned(aiohttp.Fingerprint(bytes(32))),
        ),
        (
            aiohttp.UnixClientConnectorError,
            [aiohttp.ClientConnectorError],
            lambda: through("/nowhere"),
        ),
        (
            aiohttp.ServerDisconnectedError,
            [aiohttp.ServerConnectionError, aiohttp.ClientConnectionError],
            lambda: asked_of(None),
        ),
        (
            aiohttp.ServerTimeoutError,
            [aiohttp.ServerConnectionError, asyncio.TimeoutError],
            lambda: silence(total=0.01),
        ),
        (
            aiohttp.SocketTimeoutError,
            [aiohttp.ServerTimeoutError],
            lambda: silence(sock_read=0.01),
        ),
        (aiohttp.ConnectionTimeoutError, [aiohttp.ServerTimeoutError], full),
    ],
)
async def test_errors(
    error: type[Exception], bases: list[type[Exception]], situation: Situation
) -> None:
    """Whoever catches an error, or what it derives from, catches what it stands for."""
    with pytest.raises(error) as caught:
        await situation()
    assert type(caught.value) is error
    for base in (*bases, aiohttp.ClientError):
        assert isinstance(caught.value, base)
    assert "\n" not in str(caught.value)


@calls("InvalidURL", "url", "description")
async def test_error_of_a_url(session: aiohttp.ClientSession) -> None:
    """It has the URL as it was given, and what is wrong with it."""
    with pytest.raises(aiohttp.InvalidURL) as caught:
        await session.get("ftp://shop.test/")
    assert str(caught.value.url) == "ftp://shop.test/"
    assert caught.value.description == "expected a URL that begins with http:// or https://"


@calls("ClientResponseError", "request_info", "status", "message", "headers", "history", "code")
async def test_error_of_a_response(origin: Origin, session: aiohttp.ClientSession) -> None:
    """It has what there is to know of request and response."""
    with pytest.raises(aiohttp.ClientResponseError) as caught:
        await session.get(origin.url + "/404", raise_for_status=True)
    error = caught.value
    assert error.request_info.url == URL(origin.url + "/404")
    assert error.status == error.code == 404
    assert error.message == "Not Found"
    assert error.headers is not None
    assert error.headers["X-Why"] == "gone"
    assert error.history == ()


@calls("ServerDisconnectedError", "message")
async def test_error_of_a_connection() -> None:
    """Its message is its text."""
    with pytest.raises(aiohttp.ServerDisconnectedError) as caught:
        await asked_of(None)
    assert caught.value.message == str(caught.value)


# Credentials, forms, and bodies of many parts.


@calls("encode_basic_auth")
@calls("BasicAuth")
@calls("BasicAuth", "decode", "from_url", "encode")
def test_basic_credentials() -> None:
    """One value says login and password, in all its spellings."""
    value = aiohttp.encode_basic_auth("me", "secret")
    assert value == "Basic bWU6c2VjcmV0"
    auth = aiohttp.BasicAuth("me", "secret")
    assert auth.encode() == value
    assert aiohttp.BasicAuth.decode(value) == auth
    url: Any = URL("http://me:secret@shop.test/")
    assert aiohttp.BasicAuth.from_url(url) == auth
    assert aiohttp.BasicAuth.from_url(url.with_user(None)) is None


@calls("FormData")
@calls("FormData", "add_field", "add_fields")
async def test_forms(origin: Origin, session: aiohttp.ClientSession) -> None:
    """Fields alone are urlencoded; a file makes a form multipart."""
    form = aiohttp.FormData({"a": "1 2"})
    form.add_fields(("b", "3"))
    await session.post(origin.url, data=form)
    assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\n" in origin.request
    assert origin.request.endswith(b"\r\n\r\na=1+2&b=3")
    form.add_field("file", io.BytesIO(b"abc"), filename="a.txt", content_type="text/plain")
    await session.post(origin.url, data=form)
    assert b"\r\nContent-Type: multipart/form-data; boundary=" in origin.request
    text = origin.request.decode()
    assert 'Content-Disposition: form-data; name="a"\r\n' in text
    assert 'name="file"; filename="a.txt"\r\n' in text
    assert "\r\nContent-Type: text/plain\r\n" in text
    assert "\r\n\r\nabc\r\n--" in text


class Written:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.data = b""

    async def write(self, data: bytes) -> None:
        self.data += data


@calls("MultipartWriter")
@calls("MultipartWriter", "boundary", "append", "append_payload", "append_json", "append_form")
@calls("MultipartWriter", "size", "write")
async def test_multipart_writer() -> None:
    """Each part has its headers; the whole knows its size before it is written."""
    with aiohttp.MultipartWriter("mixed", boundary="x-y") as writer:
        assert writer.boundary == "x-y"
        writer.append("text", CIMultiDict({"X-Part": "1"}))
        writer.append_payload(aiohttp.get_payload(b"bytes"))
        writer.append_json([1])
        writer.append_form({"a": "b"})
    written = Written()
    await writer.write(cast(Any, written))
    assert len(written.data) == writer.size
    parts = written.data.split(b"--x-y")
    assert (parts[0], parts[-1]) == (b"", b"--\r\n")
    assert [part.partition(b"\r\n\r\n")[2] for part in parts[1:-1]] == [
        b"text\r\n", b"bytes\r\n", b"[1]\r\n", b"a=b\r\n",
    ]  # fmt: skip
    assert b"\r\nX-Part: 1\r\n" in parts[1]
    assert b"\r\nContent-Type: application/json\r\n" in parts[3]


MIXED = (
    b"--x-y\r\n"
    b"Content-Type: text/plain; charset=latin-1\r\n"
    b'Content-Disposition: attachment; name="n"; filename="a.txt"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b"\r\n"
    b"Z3L8\r\n"  # "grü", in Latin-1
    b"--x-y\r\n"
    b"Content-Type: application/json\r\n"
    b"\r\n"
    b"[1]\r\n"
    b"--x-y\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
    b"\r\n"
    b"a=b\r\n"
    b"--x-y\r\n"
    b"\r\n"
    b"line\n"
    b"rest\r\n"
    b"--x-y--\r\n"
)


@calls("MultipartReader")
@calls("MultipartReader", "at_eof", "next", "release", "fetch_next_part")
@calls("BodyPartReader")
@calls("BodyPartReader", "read", "read_chunk", "readline", "release", "text", "json", "form")
@calls("BodyPartReader", "at_eof", "decode", "decode_iter", "get_charset", "name", "filename")
async def test_multipart_reader() -> None:
    """Part by part, each read as what it is, or left out."""
    headers = {"Content-Type": "multipart/mixed; boundary=x-y"}

    def read() -> aiohttp.MultipartReader:
        return aiohttp.MultipartReader(headers, aiohttp.StreamReader.complete(MIXED))

    reader = read()
    part = await reader.next()
    assert isinstance(part, aiohttp.BodyPartReader)
    assert (part.name, part.filename, part.get_charset(default="ascii")) == (
        "n", "a.txt", "latin-1",
    )  # fmt: skip
    assert await part.text() == "grü"
    part = await reader.fetch_next_part()
    assert isinstance(part, aiohttp.BodyPartReader)
    assert await part.json() == [1]
    part = await reader.next()
    assert isinstance(part, aiohttp.BodyPartReader)
    assert await part.form() == [("a", "b")]
    part = await reader.next()
    assert isinstance(part, aiohttp.BodyPartReader)
    assert await part.readline() == b"line\n"
    assert await part.read_chunk(2) == b"re"
    await part.release()
    assert part.at_eof()
    assert not reader.at_eof()
    assert await reader.next() is None
    assert reader.at_eof()

    reader = read()
    part = await reader.next()
    assert isinstance(part, aiohttp.BodyPartReader)
    coded = await part.read()
    assert coded == b"Z3L8"
    assert part.decode(coded) == b"gr\xfc"
    assert b"".join([piece async for piece in part.decode_iter(coded)]) == b"gr\xfc"
    await reader.release()
    assert reader.at_eof()

    assert [await cast(Any, part).read(decode=True) async for part in read()] == [
        b"gr\xfc", b"[1]", b"a=b", b"line\nrest",
    ]  # fmt: skip


@calls("MultipartReader", "from_response")
@calls("MultipartResponseWrapper")
@calls("MultipartResponseWrapper", "at_eof", "next", "release")
async def test_multipart_response(session: aiohttp.ClientSession) -> None:
    """A response is read part by part; at the end, its connection is free again."""
    many = response(MIXED, 'Content-Type: multipart/mixed; boundary="x-y"')
    async with Origin(many) as origin:
        reader = aiohttp.MultipartReader.from_response(await session.get(origin.url))
        assert isinstance(reader, aiohttp.MultipartResponseWrapper)
        count = 0
        while await reader.next() is not None:
            count += 1
        assert count == 4
        assert reader.at_eof()
        reader = aiohttp.MultipartReader.from_response(await session.get(origin.url))
        await reader.next()
        await reader.release()
        await session.get(origin.url)
        assert origin.connections == 1


@calls("StreamReader")
@calls("StreamReader", "read", "readany", "readexactly", "readline", "readuntil", "readchunk")
@calls("StreamReader", "total_raw_bytes", "read_nowait", "unread_data", "wait_eof")
@calls("StreamReader", "exception", "is_eof", "at_eof")
async def test_stream() -> None:
    """A body is read in pieces of any kind."""
    async with (
        Origin(response(b"exact1\n2|3 four\nrest and more, to the end")) as origin,
        aiohttp.ClientSession() as session,
        session.get(origin.url) as found,
    ):
        content = found.content
        assert isinstance(content, aiohttp.StreamReader)
        assert await content.readexactly(5) == b"exact"
        assert await content.readline() == b"1\n"
        assert await content.readuntil(b"|", max_size=100) == b"2|"
        assert await content.read(2) == b"3 "
        content.unread_data(b"3 ")
        assert content.read_nowait(2) == b"3 "
        assert await content.readuntil() == b"four\n"
        assert await content.readany() == b"rest and more, to the end"
        await content.wait_eof()
        assert (content.is_eof(), content.at_eof(), content.exception()) == (True, True, None)
        assert content.total_raw_bytes == len(b"exact1\n2|3 four\nrest and more, to the end")
        assert await content.readchunk() == (b"", False)


@calls("StreamReader", "iter_chunked", "iter_any", "iter_chunks")
async def test_stream_is_iterated(session: aiohttp.ClientSession) -> None:
    """By lines, by pieces up to a size, as they come, or as the server has cut them."""
    chunks = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\nb\r\n2\r\n\nc\r\n0\r\n\r\n"
    )
    async with Origin(chunks) as origin:
        async with session.get(origin.url) as found:
            assert [line async for line in found.content] == [b"a\n", b"b\n", b"c"]
        async with session.get(origin.url) as found:
            assert [piece async for piece in found.content.iter_chunked(4)] == [b"a\nb\n", b"c"]
        async with session.get(origin.url) as found:
            assert b"".join([piece async for piece in found.content.iter_any()]) == b"a\nb\nc"
        async with session.get(origin.url) as found:
            pieces = [piece async for piece in found.content.iter_chunks()]
            assert b"".join(data for data, _ in pieces) == b"a\nb\nc"
