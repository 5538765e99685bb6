"""Requests that an application takes: it answers from outside of a task."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from aiohttp.protocol.errors import InvalidUse, MethodNotAllowed
from aiohttp.protocol.exchange import Exchange, TakenExchange
from aiohttp.protocol.service import Service
from served import GET, Served, post, request, settle

HELLO = [("Content-Type", "text/plain")]


class Taker:
    """An application that takes requests; ``taken`` is what it has yet to answer."""

    def __init__(self, wants: Callable[[TakenExchange], bool] = lambda exchange: True) -> None:
        self.taken: list[TakenExchange] = []
        self.withdrawn: list[Exchange] = []
        self.handled: list[Exchange] = []
        self._wants = wants

    def take_exchange(self, exchange: TakenExchange) -> Callable[[], None] | None:
        """Take a request, if that is wanted."""
        self.taken.append(exchange)
        if not self._wants(exchange):
            return None
        return lambda: self.withdrawn.append(exchange)

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer with the content."""
        self.handled.append(exchange)
        await exchange.respond(200, HELLO, b"handled " + await exchange.body.read())


class Taking(Served):
    """A connection to such an application; ``seen`` are the exchanges that are over."""

    def __init__(self, application: Taker | None = None) -> None:
        self.application = application or Taker()
        self.seen: list[Exchange] = []
        super().__init__(service=Service(self.application, on_exchange=self.seen.append))

    async def taken(self, data: bytes = GET) -> TakenExchange:
        """Return the exchange of a request that was taken."""
        assert await self.exchange(data) == b""
        return self.application.taken[-1]

    def answers(self) -> list[bytes]:
        """Return the contents of all answers since the last call, which are of one line."""
        return [part.partition(b"\r\n\r\n")[2] for part in self.client.take().split(b"HTTP/")[1:]]


async def test_answer_is_sent_at_once() -> None:
    """Without a task, and the connection goes on to the next request."""
    served = Taking()
    for number in range(2):
        exchange = await served.taken()
        assert exchange.task is None
        assert served.service.exchanges == [exchange]
        exchange.request = "mine"
        exchange.respond_now(200, HELLO, b"%d" % number)
        assert served.answers() == [b"%d" % number]
        assert exchange.request is None
        assert served.seen[number:] == [exchange]
    assert not served.service.tasks
    assert not served.is_closed
    served.client.lose()
    await settle()
    assert not served.application.withdrawn


async def test_answer_may_come_before_it_is_promised() -> None:
    """An application that knows the answer gives it while it takes the request."""

    def answer_now(exchange: TakenExchange) -> bool:
        exchange.respond_now(200, HELLO, b"known")
        return True

    answer = await Taking(Taker(answer_now)).exchange(GET)
    assert answer.endswith(b"\r\n\r\nknown")


async def test_request_that_is_not_taken_is_handled() -> None:
    """In a task, as by any other application."""
    served = Taking(Taker(lambda exchange: exchange.head.method == "GET"))
    answer = await served.exchange(post(b"content"))
    assert answer.endswith(b"\r\n\r\nhandled content")
    assert served.seen == served.application.handled == served.application.taken


async def test_request_that_was_taken_can_be_handled() -> None:
    """Whoever took it may find that there is more to do than to give an answer."""
    served = Taking()
    exchange = await served.taken(post(b"content"))
    exchange.handle()
    await settle()
    assert served.application.handled == [exchange]
    assert served.answers() == [b"handled content"]


@pytest.mark.parametrize(("status", "reason"), [(204, None), (200, "Fine"), (404, None)])
async def test_any_whole_response_can_be_given(status: int, reason: str | None) -> None:
    """Those that are not usual, too."""
    served = Taking()
    (await served.taken(request("/", method="HEAD"))).respond_now(status, (), reason=reason)
    expected = {204: b"204 No Content", 200: b"200 Fine", 404: b"404 Not Found"}[status]
    assert served.client.take().startswith(b"HTTP/1.1 " + expected)


async def test_wrong_response_is_answered_for(caplog: pytest.LogCaptureFixture) -> None:
    """As if handle_exchange had raised: it is logged, and the client gets 500."""
    served = Taking()
    with caplog.at_level(logging.ERROR, "aiohttp.server"):
        (await served.taken()).respond_now(200, [("X", "a\r\nb")])
    assert "error in the handler of GET '/'" in caplog.text
    assert served.client.take().startswith(b"HTTP/1.1 500 ")
    assert [exchange.response_status for exchange in served.seen] == [500]


@pytest.mark.parametrize(
    ("error", "status"),
    [(MethodNotAllowed("no", method="GET", allowed=["PUT"]), 405), (ValueError("no"), 500)],
)
async def test_error_is_answered_for(error: Exception, status: int) -> None:
    """What an application raises while it takes a request is as what it raises later."""

    def fail(exchange: TakenExchange) -> bool:
        raise error

    served = Taking(Taker(fail))
    answer = await served.exchange(GET)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert [exchange.response_status for exchange in served.seen] == [status]
    assert not served.application.handled
    assert not served.service.tasks


async def test_there_is_one_answer() -> None:
    """A second one is a mistake, and so is one to a request that was not taken."""
    served = Taking()
    exchange = await served.taken()
    exchange.respond_now(200)
    with pytest.raises(InvalidUse, match=r"expected respond_now\(\) once, for a request that was"):
        exchange.respond_now(200)
    with pytest.raises(InvalidUse, match=r"expected handle\(\) once, for a request that was taken"):
        exchange.handle()


async def test_client_that_goes_is_not_waited_for() -> None:
    """The application is told, the exchange reported, once, and an answer has no effect."""
    served = Taking()
    exchange = await served.taken()
    waiting = asyncio.create_task(exchange.wait_disconnected())
    served.client.lose()
    await waiting
    assert exchange.is_disconnected
    assert served.seen == served.application.withdrawn == [exchange]
    exchange.respond_now(200, HELLO, b"late")
    exchange.handle()
    await settle()
    assert served.seen == served.application.withdrawn == [exchange]
    assert not served.application.handled
    assert not served.client.late_writes


async def test_connection_that_is_cut_reports_its_exchange() -> None:
    """As one that its client has left."""
    served = Taking()
    exchange = await served.taken()
    served.service.abort()
    await settle()
    assert served.seen == [exchange]


async def test_draining_waits_for_the_answer() -> None:
    """Which says that it is the last."""
    served = Taking()
    exchange = await served.taken()
    served.service.begin_drain()
    assert not served.is_closed
    exchange.respond_now(200, HELLO, b"last")
    await settle()
    assert b"\r\nConnection: close\r\n" in served.client.take()
    assert served.is_closed


async def test_pipelined_requests_are_taken_one_after_the_other() -> None:
    """Each when the one before is answered."""
    served = Taking()
    await served.taken(request("/1") + request("/2"))
    for number in (1, 2):
        (exchange,) = served.application.taken[number - 1 :]
        assert exchange.head.target == f"/{number}"
        exchange.respond_now(200, HELLO, b"%d" % number)
        await settle()
        assert served.answers() == [b"%d" % number]


async def test_content_that_nobody_read_is_dropped() -> None:
    """The next request begins behind it."""
    served = Taking()
    data = post(b"x" * 1000)
    exchange = await served.taken(data[:-500])
    exchange.respond_now(200, HELLO, b"first")
    assert served.answers() == [b"first"]
    exchange = await served.taken(data[-500:] + request("/next"))
    assert exchange.head.target == "/next"
