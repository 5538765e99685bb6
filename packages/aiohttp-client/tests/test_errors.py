"""The client's errors: one tree, each with facts and a line that a person can read."""

from __future__ import annotations

import copy
import pickle
import socket
import ssl
from collections.abc import Callable

import pytest
from yarl import URL

from aiohttp.client import errors
from aiohttp.client.errors import (
    AllHostsFailed,
    ClientConnectionError,
    ClientConnectionResetError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientResponseError,
    ConnectionTimeoutError,
    ContentTypeError,
    InvalidURL,
    InvalidUrlClientError,
    MalformedResponseError,
    ServerConnectionError,
    ServerDisconnectedError,
    ServerFingerprintMismatch,
    ServerTimeoutError,
    SocketTimeoutError,
    TooManyRedirects,
    UnixClientConnectorError,
    UploadAbortedError,
)
from aiohttp.client.request import RequestInfo
from aiohttp.protocol.headers import headers_of

INFO = RequestInfo(URL("http://a/"), "GET", headers_of([("X", "1")]), URL("http://a/#f"))
EXPIRED = ssl.SSLCertVerificationError(1, "expired")
REFUSED = OSError(111, "Connection refused")


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
        (ClientConnectionResetError, (ClientConnectionError, ConnectionResetError)),
        (ClientConnectorError, (ClientOSError,)),
        (UnixClientConnectorError, (ClientConnectorError,)),
        (ClientConnectorSSLError, (errors.ClientSSLError, ssl.SSLError)),
        (ClientConnectorCertificateError, (errors.ClientSSLError, ssl.CertificateError)),
        (ServerFingerprintMismatch, (ServerConnectionError,)),
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
    assert (error.limit, error.may_be_repeated) == ("", False)


def test_names_of_2014() -> None:
    """They are the same classes; those that shadow builtins are not for ``import *``."""
    assert errors.ConnectionError is ClientConnectionError
    assert errors.OsConnectionError is ClientOSError
    assert errors.TimeoutError is TimeoutError
    assert not {"ConnectionError", "TimeoutError"} & {*errors.__all__}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InvalidURL("x", "why"), "x: why"),
        (InvalidURL("x"), "x"),
        (
            ClientConnectorError("a", 80, REFUSED),
            "cannot connect to a:80: Connection refused",
        ),
        (
            ClientConnectorError("a", 80, OSError("one\ntwo")),
            r"cannot connect to a:80: one\ntwo",
        ),
        (ClientConnectorError("a", 80, OSError()), "cannot connect to a:80: OSError"),
        (
            ClientConnectorError("::1", 80, OSError("odd")),
            "cannot connect to [::1]:80: odd",
        ),
        (
            ClientConnectorDNSError("a", 80, socket.gaierror(-2, "Name or service not known")),
            "cannot resolve a: Name or service not known",
        ),
        (
            UnixClientConnectorError("/run/a.sock", OSError(2, "No such file or directory")),
            "cannot connect to /run/a.sock: No such file or directory",
        ),
        (
            ClientConnectorCertificateError("a", 443, EXPIRED),
            "cannot open TLS to a:443: expired",
        ),
        (
            ServerFingerprintMismatch(b"\x01\xff", b"\x02", "::1", 443),
            "expected a certificate with fingerprint 01ff from [::1]:443, got one with 02",
        ),
        (
            ClientResponseError(INFO, status=404, message="Not Found"),
            "404, message='Not Found', url='http://a/'",
        ),
        (
            MalformedResponseError(INFO, message="expected CRLF"),
            "malformed response to GET http://a/: expected CRLF",
        ),
        (ServerDisconnectedError(), "server disconnected"),
    ],
)
def test_messages(error: Exception, message: str) -> None:
    """One line says what was tried, and what came."""
    assert str(error) == message


def test_connector_error_has_what_the_system_said() -> None:
    """The errno is there for programs, the cause for people."""
    error = ClientConnectorError("a", 80, REFUSED)
    assert (error.errno, error.strerror, error.os_error) == (111, "Connection refused", REFUSED)
    assert (error.host, error.port) == ("a", 80)


def test_tls_error_has_what_ssl_said() -> None:
    """The facts of the ssl module's error are its own, too."""
    refused = ssl.SSLCertVerificationError(1, "expired")
    refused.verify_message = "certificate has expired"
    error = ClientConnectorCertificateError("a", 443, refused)
    assert error.verify_message == "certificate has expired"
    assert error.certificate_error is refused


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:secret@a:99999/", "http://…@a:99999/"),
        ("http://me:sec/ret@a/", "http://…@a/"),
        ("http://me:sec@ret@a/", "http://…@a/"),
        ("//me:secret@a/", "//…@a/"),
        ("me:secret@a/", "…@a/"),
        ("me:sec//ret@a/", "…@a/"),
        (URL("me:secret@a/"), "…@a/"),
        (URL("http://me:secret@a/b@c"), "http://a/b@c"),
        (URL("http://me@a/"), "http://a/"),
        (URL("http://:secret@a/"), "http://a/"),
        ("http://a/?q", "http://a/?q"),
    ],
)
def test_invalid_url_keeps_secrets(url: str | URL, shown: str) -> None:
    """Neither message nor attributes have a password, however malformed the URL is."""
    error = InvalidUrlClientError(url, "why")
    assert str(error) == f"{shown}: why"
    assert str(error.url) == shown
    assert error.description == "why"


def test_invalid_url_is_shown_on_one_line() -> None:
    """What breaks lines, or hides them, is escaped."""
    assert str(InvalidURL("http://a/\n\x1b[2J", "why")) == r"http://a/\n\x1b[2J: why"


def test_response_error_for_people() -> None:
    """Its repr names its class."""
    error = ClientResponseError(INFO, status=404, message="Not Found")
    assert repr(error) == "<ClientResponseError 404, message='Not Found', url='http://a/'>"
    assert error.code == 404


def test_response_error_without_a_request() -> None:
    """Tests of programs make it so; it can be shown and pickled nevertheless."""
    error = ClientResponseError(None, status=404)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert repr(error) == "<ClientResponseError 404, message='', url=None>"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


# Errors travel: between processes, and into logs.

SAMPLES: list[ClientError] = [
    ClientError("x"),
    InvalidURL("http://a b/", "why"),
    InvalidUrlClientError("http://a b/", "why"),
    errors.NonHttpUrlClientError("file:x", "why"),
    errors.InvalidUrlRedirectClientError("http://a b/", "why"),
    errors.NonHttpUrlRedirectClientError("file:x", "why"),
    errors.RedirectClientError("x"),
    ClientConnectionError("x"),
    ClientConnectionResetError("x"),
    ClientOSError(111, "Connection refused"),
    ClientConnectorError("a", 80, REFUSED),
    ClientConnectorDNSError("a", 80, socket.gaierror(-2, "Name or service not known")),
    UnixClientConnectorError("/a", REFUSED),
    errors.ClientSSLError("a", 443, ssl.SSLError(1, "no")),
    ClientConnectorSSLError("a", 443, ssl.SSLError(1, "no")),
    ClientConnectorCertificateError("a", 443, EXPIRED),
    ServerConnectionError("x"),
    ServerDisconnectedError("x"),
    ServerFingerprintMismatch(b"1", b"2", "a", 443),
    ServerTimeoutError("x"),
    ConnectionTimeoutError("x"),
    SocketTimeoutError("x"),
    ClientPayloadError("x"),
    UploadAbortedError("x"),
    ClientResponseError(INFO, status=404, message="x", headers=headers_of([("Y", "2")])),
    ContentTypeError(INFO, status=200, message="x"),
    TooManyRedirects(INFO, status=302, message="x"),
    MalformedResponseError(INFO, message="x"),
]


def test_samples_are_complete() -> None:
    """There is one of each kind; the one that holds others has a test of its own."""
    kinds = {getattr(errors, name) for name in errors.__all__ if name != "Phase"}
    assert kinds - {type(error) for error in SAMPLES} == {AllHostsFailed}


def _pickled(error: ClientError) -> ClientError:
    again: object = pickle.loads(pickle.dumps(error))
    assert isinstance(again, ClientError)
    return again


@pytest.mark.parametrize("error", SAMPLES, ids=repr)
@pytest.mark.parametrize("travel", [_pickled, copy.copy, copy.deepcopy])
def test_errors_travel(error: ClientError, travel: Callable[[ClientError], ClientError]) -> None:
    """An error that was pickled or copied is the same to whoever gets it."""
    error.phase, error.url, error.limit = "head", URL("http://a/"), "ClientTimeout.total=4.9 s"
    error.add_note("a note")
    again = travel(error)
    assert type(again) is type(error)
    assert (str(again), repr(again), again.args) == (str(error), repr(error), error.args)
    assert {**vars(again), "os_error": None} == {**vars(error), "os_error": None}
    if isinstance(error, OSError) and isinstance(again, OSError):
        assert (again.errno, again.strerror) == (error.errno, error.strerror)


def test_history_stays_behind() -> None:
    """Responses belong to their connections: a copy shares them, a pickle has none."""
    history: tuple[object, ...] = (object(),)
    error = TooManyRedirects(INFO, history)  # type: ignore[arg-type]
    assert copy.copy(error).history is history
    assert copy.deepcopy(error).history == ()


def test_error_of_errors_travels() -> None:
    """What each host said comes along."""
    error = AllHostsFailed({"a:80": ClientConnectorError("a", 80, REFUSED)})
    for again in (_pickled(error), copy.copy(error), copy.deepcopy(error)):
        assert isinstance(again, AllHostsFailed)
        assert str(again) == str(error)
        assert isinstance(again.failures["a:80"], ClientConnectorError)
