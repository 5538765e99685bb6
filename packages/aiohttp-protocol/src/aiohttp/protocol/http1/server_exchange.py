"""The answering half of a server connection: one request, and its response on the wire."""

from __future__ import annotations

import asyncio
import io
import logging
import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from http import HTTPStatus
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, Final, Literal

from ..errors import (
    HttpException,
    InvalidUse,
    LocalProtocolError,
    MethodNotAllowed,
    PeerDisconnected,
    RemoteProtocolError,
)
from ..exchange import Fields, TakenExchange
from ..headers import shown
from ..service import Books, Service
from ..sockets import cork
from ..streams import StreamReader
from .body import BodyWriter, CloseWriter, Framing, LengthWriter, body_framing, body_writer
from .encode import (
    EncodedFields,
    encode_fields,
    encode_plain_fields,
    encode_status_line,
    reason_of,
)
from .head import HttpVersion, HttpVersion10, RequestHead
from .state import (
    BOTH,
    CLOSED,
    INFORMATION,
    RESPONSE,
    RESPONSE_END,
    RESPONSE_HEAD,
    RESPONSE_WHOLE,
    SWITCH,
    SWITCHED,
    Event,
)

if TYPE_CHECKING:
    from ..forwarded import Origin
    from ..limits import Limits
    from .server import ServerHttpProtocol

__all__ = ["ServerExchange"]

logger = logging.getLogger("aiohttp.server")

# One write of 100 MB costs 2.8 times as much as the same bytes in such pieces.
_PIECE: Final = 64 * 1024
_FILE_PIECE: Final = 1024 * 1024

# So many writes are made in one go; then the others get their turn.
_WRITES_IN_TURN: Final = 64


class ServerExchange:
    """``aiohttp.protocol.Exchange`` on a connection of HTTP/1."""

    __slots__ = (
        "__weakref__",
        "_change",
        "_connection",
        "_has_content",
        "_origin",
        "_service",
        "_status",
        "_transport",
        "_unsent_head",
        "_withdraw",
        "_writer",
        "_writes",
        "body",
        "body_sent",
        "cancel_on_disconnect",
        "head",
        "is_handled",
        "is_over",
        "own_task",
        "refusal",
        "request",
        "sent_fields",
        "started",
    )

    def __init__(
        self,
        connection: ServerHttpProtocol,
        transport: asyncio.Transport,
        service: Service,
        head: RequestHead,
        body: StreamReader,
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._service = service
        self.head = head
        self.body = body
        self.started = monotonic()  # not the loop's: uvloop's counts milliseconds
        self.cancel_on_disconnect = True
        self.request: Any = None
        self.refusal: RemoteProtocolError | None = None
        self.own_task: asyncio.Task[None] | None = None  # from the end of its first step on
        self.is_handled = False
        self.is_over = False
        self._withdraw: Callable[[], object] | None = None  # while it is taken
        self.body_sent = 0
        self.sent_fields: Fields = ()
        self._origin: Origin | None = None
        self._status = 0
        self._writer: BodyWriter | None = None
        self._unsent_head = b""
        self._change: asyncio.Event | None = None

    def __repr__(self) -> str:
        status = self._status or "unanswered"
        return f"<ServerExchange {self.head.method} {shown(self.head.target)} {status}>"

    # The request.

    @property
    def task(self) -> asyncio.Task[Any] | None:
        """The task in which the application answers; None if there is none."""
        if self.own_task is None and not self.is_handled and self._withdraw is None:
            return asyncio.current_task(self._service.loop)  # which is in its first step
        return self.own_task

    @property
    def version(self) -> HttpVersion:
        """The request's version."""
        return self.head.version

    @property
    def scheme(self) -> Literal["http", "https"]:
        """Whether the client came over TLS: by the connection, or by a proxy that is trusted."""
        told = self._told
        return self._connection.scheme if told is None else told.scheme

    @property
    def host(self) -> str | None:
        """The host, with its port, that a trusted proxy was asked for; None if none says so."""
        told = self._told
        return None if told is None else told.host

    @property
    def peername(self) -> Any:
        """The client's address: ``(host, port)``, four items for IPv6, "" for a unix socket."""
        told = self._told
        return self._connection.peername if told is None else told.remote

    @property
    def sockname(self) -> Any:
        """Our address on this connection, in the shape of ``peername``, or its proxy's."""
        return self._connection.sockname

    @property
    def _told(self) -> Origin | None:
        """What the request's fields say of the client; None where no proxies are trusted.

        Raises:
            RemoteProtocolError: once, if they can't be believed. Whoever looks again, such as
                an access log, is told of the connection.
        """
        trusted = self._service.trusted_proxies
        if trusted is not None and self._origin is None:
            peername, scheme = self._connection.peername, self._connection.scheme
            try:
                self._origin = trusted.believed(self.head, peername, scheme)
            except RemoteProtocolError:
                from ..forwarded import Origin  # nobody needs it without proxies

                self._origin = Origin(peername, scheme, None)
                raise
        return self._origin

    @property
    def _is_tls(self) -> bool:
        return self.get_extra_info("sslcontext") is not None

    @property
    def transport(self) -> asyncio.Transport:
        """The connection's transport: for a look at it, not to write."""
        return self._transport

    def get_extra_info(self, name: str) -> Any:
        """Return what the transport knows by this name, such as ``"ssl_object"``, or None.

        ``"proxied"`` is what the connection began with by the PROXY protocol (``Proxied``).
        """
        found = self._transport.get_extra_info(name)
        return self._connection.proxied if found is None and name == "proxied" else found

    @property
    def books(self) -> Books:
        """What the server has done so far, counted."""
        return self._service.books

    @property
    def limits(self) -> Limits:
        """The bounds of this connection."""
        return self._service.limits

    # The response, at once.

    async def respond(
        self, status: int, fields: Fields = (), body: bytes = b"", *, reason: str | None = None
    ) -> None:
        """Send a whole response, as one write where it is small."""
        if len(body) > _PIECE:
            await self._respond_in_pieces(status, fields, body, reason)
            return
        if reason is not None or not self._respond_usually(status, fields, body):
            self._respond(status, fields, body, reason)
        if not self._connection.is_writable:
            await self._connection.gate.wait()

    def respond_now(
        self, status: int, fields: Fields = (), body: bytes = b"", *, reason: str | None = None
    ) -> None:
        """Send a whole response to a request that was taken, as one write."""
        if not self._give_back("respond_now"):
            return
        self.is_handled = True
        try:
            if reason is not None or not self._respond_usually(status, fields, body):
                self._respond(status, fields, body, reason)
        except Exception as exc:  # noqa: BLE001 - handed on, which logs it
            self.fail(exc)
        self.request = None

    def handle(self) -> None:
        """Have ``handle_exchange`` answer a request that was taken."""
        if self._give_back("handle"):
            self._connection.start_task(self)

    def _give_back(self, what: str) -> bool:
        """Tell whether the client of a request that was taken is still there."""
        if self._withdraw is None:
            if self.is_disconnected:
                return False
            raise InvalidUse(f"expected {what}() once, for a request that was taken")
        self._withdraw = None
        return True

    def _respond_usually(self, status: int, fields: Fields, body: bytes) -> bool:
        """Send a response as nearly all are, in one go; False leaves all others to ``_compose``.

        Usual is a registered status with content, in answer to a method with content,
        without a field that has a meaning for the connection. Saves 0.9 of the 2.0 µs
        that composing and sending take otherwise.
        """
        status_line = _USUAL_STATUS_LINES.get(status)
        if (
            status_line is None
            or self._status
            or self.head.method in _UNUSUAL_METHODS
            or not isinstance(fields, (list, tuple))
            or (block := encode_plain_fields(fields)) is None
        ):
            return False
        service, connection = self._service, self._connection
        now, date = service.time(), service.date_line
        message = b"".join((
            status_line,
            date.line if now < date.end else date(now),
            service.server_line,
            block,
            _length_line(len(body)),
            connection.ending(True),
            body,
        ))  # fmt: skip
        connection.take_turn(RESPONSE_WHOLE)
        self._status = status
        self.body_sent = len(body)
        self.sent_fields = fields
        connection.send_soon(message)
        connection.response_is_over(self, status, now)
        return True

    def _respond(
        self,
        status: int,
        fields: Fields,
        body: bytes,
        reason: str | None,
        event: Event = RESPONSE_WHOLE,
    ) -> None:
        head, framing = self._compose(status, fields, reason, len(body))
        if framing:
            self._send_whole(status, head + body, len(body), event)
        else:
            self._send_whole(status, head, 0, event)

    def _send_whole(self, status: int, message: bytes, size: int, event: Event) -> None:
        connection = self._connection
        connection.take_turn(event)
        self._status = status
        self.body_sent = size
        connection.send(message)
        connection.response_is_over(self, status, self._service.time())

    async def _respond_in_pieces(
        self, status: int, fields: Fields, body: bytes, reason: str | None
    ) -> None:
        head, framing = self._compose(status, fields, reason, len(body))
        self._begin(status, head, framing)
        await self.write(body)
        await self.finish()

    # The response, in parts.

    async def inform(self, status: int, fields: Fields = ()) -> None:
        """Send an informational response, 100 to 199 but not 101; dropped for HTTP/1.0."""
        if not 100 <= status <= 199 or status == 101:
            raise LocalProtocolError(
                f"an informational response is 100 to 199 but not 101, which upgrade() sends; "
                f"got {status}"
            )
        head = encode_status_line(status) + encode_fields(fields).block + b"\r\n"
        if self._status:
            raise self._misuse(f"an informational response with status {status}")
        self._connection.take_turn(INFORMATION)
        if self.head.version is not HttpVersion10:  # RFC 9110, section 15.2
            self._connection.send(head)

    async def start(self, status: int, fields: Fields = (), *, reason: str | None = None) -> None:
        """Begin a response whose body follows. The head leaves with the first body bytes."""
        head, framing = self._compose(status, fields, reason, None)
        self._begin(status, head, framing)

    def _begin(self, status: int, head: bytes, framing: Framing) -> None:
        self._connection.take_turn(RESPONSE_HEAD)
        self._status = status
        self._unsent_head = head
        self._writer = body_writer(framing)
        self._writes = 0

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a part of the body; waits while the client reads slower than we write."""
        connection = self._connection
        for piece in (data,) if isinstance(data, bytes) and len(data) <= _PIECE else _pieces(data):
            writer = self._under_way("write")
            if not self._has_content:
                return
            framed = writer.encode(piece)
            self.body_sent = writer.sent
            connection.send(self._with_head(framed))
            self._writes += 1
            if not connection.is_writable:
                await connection.gate.wait()
            elif connection.is_gone or self._writes % _WRITES_IN_TURN == 0:
                # A client that takes everything never makes us wait. And that one has gone
                # is told in the loop's next turn, which a handler must not put off for ever.
                await asyncio.sleep(0)

    def _under_way(self, what: str) -> BodyWriter:
        """Return what frames the body of the response that is being sent."""
        writer = self._writer
        if writer is None or self._connection.state not in _UNDER_WAY:
            raise self._misuse(what)
        return writer

    def _with_head(self, data: bytes | bytearray | memoryview) -> bytes | bytearray | memoryview:
        """Put the head before the first bytes of the body: one write instead of two."""
        if not self._unsent_head:
            return data
        head, self._unsent_head = self._unsent_head, b""
        return head + data

    async def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> None:
        """Send ``count`` bytes of a file (to its end if None) as a part of the body."""
        writer = self._under_way("sendfile")
        if count is None:
            count = max(0, file.seek(0, os.SEEK_END) - offset)
        if not self._has_content:
            return
        if count and isinstance(writer, LengthWriter) and not self._is_tls:
            sent = await self._send_by_kernel(writer, file, offset, count)
            offset += sent
            count -= sent
        file.seek(offset)
        while count > 0:
            data = file.read(min(count, _PIECE))
            if not data:
                raise LocalProtocolError(f"the file ended {count} bytes early")
            count -= len(data)
            await self.write(data)

    async def _send_by_kernel(
        self, writer: LengthWriter, file: IO[bytes], offset: int, count: int
    ) -> int:
        """Send from a file without reading it; return how many bytes the kernel took that way.

        By ``os.sendfile``: uvloop has none, and asyncio's doesn't tell whether the client
        makes progress. On a duplicate of the socket's descriptor, because a loop
        refuses to watch the one that its transport uses.
        """
        connection = self._connection
        route = _kernel_route(file, self.get_extra_info("socket"))
        if route is None:
            return 0
        source, target = route
        writer.frame(count)
        left = count
        cork(self._transport, is_corked=True)
        try:
            connection.send(self._with_head(b""))
            await connection.wait_sent()
            while left and (
                sent := await self._send_piece(target, source, offset + count - left, left)
            ):
                left -= sent
        except ConnectionError as exc:
            connection.abort()
            raise PeerDisconnected("the client closed the connection") from exc
        finally:
            os.close(target)
            cork(self._transport, is_corked=False)
            writer.sent -= left
            self.body_sent = writer.sent
        return count - left

    async def _send_piece(self, target: int, source: int, offset: int, left: int) -> int:
        """Have the kernel send some bytes; return how many, 0 if there is nothing or it can't."""
        sent: int | None = None
        while sent is None:
            try:
                sent = os.sendfile(target, source, offset, min(left, _FILE_PIECE))
            except BlockingIOError:
                await self._connection.wait_writable(target)
            except ConnectionError:
                raise
            except OSError:
                return 0  # a file that can't be sent so; one that can't be read says it when it is
        self._service.books.bytes_sent += sent
        await asyncio.sleep(0)
        return sent

    async def finish(self, trailers: Fields = ()) -> None:
        """End the response. Trailers need chunked framing, else they are dropped."""
        connection, writer = self._connection, self._under_way("finish")
        last = writer.finish(trailers) if self._has_content else b""
        if self._unsent_head or last:
            connection.send(self._with_head(last))
        connection.take_turn(RESPONSE_END)
        connection.response_is_over(self, self._status, self._service.time())
        if not connection.is_writable:
            await connection.gate.wait()

    async def upgrade(
        self, status: int = 101, fields: Fields = (), *, reason: str | None = None
    ) -> tuple[asyncio.Transport, bytes]:
        """Send this head and give away the transport, with the bytes already read from it."""
        if self._status:
            raise self._misuse(f"an upgrade with status {status}")
        fields = list(fields)
        encoded = encode_fields(fields)
        ending = b"\r\n"
        if status == 101:
            if not self.head.upgrade:
                raise InvalidUse("the client has not asked for an upgrade: 101 is not an answer")
            if b"\r\nupgrade:" not in b"\r\n" + encoded.block.lower():
                raise LocalProtocolError(
                    "101 must name the new protocol in a field Upgrade (RFC 9110, section 7.8)"
                )
            ending = b"Connection: Upgrade\r\n\r\n"
        elif self.head.method != "CONNECT" or not 200 <= status <= 299:
            raise InvalidUse(f"expected 101, or 2xx to CONNECT, to switch protocols; got {status}")
        date = b"" if encoded.has_date else self._service.date_line(self._service.time())
        head = encode_status_line(status, reason) + date + encoded.block
        connection = self._connection
        connection.take_turn(SWITCH)
        self._status = status
        self.sent_fields = fields
        connection.send(head + ending)
        self._service.books.responses[status] += 1
        # What came with the request is queued when its receiver goes on, for it may have
        # called us.
        await asyncio.sleep(0)
        return connection.hand_over()

    def _compose(
        self, status: int, fields: Fields, reason: str | None, length: int | None
    ) -> tuple[bytes, Framing]:
        """Return the head of the final response, and how its body is framed (0: no body).

        ``length`` is the body's, or None where it isn't known.
        """
        if self._status:
            raise self._misuse(f"a response with status {status}")
        if status < 200:
            raise LocalProtocolError(
                f"a final response is 200 to 999, got {status}; see inform() and upgrade()"
            )
        service, connection = self._service, self._connection
        method = self.head.method
        is_whole, is_given = length is not None, False
        date, server = service.date_line(service.time()), service.server_line
        if not isinstance(fields, (list, tuple)):
            fields = list(fields)
        self.sent_fields = fields
        block = encode_plain_fields(fields)
        self._has_content = method != "HEAD" and status not in _WITHOUT_CONTENT
        if block is None:
            encoded = encode_fields(fields)
            block = encoded.block
            length, is_given = self._given_length(encoded, length)
            date = b"" if encoded.has_date else date
            server = b"" if encoded.has_server else server
            if "close" in encoded.connection:
                connection.close_after_response()
        is_chunked = length is None and self.head.version is not HttpVersion10
        if length is None and not is_chunked and self._has_content:
            connection.close_after_response()  # which is the body's end
        if method == "CONNECT" and status < 300:
            raise InvalidUse("a 2xx to CONNECT opens a tunnel: use upgrade()")
        if length is not None and self._has_content:
            # Nearly every response: what the two functions below would say of it.
            framing_line = _length_line(length)
            framing: Framing = length
        else:
            framing_line = _framing_line(status, length, is_chunked=is_chunked, is_given=is_given)
            framing = body_framing(
                status=status, method=method, chunked=is_chunked, content_length=length
            )
        status_line = encode_status_line(status, reason)
        ending = connection.ending(is_whole)
        return b"".join((status_line, date, server, block, framing_line, ending)), framing

    def _given_length(self, encoded: EncodedFields, length: int | None) -> tuple[int | None, bool]:
        """Return the length of the body, and whether it is the program's Content-Length."""
        given = encoded.content_length
        if given is None:
            return length, False
        if length is not None and self._has_content and given != length:
            raise LocalProtocolError(
                f"Content-Length says {given} bytes, but the body has {length}"
            )
        return given, True

    def _misuse(self, what: str) -> HttpException:
        if self.is_disconnected:
            return PeerDisconnected("the client closed the connection")
        return InvalidUse(
            f"{what} in state {self._connection.state.name}: expected respond(), or start(), "
            "write() …, finish(), each response once"
        )

    # How it ended.

    @property
    def response_status(self) -> int:
        """The final status that was sent; 0 before the head is decided."""
        return self._status

    @property
    def ends_with_connection(self) -> bool:
        """Whether a response is under way whose end is that of the connection."""
        return isinstance(self._writer, CloseWriter) and not self.is_over

    @property
    def is_disconnected(self) -> bool:
        """Whether the client has gone away."""
        return self._connection.state is CLOSED and not self.is_over

    async def wait_disconnected(self) -> None:
        """Return when the client has gone away, or this exchange is over."""
        while not self._is_out_of_touch:
            await self._wait_change()

    async def wait_input_ended(self) -> None:
        """Return when the client has closed its side, has gone, or this exchange is over."""
        while not (self._is_out_of_touch or self._connection.has_input_ended):
            await self._wait_change()

    @property
    def _is_out_of_touch(self) -> bool:
        return self.is_over or self.is_disconnected or self._connection.is_lost

    async def _wait_change(self) -> None:
        if self._change is None:
            self._change = asyncio.Event()
        await self._change.wait()

    def tell_change(self) -> None:
        """Wake up whoever waits for a change."""
        if self._change is not None:
            self._change.set()
            self._change = None

    @property
    def is_draining(self) -> bool:
        """Whether the server is about to stop: endless responses should end now."""
        return self._service.is_draining

    async def wait_draining(self) -> None:
        """Return when the server begins to drain."""
        await self._service.wait_draining()

    def close_after(self) -> None:
        """Announce ``Connection: close`` and close when this exchange is over."""
        if not self.is_over:
            self._connection.close_after_response()

    # What the connection calls.

    def take(self, take: Callable[[TakenExchange], Callable[[], object] | None]) -> bool:
        """Let the application take this request, if it wants it."""
        withdraw: Callable[[], object] | None = _nothing
        self._withdraw = withdraw  # for it may be answered while it is taken
        try:
            withdraw = take(self)
        except Exception as exc:  # noqa: BLE001 - handed on, which logs it
            self._withdraw, self.is_handled = None, True
            self.fail(exc)
        if self._withdraw is not None:
            self._withdraw = withdraw
        return withdraw is not None

    def end(self) -> None:
        """Take note that the response is complete."""
        self.is_over = True
        self._writer = None
        self.tell_change()

    def lose(self) -> None:
        """Take note that the client has gone before the response was complete."""
        if self.is_over:
            return
        self.tell_change()
        if self._withdraw is not None:
            withdraw, self._withdraw = self._withdraw, None
            withdraw()
            self.is_handled = True
            self.request = None
            self._service.report(self)
        elif self.cancel_on_disconnect and self.own_task is not None:
            self.own_task.add_done_callback(self._report_unbegun)
            service = self._service
            service.cancel(
                self.own_task, "the client closed the connection", service.disconnect_grace
            )

    def _report_unbegun(self, task: asyncio.Task[None]) -> None:
        """Report a request whose handler was cancelled before it began, and so never ended."""
        if not self.is_handled:
            self.is_handled = True
            self._service.report(self)

    def fail(self, exc: Exception) -> None:
        """Answer for a handler that raised: by the error's status, or 500, or by cutting."""
        if isinstance(exc, PeerDisconnected):
            # One that has closed its side may have gone, and its handler says that it has.
            if self._connection.is_gone or (self._status and self._connection.has_input_ended):
                self._connection.abort()
                return
        elif isinstance(exc, RemoteProtocolError) and not self._is_begun:
            self._connection.close_after_response()
            self._respond_plainly(exc)
            return
        logger.error(
            "error in the handler of %s %s", self.head.method, shown(self.head.target), exc_info=exc
        )
        self._make_up_for_it()

    def refuse(self) -> None:
        """Answer plainly what the connection could not take; an error that wasn't one is a 500."""
        self.is_handled = True
        self._respond_plainly(
            self.refusal or HttpException("the server failed to answer this request")
        )

    def conclude(self) -> None:
        """Make up for a handler that returned without a complete response."""
        if self._connection.state in (CLOSED, SWITCHED):
            return
        if self.refusal is not None and not self._is_begun:
            self.refuse()
            return
        logger.error(
            "the handler of %s %s returned %s",
            self.head.method,
            shown(self.head.target),
            "without finish()" if self._status else "without a response",
        )
        self._make_up_for_it()

    def _make_up_for_it(self) -> None:
        if self.is_over:
            return
        if self._is_begun:
            # So that nobody takes the part for the whole.
            self._connection.abort()
        else:
            self.refuse()

    @property
    def _is_begun(self) -> bool:
        """Whether a part of the response may have been sent: start() alone sends nothing."""
        return self._status != 0 and not self._unsent_head

    def _respond_plainly(self, exc: HttpException) -> None:
        """Send an error for people, or cut: this must not fail."""
        if self._connection.state is CLOSED:
            return
        body = f"{exc.status} {reason_of(exc.status)}: {exc.message}\n".encode(errors="replace")
        fields: list[tuple[str, str]] = [_PLAIN_TEXT]
        if isinstance(exc, MethodNotAllowed):
            fields.append(("Allow", ", ".join(exc.allowed)))  # RFC 9110, section 15.5.6
        event = RESPONSE_END if self._status else RESPONSE_WHOLE
        self._status, self._unsent_head = 0, b""
        try:
            self._respond(exc.status, fields, body, None, event)
        except Exception:
            logger.exception("can't answer %s", shown(self.head.target))
            self._connection.abort()


def _nothing() -> None:
    """Withdraw nothing."""


_PLAIN_TEXT: Final = ("Content-Type", "text/plain; charset=utf-8")
_WITHOUT_CONTENT: Final = frozenset({204, 304})
_UNUSUAL_METHODS: Final = frozenset({"HEAD", "CONNECT"})
_USUAL_STATUS_LINES: Final[dict[int, bytes]] = {
    status: encode_status_line(status)
    for status in HTTPStatus
    if status >= 200 and status not in _WITHOUT_CONTENT
}


_UNDER_WAY: Final = frozenset({BOTH, RESPONSE})


@lru_cache(maxsize=1024)  # 30 ns instead of 110
def _length_line(length: int) -> bytes:
    return b"Content-Length: %d\r\n" % length


def _pieces(data: bytes | bytearray | memoryview) -> Iterator[bytes | memoryview]:
    """Yield data in pieces that a transport may keep after its owner has changed the original."""
    view = memoryview(data).cast("B")
    for start in range(0, len(view) or 1, _PIECE):
        piece = view[start : start + _PIECE]
        yield piece if piece.readonly else bytes(piece)


def _kernel_route(file: IO[bytes], sock: Any) -> tuple[int, int] | None:
    """Return the descriptors of a file and, doubled, of a socket; None where there are none."""
    if sock is None or not hasattr(os, "sendfile"):
        return None
    # A descriptor alone says little: that of a gzip file is the compressed file's.
    if not isinstance(getattr(file, "raw", file), io.FileIO):
        return None
    try:
        return file.fileno(), os.dup(sock.fileno())
    except OSError:
        return None


def _framing_line(status: int, length: int | None, *, is_chunked: bool, is_given: bool) -> bytes:
    """Return the field line that frames a response's body, if there is to be one."""
    if status == 204 or (status == 304 and not is_given):
        return b""  # RFC 9110, sections 15.3.5 and 15.4.5
    if length is not None:
        return _length_line(length)
    return b"Transfer-Encoding: chunked\r\n" if is_chunked else b""
