"""A server connection: turns, pipelines, limits, time, and clients that vanish."""

from __future__ import annotations

import asyncio
import errno
import math
import socket

import pytest

from aiohttp.protocol.errors import (
    ChunkError,
    HttpException,
    IncompleteRead,
    InvalidUse,
    PeerDisconnected,
)
from aiohttp.protocol.exchange import Exchange
from aiohttp.protocol.http1.server import ServerHttpProtocol
from aiohttp.protocol.http1.server_exchange import ServerExchange
from aiohttp.protocol.limits import Limits
from aiohttp.protocol.outbox import Outbox
from aiohttp.protocol.service import Service
from aiohttp.protocol.timers import Deadlines
from served import GET, Application, Handler, Served, post, request, settle
from wire import HandClock, connect, cuts

CHUNKED = request("/", "Transfer-Encoding: chunked", method="POST")


def bodies(answers: bytes) -> list[bytes]:
    """Return the bodies of answers that are all framed by Content-Length."""
    found: list[bytes] = []
    while answers:
        head, _, rest = answers.partition(b"\r\n\r\n")
        _, _, length = head.lower().partition(b"content-length: ")
        size = int(length.split(b"\r\n")[0])
        found.append(rest[:size])
        answers = rest[size:]
    return found


async def echo(exchange: Exchange) -> None:
    """Answer with the request's body."""
    await exchange.respond(200, (), await exchange.body.read())


async def dawdle(exchange: Exchange) -> None:
    """Answer after some turns of the loop."""
    await settle(3)
    await exchange.respond(200, (), exchange.head.target.encode())


# Requests, however they are cut.


@pytest.mark.parametrize("handler", [echo, dawdle], ids=["at once", "later"])
async def test_request_is_answered_however_it_is_cut(handler: Handler) -> None:
    """Whole, byte by byte, in two pieces at every place: one answer, and the connection stays."""
    for pieces in cuts(b"\r\n" + GET):
        served = Served(handler)
        answer = await served.exchange(*pieces)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\nDate: ")
        assert b"\r\nConnection: keep-alive\r\nKeep-Alive: timeout=75\r\n\r\n" in answer
        assert not served.is_closed


@pytest.mark.parametrize("data", [
    post(b"0123456789"),
    CHUNKED + b"4\r\n0123\r\n6;x=y\r\n456789\r\n0\r\nX: y\r\n\r\n",
])  # fmt: skip
async def test_body_and_the_request_behind_it_are_told_apart_under_every_cut(data: bytes) -> None:
    """The body ends where its framing says; the next request begins right there."""
    for pieces in cuts(data + post(b"next")):
        assert bodies(await Served(echo).exchange(*pieces)) == [b"0123456789", b"next"]


@pytest.mark.parametrize("size", [16 * 1024, 60_000])
@pytest.mark.parametrize("behind", [b"", post(b"next"), GET[:9], b"\r\n"])
async def test_large_body_that_comes_with_its_head_is_whole(size: int, behind: bytes) -> None:
    """In one piece with its head, alone or not: the body is what was sent, and no byte more."""
    served, data = Served(echo), post(b"x" * size) + behind
    answers = bodies(await served.exchange(data))
    assert answers == [b"x" * size, b"next"][: 2 if len(behind) > 9 else 1]
    assert served.service.books.bytes_received == len(data)


async def test_large_piece_that_begins_with_a_wrong_head_is_refused() -> None:
    """A head is refused for what it says, whatever comes with it."""
    answer = await Served(echo).exchange(post(b"x" * 20_000).replace(b"POST", b"PO ST"))
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_pipelined_requests_are_answered_in_order_under_every_cut() -> None:
    """Handlers that take longer don't change the order of answers."""

    async def answer(exchange: Exchange) -> None:
        await settle(3 if exchange.head.target == "/1" else 0)
        await exchange.respond(200, (), exchange.head.target.encode())

    pipeline = b"".join(request(f"/{number}") for number in range(1, 4))
    for pieces in cuts(pipeline):
        assert bodies(await Served(answer).exchange(*pieces)) == [b"/1", b"/2", b"/3"]


async def test_bytes_between_an_answer_and_the_queue_are_not_parsed_before_it() -> None:
    """What comes in the turn of an answer is behind what is queued, not before it."""
    release = asyncio.Event()
    served: Served

    async def answer(exchange: Exchange) -> None:
        if exchange.head.target == "/1":
            await release.wait()
            await exchange.respond(200, (), b"/1")
            # In the same turn of the loop the socket turns out to be readable.
            served.client.feed(b"/1.1\r\nHost: a\r\n\r\n" + request("/3"))
            return
        await exchange.respond(200, (), exchange.head.target.encode())

    served = Served(answer)
    await served.exchange(request("/1") + b"GET /2 HTTP")
    release.set()
    assert bodies(await served.exchange()) == [b"/1", b"/2", b"/3"]


async def test_pipeline_is_capped_and_goes_on() -> None:
    """Behind an unanswered request so many bytes are taken; then the transport is paused."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await release.wait()
        await exchange.respond(200, (), exchange.head.target.encode())

    served = Served(answer, limits=Limits(pipeline=200))
    for number in range(20):
        served.client.feed(request(f"/{number}"))
    assert not served.client.is_reading()
    release.set()
    assert bodies(await served.exchange()) == [b"/%d" % number for number in range(20)]
    assert served.client.is_reading()


async def test_pipeline_waits_for_a_client_that_does_not_read() -> None:
    """Requests are not answered into memory while the answers before them are not taken."""
    body = b"x" * 50_000

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200, (), body)

    served = Served(answer, limits=Limits(write_buffer=100_000, pipeline=1000))
    served.client.hold()
    for _ in range(100):
        served.client.feed(GET * 50)
        await settle(2)
    assert served.service.books.requests <= 3
    assert not served.client.is_reading()
    served.client.release()
    await settle(200)
    assert served.client.written.count(body) > 100


async def test_answers_to_a_pipeline_leave_in_one_write() -> None:
    """Handlers that answer at once are joined."""
    served = Served()
    await served.exchange(GET * 16)
    asyncio.get_running_loop().call_soon(served.client.feed, GET * 16)
    await settle()
    assert len(served.client.writes) == 1
    assert served.client.written.count(b"HTTP/1.1 200") == 16


def crowd(handler: Handler = echo, count: int = 8) -> list[Served]:
    """Return connections of one service, whose answers wait for each other already."""
    first = Served(handler)
    first.service.outbox = Outbox(asyncio.get_running_loop())  # which uvloop goes without
    served = [first, *(Served(service=first.service) for _ in range(count - 1))]
    for _ in range(40):
        for each in served:
            each.client.feed(GET)
    return served


async def at_once(served: list[Served], *pieces: bytes) -> None:
    """Have all connections receive the pieces in one turn of the loop, in no task."""

    def feed() -> None:
        for each in served:
            for piece in pieces:
                each.client.feed(piece)

    await settle()
    for each in served:
        each.client.take()
    asyncio.get_running_loop().call_soon(feed)
    await asyncio.sleep(0)


async def test_answers_to_many_connections_leave_together() -> None:
    """At the end of the turn in which they were made; each connection's in their order."""
    served = crowd()
    for _ in range(12):
        await at_once(served, GET)
    assert [each.client.writes for each in served] == [[]] * 8
    assert served[0].service.books.responses[200] > 8 * 12
    await asyncio.sleep(0)
    assert [each.client.written.count(b"HTTP/1.1 200") for each in served] == [1] * 8
    await at_once(served, GET, GET * 3, GET)
    await settle()
    assert [each.client.written.count(b"HTTP/1.1 200") for each in served] == [5] * 8


async def test_answer_that_waits_is_sent_before_the_connection_closes() -> None:
    """For a bad request, for one that is the last, or for the client's end of file."""
    refused = b"BAD\r\n\r\n"
    for end in (refused, request("/", "Connection: close"), None):
        served = crowd()
        for _ in range(12):
            await at_once(served, GET)
        await at_once(served, GET)
        for each in served:
            if end is None:
                each.client.feed_eof()
            else:
                each.client.feed(end)
        await settle()
        for each in served:
            assert each.client.written.count(b"\r\nDate: ") == (1 if end is None else 2)
            assert not each.client.late_writes
            assert each.is_closed


async def test_answer_that_waits_comes_before_what_does_not() -> None:
    """A response in parts, or 100 Continue, to the next request of the same turn."""

    async def answer(exchange: Exchange) -> None:
        if exchange.head.target == "/parts":
            await exchange.start(200)
            await exchange.write(b"part")
            await exchange.finish()
        else:
            await exchange.respond(200, (), await exchange.body.read())

    served = crowd(answer)
    for _ in range(12):
        await at_once(served, GET)
    await at_once(served, GET, request("/parts"), GET)
    await settle()
    for each in served:
        assert [piece.count(b"chunked") for piece in each.client.writes if b"HTTP" in piece]
        assert each.client.written.index(b"Content-Length: 0") < each.client.written.index(b"part")
        assert each.client.written.count(b"HTTP/1.1 200") == 3


async def test_answer_that_waits_for_a_client_that_has_gone_is_forgotten() -> None:
    """Nothing is written to what is no more."""
    served = crowd()
    for _ in range(12):
        await at_once(served, GET)
    await at_once(served, GET)
    for each in served:
        each.protocol.connection_lost(None)
    await settle()
    assert [each.client.written for each in served] == [b""] * 8


async def test_error_behind_a_good_request_does_not_harm_its_answer() -> None:
    """The good answer is whole, the refusal comes behind it, and nothing more is parsed."""
    for handler in (echo, dawdle):
        served = Served(handler)
        answer = await served.exchange(request("/good") + b"BAD\r\n\r\n" + request("/never"))
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.count(b"\r\nDate: ") == 2
        assert b"HTTP/1.1 400 Bad Request\r\n" in answer
        assert served.is_closed
        assert served.service.books.requests == 1
        assert await served.exchange(GET) == b""


async def test_smuggling_pair_is_refused_and_what_follows_is_not_answered() -> None:
    """Content-Length beside Transfer-Encoding: 400, Connection: close, silence."""
    bad = request("/", "Content-Length: 4", "Transfer-Encoding: chunked", method="POST")
    for pieces in cuts(bad + b"0\r\n\r\n" + request("/admin"), splits=40):
        served = Served()
        answer = await served.exchange(*pieces)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\nDate: ")
        assert b"\r\nConnection: close\r\n\r\n" in answer
        assert answer.count(b"HTTP/1.1") == 1
        assert served.service.books.limits_hit == {"FramingError": 1}


REFUSED = [
    (b"GET / HTTP/1.1\r\n\r\n", 400, "BadHost"),
    (request("/", "Expect: 200-maybe"), 417, "UnknownExpectation"),
    (request("example.org:443", method="CONNECT"), 501, "MethodNotImplemented"),
    (request("/", version="HTTP/2.0"), 505, "UnsupportedVersion"),
    (request("/" + "x" * 9000), 414, "line"),
    (request("/", "X: " + "y" * 9000), 431, "field_line"),
    (request("/", *["X: y"] * 200), 431, "fields"),
    (request("/", "Content-Length: 99999999999", method="POST"), 413, "body"),
    (request("/", "Transfer-Encoding: gzip, chunked", method="POST"), 501, "UnknownTransferCoding"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "status", "name"), REFUSED, ids=[name for *_, name in REFUSED])
async def test_request_is_refused_with_its_status(data: bytes, status: int, name: str) -> None:
    """Each error of a head has a status, a Date, a closed connection and a line in the books."""
    served = Served()
    answer = await served.exchange(data, GET)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"\r\nDate: ") == 1
    assert b"\r\nConnection: close\r\n\r\n" in answer
    assert served.service.books.limits_hit == {name: 1}
    assert served.service.books.responses == {status: 1}
    assert served.is_closed


async def test_method_that_is_not_allowed_is_answered_405() -> None:
    """Allow names those that are; HEAD gets no body (RFC 9110, section 9.3.2)."""
    for method in ("DELETE", "HEAD"):
        served = Served(allowed_methods={"GET", "POST"})
        answer = await served.exchange(request("/", method=method))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
        assert b"\r\nAllow: GET, POST\r\n" in head
        assert bool(body) is (method == "DELETE")
    assert (await Served(allowed_methods={"GET"}).exchange(GET)).startswith(b"HTTP/1.1 200")


async def test_refusal_of_head_has_no_body() -> None:
    """Whatever is wrong with it, if only the method can be read (RFC 9110, section 9.3.2)."""
    for data in (b"HEAD / HTTP/1.1\r\n\r\n", request("/" + "x" * 9000, method="HEAD")):
        head, _, body = (await Served().exchange(data)).partition(b"\r\n\r\n")
        assert b"\r\nConnection: close" in head
        assert body == b""


async def test_body_that_has_come_is_there_when_the_application_begins() -> None:
    """All of it, or its first part; nobody waits for what is here."""
    there: list[bytes] = []

    async def look(exchange: Exchange) -> None:
        there.append(exchange.body.read_nowait())
        await exchange.respond(200, (), await exchange.body.read())

    whole = post(b"all of it")
    chunked = CHUNKED + b"5\r\nparts\r\n"
    for pieces in ([whole], [whole[:9], whole[9:]], [whole[:-3], whole[-3:]]):
        await Served(look).exchange(*pieces)
    await Served(look).exchange(chunked, b"0\r\n\r\n")
    assert there == [b"all of it", b"all of it", b"all of", b"parts"]


# Refusals that the application answers.


async def tell_refusal(exchange: Exchange) -> None:
    """Answer with what is known of a refused request."""
    refusal = exchange.refusal
    if refusal is None:
        await exchange.respond(200)
    else:
        what = f"{type(refusal).__name__} {exchange.head.method} {exchange.head.target}"
        await exchange.respond(refusal.status, (), what.encode())


@pytest.mark.parametrize(("data", "status", "_name"), REFUSED, ids=[name for *_, name in REFUSED])
async def test_application_may_answer_what_is_refused(data: bytes, status: int, _name: str) -> None:
    """It gets an exchange like any other; its answer is the last, and nothing more is parsed."""
    for pieces in ([data + GET], [data, GET], [data[:9], data[9:], GET]):
        served = Served(tell_refusal, handles_refusals=True)
        answer = await served.exchange(*pieces)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert head.endswith(b"\r\nConnection: close")
        assert body.count(b"HTTP/1.1") == 0
        assert served.service.books.responses == {status: 1}
        assert served.is_closed


async def test_refused_request_tells_what_could_be_read_of_it() -> None:
    """Its whole head, or its request line, or that it is unknown."""
    told = {
        request("/a", method="PUT"): b"MethodNotAllowed PUT /a",
        b"GET /b HTTP/1.1\r\n\r\n": b"BadHost GET /b",
        b"GET /c d HTTP/1.1\r\n\r\n": b"BadRequestLine UNKNOWN /",
    }
    for data, expected in told.items():
        for pieces in cuts(data):
            served = Served(tell_refusal, handles_refusals=True, allowed_methods={"GET"})
            assert (await served.exchange(*pieces)).endswith(b"\r\n\r\n" + expected)


async def test_application_may_answer_a_head_that_stops_half_way() -> None:
    """A client too slow is refused like one that is wrong."""
    served = Served(tell_refusal, handles_refusals=True)
    await served.exchange(GET[:-2])
    served.clock.advance(16)
    assert (await served.exchange()).endswith(b"\r\n\r\nPeerTooSlow GET /")
    assert served.is_closed


async def test_refusal_comes_behind_the_answers_to_a_pipeline() -> None:
    """In order, and what comes behind a refused request is dropped while it is answered."""

    async def answer_later(exchange: Exchange) -> None:
        await settle(3)
        await tell_refusal(exchange)

    for handler in (tell_refusal, answer_later):
        served = Served(handler, handles_refusals=True, limits=Limits(pipeline=10))
        answer = await served.exchange(GET + b"BAD\r\n\r\n" + GET, GET * 100, GET)
        assert bodies(answer) == [b"", b"BadRequestLine UNKNOWN /"]
        assert served.client.is_reading()


async def test_handler_that_fails_to_answer_a_refusal_leaves_the_plain_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By an error of its own, by raising the refusal, or by not answering."""

    async def fail(_: Exchange) -> None:
        raise RuntimeError("broken page")

    async def pass_on(exchange: Exchange) -> None:
        if exchange.refusal is not None:
            raise exchange.refusal

    async def ignore(_: Exchange) -> None:
        pass

    async def begin(exchange: Exchange) -> None:
        await exchange.start(200)

    for handler in (fail, pass_on, ignore, begin):
        served = Served(handler, handles_refusals=True, allowed_methods={"GET"})
        answer = await served.exchange(request("/", method="PUT"))
        assert answer.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
        assert b"\r\nAllow: GET\r\n" in answer
        assert answer.endswith(b"405 Method Not Allowed: expected one of GET, got 'PUT'\n")
        assert served.is_closed
    assert [record.message for record in caplog.records] == ["error in the handler of PUT '/'"]


async def test_log_hears_of_refusals() -> None:
    """Whoever answers them, and what could be read of them is told."""
    heard: list[tuple[str, int]] = []

    def log(exchange: Exchange) -> None:
        heard.append((exchange.head.target, exchange.response_status))

    for handles_refusals in (True, False):
        served = Served(tell_refusal, handles_refusals=handles_refusals, on_exchange=log)
        await served.exchange(b"GET /a HTTP/1.1\r\n\r\n")
    assert heard == [("/a", 400)] * 2


async def test_connect_can_be_allowed() -> None:
    """CONNECT reaches a handler only where it is named."""
    served = Served(allowed_methods={"CONNECT"})
    served.client.feed(request("example.org:443", method="CONNECT"))
    await settle()
    assert served.service.books.requests == 1


# Keep-alive.

PERSISTENCE: list[tuple[str, list[str], bool]] = [
    ("HTTP/1.1", [], True),
    ("HTTP/1.1", ["Connection: keep-alive"], True),
    ("HTTP/1.1", ["Connection: close"], False),
    ("HTTP/1.1", ["Connection: x", "connection: y , CLOSE"], False),
    ("HTTP/1.0", [], False),
    ("HTTP/1.0", ["Connection: Keep-Alive"], True),
    ("HTTP/1.0", ["Connection: keep-alive, close"], False),
    ("HTTP/1.7", [], True),
]


@pytest.mark.parametrize(("version", "lines", "stays"), PERSISTENCE)
async def test_connection_stays_as_version_and_connection_say(
    version: str, lines: list[str], stays: bool
) -> None:
    """RFC 9112, section 9.3: what was said is announced, and done."""
    served = Served()
    answer = await served.exchange(request("/", *lines, version=version))
    announced = (
        b"Connection: keep-alive\r\nKeep-Alive: timeout=75" if stays else b"Connection: close"
    )
    assert b"\r\n" + announced + b"\r\n\r\n" in answer
    assert served.is_closed is not stays


async def test_keep_alive_without_limit_announces_none() -> None:
    """An infinite idle limit is no number that could be announced; 0 is one request each."""
    answer = await Served(limits=Limits(keep_alive=math.inf)).exchange(GET)
    assert b"Connection: keep-alive\r\n\r\n" in answer
    assert b"Connection: close\r\n\r\n" in await Served(limits=Limits(keep_alive=0)).exchange(GET)


async def test_last_of_the_allowed_requests_closes() -> None:
    """After ``Limits.requests`` the connection ends, announced."""
    served = Served(limits=Limits(requests=2))
    answer = await served.exchange(GET * 3)
    assert answer.count(b"Connection: keep-alive") == 1
    assert answer.count(b"Connection: close") == 1
    assert served.is_closed


# Time, by a clock turned by hand.


def closes_after(served: Served, seconds: float) -> None:
    """Assert that the server closes after so many seconds: never early, at most 50 ms late."""
    served.clock.advance(seconds - 0.001)
    assert not served.is_closed
    served.clock.advance(0.051)
    assert served.is_closed


async def test_client_that_sends_nothing_is_closed() -> None:
    """The time for the first request runs from the connection on; nothing is answered."""
    served = Served()
    closes_after(served, 15)
    assert served.client.written == b""


@pytest.mark.parametrize("before", [b"", GET])
async def test_head_that_stops_half_way_is_answered_408(before: bytes) -> None:
    """From the connection, or from the first byte of a later request."""
    served = Served()
    if before:
        await served.exchange(before)
        served.clock.advance(40)
    served.client.feed(GET[:20])
    closes_after(served, 15)
    assert served.client.written.startswith(b"HTTP/1.1 408 Request Timeout\r\n")


async def test_dribbled_head_gets_no_more_time() -> None:
    """One byte a second doesn't move the limit of a head."""
    served = Served()
    for byte in request("/", "X: " + "y" * 50):
        served.client.feed(bytes([byte]))
        served.clock.advance(0.99)
        if served.is_closed:
            break
    assert served.clock.time() - 1000 < 16
    assert served.client.written.startswith(b"HTTP/1.1 408 ")


async def test_idle_connection_is_closed_without_a_word() -> None:
    """Between two requests the idle limit runs, empty lines or not."""
    served = Served()
    await served.exchange(GET)
    served.clock.advance(30)
    await served.exchange(b"\r\n")
    closes_after(served, 45)
    assert served.client.written == b""


async def test_request_that_waits_for_a_busy_loop_was_in_time() -> None:
    """It has come before the idle limit, or the end of a drain's patience: it is answered."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        served = Served(socket=ours)
        await served.exchange(GET)
        theirs.sendall(GET)
        served.clock.advance(75.1)
        assert b"Connection: keep-alive" in await served.exchange(ours.recv(1000))
        theirs.sendall(GET)
        served.service.begin_drain()
        served.clock.advance(0.3)
        assert not served.is_closed
        assert b"Connection: close" in await served.exchange(ours.recv(1000))
        assert served.is_closed


async def test_idle_connection_is_closed_whose_socket_has_nothing() -> None:
    """Who has sent nothing by then is not waited for."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        served = Served(socket=ours)
        await served.exchange(GET)
        closes_after(served, 75)


@pytest.mark.parametrize(
    "pieces", [[b"\r\n"], [b"\r\n\r\n"], [b"\r", b"\n"]], ids=["one", "two", "cut"]
)
async def test_empty_lines_win_no_time(pieces: list[bytes]) -> None:
    """However often they come, and however they are cut, the idle limit stays where it was."""
    served = Served()
    await served.exchange(GET)
    for _ in range(7):
        served.clock.advance(10)
        await served.exchange(*pieces)
    closes_after(served, 5)
    assert served.client.written == b""


async def test_draining_closes_a_connection_whose_empty_line_was_cut() -> None:
    """Half of an empty line may be the begin of a request; the whole of it is none."""
    served = Served()
    await served.exchange(GET, b"\r")
    served.service.begin_drain()
    assert not served.is_closed
    await served.exchange(b"\n")
    assert served.is_closed


async def test_empty_lines_are_no_request_that_was_begun() -> None:
    """However they are cut: nothing is answered to them, and draining sees an idle client."""
    for pieces in cuts(b"\r\n\r\n\r\n"):
        served = Served()
        await served.exchange(GET, *pieces)
        served.service.begin_drain()
        served.clock.advance(0.3)
        assert served.is_closed
        served.clock.advance(20)
        assert served.client.written == b""


async def test_handler_may_take_its_time() -> None:
    """No limit of the client's runs while the answer is awaited from us."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await release.wait()
        await exchange.respond(200)

    served = Served(answer)
    await served.exchange(post(b"body"))
    served.clock.advance(10_000)
    release.set()
    assert (await served.exchange()).startswith(b"HTTP/1.1 200")
    closes_after(served, 75)


async def test_body_that_stops_half_way_is_answered_408() -> None:
    """The reader gets the error; a handler that doesn't catch it answers 408 by it."""
    served = Served(echo)
    await served.exchange(post(b"0123456789")[:-5])
    served.clock.advance(29.9)
    await settle()
    assert served.client.written == b""
    served.clock.advance(0.2)
    answer = await served.exchange()
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"got 5 bytes" in answer
    assert served.is_closed


async def test_body_below_the_least_rate_is_answered_408() -> None:
    """A byte every 20 seconds keeps the gap, but not the rate."""
    served = Served(echo)
    await served.exchange(request("/", "Content-Length: 1000", method="POST"))
    for _ in range(3):
        served.clock.advance(20)
        served.client.feed(b"x")
        await settle()
    assert served.client.written.startswith(b"HTTP/1.1 408 ")
    assert served.clock.time() - 1000 <= 60


async def test_rate_of_a_body_is_not_counted_while_we_do_not_read() -> None:
    """The time in which the transport was paused is ours; and it earns the client no credit."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await release.wait()
        await exchange.respond(200, (), b"%d" % len(await exchange.body.read()))

    served = Served(answer, limits=Limits(read_buffer=10_000))
    await served.exchange(request("/", "Content-Length: 40000", method="POST") + b"x" * 20_000)
    assert not served.client.is_reading()
    served.clock.advance(1000)
    release.set()
    await settle()
    assert served.client.is_reading()
    served.clock.advance(29)
    assert served.client.written == b""
    assert bodies(await served.exchange(b"x" * 20_000)) == [b"40000"]


async def test_bytes_before_a_pause_earn_no_time_behind_it() -> None:
    """A quick beginning is no licence to dribble the rest for hours."""

    async def answer(exchange: Exchange) -> None:
        await exchange.body.readexactly(20_000)
        await exchange.respond(200, (), await exchange.body.read())

    served = Served(answer, limits=Limits(read_buffer=10_000))
    await served.exchange(request("/", "Content-Length: 40000", method="POST") + b"x" * 20_000)
    for _ in range(3):
        served.clock.advance(20)
        await served.exchange(b"x")
    assert served.is_closed


async def test_client_that_stops_reading_is_cut() -> None:
    """Thirty seconds without progress; each byte of progress starts them again."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200, (), b"x" * 1_000_000)

    served = Served(answer)
    served.client.hold()
    await served.exchange(GET)
    for _ in range(3):
        served.clock.advance(29)
        served.client.release(1)
    assert not served.client.is_closing()
    served.clock.advance(61)
    assert served.client.is_aborted
    assert served.service.books.limits_hit == {"write_time": 1}


async def test_slow_reader_of_the_last_answer_has_time_as_long_as_it_reads() -> None:
    """Lingering cuts who makes no progress for 30 seconds, nobody else."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200, (), b"x" * 60_000)

    served = Served(answer, limits=Limits(write_buffer=10_000))
    served.client.hold()
    await served.exchange(request("/", "Connection: close"))
    for _ in range(5):
        served.clock.advance(25)
        served.client.release(5000)
    assert not served.client.is_closing()
    served.clock.advance(65)
    assert served.client.is_aborted


async def test_server_lingers_so_that_the_last_answer_can_be_read() -> None:
    """Our side is closed, what still comes is dropped, and after 2 seconds all is over."""
    served = Served()
    await served.exchange(b"BAD\r\n\r\n")
    assert served.client.is_eof_written
    assert not served.client.is_closing()
    served.client.feed(b"x" * 100_000)
    assert await served.exchange(GET) == b""
    served.clock.advance(1.9)
    assert not served.client.is_closing()
    served.clock.advance(0.2)
    assert served.client.is_closing()
    await settle()
    assert not served.service.connections


async def test_lingering_ends_with_the_client() -> None:
    """The client's end of file ends it at once."""
    served = Served()
    await served.exchange(request("/", "Connection: close"))
    served.client.feed_eof()
    await settle()
    assert not served.service.connections
    assert served.clock.pending == 0


async def test_client_that_reset_the_connection_is_not_lingered_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A socket that is reset can't be shut down: nobody's error, and the end of it."""

    def refuse() -> None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    served = Served()
    monkeypatch.setattr(served.client, "write_eof", refuse)
    await served.exchange(request("/", "Connection: close"))
    assert served.client.is_aborted
    assert not served.service.connections
    assert caplog.records == []


@pytest.mark.parametrize(
    "sent", [post(b"x" * 1000)[:-900], b"BAD\r\n\r\n"], ids=["a body", "a bad head"]
)
async def test_over_tls_the_server_stays_open_while_a_client_may_still_send(sent: bytes) -> None:
    """TLS has no half-closed side: what comes is dropped for 2 seconds, then it is closed."""
    served = Served(refuse, limits=Limits(drain=100), sslcontext=object())
    assert b"Connection: close" in await served.exchange(sent)
    served.client.feed(b"x" * 100_000)
    assert await served.exchange(GET) == b""
    served.clock.advance(1.9)
    assert not served.client.is_closing()
    served.clock.advance(0.2)
    assert served.client.is_closing()
    assert not served.client.is_aborted
    assert not served.client.is_eof_written


async def test_over_tls_the_server_closes_at_once_when_all_was_read() -> None:
    """Who sends no more needs no time."""
    served = Served(sslcontext=object())
    await served.exchange(request("/", "Connection: close"))
    assert served.client.is_closing()
    assert not served.client.is_aborted


# Bodies that nobody reads.


async def refuse(exchange: Exchange) -> None:
    """Answer without reading."""
    await exchange.respond(403)


async def test_unread_body_is_dropped_up_to_a_bound() -> None:
    """A short rest is read and dropped, and the connection is used again."""
    for pieces in cuts(post(b"x" * 300) + GET, splits=40):
        served = Served(refuse, limits=Limits(drain=300))
        answer = await served.exchange(*pieces)
        assert answer.count(b"HTTP/1.1 403") == 2
        assert b"Connection: close" not in answer


async def test_unread_body_beyond_the_bound_closes() -> None:
    """A long one is announced as the end, and nothing behind it is parsed."""
    served = Served(refuse, limits=Limits(drain=300))
    answer = await served.exchange(post(b"x" * 301)[:-301], b"x" * 301 + GET)
    assert answer.count(b"HTTP/1.1 403") == 1
    assert b"Connection: close" in answer
    assert served.is_closed


async def test_endless_chunked_body_is_dropped_up_to_the_bound() -> None:
    """Its length is not known beforehand: reading goes on up to the bound, then the end comes."""
    served = Served(refuse, limits=Limits(drain=300))
    await served.exchange(CHUNKED)
    for _ in range(3):
        await served.exchange(b"64\r\n" + b"x" * 100 + b"\r\n")
        assert not served.is_closed
    await served.exchange(b"1\r\nx\r\n")
    assert served.is_closed


async def test_bound_of_dropping_counts_what_was_dropped_only() -> None:
    """A long body that was read up to a short rest does not cost the connection."""

    async def answer(exchange: Exchange) -> None:
        if exchange.head.method == "POST":
            await exchange.body.readexactly(5000)
        await exchange.respond(200)

    served = Served(answer, limits=Limits(drain=300))
    answers = await served.exchange(post(b"x" * 5000 + b"y" * 300)[:-1], b"y" + GET)
    assert answers.startswith(b"HTTP/1.1 200")
    assert b"Connection: close" not in answers
    assert not served.is_closed


async def test_paused_body_is_dropped_too() -> None:
    """Dropping begins by reading on where the full buffer had stopped."""
    served = Served(dawdle, limits=Limits(read_buffer=1000))
    await served.exchange(post(b"x" * 50_000) + request("/next"))
    assert served.client.is_reading()
    assert served.service.books.requests == 2


async def test_handler_may_answer_first_and_read_then() -> None:
    """The body is still its own until it returns."""
    got: list[bytes] = []

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200)
        got.append(await exchange.body.read())

    served = Served(answer)
    await served.exchange(post(b"0123456789")[:-5], b"56789" + GET)
    assert sorted(got) == [b"", b"0123456789"]


async def test_body_that_breaks_off_after_the_answer_is_told_to_its_reader() -> None:
    """Nobody waits for ever for a body whose connection is given up."""
    got: list[BaseException] = []

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200)
        try:
            await exchange.body.read()
        except HttpException as exc:
            got.append(exc)

    served = Served(answer)
    await served.exchange(CHUNKED, b"nonsense\r\n")
    assert [type(exc) for exc in got] == [ChunkError]
    assert served.is_closed


async def test_body_is_received_straight_into_its_buffer() -> None:
    """A long body that is wanted whole; a request behind it is not swallowed."""
    body = bytes(range(256)) * 2000

    async def answer(exchange: Exchange) -> None:
        await settle(3)
        data = await exchange.body.read()
        await exchange.respond(200, (), b"same" if data == body else b"other")

    served = Served(answer)
    data = post(body)
    answers = await served.exchange(data[:100_000], data[100_000:] + request("/", method="PUT"))
    assert bodies(answers) == [b"same", b"other"]
    assert served.service.books.bytes_received == len(data) + len(request("/", method="PUT"))


async def test_connection_that_breaks_while_a_body_is_received_into_its_buffer() -> None:
    """The reader is told; nothing passes for a whole body."""
    got: list[BaseException] = []

    async def answer(exchange: Exchange) -> None:
        exchange.cancel_on_disconnect = False
        try:
            await exchange.body.read()
        except PeerDisconnected as exc:
            got.append(exc)

    served = Served(answer)
    await served.exchange(post(b"x" * 500_000)[:300_000])
    served.client.lose(ConnectionResetError())
    await settle()
    assert isinstance(got[0].__cause__, ConnectionResetError)
    assert not served.service.tasks


# 100-continue.

EXPECT = request("/", "Content-Length: 5", "Expect: 100-continue", method="POST")


async def test_continue_is_sent_at_the_first_read() -> None:
    """Not before somebody wants the body."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await release.wait()
        await echo(exchange)

    served = Served(answer)
    assert await served.exchange(EXPECT) == b""
    release.set()
    assert await served.exchange() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert bodies(await served.exchange(b"01234")) == [b"01234"]
    assert not served.is_closed


async def test_no_continue_for_who_does_not_wait() -> None:
    """A client that sends its body at once needs none."""
    answer = await Served(dawdle).exchange(EXPECT + b"01234")
    assert b"100 Continue" not in answer


@pytest.mark.parametrize("pieces", [(EXPECT + b"01",), (EXPECT, b"01")], ids=["at once", "later"])
async def test_body_of_who_does_not_wait_has_its_time(pieces: tuple[bytes, ...]) -> None:
    """It runs from the body's first byte on, as if nobody had spoken of 100."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await release.wait()
        await echo(exchange)

    served = Served(answer)
    assert await served.exchange(*pieces) == b""
    served.clock.advance(29)
    release.set()
    assert await served.exchange() == b""
    assert bodies(await served.exchange(b"234")) == [b"01234"]


async def test_answer_without_reading_takes_the_place_of_continue() -> None:
    """Whether the body still comes can't be known then: the connection ends."""
    served = Served(refuse)
    answer = await served.exchange(EXPECT, GET)
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"Connection: close" in answer
    assert answer.count(b"HTTP/1.1") == 1


async def test_no_continue_to_http_1_0() -> None:
    """RFC 9110, section 10.1.1: the expectation of an HTTP/1.0 client is ignored."""
    old = EXPECT.replace(b"HTTP/1.1", b"HTTP/1.0")
    served = Served(echo)
    assert await served.exchange(old) == b""
    assert bodies(await served.exchange(b"01234")) == [b"01234"]


async def test_body_that_is_read_after_the_head_was_sent_has_its_time() -> None:
    """100 can't be sent any more, and the client may never send: that is bounded, too."""

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200)
        await exchange.write(b"x")
        await exchange.body.read()

    served = Served(answer)
    assert b"100 Continue" not in await served.exchange(EXPECT)
    served.clock.advance(31)
    await settle()
    assert served.client.is_closing()


# Clients that go.


async def test_half_closed_client_gets_its_answer() -> None:
    """A client may close its side behind a complete request; even behind a pipeline."""
    for count in (1, 3):
        served = Served(dawdle)
        served.client.feed(GET * count)
        served.client.feed_eof()
        await settle(40)
        answer = served.client.written
        assert answer.count(b"HTTP/1.1 200") == count
        assert answer.count(b"Connection: close") == 1
        assert served.client.is_closing()


async def test_half_closed_client_with_half_a_request_behind() -> None:
    """The whole request is answered, the rest of the pipeline can't be."""
    for rest in (GET[:10], post(b"01234")[:-1]):
        served = Served(dawdle)
        served.client.feed(GET + rest)
        served.client.feed_eof()
        await settle(40)
        assert served.client.written.startswith(b"HTTP/1.1 200")
        assert served.client.is_closing()
        assert not served.service.connections


async def test_body_that_ends_with_the_connection_is_incomplete() -> None:
    """The reader gets IncompleteRead, the client 400."""
    served = Served(echo)
    served.client.feed(post(b"01234")[:-1])
    served.client.feed_eof()
    await settle()
    assert served.client.written.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert served.service.books.limits_hit == {IncompleteRead.__name__: 1}


async def test_handler_is_cancelled_when_the_client_goes() -> None:
    """Unless it does not want that, and is told instead."""
    seen: list[str] = []

    async def answer(exchange: Exchange) -> None:
        exchange.cancel_on_disconnect = exchange.head.target == "/cancel"
        try:
            await exchange.wait_disconnected()
            seen.append("told")
            with pytest.raises(PeerDisconnected):
                await exchange.respond(200)
            with pytest.raises(PeerDisconnected):
                await exchange.start(200)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    for target in ("/cancel", "/tell"):
        served = Served(answer)
        await served.exchange(request(target))
        served.client.lose()
        await settle()
        assert not served.service.tasks
        assert not served.service.connections
    assert seen == ["cancelled", "told"]


async def test_end_of_input_is_told_at_once() -> None:
    """The client may have gone, or wait for its answer, which can be sent."""
    told: list[str] = []

    async def answer(exchange: Exchange) -> None:
        await exchange.wait_input_ended()
        told.append(exchange.head.target)
        assert not exchange.is_disconnected
        await exchange.respond(200, (), b"all the same")
        await exchange.wait_input_ended()  # and is over: returns

    for pieces in ([GET], [GET[:9], GET[9:]]):
        served = Served(answer)
        for piece in pieces:
            await served.exchange(piece)
        served.client.feed_eof()
        await settle()
        assert served.client.written.endswith(b"all the same")
    assert told == ["/", "/"]


async def test_end_of_input_is_that_behind_the_last_request() -> None:
    """A pipeline's earlier requests have a client who asked for more."""
    told: list[str] = []

    async def answer(exchange: Exchange) -> None:
        waiting = asyncio.ensure_future(exchange.wait_input_ended())
        await settle(2)
        told.append(f"{exchange.head.target} {waiting.done()}")
        await exchange.respond(200)
        await waiting

    served = Served(answer)
    served.client.feed(request("/1") + request("/2"))
    served.client.feed_eof()
    await settle(20)
    assert told == ["/1 False", "/2 True"]


@pytest.mark.parametrize("is_begun", [False, True])
async def test_handler_may_give_up_when_input_has_ended(
    is_begun: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Within a response that is no error, and cuts it; before it, the client is answered."""

    async def answer(exchange: Exchange) -> None:
        if is_begun:
            await exchange.start(200)
            await exchange.write(b"a")
        await exchange.wait_input_ended()
        raise PeerDisconnected("the client has left")

    served = Served(answer)
    await served.exchange(GET)
    served.client.feed_eof()
    await settle()
    assert served.client.is_aborted is is_begun
    assert len(caplog.records) == (not is_begun)


async def test_both_waits_end_with_the_client() -> None:
    """And neither of them before."""

    async def answer(exchange: Exchange) -> None:
        exchange.cancel_on_disconnect = False
        await asyncio.gather(exchange.wait_input_ended(), exchange.wait_disconnected())

    served = Served(answer)
    await served.exchange(GET)
    assert served.service.tasks
    served.client.lose()
    await settle()
    assert not served.service.tasks


async def test_handler_may_have_time_for_itself_when_the_client_goes() -> None:
    """It is told at once, and cancelled when its application's ``disconnect_grace`` is over."""
    seen: list[str] = []

    async def answer(exchange: Exchange) -> None:
        await exchange.wait_disconnected()
        seen.append("told")
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("over")

    application = Application(answer)
    application.disconnect_grace = 3.0
    clock = HandClock()
    served = Served(service=Service(application, deadlines=Deadlines(clock)))
    await served.exchange(GET)
    served.client.lose()
    await settle()
    clock.advance(2.9)
    await settle()
    assert seen == ["told"]
    clock.advance(0.2)
    await settle()
    assert seen == ["told", "over"]
    assert not served.service.tasks


async def test_client_that_goes_in_the_turn_of_its_request_leaves_nothing_behind() -> None:
    """A handler that is cancelled before its first step leaves the registry, too."""
    served = Served(dawdle)
    served.service.start_task = asyncio.get_running_loop().create_task  # begins in the next turn
    served.client.feed(GET)
    assert len(served.service.tasks) == 1
    served.protocol.connection_lost(None)
    await settle()
    assert not served.service.tasks


async def test_handler_that_is_cancelled_after_its_answer_leaves_the_connection() -> None:
    """Its client has everything, and the next request is none of its business."""
    served: Served

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200)
        await asyncio.Event().wait()

    served = Served(answer)
    await served.exchange(GET)
    for task in served.service.tasks:
        task.cancel()
    assert (await served.exchange(GET)).startswith(b"HTTP/1.1 200")
    served.service.abort()
    await settle()


async def test_handler_that_goes_on_after_its_answer_is_not_cancelled() -> None:
    """Its client has everything; that it leaves is no reason to stop."""
    done: list[bool] = []

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200)
        await settle(10)
        done.append(exchange.is_disconnected)

    served = Served(answer)
    served.client.feed(request("/", "Connection: close"))
    await settle(2)
    served.client.lose()
    await settle(20)
    assert done == [False]


async def test_next_request_begins_while_the_last_handler_goes_on() -> None:
    """A handler that has answered keeps nobody waiting."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200, (), exchange.head.target.encode())
        if exchange.head.target == "/1":
            await release.wait()

    served = Served(answer)
    assert bodies(await served.exchange(request("/1"), request("/2"))) == [b"/1", b"/2"]
    assert len(served.service.tasks) == 1
    release.set()
    await settle()
    assert not served.service.tasks


async def test_exchange_that_is_over_can_not_touch_the_next_one() -> None:
    """Neither writing, finishing, informing nor upgrading reaches another's response."""
    first: list[Exchange] = []
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200)
        await exchange.write(b"body")
        if first:
            await release.wait()
        await exchange.finish()
        first.append(exchange)

    served = Served(answer)
    await served.exchange(GET)
    await served.exchange(request("/", "Connection: upgrade", "Upgrade: x"))
    for misuse in (
        first[0].write(b"x"),
        first[0].finish(),
        first[0].inform(103),
        first[0].start(200),
        first[0].respond(200),
        first[0].upgrade(101, [("Upgrade", "x")]),
    ):
        with pytest.raises(InvalidUse, match=r"status 200|in state"):
            await misuse
    release.set()
    assert await served.exchange() == b"0\r\n\r\n"


# Upgrades.

UPGRADE = request("/", "Connection: upgrade", "Upgrade: echo")
LATER = request("/later", "Connection: upgrade", "Upgrade: echo")


class Echo(asyncio.Protocol):
    """Another protocol."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


async def upgrade(exchange: Exchange) -> None:
    """Speak another protocol from now on."""
    await settle(2 if exchange.head.target == "/later" else 0)
    transport, rest = await exchange.upgrade(101, [("Upgrade", "echo")])
    transport.write(rest)
    transport.set_protocol(Echo(transport))
    transport.resume_reading()
    await exchange.wait_draining()


async def test_upgrade_hands_over_the_transport_and_what_was_read() -> None:
    """Bytes behind the request belong to the other protocol."""
    for pieces in [*cuts(UPGRADE + b"hello"), [LATER + b"hello"]]:
        served = Served(upgrade)
        answer = await served.exchange(*pieces)
        head, _, rest = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\nDate: ")
        assert head.endswith(b"\r\nUpgrade: echo\r\nConnection: Upgrade")
        assert rest == b"hello"
        assert await served.exchange(b"more") == b"more"


async def test_upgraded_connection_is_in_the_registry_as_long_as_its_handler() -> None:
    """It counts, and can be cut; then it is its taker's own."""
    ended: list[Exchange] = []
    served = Served(upgrade, on_exchange=ended.append)
    await served.exchange(UPGRADE)
    assert len(served.service.connections) == 1
    served.service.begin_drain()
    await settle()
    assert not served.service.connections
    assert not served.client.is_closing()
    assert [exchange.response_status for exchange in ended] == [101]
    assert served.service.books.responses == {101: 1}


async def test_handler_that_fails_after_an_upgrade_cuts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its transport would stay open with nobody behind it."""

    async def fail(exchange: Exchange) -> None:
        await exchange.upgrade(101, [("Upgrade", "x")])
        raise RuntimeError("broken on purpose")

    served = Served(fail)
    await served.exchange(UPGRADE)
    assert served.client.is_aborted
    assert "broken on purpose" in caplog.text
    assert not served.service.connections


async def test_unknown_upgrade_is_ignored_with_its_body() -> None:
    """HTTP/1.1 goes on, and the body is no request."""
    body = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    data = request(
        "/", "Connection: Upgrade", "Upgrade: h2c", f"Content-Length: {len(body)}", method="POST"
    )
    for pieces in cuts(data + body + request("/next"), splits=60):
        answers = bodies(await Served(dawdle).exchange(*pieces))
        assert answers == [b"/", b"/next"]


# Handlers that fail.


async def test_handler_that_raises_is_answered_500(caplog: pytest.LogCaptureFixture) -> None:
    """The error is logged, the connection is still good."""

    async def fail(exchange: Exchange) -> None:
        raise RuntimeError("broken on purpose")

    served = Served(fail)
    answer = await served.exchange(GET * 2)
    assert answer.count(b"HTTP/1.1 500 Internal Server Error\r\n") == 2
    assert "broken on purpose" in caplog.text
    assert b"broken" not in answer


async def test_handler_that_returns_nothing_is_answered_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody waits for an answer that never comes."""

    async def forget(exchange: Exchange) -> None:
        return

    assert (await Served(forget).exchange(GET)).startswith(b"HTTP/1.1 500 ")
    assert "returned without a response" in caplog.text


async def test_handler_that_fails_in_the_middle_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody may take the part for the whole."""

    async def fail(exchange: Exchange) -> None:
        await exchange.start(200)
        await exchange.write(b"part")
        raise RuntimeError("broken on purpose")

    served = Served(fail)
    assert (await served.exchange(GET)).endswith(b"4\r\npart\r\n")
    assert served.client.is_aborted


async def test_handler_that_fails_before_the_first_byte_is_answered_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """start() alone sends nothing, so nothing is lost yet."""

    async def fail(exchange: Exchange) -> None:
        await exchange.start(200)
        raise RuntimeError("broken on purpose")

    for method in ("GET", "HEAD"):
        served = Served(fail)
        answer = await served.exchange(request("/", method=method) + GET)
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert answer.count(b"HTTP/1.1 500 ") == 2
        assert not served.is_closed


async def test_failing_in_the_middle_does_not_harm_the_answers_before(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A pipeline's good answers leave before the connection is cut."""

    async def answer(exchange: Exchange) -> None:
        if exchange.head.target == "/good":
            await exchange.respond(200, (), b"good")
        else:
            await exchange.start(200)
            await exchange.write(b"part")
            raise RuntimeError

    served = Served(answer)
    written = await served.exchange(request("/good") + request("/bad"))
    assert b"\r\n\r\ngood" in written
    assert served.client.is_aborted


async def test_error_that_can_not_be_told_cuts_the_connection(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even answering for an error may fail; then nobody waits either."""

    async def fail(exchange: Exchange) -> None:
        raise RuntimeError

    def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ServerExchange, "_respond", broken)
    served = Served(fail)
    await served.exchange(GET)
    assert served.client.is_aborted
    assert not served.service.tasks


async def test_disconnect_of_somebody_else_is_our_error(caplog: pytest.LogCaptureFixture) -> None:
    """A handler that lost a connection of its own has a client that waits for an answer."""

    async def fail(exchange: Exchange) -> None:
        raise PeerDisconnected("the server behind us went")

    assert (await Served(fail).exchange(GET)).startswith(b"HTTP/1.1 500 ")
    assert "the server behind us went" in caplog.text


async def test_handler_that_is_cancelled_cuts_its_connection() -> None:
    """By itself or by others: nobody else would finish the response."""

    async def give_up(exchange: Exchange) -> None:
        raise asyncio.CancelledError

    served = Served(give_up)
    await served.exchange(GET)
    assert served.client.is_aborted
    assert not served.service.tasks


# Draining.


async def test_drain_closes_idle_connections_soon() -> None:
    """A request may be on its way; those that never sent one get longer for it."""
    idle, fresh = Served(), Served()
    await idle.exchange(GET)
    for served in (idle, fresh):
        served.service.begin_drain()
    assert [served.is_closed for served in (idle, fresh)] == [False, False]
    for served in (idle, fresh):
        served.clock.advance(0.3)
    assert [served.is_closed for served in (idle, fresh)] == [True, False]
    answer = await fresh.exchange(GET)
    assert b"Connection: close" in answer
    assert fresh.is_closed


async def test_drain_finishes_what_runs_and_says_that_it_is_the_last() -> None:
    """The answer under way carries Connection: close."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await release.wait()
        assert exchange.is_draining
        await exchange.respond(200)

    served = Served(answer)
    await served.exchange(GET)
    served.service.begin_drain()
    release.set()
    assert b"\r\nConnection: close\r\n\r\n" in await served.exchange()
    assert served.is_closed


async def test_drain_keeps_what_the_head_of_a_response_has_promised() -> None:
    """Its client may be sending the next request already: that one is told that it was the last."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200)
        await exchange.write(b"a")
        await release.wait()
        await exchange.finish()

    served = Served(answer)
    assert b"Connection: close" not in await served.exchange(GET)
    served.service.begin_drain()
    release.set()
    assert await served.exchange() == b"0\r\n\r\n"
    assert not served.is_closed
    assert b"\r\nConnection: close\r\n" in await served.exchange(GET)
    assert served.is_closed


async def test_drain_keeps_its_promise_to_a_pipeline() -> None:
    """The next request is here already: it is answered as the last, and those behind it are not."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200, [("Content-Length", "1")])
        await exchange.write(b"a")
        if exchange.head.target == "/1":
            await release.wait()
        await exchange.finish()

    served = Served(answer)
    first = await served.exchange(request("/1") + request("/2") + request("/3"))
    assert b"Connection: close" not in first
    served.service.begin_drain()
    release.set()
    last = await served.exchange()
    assert last.startswith(b"HTTP/1.1 200 OK\r\n")
    assert last.endswith(b"\r\nConnection: close\r\n\r\na")
    assert last.count(b"HTTP/1.1") == 1
    assert served.is_closed
    assert served.service.books.requests == 2


async def test_drain_keeps_its_promise_to_a_slow_reader() -> None:
    """Its answer has said that another may follow, but has not been read yet."""
    served = Served()
    served.protocol.pause_writing()
    served.client.feed(GET)
    await settle()
    assert b"Connection: close" not in served.client.take()
    served.service.begin_drain()
    served.protocol.resume_writing()
    await settle()
    assert not served.is_closed
    assert b"\r\nConnection: close\r\n" in await served.exchange(GET)
    assert served.is_closed


async def test_drain_waits_a_moment_only_behind_what_was_promised() -> None:
    """A quarter of a second, as it listens to idle connections."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200)
        await release.wait()
        await exchange.finish()

    served = Served(answer)
    await served.exchange(GET)
    served.service.begin_drain()
    release.set()
    await served.exchange()
    closes_after(served, 0.25)


async def test_connection_that_never_asks_ends_soon_when_draining() -> None:
    """A moment is 2 seconds."""
    served = Served()
    served.service.begin_drain()
    closes_after(served, 2)


async def test_idle_connection_whose_client_keeps_it_open_does_not_delay_a_drain() -> None:
    """There is no answer on its way: half a second, and it is cut."""
    served = Served()
    await served.exchange(GET)
    served.service.begin_drain()
    served.clock.advance(0.25)
    assert served.is_closed
    assert served.service.connections
    served.clock.advance(0.3)
    await settle()
    assert not served.service.connections


async def test_half_a_head_delays_a_drain_no_longer_than_a_first_one() -> None:
    """2 seconds, or what is left of its time if that is less."""
    for waited, left in ((0, 2), (14, 1)):
        served = Served()
        await served.exchange(GET, GET[:10])
        served.clock.advance(waited)
        served.service.begin_drain()
        closes_after(served, left)
        assert b"408" in served.client.written


# The lowest way to write a server.


async def test_subclass_answers_without_an_application() -> None:
    """``handle_request`` is all it takes."""

    class Hello(ServerHttpProtocol):
        async def handle_request(self, exchange: ServerExchange) -> None:
            await exchange.respond(200, (), b"Hello\n")

    protocol = Hello()
    client = connect(protocol)
    client.feed(GET)
    await settle()
    assert bodies(client.take()) == [b"Hello\n"]
    assert repr(protocol) == "<Hello IDLE, 1 requests>"
    client.lose()
    await settle()


async def test_without_application_the_answer_is_500(caplog: pytest.LogCaptureFixture) -> None:
    """The log says what is missing."""
    client = connect(ServerHttpProtocol(Service()))
    client.feed(GET)
    await settle()
    assert client.written.startswith(b"HTTP/1.1 500 ")
    assert "expected an application, or a subclass" in caplog.text
    client.lose()
    await settle()


async def test_abort_cuts_and_cancels() -> None:
    """What a service cuts is over: connections and handlers."""
    served = Served(lambda exchange: exchange.wait_draining())
    await served.exchange(GET)
    served.service.abort()
    await settle()
    assert not served.service.connections
    assert not served.service.tasks
