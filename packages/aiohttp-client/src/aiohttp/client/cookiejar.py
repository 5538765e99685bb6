"""Cookies between requests: which are kept, and which go where (RFC 6265, section 5).

A jar decides by the RFC, and where browsers are stricter, with them: a Domain that
is a public suffix is refused, ``__Host-`` and ``__Secure-`` mean what they say, and
what comes without TLS never replaces or hides a Secure cookie (RFC 6265bis, 5.7).

How many cookies there are is bounded; where one is too many, those that were not
used for the longest time go, Secure ones last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from heapq import nsmallest
from math import inf
from time import time as wall_clock
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from yarl import URL

from aiohttp.protocol.abc import AbstractCookieJar, ClearCookiePredicate, LooseCookies
from aiohttp.protocol.headers import shown

from .cookie import (
    EVERY_HOST,
    Cookie,
    Origin,
    canonical_domain,
    cookie_of,
    domains_of,
    path_matches,
)
from .cookies import (
    SetCookie,
    cookie_field,
    given_pairs,
    merge,
    morsel_of,
    parse_set_cookie,
    wire_value,
)
from .destination import StrOrURL

if TYPE_CHECKING:
    import asyncio
    from http.cookies import Morsel, SimpleCookie
    from os import PathLike

__all__ = ["CookieDoors", "CookieJar", "DummyCookieJar", "cookie_doors"]

_Key: TypeAlias = tuple[str, str]  # path and name, within a domain

_ANSWERS: Final = 1024
"""How many answers of a jar are remembered."""

_ANSWERED: Final = 1024 * 1024
"""How many characters they have, about: one answer may have as many as 180 long cookies."""

_RENEWALS: Final = 1024
"""How many kinds of Set-Cookie lines are remembered,"""

_RENEWED: Final = 512
"""and how long they are at most."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class CookieJar(AbstractCookieJar):
    """Keeps cookies and decides which of them a request carries.

    Not for several threads at once.

    Args:
        unsafe: also accept a Domain attribute from a host that is an IP address, if it
            names that address. Without, such a cookie is for that host only, too.
        quote_cookie: quote values that the program gives, where they need it. What
            servers send is never changed.
        treat_as_secure_origin: origins such as ``http://localhost:8080`` that Secure
            cookies are sent to without TLS.
        limit: how many cookies are kept; 0: no limit.
        limit_per_domain: how many of one domain; 0: no limit.
        time: tells the time, in seconds since 1970.
        loop: ignored; once it had a meaning.
    """

    def __init__(
        self,
        *,
        unsafe: bool = False,
        quote_cookie: bool = True,
        treat_as_secure_origin: StrOrURL | Iterable[StrOrURL] | None = None,
        limit: int = 3000,
        limit_per_domain: int = 180,
        time: Callable[[], float] = wall_clock,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if limit < 0 or limit_per_domain < 0:
            raise ValueError(
                f"limits are counts from 0 on (0: none), not {limit} and {limit_per_domain}"
            )
        self._unsafe = unsafe
        self._quote = quote_cookie
        self._secure_origins = _origins(treat_as_secure_origin)
        self._limit = limit
        self._limit_per_domain = limit_per_domain
        self._time = time
        self._domains: dict[str, dict[_Key, Cookie]] = {}  # no empty ones
        self._secure: dict[str, set[Cookie]] = {}  # by name; no empty ones
        self._count = 0
        self._created = 0
        self._next_expiry = inf  # or earlier
        self._answers: dict[tuple[bool, str, str], _Answer] = {}
        self._answered = 0  # characters in them
        self._changes = 0  # of values, while the answers' cookies stay the same
        self._renewals: dict[tuple[str, str, str, bool], _Renewal] = {}

    def __repr__(self) -> str:
        return f"<CookieJar {self._count} cookies>"

    @property
    def unsafe(self) -> bool:
        """Whether a Domain attribute of an IP address is accepted."""
        return self._unsafe

    @property
    def quote_cookie(self) -> bool:
        """Whether values of the program are quoted."""
        return self._quote

    @property
    def treat_as_secure_origin(self) -> frozenset[URL]:
        """Origins that Secure cookies are sent to without TLS."""
        return self._secure_origins

    # What a session does for each response and request.

    def receive(self, lines: Sequence[str], url: URL) -> None:
        """Store what the Set-Cookie fields of a response from ``url`` say.

        ``lines`` are their values. Nothing is raised or logged for what a server says.
        """
        origin = self._origin(url)
        if origin is None:
            return
        for line in lines:
            if self._renew(line, origin):
                continue
            given = parse_set_cookie(line)
            if given is not None:
                renewal = self._store(given, origin)
                if renewal is not None and _names_path(given):
                    self._expect_again(line, origin, renewal)

    def header(self, url: URL, extra: LooseCookies | None = None) -> str:
        """Return the value of the Cookie field for a request to ``url``; "": no field.

        The order is that of RFC 6265, section 5.4: longest paths first, then oldest
        first. Those in ``extra`` follow, and replace the jar's by name.

        Raises:
            ValueError: if a name or value in ``extra`` would begin another cookie.
        """
        field = self._answer(url).field if self._count else ""
        if extra:
            return merge(field, cookie_field(extra, quote=self._quote))
        return field

    # What a program does.

    def update_cookies(self, cookies: LooseCookies, response_url: StrOrURL | None = None) -> None:
        """Store cookies as if they came in a response from ``response_url``.

        Without a URL they belong to every host, or to the domain that a ``Morsel``
        names. What the RFC refuses is left out, such as a Domain of others.

        Raises:
            ValueError: if a name or value would begin another cookie, an attribute has a
                control character, or ``response_url`` has no host.
        """
        origin = self._origin(URL(response_url)) if response_url else None
        if response_url and origin is None:
            # To whom they go then is not for us to guess, least of all: to everybody.
            raise ValueError(f"expected a URL with a host, got {shown(str(response_url))}")
        for name, value in given_pairs(cookies):
            coded = wire_value(name, value, quote=self._quote)
            self._store(SetCookie(name, coded, _attributes_given(name, value)), origin)

    def filter_cookies(self, request_url: StrOrURL | None = None) -> SimpleCookie:
        """Return the cookies for a request to ``request_url``: of one name, the most specific.

        Without a URL: those of every host.
        """
        from http.cookies import SimpleCookie

        filtered = SimpleCookie()
        for cookie in self._answer(URL(request_url or "")).cookies:
            if cookie.name not in filtered:
                filtered[cookie.name] = morsel_of(cookie.name, cookie.value)
        return filtered

    def clear(self, predicate: ClearCookiePredicate | None = None) -> None:
        """Remove the cookies for which ``predicate`` is true; without one, all of them."""
        for cookie in list(self._all()):
            if predicate is None or predicate(cookie.morsel()):
                self._remove(cookie)

    def clear_domain(self, domain: str) -> None:
        """Remove the cookies of ``domain`` and of its subdomains."""
        domain = canonical_domain(domain)
        for cookie in list(self._all()):
            if domain in domains_of(cookie.domain):
                self._remove(cookie)

    def __len__(self) -> int:
        if self._count:
            self._purge()
        return self._count

    def __iter__(self) -> Iterator[Morsel[str]]:
        self._purge()
        return iter([cookie.morsel() for cookie in self._all()])

    @property
    def cookies(self) -> MappingProxyType[tuple[str, str], SimpleCookie]:
        """All cookies, by domain and path; the domain ``""`` is every host."""
        from http.cookies import SimpleCookie

        self._purge()
        found: dict[tuple[str, str], SimpleCookie] = {}
        for cookie in self._all():
            morsels = found.setdefault((cookie.domain, cookie.path), SimpleCookie())
            morsels[cookie.name] = cookie.morsel()
        return MappingProxyType(found)

    @property
    def host_only_cookies(self) -> frozenset[tuple[str, str, str]]:
        """Domain, path and name of the cookies that subdomains don't get."""
        self._purge()
        return frozenset(
            (cookie.domain, cookie.path, cookie.name)
            for cookie in self._all()
            if cookie.is_host_only
        )

    def save(self, file_path: str | PathLike[str]) -> None:
        """Write all cookies to a file, as JSON, that only its owner may read.

        The file is replaced at once: whenever one looks, it is whole.

        Raises:
            OSError: if it can't be written; what was there stays.
        """
        from .cookiefile import write_cookies

        self._purge()
        write_cookies(file_path, sorted(self._all(), key=_age))

    def load(self, file_path: str | PathLike[str]) -> None:
        """Replace all cookies by those of a file that ``save`` wrote.

        Raises:
            OSError: if it can't be read.
            ValueError: if it isn't such a file; the jar is as it was.
        """
        from .cookiefile import read_cookies

        cookies = read_cookies(file_path)
        self.clear()
        for cookie in cookies:
            self._put(cookie)

    # How it is done: to store.

    def _origin(self, url: URL) -> Origin | None:
        host = url.raw_host
        return Origin(host, url.raw_path, self._is_secure(url)) if host else None

    def _is_secure(self, url: URL) -> bool:
        if url.scheme in ("https", "wss"):
            return True
        if not self._secure_origins or not url.raw_host:
            return False
        return url.origin() in self._secure_origins

    def _renew(self, line: str, origin: Origin) -> bool:
        """Store another value, if a server says of it what it said before; whether it does.

        Most send a cookie again and again, with another value or none: to look the
        rest of the line up takes 1 µs instead of 4. The value is all that is checked here.
        """
        pair, _, attributes = line.partition(";")
        name, equals, value = pair.partition("=")
        found = self._renewals.get((name, attributes, origin.host, origin.is_secure))
        if found is None or not equals or len(line) > _RENEWED or not value.isprintable():
            return False
        kept, said = found
        now = self._time()
        if said.max_age is None and said.expires <= now:
            return False
        self._refresh(kept, said, value.strip(" "), now)
        return True

    def _refresh(self, kept: Cookie, said: Cookie, value: str, now: float) -> None:
        """Let a cookie be what was said, which goes to the same requests."""
        kept.renew(said, now)
        if kept.value != value:
            kept.value = value
            self._changes += 1
        self._next_expiry = min(self._next_expiry, kept.expires)

    def _expect_again(self, line: str, origin: Origin, renewal: _Renewal) -> None:
        """Remember what came of a line, until a cookie is added or removed."""
        kept, _ = renewal
        if len(line) > _RENEWED or (kept.is_secure and not origin.is_secure):
            return  # of one that is Secure, but came without TLS, the next is refused
        if len(self._renewals) >= _RENEWALS:
            self._renewals.clear()
        pair, _, attributes = line.partition(";")
        name = pair.partition("=")[0]
        self._renewals[name, attributes, origin.host, origin.is_secure] = renewal

    def _store(self, given: SetCookie, origin: Origin | None) -> _Renewal | None:
        """Store a cookie, unless it is refused; return what is kept then."""
        cookie = cookie_of(given, origin, self._time(), unsafe=self._unsafe)
        if cookie is None:
            return None
        if origin is None or origin.is_secure or not self._hides_secure(cookie):
            self._put(cookie)
            kept = self._domains.get(cookie.domain, {}).get((cookie.path, cookie.name))
            return None if kept is None else (kept, copy(cookie))
        return None

    def _put(self, cookie: Cookie) -> None:
        """Add a cookie, in place of one with its name, domain and path (section 5.3, step 11)."""
        now = cookie.used = self._time()
        old = self._domains.get(cookie.domain, {}).get((cookie.path, cookie.name))
        if cookie.expires <= now:
            if old is not None:
                self._remove(old)
            return
        if old is not None and old.goes_where(cookie):
            self._refresh(old, cookie, cookie.value, now)
            return
        self._next_expiry = min(self._next_expiry, cookie.expires)
        if old is None:
            self._created += 1
            cookie.created = self._created
        else:
            cookie.created = old.created
            self._remove(old)
        self._add(cookie)
        domain = self._domains[cookie.domain]
        if cookie.domain and 0 < self._limit_per_domain < len(domain):
            self._make_room(domain.values, self._limit_per_domain)
        if 0 < self._limit < self._count:
            self._make_room(self._all, self._limit)

    def _hides_secure(self, cookie: Cookie) -> bool:
        """Whether requests would carry it, or nothing, in place of a Secure one of its name."""
        above = (EVERY_HOST, *domains_of(cookie.domain))
        return any(
            (other.domain in above or other.domain.endswith(f".{cookie.domain}"))
            and path_matches(cookie.path, other.path)
            for other in self._secure.get(cookie.name, ())
        )

    def _add(self, cookie: Cookie) -> None:
        self._domains.setdefault(cookie.domain, {})[cookie.path, cookie.name] = cookie
        if cookie.is_secure:
            self._secure.setdefault(cookie.name, set()).add(cookie)
        self._count += 1
        self._forget()

    def _remove(self, cookie: Cookie) -> None:
        domain = self._domains[cookie.domain]
        del domain[cookie.path, cookie.name]
        if not domain:
            del self._domains[cookie.domain]
        if cookie.is_secure:
            self._secure[cookie.name].remove(cookie)
            if not self._secure[cookie.name]:
                del self._secure[cookie.name]
        self._count -= 1
        self._forget()

    def _all(self) -> Iterator[Cookie]:
        for domain in self._domains.values():
            yield from domain.values()

    def _purge(self) -> None:
        """Remove what has expired."""
        now = self._time()
        if now < self._next_expiry:
            return
        for cookie in [each for each in self._all() if each.expires <= now]:
            self._remove(cookie)
        self._next_expiry = min((each.expires for each in self._all()), default=inf)

    def _make_room(self, cookies: Callable[[], Iterable[Cookie]], limit: int) -> None:
        """Remove what has expired, then what was not used for the longest time, Secure ones last.

        A tenth goes at once, so that a server that sends more and more of them does
        not have them sorted each time.
        """
        self._purge()
        self._forget_answers()
        crowd = list(cookies())
        excess = len(crowd) - limit
        if excess <= 0:
            return
        losers = [each for each in crowd if not each.is_secure]
        if len(losers) < excess:
            losers = crowd
        for cookie in nsmallest(max(excess, len(losers) // 10), losers, key=_last_use):
            self._remove(cookie)

    # How it is done: to send.

    def _answer(self, url: URL) -> _Answer:
        """Return which cookies go to ``url``; remembered until one is added or removed."""
        now = self._time()
        if now >= self._next_expiry:
            self._purge()
        key = (self._is_secure(url), url.raw_host or "", url.raw_path or "/")
        answer = self._answers.get(key)
        if answer is None or answer.changes != self._changes:
            if self._answered >= _ANSWERED or (answer is None and len(self._answers) >= _ANSWERS):
                self._forget_answers()
                answer = None
            if answer is None:
                answer = self._answers[key] = _Answer(self._select(*key))
            self._answered += answer.write(self._changes)
        answer.used = now
        return answer

    def _select(self, is_secure: bool, host: str, path: str) -> list[Cookie]:
        """Return the cookies for a request, in the order of section 5.4."""
        found = [
            cookie
            for domain in dict.fromkeys((*domains_of(host), EVERY_HOST))
            if domain in self._domains
            for cookie in self._domains[domain].values()
            if (not cookie.is_host_only or domain == host)
            and (is_secure or not cookie.is_secure)
            and path_matches(path, cookie.path)
        ]
        # What the program gives to every host makes way for what a host said itself.
        names = {cookie.name for cookie in found if cookie.domain != EVERY_HOST}
        found = [each for each in found if each.domain != EVERY_HOST or each.name not in names]
        return sorted(found, key=_precedence)

    def _forget(self) -> None:
        """Forget what holds only as long as no cookie is added or removed."""
        self._renewals.clear()
        self._forget_answers()

    def _forget_answers(self) -> None:
        for answer in self._answers.values():
            for cookie in answer.cookies:
                cookie.used = max(cookie.used, answer.used)
        self._answers.clear()
        self._answered = 0


_Renewal: TypeAlias = tuple[Cookie, Cookie]
"""A cookie that is kept, and as what it came: by another line it may come as something else."""


class _Answer:
    """The cookies for one host and path, and the field that carries them."""

    __slots__ = ("changes", "cookies", "field", "used")

    def __init__(self, cookies: list[Cookie]) -> None:
        self.cookies = cookies
        self.field = ""
        self.changes = -1  # how many the field has taken in
        self.used = 0.0

    def write(self, changes: int) -> int:
        """Write the field anew; return how much longer it is."""
        before = len(self.field)
        self.field = "; ".join([f"{cookie.name}={cookie.value}" for cookie in self.cookies])
        self.changes = changes
        return len(self.field) - before


def _age(cookie: Cookie) -> int:
    return cookie.created


def _names_path(given: SetCookie) -> bool:
    """Whether a cookie's path doesn't depend on the request's."""
    return dict(given.attributes).get("path", "").startswith("/")


def _last_use(cookie: Cookie) -> tuple[float, int]:
    return cookie.used, cookie.created


def _precedence(cookie: Cookie) -> tuple[int, int]:
    return -len(cookie.path), cookie.created


def _attributes_given(name: str, value: object) -> tuple[tuple[str, str], ...]:
    """Return the attributes of a cookie that the program gives."""
    if isinstance(value, Mapping):  # a Morsel, which has all of them, most empty or False
        morsel = cast(Mapping[str, object], value)
        attributes = tuple([
            # A number as date counts from now, as it does in http.cookies.
            ("max-age" if key == "expires" and isinstance(each, int) else key,
             "" if each is True else str(each))
            for key, each in morsel.items()
            if each != "" and each is not None and each is not False
        ])  # fmt: skip
        for key, text in attributes:
            if found := _CONTROL.search(text):
                raise ValueError(f"{found[0]!r} in the attribute {key} of cookie {shown(name)}")
        return attributes
    lower = name.lower()
    if lower.startswith("__host-"):
        return (("secure", ""), ("path", "/"))
    return (("secure", ""),) if lower.startswith("__secure-") else ()


def _origins(given: StrOrURL | Iterable[StrOrURL] | None) -> frozenset[URL]:
    if given is None:
        return frozenset()
    urls = [given] if isinstance(given, str | URL) else given
    return frozenset(URL(url).origin() for url in urls)


# Another jar, and how a session speaks to any of them.


class DummyCookieJar(AbstractCookieJar):
    """A jar that keeps nothing: no response sets a cookie, and no request carries one."""

    def __init__(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None: ...

    def __repr__(self) -> str:
        return "<DummyCookieJar>"

    def receive(self, lines: Sequence[str], url: URL) -> None:
        """Drop the cookies of a response."""

    def header(self, url: URL, extra: LooseCookies | None = None) -> str:
        """Return the value of a Cookie field for ``extra`` alone."""
        return cookie_field(extra) if extra else ""

    def update_cookies(self, cookies: LooseCookies, response_url: StrOrURL | None = None) -> None:
        """Drop the cookies."""

    def filter_cookies(self, request_url: StrOrURL | None = None) -> SimpleCookie:
        """Return no cookies."""
        from http.cookies import SimpleCookie

        return SimpleCookie()

    def clear(self, predicate: ClearCookiePredicate | None = None) -> None:
        """Do nothing: it is empty."""

    def clear_domain(self, domain: str) -> None:
        """Do nothing: it is empty."""

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Morsel[str]]:
        return iter(())


class CookieDoors(NamedTuple):
    """What a session asks of a jar; see ``CookieJar.receive`` and ``CookieJar.header``."""

    receive: Callable[[Sequence[str], URL], None]
    header: Callable[[URL, LooseCookies | None], str]


def cookie_doors(jar: AbstractCookieJar) -> CookieDoors:
    """Return how a session speaks to ``jar``, to be asked for once.

    Our own jars have doors that make no objects of ``http.cookies``. Any other, and
    a subclass with a mind of its own, is spoken to by the methods of the abstract class.
    """
    for ours in (CookieJar, DummyCookieJar):
        if (
            isinstance(jar, ours)
            and type(jar).update_cookies is ours.update_cookies
            and type(jar).filter_cookies is ours.filter_cookies
        ):
            return CookieDoors(jar.receive, jar.header)

    def receive(lines: Sequence[str], url: URL) -> None:
        given = [found for found in map(parse_set_cookie, lines) if found is not None]
        jar.update_cookies([(each.name, morsel_of(*each)) for each in given], url)

    def header(url: URL, extra: LooseCookies | None) -> str:
        field = cookie_field(jar.filter_cookies(url))
        return merge(field, cookie_field(extra)) if extra else field

    return CookieDoors(receive, header)
