"""The pool's decisions, without a loop and without connections."""

from __future__ import annotations

import random
import re
from collections import Counter
from typing import Any

import pytest

from aiohttp.client.pool import Pool, Waiter


class Stub:
    """Something that can be pooled."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.is_reusable = True

    def __repr__(self) -> str:
        return self.name


class Desk:
    """A pool, and what came of it: who was notified, in order."""

    def __init__(self, limit: int = 100, limit_per_host: int = 0) -> None:
        self.pool: Pool[str, Stub] = Pool(limit, limit_per_host)
        self.notified: list[str] = []

    def join(self, key: str, name: str = "") -> Waiter[str, Stub]:
        """Queue up, where nobody has to make room."""
        waiter, to_close = self.pool.join(key, lambda: self.notified.append(name))
        assert to_close == []
        return waiter

    def open(self, key: str, name: str = "") -> Stub:
        """Take a slot for a new connection."""
        waiter = self.join(key)
        assert waiter.is_granted
        assert waiter.connection is None
        return Stub(name)


def test_empty_pool_grants_a_slot() -> None:
    """Who comes first may open a connection at once, and isn't notified."""
    desk = Desk()
    waiter = desk.join("a", "first")
    assert waiter.is_granted
    assert waiter.connection is None
    assert desk.notified == []
    assert repr(desk.pool) == "<Pool 1 in use, 0 idle, 0 waiting, limit 100>"


def test_idle_connection_is_taken() -> None:
    """A released connection serves the next request to the same place, and no other."""
    desk = Desk()
    connection = desk.open("a")
    assert desk.pool.take("a") is None
    assert desk.pool.release("a", connection) == []
    assert desk.pool.take("b") is None
    assert desk.pool.take("a") is connection
    assert desk.pool.take("a") is None
    assert desk.pool.in_use == 1


def test_connection_used_last_is_taken_first() -> None:
    """Those that are not needed grow old and go."""
    desk = Desk()
    first, second = desk.open("a", "first"), desk.open("a", "second")
    desk.pool.release("a", first)
    desk.pool.release("a", second)
    assert [desk.pool.take("a"), desk.pool.take("a")] == [second, first]


def test_spent_connection_gives_its_slot_away() -> None:
    """A connection that can't be reused is returned to be closed, and waits for nobody."""
    desk = Desk(limit=1)
    connection = desk.open("a")
    waiter = desk.join("a", "next")
    connection.is_reusable = False
    assert desk.pool.release("a", connection) == [connection]
    assert desk.notified == ["next"]
    assert waiter.connection is None


def test_first_come_first_served() -> None:
    """Whoever waits longest gets the next slot, whatever host it is for."""
    desk = Desk(limit=1)
    connection = desk.open("a")
    waiters = [desk.join(key, key + str(i)) for i, key in enumerate("aba")]
    assert desk.pool.release("a", connection) == []
    assert desk.notified == ["a0"]
    assert waiters[0].connection is connection
    assert desk.pool.release("a", connection) == [connection]  # b needs its slot
    assert desk.notified == ["a0", "b1"]
    assert waiters[1].connection is None
    assert desk.pool.free("b") == []
    assert desk.notified == ["a0", "b1", "a2"]
    assert desk.pool.waiting == 0


def test_newcomer_does_not_overtake() -> None:
    """An idle connection is kept for those who queue."""
    desk = Desk(limit=2, limit_per_host=1)
    first = desk.open("a")
    desk.join("a", "parked")
    second = desk.open("b")
    desk.join("c", "waits")
    assert desk.pool.release("b", second) == [second]
    assert desk.notified == ["waits"]
    assert desk.pool.take("b") is None
    desk.pool.release("a", first)
    assert desk.notified == ["waits", "parked"]


def test_oldest_idle_connection_makes_room() -> None:
    """At the limit, a request to another host costs the connection that was used first."""
    desk = Desk(limit=2)
    first, second = desk.open("a", "first"), desk.open("b", "second")
    desk.pool.release("a", first)
    desk.pool.release("b", second)
    waiter, to_close = desk.pool.join("c", lambda: None)
    assert waiter.is_granted
    assert to_close == [first]
    assert desk.pool.take("a") is None
    assert (desk.pool.in_use, desk.pool.idle) == (1, 1)


def test_full_host_lets_others_pass() -> None:
    """Those who wait for a host without slots are not in the way of the others."""
    desk = Desk(limit=10, limit_per_host=1)
    connection = desk.open("a")
    parked = desk.join("a", "parked")
    assert desk.join("b").is_granted
    assert not parked.is_granted
    desk.pool.release("a", connection)
    assert parked.connection is connection


def test_occupancy_tells_which_limit_holds() -> None:
    """Who waits is told of the limit that is in the way."""
    desk = Desk(limit=10, limit_per_host=1)
    desk.open("a")
    assert desk.pool.occupancy("a") == "limit per host 1, 1 in use"
    assert desk.pool.occupancy("b") == "limit 10, 1 in use"
    assert Desk(limit=0).pool.occupancy("a") == "limit none, 0 in use"


def test_full_host_serves_in_order() -> None:
    """Among those who wait for the same host the first comes first."""
    desk = Desk(limit=10, limit_per_host=1)
    connection = desk.open("a")
    for name in ("one", "two", "three"):
        desk.join("a", name)
    for _ in range(2):
        desk.pool.release("a", connection)
    connection.is_reusable = False
    desk.pool.release("a", connection)
    assert desk.notified == ["one", "two", "three"]


def test_no_limit() -> None:
    """0 means any number."""
    desk = Desk(limit=0)
    for _ in range(1000):
        desk.open("a")
    assert repr(desk.pool) == "<Pool 1000 in use, 0 idle, 0 waiting, limit none>"


def test_leaving_while_waiting() -> None:
    """Who leaves the queue is never notified, and keeps nobody waiting."""
    desk = Desk(limit=1)
    connection = desk.open("a")
    first = desk.join("a", "first")
    desk.join("a", "second")
    assert desk.pool.leave(first) == []
    desk.pool.release("a", connection)
    assert desk.notified == ["second"]


@pytest.mark.parametrize("reusable", [True, False])
def test_leaving_with_a_connection(reusable: bool) -> None:
    """A slot that was granted to somebody who has gone is not lost: the next one gets it."""
    desk = Desk(limit=1)
    connection = desk.open("a")
    first = desk.join("a", "first")
    second = desk.join("a", "second")
    desk.pool.release("a", connection)
    connection.is_reusable = reusable
    assert desk.pool.leave(first) == ([] if reusable else [connection])
    assert desk.notified == ["first", "second"]
    assert second.connection is (connection if reusable else None)


def test_leaving_with_a_slot() -> None:
    """A slot without connection is given on, too."""
    desk = Desk(limit=1)
    first = desk.join("a")
    second = desk.join("b", "second")
    assert desk.pool.leave(first) == []
    assert second.is_granted


def test_leaving_a_full_host() -> None:
    """Who waited for a host without slots leaves no trace."""
    desk = Desk(limit=10, limit_per_host=1)
    connection = desk.open("a")
    parked = desk.join("a", "parked")
    desk.pool.leave(parked)
    assert desk.pool.waiting == 0
    desk.pool.release("a", connection)
    assert desk.notified == []
    assert desk.pool.take("a") is connection


def test_idle_connection_that_dies() -> None:
    """It is struck out, and its slot serves somebody else; twice changes nothing."""
    desk = Desk(limit=1)
    connection = desk.open("a")
    desk.pool.release("a", connection)
    assert desk.pool.forget("a", connection) == []
    assert desk.pool.forget("a", connection) == []
    assert repr(desk.pool) == "<Pool 0 in use, 0 idle, 0 waiting, limit 1>"


def test_busy_connection_is_not_forgotten() -> None:
    """Only who uses a connection may give its slot back."""
    desk = Desk(limit=1)
    connection = desk.open("a")
    assert desk.pool.forget("a", connection) == []
    assert desk.pool.in_use == 1


def test_dismiss_wakes_everybody_with_nothing() -> None:
    """All who wait are notified; nothing is granted to them."""
    desk = Desk(limit=2, limit_per_host=1)
    desk.open("a")
    parked = desk.join("a", "parked")
    desk.open("b")
    queued = desk.join("c", "queued")
    desk.pool.dismiss()
    assert sorted(desk.notified) == ["parked", "queued"]
    assert not parked.is_granted
    assert not queued.is_granted
    assert desk.pool.leave(parked) == desk.pool.leave(queued) == []
    assert desk.pool.waiting == 0


@pytest.mark.parametrize(
    ("limits", "error", "message"),
    [
        ((-1, 0), ValueError, "limit must be a count from 0 on (0: no limit), not -1"),
        ((0, -1), ValueError, "limit_per_host must be a count from 0 on (0: no limit), not -1"),
        ((None, 0), TypeError, "limit must be a count from 0 on (0: no limit), not None"),
        ((0, "9"), TypeError, "limit_per_host must be a count from 0 on (0: no limit), not '9'"),
    ],
)
def test_limits_are_counts(limits: Any, error: type[Exception], message: str) -> None:
    """A limit that is no count is a mistake; the error says whose, and how to have none."""
    with pytest.raises(error, match=re.escape(message)):
        Pool(*limits)


@pytest.mark.parametrize("seed", range(20))
def test_books_are_right_whatever_happens(seed: int) -> None:
    """After thousands of random events the counts are right, the limits hold, nobody is lost."""
    chance = random.Random(seed)
    limit, per_host = chance.choice([(1, 0), (3, 0), (3, 2), (5, 1), (0, 2)])
    pool: Pool[str, Stub] = Pool(limit, per_host)
    waiting: list[Waiter[str, Stub]] = []
    in_use: list[tuple[str, Stub]] = []
    idle: dict[Stub, str] = {}

    def collect(closed: list[Stub]) -> None:
        for connection in closed:
            idle.pop(connection, None)
        for waiter in [waiter for waiter in waiting if waiter.is_granted]:
            waiting.remove(waiter)
            connection = waiter.connection or Stub()
            idle.pop(connection, None)
            in_use.append((waiter.key, connection))

    for _ in range(500):
        key = chance.choice("abc")
        event = chance.random()
        if event < 0.45:
            taken = pool.take(key)
            if taken is not None:
                del idle[taken]
                in_use.append((key, taken))
            else:
                waiter, closed = pool.join(key, lambda: None)
                waiting.append(waiter)
                collect(closed)
        elif event < 0.85 and in_use:
            key, connection = in_use.pop(chance.randrange(len(in_use)))
            connection.is_reusable = chance.random() < 0.8
            if connection.is_reusable:
                idle[connection] = key
            collect(pool.release(key, connection))
        elif event < 0.95 and waiting:
            collect(pool.leave(waiting.pop(chance.randrange(len(waiting)))))
        elif idle:
            victim = chance.choice([*idle])
            collect(pool.forget(idle.pop(victim), victim))
        assert pool.in_use == len(in_use)
        assert pool.idle == len(idle)
        assert pool.waiting == len(waiting)
        assert not limit or pool.in_use + pool.idle <= limit
        counts = Counter(key for key, _ in in_use)
        assert not per_host or max(counts.values(), default=0) <= per_host
        if waiting and (not limit or pool.in_use + pool.idle < limit):
            assert all(per_host and counts[waiter.key] >= per_host for waiter in waiting)
