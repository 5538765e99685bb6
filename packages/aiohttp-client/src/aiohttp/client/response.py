"""What comes back: the head of a response, and its body when it is asked for."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar, overload

from yarl import URL

from aiohttp.protocol.headers import Headers
from aiohttp.protocol.http1.client_exchange import ClientExchange
from aiohttp.protocol.http1.head import ResponseHead
from aiohttp.protocol.parameters import codec_of
from aiohttp.protocol.payload import PAYLOAD_REGISTRY, AsyncReaderPayload, Payload
from aiohttp.protocol.streams import StreamReader

from .awaitables import FINISHED, Finished
from .call import Call
from .errors import ClientResponseError, ContentTypeError, UploadAbortedError
from .request import HttpRequest, RequestInfo

if TYPE_CHECKING:
    import asyncio
    from http.cookies import SimpleCookie

    from aiohttp.protocol.disposition import ContentDisposition
    from aiohttp.protocol.http1.client import ClientHttpProtocol

    from .links import Links

__all__ = ["HttpResponse", "ResponseConnection"]

E = TypeVar("E", bound=ClientResponseError)

logger = logging.getLogger("aiohttp.client")

# The parameter of RFC 9110, section 8.3.2, quoted or not; or any other quoted string, which
# is to be skipped. Servers misspell the rest of the field, which is no reason to guess.
_CHARSET: Final = re.compile(
    r""";[ \t]*charset[ \t]*=[ \t]*(?:"([^"\\]+)"|([^\s;"']+))|"[^"\\]*(?:\\.[^"\\]*)*"?""",
    re.IGNORECASE,
)


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
        headers: the fields, read-only; looked up without regard to case. The response
            itself is a mapping of them, too, as in 2014.
        method: of the request.
        history: the redirects that led here, the first one first.
        early_hints: the fields of each 103 that came before (RFC 8297).

    A class of your own is made with the same four arguments.
    """

    __slots__ = (
        "__weakref__",
        "_body",
        "_call",
        "_connection",
        "_cookies",
        "_exchange",
        "_head",
        "_is_entered",
        "_request",
        "_unread",
        "early_hints",
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
        self.early_hints = call.early_hints
        self._body: bytes | None = None
        self._call = call
        self._connection = call.connection
        self._cookies: SimpleCookie | None = None
        self._exchange = exchange
        self._head = head
        self._is_entered = False  # by "async with", which lets go at its end
        self._request = request
        is_settled = exchange.is_complete and exchange.is_request_sent
        self._unread = None if is_settled else _Unread(exchange, request)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.url} [{self.status} {self.reason}]>"

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

    @property
    def message(self) -> ResponseHead:
        """The head as it was parsed, by its name of 2014."""
        return self._head

    @property
    def connection(self) -> ResponseConnection:
        """What the response comes on, for a look at it: who is the peer, what is the TLS."""
        return ResponseConnection(self, self._connection)

    # The fields.

    def __getitem__(self, name: str) -> str:
        """Return the first field of this name; KeyError if there is none."""
        return self.headers[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a field of this name."""
        return name in self.headers

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the fields, in order."""
        # There is no __len__: a response is true, however few its fields are.
        return iter(self.headers)

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first field of this name, or ``default``."""
        return self.headers.get(name, default)

    def get_all(self, name: str) -> list[str]:
        """Return all fields of this name, in order."""
        return self.headers.getall(name, [])

    def keys(self) -> KeysView[str]:
        """Return the names of the fields."""
        return self.headers.keys()

    def values(self) -> ValuesView[str]:
        """Return the values of the fields."""
        return self.headers.values()

    def items(self) -> ItemsView[str, str]:
        """Return the fields, as pairs of name and value."""
        return self.headers.items()

    @property
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The octets of the fields, without white space around the values."""
        # A head is ISO-8859-1 here, because that can be undone.
        return tuple(
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in self.items()
        )

    @property
    def trailers(self) -> Headers:
        """The fields behind the body (RFC 9110, section 6.5); none before all of it has come."""
        return self._exchange.trailers

    @property
    def cookies(self) -> SimpleCookie:
        """The cookies that this response sets; empty if there are none."""
        if self._cookies is None:
            from .cookies import response_cookies

            self._cookies = response_cookies(self.get_all("Set-Cookie"))
        return self._cookies

    @property
    def links(self) -> Links:
        """Where else to go, as Link says: ``response.links["next"]["url"]``."""
        from .links import parse_links

        return parse_links(self.get_all("Link"), self.url)

    @property
    def content_disposition(self) -> ContentDisposition | None:
        """What Content-Disposition says; None if it isn't there, or is malformed."""
        from aiohttp.protocol.disposition import ContentDisposition

        return ContentDisposition.parse(self.get("Content-Disposition"))

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case (RFC 9110, section 8.3)."""
        given = self.headers.get("Content-Type", "application/octet-stream")
        return given.partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The ``charset`` that Content-Type names, or None."""
        for found in _CHARSET.finditer(self.headers.get("Content-Type", "")):
            if found[1] or found[2]:
                return found[1] or found[2]
        return None

    def get_encoding(self) -> str:
        """Return what ``text`` decodes by.

        That is the charset, where Python knows it; for JSON, and without a
        ``fallback_charset_resolver`` of the session, UTF-8; and else what that says.

        Raises:
            RuntimeError: if the resolver is to be asked and the body wasn't read yet.
        """
        charset = self.charset
        if charset is not None and (codec := codec_of(charset)) is not None:
            return codec
        resolve = self._call.fallback_charset_resolver
        if resolve is None or self._has_type("application/json"):
            return "utf-8"
        if self._body is None:
            raise RuntimeError("the encoding depends on the body: await read() first")
        return resolve(self, self._body)

    def raise_for_status(self) -> None:
        """Raise ClientResponseError if the status is 400 or more.

        The response is let go of, unless ``async with`` will see to that: what it
        says about the error can be read there.
        """
        if not self.ok:
            if not self._is_entered:
                self.release()
            raise self._error(ClientResponseError, self.reason)

    def _error(self, kind: type[E], message: str) -> E:
        error = kind(
            self.request_info,
            self.history,
            status=self.status,
            message=message,
            headers=self.headers,
        )
        error.url = self.url
        self._call.marked(error)
        # The call may have followed this very response: to another method, and another peer.
        error.method = self.method
        if self._connection is not None:
            error.peer = self._connection.get_extra_info("peername")
        return error

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
            ClientPayloadError: if the body broke off, can't be decoded, or is larger
                than ``max_body`` allows: 1 GiB by default, for what is kept in memory.
            ServerTimeoutError: if a time limit has passed.
            ClientConnectionError: if the response was closed before.
        """
        if self._body is None:
            self._body = await self._exchange.read_all(self._call.reception.max_read)
        if decode and self._has_type("application/json"):
            return await self.json()
        return self._body

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """Return the whole body as text; ``encoding`` overrides what Content-Type says."""
        body = await self.read()
        return body.decode(encoding or self.get_encoding(), errors)

    async def json(
        self,
        *,
        encoding: str | None = None,
        loads: Callable[[str], Any] | None = None,
        content_type: str | None = "application/json",
    ) -> Any:
        """Return what the body says in JSON; None for an empty one.

        ``loads``: by default ``json.loads``.

        Raises:
            ContentTypeError: if the type is neither ``content_type`` nor, by default,
                one that ends in ``+json``. None accepts any type.
            ValueError: if it is no JSON.
        """
        if content_type is not None and not self._has_type(content_type.lower()):
            given = self.headers.get("Content-Type", "none")[:200]
            raise self._error(
                ContentTypeError, f"expected content of type {content_type}, got {given}"
            )
        # A byte order mark is of no meaning here (RFC 8259, section 8.1).
        text = (await self.text(encoding)).removeprefix("\ufeff")
        if not text.strip():
            return None
        if loads is None:
            import json

            loads = json.loads
        return loads(text)

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
        """Return when the request's body was sent, too, and let go of the response.

        Raises:
            UploadAbortedError: if it was not sent whole, because the connection is gone. Not
                if the server answered with an error, or before it asked for a body that
                was held back: then it isn't wanted.
            BaseException: what iterating over the request's body raised.
        """
        exchange = self._exchange
        await exchange.request_sent()
        self.release()
        if exchange.upload_error is not None:
            raise exchange.upload_error
        if not exchange.is_request_sent and not exchange.is_upload_unwanted:
            raise self._call.marked(
                UploadAbortedError("the connection was closed before the body was sent whole")
            )

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

    def enter(self) -> Self:
        """Know that a block will let go of this response at its end."""
        self._is_entered = True
        return self

    async def __aenter__(self) -> Self:
        return self.enter()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def _payload_of(response: HttpResponse, *args: Any, **kwargs: Any) -> Payload:
    """Return what sends a response on: its ``read`` isn't that of a stream, and has no end."""
    return AsyncReaderPayload(response.content, *args, **kwargs)


PAYLOAD_REGISTRY.register(_payload_of, HttpResponse)


class ResponseConnection:
    """The connection that a response comes on. A look at it changes nothing.

    Attributes:
        protocol: what speaks HTTP on it, or None. It may serve others by now.
    """

    __slots__ = ("_response", "protocol")

    def __init__(self, response: HttpResponse, protocol: ClientHttpProtocol | None) -> None:
        self._response = response
        self.protocol = protocol

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.protocol!r}>"

    @property
    def transport(self) -> asyncio.Transport | None:
        """What carries the bytes: ``transport.get_extra_info("peername")``."""
        return None if self.protocol is None else self.protocol.transport

    @property
    def closed(self) -> bool:
        """Whether it serves the response no more."""
        return self._response.closed

    def release(self) -> None:
        """Let go of the response."""
        self._response.release()

    def close(self) -> None:
        """Close it, unless the response is complete: then it is none of ours any more."""
        self._response.close()
