"""An exchange over ASGI: one request, and its answer by the server's ``send``."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import IO, Any, Literal, NoReturn, TypeAlias

from aiohttp.protocol import (
    DEFAULT_LIMITS,
    EMPTY_STREAM,
    Books,
    Fields,
    HttpException,
    HttpVersion,
    InvalidUse,
    Limits,
    LocalProtocolError,
    PeerDisconnected,
    RemoteProtocolError,
    RequestHead,
    Service,
    StreamReader,
    WriteGate,
    body_framing,
    body_writer,
    encode_fields,
    encode_status_line,
    shown,
)

__all__ = ["AsgiExchange", "Message", "Receive", "Scope", "Send"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_PIECE = 64 * 1024

_EARLY_HINT = "http.response.early_hint"
_PATH_SEND = "http.response.pathsend"
_TRAILERS = "http.response.trailers"


class AsgiExchange:
    """``aiohttp.protocol.Exchange`` over an ASGI server.

    What ASGI can't say is dropped: reason phrases always; early hints, trailers and files
    by their path where the server doesn't offer the extension. Trailers have to be announced
    by a field Trailer. ``upgrade`` is refused. Times are the server's affair.

    That the client has gone is noticed once somebody listens: while the body is read, from
    ``start`` on, in ``wait_disconnected``, and unless ``cancel_on_disconnect`` is false.

    Attributes:
        was_cancelled: whether the handler's task was cancelled because the client has gone.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        head: RequestHead,
        service: Service,
        *,
        refusal: RemoteProtocolError | None = None,
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._service = service
        self._extensions: Mapping[str, Any] = scope.get("extensions") or {}
        self.head = head
        self.refusal = refusal
        self.request: Any = None
        self.started = time.monotonic()
        self.task: asyncio.Task[Any] | None = asyncio.current_task()
        self.is_over = False
        self.is_disconnected = False
        self.was_cancelled = False
        self.sent_fields: Fields = ()
        self.body_sent = 0
        self.response_status = 0
        self._writer = body_writer(0)
        self._length: int | None = None
        self._has_content = True
        self._has_trailers = False
        self._is_body_passed_on = False
        self._is_last = False
        self.cancel_on_disconnect = True
        self._flow = WriteGate()
        self._listener: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self.body = self._incoming_body()

    def __repr__(self) -> str:
        status = self.response_status or "unanswered"
        return f"<AsgiExchange {self.head.method} {shown(self.head.target)} {status}>"

    # The request.

    @property
    def books(self) -> Books:
        """What this application has done so far over ASGI, counted."""
        return self._service.books

    @property
    def limits(self) -> Limits:
        """The bounds of this connection."""
        return self._service.limits

    @property
    def version(self) -> HttpVersion:
        """The request's version; 2.0 and 3.0 too."""
        return self.head.version

    @property
    def scheme(self) -> Literal["http", "https"]:
        """What the server says."""
        return "https" if self._scope.get("scheme") == "https" else "http"

    @property
    def host(self) -> str | None:
        """None: whom the server believes it has put into the fields."""
        return None

    @property
    def peername(self) -> Any:
        """The client's address, ``(host, port)``; "" for a unix socket, None if it is unknown.

        Of a client that has reset its TCP connection a server knows its own address only.
        """
        client = self._scope.get("client")
        if client is None:
            return "" if isinstance(self.sockname, str) else None
        return tuple(client)

    @property
    def sockname(self) -> Any:
        """Our address, ``(host, port)``; the path of a unix socket."""
        server = self._scope.get("server")
        if server is None:
            return None
        return server[0] if server[1] is None else tuple(server)

    def get_extra_info(self, name: str) -> Any:
        """Return peername and sockname, or what the scope has by this name."""
        if name in {"peername", "sockname"}:
            return getattr(self, name)
        return self._scope.get(name)

    def _incoming_body(self) -> StreamReader:
        head = self.head
        # Before HTTP/2 a request that announces no body has none (RFC 9112, section 6.3).
        is_announced = head.chunked or head.content_length is not None
        if head.content_length == 0 or (head.version < (2, 0) and not is_announced):
            return EMPTY_STREAM
        return StreamReader(
            pause=self._flow.pause,
            resume=self._flow.resume,
            max_size=DEFAULT_LIMITS.body,
            length=head.content_length,
            on_first_read=self._listen,
        )

    # Whether the client is still there.

    def begin(self) -> None:
        """Be told, after the handler's first step, that it takes some time."""
        if self.cancel_on_disconnect:
            self._listen()

    def _listen(self) -> None:
        if self._listener is None and not self.is_over:
            self._listener = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        """Take in what the server hands over: the body, then that the client has gone."""
        body = self.body
        try:
            while (message := await self._receive())["type"] == "http.request":
                if not body.is_eof():
                    body.feed_data(message.get("body", b""))
                    if not message.get("more_body", False):
                        body.feed_eof()
                await self._flow.wait()
        except Exception as exc:
            body.set_exception(exc)
            self._ended.set()
            raise
        self._leave()

    def _leave(self) -> None:
        if self.is_over:
            return  # servers also call it a disconnect that the response is complete
        self.is_disconnected = True
        self._ended.set()
        self.body.set_exception(PeerDisconnected("the client closed the connection"))
        if self.cancel_on_disconnect and self.task is not None:
            self.was_cancelled = True
            self.task.cancel("the client closed the connection")

    async def wait_disconnected(self) -> None:
        """Return when the client has gone away, or this exchange is over."""
        self._listen()
        await self._ended.wait()

    async def wait_input_ended(self) -> None:
        """Return when the client has gone away, or this exchange is over: ASGI knows no more."""
        await self.wait_disconnected()

    @property
    def is_draining(self) -> bool:
        """Whether the server has begun to stop, as far as it tells before requests are over."""
        return self._service.is_draining

    async def wait_draining(self) -> None:
        """Return when the server begins to stop; see ``is_draining``."""
        await self._service.wait_draining()

    # The response.

    async def respond(
        self, status: int, fields: Fields = (), body: bytes = b"", *, reason: str | None = None
    ) -> None:
        """Send a whole response."""
        await self._start(status, fields, reason, len(body))
        if self._has_content:
            self._writer.encode(body)
            self.body_sent = len(body)
        await self._finish(body if self._has_content else b"", ())

    async def inform(self, status: int, fields: Fields = ()) -> None:
        """Send links as early hints (103) where the server can; drop everything else."""
        if not 100 <= status <= 199 or status == 101:
            raise LocalProtocolError(f"an informational response is 100 to 199, got {status}")
        if self.response_status:
            raise self._misuse("an informational response")
        pairs = list(fields)
        encode_fields(pairs)
        links = [value.encode("latin-1") for name, value in pairs if name.lower() == "link"]
        if status == 103 and links and _EARLY_HINT in self._extensions:
            await self._tell({"type": _EARLY_HINT, "links": links})

    async def start(self, status: int, fields: Fields = (), *, reason: str | None = None) -> None:
        """Begin a response whose body follows."""
        await self._start(status, fields, reason, None)
        self._listen()  # otherwise an endless response never ends: sending tells nothing

    async def _start(
        self, status: int, fields: Fields, reason: str | None, length: int | None
    ) -> None:
        """Send the head; ``length`` is the body's, or None where it isn't known."""
        if self.response_status:
            raise self._misuse("a response")
        if status < 200:
            raise LocalProtocolError(f"a final response is 200 to 999, got {status}; see inform()")
        pairs = list(fields)
        encoded = encode_fields(pairs)
        encode_status_line(status, reason)
        given, method = encoded.content_length, self.head.method
        self._has_content = method != "HEAD" and status not in {204, 304}
        if self._has_content and None not in {given, length} and given != length:
            raise LocalProtocolError(
                f"Content-Length says {given} bytes, but the body has {length}"
            )
        if given is None and status not in {204, 304}:
            given = length  # also of HEAD: what GET would say (RFC 9110, section 9.3.2)
        self._length = given
        self._writer = body_writer(
            body_framing(status=status, method=method, chunked=False, content_length=self._length)
        )
        self._has_trailers = _TRAILERS in self._extensions and any(
            name.lower() == "trailer" for name, _ in pairs
        )
        message: Message = {
            "type": "http.response.start",
            "status": status,
            "headers": self._headers(pairs, closes="close" in encoded.connection),
        }
        if self._has_trailers:
            message["trailers"] = True
        self.sent_fields, self.response_status = pairs, status
        await self._tell(message)

    def _headers(self, pairs: list[tuple[str, str]], *, closes: bool) -> list[tuple[bytes, bytes]]:
        headers = _encoded(pairs)
        if self._length is not None:
            headers.append((b"content-length", b"%d" % self._length))
        if (closes or self._is_last) and self.version < (2, 0):  # RFC 9113, section 8.2.2
            headers.append((b"connection", b"close"))
        return headers

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a part of the body; the server says when to go on."""
        self._check_under_way("write")
        if not self._has_content:
            return
        content = bytes(self._writer.encode(data))
        self.body_sent = self._writer.sent
        if content:
            await self._tell({"type": "http.response.body", "body": content, "more_body": True})

    async def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> None:
        """Send ``count`` bytes of a file (to its end if None): by its path where that is possible.

        That is: where the server offers it, and the whole file is the whole body.
        """
        self._check_under_way("sendfile")
        size = os.fstat(file.fileno()).st_size
        if count is None:
            count = max(0, size - offset)
        if not self._has_content:
            return
        if (
            _PATH_SEND in self._extensions
            and (offset, self.body_sent, self._length, count) == (0, 0, size, size)
            and (path := _path_of(file)) is not None
        ):
            self._writer.frame(count)
            self.body_sent = count
            self._is_body_passed_on = True
            await self._tell({"type": _PATH_SEND, "path": path})
            return
        file.seek(offset)
        while count > 0:
            data = file.read(min(count, _PIECE))
            if not data:
                raise LocalProtocolError(f"the file ended {count} bytes early")
            count -= len(data)
            await self.write(data)

    async def finish(self, trailers: Fields = ()) -> None:
        """End the response. Trailers that a field Trailer didn't announce are dropped."""
        self._check_under_way("finish")
        await self._finish(b"", list(trailers))

    async def _finish(self, body: bytes, trailers: Fields) -> None:
        self._writer.finish(trailers)
        pairs = list(trailers)
        encode_fields(pairs)
        if not self._is_body_passed_on:
            await self._tell({"type": "http.response.body", "body": body, "more_body": False})
        if self._has_trailers:
            await self._tell(
                {"type": _TRAILERS, "headers": _encoded(pairs), "more_trailers": False}
            )
        self._service.books.bytes_sent += self.body_sent
        self.end()

    async def upgrade(
        self,
        status: int = 101,
        fields: Fields = (),
        *,
        reason: str | None = None,
    ) -> NoReturn:
        """Refuse: an ASGI server doesn't give its transport away.

        Raises:
            InvalidUse: always.
        """
        raise InvalidUse("an ASGI server keeps its connections: serve this with run_app")

    def close_after(self) -> None:
        """Announce ``Connection: close``, if the head has not been sent."""
        self._is_last = True

    async def _tell(self, message: Message) -> None:
        if self.is_disconnected:
            raise PeerDisconnected("the client closed the connection")
        try:
            await self._send(message)
        except OSError as exc:
            raise PeerDisconnected("the client closed the connection") from exc

    def _check_under_way(self, what: str) -> None:
        if not self.response_status or self.is_over:
            raise self._misuse(what)

    def _misuse(self, what: str) -> HttpException:
        if self.is_disconnected:
            return PeerDisconnected("the client closed the connection")
        return InvalidUse(
            f"{what} {'after' if self.is_over else 'during' if self.response_status else 'before'} "
            "the response: expected respond(), or start(), write() …, finish(), each response once"
        )

    # How it ends.

    def end(self) -> None:
        """Take note that the response is complete, or never will be; twice is fine."""
        if not self.is_over:
            self.is_over = True
            self._service.books.responses[self.response_status] += 1
            self._ended.set()

    async def stop_listening(self) -> None:
        """Free what listens to the server. An error of the server's comes up here."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.cancel()
        try:
            await listener
        except asyncio.CancelledError:
            if not listener.cancelled():
                raise


def _encoded(pairs: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return validated fields as ASGI wants them, without those of the connection."""
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in pairs
        if name.lower() not in {"connection", "content-length", "transfer-encoding"}
    ]


def _path_of(file: IO[bytes]) -> str | None:
    """Return the path of an open file, if it leads there; None if it has none."""
    name = getattr(file, "name", None)
    if not isinstance(name, str):
        return None
    path = os.path.abspath(name)  # noqa: PTH100 - links stay what they are
    try:
        same = os.path.samestat(os.stat(path), os.fstat(file.fileno()))  # noqa: PTH116
    except OSError:
        return None
    return path if same else None
