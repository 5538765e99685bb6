"""``receive()`` and ``send()`` of one request: every message in its turn, on the wire."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from aiohttp.protocol import BodyTooLarge, ChunkError, InvalidUse, Limits, PeerDisconnected
from aiohttp.worker.asgi import http
from aiohttp.worker.asgi.messages import AsgiCallable, Message, Receive, Scope, Send
from asgi_client import GET, HEAD, Client, answer_with, ask, body, post, start
from wire import cuts

DISCONNECT = {"type": "http.disconnect"}


def request(content: bytes, *, more: bool) -> Message:
    """Return the message that brings a part of a request's body."""
    return {"type": "http.request", "body": content, "more_body": more}


class Recorder:
    """An application that does as it is told, one call of receive or send after the other.

    Attributes:
        client: its client.
        is_cancelled: whether its call was cancelled.
    """

    receive: Receive
    send: Send

    def __init__(self, **options: Any) -> None:
        self.client = Client(self._run, **options)
        self._is_called = asyncio.Event()
        self._may_end = asyncio.Event()
        self.is_cancelled = False

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.receive, self.send = receive, send
        self._is_called.set()
        try:
            await self._may_end.wait()
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise

    async def called_by(self, data: bytes) -> Recorder:
        """Have a request sent; return when the application is called."""
        self.client.send(data)
        await self._is_called.wait()
        return self

    async def end(self) -> None:
        """Let the application return."""
        self._may_end.set()
        await self.client.until(lambda: not self.client.service.tasks)


# receive: the body.


async def test_request_without_body_is_one_message() -> None:
    """Its body is empty and complete."""
    app = await Recorder().called_by(GET)
    assert await app.receive() == request(b"", more=False)


async def test_body_that_came_with_its_head_is_one_message() -> None:
    """What is here already isn't waited for."""
    app = await Recorder().called_by(post("Content-Length: 5", content=b"hello"))
    assert await app.receive() == request(b"hello", more=False)


async def test_body_comes_as_it_arrives() -> None:
    """A part comes as soon as it is there; the last says so, where that is known."""
    app = await Recorder().called_by(post("Content-Length: 5", content=b"he"))
    assert await app.receive() == request(b"he", more=True)
    waiting = asyncio.ensure_future(app.receive())
    await asyncio.sleep(0)
    app.client.send(b"llo")
    assert await waiting == request(b"llo", more=False)


async def test_chunked_body_comes_as_plain_bytes() -> None:
    """Chunks are taken apart by the server, however they are cut."""
    content = b"5\r\nhello\r\n1;ext\r\n!\r\n0\r\n\r\n"
    for pieces in cuts(content):
        app = await Recorder().called_by(post("Transfer-Encoding: chunked"))
        for piece in pieces:
            app.client.send(piece)
        received, has_more = b"", True
        while has_more:
            message = await app.receive()
            received += message["body"]
            has_more = message["more_body"]
        assert received == b"hello!"


async def test_end_of_body_may_come_alone() -> None:
    """Where the end isn't known with the last byte, an empty message brings it."""
    app = await Recorder().called_by(post("Transfer-Encoding: chunked"))
    app.client.send(b"1\r\na\r\n")
    assert await app.receive() == request(b"a", more=True)
    app.client.send(b"0\r\n\r\n")
    assert await app.receive() == request(b"", more=False)


async def test_body_is_held_back() -> None:
    """A client that sends faster than the application reads is slowed down."""
    app = await Recorder().called_by(post("Content-Length: 1000000"))
    limit = Limits().read_buffer
    for _ in range(1 + limit // 1000):
        app.client.send(b"x" * 1000)
    assert not app.client.transport.is_reading()
    message = await app.receive()
    assert limit <= len(message["body"]) <= limit + 1000
    await app.client.until(app.client.transport.is_reading)


async def test_body_is_asked_for_when_it_is_wanted() -> None:
    """The first receive() sends 100 Continue to a client that waits for it."""
    app = await Recorder().called_by(post("Content-Length: 2", "Expect: 100-continue"))
    assert app.client.transport.written == b""
    waiting = asyncio.ensure_future(app.receive())
    await app.client.has(b"HTTP/1.1 100 Continue\r\n\r\n")
    app.client.send(b"hi")
    assert await waiting == request(b"hi", more=False)


async def test_cancelled_receive_loses_nothing() -> None:
    """What comes after a cancelled receive() is for the next; also in the very same moment."""
    app = await Recorder().called_by(post("Content-Length: 5"))
    for content, is_sent_first in ((b"he", True), (b"llo", False)):
        waiting = asyncio.ensure_future(app.receive())
        await asyncio.sleep(0)
        if is_sent_first:
            app.client.send(content)
        waiting.cancel()
        await asyncio.wait((waiting,))
        assert waiting.cancelled()
        if not is_sent_first:
            app.client.send(content)
        assert await app.receive() == request(content, more=is_sent_first)


async def test_cancelled_receive_does_not_lose_the_disconnect() -> None:
    """Frameworks ask with a receive() that they cancel at once, again and again."""
    app = await Recorder().called_by(GET)
    await app.receive()
    for _ in range(3):
        waiting = asyncio.ensure_future(app.receive())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait((waiting,))
    app.client.leave()
    assert await app.receive() == DISCONNECT


async def test_receives_at_once_take_turns() -> None:
    """Two that wait for the body get a part each, in order."""
    app = await Recorder().called_by(post("Content-Length: 5"))
    waiting = [asyncio.ensure_future(app.receive()) for _ in range(3)]
    await asyncio.sleep(0)
    app.client.send(b"he")
    assert await waiting[0] == request(b"he", more=True)
    app.client.send(b"llo")
    assert await waiting[1] == request(b"llo", more=False)
    app.client.leave()
    assert await waiting[2] == DISCONNECT


# receive: the end.


async def test_all_who_wait_learn_of_the_disconnect() -> None:
    """When the client goes, each receive() that waits returns."""
    app = await Recorder().called_by(GET)
    await app.receive()
    waiting = [asyncio.ensure_future(app.receive()) for _ in range(3)]
    await asyncio.sleep(0)
    app.client.leave()
    assert await asyncio.gather(*waiting) == [DISCONNECT] * 3


async def test_disconnect_comes_once() -> None:
    """Whoever asks on gets an error instead of a loop that spins."""
    app = await Recorder().called_by(GET)
    await app.receive()
    app.client.leave()
    assert await app.receive() == DISCONNECT
    for _ in range(2):
        with pytest.raises(PeerDisconnected, match=r"expected no further receive\(\)") as caught:
            await app.receive()
        assert isinstance(caught.value, OSError)


async def test_client_that_closes_its_side_is_a_disconnect() -> None:
    """As for other servers of ASGI; who answers all the same may."""
    app = await Recorder().called_by(GET)
    await app.receive()
    waiting = asyncio.ensure_future(app.receive())
    await asyncio.sleep(0)
    app.client.transport.feed_eof()
    assert await waiting == DISCONNECT
    with pytest.raises(PeerDisconnected, match=r"expected no further receive\(\)"):
        await app.receive()
    await app.send(start())
    await app.send(body(b"all the same"))
    await app.end()
    assert (await app.client.answer()).content == b"all the same"


@pytest.mark.parametrize("begun", [False, True])
async def test_call_that_goes_on_after_its_client_has_left_is_cancelled(begun: bool) -> None:
    """When its grace is over, unless it has answered by then."""
    app = await Recorder(disconnect_grace=0.001).called_by(GET)
    await app.receive()
    if begun:
        await app.send(start())
        await app.send(body(b"part", more_body=True))
    app.client.transport.feed_eof()
    assert await app.receive() == DISCONNECT
    while app.client.service.tasks:
        await asyncio.sleep(0)
    assert app.is_cancelled


async def test_call_that_has_answered_is_not_cancelled() -> None:
    """It may have a task for the background."""
    app = await Recorder(disconnect_grace=0).called_by(GET)
    await app.receive()
    app.client.transport.feed_eof()
    assert await app.receive() == DISCONNECT
    await app.send(start())
    await app.send(body(b"hi"))
    for _ in range(5):
        await asyncio.sleep(0)
    await app.end()
    assert not app.is_cancelled


async def test_client_that_closes_its_side_behind_a_pipeline_waits_for_its_answers() -> None:
    """It asked for more, so it is there; behind its last request it is a disconnect."""
    app = await Recorder().called_by(GET + GET)
    await app.receive()
    app.client.transport.feed_eof()
    waiting = asyncio.ensure_future(app.receive())
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    await app.send(start())
    await app.send(body(b"hi"))
    assert await waiting == DISCONNECT
    assert app.client.transport.written.endswith(b"hi")


@pytest.mark.parametrize("own", [None, 500])
async def test_client_that_closed_its_side_is_not_an_error(own: int | None, caplog: Any) -> None:
    """An application that gives up then, in whatever way, is a 499 in the access log."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        assert await receive() == DISCONNECT
        if own is not None:
            await send(start(own))

    client = Client(application, disconnect_grace=0)
    client.send(GET)
    client.transport.feed_eof()
    assert (await client.answer()).status == 499
    assert caplog.records == []


@pytest.mark.parametrize("error", [None, EOFError("left")])
@pytest.mark.parametrize("data", [GET, post("Content-Length: 5")])
async def test_stream_may_end_when_its_client_closes_its_side(
    data: bytes, error: Exception | None, caplog: Any
) -> None:
    """As streams of events do: it is cut, and no error of the application's."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"event", more_body=True))
        while (await receive())["type"] != "http.disconnect":
            pass
        if error is not None:
            raise error

    caplog.set_level(logging.INFO)
    client = Client(application)
    client.send(data)
    await client.has(b"event")
    client.transport.feed_eof()
    await client.until(lambda: client.transport.is_aborted)
    assert [record.levelname for record in caplog.records] == ["INFO"] * (error is not None)


async def test_disconnect_within_the_body() -> None:
    """What came before is given; then the disconnect, to all who wait for the body."""
    app = await Recorder().called_by(post("Content-Length: 5", content=b"he"))
    app.client.leave()
    await asyncio.sleep(0)
    assert await app.receive() == request(b"he", more=True)
    assert await app.receive() == DISCONNECT


async def test_all_who_wait_for_the_body_learn_of_the_disconnect() -> None:
    """The one that reads, and those whose turn would be next."""
    app = await Recorder().called_by(post("Content-Length: 5"))
    waiting = [asyncio.ensure_future(app.receive()) for _ in range(3)]
    await asyncio.sleep(0)
    app.client.leave()
    assert await asyncio.gather(*waiting) == [DISCONNECT] * 3


async def test_end_of_the_response_is_a_disconnect() -> None:
    """All who wait learn that the response is complete; nothing follows."""
    app = await Recorder().called_by(GET)
    await app.receive()
    waiting = [asyncio.ensure_future(app.receive()) for _ in range(2)]
    await asyncio.sleep(0)
    await app.send(start())
    await app.send(body())
    assert await asyncio.gather(*waiting) == [DISCONNECT] * 2
    with pytest.raises(InvalidUse, match=r"expected no further receive\(\)"):
        await app.receive()


@pytest.mark.parametrize("more", [False, True])
async def test_end_of_the_response_ends_the_wait_for_a_body(more: bool) -> None:
    """Also for those who wait for a body that the client may never send."""
    app = await Recorder().called_by(post("Content-Length: 5"))
    waiting = [asyncio.ensure_future(app.receive()) for _ in range(2)]
    await asyncio.sleep(0)
    await app.send(start())
    if more:
        await app.send(body(b"a", more_body=True))
    await app.send(body())
    assert await asyncio.gather(*waiting) == [DISCONNECT] * 2


async def test_body_is_not_received_after_the_response() -> None:
    """Nobody needs it any more."""
    app = await Recorder().called_by(post("Content-Length: 2", content=b"hi"))
    await app.send(start())
    await app.send(body())
    assert await app.receive() == DISCONNECT


# receive: a body that can't be read.


def reading(seen: list[object], status: int | None = None) -> AsgiCallable:
    """Return an application that reads the body; it answers errors with ``status``, if any."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while (message := await receive()).get("more_body"):
                seen.append(message["body"])
            seen.append(message)
        except Exception as exc:
            seen.append(exc)
            if status is None:
                raise
        await send(start(status or 200))
        await send(body(b"mine"))

    return application


BROKEN = [
    (post("Transfer-Encoding: chunked", content=b"2\r\nhi\r\nzz\r\n"), ChunkError, 400),
    (post("Transfer-Encoding: chunked", content=b"9\r\nmore than 8\r\n"), BodyTooLarge, 413),
]


@pytest.mark.parametrize(("data", "error", "status"), BROKEN)
@pytest.mark.parametrize("own", [None, 500])
async def test_broken_body_is_answered_with_its_status(
    data: bytes, error: type[Exception], status: int, own: int | None, caplog: Any
) -> None:
    """Whether the error comes through, or a framework makes a 500 of it; and without a log."""
    seen: list[object] = []
    client = Client(reading(seen, own))
    client.service.limits = Limits(body=8)
    client.send(data)
    answer = await client.answer()
    assert answer.status == status
    assert answer.fields["Connection"] == "close"
    assert isinstance(seen[-1], error)
    assert caplog.records == []


@pytest.mark.parametrize(("data", "error", "status"), BROKEN)
async def test_broken_body_may_be_answered_by_the_application(
    data: bytes, error: type[Exception], status: int
) -> None:
    """Any other answer is its own decision."""
    client = Client(reading([], 418))
    client.service.limits = Limits(body=8)
    client.send(data)
    answer = await client.answer()
    assert (answer.status, answer.content) == (418, b"mine")


async def test_broken_body_stays_broken() -> None:
    """Each receive() raises the error: it is never taken for the end of the body."""
    app = await Recorder().called_by(post("Transfer-Encoding: chunked", content=b"zz\r\n"))
    for _ in range(2):
        with pytest.raises(ChunkError):
            await app.receive()


async def test_body_that_the_client_breaks_off_is_a_disconnect(caplog: Any) -> None:
    """A client that closes its side within the body has gone; it is still told 400."""
    seen: list[object] = []
    client = Client(reading(seen))
    client.send(post("Content-Length: 5", content=b"he"))
    client.transport.feed_eof()
    assert (await client.answer()).status == 400
    assert seen == [b"he", DISCONNECT]
    assert caplog.records == []


async def test_client_that_breaks_off_takes_no_answer() -> None:
    """After http.disconnect send() raises, and receive() too."""
    app = await Recorder().called_by(post("Content-Length: 5"))
    app.client.transport.feed_eof()
    assert await app.receive() == DISCONNECT
    with pytest.raises(PeerDisconnected, match="the client broke its request off"):
        await app.send(start())
    with pytest.raises(PeerDisconnected, match=r"expected no further receive\(\)"):
        await app.receive()


# send: whole responses.


async def test_response_leaves_as_one_write() -> None:
    """Head and body of a whole response are one write; the length is added."""
    client = Client(answer_with(start(201, (b"x-a", b"1")), body(b"hello")))
    client.send(GET)
    answer = await client.answer()
    assert (answer.status, answer.fields["X-A"], answer.content) == (201, "1", b"hello")
    assert answer.fields["Content-Length"] == "5"
    assert len(client.transport.writes) == 1


@pytest.mark.parametrize("content", [b"", b"hello", b"x" * 100_000])
async def test_content_length_that_is_right_is_sent_once(content: bytes) -> None:
    """What frameworks say anyway isn't said twice."""
    length = (b"content-length", b"%d" % len(content))
    answer = await ask(answer_with(start(200, length), body(content)))
    assert answer.fields.get_all("Content-Length") == [str(len(content))]
    assert answer.content == content


async def test_content_length_that_is_wrong_is_an_error(caplog: Any) -> None:
    """Nothing of such a response leaves: the client gets a 500."""
    answer = await ask(answer_with(start(200, (b"content-length", b"6")), body(b"hello")))
    assert answer.status == 500
    assert "Content-Length says 6 bytes, but the body has 5" in caplog.text


async def test_message_that_says_little_is_enough() -> None:
    """Headers, body and more_body are optional."""
    status: Message = {"type": "http.response.start", "status": 200}
    answer = await ask(answer_with(status, {"type": "http.response.body"}))
    assert (answer.status, answer.content) == (200, b"")


async def test_unknown_keys_are_ignored() -> None:
    """Later versions of the specification may add some."""
    answer = await ask(answer_with(start(200, new=1), body(b"hi", new=1)))
    assert answer.content == b"hi"


@pytest.mark.parametrize("content", [bytearray(b"hi"), memoryview(b"hi")])
async def test_body_may_be_a_buffer(content: object) -> None:
    """Frameworks pass on what applications yield."""
    answer = await ask(answer_with(start(), body(content, more_body=True), body(content)))
    assert answer.content == b"hihi"


async def test_fields_of_the_connection_are_not_sent() -> None:
    """The server frames: Transfer-Encoding is ignored, Connection too."""
    headers = [(b"transfer-encoding", b"chunked"), (b"connection", b"x"), (b"keep-alive", b"1")]
    answer = await ask(answer_with(start(200, *headers), body(b"hi")))
    assert "Transfer-Encoding" not in answer.fields
    assert answer.fields.get_all("Connection") == ["keep-alive"]
    assert answer.content == b"hi"


async def test_connection_close_is_honoured() -> None:
    """An application may end the connection, over HTTP/1.1 too."""
    client = Client(answer_with(start(200, (b"connection", b"close")), body(b"hi")))
    client.send(GET)
    assert (await client.answer()).fields.get_all("Connection") == ["close"]
    assert client.transport.is_eof_written


@pytest.mark.parametrize("field", [(b"x y", b"1"), (b"x", b"1\r\ny: 2"), (b"x", b"\0"), (b"", b"")])
async def test_field_that_can_not_be_sent_is_an_error(field: tuple[bytes, bytes]) -> None:
    """No byte of it leaves (CVE-2020-7695)."""
    for more in (False, True):
        client = Client(answer_with(start(200, field), body(b"hi", more_body=more), body()))
        client.send(GET)
        assert (await client.answer()).status == 500
        assert b"\r\ny: 2" not in client.transport.written


# send: HEAD and statuses without content.


@pytest.mark.parametrize(
    ("headers", "content", "length"),
    [
        ([(b"content-length", b"5")], b"hello", "5"),
        ([(b"content-length", b"5")], b"", "5"),
        ([(b"content-length", b"0")], b"", "0"),
        ([], b"hello", "5"),
        ([], b"", None),
    ],
)
async def test_head_is_answered_without_content(
    headers: list[tuple[bytes, bytes]], content: bytes, length: str | None
) -> None:
    """What would come with GET is told where it is known, and never made up."""
    client = Client(answer_with(start(200, *headers), body(content)))
    client.send(HEAD)
    answer = await client.answer()
    assert (answer.fields["Content-Length"], answer.content) == (length, b"")
    assert client.transport.written.endswith(b"\r\n\r\n")


async def test_head_of_a_streamed_response_has_no_content() -> None:
    """What the application sends all the same is dropped."""
    client = Client(answer_with(start(), body(b"a", more_body=True), body(b"b")))
    client.send(HEAD)
    await client.answer()
    assert client.transport.written.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("content", [b"", b"dropped"])
async def test_status_without_content(status: int, content: bytes) -> None:
    """204 and 304 have none (RFC 9110, section 6.4.1)."""
    client = Client(answer_with(start(status), body(content)))
    client.send(GET)
    assert (await client.answer()).status == status
    assert client.transport.written.endswith(b"\r\n\r\n")


async def test_not_modified_may_tell_the_length() -> None:
    """A 304 may say how long the content would be (RFC 9110, section 8.6)."""
    answer = await ask(answer_with(start(304, (b"content-length", b"9")), body()))
    assert answer.fields["Content-Length"] == "9"


# send: responses in parts.


async def test_streamed_response_is_chunked() -> None:
    """Where the length isn't known."""
    app = answer_with(start(), body(b"a", more_body=True), body(b"b", more_body=True), body())
    client = Client(app)
    client.send(GET)
    answer = await client.answer()
    assert (answer.fields["Transfer-Encoding"], answer.content) == ("chunked", b"ab")
    assert client.transport.writes[0].endswith(b"\r\n\r\n1\r\na\r\n")


async def test_streamed_response_with_a_length_is_not_chunked() -> None:
    """The application's Content-Length is honoured."""
    head = start(200, (b"content-length", b"2"))
    answer = await ask(answer_with(head, body(b"a", more_body=True), body(b"b")))
    assert (answer.fields["Content-Length"], answer.content) == ("2", b"ab")
    assert "Transfer-Encoding" not in answer.fields


@pytest.mark.parametrize("last", [b"", b"bc"])
async def test_streamed_response_that_breaks_its_length_is_cut(last: bytes) -> None:
    """Nobody takes it for complete."""
    head = start(200, (b"content-length", b"2"))
    client = Client(answer_with(head, body(b"a", more_body=True), body(last)))
    client.send(GET)
    await client.until(lambda: client.transport.is_aborted)


async def test_part_is_flushed_before_send_returns() -> None:
    """What was sent has left, also the head before an empty part."""
    app = await Recorder().called_by(GET)
    await app.send(start())
    await app.send(body(b"", more_body=True))
    assert app.client.transport.written.endswith(b"\r\n\r\n")
    await app.send(body(b"a", more_body=True))
    assert app.client.transport.written.endswith(b"1\r\na\r\n")


async def test_send_waits_for_the_client() -> None:
    """A client that reads slowly slows the application down."""
    app = await Recorder().called_by(GET)
    app.client.transport.hold()
    await app.send(start())
    await app.send(body(b"x" * 60_000, more_body=True))
    sending = asyncio.ensure_future(app.send(body(b"x" * 10_000, more_body=True)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not sending.done()
    app.client.transport.release()
    await sending


@pytest.mark.parametrize("kind", ["body", "zerocopysend"])
async def test_sends_at_once_do_not_mix(kind: str, tmp_path: Path) -> None:
    """What takes several writes stays whole, whatever other tasks send meanwhile."""
    content = b"a" * 200_000
    file = tmp_path / "file"
    file.write_bytes(content)
    app = await Recorder().called_by(GET)
    await app.send(start())
    app.client.transport.hold()
    with file.open("rb") as opened:
        large = {"type": f"http.response.{kind}", "body": content, "file": opened}
        messages = [{**large, "more_body": True}, body(b"b", more_body=True), body(b"c")]
        sending = [asyncio.ensure_future(app.send(message)) for message in messages]
        for _ in range(5):
            await asyncio.sleep(0)
        app.client.transport.release()
        await asyncio.gather(*sending)
    await app.end()
    assert (await app.client.answer()).content == content + b"bc"


async def test_send_that_was_cancelled_holds_up_nobody() -> None:
    """Its turn is over, though what it was to send is not."""
    app = await Recorder().called_by(GET)
    app.client.transport.hold()
    await app.send(start())
    sending = [
        asyncio.ensure_future(app.send(body(b"x" * size, more_body=True))) for size in (200_000, 1)
    ]
    await asyncio.sleep(0)
    sending[0].cancel()
    app.client.transport.release()
    await asyncio.wait(sending)
    assert sending[0].cancelled()
    assert sending[1].exception() is None


async def test_send_that_waits_is_told_that_the_client_goes() -> None:
    """It raises an OSError."""
    app = await Recorder().called_by(GET)
    app.client.transport.hold()
    await app.send(start())
    sending = asyncio.ensure_future(app.send(body(b"x" * 70_000, more_body=True)))
    await asyncio.sleep(0)
    app.client.leave()
    with pytest.raises(OSError, match="the client closed the connection"):
        await sending


@pytest.mark.parametrize("count", [0, 1, 2])
async def test_send_after_disconnect_raises(count: int) -> None:
    """Whichever message it is, and whether or not the application listened."""
    app = await Recorder().called_by(GET)
    messages = [start(), body(b"a", more_body=True), body(b"b")]
    for message in messages[:count]:
        await app.send(message)
    app.client.leave()
    await asyncio.sleep(0)
    for message in (messages[count], {"type": "unknown"}):
        with pytest.raises(OSError, match="the client closed the connection"):
            await app.send(message)


# send: a head that waits.


async def test_head_does_not_wait_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of events that come slowly learns that they will come."""
    monkeypatch.setattr(http, "HEAD_TIME", 0)
    app = await Recorder().called_by(GET)
    await app.send(start())
    assert app.client.transport.written == b""
    await app.client.has(b"Transfer-Encoding: chunked\r\n")
    await app.send(body(b"a", more_body=True))
    await app.send(body(b"b"))
    await app.end()
    assert (await app.client.answer()).content == b"ab"


async def test_head_that_was_sent_alone_belongs_to_a_whole_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last part may be the first."""
    monkeypatch.setattr(http, "HEAD_TIME", 0)
    app = await Recorder().called_by(GET)
    await app.send(start(200, (b"content-length", b"2")))
    await app.client.has(b"\r\n\r\n")
    await app.send(body(b"hi"))
    await app.end()
    assert (await app.client.answer()).content == b"hi"


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"7")]])
async def test_head_that_was_sent_alone_belongs_to_a_file(
    headers: list[tuple[bytes, bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An application that took its time to find it may send it all the same, and only it."""
    monkeypatch.setattr(http, "HEAD_TIME", 0)
    file = tmp_path / "file"
    file.write_bytes(b"content")
    message: Message = {"type": "http.response.pathsend", "path": str(file)}
    app = await Recorder().called_by(GET)
    await app.send(start(200, *headers))
    await app.client.has(b"\r\n\r\n")
    await app.send(message)
    await app.end()
    assert (await app.client.answer()).content == b"content"
    app = await Recorder().called_by(GET)
    await app.send(start())
    await app.client.has(b"\r\n\r\n")
    await app.send(body(b"a", more_body=True))
    with pytest.raises(InvalidUse, match=r"'http\.response\.pathsend'"):
        await app.send(message)


async def test_timer_of_heads_is_set_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the next request's; and nothing is kept of a call whose head has left."""
    monkeypatch.setattr(http, "HEAD_TIME", 0)
    may_end = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await may_end.wait()
        await send(body(b"hi"))

    client = Client(application)
    heads: Any = client.application._heads
    for _ in range(2):
        may_end.clear()
        client.send(GET)
        await client.has(b"Transfer-Encoding: chunked\r\n")
        may_end.set()
        await client.until(lambda: not client.service.tasks)
        client.transport.take()
        assert (heads._calls, heads._sending) == (set(), set())


@pytest.mark.parametrize("messages", [[body(b"a")], [body(b"a", more_body=True), body()]])
async def test_heads_that_have_left_are_not_kept(messages: list[Message]) -> None:
    """The timer for all may be long in coming."""
    client = Client(answer_with(start(), *messages))
    client.send(GET)
    await client.answer()
    heads: Any = client.application._heads
    assert heads._calls == set()


async def test_head_that_leaves_in_time_leaves_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer finds nothing to do, and isn't set again."""
    monkeypatch.setattr(http, "HEAD_TIME", 0)
    app = await Recorder().called_by(GET)
    await app.send(start())
    await app.send(body(b"hi"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert app.client.transport.written.count(b"HTTP/1.1 200") == 1
    assert len(app.client.transport.writes) == 1


async def test_head_is_not_sent_behind_its_body() -> None:
    """The body may overtake the timer in the same turn of the loop."""
    app = await Recorder().called_by(GET)
    await app.send(start())
    call: Any = app.send
    head = asyncio.create_task(call.__self__.send_head())
    await app.send(body(b"hi"))
    await head
    assert len(app.client.transport.writes) == 1


async def test_head_whose_client_goes_is_told_to_the_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error is for the next send(), not for the log."""
    monkeypatch.setattr(http, "HEAD_TIME", 0)
    app = await Recorder().called_by(GET)
    await app.send(start())
    app.client.leave()
    for _ in range(5):
        await asyncio.sleep(0)
    with pytest.raises(PeerDisconnected):
        await app.send(body(b"a"))


async def test_head_that_can_not_be_sent_is_told_to_the_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A field with a line break is an error of the next send(); nothing has left."""
    monkeypatch.setattr(http, "HEAD_TIME", 0)
    app = await Recorder().called_by(GET)
    await app.send(start(200, (b"x", b"\n")))
    for _ in range(5):
        await asyncio.sleep(0)
    with pytest.raises(ValueError, match="control character"):
        await app.send(body(b"a"))
    assert app.client.transport.written == b""


async def test_application_that_fails_before_its_body_is_a_500() -> None:
    """The head that it sent has not left."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        raise RuntimeError("no body")

    assert (await ask(application)).status == 500


# send: whose turn it is.

PREFIXES: dict[str, list[Message]] = {
    "before the start": [],
    "before the body": [start()],
    "within the body": [start(), body(b"a", more_body=True)],
    "before the trailers": [start(trailers=True), body(b"a")],
    "after the end": [start(), body(b"a")],
    "after the trailers": [
        start(trailers=True),
        body(b"a"),
        {"type": "http.response.trailers"},
    ],
}
KINDS = [
    "http.response.start",
    "http.response.body",
    "http.response.early_hint",
    "http.response.trailers",
    "http.response.pathsend",
    "http.response.zerocopysend",
    "http.response.debug",
    "http.response.push",
    "websocket.accept",
    None,
]
MAY_FOLLOW = {
    "before the start": {0, 2, 6},
    "before the body": {1, 2, 4, 5},
    "within the body": {1, 2, 5},
    "before the trailers": {3},
    "after the end": set(range(len(KINDS))),
    "after the trailers": set(range(len(KINDS))),
}


@pytest.mark.parametrize("state", PREFIXES)
@pytest.mark.parametrize("number", range(len(KINDS)))
async def test_every_message_in_every_state(state: str, number: int, tmp_path: Path) -> None:
    """What isn't in the table is an error that names what is; after the end all is ignored."""
    file = tmp_path / "file"
    file.write_bytes(b"content")
    app = await Recorder().called_by(GET)
    for message in PREFIXES[state]:
        await app.send(message)
    with file.open("rb") as opened:
        message = {"type": KINDS[number], "status": 200, "path": str(file), "file": opened}
        if number in MAY_FOLLOW[state]:
            await app.send(message)
            return
        with pytest.raises(InvalidUse) as caught:
            await app.send(message)
    first = KINDS[min(MAY_FOLLOW[state])]
    assert caught.value.message.startswith(f"expected one of {first}")
    assert caught.value.message.endswith(f"the application sent {KINDS[number]!r}")


async def test_what_follows_the_end_is_ignored_with_a_warning(caplog: Any) -> None:
    """The specification says that it is ignored; who looks for the bug finds it in the log."""
    client = Client(answer_with(start(), body(b"hi"), start(500), body(b"more")))
    client.send(GET)
    answer = await client.answer()
    assert (answer.status, answer.content) == (200, b"hi")
    assert [record.getMessage() for record in caplog.records] == [
        "GET '/path': the application sent 'http.response.start' after its response was complete"
    ]


async def test_every_short_dialogue_ends_well() -> None:
    """Whatever is sent in whatever order, the client gets one whole response, or is cut."""
    choices = [start(), start(trailers=True), body(b"a", more_body=True), body(b"b"), *EXTRAS]
    for length in (1, 2, 3, 4):
        for messages in itertools.product(choices, repeat=length):
            client = Client(answer_with(*messages))
            client.send(GET)
            await client.until(lambda client=client: not client.service.tasks)  # type: ignore[misc]
            written = client.transport.written
            assert written.count(b"HTTP/1.1 ") == 1, messages
            assert client.transport.is_aborted or (await client.answer()).status in {200, 500}


EXTRAS: list[Message] = [{"type": "http.response.trailers", "headers": [(b"x", b"1")]}]


# Extensions.


async def test_early_hints_are_sent_at_once() -> None:
    """They leave before the response, one 103 for each message, with a field for each link."""
    app = await Recorder().called_by(GET)
    hint: Message = {"type": "http.response.early_hint", "links": [b"</a>", b"</b>"]}
    await app.send(hint)
    await app.send(start())
    await app.send({**hint, "links": [b"</c>"]})
    assert app.client.transport.written == (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nLink: </c>\r\n\r\n"
    )
    await app.send(body(b"a", more_body=True))
    app.client.transport.take()
    await app.send(hint)  # too late: a server may ignore it
    assert app.client.transport.written == b""


async def test_early_hints_are_not_for_old_clients() -> None:
    """HTTP/1.0 knows no informational responses (RFC 9110, section 15.2)."""
    hint: Message = {"type": "http.response.early_hint", "links": [b"</a>"]}
    client = Client(answer_with(hint, start(), body()))
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    assert (await client.answer()).status == 200


def trailers(*headers: tuple[bytes, bytes], more: bool = False) -> Message:
    """Return a message with trailers."""
    return {"type": "http.response.trailers", "headers": headers, "more_trailers": more}


WANTS_TRAILERS = GET.replace(b"\r\n\r\n", b"\r\nTE: trailers\r\nConnection: TE\r\n\r\n")


@pytest.mark.parametrize("content", [b"", b"a"])
async def test_trailers_are_sent(content: bytes) -> None:
    """The response waits for them, and they may come in several messages."""
    app = await Recorder().called_by(WANTS_TRAILERS)
    await app.send(start(200, (b"trailer", b"x-a, x-b"), trailers=True))
    await app.send(body(content))
    await app.send(trailers((b"x-a", b"1"), more=True))
    assert not app.client.transport.written.endswith(b"0\r\n\r\n")
    await app.send(trailers((b"x-b", b"2")))
    assert app.client.transport.written.endswith(b"0\r\nx-a: 1\r\nx-b: 2\r\n\r\n")
    assert b"\r\ntrailer: x-a, x-b\r\n" in app.client.transport.written


async def test_trailers_are_for_who_wants_them() -> None:
    """Without ``TE: trailers`` in the request they are dropped (RFC 9110, section 6.5.1)."""
    client = Client(answer_with(start(trailers=True), body(b"a"), trailers((b"x", b"1"))))
    client.send(GET)
    await client.answer()
    assert client.transport.written.endswith(b"1\r\na\r\n0\r\n\r\n")


async def test_trailers_that_are_missing_cut_the_response() -> None:
    """A response that promised them isn't complete."""
    client = Client(answer_with(start(trailers=True), body(b"a")))
    client.send(WANTS_TRAILERS)
    await client.until(lambda: client.transport.is_aborted)


async def test_path_is_sent(tmp_path: Path) -> None:
    """The file is the whole body; its length is told, if the application didn't."""
    file = tmp_path / "file"
    file.write_bytes(b"x" * 100_000)
    message: Message = {"type": "http.response.pathsend", "path": str(file)}
    answer = await ask(answer_with(start(), message))
    assert (answer.fields["Content-Length"], answer.content) == ("100000", b"x" * 100_000)
    answer = await ask(answer_with(start(200, (b"content-length", b"10")), message))
    assert (answer.fields["Content-Length"], answer.content) == ("10", b"x" * 10)
    answer = await ask(answer_with(start(), message), HEAD)
    assert (answer.fields["Content-Length"], answer.content) == ("100000", b"")


async def test_path_that_is_no_file_is_a_500(tmp_path: Path, caplog: Any) -> None:
    """Missing, a folder, or a pipe, which nobody waits for: nothing of the response has left."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (str(tmp_path / "missing"), str(tmp_path), str(pipe), None):
        app = answer_with(start(), {"type": "http.response.pathsend", "path": path})
        assert (await ask(app)).status == 500
    assert "expected a regular file to send, got " in caplog.text
    assert "expected the path of a file, got None" in caplog.text


async def test_path_that_is_no_file_leaves_nothing_open(tmp_path: Path) -> None:
    """Who sends a folder again and again runs out of descriptors otherwise."""
    app = await Recorder().called_by(GET)
    await app.send(start())
    free: list[int] = []
    for _ in range(2):
        free.append(os.open(os.devnull, os.O_RDONLY))
        os.close(free[-1])
        with pytest.raises(OSError, match="expected a regular file"):
            await app.send({"type": "http.response.pathsend", "path": str(tmp_path)})
    assert free[0] == free[1]


async def test_open_file_is_sent_in_parts(tmp_path: Path) -> None:
    """By offset and count, or from where it stands to its end, mixed with other content."""
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    send_file: Message = {"type": "http.response.zerocopysend", "more_body": True}
    with file.open("rb") as opened:
        app = answer_with(
            start(),
            {**send_file, "file": opened, "offset": 2, "count": 3},
            body(b"-", more_body=True),
            {**send_file, "file": opened, "count": 1},
            {**send_file, "file": opened},
            {**send_file, "file": opened, "offset": 0, "count": 1, "more_body": False},
        )
        assert (await ask(app)).content == b"234-567890"


async def test_open_file_may_be_the_whole_body(tmp_path: Path) -> None:
    """Then its length is told: what needs no chunks can be sent by the kernel."""
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    with file.open("rb") as opened:
        message: Message = {"type": "http.response.zerocopysend", "file": opened}
        answer = await ask(answer_with(start(), message))
    assert (answer.fields["Content-Length"], answer.content) == ("10", b"0123456789")


async def test_file_without_a_descriptor_is_refused() -> None:
    """Neither a name nor a number is an open file."""
    app = await Recorder().called_by(GET)
    await app.send(start())
    for file in ("/etc/hosts", 3, None):
        with pytest.raises(InvalidUse, match="expected an open file with a descriptor, got"):
            await app.send({"type": "http.response.zerocopysend", "file": file})


async def test_debug_is_offered_where_it_is_logged(
    caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extension isn't for production, says its specification."""
    scopes: list[Scope] = []
    message: Message = {"type": "http.response.debug", "info": {"template": "a.html"}}

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await send(message)
        await send(start())
        await send(body())

    await ask(application)
    assert "http.response.debug" not in scopes[0]["extensions"]
    assert caplog.records == []
    caplog.set_level(logging.DEBUG, "test.asgi")
    await ask(application)
    assert scopes[1]["extensions"]["http.response.debug"] == {}
    assert caplog.messages == ["GET '/path': {'template': 'a.html'}"]
