"""Server-sent events: a response that goes on and on, and knows when to end.

As the HTML standard has it, section 9.2: text in UTF-8, an empty line behind each event.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from aiohttp.protocol import Exchange, PeerDisconnected

from .stream_response import LooseHeaders, StreamResponse

if TYPE_CHECKING:
    from .request import BaseRequest

__all__ = ["EventSourceResponse", "encode_event"]

_T = TypeVar("_T")

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_NOT_IN_LINE: Final = re.compile(r"[\r\n\0]")
_COMMENT: Final = b":\n\n"


class EventSourceResponse(StreamResponse):
    """A stream of events for a browser's ``EventSource``.

    ::

        async def clock(request):
            async with web.EventSourceResponse(request) as stream:
                while True:
                    await stream.send_event(datetime.now().isoformat())
                    await asyncio.sleep(1)
            return stream

    The block ends by itself, wherever it waits, when the client has gone or the server is
    about to stop: what follows it still runs. Or without a block::

        stream = web.EventSourceResponse()
        await stream.prepare(request)
        while await stream.wait(1):  # False once it is over
            await stream.send_event("...")
        return stream

    Several tasks may send; each event arrives in one piece. One that is cancelled when a part
    of it was sent ends the stream: the client connects again.

    Args:
        request: what is answered, for ``async with``.
        status, reason, headers: as of ``StreamResponse``.
        keep_alive_interval: seconds of silence after which a comment is sent, so that nobody
            on the way takes the connection for dead; None for never.
    """

    def __init__(
        self,
        request: BaseRequest | None = None,
        *,
        status: int = 200,
        reason: str | None = None,
        headers: LooseHeaders | None = None,
        keep_alive_interval: float | None = 15.0,
    ) -> None:
        if keep_alive_interval is not None and keep_alive_interval <= 0:
            raise ValueError(
                f"keep_alive_interval must be seconds above 0, or None; got {keep_alive_interval}"
            )
        super().__init__(status=status, reason=reason, headers=headers)
        self.headers.setdefault("Content-Type", "text/event-stream")
        self.headers.setdefault("Cache-Control", "no-cache")
        self.headers.setdefault("X-Accel-Buffering", "no")  # nginx would collect events
        self._to_answer = request
        self._interval = keep_alive_interval
        self._over = asyncio.Event()
        self._turn = asyncio.Lock()
        self._last = 0.0
        self._is_torn = False
        self._watcher: asyncio.Task[None] | None = None
        self._owner: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self._has_cancelled = False

    @property
    def is_open(self) -> bool:
        """Whether events still reach somebody: neither has the client gone nor the end begun."""
        return self._request is not None and not self._over.is_set()

    @property
    def last_event_id(self) -> str | None:
        """The id of the last event that a client saw which connects again; before, None."""
        request = self._request or self._to_answer
        return None if request is None else request.headers.get("Last-Event-ID")

    async def prepare(self, request: BaseRequest) -> None:
        """Begin the stream, and send its head: the client knows that it is connected."""
        if self._request is not None:
            return await super().prepare(request)
        await super().prepare(request)
        if request.method == "HEAD":
            self._end()
        else:
            await self._send(b"")
            self._watcher = asyncio.create_task(self._watch(request.exchange))
        return None

    async def send_event(
        self,
        data: str,
        *,
        event: str | None = None,
        id: str | None = None,
        retry: int | None = None,
    ) -> None:
        """Send one event; waits while the client reads slower than we write.

        Args:
            data: text of any number of lines.
            event: its type; "message" to the client if None.
            id: what a client that connects again tells as ``last_event_id``.
            retry: milliseconds after which the client shall connect again.

        Raises:
            ValueError: if ``event`` or ``id`` has a line break or a NUL.
            PeerDisconnected: if the client has gone.
        """
        await self._send(encode_event(data, event=event, id=id, retry=retry))

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait, and return True; or return False as soon as the stream is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return True
        return False

    async def follow(self, source: AsyncIterable[_T]) -> AsyncGenerator[_T, None]:
        """Yield what ``source`` gives, until it ends or the stream is over.

        ::

            async for message in stream.follow(subscription):
                await stream.send_event(message)
        """
        items = aiter(source)
        over = asyncio.create_task(self._over.wait())
        try:
            while not self._over.is_set():
                coming = asyncio.ensure_future(anext(items))
                try:
                    await asyncio.wait({coming, over}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    is_there = coming.done()
                    await _cancelled(coming)
                if not is_there:
                    return
                try:
                    item = coming.result()
                except StopAsyncIteration:
                    return
                yield item
        finally:
            await _cancelled(over)
            if isinstance(items, AsyncGenerator):
                await items.aclose()

    async def write_eof(self, data: bytes = b"") -> None:
        """End the stream, in silence where the client has gone. A second call changes nothing."""
        self._owner = None
        self._over.set()
        if self._watcher is not None:
            await _cancelled(self._watcher)
        try:
            await super().write_eof(data)
        except PeerDisconnected:
            self._eof_sent = True

    async def _send(self, data: bytes) -> None:
        exchange = self._under_way("send_event").exchange
        async with self._turn:
            if self._is_torn:
                raise PeerDisconnected("the stream is over: an event was cancelled half way")
            if data and self._compressor is not None:
                size = self._executor_size
                data = await self._compressor.encode(data, size) + self._compressor.flush()
            self._last = asyncio.get_running_loop().time()
            sent = exchange.body_sent
            try:
                await exchange.write(data)
            except asyncio.CancelledError:
                # The client would take the next event for the rest of this one. It drops what
                # has no end, and connects again.
                self._is_torn = 0 < exchange.body_sent - sent < len(data)
                if self._is_torn and not self._over.is_set():
                    self._end()
                raise

    # The end, and silence.

    async def _watch(self, exchange: Exchange) -> None:
        """Wait for the end, and speak up when nobody does."""
        ends: set[asyncio.Task[None]] = {
            asyncio.create_task(exchange.wait_draining()),
            asyncio.create_task(exchange.wait_disconnected()),
        }
        time = asyncio.get_running_loop().time
        try:
            while True:
                rest = None if self._interval is None else self._last + self._interval - time()
                done, _ = await asyncio.wait(
                    ends, timeout=rest, return_when=asyncio.FIRST_COMPLETED
                )
                if done:
                    break
                if self._interval is not None and time() >= self._last + self._interval:
                    await self._speak(ends)
        finally:
            for end in ends:
                end.cancel()
        self._end()

    async def _speak(self, ends: set[asyncio.Task[None]]) -> None:
        """Send a comment; a client that doesn't read must not keep us from seeing the end."""
        speaking = asyncio.create_task(self._send(_COMMENT))
        try:
            await asyncio.wait({speaking, *ends}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancelled(speaking)
        if not speaking.cancelled():
            speaking.exception()  # that the client has gone is seen by others

    def _end(self) -> None:
        """Tell everybody that the stream is over; end the block wherever it waits."""
        self._over.set()
        if self._owner is not None:
            self._has_cancelled = True
            self._owner.cancel("the event stream is over")

    async def __aenter__(self) -> Self:
        if self._to_answer is None:
            raise RuntimeError("async with needs the request: EventSourceResponse(request)")
        await self.prepare(self._to_answer)
        # The block is what ends when the client has gone, and not the whole handler.
        self._to_answer.exchange.cancel_on_disconnect = False
        task = asyncio.current_task()
        if task is not None:
            self._owner = task
            self._cancelling = task.cancelling()
        if self._over.is_set():
            self._end()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        task, self._owner = self._owner, None
        is_ours = isinstance(exc, PeerDisconnected)
        if self._has_cancelled and task is not None:
            self._has_cancelled = False
            # As ``asyncio.timeout`` does: what somebody else has cancelled stays so.
            others = task.uncancel() > self._cancelling
            if not others and not isinstance(exc, asyncio.CancelledError):
                # The block was left before our cancellation reached it.
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0)
            is_ours = not others and isinstance(exc, (asyncio.CancelledError, PeerDisconnected))
        if exc is None or is_ours:
            await self.write_eof()
        return is_ours


def encode_event(
    data: str, *, event: str | None = None, id: str | None = None, retry: int | None = None
) -> bytes:
    """Return one event as it is sent; see ``EventSourceResponse.send_event``."""
    if not isinstance(data, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"the data of an event must be str, not {type(data).__name__}")
    lines: list[str] = []
    for name, value in (("event", event), ("id", id)):
        if value is not None:
            if found := _NOT_IN_LINE.search(value):
                raise ValueError(f"{found[0]!r} in the {name} of an event: expected one line")
            lines.append(f"{name}: {value}\n")
    if retry is not None:
        if retry < 0:
            raise ValueError(f"retry must be milliseconds from 0 on, not {retry}")
        lines.append(f"retry: {int(retry)}\n")
    lines += [f"data: {line}\n" for line in _LINE_END.split(data)]
    return "".join([*lines, "\n"]).encode()


async def _cancelled(future: asyncio.Future[Any]) -> None:
    """Cancel a task, and return when it has ended; its result is for others to look at."""
    future.cancel()
    await asyncio.wait({future})
