"""Addresses of names: who is asked how often, and what is kept for how long."""

from __future__ import annotations

import asyncio
import socket

import pytest

from aiohttp.client.names import Names
from aiohttp.protocol.abc import AbstractResolver, ResolveResult
from wire import HandClock


def address(host: str, port: int = 80) -> ResolveResult:
    """Return an answer."""
    return ResolveResult(
        hostname="a.example", host=host, port=port, family=socket.AF_INET, proto=6, flags=0
    )


class Book(AbstractResolver):
    """A resolver that answers from a book, when it is allowed to."""

    def __init__(self, *found: str) -> None:
        self.found = [*found]
        self.error: Exception | None = None
        self.asked: list[tuple[str, int, int]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append((host, port, family))
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return [address(each, port) for each in self.found]

    async def close(self) -> None:
        self.may_answer.clear()


class Stubborn(Book):
    """A resolver with a mind of its own about cancellation."""

    is_broken = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self.is_broken:
            raise asyncio.CancelledError
        try:
            return await super().resolve(host, port, family)
        except asyncio.CancelledError as exc:
            raise OSError("given up") from exc


async def start(names: Names, host: str = "a.example") -> asyncio.Task[list[ResolveResult]]:
    """Begin to look up a name, as far as it goes by itself."""
    task = asyncio.create_task(names.look_up(host, 80))
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def test_answer_is_kept() -> None:
    """The second one who asks gets what the first one was told."""
    book = Book("192.0.2.1", "192.0.2.2")
    names = Names(book, family=socket.AF_INET)
    for _ in range(2):
        found = await names.look_up("a.example", 80)
        assert found == [address("192.0.2.1"), address("192.0.2.2")]
    assert book.asked == [("a.example", 80, socket.AF_INET)]
    assert repr(names) == "<Names 1 kept, 0 asked for>"


async def test_answer_grows_old() -> None:
    """After its time to live an answer counts no more."""
    clock, book = HandClock(), Book("192.0.2.1")
    names = Names(book, ttl=10, time=clock.time)
    await names.look_up("a.example", 80)
    clock.advance(9.9)
    await names.look_up("a.example", 80)
    assert [*names.kept] == [("a.example", 80)]
    clock.advance(0.2)
    assert [*names.kept] == []
    await names.look_up("a.example", 80)
    assert len(book.asked) == 2


@pytest.mark.parametrize(("ttl", "questions"), [(None, 1), (0, 2)])
async def test_for_good_or_not_at_all(ttl: float | None, questions: int) -> None:
    """None keeps answers for good; 0 keeps none."""
    clock, book = HandClock(), Book("192.0.2.1")
    names = Names(book, ttl=ttl, time=clock.time)
    await names.look_up("a.example", 80)
    clock.advance(1e9)
    await names.look_up("a.example", 80)
    assert len(book.asked) == questions


async def test_oldest_answer_makes_room() -> None:
    """However many names a program asks for, the memory is bounded."""
    names = Names(Book("192.0.2.1"), limit=3)
    for number in range(10):
        await names.look_up(f"{number}.example", 80)
    assert [*names.kept] == [("7.example", 80), ("8.example", 80), ("9.example", 80)]


async def test_all_share_one_question() -> None:
    """However many ask at the same time, the resolver is asked once."""
    book = Book("192.0.2.1")
    book.may_answer.clear()
    names = Names(book, ttl=0)
    tasks = [await start(names) for _ in range(5)]
    assert len(book.asked) == 1
    book.may_answer.set()
    assert await asyncio.gather(*tasks) == [[address("192.0.2.1")]] * 5


async def test_all_share_one_failure() -> None:
    """An error is told to all who asked, and isn't kept."""
    book = Book("192.0.2.1")
    book.error = OSError("no such name")
    book.may_answer.clear()
    names = Names(book)
    tasks = [await start(names) for _ in range(3)]
    book.may_answer.set()
    for task in tasks:
        with pytest.raises(OSError, match="no such name"):
            await task
    book.error = None
    assert await names.look_up("a.example", 80) == [address("192.0.2.1")]


async def test_no_answer_is_an_error() -> None:
    """A resolver that returns nothing has failed."""
    with pytest.raises(OSError, match="the resolver found no address"):
        await Names(Book()).look_up("a.example", 80)


async def test_cancelled_asker_leaves_the_others() -> None:
    """Who gives up doesn't take the answer from those who still wait."""
    book = Book("192.0.2.1")
    book.may_answer.clear()
    names = Names(book)
    first, second = await start(names), await start(names)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    book.may_answer.set()
    assert await second == [address("192.0.2.1")]


async def test_last_cancelled_asker_ends_the_question() -> None:
    """When nobody wants to know any more, nothing is left running; newcomers ask anew."""
    book = Book("192.0.2.1")
    book.may_answer.clear()
    names = Names(book)
    tasks = [await start(names) for _ in range(2)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    book.may_answer.set()
    assert await names.look_up("a.example", 80) == [address("192.0.2.1")]
    assert len(book.asked) == 2


async def test_resolver_that_is_slow_to_give_up() -> None:
    """The end of a question that nobody waits for any more is not that of the next one."""
    book = Stubborn("192.0.2.1")
    book.may_answer.clear()
    names = Names(book, ttl=0)
    for _ in range(2):
        given_up = await start(names)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
    last = [await start(names) for _ in range(2)]
    assert repr(names) == "<Names 0 kept, 1 asked for>"
    assert len(book.asked) == 3
    book.may_answer.set()
    assert await asyncio.gather(*last) == [[address("192.0.2.1")]] * 2
    assert repr(names) == "<Names 0 kept, 0 asked for>"


async def test_resolver_that_is_cancelled_by_itself() -> None:
    """It answers nothing this time, but the next one who asks is not told so, too."""
    book = Stubborn("192.0.2.1")
    names = Names(book)
    book.is_broken = True
    with pytest.raises(OSError, match="the resolver was closed"):
        await names.look_up("a.example", 80)
    book.is_broken = False
    assert await names.look_up("a.example", 80) == [address("192.0.2.1")]


async def test_failure_that_nobody_waits_for() -> None:
    """An error that comes in the very turn in which the last asker leaves is told to nobody."""
    book = Book()
    book.may_answer.clear()
    names = Names(book)
    task = await start(names)
    book.may_answer.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert repr(names) == "<Names 0 kept, 0 asked for>"


@pytest.mark.parametrize(
    ("host", "port", "left"),
    [
        ("a.example", 80, [("a.example", 443), ("b.example", 80)]),
        ("a.example", None, [("b.example", 80)]),
        (None, None, []),
        ("c.example", 80, [("a.example", 80), ("a.example", 443), ("b.example", 80)]),
    ],
)
async def test_forget(host: str | None, port: int | None, left: list[tuple[str, int]]) -> None:
    """One answer is dropped, those of a host, or all."""
    names = Names(Book("192.0.2.1"))
    for key in [("a.example", 80), ("a.example", 443), ("b.example", 80)]:
        await names.look_up(*key)
    names.forget(host, port)
    assert [*names.kept] == left


async def test_close() -> None:
    """Who still waits gets an error; no task is left."""
    book = Book("192.0.2.1")
    names = Names(book)
    await names.look_up("b.example", 80)
    book.may_answer.clear()
    task = await start(names)
    names.close()
    with pytest.raises(OSError, match="the resolver was closed"):
        await task
    assert repr(names) == "<Names 0 kept, 0 asked for>"
    assert asyncio.all_tasks() == {asyncio.current_task()}
