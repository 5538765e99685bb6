"""Asking an application without sockets: bytes go from one protocol to the other in memory.

Both ends are the real ones, ``ClientHttpProtocol`` and ``ServerHttpProtocol``: what an
application answers is framed, limited, refused and counted as on a network.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeAlias, TypeGuard, cast
from urllib.parse import quote, urlencode

from multidict import CIMultiDict, CIMultiDictProxy

from aiohttp.protocol import (
    GIB,
    Application,
    Books,
    ClientExchange,
    ClientHttpProtocol,
    Headers,
    HttpVersion,
    HttpVersion11,
    InvalidUse,
    JsonPayload,
    Limits,
    Listener,
    Payload,
    ResponseHead,
    ServerHttpProtocol,
    StreamReader,
    charset_of,
    deadlines_of,
    encode_fields,
    get_payload,
)

from .transport import connect

__all__ = ["MemoryClient", "MemoryResponse", "StreamedResponse"]

LooseFields: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
LooseParams: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]

_ASCII = "".join(map(chr, range(128)))

# A test may want to see whatever an application answers.
_LIMITS = Limits(fields=10_000, head=GIB, body=None, decoded=None)


@dataclass(frozen=True)
class MemoryResponse:
    """A whole response.

    Attributes:
        status, reason: of the final response.
        version: that the server speaks.
        headers: the fields in order; lookups ignore case.
        body: the content, without its content coding unless ``decode=False`` was given.
        trailers: the fields behind the body.
        informational: the heads of the 1xx responses before it, without ``100 Continue``.
    """

    status: int
    reason: str
    version: HttpVersion
    headers: CIMultiDictProxy[str]
    body: bytes = field(repr=False)
    trailers: Headers = field(repr=False)
    informational: tuple[ResponseHead, ...] = field(repr=False)

    @property
    def content_type(self) -> str:
        """The media type in lower case and without its parameters; "" if there is none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def text(self, encoding: str | None = None) -> str:
        """Return the body as text: in ``encoding``, else in its charset, else in UTF-8."""
        charset = encoding or charset_of(self.headers.get("Content-Type", "")) or "utf-8"
        return self.body.decode(charset)

    def json(self) -> Any:
        """Return what the body says as JSON."""
        import json

        return json.loads(self.body)


class StreamedResponse:
    """A response whose body is read as it comes. Made by ``MemoryClient.stream``.

    Attributes:
        status, reason, version, headers: as of ``MemoryResponse``.
        content: the body; ``async for`` gives its lines, ``content.iter_any()`` pieces.
        informational: likewise.
    """

    def __init__(
        self, exchange: ClientExchange, head: ResponseHead, informational: list[ResponseHead]
    ) -> None:
        self.status = head.status
        self.reason = head.reason
        self.version = head.version
        self.headers = head.headers
        self.informational = tuple(informational)
        self._exchange = exchange

    def __repr__(self) -> str:
        return f"<StreamedResponse {self.status} {self.reason}>"

    @property
    def content(self) -> StreamReader:
        """The body."""
        return self._exchange.body

    @property
    def trailers(self) -> Headers:
        """The fields behind the body; none before all of it has come."""
        return self._exchange.trailers

    async def read(self) -> bytes:
        """Return the whole body, or what is left of it."""
        return await self._exchange.read_all()


class MemoryClient:
    """Ask an application without sockets, for the length of a test.

    ::

        async with MemoryClient(app) as client:
            response = await client.post("/greetings", json={"to": "world"})
            assert response.status == 201

    The application starts when the block is entered, and ends with it: what still
    runs a second later is cut. Only what is given is sent, with Host and the
    body's framing: no cookies are kept and no redirects followed. A connection is
    used again, as long as the application lets it.

    Args:
        app: any ``aiohttp.protocol.Application``, such as ``web.Application``.
        scheme: "https" if the application is to think that it is asked over TLS.
        host: for the Host field.
        peername, sockname: the client's address, and the server's.
        headers: sent with each request that doesn't have them.
        timeout: seconds for a whole response, so that no test hangs.
        options: of ``aiohttp.protocol.Service``: ``limits``, ``on_exchange``, ...

    Attributes:
        app: the application.
        listener: that of the server; it listens nowhere.
    """

    def __init__(
        self,
        app: Application,
        *,
        scheme: Literal["http", "https"] = "http",
        host: str = "localhost",
        peername: object = ("127.0.0.1", 50000),
        sockname: object = ("127.0.0.1", 80),
        headers: LooseFields = (),
        timeout: float = 30.0,
        **options: Any,
    ) -> None:
        self.app = app
        self.listener = Listener(app, drain_limit=1.0, **options)
        self._host = host
        self._headers = CIMultiDict(headers)
        self._timeout = timeout
        self._names = {"peername": peername, "sockname": sockname}
        if scheme == "https":
            self._names["sslcontext"] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._is_open = False
        self._idle: list[ClientHttpProtocol] = []
        self._open: set[ClientHttpProtocol] = set()

    def __repr__(self) -> str:
        return f"<MemoryClient of {self.app!r}>"

    @property
    def books(self) -> Books:
        """What was served so far, counted."""
        return self.listener.books

    async def __aenter__(self) -> Self:
        await self.listener.start()
        self._is_open = True
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections, then stop the application. Twice is fine."""
        self._is_open = False
        for connection in list(self._open):
            connection.close()
        await self.listener.drain()

    # Asking.

    async def request(
        self, method: str, path: str, *, decode: bool = True, **options: Any
    ) -> MemoryResponse:
        """Ask, and return the whole response.

        ``options`` and errors are those of ``stream``.
        """
        async with self.stream(method, path, decode=decode, **options) as response:
            return MemoryResponse(
                status=response.status,
                reason=response.reason,
                version=response.version,
                headers=response.headers,
                body=await response.read(),
                trailers=response.trailers,
                informational=response.informational,
            )

    async def get(self, path: str, **options: Any) -> MemoryResponse:
        """GET; see ``request``."""
        return await self.request("GET", path, **options)

    async def head(self, path: str, **options: Any) -> MemoryResponse:
        """HEAD; see ``request``."""
        return await self.request("HEAD", path, **options)

    async def options(self, path: str, **options: Any) -> MemoryResponse:
        """OPTIONS; see ``request``."""
        return await self.request("OPTIONS", path, **options)

    async def post(self, path: str, **options: Any) -> MemoryResponse:
        """POST; see ``request``."""
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> MemoryResponse:
        """PUT; see ``request``."""
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Any) -> MemoryResponse:
        """PATCH; see ``request``."""
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> MemoryResponse:
        """DELETE; see ``request``."""
        return await self.request("DELETE", path, **options)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: LooseParams = (),
        headers: LooseFields = (),
        data: Any = None,
        json: Any = None,
        version: HttpVersion = HttpVersion11,
        expect_continue: bool = False,
        decode: bool = True,
    ) -> AsyncGenerator[StreamedResponse]:
        """Ask, and give the response once its head has come.

        Leaving the block before the end of the body cuts the connection: so the
        application learns that its client is gone.

        Args:
            method: such as ``"GET"``.
            path: the target, sent as it stands; what isn't ASCII is percent-encoded.
            params: added to the path as a query.
            headers: fields of the request.
            data: a mapping or pairs for a form; bytes, text, files, iterables,
                ``MultipartWriter``: whatever ``get_payload`` takes.
            json: a value, sent as JSON.
            version: 1.1 or 1.0.
            expect_continue: hold the body back until the application reads it.
            decode: whether to undo the content coding.

        Raises:
            LocalProtocolError: if this can't be sent.
            RemoteProtocolError: if the answer isn't right, or is cut short.
            PeerDisconnected: if none comes.
            TimeoutError: if it takes too long.
        """
        payload = _payload(data, json)
        fields = CIMultiDict(headers)
        for name, value in self._headers.items():
            fields.setdefault(name, value)
        if payload is not None:
            for name, value in payload.headers.items():
                fields.setdefault(name, value)
            if payload.size is not None and "Transfer-Encoding" not in fields:
                fields.setdefault("Content-Length", str(payload.size))
        informational: list[ResponseHead] = []
        deadlines = deadlines_of(asyncio.get_running_loop())
        exchange = self._connection().start(
            method,
            _target(path, params),
            self._host,
            encode_fields(fields.items()),
            b"" if payload is None else payload.content,
            version=version,
            expect_continue=expect_continue,
            deadline=deadlines.time() + self._timeout,
            decode=decode,
            on_information=informational.append,
        )
        async with AsyncExitStack() as stack:
            stack.callback(exchange.abort)
            head = await exchange.response()
            yield StreamedResponse(exchange, head, informational)

    async def raw(self, data: bytes) -> bytes:
        """Send bytes on a connection of their own, and return all that comes back.

        For what no client would send. Behind the bytes comes the end of file, so a
        server that has answered closes.
        """
        self._check_open()
        teller = _Teller()
        server = ServerHttpProtocol(self.listener.service)
        transport = connect(teller, server, **self._names)
        try:
            async with asyncio.timeout(self._timeout):
                transport.write(data)
                if transport.can_write_eof():
                    transport.write_eof()
                await teller.is_lost.wait()
        finally:
            transport.abort()
        return bytes(teller.received)

    # Connections.

    def _check_open(self) -> None:
        if not self._is_open:
            raise InvalidUse("expected an open client: ask inside of ``async with client``")

    def _connection(self) -> ClientHttpProtocol:
        """Return a connection that is free, or a new one."""
        self._check_open()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_reusable:
                return connection
        connection = ClientHttpProtocol(
            deadlines_of(asyncio.get_running_loop()),
            limits=_LIMITS,
            label="the application",
            released=self._release,
            lost=self._open.discard,
        )
        connect(connection, ServerHttpProtocol(self.listener.service), **self._names)
        self._open.add(connection)
        return connection

    def _release(self, connection: ClientHttpProtocol) -> None:
        if connection.is_reusable:
            self._idle.append(connection)
        else:
            self._open.discard(connection)


class _Teller(asyncio.BufferedProtocol):
    """Collects what comes."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.is_lost = asyncio.Event()
        self._buffer = bytearray(64 * 1024)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.received += self._buffer[:nbytes]

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost.set()


def _target(path: str, params: LooseParams) -> str:
    """Return the path with its query, in ASCII."""
    if query := _urlencoded(params):
        path += ("&" if "?" in path else "?") + query
    return quote(path, safe=_ASCII)


def _urlencoded(params: LooseParams) -> str:
    pairs = cast("Mapping[str, Any]", params).items() if isinstance(params, Mapping) else params
    return urlencode(list(pairs), doseq=True)


def _payload(data: Any, json: Any) -> Payload | None:
    """Return the body of a request, if there is one."""
    if json is not None:
        if data is not None:
            raise InvalidUse("expected data or json, got both")
        return JsonPayload(json)
    if data is None:
        return None
    if _is_form(data):
        form = _urlencoded(data).encode()
        return get_payload(form, content_type="application/x-www-form-urlencoded")
    return get_payload(data)


def _is_form(data: object) -> TypeGuard[LooseParams]:
    """Whether this is a mapping, or a list of pairs."""
    if isinstance(data, list | tuple):
        return all(isinstance(each, tuple) for each in cast("list[object]", data))
    return isinstance(data, Mapping)
