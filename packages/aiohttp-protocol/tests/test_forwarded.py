"""What proxies are believed: by whom it is sent, and who could have written it."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol.errors import InvalidHeader
from aiohttp.protocol.exchange import Exchange
from aiohttp.protocol.forwarded import Origin, TrustedProxies
from aiohttp.protocol.http1.head import RequestHead, parse_request_head
from aiohttp.protocol.listener import Listener
from aiohttp.protocol.service import Service
from served import Application, Served, request

PROXY = ("10.0.0.1", 40000)
STRANGER = ("203.0.113.9", 40000)
LISTS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port")


def head(*fields: str) -> RequestHead:
    """Return the head of a request with these fields."""
    lines = "".join(f"{field}\r\n" for field in ("Host: inside.example:8080", *fields))
    return parse_request_head(f"GET / HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))


def believed(
    *fields: str, peername: Any = PROXY, by: tuple[str, ...] = LISTS, scheme: Any = "http"
) -> Origin:
    """Return what is believed of a request that a peer has sent."""
    trusted = TrustedProxies(["10.0.0.0/8", "2001:db8:1::/48", "unix"], fields=by)
    return trusted.believed(head(*fields), peername, scheme)


# Who is trusted.


@pytest.mark.parametrize(
    "peername",
    [PROXY, ("10.255.0.1", 1), ("::ffff:10.0.0.1", 1, 0, 0), ("2001:db8:1::5", 1, 0, 0), ""],
)
def test_peer_of_a_network_is_trusted(peername: Any) -> None:
    """Also where a socket for both families shows its IPv4 address, and over a unix socket."""
    assert believed("X-Forwarded-For: 192.0.2.1", peername=peername).remote == ("192.0.2.1", 0)


@pytest.mark.parametrize(
    "peername", [STRANGER, ("2001:db8:2::5", 1, 0, 0), ("fe80::1%eth0", 1), None]
)
def test_peer_of_no_network_is_not_believed(peername: Any) -> None:
    """Whatever it says, it is the client itself."""
    fields = ("X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: a.test")
    assert believed(*fields, peername=peername) == Origin(peername, "http", None)


async def test_client_that_resets_is_no_unix_socket() -> None:
    """Its address can't be asked for any more, but what it has sent can still be read."""
    origins: list[Any] = []

    async def look(exchange: Exchange) -> None:
        origins.append((exchange.peername, exchange.scheme))
        await exchange.respond(200)

    async with Listener(Application(look), trusted_proxies=TrustedProxies(["unix"])) as listener:
        address, *_ = await listener.listen_tcp("127.0.0.1", 0)
        with socket.create_connection(address) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(request("/", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"))
        async with asyncio.timeout(5):
            while not listener.books.disconnections:
                await listener.service.wait_change()
    assert set(origins) <= {(None, "http")}  # not every system lets a server read it


def test_unix_socket_is_trusted_only_where_it_is_named() -> None:
    """Not because of a network that holds every address."""
    trusted = TrustedProxies(["0.0.0.0/0", "::/0"])
    assert not trusted.trusts("")
    assert trusted.trusts(STRANGER)
    assert TrustedProxies(["unix"]).trusts("")


@pytest.mark.parametrize("peername", [PROXY, STRANGER, ("2001:db8:2::5", 1, 0, 0), "", b"\0name"])
def test_everybody_may_be_trusted(peername: Any) -> None:
    """Where nobody can connect but proxies; of what they tell, the last word only is theirs."""
    trusted = TrustedProxies(["*"], fields=LISTS)
    fields = ("X-Forwarded-For: 1.1.1.1, 10.0.0.2, 192.0.2.1", "X-Forwarded-Proto: http, https")
    origin = trusted.believed(head(*fields), peername, "http")
    assert origin == Origin(("192.0.2.1", 0), "https", None)
    element = "Forwarded: for=1.1.1.1;proto=http, for=192.0.2.1;proto=https"
    trusted = TrustedProxies(["*"], fields=["Forwarded"])
    assert trusted.believed(head(element), peername, "http") == origin
    assert not trusted.trusts(None)


def test_hops_may_be_named_beside_everybody() -> None:
    """Then their word counts, too."""
    trusted = TrustedProxies(["10.0.0.0/8", "*"])
    origin = trusted.believed(
        head("X-Forwarded-For: 1.1.1.1, 192.0.2.1, 10.0.0.2"), STRANGER, "http"
    )
    assert origin.remote == ("192.0.2.1", 0)


def test_link_local_peer_is_found_without_its_zone() -> None:
    """Which is this machine's name of an interface."""
    assert TrustedProxies(["fe80::/10"]).trusts(("fe80::1%eth0", 1, 0, 2))


def test_trusted_proxies_show_themselves() -> None:
    """And are checked when they are named."""
    assert repr(TrustedProxies(["unix", "10.0.0.0/8"])) == "<TrustedProxies 10.0.0.0/8, unix>"
    assert repr(TrustedProxies(["*"])) == "<TrustedProxies *>"
    assert repr(TrustedProxies([])) == "<TrustedProxies none>"


@pytest.mark.parametrize(
    ("networks", "fields", "message"),
    [
        (["10.0.0.1/8"], LISTS, "expected an address or a network .* has host bits set"),
        (["proxy.example"], LISTS, "expected an address or a network such as '10.0.0.0/8'"),
        (["::1"], ["X-Real-Ip"], "expected some of Forwarded, X-Forwarded-For, .* got 'X-Real-Ip'"),
        (["::1"], ["Forwarded", "X-Forwarded-For"], "but not both"),
    ],
)
def test_what_is_no_network_or_field_is_refused(
    networks: list[str], fields: list[str], message: str
) -> None:
    """When it is given: a misspelt network would trust nobody, or too many."""
    with pytest.raises(ValueError, match=message):
        TrustedProxies(networks, fields=fields)


def test_one_network_is_no_collection() -> None:
    """A string is one of letters."""
    with pytest.raises(TypeError, match=r"networks must be a collection of str, such as \['::1'\]"):
        TrustedProxies("::1")


# X-Forwarded-*.


@pytest.mark.parametrize(
    ("value", "remote"),
    [
        ("192.0.2.1", ("192.0.2.1", 0)),
        ("192.0.2.1:5000", ("192.0.2.1", 5000)),
        ("2001:db8::1", ("2001:db8::1", 0, 0, 0)),
        ("[2001:db8::1]", ("2001:db8::1", 0, 0, 0)),
        ("[2001:DB8::1]:5000", ("2001:db8::1", 5000, 0, 0)),
        ("198.51.100.7, 192.0.2.1", ("192.0.2.1", 0)),
        ("192.0.2.1, 10.0.0.2, 10.9.9.9", ("192.0.2.1", 0)),
        ("192.0.2.1,10.0.0.2:80,[2001:db8:1::1]:5", ("192.0.2.1", 0)),
        ("10.0.0.3, 10.0.0.2", ("10.0.0.3", 0)),
        ("fe80::1%eth0", ("fe80::1", 0, 0, 0)),
        ("[::1%<b>'\"]:80, 10.0.0.2", ("::1", 80, 0, 0)),
        (" ,, 192.0.2.1 ,", ("192.0.2.1", 0)),
    ],
)
def test_client_is_the_first_from_the_right_that_is_no_proxy(
    value: str, remote: tuple[Any, ...]
) -> None:
    """What is farther left was written by that client, or before it."""
    assert believed(f"X-Forwarded-For: {value}").remote == remote


def test_lines_of_one_field_are_one_list() -> None:
    """A proxy may append a line of its own (RFC 9110, section 5.3)."""
    origin = believed("X-Forwarded-For: 10.0.0.9, 192.0.2.66", "X-Forwarded-For: 192.0.2.1")
    assert origin.remote == ("192.0.2.1", 0)


@pytest.mark.parametrize(
    "value",
    [
        "localhost", "192.0.2.256", "192.0.2.1:x", "192.0.2.1:65536", "[::1", "[::1]x", "[::1]80",
        "1", "0x0a000001", "10.1", "\u00b2", "'", "unknown",
    ],
)  # fmt: skip
def test_what_is_no_address_hides_what_is_left_of_it(value: str) -> None:
    """It is never taken for the proxy's own address, which may be allowed everything."""
    origin = believed(f"X-Forwarded-For: 10.0.0.5, {value}, 10.0.0.2")
    assert origin.remote == ("unknown", 0)


def test_peer_that_says_nothing_is_the_client() -> None:
    """Such as a probe from inside the network."""
    assert believed() == Origin(PROXY, "http", None)


@pytest.mark.parametrize(
    ("value", "scheme"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        ("wss", "https"),
        ("http", "http"),
        ("https, http", "http"),  # the nearest hop's is the last
        ("gopher", "http"),
        ("", "http"),
    ],
)
def test_scheme_is_told_by_the_nearest_proxy(value: str, scheme: str) -> None:
    """Anything else than http and https is the transport's scheme."""
    fields = ("X-Forwarded-For: 192.0.2.1", f"X-Forwarded-Proto: {value}")
    assert believed(*fields).scheme == scheme


def test_scheme_is_that_of_the_same_hop_as_the_address() -> None:
    """Two proxies have appended to both lists: the client spoke to the first."""
    fields = ("X-Forwarded-For: 1.1.1.1, 192.0.2.1, 10.0.0.2", "X-Forwarded-Proto: http,https,http")
    assert believed(*fields).scheme == "https"
    only = ("X-Forwarded-For: 192.0.2.1, 10.0.0.2", "X-Forwarded-Proto: https")
    assert believed(*only).scheme == "https"


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        (["X-Forwarded-Host: shop.example"], "shop.example"),
        (["X-Forwarded-Host: shop.example:8443"], "shop.example:8443"),
        (["X-Forwarded-Host: evil.example, shop.example"], "shop.example"),
        (["X-Forwarded-Host: shop.example/path?#"], None),
        (["X-Forwarded-Host: user@shop.example"], None),
        (["X-Forwarded-Host: shop.example", "X-Forwarded-Port: 8443"], "shop.example:8443"),
        (["X-Forwarded-Host: shop.example:1", "X-Forwarded-Port: 8443"], "shop.example:1"),
        (["X-Forwarded-Host: shop.example", "X-Forwarded-Port: 80"], "shop.example"),
        (["X-Forwarded-Host: shop.example", "X-Forwarded-Port: 80x"], "shop.example"),
        (["X-Forwarded-Port: 8443"], "inside.example:8080"),
        ([], None),
    ],
)
def test_host_is_told_as_an_authority(fields: list[str], host: str | None) -> None:
    """What could confuse a URL is nobody's host; a port comes to a host that has none."""
    assert believed(*fields).host == host


def test_only_the_named_fields_are_believed() -> None:
    """A proxy passes the others on as the client wrote them."""
    fields = (
        "X-Forwarded-For: 192.0.2.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.example",
        "Forwarded: for=198.51.100.66;host=evil.example",
    )
    trusted = TrustedProxies(["10.0.0.0/8"])
    assert trusted.believed(head(*fields), PROXY, "http") == Origin(("192.0.2.1", 0), "https", None)
    assert believed(*fields, by=("x-forwarded-proto",)) == Origin(PROXY, "https", None)


# Forwarded.


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        # RFC 7239, section 4.
        ('for="_gazonk"', Origin(("_gazonk", 0), "http", None)),
        ('For="[2001:db8:cafe::17]:4711"', Origin(("2001:db8:cafe::17", 4711, 0, 0), "http", None)),
        ("for=192.0.2.60;proto=https;by=203.0.113.43", Origin(("192.0.2.60", 0), "https", None)),
        ("for=192.0.2.43, for=198.51.100.17", Origin(("198.51.100.17", 0), "http", None)),
        # Section 6.
        ("for=unknown", Origin(("unknown", 0), "http", None)),
        ('for="_SEVKISEK:80"', Origin(("_SEVKISEK", 80), "http", None)),
        ("for=192.0.2.1:_port", Origin(("unknown", 0), "http", None)),  # not quoted
        ('for="192.0.2.1:_port"', Origin(("192.0.2.1", 0), "http", None)),
        ('for=192.0.2.1, for="10.0.0.2:_x"', Origin(("192.0.2.1", 0), "http", None)),
        ('for="[2001:db8::1]:_"', Origin(("unknown", 0), "http", None)),
        ('for="_\u00e9"', Origin(("unknown", 0), "http", None)),
        # Hops.
        (
            "for=1.1.1.1, for=192.0.2.1;proto=https;host=shop.example, for=10.0.0.2;proto=http",
            Origin(("192.0.2.1", 0), "https", "shop.example"),
        ),
        ("for=192.0.2.1;proto=https, for=10.0.0.2", Origin(("192.0.2.1", 0), "https", None)),
        ("proto=https", Origin(("unknown", 0), "https", None)),
        ('for=192.0.2.1;host="a.test:8443"', Origin(("192.0.2.1", 0), "http", "a.test:8443")),
        ('for=192.0.2.1;host="a/b"', Origin(("192.0.2.1", 0), "http", None)),
        # What can't be read.
        ("for=192.0.2.1;for=192.0.2.2", Origin(("unknown", 0), "http", None)),
        ("nonsense", Origin(("unknown", 0), "http", None)),
        ("", Origin(PROXY, "http", None)),
    ],
)  # fmt: skip
def test_element_of_the_first_hop_tells_of_the_client(value: str, origin: Origin) -> None:
    """Address, scheme and host stand in one element, which one hop has written."""
    assert believed(f"Forwarded: {value}", by=("Forwarded",)) == origin


@pytest.mark.parametrize(
    "start", ['for="', 'for="10.0.0.1', '"', ';;"=', 'for="a\\"', "for=10.0.0.1"]
)
def test_client_cannot_swallow_what_the_proxy_adds(start: str) -> None:
    """A quote that the client opened doesn't reach into the proxy's element."""
    for added in ("for=192.0.2.1", 'for="192.0.2.1:5"', 'for="[2001:db8::1]:5"'):
        origin = believed(f"Forwarded: {start}, {added}", by=("Forwarded",))
        assert origin.remote[0] in {"192.0.2.1", "2001:db8::1"}


@given(st.text(alphabet=' ",;=abf.:1[]or\\', max_size=60))
def test_whatever_a_client_begins_with_its_address_stands(start: str) -> None:
    """Nothing before the proxy's own entry can change whom a request is from."""
    element = believed(f"Forwarded: {start}, for=192.0.2.1", by=("Forwarded",))
    assert element.remote == ("192.0.2.1", 0)
    assert believed(f"X-Forwarded-For: {start}, 192.0.2.1").remote == ("192.0.2.1", 0)


# On a connection.


async def test_exchange_tells_what_a_trusted_proxy_says() -> None:
    """Address, scheme and host of the client; from others, those of the connection."""
    seen: list[tuple[Any, str, str | None]] = []

    async def note(exchange: Exchange) -> None:
        seen.append((exchange.peername, exchange.scheme, exchange.host))
        await exchange.respond(204)

    trusted = TrustedProxies(["192.0.2.0/24"], fields=LISTS)
    lines = ("X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: a.b")
    for peername in (("192.0.2.1", 5), STRANGER):
        service = Service(Application(note), trusted_proxies=trusted)
        served = Served(service=service, peername=peername)
        await served.exchange(request("/", *lines))
        served.client.lose()
        await served.exchange()
    assert seen == [(("198.51.100.1", 0), "https", "a.b"), (STRANGER, "http", None)]


class Refuses:
    """Believes nobody, and refuses to answer them."""

    def believed(self, head: RequestHead, peername: Any, scheme: Any) -> Origin:
        """Refuse the request."""
        raise InvalidHeader("expected another proxy")


async def test_request_that_cannot_be_believed_is_refused() -> None:
    """With the error's status; whoever looks afterwards is told of the connection."""
    seen: list[Any] = []

    def note(exchange: Exchange) -> None:
        seen.append((exchange.response_status, exchange.peername, exchange.scheme, exchange.host))

    async def look(exchange: Exchange) -> None:
        await exchange.respond(200, (), exchange.scheme.encode())

    service = Service(Application(look), trusted_proxies=Refuses(), on_exchange=note)
    served = Served(service=service, peername=STRANGER)
    answer = await served.exchange(request("/"))
    assert b"400 Bad Request: expected another proxy" in answer
    assert seen == [(400, STRANGER, "http", None)]
