"""The PROXY protocol: a proxy's first bytes tell whom its connection is for.

Versions 1 and 2 of HAProxy's specification, read as far as a server of HTTP needs:
addresses, and whether the client came over TLS. Bytes in, values out: no socket here.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple

from .errors import BadHttpMessage, IncompleteRead
from .headers import shown

__all__ = ["Proxied", "ProxyHeader"]

_V1: Final = b"PROXY "
_V2: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_V1_LONGEST: Final = 107  # with its CRLF
_V1_SHORTEST: Final = len(b"PROXY UNKNOWN\r\n")
_V2_FIXED: Final = struct.Struct("!12sBBH")
_V2_LONGEST: Final = 4096
"""What may follow the fixed part. Addresses and TLVs of HAProxy take a few hundred bytes."""

_LOCAL: Final = 0x20
_PROXY: Final = 0x21
_TLV: Final = struct.Struct("!BH")
_TLS: Final = 0x20  # PP2_TYPE_SSL
_CLIENT_TLS: Final = 0x01  # PP2_CLIENT_SSL
_TLS_FIXED: Final = 5


class Proxied(NamedTuple):
    """What a proxy says of the connection behind its own.

    Attributes:
        source: the client's address, in the shape of ``peername``; None if the proxy
            speaks for itself (LOCAL, UNKNOWN): then the transport's is right.
        destination: the address to which the client connected; None with ``source``.
        is_tls: whether the client came over TLS, which the proxy has ended.
    """

    source: Any = None
    destination: Any = None
    is_tls: bool = False


class ProxyHeader:
    r"""Reads the header that stands before everything else on a connection.

    ::

        header = ProxyHeader()
        while header.wanted:
            header.feed(sock.recv(header.wanted))
        header.proxied

    ``wanted`` bytes surely belong to the header: whoever reads no more than that leaves
    what follows, TLS or HTTP, untouched. At most 4112 bytes are wanted in all.

    Args:
        versions: which are taken: 1, 2, or both.

    Attributes:
        proxied: what it says, when it is whole.
    """

    __slots__ = ("_data", "_versions", "proxied")

    def __init__(self, versions: Collection[int] = (1, 2)) -> None:
        self._data = b""
        self._versions = versions
        self.proxied: Proxied | None = None

    def __repr__(self) -> str:
        return f"<ProxyHeader {len(self._data)} bytes, {self.wanted} wanted>"

    @property
    def wanted(self) -> int:
        """How many bytes to feed next, at most; 0 when the header is whole."""
        if self.proxied is not None:
            return 0
        size = len(self._data)
        if size < _V1_SHORTEST:
            return _V1_SHORTEST - size
        if self._data.startswith(_V1):
            # As long as its CRLF hasn't come, two bytes more are the header's.
            return 1 if self._data.endswith(b"\r") else 2
        if size < _V2_FIXED.size:
            return _V2_FIXED.size - size
        return _V2_FIXED.size + self._following() - size

    def feed(self, data: bytes) -> None:
        """Take the next bytes: as many as are ``wanted``, or fewer. None are the end of file.

        Raises:
            IncompleteRead: if the connection ends before the header.
            BadHttpMessage: if this is no header, or one that doesn't hold to its version.
        """
        if not data:
            raise IncompleteRead(
                f"the connection ended after {len(self._data)} bytes of its PROXY header",
                received=len(self._data),
            )
        self._data = known = self._data + data
        version = _version_of(known)
        if version not in self._versions:
            expected = " or ".join(map(str, self._versions))
            raise BadHttpMessage(
                f"expected a header of the PROXY protocol, version {expected}, got {shown(known)}"
            )
        if version == 1:
            if known.endswith(b"\r\n"):
                self.proxied = _read_line(known[:-2])
            elif len(known) >= _V1_LONGEST:
                raise BadHttpMessage(
                    f"expected the end of a PROXY line within {_V1_LONGEST} bytes, "
                    f"got {shown(known)}"
                )
        elif len(known) >= _V2_FIXED.size and not self.wanted:
            self.proxied = _read_binary(known)

    def _following(self) -> int:
        """Return how many bytes a header of version 2 announces behind its fixed part."""
        size: int = _V2_FIXED.unpack_from(self._data)[3]
        if size > _V2_LONGEST:
            raise BadHttpMessage(
                f"expected at most {_V2_LONGEST} bytes in a PROXY header, got {size} announced"
            )
        return size


def _version_of(start: bytes) -> int:
    """Return the version of the header that begins like this, or 0; the first byte tells it."""
    for version, signature in ((1, _V1), (2, _V2)):
        if start[: len(signature)] == signature[: len(start)]:
            return version
    return 0


# Version 1: a line.


def _read_line(line: bytes) -> Proxied:
    """Return what a line says, such as ``PROXY TCP4 192.0.2.1 192.0.2.2 50000 80``."""
    if line == b"PROXY UNKNOWN" or line.startswith(b"PROXY UNKNOWN "):
        return Proxied()
    parts = line.decode("latin-1").split(" ")
    version = {"TCP4": 4, "TCP6": 6}.get(parts[1])
    if version is None or len(parts) != 6:
        raise BadHttpMessage(
            "expected 'PROXY TCP4', or TCP6, and two addresses and two ports behind it, "
            f"got {shown(line)}"
        )
    return Proxied(
        _endpoint(_address_in(parts[2], version), _port_in(parts[4])),
        _endpoint(_address_in(parts[3], version), _port_in(parts[5])),
    )


def _address_in(text: str, version: int) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if address is None or address.version != version or "%" in text:
        raise BadHttpMessage(f"expected an IPv{version} address in a PROXY line, got {shown(text)}")
    return str(address)


def _port_in(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise BadHttpMessage(f"expected a port in a PROXY line, got {shown(text)}")
    return int(text)


def _endpoint(host: str, port: int) -> tuple[Any, ...]:
    """Return an address in the shape that sockets give it."""
    return (host, port, 0, 0) if ":" in host else (host, port)


# Version 2: binary.


def _read_binary(data: bytes) -> Proxied:
    _, command, family, _ = _V2_FIXED.unpack_from(data)
    payload = data[_V2_FIXED.size :]
    if command not in (_LOCAL, _PROXY):
        raise BadHttpMessage(
            f"expected version 2 and LOCAL or PROXY in a PROXY header, got 0x{command:02x}"
        )
    if command == _LOCAL or family not in _FAMILIES:
        # The proxy's own, such as a health check; or nothing that carries HTTP/1.
        return Proxied()
    size, read = _FAMILIES[family]
    if len(payload) < size:
        raise BadHttpMessage(
            f"expected {size} bytes of addresses in a PROXY header, got {len(payload)}"
        )
    source, destination = read(payload[:size])
    return Proxied(source, destination, is_tls=_tells_tls(payload[size:]))


def _read_ip4(data: bytes) -> tuple[Any, Any]:
    return _read_ip(data, 4)


def _read_ip6(data: bytes) -> tuple[Any, Any]:
    return _read_ip(data, 16)


def _read_ip(data: bytes, size: int) -> tuple[Any, Any]:
    hosts = [str(ipaddress.ip_address(data[at : at + size])) for at in (0, size)]
    ports: tuple[int, int] = struct.unpack_from("!HH", data, 2 * size)
    return _endpoint(hosts[0], ports[0]), _endpoint(hosts[1], ports[1])


def _read_unix(data: bytes) -> tuple[Any, Any]:
    """Return two paths; of a socket without a name it is "", as from a transport."""
    paths = (data[:108], data[108:])
    source, destination = [path.rstrip(b"\0").decode(errors="backslashreplace") for path in paths]
    return source, destination


_FAMILIES: Final[dict[int, tuple[int, Callable[[bytes], tuple[Any, Any]]]]] = {
    0x11: (12, _read_ip4),
    0x21: (36, _read_ip6),
    0x31: (216, _read_unix),
}
"""Over TCP, or a stream: bytes of both addresses, and what reads them."""


def _tells_tls(data: bytes) -> bool:
    """Tell whether one of the TLVs says that the client came over TLS.

    The others are stepped over, the checksum among them: the standard library has no CRC32C.
    """
    found, place = False, 0
    kind: int
    size: int
    while place < len(data):
        if place + _TLV.size > len(data):
            raise BadHttpMessage("expected a TLV in a PROXY header, got a part of one")
        kind, size = _TLV.unpack_from(data, place)
        place += _TLV.size + size
        if place > len(data):
            raise BadHttpMessage(
                f"expected {size} bytes of a TLV in a PROXY header, but it ends before"
            )
        if kind == _TLS:
            if size < _TLS_FIXED:
                raise BadHttpMessage(f"expected 5 bytes or more of TLS in a TLV, got {size}")
            found = found or bool(data[place - size] & _CLIENT_TLS)
    return found
