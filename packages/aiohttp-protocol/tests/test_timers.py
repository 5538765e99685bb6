"""Deadlines: never early, at most 50 ms late, one timer for all of them."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol.timers import TICK, Deadline, Deadlines, deadlines_of
from wire import HandClock


@given(
    begin=st.floats(min_value=0, max_value=1e7),
    moves=st.lists(st.tuples(st.floats(0, 3), st.floats(0.001, 60)), min_size=1, max_size=8),
)
def test_deadline_is_never_early_and_hardly_late(
    begin: float, moves: list[tuple[float, float]]
) -> None:
    """However often a deadline is moved, it passes once, within 50 ms after its last moment."""
    clock = HandClock(begin)
    passed: list[float] = []
    deadline = Deadlines(clock).deadline(lambda: passed.append(clock.time()))
    due = begin
    for pause, delay in moves:
        due = clock.time() + delay
        deadline.set(due)
        clock.advance(min(pause, delay * 0.9))
        assert not passed
    clock.advance(200)
    assert len(passed) == 1
    assert 0 <= passed[0] - due <= 0.050


def test_cleared_deadline_does_not_pass() -> None:
    """A deadline that is cleared calls nobody, and leaves no timer behind once it was looked at."""
    clock = HandClock()
    deadline = Deadlines(clock).deadline(lambda: pytest.fail("called"))
    deadline.set(clock.time() + 1)
    deadline.clear()
    clock.advance(10)
    assert clock.pending == 0


def test_infinite_deadline_is_none() -> None:
    """A limit of inf means that nothing is awaited."""
    clock = HandClock()
    deadline = Deadlines(clock).deadline(lambda: pytest.fail("called"))
    deadline.set(clock.time() + math.inf)
    clock.advance(1e6)
    assert clock.pending == 0


def test_deadline_can_be_set_again_when_it_passes() -> None:
    """Whoever is called may set the same deadline anew."""
    clock = HandClock()
    passed: list[float] = []

    def expired() -> None:
        passed.append(clock.time())
        deadline.set(clock.time() + 1)

    deadline = Deadlines(clock).deadline(expired)
    deadline.set(clock.time() + 1)
    clock.advance(3.5)
    assert len(passed) == 3


def test_closing_the_last_deadline_stops_the_timer() -> None:
    """While nothing is watched no timer runs, so that an idle loop sleeps."""
    clock = HandClock()
    deadlines = Deadlines(clock)
    first, second = deadlines.deadline(print), deadlines.deadline(print)
    first.set(clock.time() + 1)
    second.set(clock.time() + 2)
    first.close()
    assert clock.pending == 1
    second.close()
    assert clock.pending == 0
    assert repr(deadlines) == "<Deadlines 0 watched>"


def test_many_deadlines_share_one_timer() -> None:
    """A thousand deadlines keep one timer of the loop."""
    clock = HandClock()
    deadlines = Deadlines(clock)
    late: list[float] = []

    def watch(due: float) -> None:
        deadlines.deadline(lambda: late.append(clock.time() - due)).set(due)

    for number in range(1000):
        watch(clock.time() + number / 100)
    assert clock.pending == 1
    clock.advance(11)
    assert len(late) == 1000
    assert all(0 <= each <= 0.050 for each in late)


def test_deadline_closed_by_another_of_the_same_tick_is_not_called() -> None:
    """What is called first may close the others that pass with it."""
    clock = HandClock()
    deadlines = Deadlines(clock)
    passed: list[Deadline] = []
    pair: list[Deadline] = []

    def expired() -> None:
        passed.append(pair[0])
        for deadline in pair:
            deadline.close()

    pair += [deadlines.deadline(expired), deadlines.deadline(expired)]
    for deadline in pair:
        deadline.set(clock.time() + 1)
    clock.advance(2)
    assert len(passed) == 1


def test_deadline_moved_by_another_of_the_same_tick_passes_later() -> None:
    """What is called first may give the others more time."""
    clock = HandClock()
    deadlines = Deadlines(clock)
    passed: list[float] = []
    pair: list[Deadline] = []

    def expired() -> None:
        passed.append(clock.time())
        for deadline in pair:
            deadline.set(clock.time() + 10)
        pair.clear()

    pair += [deadlines.deadline(expired), deadlines.deadline(expired)]
    for deadline in pair:
        deadline.set(clock.time() + 1)
    clock.advance(2)
    assert len(passed) == 1
    clock.advance(20)
    assert len(passed) == 3


def test_error_in_one_deadline_leaves_the_others_their_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A callback that raises is logged, and those of the same tick are still called."""
    clock = HandClock()
    deadlines = Deadlines(clock)
    passed: list[int] = []

    def expired() -> None:
        passed.append(1)
        raise RuntimeError("broken")

    for _ in range(3):
        deadlines.deadline(expired).set(clock.time() + 1)
    with caplog.at_level(logging.ERROR):
        clock.advance(2)
    assert len(passed) == 3
    assert caplog.text.count("RuntimeError: broken") == 3


def test_repr_tells_when() -> None:
    """A deadline shows its moment."""
    deadline = Deadlines(HandClock()).deadline(print)
    assert repr(deadline) == "<Deadline idle>"
    deadline.set(12.5)
    assert repr(deadline) == "<Deadline at 12.500>"


def test_ticks_are_exact() -> None:
    """A tick is a power of two of seconds, well below the 50 ms that are allowed."""
    assert math.frexp(TICK)[0] == 0.5
    assert TICK <= 0.040


async def test_loop_has_one_set_of_deadlines() -> None:
    """All connections of a loop share their deadlines, which really pass."""
    loop = asyncio.get_running_loop()
    deadlines = deadlines_of(loop)
    assert deadlines is deadlines_of(loop)
    passed = asyncio.Event()
    due = loop.time() + 0.01
    deadlines.deadline(passed.set).set(due)
    await passed.wait()
    assert loop.time() >= due


def test_deadlines_do_not_keep_a_loop_alive() -> None:
    """A loop whose connections have closed their deadlines is freed when it is forgotten."""
    loop = asyncio.new_event_loop()
    deadline = deadlines_of(loop).deadline(print)
    deadline.set(loop.time() + 100)
    deadline.close()
    reference = weakref.ref(loop)
    loop.close()
    del loop
    gc.collect()
    assert reference() is None
