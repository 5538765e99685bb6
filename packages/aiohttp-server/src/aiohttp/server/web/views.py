"""A class with a method for each method of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final

from aiohttp.protocol import hdrs
from aiohttp.protocol.abc import AbstractView

if TYPE_CHECKING:
    from .stream_response import StreamResponse

__all__ = ["View"]

# A method is looked up by a name that the client sends: by no other than these.
_METHODS: Final = {method: method.lower() for method in sorted(hdrs.METH_ALL)}


class View(AbstractView):
    """Answers a request by its method ``get``, ``post`` … of that name; others get 405.

    ::

        class Users(web.View):
            async def get(self):
                return web.Response(text=self.request.match_info["name"])


        app.router.add_view("/users/{name}", Users)

    HEAD is answered by ``get`` where there is no ``head`` (RFC 9110, section 9.1: who
    has the one must have the other).
    """

    def __await__(self) -> Generator[Any, None, StreamResponse]:
        return self._answer().__await__()

    async def _answer(self) -> StreamResponse:
        handler = self._handler_of(self.request.method)
        if handler is None:
            from .exceptions import HTTPMethodNotAllowed

            allowed = [method for method in _METHODS if self._handler_of(method) is not None]
            raise HTTPMethodNotAllowed(self.request.method, allowed)
        return await handler()

    def _handler_of(self, method: str) -> Callable[[], Coroutine[Any, Any, StreamResponse]] | None:
        name = _METHODS.get(method)
        if name is None:
            return None
        found: Callable[[], Coroutine[Any, Any, StreamResponse]] | None = getattr(self, name, None)
        return getattr(self, "get", None) if found is None and method == hdrs.METH_HEAD else found
