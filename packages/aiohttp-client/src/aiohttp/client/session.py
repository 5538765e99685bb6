"""Sessions: what several requests have in common."""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, Unpack

from multidict import CIMultiDict, getversion, istr
from yarl import URL

from aiohttp.protocol.coding import accept_encoding
from aiohttp.protocol.http1.encode import encode_field
from aiohttp.protocol.http1.head import HttpVersion, HttpVersion11

from .awaitables import FINISHED, Finished, RequestContext
from .call import Call
from .connector import BaseConnector
from .destination import Destination, StrOrURL, check_authority, destination_of
from .errors import InvalidUrlClientError
from .payload import JSONEncoder
from .reception import RECEPTION_OPTIONS, Reception
from .references import joined
from .request import (
    Auth,
    DefaultFields,
    HttpRequest,
    LooseHeaders,
    lower_names,
    pairs_of,
    validate_auth,
)
from .response import HttpResponse
from .sending import FOLLOWED_UP, MAX_REDIRECTS, follow_up, send, validate_max_redirects
from .tcp import TCPConnector
from .timeouts import DEFAULT_TIMEOUT, ClientTimeout, Timeout, client_timeout

if TYPE_CHECKING:
    from http.cookies import SimpleCookie

    from aiohttp.protocol.abc import AbstractCookieJar, LooseCookies

    from .cookiejar import CookieDoors
    from .options import CharsetResolver, RaiseForStatus, RequestOptions
    from .uploads import UploadTracker

__all__ = ["Session", "request"]

_USER_AGENT: Final = f"Python/{sys.version_info[0]}.{sys.version_info[1]} aiohttp-client"


class Session:
    """Requests that share connections, cookies, default headers and limits; also ``ClientSession``.

    ``async with Session() as session: …``, or close it yourself. Belongs to one event
    loop, the one of its first request.

    Args:
        base_url: what URLs are relative to (RFC 3986, section 5); its path ends in "/".
        connector: where connections come from; a ``TCPConnector`` of its own by default.
        cookies: to begin with, sent to every host.
        headers: fields of each request.
        skip_auto_headers: names of fields that are not to be added: such as User-Agent.
        auth: login and password of each request that has no others; with ``base_url``,
            only of those to its scheme, host and port.
        json_serialize: makes text or bytes of what ``json=`` is given.
        request_class: what requests are made of.
        response_class: what responses are made of.
        version: of HTTP: (1, 1) or (1, 0).
        cookie_jar: keeps the cookies; a ``CookieJar`` of its own by default.
        connector_owner: whether ``close`` closes the connector.
        raise_for_status: whether a status of 400 or more is an error; or a coroutine
            function that is called with each response and raises what it likes.
        timeout: limits of each request: seconds for the whole, or ``ClientTimeout``.
            By default 300 s in all, 30 s to open a connection.
        conn_timeout: seconds to open a connection.
        auto_decompress: whether to undo the content coding of responses.
        trust_env: whether logins are looked up in the file that NETRC names.
        requote_redirect_url: whether a Location is put into normal form.
        read_bufsize: bytes of a body that may wait to be read.
        max_line_size: bytes of a status line.
        max_field_size: bytes of a field line.
        max_headers: how many field lines a response may have.
        max_body: bytes that a response's body may have, decoded or not. None: any
            number as a stream, 1 GiB where ``read`` keeps it in memory.
        fallback_charset_resolver: names the encoding of a text that doesn't say it, by
            response and body; UTF-8 without one.
        ssl_shutdown_timeout: accepted; TLS connections close at once.
        loop: accepted if it is the running one.
        retry: whether a request may be repeated once when a kept connection turns
            out to have been closed by the server. Only where that is safe: nothing
            of a response had come, the request is idempotent, or ``replayable``, or was
            not sent whole, and its body can be sent again.
        allow_insecure_redirects: whether https may redirect to http; Referer is dropped.

    Attributes:
        connector_owner: whether ``close`` closes the connector.
        retries: how many requests were repeated.
    """

    def __init__(
        self,
        base_url: StrOrURL | None = None,
        *,
        connector: BaseConnector | None = None,
        cookies: LooseCookies | None = None,
        headers: LooseHeaders | None = None,
        skip_auto_headers: Iterable[str] | None = None,
        auth: Auth | None = None,
        json_serialize: JSONEncoder | None = None,
        request_class: type[HttpRequest] = HttpRequest,
        response_class: type[HttpResponse] = HttpResponse,
        version: tuple[int, int] = HttpVersion11,
        cookie_jar: AbstractCookieJar | None = None,
        connector_owner: bool = True,
        raise_for_status: RaiseForStatus = False,
        timeout: Timeout = None,
        conn_timeout: float | None = None,
        auto_decompress: bool = True,
        trust_env: bool = False,
        requote_redirect_url: bool = True,
        read_bufsize: int | None = None,
        max_line_size: int | None = None,
        max_field_size: int | None = None,
        max_headers: int | None = None,
        max_body: int | None = None,
        fallback_charset_resolver: CharsetResolver | None = None,
        ssl_shutdown_timeout: float = 0,
        loop: asyncio.AbstractEventLoop | None = None,
        retry: bool = True,
        allow_insecure_redirects: bool = True,
    ) -> None:
        self._base_url = None if base_url is None else _base(base_url)
        self._connector = TCPConnector() if connector is None else connector
        self._is_detached = False
        self._jar = cookie_jar
        if cookies:
            self.cookie_jar.update_cookies(cookies)
        if auth is not None:
            validate_auth(auth)
        self.auth = auth
        self.json_serialize = json_serialize
        self.request_class = request_class
        self.response_class = response_class
        self.version = HttpVersion(*version)
        self.connector_owner = connector_owner
        self.raise_for_status = raise_for_status
        self.timeout: ClientTimeout = client_timeout(timeout, DEFAULT_TIMEOUT, conn_timeout)
        self.auto_decompress = auto_decompress
        self.trust_env = trust_env
        self.requote_redirect_url = requote_redirect_url
        self._skipped = lower_names(skip_auto_headers or ())
        self.skip_auto_headers = frozenset(istr(name) for name in skip_auto_headers or ())
        self.fallback_charset_resolver = fallback_charset_resolver
        self.retry = retry
        self.allow_insecure_redirects = allow_insecure_redirects
        self.retries = 0
        self._reception = Reception().altered(
            self._connector.limits,
            auto_decompress=auto_decompress,
            read_bufsize=read_bufsize,
            max_line_size=max_line_size,
            max_field_size=max_field_size,
            max_headers=max_headers,
            max_body=max_body,
        )
        self._cookie_line = "", b""  # the last one, and what it is on the wire
        self._headers = CIMultiDict(pairs_of(headers or ()))
        self._headers_version = _version(self._headers)
        self._defaults: dict[frozenset[str], DefaultFields] = {}  # by what is skipped
        self._expected_loop = loop
        self._is_closed = False

    def __repr__(self) -> str:
        return "<Session closed>" if self.closed else f"<Session {self._connector!r}>"

    # Requests.

    def request(
        self, method: str, url: StrOrURL, **options: Unpack[RequestOptions]
    ) -> RequestContext:
        """Return a request, which is sent when it is awaited or entered.

        The response is there as soon as its head is; read its body from it.

        Raises, when awaited:
            InvalidURL: if ``url`` is malformed, or neither http nor https.
            ClientConnectionError: if there was no connection, or no answer.
            ServerTimeoutError: if a time limit has passed; also a TimeoutError.
            TooManyRedirects: with the redirects as ``history``.
            LocalProtocolError: if something can't be put on the wire; also a ValueError.
        """
        return RequestContext(self._request(method.upper(), url, **options))

    def get(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return a GET request."""
        return RequestContext(self._request("GET", url, **options))

    def head(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return a HEAD request; redirects are not followed by default."""
        options.setdefault("allow_redirects", False)
        return RequestContext(self._request("HEAD", url, **options))

    def options(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return an OPTIONS request."""
        return RequestContext(self._request("OPTIONS", url, **options))

    def post(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return a POST request."""
        return RequestContext(self._request("POST", url, **options))

    def put(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return a PUT request."""
        return RequestContext(self._request("PUT", url, **options))

    def patch(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return a PATCH request."""
        return RequestContext(self._request("PATCH", url, **options))

    def delete(self, url: StrOrURL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Return a DELETE request."""
        return RequestContext(self._request("DELETE", url, **options))

    async def _request(
        self,
        method: str,
        url: StrOrURL,
        *,
        timeout: Timeout = None,  # noqa: ASYNC109 it is one deadline for all the steps
        conn_timeout: float | None = None,
        allow_redirects: bool = True,
        max_redirects: int = MAX_REDIRECTS,
        raise_for_status: RaiseForStatus | None = None,
        request_class: type[HttpRequest] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        **options: Any,
    ) -> HttpResponse:
        if max_redirects != MAX_REDIRECTS:
            validate_max_redirects(max_redirects)
        running = asyncio.get_running_loop()
        connector = self._connector
        if running is not connector.loop or self._is_closed or loop or self._expected_loop:
            self._bind(running, loop or self._expected_loop)
        reception = self._altered_reception(options) if options else self._reception
        tracker: UploadTracker | None = options.get("upload_tracker")
        if tracker is not None:
            tracker.bind()
        try:
            make = request_class or self.request_class
            url = url if self._base_url is None else _joined(self._base_url, url)
            request = make(method, url, session=self, **options)
            limits = client_timeout(timeout, self.timeout, conn_timeout)
            call = Call(request, limits, running, reception)
            response = await send(self, connector, call)
            if response.status in FOLLOWED_UP:
                response = await follow_up(
                    self,
                    connector,
                    call,
                    response,
                    allow_redirects=allow_redirects,
                    max_redirects=max_redirects,
                )
        finally:
            if tracker is not None:
                tracker.end()
        judge = self.raise_for_status if raise_for_status is None else raise_for_status
        if judge is True:
            response.raise_for_status()
        elif judge:
            await _judge(judge, response)
        return response

    def _altered_reception(self, options: dict[str, Any]) -> Reception:
        """Return how the response is received; takes the options that say so out of the others."""
        names = RECEPTION_OPTIONS.intersection(options)
        if not names:
            return self._reception
        given = {name: options.pop(name) for name in names}
        return self._reception.altered(self._connector.limits, **given)

    def _bind(
        self, running: asyncio.AbstractEventLoop, expected: asyncio.AbstractEventLoop | None
    ) -> None:
        if self._is_closed:
            raise RuntimeError("the session is closed: make a new one")
        if expected is not None and expected is not running:
            raise RuntimeError(
                f"loop is {expected!r}, but the running one is {running!r}: leave out loop, "
                "a request always belongs to the loop that it is awaited in"
            )
        if running is not self._connector.loop:
            self._connector.bind(running)

    # What a request has of its session.

    @property
    def headers(self) -> CIMultiDict[str]:
        """Fields of each request, beside those that are added; may be changed."""
        return self._headers

    def default_fields(self, skip: Iterable[str] | None = None) -> DefaultFields:
        """Return the fields of each request, but not those added ones that are to be skipped."""
        version = _version(self._headers)
        if version != self._headers_version:
            self._headers_version = version
            self._defaults.clear()
        skipped = self._skipped
        if skip:
            skipped |= lower_names(skip)
        found = self._defaults.get(skipped)
        if found is None:
            found = self._defaults[skipped] = self._make_defaults(skipped)
        return found

    def _make_defaults(self, skipped: frozenset[str]) -> DefaultFields:
        # When first needed, since codings are imported.
        coding = accept_encoding() if self.auto_decompress else "identity"
        usual = (("Accept", "*/*"), ("Accept-Encoding", coding), ("User-Agent", _USER_AGENT))
        added = DefaultFields([field for field in usual if field[0].lower() not in skipped])
        return DefaultFields(added.overridden(tuple(self._headers.items())), skipped)

    @property
    def has_credentials(self) -> bool:
        """Whether there may be a login for a request that has none."""
        return self.auth is not None or self.trust_env

    def credentials_for(self, destination: Destination) -> Auth | None:
        """Return login and password for a request that has none of its own, or None."""
        base = self._base_url
        is_at_home = base is None or destination_of(base).key[:3] == destination.key[:3]
        if self.auth is not None and is_at_home:
            return self.auth
        if not self.trust_env:
            return None
        from .environment import netrc_credentials

        return netrc_credentials(destination.key.host)

    # Cookies.

    @property
    def cookie_jar(self) -> AbstractCookieJar:
        """What keeps the cookies."""
        # Made when it is needed: few programs ever see a cookie.
        if self._jar is None:
            from .cookiejar import CookieJar

            self._jar = CookieJar()
        return self._jar

    @cached_property
    def _cookie_doors(self) -> CookieDoors:
        from .cookiejar import cookie_doors

        return cookie_doors(self.cookie_jar)

    @property
    def cookies(self) -> SimpleCookie:
        """All cookies of the session, by name, as in 2014."""
        from http.cookies import SimpleCookie

        found = SimpleCookie()
        found.update({morsel.key: morsel for morsel in self.cookie_jar})
        return found

    def update_cookies(self, cookies: LooseCookies) -> None:
        """Add cookies, which are sent to every host."""
        self.cookie_jar.update_cookies(cookies)

    @property
    def quotes_cookies(self) -> bool:
        """Whether values that the program gives are quoted where they need it."""
        return getattr(self._jar, "quote_cookie", True)

    @property
    def has_cookies(self) -> bool:
        """Whether there is any cookie, for whatever host."""
        return self._jar is not None and len(self._jar) > 0

    def cookies_for(self, request: HttpRequest) -> bytes:
        """Return the Cookie line of a request, or nothing."""
        value = self._cookie_doors.header(request.url, None)
        if request.cookies:
            from .cookies import merge

            value = merge(value, request.cookies)
        if value != self._cookie_line[0]:
            # The same cookies go out again and again: 0.1 µs instead of 2.
            line = encode_field("Cookie", value) if value else b""
            self._cookie_line = value, line
        return self._cookie_line[1]

    def receive_cookies(self, response: HttpResponse) -> None:
        """Keep the cookies that a response sets."""
        self._cookie_doors.receive(response.headers.getall("Set-Cookie"), response.url)

    # The end.

    @property
    def connector(self) -> BaseConnector | Any:
        """Where connections come from; None once it was detached."""
        # Any for the None: who calls ``detach`` knows, and nobody else has to ask each time.
        return None if self._is_detached else self._connector

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop of the first request, or None."""
        return self._connector.loop

    @property
    def closed(self) -> bool:
        """Whether the session, or its connector, was closed."""
        return self._is_closed or self._connector.closed

    def close(self) -> Finished:
        """Close all connections at once. What it returns may be awaited, or dropped."""
        self._is_closed = True
        owns = self.connector_owner and not self._is_detached
        return self._connector.close() if owns else FINISHED

    def detach(self) -> None:
        """Close the session, but leave the connector to whoever has it."""
        self._is_closed = self._is_detached = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        # Without __init__ having run to its end there is nothing to close.
        if not getattr(self, "_is_closed", True) and self.connector_owner:
            left = self._connector.open_connections
            if left:
                warnings.warn(
                    f"unclosed session with {left} open connection{'' if left == 1 else 's'}: "
                    "use 'async with'",
                    ResourceWarning,
                    source=self,
                    stacklevel=1,
                )


def request(
    method: str,
    url: StrOrURL,
    *,
    session: Session | None = None,
    connector: BaseConnector | None = None,
    **options: Unpack[RequestOptions],
) -> RequestContext:
    """Return a request, which is sent when it is awaited or entered.

    Without ``session`` or ``connector`` it has a connection of its own, which is
    closed when the body was read, or the response is closed or dropped. Otherwise as
    ``Session.request``.
    """
    if session is None:
        if connector is None:
            connector = TCPConnector(force_close=True, use_dns_cache=False)
        session = Session(connector=connector, connector_owner=False)
    elif connector is not None:
        raise ValueError("session and connector exclude each other: a session has its connector")
    return session.request(method, url, **options)


def _base(url: StrOrURL) -> URL:
    """Return what relative URLs are joined to.

    Raises:
        InvalidUrlClientError: if it can't be requested itself.
        ValueError: if its path doesn't end in "/": the last part of it would be lost.
    """
    base = destination_of(url).given
    if not base.raw_path.endswith("/"):
        raise ValueError(f"base_url must end in '/', or its last part is lost, got {base.path!r}")
    return base


def _joined(base: URL, url: StrOrURL) -> StrOrURL:
    """Return where ``url`` leads from ``base_url`` (RFC 3986, section 5.2.2).

    What has a scheme needs no base, and stays the text that it is: a URL object would
    hide from ``destination_of`` what ``check_authority`` refuses.

    Raises:
        InvalidUrlClientError: if it is malformed.
    """
    try:
        reference = URL(url)
        if reference.scheme:
            return url
        if isinstance(url, str):
            check_authority(url)
            if url.startswith("//") and not reference.raw_host:
                raise ValueError("expected a host after //")
        return joined(base, reference)
    except ValueError as exc:
        raise InvalidUrlClientError(url, str(exc)) from exc


def _version(headers: CIMultiDict[str]) -> int:
    """Return a number that changes whenever ``headers`` do: 0.05 µs instead of comparing them."""
    return getversion(headers)  # type: ignore[arg-type]  # it takes any value type, but says object


async def _judge(judge: Callable[[HttpResponse], Awaitable[None]], response: HttpResponse) -> None:
    """Let the program decide about a response; one that it refuses is let go of."""
    try:
        await judge(response)
    except BaseException:
        response.release()
        raise
