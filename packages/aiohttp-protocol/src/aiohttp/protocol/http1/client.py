"""The client's end of a connection of HTTP/1: asyncio around the pure parts.

``ClientHttpProtocol.start`` sends a request and returns a ``ClientExchange``,
which gives back the response: its head, and its body as a ``StreamReader``. One
exchange at a time. Whose turn it is stands in ``state``; the rules of the wire are
in ``head``, ``body`` and ``encode``. What is left here is to bring bytes to them,
and to see to it that an exchange ends in one of two ways: everything is in place
for the next one, or the connection is closed.
"""

from __future__ import annotations

import asyncio
import math
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, cast

from multidict import istr

from ..coding import ContentDecoder, available_codings, content_decoder
from ..errors import (
    BadHttpMessage,
    HttpException,
    InvalidUse,
    LimitExceeded,
    PeerDisconnected,
    PeerTooSlow,
    RemoteProtocolError,
)
from ..headers import shown
from ..limits import DEFAULT_LIMITS, Limits
from ..sockets import HasFileno, Peephole, tune
from ..streams import EMPTY_STREAM, StreamReader, WriteGate, receive_buffer
from ..timers import Deadlines
from .body import (
    BodyDecoder,
    ChunkedBody,
    CloseBody,
    Framing,
    LengthBody,
    body_decoder,
    body_framing,
    body_writer,
)
from .client_exchange import JOINED, PIECE, ClientExchange, RequestBody
from .encode import EncodedFields
from .head import (
    HeadCollector,
    HttpVersion,
    HttpVersion10,
    HttpVersion11,
    ResponseHead,
    find_response_end,
    parse_response_head,
)
from .request import encode_request_head, request_framing
from .state import (
    BOTH,
    CLOSE,
    CLOSED,
    COMPLETE,
    EARLY,
    IDLE,
    INFORMATION,
    NEXT,
    REQUEST,
    REQUEST_END,
    REQUEST_HEAD,
    REQUEST_WHOLE,
    RESPONSE,
    RESPONSE_END,
    RESPONSE_HEAD,
    RESPONSE_WHOLE,
    SWITCH,
    SWITCHED,
    WAITING,
    advance,
)

__all__ = ["ClientHttpProtocol"]

_NO_FIELDS: Final = EncodedFields(b"")

_INFORMATIONAL: Final = 64
"""How many informational responses a server may send before the final one."""

# So much is written in one go, at most about a millisecond's work; then the others get their
# turn. A write counts as if it had 64 KiB more.
_WRITE: Final = 64 * 1024
_WRITTEN_IN_TURN: Final = 64 * _WRITE

_CONTENT_ENCODING: Final = istr("Content-Encoding")
_KEEP_ALIVE: Final = istr("Keep-Alive")

_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"

_REQUEST_GOES: Final = frozenset({REQUEST, BOTH, EARLY})
_HEAD_COMES: Final = frozenset({REQUEST, WAITING})
_BODY_COMES: Final = frozenset({BOTH, RESPONSE})


def _nothing(_: object) -> None:
    """Stand in for somebody who wants to be told."""


def _bound(limit: int | None) -> float:
    return math.inf if limit is None else limit


def _same(exc: BaseException) -> BaseException:
    """Stand in for somebody who translates errors."""
    return exc


class ClientHttpProtocol(asyncio.BufferedProtocol):
    """The client's end of one connection. Needs a running loop.

    Bytes that come while nobody has asked for anything condemn a connection, and
    so do bytes behind a complete response: nothing they say can be an answer.

    Args:
        deadlines: of the running loop.
        limits: ``keep_alive`` is how long the connection may be idle, unless the
            server announces less.
        label: what ``repr`` and errors call it, such as ``"api.example:443"``.
        sock: below the transport, non-blocking. With it a connection that was idle looks
            before a request whether something waits there that the loop hasn't told yet.
        released: called once for every exchange that ``start`` returned, when it is
            over and the connection is either ready for another one or closed.
        lost: called once when the connection closes between exchanges.
    """

    __slots__ = (
        "__weakref__",
        "_body",
        "_collector",
        "_deadline",
        "_deadlines",
        "_decode",
        "_decoder",
        "_dropped",
        "_exchange",
        "_gate",
        "_idle_time",
        "_informational",
        "_is_paused",
        "_keep",
        "_largest",
        "_limit",
        "_limits",
        "_loop",
        "_lost",
        "_may_upgrade",
        "_peephole",
        "_read_time",
        "_released",
        "_rest",
        "_shared",
        "_sock",
        "_state",
        "_transport",
        "_until_close",
        "_usual_limits",
        "_written",
        "label",
        "requests",
    )

    def __init__(
        self,
        deadlines: Deadlines,
        *,
        limits: Limits = DEFAULT_LIMITS,
        label: str = "",
        sock: socket.socket | None = None,
        released: Callable[[ClientHttpProtocol], object] = _nothing,
        lost: Callable[[ClientHttpProtocol], object] = _nothing,
    ) -> None:
        self.label = label or "the server"
        self.requests = 0
        self._deadlines = deadlines
        self._usual_limits = limits
        self._sock: HasFileno | None = sock
        self._peephole: Peephole | None = None
        self._released = released
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._state = IDLE
        self._transport: asyncio.Transport | None = None
        self._gate = WriteGate()
        self._written = 0  # in this turn of an upload
        self._deadline = deadlines.deadline(self._time_is_up)
        self._idle_time = limits.keep_alive
        self._rest = b""  # for whoever takes over the transport
        # What the exchange under way is about; set by ``start``.
        self._exchange: ClientExchange | None = None
        self._bind_by(limits)
        self._limit = math.inf
        self._read_time = 0.0
        self._keep = True  # whether the connection may outlive the exchange
        self._may_upgrade = False
        self._decode = True
        self._until_close = True
        # How far its response has come.
        self._collector: HeadCollector | None = None
        self._informational = 0
        self._decoder: BodyDecoder | None = None
        self._body: StreamReader = EMPTY_STREAM
        self._shared: memoryview | None = None  # lent last; None: the body's own memory was
        self._is_paused = False  # by a body that nobody reads
        self._dropped = -1  # bytes of a discarded body; -1: it isn't discarded

    def __repr__(self) -> str:
        count = f"{self.requests} request{'' if self.requests == 1 else 's'}"
        return f"<{type(self).__name__} {self.label} {self._state.name}, {count}>"

    # What a pool asks.

    @property
    def is_reusable(self) -> bool:
        """Whether an exchange may start: connected, idle, and nothing unasked has come."""
        return (
            self._state is IDLE and self._transport is not None and not self._transport.is_closing()
        )

    @property
    def transport(self) -> asyncio.Transport | None:
        """What carries the bytes, or has carried them; None before the connection was made."""
        return self._transport

    def get_extra_info(self, name: str) -> Any:
        """Return what the transport knows by this name, such as ``"peername"``, or None."""
        return None if self._transport is None else self._transport.get_extra_info(name)

    def look_into(self, sock: HasFileno) -> None:
        """Do with this socket what the argument ``sock`` is for; it may be the transport's."""
        self._sock = sock

    def close(self) -> None:
        """Close the connection, whatever it is doing. Twice is fine; it never fails."""
        self._fail(InvalidUse(f"the connection to {self.label} was closed on this side"))

    # Sending.

    def start(
        self,
        method: str,
        target: str,
        authority: str,
        fields: EncodedFields = _NO_FIELDS,
        body: RequestBody = b"",
        *,
        version: HttpVersion = HttpVersion11,
        chunk_size: int = 0,
        expect_continue: bool = False,
        close: bool = False,
        deadline: float = math.inf,
        read_time: float = 0.0,
        decode: bool = True,
        until_close: bool = True,
        limits: Limits | None = None,
        translate: Callable[[BaseException], BaseException] = _same,
        on_information: Callable[[ResponseHead], object] = _nothing,
    ) -> ClientExchange:
        """Send a request: at once if it is small, else while the response is awaited.

        Args:
            method: such as ``"GET"``.
            target: percent-encoded; for CONNECT the same as ``authority``.
            authority: for the Host field, unless ``fields`` have one.
            fields: the others. What they say about the framing is honoured, and the
                body held to it.
            body: bytes, or an asynchronous iterable of bytes, which is sent chunked
                unless ``fields`` have a Content-Length.
            version: 1.1 or 1.0.
            chunk_size: if not 0, bytes, too, are sent chunked, in chunks of that size.
            expect_continue: hold the body back until the server asks for it or has
                been silent for a second. After a final response it isn't sent.
            close: use the connection for this request only, and say so.
            deadline: for the whole exchange, on the loop's clock.
            read_time: seconds that may pass without a byte of the response; 0: any.
            decode: whether to undo the response's content coding.
            until_close: whether a response that announces no length has a body,
                which ends with the connection (RFC 9112, section 6.3, rule 8).
            limits: of this exchange, in place of the connection's; all but ``keep_alive``.
            translate: makes of an error of the response's body what its readers get.
            on_information: called with the head of each 1xx but 100 and 101.

        Raises:
            LocalProtocolError: if this can't be put on the wire. Nothing was sent; the
                connection is as good as before, and the caller still holds it.
            PeerDisconnected: if the connection was closed meanwhile, or something came
                on it that nobody had asked for; likewise.
        """
        transport = self._transport
        if transport is None or self._state is not IDLE or transport.is_closing():
            raise self._why_not_ready()
        # Before each request: 0.4 of 20 µs, and what is in the kernel can't be an answer to it.
        if self._peephole is not None and self._peephole.poll(0):
            self._look(self._peephole)
        length = len(body) if isinstance(body, bytes) else None
        framing = request_framing(fields, length, version, in_chunks=bool(chunk_size))
        hold_back = expect_continue and framing != 0 and version > HttpVersion10
        close = close or "close" in fields.connection
        head = encode_request_head(
            method,
            target,
            authority,
            fields,
            framing,
            version=version,
            expect_continue=hold_back,
            close=close,
        )
        exchange = ClientExchange(
            self, method, self._loop.create_future(), translate, on_information
        )
        self._exchange = exchange
        self.requests += 1
        if limits is None:
            limits = self._usual_limits
        if limits is not self._limits:
            self._bind_by(limits)
        self._keep = not close
        self._may_upgrade = "upgrade" in fields.connection
        self._decode = decode
        self._until_close = until_close
        self._limit = deadline
        self._read_time = read_time
        self._watch()
        if (
            isinstance(body, bytes)
            and len(body) == framing
            and len(body) <= JOINED
            and not hold_back
        ):
            exchange.is_request_sent = True
            self._state = advance(self._state, REQUEST_WHOLE)
            transport.write(head + body)
        else:
            self._state = advance(self._state, REQUEST_HEAD)
            transport.write(head)
            writer = body_writer(framing)
            exchange.begin_upload(body, writer, chunk_size or PIECE, hold_back=hold_back)
        return exchange

    def _why_not_ready(self) -> HttpException:
        if self._state is CLOSED or (self._transport and self._transport.is_closing()):
            return PeerDisconnected(f"the connection to {self.label} is closed")
        if self._transport is None:
            return InvalidUse("expected a connection, but none was made yet")
        return InvalidUse(f"expected an idle connection, got {self!r}: one exchange at a time")

    def _bind_by(self, limits: Limits) -> None:
        self._limits = limits
        self._largest = min(_bound(limits.body), _bound(limits.decoded))  # of plain bodies

    def _look(self, peephole: Peephole) -> None:
        """Find out what the loop hasn't told yet, and would take for the answer to a request.

        Raises:
            PeerDisconnected: if there is such a thing; the connection is closed then.
        """
        if seen := peephole.look():
            self._close()
            raise PeerDisconnected(f"{self.label} {seen} the idle connection")

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: requests may be sent."""
        self._transport = cast(asyncio.Transport, transport)
        tune(self._transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the memory to receive into: the body's own, or what all connections share."""
        if self._body is not EMPTY_STREAM and (room := self._body.get_buffer()) is not None:
            self._shared = None
            return room
        self._shared = receive_buffer()
        return self._shared

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was received into the buffer lent last."""
        if self._read_time:
            self._watch()
        if self._shared is None:
            self._receive_into_body(nbytes)
        else:
            self.data_received(bytes(self._shared[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """Take bytes from the server."""
        try:
            while data:
                if self._state in _HEAD_COMES:
                    data = self._receive_head(data)
                elif self._state in _BODY_COMES:
                    self._receive_body(data)
                    return
                elif self._state is SWITCHED:
                    self._rest += data
                    return
                else:
                    self._condemn(data)
                    return
        except RemoteProtocolError as exc:
            self._fail(exc)

    def eof_received(self) -> None:
        """End: the server won't say any more; the transport closes itself after this."""
        self._end(None)

    def pause_writing(self) -> None:
        """Hold the upload back: the server reads slower than we write."""
        self._gate.pause()

    def resume_writing(self) -> None:
        """Let the upload go on."""
        self._gate.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """End: whatever was under way fails."""
        # The transport is kept: it still knows whom it was connected to.
        self._end(exc)

    # Receiving.

    def _receive_head(self, data: bytes) -> bytes:
        """Take a head if it is whole; return what is behind it."""
        exchange = self._exchange
        if exchange is None:
            return b""
        exchange.is_answered = True
        if self._collector is None:
            end = find_response_end(data)
            if end >= 0:
                return self._take_head(exchange, data[:end], data[end:])
            self._collector = HeadCollector(self._limits, is_request=False)
        found = self._collector.feed(data)
        if found is None:
            return b""
        self._collector = None
        return self._take_head(exchange, *found)

    def _take_head(self, exchange: ClientExchange, head_bytes: bytes, data: bytes) -> bytes:
        """Begin the response that this head announces; return what is behind its body."""
        head = parse_response_head(head_bytes, self._limits)
        if head.status < 200 or (exchange.method == "CONNECT" and head.status < 300):
            return self._take_interim(exchange, head, data)
        framing = body_framing(
            status=head.status,
            method=exchange.method,
            chunked=head.chunked,
            content_length=head.content_length,
        )
        if framing == "close" and not self._until_close:
            framing = 0
            self._keep = False
        if not head.keep_alive:
            self._keep = False
        elif _KEEP_ALIVE in head.headers:
            self._idle_time = _announced_idle_time(head, self._usual_limits.keep_alive)
        if self._state is REQUEST:
            self._consider_upload(exchange, head)
        if framing == 0:
            exchange.whole_body = b""
            return self._complete_at_once(exchange, head, data)
        if type(framing) is int and len(data) >= framing <= self._largest:
            content, rest = data[:framing], data[framing:]
        elif framing == "chunked" and (chunks := self._whole_chunks(data)) is not None:
            content, rest = chunks, b""
        else:
            self._begin_body(exchange, head, framing)
            return data
        if _CONTENT_ENCODING not in head.headers or not self._decode:
            exchange.whole_body = content
            return self._complete_at_once(exchange, head, rest)
        codings = head.headers.getall(_CONTENT_ENCODING)
        if len(codings) == 1 <= self._limits.codings and codings[0] in available_codings():
            exchange.coded_body = content, codings[0], self._limits
            return self._complete_at_once(exchange, head, rest)
        self._begin_body(exchange, head, framing)
        return data

    def _whole_chunks(self, data: bytes) -> bytes | None:
        """Return the content of a chunked body, if that is all of ``data``; None: not at once.

        That is, if anything is unusual about it: trailers, an error, a limit exceeded.
        """
        if not data.endswith(_LAST_CHUNK):
            return None
        decoder = ChunkedBody(self._limits)
        try:
            content, size = decoder.decode(data)
        except RemoteProtocolError:
            return None  # who reads is told
        if size < len(data) or decoder.trailers or len(content) > self._largest:
            return None
        return content if decoder.is_complete else None

    def _complete_at_once(self, exchange: ClientExchange, head: ResponseHead, data: bytes) -> bytes:
        """Deliver a response whose body has come with its head: nearly all small ones.

        Returns what is left to be received as something else: nothing.
        """
        self._state = advance(self._state, RESPONSE_WHOLE)
        exchange.deliver(head)
        self._end_response(exchange, data)
        return b""

    def _begin_body(self, exchange: ClientExchange, head: ResponseHead, framing: Framing) -> None:
        self._decoder = body_decoder(framing, self._limits)
        self._state = advance(self._state, RESPONSE_HEAD)
        try:
            content = self._content_decoder(head)
        except RemoteProtocolError:
            # Whoever doesn't read the body need not know that nobody can.
            self._body = exchange.body = StreamReader(translate=exchange.translate)
            raise
        else:
            self._body = exchange.body = StreamReader(
                pause=self._pause_reading,
                resume=self._resume_reading,
                high_water=self._limits.read_buffer,
                max_size=self._limits.decoded,
                length=framing if type(framing) is int else None,
                decoder=content,
                translate=exchange.translate,
                give_up=self._fail,
            )
        finally:
            exchange.deliver(head)

    def _content_decoder(self, head: ResponseHead) -> ContentDecoder | None:
        if not self._decode or _CONTENT_ENCODING not in head.headers:
            return None
        codings = ", ".join(head.headers.getall(_CONTENT_ENCODING))
        return content_decoder(codings, self._limits)

    def _take_interim(self, exchange: ClientExchange, head: ResponseHead, data: bytes) -> bytes:
        """Take a response that isn't the final one, or that ends HTTP on this connection."""
        if head.status >= 200 or head.status == 101:
            if head.status == 101 and not self._may_upgrade:
                raise BadHttpMessage("101 Switching Protocols, but no upgrade was asked for")
            if self._state is not WAITING:
                raise BadHttpMessage(f"{head.status} before the request was sent whole")
            self._switch(exchange, head, data)
            return b""
        self._informational += 1
        if self._informational > _INFORMATIONAL:
            raise LimitExceeded(
                f"expected at most {_INFORMATIONAL} informational responses, got more",
                name="informational",
                limit=_INFORMATIONAL,
            )
        self._state = advance(self._state, INFORMATION)
        if head.status == 100:
            exchange.go_on()
            return data
        try:
            exchange.on_information(head)
        except Exception as exc:  # noqa: BLE001 the callback is the program's: it may raise anything
            self._fail(exc)
        return data

    def _consider_upload(self, exchange: ClientExchange, head: ResponseHead) -> None:
        """Stop an upload that the final response makes pointless.

        That is an error or a redirect (RFC 9110, section 7.5; RFC 9112, section 9.5),
        and any response where the body was held back. A success may be streamed
        while the request still is.
        """
        if exchange.is_held_back or head.status >= 300:
            exchange.is_upload_unwanted = True
            exchange.stop_upload()
            self._keep = False

    def _receive_body(self, data: bytes) -> None:
        """Take what belongs to the body, and end it if that was all."""
        decoder = self._decoder
        if decoder is None:
            return
        content, size = decoder.decode(data)
        if self._dropped >= 0:
            self._drop(len(content))
        elif content:
            self._body.feed_data(content)
        if decoder.is_complete:
            self._end_body(data[size:])

    def _receive_into_body(self, size: int) -> None:
        """Count what was received straight into the body's final buffer."""
        self._body.buffer_updated(size)
        if isinstance(self._decoder, LengthBody):
            self._decoder.take(size)
            if self._decoder.is_complete:
                self._end_body(b"")

    def _end_body(self, surplus: bytes) -> None:
        exchange, decoder, body = self._exchange, self._decoder, self._body
        if exchange is None or decoder is None:
            return
        self._decoder, self._body = None, EMPTY_STREAM
        self._state = advance(self._state, RESPONSE_END)
        if self._dropped < 0:
            body.feed_eof(decoder.trailers)
        self._end_response(exchange, surplus)

    def _end_response(self, exchange: ClientExchange, surplus: bytes) -> None:
        """Go on after a complete response; it was good, whatever comes behind it."""
        exchange.is_complete = True
        if surplus:
            self._keep = False
        if self._state is EARLY and (surplus or exchange.is_upload_unwanted):
            # The rest of the request interests nobody any more. Behind a success it goes on,
            # even if the connection is to be closed then: the server may still read it.
            self._close()
        else:
            self._finish()

    def _finish(self) -> None:
        """Make ready for the next exchange, or close, if this one is complete."""
        if self._state is not COMPLETE:
            return
        if not self._keep or not self._idle_time:
            self._close()
            return
        self._state = advance(self._state, NEXT)
        self._exchange = None
        self._informational = 0
        self._dropped = -1
        self._deadline.set(self._deadlines.time() + self._idle_time)
        if self._peephole is None and self._sock is not None:
            is_tls = self.get_extra_info("ssl_object") is not None
            self._peephole = Peephole(self._sock, is_tls=is_tls)
        self._released(self)

    # Ending.

    def _end(self, cause: Exception | None) -> None:
        """Act on the end of what the server sends; ``cause`` is None for a clean one."""
        decoder = self._decoder
        if decoder is not None and self._state in _BODY_COMES:
            if cause is None:
                try:
                    decoder.end()
                except RemoteProtocolError as exc:
                    self._fail(exc)
                else:
                    self._keep = False
                    self._end_body(b"")
                return
            lost = PeerDisconnected(
                f"{self.label} broke the connection after {decoder.received} bytes of the body"
            )
            lost.__cause__ = cause
            self._fail(lost)
        elif self._state is not CLOSED:
            what = "before it had answered"
            if self._collector is not None:
                what = f"after {len(self._collector)} bytes of the head of its response"
            gone = PeerDisconnected(f"{self.label} closed the connection {what}")
            gone.__cause__ = cause
            self._fail(gone)

    def _condemn(self, data: bytes) -> None:
        """Close a connection on which something came that nobody had asked for."""
        if self._state is not CLOSED:
            self._fail(BadHttpMessage(f"expected silence on an idle connection, got {shown(data)}"))

    def _fail(self, exc: BaseException) -> None:
        """End the exchange under way, if any, with this error; close the connection.

        Nothing of that can be done once the loop is closed, and nobody waits for it.
        """
        if self._state is CLOSED or self._loop.is_closed():
            return
        exchange = self._exchange
        if exchange is not None and not exchange.fail(exc) and self._body is not EMPTY_STREAM:
            self._body.set_exception(exc)
        self._close()

    def _close(self) -> None:
        exchange, self._exchange = self._exchange, None
        self._state = advance(self._state, CLOSE)
        self._deadline.close()
        self._gate.fail(PeerDisconnected(f"the connection to {self.label} is closed"))
        self._decoder, self._body, self._collector = None, EMPTY_STREAM, None
        if self._transport is not None:
            # Not close(): what is still unsent would keep a half-dead peer's socket open.
            self._transport.abort()
        if exchange is None:
            self._lost(self)
        else:
            exchange.stop_upload()
            self._released(self)

    # What the exchange calls.

    @property
    def deadlines(self) -> Deadlines:
        """What keeps the time here."""
        return self._deadlines

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a part of the request's body; waits while the server reads slower than we write.

        Raises:
            PeerDisconnected: if the connection is closed.
        """
        if not self._gate.is_open:
            await self._gate.wait()
        if self._transport is not None and data:
            self._transport.write(data)
            self._written += _WRITE + len(data)
            if self._written >= _WRITTEN_IN_TURN or self._transport.is_closing():
                self._written = 0
                # A server that takes everything never makes us wait: let its answer be
                # read, the others have their turn, and the loop tell that it has gone.
                await asyncio.sleep(0)

    def upload_ended(self, exchange: ClientExchange) -> None:
        """Go on after the last byte of a request's body."""
        if exchange is self._exchange:
            self._state = advance(self._state, REQUEST_END)
            self._watch()
            self._finish()

    def upload_failed(self, exchange: ClientExchange, exc: BaseException) -> None:
        """Give up: the server waits for the rest of a body that doesn't come."""
        if exchange is self._exchange:
            self._fail(exc)

    def serves(self, exchange: ClientExchange) -> bool:
        """Whether this exchange is the one under way."""
        return exchange is self._exchange

    def call_soon(self, callback: Callable[[], object]) -> None:
        """Call this in the loop's thread, unless the loop is closed."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback)

    def abort(self, exchange: ClientExchange) -> None:
        """Close the connection if this exchange is still under way on it."""
        if exchange is self._exchange:
            self._fail(InvalidUse("the response was closed before its body had been read"))

    def discard(self, exchange: ClientExchange) -> None:
        """Drop what is still to come of a response, or close if that may be much."""
        if exchange is not self._exchange or self._state is EARLY or self._loop.is_closed():
            return  # nothing is to come
        decoder, limits = self._decoder, self._limits
        is_long = isinstance(decoder, LengthBody) and decoder.remaining > limits.drain
        if self._state is not RESPONSE or isinstance(decoder, CloseBody) or is_long:
            self.abort(exchange)
            return
        body, self._body = self._body, EMPTY_STREAM
        self._dropped = 0
        self._limit = min(self._limit, self._deadlines.time() + limits.linger)
        self._read_time = 0.0
        self._watch()
        body.set_exception(InvalidUse("the response was released before its body had been read"))

    def detach(self, exchange: ClientExchange) -> tuple[asyncio.Transport, bytes]:
        """Give away the transport of a connection that doesn't speak HTTP any more."""
        transport = self._transport
        if exchange is not self._exchange or self._state is not SWITCHED or transport is None:
            raise InvalidUse("expected 101, or 2xx to CONNECT, before the transport is taken over")
        self._transport = None
        exchange.is_complete = True
        self._close()
        return transport, self._rest

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > self._limits.drain:
            self._close()

    def _switch(self, exchange: ClientExchange, head: ResponseHead, data: bytes) -> None:
        """Stop speaking HTTP; what comes from here on is for whoever takes over."""
        self._state = advance(self._state, SWITCH)
        self._deadline.clear()
        self._rest = data
        self._pause_reading()
        exchange.deliver(head)

    # Flow and time.

    def _pause_reading(self) -> None:
        self._is_paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        self._is_paused = False
        if self._transport is not None:
            self._transport.resume_reading()
        self._watch()

    def _watch(self) -> None:
        """Set the deadline to whichever limit of the exchange comes first."""
        limit = self._limit
        if self._read_time:
            limit = min(limit, self._deadlines.time() + self._read_time)
        if limit < math.inf:
            self._deadline.set(limit)
        else:
            self._deadline.clear()

    def _time_is_up(self) -> None:
        now = self._deadlines.time()
        if self._exchange is None:
            self._close()  # idle for too long
        elif now >= self._limit:
            self._fail(TimeoutError(f"no complete response from {self.label} in time"))
        elif self._is_paused or self._state in _REQUEST_GOES:
            self._watch()  # it is not only the server that we wait for
        else:
            self._fail(
                PeerTooSlow(
                    f"no byte from {self.label} for {self._read_time:g} s", waited=self._read_time
                )
            )


_TIMEOUT: Final = re.compile(
    r"(?:^|,)[ \t]*timeout[ \t]*=[ \t]*([0-9]{1,9})", re.IGNORECASE | re.ASCII
)


def _announced_idle_time(head: ResponseHead, limit: float) -> float:
    """Return how long the connection may be idle, by ``Keep-Alive: timeout=`` (RFC 2068, 19.7.1).

    A little less than announced: a request needs time to arrive.
    """
    match = _TIMEOUT.search(",".join(head.headers.getall(_KEEP_ALIVE)))
    if match is None:
        return limit
    announced = int(match[1])
    return min(limit, max(announced - 1, announced / 2))
