"""``Request``: what a handler learns of who asks, for what, and with which body."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from json import JSONDecodeError
from typing import Any

import pytest

from aiohttp.protocol import (
    BodyPartReader,
    Exchange,
    HttpVersion10,
    Limits,
    RemoteProtocolError,
    TrustedProxies,
    UnknownContentCoding,
)
from aiohttp.server import web
from aiohttp.server.web.exceptions import (
    HTTPBadRequest,
    HTTPRequestEntityTooLarge,
    HTTPUnsupportedMediaType,
)
from aiohttp.server.web.keys import AppKey, RequestKey
from aiohttp.server.web.limits import RequestLimits
from aiohttp.server.web.request import BaseRequest
from aiohttp.test_utils import MemoryClient
from asked import Looking, ask, ask_raw, multipart
from served import Application, settle

USER = RequestKey("user", str)
OUTER = AppKey("outer", int)


# What middlewares leave for handlers.


async def test_request_keeps_what_middlewares_leave() -> None:
    """A request is a mapping of typed keys and strings, and true even when it is empty."""

    def look(request: BaseRequest) -> list[object]:
        empty = [bool(request), len(request), list(request), request.get(USER), USER in request]
        request[USER] = "me"
        request["text"] = 1
        del request["text"]
        return [*empty, request[USER], request.get(USER), request.get("text", 7), [*request]]

    assert await ask(look) == [True, 0, [], None, False, "me", "me", 7, [USER]]


@pytest.mark.parametrize("key", [USER, "text"])
async def test_what_was_not_left_is_a_key_error(key: Any) -> None:
    """Looking for what nobody left, or deleting it, is a KeyError."""

    def look(request: BaseRequest) -> bool:
        with pytest.raises(KeyError):
            request[key]
        with pytest.raises(KeyError):
            del request[key]
        request["other"] = 1
        with pytest.raises(KeyError):
            request[key]
        return True

    assert await ask(look)


async def test_equality_is_identity() -> None:
    """Two requests are never equal, whatever they keep; each can be in a set."""

    def look(request: BaseRequest) -> bool:
        return request == request and request != request.clone() and bool({request})  # noqa: PLR0124

    assert await ask(look)


# For what.

TARGETS = {
    "/": ("/", "/", ""),
    "/a/b": ("/a/b", "/a/b", ""),
    "/a?b=c&d": ("/a", "/a?b=c&d", "b=c&d"),
    "/?": ("/", "/?", ""),
    "/a%20b": ("/a b", "/a%20b", ""),
    "/%e2%82%ac?q=%C3%BC+1": ("/€", "/%e2%82%ac?q=%C3%BC+1", "q=ü 1"),
    "/a%2Fb%25": ("/a/b%", "/a%2Fb%25", ""),
    "/%ff%zz+": ("/%ff%zz+", "/%ff%zz+", ""),
    "//evil.example/x?y": ("//evil.example/x", "//evil.example/x?y", "y"),
    "/a/../b": ("/a/../b", "/a/../b", ""),
    "http://example.net": ("/", "/", ""),
    "http://example.net/a%20b?c": ("/a b", "/a%20b?c", "c"),
    "HTTP://example.net?c": ("/", "/?c", "c"),
    "/http://x/y": ("/http://x/y", "/http://x/y", ""),
}


@pytest.mark.parametrize(("target", "expected"), TARGETS.items())
async def test_path_and_query(target: str, expected: tuple[str, str, str]) -> None:
    """A target is split into path and query, decoded; what came stays in ``raw_path``."""

    def look(request: BaseRequest) -> tuple[str, ...]:
        assert request.path_qs == request.raw_path
        assert request.rel_url.path == request.path
        return request.path, request.raw_path, request.query_string

    assert await ask_raw(look, f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()) == expected


@pytest.mark.parametrize(("method", "target"), [("OPTIONS", "*"), ("CONNECT", "example.net:443")])
async def test_targets_without_a_path(method: str, target: str) -> None:
    """``*`` and what CONNECT names are no path, and match none."""
    data = f"{method} {target} HTTP/1.1\r\nHost: example.net\r\n\r\n".encode()

    def look(r: BaseRequest) -> object:
        return r.path, r.raw_path, str(r.url.origin())

    found = await ask_raw(look, data, allowed_methods=["CONNECT", "OPTIONS"])
    port = ":443" if method == "CONNECT" else ""
    assert found == (target, target, f"http://example.net{port}")


async def test_query_is_a_multidict() -> None:
    """Parameters of the query are decoded, in order, also those of one name."""
    found = await ask(lambda request: [*request.query.items()], "/?a=1&b=%20&a=+&c")
    assert found == [("a", "1"), ("b", " "), ("a", " "), ("c", "")]


async def test_what_was_computed_is_kept() -> None:
    """A second look gives the same object."""
    assert await ask(lambda request: request.url is request.url and request.id == request.id)


async def test_facts_can_not_be_set() -> None:
    """What a request says of its client is read-only."""

    def look(request: BaseRequest) -> None:
        for name in ("url", "host", "remote", "path", "cookies"):
            with pytest.raises(AttributeError):
                setattr(request, name, "")

    await ask(look)


async def test_id_is_short_and_random() -> None:
    """Two requests have two ids of sixteen digits."""
    first, second = await ask(lambda request: request.id), await ask(lambda request: request.id)
    assert first != second
    assert len(first) == len(bytes.fromhex(first)) * 2 == 16


async def test_repr_names_the_target_as_it_came() -> None:
    """Nothing is decoded for logs."""
    assert await ask(repr, "/%0a%1b[31m") == "<BaseRequest GET '/%0a%1b[31m'>"


# Who, and whom.


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("GET /p HTTP/1.1\r\nHost: example.org", "http://example.org/p"),
        ("GET /p HTTP/1.1\r\nHost: EXAMPLE.org:8080", "http://example.org:8080/p"),
        ("GET /p HTTP/1.1\r\nHost: example.org:80", "http://example.org/p"),
        ("GET /p HTTP/1.1\r\nHost: example.org:", "http://example.org/p"),
        ("GET /p HTTP/1.1\r\nHost: [2001:db8::1]:81", "http://[2001:db8::1]:81/p"),
        ("GET http://other:81/p HTTP/1.1\r\nHost: example.org", "http://other:81/p"),
        ("GET https://other/p HTTP/1.1\r\nHost: example.org", "http://other/p"),
        ("GET /p HTTP/1.1\r\nHost: ", "http://192.0.2.2:8000/p"),
        ("GET /p HTTP/1.0", "http://192.0.2.2:8000/p"),
        ("GET //evil/p?q HTTP/1.1\r\nHost: a", "http://a//evil/p?q"),
        ("OPTIONS * HTTP/1.1\r\nHost: a", "http://a"),
    ],
)
async def test_url(head: str, expected: str) -> None:
    """The URL has the target's host, or Host, or our address; the scheme is the connection's."""
    found = await ask_raw(
        lambda request: str(request.url),
        f"{head}\r\n\r\n".encode(),
        sockname=("192.0.2.2", 8000),
    )
    assert found == expected


@pytest.mark.parametrize(
    ("sockname", "host"),
    [(("::1", 80, 0, 0), "[::1]:80"), ("/run/x.sock", "localhost"), (None, "localhost")],
)
async def test_host_without_host(sockname: object, host: str) -> None:
    """A request that names no host has come to our own address."""
    found = await ask_raw(lambda r: r.host, b"GET / HTTP/1.0\r\n\r\n", sockname=sockname)
    assert found == host


@pytest.mark.parametrize(
    "host",
    ["a/b", "a?b", "a#b", "a@b", "a\\b", "a b", "a,b c", "[::1", "a:b", "a:99999", "<a>", "\xe4"],
)
async def test_host_that_could_confuse_the_url_is_refused(host: str) -> None:
    """CVE-2026-48710 (BadHost): what is no authority is 400, before any handler sees it."""
    app = Looking(lambda request: request.url, RequestLimits())
    async with MemoryClient(app) as client:
        data = f"GET /admin HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1")
        answer = await client.raw(data)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert not app.found
    assert not app.errors


async def test_tls_is_told() -> None:
    """Over TLS the scheme is https, and the request secure."""

    def look(r: BaseRequest) -> object:
        return r.scheme, r.secure, str(r.url)

    assert await ask(look, server={"scheme": "https"}) == ("https", True, "https://localhost/")
    assert await ask(look) == ("http", False, "http://localhost/")


@pytest.mark.parametrize(
    ("peername", "remote"),
    [
        (("192.0.2.1", 5), "192.0.2.1"), (("::1", 5, 0, 0), "::1"), ("", None), (None, None),
        ("/run/client.sock", None), (b"\0name", None),
    ],
)  # fmt: skip
async def test_remote(peername: object, remote: str | None) -> None:
    """The client's address comes without its port; on a unix socket there is none."""
    assert await ask(lambda request: request.remote, server={"peername": peername}) == remote


async def test_forwarded_is_shown_and_not_believed() -> None:
    """Forwarded is there to look at, from the client's end on; it changes nothing else."""
    value = 'for=192.0.2.43;proto=https, For="[2001:db8::17]:47";by=_x;host="a.example"'

    def look(request: BaseRequest) -> tuple[object, ...]:
        first, second = request.forwarded
        return dict(first), dict(second), request.remote, request.scheme, request.host

    assert await ask(look, headers={"Forwarded": value}) == (
        {"for": "192.0.2.43", "proto": "https"},
        {"for": "[2001:db8::17]:47", "by": "_x", "host": "a.example"},
        "127.0.0.1",
        "http",
        "localhost",
    )


async def test_extra_info() -> None:
    """What the transport doesn't know is the default."""

    def look(r: BaseRequest) -> object:
        return (
            r.get_extra_info("peername"),
            r.get_extra_info("nothing", 7),
        )

    assert await ask(look) == (("127.0.0.1", 50000), 7)


# The body.


async def test_body_is_read_once_and_kept() -> None:
    """``read`` returns the same again and again."""

    async def look(request: BaseRequest) -> list[object]:
        before = [request.body_exists, request.can_read_body]
        bodies = [await request.read(), await request.read(), await request.text()]
        return [*before, *bodies, request.body_exists, request.can_read_body]

    found = await ask(look, method="POST", data=b"body")
    assert found == [True, True, b"body", b"body", "body", True, False]


async def test_request_without_a_body() -> None:
    """Without a body there is nothing to read, and no error."""

    async def look(request: BaseRequest) -> list[object]:
        facts = [request.body_exists, request.can_read_body, request.content_length]
        return [*facts, await request.read(), await request.text(), len(await request.post())]

    assert await ask(look) == [False, False, None, b"", "", 0]


async def test_release_drops_the_rest() -> None:
    """After ``release`` nothing is left to read."""

    async def look(request: BaseRequest) -> bool:
        await request.release()
        return request.can_read_body

    assert await ask(look, method="POST", data=b"x" * 300_000) is False


async def pieces(count: int) -> AsyncIterator[bytes]:
    """Yield so many pieces of 1000 bytes: a body of unknown length."""
    for _ in range(count):
        yield b"x" * 1000


async def test_body_at_the_limit_is_read() -> None:
    """A body of exactly ``client_max_size`` bytes is taken, of known length or not."""
    for data in (b"x" * 3000, pieces(3)):
        options: dict[str, Any] = {
            "limits": RequestLimits(body=3000),
            "method": "POST",
            "data": data,
        }
        assert len(await ask(lambda request: request.read(), **options)) == 3000


async def test_announced_body_beyond_the_limit_is_not_asked_for() -> None:
    """The text names limit, bound and what came; a client that waits for 100 sends nothing."""
    app = Looking(lambda request: request.read(), RequestLimits(body=10))
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n"
    async with MemoryClient(app) as client:
        answer = await client.raw(head)
    assert b"100 Continue" not in answer
    with pytest.raises(HTTPRequestEntityTooLarge) as caught:
        app.result()
    text = "413: expected a body of at most 10 bytes, got 11 (limit client_max_size)"
    assert caught.value.text == text


async def test_body_that_grows_beyond_the_limit() -> None:
    """A body of unknown length is given up as soon as it is too large, again and again."""

    async def look(request: BaseRequest) -> str:
        with pytest.raises(HTTPRequestEntityTooLarge):
            await request.read()
        with pytest.raises(HTTPRequestEntityTooLarge) as caught:
            await request.read()
        return caught.value.text or ""

    text = await ask(look, method="POST", data=pieces(100), limits=RequestLimits(body=2500))
    assert text.startswith("413: expected a body of at most 2500 bytes, got ")
    assert text.endswith(" or more (limit client_max_size)")


async def test_no_limit() -> None:
    """None leaves only the limits of the connection, whose name is told then."""
    limits = RequestLimits(body=None)
    options: dict[str, Any] = {"method": "POST", "data": b"x" * 2_000_000, "limits": limits}
    assert len(await ask(lambda request: request.read(), **options)) == 2_000_000
    with pytest.raises(HTTPRequestEntityTooLarge, match="Too Large") as caught:
        await ask(
            lambda request: request.read(),
            method="POST",
            data=pieces(100),
            limits=limits,
            server={"limits": Limits(body=5000)},
        )
    assert (caught.value.text or "").endswith("(limit body)")


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain", "ü".encode(), "ü"),
        ("text/plain; charset=latin-1", "ü".encode("latin-1"), "ü"),
        ('text/plain; CHARSET="UTF-16"', "ü".encode("utf-16"), "ü"),
    ],
)
async def test_text_is_decoded_by_its_charset(content_type: str, body: bytes, text: str) -> None:
    """The charset of Content-Type decides, and UTF-8 without one."""
    options: dict[str, Any] = {
        "data": body,
        "headers": {"Content-Type": content_type},
        "method": "POST",
    }
    assert await ask(lambda request: request.text(), **options) == text


@pytest.mark.parametrize("charset", ["klingon", "hex", "idna", "x" * 100])
async def test_unknown_charset_is_415(charset: str) -> None:
    """A charset that there isn't is 415, and said so."""
    headers = {"Content-Type": f"text/plain; charset={charset}"}
    with pytest.raises(HTTPUnsupportedMediaType) as caught:
        await ask(lambda request: request.text(), method="POST", data=b"x", headers=headers)
    assert (caught.value.text or "").startswith("415: expected a known charset, got ")


async def test_text_in_another_charset_is_400() -> None:
    """Text that isn't what it says is the client's fault, and said where."""
    with pytest.raises(HTTPBadRequest) as caught:
        await ask(lambda request: request.text(), method="POST", data=b"ab\xff")
    assert caught.value.text == (
        "400: expected the body in utf-8, but byte 2 can't be: invalid start byte"
    )


async def test_json() -> None:
    """JSON is decoded whatever its type, a byte order mark ignored, by a parser of one's own."""
    data = "\ufeff[1]".encode()
    assert await ask(lambda request: request.json(), method="POST", data=data) == [1]

    def look(r: BaseRequest) -> object:
        return r.json(loads=lambda text: text[::-1])

    assert await ask(look, method="POST", data=b"ab") == "ba"


@pytest.mark.parametrize("body", [b"", b"{", b"NaN?"])
async def test_what_is_no_json_is_400_and_a_value_error(body: bytes) -> None:
    """A program may catch the JSONDecodeError; if it doesn't, the client gets 400."""
    with pytest.raises(JSONDecodeError) as caught:
        await ask(lambda request: request.json(), method="POST", data=body)
    error = caught.value
    assert isinstance(error, RemoteProtocolError)
    assert error.status == 400
    assert error.message.startswith("expected JSON in the body: ")


async def test_error_of_another_parser_is_left_alone() -> None:
    """What ``loads`` of the program raises is what it waits for."""

    class OwnError(JSONDecodeError):
        pass

    def loads(text: str) -> object:
        raise OwnError("bad", text, 0)

    with pytest.raises(OwnError) as caught:
        await ask(lambda request: request.json(loads=loads), method="POST", data=b"x")
    assert not isinstance(caught.value, RemoteProtocolError)


@pytest.mark.parametrize("is_read", [False, True])
async def test_multipart_is_read_part_by_part(is_read: bool) -> None:
    """``multipart`` gives parts as they come, without a bound for all of them, also after read."""

    async def look(request: BaseRequest) -> list[tuple[str | None, str]]:
        if is_read:
            await request.read()
        found: list[tuple[str | None, str]] = []
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            found.append((part.name, await part.text()))
        return found

    options = multipart([('name="a"', b"1"), ('name="b"', b"2")])
    limits = RequestLimits(body=1000 if is_read else 1)
    assert await ask(look, limits=limits, **options) == [("a", "1"), ("b", "2")]


# Deprecated.


async def test_deprecated_names_warn() -> None:
    """``has_body`` and ``loop`` work, and say what to use."""

    def look(request: BaseRequest) -> tuple[object, ...]:
        with pytest.warns(DeprecationWarning, match="can_read_body"):
            has_body = request.has_body
        with pytest.warns(DeprecationWarning, match="running loop"):
            loop = request.loop
        return has_body, loop is asyncio.get_running_loop()

    assert await ask(look) == (False, True)


# The same request with other eyes.


async def test_clone_changes_what_is_given() -> None:
    """A clone differs in what is given, and in nothing else."""

    async def look(request: BaseRequest) -> list[object]:
        request["kept"] = 1
        assert (request.host, request.path) == ("localhost", "/a")
        other = request.clone(
            method="PUT", rel_url="/b c?d=1", headers={"X": "y"}, scheme="https", remote="::1",
            client_max_size=5, client_max_fields=6,
        )  # fmt: skip
        other["more"] = 2
        assert "more" not in request
        facts = [other.method, other.path, str(other.url), dict(other.headers), other.remote]
        sizes = [other.client_max_size, other.client_max_fields, other.limits.parts]
        same = [other.id == request.id, other["kept"], other.content_length, other.version]
        return [*facts, *sizes, *same, request.path, request.client_max_size]

    found = await ask(look, "/a", method="POST", data=b"1234", version=HttpVersion10)
    assert found == [
        "PUT", "/b c", "https://localhost/b%20c?d=1", {"X": "y"}, "::1",
        5, 6, 1000,
        True, 1, 4, HttpVersion10, "/a", 1024**2,
    ]  # fmt: skip


async def test_clone_to_another_host() -> None:
    """An absolute URL sets host and scheme, unless those are given."""

    def look(request: BaseRequest) -> list[str]:
        first = request.clone(rel_url="https://b.example:81/x")
        second = request.clone(rel_url="https://b.example/x", host="c", scheme="http")
        return [str(first.url), first.host, str(second.url), str(request.url)]

    assert await ask(look) == [
        "https://b.example:81/x", "b.example:81", "http://c/x", "http://localhost/",
    ]  # fmt: skip


@pytest.mark.parametrize("is_looked_at", [True, False])
async def test_clone_with_another_host(is_looked_at: bool) -> None:
    """A Host among the given fields counts, whether the host was looked at before or not."""

    async def look(request: BaseRequest) -> object:
        if is_looked_at:
            assert (request.host, request.scheme) == ("example.org", "http")
        other = request.clone(headers={"Host": "other"})
        same = request.clone(host="given").clone(headers=request.headers)
        clones = other, same, request.clone(headers={}), request.clone(rel_url="//host/x")
        return [str(each.url) for each in clones]

    assert await ask(look, headers={"Host": "example.org"}) == [
        "http://other/", "http://given/", "http://example.org/", "http://host/x",
    ]  # fmt: skip


async def test_clone_with_another_path_has_the_host_of_the_target() -> None:
    """A host that the target names overrules Host, for a clone with another target, too."""
    data = b"GET http://named/ HTTP/1.1\r\nHost: overruled\r\n\r\n"
    assert await ask_raw(lambda r: str(r.clone(rel_url="/x").url), data) == "http://named/x"


async def test_clone_of_a_read_request_has_its_body() -> None:
    """What was read is not lost to a clone, nor a bound that is lifted."""

    async def look(request: BaseRequest) -> tuple[object, ...]:
        await request.read()
        other = request.clone(client_max_size=0, client_max_fields=0)
        bounds = other.client_max_size, other.client_max_fields
        return await other.read(), bounds, other.limits.body, other.limits.fields

    assert await ask(look, method="POST", data=b"x") == (b"x", (0, 0), None, None)


# The connection.


async def test_request_tells_of_drain_and_disconnect() -> None:
    """An endless handler learns that the server stops, and that its client has gone."""
    heard: list[str] = []

    async def handler(exchange: Exchange) -> None:
        exchange.cancel_on_disconnect = False
        request = BaseRequest(exchange)
        assert request.task is asyncio.current_task()
        waiting = asyncio.create_task(request.wait_draining())
        await request.wait_disconnected()
        heard.append("gone")
        await waiting
        heard.append(f"draining {request.is_draining}")

    async with MemoryClient(Application(handler)) as client:
        asking = asyncio.create_task(client.get("/"))
        await settle(40)
        asking.cancel()
    assert heard == ["gone", "draining True"]


async def test_facts_of_the_head() -> None:
    """Version, keep-alive and the octets of the fields are as they came."""

    def look(request: BaseRequest) -> tuple[object, ...]:
        return request.version, request.keep_alive, request.raw_headers

    data = b"GET / HTTP/1.0\r\nhOST: a\r\nX: \xe4 \r\n\r\n"
    assert await ask_raw(look, data) == (
        HttpVersion10, False, ((b"hOST", b"a"), (b"X", b"\xe4")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"[" * 500_000, "400: expected JSON in the body: too much nesting"),
        (b"9" * 5000, "400: expected JSON in the body: too many digits"),
    ],
)
async def test_json_that_is_too_much_is_400(body: bytes, text: str) -> None:
    """Nobody makes the server fail by what Python refuses to parse."""

    async def handler(request: web.Request) -> web.Response:
        return web.json_response(await request.json())

    app = web.Application()
    app.router.add_post("/", handler)
    async with MemoryClient(app) as client:
        response = await client.post("/", data=body)
    assert response.status == 400
    assert response.text().startswith(text)


def test_json_is_the_default_parser() -> None:
    """``loads`` is that of the standard library."""
    assert BaseRequest.json.__kwdefaults__ == {"loads": json.loads}


# Content codings.

CODED: dict[str, Any] = {
    "data": gzip.compress(b"text"),
    "headers": {"Content-Encoding": "gzip"},
    "method": "POST",
}


async def test_content_coding_is_undone() -> None:
    """A body that was sent coded is read as it was before; what came is with the exchange."""
    assert await ask(lambda request: request.text(), **CODED) == "text"
    assert await ask(lambda request: request.clone().read(), **CODED) == b"text"
    assert await ask(lambda request: request.exchange.body.read(), **CODED) == CODED["data"]


async def test_identity_is_no_coding() -> None:
    """``identity`` changes nothing."""
    options: dict[str, Any] = {**CODED, "headers": {"Content-Encoding": "identity"}}
    assert await ask(lambda request: request.read(), **options) == CODED["data"]


async def test_unknown_coding_is_415() -> None:
    """A coding that isn't known is 415 for who reads the body, and nothing for others."""
    options: dict[str, Any] = {**CODED, "headers": {"Content-Encoding": "rot13"}}
    with pytest.raises(UnknownContentCoding) as caught:
        await ask(lambda request: request.read(), **options)
    assert caught.value.status == 415
    assert await ask(lambda request: request.path, **options) == "/"


async def test_clone_reads_on_where_the_request_was() -> None:
    """Request and clone have one decoder for the one body."""

    async def look(request: BaseRequest) -> list[bytes]:
        return [await request.content.readexactly(2), await request.clone().content.read()]

    assert await ask(look, **CODED) == [b"te", b"xt"]


# The application.


async def test_request_knows_application_and_route() -> None:
    """An inner application answers with its own limits left aside, and its keys first."""
    where = web.AppKey("where", str)
    outer, inner = web.Application(client_max_size=5), web.Application(client_max_size=9)
    outer[where], outer[OUTER], inner[where] = "outside", 1, "inside"
    seen: list[object] = []

    async def handler(request: web.Request) -> web.Response:
        config = request.config_dict
        seen.extend([request.app is inner, request.app[where], config[where], config[OUTER]])
        seen.extend([dict(request.match_info), request.client_max_size])
        clone = request.clone(rel_url="/other")
        seen.extend([clone.app is inner, clone.match_info is request.match_info])
        return web.Response()

    inner.router.add_get("/{name}", handler)
    outer.add_subapp("/in", inner)
    async with MemoryClient(outer) as client:
        assert (await client.get("/in/me")).status == 200
    assert seen == [True, "inside", "inside", 1, {"name": "me"}, 5, True, True]


async def test_responses_are_shown_before_they_leave() -> None:
    """The applications around a handler see each response, the outermost first."""
    outer, inner = web.Application(), web.Application()

    def adding(name: str) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
        async def add(request: web.Request, response: web.StreamResponse) -> None:
            assert request.app is inner
            response.headers["X-Seen"] = response.headers.get("X-Seen", "") + name

        return add

    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    outer.on_response_prepare.append(adding("o"))
    inner.on_response_prepare.append(adding("i"))
    inner.router.add_get("/", handler)
    outer.add_subapp("/in", inner)
    async with MemoryClient(outer) as client:
        assert (await client.get("/in/")).headers["X-Seen"] == "oi"


async def test_client_is_told_what_was_wrong() -> None:
    """Errors of a body that a handler doesn't catch come as the status that they stand for."""

    async def handler(request: web.Request) -> web.Response:
        await request.json()
        return web.Response()

    app = web.Application(client_max_size=10)
    app.router.add_post("/", handler)
    charset = {"Content-Type": "text/plain; charset=klingon"}
    async with MemoryClient(app) as client:
        answers = [
            await client.post("/", data="[1]"),
            await client.post("/", data="["),
            await client.post("/", data="[1]", headers=charset),
            await client.post("/", data="[1]", headers={"Content-Encoding": "rot13"}),
            await client.post("/", data="[" * 11),
        ]
    assert [answer.status for answer in answers] == [200, 400, 415, 415, 413]
    assert [answer.text()[:4] for answer in answers[1:]] == ["400:", "415:", "415:", "413:"]


async def test_trusted_proxy_is_believed() -> None:
    """Who comes through a trusted proxy is known by what that says; others are not believed."""
    fields = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}

    def look(request: BaseRequest) -> object:
        return request.remote, request.scheme, str(request.url)

    trusting = {"trusted_proxies": TrustedProxies(["127.0.0.1"])}
    expected = ("192.0.2.7", "https", "https://localhost/")
    assert await ask(look, headers=fields, server=trusting) == expected
    expected = ("127.0.0.1", "http", "http://localhost/")
    assert await ask(look, headers=fields) == expected
