"""What passes between an ASGI server and an application: its types, and how messages are read.

Pure: a message in, values that a connection can send out. What an application says wrong is
``InvalidUse``, raised out of its ``send()`` (ASGI 3, "Error Handling").
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, TypeAlias

from aiohttp.protocol import InvalidUse, list_members

from .heads import HOP_BY_HOP, ResponseFields, parse_length

__all__ = [
    "AsgiCallable",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "content_of",
    "links_of",
    "response_fields",
    "status_of",
]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiCallable: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

# Not sent as they are: what is of the connection, not of the message, and its length.
# Trailer is the application's to send.
_SPECIAL: Final = HOP_BY_HOP - {"trailer"} | {"content-length", "proxy-connection"}


class _Names(dict[bytes, str | None]):
    """Names of fields as the connection wants them; None for those that need a closer look.

    Applications send the same few: looked up, a field takes a third of the time. Bounded,
    for names that are made up on the way.
    """

    __slots__ = ()

    NAMES = 512
    LENGTH = 64

    def __missing__(self, name: bytes) -> str | None:
        text = name.decode("latin-1")
        known = None if text.lower() in _SPECIAL else text
        if len(name) <= self.LENGTH:
            if len(self) >= self.NAMES:
                self.clear()
            self[name] = known
        return known


_names = _Names()


def status_of(message: Message) -> int:
    """Return the status of ``http.response.start``.

    Raises:
        InvalidUse: if it isn't 200 to 999: 1xx is no answer (RFC 9110, section 15.2).
    """
    status = message.get("status")
    if not isinstance(status, int) or not 200 <= status <= 999:
        raise InvalidUse(f"expected a status from 200 to 999, got {status!r}")
    return status


def response_fields(headers: Iterable[Any]) -> tuple[ResponseFields, int | None, bool]:
    """Return the fields, apart from them the Content-Length, and whether to close.

    Names and values are checked when they are sent. White space around a value is no
    part of it (RFC 9110, section 5.5).

    Raises:
        InvalidUse: if these aren't pairs of byte strings, or Content-Length isn't
            one number.
    """
    fields: ResponseFields = []
    lengths: set[str] = set()
    closes = False
    pair: Any = headers
    try:
        for pair in headers:
            name, value = pair
            text = _names[name]
            if text is not None:
                fields.append((text, value.decode("latin-1").strip(" \t")))
            elif (lower := name.lower()) == b"content-length":
                lengths.add(value.decode("latin-1").strip(" \t"))
            elif lower == b"connection":
                closes = closes or "close" in list_members([value.decode("latin-1")])
    except (TypeError, ValueError, AttributeError) as exc:
        raise InvalidUse(f"expected headers as pairs of byte strings, got {pair!r}") from exc
    return fields, parse_length(*lengths) if lengths else None, closes


def content_of(message: Message) -> bytes:
    """Return the part of the body that ``http.response.body`` brings.

    Raises:
        InvalidUse: if it isn't bytes, or a bytearray or memoryview, which frameworks
            pass on.
    """
    content: Any = message.get("body", b"")
    if isinstance(content, bytes):
        return content
    try:
        return memoryview(content).tobytes()
    except TypeError:
        raise InvalidUse(f"expected a body of bytes, got {type(content).__name__}") from None


def links_of(message: Message) -> ResponseFields:
    """Return the fields of ``http.response.early_hint`` (RFC 8297).

    Raises:
        InvalidUse: if its links aren't byte strings.
    """
    return response_fields([(b"Link", link) for link in message.get("links", ())])[0]
