"""The server's end of one HTTP/1 connection: asyncio around the pure parts.

``ServerHttpProtocol`` receives: it turns bytes into exchanges, one after the
other, and keeps the time. What is sent in answer is ``http1.server_exchange``'s. Whose
turn it is stands in ``state``; here an event is named and the table answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from ..errors import (
    HttpException,
    IncompleteRead,
    InvalidUse,
    LimitExceeded,
    MethodNotAllowed,
    MethodNotImplemented,
    PeerDisconnected,
    PeerTooSlow,
    RemoteProtocolError,
)
from ..headers import shown
from ..service import Service
from ..sockets import Peephole, close_by_reset, tune
from ..streams import EMPTY_STREAM, StreamReader, WriteGate, receive_buffer
from ..timers import NEVER, Deadline
from .encode import CONTINUE
from .head import (
    HeadCollector,
    RequestHead,
    find_request_end,
    known_request_head,
    parse_request_head,
    refused_request_head,
    take_request_head,
)
from .incoming import IncomingBody
from .server_exchange import ServerExchange
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
    SWITCHED,
    WAITING,
    Event,
    State,
    advance,
)

if TYPE_CHECKING:
    from ..proxy_protocol import Proxied

__all__ = ["ServerHttpProtocol"]

logger = logging.getLogger("aiohttp.server")

_BODY_COMES: Final = frozenset({REQUEST, BOTH, EARLY})
_ANSWERING: Final = frozenset({REQUEST, WAITING, BOTH, RESPONSE, COMPLETE})
_HEAD_IS_SENT: Final = frozenset({BOTH, RESPONSE, EARLY, COMPLETE})

# Why the transport is paused; several reasons may hold at once.
_PIPELINE_IS_FULL: Final = 1
_BODY_IS_FULL: Final = 2

_LAST_CALL: Final = 0.25
"""Seconds that an idle connection is still listened to when draining begins: without them,
in two of nine runs under load, SIGTERM cost 5 and 34 requests that were just being sent."""

_LARGE: Final = 16 * 1024  # bytes received at once, of which it is worth to copy none twice
_HEAD_IS_WITHIN: Final = 2 * 1024

_BATCH: Final = 64 * 1024  # bytes of answers that go out in one write


class ServerHttpProtocol(asyncio.BufferedProtocol):
    r"""One connection from a client; subclass it, or give its service an application.

    The lowest public way to write a server::

        class Hello(ServerHttpProtocol):
            async def handle_request(self, exchange):
                await exchange.respond(200, [("Content-Type", "text/plain")], b"Hello\n")

    It is an asyncio protocol: ``loop.create_server(Hello, host, port)`` serves it,
    and ``Listener(protocol=Hello)`` adds limits on connections, draining and counts.
    Without ``service`` a connection has one of its own, with the default limits.

    Attributes:
        is_writable: whether a writer may go on without waiting; else ``gate`` lets it.
        peername, sockname: the client's address and ours, by the transport or by a proxy
            that began the connection by the PROXY protocol.
        proxied: what that one said.
        scheme: whether the client came over TLS; a proxy may say so, too.
    """

    __slots__ = (
        "__weakref__",
        "_batch",
        "_body",
        "_collector",
        "_deadline",
        "_exchange",
        "_gate",
        "_has_eof",
        "_has_lent_body",
        "_has_promised",
        "_idle_end",
        "_is_closing",
        "_pauses",
        "_pending",
        "_requests",
        "_service",
        "_shared_buffer",
        "_state",
        "_transport",
        "_unsent",
        "_waiting",
        "_write_deadline",
        "is_writable",
        "peername",
        "proxied",
        "scheme",
        "sockname",
    )

    _service: Service
    _deadline: Deadline
    peername: Any
    sockname: Any
    scheme: Literal["http", "https"]

    def __init__(self, service: Service | None = None) -> None:
        if service is not None:
            self._service = service
        self._transport: asyncio.Transport | None = None
        self._shared_buffer = receive_buffer()
        self._state = IDLE
        self._exchange: ServerExchange | None = None
        self._collector: HeadCollector | None = None
        self._idle_end = NEVER  # when an idle client's time would be up, had no head begun
        self._body: IncomingBody | None = None
        self._gate: WriteGate | None = None
        self._write_deadline: Deadline | None = None
        self._batch: bytearray | None = None  # answers, while several requests are taken in
        self._waiting = b""  # answers in the outbox
        self._pending = b""  # requests behind the one that runs
        self._requests = 0
        self._pauses = 0
        self._unsent = 0  # bytes in the transport when it was last looked at
        self._has_eof = False
        self._has_lent_body = False
        self._is_closing = False  # the response under way is the last
        self._has_promised = False  # but it has said that another may follow
        self.is_writable = True
        self.proxied: Proxied | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._state.name}, {self._requests} requests>"

    def handle_request(self, exchange: ServerExchange) -> Coroutine[Any, Any, None]:
        """Answer one request; override it as ``async def``, or give the service an application.

        Contract: ``aiohttp.protocol.Application.handle_exchange``.
        """
        application = self._service.application
        if application is None:
            raise InvalidUse("expected an application, or a subclass with handle_request")
        return application.handle_exchange(exchange)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: from now on the client's time for its first request runs."""
        self._transport = cast(asyncio.Transport, transport)
        if not hasattr(self, "_service"):
            self._service = Service()
        service = self._service
        self._deadline = service.deadlines.deadline(self._time_is_up)
        tune(self._transport, keepalive=service.tcp_keepalive)
        self._transport.set_write_buffer_limits(service.limits.write_buffer)
        self._note_ends(self._transport)
        service.enter(self)
        self._deadline.set(service.time() + service.limits.head_time)
        if service.is_draining:
            self.begin_drain()

    def _note_ends(self, transport: asyncio.Transport) -> None:
        """Take note of who talks with whom: to ask for each request takes up to 1 µs."""
        get, proxied = transport.get_extra_info, self.proxied
        self.peername, self.sockname = get("peername"), get("sockname")
        is_tls = get("sslcontext") is not None
        if proxied is not None:
            is_tls = is_tls or proxied.is_tls
            if proxied.source is not None:
                self.peername = proxied.source
            if proxied.destination is not None:
                self.sockname = proxied.destination
        self.scheme = "https" if is_tls else "http"

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the memory to receive into: the body's own, or what all connections share."""
        if self._body is not None and (room := self._body.reader.get_buffer()) is not None:
            self._has_lent_body = True
            return room
        self._has_lent_body = False
        return self._shared_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was received into the buffer lent last."""
        if self._has_lent_body:
            self._receive_into_body(nbytes)
        elif nbytes < _LARGE or not self._receive_large(self._shared_buffer[:nbytes]):
            self.data_received(self._shared_buffer[:nbytes].tobytes())

    def _receive_large(self, received: memoryview) -> bool:
        """Take a request with all of its body; False leaves everything else as it is.

        Its body is copied out of the buffer alone, instead of with its head, and then without:
        64 KB with a small answer take 20.3 instead of 21.5 µs.
        """
        if self._state is not IDLE or self._collector is not None or self._pending:
            return False
        start = received[:_HEAD_IS_WITHIN].tobytes()
        end = find_request_end(start)
        try:
            head = parse_request_head(start[:end], self._service.limits) if end > 0 else None
        except RemoteProtocolError:
            return False
        if head is None or head.content_length != len(received) - end:
            return False
        self._service.books.bytes_received += len(received)
        self._begin(head, received[end:].tobytes())
        return True

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        service = self._service
        service.books.bytes_received += len(data)
        if (
            self._state is IDLE
            and self._collector is None
            and not self._pending
            and (head := known_request_head(data, service.limits)) is not None
        ):
            self._begin(head)  # what follows, spared: 0.2 µs
            return
        if self._pending and self._state is IDLE:  # sooner here than _receive_pending
            data, self._pending = self._pending + data, b""
        try:
            while data:
                if self._state is IDLE:
                    data = self._receive_head(data)
                elif self._state in _BODY_COMES:
                    data = self._receive_body(data)
                elif self._state is CLOSED:
                    return  # lingering: after the last answer nothing is parsed
                else:
                    self._queue(data)
                    return
        finally:
            if self._batch is not None:
                self.flush()
                self._batch = None

    def eof_received(self) -> bool:
        """Keep the way back open: a client may close its side and wait for the answer.

        Returns whether the transport stays open; one over TLS never does.
        """
        self._has_eof = True
        self._end_input()
        if self._exchange is not None:
            self._exchange.tell_change()
        return self._state in _ANSWERING and not self._is_tls

    def pause_writing(self) -> None:
        """Hold writers back: the client reads slower than we write."""
        service = self._service
        self.gate.pause()
        self.is_writable = False
        if self._write_deadline is None:
            self._write_deadline = service.deadlines.deadline(self._write_time_is_up)
        self._watch_writing()

    def resume_writing(self) -> None:
        """Let writers through again."""
        self.gate.resume()
        self.is_writable = self._transport is not None
        if self._write_deadline is not None:
            self._write_deadline.clear()
        if self._state is COMPLETE:
            self._service.loop.call_soon(self._receive_pending)

    def connection_lost(self, exc: Exception | None) -> None:
        """End: whoever works for this client is told, or cancelled."""
        self._transport = None
        self._deadline.close()
        if self._write_deadline is not None:
            self._write_deadline.close()
        self._service.leave(self)
        if self._state is not SWITCHED:
            self._state = advance(self._state, CLOSE)
        gone = PeerDisconnected("the client closed the connection")
        gone.__cause__ = exc
        if self._gate is not None:
            self._gate.fail(gone)
            self.is_writable = False
        if self._body is not None:
            self._body.reader.set_exception(gone)
        self._pending = self._waiting = b""
        if self._exchange is not None:
            self._exchange.lose()

    # What the service calls.

    def begin_drain(self) -> None:
        """Close soon if idle; otherwise the response under way, or the next, is the last.

        A request may be on its way: on an idle connection whose client doesn't know yet,
        or as the first of a new one. It is answered, and the answer says that it is the last.
        So it is behind a response that has said before that the connection will be kept.
        A head that has begun to come has as long as a first one.
        """
        self._has_promised = self._state in _HEAD_IS_SENT and not self._is_closing
        self._is_closing = True
        if self._state is IDLE:
            limits = self._service.limits
            is_known = self._collector is None and self._requests
            patience = min(_LAST_CALL, limits.linger) if is_known else limits.linger
            self._deadline.set(min(self._deadline.when, self._service.time() + patience))

    def abort(self) -> None:
        """Cut the connection at once."""
        if self._transport is not None:
            self.flush()  # the answers before the one that went wrong are good
            if self._exchange is not None and self._exchange.ends_with_connection:
                close_by_reset(self._transport)
            self._transport.abort()

    # What the exchange calls.

    @property
    def gate(self) -> WriteGate:
        """Where writers wait while the client reads slower than they write."""
        if self._gate is None:
            self._gate = WriteGate()
        return self._gate

    @property
    def transport(self) -> asyncio.Transport:
        """The transport.

        Raises:
            PeerDisconnected: if the client has gone.
        """
        if self._transport is None:
            raise PeerDisconnected("the client closed the connection")
        return self._transport

    @property
    def exchange(self) -> ServerExchange | None:
        """The exchange that is under way; None between two of them."""
        exchange = self._exchange
        return None if exchange is None or exchange.is_over else exchange

    @property
    def is_gone(self) -> bool:
        """Whether nothing that is sent can reach the client any more."""
        return self._transport is None or self._transport.is_closing()

    @property
    def is_lost(self) -> bool:
        """Whether the connection is over, or is now another protocol's."""
        return self._transport is None

    @property
    def has_input_ended(self) -> bool:
        """Whether the client has closed its side, and has asked for nothing more before."""
        return self._has_eof and not self._pending

    @property
    def state(self) -> State:
        """Whose turn it is."""
        return self._state

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Hand bytes to the transport, or to the batch of answers to a pipeline."""
        if self._batch is None:
            if self._waiting:
                self.flush()
            (self._transport or self.transport).write(data)
        else:
            self._batch += data
            if len(self._batch) > _BATCH:
                self.flush()
        self._service.books.bytes_sent += len(data)

    def send_soon(self, data: bytes) -> None:
        """Send a whole and small answer, perhaps together with those of other connections."""
        service = self._service
        if (
            self._batch is None
            and (outbox := service.outbox) is not None
            and (self._waiting or outbox.takes(self))
        ):
            self._waiting += data
            service.books.bytes_sent += len(data)
        else:
            self.send(data)

    def flush(self) -> None:
        """Write what waits, and the batch: 16 answers in one write take a third of the time."""
        transport = self._transport
        if transport is None:
            return
        if self._waiting:
            waiting, self._waiting = self._waiting, b""
            transport.write(waiting)
        if self._batch:
            batch, self._batch = self._batch, bytearray()
            transport.write(batch)

    def take_turn(self, event: Event) -> None:
        """Let the table decide whether a step of the response may happen now.

        Raises:
            PeerDisconnected: if the client has gone.
            InvalidUse: if it is not this step's turn.
        """
        try:
            self._state = advance(self._state, event)
        except InvalidUse:
            if self._state is CLOSED:
                raise PeerDisconnected("the client closed the connection") from None
            raise

    def close_after_response(self) -> None:
        """Make the response under way the last one."""
        self._is_closing = True
        self._has_promised = False

    def ending(self, is_whole: bool) -> bytes:
        """Return the end of a response's head: whether the connection will be kept.

        ``is_whole``: the response is given at once, so nobody is going to read the
        rest of the request's body. What is too long to be read and dropped, or was
        never sent because the client waits for 100, ends the connection.
        """
        body = self._body
        if (
            self._is_closing
            or (self._has_eof and not self._pending)
            or (body is not None and (body.is_held_back or (is_whole and body.is_too_long_to_drop)))
        ):
            self._is_closing = True
            return b"Connection: close\r\n\r\n"
        return self._service.persistent_ending

    def response_is_over(self, exchange: ServerExchange, status: int, now: float) -> None:
        """Go on: to the next request, to the rest of this one's body, or to the end."""
        service = self._service
        service.books.responses[status] += 1
        exchange.end()
        if service.observers:
            service.report(exchange)
        if self._state is not COMPLETE:
            if exchange.is_handled or self._body is None or self._body.is_broken:
                self._drop_body()
        elif self._pending or self._is_closing or self._has_eof or not self.is_writable:
            self._next()
        else:
            self._become_idle(now)

    def hand_over(self) -> tuple[asyncio.Transport, bytes]:
        """Give the transport away, with what was read from it for another protocol."""
        transport = self.transport
        self.flush()
        transport.pause_reading()
        self._deadline.clear()
        if self._write_deadline is not None:
            self._write_deadline.clear()
        pending, self._pending = self._pending, b""
        return transport, pending

    def send_continue(self) -> None:
        """Send 100 Continue, if the client still waits for it (RFC 9110, section 10.1.1)."""
        body = self._body
        if body is not None and body.is_held_back and self._state in _BODY_COMES:
            if self._state is REQUEST:
                body.is_held_back = False
                self.take_turn(INFORMATION)
                self.send(CONTINUE)
            self._expect_body()

    # Receiving a head.

    def _receive_head(self, data: bytes) -> bytes:
        """Begin an exchange if a head is whole; return what is behind it."""
        if self._collector is None:
            if data[:2] == b"\r\n":
                data = data[2:]  # one empty line before a request (RFC 9112, section 2.2)
            try:
                found = take_request_head(
                    data, self._service.limits, is_alone=self._batch is None, is_new=True
                )
            except RemoteProtocolError as exc:
                self._refuse(exc, refused_request_head(data))
                return b""
            if found is not None:
                head, end = found
                return self._begin(head, data[end:])
            if not data:
                return b""
            self._collector = HeadCollector(self._service.limits, is_request=True)
            self._idle_end = self._deadline.when
            if self._requests:  # for the first one time runs since the connection
                self._deadline.set(self._service.time() + self._service.limits.head_time)
        return self._collect_head(self._collector, data)

    def _collect_head(self, collector: HeadCollector, data: bytes) -> bytes:
        """Begin an exchange if a head that comes in pieces is whole; return what is behind it."""
        try:
            collected = collector.feed(data)
            if collected is None:
                if not len(collector):
                    self._forget_empty_lines()
                return b""
            head = parse_request_head(collected[0], self._service.limits)
        except RemoteProtocolError as exc:
            self._refuse(exc, refused_request_head(collector.received))
            return b""
        self._collector = None
        return self._begin(head, collected[1])

    def _forget_empty_lines(self) -> None:
        """Go back to what was before empty lines came: no request has begun, no time is won."""
        self._collector = None
        self._deadline.set(self._idle_end)
        if self._is_closing and self._requests:
            self._close()  # draining began when this looked like the begin of a request

    def _begin(self, head: RequestHead, data: bytes = b"") -> bytes:
        """Start the exchange that this head asks for; return what is behind it.

        What has come of its body is there when the application begins: to wait for it
        takes 3 µs. A body that is here as a whole is no more than its bytes: to receive it
        as if more could come takes 3 µs, too.
        """
        service = self._service
        reader = EMPTY_STREAM
        try:
            if service.allowed_methods or head.method == "CONNECT":
                self._check_method(head.method)
            self._requests += 1
            service.books.requests += 1
            if not head.keep_alive or self._requests >= service.last_request:
                self._is_closing = True
            self._deadline.when = NEVER  # clear(), without the call
            if not head.content_length and not head.chunked:
                self._state = advance(self._state, REQUEST_WHOLE)
            elif self._is_whole_body(head, len(data)):
                self._state = advance(self._state, REQUEST_WHOLE)
                reader = StreamReader.complete(data[: head.content_length])
                data = data[head.content_length :]
            else:
                reader = self._begin_body(head).reader
        except RemoteProtocolError as exc:
            self._refuse(exc, head)
            return data
        transport = self._transport or self.transport  # the property takes 40 ns
        exchange = ServerExchange(self, transport, service, head, reader)
        self._exchange = exchange
        if data and self._body is not None:
            data = self._receive_body(data)
        if data and self._batch is None:
            self._batch = bytearray()
        self._start(exchange)
        return data

    def _start(self, exchange: ServerExchange) -> None:
        take = self._service.take_exchange
        if take is None or not exchange.take(take):
            self.start_task(exchange)

    def start_task(self, exchange: ServerExchange) -> None:
        """Have the application answer an exchange in a task."""
        service = self._service
        task = exchange.own_task = service.start_task(self._run(exchange))
        if not task.done():
            service.tasks.add(task)

    def _refuse(self, exc: RemoteProtocolError, head: RequestHead) -> None:
        """Have a request answered that can't be taken, and close. Nothing that follows is parsed.

        ``head`` is what is known of it. Where the application doesn't want to answer
        it, the exchange does.
        """
        service = self._service
        self._note_limit(exc)
        self._collector = None
        self._is_closing = True
        self._deadline.clear()
        self._state = advance(self._state, REQUEST_WHOLE)
        exchange = ServerExchange(self, self.transport, service, head, EMPTY_STREAM)
        exchange.refusal = exc
        self._exchange = exchange
        if service.handles_refusals:
            self._start(exchange)
        else:
            exchange.refuse()

    def _check_method(self, method: str) -> None:
        allowed = self._service.allowed_methods
        if method in allowed:
            return
        if allowed and method != "CONNECT":
            raise MethodNotAllowed(
                f"expected one of {', '.join(sorted(allowed))}, got {shown(method)}",
                method=method,
                allowed=allowed,
            )
        raise MethodNotImplemented(f"nobody here handles {method}", method=method)

    async def _run(self, exchange: ServerExchange) -> None:
        """Have a request answered; whatever happens, the connection knows how to go on."""
        try:
            await self.handle_request(exchange)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            if not exchange.is_over:
                self.abort()  # nobody would finish the response
            raise
        except Exception as exc:  # noqa: BLE001 - handed to the exchange, which logs it
            exchange.fail(exc)
        else:
            if not exchange.is_over:
                exchange.conclude()
        finally:
            exchange.is_handled = True
            if exchange.own_task is not None:
                self._service.end_task(exchange.own_task)
            if exchange is self._exchange:
                self._handler_is_done(exchange)
            exchange.request = None  # which knows us, and would wait for the garbage collector

    def _handler_is_done(self, exchange: ServerExchange) -> None:
        """Go on with what was left for the end of a handler."""
        if self._state is EARLY:
            self._drop_body()
        elif not exchange.is_over:  # broken off, or it speaks another protocol
            self._service.report(exchange)
        if self._state is SWITCHED:
            self._deadline.close()
            self._service.leave(self)

    def _queue(self, data: bytes) -> None:
        """Keep what comes behind an unanswered request, up to a limit; behind a bad one nothing."""
        if self._exchange is not None and self._exchange.refusal is not None:
            return
        self._pending += data
        if len(self._pending) > self._service.limits.pipeline:
            self._pause(_PIPELINE_IS_FULL)

    def _next(self) -> None:
        """Make ready for the next request, which may be here already."""
        is_last = self._is_closing and not self._has_promised
        if is_last or (self._has_eof and not self._pending):
            self._close()
        elif self._pending or not self.is_writable:
            # Not now: the handler that has just answered is still on the stack, or the
            # client doesn't read its answers. Until then what comes is queued, in order.
            self._service.loop.call_soon(self._receive_pending)
        else:
            self._become_idle(self._service.time())

    def _become_idle(self, now: float) -> None:
        self._state = advance(self._state, NEXT)
        self._exchange = None
        self._body = None
        self._deadline.set(now + self._service.limits.keep_alive)
        if self._has_promised:
            self.begin_drain()

    def _receive_pending(self) -> None:
        """Take in what came behind a request that is answered now."""
        if self._state is not COMPLETE or not self.is_writable:
            return  # closed, or resume_writing will come back to this
        if self._is_closing and not self._has_promised and not self._pending:
            self._close()
            return
        self._become_idle(self._service.time())
        pending, self._pending = self._pending, b""
        self._service.books.bytes_received -= len(pending)  # they were counted once
        self.data_received(pending)
        if len(self._pending) <= self._service.limits.pipeline:
            self._unpause(_PIPELINE_IS_FULL)
        if self._has_eof:
            self._end_input()

    def _end_input(self) -> None:
        """Draw the conclusions from the client's end of file, when all before it is taken in."""
        if self._state is IDLE:
            self._close()
        elif self._state in _BODY_COMES and self._body is not None and not self._body.is_broken:
            try:
                self._body.end_input()
            except IncompleteRead as exc:
                self._fail_body(exc)

    # Receiving a body.

    def _is_whole_body(self, head: RequestHead, size: int) -> bool:
        """Whether ``size`` bytes behind a head have all of its body, which is as usual."""
        length, limit = head.content_length, self._service.limits.body
        return (
            length is not None
            and length <= size
            and (limit is None or length <= limit)
            and not head.expect_continue
        )

    def _begin_body(self, head: RequestHead) -> IncomingBody:
        body = self._body = IncomingBody(
            head,
            self._service.limits,
            pause=self._pause_body,
            resume=self._resume_body,
            on_first_read=self.send_continue,
        )
        self._state = advance(self._state, REQUEST_HEAD)
        if not head.expect_continue:
            self._expect_body()
        return body

    def _expect_body(self) -> None:
        """Let the client's time for its body run."""
        if self._body is not None and not self._body.is_broken:
            self._deadline.set(self._body.begin_time(self._service.time()))

    def _receive_body(self, data: bytes) -> bytes:
        """Take the body's part of ``data``, return the rest."""
        body = self._body
        if body is None or body.is_broken:
            return b""  # nothing of this connection is parsed again
        if body.is_held_back:
            self._expect_body()  # the client doesn't wait for 100: its time runs from now on
        try:
            used = body.decode(data)
        except HttpException as exc:
            self._fail_body(exc)
            return b""
        self._body_came(body)
        return data[used:] if used < len(data) else b""

    def _receive_into_body(self, size: int) -> None:
        """Take bytes that were received straight into the body's final memory."""
        body = self._body
        if body is not None and not body.is_broken:
            self._service.books.bytes_received += size
            body.take(size)
            self._body_came(body)

    def _body_came(self, body: IncomingBody) -> None:
        if not body.is_wanted:
            self._close()
        elif body.is_complete:
            self._deadline.clear()
            self._state = advance(self._state, REQUEST_END)
            body.finish()
            if self._state is COMPLETE:
                self._next()
        elif not self._pauses & _BODY_IS_FULL:
            self._deadline.set(body.deadline(self._service.time()))

    def _fail_body(self, exc: HttpException) -> None:
        """Give the body up: its reader gets the error, and the next response is the last."""
        self._note_limit(exc)
        self._is_closing = True
        self._deadline.clear()
        if self._body is not None:
            self._body.fail(exc)
        if self._state is EARLY:
            self._close()

    def _drop_body(self) -> None:
        """Read and drop what is left of a body that nobody wants, up to a limit."""
        if self._state is not EARLY:
            return
        body = self._body
        is_last = self._is_closing and not self._has_promised
        if is_last or body is None or body.is_broken or body.is_too_long_to_drop:
            self._close()
            return
        body.drop()
        self._unpause(_BODY_IS_FULL)

    def _pause_body(self) -> None:
        self._pause(_BODY_IS_FULL)
        self._deadline.clear()  # now it is not the client who is slow

    def _resume_body(self) -> None:
        if self._pauses & _BODY_IS_FULL:
            self._unpause(_BODY_IS_FULL)
            if self._state in _BODY_COMES:
                self._expect_body()

    def _pause(self, reason: int) -> None:
        if not self._pauses and self._transport is not None:
            self._transport.pause_reading()
        self._pauses |= reason

    def _unpause(self, reason: int) -> None:
        if self._pauses & reason:
            self._pauses &= ~reason
            if not self._pauses and self._transport is not None and not self._has_eof:
                self._transport.resume_reading()

    # Time.

    def _time_is_up(self) -> None:
        """Find out what the client was too slow for."""
        limits = self._service.limits
        if self._state is CLOSED:
            self._linger_on()
        elif self._state in _BODY_COMES:
            received = self._body.received if self._body is not None else 0
            self._fail_body(
                PeerTooSlow(
                    f"expected a body that goes on within {limits.body_time:g} s at "
                    f"{limits.body_rate} bytes a second, got {received} bytes",
                    waited=limits.body_time,
                )
            )
        elif self._collector is not None:
            self._refuse(
                PeerTooSlow(
                    f"expected the head of a request within {limits.head_time:g} s, "
                    f"got {len(self._collector)} bytes of it",
                    waited=limits.head_time,
                ),
                refused_request_head(self._collector.received),
            )
        elif self._state is IDLE:
            self._close_idle()

    def _close_idle(self) -> None:
        """Close, unless the client was in time and the loop too busy to see it.

        Where handlers kept the loop for 10 ms each, 57 to 167 of 440 requests were lost that
        were sent on an open connection just before its time was up; so none is.
        """
        transport = self._transport
        sock = None if transport is None else transport.get_extra_info("socket")
        if sock is not None and Peephole(sock, is_tls=False).poll(0):
            self._deadline.set(self._service.time() + _LAST_CALL)
        else:
            self._close()

    async def wait_sent(self) -> None:
        """Return when all that was sent has left the transport for the kernel."""
        self.flush()
        transport = self.transport
        transport.set_write_buffer_limits(0)
        try:
            await self.gate.wait()
        finally:
            transport.set_write_buffer_limits(self._service.limits.write_buffer)

    async def wait_writable(self, descriptor: int) -> None:
        """Return when the kernel takes more; the client has ``write_time`` for that.

        For what doesn't pass through the transport, such as sendfile.
        """
        loop = self._service.loop
        self.pause_writing()
        loop.add_writer(descriptor, self.resume_writing)
        try:
            await self.gate.wait()
        finally:
            loop.remove_writer(descriptor)

    def _watch_writing(self) -> None:
        deadline = self._write_deadline
        if deadline is not None and self._transport is not None:
            self._unsent = self._transport.get_write_buffer_size()
            deadline.set(self._service.time() + self._service.limits.write_time)

    def _write_time_is_up(self) -> None:
        """Cut a client that has not taken a single byte in its time."""
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size() < self._unsent:
            self._watch_writing()
            return
        self._service.books.limits_hit["write_time"] += 1
        self._transport.abort()

    # The end.

    def _note_limit(self, exc: HttpException) -> None:
        name = type(exc).__name__
        if isinstance(exc, LimitExceeded):
            exc.is_counted = True
            name = exc.name or name
        self._service.books.limits_hit[name] += 1

    def _close(self) -> None:
        """Close after what was written; linger, so that the client can read it.

        Closing a socket whose input was not read makes the kernel send RST, which
        may destroy an answer on its way (RFC 9112, section 9.6). So our side is
        closed first, and what still comes is dropped for a while. TLS can't be closed
        on one side: there it stays open for a while where more is to be expected.
        """
        refused = self._exchange is not None and self._exchange.refusal is not None
        has_more = self._state is EARLY or refused
        self._state = advance(self._state, CLOSE)
        self._collector = None
        self._pending = b""
        body, self._body = self._body, None
        if body is not None:
            body.reader.set_exception(InvalidUse("the connection was closed before the body ended"))
        if self._write_deadline is not None:
            self._write_deadline.clear()  # from here on _linger_on looks after progress
        transport = self._transport
        if transport is None:
            return
        self.flush()
        self._unsent = transport.get_write_buffer_size()
        limits, linger = self._service.limits, self._service.limits.linger
        if self._exchange is None and self._service.is_draining:
            linger = min(_LAST_CALL, linger)  # for there is no answer that a client may yet read
        self._deadline.set(self._service.time() + (limits.write_time if self._unsent else linger))
        if self._has_eof or not (has_more if self._is_tls else transport.can_write_eof()):
            transport.close()
            return
        try:
            if not self._is_tls:
                transport.write_eof()
        except OSError:
            # The client has reset the connection, which asyncio will tell us in its next turn.
            transport.abort()
            return
        self._unpause(self._pauses)

    def _linger_on(self) -> None:
        """Cut the connection if it made no progress since it was last looked at."""
        transport = self._transport
        if transport is None:
            return
        unsent = transport.get_write_buffer_size()
        limits = self._service.limits
        if unsent < self._unsent:
            self._unsent = unsent
            self._deadline.set(
                self._service.time() + (limits.write_time if unsent else limits.linger)
            )
        elif self._is_tls and not unsent and not transport.is_closing():
            transport.close()  # which tells a client that still waits for the end
            self._deadline.set(self._service.time() + limits.linger)
        else:
            transport.abort()

    @property
    def _is_tls(self) -> bool:
        transport = self._transport
        return transport is not None and transport.get_extra_info("sslcontext") is not None
