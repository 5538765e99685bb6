"""What comes back: the head of a response, and its body when it is asked for."""

from __future__ import annotations

import codecs
import json
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Literal, Self, overload

from yarl import URL

from aiohttp.protocol.headers import Headers
from aiohttp.protocol.http1.client_exchange import ClientExchange
from aiohttp.protocol.http1.head import ResponseHead
from aiohttp.protocol.streams import StreamReader

from .awaitables import FINISHED, Finished
from .call import Call
from .errors import ClientResponseError, ContentTypeError
from .request import HttpRequest, RequestInfo

__all__ = ["HttpResponse"]

logger = logging.getLogger("aiohttp.client")

# The parameter of RFC 9110, section 8.3.2, quoted or not.
_CHARSET: Final = re.compile(
    r""";[ \t]*charset[ \t]*=[ \t]*(?:"([^"\\]+)"|([^\s;"']+))""", re.IGNORECASE
)


_PROBE: Final = b"text"


class _Unread:
    """Notices that a response was dropped before its body had come.

    An object of its own, which complete responses don't have: nearly all of them.
    """

    __slots__ = ("_exchange", "_request")

    def __init__(self, exchange: ClientExchange, request: HttpRequest) -> None:
        self._exchange: ClientExchange | None = exchange
        self._request = request

    def settle(self) -> None:
        """Know that somebody has seen to it."""
        self._exchange = None

    def __del__(self) -> None:
        exchange = self._exchange
        if exchange is not None and exchange.is_under_way and not exchange.is_complete:
            logger.warning(
                "response dropped unread, its connection is closed: %s %s: "
                "read it, or use 'async with'",
                self._request.method,
                self._request.url,
            )
            exchange.abort_from_anywhere()


class HttpResponse:
    """A response; also known as ``ClientResponse``.

    Attributes:
        status: the status code.
        reason: the reason phrase, often empty.
        version: of HTTP, as the server speaks it.
        headers: the fields, read-only; looked up without regard to case.
        method: of the request.
        history: the redirects that led here, the first one first.
    """

    __slots__ = (
        "__weakref__",
        "_body",
        "_call",
        "_exchange",
        "_request",
        "_unread",
        "headers",
        "history",
        "method",
        "reason",
        "status",
        "version",
    )

    def __init__(
        self, request: HttpRequest, head: ResponseHead, exchange: ClientExchange, call: Call
    ) -> None:
        self.status = head.status
        self.reason = head.reason
        self.version = head.version
        self.headers: Headers = head.headers
        self.method = request.method
        self.history = call.history
        self._body: bytes | None = None
        self._call = call
        self._exchange = exchange
        self._request = request
        is_settled = exchange.is_complete and exchange.is_request_sent
        self._unread = None if is_settled else _Unread(exchange, request)

    def __repr__(self) -> str:
        return f"<HttpResponse {self.method} {self.url} [{self.status} {self.reason}]>"

    # The head.

    @property
    def url(self) -> URL:
        """What was requested last, without userinfo and fragment."""
        return self._request.url

    @property
    def real_url(self) -> URL:
        """``url`` with its fragment."""
        return self._request.destination.real_url

    @property
    def host(self) -> str | None:
        """The host that answered."""
        return self._request.url.host

    @property
    def request_info(self) -> RequestInfo:
        """The request that was answered."""
        return self._request.info

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    def __getitem__(self, name: str) -> str:
        """Return the first field of this name; KeyError if there is none."""
        return self.headers[name]

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first field of this name, or ``default``."""
        return self.headers.get(name, default)

    def get_all(self, name: str) -> list[str]:
        """Return all fields of this name, in order."""
        return self.headers.getall(name, [])

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case (RFC 9110, section 8.3)."""
        given = self.headers.get("Content-Type", "application/octet-stream")
        return given.partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The ``charset`` that Content-Type names, or None."""
        found = _CHARSET.search(self.headers.get("Content-Type", ""))
        return None if found is None else found[1] or found[2]

    def get_encoding(self) -> str:
        """Return what ``text`` decodes by: the charset, where Python knows it, or else UTF-8."""
        charset = self.charset
        if charset is not None:
            # Names such as "hex" are codecs, too, but not of text: they refuse to decode.
            with suppress(LookupError, ValueError):
                _PROBE.decode(charset, "replace")
                return codecs.lookup(charset).name
        return "utf-8"

    def raise_for_status(self) -> None:
        """Raise ClientResponseError if the status is 400 or more, and let go of the response."""
        if not self.ok:
            self.release()
            raise self._call.marked(
                ClientResponseError(
                    self.request_info,
                    self.history,
                    status=self.status,
                    message=self.reason,
                    headers=self.headers,
                )
            )

    # The body.

    @property
    def content(self) -> StreamReader:
        """The body as a stream, free of transfer and content codings."""
        return self._exchange.body

    @overload
    async def read(self, decode: Literal[False] = False) -> bytes: ...
    @overload
    async def read(self, decode: bool) -> Any: ...
    async def read(self, decode: bool = False) -> Any:
        """Return the whole body; again and again the same.

        ``decode``: as JSON where Content-Type says so, as in 2014.

        Raises:
            ClientPayloadError: if the body broke off, or can't be decoded.
            ServerTimeoutError: if a time limit has passed.
        """
        if self._body is None:
            whole = self._exchange.take_whole_body()
            self._body = await self.content.read() if whole is None else whole
        if decode and self.content_type == "application/json":
            return json.loads(self._body)
        return self._body

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """Return the whole body as text; ``encoding`` overrides what Content-Type says."""
        body = await self.read()
        return body.decode(encoding or self.get_encoding(), errors)

    async def json(
        self,
        *,
        encoding: str | None = None,
        loads: Callable[[str], Any] = json.loads,
        content_type: str | None = "application/json",
    ) -> Any:
        """Return what the body says in JSON; None for an empty one.

        Raises:
            ContentTypeError: if the type is neither ``content_type`` nor, by default,
                one that ends in ``+json``. None accepts any type.
        """
        if content_type is not None and not self._has_type(content_type.lower()):
            given = self.headers.get("Content-Type", "none")
            raise self._call.marked(
                ContentTypeError(
                    self.request_info,
                    self.history,
                    status=self.status,
                    message=f"expected content of type {content_type}, got {given}",
                    headers=self.headers,
                )
            )
        text = await self.text(encoding)
        return loads(text) if text.strip() else None

    def _has_type(self, expected: str) -> bool:
        given = self.content_type
        if expected == "application/json" and given.endswith("+json"):
            return True
        return given == expected

    async def read_and_close(self, decode: bool = False) -> Any:
        """Return the whole body, and close: the connection goes back to its session."""
        try:
            return await self.read(decode)
        finally:
            self.close()

    # The end.

    async def wait_for_close(self) -> None:
        """Return when the whole response has come and the request's body was sent."""
        await self.content.wait_eof()
        await self._exchange.request_sent()

    def release(self) -> Finished:
        """Let go of the rest: a short one is dropped, for a long one the connection is closed."""
        if self._unread is not None:
            self._unread.settle()
            self._exchange.discard()
        return FINISHED

    def close(self, force: bool = False) -> None:
        """Let go at once: the connection is closed, unless request and response are complete.

        ``force`` is accepted for the sake of 2014: there is nothing more to force.
        """
        if self._unread is not None:
            self._unread.settle()
            self._exchange.abort()

    @property
    def closed(self) -> bool:
        """Whether the connection serves this response no more."""
        return not self._exchange.is_under_way

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
