"""One cookie: whose it is, where it goes, and until when (RFC 6265, sections 5.1 and 5.3).

Nothing here keeps anything: ``cookie_of`` decides what a jar is to store, and the
others answer what it asks about hosts and paths.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from yarl import URL

from .cookies import SetCookie, morsel_of, parse_cookie_date

if TYPE_CHECKING:
    from http.cookies import Morsel

__all__ = [
    "EVERY_HOST",
    "LATEST",
    "Cookie",
    "Origin",
    "canonical_domain",
    "cookie_of",
    "domains_of",
    "path_matches",
]

EVERY_HOST: Final = ""
"""The domain of cookies that the program gives to every host."""

LATEST: Final = 253402300799.0
"""The last second of the year 9999: nothing expires later, since no date could say it."""

_MAX_AGE: Final = re.compile(r"-?[0-9]+")


class Origin(NamedTuple):
    """Where a cookie comes from."""

    host: str
    path: str
    is_secure: bool


@dataclass(slots=True, eq=False)
class Cookie:
    """A cookie in a jar.

    Attributes:
        name: as the wire has it.
        value: the same, with quotes if it has any.
        domain: in lower case, without a dot in front; ``""``: every host.
        path: begins with ``/``.
        expires: in seconds since 1970; ``inf``: with the session.
        is_secure: whether it is sent by TLS only.
        is_http_only: whether it is kept from scripts; for the record.
        is_host_only: whether subdomains don't get it.
        same_site: for the record.
        created: counts the cookies of a jar; a replacement keeps the number.
        used: when it was received or sent last.
        max_age: seconds that it was said to live for, rather than until when; or None.
    """

    name: str
    value: str
    domain: str = ""
    path: str = ""
    expires: float = inf
    is_secure: bool = False
    is_http_only: bool = False
    is_host_only: bool = False
    same_site: str = ""
    created: int = 0
    used: float = 0.0
    max_age: int | None = None

    def goes_where(self, other: Cookie) -> bool:
        """Whether it goes to the same requests as one of the same name, domain and path."""
        return self.is_secure == other.is_secure and self.is_host_only == other.is_host_only

    def renew(self, other: Cookie, now: float) -> None:
        """Take over what requests don't notice, of one that has come, maybe again."""
        self.expires = other.expires if other.max_age is None else _after(other.max_age, now)
        self.is_http_only = other.is_http_only
        self.same_site = other.same_site
        self.used = now

    def morsel(self) -> Morsel[str]:
        """Return the cookie in the form of the standard library."""
        from aiohttp.protocol.dates import http_date

        attributes = [("path", self.path), ("domain", self.domain), ("samesite", self.same_site)]
        if self.expires < inf:
            attributes.append(("expires", http_date(self.expires)))
        if self.is_secure:
            attributes.append(("secure", ""))
        if self.is_http_only:
            attributes.append(("httponly", ""))
        return morsel_of(self.name, self.value, attributes)


def cookie_of(
    given: SetCookie, origin: Origin | None, now: float, *, unsafe: bool = False
) -> Cookie | None:
    """Return what is to be stored, or None if the cookie is refused (section 5.3).

    Without an origin it is the program's, and belongs to whom it says. With ``unsafe``
    an IP address may name itself as Domain. It may have expired: then it deletes.
    """
    cookie = _described(given, now)
    if origin is None:
        cookie.path = cookie.path or "/"
        return cookie
    if not _has_scope(cookie, origin.host, unsafe=unsafe) or not _keeps_promise(cookie, origin):
        return None
    cookie.path = cookie.path or _default_path(origin.path)
    return cookie


def _described(given: SetCookie, now: float) -> Cookie:
    """Return a cookie as its attributes say; of several, the last valid one (section 5.2)."""
    cookie = Cookie(given.name, given.value)
    for name, value in given.attributes:
        if name == "domain":
            cookie.domain = canonical_domain(value) or cookie.domain
        elif name == "path":
            cookie.path = value if value.startswith("/") else ""
        elif name == "expires" and (date := parse_cookie_date(value)) is not None:
            cookie.expires = date
        elif name == "max-age" and _MAX_AGE.fullmatch(value):
            cookie.max_age = int(value)  # of 1024 digits at most: see parse_set_cookie
        elif name == "secure":
            cookie.is_secure = True
        elif name == "httponly":
            cookie.is_http_only = True
        elif name == "samesite":
            cookie.same_site = value
    if cookie.max_age is not None:
        cookie.expires = _after(cookie.max_age, now)
    return cookie


def _after(max_age: int, now: float) -> float:
    """Return when a cookie expires that is to live for so many seconds (section 5.2.2)."""
    return min(now + min(max_age, LATEST), LATEST) if max_age > 0 else -inf


def _has_scope(cookie: Cookie, host: str, *, unsafe: bool) -> bool:
    """Say to whom a cookie of ``host`` belongs, or that it can't (section 5.3, steps 5 and 6)."""
    if not cookie.domain:
        cookie.domain = host
        cookie.is_host_only = True
        return True
    if cookie.domain == host:
        cookie.is_host_only = not unsafe if _is_address(host) else _is_public_suffix(host)
        return True
    return cookie.domain in domains_of(host) and not _is_public_suffix(cookie.domain)


def _keeps_promise(cookie: Cookie, origin: Origin) -> bool:
    """Whether a cookie is what its name promises (RFC 6265bis, section 4.1.3)."""
    name = cookie.name[:9].lower()
    if name.startswith("__secure-"):
        return cookie.is_secure and origin.is_secure
    if name.startswith("__host-"):
        return cookie.is_secure and origin.is_secure and cookie.is_host_only and cookie.path == "/"
    return True


def _default_path(path: str) -> str:
    """Return the path of a cookie that names none (section 5.1.4)."""
    return path[: path.rfind("/")] or "/"


def path_matches(path: str, allowed: str) -> bool:
    """Whether a cookie of path ``allowed`` goes to ``path`` (section 5.1.4)."""
    if not path.startswith(allowed):
        return False
    return len(path) == len(allowed) or allowed[-1] == "/" or path[len(allowed)] == "/"


@lru_cache(maxsize=1024)
def domains_of(host: str) -> tuple[str, ...]:
    """Return the domains that ``host`` matches: itself and those above (section 5.1.3)."""
    if not host or _is_address(host):
        return (host,)
    labels = host.split(".")
    return tuple(".".join(labels[start:]) for start in range(len(labels)) if labels[start])


def _is_address(host: str) -> bool:
    """Whether a host is an IP address: those are not below one another (section 5.1.3).

    A name whose last label is a number is one, or nothing at all (the URL standard).
    """
    return ":" in host or host.rpartition(".")[2].isdigit()


def canonical_domain(domain: str) -> str:
    """Return a domain as URLs have it: without a dot in front, lower case, ASCII (5.1.2)."""
    domain = domain.removeprefix(".")
    if domain.isascii():
        return domain.lower()
    try:
        text = domain.encode("latin-1").decode()  # what servers mean by such octets is UTF-8
    except ValueError:
        text = domain
    try:
        return URL.build(scheme="http", host=text).raw_host or ""
    except ValueError:
        return domain  # of no host


@lru_cache(maxsize=1024)
def _is_public_suffix(domain: str) -> bool:
    """Whether nobody owns a domain, so that a cookie for it would go to strangers.

    Without the package publicsuffixlist (the extra ``psl``) this knows top-level
    domains only: names without a dot inside.
    """
    if "." not in domain.rstrip(".") or domain.endswith("."):
        return True
    is_listed = _public_suffixes()
    return is_listed is not None and is_listed(domain)


@cache
def _public_suffixes() -> Callable[[str], bool] | None:
    try:
        from publicsuffixlist import PublicSuffixList  # 40 ms, when a Domain is seen first
    except ModuleNotFoundError as exc:
        if exc.name != "publicsuffixlist":
            raise
        return None
    return PublicSuffixList().is_public
