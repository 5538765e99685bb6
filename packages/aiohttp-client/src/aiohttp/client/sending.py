"""How a call gets its response: by whichever connection, again where safe, along redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from multidict import istr

from aiohttp.protocol.errors import PeerDisconnected
from aiohttp.protocol.http1.client import ClientHttpProtocol
from aiohttp.protocol.http1.client_exchange import ClientExchange

from .call import Call
from .errors import (
    ClientError,
    ClientPayloadError,
    InvalidURL,
    InvalidUrlRedirectClientError,
    TooManyRedirects,
)
from .payload import EMPTY_PAYLOAD
from .redirects import REDIRECT_STATUSES, redirect
from .response import HttpResponse

if TYPE_CHECKING:
    from aiohttp.protocol.http1.encode import EncodedFields
    from aiohttp.protocol.http1.head import ResponseHead

    from .connector import BaseConnector
    from .session import Session

__all__ = ["FOLLOWED_UP", "MAX_REDIRECTS", "follow_up", "send", "validate_max_redirects"]

_CHUNK: Final = 64 * 1024
"""Bytes per chunk for ``chunked=True``, where the body doesn't come in pieces."""

_SET_COOKIE: Final = istr("Set-Cookie")
_LOCATION: Final = istr("Location")


FOLLOWED_UP: Final = REDIRECT_STATUSES | {417}
"""Statuses that may not be the end: nearly every call goes without ``follow_up``."""


MAX_REDIRECTS: Final = 10
"""How many are followed by default."""


def validate_max_redirects(given: object) -> None:
    """Refuse what is no number of redirects, before the first one comes.

    Raises:
        TypeError: if it is no integer.
        ValueError: if it is negative.
    """
    if not isinstance(given, int) or given < 0:
        error = ValueError if isinstance(given, int) else TypeError
        raise error(
            f"max_redirects must be a count from 0 on, not {given!r}; "
            "to get the redirect itself say allow_redirects=False"
        )


async def follow_up(
    session: Session,
    connector: BaseConnector,
    call: Call,
    response: HttpResponse,
    *,
    allow_redirects: bool,
    max_redirects: int,
) -> HttpResponse:
    """Return the final response to a call, of which this is the first one."""
    while True:
        location = response.headers.get(_LOCATION)
        if response.status == 417 and call.request.may_drop_expectation:
            # RFC 9110, section 10.1.1: whoever doesn't know 100 gets the body without it.
            response.release()
            call.request = call.request.without_expectation()
        elif allow_redirects and response.status in REDIRECT_STATUSES and location is not None:
            _follow(session, call, response, location, max_redirects)
        else:
            return response
        response = await send(session, connector, call)


async def send(session: Session, connector: BaseConnector, call: Call) -> HttpResponse:
    """Send one request; repeat it where that is safe."""
    key = call.request.key
    while True:
        try:
            connection = connector.take(key) or await connector.lease(key, call)
        except ClientError as exc:
            exc.may_be_repeated = call.left_no_trace
            call.marked(exc)
            raise
        call.connection = connection
        call.early_hints = ()
        call.phase = "send"
        try:
            exchange = _start(session, call, connection, close=connector.force_close)
        except BaseException as exc:
            connector.give_back(key, connection)
            if isinstance(exc, PeerDisconnected):
                if connection.requests:
                    continue  # it was closed on its way to us: nothing was sent
                raise _explained(call, exc, may_be_repeated=call.left_no_trace) from exc
            raise
        call.phase = "head"
        try:
            head = await exchange.response()
        except Exception as exc:
            if _is_lost_race(session, call, connection, exchange, exc):
                connector.drop_idle(key)
                session.retries += 1
                call.attempt += 1
                continue
            error = _failed(call, exchange, exc)
            if error is exc:
                raise
            raise error from exc
        call.phase = "body"
        return _responded(session, call, head, exchange)


def _start(
    session: Session, call: Call, connection: ClientHttpProtocol, *, close: bool
) -> ClientExchange:
    request, reception = call.request, call.reception
    content = request.payload.content
    if request.upload_tracker is not None:
        if request.payload is EMPTY_PAYLOAD:
            request.upload_tracker.nothing_to_send()
        else:
            content = request.upload_tracker.follow(content)
    if request.chunk_size and not isinstance(content, bytes):
        from .uploads import in_chunks

        content = in_chunks(content, request.chunk_size)
    return connection.start(
        request.method,
        request.destination.target,
        request.destination.authority,
        _fields(session, call),
        content,
        version=request.version,
        chunk_size=request.chunk_size or (_CHUNK if request.chunked else 0),
        expect_continue=request.expect_continue,
        close=close,
        deadline=call.deadline,
        read_time=call.timeout.sock_read or 0.0,
        decode=reception.decode,
        until_close=reception.until_close,
        limits=reception.limits,
        translate=call.explain_body,
        on_information=call.inform,
    )


def _fields(session: Session, call: Call) -> EncodedFields:
    """Return the fields for the wire, with the cookies that belong to this request."""
    request = call.request
    fields = request.encoded_fields
    if session.has_cookies or request.cookies:
        cookies = session.cookies_for(request)
        if cookies:
            return fields._replace(block=fields.block + cookies)
    return fields


def _responded(
    session: Session, call: Call, head: ResponseHead, exchange: ClientExchange
) -> HttpResponse:
    """Return the response that has begun, and keep its cookies."""
    request = call.request
    try:
        response = (request.response_class or HttpResponse)(request, head, exchange, call)
        if _SET_COOKIE in head.headers:
            session.receive_cookies(response)
    except BaseException:
        exchange.abort()  # class and jar may be the program's: nobody gets the response
        raise
    return response


def _failed(call: Call, exchange: ClientExchange, exc: Exception) -> BaseException:
    """Return what the program gets to see where no response has come."""
    if exc is exchange.upload_error:
        return exc  # the program's own
    call.phase = "head" if exchange.is_request_sent else "send"
    may_be_repeated = call.left_no_trace and _may_be_repeated(call, exchange)
    return _explained(call, exc, may_be_repeated=may_be_repeated)


def _explained(call: Call, exc: BaseException, *, may_be_repeated: bool) -> BaseException:
    error = call.explain(exc)
    if isinstance(error, ClientError):
        error.may_be_repeated = may_be_repeated
    return error


def _may_be_repeated(call: Call, exchange: ClientExchange) -> bool:
    """Whether nothing of a response has come, and the request may be sent once more."""
    return not exchange.is_answered and call.request.may_be_repeated(
        was_sent=exchange.is_request_sent
    )


def _is_lost_race(
    session: Session,
    call: Call,
    connection: ClientHttpProtocol,
    exchange: ClientExchange,
    exc: Exception,
) -> bool:
    """Whether the server just closed a kept connection, and the request may be repeated."""
    return (
        session.retry
        and call.attempt == 1
        and isinstance(exc, PeerDisconnected)
        and connection.requests > 1
        and _may_be_repeated(call, exchange)
    )


def _follow(
    session: Session, call: Call, response: HttpResponse, location: str, max_redirects: int
) -> None:
    """Let the call go on with the request that a redirect asks for."""
    response.release()
    call.history = (*call.history, response)
    if len(call.history) > max_redirects:
        raise call.marked(
            TooManyRedirects(
                response.request_info,
                call.history,
                status=response.status,
                message=f"more than {max_redirects} redirects",
                headers=response.headers,
            )
        )
    request = call.request
    try:
        step = redirect(
            response.status,
            request.method,
            request.destination,
            location,
            requote=session.requote_redirect_url,
        )
        if step.loses_tls and not session.allow_insecure_redirects:
            raise InvalidUrlRedirectClientError(
                location, f"{request.url} redirects from https to http, which isn't allowed here"
            )
    except InvalidURL as exc:
        call.marked(exc)
        raise
    if step.keeps_body and not request.payload.can_be_replayed:
        raise call.marked(
            ClientPayloadError(
                f"{request.url} redirects with {response.status}, which asks to send the body "
                "again, but a stream can be sent only once; give bytes instead"
            )
        )
    call.request = request.follow(step)
    call.attempt = 1
