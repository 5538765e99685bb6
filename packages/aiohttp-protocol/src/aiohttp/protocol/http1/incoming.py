"""The body of a request on its way in: framing undone, time kept, and an end to patience.

The server's connection owns one for each request that has a body. It knows no
transport and no clock: what it is told, it answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..errors import HttpException, InvalidUse
from ..limits import Limits
from ..streams import StreamReader
from .body import BodyDecoder, LengthBody, body_decoder, body_framing
from .head import RequestHead

__all__ = ["IncomingBody"]


class IncomingBody:
    """What a client sends behind the head of its request.

    Attributes:
        reader: where the program reads the content.
        is_held_back: whether the client waits for ``100 Continue`` before it sends.
        is_broken: whether the body was given up; nothing more of it is decoded.
    """

    __slots__ = (
        "_began",
        "_decoder",
        "_drop_end",
        "_limits",
        "_mark",
        "is_broken",
        "is_held_back",
        "reader",
    )

    def __init__(
        self,
        head: RequestHead,
        limits: Limits,
        *,
        pause: Callable[[], object],
        resume: Callable[[], object],
        on_first_read: Callable[[], object],
    ) -> None:
        """Expect the body that ``head`` announces.

        Raises:
            BodyTooLarge: if it announces more than ``limits.body``.
        """
        framing = body_framing(
            status=None,
            method=head.method,
            chunked=head.chunked,
            content_length=head.content_length,
        )
        self._limits = limits
        self._decoder: BodyDecoder = body_decoder(framing, limits)
        self._began = 0.0  # when the time for it began to run,
        self._mark = 0  # and how much of it had come by then
        self._drop_end = math.inf  # how far into a body that nobody wants we go on reading
        self.is_broken = False
        self.is_held_back = head.expect_continue
        self.reader = StreamReader(
            pause=pause,
            resume=resume,
            high_water=limits.read_buffer,
            length=head.content_length,
            on_first_read=on_first_read if head.expect_continue else None,
        )

    def __repr__(self) -> str:
        return f"<IncomingBody {self._decoder!r}{' broken' if self.is_broken else ''}>"

    @property
    def received(self) -> int:
        """How many bytes of content have come."""
        return self._decoder.received

    @property
    def is_complete(self) -> bool:
        """Whether all of it has come."""
        return self._decoder.is_complete

    @property
    def is_wanted(self) -> bool:
        """Whether there is still reason to receive: it isn't dropped, or its end may be near."""
        return self._decoder.received <= self._drop_end

    @property
    def is_too_long_to_drop(self) -> bool:
        """Whether more is announced to come than we would read for the connection's sake."""
        if not isinstance(self._decoder, LengthBody):
            return False
        return self._decoder.remaining > self._limits.drain

    # What comes.

    def decode(self, data: bytes) -> int:
        """Hand the body's part of ``data`` to the reader; return how many bytes that were.

        Raises:
            HttpException: if it isn't framed as announced, or too large.
        """
        payload, used = self._decoder.decode(data)
        self.is_held_back = False
        if payload and self.is_wanted:
            self.reader.feed_data(payload)
        return used

    def take(self, size: int) -> None:
        """Count bytes that were received straight into the reader's memory."""
        self.reader.buffer_updated(size)
        if isinstance(self._decoder, LengthBody):  # the only one whose content needs no decoding
            self._decoder.take(size)

    def finish(self) -> None:
        """Tell the reader that the body is complete."""
        self.reader.feed_eof(self._decoder.trailers)

    def end_input(self) -> None:
        """Take note that the client sends nothing more.

        Raises:
            IncompleteRead: if something is missing.
        """
        self._decoder.end()

    def fail(self, exc: HttpException) -> None:
        """Give the body up; its reader gets the error."""
        self.is_broken = True
        self.reader.set_exception(exc)

    def drop(self) -> None:
        """Let what still comes fall on the floor, up to ``limits.drain`` bytes."""
        self._drop_end = self._decoder.received + self._limits.drain
        self.reader.set_exception(InvalidUse("the body was dropped when its request was answered"))

    # The client's time.

    def begin_time(self, now: float) -> float:
        """Let the client's time run; what came before gives it no credit. Return the deadline."""
        self._began = now
        self._mark = self._decoder.received
        return now + self._limits.body_time

    def deadline(self, now: float) -> float:
        """Return when time is up: after a gap between two bytes, or for too low a rate."""
        limits = self._limits
        by_gap = now + limits.body_time
        if not limits.body_rate:
            return by_gap
        earned = (self._decoder.received - self._mark) / limits.body_rate
        return min(by_gap, self._began + limits.body_time + earned)
