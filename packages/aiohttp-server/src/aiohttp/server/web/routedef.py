"""Routes to be added later: ``web.get(...)`` and its like, and the table of decorators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, TypeVar, Unpack, overload

from aiohttp.protocol import hdrs

if TYPE_CHECKING:
    import os

    from aiohttp.protocol.abc import AbstractView

    from .dispatcher import UrlDispatcher
    from .middlewares import Handler
    from .routes import AbstractRoute, ExpectHandler

__all__ = [
    "AbstractRouteDef",
    "GetOptions",
    "RouteDef",
    "RouteOptions",
    "RouteTableDef",
    "StaticDef",
    "StaticOptions",
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "route",
    "static",
    "view",
]

_AnyHandler: TypeAlias = "Handler | type[AbstractView]"
_H = TypeVar("_H", bound="Callable[..., Any]")


class RouteOptions(TypedDict, total=False):
    """Options of a route, as those of ``UrlDispatcher.add_route``."""

    name: str | None
    expect_handler: ExpectHandler | None


class GetOptions(RouteOptions, total=False):
    """Options of a route of GET, as those of ``UrlDispatcher.add_get``."""

    allow_head: bool


class StaticOptions(TypedDict, total=False):
    """Options of a directory, as those of ``UrlDispatcher.add_static``."""

    name: str | None
    expect_handler: ExpectHandler | None
    chunk_size: int
    show_index: bool
    follow_symlinks: bool
    append_version: bool


class AbstractRouteDef(ABC):
    """Something that adds routes to a router."""

    @abstractmethod
    def register(self, router: UrlDispatcher) -> list[AbstractRoute]:
        """Add the routes, and return them."""


@dataclass(frozen=True, repr=False)
class RouteDef(AbstractRouteDef):
    """A route to be added: method, path, handler, and options of ``add_route``."""

    method: str
    path: str
    handler: _AnyHandler
    kwargs: Mapping[str, Any]

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in sorted(self.kwargs.items()))
        name = getattr(self.handler, "__name__", repr(self.handler))
        return f"<RouteDef {self.method} {self.path} -> {name!r}{options}>"

    def register(self, router: UrlDispatcher) -> list[AbstractRoute]:
        """Add the route, and return it."""
        if self.method == hdrs.METH_GET:  # brings HEAD along
            return [router.add_get(self.path, self.handler, **self.kwargs)]
        return [router.add_route(self.method, self.path, self.handler, **self.kwargs)]


@dataclass(frozen=True, repr=False)
class StaticDef(AbstractRouteDef):
    """A directory to be served: prefix, path, and options of ``add_static``."""

    prefix: str
    path: str | os.PathLike[str]
    kwargs: Mapping[str, Any]

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in sorted(self.kwargs.items()))
        return f"<StaticDef {self.prefix} -> {self.path}{options}>"

    def register(self, router: UrlDispatcher) -> list[AbstractRoute]:
        """Add the directory, and return its routes."""
        return list(router.add_static(self.prefix, self.path, **self.kwargs))


def route(method: str, path: str, handler: _AnyHandler, **kwargs: Unpack[RouteOptions]) -> RouteDef:
    """Return a route of any method, ``"*"`` for all; options are those of ``add_route``."""
    return RouteDef(method, path, handler, {**kwargs})


def head(path: str, handler: _AnyHandler, **kwargs: Unpack[RouteOptions]) -> RouteDef:
    """Return a route of HEAD."""
    return route(hdrs.METH_HEAD, path, handler, **kwargs)


def options(path: str, handler: _AnyHandler, **kwargs: Unpack[RouteOptions]) -> RouteDef:
    """Return a route of OPTIONS."""
    return route(hdrs.METH_OPTIONS, path, handler, **kwargs)


def get(path: str, handler: _AnyHandler, **kwargs: Unpack[GetOptions]) -> RouteDef:
    """Return a route of GET, and of HEAD unless ``allow_head`` is false."""
    return RouteDef(hdrs.METH_GET, path, handler, {"name": None, "allow_head": True, **kwargs})


def post(path: str, handler: _AnyHandler, **kwargs: Unpack[RouteOptions]) -> RouteDef:
    """Return a route of POST."""
    return route(hdrs.METH_POST, path, handler, **kwargs)


def put(path: str, handler: _AnyHandler, **kwargs: Unpack[RouteOptions]) -> RouteDef:
    """Return a route of PUT."""
    return route(hdrs.METH_PUT, path, handler, **kwargs)


def patch(path: str, handler: _AnyHandler, **kwargs: Unpack[RouteOptions]) -> RouteDef:
    """Return a route of PATCH."""
    return route(hdrs.METH_PATCH, path, handler, **kwargs)


def delete(path: str, handler: _AnyHandler, **kwargs: Unpack[RouteOptions]) -> RouteDef:
    """Return a route of DELETE."""
    return route(hdrs.METH_DELETE, path, handler, **kwargs)


def view(path: str, handler: type[AbstractView], **kwargs: Unpack[RouteOptions]) -> RouteDef:
    """Return a route of all methods that a ``View`` has."""
    return route(hdrs.METH_ANY, path, handler, **kwargs)


def static(prefix: str, path: str | os.PathLike[str], **kwargs: Unpack[StaticOptions]) -> StaticDef:
    """Return a directory to be served; options are those of ``add_static``."""
    return StaticDef(prefix, path, {**kwargs})


class RouteTableDef(Sequence[AbstractRouteDef]):
    """Routes, collected by decorators.

    ::

        routes = web.RouteTableDef()


        @routes.get("/{name}")
        async def hello(request):
            return web.Response(text=f"Hello, {request.match_info['name']}")


        app.add_routes(routes)
    """

    def __init__(self) -> None:
        self._items: list[AbstractRouteDef] = []

    def __repr__(self) -> str:
        return f"<RouteTableDef count={len(self._items)}>"

    @overload
    def __getitem__(self, index: int) -> AbstractRouteDef: ...
    @overload
    def __getitem__(self, index: slice) -> list[AbstractRouteDef]: ...
    def __getitem__(self, index: int | slice) -> AbstractRouteDef | list[AbstractRouteDef]:
        return self._items[index]

    def __iter__(self) -> Iterator[AbstractRouteDef]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def route(self, method: str, path: str, **kwargs: Unpack[RouteOptions]) -> Callable[[_H], _H]:
        """Collect what is decorated as handler of a method; options are those of ``add_route``."""
        return self._collect(method, path, {**kwargs})

    def _collect(self, method: str, path: str, options: Mapping[str, Any]) -> Callable[[_H], _H]:
        def collect(handler: _H) -> _H:
            self._items.append(RouteDef(method, path, handler, options))
            return handler

        return collect

    def head(self, path: str, **kwargs: Unpack[RouteOptions]) -> Callable[[_H], _H]:
        """Collect a handler of HEAD."""
        return self.route(hdrs.METH_HEAD, path, **kwargs)

    def get(self, path: str, **kwargs: Unpack[GetOptions]) -> Callable[[_H], _H]:
        """Collect a handler of GET, and of HEAD unless ``allow_head`` is false."""
        return self._collect(hdrs.METH_GET, path, {**kwargs})

    def post(self, path: str, **kwargs: Unpack[RouteOptions]) -> Callable[[_H], _H]:
        """Collect a handler of POST."""
        return self.route(hdrs.METH_POST, path, **kwargs)

    def put(self, path: str, **kwargs: Unpack[RouteOptions]) -> Callable[[_H], _H]:
        """Collect a handler of PUT."""
        return self.route(hdrs.METH_PUT, path, **kwargs)

    def patch(self, path: str, **kwargs: Unpack[RouteOptions]) -> Callable[[_H], _H]:
        """Collect a handler of PATCH."""
        return self.route(hdrs.METH_PATCH, path, **kwargs)

    def delete(self, path: str, **kwargs: Unpack[RouteOptions]) -> Callable[[_H], _H]:
        """Collect a handler of DELETE."""
        return self.route(hdrs.METH_DELETE, path, **kwargs)

    def options(self, path: str, **kwargs: Unpack[RouteOptions]) -> Callable[[_H], _H]:
        """Collect a handler of OPTIONS."""
        return self.route(hdrs.METH_OPTIONS, path, **kwargs)

    def view(self, path: str, **kwargs: Unpack[RouteOptions]) -> Callable[[_H], _H]:
        """Collect a ``View``."""
        return self.route(hdrs.METH_ANY, path, **kwargs)

    def static(
        self, prefix: str, path: str | os.PathLike[str], **kwargs: Unpack[StaticOptions]
    ) -> None:
        """Collect a directory to be served; options are those of ``add_static``."""
        self._items.append(StaticDef(prefix, path, {**kwargs}))
