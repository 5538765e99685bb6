"""Every error of the wire, in one tree.

HttpException                        .status .message
├── LocalProtocolError               the program asked for what can't be put on the wire     500
│   └── InvalidUse                   a call that the state of the exchange does not allow     500
└── RemoteProtocolError              the peer broke the protocol, or asked for too much       400
    ├── BadHttpMessage                                                                        400
    │   ├── BadRequestLine           .line                                                    400
    │   ├── BadStatusLine            .line                                                    502
    │   ├── InvalidHeader            .name                                                    400
    │   ├── BadHost                  .host                                                    400
    │   ├── FramingError             Content-Length and Transfer-Encoding                     400
    │   │   └── UnknownTransferCoding  .coding                                                501
    │   ├── ChunkError               the framing of a chunked body                            400
    │   ├── IncompleteRead           .received .expected                                      400
    │   ├── ContentCodingError       .coding                                                  400
    │   │   └── UnknownContentCoding .coding                                                  415
    │   └── MultipartError                                                                    400
    ├── LimitExceeded                .limit (bytes, fields …) .name (of the limit)            413
    │   ├── LineTooLong              a request line, status line, field line or trailer line  431
    │   │   └── TargetTooLong        the target of a request                                  414
    │   ├── HeadTooLarge             the whole head: bytes, or number of fields               431
    │   ├── BodyTooLarge             a body, before or after its content coding               413
    │   └── DecompressionBomb        .ratio                                                   413
    ├── PeerTooSlow                  .waited (seconds)                                        408
    ├── UnknownExpectation           .expectation                                             417
    ├── MethodNotAllowed             .method .allowed                                         405
    ├── MethodNotImplemented         .method                                                  501
    ├── UnsupportedVersion           .version                                                 505
    └── PeerDisconnected             the peer went away                                       400

Blame is the first branch, and ``status`` is what a server answers (a client
only shows it). The facts are attributes; the message is one readable line
that says what was expected and what came.
"""

from __future__ import annotations

from collections.abc import Collection

__all__ = [
    "BadHost",
    "BadHttpMessage",
    "BadRequestLine",
    "BadStatusLine",
    "BodyTooLarge",
    "ChunkError",
    "ContentCodingError",
    "DecompressionBomb",
    "FramingError",
    "HeadTooLarge",
    "HttpException",
    "IncompleteRead",
    "InvalidHeader",
    "InvalidUse",
    "LimitExceeded",
    "LineTooLong",
    "LocalProtocolError",
    "MethodNotAllowed",
    "MethodNotImplemented",
    "MultipartError",
    "PeerDisconnected",
    "PeerTooSlow",
    "RemoteProtocolError",
    "TargetTooLong",
    "UnknownContentCoding",
    "UnknownExpectation",
    "UnknownTransferCoding",
    "UnsupportedVersion",
]


class HttpException(Exception):
    """Anything that goes wrong between two ends of HTTP.

    Attributes:
        status: the status code that a server answers, 400 to 599.
        message: one line for people; never contains raw control characters.
    """

    status: int = 500

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class LocalProtocolError(HttpException, ValueError):
    """This program asked for a message that must not be put on the wire."""


class InvalidUse(LocalProtocolError):
    """A call came when the exchange does not allow it, such as a second response."""


class RemoteProtocolError(HttpException):
    """The peer broke the protocol, or asked for more than a limit allows."""

    status = 400


class BadHttpMessage(RemoteProtocolError):
    """The peer's bytes are not an HTTP message."""


class BadRequestLine(BadHttpMessage):
    """The first line of a request is malformed (RFC 9112, section 3)."""

    def __init__(self, message: str = "", *, line: str = "") -> None:
        super().__init__(message)
        self.line = line


class BadStatusLine(BadHttpMessage):
    """The first line of a response is malformed (RFC 9112, section 4)."""

    status = 502

    def __init__(self, message: str = "", *, line: str = "") -> None:
        super().__init__(message)
        self.line = line


class InvalidHeader(BadHttpMessage):
    """A field line or trailer is malformed or forbidden (RFC 9112, section 5)."""

    def __init__(self, message: str = "", *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class BadHost(BadHttpMessage):
    """Host is missing, repeated, or no authority (RFC 9112, section 3.2)."""

    def __init__(self, message: str = "", *, host: str = "") -> None:
        super().__init__(message)
        self.host = host


class FramingError(BadHttpMessage):
    """Where the body ends can't be told without doubt (RFC 9112, section 6)."""


class UnknownTransferCoding(FramingError):
    """The transfer coding isn't exactly ``chunked`` (RFC 9112, section 6.1)."""

    status = 501

    def __init__(self, message: str = "", *, coding: str = "") -> None:
        super().__init__(message)
        self.coding = coding


class ChunkError(BadHttpMessage):
    """The framing of a chunked body is malformed (RFC 9112, section 7.1)."""


class IncompleteRead(BadHttpMessage, EOFError):
    """The message ended before it was complete (RFC 9112, section 8).

    Attributes:
        received: how many bytes of the body came.
        expected: how many were announced; None where the length was not known.
    """

    def __init__(
        self, message: str = "", *, received: int = 0, expected: int | None = None
    ) -> None:
        super().__init__(message)
        self.received = received
        self.expected = expected


class ContentCodingError(BadHttpMessage):
    """The content is not what its Content-Encoding says, or was cut short."""

    def __init__(self, message: str = "", *, coding: str = "") -> None:
        super().__init__(message)
        self.coding = coding


class UnknownContentCoding(ContentCodingError):
    """The content coding is none that is known or installed here (RFC 9110, section 8.4)."""

    status = 415


class MultipartError(BadHttpMessage):
    """A multipart body is malformed (RFC 2046, section 5.1; RFC 7578)."""


class LimitExceeded(RemoteProtocolError):
    """The peer sent more than a limit allows.

    Attributes:
        name: of the bound that was exceeded: an attribute of ``Limits`` or
            ``MultipartLimits``, such as ``"body"``, or the parameter of a read.
        limit: its value, in the unit of that bound.
        is_counted: whether the connection has counted it in its books already.
    """

    status = 413
    is_counted = False

    def __init__(self, message: str = "", *, name: str = "", limit: int = 0) -> None:
        super().__init__(message)
        self.name = name
        self.limit = limit


class LineTooLong(LimitExceeded):
    """A line of the head, or of a trailer section, is longer than its limit."""

    status = 431


class TargetTooLong(LineTooLong):
    """The request line is longer than its limit (RFC 9112, section 3)."""

    status = 414


class HeadTooLarge(LimitExceeded):
    """A head or trailer section has too many bytes or too many fields."""

    status = 431


class BodyTooLarge(LimitExceeded):
    """A body is, or announces itself, larger than its limit."""


class DecompressionBomb(LimitExceeded):
    """A coded body grows by more than the allowed ratio, or beyond the allowed size."""

    def __init__(
        self, message: str = "", *, name: str = "", limit: int = 0, ratio: float = 0.0
    ) -> None:
        super().__init__(message, name=name, limit=limit)
        self.ratio = ratio


class PeerTooSlow(RemoteProtocolError):
    """The peer took longer than a limit allows to send, or to take, what was due.

    Attributes:
        waited: seconds.
    """

    status = 408

    def __init__(self, message: str = "", *, waited: float = 0.0) -> None:
        super().__init__(message)
        self.waited = waited


class UnknownExpectation(RemoteProtocolError):
    """Expect names something other than ``100-continue`` (RFC 9110, section 10.1.1)."""

    status = 417

    def __init__(self, message: str = "", *, expectation: str = "") -> None:
        super().__init__(message)
        self.expectation = expectation


class MethodNotAllowed(RemoteProtocolError):
    """The method is not among those that this server allows (RFC 9110, section 15.5.6)."""

    status = 405

    def __init__(
        self, message: str = "", *, method: str = "", allowed: Collection[str] = ()
    ) -> None:
        super().__init__(message)
        self.method = method
        self.allowed = tuple(sorted(allowed))


class MethodNotImplemented(RemoteProtocolError):
    """Nobody here handles this method, such as CONNECT (RFC 9110, section 15.6.2)."""

    status = 501

    def __init__(self, message: str = "", *, method: str = "") -> None:
        super().__init__(message)
        self.method = method


class UnsupportedVersion(RemoteProtocolError):
    """The major version is not 1 (RFC 9110, section 15.6.6)."""

    status = 505

    def __init__(self, message: str = "", *, version: str = "") -> None:
        super().__init__(message)
        self.version = version


class PeerDisconnected(RemoteProtocolError, ConnectionResetError):
    """The peer closed or reset the connection while it was still needed."""
