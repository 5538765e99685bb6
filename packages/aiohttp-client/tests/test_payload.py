"""What a program gives as a body."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from aiohttp.client.payload import EMPTY_PAYLOAD, JSONEncoder, json_payload, payload

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("data", "content", "content_type"),
    [
        (None, b"", ""),
        (b"abc", b"abc", "application/octet-stream"),
        (bytearray(b"abc"), b"abc", "application/octet-stream"),
        (memoryview(b"abc")[1:], b"bc", "application/octet-stream"),
        ("äbc", b"\xc3\xa4bc", "text/plain; charset=utf-8"),
        ({"a": "b c", "d": "ü&="}, b"a=b+c&d=%C3%BC%26%3D", FORM),
        ({"a": ["1", "2"]}, b"a=1&a=2", FORM),
        ({"a": 1}, b"a=1", FORM),
        ([("a", "1"), ("a", "2")], b"a=1&a=2", FORM),
        ((("a", "1"), ("b", "2")), b"a=1&b=2", FORM),
        ([["a", "1"]], b"a=1", FORM),
        ({}, b"", FORM),
    ],
)
def test_data(data: Any, content: bytes, content_type: str) -> None:
    """Bytes, text, and forms as mapping or pairs."""
    given = payload(data)
    assert (given.content, given.content_type, given.size) == (content, content_type, len(content))


def test_bytes_that_change_are_copied() -> None:
    """What is sent is what was given, though it be sent later."""
    data = bytearray(b"abc")
    given = payload(data)
    data[0] = 0
    assert given.content == b"abc"


def test_stream_is_sent_once() -> None:
    """An asynchronous iterable can't be replayed; bytes can."""

    async def stream() -> AsyncIterator[bytes]:
        yield b"abc"

    assert not payload(stream()).can_be_replayed
    assert payload(b"abc").can_be_replayed
    assert EMPTY_PAYLOAD.can_be_replayed


@pytest.mark.parametrize(
    "data", [1, object(), ["a"], ["ab"], ("ab", "cd"), {"ab"}, [("a",)], [1, 2]]
)
def test_anything_else_is_refused(data: Any) -> None:
    """The error says what would be taken, and what came."""
    with pytest.raises(TypeError, match=f"async iterable of bytes, not {type(data).__name__}"):
        payload(data)


@pytest.mark.parametrize(
    ("encode", "content"),
    [
        (None, b'{"a": "\\u00e4"}'),
        (lambda value: f"<{value['a']}>", b"<\xc3\xa4>"),
        (lambda _: b"bytes", b"bytes"),
    ],
)
def test_json(encode: JSONEncoder | None, content: bytes) -> None:
    """JSON is UTF-8, by whichever serializer."""
    given = json_payload({"a": "ä"}, encode)
    assert (given.content, given.content_type) == (content, "application/json")
