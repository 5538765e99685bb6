"""Server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from aiohttp.protocol import PeerDisconnected, StreamReader
from aiohttp.server.web.compression import ContentCoding
from aiohttp.server.web.eventsource import EventSourceResponse, encode_event
from aiohttp.server.web.request import BaseRequest
from aiohttp.test_utils import MemoryClient
from answering import Answering, answer_of, client_of
from served import GET, Served, settle


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"data": "text"}, "data: text\n\n"),
        ({"data": ""}, "data: \n\n"),
        ({"data": "ü\u2028ü"}, "data: ü\u2028ü\n\n"),
        ({"data": "a\nb\r\nc\rd\n"}, "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
        (
            {"data": "a", "event": "add", "id": "7", "retry": 3000},
            "event: add\nid: 7\nretry: 3000\ndata: a\n\n",
        ),
    ],
)
def test_event(arguments: dict[str, str], expected: str) -> None:
    """An event is lines of names and values, and an empty one behind it."""
    assert encode_event(**arguments) == expected.encode()  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["event", "id"])
@pytest.mark.parametrize("end", ["\r", "\n", "\0"])
def test_event_in_an_event(name: str, end: str) -> None:
    """A type or an id that would begin another line is refused."""
    with pytest.raises(ValueError, match=f"in the {name} of an event: expected one line"):
        encode_event("", **{name: f"a{end}data: b"})  # type: ignore[arg-type]


def test_wrong_arguments() -> None:
    """Data is text, and times aren't negative."""
    with pytest.raises(TypeError, match="the data of an event must be str, not bytes"):
        encode_event(b"")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="milliseconds from 0 on, not -1"):
        encode_event("", retry=-1)
    with pytest.raises(ValueError, match="seconds above 0, or None; got 0"):
        EventSourceResponse(keep_alive_interval=0)


async def test_stream() -> None:
    """A stream has its type, isn't stored on the way, and ends with its block."""

    async def answer(request: BaseRequest) -> EventSourceResponse:
        async with EventSourceResponse(request, headers={"X-A": "b"}) as stream:
            assert stream.is_open
            assert stream.last_event_id == "6"
            await stream.send_event("one")
            await stream.send_event("two", id="8")
        assert not stream.is_open
        return stream

    response = await answer_of(answer, headers={"Last-Event-ID": "6"})
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-A"] == "b"
    assert response.body == b"data: one\n\nid: 8\ndata: two\n\n"


async def test_head_leaves_at_once() -> None:
    """The client knows that it is connected before the first event."""
    is_read = asyncio.Event()

    async def answer(request: BaseRequest) -> EventSourceResponse:
        async with EventSourceResponse(request) as stream:
            await is_read.wait()
        return stream

    async with client_of(answer) as client, client.stream("GET", "/") as response:
        assert response.status == 200
        is_read.set()
        assert await response.read() == b""


Endless = Callable[[BaseRequest, list[str]], Awaitable[EventSourceResponse]]


async def by_block(request: BaseRequest, seen: list[str]) -> EventSourceResponse:
    """Wait for ever inside a block."""
    async with EventSourceResponse(request) as stream:
        await stream.send_event("hello")
        await asyncio.Event().wait()
        seen.append("unreachable")
    seen.append("after")
    return stream


async def by_wait(request: BaseRequest, seen: list[str]) -> EventSourceResponse:
    """Wait for ever by ``wait``."""
    stream = EventSourceResponse()
    await stream.prepare(request)
    await stream.send_event("hello")
    while await stream.wait():
        seen.append("unreachable")
    seen.append("after")
    return stream


async def by_follow(request: BaseRequest, seen: list[str]) -> EventSourceResponse:
    """Wait for ever for a source."""

    async def source() -> AsyncIterator[str]:
        try:
            yield "hello"
            await asyncio.Event().wait()
        finally:
            seen.append("source closed")

    stream = EventSourceResponse()
    await stream.prepare(request)
    async for item in stream.follow(source()):
        await stream.send_event(item)
    assert seen == ["source closed"]
    seen[:] = ["after"]
    return stream


def serving(
    endless: Endless, seen: list[str], *, cancels: bool = False
) -> tuple[MemoryClient, asyncio.Event]:
    """Return a client of an endless stream, and what tells the end of its handler."""
    is_over = asyncio.Event()

    async def answer(request: BaseRequest) -> EventSourceResponse:
        request.exchange.cancel_on_disconnect = cancels
        try:
            return await endless(request, seen)
        finally:
            is_over.set()

    return client_of(answer), is_over


ENDLESS = pytest.mark.parametrize("endless", [by_block, by_wait, by_follow])


@ENDLESS
async def test_end_by_draining(endless: Endless) -> None:
    """When the server is about to stop, the stream ends as it should, and what follows runs."""
    seen: list[str] = []
    client, _ = serving(endless, seen)
    async with client, client.stream("GET", "/") as response:
        await first_event(response.content)
        client.listener.service.begin_drain()
        assert await response.read() == b""
    assert seen == ["after"]


@pytest.mark.parametrize(
    ("endless", "cancels"),
    [(by_block, True), (by_block, False), (by_wait, False), (by_follow, False)],
)
async def test_end_by_the_client(endless: Endless, cancels: bool) -> None:
    """When the client has gone, the stream is over without an error, and what follows runs."""
    seen: list[str] = []
    client, is_over = serving(endless, seen, cancels=cancels)
    async with client:
        async with client.stream("GET", "/") as response:
            await first_event(response.content)
        await is_over.wait()
        await settle()
    assert seen == ["after"]


async def first_event(content: StreamReader) -> None:
    """Read the event that each of the endless streams begins with."""
    assert await content.readexactly(13) == b"data: hello\n\n"


async def test_sending_to_nobody_ends_the_block() -> None:
    """Whoever sends when the client has gone leaves the block, without an error."""
    seen: list[str] = []

    async def endless(request: BaseRequest, seen: list[str]) -> EventSourceResponse:
        async with EventSourceResponse(request) as stream:
            while True:
                await stream.send_event("hello")
        seen.append("after")
        return stream

    client, is_over = serving(endless, seen)
    async with client:
        async with client.stream("GET", "/") as response:
            await first_event(response.content)
        await is_over.wait()
    assert seen == ["after"]


async def test_cancelled_by_somebody_else() -> None:
    """A cancellation that isn't the stream's goes on, and the response is cut."""
    is_waiting = asyncio.Event()
    tasks: list[asyncio.Task[object]] = []

    async def answer(request: BaseRequest) -> EventSourceResponse:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        async with EventSourceResponse(request) as stream:
            is_waiting.set()
            await asyncio.Event().wait()
        return stream

    async with client_of(answer) as client, client.stream("GET", "/"):
        await is_waiting.wait()
        tasks[0].cancel()
        with suppress(asyncio.CancelledError):
            await tasks[0]
        assert tasks[0].cancelled()


async def test_error_in_the_block() -> None:
    """An error goes on, and nobody takes the part for the whole."""

    async def answer(request: BaseRequest) -> EventSourceResponse:
        async with EventSourceResponse(request) as stream:
            await stream.send_event("hello")
            raise LookupError("no more")
        return stream

    async with client_of(answer) as client:
        with pytest.raises(Exception, match=r"."):
            await client.get("/")


async def test_silence_is_broken() -> None:
    """After some silence a comment is sent, which clients ignore."""
    async with client_of(_silent) as client, client.stream("GET", "/") as response:
        assert await response.content.readexactly(6) == b":\n\n:\n\n"


async def _silent(request: BaseRequest) -> EventSourceResponse:
    async with EventSourceResponse(request, keep_alive_interval=0.005) as stream:
        await stream.wait()
    return stream


async def test_silence_for_a_client_that_does_not_read() -> None:
    """A comment that can't be sent keeps nobody from seeing the end."""
    seen: list[str] = []
    is_full = asyncio.Event()

    async def answer(request: BaseRequest) -> EventSourceResponse:
        async with EventSourceResponse(request, keep_alive_interval=0.001) as stream:
            sending = asyncio.create_task(stream.send_event("a" * 1024 * 1024))
            await settle()
            is_full.set()
            await sending
        seen.append("after")
        return stream

    service = Served(Answering(answer).handle_exchange)
    service.client.hold()
    asyncio.get_running_loop().call_soon(service.client.feed, GET)
    await is_full.wait()
    await asyncio.sleep(0.01)
    service.service.begin_drain()
    await settle(20)
    service.client.release()
    await settle(20)
    assert seen == ["after"]


async def test_event_that_is_cancelled_half_way() -> None:
    """Nothing follows half an event, of which it would become a part; the stream ends."""
    seen: list[str] = []

    async def answer(request: BaseRequest) -> EventSourceResponse:
        async with EventSourceResponse(request) as stream:
            sending = asyncio.create_task(stream.send_event("a" * 1024 * 1024))
            await settle()
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
            with pytest.raises(PeerDisconnected, match="cancelled half way"):
                await stream.send_event("b")
            await stream.send_event("c")
        seen.append("after")
        return stream

    service = Served(Answering(answer).handle_exchange)
    service.client.hold()
    asyncio.get_running_loop().call_soon(service.client.feed, GET)
    await settle(40)
    service.client.release()
    answered = await service.exchange()
    assert seen == ["after"]
    assert b"data: aaa" in answered
    assert b"data: b" not in answered
    assert answered.endswith(b"aaa\r\n0\r\n\r\n")


async def test_wait_for_some_time() -> None:
    """``wait`` tells whether the time passed or the stream ended."""
    waited: list[bool] = []

    async def answer(request: BaseRequest) -> EventSourceResponse:
        stream = EventSourceResponse(keep_alive_interval=None)
        await stream.prepare(request)
        await stream.prepare(request)
        waited.append(await stream.wait(0))
        await stream.write_eof()
        waited.append(await stream.wait(0.001))
        return stream

    assert (await answer_of(answer)).body == b""
    assert waited == [True, False]


async def test_follow_to_the_end_of_a_source() -> None:
    """A source that ends lets the handler go on."""

    async def source() -> AsyncIterator[str]:
        yield "one"
        yield "two"

    async def answer(request: BaseRequest) -> EventSourceResponse:
        async with EventSourceResponse(request) as stream:
            async for item in stream.follow(source()):
                await stream.send_event(item)
            await stream.send_event("end")
        return stream

    assert (await answer_of(answer)).body == b"data: one\n\ndata: two\n\ndata: end\n\n"


async def test_head_is_over_at_once() -> None:
    """In answer to HEAD a stream has no events to wait for."""

    async def answer(request: BaseRequest) -> EventSourceResponse:
        async with EventSourceResponse(request) as stream:
            await asyncio.Event().wait()
        return stream

    response = await answer_of(answer, "HEAD")
    assert response.headers["Content-Type"] == "text/event-stream"


async def test_block_that_is_left_as_it_ends() -> None:
    """An end that comes when the block is being left cancels nothing behind it."""

    async def answer(request: BaseRequest) -> EventSourceResponse:
        async with EventSourceResponse(request) as stream:
            stream._end()
        await asyncio.sleep(0)
        return stream

    assert (await answer_of(answer)).status == 200


async def test_cancelled_by_somebody_else_as_it_ends() -> None:
    """Two cancellations reach a task as one; that of somebody else isn't taken for the stream's."""
    tasks: list[asyncio.Task[object]] = []

    async def answer(request: BaseRequest) -> EventSourceResponse:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        async with EventSourceResponse(request) as stream:
            stream._end()
            task.cancel()
        await asyncio.sleep(0)
        return stream

    served = Served(Answering(answer).handle_exchange)
    await served.exchange(GET)
    assert tasks[0].cancelled()


async def test_compressed_events_arrive_one_by_one() -> None:
    """Each event can be read when it was sent, compressed or not."""
    is_read = asyncio.Event()

    async def answer(request: BaseRequest) -> EventSourceResponse:
        stream = EventSourceResponse(request)
        stream.enable_compression(ContentCoding.gzip)
        async with stream:
            await stream.send_event("hello")
            await is_read.wait()
        return stream

    async with client_of(answer) as client, client.stream("GET", "/") as response:
        await first_event(response.content)
        is_read.set()
        assert await response.read() == b""


async def test_block_needs_its_request() -> None:
    """A block can't begin without a request to answer."""
    assert EventSourceResponse().last_event_id is None
    with pytest.raises(RuntimeError, match=r"expected a request|EventSourceResponse\(request\)"):
        async with EventSourceResponse():
            pass
