"""Resources: paths, with a route for each method, and what stands for many paths."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sized
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from aiohttp.protocol.hdrs import METH_ANY

from .matchinfo import UrlMappingMatchInfo
from .paths import routing_path
from .pattern import PathPattern, Place
from .routes import AbstractRoute, ExpectHandler, ResourceRoute

if TYPE_CHECKING:
    from yarl import URL

    from aiohttp.protocol.abc import AbstractView

    from .middlewares import Handler
    from .request import BaseRequest

__all__ = [
    "AbstractResource",
    "DynamicResource",
    "Outcome",
    "PlainResource",
    "PrefixResource",
    "Resource",
]

Outcome: TypeAlias = tuple[UrlMappingMatchInfo | None, AbstractSet[str]]
"""Who answers; or None, and the methods that the path has."""

_OTHER_PATH: Outcome = (None, frozenset())


class AbstractResource(ABC, Sized, Iterable[AbstractRoute]):
    """One or more paths, and the routes that answer there.

    A subclass says who answers a request in ``match``, or, where it has to wait for
    something, in ``resolve``; each does without the other.
    """

    goes_first: ClassVar[bool] = False
    """Whether it is asked before all whose place in the index is a path."""

    def __init__(self, *, name: str | None = None) -> None:
        self._name = name

    @property
    def name(self) -> str | None:
        """The name by which the router finds it, or None."""
        return self._name

    @property
    @abstractmethod
    def canonical(self) -> str:
        """The path, such as ``/path/to`` or ``/path/{name}``."""

    @abstractmethod
    def url_for(self, *args: Any, **kwargs: Any) -> URL:
        """Return a URL, relative to the host, that leads here."""

    @abstractmethod
    def add_prefix(self, prefix: str) -> None:
        """Put a prefix before the path: the application is below another one now."""

    @abstractmethod
    def get_info(self) -> Mapping[str, Any]:
        """Return what is known about the path."""

    def raw_match(self, path: str) -> bool:
        """Tell whether this is the resource of a path as it is written in ``add_route``."""
        return False

    def freeze(self) -> None:
        """Called when the application starts; the path doesn't change any more."""

    @property
    def place(self) -> Place:
        """Where the router's index keeps it."""
        prefix = self.canonical.partition("{")[0]
        if prefix != self.canonical:
            prefix = prefix.rpartition("/")[0]
        return Place(prefix.rstrip("/") or "/", None)

    def match(self, request: BaseRequest, path: str) -> Outcome | None:
        """Return who answers, and the methods that the path has; at once.

        ``path`` is the routing path (see ``paths``). Raises nothing. None if it takes
        ``await resolve(request)`` to know.
        """
        return None

    async def resolve(self, request: BaseRequest) -> Outcome:
        """Return who answers, and the methods that the path has."""
        outcome = self.match(request, routing_path(request.raw_path))
        if outcome is None:
            raise NotImplementedError(f"{type(self).__name__} has neither match() nor resolve()")
        return outcome


class Resource(AbstractResource):
    """One path, or the paths of one pattern, with a route for each method."""

    def __init__(self, path: str, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self._path = path
        self._pattern = PathPattern(path)
        self._routes: dict[str, ResourceRoute] = {}

    def __repr__(self) -> str:
        name = "" if self.name is None else f"{self.name!r} "
        return f"<{type(self).__name__} {name}{self.canonical}>"

    def __len__(self) -> int:
        return len(self._routes)

    def __iter__(self) -> Iterator[ResourceRoute]:
        return iter(self._routes.values())

    @property
    def canonical(self) -> str:
        """The path, with ``{name}`` for what differs; not escaped, but for ``%2F`` and ``%25``."""
        return self._pattern.canonical

    @property
    def place(self) -> Place:
        """Where the router's index keeps it."""
        return self._pattern.place

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what differs in the path."""
        return self._pattern.names

    @property
    def by_method(self) -> Mapping[str, ResourceRoute]:
        """The routes by method, ``"*"`` being all others."""
        return self._routes

    def add_route(
        self,
        method: str,
        handler: Handler | type[AbstractView],
        *,
        expect_handler: ExpectHandler | None = None,
    ) -> ResourceRoute:
        """Have a handler answer one method; ``"*"``: all of them.

        Raises:
            RuntimeError: if the method has its handler already.
            TypeError, ValueError: as ``AbstractRoute``.
        """
        route = ResourceRoute(method, handler, self, expect_handler=expect_handler)
        for taken in (route.method, METH_ANY):
            if taken in self._routes:
                raise RuntimeError(
                    f"{self.canonical or 'the empty path'} has a handler for "
                    f"{'all methods' if taken == METH_ANY else taken} already: "
                    f"one for {route.method} would never be called"
                )
        self._routes[route.method] = route
        return route

    def add_prefix(self, prefix: str) -> None:
        """Put a prefix before the path."""
        self._path = prefix + self._path
        self._pattern = self._pattern.below(PathPattern(prefix))

    def raw_match(self, path: str) -> bool:
        """Tell whether this is the resource of a path as it is written in ``add_route``."""
        return self._path == path

    def match(self, request: BaseRequest, path: str) -> Outcome:
        """Return who answers, and the methods that the path has."""
        values = self._values(path)
        if values is None:
            return _OTHER_PATH
        routes = self._routes
        route = routes.get(request.method) or routes.get(METH_ANY)
        if route is None:
            return None, routes.keys()
        return UrlMappingMatchInfo(values, route), routes.keys()

    def url_for(self, **kwargs: str) -> URL:
        """Return the URL with these values in the path; the request it leads to has them.

        Raises:
            TypeError: if a value is missing, too many, or no str.
        """
        from yarl import URL

        return URL(self._pattern.fill(kwargs), encoded=True)

    @abstractmethod
    def _values(self, path: str) -> dict[str, str] | None:
        """Return the values in a routing path; None if it is another path."""


class PlainResource(Resource):
    """One path."""

    def get_info(self) -> Mapping[str, Any]:
        """Return the path."""
        return {"path": self.canonical}

    def _values(self, path: str) -> dict[str, str] | None:
        return {} if path == self._pattern.canonical else None


class DynamicResource(Resource):
    """The paths of a pattern with ``{name}`` or ``{name:regex}``."""

    def get_info(self) -> Mapping[str, Any]:
        """Return the pattern, for people and as a regular expression."""
        return {"formatter": self.canonical, "pattern": self._pattern.regex}

    def _values(self, path: str) -> dict[str, str] | None:
        return self._pattern.match(path)


class PrefixResource(AbstractResource):
    """All paths that begin with a prefix: ``/static`` is ``/static`` and ``/static/…``.

    Args:
        prefix: empty, or text with a slash first; one at its end is dropped.

    Raises:
        ValueError: if the prefix has no slash first, or has ``{name}``.
    """

    def __init__(self, prefix: str, *, name: str | None = None) -> None:
        super().__init__(name=name)
        pattern = PathPattern(prefix.rstrip("/"))
        if pattern.names:
            raise ValueError(f"expected a prefix that is the same for all requests, got {prefix!r}")
        self._prefix = pattern.canonical

    @property
    def canonical(self) -> str:
        """The prefix; not escaped, but for ``%2F`` and ``%25``."""
        return self._prefix

    @property
    def place(self) -> Place:
        """Where the router's index keeps it."""
        return Place(self._prefix or "/", None)

    def add_prefix(self, prefix: str) -> None:
        """Put a prefix before the prefix."""
        self._prefix = PathPattern(prefix).canonical + self._prefix

    def rest_of(self, path: str) -> str | None:
        """Return what a routing path has behind the prefix, from its slash on; None: another."""
        prefix = self._prefix
        if not path.startswith(prefix):
            return None
        rest = path[len(prefix) :]
        return rest if not rest or rest.startswith("/") else None
