"""One call of a WSGI application (PEP 3333), in the thread where it blocks as it likes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING
from wsgiref.types import WSGIApplication

from aiohttp.protocol import Exchange, PeerDisconnected, RemoteProtocolError, shown

from .environ import Environ, FileWrapper
from .handover import ClientGone, Handover
from .input import UnreadableBody
from .response import Response
from .steps import End, GoOn, Whole

if TYPE_CHECKING:
    from ..hooks import RequestHooks

__all__ = ["Call", "error_to_answer"]


class Call:
    """Runs an application once and posts what it answers as steps.

    Attributes:
        environ: what the application was told; it may have changed it as it likes.
        response: the answer in the making.
        steps: where what is answered goes.
    """

    __slots__ = ("_application", "_exchange", "_hooks", "environ", "response", "steps")

    def __init__(
        self,
        application: WSGIApplication,
        environ: Environ,
        steps: Handover,
        exchange: Exchange,
        hooks: RequestHooks | None = None,
    ) -> None:
        self.environ = environ
        self.response = Response(steps, is_head=exchange.head.method == "HEAD")
        self._application = application
        self.steps = steps
        self._exchange = exchange
        self._hooks = hooks

    def __repr__(self) -> str:
        head = self._exchange.head
        return f"<Call {head.method} {shown(head.target)}>"

    def run(self) -> None:
        """Call the application, iterate over its answer, close it; never raises."""
        try:
            last = self._answer() if self._hooks is None else self._answer_with(self._hooks)
        except BaseException as exc:  # noqa: BLE001
            last = self._end_by(exc)
        self.steps.post(last)

    def _end_by(self, exc: BaseException) -> End:
        if isinstance(exc, ClientGone):
            return End()
        if isinstance(exc, UnreadableBody) and self.steps.is_abandoned:
            return End()  # that the request is over was all that is wrong with its body
        return End(error_to_answer(exc))

    def _answer_with(self, hooks: RequestHooks) -> End | GoOn:
        try:
            hooks.before(self._exchange)
            last = self._answer()
        except BaseException:
            self._run_after(hooks)
            raise
        if isinstance(last, GoOn):
            return last
        if isinstance(last, Whole):
            self.steps.post(last._replace(is_end=False))
        self._run_after(hooks)
        return End()

    def _run_after(self, hooks: RequestHooks) -> None:
        self.steps.settle()  # so that it can be told what was sent
        hooks.after(self._exchange, self.environ)

    def _answer(self) -> Whole | End | GoOn:
        response = self.response
        answer = self._application(self.environ, response.start_response)
        close = getattr(answer, "close", None)
        if close is None and isinstance(answer, (list, tuple)):
            return response.whole_of(answer) or End()
        if is_for_the_loop(answer):
            return GoOn(answer)
        try:
            if isinstance(answer, FileWrapper):
                response.send_file(answer)
            else:
                for data in answer:
                    response.send(data)
            response.finish()
        finally:
            if close is not None:
                close()
        return End()


def is_for_the_loop(answer: object) -> bool:
    """Tell whether what an application returned is to be awaited, or iterated over by a loop.

    Not what PEP 3333 can iterate over as well: Django's ``StreamingHttpResponse`` has both
    ways, and by the other one it would read all of an iterator before it sends any.
    """
    if hasattr(answer, "__aiter__"):
        return not hasattr(answer, "__iter__")
    return inspect.isawaitable(answer)


def error_to_answer(exc: BaseException) -> Exception:
    """Return what the connection has to answer for, or log, when this is what was raised."""
    if isinstance(exc, UnreadableBody):
        return exc.cause
    is_ours = not isinstance(exc, RemoteProtocolError) or isinstance(exc, PeerDisconnected)
    if isinstance(exc, Exception) and is_ours:
        return exc
    # SystemExit would end the loop. And if the application is a client of
    # others, whose fault this is, then our client is not to blame.
    error = RuntimeError(f"the application raised {exc!r}")
    error.__cause__ = exc
    return error
