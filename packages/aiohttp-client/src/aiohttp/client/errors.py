"""Every error of the client, in one tree.

ClientError                             .method .url .phase .peer .reused .attempt .elapsed
├── InvalidURL (ValueError)             the URL can't be requested        .url .description
│   ├── InvalidUrlClientError
│   │   └── NonHttpUrlClientError       its scheme is neither http nor https
│   └── InvalidUrlRedirectClientError   a Location can't be requested
│       └── NonHttpUrlRedirectClientError
├── ClientConnectionError               no answer, or not all of it, because of the connection
│   ├── ClientOSError (OSError)
│   │   └── ClientConnectorError        no connection could be opened     .host .port .os_error
│   │       ├── ClientConnectorDNSError      the host has no address
│   │       └── ClientSSLError
│   │           ├── ClientConnectorSSLError           TLS could not be agreed
│   │           └── ClientConnectorCertificateError   the certificate was refused
│   ├── ServerConnectionError
│   │   ├── ServerDisconnectedError     closed before the answer          .message
│   │   └── ServerTimeoutError (TimeoutError)
│   │       ├── ConnectionTimeoutError  no connection in time: pool, dns, connect, tls
│   │       └── SocketTimeoutError      no byte in time
│   └── MalformedResponseError          (a ClientResponseError, too)
├── ClientResponseError                 .status .message .headers .history .request_info
│   ├── MalformedResponseError          the answer is not HTTP; ``__cause__`` says why
│   ├── ContentTypeError                the content isn't what was asked for
│   └── TooManyRedirects
└── ClientPayloadError                  the body broke off, or isn't what its head says

``RedirectClientError`` is the base of what a Location can do wrong. The first line
shows facts that every error carries where they are known; what the wire said is
the ``__cause__``, an error of ``aiohttp.protocol``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from yarl import URL

    from .request import RequestInfo
    from .response import HttpResponse

__all__ = [
    "ClientConnectionError",
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
    "Phase",
    "RedirectClientError",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerTimeoutError",
    "SocketTimeoutError",
    "TooManyRedirects",
]

Phase: TypeAlias = Literal["", "pool", "dns", "connect", "tls", "send", "head", "body"]
"""What a request was doing: waiting for a slot, resolving, connecting, shaking hands,
sending, waiting for the response's head, receiving its body; "" before all that."""


class ClientError(Exception):
    """Anything that keeps a request from its answer.

    Attributes:
        method: of the request, or "".
        url: that was requested, without userinfo and fragment, or None.
        phase: what the request was doing.
        peer: the address of the other end, such as ``("192.0.2.1", 443)``, or None.
        reused: whether the connection had served a request before.
        attempt: 1 for the first try, 2 for its repetition on a fresh connection.
        elapsed: seconds from the start of the request.
    """

    method: str = ""
    url: URL | str | None = None
    phase: Phase = ""
    peer: object = None
    reused: bool = False
    attempt: int = 0
    elapsed: float = 0.0


class InvalidURL(ClientError, ValueError):
    """The URL can't be requested.

    Attributes:
        url: as it was given.
        description: what is wrong with it.
    """

    def __init__(self, url: URL | str, description: str = "") -> None:
        super().__init__(f"{url}: {description}" if description else str(url))
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
        reason = self.os_error.strerror or str(self.os_error) or type(self.os_error).__name__
        return f"cannot {self.action} to {_host_and_port(self.host, self.port)}: {reason}"


class ClientConnectorDNSError(ClientConnectorError):
    """The host has no address."""

    def __str__(self) -> str:
        reason = self.os_error.strerror or str(self.os_error)
        return f"cannot resolve {self.host}: {reason}"


class ClientSSLError(ClientConnectorError):
    """TLS failed."""

    def __init__(self, host: str, port: int, os_error: OSError) -> None:
        super().__init__(host, port, os_error, action="open TLS")


class ClientConnectorSSLError(ClientSSLError):
    """Both ends could not agree on TLS."""


class ClientConnectorCertificateError(ClientSSLError):
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


class ServerTimeoutError(ServerConnectionError, TimeoutError):
    """A time limit of the request has passed."""


class ConnectionTimeoutError(ServerTimeoutError):
    """There was no connection in time: the pool was full, or nobody answered."""


class SocketTimeoutError(ServerTimeoutError):
    """No byte came in time (``ClientTimeout.sock_read``)."""


class ClientPayloadError(ClientError):
    """The body of a response broke off, or isn't what its head says."""


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
        super().__init__(request_info, history)
        self.request_info = request_info
        self.history = history
        self.status = status
        self.message = message
        self.headers = headers

    def __str__(self) -> str:
        info = self.request_info
        return f"{self.status}, message={self.message!r}, url={str(info.url)!r}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class ContentTypeError(ClientResponseError):
    """The content is of another type than the one that was asked for."""


class TooManyRedirects(ClientResponseError, RedirectClientError):
    """More redirects than ``max_redirects``; ``history`` has them."""


class MalformedResponseError(ClientResponseError, ClientConnectionError):
    """The answer is not HTTP, or exceeds a limit; the wire's error is the ``__cause__``."""


def _host_and_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
