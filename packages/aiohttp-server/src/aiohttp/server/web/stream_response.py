"""A response that is sent in parts: ``prepare``, ``write`` …, ``write_eof``.

    made ── prepare(request) ──► prepared ── write_eof() ──► sent
             hooks, then the head          last bytes, trailers

What is set on the response counts until ``prepare``. The connection adds Date and
Connection, and frames the body: by Content-Length where one is set, else in chunks, else,
for HTTP/1.0, by the end of the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from multidict import CIMultiDict

from aiohttp.protocol import Fields, encode_status_line, http_date, reason_of

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from datetime import datetime
    from http.cookies import SimpleCookie

    from aiohttp.protocol import ETag

    from .compression import Compressor, ContentCoding
    from .keys import ResponseKey
    from .request import BaseRequest

__all__ = ["WITHOUT_CONTENT", "LooseHeaders", "StreamResponse"]

LooseHeaders: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
"""Fields as a program gives them: a mapping, or pairs of which several may have one name."""

WITHOUT_CONTENT: Final = frozenset({204, 304})
"""Statuses whose responses have no body (RFC 9110, section 6.4.1)."""

_OCTET_STREAM: Final = "application/octet-stream"


class StreamResponse(MutableMapping["str | ResponseKey[Any]", Any]):
    """A response whose body is written in parts. As a mapping, it keeps what a program likes.

    Args:
        status: 200 to 999.
        reason: the phrase behind it; the registered one if None.
        headers: the first fields; more can be set in ``headers`` until ``prepare``.

    Raises:
        LocalProtocolError: if status or reason can't be put on the wire. It is a
            ``ValueError``.
    """

    # Defaults are the class's: a response has of its own only what differs. No slots, since
    # HTTPException is an exception as well, and two layouts don't go into one class.
    _status: int = 200
    _reason: str | None = None
    _headers: CIMultiDict[str] | None = None
    _type: tuple[tuple[str, str], ...] = ()
    """The field Content-Type as long as it is the only one, and ``_headers`` isn't made."""
    _cookies: SimpleCookie | None = None
    _trailers: CIMultiDict[str] | None = None
    _is_chunked: bool = False
    _compression: ContentCoding | bool = False
    """A coding, True for whichever the client prefers, or False for none."""
    _strategy: int | None = None
    _compressor: Compressor | None = None
    _request: BaseRequest | None = None
    _is_closing: bool = False
    _eof_sent: bool = False
    _state: dict[str | ResponseKey[Any], Any] | None = None

    _is_plain: bool = True
    """Whether nothing but status, ``_type`` and body can matter: see ``Response.send``."""

    _executor: Executor | None = None
    _executor_size: int = 64 * 1024
    """Bytes; more at once are compressed in a thread."""

    def __init__(
        self,
        *,
        status: int = 200,
        reason: str | None = None,
        headers: LooseHeaders | None = None,
    ) -> None:
        if status != 200 or reason is not None:
            self.set_status(status, reason)
        if headers is not None:
            self._headers = CIMultiDict(headers)
            self._is_plain = False

    def __repr__(self) -> str:
        request = self._request
        where = "not prepared" if request is None else f"to {request.method} {request.path!r}"
        return f"<{type(self).__name__} {self._status} {self.reason} {where}>"

    # Status.

    @property
    def status(self) -> int:
        """The status code."""
        return self._status

    @property
    def reason(self) -> str:
        """The reason phrase; the registered one, or "", where none was given."""
        return reason_of(self._status) if self._reason is None else self._reason

    def set_status(self, status: int, reason: str | None = None) -> None:
        """Set status and reason phrase, until the response is prepared.

        Raises:
            LocalProtocolError: if they can't be put on the wire.
        """
        if self._request is not None:
            raise RuntimeError("the status can't be changed: the response was prepared")
        status = int(status)
        encode_status_line(status, reason)
        self._status = status
        self._reason = reason
        if reason is not None:
            self._is_plain = False

    # Progress.

    @property
    def prepared(self) -> bool:
        """Whether ``prepare`` was called: from then on the head is fixed."""
        return self._request is not None

    @property
    def task(self) -> asyncio.Task[Any] | None:
        """The task that handles the request; None before the response is prepared."""
        return None if self._request is None else self._request.task

    @property
    def body_length(self) -> int:
        """The bytes of the body that were sent so far, as coded, without framing."""
        return 0 if self._request is None else self._request.exchange.body_sent

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection may be used again; None if that isn't known before ``prepare``."""
        if self._is_closing:
            return False
        return None if self._request is None else self._request.keep_alive

    def force_close(self) -> None:
        """Close the connection behind this response, and say so in it."""
        self._is_closing = True
        self._is_plain = False

    # Fields.

    @property
    def headers(self) -> CIMultiDict[str]:
        """The fields, to be changed at will until ``prepare``."""
        if self._headers is None:
            self._headers = CIMultiDict(self._type)
            self._is_plain = False
        return self._headers

    @property
    def trailers(self) -> CIMultiDict[str]:
        """Fields that are sent behind the body, by ``write_eof`` (RFC 9110, section 6.5).

        To be changed at will until then; those that are there at ``prepare`` are announced
        in the field Trailer. They need chunked framing: with a Content-Length, or for
        HTTP/1.0, they are dropped, as they may be on their way. So is a sum of the body
        sent, and nothing that must arrive.
        """
        if self._trailers is None:
            self._trailers = CIMultiDict()
            self._is_plain = False
        return self._trailers

    @property
    def content_length(self) -> int | None:
        """The length that is announced, in bytes; None where the body ends when it ends."""
        value = self._field("Content-Length")
        return None if value is None else int(value)

    @content_length.setter
    def content_length(self, value: int | None) -> None:
        if value is None:
            self.headers.pop("Content-Length", None)
            return
        if self._is_chunked:
            raise RuntimeError("a body in chunks has no Content-Length")
        self.headers["Content-Length"] = str(int(value))

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case; else application/octet-stream."""
        value = self._field("Content-Type")
        return value.partition(";")[0].strip().lower() if value else _OCTET_STREAM

    @content_type.setter
    def content_type(self, value: str) -> None:
        self.headers["Content-Type"] = _join_type(str(value), self._type_parameters())

    @property
    def charset(self) -> str | None:
        """The charset that Content-Type names, in lower case."""
        charset = self._type_parameters().get("charset")
        return charset.lower() if charset else None

    @charset.setter
    def charset(self, value: str | None) -> None:
        content_type = self.content_type
        if content_type == _OCTET_STREAM:
            raise RuntimeError(
                "application/octet-stream has no charset: set content_type before charset"
            )
        parameters = self._type_parameters()
        parameters.pop("charset", None)
        if value is not None:
            parameters["charset"] = str(value).lower()
        self.headers["Content-Type"] = _join_type(content_type, parameters)

    def _type_parameters(self) -> dict[str, str]:
        value = self._field("Content-Type")
        if value is None or ";" not in value:
            return {}
        from aiohttp.protocol import parse_parameters

        return parse_parameters(value)[1]

    def _field(self, name: str) -> str | None:
        """Return a field without making ``headers`` for it; ``name`` as ``_type`` spells it."""
        if self._headers is not None:
            return self._headers.get(name)
        return self._type[0][1] if self._type and self._type[0][0] == name else None

    @property
    def last_modified(self) -> datetime | None:
        """Last-Modified; set it to a datetime, a number of seconds since 1970, or a date as text.

        A datetime without a zone is in UTC.
        """
        value = self._field("Last-Modified")
        if value is None:
            return None
        from email.utils import parsedate_to_datetime

        try:
            return parsedate_to_datetime(value)
        except ValueError:
            return None

    @last_modified.setter
    def last_modified(self, value: float | datetime | str | None) -> None:
        if value is None:
            self.headers.pop("Last-Modified", None)
        elif isinstance(value, str):
            self.headers["Last-Modified"] = value
        else:
            self.headers["Last-Modified"] = http_date(_timestamp(value))

    @property
    def etag(self) -> ETag | None:
        """The ETag; set it to text without quotes, or to an ``ETag``."""
        value = self._field("ETag")
        if value is None:
            return None
        from aiohttp.protocol import ETag

        return ETag(value.removeprefix("W/").strip('"'), is_weak=value.startswith("W/"))

    @etag.setter
    def etag(self, value: ETag | str | None) -> None:
        if value is None:
            self.headers.pop("ETag", None)
            return
        from aiohttp.protocol import ETag

        self.headers["ETag"] = str(ETag(value) if isinstance(value, str) else value)

    # Cookies.

    @property
    def cookies(self) -> SimpleCookie:
        """The cookies that the response sets; use ``set_cookie``, which looks at attributes."""
        if self._cookies is None:
            from http.cookies import SimpleCookie

            self._cookies = SimpleCookie()
            self._is_plain = False
        return self._cookies

    def set_cookie(
        self,
        name: str,
        value: str,
        *,
        expires: str | None = None,
        domain: str | None = None,
        max_age: int | str | None = None,
        path: str = "/",
        secure: bool | None = None,
        httponly: bool | None = None,
        version: str | None = None,
        samesite: str | None = None,
        partitioned: bool | None = None,
    ) -> None:
        """Set a cookie; one of the same name is replaced. See ``cookies.set_cookie``.

        Raises:
            ValueError: if name, value or an attribute would end its part of the field.
        """
        from .cookies import set_cookie

        set_cookie(
            self.cookies,
            name,
            value,
            expires=expires,
            domain=domain,
            max_age=max_age,
            path=path,
            secure=secure,
            httponly=httponly,
            version=version,
            samesite=samesite,
            partitioned=partitioned,
        )

    def del_cookie(
        self,
        name: str,
        *,
        domain: str | None = None,
        path: str = "/",
        secure: bool | None = None,
        httponly: bool | None = None,
        samesite: str | None = None,
    ) -> None:
        """Have the client forget a cookie: that of this domain and path."""
        self.set_cookie(
            name,
            "",
            max_age=0,
            expires="Thu, 01 Jan 1970 00:00:00 GMT",
            domain=domain,
            path=path,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
        )

    # Framing and coding.

    @property
    def chunked(self) -> bool:
        """Whether ``enable_chunked_encoding`` was called."""
        return self._is_chunked

    def enable_chunked_encoding(self) -> None:
        """Frame the body in chunks, although its length may be known. Not for HTTP/1.0."""
        if self._field("Content-Length") is not None:
            raise RuntimeError("a body with a Content-Length can't be sent in chunks")
        self._is_chunked = True
        self._is_plain = False

    @property
    def compression(self) -> bool:
        """Whether ``enable_compression`` was called."""
        return self._compression is not False

    def enable_compression(
        self, force: bool | ContentCoding | None = None, strategy: int | None = None
    ) -> None:
        """Compress the body: by what the client prefers, or by ``force``.

        What it prefers is found in Accept-Encoding, and the response says so in Vary
        (RFC 9110, section 12.5.5). A body that has a Content-Encoding, and a part of one
        (206), stay as they are.

        Args:
            force: a coding whatever the client accepts; True is deflate, False none.
            strategy: of zlib, such as ``zlib.Z_HUFFMAN_ONLY``; for gzip and deflate.
        """
        if isinstance(force, bool):
            from .compression import ContentCoding

            force = ContentCoding.deflate if force else ContentCoding.identity
        self._compression = True if force is None else force
        self._strategy = strategy
        self._is_plain = False

    # Sending.

    async def send(self, request: BaseRequest) -> None:
        """Send what wasn't sent yet: what the application does with a handler's response."""
        await self.prepare(request)
        await self.write_eof()

    async def send_early_hints(self, request: BaseRequest, fields: LooseHeaders) -> None:
        """Tell the client what this response will want, such as ``Link`` (103, RFC 8297).

        Before ``prepare``, any number of times; dropped for HTTP/1.0.
        """
        await request.exchange.inform(103, _pairs(fields))

    async def prepare(self, request: BaseRequest) -> None:
        """Fix the head, and begin the response. A second call for this request changes nothing.

        Runs ``on_response_prepare`` of the applications first. The head leaves with the first
        bytes of the body; ``await response.write(b"")`` sends it alone.

        Raises:
            RuntimeError: if this response was sent to another request.
            LocalProtocolError: if a field can't be put on the wire; nothing was sent then.
        """
        if await self._take(request):
            self._prepare_fields(request)
            await self._start(request)

    async def _take(self, request: BaseRequest) -> bool:
        """Make this the response to a request, and run the hooks; False if it was before."""
        if self._request is not None:
            if self._request is not request:
                self._refuse_reuse()
            return False
        self._request = request
        request._response = self
        await request._prepare_hook(self)
        return True

    def _refuse_reuse(self) -> NoReturn:
        raise RuntimeError(f"{self!r} was sent already: make a new response for each request")

    def _prepare_fields(self, request: BaseRequest) -> None:
        """Put into ``headers`` what follows from all that was set."""
        headers = self.headers
        if self._compression is not False:
            from .compression import start_compression

            self._compressor = start_compression(
                self, request, self._compression, self._strategy, self._executor
            )
        if self._cookies:
            from .cookies import cookie_lines

            for line in cookie_lines(self._cookies):
                headers.add("Set-Cookie", line)
        if self._trailers and "Trailer" not in headers:
            headers["Trailer"] = ", ".join(dict.fromkeys(self._trailers))
        if self._is_closing:
            request.exchange.close_after()

    async def _start(self, request: BaseRequest) -> None:
        """Begin the response with what is in ``headers`` now."""
        headers = self.headers
        if self._status not in WITHOUT_CONTENT and self._field("Content-Length") != "0":
            headers.setdefault("Content-Type", _OCTET_STREAM)
        await request.exchange.start(self._status, tuple(headers.items()), reason=self._reason)

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a part of the body; waits while the client reads slower than we write.

        Raises:
            RuntimeError: before ``prepare``, or after ``write_eof``.
            PeerDisconnected: if the client has gone.
        """
        request = self._under_way("write")
        if not isinstance(data, (bytes, bytearray, memoryview)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a body is sent as bytes: expected bytes, not {type(data).__name__}")
        if self._compressor is not None:
            data = await self._compressor.encode(data, self._executor_size)
            if not data:
                return
        await request.exchange.write(data)

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the last part, and the trailers. A second call changes nothing.

        Raises:
            RuntimeError: before ``prepare``.
            LocalProtocolError: if less was sent than Content-Length says.
        """
        if self._eof_sent:
            return
        exchange = self._under_way("write_eof").exchange
        if data:
            await self.write(data)
        if self._compressor is not None and (rest := await self._compressor.finish()):
            await exchange.write(rest)
        await exchange.finish(() if self._trailers is None else tuple(self._trailers.items()))
        self._eof_sent = True

    def _under_way(self, what: str) -> BaseRequest:
        """Return the request, if its response has begun, and isn't over."""
        if self._eof_sent:
            raise RuntimeError(f"{what}() after write_eof(): the response is over")
        if self._request is None:
            raise RuntimeError(f"{what}() before prepare(): there is no request to answer yet")
        return self._request

    # The mapping. Responses are told apart by what they are, not by what is kept in them.

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, key: str | ResponseKey[Any]) -> Any:
        if self._state is None:
            raise KeyError(key)
        return self._state[key]

    def __setitem__(self, key: str | ResponseKey[Any], value: Any) -> None:
        if self._state is None:
            self._state = {}
        self._state[key] = value

    def __delitem__(self, key: str | ResponseKey[Any]) -> None:
        if self._state is None:
            raise KeyError(key)
        del self._state[key]

    def __len__(self) -> int:
        return 0 if self._state is None else len(self._state)

    def __iter__(self) -> Iterator[str | ResponseKey[Any]]:
        return iter(()) if self._state is None else iter(self._state)


def _pairs(fields: LooseHeaders) -> Fields:
    return list(fields.items() if isinstance(fields, Mapping) else fields)


def _join_type(content_type: str, parameters: Mapping[str, str]) -> str:
    return "; ".join([content_type, *(f"{name}={value}" for name, value in parameters.items())])


def _timestamp(value: float | datetime) -> float:
    from datetime import UTC, datetime

    if not isinstance(value, datetime):
        return value
    return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp()
