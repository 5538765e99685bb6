"""The scope of a request: every key of the specification, from what came over the wire."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.worker.asgi import AsgiApplication
from aiohttp.worker.asgi.messages import Receive, Scope, Send
from aiohttp.worker.fields import FieldRule
from aiohttp.worker.proxies import Forwarders
from asgi_client import GET, LOG, Client, ask, body, scope_of, start


def get(target: str, *fields: str, version: str = "1.1") -> bytes:
    """Return a request for a target."""
    return "\r\n".join([f"GET {target} HTTP/{version}", "Host: x", *fields, "", ""]).encode()


async def test_scope_is_complete() -> None:
    """Every key that the specification names is there, as its type."""
    assert await scope_of(get("/a%2Fb%20c?d=%20e", "User-Agent: Me")) == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/a/b c",
        "raw_path": b"/a%2Fb%20c",
        "query_string": b"d=%20e",
        "root_path": "",
        "headers": [(b"host", b"x"), (b"user-agent", b"Me")],
        "client": ("192.0.2.1", 50000),
        "server": ("192.0.2.2", 80),
        "extensions": {
            "http.response.early_hint": {},
            "http.response.pathsend": {},
            "http.response.trailers": {},
            "http.response.zerocopysend": {},
        },
    }


async def test_scope_is_the_requests_own() -> None:
    """What one call changes, however deep, isn't seen by the next of the same application."""
    seen: list[str] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(repr(scope))
        scope["headers"].append((b"x", b"1"))
        for extension in scope["extensions"].values():
            extension["more"] = 1
        scope["extensions"]["more"] = {}
        scope["asgi"]["version"] = "4"
        scope["path"] = "/other"
        await send(start())
        await send(body())

    client = Client(application)
    for _ in range(4):  # made anew, and then of a head that is known
        client.send(GET)
        await client.answer()
    assert seen[1:] == seen[:1] * 3


async def test_requests_that_say_the_same_have_addresses_of_their_own() -> None:
    """Behind a proxy, on one connection; and on connections from different clients."""
    trusted = Forwarders(["192.0.2.1"], {"X-Forwarded-Proto": "https"})
    plain = get("/same", "X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https")
    seen: list[Any] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["client"], scope["scheme"], scope["server"]))
        await send(start())
        await send(body())

    adapter = AsgiApplication(application, log=LOG)
    for host, port in [("192.0.2.1", 1), ("192.0.2.9", 2), ("192.0.2.1", 3)]:
        peer = {"peername": (host, port), "sockname": ("192.0.2.2", 80 + port)}
        client = Client(application, peer=peer)
        client.service.application = adapter
        client.service.trusted_proxies = trusted
        client.send(plain)
        await client.answer()
    assert seen == [
        (("198.51.100.1", 0), "https", ("192.0.2.2", 81)),
        (("192.0.2.9", 2), "http", ("192.0.2.2", 82)),
        (("198.51.100.1", 0), "https", ("192.0.2.2", 83)),
    ]


async def test_applications_do_not_share_scopes() -> None:
    """Two of one worker may be mounted at different places, and be asked for the same."""
    for root_path in ("", "/a", "/b", "/a"):
        scope = await scope_of(root_path=root_path)
        assert (scope["root_path"], scope["path"]) == (root_path, f"{root_path}/path")


def test_names_are_remembered_within_bounds() -> None:
    """Names that clients make up don't fill the memory."""
    from aiohttp.worker.asgi.scope import _names

    for number in range(2 * _names.NAMES):
        assert _names[f"X-{number}"] == b"x-%d" % number
    assert _names["X" * 100] == b"x" * 100
    assert len(_names) <= _names.NAMES
    assert all(len(name) <= _names.LENGTH for name in _names)


async def test_version_is_the_requests() -> None:
    """HTTP/1.0 is told from 1.1."""
    assert (await scope_of(get("/", version="1.0")))["http_version"] == "1.0"


async def test_method_is_as_it_came() -> None:
    """Methods are case-sensitive (RFC 9110, section 9.1): what a proxy let through is no GET."""
    assert (await scope_of(get("/").replace(b"GET", b"get")))["method"] == "get"


# Path.


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/%C3%A9", "/é"),
        ("/a+b", "/a+b"),
        ("/%zz", "/%zz"),
        ("/%", "/%"),
        ("/%ff", "/\ufffd"),
        ("/%ed%a0%80", "/\ufffd\ufffd\ufffd"),
        ("/%00", "/\0"),
        ("//a", "//a"),
    ],
)
async def test_path_is_decoded(target: str, path: str) -> None:
    """Escapes are UTF-8; octets that are none become U+FFFD, so that any text can be logged."""
    scope = await scope_of(get(target))
    assert (scope["path"], scope["raw_path"]) == (path, target.encode())
    path.encode()


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/api/x", "/api/x"),
        ("/api", "/api"),
        ("/api%2Fx", "/api/x"),
        ("/x", "/api/x"),
        ("/apix", "/api/apix"),
        ("/", "/api/"),
    ],
)
async def test_path_is_below_root_path(target: str, path: str) -> None:
    """A path that isn't below it was cut by a proxy: frameworks expect it whole."""
    scope = await scope_of(get(target), root_path="/api/")
    assert (scope["path"], scope["root_path"]) == (path, "/api")
    assert scope["raw_path"] == target.encode()


async def test_root_path_may_come_from_a_forwarder() -> None:
    """A proxy's SCRIPT_NAME goes before the setting, if the proxy is trusted."""
    rule = FieldRule("drop", ["SCRIPT_NAME"], lambda peername: peername[0] == "192.0.2.1")
    request = get("/x", "SCRIPT_NAME: /mount/", "x_y: 1")
    scope = await scope_of(request, fields=rule, root_path="/api")
    assert (scope["root_path"], scope["path"]) == ("/mount", "/mount/x")
    strange = {"peername": ("192.0.2.9", 1)}
    scope = await scope_of(request, fields=rule, root_path="/api", peer=strange)
    assert (scope["root_path"], scope["path"]) == ("/api", "/api/x")


async def test_target_in_absolute_form_replaces_host() -> None:
    """RFC 9112, section 3.2.2: Host is ignored where the target names another."""
    scope = await scope_of(get("http://other:8080/a?b", "Accept: */*"))
    assert scope["headers"] == [(b"host", b"other:8080"), (b"accept", b"*/*")]
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/a", b"/a", b"b")


async def test_target_in_absolute_form_may_have_no_path() -> None:
    """No path is the path "/" (RFC 9110, section 4.2.3)."""
    assert (await scope_of(get("http://other?b")))["path"] == "/"


async def test_target_in_asterisk_form_is_the_path() -> None:
    """OPTIONS for the server as a whole (RFC 9112, section 3.2.4) is below no root_path."""
    request = get("*").replace(b"GET", b"OPTIONS")
    scope = await scope_of(request, root_path="/api")
    assert (scope["path"], scope["raw_path"]) == ("*", b"*")


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#?")))
def test_any_path_is_text_and_kept_raw(text: str) -> None:
    """Whatever a client sends, a framework can put it into UTF-8."""
    from aiohttp.worker.asgi.scope import _path

    path = _path(f"/{text}", "/root")
    path.encode()
    assert f"{path}/".startswith("/root/")


# Headers.


async def test_headers_are_lower_case_in_order_with_duplicates() -> None:
    """Repeated fields stay apart, values as they came."""
    request = get("/", "X-A: 1", "Cookie: a=b", "x-a: 2", "X-B: \u00e9".encode().decode("latin-1"))
    assert (await scope_of(request))["headers"] == [
        (b"host", b"x"),
        (b"x-a", b"1"),
        (b"cookie", b"a=b"),
        (b"x-a", b"2"),
        (b"x-b", "Ã\u0083Â©".encode("latin-1")),
    ]


async def test_fields_with_underscores_are_dropped() -> None:
    """Frameworks would take them for those with a hyphen, which a proxy may have checked."""
    request = get("/", "X_Forwarded_For: 1", "X-Forwarded-For: 2")
    headers = (await scope_of(request))["headers"]
    assert headers == [(b"host", b"x"), (b"x-forwarded-for", b"2")]


async def test_fields_with_underscores_may_be_refused() -> None:
    """gunicorn's header_map refuses the request."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("called")

    answer = await ask(application, get("/", "X_Y: 1"), fields=FieldRule("refuse"))
    assert answer.status == 400


# Addresses.


@pytest.mark.parametrize(
    ("peername", "client"),
    [
        (("192.0.2.1", 1), ("192.0.2.1", 1)),
        (("2001:db8::1", 1, 0, 0), ("2001:db8::1", 1)),
        ("", None),
        (None, None),
    ],
)
async def test_client_is_an_address(peername: Any, client: Any) -> None:
    """Host and port; None for a unix socket, or a client that was gone at once."""
    assert (await scope_of(peer={"peername": peername}))["client"] == client


@pytest.mark.parametrize(
    ("sockname", "server"),
    [
        (("192.0.2.2", 80), ("192.0.2.2", 80)),
        (("2001:db8::2", 80, 0, 0), ("2001:db8::2", 80)),
        ("/run/app.sock", ("/run/app.sock", None)),
        (b"\0app", ("\0app", None)),
        (None, None),
    ],
)
async def test_server_is_an_address_or_a_path(sockname: Any, server: Any) -> None:
    """Host and port, or the path of the unix socket and no port."""
    assert (await scope_of(peer={"sockname": sockname}))["server"] == server
