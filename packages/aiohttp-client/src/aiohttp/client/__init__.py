"""HTTP client for asyncio.

What a GET needs is imported at once, the rest when it is first used: forms, say, or
the hosts of an ``HttpClient``. ``_HOMES`` says where each name lives, and is the list
of what is public.
"""

import sys

if not hasattr(sys.modules["aiohttp"], "__facade__"):
    raise ImportError(
        "aiohttp.client needs the package 'aiohttp' of aiohttp-protocol, but found another one, "
        "or what uninstalling it left; they can't share an environment. To keep aiohttp-protocol: "
        "pip uninstall -y aiohttp && pip install --force-reinstall aiohttp-protocol"
    )

# At once, since the function would else be hidden by the module of the same name.
from .session import Session as Session
from .session import request as request

_HOMES = {
    "session": (
        "Session",
        "request",
    ),
    "hosts": ("HttpClient",),
    "connector": (
        "BaseConnector",
        "Connection",
    ),
    "tcp": ("TCPConnector",),
    "local": (
        "NamedPipeConnector",
        "UnixConnector",
    ),
    "dial": (
        "AddrInfoType",
        "SocketFactoryType",
    ),
    "resolver": (
        "AsyncResolver",
        "DefaultResolver",
        "ThreadedResolver",
    ),
    "tls": ("Fingerprint",),
    "cookiejar": (
        "CookieJar",
        "DummyCookieJar",
    ),
    "request": (
        "HttpRequest",
        "RequestInfo",
    ),
    "response": ("HttpResponse",),
    "formdata": ("FormData",),
    "uploads": ("UploadTracker",),
    "timeouts": ("ClientTimeout",),
    "errors": (
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
        "RedirectClientError",
        "ServerConnectionError",
        "ServerDisconnectedError",
        "ServerFingerprintMismatch",
        "ServerTimeoutError",
        "SocketTimeoutError",
        "TooManyRedirects",
        "UnixClientConnectorError",
        "UploadAbortedError",
    ),
}
"""Module: the public names whose home it is."""

_ALIASES = {
    "ClientRequest": "HttpRequest",
    "ClientResponse": "HttpResponse",
    "ClientSession": "Session",
}
"""Names of aiohttp 3, and those of 2014 that are the same classes."""

_SHADOWS = (
    "ConnectionError",
    "TimeoutError",
)
"""Names of 2014 that are those of builtins: found in ``errors``, but never in ``__all__``."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .connector import BaseConnector as BaseConnector
    from .connector import Connection as Connection
    from .cookiejar import CookieJar as CookieJar
    from .cookiejar import DummyCookieJar as DummyCookieJar
    from .dial import AddrInfoType as AddrInfoType
    from .dial import SocketFactoryType as SocketFactoryType
    from .errors import AllHostsFailed as AllHostsFailed
    from .errors import ClientConnectionError as ClientConnectionError
    from .errors import ClientConnectionResetError as ClientConnectionResetError
    from .errors import ClientConnectorCertificateError as ClientConnectorCertificateError
    from .errors import ClientConnectorDNSError as ClientConnectorDNSError
    from .errors import ClientConnectorError as ClientConnectorError
    from .errors import ClientConnectorSSLError as ClientConnectorSSLError
    from .errors import ClientError as ClientError
    from .errors import ClientOSError as ClientOSError
    from .errors import ClientPayloadError as ClientPayloadError
    from .errors import ClientResponseError as ClientResponseError
    from .errors import ClientSSLError as ClientSSLError
    from .errors import ConnectionError as ConnectionError
    from .errors import ConnectionTimeoutError as ConnectionTimeoutError
    from .errors import ContentTypeError as ContentTypeError
    from .errors import InvalidURL as InvalidURL
    from .errors import InvalidUrlClientError as InvalidUrlClientError
    from .errors import InvalidUrlRedirectClientError as InvalidUrlRedirectClientError
    from .errors import MalformedResponseError as MalformedResponseError
    from .errors import NonHttpUrlClientError as NonHttpUrlClientError
    from .errors import NonHttpUrlRedirectClientError as NonHttpUrlRedirectClientError
    from .errors import OsConnectionError as OsConnectionError
    from .errors import RedirectClientError as RedirectClientError
    from .errors import ServerConnectionError as ServerConnectionError
    from .errors import ServerDisconnectedError as ServerDisconnectedError
    from .errors import ServerFingerprintMismatch as ServerFingerprintMismatch
    from .errors import ServerTimeoutError as ServerTimeoutError
    from .errors import SocketTimeoutError as SocketTimeoutError
    from .errors import TimeoutError as TimeoutError
    from .errors import TooManyRedirects as TooManyRedirects
    from .errors import UnixClientConnectorError as UnixClientConnectorError
    from .errors import UploadAbortedError as UploadAbortedError
    from .formdata import FormData as FormData
    from .hosts import HttpClient as HttpClient
    from .local import NamedPipeConnector as NamedPipeConnector
    from .local import UnixConnector as UnixConnector
    from .request import HttpRequest as HttpRequest
    from .request import RequestInfo as RequestInfo
    from .resolver import AsyncResolver as AsyncResolver
    from .resolver import DefaultResolver as DefaultResolver
    from .resolver import ThreadedResolver as ThreadedResolver
    from .response import HttpResponse as HttpResponse
    from .session import request as request
    from .tcp import TCPConnector as TCPConnector
    from .timeouts import ClientTimeout as ClientTimeout
    from .tls import Fingerprint as Fingerprint
    from .uploads import UploadTracker as UploadTracker

    ClientRequest = HttpRequest
    ClientResponse = HttpResponse
    ClientSession = Session


_home_of = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*_home_of, *_ALIASES])  # pyright: ignore[reportUnsupportedDunderAll]  # noqa: PLE0605


def _resolve(name: str) -> object:
    """Return what ``aiohttp.client.<name>`` is, and remember it: the second use is free."""
    from importlib import import_module

    actual = _ALIASES.get(name, name)
    module = "errors" if name in _SHADOWS else _home_of.get(actual)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{module}"), actual)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# Hidden from type checkers, who would take every misspelled name for an object.
if not TYPE_CHECKING:
    __getattr__ = _resolve
