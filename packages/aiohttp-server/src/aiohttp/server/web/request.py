"""Requests: what a handler gets. Everything is computed when it is first looked at.

``BaseRequest`` knows an exchange; ``Request`` also the application that answers, and the
route that was found. Making one costs 0.15 µs, which every request pays.
"""

from __future__ import annotations

import asyncio
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from copy import copy
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, overload

from multidict import CIMultiDict, CIMultiDictProxy

from aiohttp.protocol import (
    Exchange,
    Headers,
    HttpVersion,
    RequestHead,
    StreamReader,
    shown,
)

from .bodies import decode_json, decode_text, read_whole
from .fields import RequestFields
from .lazy import lazy
from .limits import DEFAULT_REQUEST_LIMITS, RequestLimits
from .matchinfo import UrlMappingMatchInfo
from .target import authority_of, local_authority, path_of

if TYPE_CHECKING:
    from multidict import MultiDictProxy, MultiMapping
    from yarl import URL

    from aiohttp.protocol import MultipartReader

    from .application import Application
    from .forms import FormValue
    from .keys import ChainMapProxy, RequestKey
    from .routes import AbstractRoute
    from .stream_response import StreamResponse

__all__ = ["BaseRequest", "Request"]

# Whose content has no meaning of its own (RFC 9110, section 9.3).
_METHODS_WITHOUT_BODY: Final = frozenset({"GET", "HEAD", "DELETE", "CONNECT", "OPTIONS", "TRACE"})

_T = TypeVar("_T")
_U = TypeVar("_U")


class BaseRequest(RequestFields, MutableMapping["str | RequestKey[Any]", Any]):
    """A request; also a mapping, for what middlewares leave for handlers.

    Attributes:
        exchange: what it came by, and is answered by.
        head: method, target, version and fields as they came.
        method: such as ``"GET"``.
        headers: the fields, read-only; looked up without regard to case.
        POST_METHODS: the methods whose body ``post`` takes for a form.
    """

    POST_METHODS: Final = frozenset({"PATCH", "POST", "PUT", "TRACE", "DELETE"})

    __slots__ = (
        "__weakref__",
        "_body",
        "_cache",
        "_form",
        "_limits",
        "_response",
        "_state",
        "exchange",
        "head",
        "headers",
        "method",
    )

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.head = head = exchange.head
        self.method = head.method
        self.headers: Headers = head.headers
        self._body: bytes | None = None
        self._cache: dict[str, Any] | None = None
        self._form: MultiDictProxy[FormValue] | None = None
        self._limits: RequestLimits | None = None
        self._response: StreamResponse | None = None
        self._state: dict[str | RequestKey[Any], Any] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {shown(self.head.target)}>"

    @property
    def has_prepare_hooks(self) -> bool:
        """Whether somebody may want to be called before a response's head is sent."""
        return False

    # What middlewares leave for handlers. Equality is identity: a request isn't what it keeps.

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        return True

    @overload
    def __getitem__(self, key: RequestKey[_T]) -> _T: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: str | RequestKey[Any]) -> Any:
        if self._state is None:
            raise KeyError(key)
        return self._state[key]

    @overload
    def __setitem__(self, key: RequestKey[_T], value: _T) -> None: ...
    @overload
    def __setitem__(self, key: str, value: Any) -> None: ...
    def __setitem__(self, key: str | RequestKey[Any], value: Any) -> None:
        if self._state is None:
            self._state = {}
        self._state[key] = value

    def __delitem__(self, key: str | RequestKey[Any]) -> None:
        if self._state is None:
            raise KeyError(key)
        del self._state[key]

    def __len__(self) -> int:
        return len(self._state or ())

    def __iter__(self) -> Iterator[str | RequestKey[Any]]:
        return iter(self._state or ())

    @overload  # type: ignore[override]
    def get(self, key: RequestKey[_T], default: _U) -> _T | _U: ...
    @overload
    def get(self, key: RequestKey[_T], default: None = None) -> _T | None: ...
    @overload
    def get(self, key: str, default: Any = None) -> Any: ...
    def get(  # pyright: ignore[reportIncompatibleMethodOverride] - keys are of two types
        self, key: str | RequestKey[Any], default: Any = None
    ) -> Any:
        """Return what was left under this key, or ``default``."""
        return default if self._state is None else self._state.get(key, default)

    # Who asks, and whom.

    @property
    def version(self) -> HttpVersion:
        """The client's version of HTTP."""
        return self.head.version

    @lazy
    def scheme(self) -> str:
        """``"http"`` or ``"https"``: by the connection, or by a proxy that is trusted."""
        return self.exchange.scheme

    @property
    def secure(self) -> bool:
        """Whether ``scheme`` is ``"https"``."""
        return self.scheme == "https"

    @lazy
    def host(self) -> str:
        """The host that was asked, with its port if one was given.

        By a proxy that is trusted, by a target that names it, by Host (RFC 9112, section
        3.2.2), which the connection has checked; without any our own address.
        """
        return (
            self.exchange.host
            or authority_of(self.head.target)
            or self.headers.get("Host")
            or local_authority(self.exchange.sockname)
        )

    @lazy
    def remote(self) -> str | None:
        """The address of the client; None on a unix socket."""
        peername = self.exchange.peername
        if not peername or isinstance(peername, (str, bytes)):
            return None
        return str(peername[0])

    @property
    def forwarded(self) -> tuple[Mapping[str, str], ...]:
        """What Forwarded says, one mapping for each proxy, the client's end first.

        That is their word, or anybody's: who trusts a proxy has ``remote``, ``scheme`` and
        ``host`` from it by ``trusted_proxies``. RFC 7239.
        """
        from aiohttp.protocol import parse_forwarded

        values = self.headers.getall("Forwarded", ())
        return tuple(MappingProxyType(each) for each in parse_forwarded(values))

    @lazy
    def id(self) -> str:
        """Sixteen random hexadecimal digits by which logs name this request."""
        return os.urandom(8).hex()

    # What for.

    @property
    def raw_path(self) -> str:
        """The path with its query, as it came."""
        target = self.head.target
        if target[:1] == "/":
            return target
        return path_of(target)

    @property
    def path_qs(self) -> str:
        """The same as ``raw_path``."""
        return self.raw_path

    @property
    def path(self) -> str:
        """The path without its query, percent-decoded."""
        target = self.head.target
        if "%" not in target and "?" not in target and target[:1] == "/":
            return target
        return self._decoded_path

    @lazy
    def _decoded_path(self) -> str:
        path = self.raw_path.partition("?")[0]
        return self.rel_url.path if "%" in path else path

    @lazy
    def rel_url(self) -> URL:
        """Path and query."""
        from yarl import URL

        path, _, query = self.raw_path.partition("?")
        return URL.build(path=path, query_string=query, encoded=True)

    @lazy
    def url(self) -> URL:
        """The whole URL that was asked for, as far as the server can know."""
        from yarl import URL

        path, _, query = self.raw_path.partition("?")
        return URL.build(
            scheme=self.scheme,
            authority=self.host.lower().removesuffix(":"),
            path=path if path[:1] == "/" else "",
            query_string=query,
            encoded=True,
        )

    @property
    def query(self) -> MultiMapping[str]:
        """The parameters of the query, decoded."""
        return self.rel_url.query

    @property
    def query_string(self) -> str:
        """The query, decoded; see ``rel_url.raw_query_string`` for what came."""
        return self.rel_url.query_string

    # The body.

    @property
    def limits(self) -> RequestLimits:
        """What bounds the body where it is read as a whole."""
        return self._limits or DEFAULT_REQUEST_LIMITS

    @property
    def client_max_size(self) -> int:
        """How many bytes ``read`` and ``post`` take; 0: no bound but the connection's."""
        return self.limits.body or 0

    @property
    def client_max_fields(self) -> int:
        """How many fields ``post`` takes; 0: no bound."""
        return self.limits.fields or 0

    @property
    def content(self) -> StreamReader:
        """The body as a stream, free of transfer and content codings.

        As it came, with its content coding, it is ``request.exchange.body``.

        Raises:
            UnknownContentCoding: if Content-Encoding names one that isn't known here: 415.
        """
        return self._decoded if "Content-Encoding" in self.headers else self.exchange.body

    @lazy
    def _decoded(self) -> StreamReader:
        from aiohttp.protocol import DecodedStream, content_decoder

        limits = self.exchange.limits
        decoder = content_decoder(",".join(self.headers.getall("Content-Encoding")), limits)
        body = self.exchange.body
        return body if decoder is None else DecodedStream(body, decoder, limits)

    @property
    def unread_body(self) -> StreamReader:
        """The body as a stream from its beginning, also where ``read`` was there before."""
        return self.content if self._body is None else StreamReader.complete(self._body)

    @property
    def body_exists(self) -> bool:
        """Whether the request has a body, read or not.

        HTTP/2, over ASGI, may have one without saying so first: then by the method.
        """
        head = self.head
        if head.content_length is None and head.version >= (2, 0):
            return head.method not in _METHODS_WITHOUT_BODY
        return head.chunked or bool(head.content_length)

    @property
    def can_read_body(self) -> bool:
        """Whether there is something left to read of the body."""
        return self.body_exists and not self.content.at_eof()

    @property
    def has_body(self) -> bool:
        """The same as ``can_read_body``. Deprecated."""
        warnings.warn("has_body is can_read_body", DeprecationWarning, stacklevel=2)
        return self.can_read_body

    async def read(self) -> bytes:
        """Return the whole body; again and again the same.

        Raises:
            HTTPRequestEntityTooLarge: if it has more bytes than ``limits.body``.
            RemoteProtocolError: if it breaks off, or isn't what Content-Encoding says: 400.
        """
        if self._body is None:
            self._body = await read_whole(self.content, self.limits.body, self.content_length)
        return self._body

    async def text(self) -> str:
        """Return the whole body as text: in the charset of Content-Type, else UTF-8.

        Raises:
            HTTPUnsupportedMediaType: if there is no such charset.
            HTTPBadRequest: if the body isn't in it.
        """
        return decode_text(await self.read(), self.charset or "utf-8")

    async def json(self, *, loads: Callable[[str], Any] = json.loads) -> Any:
        """Return what the body says in JSON, whatever Content-Type says.

        Raises:
            json.JSONDecodeError: if it is no JSON, or is nested deeper or has a longer number
                than ``json`` takes; 400, unless it is caught.
        """
        return decode_json(await self.text(), loads)

    async def multipart(self) -> MultipartReader:
        """Return a reader of the body's parts, one after the other.

        Raises:
            MultipartError: if the body isn't multipart: 400. See ``limits`` for what else
                its methods raise: 413.
        """
        from .forms import multipart_reader

        return multipart_reader(self)

    async def post(self) -> MultiDictProxy[FormValue]:
        """Return the fields of a form; again and again the same.

        Files come as ``FileField``, in memory or in a temporary file, which is closed when
        the request ends. What is no form, or comes by GET, has no fields.

        Raises:
            HTTPRequestEntityTooLarge: if a bound of ``limits`` is exceeded; its text says which.
            RemoteProtocolError: if the form is malformed, or breaks off: 400.
        """
        if self._form is None:
            from .forms import read_form

            self._form = await read_form(self)
        return self._form

    async def release(self) -> None:
        """Read what is left of the body, and drop it."""
        while await self.content.readany():
            pass

    # The connection.

    @property
    def transport(self) -> asyncio.Transport | None:
        """The transport, where there is one: for a look at it, not to write."""
        return getattr(self.exchange, "transport", None)

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The task that handles this request; cancelled when the client goes away."""
        return self.exchange.task or asyncio.current_task()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop. Deprecated."""
        warnings.warn("request.loop is the running loop", DeprecationWarning, stacklevel=2)
        return asyncio.get_running_loop()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the transport knows by this name, such as ``"ssl_object"``."""
        found = self.exchange.get_extra_info(name)
        return default if found is None else found

    @property
    def is_draining(self) -> bool:
        """Whether the server is about to stop: endless responses should end now."""
        return self.exchange.is_draining

    async def wait_draining(self) -> None:
        """Return when the server begins to stop."""
        await self.exchange.wait_draining()

    async def wait_disconnected(self) -> None:
        """Return when the client has gone away, or the request is over."""
        await self.exchange.wait_disconnected()

    async def _prepare_hook(self, response: StreamResponse) -> None:
        """Have those who want to change a response before its head leaves."""

    # The same request with other eyes.

    def clone(
        self,
        *,
        method: str | None = None,
        rel_url: URL | str | None = None,
        headers: Mapping[str, str] | None = None,
        scheme: str | None = None,
        host: str | None = None,
        remote: str | None = None,
        client_max_size: int | None = None,
        client_max_fields: int | None = None,
    ) -> Self:
        """Return a copy of which some things differ; None leaves them.

        Both have the same body, and are answered by the same exchange. What was kept in
        the mapping is copied. An absolute ``rel_url`` sets scheme and host, too.
        """
        target = None
        if rel_url is not None:
            from yarl import URL

            url = URL(rel_url)
            target = url.raw_path_qs
            if url.absolute:
                scheme, host = scheme or url.scheme or None, host or url.authority
        new = copy(self)
        new._alter_head(method, target, headers)  # noqa: SLF001 - of its own class
        facts = {"id": self.id, "scheme": scheme, "remote": remote}
        named = new.headers.get("Host")
        if host is None and (named is None or (target is not None and headers is None)):
            host = self.host  # which the target may have named
        if host is not None or named == self.headers.get("Host"):
            facts["host"] = host
        new._alter_facts(facts)  # noqa: SLF001
        new._alter_limits(client_max_size, client_max_fields)  # noqa: SLF001
        return new

    def _alter_head(
        self, method: str | None, target: str | None, headers: Mapping[str, str] | None
    ) -> None:
        head = self.head
        self.head = RequestHead(
            method or head.method,
            target or head.target,
            head.version,
            head.headers if headers is None else CIMultiDictProxy(CIMultiDict(headers)),
            head.keep_alive,
            head.chunked,
            head.content_length,
            head.upgrade,
            head.expect_continue,
        )
        self.method, self.headers = self.head.method, self.head.headers

    def _alter_facts(self, given: dict[str, str | None]) -> None:
        """Forget what was computed, but for what stays the same, and set what is given."""
        known = self._cache or {}
        self._cache = {name: known[name] for name in ("_decoded", *given) if name in known}
        self._cache |= {name: value for name, value in given.items() if value is not None}
        self._state = None if self._state is None else self._state.copy()

    def _alter_limits(self, size: int | None, fields: int | None) -> None:
        if size is not None:
            self._limits = replace(self.limits, body=size or None)
        if fields is not None:
            self._limits = replace(self.limits, fields=fields or None)


class Request(BaseRequest):
    """A request to an application."""

    __slots__ = ("_app", "_match_info", "_route")

    _match_info: UrlMappingMatchInfo | None
    _route: AbstractRoute | None

    def __init__(self, exchange: Exchange, app: Application) -> None:
        # Not by super().__init__(), which takes as long again.
        self.exchange = exchange
        self.head = head = exchange.head
        self.method = head.method
        self.headers = head.headers
        self._body = self._cache = self._form = self._limits = self._response = self._state = None
        self._app = app
        self._match_info = self._route = None

    @property
    def match_info(self) -> UrlMappingMatchInfo:
        """What the router has found: the parts of the path, the route, the handler."""
        found = self._match_info
        if found is None:
            if self._route is None:
                raise RuntimeError("match_info is set when the router has found a handler")
            # A route without parts, found in a dict: few handlers look at this.
            self._match_info = found = UrlMappingMatchInfo({}, self._route)
            found.add_app(self._app)
        return found

    @property
    def has_prepare_hooks(self) -> bool:
        """Whether somebody may want to be called before a response's head is sent."""
        return self._app.has_prepare_hooks

    @property
    def app(self) -> Application:
        """The application that answers, the inner one of several."""
        found = self._match_info
        return self._app if found is None else found.current_app

    @property
    def config_dict(self) -> ChainMapProxy:
        """What ``app`` keeps, and behind that what the applications around it keep."""
        from .keys import ChainMapProxy

        apps = (self._app,) if self._match_info is None else self._match_info.apps
        return ChainMapProxy(reversed(apps[: apps.index(self.app) + 1]))

    @property
    def limits(self) -> RequestLimits:
        """What bounds the body where it is read as a whole: those of the outermost application."""
        return self._limits or self._app.request_limits

    async def _prepare_hook(self, response: StreamResponse) -> None:
        apps = (self._app,) if self._match_info is None else self._match_info.apps
        for app in apps:
            if signal := app.on_response_prepare:
                await signal.send(self, response)
