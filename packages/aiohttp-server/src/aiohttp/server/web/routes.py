"""Routes: one method of one resource, and who answers it."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeAlias

from aiohttp.protocol import is_token
from aiohttp.protocol.abc import AbstractView
from aiohttp.protocol.hdrs import METH_ANY

if TYPE_CHECKING:
    from yarl import URL

    from .exceptions import HTTPException
    from .middlewares import Handler
    from .request import Request
    from .resources import AbstractResource
    from .stream_response import StreamResponse

__all__ = ["AbstractRoute", "ExpectHandler", "ResourceRoute", "SystemRoute"]

ExpectHandler: TypeAlias = "Callable[[Request], Awaitable[StreamResponse | None]]"
"""Looks at a request with ``Expect`` before its body comes: a response refuses it."""


class AbstractRoute(ABC):
    """One method, and who answers it.

    Args:
        method: a method's name, in any case, or ``"*"`` for all.
        handler: a coroutine function of the request, a subclass of ``View``, or another
            callable that returns an awaitable.
        expect_handler: a coroutine function; without one the client is told to go on when
            the body is first read.
        resource: the path that it belongs to.

    Attributes:
        chain: the handler with the middlewares around it; the application's to set.

    Raises:
        TypeError: if a handler can't be one.
        ValueError: if the method is no token (RFC 9110, section 9.1).
    """

    def __init__(
        self,
        method: str,
        handler: Handler | type[AbstractView],
        *,
        expect_handler: ExpectHandler | None = None,
        resource: AbstractResource | None = None,
    ) -> None:
        if not (method == METH_ANY or is_token(method)):
            raise ValueError(f"expected a method such as 'GET', or '*' for all, got {method!r}")
        if expect_handler is not None and not _is_coroutine_function(expect_handler):
            raise TypeError(
                f"expected a coroutine function as expect_handler, got {expect_handler!r}"
            )
        self._method = method.upper()
        self._handler = _checked(handler)
        self._expect_handler = expect_handler
        self._resource = resource
        self.chain: Handler | None = None

    @property
    def method(self) -> str:
        """The method, in upper case; ``"*"`` for all."""
        return self._method

    @property
    def handler(self) -> Handler:
        """Who answers."""
        return self._handler

    @property
    @abstractmethod
    def name(self) -> str | None:
        """The resource's name."""

    @property
    def resource(self) -> AbstractResource | None:
        """The path that it belongs to; None for the router's own answers."""
        return self._resource

    @abstractmethod
    def get_info(self) -> Mapping[str, Any]:
        """Return what is known about the resource's path."""

    @abstractmethod
    def url_for(self, *args: str, **kwargs: str) -> URL:
        """Return a URL of the resource; see there."""

    async def handle_expect_header(self, request: Request) -> StreamResponse | None:
        """Look at a request with ``Expect``: None to go on, a response to end it here.

        Going on costs nothing: ``100 Continue`` is sent when the body is first read.
        """
        if self._expect_handler is None:
            return None
        return await self._expect_handler(request)


class ResourceRoute(AbstractRoute):
    """A route of a resource."""

    def __init__(
        self,
        method: str,
        handler: Handler | type[AbstractView],
        resource: AbstractResource,
        *,
        expect_handler: ExpectHandler | None = None,
    ) -> None:
        super().__init__(method, handler, expect_handler=expect_handler, resource=resource)
        self._of = resource

    def __repr__(self) -> str:
        return f"<ResourceRoute [{self.method}] {self._of!r} -> {_name(self.handler)}>"

    @property
    def name(self) -> str | None:
        """The resource's name."""
        return self._of.name

    def get_info(self) -> Mapping[str, Any]:
        """Return what is known about the resource's path."""
        return self._of.get_info()

    def url_for(self, *args: str, **kwargs: str) -> URL:
        """Return a URL of the resource; see there."""
        return self._of.url_for(*args, **kwargs)


class SystemRoute(AbstractRoute):
    """The router's own answer: it raises 404 or 405."""

    def __init__(self, http_exception: HTTPException) -> None:
        super().__init__(METH_ANY, self._handle)
        self._exception = http_exception

    def __repr__(self) -> str:
        return f"<SystemRoute {self.status}: {self.reason}>"

    async def _handle(self, request: Request) -> StreamResponse:
        raise self._exception

    @property
    def name(self) -> str | None:
        """None: there is no resource."""
        return None

    @property
    def status(self) -> int:
        """The answer's status."""
        return self._exception.status

    @property
    def reason(self) -> str:
        """The answer's reason phrase."""
        return self._exception.reason

    def get_info(self) -> Mapping[str, Any]:
        """Return the answer."""
        return {"http_exception": self._exception}

    def url_for(self, *args: str, **kwargs: str) -> URL:
        """Refuse: no URL leads here.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"{self!r} has no URL")


def _name(handler: Any) -> str:
    return getattr(handler, "__qualname__", None) or repr(handler)


def _is_coroutine_function(function: Any) -> bool:
    """Tell whether calling it makes a coroutine, as far as that can be seen."""
    while isinstance(function, partial):
        function = function.func
    call = getattr(function, "__call__", None)  # noqa: B004 - a method of objects that are called
    return any(
        inspect.iscoroutinefunction(each) for each in (function, inspect.unwrap(function), call)
    )


def _checked(handler: Handler | type[AbstractView]) -> Handler:
    """Return a handler that may be awaited, or say what is wrong with it.

    Raises:
        TypeError: if it can't be called, or would surely not return an awaitable.
    """
    kinds = "an async function, or a subclass of web.View"
    if isinstance(handler, type):
        if not issubclass(handler, AbstractView):
            raise TypeError(f"expected {kinds} as handler, got the class {_name(handler)}")
        return handler
    if not callable(handler):
        raise TypeError(f"expected {kinds} as handler, got {handler!r}")
    if _is_coroutine_function(handler):
        return handler
    if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
        raise TypeError(f"expected {kinds} as handler, but {_name(handler)} is a generator")
    return _awaiting(handler)


def _awaiting(handler: Callable[[Request], Any]) -> Handler:
    """Return a handler that awaits what another returns, which may have forgotten its async."""

    @wraps(handler)
    async def awaiting(request: Request) -> StreamResponse:
        result = handler(request)
        if not inspect.isawaitable(result):
            raise TypeError(
                f"the handler {_name(handler)} returned {type(result).__name__}, expected an "
                f"awaitable: is it 'async def {getattr(handler, '__name__', 'handler')}'?"
            )
        response: StreamResponse = await result
        return response

    return awaiting
