"""WSGI applications behind a connection: PEP 3333 and its odd corners, on the wire."""

from __future__ import annotations

import asyncio
import gc
import gzip
import io
import os
import socket
import sys
import tempfile
import threading
import weakref
from collections.abc import AsyncIterator, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication
from wsgiref.validate import validator

import pytest

from aiohttp.protocol import InvalidHeader, InvalidUse, ServerHttpProtocol
from aiohttp.worker.wsgi.application import READ_FIRST
from aiohttp.worker.wsgi.environ import Environ
from wsgi_client import (
    GET,
    HEAD,
    PATIENCE,
    PLAIN,
    Adapter,
    Answer,
    echo,
    hello,
    post,
    until,
)


class Body:
    """An application, and its iterable, which notes its end and may fail on its way."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces
        self.closes = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def close(self) -> None:
        """Count the call."""
        self.closes += 1

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        return self


# The response.


async def test_no_task_waits_for_a_whole_answer(wsgi: Adapter) -> None:
    """It is sent when it comes."""
    begun, go_on = threading.Event(), threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        begun.set()
        go_on.wait(PATIENCE)
        return hello(environ, start_response)

    client = await wsgi.connect(application)
    client.send(GET)
    await until(begun.is_set)
    assert client.service.exchanges
    assert not client.service.tasks
    go_on.set()
    assert (await client.answer()).content == b"hello"


async def test_large_answer_waits_for_its_reader(wsgi: Adapter) -> None:
    """In a task, which sends it in pieces."""
    content = b"x" * 1_000_000

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", PLAIN)
        return [content]

    client = await wsgi.connect(application)
    client.transport.hold()
    client.send(GET)
    await until(lambda: bool(client.service.tasks))
    assert len(client.transport.written) < len(content) / 2
    client.transport.release()
    assert (await client.answer()).content == content


async def test_thread_is_told_when_its_coroutine_never_began(wsgi: Adapter) -> None:
    """Where tasks begin later, one can be cancelled before its first step."""
    told = threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        try:
            yield b"x" * 1_000_000
        finally:
            told.set()

    def begin_later(
        loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> asyncio.Task[Any]:
        return asyncio.Task(coroutine, loop=loop)

    loop = asyncio.get_running_loop()
    loop.set_task_factory(begin_later)
    client = await wsgi.connect(application)
    client.send(GET)
    start = client.service.start_task

    def start_and_lose(coroutine: Any) -> asyncio.Task[None]:
        client.transport.lose()
        return start(coroutine)

    client.service.start_task = start_and_lose
    await until(told.is_set)


async def test_list_of_one_is_one_write(wsgi: Adapter) -> None:
    """A list of one short chunk is one write, with its length."""
    client = await wsgi.connect(hello)
    client.send(GET)
    answer = await client.answer()
    assert len(client.transport.writes) == 1
    assert (answer.status, answer.reason, answer.content) == (200, "OK", b"hello")
    assert answer.fields["Content-Type"] == "text/plain"
    assert answer.fields["Content-Length"] == "5"


async def test_valid_by_wsgiref(wsgi: Adapter) -> None:
    """wsgiref.validate finds nothing wrong with the environ, the input and the calls."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        content = environ["wsgi.input"].read(5) + environ["wsgi.input"].readline(100)
        environ["wsgi.errors"].write("note\n")
        start_response("200 OK", [*PLAIN, ("Content-Length", str(len(content)))])
        return [content]

    request = post("Content-Length: 12", content=b"hello, world")
    answer = await wsgi.ask(validator(application), request)
    assert (answer.status, answer.content) == (200, b"hello, world")


async def test_short_list_is_joined(wsgi: Adapter) -> None:
    """A short list of several chunks leaves as one, and keeps their order."""

    def application(environ: Environ, start_response: StartResponse) -> tuple[bytes, ...]:
        start_response("200 OK", PLAIN)
        return (b"a", b"", b"b")

    answer = await wsgi.ask(application)
    assert (answer.fields["Content-Length"], answer.content) == ("2", b"ab")


async def test_long_list_flows(wsgi: Adapter) -> None:
    """A long list isn't joined to one copy of everything."""
    piece = b"x" * 40_000

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", PLAIN)
        return [piece] * 5

    answer = await wsgi.ask(application)
    assert answer.fields["Transfer-Encoding"] == "chunked"
    assert answer.content == piece * 5


async def test_long_list_of_one_has_a_length(wsgi: Adapter) -> None:
    """One chunk needs no joining, however long it is."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", PLAIN)
        return [b"x" * 100_000]

    answer = await wsgi.ask(application)
    assert (answer.fields["Content-Length"], len(answer.content)) == ("100000", 100_000)


async def test_iterable_flows(wsgi: Adapter) -> None:
    """Chunks of unknown number leave in chunked framing; close() is called once."""
    body = Body(b"a", b"", b"b")
    answer = await wsgi.ask(body)
    assert answer.fields["Transfer-Encoding"] == "chunked"
    assert answer.content == b"ab"
    assert body.closes == 1


async def test_iterator_needs_no_close(wsgi: Adapter, caplog: pytest.LogCaptureFixture) -> None:
    """What has no close() isn't closed."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        return iter([b"a", b"b"])

    assert (await wsgi.ask(application)).content == b"ab"
    assert caplog.records == []


async def test_chunk_is_not_held_back(wsgi: Adapter) -> None:
    """A chunk is sent while the application still makes the next one (PEP 3333)."""
    go_on = threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"first"
        go_on.wait(PATIENCE)
        yield b"second"

    client = await wsgi.connect(application)
    client.send(GET)
    await client.has(b"first")
    assert b"second" not in client.transport.written
    go_on.set()
    assert (await client.answer()).content == b"firstsecond"


async def test_chunk_of_the_announced_length_is_all(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """An iterable whose first chunk has the announced length leaves as one write."""

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "5")])
        yield b"hello"

    client = await wsgi.connect(application)
    client.send(GET)
    assert (await client.answer()).content == b"hello"
    assert len(client.transport.writes) == 1
    assert caplog.records == []


async def test_empty_body(wsgi: Adapter) -> None:
    """An answer without chunks has a length of 0."""
    answer = await wsgi.ask(Body())
    assert (answer.fields["Content-Length"], answer.content) == ("0", b"")


async def test_head(wsgi: Adapter) -> None:
    """HEAD has the fields of GET and no content, whatever the application returns."""
    client = await wsgi.connect(hello)
    client.send(HEAD)
    assert (await client.answer()).fields["Content-Length"] == "5"
    assert client.transport.written.endswith(b"\r\n\r\n")


async def test_head_without_body_claims_no_length(wsgi: Adapter) -> None:
    """An empty answer to HEAD doesn't claim that GET is empty (RFC 9110, section 8.6)."""
    answer = await wsgi.ask(Body(), HEAD)
    assert (answer.status, answer.fields["Content-Length"]) == (200, None)


async def test_head_whose_environ_was_changed(wsgi: Adapter) -> None:
    """The environ is the application's to change (PEP 3333): HEAD stays HEAD to the server."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        environ.clear()
        start_response("200 OK", PLAIN)
        return []

    answer = await wsgi.ask(application, HEAD)
    assert (answer.status, answer.fields["Content-Length"]) == (200, None)


async def test_head_with_length(wsgi: Adapter) -> None:
    """The length that the application tells for HEAD goes out without content."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "5")])
        return []

    assert (await wsgi.ask(application, HEAD)).fields["Content-Length"] == "5"


async def test_write(wsgi: Adapter) -> None:
    """What write() is given goes before what the application returns (PEP 3333)."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        write = start_response("200 OK", PLAIN)
        write(b"a")
        write(b"b")
        return [b"c"]

    assert (await wsgi.ask(application)).content == b"abc"


async def test_start_response_with_the_first_chunk(wsgi: Adapter) -> None:
    """A generator may call start_response as late as before its first chunk."""

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        yield b""
        start_response("404 Not Here", PLAIN)
        yield b"gone"

    answer = await wsgi.ask(application)
    assert (answer.status, answer.reason, answer.content) == (404, "Not Here", b"gone")


async def test_hop_by_hop_fields_are_dropped(wsgi: Adapter) -> None:
    """What belongs to the connection isn't the application's to say (RFC 9110, section 7.6.1)."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Connection", "x"), ("transfer-encoding", "gzip"), *PLAIN])
        return [b"a"]

    answer = await wsgi.ask(application)
    assert (answer.status, answer.fields["Transfer-Encoding"]) == (200, None)
    assert answer.fields["Connection"] == "keep-alive"


async def test_white_space_around_a_value_is_none_of_it(wsgi: Adapter) -> None:
    """White space around a value isn't sent (RFC 9110, section 5.5), and does no harm."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("X-It", " a b\t"), ("Content-Length", " 1")])
        return [b"a"]

    client = await wsgi.connect(application)
    client.send(GET)
    await client.answer()
    assert b"\r\nX-It: a b\r\n" in client.transport.written
    assert b"\r\nContent-Length: 1\r\n" in client.transport.written


async def test_start_response_by_names(wsgi: Adapter) -> None:
    """The arguments of start_response have the names that PEP 3333 gives them."""

    def application(environ: Environ, start_response: Any) -> list[bytes]:
        start_response(status="200 OK", response_headers=PLAIN, exc_info=None)
        return [b"hello"]

    assert (await wsgi.ask(application)).content == b"hello"


async def test_status_that_is_no_answer_is_refused(wsgi: Adapter) -> None:
    """An informational status never passes for the response."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("102 Processing", PLAIN)
        return [b"a"]

    assert (await wsgi.ask(application)).status == 500


async def test_list_with_close(wsgi: Adapter) -> None:
    """A list that has to be closed is, once, behind its content."""
    closed: list[str] = []

    class Closing(list[bytes]):
        def close(self) -> None:
            closed.append("closed")

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", PLAIN)
        return Closing([b"a", b"b"])

    assert (await wsgi.ask(application)).content == b"ab"
    assert closed == ["closed"]


async def test_class_is_an_application(wsgi: Adapter) -> None:
    """PEP 3333's AppClass: calling it makes the answer, whose close() is called."""
    made: list[AppClass] = []

    class AppClass:
        def __init__(self, environ: Environ, start_response: StartResponse) -> None:
            self.start_response = start_response
            self.is_closed = False
            made.append(self)

        def __iter__(self) -> Iterator[bytes]:
            self.start_response("200 OK", PLAIN)
            yield b"a"

        def close(self) -> None:
            self.is_closed = True

    client = await wsgi.connect(AppClass)
    client.send(GET)
    assert (await client.answer()).content == b"a"
    await client.application.cleanup()
    assert [each.is_closed for each in made] == [True]


# Early hints.


def hints(*fields: Any) -> WSGIApplication:
    """Return an application that gives these hints, and the same again when it is too late."""

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        environ["wsgi.early_hints"](list(fields))
        start_response("200 OK", PLAIN)
        yield b"a"
        environ["wsgi.early_hints"](list(fields))

    return application


async def test_early_hints(wsgi: Adapter) -> None:
    """Early hints go out as 103 before the response, and are dropped after its beginning."""
    client = await wsgi.connect(hints(("Link", "</a.css>; rel=preload"), (b"X", b"1")))
    client.send(GET)
    await client.answer()
    head = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX: 1\r\n\r\nHTTP/1.1 200 OK"
    assert client.transport.written.startswith(head)
    assert client.transport.written.count(b"103 Early Hints") == 1


async def test_early_hints_without_what_frames(wsgi: Adapter) -> None:
    """Fields of the connection, or of the content, are no hints."""
    client = await wsgi.connect(hints(("Content-Length", "1"), ("Connection", "close")))
    client.send(GET)
    await client.answer()
    assert client.transport.written.startswith(b"HTTP/1.1 103 Early Hints\r\n\r\n")


async def test_early_hints_for_an_old_client(wsgi: Adapter) -> None:
    """HTTP/1.0 knows no informational responses (RFC 9110, section 15.2)."""
    client = await wsgi.connect(hints(("Link", "</a.css>")))
    client.send(b"GET /path HTTP/1.0\r\n\r\n")
    await client.answer()
    assert client.transport.written.startswith(b"HTTP/1.1 200 OK")


async def test_early_hints_that_can_not_be_sent(wsgi: Adapter) -> None:
    """A hint that would end its line is an error of the call that gave it."""
    assert (await wsgi.ask(hints(("X", "1\r\nSet-Cookie: a=b")))).status == 500


# Applications that break the rules, or fail.


async def test_exc_info_replaces_the_headers(wsgi: Adapter) -> None:
    """An error before the first chunk may start another response: nothing of the first stays."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("X-First", "1"), ("Content-Length", "100")])
        try:
            raise KeyError("lost")
        except KeyError:
            start_response("500 Oops", PLAIN, sys.exc_info())
        return [b"sorry"]

    answer = await wsgi.ask(application)
    assert (answer.status, answer.reason, answer.content) == (500, "Oops", b"sorry")
    assert "X-First" not in answer.fields


async def test_exc_info_without_an_exception_is_none(wsgi: Adapter) -> None:
    """What sys.exc_info() gives where nothing was raised makes no second start of a response."""

    def application(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", PLAIN, sys.exc_info())
        with pytest.raises(InvalidUse, match="called again without exc_info"):
            start_response("200 OK", PLAIN, sys.exc_info())
        return [b"hello"]

    assert (await wsgi.ask(application)).content == b"hello"


async def test_exc_info_after_the_first_chunk_raises(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """An error after the first chunk comes back to the application, and cuts the response."""
    seen: list[str] = []

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"first"
        try:
            try:
                raise KeyError("lost")
            except KeyError:
                start_response("500 Oops", PLAIN, sys.exc_info())
        except KeyError as exc:
            seen.append(str(exc))
            raise

    client = await wsgi.connect(application)
    client.send(GET)
    await until(lambda: client.transport.is_aborted)
    assert client.transport.written.endswith(b"first\r\n")
    assert seen == ["'lost'"]
    assert "KeyError: 'lost'" in caplog.text


def never_starts(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer without start_response."""
    return [b"body"]


def never_starts_nor_answers(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer with nothing."""
    return []


def starts_twice(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Call start_response again without an error."""
    start_response("200 OK", PLAIN)
    start_response("200 OK", PLAIN)
    return []


def raises(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Fail."""
    raise RuntimeError("out of order")


def exits(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Exit, which would end the worker on its loop."""
    sys.exit("out")


def answers_text(environ: Environ, start_response: StartResponse) -> Iterator[Any]:
    """Yield text."""
    start_response("200 OK", PLAIN)
    yield "text"


def lists_text(environ: Environ, start_response: StartResponse) -> list[Any]:
    """Return text."""
    start_response("200 OK", PLAIN)
    return ["text"]


def answers_bytes(environ: Environ, start_response: StartResponse) -> Any:
    """Return bytes, which can be iterated over: by numbers."""
    start_response("200 OK", PLAIN)
    return b"text"


def starts_with_a_dict(environ: Environ, start_response: Any) -> list[bytes]:
    """Give a mapping for a list of pairs."""
    start_response("200 OK", dict(PLAIN))
    return []


def answers_nothing(environ: Environ, start_response: StartResponse) -> Any:
    """Return None."""
    start_response("200 OK", PLAIN)


def splits_the_response(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Let a line end into a header."""
    start_response("200 OK", [("X", "1\r\nSet-Cookie: a=b")])
    return [b"body"]


def splits_the_streamed_response(
    environ: Environ, start_response: StartResponse
) -> Iterator[bytes]:
    """Let a line end into the status."""
    start_response("200 OK\r\nSet-Cookie: a=b", PLAIN)
    yield b"body"


@pytest.mark.parametrize(
    ("application", "message"),
    [
        (never_starts, "without calling start_response"),
        (never_starts_nor_answers, "without calling start_response"),
        (starts_twice, "called again without exc_info"),
        (raises, "out of order"),
        (exits, "the application raised SystemExit('out')"),
        (answers_text, "expected a body of bytes, not of str"),
        (lists_text, "expected a bytes-like object, str found"),
        (answers_bytes, "not of int: return a list of bytes, not bytes"),
        (starts_with_a_dict, "expected a header of two str, not 'Content-Type'"),
        (answers_nothing, "'NoneType' object is not iterable"),
        (splits_the_response, "LocalProtocolError"),
        (splits_the_streamed_response, "LocalProtocolError"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_faulty_application_is_500(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture, application: WSGIApplication, message: str
) -> None:
    """An application that breaks the rules is a 500, and logged once with its request."""
    answer = await wsgi.ask(application)
    assert answer.status == 500
    assert "Set-Cookie" not in answer.fields
    assert len(caplog.records) == 1
    assert "/path" in caplog.text
    assert message in caplog.text


@pytest.mark.parametrize(
    "status", [200, "OK", "20 OK", "2000 OK", "\u0662\u0660\u0660 OK", b"200 OK", ""]
)
async def test_status_that_is_none_is_500(wsgi: Adapter, status: Any) -> None:
    """A status is a str of three ASCII digits and a reason."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response(status, PLAIN)
        return []

    assert (await wsgi.ask(application)).status == 500


@pytest.mark.parametrize(
    "field",
    [("X", 1), (b"X", "1"), ("Content-Length", "-1"), ("Content-Length", "\u0661"), "X: 1"],
    ids=str,
)
async def test_header_that_is_none_is_500(wsgi: Adapter, field: Any) -> None:
    """A header is a pair of str, and Content-Length a number."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [field])
        return []

    assert (await wsgi.ask(application)).status == 500


@pytest.mark.parametrize(
    ("status", "field", "message"),
    [
        ("nonsense", ("X", "1"), "expected a status such as '200 OK', not 'nonsense'"),
        ("099 Low", ("X", "1"), "a final response, 200 to 999, not '099 Low'"),
        ("103 Early Hints", ("X", "1"), "a final response, 200 to 999, not '103 Early Hints'"),
        ("200 O\nK", ("X", "1"), "in a reason phrase"),
        ("200 OK", ("X Y", "1"), "a field name must be a token"),
        ("200 OK", ("X", "1\n2"), "control character"),
        ("200 OK", ("Content-Length", "-1"), "one Content-Length in digits, not '-1'"),
    ],
)
async def test_start_is_refused_when_it_is_called(
    wsgi: Adapter, status: str, field: tuple[str, str], message: str
) -> None:
    """What can't be sent is an error of start_response (PEP 3333), and has started nothing."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        with pytest.raises(ValueError, match=message):
            start_response(status, [field])
        return hello(environ, start_response)

    assert (await wsgi.ask(application)).status == 200


async def test_two_lengths_are_refused(wsgi: Adapter) -> None:
    """A response has one length; the same one twice is sent once."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        with pytest.raises(ValueError, match="expected one Content-Length in digits, not '1, 5'"):
            start_response("200 OK", [("Content-Length", "5"), ("content-length", "1")])
        start_response("200 OK", [("Content-Length", "5"), ("content-length", "5")])
        return [b"hello"]

    answer = await wsgi.ask(application)
    assert answer.fields.get_all("Content-Length") == ["5"]


async def test_error_of_another_peer_is_not_our_clients(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """An application whose own upstream breaks the protocol is a 500, not a 400."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        raise InvalidHeader("from upstream")

    assert (await wsgi.ask(application)).status == 500
    assert "from upstream\n\nThe above exception was the direct cause" in caplog.text


async def test_body_beyond_its_length(wsgi: Adapter, caplog: pytest.LogCaptureFixture) -> None:
    """What an application yields beyond its Content-Length isn't sent, and logged."""

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "1")])
        yield b"a"
        yield b"b"

    client = await wsgi.connect(application)
    client.send(GET)
    assert (await client.answer()).content == b"a"
    assert client.transport.written.endswith(b"\r\n\r\na")
    assert "expected no more body, got 1 bytes after its end" in caplog.text


async def test_body_short_of_its_length_is_cut(wsgi: Adapter) -> None:
    """A response that is shorter than announced doesn't pass for a whole."""

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "3")])
        yield b"a"

    client = await wsgi.connect(application)
    client.send(GET)
    await until(lambda: client.transport.is_aborted)
    assert client.transport.written.endswith(b"\r\n\r\na")


# The call of close().


async def test_close_after_an_error_in_the_body(wsgi: Adapter) -> None:
    """close() is called when the iteration fails, and the response is cut."""
    body = Body(b"a", RuntimeError("half way"))
    client = await wsgi.connect(body)
    client.send(GET)
    await until(lambda: client.transport.is_aborted)
    assert body.closes == 1


async def test_close_without_start_response(wsgi: Adapter) -> None:
    """close() is called when the answer can't be sent at all."""
    body = Body(b"a")

    def application(environ: Environ, start_response: StartResponse) -> Body:
        return body

    answer = await wsgi.ask(application)
    assert (answer.status, body.closes) == (500, 1)


async def test_close_comes_after_the_whole_answer(wsgi: Adapter) -> None:
    """The client has its answer before close() does what it does."""
    go_on = threading.Event()

    class Closing(Body):
        def close(self) -> None:
            go_on.wait(PATIENCE)
            super().close()

    body = Closing(b"body")
    client = await wsgi.connect(body)
    client.send(GET)
    await client.has(b"body\r\n0\r\n\r\n")
    assert body.closes == 0
    go_on.set()
    await until(lambda: body.closes == 1)


async def test_write_in_close_is_an_error(wsgi: Adapter, caplog: pytest.LogCaptureFixture) -> None:
    """When close() is called the response is complete: nothing can be written any more."""

    class Writing(Body):
        def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            self.write = start_response("200 OK", PLAIN)
            return self

        def close(self) -> None:
            self.write(b"late")

    answer = await wsgi.ask(Writing(b"body"))
    assert answer.content == b"body"
    assert "expected no more body, got 4 bytes after its end" in caplog.text


async def test_error_in_close_is_logged(wsgi: Adapter, caplog: pytest.LogCaptureFixture) -> None:
    """An error in close() can't hurt the answer any more, but isn't lost."""

    class Failing(Body):
        def close(self) -> None:
            raise RuntimeError("can't close")

    answer = await wsgi.ask(Failing(b"body"))
    assert answer.content == b"body"
    assert "can't close" in caplog.text


async def test_client_that_goes_ends_the_iteration(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """When the client goes, the iteration ends at its next chunk, and is closed: no error."""
    gone = threading.Event()

    class Endless(Body):
        def __iter__(self) -> Iterator[bytes]:
            yield b"first"
            gone.wait(PATIENCE)
            while True:
                yield b"next"

    body = Endless()
    client = await wsgi.connect(body)
    client.send(GET)
    await client.has(b"first")
    client.transport.lose()
    await until(lambda: not client.service.connections and not client.service.tasks)
    gone.set()
    await until(lambda: body.closes == 1)
    await wsgi.pools[0].stop()
    assert caplog.records == []


async def test_client_that_stops_reading_and_goes(wsgi: Adapter) -> None:
    """A thread that waits for a client to read is freed when the client goes."""
    body = Body(*[b"x" * 10_000] * 1000)
    client = await wsgi.connect(body)
    client.transport.hold()
    client.send(GET)
    await client.has(b"xxxxx")
    client.transport.lose()
    await until(lambda: body.closes == 1)


async def test_write_after_the_client_went_raises(wsgi: Adapter) -> None:
    """write() tells the application that its client has gone, as an OSError."""
    begun, gone, told = threading.Event(), threading.Event(), threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        write = start_response("200 OK", PLAIN)
        begun.set()
        gone.wait(PATIENCE)
        with pytest.raises(ConnectionError, match="the client has gone"):
            write(b"a")
        told.set()
        return []

    client = await wsgi.connect(application)
    client.send(GET)
    await until(begun.is_set)
    client.transport.lose()
    await until(lambda: not client.service.connections and not client.service.tasks)
    gone.set()
    await until(told.is_set)


async def test_client_that_goes_before_its_turn_is_not_worked_for(wsgi: Adapter) -> None:
    """A request whose client went while all threads were busy never reaches the application."""
    paths: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        paths.append(environ["PATH_INFO"])
        begun.set()
        go_on.wait(PATIENCE)
        return hello(environ, start_response)

    first = await wsgi.connect(application, threads=1)
    first.send(GET.replace(b"/path", b"/first"))
    await until(begun.is_set)
    second = first.another()
    second.send(GET.replace(b"/path", b"/second"))
    for _ in range(5):
        await asyncio.sleep(0)
    second.transport.lose()
    await until(lambda: not second.service.connections)
    go_on.set()
    await first.answer()
    await wsgi.pools[0].stop()
    assert paths == ["/first"]


async def test_client_that_goes_before_its_turn_is_not_kept(wsgi: Adapter) -> None:
    """However many come and go while all threads are busy, they don't fill the memory."""
    begun, go_on = threading.Event(), threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        begun.set()
        go_on.wait(PATIENCE)
        return hello(environ, start_response)

    first = await wsgi.connect(application, threads=1)
    first.send(GET)
    await until(begun.is_set)
    clients = [first.another()]
    clients[0].send(GET)
    kept = weakref.ref(clients[0].service.exchanges[0])
    await asyncio.sleep(0)
    clients.pop().transport.lose()
    for _ in range(10):
        await asyncio.sleep(0)
    gc.collect()
    assert kept() is None
    go_on.set()
    await first.answer()


async def test_error_after_the_client_went_is_logged(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """An application that fails when nobody waits any more still has its error in the log."""
    begun, gone = threading.Event(), threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        begun.set()
        gone.wait(PATIENCE)
        raise RuntimeError("too late")

    client = await wsgi.connect(application)
    client.send(GET)
    await until(begun.is_set)
    client.transport.lose()
    await until(lambda: not client.service.connections and not client.service.tasks)
    gone.set()
    await until(lambda: "too late" in caplog.text)
    assert "error after the client of GET '/path' went" in caplog.text


async def test_error_behind_a_write_that_waits_is_logged(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that stands behind a chunk for a slow client isn't lost when the client goes."""
    client = await wsgi.connect(Body(b"x" * 65_500, RuntimeError("out of order")))
    client.transport.hold()
    client.send(GET)
    await client.has(b"xxxxx")
    await wsgi.pools[0].stop()  # the thread has ended, the write waits
    assert caplog.records == []
    client.transport.lose()
    await until(lambda: not client.service.tasks)
    assert "out of order" in caplog.text
    assert len(caplog.records) == 1


# The application's own close().


class Closable:
    """An application that has to be closed, and notes in which thread it was."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.threads: list[str] = []
        self.error = error

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        return hello(environ, start_response)

    def close(self) -> None:
        """Note the thread, and fail if that is to be."""
        self.threads.append(threading.current_thread().name)
        if self.error is not None:
            raise self.error


async def test_application_is_closed_in_a_thread(wsgi: Adapter) -> None:
    """Its close() may block: it is called once, off the loop."""
    application = Closable()
    client = await wsgi.connect(application)
    await client.application.cleanup()
    assert application.threads == ["wsgi-call"]


async def test_application_is_closed_although_all_threads_block(wsgi: Adapter) -> None:
    """It isn't kept waiting by requests that never end."""
    begun, go_on = threading.Event(), threading.Event()

    class Blocking(Closable):
        def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
            begun.set()
            go_on.wait(PATIENCE)
            return super().__call__(environ, start_response)

    application = Blocking()
    client = await wsgi.connect(application, threads=1)
    client.send(GET)
    await until(begun.is_set)
    await client.application.cleanup()
    go_on.set()
    await client.answer()
    assert application.threads == ["wsgi-call"]


@pytest.mark.parametrize("error", [ValueError("can't"), SystemExit("can't")], ids=repr)
async def test_application_that_can_not_be_closed(wsgi: Adapter, error: BaseException) -> None:
    """What close() raises is cleanup's error, and never ends the loop."""
    client = await wsgi.connect(Closable(error))
    with pytest.raises((ValueError, RuntimeError), match="can't"):
        await client.application.cleanup()


async def test_application_is_closed_by_a_coroutine(wsgi: Adapter) -> None:
    """An asynchronous close() is awaited on the loop, however it is made."""
    closed: list[str] = []

    async def close() -> None:
        closed.append(threading.current_thread().name)

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        return hello(environ, start_response)

    for each in (close, partial(close)):
        application.close = each  # type: ignore[attr-defined]
        client = await wsgi.connect(application)
        await client.application.cleanup()
    assert closed == [threading.main_thread().name] * 2


# Backpressure.


async def test_application_waits_for_a_slow_reader(wsgi: Adapter) -> None:
    """While the client reads nothing, the application gets 64 KiB ahead of the connection."""
    made: list[int] = []

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        for number in range(1000):
            made.append(number)
            yield b"x" * 10_000

    client = await wsgi.connect(application)
    client.transport.hold()
    client.send(GET)
    await until(lambda: len(made) >= 7)
    for _ in range(1000):
        await asyncio.sleep(0)
    # A buffer of the transport, one write that waits at its gate, and what is ahead of it.
    assert len(made) < 50
    client.transport.release()
    assert len((await client.answer()).content) == 10_000_000


async def test_small_chunks_leave_together(wsgi: Adapter) -> None:
    """Chunks that come faster than the loop turns are joined to one write."""
    body = Body(*[b"x"] * 1000)
    client = await wsgi.connect(body)
    client.send(GET)
    assert (await client.answer()).content == b"x" * 1000
    assert len(client.transport.writes) < 1000


# The request's content.


async def test_no_content(wsgi: Adapter) -> None:
    """A request without content has an input that is at its end."""
    assert (await wsgi.ask(echo)).content == b""


async def test_small_content_comes_before_the_application_starts(wsgi: Adapter) -> None:
    """No thread is taken while a small body is on its way."""
    started = threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        started.set()
        return echo(environ, start_response)

    client = await wsgi.connect(application)
    client.send(post("Content-Length: 6", content=b"abc"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not started.is_set()
    client.send(b"def")
    assert (await client.answer()).content == b"abcdef"


async def test_small_chunked_content_comes_before_the_application_starts(wsgi: Adapter) -> None:
    """Nor for one whose length isn't known: so much is read, then the application starts."""
    started = threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        started.set()
        return echo(environ, start_response)

    client = await wsgi.connect(application)
    client.send(post("Transfer-Encoding: chunked", content=b"3\r\nabc\r\n"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not started.is_set()
    client.send(b"3\r\ndef\r\n0\r\n\r\n")
    assert (await client.answer()).content == b"abcdef"


async def test_large_chunked_content_streams(wsgi: Adapter) -> None:
    """What was read first and what comes later are one body to the application."""
    reading = threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        reading.set()
        return echo(environ, start_response)

    client = await wsgi.connect(application)
    piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    client.send(post("Transfer-Encoding: chunked", content=piece))
    await until(reading.is_set)
    client.send(piece + b"3\r\nend\r\n0\r\n\r\n")
    assert (await client.answer()).content == b"x" * 131_072 + b"end"


async def test_large_content_streams(wsgi: Adapter) -> None:
    """A large body arrives while the application reads it."""
    seen: list[int] = []

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        seen.extend(len(line) for line in environ["wsgi.input"])
        start_response("200 OK", PLAIN)
        return [b"%d" % sum(seen)]

    client = await wsgi.connect(application)
    client.send(post("Content-Length: 5000000"))
    for _ in range(50):
        client.send(b"x" * 99_999 + b"\n")
    assert (await client.answer()).content == b"5000000"
    assert seen == [100_000] * 50


async def test_client_is_held_back_by_a_slow_application(wsgi: Adapter) -> None:
    """What the application doesn't read stays with the client, beyond the read buffer."""
    go_on = threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        go_on.wait(PATIENCE)
        return echo(environ, start_response)

    client = await wsgi.connect(application)
    client.send(post("Content-Length: 1000000"))
    for _ in range(10):
        client.send(b"x" * 100_000)
    assert not client.transport.is_reading()
    go_on.set()
    assert (await client.answer()).content == b"x" * 1_000_000


async def test_chunked_content_that_is_there_has_a_length(wsgi: Adapter) -> None:
    """It looks as if it had never been chunked (RFC 9112, section 7.1.3)."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        assert "HTTP_TRANSFER_ENCODING" not in environ
        start_response("200 OK", PLAIN)
        return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]

    client = await wsgi.connect(application)
    client.send(post("Transfer-Encoding: chunked", content=b"3\r\nabc\r\n"))
    client.send(b"3\r\ndef\r\n0\r\n\r\n")
    assert (await client.answer()).content == b"abcdef"


async def test_chunked_content_on_its_way_has_no_length(wsgi: Adapter) -> None:
    """What is too much to wait for is read to its end, without CONTENT_LENGTH."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        assert "CONTENT_LENGTH" not in environ
        return echo(environ, start_response)

    client = await wsgi.connect(application)
    client.send(post("Transfer-Encoding: chunked", content=b"10000\r\n" + b"x" * 65_536))
    client.send(b"\r\n3\r\ndef\r\n0\r\n\r\n")
    assert (await client.answer()).content == b"x" * 65_536 + b"def"


async def test_continue_is_sent_when_the_application_reads(wsgi: Adapter) -> None:
    """The client is told to go on when the application reads (RFC 9110, section 10.1.1)."""
    client = await wsgi.connect(echo)
    client.send(post("Content-Length: 3", "Expect: 100-continue"))
    await client.has(b"HTTP/1.1 100 Continue\r\n\r\n")
    client.transport.take()
    client.send(b"abc")
    assert (await client.answer()).content == b"abc"


async def test_continue_is_not_sent_when_the_application_answers(wsgi: Adapter) -> None:
    """An application that answers without reading never asks for the content."""
    answer = await wsgi.ask(hello, post("Content-Length: 3", "Expect: 100-continue"))
    assert (answer.status, answer.fields["Connection"]) == (200, "close")


@pytest.mark.parametrize("size", [6, 600_000])
async def test_content_that_breaks_off_is_the_clients_fault(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    """Content that ends early is answered with 400, and is no error of ours."""
    client = await wsgi.connect(echo)
    client.send(post(f"Content-Length: {size}", content=b"abc"))
    client.transport.feed_eof()
    assert (await client.answer()).status == 400
    assert caplog.records == []


async def test_content_that_breaks_off_in_a_thread_is_the_clients_fault(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """So it is when the application has begun to read it."""
    client = await wsgi.connect(echo)
    client.send(post("Content-Length: 600000", content=b"x" * READ_FIRST))
    client.transport.feed_eof()
    assert (await client.answer()).status == 400
    assert caplog.records == []


async def test_application_may_answer_broken_content(wsgi: Adapter) -> None:
    """An application that catches the OSError of its input decides itself."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        with pytest.raises(OSError, match="can't be read"):
            environ["wsgi.input"].read()
        start_response("422 Too Short", PLAIN)
        return [b"short"]

    client = await wsgi.connect(application)
    client.send(post("Content-Length: 600000", content=b"x" * READ_FIRST))
    client.transport.feed_eof()
    answer = await client.answer()
    assert (answer.status, answer.content) == (422, b"short")


async def test_client_that_goes_while_the_application_reads(wsgi: Adapter) -> None:
    """A thread that waits for content is freed when the client goes."""
    reading, told = threading.Event(), threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        reading.set()
        with pytest.raises(OSError, match="can't be read"):
            environ["wsgi.input"].read()
        told.set()
        return []

    client = await wsgi.connect(application)
    client.send(post("Content-Length: 600000", content=b"x" * READ_FIRST))
    await until(reading.is_set)
    client.transport.lose()
    await until(told.is_set)


async def test_client_that_goes_amid_its_content_is_no_error(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """An application that doesn't mind the OSError of its input has nothing to be told about."""
    reading = threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        reading.set()
        return echo(environ, start_response)

    client = await wsgi.connect(application)
    client.send(post("Content-Length: 600000", content=b"x" * READ_FIRST))
    await until(reading.is_set)
    client.transport.lose()
    await until(lambda: not client.service.tasks)
    await wsgi.pools[0].stop()
    assert caplog.records == []


# Files.


def sends(file: Any, *fields: tuple[str, str]) -> WSGIApplication:
    """Return an application that answers with a file."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [*PLAIN, *fields])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file)
        return wrapped

    return application


@pytest.fixture
async def digits(tmp_path: Path) -> AsyncIterator[io.BufferedReader]:
    """Return an open file of ten digits, which is closed in the end, behind the answer."""
    path = tmp_path / "digits"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        yield file
        await until(lambda: file.closed)


async def ask_over_a_socket(wsgi: Adapter, application: WSGIApplication) -> Answer:
    """Return the answer to a GET on a real socket: only there is a sendfile."""
    client = await wsgi.connect(application)
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    await loop.connect_accepted_socket(lambda: ServerHttpProtocol(client.service), ours)
    theirs.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=theirs)
    writer.write(GET.replace(b"Host: x", b"Host: x\r\nConnection: close"))
    data = await reader.read()
    writer.close()
    await writer.wait_closed()
    return Answer(data, "GET")


async def test_file_is_sent_from_where_it_stands(wsgi: Adapter, digits: io.BufferedReader) -> None:
    """A wrapped file on disk is sent from its position to its end, with its length."""
    digits.seek(4)
    answer = await ask_over_a_socket(wsgi, sends(digits))
    assert (answer.fields["Content-Length"], answer.content) == ("6", b"456789")


async def test_part_of_a_file(wsgi: Adapter, digits: io.BufferedReader) -> None:
    """No more of a file is sent than the application announced."""
    answer = await ask_over_a_socket(wsgi, sends(digits, ("Content-Length", "3")))
    assert answer.content == b"012"


async def test_part_of_a_file_in_memory(wsgi: Adapter) -> None:
    """The same holds for a file that has to be read, whatever its blocks are."""
    fields = ("Content-Length", "70000")
    answer = await wsgi.ask(sends(io.BytesIO(b"x" * 100_000), fields))
    assert (answer.status, len(answer.content)) == (200, 70_000)


async def test_part_of_a_file_that_never_ends(wsgi: Adapter) -> None:
    """Nothing is read of it beyond the announced length."""

    class Endless(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.reads += 1
            return b"x" * (size or 0)

    file = Endless()
    answer = await wsgi.ask(sends(file, ("Content-Length", "100000")))
    assert (len(answer.content), file.reads) == (100_000, 2)


async def test_no_part_of_a_file_in_memory(wsgi: Adapter) -> None:
    """An announced length of 0 is kept, too."""
    answer = await wsgi.ask(sends(io.BytesIO(b"0123"), ("Content-Length", "0")))
    assert (answer.status, answer.content) == (200, b"")


async def test_file_that_is_decoded_when_it_is_read(wsgi: Adapter, tmp_path: Path) -> None:
    """What is sent is what reading gives, not the file whose descriptor it has."""
    path = tmp_path / "digits.gz"
    path.write_bytes(gzip.compress(b"0123456789"))
    with gzip.open(path) as file:
        answer = await ask_over_a_socket(wsgi, sends(file))
    assert answer.content == b"0123456789"


async def test_temporary_file_is_sent(wsgi: Adapter) -> None:
    """A file of ``tempfile`` is one on disk, although wrapped."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"0123456789")
        file.seek(0)
        answer = await ask_over_a_socket(wsgi, sends(file))
    assert (answer.fields["Content-Length"], answer.content) == ("10", b"0123456789")


async def test_file_behind_what_was_written(wsgi: Adapter, digits: io.BufferedReader) -> None:
    """A file that isn't the whole body is a part of it like any other."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)(b"abc")
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](digits)
        return wrapped

    answer = await ask_over_a_socket(wsgi, application)
    assert answer.content == b"abc0123456789"


async def test_pipe_is_read(wsgi: Adapter) -> None:
    """What has no position, and so no known end, is read."""
    ours, theirs = os.pipe()
    os.write(theirs, b"0123456789")
    os.close(theirs)
    answer = await ask_over_a_socket(wsgi, sends(os.fdopen(ours, "rb")))
    assert answer.content == b"0123456789"


async def test_device_is_read(wsgi: Adapter) -> None:
    """What is no regular file has no size, although it says 0."""
    file = io.BufferedReader(io.FileIO("/dev/zero"))
    answer = await ask_over_a_socket(wsgi, sends(file, ("Content-Length", "10")))
    assert answer.content == bytes(10)


async def test_file_for_head(wsgi: Adapter, digits: io.BufferedReader) -> None:
    """A file for HEAD is measured, not sent."""
    answer = await wsgi.ask(sends(digits), HEAD)
    assert (answer.fields["Content-Length"], answer.content) == ("10", b"")


async def test_file_in_memory_is_read(wsgi: Adapter) -> None:
    """What has no file descriptor is iterated like anything else, and closed."""
    file = io.BytesIO(b"x" * 100_000)
    answer = await wsgi.ask(sends(file))
    assert len(answer.content) == 100_000
    assert file.closed


# Threads.


async def test_blocking_requests_run_side_by_side(wsgi: Adapter) -> None:
    """As many requests as there are threads block at the same time."""
    barrier = threading.Barrier(4, timeout=PATIENCE)

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        barrier.wait()
        return hello(environ, start_response)

    client = await wsgi.connect(application, threads=4)
    others = [client.another() for _ in range(3)]
    for each in (client, *others):
        each.send(GET)
    assert [(await each.answer()).status for each in (client, *others)] == [200] * 4


async def test_requests_of_one_connection_are_answered_in_order(wsgi: Adapter) -> None:
    """A pipelined request waits for the answer to the one before it."""
    client = await wsgi.connect(echo)
    client.send(post("Content-Length: 3", content=b"one") + post("Content-Length: 3") + b"two")
    await client.has(b"two")
    assert client.transport.written.index(b"one") < client.transport.written.index(b"two")
