"""ASGI applications behind a connection: what they raise, what they keep, and when they end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import pytest

from aiohttp.protocol import BadHttpMessage, PeerDisconnected
from aiohttp.worker.asgi import AsgiApplication
from aiohttp.worker.asgi.messages import AsgiCallable, Receive, Scope, Send
from asgi_client import GET, LOG, Client, answer_with, ask, body, post, start


def raising(error: BaseException, *, sent: int = 0) -> AsgiCallable:
    """Return an application that raises after so many messages."""
    messages = [start(), body(b"a", more_body=True), body()]

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages[:sent]:
            await send(message)
        raise error

    return application


class Gone:
    """An application whose client goes; then it does what it is told.

    Attributes:
        error: what its call ended with; None if it returned.
    """

    def __init__(self, **options: Any) -> None:
        self.client = Client(self._run, **options)
        self.error: BaseException | None = None
        self.seen: list[object] = []

    async def react(self, send: Send) -> None:
        """Do something after http.disconnect."""

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self.seen += [await receive(), await receive()]
            await self.react(send)
        except BaseException as exc:
            self.error = exc
            raise

    async def run(self) -> None:
        """Let the client ask and go; return when the application has ended."""
        self.client.send(GET)
        await self.client.until(lambda: self.client.service.tasks)
        self.client.leave()
        await self.client.until(lambda: not self.client.service.tasks)


# Errors.


@pytest.mark.parametrize("sent", [0, 1])
async def test_error_before_anything_was_sent_is_a_500(sent: int, caplog: Any) -> None:
    """The error is logged, with its traceback; the client isn't told what it was."""
    answer = await ask(raising(KeyError("secret"), sent=sent))
    assert answer.status == 500
    assert b"secret" not in answer.content
    assert "KeyError: 'secret'" in caplog.text


async def test_error_within_the_response_cuts_it(caplog: Any) -> None:
    """Nobody takes the part for the whole."""
    client = Client(raising(KeyError("late"), sent=2))
    client.send(GET)
    await client.until(lambda: client.transport.is_aborted)
    assert b"0\r\n\r\n" not in client.transport.written
    assert "KeyError: 'late'" in caplog.text


async def test_error_after_the_response_is_logged(caplog: Any) -> None:
    """A background task that fails hurts nobody."""
    answer = await ask(raising(KeyError("background"), sent=3))
    assert (answer.status, answer.content) == (200, b"a")
    assert "KeyError: 'background'" in caplog.text


@pytest.mark.parametrize("messages", [[], [start()]])
async def test_application_that_returns_without_a_response_is_a_500(
    messages: list[Any], caplog: Any
) -> None:
    """A head alone is none."""
    assert (await ask(answer_with(*messages))).status == 500
    assert "returned without a response" in caplog.text


async def test_application_that_returns_within_its_response_is_cut(caplog: Any) -> None:
    """A response isn't complete before its last message."""
    client = Client(answer_with(start(), body(b"a", more_body=True)))
    client.send(GET)
    await client.until(lambda: client.transport.is_aborted)
    assert "returned without finish()" in caplog.text


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_error_that_would_end_the_loop_is_a_500(error: BaseException, caplog: Any) -> None:
    """An application can't end the worker; nor can it be cancelled by nobody."""
    assert (await ask(raising(error))).status == 500
    assert f"the application raised {error!r}" in caplog.text


async def test_error_of_another_connection_is_not_the_clients(caplog: Any) -> None:
    """If the application is a client of others, whose fault this is, ours isn't to blame."""
    assert (await ask(raising(BadHttpMessage("theirs")))).status == 500
    assert "BadHttpMessage: theirs" in caplog.text


async def test_disconnect_of_another_connection_is_logged(caplog: Any) -> None:
    """A peer of the application that has gone isn't our client."""
    assert (await ask(raising(PeerDisconnected("theirs")))).status == 500
    assert "PeerDisconnected: theirs" in caplog.text


async def test_object_that_is_not_awaitable_is_a_500(caplog: Any) -> None:
    """An application has to be asynchronous."""

    def application(scope: Scope, receive: Receive, send: Send) -> Any:
        return None

    assert (await ask(application)).status == 500
    assert "TypeError: object NoneType can't be used in 'await' expression" in caplog.text


# A client that goes.


async def test_client_that_goes_is_told_and_the_call_may_end(caplog: Any) -> None:
    """http.disconnect comes; who returns then leaves no trace in the log."""
    gone = Gone()
    await gone.run()
    assert gone.seen == [
        {"type": "http.request", "body": b"", "more_body": False},
        {"type": "http.disconnect"},
    ]
    assert gone.error is None
    assert caplog.records == []


class ClientDisconnect(Exception):
    """As frameworks have them."""


def as_it_is(exc: Exception) -> Exception:
    """Return the error that the server raised."""
    return exc


def as_cause(exc: Exception) -> Exception:
    """Return an error that was raised because of it; they know each other."""
    error = ClientDisconnect()
    error.__cause__ = exc
    exc.__context__ = error
    return error


def in_group(exc: Exception) -> Exception:
    """Return what a task group makes of it."""
    return ExceptionGroup("tasks", [ValueError(), as_cause(exc)])


@pytest.mark.parametrize("wrapped", [as_it_is, as_cause, in_group])
async def test_error_of_send_may_come_through(
    wrapped: Callable[[Exception], Exception], caplog: Any
) -> None:
    """The error by which an application learned of it isn't logged, whatever it is wrapped in."""

    class Sender(Gone):
        async def react(self, send: Send) -> None:
            try:
                await send(start())
            except OSError as exc:
                raise wrapped(exc) from exc.__cause__

    gone = Sender()
    await gone.run()
    assert isinstance(gone.error, PeerDisconnected | ClientDisconnect | ExceptionGroup)
    assert caplog.records == []


async def test_request_that_is_broken_off_is_answered_400(caplog: Any) -> None:
    """An application that returns at http.disconnect has nothing to answer for."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.disconnect"

    client = Client(application)
    client.send(post("Content-Length: 5"))
    client.transport.feed_eof()
    assert (await client.answer()).status == 400
    assert caplog.records == []


async def test_error_after_disconnect_is_a_line(caplog: Any) -> None:
    """What frameworks raise then is no news; a traceback is for those who debug."""

    class Raiser(Gone):
        async def react(self, send: Send) -> None:
            raise ClientDisconnect

    caplog.set_level(logging.INFO, "test.asgi")
    await Raiser().run()
    text = "GET '/path': the application raised ClientDisconnect() after its client had gone"
    assert caplog.messages == [text]
    assert caplog.records[0].exc_info is None
    caplog.set_level(logging.DEBUG, "test.asgi")
    await Raiser().run()
    assert caplog.records[1].exc_info is not None


async def as_framework(send: Send, error: Exception) -> None:
    """Raise an error as frameworks do: behind a 500, if that can be sent."""
    try:
        raise error
    except Exception:
        await send(start(500))
        await send(body(b"Internal Server Error"))
        raise


async def test_error_after_disconnect_is_not_hidden_by_a_500(caplog: Any) -> None:
    """What is wrong with the code that runs only then would never be seen."""

    class Framework(Gone):
        async def react(self, send: Send) -> None:
            await as_framework(send, KeyError("bug"))

    caplog.set_level(logging.INFO, "test.asgi")
    await Framework().run()
    text = "GET '/path': the application raised KeyError('bug') after its client had gone"
    assert caplog.messages == [text]


@pytest.mark.parametrize(
    ("request_data", "status", "why"),
    [
        (GET, 499, "the client closed its side before it was answered"),
        (post("Content-Length: 5"), 400, "expected a body of 5 bytes"),
        (post("Transfer-Encoding: chunked", content=b"zz\r\n"), 400, "expected 1 to 16 hex digits"),
    ],
)
async def test_error_after_the_request_failed_is_a_line(
    request_data: bytes, status: int, why: str, caplog: Any
) -> None:
    """The client is answered for its own fault; the application's is logged."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(BadHttpMessage):
            while (await receive())["type"] != "http.disconnect":
                pass
        await as_framework(send, KeyError("bug"))

    caplog.set_level(logging.INFO, "test.asgi")
    client = Client(application)
    client.send(request_data)
    client.transport.feed_eof()
    assert (await client.answer()).status == status
    text = f"the application raised KeyError('bug') after its request had failed: {why}"
    assert len(caplog.messages) == 1
    assert text in caplog.messages[0]


async def test_cancelled_call_of_a_request_that_failed_is_no_news(caplog: Any) -> None:
    """Whoever cancels it knows."""
    told = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        told.set()
        await asyncio.get_running_loop().create_future()

    caplog.set_level(logging.INFO, "test.asgi")
    client = Client(application)
    client.send(GET)
    client.transport.feed_eof()
    await told.wait()
    for task in client.service.tasks:
        task.cancel()
    await client.until(lambda: not client.service.tasks)
    assert caplog.records == []


async def test_500_that_nobody_gets_does_not_go_on() -> None:
    """It is dropped, but not for ever: who streams it is told."""

    class Streamer(Gone):
        async def react(self, send: Send) -> None:
            await send(start(500))
            while True:
                await send(body(b"x", more_body=True))

    gone = Streamer()
    await gone.run()
    assert isinstance(gone.error, PeerDisconnected)


async def test_call_may_be_closed_when_there_is_no_loop_any_more() -> None:
    """As the interpreter does with what is left at its end, which would write a traceback."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.get_running_loop().create_future()

    client = Client(application, disconnect_grace=0)
    client.send(GET)
    await client.until(lambda: client.service.exchanges)
    call = client.application.handle_exchange(client.service.exchanges[0])
    call.send(None)
    await asyncio.to_thread(call.close)  # a thread has no loop
    client.leave()
    await client.until(lambda: not client.service.tasks)


async def test_call_that_goes_on_is_cancelled() -> None:
    """When its grace is over."""

    class Sleeper(Gone):
        async def react(self, send: Send) -> None:
            await asyncio.get_running_loop().create_future()

    gone = Sleeper(disconnect_grace=0.001)
    await gone.run()
    assert isinstance(gone.error, asyncio.CancelledError)


async def test_call_has_three_seconds_by_default() -> None:
    """As gunicorn's asgi_disconnect_grace_period."""
    application = AsgiApplication(answer_with(), log=LOG)
    assert application.disconnect_grace == 3


async def test_call_may_have_no_grace() -> None:
    """With 0 it is cancelled at once, before it is told."""
    gone = Gone(disconnect_grace=0)
    await gone.run()
    assert isinstance(gone.error, asyncio.CancelledError)


async def test_call_may_survive_its_cancellation(caplog: Any) -> None:
    """An application that ends otherwise then is left in peace."""

    class Stubborn(Gone):
        async def react(self, send: Send) -> None:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                return

    await Stubborn(disconnect_grace=0.001).run()
    assert caplog.records == []


async def test_background_task_outlives_its_client() -> None:
    """Once the response is complete nobody is cancelled, nor held up."""
    ended = asyncio.Event()
    may_end = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"done"))
        await may_end.wait()
        ended.set()

    client = Client(application, disconnect_grace=0)
    client.send(GET)
    await client.has(b"done")
    client.transport.take()
    client.send(GET)  # the next request of the connection doesn't wait
    await client.has(b"done")
    client.leave()
    await asyncio.sleep(0)
    may_end.set()
    async with asyncio.timeout(1):
        await ended.wait()


# State, upgrades.


async def test_state_is_a_copy_for_each_request() -> None:
    """What a request changes is its own; what it changes inside of values is everybody's."""
    seen: list[Any] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            scope["state"] |= {"number": 1, "shared": []}
            await send({"type": "lifespan.startup.complete"})
            return
        seen.append(dict(scope["state"]))
        scope["state"]["number"] = 2
        scope["state"]["shared"].append(1)
        await send(start())
        await send(body())

    client = Client(application)
    await client.application.startup()
    client.send(GET + GET)
    await client.until(lambda: len(seen) == 2)
    assert seen == [{"number": 1, "shared": [1, 1]}] * 2
    assert seen[0]["shared"] is seen[1]["shared"]
    await client.application.cleanup()


@pytest.mark.parametrize("lifespan", ["auto", "off"])
async def test_state_is_not_offered_without_lifespan(lifespan: Any) -> None:
    """Where the application has no lifespan, or isn't asked for one."""
    scopes: list[Scope] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(scope["type"])
        scopes.append(scope)
        await send(start())
        await send(body())

    client = Client(application, lifespan=lifespan)
    await client.application.startup()
    client.send(GET)
    await client.answer()
    assert "state" not in scopes[0]
    await client.application.cleanup()


async def test_websocket_is_served_as_the_request_that_it_is() -> None:
    """The scope is of type http, and the upgrade doesn't happen."""
    scopes: list[Scope] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await send(start(426))
        await send(body())

    upgrade = b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
    answer = await ask(application, GET.replace(b"\r\n\r\n", upgrade))
    assert (scopes[0]["type"], answer.status) == ("http", 426)
    assert (b"upgrade", b"websocket") in scopes[0]["headers"]


async def test_large_upload_is_echoed() -> None:
    """Both ways at once, in parts, without a part that is lost or held back for ever."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        has_more = True
        while has_more:
            message = await receive()
            has_more = message["more_body"]
            await send(body(message["body"], more_body=has_more))

    content = bytes(range(256)) * 4096
    client = Client(application)
    client.send(post(f"Content-Length: {len(content)}"))
    for begin in range(0, len(content), 10_000):
        client.send(content[begin : begin + 10_000])
        await asyncio.sleep(0)
    assert (await client.answer()).content == content
