"""What a WSGI application is told about its request (PEP 3333, RFC 3875)."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest

from aiohttp.protocol import Exchange, Proxied, ServerHttpProtocol, Service, Trust
from aiohttp.worker.fields import FieldRule
from aiohttp.worker.proxies import Forwarders
from aiohttp.worker.wsgi import environ as environ_module
from aiohttp.worker.wsgi.environ import (
    BlockWrapper,
    Environ,
    ErrorLog,
    FileWrapper,
    base_environ,
    make_environ,
)
from wire import connect


class Recorder:
    """An application that notes the environ of its request."""

    def __init__(self, fields: FieldRule | None, keeper: object = None) -> None:
        self.environ: Environ = {}
        self.fields = fields
        self.keeper = keeper
        self.base = base_environ(
            errors=ErrorLog(lambda template, line: None),
            server_software="test/1",
            is_multithread=True,
            is_multiprocess=False,
        )

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer without content."""
        self.environ = make_environ(exchange, self.base, self.fields, keeper=self.keeper)
        await exchange.respond(204)


async def exchange_of(
    head: str,
    *,
    fields: FieldRule | None = None,
    trust: Trust | None = None,
    proxied: Proxied | None = None,
    keeper: object = None,
    **extra: Any,
) -> tuple[Environ, bytes]:
    """Return the environ of a request, given without its line ends, and the answer."""
    application = Recorder(fields, keeper)
    protocol = ServerHttpProtocol(Service(application, trusted_proxies=trust))
    protocol.proxied = proxied
    transport = connect(protocol, **extra)
    transport.feed(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n")
    for _ in range(5):  # turns of the loop, in which the application runs
        await asyncio.sleep(0)
    transport.abort()
    return application.environ, transport.written


async def environ_of(head: str, **extra: Any) -> Environ:
    """Return the environ of a request, given without its line ends."""
    environ, _ = await exchange_of(head, **extra)
    return environ


async def test_request_line() -> None:
    """Method, path, query and protocol of the request line each have their key."""
    environ = await environ_of("POST /a/b?c=d&e HTTP/1.1\nHost: x")
    assert environ["REQUEST_METHOD"] == "POST"
    assert environ["SCRIPT_NAME"] == ""
    assert environ["PATH_INFO"] == "/a/b"
    assert environ["QUERY_STRING"] == "c=d&e"
    assert environ["RAW_URI"] == "/a/b?c=d&e"
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"


async def test_http_1_0() -> None:
    """An HTTP/1.0 request, without Host, says so."""
    environ = await environ_of("GET / HTTP/1.0")
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.0"
    assert "HTTP_HOST" not in environ


async def test_facts_of_the_process() -> None:
    """The keys that PEP 3333 requires of a server are there."""
    environ = await environ_of("GET / HTTP/1.1\nHost: x")
    assert environ["wsgi.version"] == (1, 0)
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["wsgi.multithread"] is True
    assert environ["wsgi.multiprocess"] is False
    assert environ["wsgi.run_once"] is False
    assert environ["wsgi.input_terminated"] is True
    assert environ["wsgi.file_wrapper"] is FileWrapper
    assert environ["SERVER_SOFTWARE"] == "test/1"


async def test_tls() -> None:
    """Over TLS the scheme is https, and the connection tells of its client's certificate."""
    tls = TlsConnection()
    environ = await environ_of("GET / HTTP/1.1\nHost: x", sslcontext="tls", ssl_object=tls)
    assert (environ["wsgi.url_scheme"], environ["HTTPS"]) == ("https", "on")
    assert (environ["SSL_PROTOCOL"], environ["SSL_CLIENT_VERIFY"]) == ("TLSv1.3", "NONE")


class TlsConnection:
    """A connection over TLS whose client has no certificate."""

    def version(self) -> str:
        """Return the version of TLS."""
        return "TLSv1.3"

    def cipher(self) -> tuple[str, str, int]:
        """Return the cipher's name, version and bits."""
        return "TLS_AES_256_GCM_SHA384", "TLSv1.3", 256

    def getpeercert(self, binary_form: bool = False) -> None:
        """Return nothing."""


async def test_without_tls() -> None:
    """Nothing is told of it: those who ask for HTTPS find nothing."""
    environ = await environ_of("GET / HTTP/1.1\nHost: x\nHttps: on\nSsl-Client-Verify: SUCCESS")
    assert "HTTPS" not in environ
    assert not [name for name in environ if name.startswith("SSL_")]


async def test_path_is_unquoted_to_latin_1() -> None:
    """PATH_INFO carries the path's bytes as latin-1; RAW_URI keeps what came."""
    environ = await environ_of("GET /caf%C3%A9%2Fx?q=%C3%A9 HTTP/1.1\nHost: x")
    assert environ["PATH_INFO"] == "/caf\u00c3\u00a9/x"
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/café/x"
    assert environ["QUERY_STRING"] == "q=%C3%A9"
    assert environ["RAW_URI"] == "/caf%C3%A9%2Fx?q=%C3%A9"


async def test_two_slashes_stay() -> None:
    """A path that begins with two slashes is a path, not a host."""
    environ = await environ_of("GET //evil/x HTTP/1.1\nHost: x")
    assert environ["PATH_INFO"] == "//evil/x"


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("http://other:81/a?b", "/a", "b"),
        ("http://other:81", "/", ""),
        ("http://other:81?b=/c", "/", "b=/c"),
    ],
)
async def test_absolute_form(target: str, path: str, query: str) -> None:
    """The host of a target in absolute form replaces Host (RFC 9112, section 3.2.2)."""
    environ = await environ_of(f"GET {target} HTTP/1.1\nHost: x")
    assert environ["PATH_INFO"] == path
    assert environ["QUERY_STRING"] == query
    assert environ["HTTP_HOST"] == "other:81"
    assert environ["RAW_URI"] == target


async def test_asterisk_form() -> None:
    """OPTIONS * asks about the server, which has no path (RFC 9112, section 3.2.4)."""
    environ = await environ_of("OPTIONS * HTTP/1.1\nHost: x")
    assert environ["PATH_INFO"] == ""
    assert environ["RAW_URI"] == "*"


async def test_fields() -> None:
    """Content-Type and Content-Length have keys without HTTP_, all others have it."""
    environ = await environ_of(
        "POST / HTTP/1.1\nHost: x\nContent-Type: text/plain\nContent-Length: 3\nX-a-B: c"
    )
    assert environ["CONTENT_TYPE"] == "text/plain"
    assert environ["CONTENT_LENGTH"] == "3"
    assert environ["HTTP_X_A_B"] == "c"
    assert "HTTP_CONTENT_TYPE" not in environ


async def test_long_name_is_not_remembered() -> None:
    """The names that clients invent can't fill the memory: only short ones are remembered."""
    environ_module._remembered_key.cache_clear()
    long, short = "X" * 65, "Y" * 64
    environ = await environ_of(f"GET / HTTP/1.1\n{long}: 1\n{short}: 2\nHost: x")
    assert (environ[f"HTTP_{long}"], environ[f"HTTP_{short}"]) == ("1", "2")
    assert environ_module._remembered_key.cache_info().currsize == len(["Host", short])


async def test_repeated_fields_are_joined() -> None:
    """Fields of one name are joined by commas, cookies by semicolons (RFC 6265, section 5.4)."""
    environ = await environ_of(
        "GET / HTTP/1.1\nHost: x\nAccept: a\nCookie: b=1\nAccept: c\nCookie: d=2\nACCEPT: e"
    )
    assert environ["HTTP_ACCEPT"] == "a,c,e"
    assert environ["HTTP_COOKIE"] == "b=1; d=2"


@pytest.mark.parametrize(
    "name", ["X_Forwarded-For", "Content_Length", "Proxy", "SCRIPT_NAME", "REMOTE_USER"]
)
async def test_dangerous_names_are_dropped(name: str) -> None:
    """A name with an underscore would pose as another field, and Proxy as a setting of CGI."""
    environ = await environ_of(f"GET / HTTP/1.1\nHost: x\n{name}: 1")
    assert "1" not in environ.values()


async def test_dangerous_names_may_be_let_in() -> None:
    """Even then they don't frame the body, and Proxy is no setting of CGI."""
    environ = await environ_of(
        "POST / HTTP/1.1\nHost: x\nContent-Length: 0\nContent_Length: 7\nX_A: 1\nX-A: 2\nProxy: 3",
        fields=FieldRule("dangerous"),
    )
    assert (environ["CONTENT_LENGTH"], environ["HTTP_CONTENT_LENGTH"]) == ("0", "7")
    assert environ["HTTP_X_A"] == "1,2"
    assert "HTTP_PROXY" not in environ


# What proxies tell.

FORWARDED = FieldRule(
    forwarder_headers=("SCRIPT_NAME", "PATH_INFO", "REMOTE_USER"), is_trusted=lambda peername: True
)


@pytest.mark.parametrize(
    ("told", "mount", "path"),
    [("/a", "/a", "/b"), ("/a/", "/a", "/b"), ("/a/b", "/a/b", ""), ("", "", "/a/b")],
)
async def test_script_name_of_a_forwarder(
    monkeypatch: pytest.MonkeyPatch, told: str, mount: str, path: str
) -> None:
    """Goes before that of the process."""
    monkeypatch.setenv("SCRIPT_NAME", "/elsewhere")
    environ = await environ_of(f"GET /a/b HTTP/1.1\nHost: x\nSCRIPT_NAME: {told}", fields=FORWARDED)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (mount, path)
    assert environ["HTTP_SCRIPT_NAME"] == told


async def test_outside_script_name_of_a_forwarder() -> None:
    """A forwarder that contradicts the path finds nothing there."""
    _, answer = await exchange_of("GET /b HTTP/1.1\nHost: x\nSCRIPT_NAME: /a", fields=FORWARDED)
    assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")


async def test_path_is_that_of_the_target() -> None:
    """Whatever PATH_INFO says: some proxies let a client's through, and have checked the path."""
    environ = await environ_of("GET /b HTTP/1.1\nHost: x\nPATH_INFO: /admin", fields=FORWARDED)
    assert (environ["PATH_INFO"], environ["HTTP_PATH_INFO"]) == ("/b", "/admin")


async def test_user_of_a_forwarder() -> None:
    """Is the one that it has let in, where it is named for that."""
    head = "GET / HTTP/1.1\nHost: x\nREMOTE_USER: ann\nRemote-User: root"
    environ = await environ_of(head, fields=FORWARDED)
    assert environ["REMOTE_USER"] == "ann"
    assert "REMOTE_USER" not in await environ_of(head)


async def test_address_and_scheme_of_a_client_behind_a_proxy() -> None:
    """The proxy's own are told by nothing but SERVER_NAME, which is ours."""
    environ = await environ_of(
        "GET / HTTP/1.1\nHost: x\nX-Forwarded-For: 192.0.2.7\nX-Forwarded-Proto: https",
        trust=Forwarders(["*"], {"X-FORWARDED-PROTO": "https"}),
    )
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("192.0.2.7", "0")
    assert (environ["wsgi.url_scheme"], environ["HTTPS"]) == ("https", "on")
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("192.0.2.2", "80")
    assert "SSL_PROTOCOL" not in environ


@pytest.mark.parametrize(
    ("proxied", "protocol", "address", "name"),
    [
        (Proxied(("192.0.2.7", 5), ("192.0.2.8", 443)), "TCP4", "192.0.2.8", "192.0.2.8"),
        (Proxied(("::7", 5, 0, 0), ("::8", 443, 0, 0)), "TCP6", "::8", "[::8]"),
    ],
)
async def test_proxy_protocol(proxied: Proxied, protocol: str, address: str, name: str) -> None:
    """The client is who it names, and we are whom the client has reached; by gunicorn's names."""
    environ = await environ_of("GET / HTTP/1.1\nHost: x", proxied=proxied)
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == (proxied.source[0], "5")
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == (name, "443")
    assert (environ["PROXY_PROTOCOL"], environ["PROXY_ADDR"]) == (protocol, address)
    assert environ["PROXY_PORT"] == "443"


async def test_proxy_that_speaks_for_itself() -> None:
    """Tells nothing."""
    environ = await environ_of("GET / HTTP/1.1\nHost: x", proxied=Proxied())
    assert environ["REMOTE_ADDR"] == "192.0.2.1"
    assert "PROXY_PROTOCOL" not in environ


# Addresses.


async def test_addresses_of_tcp() -> None:
    """The ends of a TCP connection are addresses and ports, as text."""
    environ = await environ_of("GET / HTTP/1.1\nHost: x")
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("192.0.2.1", "50000")
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("192.0.2.2", "80")


async def test_addresses_of_ipv6() -> None:
    """SERVER_NAME has the brackets of a URL (RFC 3875, section 4.1.14), REMOTE_ADDR none."""
    environ = await environ_of(
        "GET / HTTP/1.1\nHost: x",
        peername=("2001:db8::1", 50000, 0, 0),
        sockname=("2001:db8::2", 80, 0, 0),
    )
    assert environ["REMOTE_ADDR"] == "2001:db8::1"
    assert environ["SERVER_NAME"] == "[2001:db8::2]"


async def test_client_that_was_gone_at_once() -> None:
    """A client that went before its address could be asked for has none."""
    environ = await environ_of("GET / HTTP/1.1\nHost: x", peername=None)
    assert environ["REMOTE_ADDR"] == ""


@pytest.mark.parametrize(
    ("host", "tls", "name", "port"),
    [
        ("example.com", None, "example.com", "80"),
        ("example.com", "tls", "example.com", "443"),
        ("example.com:81", None, "example.com", "81"),
        ("[::1]", None, "[::1]", "80"),
        ("[::1]:81", None, "[::1]", "81"),
        ("", None, "localhost", "80"),
    ],
)
async def test_name_behind_a_unix_socket(host: str, tls: object, name: str, port: str) -> None:
    """A unix socket has no address: our name is what Host says, never empty."""
    environ = await environ_of(
        f"GET / HTTP/1.1\nHost: {host}", peername="", sockname="/run/x", sslcontext=tls
    )
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == (name, port)
    assert environ["REMOTE_ADDR"] == ""
    assert "REMOTE_PORT" not in environ


@pytest.mark.parametrize(
    ("target", "path"), [("/mount/a", "/a"), ("/mount", ""), ("/mount/", "/"), ("/mo%75nt/a", "/a")]
)
async def test_below_script_name(monkeypatch: pytest.MonkeyPatch, target: str, path: str) -> None:
    """SCRIPT_NAME of the process is taken off the path."""
    monkeypatch.setenv("SCRIPT_NAME", "/mount")
    environ = await environ_of(f"GET {target} HTTP/1.1\nHost: x")
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/mount", path)


async def test_below_script_name_beyond_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as many bytes as the path's: PEP 3333 carries both as latin-1."""
    monkeypatch.setenv("SCRIPT_NAME", "/caf\u00e9")
    environ = await environ_of("GET /caf%C3%A9/a HTTP/1.1\nHost: x")
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/caf\u00c3\u00a9", "/a")


@pytest.mark.parametrize("target", ["/", "/mountain", "/a/mount"])
async def test_outside_script_name(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """A path that isn't below SCRIPT_NAME has no application: 404."""
    monkeypatch.setenv("SCRIPT_NAME", "/mount")
    environ, answer = await exchange_of(f"GET {target} HTTP/1.1\nHost: x")
    assert environ == {}
    assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert f"mounted at '/mount', not at '{target}'".encode() in answer


async def test_requests_that_say_the_same_share_what_was_made_of_it() -> None:
    """But no environ, and nothing that is the connection's."""
    keeper = object()
    head = "GET /kept%20it HTTP/1.1\nHost: kept"
    first = await environ_of(head)
    for number in range(4):  # a head is remembered from the second time on
        environ = await environ_of(head, keeper=keeper, peername=("192.0.2.9", number))
        assert environ["REMOTE_PORT"] == str(number)
        assert {**environ, "wsgi.errors": 0} == {
            **first, "REMOTE_ADDR": "192.0.2.9", "REMOTE_PORT": str(number), "wsgi.errors": 0,
        }  # fmt: skip
        environ["HTTP_HOST"] = "changed"
    assert (await environ_of(head, keeper=object()))["HTTP_HOST"] == "kept"


async def test_fields_with_underscores_are_judged_by_their_sender() -> None:
    """In each request anew."""
    keeper = object()
    fields = FieldRule(
        forwarder_headers=("SCRIPT_NAME",), is_trusted=lambda peername: peername[0] == "127.0.0.1"
    )
    for port in (1, 2, 3):
        for address, script_name in (("127.0.0.1", "/a"), ("192.0.2.9", "")):
            environ = await environ_of(
                "GET /a/b HTTP/1.1\nHost: sift\nSCRIPT_NAME: /a",
                fields=fields,
                keeper=keeper,
                peername=(address, port),
            )
            assert environ["SCRIPT_NAME"] == script_name


def test_errors_are_logged_by_line() -> None:
    """Each line that is written to wsgi.errors is one record; empty lines are none."""
    lines: list[str] = []
    errors = ErrorLog(lambda template, line: lines.append(template % line))
    print("one\n\ntwo %s", file=errors)
    errors.writelines(["three\n"])
    assert errors.writable()
    errors.flush()
    assert lines == ["one", "two %s", "three"]


def test_file_wrapper_iterates_in_blocks() -> None:
    """A wrapped file is read in blocks, and closed by close()."""
    file = io.BytesIO(b"abcde")
    wrapper = FileWrapper(file, 2)
    assert list(wrapper) == [b"ab", b"cd", b"e"]
    wrapper.close()
    assert file.closed


def test_file_wrapper_needs_no_close_of_its_file() -> None:
    """What can only be read can be wrapped too."""

    class Readable:
        def read(self, size: int) -> bytes:
            return b""

    wrapper = FileWrapper(Readable())  # type: ignore[arg-type]
    assert list(wrapper) == []
    wrapper.close()


def test_files_may_have_to_be_read() -> None:
    """With --no-sendfile the connection doesn't find a file in what it is given."""
    base = base_environ(
        errors=ErrorLog(lambda template, line: None),
        server_software="test/1",
        is_multithread=True,
        is_multiprocess=False,
        can_sendfile=False,
    )
    assert base["wsgi.file_wrapper"] is BlockWrapper
    assert not issubclass(BlockWrapper, FileWrapper)
