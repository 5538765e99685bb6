"""Middlewares: coroutines around the handlers of an application, in two documented styles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import update_wrapper
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from .application import Application
    from .request import Request
    from .stream_response import StreamResponse

__all__ = [
    "Handler",
    "Middleware",
    "bind",
    "check_middlewares",
    "in_application",
    "is_factory",
    "middleware",
]

Handler: TypeAlias = "Callable[[Request], Awaitable[StreamResponse]]"
"""What answers a request."""

Middleware: TypeAlias = (
    "Callable[[Request, Handler], Awaitable[StreamResponse]] | MiddlewareFactory"
)
"""A coroutine function that gets the request, and the handler that it may await."""

MiddlewareFactory: TypeAlias = "Callable[[Application, Handler], Awaitable[Handler]]"
"""The style of old: a coroutine function that makes a handler out of a handler."""

_F = TypeVar("_F", bound=Callable[..., Any])


def middleware(f: _F) -> _F:
    """Mark a coroutine function ``f(request, handler)`` as a middleware.

    ::

        @web.middleware
        async def with_header(request, handler):
            response = await handler(request)
            response.headers["X-Powered-By"] = "tea"
            return response

    Errors come to a middleware as exceptions of ``handler``: those of the program, of
    the router (404, 405), and of the parser (400, 408, 431 …), whose request was refused.
    """
    f.__middleware_version__ = 1  # type: ignore[attr-defined]
    return f


def check_middlewares(middlewares: Iterable[object]) -> None:
    """Refuse what can't be a middleware, before the first request finds it out.

    Raises:
        TypeError: which names what was given.
    """
    for each in middlewares:
        if not callable(each):
            raise TypeError(f"expected a coroutine function as middleware, got {each!r}")


def is_factory(f: Middleware) -> bool:
    """Tell whether a middleware is of the old style, ``f(app, handler)``.

    What is marked by ``middleware`` is not. Of the others those are whose first
    parameter is named ``app``, as documented for that style.
    """
    if getattr(f, "__middleware_version__", 0) == 1:
        return False
    first = next(iter(signature(f).parameters.values()), None)
    return first is not None and first.kind is not Parameter.KEYWORD_ONLY and first.name == "app"


async def bind(f: Middleware, app: Application, handler: Handler) -> Handler:
    """Return a handler that runs ``f`` around ``handler``."""
    if is_factory(f):
        made: Handler = await f(app, handler)  # type: ignore[arg-type, assignment]
        return made
    return _named_like(lambda request: f(request, handler), handler)  # type: ignore[arg-type, return-value]


def in_application(handler: Handler, app: Application) -> Handler:
    """Return a handler while which runs ``request.app`` is ``app``, whoever calls it."""

    async def inside(request: Request) -> StreamResponse:
        with request.match_info.set_current_app(app):
            return await handler(request)

    return _named_like(inside, handler)


def _named_like(handler: Handler, other: Handler) -> Handler:
    """Return the handler, which says the name of another: a middleware may log it."""
    return update_wrapper(handler, other, updated=())
