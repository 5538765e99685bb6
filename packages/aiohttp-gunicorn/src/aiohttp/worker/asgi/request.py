"""One HTTP request as an ASGI application receives it: its body, and that its client has gone."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp.protocol import (
    EMPTY_STREAM,
    Exchange,
    IncompleteRead,
    InvalidUse,
    PeerDisconnected,
    RemoteProtocolError,
)

from .messages import Message

__all__ = ["ClientLeft", "Receiver"]


class ClientLeft(RemoteProtocolError):
    """The client had closed its side, and the application gave up: nobody may read this."""

    status = 499  # as proxies log it


class Receiver:
    """The receiving half of a call; the other one knows the exchange, and when it is answered.

    Attributes:
        broken: what is wrong with the request: its body can't be read to its end, or its
            client has left; None as far as nobody knows of anything.
        is_answered: whether the response is complete.
    """

    _exchange: Exchange
    _disconnect_grace: float

    # Of the class, and not set for each request, because few change any of it.
    broken: RemoteProtocolError | None = None
    is_answered = False
    _has_body = True  # which the application has not received to its end
    _is_end_told = False
    _one_by_one: asyncio.Lock | None = None
    _waiting: asyncio.Timeout | None = None

    async def receive(self) -> Message:
        """Return the next part of the request's body, and then, once, ``http.disconnect``.

        That comes when the client has gone, or the response is complete, to all who wait
        for it; and when the client has closed its side, as one that goes does first. It may
        wait for the response all the same, which can be sent within ``disconnect_grace``.
        Cancelling loses nothing.

        Raises:
            RemoteProtocolError: if the body can't be read to its end: it is malformed,
                too large, or its client too slow.
            InvalidUse: after ``http.disconnect``.
        """
        if self._is_end_told:
            raise self._nothing_follows()
        if self._has_body and not self.is_answered:
            body = self._exchange.body
            if body.is_eof():  # as nearly always: it came with its head
                self._has_body = False
                content = b"" if body is EMPTY_STREAM else body.read_nowait()  # 0.3 µs of a GET
                return {"type": "http.request", "body": content, "more_body": False}
            message = await self._receive_part()
            if message is not None:
                return message
        exchange = self._exchange
        await exchange.wait_input_ended()
        self._is_end_told = True
        if not (self.is_answered or exchange.is_disconnected):
            self.broken = ClientLeft("the client closed its side before it was answered")
            self._cancel_in_time(exchange.task)
        return {"type": "http.disconnect"}

    def _cancel_in_time(self, task: asyncio.Task[Any] | None) -> None:
        """Give a call that knows of its client's leaving the time of one whose client has gone."""
        if task is not None:
            grace = self._disconnect_grace
            timer = asyncio.get_running_loop().call_later(grace, self._cancel, task)
            task.add_done_callback(lambda _: timer.cancel())

    def _cancel(self, task: asyncio.Task[Any]) -> None:
        if not self.is_answered:
            task.cancel("the client closed its side")

    async def _receive_part(self) -> Message | None:
        """Return what has come of the body, or will come; None if that is nothing any more."""
        if self._one_by_one is None:
            self._one_by_one = asyncio.Lock()
        async with self._one_by_one:
            if self.is_answered or not self._has_body:
                return None
            body = self._exchange.body
            try:
                # A timeout that never comes of itself: who completes the response sets it.
                async with asyncio.timeout(None) as self._waiting:
                    content = await body.readany()
            except TimeoutError:
                return None
            except PeerDisconnected:
                self._has_body = False
                return None
            except IncompleteRead as exc:
                # A client that sends no more has gone, as far as ASGI can tell.
                self.broken = exc
                self._is_end_told = True
                self._has_body = False
                return {"type": "http.disconnect"}
            except RemoteProtocolError as exc:
                self.broken = exc
                raise
            finally:
                self._waiting = None
            self._has_body = not body.at_eof()
            return {"type": "http.request", "body": content, "more_body": self._has_body}

    def _nothing_follows(self) -> Exception:
        text = "http.disconnect was received: expected no further receive()"
        return InvalidUse(text) if self.is_answered else PeerDisconnected(text)
