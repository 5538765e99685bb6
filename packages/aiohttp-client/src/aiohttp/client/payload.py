"""What a program gives as ``data=`` or ``json=``, as a body that can be sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeGuard
from urllib.parse import urlencode

__all__ = ["EMPTY_PAYLOAD", "Data", "JSONEncoder", "Payload", "json_payload", "payload"]

Data: TypeAlias = (
    bytes
    | bytearray
    | memoryview
    | str
    | Mapping[str, object]
    | list[tuple[str, object]]
    | tuple[tuple[str, object], ...]
    | AsyncIterable[bytes]
)
"""What ``data=`` takes: bytes, text, a form as mapping or pairs, or pieces as they come."""

JSONEncoder: TypeAlias = Callable[[Any], str | bytes]


class Payload(NamedTuple):
    """The body of a request.

    Attributes:
        content: the bytes, or what gives them piece by piece.
        content_type: for the field of that name where the program gives none.
    """

    content: bytes | AsyncIterable[bytes]
    content_type: str = ""

    @property
    def can_be_replayed(self) -> bool:
        """Whether the body can be sent a second time."""
        return isinstance(self.content, bytes)


EMPTY_PAYLOAD = Payload(b"")


def payload(data: Data | None) -> Payload:
    """Return ``data`` as a body.

    Text is sent as UTF-8, a mapping or pairs as ``application/x-www-form-urlencoded``.

    Raises:
        TypeError: for anything else.
    """
    if data is None:
        return EMPTY_PAYLOAD
    if isinstance(data, bytes | bytearray | memoryview):
        # A copy where it could change while it is being sent; bytes are not copied.
        return Payload(bytes(data), "application/octet-stream")
    if isinstance(data, str):
        return Payload(data.encode(), "text/plain; charset=utf-8")
    if isinstance(data, AsyncIterable):
        return Payload(data, "application/octet-stream")
    if isinstance(data, Mapping):
        return _form(list(data.items()))
    if not _are_pairs(data):
        raise TypeError(
            "data must be bytes, str, a mapping, a list of pairs or an async iterable of bytes, "
            f"not {type(data).__name__}"
        )
    return _form([(name, value) for name, value in data])


def json_payload(value: object, encode: JSONEncoder | None = None) -> Payload:
    """Return ``value`` as a body of JSON."""
    text = json.dumps(value) if encode is None else encode(value)
    return Payload(text.encode() if isinstance(text, str) else text, "application/json")


def _are_pairs(given: object) -> bool:
    return _is_list(given) and all(_is_list(pair) and len(pair) == 2 for pair in given)


def _is_list(given: object) -> TypeGuard[Sequence[object]]:
    # A str of two characters could be taken apart, too.
    return isinstance(given, list | tuple)


def _form(pairs: Sequence[tuple[str, object]]) -> Payload:
    encoded = urlencode(pairs, doseq=True)
    return Payload(encoded.encode("ascii"), "application/x-www-form-urlencoded")
