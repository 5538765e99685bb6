"""A response that is there as a whole: bytes, text, JSON, or anything that a body can be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, Final

from multidict import CIMultiDict, istr

from .response_fields import OCTET_STREAM
from .stream_response import AT_ONCE, LooseHeaders, StreamResponse

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from aiohttp.protocol import Payload

    from .request import BaseRequest

__all__ = ["Response", "json_bytes_response", "json_response"]

_CONTENT_TYPE: Final = istr("Content-Type")  # which multidict knows again in half the time
_OCTETS: Final = ((_CONTENT_TYPE, OCTET_STREAM),)
_TEXT: Final = ((_CONTENT_TYPE, "text/plain; charset=utf-8"),)
_GIVEN_TWICE: Final = "expected Content-Type in headers, or content_type and charset; got both"


@lru_cache(maxsize=256)
def _type_field(content_type: str, charset: str | None) -> tuple[tuple[str, str]]:
    if "charset" in content_type:
        raise ValueError(f"expected the charset as an argument of its own, not in {content_type!r}")
    value = content_type if charset is None else f"{content_type}; charset={charset}"
    return ((_CONTENT_TYPE, value),)


def _encoded(text: str, charset: str) -> bytes:
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"text must be str, not {type(text).__name__}; bytes go into body")
    return text.encode(charset)


class Response(StreamResponse):
    """A response with its body.

    Args:
        body: bytes, or what ``aiohttp.protocol.get_payload`` takes: a file, which is closed
            when it has been sent, or can't be; an iterable or an async iterable of bytes; a
            ``Payload``. Content-Type is that of the payload, or application/octet-stream.
        status, reason, headers: as of ``StreamResponse``.
        text: instead of ``body``; sent in ``charset``, or UTF-8, as text/plain.
        content_type, charset: of the field Content-Type; not if ``headers`` has it, too.
        zlib_executor_size: a body of more bytes is compressed in a thread.
        zlib_executor: where; the loop's default executor if None.

    Raises:
        ValueError: if arguments contradict each other.
        LocalProtocolError: if status or reason can't be put on the wire.
    """

    _body: bytes | Payload | None = None
    _coded_body: bytes | None = None
    _file: IO[Any] | None = None
    """The body, if it is a file: the handler that opened it has returned when it is sent."""

    def __init__(
        self,
        *,
        body: Any = None,
        status: int = 200,
        reason: str | None = None,
        text: str | None = None,
        headers: LooseHeaders | None = None,
        content_type: str | None = None,
        charset: str | None = None,
        zlib_executor_size: int = AT_ONCE,
        zlib_executor: Executor | None = None,
    ) -> None:
        if status != 200 or reason is not None:
            self.set_status(status, reason)
        if zlib_executor_size != AT_ONCE or zlib_executor is not None:
            self._executor_size = zlib_executor_size
            self._executor = zlib_executor
        if headers is not None:
            self._headers = CIMultiDict(headers)
        if text is None:
            if content_type is not None or charset is not None:
                self._set_type(_type_field(content_type or OCTET_STREAM, charset))
            if body is not None:
                self.body = body
        elif body is not None:
            raise ValueError("expected body or text, got both")
        elif headers is None and charset is None:  # as below, in 0.2 µs less
            self._type = _type_field(content_type, "utf-8") if content_type else _TEXT
            self._body = _encoded(text, "utf-8")
        elif headers is None or "Content-Type" not in self.headers:
            charset = charset or "utf-8"
            self._set_type(_type_field(content_type or "text/plain", charset))
            self._body = _encoded(text, charset)
        elif content_type is not None or charset is not None:
            raise ValueError(_GIVEN_TWICE)
        else:
            self.text = text

    def _set_type(self, fields: tuple[tuple[str, str]]) -> None:
        if self._headers is None:
            self._type = fields
        elif "Content-Type" in self._headers:
            raise ValueError(_GIVEN_TWICE)
        else:
            self._headers.add(*fields[0])

    # The body.

    @property
    def body(self) -> bytes | Payload | None:
        """The body; set it to anything that ``Response`` takes as one, None for none."""
        return self._body

    @body.setter
    def body(self, body: Any) -> None:
        if isinstance(body, bytes):
            self._body = body
            if body and self._headers is None and not self._type:
                self._type = _OCTETS
        elif body is None:
            self._body = None
        else:
            self._set_payload(body)

    def _set_payload(self, body: Any) -> None:
        from aiohttp.protocol import IOBasePayload, get_payload

        payload = get_payload(body)
        if isinstance(payload, IOBasePayload) and payload is not body and not payload.is_in_memory:
            self._file = body if hasattr(body, "close") else None
        content = payload.content if payload.is_in_memory else None
        self._body = content if isinstance(content, bytes) else payload
        headers = self.headers
        for name, value in payload.headers.items():
            if name not in headers:
                headers[name] = value

    @property
    def text(self) -> str | None:
        """The body as text, by its charset or UTF-8; None where it isn't bytes."""
        body = self._body
        return body.decode(self.charset or "utf-8") if isinstance(body, bytes) else None

    @text.setter
    def text(self, text: str) -> None:
        if self.content_type == OCTET_STREAM:
            self.content_type = "text/plain"
        if self.charset is None:
            self.charset = "utf-8"
        self._body = _encoded(text, self.charset or "utf-8")

    @property
    def content_length(self) -> int | None:
        """The length of the body as it is sent; None where that isn't known before its end."""
        if self._is_chunked or self._compression is not False:
            return None
        if (given := self._field("Content-Length")) is not None:
            return int(given)
        return _size_of(self._content)

    @content_length.setter
    def content_length(self, value: int | None) -> None:
        raise RuntimeError("the Content-Length of a whole body is set by itself")

    # Sending.

    def send(self, request: BaseRequest) -> Awaitable[None]:
        """Send all of it, in one write where it is small.

        Neither ``prepare`` nor ``write_eof`` is called for that.
        """
        if (
            self._is_plain
            and self._request is None
            and not request.has_prepare_hooks
            and type(self._body) is bytes
        ):
            # Nearly every response, without coroutines of ours in between (0.5 µs).
            self._request = request
            request._response = self  # noqa: SLF001 - they are one house
            self._eof_sent = True
            fields = self._type if self._headers is None else self._fields()
            return request.exchange.respond(self._status, fields, self._body)
        return self._send_in_steps(request)

    async def _send_in_steps(self, request: BaseRequest) -> None:
        try:
            await self._send_taken(request)
        except BaseException:
            if self._file is not None:
                # A thread may be reading it, and close() would wait for that.
                asyncio.get_running_loop().run_in_executor(None, self._file.close)
            raise
        if self._file is not None:
            self._file.close()

    async def _send_taken(self, request: BaseRequest) -> None:
        if not await self._take(request):
            await self.write_eof()
            return
        body = self._content  # which a hook may have changed
        if self._is_plain and isinstance(body, bytes):
            fields = self._type if self._headers is None else self._fields()
            await request.exchange.respond(self._status, fields, body)
            self._eof_sent = True
        else:
            self._prepare_fields(request)
            await self._send_prepared(request)

    async def _send_prepared(self, request: BaseRequest) -> None:
        content = self._content
        if not isinstance(content, bytes) or self._is_chunked or self._trailers:
            await self._start(request)
            await self.write_eof()
            return
        body = await self._coded(content)
        fields = self._fields()
        await request.exchange.respond(self._status, fields, body, reason=self._reason)
        self._eof_sent = True

    def _fields(self) -> tuple[tuple[str, str], ...]:
        headers = self.headers
        if _CONTENT_TYPE not in headers and self._has_content:
            headers[_CONTENT_TYPE] = OCTET_STREAM
        return tuple(headers.items())

    @property
    def _content(self) -> bytes | Payload:
        return b"" if self._body is None else self._body

    @property
    def _has_content(self) -> bool:
        return self._content != b"" and super()._has_content

    async def _coded(self, body: bytes) -> bytes:
        """Return the body as it is sent."""
        compressor, self._compressor = self._compressor, None
        if compressor is None:
            return body
        return await compressor.encode_whole(body, self._executor_size)

    async def _start(self, request: BaseRequest) -> None:
        if not self._is_chunked and not self._trailers:
            content = self._content
            if isinstance(content, bytes):
                content = self._coded_body = await self._coded(content)
            size = _size_of(content)
            if size is not None and self._compressor is None:
                self.headers.setdefault("Content-Length", str(size))
        await super()._start(request)

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the body, and its end. A second call changes nothing.

        Raises:
            RuntimeError: before ``prepare``.
        """
        if self._eof_sent:
            return
        request = self._under_way("write_eof")
        if request.method != "HEAD" and self._has_content:
            content = self._content if self._coded_body is None else self._coded_body
            if isinstance(content, bytes):
                await self.write(content)
            else:
                await content.write(self)
        await super().write_eof(data)


def _size_of(content: bytes | Payload) -> int | None:
    return len(content) if isinstance(content, bytes) else content.size


_NOTHING: Final[Any] = object()

# As json.dumps, but for what contains itself, which is a RecursionError instead of a
# ValueError: to look for that takes 2.4 of 16 µs for 2 KB of small objects.
_dumps: Final = json.JSONEncoder(check_circular=False).encode


def json_response(
    data: Any = _NOTHING,
    *,
    text: str | None = None,
    body: bytes | None = None,
    status: int = 200,
    reason: str | None = None,
    headers: LooseHeaders | None = None,
    content_type: str = "application/json",
    dumps: Callable[[Any], str] = json.dumps,
) -> Response:
    """Return a response with ``data`` as JSON; or with ``text`` or ``body``, which are JSON.

    Raises:
        ValueError: if there is more than one of them.
    """
    if data is not _NOTHING:
        if text is not None or body is not None:
            raise ValueError("expected only one of data, text and body")
        text = _dumps(data) if dumps is json.dumps else dumps(data)
        if reason is None and headers is None:  # as below, in 0.3 µs less
            return Response(text=text, status=status, content_type=content_type)
    return Response(
        text=text,
        body=body,
        status=status,
        reason=reason,
        headers=headers,
        content_type=content_type,
    )


def json_bytes_response(
    data: Any = _NOTHING,
    *,
    dumps: Callable[[Any], bytes],
    body: bytes | None = None,
    status: int = 200,
    reason: str | None = None,
    headers: LooseHeaders | None = None,
    content_type: str = "application/json",
) -> Response:
    """Return a response with ``data`` as JSON, by a ``dumps`` that gives bytes; or with ``body``.

    Raises:
        ValueError: if there are both.
    """
    if data is not _NOTHING:
        if body is not None:
            raise ValueError("expected only one of data and body")
        body = dumps(data)
    return Response(
        body=body, status=status, reason=reason, headers=headers, content_type=content_type
    )
