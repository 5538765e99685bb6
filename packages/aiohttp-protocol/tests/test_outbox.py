"""The outbox: who waits for whom, and who doesn't."""

from __future__ import annotations

import asyncio

import pytest

from aiohttp.protocol.outbox import Outbox
from served import settle


class Sender:
    """Counts how often it was asked to send."""

    def __init__(self) -> None:
        self.flushes = 0

    def flush(self) -> None:
        """Send."""
        self.flushes += 1


async def busy_outbox() -> Outbox:
    """Return an outbox that has just had many answers in one turn."""
    outbox = Outbox(asyncio.get_running_loop())
    while not outbox.takes(Sender()):
        pass
    for _ in range(10):
        assert outbox.takes(Sender())
    await settle(1)
    return outbox


async def test_many_answers_leave_at_the_end_of_the_turn() -> None:
    """All together, each sender asked once for each of its answers."""
    outbox = await busy_outbox()
    senders = [Sender() for _ in range(5)]
    assert all(outbox.takes(sender) for sender in senders)
    assert [sender.flushes for sender in senders] == [0] * 5
    assert repr(outbox) == "<Outbox 5 waiting>"
    await settle(1)
    assert [sender.flushes for sender in senders] == [1] * 5
    assert repr(outbox) == "<Outbox 0 waiting>"


async def test_lonely_answer_does_not_wait() -> None:
    """But for one in 61, which finds out whether it still is."""
    outbox = Outbox(asyncio.get_running_loop())
    taken: list[int] = []
    for number in range(1, 200):
        if outbox.takes(Sender()):
            taken.append(number)
            await settle(1)
    assert taken == [61, 122, 183]


async def test_answers_that_become_lonely_stop_waiting() -> None:
    """The first few of a turn still do: nobody knew."""
    outbox = await busy_outbox()
    assert outbox.takes(Sender())
    await settle(1)
    assert not outbox.takes(Sender())


async def test_sender_that_fails_keeps_nobody_from_sending(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged, and the others have their turn."""

    class Broken(Sender):
        def flush(self) -> None:
            raise RuntimeError("no transport")

    outbox = await busy_outbox()
    last = Sender()
    for sender in (Broken(), last):
        outbox.takes(sender)
    await settle(1)
    assert last.flushes == 1
    assert "can't send on" in caplog.text
