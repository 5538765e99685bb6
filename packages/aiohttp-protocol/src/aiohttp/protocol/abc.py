"""Abstract classes to build your own parts from: resolvers, cookie jars, routers, access logs.

``aiohttp.abc`` is this module. A subclass takes the place of the part that the
client or the server brings by itself.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sized
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

if TYPE_CHECKING:
    import logging
    from http.cookies import BaseCookie, Morsel

__all__ = [
    "AbstractAccessLogger",
    "AbstractCookieJar",
    "AbstractMatchInfo",
    "AbstractResolver",
    "AbstractRouter",
    "AbstractView",
    "ClearCookiePredicate",
    "LooseCookies",
    "ResolveResult",
]

# These stand for classes of packages that protocol does not depend on. They are
# parameters of methods that others override, with the real class as annotation:
# any type narrower than Any would make a type checker refuse the override.
URL: TypeAlias = Any
"""A ``yarl.URL``."""
Request: TypeAlias = Any
"""The server's request."""
StreamResponse: TypeAlias = Any
"""The server's response."""

ClearCookiePredicate: TypeAlias = "Callable[[Morsel[str]], bool]"
"""Tells of one cookie whether to remove it."""
LooseCookies: TypeAlias = (
    "Mapping[str, str | Morsel[str]] | Iterable[tuple[str, str | Morsel[str]]] | BaseCookie[str]"
)
"""Cookies as a program likes to give them."""


class ResolveResult(TypedDict):
    """One address of a host, in the words of :func:`socket.getaddrinfo`."""

    hostname: str
    """The name that was asked for; TLS verifies the certificate against it."""
    host: str
    """The address, such as ``"192.0.2.1"`` or ``"2001:db8::1"``."""
    port: int
    family: int
    proto: int
    flags: int


class AbstractResolver(ABC):
    """Turns host names into addresses, for the client's connector."""

    @abstractmethod
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``, the preferred one first.

        Raises:
            OSError: if there is none.
        """

    @abstractmethod
    async def close(self) -> None:
        """Free what the resolver holds; called once, after the last ``resolve``."""


class AbstractCookieJar(Sized, Iterable["Morsel[str]"]):
    """Keeps the cookies of a session, and decides which of them a request carries (RFC 6265)."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __iter__(self) -> Iterator[Morsel[str]]: ...

    @abstractmethod
    def update_cookies(self, cookies: LooseCookies, response_url: URL = None) -> None:
        """Store cookies that came in a response from ``response_url``.

        Without a URL they belong to every host.
        """

    @abstractmethod
    def filter_cookies(self, request_url: URL) -> BaseCookie[str]:
        """Return the cookies that a request to ``request_url`` carries."""

    @abstractmethod
    def clear(self, predicate: ClearCookiePredicate | None = None) -> None:
        """Remove the cookies for which ``predicate`` is true; without one, all of them."""

    @abstractmethod
    def clear_domain(self, domain: str) -> None:
        """Remove the cookies of ``domain`` and of its subdomains."""


class AbstractRouter(ABC):
    """Finds out who answers a request."""

    @abstractmethod
    async def resolve(self, request: Request) -> AbstractMatchInfo:
        """Return who answers ``request``; also "nobody", which is a 404, is a match info."""


class AbstractMatchInfo(ABC):
    """What a router found."""

    @property
    @abstractmethod
    def http_exception(self) -> Exception | None:
        """The router's own answer (a 404, a 405), or None when it found a handler."""

    @abstractmethod
    async def handler(self, request: Request) -> StreamResponse:
        """Answer the request."""

    @abstractmethod
    async def expect_handler(self, request: Request) -> StreamResponse | None:
        """Answer a request with ``Expect``: None to go on, a response to end it here."""


class AbstractView(ABC):
    """A class whose instance answers one request; awaiting it gives the response."""

    def __init__(self, request: Request) -> None:
        self._request = request

    @property
    def request(self) -> Request:
        """The request that this view answers."""
        return self._request

    @abstractmethod
    def __await__(self) -> Generator[Any, None, StreamResponse]: ...


class AbstractAccessLogger(ABC):
    """Writes one line for every request that was answered."""

    def __init__(self, logger: logging.Logger, log_format: str) -> None:
        self.logger = logger
        self.log_format = log_format

    @abstractmethod
    def log(self, request: Request, response: StreamResponse, time: float) -> None:
        """Write the line; ``time`` is what the answer took, in seconds."""

    @property
    def enabled(self) -> bool:
        """Whether anybody listens; ``log`` is not called otherwise."""
        return True
