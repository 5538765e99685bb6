"""WSGI applications behind protocol's application seam (PEP 3333)."""

from __future__ import annotations

import asyncio
import inspect
import io
import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any
from wsgiref.types import WSGIApplication

from aiohttp.protocol import Exchange, HttpException, TakenExchange, shown

from ..fields import FieldRule
from .async_input import AsyncInput, SpooledInput
from .call import Call, error_to_answer
from .coroutine import (
    LoopOutlet,
    answer_on_loop,
    close_answer,
    is_coroutine_application,
    move_to_loop,
)
from .environ import Environ, make_environ
from .handover import Handover
from .input import PIECE, BlockingInput
from .response import Response
from .spool import read_up_to, spool
from .steps import End, GoOn, ReadBody, SendFile, Step, Whole, perform
from .threads import ThreadPool, call_in_thread

if TYPE_CHECKING:
    from ..hooks import RequestHooks

__all__ = ["WsgiApplication"]

READ_FIRST = 64 * 1024
"""So much of a body is read before the application starts: most clients wait on no thread."""


class WsgiApplication:
    """Serves a WSGI application: an ``Application`` in the sense of ``aiohttp.protocol``.

    A plain application runs in the threads of ``pool``, never on the loop; a
    coroutine function on the loop. ``environ`` is what is the same for every
    request (``base_environ``), ``fields`` the rule by which a request's fields get
    into it. What the application raises goes to ``log``. ``hooks`` are called where
    the application runs.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        environ: Mapping[str, Any],
        pool: ThreadPool,
        log: logging.Logger,
        fields: FieldRule | None = None,
        hooks: RequestHooks | None = None,
    ) -> None:
        self._application = application
        self._is_coroutine = is_coroutine_application(application)
        self._environ: Environ = {**environ, "wsgi.async": False}
        if self._is_coroutine:
            self._environ["wsgi.multithread"] = False
        self._pool = pool
        self._log = log
        self._fields = fields
        self._hooks = hooks
        self._closing: set[asyncio.Task[None]] = set()

    async def cleanup(self) -> None:
        """Call the application's own ``close()``, if it has one; a plain one in a thread."""
        if self._closing:
            await asyncio.wait(self._closing)
        # That of a class is for its instances, which are answers (PEP 3333's AppClass).
        close = getattr(self._application, "close", None)
        if close is None or isinstance(self._application, type):
            return
        closing = close() if inspect.iscoroutinefunction(close) else await call_in_thread(close)
        if inspect.isawaitable(closing):
            await closing

    def take_exchange(self, exchange: TakenExchange) -> Callable[[], object] | None:
        """Have the application called, if there is nothing to wait for but its answer.

        If that comes as a whole, no task has to wait for it; otherwise ``handle_exchange``
        goes on from there. A hello takes 15.4 instead of 19.8 µs of processor time.
        """
        head = exchange.head
        if self._is_coroutine or head.content_length or head.chunked:
            return None
        environ = self._make_environ(exchange)
        steps = Handover(self._pool, exchange, self._note_dropped)
        steps.taken = exchange
        self._begin(exchange, environ, io.BytesIO(), steps)
        return steps.abandon

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request with what the application says."""
        call = exchange.request
        if isinstance(call, Call):  # it was taken, and the first step is here
            await self._follow(exchange, call, io.BytesIO())
            return
        environ = self._make_environ(exchange)
        if self._is_coroutine:
            await self._run_on_loop(exchange, environ)
            return
        head = exchange.head
        steps = Handover(self._pool, exchange, self._note_dropped)
        source: BlockingInput | None = None
        if not head.content_length and not head.chunked:
            file: IO[bytes] = io.BytesIO()
        else:
            file, source = await self._open_input(exchange, steps)
            if head.chunked and source is None:
                _tell_length(environ, file)
        call = self._begin(exchange, environ, file, steps)
        try:
            await self._follow(exchange, call, file, source)
        finally:
            if source is not None:
                source.end()

    def _make_environ(self, exchange: Exchange) -> Environ:
        return make_environ(exchange, self._environ, self._fields, keeper=self)

    def _begin(
        self, exchange: Exchange, environ: Environ, file: IO[bytes], steps: Handover
    ) -> Call:
        """Have the application called in a thread."""
        environ["wsgi.input"] = file
        environ["wsgi.early_hints"] = steps.post_hints
        call = Call(self._application, environ, steps, exchange, self._hooks)
        exchange.request = call  # for whoever wants to know what this request waits for
        steps.ticket = self._pool.submit(call.run)
        return call

    async def _follow(
        self,
        exchange: Exchange,
        call: Call,
        file: IO[bytes],
        source: BlockingInput | None = None,
    ) -> None:
        """Answer with the steps of a call."""
        try:
            last = await _take_steps(exchange, call.steps, source)
            if last is not None:
                await self._go_on(exchange, call, _move_input(exchange, file, source), last.answer)
        finally:
            call.steps.abandon()

    async def _open_input(
        self, exchange: Exchange, steps: Handover
    ) -> tuple[IO[bytes], BlockingInput | None]:
        """Return what the application reads, and where that comes from if it isn't all there.

        Most bodies are read before, so that no thread waits for them. Not those of clients that
        wait for ``100 Continue``: it is the application's to give, where it has several threads.
        """
        body = exchange.body
        if self._pool.most == 1:
            file = await spool(body)
            steps.own(file)
            return file, None
        first = b""
        if not exchange.head.expect_continue:
            first = await read_up_to(body, READ_FIRST)
            if body.at_eof():
                return io.BytesIO(first), None
        source = BlockingInput(lambda size: steps.post(ReadBody(size)), steps.client, first)
        return io.BufferedReader(source, PIECE), source

    # Coroutines.

    async def _run_on_loop(self, exchange: Exchange, environ: Environ) -> None:
        """Serve a coroutine function."""
        outlet = LoopOutlet(exchange)
        response = Response(outlet, is_head=exchange.head.method == "HEAD")
        move_to_loop(environ, AsyncInput(exchange.body), outlet)
        with self._on_loop(exchange, environ):
            if self._hooks is not None:
                self._hooks.before(exchange)
            answer = self._application(environ, response.start_response)
            await answer_on_loop(response, outlet, answer)

    async def _go_on(
        self, exchange: Exchange, call: Call, content: AsyncInput, answer: Any
    ) -> None:
        """Serve what an application has returned in its thread for the loop to run."""
        outlet = call.response.outlet = LoopOutlet(exchange)
        exchange.request = None  # not in the thread any more
        move_to_loop(call.environ, content, outlet)
        with self._on_loop(exchange, call.environ):
            await answer_on_loop(call.response, outlet, answer)

    @contextmanager
    def _on_loop(self, exchange: Exchange, environ: Environ | None) -> Generator[None]:
        try:
            yield
        except GeneratorExit:
            raise
        except BaseException as exc:
            if isinstance(exc, asyncio.CancelledError) and _is_cancelled():
                raise
            if (error := error_to_answer(exc)) is exc:
                raise  # as it is: "from" would hide what it was raised for
            raise error from error.__cause__
        finally:
            if self._hooks is not None:
                self._hooks.after(exchange, environ)

    def _note_dropped(self, exchange: Exchange, step: Step) -> None:
        """Take note of what nobody waits for any more, since the client has gone."""
        if isinstance(step, End) and step.error is not None:
            head = exchange.head
            self._log.error(
                "error after the client of %s %s went",
                head.method,
                shown(head.target),
                exc_info=step.error,
            )
        elif isinstance(step, SendFile):
            step.file.close()
        elif isinstance(step, GoOn):
            closing = asyncio.create_task(self._discard(exchange, step.answer))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _discard(self, exchange: Exchange, answer: Any) -> None:
        """Close what an application has returned for the loop when its client had gone."""
        try:
            with self._on_loop(exchange, None):
                await close_answer(answer)
        except Exception as exc:  # noqa: BLE001
            self._note_dropped(exchange, End(exc))


def _tell_length(environ: Environ, file: IO[bytes]) -> None:
    """Tell of a chunked body that is all there what one with a length has.

    RFC 9112, section 7.1.3. Django reads no more than it knows the length of, and
    Bottle would look for the framing once more.
    """
    environ["CONTENT_LENGTH"] = str(file.seek(0, io.SEEK_END))
    file.seek(0)
    environ.pop("HTTP_TRANSFER_ENCODING", None)


async def _take_steps(
    exchange: Exchange, steps: Handover, source: BlockingInput | None
) -> GoOn | None:
    """Do what the application's thread says, until it has ended, or wants the loop to go on.

    Raises:
        Exception: what the connection has to answer for.
    """
    while True:
        step = await steps.next()
        if isinstance(step, Whole):  # nearly always: 0.3 µs less than by perform()
            status, reason, fields, body, is_end = step
            await exchange.respond(status, fields, body, reason=reason)
            if is_end:
                return None
        elif isinstance(step, End):
            if step.error is not None:
                raise step.error
            return None
        elif isinstance(step, GoOn):
            return step
        elif isinstance(step, ReadBody):
            if source is not None:
                source.feed(await _read(exchange, step.size))
        elif isinstance(step, SendFile):
            with step.file:
                await perform(exchange, step)
        else:
            await perform(exchange, step)
            steps.note_done(step)


def _is_cancelled() -> bool:
    """Tell whether the request was cancelled; else it is something that the application awaits."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _move_input(exchange: Exchange, file: IO[bytes], source: BlockingInput | None) -> AsyncInput:
    """Return the body for the loop, without what was read of it in the application's thread."""
    if source is not None:
        source.leave()
    elif not isinstance(file, io.BytesIO):
        return SpooledInput(file)
    if not file.closed and (unread := file.read()):
        exchange.body.unread_data(unread)
    return AsyncInput(exchange.body)


async def _read(exchange: Exchange, size: int) -> bytes | Exception:
    """Return a piece of the body, or the error: it is for the application's thread."""
    try:
        return await exchange.body.read(size)
    except HttpException as exc:
        return exc
