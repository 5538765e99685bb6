"""Coroutine WSGI: applications that answer on the event loop, with an input to be awaited.

A coroutine function, or an asynchronous generator function, of ``(environ,
start_response)`` never sees a thread. A plain callable is called in one, as always;
if it returns an awaitable or an asynchronous iterable, that runs on the loop.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterable, Iterable
from typing import Any

from aiohttp.protocol import Exchange, InvalidUse

from ..heads import parse_hints
from .async_input import AsyncInput
from .environ import Environ, FileWrapper
from .response import Response
from .steps import Chunk, Inform, SendFile, Step, perform

__all__ = [
    "LoopOutlet",
    "answer_on_loop",
    "close_answer",
    "is_coroutine_application",
    "move_to_loop",
]


class LoopOutlet:
    """Sends what an application answers on the loop.

    Steps wait here until ``flush``, which the one who runs the application awaits
    after each thing that it yields.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._due: deque[Step] = deque()
        self._error: Exception | None = None
        self._lock = asyncio.Lock()
        self._flushes: set[asyncio.Task[None]] = set()

    def post(self, step: Step) -> None:
        """Keep a step for ``flush``."""
        self._due.append(step)

    def post_chunk(self, data: bytes) -> None:
        """Keep a part of the body for ``flush``."""
        self._due.append(Chunk(data))

    def post_file(self, step: SendFile) -> None:
        """Keep a file for ``flush``; it may be closed after that."""
        self._due.append(step)

    def post_hints(self, headers: Iterable[tuple[str | bytes, str | bytes]]) -> object:
        """Send early hints soon: ``wsgi.early_hints``.

        Raises:
            LocalProtocolError: if a header can't be sent.
        """
        self.post(Inform(parse_hints(headers)))
        return self.written()

    def written(self) -> asyncio.Task[None]:
        """Flush soon; what ``write()`` returns. Who awaits it writes no faster than is read."""
        task = asyncio.create_task(self.flush())
        self._flushes.add(task)
        task.add_done_callback(self._note_flushed)
        return task

    async def flush(self) -> None:
        """Send what is due.

        Raises:
            PeerDisconnected: if the client has gone.
            LocalProtocolError: if the response would have a hole: a step before was wrong, or
                its flush was cancelled half way.
        """
        async with self._lock:
            while self._due and self._error is None:
                await self._perform(self._due.popleft())
            if self._error is not None:
                raise self._error

    async def _perform(self, step: Step) -> None:
        try:
            await perform(self._exchange, step)
        except Exception as exc:  # noqa: BLE001 - raised by flush, now and from then on
            self._error = exc
        except asyncio.CancelledError:
            self._error = InvalidUse("a write() was cancelled before all of it was sent")
            raise

    def close(self) -> None:
        """Give up what is still due."""
        self._due.clear()
        for task in self._flushes:
            task.cancel()

    def _note_flushed(self, task: asyncio.Task[None]) -> None:
        self._flushes.discard(task)
        if not task.cancelled():
            task.exception()  # of an application that didn't wait for it: the last flush raises it


def is_coroutine_application(application: object) -> bool:
    """Tell whether an application answers on the loop from its first line on."""
    called = (application, getattr(type(application), "__call__", None))  # noqa: B004
    return any(
        inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each) for each in called
    )


def move_to_loop(environ: Environ, content: AsyncInput, outlet: LoopOutlet) -> None:
    """Tell an application by its environ that it runs on the loop."""
    environ["wsgi.async"] = True
    environ["wsgi.input"] = content
    environ["wsgi.early_hints"] = outlet.post_hints


async def answer_on_loop(response: Response, outlet: LoopOutlet, answer: Any) -> None:
    """Send what an application has returned, once it is awaited, and close it."""
    try:
        if inspect.isawaitable(answer):
            answer = await answer
        await _send(response, outlet, answer)
        response.finish()
        await outlet.flush()
    finally:
        outlet.close()
        await close_answer(answer)


async def _send(
    response: Response, outlet: LoopOutlet, answer: AsyncIterable[bytes] | Iterable[bytes]
) -> None:
    if isinstance(answer, AsyncIterable):
        async for data in answer:
            response.send(data)
            await outlet.flush()
    elif isinstance(answer, (list, tuple)):
        response.send_list(answer)
    elif isinstance(answer, FileWrapper):
        response.send_file(answer)
        await outlet.flush()
    else:
        for data in answer:
            response.send(data)
            await outlet.flush()


async def close_answer(answer: Any) -> None:
    """Call ``close()`` of what an application has returned (PEP 3333), or a generator's own."""
    close = getattr(answer, "close", None) or getattr(answer, "aclose", None)
    if close is None:
        close = getattr(answer, "cancel", None)  # a future that nobody has awaited
    if close is not None and inspect.isawaitable(closing := close()):
        await closing
