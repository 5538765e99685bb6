"""Every error of the client, in one tree.

ClientError                             .method .url .phase .peer .reused .attempt .elapsed .limit
├── InvalidURL (ValueError)             the URL can't be requested        .url .description
│   ├── InvalidUrlClientError
│   │   └── NonHttpUrlClientError       its scheme is neither http nor https
│   └── InvalidUrlRedirectClientError   a Location can't be requested
│       └── NonHttpUrlRedirectClientError
├── ClientConnectionError               no answer, or not all of it, because of the connection
│   ├── AllHostsFailed                  of an HttpClient                  .failures
│   ├── ClientConnectionResetError (ConnectionResetError)   closed while it was written to
│   ├── ClientOSError (OSError)
│   │   └── ClientConnectorError        no connection could be opened     .host .port .os_error
│   │       ├── ClientConnectorDNSError      the host has no address
│   │       ├── UnixClientConnectorError     nobody listens there         .path
│   │       └── ClientSSLError
│   │           ├── ClientConnectorSSLError (ssl.SSLError)    TLS could not be agreed
│   │           └── ClientConnectorCertificateError (ssl.CertificateError)   it was refused
│   ├── ServerConnectionError
│   │   ├── ServerDisconnectedError     closed before the answer          .message
│   │   ├── ServerFingerprintMismatch   another certificate than the pinned one  .expected .got
│   │   └── ServerTimeoutError (TimeoutError)
│   │       ├── ConnectionTimeoutError  no connection in time: pool, dns, connect, tls
│   │       └── SocketTimeoutError      no byte in time
│   └── MalformedResponseError          (a ClientResponseError, too)
├── ClientResponseError                 .status .message .headers .history .request_info
│   ├── MalformedResponseError          the answer is not HTTP; ``__cause__`` says why
│   ├── ContentTypeError                the content isn't what was asked for
│   └── TooManyRedirects
├── ClientPayloadError                  the body broke off, or isn't what its head says
└── UploadAbortedError                  the request's body was not sent whole

``RedirectClientError`` is the base of what a Location can do wrong. The first line
shows facts that every error carries where they are known; what the wire said is
the ``__cause__``, an error of ``aiohttp.protocol``. The names of 2014 are the same
classes: ``ConnectionError`` is ``ClientConnectionError``, ``OsConnectionError`` is
``ClientOSError``, ``TimeoutError`` the builtin.

Each of them can be pickled and copied.
"""

from __future__ import annotations

import re
import ssl
from builtins import TimeoutError as TimeoutError  # noqa: PLC0414 it is aiohttp.TimeoutError
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, TypeVar

from aiohttp.protocol.headers import headers_of

if TYPE_CHECKING:
    from yarl import URL

    from .request import RequestInfo
    from .response import HttpResponse

__all__ = [
    "AllHostsFailed",
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientError",
    "ClientOSError",
    "ClientPayloadError",
    "ClientResponseError",
    "ClientSSLError",
    "ConnectionTimeoutError",
    "ContentTypeError",
    "InvalidURL",
    "InvalidUrlClientError",
    "InvalidUrlRedirectClientError",
    "MalformedResponseError",
    "NonHttpUrlClientError",
    "NonHttpUrlRedirectClientError",
    "OsConnectionError",
    "Phase",
    "RedirectClientError",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerFingerprintMismatch",
    "ServerTimeoutError",
    "SocketTimeoutError",
    "TooManyRedirects",
    "UnixClientConnectorError",
    "UploadAbortedError",
]

Phase: TypeAlias = Literal["", "pool", "dns", "connect", "tls", "send", "head", "body"]
"""What a request was doing: waiting for a slot, resolving, connecting, shaking hands,
sending, waiting for the response's head, receiving its body; "" before all that."""


E = TypeVar("E", bound="ClientError")

# What may stand before a login and its password.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://|//")


class ClientError(Exception):
    """Anything that keeps a request from its answer.

    Attributes:
        method: of the request, or "".
        url: that was requested, or None. Without userinfo and fragment; the query is
            there, so don't show the world a URL that has secrets in it.
        phase: what the request was doing.
        peer: the address of the other end, such as ``("192.0.2.1", 443)``, or None.
        reused: whether the connection had served a request before.
        attempt: 1 for the first try, 2 for its repetition on a fresh connection.
        elapsed: seconds from the start of the request.
        limit: that was hit, such as ``"ClientTimeout.total=4.9 s"``, or "".
        may_be_repeated: whether the request may be sent again: nothing of a response had
            come, and nobody can have acted on it, or to act twice means the same as once.
    """

    method: str = ""
    url: URL | str | None = None
    phase: Phase = ""
    peer: object = None
    reused: bool = False
    attempt: int = 0
    elapsed: float = 0.0
    limit: str = ""
    may_be_repeated: bool = False

    def __copy__(self) -> Self:
        return _restored(type(self), self.args, vars(self))

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[object, ...]]:
        # The constructors take other arguments than ``args``, which is what pickle goes by.
        return _restored, (type(self), self.args, self._facts())

    def _facts(self) -> dict[str, object]:
        """Return the attributes, in a form that can be pickled."""
        return vars(self)


class InvalidURL(ClientError, ValueError):
    """The URL can't be requested.

    Attributes:
        url: as it was given, but for the userinfo. Where a malformed URL has an "@",
            nobody can tell what the userinfo is: "…" stands for all before it.
        description: what is wrong with it.
    """

    def __init__(self, url: URL | str, description: str = "") -> None:
        url = _without_userinfo(url)
        shown = _on_one_line(str(url))
        super().__init__(f"{shown}: {description}" if description else shown)
        self.url = url
        self.description = description


class RedirectClientError(ClientError):
    """A redirect leads nowhere."""


class InvalidUrlClientError(InvalidURL):
    """The URL that the program gave is malformed."""


class NonHttpUrlClientError(InvalidUrlClientError):
    """The URL that the program gave is neither http nor https."""


class InvalidUrlRedirectClientError(InvalidUrlClientError, RedirectClientError):
    """A server redirects to a malformed URL."""


class NonHttpUrlRedirectClientError(NonHttpUrlClientError, RedirectClientError):
    """A server redirects to a URL that is neither http nor https, such as ``file:``."""


class ClientConnectionError(ClientError):
    """There is no answer, or not all of it, because of the connection."""


class AllHostsFailed(ClientConnectionError):
    """None of the hosts of an ``HttpClient`` could answer.

    Attributes:
        failures: why, by ``"host:port"``: first the hosts that were tried, in that order,
            then those that had failed shortly before and were left in peace.
    """

    def __init__(self, failures: Mapping[str, ClientError]) -> None:
        super().__init__(failures)
        self.failures = failures

    def __str__(self) -> str:
        causes = "; ".join(f"{host}: {cause}" for host, cause in self.failures.items())
        return f"no host could answer: {causes}"


class ClientConnectionResetError(ClientConnectionError, ConnectionResetError):
    """The connection was closed while something was still to be written to it."""


class ClientOSError(ClientConnectionError, OSError):
    """The operating system refused; ``errno`` and ``strerror`` say what."""


class ClientConnectorError(ClientOSError):
    """No connection could be opened.

    Attributes:
        host: that was to be reached.
        port: likewise.
        os_error: what the operating system said.
    """

    def __init__(self, host: str, port: int, os_error: OSError, *, action: str = "connect") -> None:
        super().__init__(os_error.errno, os_error.strerror)
        self.host = host
        self.port = port
        self.os_error = os_error
        self.action = action

    def __str__(self) -> str:
        return f"cannot {self.action} to {_host_and_port(self.host, self.port)}: {self._reason}"

    @property
    def _reason(self) -> str:
        error = self.os_error
        return _on_one_line(error.strerror or str(error) or type(error).__name__)


class ClientConnectorDNSError(ClientConnectorError):
    """The host has no address."""

    def __str__(self) -> str:
        return f"cannot resolve {self.host}: {self._reason}"


class UnixClientConnectorError(ClientConnectorError):
    """Nobody could be reached at a Unix socket.

    Attributes:
        path: of the socket.
    """

    def __init__(self, path: str, os_error: OSError, *, host: str = "", port: int = 0) -> None:
        super().__init__(host, port, os_error)
        self.path = path

    def __str__(self) -> str:
        return f"cannot {self.action} to {self.path}: {self._reason}"


class ClientSSLError(ClientConnectorError):
    """TLS failed. What the ssl module's error tells, such as ``reason``, this one tells, too."""

    def __init__(self, host: str, port: int, os_error: OSError) -> None:
        super().__init__(host, port, os_error, action="open TLS")
        vars(self).update(vars(os_error))


class ClientConnectorSSLError(ClientSSLError, ssl.SSLError):
    """Both ends could not agree on TLS."""


class ClientConnectorCertificateError(ClientSSLError, ssl.CertificateError):
    """The server's certificate was refused."""

    @property
    def certificate_error(self) -> OSError:
        """What the ssl module said."""
        return self.os_error


class ServerConnectionError(ClientConnectionError):
    """The server did something to the connection, or nothing at all."""


class ServerDisconnectedError(ServerConnectionError):
    """The server closed the connection before it had answered.

    Attributes:
        message: one readable line.
    """

    def __init__(self, message: str = "server disconnected") -> None:
        super().__init__(message)
        self.message = message


class ServerFingerprintMismatch(ServerConnectionError):
    """The server's certificate is another one than ``Fingerprint`` names.

    Attributes:
        expected: the digest that was asked for.
        got: the digest of what the server showed.
        host: that was connected to.
        port: likewise.
    """

    def __init__(self, expected: bytes, got: bytes, host: str, port: int) -> None:
        super().__init__(expected, got, host, port)
        self.expected = expected
        self.got = got
        self.host = host
        self.port = port

    def __str__(self) -> str:
        return (
            f"expected a certificate with fingerprint {self.expected.hex()} "
            f"from {_host_and_port(self.host, self.port)}, got one with {self.got.hex()}"
        )


class ServerTimeoutError(ServerConnectionError, TimeoutError):
    """A time limit of the request has passed."""


class ConnectionTimeoutError(ServerTimeoutError):
    """There was no connection in time: the pool was full, or nobody answered."""


class SocketTimeoutError(ServerTimeoutError):
    """No byte came in time (``ClientTimeout.sock_read``)."""


class ClientPayloadError(ClientError):
    """The body of a response broke off, or isn't what its head says."""


class UploadAbortedError(ClientError):
    """The body of a request was not sent whole."""


class ClientResponseError(ClientError):
    """There is an answer, but none that can be used.

    Attributes:
        request_info: the request that was answered.
        history: the redirects before it, the first one first.
        status: of the response; 0 where there was none.
        message: the reason phrase, or what is wrong.
        headers: of the response, or None.
    """

    def __init__(
        self,
        request_info: RequestInfo,
        history: tuple[HttpResponse, ...] = (),
        *,
        status: int = 0,
        message: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message)
        self.request_info = request_info
        self.history = history
        self.status = status
        self.message = message
        self.headers = headers

    @property
    def code(self) -> int:
        """``status``, by the name it had before aiohttp 3.1."""
        return self.status

    def __str__(self) -> str:
        # Tests of programs make this error with None for the request.
        url = getattr(self.request_info, "url", None)
        return f"{self.status}, message={self.message!r}, url={url and str(url)!r}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def _facts(self) -> dict[str, object]:
        # Responses belong to their connections: a pickled error has no history.
        return {
            **vars(self),
            "history": (),
            "headers": _made_headers(self.headers),
            "request_info": _made_request(self.request_info),
        }


class ContentTypeError(ClientResponseError):
    """The content is of another type than the one that was asked for."""


class TooManyRedirects(ClientResponseError, RedirectClientError):
    """More redirects than ``max_redirects``; ``history`` has them."""


class MalformedResponseError(ClientResponseError, ClientConnectionError):
    """The answer is not HTTP, or exceeds a limit; the wire's error is the ``__cause__``."""

    def __str__(self) -> str:
        info = self.request_info
        return f"malformed response to {info.method} {info.url}: {self.message}"


# The names of 2014; those that shadow builtins are in no ``__all__``.
ConnectionError = ClientConnectionError
OsConnectionError = ClientOSError


class _Made:
    """Is pickled as the call that makes it: for proxies, which can't be pickled."""

    def __init__(self, make: Callable[..., object], *arguments: object) -> None:
        self._call = make, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self._call


def _made_headers(headers: Mapping[str, str] | None) -> _Made | None:
    return None if headers is None else _Made(headers_of, (*headers.items(),))


def _made_request(info: RequestInfo | None) -> _Made | None:
    if info is None:  # see ClientResponseError.__str__
        return None
    return _Made(type(info), info.url, info.method, _made_headers(info.headers), info.real_url)


def _restored(kind: type[E], arguments: tuple[object, ...], facts: Mapping[str, object]) -> E:
    """Return an error made of what it had, not by its constructor."""
    error = kind.__new__(kind, *arguments)
    made: Exception = error
    if isinstance(made, OSError):
        OSError.__init__(made, *arguments)  # sets errno and strerror
    vars(error).update(facts)
    return error


def _host_and_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _on_one_line(text: str) -> str:
    """Return a text whose line breaks and other control characters can be seen."""
    return text if text.isprintable() else repr(text)[1:-1]


def _without_userinfo(url: URL | str) -> URL | str:
    try:
        if not isinstance(url, str) and url.raw_host:
            return url if url.raw_user is None and url.raw_password is None else url.with_user(None)
        text = str(url)
    except ValueError:
        # Made by ``encoded=True`` of what is no URL: not even its text can be had.
        return "…"
    hidden, at, rest = text.rpartition("@")
    if not at:
        return url
    scheme = _SCHEME.match(hidden)
    return f"{scheme[0] if scheme else ''}…@{rest}"
