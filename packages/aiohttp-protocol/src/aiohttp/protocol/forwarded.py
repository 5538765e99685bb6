"""What proxies say of a client: Forwarded (RFC 7239), and the X-Forwarded-* of old.

Anybody may send these fields. So they are believed only from a peer whose address is
trusted, only those that this peer is known to write, and only as far back as the
addresses in them are trusted too: the first one that is not is the client.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

from .errors import InvalidHeader
from .headers import split_authority
from .http1.head import RequestHead
from .parameters import parse_parameters

__all__ = ["Origin", "Trust", "TrustedProxies", "parse_forwarded"]

Scheme: TypeAlias = Literal["http", "https"]
_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_FOR: Final = "X-Forwarded-For"
_PROTO: Final = "X-Forwarded-Proto"
_HOST: Final = "X-Forwarded-Host"
_PORT: Final = "X-Forwarded-Port"
_FORWARDED: Final = "Forwarded"
_KNOWN: Final = (_FORWARDED, _FOR, _PROTO, _HOST, _PORT)

_OTHERS: Final = frozenset({"unix", "*"})
"""Who can be trusted that is no network."""

_HIDDEN: Final = re.compile(r"_[0-9A-Za-z._-]{1,63}")  # RFC 7239, section 6.3

# Traefik names a websocket's scheme.
_SCHEMES: Final[dict[str, Scheme]] = {
    "http": "http", "https": "https", "ws": "http", "wss": "https",
}  # fmt: skip


class Origin(NamedTuple):
    """Where a request really came from.

    Attributes:
        remote: the client's address in the shape of ``peername``, with port 0 where none
            was told. Where a proxy hides its client, the host is what it says instead
            of an address: ``"unknown"``, or a name that begins with ``_``.
        scheme: what the client used to reach the first trusted proxy.
        host: the host, and its port if there was one, that this proxy was asked for;
            None: the request's own Host is right.
    """

    remote: Any
    scheme: Scheme
    host: str | None


class Trust(Protocol):
    """Decides whose word is taken for where a request came from, such as ``TrustedProxies``."""

    def believed(self, head: RequestHead, peername: Any, scheme: Scheme) -> Origin:
        """Return where a request came from that ``peername`` has sent over ``scheme``.

        Raises:
            RemoteProtocolError: if what is said can't be believed; a server answers 400.
        """
        ...


class TrustedProxies:
    """Which proxies are believed, and what.

    ::

        trusted = TrustedProxies(["10.0.0.0/8", "unix"])
        origin = trusted.believed(head, ("10.1.2.3", 40000), "http")

    Args:
        networks: addresses and networks such as ``"10.0.0.0/8"`` or ``"::1"``;
            ``"unix"`` stands for whoever connects to a unix socket, ``"*"`` for whoever
            connects: where only proxies can. It believes nobody of whom these have heard,
            so that the nearest hop's word counts, and none that a client has put before it.
        fields: which fields these proxies write into every request: ``"Forwarded"``, or
            any of ``"X-Forwarded-For"``, ``-Proto``, ``-Host`` and ``-Port``. Name no
            field that they pass on as it came: it would be the client's own word.

    Raises:
        ValueError: if a network or a field is none, or both dialects are named.
    """

    __slots__ = ("_fields", "_is_trusted", "_networks", "_others")

    def __init__(
        self, networks: Iterable[str], *, fields: Collection[str] = (_FOR, _PROTO)
    ) -> None:
        for name, given in (("networks", networks), ("fields", fields)):
            if isinstance(given, str):
                raise TypeError(f"{name} must be a collection of str, such as [{given!r}]")
        given = list(networks)
        self._networks = tuple(_network(text) for text in given if text not in _OTHERS)
        self._others = _OTHERS.intersection(given)
        self._fields = _known_fields(fields)
        # One look takes 3 µs, and the same few proxies come again and again.
        self._is_trusted = lru_cache(maxsize=1024)(self._look_up)

    def __repr__(self) -> str:
        named = [*map(str, self._networks), *sorted(self._others)]
        return f"<TrustedProxies {', '.join(named) or 'none'}>"

    def trusts(self, peername: Any) -> bool:
        """Whether this peer is one of them; ``peername`` is a transport's.

        None never is. That is no unix socket, whose peer without a name is called "",
        but anybody who resets a TCP connection before it is accepted.
        """
        if peername is None:
            return False
        if "*" in self._others:
            return True
        if isinstance(peername, (str, bytes)):
            return "unix" in self._others  # the path of its socket, which mostly has none
        return self._is_trusted(peername[0])

    def _look_up(self, host: str) -> bool:
        address = _address(host.partition("%")[0])  # without the zone of a link-local address
        return address is not None and any(
            address.version == network.version and address in network for network in self._networks
        )

    def believed(self, head: RequestHead, peername: Any, scheme: Scheme) -> Origin:
        """Return where a request came from that ``peername`` has sent over ``scheme``.

        From someone who isn't trusted, or says nothing, that is the peer itself. An
        address that can't be read is reported as ``"unknown"``, never as the proxy's.
        """
        if not self.trusts(peername):
            return Origin(peername, scheme, None)
        if _FORWARDED in self._fields:
            return self._by_elements(head, peername, scheme)
        return self._by_lists(head, peername, scheme)

    def _by_elements(self, head: RequestHead, peername: Any, scheme: Scheme) -> Origin:
        """Follow Forwarded: each hop has written one element (RFC 7239, section 4)."""
        found = Origin(peername, scheme, None)
        for element in _elements(",".join(head.headers.getall(_FORWARDED, ()))):
            parameters = _pairs(element)
            remote = _node(parameters.get("for", ""))
            told = _SCHEMES.get(parameters.get("proto", "").lower(), scheme)
            found = Origin(remote, told, _host(parameters.get("host", "")))
            if not self._is_hop(remote):
                break
        return found

    def _by_lists(self, head: RequestHead, peername: Any, scheme: Scheme) -> Origin:
        """Follow X-Forwarded-For; the other lists are read at the place that it ends at."""
        remote, place = peername, 0
        for place, text in enumerate(reversed(self._values(head, _FOR))):  # noqa: B007 - used below
            remote = _node(text)
            if not self._is_hop(remote):
                break
        told = _SCHEMES.get(_at(self._values(head, _PROTO), place).lower(), scheme)
        host = _host(_at(self._values(head, _HOST), place))
        port = _at(self._values(head, _PORT), place)
        if port:
            host = _with_port(host or _host(head.headers.get("Host", "")), port, told)
        return Origin(remote, told, host)

    def _values(self, head: RequestHead, name: str) -> list[str]:
        """Return the members of a field over all its lines, the nearest hop's last."""
        if name not in self._fields:
            return []
        members = ",".join(head.headers.getall(name, ())).split(",")
        return [stripped for member in members if (stripped := member.strip(" \t"))]

    def _is_hop(self, remote: tuple[Any, ...]) -> bool:
        """Whether this is a proxy of ours, whose word on who came to it counts."""
        return self._is_trusted(remote[0])


def _network(text: str) -> _Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as exc:
        raise ValueError(
            f"expected an address or a network such as '10.0.0.0/8', or 'unix', or '*': {exc}"
        ) from None


def _known_fields(fields: Collection[str]) -> frozenset[str]:
    spelt = {name.lower(): name for name in _KNOWN}
    if unknown := [name for name in fields if name.lower() not in spelt]:
        raise ValueError(f"expected some of {', '.join(_KNOWN)}, got {unknown[0]!r}")
    known = frozenset(spelt[name.lower()] for name in fields)
    if _FORWARDED in known and len(known) > 1:
        # A proxy writes one dialect, so the other one would be the client's word.
        raise ValueError("expected Forwarded, or X-Forwarded-*, but not both")
    return known


def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # What a socket for both families makes of an IPv4 address.
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=1024)
def _node(text: str) -> tuple[Any, ...]:
    """Return an address in the shape of ``peername`` (RFC 7239, section 6).

    An IPv6 address may come without brackets, as X-Forwarded-For has it. Its zone, which
    means nothing on another machine and may be any text, is left out, and so is a port
    that is only a name (section 6.2).
    """
    host, port = text, ""
    if text[:1] == "[":
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and rest[0] != ":"):
            return ("unknown", 0)
        port = rest[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if _HIDDEN.fullmatch(port):
        port = ""
    if port and not _is_number(port):
        return ("unknown", 0)
    number = int(port or 0)
    if _HIDDEN.fullmatch(host):
        return (host, number)
    address = _address(host)
    if address is None:
        return ("unknown", 0)
    plain = str(address).partition("%")[0]
    return (plain, number) if address.version == 4 else (plain, number, 0, 0)


def _is_number(port: str) -> bool:
    return port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535


def _host(text: str) -> str | None:
    """Return what is an authority; the rest is nobody's host."""
    return text if text and split_authority(text) is not None else None


def _with_port(host: str | None, port: str, scheme: Scheme) -> str | None:
    """Return the host with a port that was told beside it, unless it has one."""
    parts = split_authority(host or "")
    if parts is None or parts[1] or not _is_number(port):
        return host
    return host if port == {"http": "80", "https": "443"}[scheme] else f"{parts[0]}:{port}"


def _at(values: Sequence[str], place: int) -> str:
    """Return the value at this place from the right; the farthest if there are fewer."""
    return values[-1 - min(place, len(values) - 1)] if values else ""


def parse_forwarded(values: Sequence[str]) -> list[dict[str, str]]:
    """Return the parameters of each element of Forwarded, by lower name, the nearest hop's last.

    ``values`` are the field's lines. An element that is malformed has no parameters. Who
    wrote them, nobody knows: see ``TrustedProxies``.
    """
    return [_pairs(element) for element in _elements(",".join(values))][::-1]


def _elements(value: str) -> Iterable[str]:
    """Yield the elements of Forwarded, the last first.

    From the right, because a client may have begun with a quote that never ends: that
    must not swallow what the proxies have added.
    """
    end, is_quoted = len(value), False
    for place in range(len(value) - 1, -1, -1):
        if value[place] == '"':
            is_quoted = not is_quoted
        elif value[place] == "," and not is_quoted:
            if element := value[place + 1 : end].strip(" \t"):
                yield element
            end = place
    if element := value[:end].strip(" \t"):
        yield element


def _pairs(element: str) -> dict[str, str]:
    try:
        return parse_parameters(f";{element}")[1]
    except InvalidHeader:
        return {}
