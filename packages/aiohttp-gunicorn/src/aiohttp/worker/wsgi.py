"""WSGI applications behind protocol's application seam (PEP 3333)."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Mapping
from typing import Any
from wsgiref.types import WSGIApplication

from aiohttp.protocol import Exchange, HttpException, RequestHead

from .call import Call
from .environ import make_environ
from .input import PIECE, BlockingInput
from .steps import Chunk, End, Finish, ReadBody, SendFile, Start, Steps, Whole
from .threads import Inbox, ThreadPool

__all__ = ["WsgiApplication"]

READ_FIRST = 64 * 1024
"""Up to here a body is read before the application starts: no thread waits for a slow client."""


class WsgiApplication:
    """Serves a WSGI application: an ``Application`` in the sense of ``aiohttp.protocol``.

    The application runs in one of ``threads`` threads, never on the loop.
    ``environ`` is what is the same for every request (``base_environ``). What
    the application raises goes to ``log``.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        environ: Mapping[str, Any],
        threads: int,
        log: logging.Logger,
    ) -> None:
        self._application = application
        self._environ = environ
        self._log = log
        self._inbox = Inbox()
        self._pool = ThreadPool(threads, self._inbox)

    async def startup(self) -> None:
        """Start the threads; what they have to say comes to the running loop."""
        self._inbox.open(asyncio.get_running_loop())
        self._pool.start()

    async def cleanup(self) -> None:
        """Return when every thread has ended; a blocked application takes as long as it takes."""
        await self._pool.stop()

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request with what the application says."""
        head = exchange.head
        environ = make_environ(exchange, self._environ)
        steps = Steps(self._inbox, lambda error: self._log_missed(head, error))
        source: BlockingInput | None = None
        length = 0 if head.content_length is None else head.content_length
        if not head.chunked and length == 0:
            environ["wsgi.input"] = io.BytesIO()
        elif not head.chunked and length <= READ_FIRST and not head.expect_continue:
            environ["wsgi.input"] = io.BytesIO(await exchange.body.read())
        else:
            source = BlockingInput(lambda size: steps.post(ReadBody(size)))
            environ["wsgi.input"] = io.BufferedReader(source, PIECE)
        self._pool.submit(Call(self._application, environ, steps).run)
        try:
            await _take_steps(exchange, steps, source)
        finally:
            steps.abandon()
            if source is not None:
                source.end()

    def _log_missed(self, head: RequestHead, error: Exception) -> None:
        self._log.error(
            "error after the client of %s %s went", head.method, head.target, exc_info=error
        )


async def _take_steps(exchange: Exchange, steps: Steps, source: BlockingInput | None) -> None:
    """Do what the application's thread says, until it has ended."""
    while True:
        match await steps.next():
            case Whole(status, reason, fields, body):
                await exchange.respond(status, fields, body, reason=reason)
            case Start(status, reason, fields):
                await exchange.start(status, fields, reason=reason)
            case Chunk(data) as step:
                await exchange.write(data)
                steps.note_written(step)
            case SendFile(file, offset, size) as step:
                await exchange.sendfile(file, offset, size)
                steps.note_written(step)
            case Finish():
                await exchange.finish()
            case ReadBody(size):
                if source is not None:
                    source.feed(await _read(exchange, size))
            case End(error):
                if error is not None:
                    raise error
                return


async def _read(exchange: Exchange, size: int) -> bytes | Exception:
    """Return a piece of the body, or the error: it is for the application's thread."""
    try:
        return await exchange.body.read(size)
    except HttpException as exc:
        return exc
