"""One request as it will be sent: what ``request()`` was given, put into order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from typing import NamedTuple, TypeAlias, TypeGuard, cast

from yarl import URL

from aiohttp.protocol.headers import Headers, headers_of
from aiohttp.protocol.http1.encode import EncodedFields, encode_fields
from aiohttp.protocol.http1.head import HttpVersion, HttpVersion11

from .destination import ConnectionKey, Destination, Ssl, validate_ssl
from .payload import EMPTY_PAYLOAD, Payload
from .redirects import BODY_FIELDS, ORIGIN_FIELDS, Redirect

__all__ = ["DefaultFields", "Fields", "HttpRequest", "LooseHeaders", "RequestInfo"]

Fields: TypeAlias = tuple[tuple[str, str], ...]

LooseHeaders: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
"""Headers as a program likes to give them: a mapping or pairs."""

_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})


class RequestInfo(NamedTuple):
    """What an error tells of the request that it is about."""

    url: URL
    method: str
    headers: Headers
    real_url: URL


class DefaultFields:
    """The fields that each request of a session has: validated and encoded once."""

    __slots__ = ("encoded", "fields")

    def __init__(self, fields: LooseHeaders) -> None:
        self.fields = _pairs(fields)
        self.encoded = encode_fields(self.fields)

    def extended(self, headers: LooseHeaders) -> DefaultFields:
        """Return these fields with others, which replace those of the same name."""
        own = _pairs(headers)
        return DefaultFields(self.overridden(own)) if own else self

    def overridden(self, own: Fields) -> Fields:
        """Return these fields without those of which ``own`` has others, and then ``own``."""
        names = {name.lower() for name, _ in own}
        return (*(field for field in self.fields if field[0].lower() not in names), *own)


class HttpRequest:
    """One request; also known as ``ClientRequest``.

    Attributes:
        method: in the spelling of the wire.
        destination: where it goes.
        payload: its body.
        version: of HTTP.
        ssl: how to do TLS.
        server_hostname: whom the server's certificate must name, if not its host.
        chunk_size: bytes per chunk; 0: chunks only where no length is known.
        expect_continue: whether the body waits for ``100 Continue``.
    """

    __slots__ = (
        "_encoded",
        "_fields",
        "chunk_size",
        "destination",
        "expect_continue",
        "method",
        "payload",
        "server_hostname",
        "ssl",
        "version",
    )

    def __init__(
        self,
        method: str,
        destination: Destination,
        defaults: DefaultFields,
        *,
        headers: LooseHeaders | None = None,
        extra: Fields = (),
        payload: Payload = EMPTY_PAYLOAD,
        version: HttpVersion = HttpVersion11,
        ssl: Ssl = True,
        server_hostname: str | None = None,
        chunk_size: int = 0,
        expect_continue: bool = False,
    ) -> None:
        if ssl is not True:
            validate_ssl(ssl)
        self.method = method
        self.destination = destination
        self.payload = payload
        self.version = version
        self.ssl = ssl
        self.server_hostname = server_hostname
        self.chunk_size = chunk_size
        self.expect_continue = expect_continue
        self._encoded: EncodedFields | None = defaults.encoded
        self._fields = defaults.fields
        own = _pairs(headers) if headers else ()
        if extra:
            if _has(own, "authorization") and _has(extra, "authorization"):
                raise ValueError("auth and an Authorization header exclude each other")
            own = (*own, *extra)
        if payload.content_type and not _has(own, "content-type"):
            own = (*own, ("Content-Type", payload.content_type))
        if destination.authorization and not _has(own, "authorization"):
            own = (*own, ("Authorization", destination.authorization))
        if own:
            self._fields = defaults.overridden(own)
            self._encoded = None

    def __repr__(self) -> str:
        return f"<HttpRequest {self.method} {self.destination.url}>"

    @property
    def url(self) -> URL:
        """What is requested, without userinfo and fragment."""
        return self.destination.url

    @property
    def headers(self) -> Headers:
        """The fields that the program and the session give; the connection adds its own."""
        return headers_of(self._fields)

    @property
    def info(self) -> RequestInfo:
        """What an error tells of this request."""
        return RequestInfo(self.url, self.method, self.headers, self.destination.real_url)

    @property
    def encoded_fields(self) -> EncodedFields:
        """The fields, ready for the wire.

        Raises:
            LocalProtocolError: if one of them can't be sent.
        """
        if self._encoded is None:
            self._encoded = encode_fields(self._fields)
        return self._encoded

    @property
    def key(self) -> ConnectionKey:
        """What a connection must be like to carry this request."""
        key = self.destination.key
        if self.ssl is True and self.server_hostname is None:
            return key
        return key._replace(ssl=self.ssl, server_hostname=self.server_hostname)

    @property
    def is_idempotent(self) -> bool:
        """Whether to send it twice means the same as once (RFC 9110, section 9.2.2)."""
        return self.method in _IDEMPOTENT

    @property
    def may_drop_expectation(self) -> bool:
        """Whether the body waits for ``100 Continue``, and could be sent again without."""
        return self.expect_continue and self.payload.can_be_replayed

    def follow(self, step: Redirect) -> HttpRequest:
        """Return the request that a redirect asks for."""
        following = copy(self)
        following.method = step.method
        following.destination = step.destination
        dropped: frozenset[str] = frozenset()
        if step.leaves_origin:
            following.server_hostname = None
            dropped |= ORIGIN_FIELDS
        if not step.keeps_body:
            following.payload = EMPTY_PAYLOAD
            following.chunk_size = 0
            following.expect_continue = False
            dropped |= BODY_FIELDS
        fields = tuple(field for field in self._fields if field[0].lower() not in dropped)
        if step.destination.authorization and not _has(fields, "authorization"):
            fields = (*fields, ("Authorization", step.destination.authorization))
        following._fields = fields
        following._encoded = None  # noqa: SLF001 it is of this class
        return following

    def without_expectation(self) -> HttpRequest:
        """Return the same request, whose body waits for nothing."""
        following = copy(self)
        following.expect_continue = False
        return following


def _pairs(headers: LooseHeaders) -> Fields:
    if isinstance(headers, Mapping):
        headers = cast(Mapping[str, str], headers).items()
    fields = tuple(headers)
    for field in fields:
        _check_pair(field)
    return fields


def _check_pair(field: object) -> None:
    # What names and values may be is seen to where they are encoded.
    if not (_is_tuple(field) and len(field) == 2 and isinstance(field[0], str)):
        raise TypeError("headers must be a mapping or pairs, with names of type str")


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


def _has(fields: Fields, name: str) -> bool:
    return any(field[0].lower() == name for field in fields)
