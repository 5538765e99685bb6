"""What an application says about its response before the body: checked, and freed of framing."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

from aiohttp.protocol import InvalidUse, encode_fields, encode_status_line, reason_of

__all__ = ["HOP_BY_HOP", "ResponseFields", "parse_hints", "parse_length", "parse_start"]

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


def parse_start(
    status: object, headers: Iterable[tuple[object, object]]
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
    lengths: set[str] = set()
    for name, value in headers:
        if not (isinstance(name, str) and isinstance(value, str)):
            raise InvalidUse(f"expected a header of two str, not ({name!r}, {value!r})")
        lower = name.lower()
        if lower == "content-length":
            lengths.add(value.strip(" \t"))
        elif lower not in HOP_BY_HOP:
            fields.append((name, value.strip(" \t")))
    encode_fields(fields)  # The connection would refuse the same, but too late for an answer.
    length = parse_length(*lengths) if lengths else None
    return (*_parse_status(status), fields), length


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
