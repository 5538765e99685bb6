"""Responses that can be raised: one class for each status that says something to a handler.

HTTPException
├── HTTPSuccessful            200 to 206
├── HTTPRedirection           304
│   └── HTTPMove              300 to 308, with a Location
└── HTTPError
    ├── HTTPClientError       400 to 451
    └── HTTPServerError       500 to 511
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from .response import Response
from .stream_response import LooseHeaders

if TYPE_CHECKING:
    from yarl import URL

    from .request import BaseRequest

__all__ = [
    "HTTPAccepted",
    "HTTPBadGateway",
    "HTTPBadRequest",
    "HTTPClientError",
    "HTTPConflict",
    "HTTPCreated",
    "HTTPError",
    "HTTPException",
    "HTTPExpectationFailed",
    "HTTPFailedDependency",
    "HTTPForbidden",
    "HTTPFound",
    "HTTPGatewayTimeout",
    "HTTPGone",
    "HTTPInsufficientStorage",
    "HTTPInternalServerError",
    "HTTPLengthRequired",
    "HTTPMethodNotAllowed",
    "HTTPMisdirectedRequest",
    "HTTPMove",
    "HTTPMovedPermanently",
    "HTTPMultipleChoices",
    "HTTPNetworkAuthenticationRequired",
    "HTTPNoContent",
    "HTTPNonAuthoritativeInformation",
    "HTTPNotAcceptable",
    "HTTPNotExtended",
    "HTTPNotFound",
    "HTTPNotImplemented",
    "HTTPNotModified",
    "HTTPOk",
    "HTTPPartialContent",
    "HTTPPaymentRequired",
    "HTTPPermanentRedirect",
    "HTTPPreconditionFailed",
    "HTTPPreconditionRequired",
    "HTTPProxyAuthenticationRequired",
    "HTTPRedirection",
    "HTTPRequestEntityTooLarge",
    "HTTPRequestHeaderFieldsTooLarge",
    "HTTPRequestRangeNotSatisfiable",
    "HTTPRequestTimeout",
    "HTTPRequestURITooLong",
    "HTTPResetContent",
    "HTTPSeeOther",
    "HTTPServerError",
    "HTTPServiceUnavailable",
    "HTTPSuccessful",
    "HTTPTemporaryRedirect",
    "HTTPTooManyRequests",
    "HTTPUnauthorized",
    "HTTPUnavailableForLegalReasons",
    "HTTPUnprocessableEntity",
    "HTTPUnsupportedMediaType",
    "HTTPUpgradeRequired",
    "HTTPUseProxy",
    "HTTPVariantAlsoNegotiates",
    "HTTPVersionNotSupported",
    "exception_class",
]


class HTTPException(Response, Exception):
    """A response that a handler raises, or returns.

    Args:
        headers, body, text: as of ``Response``; a line with status and reason if there is
            neither body nor text.
        reason: the phrase behind the status; the registered one if None.
        content_type: of the text; text/plain if None.
    """

    status_code: ClassVar[int] = -1
    """The status of the class; only those that have one can be raised."""

    limit_name: str = ""
    """The limit that the client has exceeded, if the connection hasn't counted that itself."""

    # What ``say`` was told, and the line that it made of it.
    _message = ""
    _line = ""

    empty_body: ClassVar[bool] = False
    """Whether a response of this status has no body (RFC 9110, section 6.4.1)."""

    def __init__(
        self,
        *,
        headers: LooseHeaders | None = None,
        reason: str | None = None,
        body: Any = None,
        text: str | None = None,
        content_type: str | None = None,
    ) -> None:
        if self.status_code < 0:
            raise TypeError(
                f"{type(self).__name__} has no status: expected a subclass that has a status_code"
            )
        Response.__init__(
            self,
            status=self.status_code,
            headers=headers,
            reason=reason,
            body=body,
            text=text,
            content_type=content_type,
        )
        Exception.__init__(self, self.reason)
        if text is None and body is None and not self.empty_body:
            self.say(self.reason)

    def say(self, message: str) -> Self:
        """Have the body tell this, in a form that the client accepts; return the response.

        That is a line of text, behind the status; see ``HTTPError``.
        """
        self._message = message
        self.text = self._line = f"{self.status}: {message}"
        return self


class HTTPSuccessful(HTTPException):
    """It worked: status 2xx."""


class HTTPRedirection(HTTPException):
    """The client has more to do: status 3xx."""


class HTTPMove(HTTPRedirection):
    """It is elsewhere: status 3xx with a Location.

    Raises:
        ValueError: if ``location`` is empty.
    """

    def __init__(
        self,
        location: str | URL,
        *,
        headers: LooseHeaders | None = None,
        reason: str | None = None,
        body: Any = None,
        text: str | None = None,
        content_type: str | None = None,
    ) -> None:
        from yarl import URL

        if not location:
            raise ValueError("expected a location to redirect to, got an empty one")
        super().__init__(
            headers=headers, reason=reason, body=body, text=text, content_type=content_type
        )
        self._location = URL(location)
        self.headers["Location"] = str(self._location)

    @property
    def location(self) -> URL:
        """Where it is."""
        return self._location


class HTTPError(HTTPException):
    """It did not work: status 4xx or 5xx.

    What is said by default, or by ``say``, comes as JSON to a client that accepts nothing
    better: ``{"status": 404, "error": "Not Found"}``, with a ``"message"`` if there is
    more to tell. A text or body of the program's own stays what it is.
    """

    def send(self, request: BaseRequest) -> Awaitable[None]:
        """Send all of it."""
        is_ours = self._line and self._body == self._line.encode()
        if is_ours and self.content_type == "text/plain" and not self.prepared:
            from .compression import add_to_vary
            from .errorpage import short_answer

            accept = request.headers.getall("Accept", ())
            self.content_type, self.text = short_answer(
                self.status, self.reason, self._message, accept
            )
            add_to_vary(self.headers, "Accept")
        return super().send(request)


class HTTPClientError(HTTPError):
    """The client is to blame: status 4xx."""


class HTTPServerError(HTTPError):
    """The server is to blame: status 5xx."""


class HTTPOk(HTTPSuccessful):
    """The request has succeeded."""

    status_code = 200


class HTTPCreated(HTTPSuccessful):
    """Something was made; a Location says where."""

    status_code = 201


class HTTPAccepted(HTTPSuccessful):
    """The request was taken, and will be worked on later."""

    status_code = 202


class HTTPNonAuthoritativeInformation(HTTPSuccessful):
    """A proxy has changed what the origin said."""

    status_code = 203


class HTTPNoContent(HTTPSuccessful):
    """There is nothing to say."""

    status_code = 204
    empty_body = True


class HTTPResetContent(HTTPSuccessful):
    """The client may clear its form."""

    status_code = 205
    empty_body = True


class HTTPPartialContent(HTTPSuccessful):
    """A part of the whole, as Range asked for."""

    status_code = 206


class HTTPMultipleChoices(HTTPMove):
    """There are several; Location names the preferred one."""

    status_code = 300


class HTTPMovedPermanently(HTTPMove):
    """It is elsewhere for good; clients may change POST to GET."""

    status_code = 301


class HTTPFound(HTTPMove):
    """It is elsewhere for now; clients may change POST to GET."""

    status_code = 302


class HTTPSeeOther(HTTPMove):
    """The answer is elsewhere, to be fetched with GET."""

    status_code = 303


class HTTPNotModified(HTTPRedirection):
    """What the client has is still right."""

    status_code = 304
    empty_body = True


class HTTPUseProxy(HTTPMove):
    """Deprecated, and not followed by clients (RFC 9110, section 15.4.6)."""

    status_code = 305


class HTTPTemporaryRedirect(HTTPMove):
    """It is elsewhere for now; the method stays."""

    status_code = 307


class HTTPPermanentRedirect(HTTPMove):
    """It is elsewhere for good; the method stays."""

    status_code = 308


class HTTPBadRequest(HTTPClientError):
    """The request can't be understood."""

    status_code = 400


class HTTPUnauthorized(HTTPClientError):
    """Credentials are missing or wrong; WWW-Authenticate must say which."""

    status_code = 401


class HTTPPaymentRequired(HTTPClientError):
    """Somebody has to pay."""

    status_code = 402


class HTTPForbidden(HTTPClientError):
    """This client must not."""

    status_code = 403


class HTTPNotFound(HTTPClientError):
    """There is no such thing."""

    status_code = 404


class HTTPMethodNotAllowed(HTTPClientError):
    """The method isn't for this; Allow says which are."""

    status_code = 405

    def __init__(
        self,
        method: str,
        allowed_methods: Iterable[str],
        *,
        headers: LooseHeaders | None = None,
        reason: str | None = None,
        body: Any = None,
        text: str | None = None,
        content_type: str | None = None,
    ) -> None:
        super().__init__(
            headers=headers, reason=reason, body=body, text=text, content_type=content_type
        )
        self._method = method.upper()
        self._allowed = frozenset(allowed_methods)
        self.headers["Allow"] = ", ".join(sorted(self._allowed))

    @property
    def method(self) -> str:
        """What the client asked for."""
        return self._method

    @property
    def allowed_methods(self) -> frozenset[str]:
        """What it may ask for."""
        return self._allowed


class HTTPNotAcceptable(HTTPClientError):
    """Nothing here is what Accept asks for."""

    status_code = 406


class HTTPProxyAuthenticationRequired(HTTPClientError):
    """A proxy wants credentials."""

    status_code = 407


class HTTPRequestTimeout(HTTPClientError):
    """The client was too slow."""

    status_code = 408


class HTTPConflict(HTTPClientError):
    """The thing is in a state that does not allow this."""

    status_code = 409


class HTTPGone(HTTPClientError):
    """It was here, and won't come back."""

    status_code = 410


class HTTPLengthRequired(HTTPClientError):
    """A Content-Length is needed."""

    status_code = 411


class HTTPPreconditionFailed(HTTPClientError):
    """A condition such as If-Match doesn't hold."""

    status_code = 412


class HTTPRequestEntityTooLarge(HTTPClientError):
    """The body is larger than a limit allows; the text tells both sizes, in bytes."""

    status_code = 413

    def __init__(
        self, max_size: float | None = None, actual_size: float = 0, **kwargs: Any
    ) -> None:
        if max_size is not None:
            kwargs.setdefault(
                "text",
                f"Maximum request body size {max_size} exceeded, actual body size {actual_size}",
            )
        super().__init__(**kwargs)


class HTTPRequestURITooLong(HTTPClientError):
    """The target of the request is too long."""

    status_code = 414


class HTTPUnsupportedMediaType(HTTPClientError):
    """The body's type or coding isn't understood."""

    status_code = 415


class HTTPRequestRangeNotSatisfiable(HTTPClientError):
    """Range asks for what is not there."""

    status_code = 416


class HTTPExpectationFailed(HTTPClientError):
    """An expectation can't be met."""

    status_code = 417


class HTTPMisdirectedRequest(HTTPClientError):
    """This server doesn't answer for that host."""

    status_code = 421


class HTTPUnprocessableEntity(HTTPClientError):
    """The body is well-formed, but makes no sense."""

    status_code = 422


class HTTPFailedDependency(HTTPClientError):
    """Another request, on which this one depends, has failed."""

    status_code = 424


class HTTPUpgradeRequired(HTTPClientError):
    """Another protocol is needed; Upgrade must say which."""

    status_code = 426


class HTTPPreconditionRequired(HTTPClientError):
    """The request must be conditional."""

    status_code = 428


class HTTPTooManyRequests(HTTPClientError):
    """This client asks too often; Retry-After may say when to come again."""

    status_code = 429


class HTTPRequestHeaderFieldsTooLarge(HTTPClientError):
    """The fields of the request are too large."""

    status_code = 431


class HTTPUnavailableForLegalReasons(HTTPClientError):
    """A law forbids it; ``link`` names who demands that (RFC 7725)."""

    status_code = 451

    def __init__(
        self,
        link: str | URL | None,
        *,
        headers: LooseHeaders | None = None,
        reason: str | None = None,
        body: Any = None,
        text: str | None = None,
        content_type: str | None = None,
    ) -> None:
        super().__init__(
            headers=headers, reason=reason, body=body, text=text, content_type=content_type
        )
        self._link: URL | None = None
        if link:
            from yarl import URL

            self._link = URL(link)
            self.headers["Link"] = f'<{self._link}>; rel="blocked-by"'

    @property
    def link(self) -> URL | None:
        """Who demands it."""
        return self._link


class HTTPInternalServerError(HTTPServerError):
    """The server has failed."""

    status_code = 500


class HTTPNotImplemented(HTTPServerError):
    """The server does not know the method."""

    status_code = 501


class HTTPBadGateway(HTTPServerError):
    """A server behind this one has answered wrongly."""

    status_code = 502


class HTTPServiceUnavailable(HTTPServerError):
    """The server can't answer now; Retry-After may say when."""

    status_code = 503


class HTTPGatewayTimeout(HTTPServerError):
    """A server behind this one has not answered in time."""

    status_code = 504


class HTTPVersionNotSupported(HTTPServerError):
    """The version of HTTP isn't spoken here."""

    status_code = 505


class HTTPVariantAlsoNegotiates(HTTPServerError):
    """Content negotiation is set up in a circle."""

    status_code = 506


class HTTPInsufficientStorage(HTTPServerError):
    """There is no room to keep it."""

    status_code = 507


class HTTPNotExtended(HTTPServerError):
    """An extension is needed."""

    status_code = 510


class HTTPNetworkAuthenticationRequired(HTTPServerError):
    """The client must sign in to its network first."""

    status_code = 511


@cache
def exception_class(status: int) -> type[HTTPException]:
    """Return the class of this status that can be made of a text alone.

    Raises:
        ValueError: if there is none: not for all statuses, and not for those that need a
            location, a link or methods.
    """
    unfit = (HTTPMove, HTTPMethodNotAllowed, HTTPUnavailableForLegalReasons)
    for found in map(globals().__getitem__, __all__):
        if found is not exception_class and found.status_code == status:
            if issubclass(found, unfit):
                break
            kind: type[HTTPException] = found
            return kind
    raise ValueError(f"expected a status that has an exception of its own, got {status}")
