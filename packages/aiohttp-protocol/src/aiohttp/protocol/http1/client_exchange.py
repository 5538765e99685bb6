"""One request on its way out, and who waits for its response: half of a client connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

from ..coding import content_decoder, decoded_at_once
from ..errors import BodyTooLarge
from ..headers import Headers
from ..limits import Limits
from ..streams import EMPTY_STREAM, StreamReader
from .body import BodyWriter
from .head import ResponseHead

if TYPE_CHECKING:
    from .client import ClientHttpProtocol

__all__ = ["JOINED", "PIECE", "ClientExchange", "RequestBody"]

RequestBody: TypeAlias = bytes | AsyncIterable[bytes]
"""The content of a request: all of it, or pieces as they come."""

JOINED: Final = 64 * 1024
"""Up to here a body is sent in one write with its head: a second one would be a second packet."""

PIECE: Final = 512 * 1024
"""A larger one is sent in pieces of this size. 100 MB cost 0.4 to 0.7 of the CPU time that
pieces of 64 KiB take (asyncio, uvloop), and 0.15 to 0.3 of one write, which copies what the
socket doesn't take at once."""

_EXPECT_TIME: Final = 1.0
"""Seconds for which a body waits for ``100 Continue``; to wait indefinitely is forbidden
(RFC 9110, section 10.1.1). curl's number."""


class ClientExchange:
    """One request, and the response to it. Made by ``ClientHttpProtocol.start``.

    Attributes:
        method: of the request.
        whole_body: the response's content where all of it came with its head and is
            not coded, as for nearly all small responses; else None.
        coded_body: likewise where it is coded: as it came, with its one coding, which
            is available here, and the limits for undoing it. Done when somebody reads.
        is_answered: whether any byte of a response has come.
        is_complete: whether the whole response has come, read or not; the
            connection may serve somebody else by then.
        is_request_sent: whether the whole request was handed to the transport.
        is_upload_unwanted: whether the final response made the rest of the request pointless.
        upload_error: what iterating over the request's body raised, or None.
    """

    __slots__ = (
        "_body",
        "_connection",
        "_go_on",
        "_head",
        "_is_stopped",
        "_upload",
        "coded_body",
        "is_answered",
        "is_complete",
        "is_request_sent",
        "is_upload_unwanted",
        "method",
        "on_information",
        "translate",
        "upload_error",
        "whole_body",
    )

    def __init__(
        self,
        connection: ClientHttpProtocol,
        method: str,
        head: asyncio.Future[ResponseHead],
        translate: Callable[[BaseException], BaseException],
        on_information: Callable[[ResponseHead], object],
    ) -> None:
        self.method = method
        self.translate = translate
        self.on_information = on_information
        self.whole_body: bytes | None = None
        self.coded_body: tuple[bytes, str, Limits] | None = None
        self._body: StreamReader | None = None
        self.is_answered = False
        self.is_complete = False
        self.is_request_sent = False
        self.is_upload_unwanted = False
        self.upload_error: BaseException | None = None
        self._connection = connection
        self._head = head
        self._upload: asyncio.Task[None] | None = None
        self._is_stopped = False  # the upload, by us
        self._go_on: asyncio.Event | None = None  # the body is held back until then

    def __repr__(self) -> str:
        state = "complete" if self.is_complete else "answered" if self.is_answered else "unanswered"
        return f"<ClientExchange {self.method} {state}>"

    @property
    def body(self) -> StreamReader:
        """The response's content, once ``response`` has returned."""
        if self._body is None:
            # Made now: who wants all of a small body at once never needs a stream (1.5 µs).
            whole = self.whole_body
            if self.coded_body is not None:
                self._body = self._coded_stream(*self.coded_body)
            else:
                self._body = (
                    StreamReader.complete(whole, translate=self.translate)
                    if whole
                    else EMPTY_STREAM
                )
        return self._body

    @body.setter
    def body(self, body: StreamReader) -> None:
        self._body = body

    def _coded_stream(self, data: bytes, coding: str, limits: Limits) -> StreamReader:
        body = StreamReader(
            high_water=limits.read_buffer,
            max_size=limits.decoded,
            length=len(data),
            decoder=content_decoder(coding, limits),
            translate=self.translate,
        )
        body.feed_data(data)
        body.feed_eof()
        return body

    async def read_all(self, limit: int | None = None) -> bytes:
        """Return the response's whole content, once ``response`` has returned.

        Raises:
            BodyTooLarge: as soon as more than ``limit`` bytes are announced, or there;
                of coded content only what is decoded counts. The connection is closed.
            BaseException: what ``translate`` makes of it, or of what else ends the body.
        """
        whole = self.whole_body
        if whole is None and self._body is None and self.coded_body is not None:
            whole = decoded_at_once(*self.coded_body, limit)
        if whole is None or self._body is not None:
            return await self.body.read_all(limit)
        if limit is not None and len(whole) > limit:
            message = f"expected a body of at most {limit} bytes, got {len(whole)}"
            raise self.translate(BodyTooLarge(message, name="limit", limit=limit))
        self._body = EMPTY_STREAM
        return whole

    @property
    def trailers(self) -> Headers:
        """The fields behind the body (RFC 9110, section 6.5); none before all of it has come."""
        return (self._body or EMPTY_STREAM).trailers

    @property
    def is_under_way(self) -> bool:
        """Whether the connection still works for this exchange."""
        return self._connection.serves(self)

    # Who waits for the response.

    async def response(self) -> ResponseHead:
        """Return the head of the final response; ``body`` is there then, too.

        Cancelling it gives up the exchange: the connection is closed, unless the
        response has come whole.

        Raises:
            PeerDisconnected: if the server closed before it had answered.
            RemoteProtocolError: if the answer isn't HTTP, or exceeds a limit.
            PeerTooSlow: if no byte came within ``read_time``.
            TimeoutError: if the deadline has passed.
            BaseException: ``upload_error``.
        """
        try:
            return await self._head
        except asyncio.CancelledError:
            self.abort()
            raise

    async def request_sent(self) -> None:
        """Return when the request was sent whole, or won't be any more."""
        if self._upload is not None and not self._upload.done():
            await asyncio.wait([self._upload])

    def abort(self) -> None:
        """Give up what isn't complete: the connection is closed then. Never fails."""
        self._connection.abort(self)

    def abort_from_anywhere(self) -> None:
        """``abort``, soon, from any thread, even if the loop is closed: for finalizers."""
        self._connection.call_soon(self.abort)

    def discard(self) -> None:
        """Let go of a response that nobody is going to read on.

        The connection is kept if what is missing is small and comes soon
        (``Limits.drain``, ``Limits.linger``); else it is closed.
        """
        self._connection.discard(self)

    def detach(self) -> tuple[asyncio.Transport, bytes]:
        """Take over the transport after 101, or after 2xx to CONNECT; with bytes already read.

        Reading is paused: set another protocol, then resume. Whoever takes the
        transport closes it.
        """
        return self._connection.detach(self)

    # What the connection calls.

    def deliver(self, head: ResponseHead) -> None:
        """Give the final response to whoever waits for it."""
        if not self._head.done():
            self._head.set_result(head)

    def fail(self, exc: BaseException) -> bool:
        """End the wait for the response by an error; False if it has ended already."""
        if self._head.done():
            return False
        self._head.set_exception(exc)
        return True

    @property
    def is_held_back(self) -> bool:
        """Whether the body waits for ``100 Continue``."""
        return self._go_on is not None and not self._go_on.is_set()

    def go_on(self) -> None:
        """Let a body go that was held back."""
        if self._go_on is not None:
            self._go_on.set()

    def begin_upload(
        self, body: RequestBody, writer: BodyWriter, piece: int, *, hold_back: bool
    ) -> None:
        """Send the body from now on. In a task of its own: the response may come meanwhile."""
        if hold_back:
            self._go_on = asyncio.Event()
        self._upload = asyncio.get_running_loop().create_task(self._send(body, writer, piece))

    def stop_upload(self) -> None:
        """Send no more of the body."""
        if self._upload is not None:
            self._is_stopped = True
            self._upload.cancel()

    async def _send(self, body: RequestBody, writer: BodyWriter, piece: int) -> None:
        connection = self._connection
        try:
            if self._go_on is not None:
                await self._wait_to_go_on(self._go_on)
            if isinstance(body, bytes):
                for data in _pieces(body, piece):
                    await connection.write(writer.encode(data))
            else:
                await self._relay(body, writer)
            await connection.write(writer.finish())
        except (Exception, asyncio.CancelledError) as exc:  # noqa: BLE001
            # The iterable is the program's: it may raise anything, CancelledError too, and
            # nobody awaits this task. After ``stop_upload`` nobody wants to know.
            if not self._is_stopped:
                self.upload_error = exc
                connection.upload_failed(self, exc)
        else:
            self.is_request_sent = True
            connection.upload_ended(self)

    async def _relay(self, body: AsyncIterable[bytes], writer: BodyWriter) -> None:
        connection = self._connection
        try:
            async for data in body:
                await connection.write(writer.encode(_fixed(data)))
        finally:
            if isinstance(body, AsyncGenerator):
                await body.aclose()

    async def _wait_to_go_on(self, go_on: asyncio.Event) -> None:
        limit = self._connection.deadlines.deadline(go_on.set)
        limit.set(self._connection.deadlines.time() + _EXPECT_TIME)
        try:
            await go_on.wait()
        finally:
            limit.close()


def _fixed(piece: object) -> bytes:
    """Return a piece that won't change: a transport sends some of it later, from where it is."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, bytearray):
        return bytes(piece)
    if isinstance(piece, memoryview):
        return piece.tobytes()
    raise TypeError(f"expected pieces of bytes as a body, got {type(piece).__name__}")


def _pieces(body: bytes, size: int) -> Iterator[memoryview]:
    view = memoryview(body)
    for start in range(0, len(view), size):
        yield view[start : start + size]
