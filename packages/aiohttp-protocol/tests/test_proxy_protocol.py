"""The PROXY protocol's header: both versions, wherever the input is cut."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol.errors import BadHttpMessage
from aiohttp.protocol.proxy_protocol import Proxied, ProxyHeader

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def read(
    data: bytes, most: int = 1 << 20, versions: tuple[int, ...] = (1, 2)
) -> tuple[Proxied | None, bytes]:
    """Return what a header says, and the bytes behind it; no more than ``most`` at a time."""
    header = ProxyHeader(versions)
    while header.wanted:
        size = min(header.wanted, most)
        header.feed(data[:size])
        data = data[size:]
    return header.proxied, data


def binary(family: int, payload: bytes, command: int = 0x21) -> bytes:
    """Return a header of version 2."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(payload)) + payload


def tlv(kind: int, value: bytes) -> bytes:
    """Return one TLV."""
    return struct.pack("!BH", kind, len(value)) + value


IP4 = bytes([192, 0, 2, 1, 192, 0, 2, 2]) + struct.pack("!HH", 50000, 80)
IP6 = bytes(15) + b"\x01" + bytes(15) + b"\x02" + struct.pack("!HH", 50000, 80)
UNIX = b"/run/client".ljust(108, b"\0") + b"/run/proxy".ljust(108, b"\0")
FOUR = (("192.0.2.1", 50000), ("192.0.2.2", 80))

GOOD = [
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 50000 80\r\n", Proxied(*FOUR)),
    (b"PROXY TCP6 ::1 ::2 50000 80\r\n", Proxied(("::1", 50000, 0, 0), ("::2", 80, 0, 0))),
    (b"PROXY UNKNOWN\r\n", Proxied()),
    (b"PROXY UNKNOWN ffff::1 whatever 1 2\r\n", Proxied()),
    (binary(0x11, IP4), Proxied(*FOUR)),
    (binary(0x21, IP6), Proxied(("::1", 50000, 0, 0), ("::2", 80, 0, 0))),
    (binary(0x31, UNIX), Proxied("/run/client", "/run/proxy")),
    (binary(0x31, bytes(216)), Proxied("", "")),
    (binary(0x00, b""), Proxied()),
    (binary(0x12, IP4), Proxied()),
    (binary(0x00, b"", command=0x20), Proxied()),
    (binary(0x11, b"whatever", command=0x20), Proxied()),
    (binary(0x11, IP4 + tlv(0x20, b"\x01\0\0\0\0" + tlv(0x21, b"TLSv1.3"))), Proxied(*FOUR, True)),
    (binary(0x11, IP4 + tlv(0x20, b"\x00\0\0\0\0")), Proxied(*FOUR)),
    (binary(0x11, IP4 + tlv(0x04, bytes(9)) + tlv(0x20, b"\x07\0\0\0\1")), Proxied(*FOUR, True)),
]


@pytest.mark.parametrize("most", [1 << 20, 1, 7])
@pytest.mark.parametrize(("data", "expected"), GOOD)
def test_header_is_read_and_nothing_behind_it(data: bytes, expected: Proxied, most: int) -> None:
    """However few bytes come at a time, what follows is left to whoever reads next."""
    assert read(data + b"GET / HTTP/1.1\r\n", most) == (expected, b"GET / HTTP/1.1\r\n")


BAD = [
    (b"GET / HTTP/1.1\r\n", "expected a header of the PROXY protocol, version 1 or 2, got b'G"),
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 50000\r\n", "two addresses and two ports"),
    (b"PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", "two addresses and two ports"),
    (b"PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n", "expected 'PROXY TCP4', or TCP6"),
    (b"PROXY UNKNOWNS 192.0.2.1\r\n", "expected 'PROXY TCP4', or TCP6"),
    (b"PROXY TCP4 ::1 192.0.2.2 1 2\r\n", "expected an IPv4 address in a PROXY line, got '::1'"),
    (b"PROXY TCP6 fe80::1%x ::2 1 2\r\n", "expected an IPv6 address"),
    (b"PROXY TCP4 192.0.2.1 x 1 2\r\n", "expected an IPv4 address"),
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n", "expected a port in a PROXY line, got '65536'"),
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 +2\r\n", r"expected a port in a PROXY line, got '\+2'"),
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 \xb2\r\n", "expected a port"),
    (b"PROXY UNKNOWN " + b"x" * 107, "end of a PROXY line within 107 bytes"),
    (binary(0x11, IP4[:11]), "expected 12 bytes of addresses in a PROXY header, got 11"),
    (binary(0x11, IP4, command=0x11), "expected version 2 and LOCAL or PROXY .* got 0x11"),
    (binary(0x11, IP4, command=0x22), "got 0x22"),
    (binary(0x11, IP4 + b"\x01\0"), "expected a TLV in a PROXY header, got a part of one"),
    (binary(0x11, IP4 + b"\x01\0\x02x"), "expected 2 bytes of a TLV"),
    (binary(0x11, IP4 + tlv(0x20, b"\x01")), "expected 5 bytes or more of TLS in a TLV, got 1"),
    (binary(0x11, IP4 + bytes(4096)), "expected at most 4096 bytes in a PROXY header, got 4108"),
    (b"PROXY TCP4 192.", "the connection ended after 15 bytes of its PROXY header"),
    (b"", "the connection ended after 0 bytes"),
]


@pytest.mark.parametrize("most", [1 << 20, 1])
@pytest.mark.parametrize(("data", "message"), BAD)
def test_what_is_no_header_is_refused(data: bytes, message: str, most: int) -> None:
    """With what was expected and what came, wherever the input is cut."""
    with pytest.raises(BadHttpMessage, match=message):
        read(data, most)


def test_foreign_bytes_are_refused_at_the_first() -> None:
    """Nobody waits for the rest of what can't become a header."""
    with pytest.raises(BadHttpMessage, match="expected a header of the PROXY protocol"):
        ProxyHeader().feed(b"G")


@pytest.mark.parametrize("most", [1 << 20, 1])
def test_only_the_versions_that_are_taken(most: int) -> None:
    """A header of another version is as good as none."""
    line, packed = b"PROXY UNKNOWN\r\n", binary(0x00, b"")
    assert read(line, most, versions=(1,))[0] == read(packed, most, versions=(2,))[0] == Proxied()
    with pytest.raises(BadHttpMessage, match="PROXY protocol, version 2, got b'P"):
        read(line, most, versions=(2,))
    with pytest.raises(BadHttpMessage, match=r"PROXY protocol, version 1, got b'\\r"):
        read(packed, most, versions=(1,))


def test_header_tells_its_state() -> None:
    """Nothing is wanted any more once it is whole."""
    header = ProxyHeader()
    header.feed(b"PROXY UNK")
    assert repr(header) == "<ProxyHeader 9 bytes, 6 wanted>"
    header.feed(b"NOWN\r\n")
    assert header.wanted == 0


@given(st.binary(max_size=80), st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE + b"!"]))
def test_any_bytes_end_in_an_answer_or_an_error(data: bytes, start: bytes) -> None:
    """No input crashes the reader or has it read for ever."""
    try:
        proxied, _ = read(start + data)
    except BadHttpMessage:
        return
    assert proxied is not None


@given(
    st.ip_addresses(v=4),
    st.ip_addresses(v=4),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.lists(st.tuples(st.integers(0, 31), st.binary(max_size=40)), max_size=4),
)
def test_both_versions_say_the_same(
    source: object, destination: object, port: int, to: int, tlvs: list[tuple[int, bytes]]
) -> None:
    """A line and a binary header of the same connection are read as the same."""
    line = f"PROXY TCP4 {source} {destination} {port} {to}\r\n".encode()
    packed = bytes(map(int, f"{source}.{destination}".split("."))) + struct.pack("!HH", port, to)
    rest = b"".join(tlv(kind, value) for kind, value in tlvs)
    assert read(line)[0] == read(binary(0x11, packed + rest))[0]
