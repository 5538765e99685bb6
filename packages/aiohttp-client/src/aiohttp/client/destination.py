"""Where a request goes: what a URL says to the pool, to the connector and to the wire."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import unquote

from yarl import URL

from aiohttp.protocol.auth import encode_basic_auth
from aiohttp.protocol.headers import split_authority

from .errors import InvalidUrlClientError, NonHttpUrlClientError
from .tls import Ssl

__all__ = [
    "ConnectionKey",
    "Destination",
    "StrOrURL",
    "check_authority",
    "destination_of",
]

StrOrURL: TypeAlias = str | URL

_AUTHORITY: Final = re.compile(r"[\0-\x20]*(?:[A-Za-z][A-Za-z0-9+.\-]*:)?//([^/?#]*)")


class ConnectionKey(NamedTuple):
    """What two requests must have in common to share a connection."""

    scheme: str
    host: str
    port: int
    ssl: Ssl = True
    server_hostname: str | None = None
    proxy: URL | None = None

    @property
    def is_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == "https"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Destination:
    """What is to be known of a URL before a request can be sent to it.

    Attributes:
        given: the URL as it was given.
        url: without userinfo and fragment: what is requested.
        real_url: with its fragment, without userinfo.
        key: of a connection that leads there, with TLS as usual.
        authority: for the Host field, such as ``"[::1]:8080"``; the scheme's port is left out.
        target: path and query, encoded, for the request line.
        authorization: what the userinfo says to Authorization, or None.
    """

    __slots__ = ("authority", "authorization", "given", "key", "real_url", "target", "url")

    def __init__(self, given: URL) -> None:
        url = given if given.raw_user is None and given.raw_password is None else _bare(given)
        self.given = given
        self.real_url = url
        self.url = url.with_fragment(None) if url.raw_fragment else url
        self.key = ConnectionKey(url.scheme, url.raw_host or "", url.port or 0)
        self.authority = url.host_port_subcomponent or ""
        self.target = url.raw_path_qs or "/"
        self.authorization: str | None = None
        if url is not given:
            self.authorization = encode_basic_auth(
                unquote(given.raw_user or ""), unquote(given.raw_password or "")
            )

    def __repr__(self) -> str:
        return f"<Destination {self.url}>"


def check_authority(reference: str) -> None:
    """Refuse what yarl lets pass, and others refuse, or read as something else.

    That is a port that isn't spelt in ASCII digits (RFC 3986, section 3.2.3), such as
    ``+80``, ``8_0`` or digits of other scripts, and a backslash, which is a slash to
    browsers: before ``@b`` it leads them elsewhere.

    Raises:
        ValueError: if there is such a thing.
    """
    found = _AUTHORITY.match(reference)
    if found is None:
        return
    # Neither is shown: where a password has a slash, this is a part of it.
    if "\\" in found[1]:
        raise ValueError("expected no backslash before the path")
    _, colon, port = found[1].rpartition("@")[2].rpartition("]")[2].rpartition(":")
    if colon and port and not (port.isascii() and port.isdigit()):
        raise ValueError("expected nothing but digits as port")


def destination_of(url: StrOrURL) -> Destination:
    """Return where a request for ``url`` goes.

    Raises:
        InvalidUrlClientError: if the URL is malformed or has no host.
        NonHttpUrlClientError: if it is neither http nor https.
    """
    try:
        return _cached_destination(url)
    except ValueError as exc:
        if isinstance(exc, InvalidUrlClientError):
            raise
        raise InvalidUrlClientError(url, str(exc)) from exc


# A program asks for the same URLs again and again: 0.1 µs instead of 15.
@lru_cache(maxsize=1024)
def _cached_destination(url: StrOrURL) -> Destination:
    if isinstance(url, str):
        check_authority(url)
    parsed = URL(url)
    if parsed.scheme not in ("http", "https"):
        if parsed.scheme or not parsed.absolute:
            error = NonHttpUrlClientError if parsed.scheme else InvalidUrlClientError
            raise error(url, "expected a URL that begins with http:// or https://")
        raise InvalidUrlClientError(url, "expected a scheme, http: or https:, before //")
    if not parsed.raw_host:
        raise InvalidUrlClientError(url, "expected a host after //")
    destination = Destination(parsed)
    address, percent, zone = destination.key.host.partition("%")
    if percent and ":" in address:
        zone = zone.removeprefix("25")  # "%25" is how a URL spells "%" (RFC 6874)
        raise InvalidUrlClientError(
            url,
            f"expected an IPv6 address without a zone, got zone {zone!r}: ask for a name "
            f"that the resolver, or the file hosts, knows as {address}%{zone}",
        )
    if split_authority(destination.authority) is None:
        raise InvalidUrlClientError(url, "expected a host name or address, and maybe a port")
    if not destination.key.port:
        raise InvalidUrlClientError(url, "expected a port from 1 to 65535")
    return destination


def _bare(url: URL) -> URL:
    return url.with_user(None)
