"""What happens to one request: who answers it, and what becomes of errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiohttp.protocol import (
    InvalidUse,
    LimitExceeded,
    MethodNotAllowed,
    PeerDisconnected,
    RemoteProtocolError,
    shown,
)
from aiohttp.protocol.abc import AbstractMatchInfo
from aiohttp.protocol.hdrs import METH_ANY

from .exceptions import HTTPException, HTTPMethodNotAllowed, exception_class
from .matchinfo import MatchInfoError, UrlMappingMatchInfo
from .middlewares import Handler, bind, in_application
from .routes import AbstractRoute
from .stream_response import StreamResponse

if TYPE_CHECKING:
    from yarl import URL

    from .application import Application
    from .request import Request

__all__ = [
    "adopt",
    "answer_for_error",
    "chain_of",
    "http_exception_of",
    "match_of_refusal",
    "require_response",
]


def http_exception_of(exc: RemoteProtocolError) -> HTTPException:
    """Return the answer to a request that breaks a rule of HTTP, or exceeds a limit."""
    if isinstance(exc, MethodNotAllowed):
        return HTTPMethodNotAllowed(exc.method, sorted(exc.allowed)).say(exc.message)
    refusal = exception_class(exc.status)().say(exc.message)
    if isinstance(exc, LimitExceeded) and not exc.is_counted:
        refusal.limit_name = exc.name or type(exc).__name__
    return refusal


def match_of_refusal(exc: RemoteProtocolError) -> UrlMappingMatchInfo:
    """Return who answers a request that the connection could not take: nobody."""
    return MatchInfoError(http_exception_of(exc))


def adopt(found: AbstractMatchInfo) -> UrlMappingMatchInfo:
    """Return what a router of the program's own found, as the application wants it."""
    if isinstance(found, UrlMappingMatchInfo):
        return found
    values: Mapping[str, str] = found if isinstance(found, Mapping) else {}
    return UrlMappingMatchInfo(values, _AdoptedRoute(found))


class _AdoptedRoute(AbstractRoute):
    """Stands for the route that a router of the program's own has in mind."""

    def __init__(self, found: AbstractMatchInfo) -> None:
        super().__init__(METH_ANY, found.handler, expect_handler=found.expect_handler)
        self._found = found

    @property
    def name(self) -> None:
        """None: nobody knows."""
        return None

    def get_info(self) -> Mapping[str, Any]:
        """Return what the router found."""
        return {"match_info": self._found}

    def url_for(self, *args: str, **kwargs: str) -> URL:
        """Refuse: only that router could tell.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"{self._found!r} has no URL")


async def chain_of(match_info: UrlMappingMatchInfo) -> Handler:
    """Return the handler with the middlewares of all its applications around it.

    It is made once for each route, and anew for a 404 or 405, which has none.
    """
    handler: Handler = match_info.handler
    apps = match_info.apps
    if any(app.middlewares for app in apps):
        handler = _translating(handler)
        for app in reversed(apps):
            for each in reversed(app.middlewares):
                handler = await bind(each, app, handler)
            if len(apps) > 1:
                handler = in_application(handler, app)
    if match_info.http_exception is None:
        match_info.route.chain = handler
    return handler


def _translating(handler: Handler) -> Handler:
    """Return a handler whose middlewares see an error in a request's body as HTTPException."""

    async def translated(request: Request) -> StreamResponse:
        try:
            return await handler(request)
        except PeerDisconnected:
            raise  # nobody is there to be answered
        except RemoteProtocolError as exc:
            raise http_exception_of(exc) from exc

    translated.__name__ = getattr(handler, "__name__", "handler")
    translated.__qualname__ = getattr(handler, "__qualname__", "handler")
    translated.__doc__ = handler.__doc__
    return translated


def require_response(request: Request, response: object) -> StreamResponse:
    """Return what a handler returned, if it is a response.

    Raises:
        InvalidUse: if it isn't, or another one has been begun already, unless that failed.
    """
    if not isinstance(response, StreamResponse):
        handler = request.match_info.handler
        name = getattr(handler, "__qualname__", repr(handler))
        raise InvalidUse(
            f"the handler {name} of {request.method} {shown(request.path)} returned "
            f"{type(response).__name__}, expected a response, such as web.Response()"
        )
    begun = request._response if request.exchange.response_status else None  # noqa: SLF001
    if begun is not None and begun is not response and not isinstance(response, HTTPException):
        raise InvalidUse(
            f"expected {begun!r}, which was prepared, to be returned, got {response!r}"
        )
    return response


def answer_for_error(app: Application, request: Request, exc: Exception) -> StreamResponse:
    """Log what a handler raised, and return what the user sees: nothing of it.

    In debug mode the user is a programmer, and sees all of it.
    """
    from .errorpage import error_response

    app.logger.error(
        "error in the handler of %s %s [request %s]",
        request.method,
        shown(request.path),
        request.id,
        exc_info=exc,
    )
    return error_response(request, exc)
