"""What ``request()`` and ``close()`` return: coroutines by the ABC, and a little more."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .response import HttpResponse

__all__ = ["FINISHED", "Finished", "RequestContext"]


class RequestContext(Coroutine[Any, Any, "HttpResponse"]):
    """A request that is sent when it is awaited.

    ``response = await …``, ``async with … as response`` (which lets go of the
    response at its end), ``create_task(…)``, and ``yield from …`` in a generator
    marked ``types.coroutine``.
    """

    __slots__ = ("_coroutine", "_response")

    __name__ = "request"  # of the coroutine, in what asyncio says about a task

    def __init__(self, coroutine: Coroutine[Any, Any, HttpResponse]) -> None:
        self._coroutine = coroutine
        self._response: HttpResponse | None = None

    def send(self, value: Any) -> Any:
        """Go on, as ``Coroutine.send``."""
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error where the request waits, as ``Coroutine.throw``."""
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """Give up the request."""
        self._coroutine.close()

    def __await__(self) -> Generator[Any, None, HttpResponse]:
        return self._coroutine.__await__()

    __iter__ = __await__

    async def __aenter__(self) -> HttpResponse:
        self._response = response = await self._coroutine
        return response.enter()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._response is not None:
            self._response.release()


class Finished(Coroutine[Any, Any, None]):
    """What a method returns that has done its work already: to be awaited, or dropped.

    Awaiting it gives the loop one turn, in which transports let go of their sockets.
    """

    __slots__ = ()

    def send(self, value: Any) -> Any:
        """End at once, as a finished coroutine."""
        raise StopIteration

    def throw(self, *error: Any) -> Any:
        """Raise the error: there is nobody here to catch it."""
        raise error[0]

    def close(self) -> None:
        """Do nothing: it has ended."""

    def __await__(self) -> Generator[Any, None, None]:
        yield

    __iter__ = __await__


FINISHED: Final = Finished()
