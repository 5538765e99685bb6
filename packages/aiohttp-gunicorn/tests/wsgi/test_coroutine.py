"""Coroutine WSGI: applications that answer on the event loop."""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse

import pytest

from aiohttp.protocol import InvalidHeader
from aiohttp.worker.wsgi.coroutine import is_coroutine_application
from aiohttp.worker.wsgi.environ import Environ
from wsgi_client import GET, HEAD, PATIENCE, PLAIN, Adapter, hello, post, until


async def echo(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer with the request's content."""
    content = await environ["wsgi.input"].read()
    start_response("200 OK", PLAIN)
    return [content]


async def count(environ: Environ, start_response: StartResponse) -> AsyncIterator[bytes]:
    """Answer in parts."""
    start_response("200 OK", PLAIN)
    for number in range(3):
        yield b"%d" % number
        await asyncio.sleep(0)


def on_loop(application: Any) -> Any:
    """Return what gives the loop its answer itself."""
    return application


def in_thread(application: Any) -> Any:
    """Return a plain callable that gives what a coroutine function gives."""

    def call(environ: Environ, start_response: StartResponse) -> Any:
        return application(environ, start_response)

    return call


class Stream:
    """An asynchronous iterable that notes its end, and may fail on its way."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces
        self.closes = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(0)
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def close(self) -> None:
        """Count the call."""
        await asyncio.sleep(0)
        self.closes += 1

    def __call__(self, environ: Environ, start_response: StartResponse) -> Stream:
        start_response("200 OK", PLAIN)
        return self


class CallStream:
    """An object whose call is a coroutine."""

    async def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        return await echo(environ, start_response)


# Which applications these are.


@pytest.mark.parametrize(
    ("application", "is_coroutine"),
    [
        (echo, True),
        (count, True),
        (functools.partial(echo), True),
        (CallStream(), True),
        (CallStream().__call__, True),
        (hello, False),
        (in_thread(echo), False),
        (Stream(), False),
        (CallStream, False),
    ],
)
def test_coroutine_applications(application: object, *, is_coroutine: bool) -> None:
    """Coroutine functions and asynchronous generator functions, whatever wraps them."""
    assert is_coroutine_application(application) is is_coroutine


# What they are told.


@pytest.mark.parametrize("wrap", [on_loop, in_thread], ids=["loop", "thread"])
async def test_environ(wsgi: Adapter, wrap: Callable[[Any], Any]) -> None:
    """The environ tells a coroutine that it runs on the loop."""
    seen: dict[str, Any] = {}

    async def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        seen.update(environ, thread=threading.current_thread())
        return await echo(environ, start_response)

    await wsgi.ask(wrap(application))
    assert seen["wsgi.async"] is True
    assert seen["thread"] is threading.main_thread()


async def test_environ_of_a_plain_application(wsgi: Adapter) -> None:
    """One that isn't a coroutine isn't told so."""
    seen: dict[str, Any] = {}

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        seen.update(environ)
        return hello(environ, start_response)

    await wsgi.ask(application)
    assert seen["wsgi.async"] is False
    assert seen["wsgi.multithread"] is True


async def test_coroutine_is_never_called_by_two_threads(wsgi: Adapter) -> None:
    """The loop's thread is the only one, whatever ``--threads`` says."""
    seen: list[bool] = []

    async def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        seen.append(environ["wsgi.multithread"])
        return await echo(environ, start_response)

    await wsgi.ask(application)
    assert seen == [False]


# The response.


@pytest.mark.parametrize("wrap", [on_loop, in_thread], ids=["loop", "thread"])
@pytest.mark.parametrize("size", [0, 5, 600_000])
async def test_coroutine_reads_and_answers(
    wsgi: Adapter, wrap: Callable[[Any], Any], size: int
) -> None:
    """It has the whole content, also what came while it was still in a thread."""
    client = await wsgi.connect(wrap(echo))
    client.send(post(f"Content-Length: {size}", content=b"x" * size))
    answer = await client.answer()
    assert (answer.fields["Content-Length"], answer.content) == (str(size), b"x" * size)


async def test_content_that_was_begun_in_a_thread(wsgi: Adapter) -> None:
    """What a thread has read of the content is gone, and what its buffer holds is not."""

    def application(environ: Environ, start_response: StartResponse) -> Awaitable[list[bytes]]:
        assert environ["wsgi.input"].readline() == b"line\n"
        return echo(environ, start_response)

    content = b"line\n" + b"x" * 300_000
    answer = await wsgi.ask(application, post("Content-Length: 300005", content=content))
    assert answer.content == content[5:]


async def test_parts_leave_one_by_one(wsgi: Adapter) -> None:
    """What an asynchronous generator yields is sent at once, before it goes on."""
    go_on = asyncio.Event()

    async def application(environ: Environ, start_response: StartResponse) -> AsyncIterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"first"
        await go_on.wait()
        yield b"second"

    client = await wsgi.connect(application)
    client.send(GET)
    await client.has(b"first")
    go_on.set()
    assert (await client.answer()).content == b"firstsecond"


@pytest.mark.parametrize("wrap", [on_loop, in_thread], ids=["loop", "thread"])
async def test_asynchronous_iterables(wsgi: Adapter, wrap: Callable[[Any], Any]) -> None:
    """A generator, or what else can be iterated over, answers in chunks."""
    assert (await wsgi.ask(wrap(count))).content == b"012"
    stream = Stream(b"a", b"", b"b")
    answer = await wsgi.ask(wrap(stream))
    assert (answer.fields["Transfer-Encoding"], answer.content) == ("chunked", b"ab")
    assert stream.closes == 1


async def test_coroutine_that_returns_an_asynchronous_iterable(wsgi: Adapter) -> None:
    """What is awaited may be iterated over, too, and is closed then."""
    stream = Stream(b"a", b"b")

    async def application(environ: Environ, start_response: StartResponse) -> Stream:
        return stream(environ, start_response)

    assert (await wsgi.ask(application)).content == b"ab"
    assert stream.closes == 1


async def test_coroutine_that_returns_an_iterator(wsgi: Adapter) -> None:
    """Also as all applications do; it is iterated over on the loop."""

    async def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        return iter([b"a", b"b"])

    assert (await wsgi.ask(application)).content == b"ab"


async def test_future(wsgi: Adapter) -> None:
    """A future is awaited, although it can be iterated over (2014's applications returned them)."""
    loop = asyncio.get_running_loop()

    def application(environ: Environ, start_response: StartResponse) -> Awaitable[list[bytes]]:
        future: asyncio.Future[list[bytes]] = loop.create_future()
        start_response("200 OK", PLAIN)
        loop.call_soon_threadsafe(future.set_result, [b"later"])
        return future

    assert (await wsgi.ask(application)).content == b"later"


async def test_head(wsgi: Adapter) -> None:
    """HEAD has the fields of GET, and no content."""
    client = await wsgi.connect(echo)
    client.send(HEAD)
    assert (await client.answer()).content == b""
    assert client.transport.written.endswith(b"\r\n\r\n")


async def test_write(wsgi: Adapter) -> None:
    """write() sends soon; awaiting what it returns is waiting for a slow client."""

    async def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        write: Any = start_response("200 OK", PLAIN)
        write(b"a")
        await write(b"b")
        write(b"c")
        return [b"d"]

    assert (await wsgi.ask(application)).content == b"abcd"


async def test_write_is_not_held_back(wsgi: Adapter) -> None:
    """What was written is sent while the application still runs, awaited or not."""
    go_on = asyncio.Event()

    async def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", PLAIN)(b"first")
        await go_on.wait()
        return []

    client = await wsgi.connect(application)
    client.send(GET)
    await client.has(b"first")
    go_on.set()
    assert (await client.answer()).content == b"first"


async def test_write_that_was_got_in_a_thread(wsgi: Adapter) -> None:
    """A write() from the thread's time goes on working."""

    def application(environ: Environ, start_response: StartResponse) -> Awaitable[list[bytes]]:
        write: Any = start_response("200 OK", PLAIN)
        write(b"a")

        async def go_on() -> list[bytes]:
            await write(b"b")
            return [b"c"]

        return go_on()

    assert (await wsgi.ask(application)).content == b"abc"


async def test_write_that_went_wrong_unseen_is_logged(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """What is beyond the announced length isn't lost in a write() that nobody waited for."""

    async def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        write = start_response("200 OK", [("Content-Length", "5")])
        for data in (b"he", b"llo", b"x"):
            write(data)
        await asyncio.sleep(0)
        return []

    client = await wsgi.connect(application)
    client.send(GET)
    await until(lambda: not client.service.tasks)
    assert client.transport.written.endswith(b"\r\n\r\nhello")
    assert "LocalProtocolError" in caplog.text


async def test_write_that_is_cancelled_leaves_no_hole(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """A response never goes on behind a part of which the rest was not sent."""

    async def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        write: Any = start_response("200 OK", PLAIN)
        writing = write(b"x" * 1_000_000)
        await asyncio.sleep(0)
        writing.cancel()
        return [b"end"]

    client = await wsgi.connect(application)
    client.transport.hold()
    client.send(GET)
    await until(lambda: not client.service.tasks)
    assert client.transport.is_aborted
    assert "a write() was cancelled before all of it was sent" in caplog.text


async def test_file(wsgi: Adapter, tmp_path: Path) -> None:
    """A wrapped file is sent, and closed."""
    path = tmp_path / "digits"
    path.write_bytes(b"0123456789")
    files: list[Any] = []

    async def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        files.append(path.open("rb"))
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](files[0])
        return wrapped

    answer = await wsgi.ask(application)
    assert (answer.fields["Content-Length"], answer.content) == ("10", b"0123456789")
    assert files[0].closed


async def test_early_hints(wsgi: Adapter) -> None:
    """Early hints go out while the application runs."""
    go_on = asyncio.Event()

    async def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        environ["wsgi.early_hints"]([("Link", "</a.css>")])
        await go_on.wait()
        start_response("200 OK", PLAIN)
        return [b"a"]

    client = await wsgi.connect(application)
    client.send(GET)
    await client.has(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
    go_on.set()
    await client.answer()
    assert b"HTTP/1.1 200 OK" in client.transport.written


async def test_stream_waits_for_a_slow_reader(wsgi: Adapter) -> None:
    """While the client reads nothing, the application isn't asked for more."""
    made: list[int] = []

    async def application(environ: Environ, start_response: StartResponse) -> AsyncIterator[bytes]:
        start_response("200 OK", PLAIN)
        for number in range(1000):
            made.append(number)
            yield b"x" * 10_000

    client = await wsgi.connect(application)
    client.transport.hold()
    client.send(GET)
    for _ in range(1000):
        await asyncio.sleep(0)
    assert len(made) < 20
    client.transport.release()
    assert len((await client.answer()).content) == 10_000_000


async def test_iterator_waits_for_a_slow_reader(wsgi: Adapter) -> None:
    """Nor is a plain iterator that a coroutine has returned."""
    made: list[int] = []

    async def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)

        def parts() -> Iterator[bytes]:
            for number in range(1000):
                made.append(number)
                yield b"x" * 10_000

        return parts()

    client = await wsgi.connect(application)
    client.transport.hold()
    client.send(GET)
    for _ in range(1000):
        await asyncio.sleep(0)
    assert len(made) < 20
    client.transport.release()
    assert len((await client.answer()).content) == 10_000_000


# Applications that break the rules, or fail.


async def never_starts(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer without start_response."""
    return [b"body"]


async def raises(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Fail."""
    raise RuntimeError("out of order")


async def exits(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Exit, which would end the worker."""
    sys.exit("out")


async def is_cancelled(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Wait for something that somebody else has cancelled."""
    future: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
    future.cancel("elsewhere")
    return await future


async def upstream(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Be a client of somebody who breaks the protocol."""
    raise InvalidHeader("from upstream")


async def answers_text(environ: Environ, start_response: StartResponse) -> AsyncIterator[Any]:
    """Yield text."""
    start_response("200 OK", PLAIN)
    yield "text"


@pytest.mark.parametrize("wrap", [on_loop, in_thread], ids=["loop", "thread"])
@pytest.mark.parametrize(
    ("application", "message"),
    [
        (never_starts, "without calling start_response"),
        (raises, "out of order"),
        (exits, "the application raised SystemExit('out')"),
        (is_cancelled, "the application raised CancelledError('elsewhere')"),
        (upstream, "the application raised InvalidHeader('from upstream')"),
        (answers_text, "expected a body of bytes, not of str"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_faulty_application_is_500(
    wsgi: Adapter,
    caplog: pytest.LogCaptureFixture,
    wrap: Callable[[Any], Any],
    application: Any,
    message: str,
) -> None:
    """An application that breaks the rules is a 500, and logged once with its request."""
    answer = await wsgi.ask(wrap(application))
    assert answer.status == 500
    assert len(caplog.records) == 1
    assert "/path" in caplog.text
    assert message in caplog.text


async def test_error_keeps_what_it_was_raised_for(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """The log shows both errors, as it does for an application in a thread."""

    async def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second")  # noqa: B904

    await wsgi.ask(application)
    assert "KeyError: 'first'" in caplog.text
    assert "During handling of the above exception" in caplog.text
    assert "ValueError: second" in caplog.text


async def test_exc_info_replaces_the_headers(wsgi: Adapter) -> None:
    """The rules of start_response are those of all applications."""

    async def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("X-First", "1")])
        try:
            raise KeyError("lost")
        except KeyError:
            start_response("500 Oops", PLAIN, sys.exc_info())
        return [b"sorry"]

    answer = await wsgi.ask(application)
    assert (answer.reason, answer.content, answer.fields["X-First"]) == ("Oops", b"sorry", None)


async def test_broken_content_is_the_clients_fault(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """Content that ends early is answered with 400, and is no error of ours."""
    client = await wsgi.connect(echo)
    client.send(post("Content-Length: 10", content=b"abc"))
    client.transport.feed_eof()
    assert (await client.answer()).status == 400
    assert caplog.records == []


# The call of close().


async def test_close_after_an_error(wsgi: Adapter) -> None:
    """close() is awaited when the iteration fails, and the response is cut."""
    stream = Stream(b"a", RuntimeError("half way"))
    client = await wsgi.connect(stream)
    client.send(GET)
    await until(lambda: client.transport.is_aborted)
    await until(lambda: stream.closes == 1)


async def test_generator_ends_when_the_client_goes(wsgi: Adapter) -> None:
    """A generator that waits when the client goes runs to its own end."""
    ended: list[str] = []

    async def application(environ: Environ, start_response: StartResponse) -> AsyncIterator[bytes]:
        start_response("200 OK", PLAIN)
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    client = await wsgi.connect(application)
    client.send(GET)
    await client.has(b"first")
    client.transport.lose()
    await until(lambda: ended == ["ended"])
    await until(lambda: not client.service.tasks)


async def test_close_when_the_client_goes(wsgi: Adapter) -> None:
    """What is closed otherwise is closed then, too."""

    class Endless(Stream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"first"
            await asyncio.Event().wait()

    stream = Endless()
    client = await wsgi.connect(stream)
    client.send(GET)
    await client.has(b"first")
    client.transport.lose()
    await until(lambda: stream.closes == 1)


@pytest.mark.parametrize("answer", [Stream, None, asyncio.Future], ids=str)
async def test_what_comes_after_the_client_went_is_closed(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    """What an application returns for a loop that doesn't want it any more is closed."""
    begun, gone, returned = threading.Event(), threading.Event(), list[Any]()
    loop = asyncio.get_running_loop()

    def application(environ: Environ, start_response: StartResponse) -> Any:
        begun.set()
        gone.wait(PATIENCE)
        options = {"loop": loop} if answer is asyncio.Future else {}
        returned.append(answer(**options) if answer else echo(environ, start_response))
        return returned[0]

    client = await wsgi.connect(application)
    client.send(GET)
    await until(begun.is_set)
    client.transport.lose()
    await until(lambda: not client.service.tasks)
    gone.set()
    await until(lambda: bool(returned))
    await wsgi.pools[0].stop()
    await client.application.cleanup()
    if answer is Stream:
        assert returned[0].closes == 1
    if answer is asyncio.Future:
        assert returned[0].cancelled()
    assert caplog.records == []


async def test_error_of_a_close_that_nobody_waits_for(
    wsgi: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, like any error after the client went."""
    begun, gone = threading.Event(), threading.Event()

    class Failing(Stream):
        async def close(self) -> None:
            raise RuntimeError("can't close")

    def application(environ: Environ, start_response: StartResponse) -> Stream:
        begun.set()
        gone.wait(PATIENCE)
        return Failing()

    client = await wsgi.connect(application)
    client.send(GET)
    await until(begun.is_set)
    client.transport.lose()
    await until(lambda: not client.service.tasks)
    gone.set()
    await until(lambda: "can't close" in caplog.text)
    assert "error after the client of GET '/path' went" in caplog.text
