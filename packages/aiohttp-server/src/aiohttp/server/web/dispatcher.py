"""The router: resources by path, routes by method, URLs by name."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sized
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import chain
from keyword import iskeyword
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aiohttp.protocol import hdrs
from aiohttp.protocol.abc import AbstractRouter

from .index import ResourceIndex
from .matchinfo import MatchInfoError, UrlMappingMatchInfo
from .paths import routing_path
from .resources import AbstractResource, DynamicResource, PlainResource, Resource
from .routes import AbstractRoute, ExpectHandler

if TYPE_CHECKING:
    import os

    from aiohttp.protocol.abc import AbstractView

    from .middlewares import Handler
    from .request import BaseRequest
    from .routedef import AbstractRouteDef
    from .static_resource import StaticResource

__all__ = ["ResourcesView", "RoutesView", "UrlDispatcher"]

_NAME = re.compile(r"[^\W\d]\w*(?:[.:-][^\W\d]\w*)*")

_ANY = "\0"  # a segment that no resource has


class UrlDispatcher(AbstractRouter, Mapping[str, AbstractResource]):
    """Finds out who answers a request, by its path and method.

    The resource with the longest fixed beginning wins, in whole segments: ``/users/me``
    before ``/users/{id}``, and that before ``/{tail:.*}``. Among equals the one that was
    added first wins. Applications of a domain come before all.

    As a mapping it has the resources with a name.
    """

    def __init__(self) -> None:
        self._resources: list[AbstractResource] = []
        self._named: dict[str, AbstractResource] = {}
        self._is_frozen = False
        # Paths without parts that no resource before theirs could claim: one look answers.
        self.plain: dict[str, Mapping[str, AbstractRoute]] = {}
        # By what is before the last slash: ``{name}`` behind it, where nobody comes before that.
        self._ends: dict[str, tuple[str, Mapping[str, AbstractRoute]]] = {}
        self._build_index()

    def __repr__(self) -> str:
        return f"<UrlDispatcher {len(self._resources)} resources>"

    # Who answers.

    @property
    def matches_at_once(self) -> bool:
        """Whether ``match`` may be asked: a subclass with a ``resolve`` of its own is awaited."""
        return _matches_at_once(type(self))

    def match(self, request: BaseRequest, path: str | None = None) -> UrlMappingMatchInfo | None:
        """Return who answers a request: a handler, or its 404 or 405. Raises nothing.

        ``path`` is the routing path, if that is known already. None if a resource of
        somebody's own class takes ``await resolve(request)`` to know.
        """
        if path is None:
            path = request.raw_path
            if "?" in path or "%" in path:
                path = routing_path(path)
        # The short way, which most requests go: one look into a dict.
        routes = self.plain.get(path)
        if routes is not None:
            route = routes.get(request.method) or routes.get(hdrs.METH_ANY)
            if route is not None:
                return UrlMappingMatchInfo({}, route)
        found = self._match_end(request.method, path)
        if found is not None:
            return found
        if self._must_wait:
            return None
        allowed: set[str] = set()
        for resource in self._candidates(path):
            outcome = resource.match(request, path)
            if outcome is None:
                return None
            if outcome[0] is not None:
                return outcome[0]
            allowed |= outcome[1]
        return _nobody(request, allowed)

    def _match_end(self, method: str, path: str) -> UrlMappingMatchInfo | None:
        """Return who answers ``/some/where/{name}``, the pattern that most others are; or None.

        None also where it takes a closer look to know. 0.7 µs instead of 2.4.
        """
        start, slash, value = path.rpartition("/")
        end = self._ends.get(start)
        if (
            end is None
            or not value
            or not slash
            or path in self._index.prefixes  # whose resources come before those of ``start``
            or "%" in value
            or "{" in value
            or "}" in value
        ):
            return None
        name, routes = end
        route = routes.get(method) or routes.get(hdrs.METH_ANY)
        return None if route is None else UrlMappingMatchInfo({name: value}, route)

    async def resolve(self, request: BaseRequest) -> UrlMappingMatchInfo:
        """Return who answers a request: a handler, or its 404 or 405."""
        found = self.match(request)
        if found is not None:
            return found
        allowed: set[str] = set()
        for resource in self._candidates(routing_path(request.raw_path)):
            found, methods = await resource.resolve(request)
            if found is not None:
                return found
            allowed |= methods
        return _nobody(request, allowed)

    def _candidates(self, path: str) -> Iterable[AbstractResource]:
        """Return whom to ask, in order."""
        candidates = self._index.candidates(path)
        return chain(self._before_paths, candidates) if self._before_paths else candidates

    def _build_index(self) -> None:
        self._index = ResourceIndex()
        self._before_paths: list[AbstractResource] = []
        self.plain.clear()
        self._ends.clear()
        self._must_wait = False
        for resource in self._resources:
            self._add_to_index(resource)

    def _add_to_index(self, resource: AbstractResource) -> None:
        if resource.goes_first:
            self._before_paths.append(resource)
            self.plain.clear()
            self._ends.clear()
            return
        self._index.add(resource)
        if not _matches_at_once(type(resource)):
            self._must_wait = True
        # Nothing that is added later comes before a plain resource that is the first one
        # for its path; so that is found without looking at the others: 0.6 us, not 1.9.
        if type(resource) is PlainResource:
            path = resource.canonical
            # ``plain`` is also asked with whole targets, where a question mark begins a query.
            if "?" not in path and self._is_first(resource, path):
                self.plain[path] = resource.by_method
        elif type(resource) is DynamicResource and resource.place.shape == ("", None):
            start = resource.place.prefix.removesuffix("/")
            if self._is_first(resource, f"{start}/{_ANY}"):
                self._ends[start] = (resource.names[0], resource.by_method)

    def _is_first(self, resource: AbstractResource, path: str) -> bool:
        """Tell whether nobody else is asked about a path before this resource."""
        for each in self._candidates(path):
            if each is resource:
                return True
            if type(each) is not PlainResource or each.canonical == path:
                break
        return False

    # Resources.

    def register_resource(self, resource: AbstractResource) -> None:
        """Add a resource behind those that are there.

        Raises:
            RuntimeError: if the router is frozen.
            ValueError: if the name is taken, or is none: identifiers with ``.``, ``:`` or
                ``-`` between them.
        """
        if self._is_frozen:
            raise RuntimeError(
                f"{resource!r} comes too late: the router is frozen, for its application has "
                "started or belongs to another one"
            )
        name = resource.name
        if name is not None:
            _check_name(name)
            if name in self._named:
                raise ValueError(f"the name {name!r} belongs to {self._named[name]!r} already")
            self._named[name] = resource
        self._resources.append(resource)
        self._add_to_index(resource)

    def add_resource(self, path: str, *, name: str | None = None) -> Resource:
        """Add a path; or return the resource that was added last, if it is the same.

        Raises:
            RuntimeError: if the router is frozen.
            ValueError: if the path doesn't begin with a slash, a ``{name}`` in it is none,
                or the name is taken or none.
        """
        last = self._resources[-1] if self._resources else None
        if isinstance(last, Resource) and last.name == name and last.raw_match(path):
            return last
        kind = DynamicResource if "{" in path or "}" in path else PlainResource
        resource = kind(path, name=name)
        self.register_resource(resource)
        return resource

    def add_prefix(self, prefix: str) -> None:
        """Put a prefix before all paths: the application is below another one now."""
        for resource in self._resources:
            resource.add_prefix(prefix)
        self._build_index()

    def freeze(self) -> None:
        """Refuse further resources. Twice is fine."""
        self._is_frozen = True
        for resource in self._resources:
            resource.freeze()

    def resources(self) -> ResourcesView:
        """Return all resources, in the order of adding."""
        return ResourcesView(self._resources)

    def routes(self) -> RoutesView:
        """Return the routes of all resources."""
        return RoutesView(self._resources)

    def named_resources(self) -> Mapping[str, AbstractResource]:
        """Return the resources with a name; read-only."""
        return MappingProxyType(self._named)

    def __getitem__(self, name: str) -> AbstractResource:
        return self._named[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    def __bool__(self) -> bool:
        return True  # a router without names is still a router

    # Routes.

    def add_route(
        self,
        method: str,
        path: str,
        handler: Handler | type[AbstractView],
        *,
        name: str | None = None,
        expect_handler: ExpectHandler | None = None,
    ) -> AbstractRoute:
        """Have a handler answer a method, ``"*"`` for all, of a path.

        ``{name}`` in the path stands for a segment, ``{name:regex}`` for what the regex
        matches. What they match is in ``request.match_info``.

        Raises:
            RuntimeError: if the router is frozen, or the method has a handler already.
            TypeError: if a handler can't be one.
            ValueError: as ``add_resource``; or if the method is no token.
        """
        resource = self.add_resource(path, name=name)
        return resource.add_route(method, handler, expect_handler=expect_handler)

    def add_routes(self, routes_table: Iterable[AbstractRouteDef]) -> list[AbstractRoute]:
        """Add the routes of a ``RouteTableDef``, or of a list of ``web.get(...)`` and its like."""
        return [route for definition in routes_table for route in definition.register(self)]

    def add_head(
        self, path: str, handler: Handler | type[AbstractView], **kwargs: Any
    ) -> AbstractRoute:
        """Have a handler answer HEAD; see ``add_route``."""
        return self.add_route(hdrs.METH_HEAD, path, handler, **kwargs)

    def add_options(
        self, path: str, handler: Handler | type[AbstractView], **kwargs: Any
    ) -> AbstractRoute:
        """Have a handler answer OPTIONS; see ``add_route``."""
        return self.add_route(hdrs.METH_OPTIONS, path, handler, **kwargs)

    def add_get(
        self,
        path: str,
        handler: Handler | type[AbstractView],
        *,
        name: str | None = None,
        allow_head: bool = True,
        **kwargs: Any,
    ) -> AbstractRoute:
        """Have a handler answer GET, and HEAD unless ``allow_head`` is false; see ``add_route``."""
        resource = self.add_resource(path, name=name)
        if allow_head:
            resource.add_route(hdrs.METH_HEAD, handler, **kwargs)
        return resource.add_route(hdrs.METH_GET, handler, **kwargs)

    def add_post(
        self, path: str, handler: Handler | type[AbstractView], **kwargs: Any
    ) -> AbstractRoute:
        """Have a handler answer POST; see ``add_route``."""
        return self.add_route(hdrs.METH_POST, path, handler, **kwargs)

    def add_put(
        self, path: str, handler: Handler | type[AbstractView], **kwargs: Any
    ) -> AbstractRoute:
        """Have a handler answer PUT; see ``add_route``."""
        return self.add_route(hdrs.METH_PUT, path, handler, **kwargs)

    def add_patch(
        self, path: str, handler: Handler | type[AbstractView], **kwargs: Any
    ) -> AbstractRoute:
        """Have a handler answer PATCH; see ``add_route``."""
        return self.add_route(hdrs.METH_PATCH, path, handler, **kwargs)

    def add_delete(
        self, path: str, handler: Handler | type[AbstractView], **kwargs: Any
    ) -> AbstractRoute:
        """Have a handler answer DELETE; see ``add_route``."""
        return self.add_route(hdrs.METH_DELETE, path, handler, **kwargs)

    def add_view(self, path: str, handler: type[AbstractView], **kwargs: Any) -> AbstractRoute:
        """Have a ``View`` answer all methods, as far as it has them; see ``add_route``."""
        return self.add_route(hdrs.METH_ANY, path, handler, **kwargs)

    def add_static(
        self,
        prefix: str,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        expect_handler: ExpectHandler | None = None,
        chunk_size: int = 256 * 1024,
        show_index: bool = False,
        follow_symlinks: bool = False,
        append_version: bool = False,
    ) -> StaticResource:
        """Serve the files of a directory below a prefix; see ``StaticResource``."""
        from .static_resource import StaticResource

        resource = StaticResource(
            prefix,
            path,
            name=name,
            expect_handler=expect_handler,
            chunk_size=chunk_size,
            show_index=show_index,
            follow_symlinks=follow_symlinks,
            append_version=append_version,
        )
        self.register_resource(resource)
        return resource


class ResourcesView(Sized, Iterable[AbstractResource], Container[AbstractResource]):
    """The resources of a router, as they are when it is looked at."""

    def __init__(self, resources: list[AbstractResource]) -> None:
        self._resources = resources

    def __len__(self) -> int:
        return len(self._resources)

    def __iter__(self) -> Iterator[AbstractResource]:
        return iter(self._resources)

    def __contains__(self, resource: object) -> bool:
        return resource in self._resources


class RoutesView(Sized, Iterable[AbstractRoute], Container[AbstractRoute]):
    """The routes of a router, those of applications below it included."""

    def __init__(self, resources: list[AbstractResource]) -> None:
        self._resources = resources

    def __len__(self) -> int:
        return sum(map(len, self._resources))

    def __iter__(self) -> Iterator[AbstractRoute]:
        return (route for resource in self._resources for route in resource)

    def __contains__(self, route: object) -> bool:
        return any(route is each for each in self)


def _check_name(name: str) -> None:
    parts = re.split("[.:-]", name)
    if not _NAME.fullmatch(name) or any(map(iskeyword, parts)):
        raise ValueError(
            "expected as name of a route Python identifiers, no keywords, with '.', ':' or '-' "
            f"between them, got {name!r}"
        )


@lru_cache(maxsize=256)
def _matches_at_once(kind: type[AbstractResource | UrlDispatcher]) -> bool:
    """Tell which of ``match`` and ``resolve`` a class has of its own: it needs only one."""
    return next(
        "match" in vars(each)
        for each in kind.__mro__
        if "match" in vars(each) or "resolve" in vars(each)
    )


def _nobody(request: BaseRequest, allowed: AbstractSet[str]) -> MatchInfoError:
    """Return the answer to a request that has no handler."""
    from .exceptions import HTTPMethodNotAllowed, HTTPNotFound

    if allowed:
        return MatchInfoError(HTTPMethodNotAllowed(request.method, allowed))
    return MatchInfoError(HTTPNotFound())
