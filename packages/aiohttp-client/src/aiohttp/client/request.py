"""One request as it will be sent: what ``request()`` was given, put into order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeGuard, cast

from multidict import CIMultiDict
from yarl import URL

from aiohttp.protocol.auth import encode_basic_auth
from aiohttp.protocol.headers import Headers, headers_of
from aiohttp.protocol.http1.encode import EncodedFields, encode_fields
from aiohttp.protocol.http1.head import HttpVersion, HttpVersion11
from aiohttp.protocol.payload import Payload

from .awaitables import FINISHED, Finished
from .destination import (
    ConnectionKey,
    Destination,
    StrOrURL,
    destination_of,
)
from .payload import EMPTY_PAYLOAD, json_payload, payload
from .redirects import BODY_FIELDS, ORIGIN_FIELDS, Redirect
from .tls import Ssl, validate_ssl

if TYPE_CHECKING:
    from aiohttp.protocol.abc import LooseCookies

    from .session import Session
    from .uploads import UploadTracker

__all__ = [
    "Auth",
    "DefaultFields",
    "Fields",
    "HttpRequest",
    "LooseHeaders",
    "Params",
    "RequestInfo",
    "is_idempotent",
    "lower_names",
    "pairs_of",
    "validate_auth",
    "without",
]

Fields: TypeAlias = tuple[tuple[str, str], ...]

LooseHeaders: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
"""Headers as a program likes to give them: a mapping or pairs."""

Params: TypeAlias = str | bytes | Mapping[str, Any] | Iterable[tuple[str, Any]]
"""What ``params=`` takes: a query, encoded or in parts."""

Auth: TypeAlias = tuple[str, str] | tuple[str, str, str]
"""Login, password, and their encoding if not UTF-8: a tuple, or ``BasicAuth``."""

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})

_COOKIE: Final = frozenset({"cookie"})

_CODINGS: Final = {True: "deflate", "deflate": "deflate", "gzip": "gzip"}


def pairs_of(headers: LooseHeaders) -> Fields:
    """Return fields as pairs.

    Raises:
        TypeError: if they are neither a mapping nor pairs.
    """
    if isinstance(headers, Mapping):
        headers = cast(Mapping[str, str], headers).items()
    fields = tuple(headers)
    for field in fields:
        _check_pair(field)
    return fields


def validate_auth(auth: object) -> None:
    """Refuse what is no login and password, without a word of what it is.

    Raises:
        TypeError: if it is neither a tuple nor ``BasicAuth``. A list, such as JSON has, will do.
    """
    kind = type(auth).__name__
    if _is_row(auth):  # a str of two characters could be unpacked, too
        if len(auth) in (2, 3):
            return
        kind = f"{kind} of length {len(auth)}"
    raise TypeError(
        f"auth must be a tuple (login, password), or BasicAuth(login, password), not {kind}"
    )


def _is_row(value: object) -> TypeGuard[Collection[object]]:
    return isinstance(value, tuple | list)


def lower_names(names: Iterable[str]) -> frozenset[str]:
    """Return the names of ``skip_auto_headers`` in lower case.

    Raises:
        TypeError: if it is one name rather than several: its letters would be taken.
    """
    if isinstance(names, str):
        raise TypeError(f"skip_auto_headers must be names such as [{names!r}], not one str")
    return frozenset(name.lower() for name in names)


def without(fields: Fields, names: Collection[str]) -> Fields:
    """Return fields but for those of these names, which are in lower case."""
    return tuple(field for field in fields if field[0].lower() not in names)


def _check_pair(field: object) -> None:
    # What names and values may be is seen to where they are encoded.
    if not (_is_tuple(field) and len(field) == 2 and isinstance(field[0], str)):
        raise TypeError("headers must be a mapping or pairs, with names of type str")


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


class RequestInfo(NamedTuple):
    """What an error tells of the request that it is about."""

    url: URL
    method: str
    headers: Headers
    real_url: URL


def is_idempotent(method: str) -> bool:
    """Whether to send a request twice means the same as once (RFC 9110, section 9.2.2)."""
    return method in _IDEMPOTENT


class DefaultFields:
    """The fields that each request of a session has: validated and encoded once.

    Attributes:
        fields: as pairs.
        encoded: ready for the wire.
        cookies: the value of Cookie, which is no part of ``fields``; or "".
        names: of the fields, in lower case.
        skipped: names, in lower case, of fields that are not to be added.
    """

    __slots__ = ("cookies", "encoded", "fields", "names", "skipped")

    def __init__(self, fields: LooseHeaders, skipped: frozenset[str] = frozenset()) -> None:
        given = pairs_of(fields)
        self.fields = without(given, _COOKIE)
        self.cookies = "; ".join([value for name, value in given if name.lower() == "cookie"])
        self.encoded = encode_fields(self.fields)
        self.names = frozenset(name.lower() for name, _ in self.fields)
        self.skipped = skipped

    def overridden(self, own: Fields) -> Fields:
        """Return these fields without those of which ``own`` has others, and then ``own``."""
        return (*without(self.fields, {name.lower() for name, _ in own}), *own)


_NO_DEFAULTS: Final = DefaultFields(())


class HttpRequest:
    """One request; also known as ``ClientRequest``.

    A subclass may take its place (``request_class=``): with an ``__init__`` that
    calls this one, and then changes ``headers``, or the body by ``update_body``.
    The options are those of ``request()`` that say what is sent, rather than when
    and how often.

    Attributes:
        method: in the spelling of the wire.
        destination: where it goes.
        payload: its body.
        version: of HTTP.
        ssl: how to do TLS.
        server_hostname: whom the server's certificate must name, if not its host.
        chunked: True if the program asked for chunks; else None: where no length is known.
        chunk_size: bytes per chunk, as the program asked for; 0: as they come.
        expect_continue: whether the body waits for ``100 Continue``.
        compress: the content coding that was put on the body, or None.
        replayable: whether the program said that it may be sent twice.
        session: it is sent by, or None.
        response_class: what its response is made of, or None for ``HttpResponse``.
    """

    __slots__ = (
        "_cookies",
        "_encoded",
        "_fields",
        "_headers",
        "_skipped",
        "chunk_size",
        "chunked",
        "compress",
        "destination",
        "expect_continue",
        "method",
        "payload",
        "replayable",
        "response_class",
        "server_hostname",
        "session",
        "ssl",
        "upload_tracker",
        "version",
    )

    def __init__(
        self,
        method: str,
        url: StrOrURL,
        *,
        params: Params | None = None,
        headers: LooseHeaders | None = None,
        skip_auto_headers: Iterable[str] | None = None,
        data: Any = None,
        json: Any = None,
        files: Any = None,
        cookies: LooseCookies | None = None,
        auth: Auth | None = None,
        encoding: str = "utf-8",
        version: tuple[int, int] | None = None,
        compress: bool | str | None = None,
        chunked: bool | int | None = None,
        expect100: bool = False,
        replayable: bool = False,
        ssl: Ssl = True,
        verify_ssl: bool = True,
        server_hostname: str | None = None,
        upload_tracker: UploadTracker | None = None,
        session: Session | None = None,
    ) -> None:
        if ssl is not True:
            validate_ssl(ssl)
        self.method = method
        self.destination = destination = (
            _destination(url, params) if params else destination_of(url)
        )
        self.ssl = ssl if verify_ssl or ssl is not True else False
        self.server_hostname = server_hostname
        self.chunked = True if chunked else None
        self.chunk_size = _chunk_size(chunked) if chunked else 0
        self.expect_continue = expect100
        self.compress: str | None = None
        self.replayable = replayable
        self.session = session
        self.upload_tracker = upload_tracker
        self.payload: Payload = EMPTY_PAYLOAD
        if session is None:
            self.response_class, self.version, defaults = None, HttpVersion11, _NO_DEFAULTS
            if skip_auto_headers:
                defaults = DefaultFields((), lower_names(skip_auto_headers))
        else:
            self.response_class, self.version = session.response_class, session.version
            defaults = session.default_fields(skip_auto_headers)
        if version is not None:
            self.version = HttpVersion(*version)
        self._skipped = defaults.skipped
        self._cookies = defaults.cookies
        self._fields = defaults.fields
        self._encoded: EncodedFields | None = defaults.encoded
        self._headers: CIMultiDict[str] | None = None
        coding = _coding(compress) if compress else None
        if data is not None or json is not None or files is not None:
            self.payload = _body(data, json, files, encoding, session)
            if coding:
                self._compress(coding)
        own = self._own_fields(headers, cookies) if headers or cookies else ()
        if auth is not None or destination.authorization or (session and session.has_credentials):
            own = (*own, *self._authorization(own, auth))
        if self.payload is not EMPTY_PAYLOAD:
            own = (*own, *self._body_fields(own, defaults.names))
        if own:
            self._fields = defaults.overridden(own)
            self._encoded = None

    def __repr__(self) -> str:
        return f"<HttpRequest {self.method} {self.destination.url}>"

    # Putting it together.

    def _own_fields(self, headers: LooseHeaders | None, cookies: LooseCookies | None) -> Fields:
        """Return the fields that the program gives, without those that are kept elsewhere."""
        own = pairs_of(headers) if headers else ()
        names = {name.lower() for name, _ in own}
        if cookies or "cookie" in names:
            from .cookies import cookie_field, merge

            given = [value for name, value in own if name.lower() == "cookie"]
            quote = self.session is None or self.session.quotes_cookies
            called = cookie_field(cookies, quote=quote) if cookies else ""
            self._cookies = merge(self._cookies, *given, called)
        if "expect" in names and self.payload is not EMPTY_PAYLOAD:
            asked = [value.strip().lower() for name, value in own if name.lower() == "expect"]
            self.expect_continue = self.expect_continue or "100-continue" in asked
        elsewhere = _COOKIE | {"expect"} if self.expect_continue else _COOKIE
        return without(own, elsewhere) if names & elsewhere else own

    def _authorization(self, own: Fields, auth: Auth | None) -> Fields:
        """Return Authorization: by ``auth=``, or by the URL, or by the session."""
        if _has(own, "authorization"):
            if auth is not None:
                raise ValueError("auth and an Authorization header exclude each other")
            return ()
        if auth is None and self.destination.authorization is not None:
            return (("Authorization", self.destination.authorization),)
        if auth is None and self.session is not None and not _has(self._fields, "authorization"):
            auth = self.session.credentials_for(self.destination)
        if auth is None:
            return ()
        validate_auth(auth)
        return (("Authorization", encode_basic_auth(*auth)),)

    def _body_fields(self, own: Fields, inherited: frozenset[str] = frozenset()) -> Fields:
        """Return what the body says of itself, where the program doesn't.

        ``inherited``: names of the session's fields. Its Content-Type is that of every
        body but multipart ones, which alone know their boundary.
        """
        body = self.payload
        fields: Fields = ()
        own_names = {name.lower() for name, _ in own}
        names = inherited | own_names
        typed = own_names if body.content_type.startswith("multipart/") else names
        if body.content_type and "content-type" not in typed | self._skipped:
            fields = (("Content-Type", body.content_type),)
        if self.compress:
            if "content-encoding" in names:
                raise ValueError("compress and a Content-Encoding header exclude each other")
            fields = (*fields, ("Content-Encoding", self.compress))
        # The connection itself knows the length of bytes; of a stream only the body does.
        is_stream = self.upload_tracker is not None or not body.is_in_memory
        is_framed = self.chunked or "content-length" in names or "transfer-encoding" in names
        if is_stream and body.size is not None and not is_framed:
            fields = (*fields, ("Content-Length", str(body.size)))
        return fields

    def _compress(self, coding: str) -> None:
        from .payload import compressed

        plain, self.payload = self.payload, compressed(self.payload, coding)
        if self.payload is not plain:
            self.compress = coding

    # What it is.

    @property
    def url(self) -> URL:
        """What is requested, without userinfo and fragment."""
        return self.destination.url

    @property
    def original_url(self) -> URL:
        """``url`` with its fragment."""
        return self.destination.real_url

    @property
    def is_ssl(self) -> bool:
        """Whether it goes over TLS."""
        return self.destination.key.is_tls

    @property
    def body(self) -> Payload:
        """What is sent behind the head."""
        return self.payload

    def update_body(self, body: Any) -> Finished:
        """Send another body; whatever ``data=`` takes. What this returns may be awaited."""
        old, self.payload = self.payload, payload(body)
        old_type = ("Content-Type", old.content_type)
        dropped = {"content-length", "content-encoding"} if self.compress else {"content-length"}
        kept = without(self._current_fields(), dropped)
        kept = tuple(field for field in kept if field != old_type)
        self.compress = None
        own = self._body_fields(kept) if self.payload is not EMPTY_PAYLOAD else ()
        self._set_fields((*kept, *own))
        return FINISHED

    @property
    def headers(self) -> CIMultiDict[str]:
        """The fields that the program and the session give: to be changed until it is sent.

        The connection adds its own, such as Host and Content-Length; cookies are
        kept apart.
        """
        if self._headers is None:
            self._headers = CIMultiDict(self._fields)
        return self._headers

    @property
    def cookies(self) -> str:
        """What this request alone has for the field Cookie, or ""."""
        if self._headers is None or "Cookie" not in self._headers:
            return self._cookies
        from .cookies import merge

        return merge(self._cookies, *self._headers.getall("Cookie"))

    @property
    def info(self) -> RequestInfo:
        """What an error tells of this request."""
        fields = headers_of(self._current_fields())
        return RequestInfo(self.url, self.method, fields, self.destination.real_url)

    def _current_fields(self) -> Fields:
        return self._fields if self._headers is None else tuple(self._headers.items())

    def _set_fields(self, fields: Fields) -> None:
        self._cookies = self.cookies  # with those that a subclass has put into ``headers``
        self._fields = without(fields, _COOKIE)
        self._encoded = self._headers = None

    @property
    def encoded_fields(self) -> EncodedFields:
        """The fields, ready for the wire.

        Raises:
            LocalProtocolError: if one of them can't be sent.
        """
        if self._headers is not None:
            return encode_fields(without(self._current_fields(), _COOKIE))
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

    # Whether it may be sent twice, and what follows it.

    @property
    def is_idempotent(self) -> bool:
        """Whether to send it twice means the same as once."""
        return is_idempotent(self.method)

    def may_be_repeated(self, *, was_sent: bool) -> bool:
        """Whether it may be sent again, after a connection on which it was sent, whole or not.

        Not a file by POST, even where it was not sent whole: nothing of a file goes
        out twice unless that was asked for.
        """
        if not self.payload.can_be_replayed:
            return False
        if self.is_idempotent or self.replayable:
            return True
        return not was_sent and self.payload.is_in_memory

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
        if step.loses_tls:
            dropped |= {"referer"}
        if not step.keeps_body:
            following.payload = EMPTY_PAYLOAD
            following.chunked = None
            following.chunk_size = 0
            following.expect_continue = False
            following.compress = None
            dropped |= BODY_FIELDS
        fields = without(self._current_fields(), dropped)
        if step.destination.authorization and not _has(fields, "authorization"):
            fields = (*fields, ("Authorization", step.destination.authorization))
        following._set_fields(fields)  # noqa: SLF001 it is of this class
        if step.leaves_origin:
            following._cookies = ""  # noqa: SLF001 likewise
        return following

    def without_expectation(self) -> HttpRequest:
        """Return the same request, whose body waits for nothing."""
        following = copy(self)
        following.expect_continue = False
        return following


def _destination(url: StrOrURL, params: Params | None) -> Destination:
    if not params:
        return destination_of(url)
    parsed = url if isinstance(url, URL) else destination_of(url).given
    if isinstance(params, bytes):
        params = params.decode("ascii")
    if isinstance(params, str):
        return destination_of(_with_query(parsed, params))
    if isinstance(params, Mapping):
        return destination_of(parsed.extend_query(cast(Mapping[str, Any], params)))
    return destination_of(parsed.extend_query(list(params)))


def _with_query(url: URL, query: str) -> URL:
    """Return a URL with this behind its query: encoded already, and put into normal form."""
    added = URL("?" + query.replace("#", "%23")).raw_query_string
    joined = f"{url.raw_query_string}&{added}" if url.raw_query_string else added
    return url.join(URL(f"?{joined}", encoded=True)).with_fragment(url.fragment or None)


def _coding(compress: bool | str) -> str:
    """Return the content coding that ``compress=`` asks for."""
    coding = _CODINGS.get(compress)
    if coding is None:
        raise ValueError(f"compress must be True, 'deflate' or 'gzip', not {compress!r}")
    return coding


def _chunk_size(chunked: object) -> int:
    """Return how many bytes a chunk is to have; 0: as they come."""
    if chunked is True:
        return 0
    if isinstance(chunked, int) and chunked > 0:
        return chunked
    raise ValueError(f"chunked must be True, or bytes per chunk from 1 on, not {chunked!r}")


def _body(data: Any, json: Any, files: Any, encoding: str, session: Session | None) -> Payload:
    """Return the body that was asked for, in one of three ways."""
    if json is not None:
        if data is not None or files is not None:
            raise ValueError("data or files, and json exclude each other: a request has one body")
        return json_payload(json, None if session is None else session.json_serialize)
    if files is not None or encoding != "utf-8":
        from .payload import form_payload

        return form_payload(data, files, encoding)
    return payload(data)


def _has(fields: Fields, name: str) -> bool:
    return any(field[0].lower() == name for field in fields)
