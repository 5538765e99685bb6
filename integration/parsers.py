"""Three parsers behind one interface: ours, h11 and httptools read the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

import h11
import httptools

from aiohttp.protocol.errors import RemoteProtocolError
from aiohttp.protocol.http1.body import body_decoder, body_framing
from aiohttp.protocol.http1.head import (
    HeadCollector,
    RequestHead,
    ResponseHead,
    find_request_end,
    find_response_end,
    parse_request_head,
    parse_response_head,
)
from aiohttp.protocol.limits import Limits

__all__ = [
    "PEERS",
    "Case",
    "Message",
    "Outcome",
    "Peer",
    "Refused",
    "Unfinished",
    "difference",
    "read_by_us",
]

LIMITS = Limits(body=None)  # peers leave the size of a body to their callers

Peer: TypeAlias = Literal["h11", "httptools"]
Fields: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Case:
    """Bytes, and how to take them: as a request, or as the response to ``method``."""

    data: bytes
    is_request: bool = True
    method: str = "GET"


@dataclass(frozen=True)
class Message:
    """What was understood; as far as it came, if the message has no end yet."""

    start: tuple[str, str]
    version: str
    fields: Fields
    body: bytes
    trailers: Fields
    end: int | None


@dataclass(frozen=True)
class Refused:
    """An error, and what it says."""

    why: str


@dataclass(frozen=True)
class Unfinished:
    """The head has no end yet."""


Outcome: TypeAlias = Message | Refused | Unfinished


def comparable(pairs: Iterable[tuple[str, str]]) -> Fields:
    """Return fields in order, with names in lower case, but for what peers change on the way.

    llhttp leaves white space behind a value to its callers. h11 rewrites the two
    fields that frame a body; what it made of them shows in the body.
    """
    framing = ("content-length", "transfer-encoding")
    named = [(name.lower(), value.strip(" \t")) for name, value in pairs]
    return tuple(pair for pair in named if pair[0] not in framing)


def read_by_us(case: Case) -> Outcome:
    """Read a message as a connection of ours does."""
    try:
        return _read_by_us(case)
    except RemoteProtocolError as exc:
        return Refused(f"{type(exc).__name__}: {exc}")


def _read_by_us(case: Case) -> Outcome:
    end = (find_request_end if case.is_request else find_response_end)(case.data)
    if end >= 0:
        found = case.data[:end], case.data[end:]
    else:
        collected = HeadCollector(LIMITS, is_request=case.is_request).feed(case.data)
        if collected is None:
            return Unfinished()
        found = collected
    head: RequestHead | ResponseHead
    if case.is_request:
        head = parse_request_head(found[0], LIMITS)
        method, status = head.method, None
        start = (head.method, head.target)
    else:
        head = parse_response_head(found[0], LIMITS)
        method, status = case.method, head.status
        start = (str(head.status), head.reason)
    framing = body_framing(
        status=status, method=method, chunked=head.chunked, content_length=head.content_length
    )
    body = body_decoder(framing, LIMITS)
    content, used = body.decode(found[1])
    return Message(
        start=start,
        version=f"{head.version.major}.{head.version.minor}",
        fields=comparable(head.headers.items()),
        body=content,
        trailers=comparable(body.trailers.items()),
        end=len(case.data) - len(found[1]) + used if body.is_complete else None,
    )


def read_by_h11(case: Case) -> Outcome:
    """Read a message with h11, as the side that receives it."""
    connection = h11.Connection(h11.SERVER if case.is_request else h11.CLIENT)
    if not case.is_request:
        target = "a.example:443" if case.method == "CONNECT" else "/"
        host = [("Host", "a.example")]
        connection.send(h11.Request(method=case.method, target=target, headers=host))
        connection.send(h11.EndOfMessage())
    try:
        connection.receive_data(case.data)
        return _read_by_h11(connection, len(case.data))
    except h11.RemoteProtocolError as exc:
        return Refused(str(exc))


def _read_by_h11(connection: h11.Connection, size: int) -> Outcome:
    head = connection.next_event()
    if isinstance(head, h11.Request):
        start = (head.method.decode(), head.target.decode("latin-1"))
    elif isinstance(head, h11.Response | h11.InformationalResponse):
        start = (str(head.status_code), bytes(head.reason).decode("latin-1"))
    else:
        return Unfinished()
    body = b""
    trailers: Fields = ()
    ended = isinstance(head, h11.InformationalResponse)
    while not ended:
        event = connection.next_event()
        if isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            trailers = decoded(event.headers)
            ended = True
        elif event is h11.PAUSED:  # what follows is a tunnel
            ended = True
        else:
            break
    return Message(
        start=start,
        version=head.http_version.decode(),
        fields=decoded(head.headers),
        body=body,
        trailers=trailers,
        end=size - len(connection.trailing_data[0]) if ended else None,
    )


def decoded(pairs: Iterable[tuple[bytes, bytes]]) -> Fields:
    """Return h11's fields as ours."""
    return comparable((name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs)


class Callbacks:
    """What httptools calls."""

    def __init__(self) -> None:
        self.start = b""
        self.fields: list[tuple[str, str]] = []
        self.trailers: list[tuple[str, str]] = []
        self.body = b""
        self.has_head = False
        self.is_complete = False

    def on_url(self, data: bytes) -> None:
        """Take a part of the target."""
        self.start += data

    def on_status(self, data: bytes) -> None:
        """Take a part of the reason phrase."""
        self.start += data

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field, or a trailer."""
        pairs = self.trailers if self.has_head else self.fields
        pairs.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Note that the head is whole."""
        self.has_head = True

    def on_body(self, data: bytes) -> None:
        """Take a part of the content."""
        self.body += data

    def on_message_complete(self) -> None:
        """Note that the message is whole."""
        self.is_complete = True


def read_by_httptools(case: Case) -> Outcome:
    """Read a message with httptools: byte by byte, to see where it ends."""
    seen = Callbacks()
    request = httptools.HttpRequestParser(seen)
    response = httptools.HttpResponseParser(seen)
    parser = request if case.is_request else response
    end = 0
    try:
        while end < len(case.data) and not seen.is_complete:
            end += 1
            parser.feed_data(case.data[end - 1 : end])
    except httptools.HttpParserUpgrade:
        seen.is_complete = True
    except httptools.HttpParserError as exc:
        return Refused(f"{type(exc).__name__}: {exc}")
    if not seen.has_head:
        return Unfinished()
    word = request.get_method().decode() if case.is_request else str(response.get_status_code())
    return Message(
        start=(word, seen.start.decode("latin-1")),
        version=parser.get_http_version(),
        fields=comparable(seen.fields),
        body=seen.body,
        trailers=comparable(seen.trailers),
        end=end if seen.is_complete else None,
    )


PEERS: dict[Peer, Callable[[Case], Outcome]] = {
    "h11": read_by_h11,
    "httptools": read_by_httptools,
}


def difference(ours: Outcome, theirs: Outcome) -> str:
    """Say in one line how two outcomes differ, ours first; "" if they don't.

    Whether a head is refused counts, not whether before or at its end.
    """
    if isinstance(ours, Message) and isinstance(theirs, Message):
        names = (field.name for field in fields(Message))
        differing = [name for name in names if getattr(ours, name) != getattr(theirs, name)]
        return f"both accept, other {', '.join(differing)}" if differing else ""
    if isinstance(ours, Message) or isinstance(theirs, Message):
        return f"{_verdict(ours)} | {_verdict(theirs)}"
    return ""


def _verdict(outcome: Outcome) -> str:
    return outcome.why if isinstance(outcome, Refused) else type(outcome).__name__.lower()
