"""A response that is sent in parts: ``prepare``, ``write`` …, ``write_eof``.

    made ── prepare(request) ──► prepared ── write_eof() ──► sent
             hooks, then the head          last bytes, trailers

What is set on the response counts until ``prepare``. The connection adds Date and
Connection, and frames the body: by Content-Length where one is set, else in chunks, else,
for HTTP/1.0, by the end of the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, TypeVar, cast, overload

from multidict import CIMultiDict

from aiohttp.protocol import Fields, encode_status_line, reason_of

from .response_fields import OCTET_STREAM, ResponseFields

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from .compression import Compressor, ContentCoding
    from .keys import ResponseKey
    from .request import BaseRequest

__all__ = ["AT_ONCE", "LooseHeaders", "StreamResponse"]

_T = TypeVar("_T")
_U = TypeVar("_U")

LooseHeaders: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
"""Fields as a program gives them: a mapping, or pairs of which several may have one name."""

AT_ONCE: Final = 16 * 1024
"""Bytes that are compressed at once; more are in a thread. They take 0.05 to 0.4 ms, by gzip, br
or zstd; the way to a thread and back takes 0.15."""

_WITHOUT_CONTENT: Final = frozenset({204, 304})
"""Statuses whose responses have no body (RFC 9110, section 6.4.1)."""


class StreamResponse(ResponseFields, MutableMapping["str | ResponseKey[Any]", Any]):
    """A response whose body is written in parts. As a mapping, it keeps what a program likes.

    Args:
        status: 200 to 999.
        reason: the phrase behind it; the registered one if None.
        headers: the first fields; more can be set in ``headers`` until ``prepare``.

    Raises:
        LocalProtocolError: if status or reason can't be put on the wire. It is a
            ``ValueError``.
    """

    _status: int = 200
    _reason: str | None = None
    _trailers: CIMultiDict[str] | None = None
    _compression: ContentCoding | bool = False
    """A coding, True for whichever the client prefers, or False for none."""
    _strategy: int | None = None
    _compressor: Compressor | None = None
    _request: BaseRequest | None = None
    _is_closing: bool = False
    _eof_sent: bool = False
    _state: dict[str | ResponseKey[Any], Any] | None = None

    _executor: Executor | None = None
    _executor_size: int = AT_ONCE

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
        encode_status_line(status, reason)
        self._status = int(status)
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

    # Framing and coding.

    @property
    def chunked(self) -> bool:
        """Whether ``enable_chunked_encoding`` was called."""
        return self._is_chunked

    def enable_chunked_encoding(self) -> None:
        """Frame the body in chunks, although its length may be known; HTTP/1.0 has none."""
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

    def send(self, request: BaseRequest) -> Awaitable[None]:
        """Send what wasn't sent yet: what the application does with a handler's response."""
        return self._prepare_and_end(request)

    async def _prepare_and_end(self, request: BaseRequest) -> None:
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
            # Not the request itself: a middleware may have given the handler a clone.
            if self._request.exchange is not request.exchange:
                self._refuse_reuse()
            return False
        await request._prepare_hook(self)  # noqa: SLF001 - they are one house
        self._request = request
        request._response = self  # noqa: SLF001
        return True

    def _refuse_reuse(self) -> NoReturn:
        raise RuntimeError(f"{self!r} was sent already: make a new response for each request")

    def _prepare_fields(self, request: BaseRequest) -> None:
        """Put into ``headers`` what follows from all that was set."""
        headers = self.headers
        if self._compression is not False:
            from .compression import Compressor, ContentCoding, announce_coding, choose_coding

            coding = choose_coding(headers, request, self._compression, status=self._status)
            if coding is not ContentCoding.identity and self._has_content:
                announce_coding(headers, coding)
                self._compressor = Compressor(coding, self._strategy, self._executor)
        if self._cookies:
            from .cookies import cookie_lines

            for line in cookie_lines(self._cookies):
                headers.add("Set-Cookie", line)
        if self._trailers and "Trailer" not in headers:
            headers["Trailer"] = ", ".join(dict.fromkeys(self._trailers))
        if self._is_closing:
            request.exchange.close_after()

    @property
    def _has_content(self) -> bool:
        return self._status not in _WITHOUT_CONTENT

    async def _start(self, request: BaseRequest) -> None:
        """Begin the response with what is in ``headers`` now."""
        headers = self.headers
        if self._has_content and self._field("Content-Length") != "0":
            headers.setdefault("Content-Type", OCTET_STREAM)
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

    def __hash__(self) -> int:
        return id(self) >> 4

    def __eq__(self, other: object) -> bool:
        return self is other

    def __bool__(self) -> bool:
        return True

    @overload
    def __getitem__(self, key: ResponseKey[_T]) -> _T: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: str | ResponseKey[Any]) -> Any:
        if self._state is None:
            raise KeyError(key)
        return self._state[key]

    @overload
    def __setitem__(self, key: ResponseKey[_T], value: _T) -> None: ...
    @overload
    def __setitem__(self, key: str, value: Any) -> None: ...
    def __setitem__(self, key: str | ResponseKey[Any], value: Any) -> None:
        if self._state is None:
            self._state = {}
        self._state[key] = value

    def __delitem__(self, key: str | ResponseKey[Any]) -> None:
        if self._state is None:
            raise KeyError(key)
        del self._state[key]

    def __len__(self) -> int:
        return len(self._state or ())

    def __iter__(self) -> Iterator[str | ResponseKey[Any]]:
        return iter(self._state or ())

    @overload  # type: ignore[override]
    def get(self, key: ResponseKey[_T], default: _U) -> _T | _U: ...
    @overload
    def get(self, key: ResponseKey[_T], default: None = None) -> _T | None: ...
    @overload
    def get(self, key: str, default: Any = None) -> Any: ...
    def get(  # pyright: ignore[reportIncompatibleMethodOverride] - keys are of two types
        self, key: str | ResponseKey[Any], default: Any = None
    ) -> Any:
        """Return what is kept below this key, else the default."""
        return default if self._state is None else self._state.get(key, default)


def _pairs(fields: LooseHeaders) -> Fields:
    if isinstance(fields, Mapping):
        return list(cast(Mapping[str, str], fields).items())
    return list(fields)
