"""What an application says about its response before the body: checked, and freed of framing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, AnyStr, TypeAlias

from aiohttp.protocol import (
    InvalidUse,
    encode_field,
    encode_fields,
    encode_status_line,
    may_be_secret,
    reason_of,
)

__all__ = [
    "HOP_BY_HOP",
    "FieldMemory",
    "ResponseFields",
    "parse_hints",
    "parse_length",
    "parse_start",
]

ResponseFields: TypeAlias = list[tuple[str, str]]

# Of the connection, not of the message (RFC 9110, section 7.6.1): PEP 3333 forbids
# them to applications. Dropped without an error, as gunicorn's own workers do.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class FieldMemory(dict[tuple[AnyStr, AnyStr], tuple[str, str] | None]):
    """Fields that applications send, as the connection wants them.

    They send the same few: looked up, a field takes 0.1 µs. Bounded, and without what is
    secret, or new each time.

    Args:
        read: makes a name and a value native strings, or raises what is wrong with them.
        special: lower-case names of which None is returned: they need a closer look.
    """

    __slots__ = ("_read", "_special")

    FIELDS = 1024
    LENGTH = 128
    NOT_KEPT = frozenset({"date", "etag", "last-modified", "location"})

    def __init__(
        self, read: Callable[[AnyStr, AnyStr], tuple[str, str]], special: frozenset[str]
    ) -> None:
        super().__init__()
        self._read: Callable[[AnyStr, AnyStr], tuple[str, str]] = read
        self._special = special

    def __missing__(self, given: tuple[AnyStr, AnyStr]) -> tuple[str, str] | None:
        field = name, value = self._read(*given)
        lower = name.lower()
        if lower in self._special:
            return None
        if (
            len(name) + len(value) <= self.LENGTH
            and lower not in self.NOT_KEPT
            and not may_be_secret(lower)
        ):
            if len(self) >= self.FIELDS:
                self.clear()
            self[given] = field
        return field


def _read_field(name: object, value: object) -> tuple[str, str]:
    """Return a field that can be sent: the connection would refuse it too late for an answer."""
    if not (isinstance(name, str) and isinstance(value, str)):
        raise InvalidUse(f"expected a header of two str, not ({name!r}, {value!r})")
    value = value.strip(" \t")
    if name.lower() not in _SPECIAL:
        encode_field(name, value)
    return name, value


_SPECIAL = HOP_BY_HOP | {"content-length"}
_known_fields: FieldMemory[str] = FieldMemory(_read_field, _SPECIAL)


def parse_start(
    status: object, headers: Iterable[tuple[Any, Any]]
) -> tuple[tuple[int, str | None, ResponseFields], int | None]:
    """Return status, reason and fields of what ``start_response`` was told, and the Content-Length.

    The reason is None where it is the registered one. White space around a value
    is no part of it (RFC 9110, section 5.5).

    Raises:
        LocalProtocolError: if the status isn't ``"999 Reason"``, a header isn't a
            pair of native strings that can be sent, or Content-Length isn't
            one number. The application can still answer otherwise.
    """
    if not isinstance(status, str):
        raise InvalidUse(f"expected a status such as '200 OK', not {status!r}")
    fields: ResponseFields = []
    length: int | None = None
    for header in headers:
        try:
            name, value = header
        except (TypeError, ValueError):  # such as those of a dict
            raise InvalidUse(f"expected a header of two str, not {header!r}") from None
        if name == "Content-Length":  # of most responses, and so spelt
            length = _length_of(value, length)
            continue
        try:
            field = _known_fields[name, value]
        except TypeError:  # it can't even be looked up
            field = _read_field(name, value)
        if field is not None:
            fields.append(field)
        elif name.lower() == "content-length":
            length = _length_of(value, length)
    return (*_parse_status(status), fields), length


def _length_of(value: object, before: int | None) -> int:
    """Return what a Content-Length says, which must be what one before it has said."""
    if before is None and isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    _, text = _read_field("Content-Length", value)
    return parse_length(text, *([] if before is None or text == str(before) else [str(before)]))


@lru_cache(maxsize=256)
def _parse_status(status: str) -> tuple[int, str | None]:
    """Split ``"404 Not Found"``; the reason is None where it is the registered one."""
    code, _, reason = status.partition(" ")
    if not (len(code) == 3 and code.isascii() and code.isdigit()):
        raise InvalidUse(f"expected a status such as '200 OK', not {status!r}")
    if code < "200":
        raise InvalidUse(f"expected the status of a final response, 200 to 999, not {status!r}")
    encode_status_line(int(code), reason)
    return int(code), None if reason == reason_of(int(code)) else reason


def parse_length(text: str, *others: str) -> int:
    """Return the number that a Content-Length is; its other values, if there are any, differ."""
    if others or not (text.isascii() and text.isdigit()):
        found = ", ".join(sorted([text, *others]))
        raise InvalidUse(f"expected one Content-Length in digits, not {found!r}")
    return int(text)


def parse_hints(headers: Iterable[tuple[str | bytes, str | bytes]]) -> ResponseFields:
    """Return the fields of a 103 (RFC 8297); what frames a message has no place there.

    Raises:
        LocalProtocolError: if a field can't be sent.
    """
    pairs = ((_text(name), _text(value).strip(" \t")) for name, value in headers)
    no_hints = HOP_BY_HOP | {"content-length"}
    fields = [(name, value) for name, value in pairs if name.lower() not in no_hints]
    encode_fields(fields)
    return fields


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
