"""The client's errors: one tree, each with facts and a line that a person can read."""

from __future__ import annotations

import socket
import ssl

import pytest
from yarl import URL

from aiohttp.client import errors
from aiohttp.client.errors import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientResponseError,
    ConnectionTimeoutError,
    ContentTypeError,
    InvalidURL,
    MalformedResponseError,
    ServerConnectionError,
    ServerDisconnectedError,
    ServerTimeoutError,
    SocketTimeoutError,
    TooManyRedirects,
)
from aiohttp.client.request import RequestInfo
from aiohttp.protocol.headers import headers_of

INFO = RequestInfo(URL("http://a/"), "GET", headers_of([]), URL("http://a/"))


def test_one_tree() -> None:
    """Every error is a ClientError, and the drawing names it."""
    for name in errors.__all__:
        if name != "Phase":
            assert issubclass(getattr(errors, name), ClientError)
            assert name in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("error", "bases"),
    [
        (InvalidURL, (ValueError,)),
        (ClientOSError, (ClientConnectionError, OSError)),
        (ClientConnectorError, (ClientOSError,)),
        (ServerDisconnectedError, (ServerConnectionError,)),
        (ServerTimeoutError, (ServerConnectionError, TimeoutError)),
        (ConnectionTimeoutError, (ServerTimeoutError,)),
        (SocketTimeoutError, (ServerTimeoutError,)),
        (MalformedResponseError, (ClientResponseError, ClientConnectionError)),
        (ContentTypeError, (ClientResponseError,)),
        (TooManyRedirects, (ClientResponseError, errors.RedirectClientError)),
    ],
)
def test_kinds(error: type[Exception], bases: tuple[type[Exception], ...]) -> None:
    """What aiohttp's users catch, they catch here."""
    for base in bases:
        assert issubclass(error, base)


def test_facts_are_empty_where_they_are_not_known() -> None:
    """An error can be made, and read, without a request."""
    error = ClientError("x")
    assert (error.method, error.url, error.phase, error.peer) == ("", None, "", None)
    assert (error.reused, error.attempt, error.elapsed) == (False, 0, 0.0)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InvalidURL("x", "why"), "x: why"),
        (InvalidURL("x"), "x"),
        (
            ClientConnectorError("a", 80, OSError(111, "Connection refused")),
            "cannot connect to a:80: Connection refused",
        ),
        (
            ClientConnectorError("::1", 80, OSError("odd")),
            "cannot connect to [::1]:80: odd",
        ),
        (
            ClientConnectorDNSError("a", 80, socket.gaierror(-2, "Name or service not known")),
            "cannot resolve a: Name or service not known",
        ),
        (
            ClientConnectorCertificateError("a", 443, ssl.SSLCertVerificationError(1, "expired")),
            "cannot open TLS to a:443: expired",
        ),
        (
            ClientResponseError(INFO, status=404, message="Not Found"),
            "404, message='Not Found', url='http://a/'",
        ),
        (ServerDisconnectedError(), "server disconnected"),
    ],
)
def test_messages(error: Exception, message: str) -> None:
    """One line says what was tried, and what came."""
    assert str(error) == message


def test_connector_error_has_what_the_system_said() -> None:
    """The errno is there for programs, the cause for people."""
    cause = OSError(111, "Connection refused")
    error = ClientConnectorError("a", 80, cause)
    assert (error.errno, error.strerror, error.os_error) == (111, "Connection refused", cause)
    assert (error.host, error.port) == ("a", 80)


def test_response_error_for_people() -> None:
    """Its repr names its class."""
    error = ClientResponseError(INFO, status=404, message="Not Found")
    assert repr(error) == "<ClientResponseError 404, message='Not Found', url='http://a/'>"
