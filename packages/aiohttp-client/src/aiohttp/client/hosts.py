"""Several servers that answer the same requests: which of them is asked, and what if it fails.

``Host`` and ``Hosts`` decide; they open nothing, wait for nothing and know no clock.
``HttpClient`` asks, and tells them what came of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from copy import copy
from random import choice
from types import TracebackType
from typing import Any, Self, Unpack
from weakref import WeakSet

from .awaitables import FINISHED, Finished, RequestContext
from .cookiejar import DummyCookieJar
from .destination import ConnectionKey, destination_of
from .errors import (
    AllHostsFailed,
    ClientConnectionError,
    ClientError,
    ClientResponseError,
    InvalidUrlClientError,
)
from .options import RequestOptions
from .payload import form_payload, payload
from .response import HttpResponse
from .session import Session
from .tcp import TCPConnector
from .timeouts import Timeout
from .tls import Ssl, validate_ssl

__all__ = ["Host", "Hosts", "HttpClient"]

logger = logging.getLogger("aiohttp.client")


class Host:
    """One of several servers, and what is known of it.

    It is *in service*, or *set aside* because it failed. Each change, and each
    failure while it is set aside, begins a new *spell*. What comes of a request says
    something only about the spell in which the request began: when a host breaks
    down, ten requests fail one after the other, the last one perhaps when the host
    has long recovered, but that is one breakdown, not ten.

    Attributes:
        key: of a connection to it.
        origin: what a URL begins with, such as ``"http://192.0.2.1:8080"``.
        failure: for which it was set aside; None: it is in service.
        failed_at: when that was, in seconds.
    """

    __slots__ = (
        "_asked",
        "_asked_in_spell",
        "_responses",
        "_spell",
        "failed_at",
        "failure",
        "key",
        "origin",
    )

    def __init__(self, key: ConnectionKey) -> None:
        self.key = key
        self.origin = f"{key.scheme}://{key}"
        self.failure: ClientError | None = None
        self.failed_at = 0.0
        self._spell = 0
        self._asked = 0
        self._asked_in_spell = 0
        self._responses: WeakSet[HttpResponse] = WeakSet()  # whose bodies are to come

    def __repr__(self) -> str:
        return f"<Host {self}: {self.state}>"

    def __str__(self) -> str:
        return str(self.key)

    @property
    def state(self) -> str:
        """How it is, for people."""
        return f"{self.in_flight} in flight" if self.failure is None else "set aside"

    @property
    def in_flight(self) -> int:
        """How many requests it has to do with, up to the end of their responses' bodies."""
        if not self._responses:
            return self._asked
        # A response tells nobody that it is over. Few are ever in here: the body of a
        # small one has come with its head.
        for response in [each for each in self._responses if each.closed]:
            self._responses.discard(response)
        return self._asked + len(self._responses)

    @property
    def is_asked_in_spell(self) -> bool:
        """Whether a request is under way that will tell how it is now."""
        return self._asked_in_spell > 0

    # What a request tells: ``begin``, maybe ``answered`` or ``failed``, and ``end``.

    def begin(self) -> int:
        """Know that a request is sent; returns the spell in which it begins."""
        self._asked += 1
        self._asked_in_spell += 1
        return self._spell

    def answered(self, spell: int) -> bool:
        """Know that a request was answered; returns whether that brings the host back."""
        if spell != self._spell or self.failure is None:
            return False
        self.failure = None
        self._begin_spell()
        return True

    def failed(self, spell: int, failure: ClientError, now: float) -> bool:
        """Know that a request failed; returns whether that is news."""
        if spell != self._spell:
            return False
        self.failure = failure
        self.failed_at = now
        self._begin_spell()
        return True

    def end(self, spell: int, response: HttpResponse | None = None) -> None:
        """Know that a request is over, but for the rest of its response."""
        self._asked -= 1
        if spell == self._spell:
            self._asked_in_spell -= 1
        if response is not None and not response.closed:
            self._responses.add(response)

    def _begin_spell(self) -> None:
        self._spell += 1
        self._asked_in_spell = 0


class Hosts:
    """Which host is asked next.

    Args:
        hosts: to choose from.
        failed_timeout: seconds after which a host that was set aside is tried again:
            by one request at a time, until one is answered.
        pick: one of those between which nothing else decides.
    """

    def __init__(
        self,
        hosts: Iterable[Host],
        failed_timeout: float,
        pick: Callable[[Sequence[Host]], Host],
    ) -> None:
        self._hosts = (*hosts,)
        self._failed_timeout = failed_timeout
        self._pick = pick

    def __repr__(self) -> str:
        return ", ".join(f"{host} {host.state}" for host in self._hosts)

    def choose(
        self, tried: Container[Host], now: float, *, even_set_aside: bool = True
    ) -> Host | None:
        """Return the host to ask, of those that weren't tried; None if there is none.

        First one that is to be tried again; else, of those in service, the one with
        the fewest requests in flight. If there is none, and ``even_set_aside`` holds,
        the one that failed longest ago.
        """
        loads: dict[Host, int] = {}
        set_aside: list[Host] = []
        for host in self._hosts:
            if host in tried:
                continue
            if host.failure is None:
                loads[host] = host.in_flight
            else:
                set_aside.append(host)
        set_aside.sort(key=_failed_at)
        for host in set_aside:
            if now >= host.failed_at + self._failed_timeout and not host.is_asked_in_spell:
                return host
        if loads:
            fewest = min(loads.values())
            return self._pick([host for host, load in loads.items() if load == fewest])
        return set_aside[0] if set_aside and even_set_aside else None

    def set_aside(self) -> dict[str, ClientError]:
        """Return why each host that is set aside failed."""
        return {str(host): host.failure for host in self._hosts if host.failure is not None}


class HttpClient:
    """Asks whichever of several servers is there, and has the least to do.

    A host that fails is set aside for a while, and the request is repeated on
    another one where that is safe: nothing of a response has come, and the method is
    idempotent, the request was not sent whole, or ``replayable=True`` says so; and its
    body can be sent again. A host fails by giving no answer: a status of 500, too, is
    an answer.

    ``async with HttpClient(["10.0.0.1:8080", "10.0.0.2:8080"]) as client: …``, or
    close it yourself. Belongs to one event loop, the one of its first request.

    Args:
        hosts: one as text, or several, each as ``"host"``, ``"host:port"`` or
            ``("host", port)``; IPv6 addresses with or without brackets, with them before
            a port. A host that is named twice counts once.
        method: of requests that don't say it (default: GET).
        path: likewise, with a query or without (default: ``/``).
        ssl: False: plain HTTP. True: TLS; or how to do it: a context, a ``Fingerprint``.
        session: False: a connection for each request. True: connections and cookies
            are kept, by a session of its own. Or a ``Session``, which is not closed here.
        timeout: limits of each try on a host: a request that may be repeated can take
            as much time on the next one. Seconds for the whole, or ``ClientTimeout``.
            None: as the session says; by default 300 s.
        conn_timeout: seconds to open a connection; likewise.
        failed_timeout: seconds after which a failed host is tried again. Before that
            it is only asked if all others have failed, too.
        resolve: whether addresses are kept for a while once they are looked up: until
            the host fails. With a given ``Session`` its connector decides.
    """

    def __init__(
        self,
        hosts: str | Iterable[str | tuple[str, int]],
        *,
        method: str | None = None,
        path: str | None = None,
        ssl: Ssl = False,
        session: bool | Session = False,
        timeout: Timeout = None,
        conn_timeout: float | None = None,
        failed_timeout: float = 5.0,
        resolve: bool = True,
    ) -> None:
        validate_ssl(ssl)
        scheme, trust = ("http", True) if ssl is False else ("https", ssl)
        keys = dict.fromkeys(
            _key(scheme, host)._replace(ssl=trust)
            for host in ((hosts,) if isinstance(hosts, str) else hosts)
        )
        if not keys:
            raise ValueError("hosts must name at least one host")
        if not failed_timeout >= 0:
            raise ValueError(f"failed_timeout must be seconds from 0 on, not {failed_timeout!r}")
        self._hosts = Hosts(map(Host, keys), failed_timeout, choice)
        self._method = method or "GET"
        self._path = path or "/"
        self._options: dict[str, Any] = {}
        if trust is not True:
            self._options["ssl"] = trust
        if timeout is not None:
            self._options["timeout"] = timeout
        if conn_timeout is not None:
            self._options["conn_timeout"] = conn_timeout
        self._own_connector: TCPConnector | None = None
        self._is_closed = False
        if isinstance(session, Session):
            self._session = session
        else:
            # Without: as with request(). Nobody waits for a connection, each is closed by its
            # response, and cookies are nobody's.
            self._own_connector = TCPConnector(
                limit=100 if session else 0, force_close=not session, use_dns_cache=resolve
            )
            self._session = Session(
                connector=self._own_connector,
                connector_owner=session,
                cookie_jar=None if session else DummyCookieJar(),
            )

    def __repr__(self) -> str:
        return f"<HttpClient {'closed' if self._is_closed else self._hosts}>"

    def request(
        self,
        method: str | None = None,
        path: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> RequestContext:
        """Return a request, which is sent when it is awaited or entered.

        ``path`` is that of a URL, with a query or without; the rest is as in
        ``Session.request``. A redirect is followed to wherever it leads, but is not
        repeated on another host.

        Raises, when awaited:
            AllHostsFailed: if no host could answer; also a ClientConnectionError.
            ClientConnectionError: if one failed, and it isn't safe to ask another one.
            And whatever ``Session.request`` raises beside that.
        """
        path = path or self._path
        if not path.startswith("/"):
            path = f"/{path}"  # else it could name another host
        return RequestContext(self._request((method or self._method).upper(), path, options))

    async def _request(self, method: str, path: str, given: RequestOptions) -> HttpResponse:
        if self._is_closed:
            raise RuntimeError("the client is closed: make a new one")
        options = {**self._options, **_usable_again(given)}
        now = asyncio.get_running_loop().time
        began = now()
        failures: dict[Host, ClientError] = {}
        even_set_aside = True
        while host := self._hosts.choose(failures, now(), even_set_aside=even_set_aside):
            # When all have failed, one more try is enough: no request waits for each of them.
            even_set_aside = even_set_aside and host.failure is None
            response: HttpResponse | None = None
            spell = host.begin()
            try:
                response = await self._session.request(method, host.origin + path, **options)
            except ClientConnectionError as exc:
                if not self._is_failure(host, spell, method, exc):
                    raise
                # A copy has no traceback, which would keep this request alive with the failure.
                failures[host] = copy(exc)
                self._set_aside(host, spell, failures[host], now())
                # An upload tracker follows one request only, and has seen the end of this one.
                if not exc.may_be_repeated or options.get("upload_tracker") is not None:
                    raise
            except ClientError as exc:
                if isinstance(exc, ClientResponseError) or exc.phase in ("head", "body"):
                    self._bring_back(host, spell)  # an answer, but one that isn't wanted
                raise
            else:
                self._bring_back(host, spell)
                return response
            finally:
                host.end(spell, response)
        raise self._all_failed(failures, now() - began)

    def _is_failure(self, host: Host, spell: int, method: str, exc: ClientConnectionError) -> bool:
        """Whether this host failed, at this request."""
        if self._session.closed or exc.phase in ("", "pool"):
            return False  # we ourselves closed, or had no connection to spare
        if (
            exc.method != method
            or exc.url is None
            or destination_of(exc.url).key[:3] != host.key[:3]
        ):
            # It had answered by a redirect. What failed was the next request, and this one
            # must not be repeated: a POST may have been acted upon.
            self._bring_back(host, spell)
            return False
        return True

    def _set_aside(self, host: Host, spell: int, failure: ClientError, now: float) -> None:
        was_in_service = host.failure is None
        if not host.failed(spell, failure, now):
            return
        if was_in_service:
            logger.warning("host %s is set aside: %s", host, failure)
        # Where it was reached before, it perhaps isn't any more.
        connector = self._session.connector
        if connector is not None:
            connector.drop_idle(host.key)
        if isinstance(connector, TCPConnector):
            connector.clear_dns_cache(host.key.host, host.key.port)

    def _bring_back(self, host: Host, spell: int) -> None:
        if host.answered(spell):
            logger.info("host %s is back", host)

    def _all_failed(self, failures: Mapping[Host, ClientError], elapsed: float) -> AllHostsFailed:
        causes = {str(host): cause for host, cause in failures.items()}
        error = AllHostsFailed({**causes, **self._hosts.set_aside(), **causes})
        last = [*failures.values()][-1]
        error.__cause__ = last
        error.method, error.url, error.phase = last.method, last.url, last.phase
        error.limit = last.limit
        error.attempt = len(failures)
        error.elapsed = elapsed
        error.may_be_repeated = True
        return error

    # The end.

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._is_closed

    def close(self) -> Finished:
        """Close all connections at once, but not those of a ``Session`` that was given.

        What it returns may be awaited, or dropped.
        """
        self._is_closed = True
        if self._own_connector is None:
            return FINISHED
        self._session.close()
        return self._own_connector.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _failed_at(host: Host) -> float:
    return host.failed_at


def _key(scheme: str, host: object) -> ConnectionKey:
    """Return the key of one of the ``hosts``.

    Raises:
        InvalidUrlClientError: if it is more, or less, than a host and maybe a port.
        TypeError: if it is neither text nor a pair.
    """
    match host:
        case str():
            # An address with colons and no brackets has no port.
            authority = f"[{host}]" if host.count(":") > 1 and "[" not in host else host
        case (str(name), int(port)):
            authority = f"[{name.strip('[]')}]:{port}" if ":" in name else f"{name}:{port}"
        case _:
            raise TypeError(f"hosts must be 'host', 'host:port' or ('host', port), not {host!r}")
    url = f"{scheme}://{authority}"
    found = destination_of(url)
    if found.authorization or found.target != "/" or found.given.raw_fragment:
        raise InvalidUrlClientError(url, "expected nothing but a host, and maybe a port")
    return found.key


def _usable_again(options: RequestOptions) -> dict[str, Any]:
    """Return options for several tries: whatever can be iterated over only once is taken up.

    A body becomes a payload, which knows where it began and whether it can be sent again.
    None stands for the default, as if it had been left out.
    """
    usable: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    for name in ("params", "headers", "cookies", "skip_auto_headers"):
        if isinstance(usable.get(name), Iterator):
            usable[name] = [*usable[name]]
    data, files = usable.get("data"), usable.pop("files", None)
    encoding = usable.get("encoding", "utf-8")
    if files:
        usable["data"] = form_payload(data, files, encoding)
    elif data is not None:
        usable["data"] = payload(data, encoding=encoding)
    return usable
