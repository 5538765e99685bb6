"""HTTP client for asyncio."""

import sys

if not hasattr(sys.modules["aiohttp"], "__facade__"):
    raise ImportError(
        "aiohttp.client needs the package 'aiohttp' of aiohttp-protocol, but found another one, "
        "or what uninstalling it left; they can't share an environment. To keep aiohttp-protocol: "
        "pip uninstall -y aiohttp && pip install --force-reinstall aiohttp-protocol"
    )

from .connector import TCPConnector
from .errors import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientResponseError,
    ClientSSLError,
    ConnectionTimeoutError,
    ContentTypeError,
    InvalidURL,
    InvalidUrlClientError,
    InvalidUrlRedirectClientError,
    MalformedResponseError,
    NonHttpUrlClientError,
    NonHttpUrlRedirectClientError,
    RedirectClientError,
    ServerConnectionError,
    ServerDisconnectedError,
    ServerTimeoutError,
    SocketTimeoutError,
    TooManyRedirects,
)
from .request import HttpRequest, RequestInfo
from .response import HttpResponse
from .session import Session, request
from .timeouts import ClientTimeout

ClientRequest = HttpRequest
ClientResponse = HttpResponse
ClientSession = Session

__all__ = [
    # session
    "ClientSession",
    "Session",
    "request",
    # connector
    "TCPConnector",
    # request, response
    "ClientRequest",
    "ClientResponse",
    "HttpRequest",
    "HttpResponse",
    "RequestInfo",
    # timeouts
    "ClientTimeout",
    # errors
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
    "RedirectClientError",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerTimeoutError",
    "SocketTimeoutError",
    "TooManyRedirects",
]
