"""Applications below an application: by a prefix of the path, or by the request's host."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final, NoReturn

from aiohttp.protocol.abc import AbstractRouter

from .dispatcher import UrlDispatcher
from .handling import adopt
from .matchinfo import UrlMappingMatchInfo
from .paths import routing_path
from .resources import AbstractResource, Outcome, PrefixResource
from .routes import AbstractRoute

if TYPE_CHECKING:
    from .application import Application
    from .request import BaseRequest

__all__ = [
    "AbstractRuleMatching",
    "Domain",
    "MaskDomain",
    "MatchedSubAppResource",
    "PrefixedSubAppResource",
]

_NO_METHODS: Final[AbstractSet[str]] = frozenset()


def _dispatcher(router: AbstractRouter) -> UrlDispatcher | None:
    """Return an application's router, unless it is of a class of the program's own."""
    return router if isinstance(router, UrlDispatcher) else None


class _SubAppResource(AbstractResource):
    """What both kinds have in common: another application answers."""

    _app: Application

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[AbstractRoute]:
        router = _dispatcher(self._app.router)
        return iter(() if router is None else router.routes())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.canonical} -> {self._app!r}>"

    def url_for(self, *args: str, **kwargs: str) -> NoReturn:
        """Refuse: ask a resource of the application.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"{self!r} has no URL of its own: ask a resource of the application")

    @abstractmethod
    def is_for(self, request: BaseRequest, path: str) -> bool:
        """Tell whether the application answers, be it that nobody is there."""

    def match(self, request: BaseRequest, path: str) -> Outcome | None:
        """Return whom the application found; also that nobody is there."""
        if not self.is_for(request, path):
            return None, _NO_METHODS
        router = _dispatcher(self._app.router)
        if router is None or not router.matches_at_once:
            return None
        found = router.match(request, path)
        return None if found is None else self._passed(found)

    async def resolve(self, request: BaseRequest) -> Outcome:
        """Return whom the application found; also that nobody is there."""
        if not self.is_for(request, routing_path(request.raw_path)):
            return None, _NO_METHODS
        return self._passed(adopt(await self._app.router.resolve(request)))

    def _passed(self, found: UrlMappingMatchInfo) -> Outcome:
        found.add_app(self._app)
        return found, getattr(found.http_exception, "allowed_methods", _NO_METHODS)


class PrefixedSubAppResource(_SubAppResource, PrefixResource):
    """All paths below a prefix, answered by another application.

    The prefix becomes part of the paths of the other application's resources: they are
    found, and their URLs are made, as if they were written out.
    """

    def __init__(self, prefix: str, app: Application) -> None:
        super().__init__(prefix)
        self._app = app
        self._add_to_routes(self.canonical)

    def add_prefix(self, prefix: str) -> None:
        """Put a prefix before the prefix, and before all paths of the application."""
        super().add_prefix(prefix)
        self._add_to_routes(prefix)

    def _add_to_routes(self, prefix: str) -> None:
        router = _dispatcher(self._app.router)
        if router is not None:
            router.add_prefix(prefix)

    def get_info(self) -> Mapping[str, Any]:
        """Return application and prefix."""
        return {"app": self._app, "prefix": self.canonical}

    def is_for(self, request: BaseRequest, path: str) -> bool:
        """Tell whether the path is below the prefix."""
        return self.rest_of(path) is not None


class AbstractRuleMatching(ABC):
    """Tells for which requests an application is."""

    @property
    @abstractmethod
    def canonical(self) -> str:
        """The rule, for people."""

    @abstractmethod
    def match(self, request: BaseRequest) -> bool:
        """Tell whether the application is for a request."""

    @abstractmethod
    def get_info(self) -> Mapping[str, Any]:
        """Return what is known about the rule."""


class MatchedSubAppResource(_SubAppResource):
    """All requests that fulfil a rule, answered by another application.

    It is asked before the paths of the outer application are looked at.
    """

    goes_first = True

    def __init__(self, rule: AbstractRuleMatching, app: Application) -> None:
        super().__init__()
        self._rule = rule
        self._app = app

    @property
    def canonical(self) -> str:
        """The rule, for people."""
        return self._rule.canonical

    def add_prefix(self, prefix: str) -> None:
        """Put a prefix before all paths of the application."""
        router = _dispatcher(self._app.router)
        if router is not None:
            router.add_prefix(prefix)

    def get_info(self) -> Mapping[str, Any]:
        """Return application and rule."""
        return {"app": self._app, "rule": self._rule}

    def is_for(self, request: BaseRequest, path: str) -> bool:
        """Tell whether the request fulfils the rule."""
        return self._rule.match(request)


# Labels of RFC 1123, section 2.1, and the underscore that names in private networks have.
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII | re.IGNORECASE)


class Domain(AbstractRuleMatching):
    """Requests whose Host is this one: ``example.com``, or ``example.com:8080``.

    A name beyond ASCII is compared as IDNA. Without a port it means the scheme's own.

    Raises:
        TypeError: if the domain is no str.
        ValueError: if it is no name with or without a port.
    """

    def __init__(self, domain: str) -> None:
        self._domain = self.validation(domain)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._domain}>"

    @property
    def canonical(self) -> str:
        """The domain, in lower case."""
        return self._domain

    def validation(self, domain: object) -> str:
        """Return a domain as a request names it.

        Raises:
            TypeError, ValueError: as the class.
        """
        if not isinstance(domain, str):
            raise TypeError(f"expected a str as domain, got {type(domain).__name__}")
        wanted = f"expected a domain such as 'example.com' or 'example.com:8080', got {domain!r}"
        name, colon, port = domain.strip().rstrip(".").lower().partition(":")
        if not name.isascii():
            name = _to_ascii(name, wanted)
        if not all(_LABEL.fullmatch(label) for label in self._labels(name)):
            raise ValueError(wanted)
        if colon and not (port.isascii() and port.isdigit() and int(port) <= 65535):
            raise ValueError(wanted)
        return name if port in {"", "80", "443"} else f"{name}:{port}"

    def _labels(self, name: str) -> Iterable[str]:
        return name.split(".")

    def match(self, request: BaseRequest) -> bool:
        """Tell whether the request is for this domain."""
        return self.match_domain(_as_rules_have_it(request.host.lower()))

    def match_domain(self, host: str) -> bool:
        """Tell whether a host is this one; it is in lower case, without a scheme's own port."""
        return host == self._domain

    def get_info(self) -> Mapping[str, Any]:
        """Return the domain."""
        return {"domain": self._domain}


class MaskDomain(Domain):
    """Requests whose Host fits a mask: ``*.example.com``, on any port if none is given.

    A star is any number of characters, dots included, but no colon.
    """

    def __init__(self, domain: str) -> None:
        super().__init__(domain)
        start, *middle, end = map(re.escape, self._domain.split("*"))
        # The first place that fits is as good as any other, so no other one is ever tried:
        # that is linear, however many stars there are.
        mask = start + "".join(f"(?>[^:]*?{each})" for each in middle) + f"[^:]*{end}"
        self._mask = re.compile(mask if ":" in self._domain else mask + "(:[0-9]+)?")

    def _labels(self, name: str) -> Iterable[str]:
        return (label.replace("*", "x") for label in name.split("."))

    def match_domain(self, host: str) -> bool:
        """Tell whether a host, in lower case, fits the mask."""
        return self._mask.fullmatch(host) is not None


def _to_ascii(name: str, wanted: str) -> str:
    from yarl import URL

    try:
        return URL.build(scheme="http", host=name).raw_host or ""
    except ValueError as exc:
        raise ValueError(wanted) from exc


def _as_rules_have_it(host: str) -> str:
    """Return a host without a scheme's own port, and without the dot of a whole name."""
    return host.removesuffix(":80").removesuffix(":443").replace(".:", ":").removesuffix(".")
