"""One HTTP request as an ASGI application answers it: ``send()``, behind ``receive()`` (HTTP 2.5).

What may be sent when stands in tables at the end of the class. A whole response
leaves as one write. The head of one that comes in parts is held until the first of its
body, or for ``HEAD_TIME``: a client of slow events learns that they will come.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import Awaitable, Callable
from typing import IO, Any, ClassVar, Final, TypeAlias

from aiohttp.protocol import (
    Exchange,
    HttpException,
    IncompleteRead,
    InvalidUse,
    PeerDisconnected,
    list_members,
    shown,
)

from ..heads import ResponseFields
from .messages import Message, content_of, links_of, response_fields, response_head
from .request import Receiver

__all__ = ["HEAD_TIME", "HeldHeads", "HttpCall"]

_Step: TypeAlias = "Callable[[HttpCall, Message], Awaitable[None] | None]"

HEAD_TIME = 0.05
"""Seconds that the head of a response waits for the first part of its body, about."""

_AT_ONCE: Final = 64 * 1024  # bytes of a body that go out as one write


class HeldHeads:
    """The responses whose heads wait for the first part of their body.

    One timer for all, and only while there are any.
    """

    def __init__(self) -> None:
        self._calls: set[HttpCall] = set()
        self._sending: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.release = self._calls.discard

    def hold(self, call: HttpCall) -> None:
        """Have ``call.send_head()`` called soon, unless it is released before."""
        self._calls.add(call)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(HEAD_TIME, self._send)

    def _send(self) -> None:
        self._timer = None
        while self._calls:
            task = asyncio.create_task(self._calls.pop().send_head())
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)


class HttpCall(Receiver):
    """What one call of an application is made with, besides the scope."""

    _trailers: ResponseFields | None = None
    _long: asyncio.Future[None] | None = None  # until what takes several writes is sent

    def __init__(
        self,
        exchange: Exchange,
        heads: HeldHeads,
        log: logging.Logger,
        disconnect_grace: float = 3.0,
    ) -> None:
        self._exchange = exchange
        self._heads = heads
        self._log = log
        self._disconnect_grace = disconnect_grace
        self._may = self._BEFORE_START

    async def send(self, message: Message) -> None:
        """Take a message of the response; waits while the client reads slower than we send.

        What follows a complete response is ignored.

        Raises:
            PeerDisconnected: an OSError, if the client has gone.
            InvalidUse: if it isn't this message's turn, or something in it is wrong.
        """
        while self._long is not None:
            await asyncio.wait((self._long,))
        try:
            step = self._may[message["type"]]
        except (KeyError, TypeError):
            self._refuse(message.get("type"))
            return
        if (sending := step(self, message)) is not None:
            await sending

    def _refuse(self, kind: object) -> None:
        exchange = self._exchange
        if exchange.is_disconnected:
            raise PeerDisconnected("the client closed the connection")
        if self._may:
            expected = ", ".join(self._may)
            raise InvalidUse(f"expected one of {expected}; the application sent {kind!r}")
        if self._may is self._COMPLETE:
            self._may = self._TOO_MUCH
            self._log.warning(
                "%s %s: the application sent %r after its response was complete",
                exchange.head.method,
                shown(exchange.head.target),
                kind,
            )

    def _begin(self, message: Message) -> None:
        """Take the head, which leaves with the first part of the body."""
        self._status, self._fields, self._length, closes = response_head(message)
        is_gone = self._exchange.is_disconnected
        if self._status == 500 and (is_gone or self.broken is not None):
            # A framework's own handler of errors, which then raises what it handles: that
            # must not be hidden behind an error of ours.
            self._may = self._DROPPED
            return
        if is_gone:
            raise PeerDisconnected("the client closed the connection")
        if isinstance(self.broken, IncompleteRead):
            raise PeerDisconnected("the client broke its request off") from self.broken
        if closes:
            self._exchange.close_after()
        if message.get("trailers"):
            self._trailers = []
        self._may = self._BEFORE_BODY
        self._heads.hold(self)

    def _drop(self, message: Message) -> None:
        """Take the body of a response that is not sent."""
        if message.get("more_body"):
            raise PeerDisconnected("nobody gets this response: its request had failed before")
        self._may = self._TOO_MUCH

    def _send_first(self, message: Message) -> Awaitable[None]:
        """Send the head, with a whole body or the first part of one."""
        content = content_of(message)
        if self._trailers is not None or message.get("more_body"):
            return self._send_start_and(message)
        self._heads.release(self)
        if not content and self._length is None and self._exchange.head.method == "HEAD":
            # Not as a whole: that would claim that GET has a body of 0 bytes.
            return self._send_start_and(message)
        self._complete()
        # Without Content-Length it takes the quick way through the connection, which adds it.
        if self._length == len(content):
            return self._exchange.respond(self._status, self._fields, content)
        return self._exchange.respond(self._status, self._announced(), content)

    async def _send_start_and(self, message: Message) -> None:
        await self._start()
        await self._send_more(message)

    async def _start(self) -> None:
        self._heads.release(self)
        self._may = self._IN_BODY
        await self._exchange.start(self._status, self._announced())

    def _announced(self) -> ResponseFields:
        """Return the fields, with the Content-Length that the application gave."""
        if self._length is None:
            return self._fields
        return [*self._fields, ("Content-Length", str(self._length))]

    async def send_head(self) -> None:
        """Send the head alone: its body takes its time, and may yet come in any way."""
        if self._may is self._BEFORE_BODY:
            try:
                await self._start()
                self._may = self._BEHIND_HEAD
                await self._exchange.write(b"")
            except HttpException:
                self._may = self._BEFORE_BODY  # so that the next send() tells the application

    async def _send_more(self, message: Message) -> None:
        content = content_of(message)
        has_more = message.get("more_body")
        self._may = self._IN_BODY
        if len(content) > _AT_ONCE:
            await self._send_long(self._exchange.write(content))
        elif content or has_more:
            await self._exchange.write(content)
        if not has_more:
            await self._end_body()

    async def _send_long(self, sending: Awaitable[None]) -> None:
        """Send what the connection sends in pieces: other tasks' messages wait for the last."""
        self._long = sent = asyncio.get_running_loop().create_future()
        try:
            await sending
        finally:
            self._long = None
            sent.set_result(None)

    async def _end_body(self) -> None:
        if self._trailers is None:
            self._complete()
            await self._exchange.finish()
        else:
            self._may = self._BEFORE_TRAILERS

    def _complete(self) -> None:
        self._may = self._COMPLETE
        self.is_answered = True
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())

    # Extensions.

    async def _hint(self, message: Message) -> None:
        """Send early hints, as long as nothing of the response has been sent."""
        await self._exchange.inform(103, links_of(message))

    async def _send_path(self, message: Message) -> None:
        """Send a file as the whole body."""
        path = message.get("path")
        if not isinstance(path, str):
            raise InvalidUse(f"expected the path of a file, got {path!r}")
        with _open_regular(path) as file:
            if self._length is None:
                self._length = os.fstat(file.fileno()).st_size
            if self._may is self._BEFORE_BODY:
                await self._start()
            self._may = self._IN_BODY
            await self._send_long(self._exchange.sendfile(file, 0, self._length))
        await self._end_body()

    async def _send_file(self, message: Message) -> None:
        """Send a part of an open file, which goes on from there."""
        file: Any = message.get("file")
        if not hasattr(file, "fileno"):
            raise InvalidUse(f"expected an open file with a descriptor, got {file!r}")
        offset, count = message.get("offset"), message.get("count")
        if offset is None:
            offset = file.tell()
        if count is None:
            count = max(0, os.fstat(file.fileno()).st_size - offset)
        has_more = message.get("more_body")
        if self._may is self._BEFORE_BODY:
            if self._length is None and not has_more and self._trailers is None:
                self._length = count
            await self._start()
        self._may = self._IN_BODY
        await self._send_long(self._exchange.sendfile(file, offset, count))
        file.seek(offset + count)
        if not has_more:
            await self._end_body()

    async def _take_trailers(self, message: Message) -> None:
        """Collect trailers; they are sent to who said that they may be (RFC 9110, 6.5.1)."""
        fields, _, _ = response_fields(message.get("headers", ()))
        trailers = [*(self._trailers or ()), *fields]
        self._trailers = trailers
        if message.get("more_trailers"):
            return
        self._complete()
        wanted = "trailers" in list_members(self._exchange.head.headers.getall("TE", ()))
        await self._exchange.finish(trailers if wanted else ())

    def _ignore(self, message: Message) -> None:
        """Take no notice."""

    def _note_debug(self, message: Message) -> None:
        head = self._exchange.head
        self._log.debug("%s %s: %r", head.method, shown(head.target), message.get("info"))

    # What may be sent, and what it does then. Information has to come before the response.
    _BEFORE_START: ClassVar[dict[str, _Step]] = {
        "http.response.start": _begin,
        "http.response.debug": _note_debug,
        "http.response.early_hint": _hint,
    }
    _BEFORE_BODY: ClassVar[dict[str, _Step]] = {
        "http.response.body": _send_first,
        "http.response.pathsend": _send_path,
        "http.response.zerocopysend": _send_file,
        "http.response.early_hint": _hint,
    }
    _IN_BODY: ClassVar[dict[str, _Step]] = {
        "http.response.body": _send_more,
        "http.response.zerocopysend": _send_file,
        "http.response.early_hint": _ignore,
    }
    _BEHIND_HEAD: ClassVar[dict[str, _Step]] = {**_IN_BODY, "http.response.pathsend": _send_path}
    _BEFORE_TRAILERS: ClassVar[dict[str, _Step]] = {"http.response.trailers": _take_trailers}
    _DROPPED: ClassVar[dict[str, _Step]] = {"http.response.body": _drop}
    _COMPLETE: ClassVar[dict[str, _Step]] = {}
    _TOO_MUCH: ClassVar[dict[str, _Step]] = {}  # and the log knows


def _open_regular(path: str) -> IO[bytes]:
    """Open a file on disk; without waiting for whoever might write into a pipe.

    Raises:
        OSError: if there is none.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise OSError(f"expected a regular file to send, got {path!r}")
