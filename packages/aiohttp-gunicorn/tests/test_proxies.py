"""Whom gunicorn's settings let speak for a client, and what nobody else can make us believe."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from gunicorn.config import Config
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol import (
    Exchange,
    InvalidHeader,
    Listener,
    Origin,
    Proxied,
    RequestHead,
    ServerHttpProtocol,
    Service,
    parse_request_head,
)
from aiohttp.worker.proxies import Forwarders, proxy_protocol_by, sender_of, trusted_by
from wire import connect

PROXY = ("10.0.0.1", 40000)
STRANGER = ("203.0.113.9", 40000)


def config(**settings: Any) -> Any:
    """Return gunicorn's defaults with these settings."""
    cfg = Config()
    for name, value in settings.items():
        cfg.set(name, value)
    return cfg


def head(*fields: str) -> RequestHead:
    """Return the head of a request with these fields."""
    lines = "".join(f"{field}\r\n" for field in ("Host: x", *fields))
    return parse_request_head(f"GET / HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))


def believed(
    *fields: str, peername: Any = PROXY, scheme: Any = "http", allowed: str = "10.0.0.0/8"
) -> Origin:
    """Return what is believed of a request that a peer has sent."""
    return trusted_by(config(forwarded_allow_ips=allowed)).believed(head(*fields), peername, scheme)


# Who is trusted.


@pytest.mark.parametrize(
    ("allowed", "peername"),
    [
        ("10.0.0.1", PROXY),
        ("192.0.2.1, 10.0.0.0/8", PROXY),
        ("10.0.0.0/8", ("::ffff:10.0.0.1", 1, 0, 0)),
        ("*", PROXY),
        ("*", ("2001:db8::1", 1, 0, 0)),
        ("", ""),  # a unix socket: gunicorn trusts its peers unconditionally
        ("10.0.0.1", b"\0abstract"),
    ],
)
def test_forwarder_is_believed(allowed: str, peername: Any) -> None:
    """By its address, its network, or because everybody is; always over a unix socket."""
    fields = ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https")
    found = believed(*fields, peername=peername, allowed=allowed)
    assert found == Origin(("192.0.2.7", 0), "https", None)


@pytest.mark.parametrize(
    ("allowed", "peername"),
    [
        ("127.0.0.1,::1", STRANGER),  # gunicorn's default
        ("10.0.0.0/8", STRANGER),
        ("10.0.0.0/8", ("2001:db8::1", 1, 0, 0)),
        ("", ("127.0.0.1", 1)),
        ("*", None),  # a client that was gone before its address was asked for
    ],
)
def test_stranger_is_not_believed(allowed: str, peername: Any) -> None:
    """Whatever it says, it is the client, and came as it came; nor can it have itself refused."""
    fields = (
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Ssl: off",
        "X-Forwarded-Host: admin.example",
        "Forwarded: for=127.0.0.1;proto=https;host=admin.example",
    )
    found = believed(*fields, peername=peername, allowed=allowed)
    assert found == Origin(peername, "http", None)


def test_defaults_are_those_of_gunicorn() -> None:
    """The machine itself is trusted, and who connects to a unix socket."""
    forwarders = trusted_by(Config())
    assert repr(forwarders) == "<Forwarders <TrustedProxies 127.0.0.1/32, ::1/128, unix>>"
    assert forwarders.trusts(("127.0.0.1", 1))
    assert forwarders.trusts("")
    assert not forwarders.trusts(STRANGER)


# The client's address.


@pytest.mark.parametrize(
    ("lines", "remote"),
    [
        (["192.0.2.7"], ("192.0.2.7", 0)),
        (["192.0.2.7:5000"], ("192.0.2.7", 5000)),
        (["2001:db8::1"], ("2001:db8::1", 0, 0, 0)),
        (["127.0.0.1, 192.0.2.7"], ("192.0.2.7", 0)),  # the client has begun the list
        (["127.0.0.1, 192.0.2.7, 10.9.9.9"], ("192.0.2.7", 0)),  # through a second proxy of ours
        (["127.0.0.1", "192.0.2.7"], ("192.0.2.7", 0)),  # in a line of its own
        (["127.0.0.1, nonsense, 10.0.0.9"], ("unknown", 0)),
        ([], PROXY),
    ],
)
def test_client_is_the_last_address_that_is_no_forwarder(
    lines: list[str], remote: tuple[Any, ...]
) -> None:
    """What is left of it was written by that client, or before it."""
    assert believed(*(f"X-Forwarded-For: {line}" for line in lines)).remote == remote


@pytest.mark.parametrize("start", ["", "127.0.0.1, ", "10.0.0.1, ", "192.0.2.66,,"])
def test_with_everybody_trusted_the_last_address_counts(start: str) -> None:
    """The proxy has written it, and the client all others."""
    found = believed(f"X-Forwarded-For: {start}192.0.2.7", peername=STRANGER, allowed="*")
    assert found.remote == ("192.0.2.7", 0)


@given(
    st.text(alphabet=' ",;=abf.:1[]or\\127.0.0.1', max_size=60), st.sampled_from(["*", "10.0.0.1"])
)
def test_client_cannot_change_its_address(start: str, allowed: str) -> None:
    """Whatever it puts before the proxy's word."""
    found = believed(f"X-Forwarded-For: {start}, 192.0.2.7", allowed=allowed)
    assert found.remote == ("192.0.2.7", 0)


# The scheme: the table in gunicorn's documentation of forwarded_allow_ips, and beyond.


@pytest.mark.parametrize(
    ("fields", "scheme"),
    [
        ([], "http"),
        (["X-Forwarded-Proto: https"], "https"),
        (["x-forwarded-proto: https"], "https"),
        (["X-Forwarded-Ssl: on"], "https"),
        (["X-Forwarded-Protocol: ssl"], "https"),
        (["X-Forwarded-Proto: https", "X-Forwarded-Ssl: on"], "https"),
        (["X-Forwarded-Proto: https", "X-Forwarded-Proto: https"], "https"),
        (["X-Forwarded-Proto: http"], "http"),
        (["X-Forwarded-Proto: HTTPS"], "http"),  # "exactly what your front-end proxy sends"
        (["X-Forwarded-Proto: https,http"], "http"),
        (["X-Forwarded-Ssl: "], "http"),
        (["X_Forwarded_Proto: https"], "http"),
    ],
)
@pytest.mark.parametrize("arrived", ["http", "https"])
def test_scheme_is_what_the_forwarder_says(fields: list[str], scheme: str, arrived: str) -> None:
    """Exactly the value that means https does; said nothing, the connection's scheme holds."""
    silent = not fields or "_" in fields[0]
    assert believed(*fields, scheme=arrived).scheme == (arrived if silent else scheme)


def test_fields_of_the_scheme_can_be_named() -> None:
    """Others are not looked at then."""
    forwarders = Forwarders(["10.0.0.1"], {"FRONT-END-HTTPS": "On"})
    assert forwarders.believed(head("Front-End-Https: On"), PROXY, "http").scheme == "https"
    assert forwarders.believed(head("X-Forwarded-Proto: https"), PROXY, "http").scheme == "http"


@pytest.mark.parametrize(
    "fields",
    [
        ["X-Forwarded-Proto: http", "X-Forwarded-Ssl: on"],
        ["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"],
    ],
)
def test_fields_that_disagree_are_refused(fields: list[str]) -> None:
    """One of them is the client's: nobody knows which."""
    with pytest.raises(InvalidHeader, match=r"one scheme from the proxy.*'http'.*secure_scheme_h"):
        believed(*fields)


async def test_request_whose_proxies_disagree_is_answered_400() -> None:
    """With the reason, whenever somebody asks for its scheme."""

    class Look:
        async def handle_exchange(self, exchange: Exchange) -> None:
            await exchange.respond(200, (), exchange.scheme.encode())

    service = Service(Look(), trusted_proxies=trusted_by(config(forwarded_allow_ips="*")))
    transport = connect(ServerHttpProtocol(service))
    transport.feed(
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Ssl: on\r\n\r\n"
    )
    for _ in range(5):
        await asyncio.sleep(0)
    assert transport.written.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"X-FORWARDED-PROTO: 'http', X-FORWARDED-SSL: 'on'" in transport.written
    transport.abort()


# The PROXY protocol.


def test_proxy_protocol_is_off() -> None:
    """By default: gunicorn's word for that is a string, which is true."""
    assert proxy_protocol_by(Config()) == {}


@pytest.mark.parametrize(
    ("setting", "versions"), [("v1", (1,)), ("v2", (2,)), ("auto", (1, 2)), (True, (1, 2))]
)
def test_proxy_protocol_is_taken_in_its_versions(setting: object, versions: tuple[int]) -> None:
    """From the peers of proxy_allow_ips, and over unix sockets."""
    cfg = config(proxy_protocol=setting, proxy_allow_ips="10.0.0.0/8")
    options = proxy_protocol_by(cfg)
    assert options["proxy_versions"] == versions
    trusted = options["proxy_protocol"]
    assert trusted.trusts(PROXY)
    assert trusted.trusts("")
    assert not trusted.trusts(STRANGER)


async def test_fields_are_the_word_of_whom_the_proxy_speaks_for() -> None:
    """A proxy of TCP passes on what its client writes: that one has to be trusted, not the proxy.

    gunicorn's own workers believe a client behind stunnel on the same machine everything.
    """
    seen: list[Any] = []

    class Look:
        async def handle_exchange(self, exchange: Exchange) -> None:
            seen.append((exchange.peername[0], exchange.scheme, sender_of(exchange)[0]))
            await exchange.respond(200)

    cfg = config(proxy_protocol="v1", forwarded_allow_ips="127.0.0.1, 192.0.2.5")
    options = proxy_protocol_by(cfg)
    async with Listener(Look(), trusted_proxies=trusted_by(cfg), **options) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        for source in (b"192.0.2.66", b"192.0.2.5"):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"PROXY TCP4 " + source + b" 192.0.2.2 5000 443\r\n")
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
            writer.write(b"X-Forwarded-For: 127.0.0.9\r\nX-Forwarded-Proto: https\r\n\r\n")
            await reader.read()
            writer.close()
            await writer.wait_closed()
    assert seen == [("192.0.2.66", "http", "192.0.2.66"), ("127.0.0.9", "https", "192.0.2.5")]


async def test_sender_is_the_peer_where_a_proxy_speaks_for_itself() -> None:
    """And where nobody speaks the PROXY protocol."""
    for proxied in (None, Proxied()):
        protocol = ServerHttpProtocol(Service(Answer()))
        protocol.proxied = proxied
        transport = connect(protocol, peername=PROXY)
        transport.feed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(5):
            await asyncio.sleep(0)
        assert transport.written.endswith(b"10.0.0.1")
        transport.abort()


class Answer:
    """An application that answers with the sender's address."""

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request."""
        await exchange.respond(200, (), sender_of(exchange)[0].encode())
