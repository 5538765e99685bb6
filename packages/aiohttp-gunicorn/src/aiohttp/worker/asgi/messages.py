"""What passes between an ASGI server and an application: its types, and how messages are read.

Pure: a message in, values that a connection can send out. What an application says wrong is
``InvalidUse``, raised out of its ``send()`` (ASGI 3, "Error Handling").
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, TypeAlias

from aiohttp.protocol import InvalidUse, list_members

from ..heads import HOP_BY_HOP, FieldMemory, ResponseFields, parse_length

__all__ = [
    "AsgiCallable",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "content_of",
    "links_of",
    "response_fields",
    "response_head",
]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiCallable: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

# Not sent as they are: what is of the connection, not of the message, and its length.
# Trailer is the application's to send.
_SPECIAL: Final = HOP_BY_HOP - {"trailer"} | {"content-length", "proxy-connection"}


def _read_field(name: bytes, value: bytes) -> tuple[str, str]:
    return name.decode("latin-1"), value.decode("latin-1").strip(" \t")


_known_fields: FieldMemory[bytes] = FieldMemory(_read_field, _SPECIAL)


def response_head(message: Message) -> tuple[int, ResponseFields, int | None, bool]:
    """Return what ``http.response.start`` says: status, and ``response_fields``.

    Raises:
        InvalidUse: if the status isn't 200 to 999, 1xx being no answer (RFC 9110, section
            15.2), or the headers aren't what ``response_fields`` wants.
    """
    status = message.get("status")
    if not isinstance(status, int) or not 200 <= status <= 999:
        raise InvalidUse(f"expected a status from 200 to 999, got {status!r}")
    return status, *response_fields(message.get("headers", ()))


def response_fields(headers: Iterable[Any]) -> tuple[ResponseFields, int | None, bool]:
    """Return the fields, apart from them the Content-Length, and whether to close.

    Names and values are checked when they are sent. White space around a value is no
    part of it (RFC 9110, section 5.5).

    Raises:
        InvalidUse: if these aren't pairs of byte strings, or Content-Length isn't
            one number.
    """
    fields: ResponseFields = []
    length: int | None = None
    closes = False
    pair: Any = headers
    try:
        for pair in headers:
            name, value = pair
            if name == b"content-length":  # of most responses
                length = _length_of(value, length)
            elif (field := _known_fields[name, value]) is not None:
                fields.append(field)
            elif (lower := name.lower()) == b"content-length":
                length = _length_of(value, length)
            elif lower == b"connection":
                closes = closes or "close" in list_members([value.decode("latin-1")])
    except InvalidUse:
        raise
    except (TypeError, ValueError, AttributeError) as exc:
        raise InvalidUse(f"expected headers as pairs of byte strings, got {pair!r}") from exc
    return fields, length, closes


def _length_of(value: bytes, before: int | None) -> int:
    """Return what a Content-Length says, which must be what an earlier one said."""
    if before is None and value.isdigit():
        return int(value)
    text = value.decode("latin-1").strip(" \t")
    return parse_length(text, *([] if before is None or text == str(before) else [str(before)]))


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
    links: Any = message.get("links", ())
    try:
        return response_fields([(b"Link", link) for link in links])[0]
    except TypeError:
        raise InvalidUse(f"expected links as byte strings, got {links!r}") from None
