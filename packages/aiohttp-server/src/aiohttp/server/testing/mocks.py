"""Requests that nobody has sent, for tests of single handlers."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from multidict import CIMultiDict, CIMultiDictProxy

from aiohttp.protocol import (
    DEFAULT_LIMITS,
    EMPTY_STREAM,
    Books,
    Fields,
    HttpVersion,
    HttpVersion11,
    InvalidUse,
    RequestHead,
    StreamReader,
)

if TYPE_CHECKING:
    from unittest.mock import Mock

    from aiohttp.protocol import RemoteProtocolError

    from ..web.application import Application
    from ..web.request import Request

__all__ = ["MockedExchange", "make_mocked_coro", "make_mocked_request"]

_NOT_GIVEN: Any = object()


class MockedExchange:
    """An ``aiohttp.protocol.Exchange`` without a connection: it keeps what is sent.

    Attributes:
        head, body, transport: as given.
        response_status: of the response; 0 before there is one.
        reason: that was given with it.
        sent_fields: its fields, without those that a connection adds.
        sent: its body so far.
        trailers: the fields behind it.
        informational: the 1xx responses before it, with their fields.
        is_finished: whether the response is complete.
        is_draining, is_disconnected: to be set by ``begin_drain`` and ``disconnect``.
    """

    refusal: RemoteProtocolError | None = None
    host: str | None = None

    def __init__(
        self, head: RequestHead, body: StreamReader = EMPTY_STREAM, transport: Any = None
    ) -> None:
        self.head = head
        self.body = body
        self.transport = transport
        self.request: Any = None
        self.task: asyncio.Task[Any] | None = None
        self.cancel_on_disconnect = True
        self.books = Books()
        self.limits = DEFAULT_LIMITS
        self.started = time.monotonic()
        self.response_status = 0
        self.reason: str | None = None
        self.sent_fields: list[tuple[str, str]] = []
        self.sent = b""
        self.trailers: list[tuple[str, str]] = []
        self.informational: list[tuple[int, list[tuple[str, str]]]] = []
        self.is_finished = False
        self.is_closing = not head.keep_alive
        self._draining = asyncio.Event()
        self._disconnected = asyncio.Event()

    def __repr__(self) -> str:
        status = self.response_status or "unanswered"
        return f"<MockedExchange {self.head.method} {self.head.target} {status}>"

    # The request.

    @property
    def version(self) -> HttpVersion:
        """The request's version."""
        return self.head.version

    @property
    def scheme(self) -> Literal["http", "https"]:
        """By the transport."""
        return "http" if self.get_extra_info("sslcontext") is None else "https"

    @property
    def peername(self) -> Any:
        """By the transport."""
        return self.get_extra_info("peername")

    @property
    def sockname(self) -> Any:
        """By the transport."""
        return self.get_extra_info("sockname")

    def get_extra_info(self, name: str) -> Any:
        """Return what the transport knows by this name."""
        return None if self.transport is None else self.transport.get_extra_info(name)

    # The response.

    @property
    def body_sent(self) -> int:
        """How many bytes of the body were sent."""
        return len(self.sent)

    async def respond(
        self, status: int, fields: Fields = (), body: bytes = b"", *, reason: str | None = None
    ) -> None:
        """Keep a whole response."""
        await self.start(status, fields, reason=reason)
        await self.write(body)
        await self.finish()

    async def inform(self, status: int, fields: Fields = ()) -> None:
        """Keep an informational response."""
        self.informational.append((status, list(fields)))

    async def start(self, status: int, fields: Fields = (), *, reason: str | None = None) -> None:
        """Begin to keep a response."""
        if self.response_status:
            raise InvalidUse(f"expected one response, got {self.response_status} and {status}")
        self.response_status = status
        self.reason = reason
        self.sent_fields = list(fields)

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep a part of the body."""
        self._check_under_way()
        self.sent += data

    async def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> None:
        """Keep a part of a file."""
        self._check_under_way()
        file.seek(offset, os.SEEK_SET)
        self.sent += file.read(-1 if count is None else count)

    async def finish(self, trailers: Fields = ()) -> None:
        """Keep the end of the response."""
        self._check_under_way()
        self.trailers = list(trailers)
        self.is_finished = True

    async def upgrade(
        self, status: int = 101, fields: Fields = (), *, reason: str | None = None
    ) -> tuple[asyncio.Transport, bytes]:
        """Keep the response, and give away the transport that was given."""
        if self.transport is None:
            raise InvalidUse("expected a transport to give away: make_mocked_request(transport=)")
        await self.respond(status, fields, reason=reason)
        return self.transport, b""

    def close_after(self) -> None:
        """Keep that the connection would be closed."""
        self.is_closing = True

    def _check_under_way(self) -> None:
        if not self.response_status or self.is_finished:
            raise InvalidUse("expected a response that was begun and isn't complete")

    # What may happen meanwhile.

    @property
    def is_disconnected(self) -> bool:
        """Whether ``disconnect`` was called."""
        return self._disconnected.is_set()

    def disconnect(self) -> None:
        """Let the client be gone."""
        self._disconnected.set()

    async def wait_disconnected(self) -> None:
        """Return when the client is gone."""
        await self._disconnected.wait()

    async def wait_input_ended(self) -> None:
        """Return when the client is gone."""
        await self._disconnected.wait()

    @property
    def is_draining(self) -> bool:
        """Whether ``begin_drain`` was called."""
        return self._draining.is_set()

    def begin_drain(self) -> None:
        """Let the server be about to stop."""
        self._draining.set()

    async def wait_draining(self) -> None:
        """Return when the server is about to stop."""
        await self._draining.wait()


class _MockedTransport(asyncio.Transport):
    """A transport that only knows what ``get_extra_info`` tells."""


def make_mocked_request(
    method: str,
    path: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    *,
    match_info: Mapping[str, str] | None = _NOT_GIVEN,
    version: tuple[int, int] = HttpVersion11,
    closing: bool = False,
    app: Application | None = None,
    reader: StreamReader = _NOT_GIVEN,
    writer: Any = _NOT_GIVEN,
    transport: Any = _NOT_GIVEN,
    payload: StreamReader = _NOT_GIVEN,
    sslcontext: Any = None,
    client_max_size: int | None = None,
    loop: asyncio.AbstractEventLoop | None = None,
) -> Request:
    """Return a request that nobody has sent; what a handler answers is kept.

    For tests of one handler; ``MemoryClient`` tests an application, and costs no more::

        request = make_mocked_request("GET", "/", headers={"Accept": "text/html"})
        response = await handler(request)
        await response.prepare(request)
        assert request.exchange.response_status == 200

    Args:
        method: such as ``"GET"``.
        path: the target, with its query.
        headers: the request's fields.
        match_info: what the router is to have found in the path.
        version: 1.1 or 1.0.
        closing: whether the client wants the connection closed.
        app: ``request.app``; a new application by default.
        reader: ignored: give ``payload``.
        writer: gets what is written, by ``await writer.write(data)``, besides ``exchange``.
        transport: what is asked for addresses; by default the client is 127.0.0.1:50000.
        payload: the body, such as ``StreamReader.complete(b"...")``; none by default.
        sslcontext: not None for a request over TLS.
        client_max_size: of the body, in bytes, instead of the application's.
        loop: ignored, for programs of long ago.
    """
    from ..web.application import Application
    from ..web.request import Request

    if app is None:
        app = Application()
    if transport is _NOT_GIVEN:
        names = {"peername": ("127.0.0.1", 50000), "sockname": ("127.0.0.1", 80)}
        transport = _MockedTransport({**names, "sslcontext": sslcontext})
    fields = CIMultiDictProxy(CIMultiDict(headers or ()))
    body = EMPTY_STREAM if payload is _NOT_GIVEN else payload
    head = _head(method, path, HttpVersion(*version), fields, closing=closing)
    make = MockedExchange if writer is _NOT_GIVEN else _writing_to(writer)
    request = Request(make(head, body, transport), app)
    request.exchange.request = request
    _set_match_info(request, app, {} if match_info is _NOT_GIVEN else match_info or {})
    return request if client_max_size is None else request.clone(client_max_size=client_max_size)


def _head(
    method: str,
    path: str,
    version: HttpVersion,
    fields: CIMultiDictProxy[str],
    *,
    closing: bool,
) -> RequestHead:
    """Return the head of a request as the parser would, but without its rules."""
    length = fields.get("Content-Length")
    connection = fields.get("Connection", "").lower()
    return RequestHead(
        method,
        path,
        version,
        fields,
        not closing and "close" not in connection,
        "chunked" in fields.get("Transfer-Encoding", "").lower(),
        None if length is None else int(length),
        fields.get("Upgrade", "") if "upgrade" in connection else "",
        fields.get("Expect", "").lower() == "100-continue",
    )


def _writing_to(writer: Any) -> type[MockedExchange]:
    class Writing(MockedExchange):
        async def write(self, data: bytes | bytearray | memoryview) -> None:
            await super().write(data)
            await writer.write(data)

    return Writing


def _set_match_info(request: Request, app: Application, values: Mapping[str, str]) -> None:
    from ..web.matchinfo import UrlMappingMatchInfo
    from ..web.resources import PlainResource

    # What has no path, as "*" of OPTIONS and the address of CONNECT, no resource could have.
    resource = PlainResource(request.path if request.path.startswith("/") else "")
    match_info = UrlMappingMatchInfo(values, resource.add_route(request.method, _nobody))
    match_info.add_app(app)
    request._match_info = match_info  # noqa: SLF001 - as the application does


async def _nobody(request: Any) -> Any:
    raise InvalidUse("a mocked request has no handler but the one that the test calls")


def make_mocked_coro(
    return_value: Any = _NOT_GIVEN, raise_exception: BaseException | None = None
) -> Callable[..., Any] | Mock:
    """Return a ``Mock`` that is awaited as a coroutine function, and counts its calls.

    Each call returns ``return_value``, or raises ``raise_exception``.
    """
    from unittest.mock import DEFAULT, AsyncMock

    value = DEFAULT if return_value is _NOT_GIVEN else return_value
    return cast("Mock", AsyncMock(return_value=value, side_effect=raise_exception))
