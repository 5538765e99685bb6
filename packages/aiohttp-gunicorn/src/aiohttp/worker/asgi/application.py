"""ASGI applications behind protocol's application seam (ASGI 3)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Literal, cast

from aiohttp.protocol import (
    Exchange,
    IncompleteRead,
    PeerDisconnected,
    RemoteProtocolError,
    RequestHead,
    shown,
)

from ..fields import DROP_AMBIGUOUS, FieldRule
from .http import HeldHeads, HttpCall
from .lifespan import Lifespan
from .messages import AsgiCallable
from .request import ClientLeft
from .scope import Scopes

__all__ = ["AsgiApplication"]


class AsgiApplication:
    """Serves an ASGI application: an ``Application`` in the sense of ``aiohttp.protocol``.

    Requests to speak another protocol, such as websockets, are served as the HTTP
    requests that they are.

    Args:
        application: called with scope, receive and send for each request.
        log: what goes to nobody else is logged here. If it takes debug messages, then
            applications may send theirs, by the extension ``http.response.debug``.
        lifespan: whether the application is told of start and end; see ``Lifespan``.
        root_path: where it is mounted, as SCRIPT_NAME in WSGI.
        disconnect_grace: seconds from ``http.disconnect`` to the end of a call that
            goes on although its client has gone.
        fields: sifts the fields of requests.
    """

    def __init__(
        self,
        application: AsgiCallable,
        *,
        log: logging.Logger,
        lifespan: Literal["auto", "on", "off"] = "auto",
        root_path: str = "",
        disconnect_grace: float = 3.0,
        fields: FieldRule = DROP_AMBIGUOUS,
    ) -> None:
        self.disconnect_grace = disconnect_grace
        self._application = application
        self._log = log
        self._heads = HeldHeads()
        self._lifespan = Lifespan(application, lifespan, log)
        offers_debug = log.isEnabledFor(logging.DEBUG)
        self._scopes = Scopes(root_path=root_path, fields=fields, offers_debug=offers_debug)

    async def startup(self) -> None:
        """Let the application start.

        Raises:
            BootError: if it says that it can't, or doesn't know of lifespan but must.
        """
        await self._lifespan.startup()

    async def cleanup(self) -> None:
        """Let the application end; return when it has. Cancelled, it is cancelled, too."""
        await self._lifespan.shutdown()

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request with what the application sends."""
        scope = self._scopes.make(exchange)
        if (state := self._lifespan.state) is not None:
            scope["state"] = state.copy()
        call = HttpCall(exchange, self._heads, self._log, self.disconnect_grace)
        try:
            await self._application(scope, call.receive, call.send)
        except BaseException as exc:
            error = self._answerable(exc, exchange, call)
            if error is exc:
                raise
            if error is not None:
                raise error from exc
        else:
            if (failure := _failure(exchange, call)) is not None:
                raise failure

    def _answerable(
        self, exc: BaseException, exchange: Exchange, call: HttpCall
    ) -> BaseException | None:
        """Return what the connection answers for after the application raised; None: nothing."""
        if isinstance(exc, GeneratorExit):
            return exc  # there is no loop any more
        task = asyncio.current_task()
        if isinstance(exc, asyncio.CancelledError) and (task is None or task.cancelling()):
            return exc
        if (failure := _failure(exchange, call)) is not None:
            self._note_giving_up(exc, exchange.head, call.broken)
            return failure
        if exchange.is_disconnected:
            self._note_giving_up(exc, exchange.head, None)
            return None
        if isinstance(exc, Exception) and not isinstance(exc, RemoteProtocolError):
            return exc
        # SystemExit would end the loop. And if the application is a client of others,
        # whose fault this is, then our client is not to blame.
        return RuntimeError(f"the application raised {exc!r}")

    def _note_giving_up(
        self, exc: BaseException, head: RequestHead, broken: RemoteProtocolError | None
    ) -> None:
        """Log what an application raised whose request had failed, but for what we told it by."""
        if any(each is broken or isinstance(each, PeerDisconnected) for each in _causes(exc)):
            return
        self._log.info(
            "%s %s: the application raised %r after %s",
            head.method,
            shown(head.target),
            exc,
            "its client had gone"
            if broken is None
            else f"its request had failed: {broken.message}",
            exc_info=exc if self._log.isEnabledFor(logging.DEBUG) else None,
        )


def _failure(exchange: Exchange, call: HttpCall) -> RemoteProtocolError | None:
    """Return what the connection answers for if the request failed, and so its call ended early.

    Within a response whose client has left that is nothing but the connection's end.
    """
    if call.broken is None or not exchange.response_status:
        return call.broken
    if isinstance(call.broken, ClientLeft | IncompleteRead) and not call.is_answered:
        return PeerDisconnected(call.broken.message)
    return None


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it was raised from, with, or for."""
    found: list[BaseException | None] = [exc]
    seen: set[int] = set()
    while found:
        each = found.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        found += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            found += cast("BaseExceptionGroup[BaseException]", each).exceptions
