"""Sessions: what several requests have in common, and how one of them is made."""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self, TypedDict, Unpack

from yarl import URL

from aiohttp.protocol.coding import accept_encoding
from aiohttp.protocol.errors import PeerDisconnected
from aiohttp.protocol.http1.client import ClientHttpProtocol
from aiohttp.protocol.http1.client_exchange import ClientExchange
from aiohttp.protocol.http1.head import HttpVersion, HttpVersion11

from .awaitables import FINISHED, Finished, RequestContext
from .call import Call
from .connector import TCPConnector
from .cookies import cookie_field
from .destination import Destination, Ssl, StrOrURL, basic_credentials, destination_of
from .errors import ClientError, ClientPayloadError, InvalidURL, TooManyRedirects
from .payload import Data, JSONEncoder, json_payload, payload
from .redirects import REDIRECT_STATUSES, redirect
from .request import DefaultFields, Fields, HttpRequest, LooseHeaders
from .response import HttpResponse
from .timeouts import DEFAULT_TIMEOUT, ClientTimeout, Timeout, client_timeout

__all__ = ["Params", "RequestOptions", "Session", "request"]

Params = str | bytes | Mapping[str, Any] | list[tuple[str, Any]] | tuple[tuple[str, Any], ...]
"""What ``params=`` takes: a query, encoded or in parts."""

_CHUNK_SIZE: Final = 64 * 1024
"""Bytes per chunk for ``chunked=True``."""

_USER_AGENT: Final = f"Python/{sys.version_info[0]}.{sys.version_info[1]} aiohttp-client"


class RequestOptions(TypedDict, total=False):
    """The options of ``request()``; each may be left out."""

    params: Params | None
    """Added to the URL's query."""
    data: Data | None
    """The body: bytes, text, a form as mapping or pairs, or an async iterable of bytes."""
    json: Any
    """The body, as JSON."""
    headers: LooseHeaders | None
    """Fields; they replace those of the session that have the same names."""
    cookies: Mapping[str, Any] | None
    """Cookies for this request alone."""
    auth: tuple[str, str] | None
    """Login and password for Basic authentication."""
    timeout: Timeout
    """Seconds for the whole, or ``ClientTimeout``; None: as the session says."""
    allow_redirects: bool
    """Whether redirects are followed (default: True)."""
    max_redirects: int
    """How many of them (default: 10)."""
    raise_for_status: bool | None
    """Whether a status of 400 or more is an error; None: as the session says."""
    ssl: Ssl
    """True, False for no verification of certificates, or a context."""
    server_hostname: str | None
    """Whom the server's certificate must name, if not the URL's host."""
    version: tuple[int, int]
    """(1, 1) or (1, 0)."""
    chunked: bool | int
    """Send the body chunked; a number: in chunks of so many bytes."""
    expect100: bool
    """Hold the body back until the server asks for it."""
    read_until_eof: bool
    """Whether a response without a length has a body, to the end of the connection."""
    auto_decompress: bool
    """Whether to undo the response's content coding; by default as the session says."""


class Session:
    """Requests that share connections, default headers and limits; also ``ClientSession``.

    ``async with Session() as session: …``, or close it yourself. Belongs to one event
    loop, the one of its first request.

    Args:
        connector: where connections come from; a ``TCPConnector`` of its own by default.
        headers: fields of each request.
        timeout: limits of each request: seconds for the whole, or ``ClientTimeout``.
            By default 300 s in all, 30 s to open a connection.
        version: of HTTP: (1, 1) or (1, 0).
        json_serialize: makes text or bytes of what ``json=`` is given.
        raise_for_status: whether a status of 400 or more is an error.
        auto_decompress: whether to undo the content coding of responses.
        connector_owner: whether ``close`` closes the connector.
        retry: whether a request may be repeated once when a kept connection turns
            out to have been closed by the server. Only where that is safe: nothing
            of a response had come, the request is idempotent or was not sent whole,
            and its body can be sent again.

    Attributes:
        connector: where connections come from.
        timeout: limits of each request that doesn't say others.
        retries: how many requests were repeated.
    """

    def __init__(
        self,
        *,
        connector: TCPConnector | None = None,
        headers: LooseHeaders | None = None,
        timeout: Timeout = None,
        version: tuple[int, int] = HttpVersion11,
        json_serialize: JSONEncoder | None = None,
        raise_for_status: bool = False,
        auto_decompress: bool = True,
        connector_owner: bool = True,
        retry: bool = True,
    ) -> None:
        self.connector = TCPConnector() if connector is None else connector
        self.timeout: ClientTimeout = client_timeout(timeout, DEFAULT_TIMEOUT)
        self.retries = 0
        self._headers = headers or ()
        self._version = HttpVersion(*version)
        self._json_serialize = json_serialize
        self._raise_for_status = raise_for_status
        self._auto_decompress = auto_decompress
        self._owns_connector = connector_owner
        self._may_retry = retry
        self._defaults: DefaultFields | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Session {'closed' if self._is_closed else self.connector!r}>"

    # Requests.

    def request(
        self, method: str, url: StrOrURL, **options: Unpack[RequestOptions]
    ) -> RequestContext:
        """Return a request, which is sent when it is awaited or entered.

        The response is there as soon as its head is; read its body from it.

        Raises, when awaited:
            InvalidURL: if ``url`` is malformed, or neither http nor https.
            ClientConnectionError: if there was no connection, or no answer.
            ServerTimeoutError: if a time limit has passed; also a TimeoutError.
            TooManyRedirects: with the redirects as ``history``.
            LocalProtocolError: if something can't be put on the wire; also a ValueError.
        """
        return RequestContext(self._request(method.upper(), url, **options))

    def get(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return a GET request."""
        return RequestContext(self._request("GET", url, **options))

    def head(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return a HEAD request; redirects are not followed by default."""
        options.setdefault("allow_redirects", False)
        return RequestContext(self._request("HEAD", url, **options))

    def options(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return an OPTIONS request."""
        return RequestContext(self._request("OPTIONS", url, **options))

    def post(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return a POST request."""
        return RequestContext(self._request("POST", url, **options))

    def put(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return a PUT request."""
        return RequestContext(self._request("PUT", url, **options))

    def patch(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return a PATCH request."""
        return RequestContext(self._request("PATCH", url, **options))

    def delete(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return a DELETE request."""
        return RequestContext(self._request("DELETE", url, **options))

    async def _request(
        self,
        method: str,
        url: StrOrURL,
        *,
        timeout: Timeout = None,  # noqa: ASYNC109 it is one deadline for all the steps
        allow_redirects: bool = True,
        max_redirects: int = 10,
        raise_for_status: bool | None = None,
        read_until_eof: bool = True,
        auto_decompress: bool | None = None,
        **options: Any,
    ) -> HttpResponse:
        loop = asyncio.get_running_loop()
        if loop is not self.connector.loop or self._is_closed:
            self._bind(loop)
        if options:
            request = self._prepare(method, url, **options)
        else:
            request = HttpRequest(
                method, destination_of(url), self._default_fields(), version=self._version
            )
        call = Call(request, client_timeout(timeout, self.timeout), loop)
        decode = self._auto_decompress if auto_decompress is None else auto_decompress
        while True:
            response = await self._send(call, decode, read_until_eof)
            if response.status == 417 and call.request.may_drop_expectation:
                # RFC 9110, section 10.1.1: whoever doesn't know 100 gets the body without it.
                response.release()
                call.request = call.request.without_expectation()
                continue
            if not (allow_redirects and response.status in REDIRECT_STATUSES):
                break
            location = response.headers.get("Location")
            if location is None:
                break
            self._follow(call, response, location, max_redirects)
        if raise_for_status or (raise_for_status is None and self._raise_for_status):
            response.raise_for_status()
        return response

    def _bind(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._is_closed:
            raise RuntimeError("the session is closed: make a new one")
        self.connector.bind(loop)

    def _default_fields(self) -> DefaultFields:
        """Return what each request has; made when first needed, since codings are imported."""
        if self._defaults is None:
            coding = accept_encoding() if self._auto_decompress else "identity"
            usual = DefaultFields([
                ("Accept", "*/*"),
                ("Accept-Encoding", coding),
                ("User-Agent", _USER_AGENT),
            ])  # fmt: skip
            self._defaults = usual.extended(self._headers)
        return self._defaults

    def _prepare(
        self,
        method: str,
        url: StrOrURL,
        *,
        params: Params | None = None,
        data: Data | None = None,
        json: Any = None,
        headers: LooseHeaders | None = None,
        cookies: Mapping[str, Any] | None = None,
        auth: tuple[str, str] | None = None,
        ssl: Ssl = True,
        server_hostname: str | None = None,
        version: tuple[int, int] | None = None,
        chunked: bool | int = False,
        expect100: bool = False,
    ) -> HttpRequest:
        if json is not None and data is not None:
            raise ValueError("data and json exclude each other: a request has one body")
        extra: Fields = ()
        if auth is not None:
            extra = (("Authorization", basic_credentials(*auth)),)
        if cookies:
            extra = (*extra, ("Cookie", cookie_field(cookies)))
        return HttpRequest(
            method,
            _destination(url, params),
            self._default_fields(),
            headers=headers,
            extra=extra,
            payload=payload(data) if json is None else json_payload(json, self._json_serialize),
            version=self._version if version is None else HttpVersion(*version),
            ssl=ssl,
            server_hostname=server_hostname,
            chunk_size=_CHUNK_SIZE if chunked is True else int(chunked),
            expect_continue=expect100,
        )

    async def _send(self, call: Call, decode: bool, until_close: bool) -> HttpResponse:
        """Send one request, on whichever connection there is; repeat it where that is safe."""
        connector, key = self.connector, call.request.key
        while True:
            try:
                connection = connector.take(key) or await connector.lease(key, call)
            except ClientError as exc:
                call.marked(exc)
                raise
            call.connection = connection
            call.phase = "send"
            try:
                exchange = self._start(call, connection, decode, until_close)
            except BaseException as exc:
                connector.give_back(key, connection)
                if isinstance(exc, PeerDisconnected):
                    if connection.requests:
                        continue  # it was closed on its way to us: nothing was sent
                    raise call.explain(exc) from exc
                raise
            call.phase = "head"
            try:
                head = await exchange.response()
            except Exception as exc:
                if self._may_repeat(call, connection, exchange, exc):
                    connector.drop_idle(key)
                    self.retries += 1
                    call.attempt += 1
                    continue
                if exc is exchange.upload_error:
                    raise  # the program's own
                call.phase = "head" if exchange.is_request_sent else "send"
                error = call.explain(exc)
                if error is exc:
                    raise
                raise error from exc
            call.phase = "body"
            return HttpResponse(call.request, head, exchange, call)

    def _start(
        self, call: Call, connection: ClientHttpProtocol, decode: bool, until_close: bool
    ) -> ClientExchange:
        request = call.request
        return connection.start(
            request.method,
            request.destination.target,
            request.destination.authority,
            request.encoded_fields,
            request.payload.content,
            version=request.version,
            chunk_size=request.chunk_size,
            expect_continue=request.expect_continue,
            close=self.connector.force_close,
            deadline=call.deadline,
            read_time=call.timeout.sock_read or 0.0,
            decode=decode,
            until_close=until_close,
            translate=call.explain,
        )

    def _may_repeat(
        self,
        call: Call,
        connection: ClientHttpProtocol,
        exchange: ClientExchange,
        exc: Exception,
    ) -> bool:
        """Whether the server just closed a kept connection, and nobody can have been served."""
        request = call.request
        return (
            self._may_retry
            and call.attempt == 1
            and isinstance(exc, PeerDisconnected)
            and connection.requests > 1
            and not exchange.is_answered
            and (request.is_idempotent or not exchange.is_request_sent)
            and request.payload.can_be_replayed
        )

    def _follow(
        self, call: Call, response: HttpResponse, location: str, max_redirects: int
    ) -> None:
        """Let the call go on with the request that a redirect asks for."""
        response.release()
        call.history = (*call.history, response)
        if len(call.history) > max_redirects:
            raise call.marked(
                TooManyRedirects(
                    response.request_info,
                    call.history,
                    status=response.status,
                    message=f"more than {max_redirects} redirects",
                    headers=response.headers,
                )
            )
        request = call.request
        try:
            step = redirect(response.status, request.method, request.destination, location)
        except InvalidURL as exc:
            call.marked(exc)
            raise
        if step.keeps_body and not request.payload.can_be_replayed:
            raise call.marked(
                ClientPayloadError(
                    f"{request.url} redirects with {response.status}, which asks to send the body "
                    "again, but a stream can be sent only once; give bytes instead"
                )
            )
        call.request = request.follow(step)
        call.attempt = 1

    # The end.

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._is_closed

    def close(self) -> Finished:
        """Close all connections at once. What it returns may be awaited, or dropped."""
        self._is_closed = True
        return self.connector.close() if self._owns_connector else FINISHED

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        # Without __init__ having run to its end there is nothing to close.
        if not getattr(self, "_is_closed", True) and self._owns_connector:
            left = self.connector.open_connections
            if left:
                warnings.warn(
                    f"unclosed session with {left} open connection{'' if left == 1 else 's'}: "
                    "use 'async with'",
                    ResourceWarning,
                    source=self,
                    stacklevel=1,
                )


def request(
    method: str,
    url: StrOrURL,
    *,
    session: Session | None = None,
    **options: Unpack[RequestOptions],
) -> RequestContext:
    """Return a request, which is sent when it is awaited or entered.

    Without ``session`` it has a connection of its own, which is closed when the
    body was read, or the response is closed or dropped. Otherwise as
    ``Session.request``.
    """
    if session is None:
        connector = TCPConnector(force_close=True)
        session = Session(connector=connector, connector_owner=False)
    return session.request(method, url, **options)


def _destination(url: StrOrURL, params: Params | None) -> Destination:
    if not params:
        return destination_of(url)
    parsed = url if isinstance(url, URL) else destination_of(url).given
    if isinstance(params, bytes):
        params = params.decode("ascii")
    query = params if isinstance(params, str | Mapping) else list(params)
    return destination_of(parsed.extend_query(query))
