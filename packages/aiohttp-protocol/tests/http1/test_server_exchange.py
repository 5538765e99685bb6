"""An exchange: every way to answer, what is on the wire then, and what is refused."""

from __future__ import annotations

import asyncio
import gc
import io
import time
from array import array
from collections.abc import Awaitable, Callable
from typing import IO, Any
from weakref import ReferenceType, ref

import pytest

from aiohttp.protocol.errors import (
    InvalidHeader,
    InvalidUse,
    LocalProtocolError,
    PeerDisconnected,
)
from aiohttp.protocol.exchange import Exchange
from aiohttp.protocol.limits import Limits
from served import GET, Handler, Served, post, request, settle

HEAD = request("/", method="HEAD")
OLD = request("/", version="HTTP/1.0")


async def answer_of(handler: Handler, data: bytes = GET) -> tuple[str, bytes]:
    """Return head and body of what a handler answers."""
    head, _, body = (await Served(handler).exchange(data)).partition(b"\r\n\r\n")
    return head.decode(), body


async def in_parts(exchange: Exchange) -> None:
    """Answer in two parts, of unknown length."""
    await exchange.start(200, [("Content-Type", "text/plain")])
    await exchange.write(b"one ")
    await exchange.write(b"two")
    await exchange.finish([("X-Trailer", "three")])


# What is on the wire.


async def test_response_has_date_length_and_connection() -> None:
    """What every response needs is added, around the fields as they were given."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200, [("X-A", "1"), ("x-a", "2")], b"body")

    head, body = await answer_of(answer)
    status, date, *rest = head.split("\r\n")
    assert status == "HTTP/1.1 200 OK"
    assert date.startswith("Date: ")
    assert rest == [
        "X-A: 1",
        "x-a: 2",
        "Content-Length: 4",
        "Connection: keep-alive",
        "Keep-Alive: timeout=75",
    ]
    assert body == b"body"


async def test_unknown_length_is_chunked_with_trailers() -> None:
    """One write is one chunk; the trailers stand behind the last."""
    head, body = await answer_of(in_parts)
    assert "\r\nTransfer-Encoding: chunked\r\n" in head
    assert "Content-Length" not in head
    assert body == b"4\r\none \r\n3\r\ntwo\r\n0\r\nX-Trailer: three\r\n\r\n"


async def test_unknown_length_ends_with_the_connection_for_http_1_0() -> None:
    """No chunked for HTTP/1.0, whatever it says about keep-alive (RFC 9112, section 6.1)."""
    served = Served(in_parts)
    answer = await served.exchange(OLD.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n"))
    assert b"Transfer-Encoding" not in answer
    assert answer.endswith(b"\r\nConnection: close\r\n\r\none two")
    assert served.is_closed


async def test_head_has_the_fields_of_get_and_no_body() -> None:
    """RFC 9110, section 9.3.2; the connection is used again."""

    async def whole(exchange: Exchange) -> None:
        await exchange.respond(200, (), b"body")

    for handler, framing in [
        (whole, "Content-Length: 4"),
        (in_parts, "Transfer-Encoding: chunked"),
    ]:
        head, body = await answer_of(handler, HEAD)
        assert f"\r\n{framing}\r\n" in head
        assert "\r\nConnection: keep-alive" in head
        assert body == b""


@pytest.mark.parametrize("status", [204, 304])
async def test_status_without_content_has_neither_body_nor_framing(status: int) -> None:
    """RFC 9110, sections 15.3.5 and 15.4.5, at once and in parts."""

    async def whole(exchange: Exchange) -> None:
        await exchange.respond(status, (), b"dropped")

    async def parts(exchange: Exchange) -> None:
        await exchange.start(status)
        await exchange.write(b"dropped")
        await exchange.finish()

    for handler in (whole, parts):
        head, body = await answer_of(handler)
        assert "Content-Length" not in head
        assert "Transfer-Encoding" not in head
        assert "Connection: keep-alive" in head
        assert body == b""


async def test_not_modified_may_tell_the_length_that_get_would_have() -> None:
    """A Content-Length that the program gives to 304 is sent, and promises no body."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(304, [("Content-Length", "1234")])

    head, body = await answer_of(answer)
    assert "\r\nContent-Length: 1234\r\n" in head
    assert body == b""


async def test_program_may_give_date_server_and_connection() -> None:
    """They are sent once, and ``Connection: close`` is done."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(
            200, [("date", "today"), ("Server", "mine"), ("connection", "X, Close")]
        )

    served = Served(answer)
    text = (await served.exchange(GET)).lower()
    assert text.count(b"\r\ndate: ") == 1
    assert b"\r\nserver: mine\r\n" in text
    assert b"\r\nconnection: close\r\n" in text
    assert served.is_closed


async def test_close_after_announces_the_end() -> None:
    """The handler decides that this request is the last."""

    async def answer(exchange: Exchange) -> None:
        exchange.close_after()
        await exchange.respond(200)
        exchange.close_after()

    head, _ = await answer_of(answer)
    assert head.endswith("\r\nConnection: close")


async def test_informational_responses_come_before_the_final_one() -> None:
    """103 with its fields; nothing of it for HTTP/1.0 (RFC 9110, section 15.2)."""

    async def answer(exchange: Exchange) -> None:
        await exchange.inform(103, [("Link", "</style.css>; rel=preload")])
        await exchange.respond(200)

    served = await Served(answer).exchange(GET)
    assert served.startswith(
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n"
    )
    assert (await Served(answer).exchange(OLD)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_large_body_is_sent_in_pieces_with_backpressure() -> None:
    """Not more than the write buffer, and one piece, waits for a client that reads slowly."""
    body = bytes(range(256)) * 4000
    served = Served(
        lambda exchange: exchange.respond(200, (), body), limits=Limits(write_buffer=100_000)
    )
    served.client.hold()
    assert served.client.get_write_buffer_limits()[1] == 100_000
    served.client.feed(GET)
    await settle()
    while served.client.get_write_buffer_size():
        assert served.client.get_write_buffer_size() <= 100_000 + 70_000
        served.client.release(50_000)
        await settle()
    assert served.client.written.endswith(body)


async def test_what_was_written_can_be_changed_afterwards() -> None:
    """A transport may keep what it is given; the program's buffer is its own again."""
    buffer = bytearray(b"x" * 100_000)

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200, [("Content-Length", "400000")])
        await exchange.write(buffer)
        await exchange.write(memoryview(buffer))
        buffer[:] = b"y" * 100_000
        await exchange.write(memoryview(array("i", [1] * 50_000)))
        await exchange.finish()

    served = Served(answer)
    kept: list[bytes | bytearray | memoryview] = []
    served.client.write = kept.append  # type: ignore[method-assign, assignment]
    await served.exchange(GET)
    body = b"".join(kept).partition(b"\r\n\r\n")[2]
    assert body == b"x" * 200_000 + array("i", [1] * 50_000).tobytes()


async def test_empty_write_sends_the_head() -> None:
    """So that a client that waits for the first event knows that its request was taken."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200)
        await exchange.write(b"")
        await release.wait()
        await exchange.finish()

    served = Served(answer)
    assert (await served.exchange(GET)).startswith(b"HTTP/1.1 200 OK\r\n")
    release.set()
    assert await served.exchange() == b"0\r\n\r\n"


# What is refused.

Call = Callable[[Exchange], Awaitable[object]]

UNSENDABLE: list[tuple[Call, str]] = [
    (lambda e: e.respond(200, [("X", "a\r\nSet-Cookie: b")]), "'X'|X"),
    (lambda e: e.respond(200, [("X\r\nY", "a")]), "X"),
    (lambda e: e.respond(200, (), reason="OK\r\nX: y"), "reason phrase"),
    (lambda e: e.respond(1000), "100 to 999"),
    (lambda e: e.respond(103), "a final response is 200 to 999, got 103"),
    (lambda e: e.respond(200, [("Content-Length", "5")], b"body"), "says 5 bytes"),
    (lambda e: e.respond(200, [("Content-Length", "+4")], b"body"), "one decimal number"),
    (lambda e: e.respond(200, [("Transfer-Encoding", "gzip")]), "exactly chunked"),
    (lambda e: e.start(200, [("X", "\0")]), "X"),
    (lambda e: e.inform(101), "not 101"),
    (lambda e: e.inform(200), "100 to 199"),
    (lambda e: e.upgrade(101, [("Upgrade", "x")]), "has not asked"),
    (lambda e: e.upgrade(200), "to CONNECT"),
    (lambda e: e.write(b"x"), "write in state WAITING"),
    (lambda e: e.finish(), "finish in state WAITING"),
    (lambda e: e.sendfile(io.BytesIO()), "sendfile in state WAITING"),
]


@pytest.mark.parametrize(("call", "message"), UNSENDABLE)
async def test_what_can_not_be_sent_leaves_the_way_free_for_another_answer(
    call: Call, message: str
) -> None:
    """Not a byte has left when the error is raised."""

    async def answer(exchange: Exchange) -> None:
        with pytest.raises(LocalProtocolError, match=message):
            await call(exchange)
        await exchange.respond(200, (), b"good")

    head, body = await answer_of(answer)
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert body == b"good"


async def test_second_response_is_refused() -> None:
    """Each response once, however it is begun."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200)
        for again in (exchange.respond(200), exchange.start(200), exchange.inform(103)):
            with pytest.raises(InvalidUse, match="with status"):
                await again
        for again in (exchange.write(b""), exchange.finish()):
            with pytest.raises(InvalidUse, match="in state"):
                await again

    served = Served(answer)
    assert (await served.exchange(GET * 2)).count(b"HTTP/1.1 200") == 2


async def test_started_response_must_be_finished_as_it_was_begun() -> None:
    """No second head, and nothing informational, in its middle."""

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200)
        for call in (exchange.respond(200), exchange.start(200), exchange.inform(103)):
            with pytest.raises(InvalidUse):
                await call
        await exchange.finish()

    assert (await answer_of(answer))[1] == b"0\r\n\r\n"


@pytest.mark.parametrize("data", [b"12345", b"123456" * 100_000])
async def test_more_than_content_length_says_is_refused(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest would be read as the next response: nothing of it is sent, the client is cut off."""

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200, [("Content-Length", "4")])
        await exchange.write(b"1")
        await exchange.write(data)

    served = Served(answer)
    assert (await served.exchange(GET)).endswith(b"\r\n\r\n1")
    assert served.client.is_aborted
    assert "expected 4 bytes of body" in caplog.text


async def test_less_than_content_length_says_cuts_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The client waits for the rest: it must see that it will not come."""

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200, [("Content-Length", "4")])
        await exchange.write(b"123")
        await exchange.finish()

    served = Served(answer)
    await served.exchange(GET)
    assert served.client.is_aborted
    assert "expected 4 bytes of body, as Content-Length says, got 3" in caplog.text


async def test_error_of_the_client_is_answered_with_its_status() -> None:
    """What a body's reader raises is the client's fault: told to it, and not logged."""

    async def answer(exchange: Exchange) -> None:
        raise InvalidHeader("expected a name, got ''", name="")

    head, body = await answer_of(answer)
    assert head.startswith("HTTP/1.1 400 Bad Request\r\n")
    assert head.endswith("\r\nConnection: close")
    assert body == b"400 Bad Request: expected a name, got ''\n"


async def test_body_that_is_no_bytes_is_answered_500(caplog: pytest.LogCaptureFixture) -> None:
    """The error comes before the head is decided."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200, (), "text")  # type: ignore[arg-type]

    head, _ = await answer_of(answer)
    assert head.startswith("HTTP/1.1 500 ")


# Upgrades.


async def test_switching_protocols_must_name_the_new_one() -> None:
    """RFC 9110, section 7.8: 101 carries Upgrade."""

    async def answer(exchange: Exchange) -> None:
        with pytest.raises(LocalProtocolError, match="field Upgrade"):
            await exchange.upgrade(101)
        await exchange.respond(200)

    head, _ = await answer_of(answer, request("/", "Connection: upgrade", "Upgrade: x"))
    assert head.startswith("HTTP/1.1 200")


async def test_upgrade_waits_for_the_end_of_the_body() -> None:
    """Before, the transport is still HTTP's."""

    async def answer(exchange: Exchange) -> None:
        with pytest.raises(InvalidUse, match="SWITCH in state REQUEST"):
            await exchange.upgrade(101, [("Upgrade", "x")])
        await exchange.body.read()
        await exchange.upgrade(101, [("Upgrade", "x")])

    served = Served(answer)
    answers = await served.exchange(post(b"body", "Connection: upgrade", "Upgrade: x")[:-1], b"y")
    assert answers.startswith(b"HTTP/1.1 101 ")


async def test_tunnel_is_opened_by_2xx_to_connect() -> None:
    """By ``upgrade`` only: 200 of ``respond`` would say that a tunnel is open, too."""

    async def answer(exchange: Exchange) -> None:
        with pytest.raises(InvalidUse, match="opens a tunnel"):
            await exchange.respond(200)
        transport, rest = await exchange.upgrade(200)
        transport.write(rest)

    served = Served(answer, allowed_methods={"CONNECT"})
    text = await served.exchange(request("example.org:443", method="CONNECT") + b"hello")
    assert text.startswith(b"HTTP/1.1 200 OK\r\n")
    assert text.endswith(b"\r\n\r\nhello")
    assert b"Content-Length" not in text


# Files.


@pytest.mark.parametrize(("offset", "count"), [(0, None), (5, None), (5, 100_000), (0, 0), (9, 1)])
async def test_file_is_sent_from_offset(offset: int, count: int | None) -> None:
    """To its end, or so many bytes, and of a file in memory, too."""
    content = bytes(range(256)) * 1000
    wanted = content[offset:] if count is None else content[offset : offset + count]

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200, [("Content-Length", str(len(wanted)))])
        await exchange.sendfile(io.BytesIO(content), offset, count)
        await exchange.finish()

    assert (await answer_of(answer))[1] == wanted


async def test_file_is_not_read_for_head() -> None:
    """HEAD for a large file costs nothing."""

    class Unread(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            pytest.fail("was read")

    async def answer(exchange: Exchange) -> None:
        file: IO[bytes] = Unread(b"x" * 10)
        await exchange.start(200, [("Content-Length", "10")])
        await exchange.sendfile(file)
        await exchange.finish()

    assert (await answer_of(answer, HEAD))[1] == b""


async def test_file_that_is_shorter_than_announced_cuts(caplog: pytest.LogCaptureFixture) -> None:
    """The client waits for bytes that don't exist."""

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200, [("Content-Length", "20")])
        await exchange.sendfile(io.BytesIO(b"0123456789"), 0, 20)

    served = Served(answer)
    await served.exchange(GET)
    assert served.client.is_aborted
    assert "the file ended 10 bytes early" in caplog.text


# What an exchange knows.


async def test_exchange_tells_its_facts() -> None:
    """Addresses, scheme and version, before; status and bytes sent, behind."""
    seen: list[object] = []

    async def answer(exchange: Exchange) -> None:
        seen.extend((exchange.peername[0], exchange.sockname[1], exchange.scheme))
        seen.extend((exchange.version, exchange.response_status))
        assert before <= exchange.started <= time.monotonic()
        await in_parts(exchange)
        seen.extend((exchange.response_status, exchange.body_sent, exchange.is_disconnected))
        await exchange.wait_disconnected()  # it is over: returns

    before = time.monotonic()
    served = Served(answer)
    await served.exchange(GET)
    assert seen == ["192.0.2.1", 80, "http", (1, 1), 0, 200, 7, False]
    assert not served.service.tasks


async def test_exchange_knows_its_task() -> None:
    """From its first step on, and when it is over."""
    seen: list[object] = []

    async def answer(exchange: Exchange) -> None:
        seen.append(getattr(exchange, "task", None) is asyncio.current_task())
        await settle(1)
        seen.append(getattr(exchange, "task", None) is asyncio.current_task())
        await exchange.respond(200)

    served = Served(answer, on_exchange=lambda exchange: seen.append(exchange.head.target))
    await served.exchange(GET)
    assert seen == [True, True, "/"]


async def test_nothing_of_a_request_waits_for_the_garbage_collector() -> None:
    """An exchange and the application's request know each other until all is over."""

    class Request:
        def __init__(self, exchange: Exchange) -> None:
            self.exchange = exchange

    left: list[ReferenceType[Any]] = []

    async def answer(exchange: Exchange) -> None:
        exchange.request = Request(exchange)
        left.extend((ref(exchange.request), ref(exchange)))
        await exchange.respond(200)

    served = Served(answer)
    gc.disable()
    try:
        for data in (GET, GET * 3, post(b"abc")):
            await served.exchange(data)
    finally:
        gc.enable()
    assert len(left) == 10
    assert [each() for each in left] == [None] * 10


async def test_exchange_carries_what_access_logs_ask_for() -> None:
    """The application's own object, the books, and the fields as they were given, once sent."""
    seen: list[object] = []

    async def answer(exchange: Exchange) -> None:
        seen.extend((exchange.request, exchange.refusal, list(exchange.sent_fields)))
        exchange.request = "my own"
        path = exchange.head.target
        fields = ((name, path) for name in ("X-Path", "Connection"))  # can be read but once
        if path == "/parts":
            await exchange.start(200, fields)
            await exchange.finish()
        else:
            await exchange.respond(200, fields if path == "/generator" else list(fields))

    def log(exchange: Exchange) -> None:
        seen.extend((exchange.request, exchange.books.requests, list(exchange.sent_fields)))

    for path in ("/list", "/generator", "/parts"):
        await Served(answer, on_exchange=log).exchange(request(path))
        assert seen == [None, None, [], "my own", 1, [("X-Path", path), ("Connection", path)]]
        seen.clear()


async def test_scheme_is_that_of_the_transport() -> None:
    """Whether there is TLS below, not what the client says."""
    schemes: list[str] = []

    async def answer(exchange: Exchange) -> None:
        schemes.append(exchange.scheme)
        await exchange.respond(200)

    await Served(answer, sslcontext=object()).exchange(GET)
    assert schemes == ["https"]


async def test_exchange_shows_itself() -> None:
    """For logs: never a control character."""
    seen: list[str] = []

    async def answer(exchange: Exchange) -> None:
        seen.append(repr(exchange))
        await exchange.respond(200)
        seen.append(repr(exchange))

    await Served(answer).exchange(GET)
    assert "GET '/'" in seen[0] or "GET /" in seen[0]
    assert seen[1].endswith("200>")


async def test_log_hears_of_every_response_once() -> None:
    """Complete ones, broken ones, and those whose client went."""
    heard: list[tuple[str, int, int]] = []

    def note(exchange: Exchange) -> None:
        heard.append((exchange.head.target, exchange.response_status, exchange.body_sent))

    async def answer(exchange: Exchange) -> None:
        if exchange.head.target == "/wait":
            await exchange.start(200)
            await exchange.write(b"part")
            await exchange.wait_draining()
        await exchange.respond(200, (), b"body")

    served = Served(answer, on_exchange=note)
    await served.exchange(GET + request("/wait"))
    served.client.lose()
    await settle()
    assert heard == [("/", 200, 4), ("/wait", 200, 4)]


async def test_error_in_the_log_is_no_error_of_the_exchange(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged, and the client has its answer."""

    def note(exchange: Exchange) -> None:
        raise ZeroDivisionError

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200)

    served = Served(answer, on_exchange=note)
    assert (await served.exchange(GET)).startswith(b"HTTP/1.1 200")
    assert "for <ServerExchange" in caplog.text


# Clients that go, at every await.


async def _parts(exchange: Exchange) -> None:
    await exchange.start(200)
    while True:
        await exchange.write(b"x" * 60_000)


ENDLESS: dict[str, Handler] = {
    "respond": lambda exchange: exchange.respond(200, (), b"x" * 1_000_000),
    "write": _parts,
    "read": lambda exchange: exchange.body.read(),
    "sleep": lambda exchange: asyncio.Event().wait(),
}


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("how", ["lost", "cancelled"])
async def test_nothing_is_left_of_a_handler_that_ends_in_an_await(name: str, how: str) -> None:
    """Lost by its client or cancelled by others: no task, no connection, no timer stays."""
    served = Served(ENDLESS[name])
    served.client.hold()
    await served.exchange(post(b"x" * 10)[:-1])
    (task,) = served.service.tasks
    if how == "lost":
        served.client.lose()
    else:
        task.cancel()
    await settle()
    assert task.done()
    assert not served.service.tasks
    assert not served.service.connections
    assert served.clock.pending == 0


@pytest.mark.parametrize("is_cancelled", [True, False])
async def test_writer_who_never_waits_learns_that_the_client_has_gone(is_cancelled: bool) -> None:
    """A lost connection takes everything: each write into it gives the loop a turn to tell."""

    async def answer(exchange: Exchange) -> None:
        exchange.cancel_on_disconnect = is_cancelled
        served.client.lose(ConnectionResetError())
        await _parts(exchange)

    served = Served(answer)
    await served.exchange(GET)
    assert len(served.client.late_writes) == 1
    assert not served.service.tasks


async def test_writer_who_never_waits_lets_others_have_their_turn() -> None:
    """A client that takes everything at once keeps nobody from being served."""
    writes = 0

    async def answer(exchange: Exchange) -> None:
        nonlocal writes
        await exchange.start(200)
        while writes < 1000:
            await exchange.write(b"x")
            writes += 1
        await exchange.finish()

    served = Served(answer)
    served.client.feed(GET)
    await settle(3)
    assert 0 < writes < 500
    assert (await served.exchange()).endswith(b"0\r\n\r\n")


async def test_writer_that_is_not_cancelled_is_told() -> None:
    """A write that waits, and each one after it, raises PeerDisconnected; nothing is logged."""
    errors: list[Any] = []

    async def answer(exchange: Exchange) -> None:
        exchange.cancel_on_disconnect = False
        try:
            await _parts(exchange)
        except PeerDisconnected as exc:
            errors.append(exc)
        await exchange.write(b"once more")

    served = Served(answer)
    served.client.hold()
    await served.exchange(GET)
    served.client.lose()
    await settle()
    assert len(errors) == 1
    assert not served.service.tasks
