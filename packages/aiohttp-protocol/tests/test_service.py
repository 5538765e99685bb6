"""A service: what the connections of one server share, and what its books say."""

from __future__ import annotations

import asyncio
import sys
from contextvars import ContextVar
from types import FrameType

import pytest

import aiohttp.protocol.service as module
from aiohttp.protocol.exchange import Exchange
from aiohttp.protocol.service import Service
from served import GET, Application, Served, post, request, settle


async def test_books_count_what_was_done() -> None:
    """Connections, requests, responses by status, bytes over the wire, limits that were hit."""
    served = Served()
    answers = await served.exchange(GET, post(b"body") + GET)
    answers += await served.exchange(b"BAD\r\n\r\n")
    books = served.service.books
    assert (books.connections, books.requests) == (1, 3)
    assert books.responses == {200: 3, 400: 1}
    assert books.bytes_received == len(GET) * 2 + len(post(b"body")) + 7
    assert books.bytes_sent == len(answers)
    assert books.limits_hit == {"BadRequestLine": 1}
    assert repr(books) == "<Books 3 requests on 1 connections>"


async def test_bytes_of_a_pipeline_are_counted_once() -> None:
    """Though they are queued, and taken in again."""

    async def answer(exchange: Exchange) -> None:
        await settle(2)
        await exchange.respond(200)

    served = Served(answer)
    await served.exchange(GET * 5)
    await settle(40)
    assert served.service.books.requests == 5
    assert served.service.books.bytes_received == len(GET) * 5


async def test_end_is_announced_in_every_response() -> None:
    """Those that are under way, and those to come, on connections old and new."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        if exchange.head.target == "/waits":
            await release.wait()
        await exchange.respond(200)

    served = Served(answer)
    old, new = (Served(service=served.service) for _ in range(2))
    assert b"Connection: keep-alive" in await old.exchange(GET)
    await served.exchange(request("/waits"))
    served.service.announce_end()
    release.set()
    for each, data in ((served, b""), (old, GET), (new, GET)):
        assert b"Connection: close" in await each.exchange(data)
        assert each.is_closed


async def test_announced_end_breaks_no_promise() -> None:
    """Who has read that the connection will be kept asks again, and is told then."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200)
        await exchange.write(b"hello")
        await release.wait()
        await exchange.finish()

    served = Served(answer)
    assert b"Connection: keep-alive" in await served.exchange(GET)
    served.service.announce_end()
    release.set()
    await served.exchange()
    assert not served.is_closed
    assert b"Connection: close" in await served.exchange(GET)
    assert served.is_closed


async def test_exchanges_are_those_under_way() -> None:
    """The longest first; one that is answered is none of them, though its handler goes on."""
    go_on = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        if exchange.head.target == "/answered":
            await exchange.respond(200)
        await go_on.wait()
        if exchange.head.target != "/answered":
            await exchange.respond(200)

    first = Served(answer)
    second, third, idle = (Served(service=first.service) for _ in range(3))
    await first.exchange(request("/1"))
    first.clock.advance(1)
    await second.exchange(request("/answered"))
    await third.exchange(request("/3"))
    under_way = first.service.exchanges
    assert [e.head.target for e in under_way] == ["/1", "/3"]
    assert {e.task for e in under_way} < first.service.tasks
    go_on.set()
    await settle()
    assert not first.service.exchanges
    idle.client.feed_eof()
    await settle()


async def test_server_field_is_sent_where_it_is_wanted() -> None:
    """In refusals, too; by default nobody is told what serves here."""
    service = Service(Application(lambda exchange: exchange.respond(200)), server="house/1")
    served = Served(service=service)
    answers = await served.exchange(GET, b"BAD\r\n\r\n")
    assert answers.count(b"\r\nServer: house/1\r\n") == 2
    assert b"Server" not in await Served().exchange(GET)
    served.client.feed_eof()
    await settle()


async def test_allowed_methods_must_be_a_collection_of_names() -> None:
    """A string is one, by accident: of letters."""
    with pytest.raises(TypeError, match=r"such as \{'GET'\}"):
        Service(allowed_methods="GET")


async def test_registry_knows_connections_and_handlers() -> None:
    """Both leave it at their end, and who waits for a change is told."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await release.wait()
        await exchange.respond(200)

    served = Served(answer)
    service = served.service
    await served.exchange(request("/", "Connection: close"))
    assert repr(service) == "<Service open, 1 connections, 1 handlers>"
    change = asyncio.create_task(service.wait_change())
    release.set()
    await settle()
    assert change.done()
    assert not service.tasks
    served.client.feed_eof()
    await settle()
    assert repr(service) == "<Service open, 0 connections, 0 handlers>"


async def test_draining_is_told_to_all_who_wait_and_to_those_who_ask_later() -> None:
    """Once: a second call changes nothing."""
    service = Service()
    waiting = [asyncio.create_task(service.wait_draining()) for _ in range(3)]
    await settle()
    assert not any(task.done() for task in waiting)
    for _ in range(2):
        service.begin_drain()
    await asyncio.gather(*waiting)
    await service.wait_draining()
    assert repr(service).startswith("<Service draining")


async def test_connection_that_comes_while_draining_is_told() -> None:
    """Its first request is answered, as the last."""
    first = Served()
    first.service.begin_drain()
    late = Served(service=first.service)
    assert b"\r\nConnection: close\r\n\r\n" in await late.exchange(GET)
    for served in (first, late):
        served.client.lose()
    await settle()


async def test_task_factory_of_the_program_is_asked() -> None:
    """A program that makes the tasks of its loop itself makes those of handlers, too."""
    loop = asyncio.get_running_loop()
    made: list[str] = []

    def factory(loop: asyncio.AbstractEventLoop, coro: object, **options: object) -> object:
        made.append(getattr(coro, "__qualname__", ""))
        return asyncio.Task(coro, loop=loop, **options)  # type: ignore[arg-type]

    loop.set_task_factory(factory)  # type: ignore[arg-type]
    try:
        served = Served()
        assert (await served.exchange(GET)).startswith(b"HTTP/1.1 200")
    finally:
        loop.set_task_factory(None)
    assert made == ["ServerHttpProtocol._run"]


async def test_signal_while_a_request_begins_is_not_lost() -> None:
    """Its handler may want something of the loop, as asyncio.run's does to cancel its task."""
    loop = asyncio.get_running_loop()
    service = Service()
    signals: list[str] = []
    heard: list[str] = []
    begun: list[object] = []

    async def begin() -> None:
        begun.append(asyncio.current_task())

    def interrupt(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename == module.__file__:
            signals.append(frame.f_code.co_name)
            loop.call_soon(heard.append, frame.f_code.co_name)

    def receive() -> None:
        sys.setprofile(interrupt)
        try:
            service.start_task(begin())
        finally:
            sys.setprofile(None)

    loop.call_soon(receive)
    await settle()
    assert signals
    assert heard == signals
    assert len(begun) == 1


@pytest.mark.parametrize("requests", [[GET * 3], [GET, GET, GET], [post(b"body") * 3]])
async def test_context_of_a_request_does_not_reach_the_next(requests: list[bytes]) -> None:
    """Each handler finds the context variables of the program, and none of another handler."""
    user = ContextVar("user", default="")
    user.set("the program")
    found: list[str] = []

    async def answer(exchange: Exchange) -> None:
        found.append(user.get())
        user.set("a request")
        await settle(2)
        await exchange.respond(200)

    served = Served(answer)
    await served.exchange(*requests)
    await settle(40)
    assert found == ["the program"] * 3


async def test_requests_in_one_piece_are_answered_in_one_write() -> None:
    """Handlers that need not wait answer where requests are received, each in its own task."""
    tasks: list[object] = []

    async def answer(exchange: Exchange) -> None:
        tasks.append(asyncio.current_task())
        await exchange.respond(200)

    served = Served(answer)
    written: list[list[bytes]] = []

    def receive() -> None:
        served.client.feed(GET * 3)
        written.append(list(served.client.writes))

    asyncio.get_running_loop().call_soon(receive)
    await settle(3)
    (answers,) = written[0]
    assert answers.count(b"HTTP/1.1 200") == 3
    assert len(set(tasks)) == 3
    assert None not in tasks
    assert not served.service.tasks


async def test_application_may_observe_its_exchanges(caplog: pytest.LogCaptureFixture) -> None:
    """Each observer is told of each, also when one before it fails."""
    seen: list[str] = []

    def note(exchange: Exchange) -> None:
        seen.append(exchange.head.target)

    class Observed(Application):
        """An application with observers of its own."""

        exchange_observers = (note,)

    def fail(exchange: Exchange) -> None:
        raise ValueError("the log is full")

    service = Service(Observed(lambda exchange: exchange.respond(200)), on_exchange=fail)
    served = Served(service=service)
    await served.exchange(request("/one"), b"BAD\r\n\r\n")
    assert seen == ["/one", "/"]
    assert "the log is full" in caplog.text
    served.client.lose()
    await settle()


async def test_books_know_how_many_connections_are_over() -> None:
    """Those that are open are the difference."""
    served = Served()
    assert served.service.books.disconnections == 0
    served.client.lose()
    await settle()
    assert served.service.books.disconnections == 1
