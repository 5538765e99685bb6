"""What a program gives as a body."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from multidict import MultiDict

from aiohttp.client import Session
from aiohttp.client.formdata import FormData
from aiohttp.client.payload import (
    EMPTY_PAYLOAD,
    JSONEncoder,
    compressed,
    form_payload,
    json_payload,
    payload,
)
from aiohttp.protocol import BytesPayload, LocalProtocolError, MultipartWriter, StreamReader
from origin import Origin, response

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
        ([], b"", FORM),
        (MultiDict([("a", "1"), ("a", "2")]), b"a=1&a=2", FORM),
        (FormData({"a": "1"}), b"a=1", FORM),
        ([b"a", bytearray(b"b"), memoryview(b"c")], b"abc", "application/octet-stream"),
        (io.BytesIO(b"abc"), b"abc", "application/octet-stream"),
        (io.StringIO("ä"), b"\xc3\xa4", "text/plain; charset=utf-8"),
        (BytesPayload(b"a", content_type="a/b"), b"a", "a/b"),
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


async def stream() -> AsyncIterator[bytes]:
    """Give a body piece by piece."""
    yield b"ab"
    yield b"c"


@pytest.mark.parametrize(
    "data",
    [stream(), iter([b"ab", b"c"]), (piece for piece in [b"abc"]), StreamReader.complete(b"abc")],
)
async def test_stream_is_sent_once(data: Any) -> None:
    """What gives its bytes one after the other can't be replayed; bytes can."""
    given = payload(data)
    assert not given.can_be_replayed
    assert (given.size, given.content_type) == (None, "application/octet-stream")
    assert await given.as_bytes() == b"abc"
    assert payload(b"abc").can_be_replayed
    assert EMPTY_PAYLOAD.can_be_replayed


async def test_file(tmp_path: Path) -> None:
    """A file has a length and a type, can be sent again, and is left open."""
    path = tmp_path / "a.json"
    path.write_bytes(b"[]")
    file = path.open("rb")
    with file:
        given = payload(file)
        assert (given.size, given.content_type) == (2, "application/json")
        assert given.can_be_replayed
        assert await given.as_bytes() == await given.as_bytes() == b"[]"
        assert not file.closed


def test_encoding() -> None:
    """Text and forms are in the encoding that is asked for."""
    text, form = payload("ä", encoding="latin-1"), payload({"a": "ä"}, encoding="latin-1")
    assert (text.content, text.content_type) == (b"\xe4", "text/plain; charset=latin-1")
    assert (form.content, form.content_type) == (b"a=%E4", f"{FORM}; charset=latin-1")


def test_mapping_with_a_file_is_multipart() -> None:
    """A form with a file is multipart, whatever it comes in."""
    for data in ({"a": io.BytesIO(b"1")}, [("a", io.BytesIO(b"1"))]):
        assert payload(data).content_type.startswith("multipart/form-data; boundary=")


def test_multipart_writer() -> None:
    """A program's own multipart body is sent as it is."""
    writer = MultipartWriter("mixed", boundary="a")
    assert payload(writer) is writer


# files=


@pytest.mark.parametrize("data", [{"d": "x"}, [("d", "x")], FormData({"d": "x"}), None])
def test_files(data: Any) -> None:
    """Files make a form multipart, with the fields of data before them."""
    given = form_payload(data, {"f": io.BytesIO(b"1")})
    assert given.content_type.startswith("multipart/form-data; boundary=")
    assert isinstance(given.content, bytes)
    assert (b'name="d"\r\n\r\nx\r\n' in given.content) is (data is not None)
    assert b'name="f"; filename="f"\r\n\r\n1\r\n' in given.content


def test_no_files() -> None:
    """Without files it is what ``data`` alone would be."""
    given = form_payload({"d": "ä"}, [], "latin-1")
    assert (given.content, given.content_type) == (b"d=%E4", f"{FORM}; charset=latin-1")
    assert form_payload("ä", None, "latin-1").content == b"\xe4"
    assert form_payload(None, None) is EMPTY_PAYLOAD


def test_files_beside_what_is_no_form() -> None:
    """Files stand beside fields only."""
    data: Any = b"abc"
    with pytest.raises(TypeError, match="a form is made of mappings"):
        form_payload(data, {"f": io.BytesIO(b"1")})


# compress=


@pytest.mark.parametrize(
    ("coding", "undo"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)]
)
async def test_compressed(coding: str, undo: Callable[[bytes], bytes]) -> None:
    """A small body is compressed at once, a large one or a stream while it is sent."""
    small = compressed(payload("abc" * 100), coding)
    assert isinstance(small.content, bytes)
    assert undo(small.content) == b"abc" * 100
    assert small.content_type == "text/plain; charset=utf-8"
    for data in (b"abc" * 100_000, iter([b"abc"] * 100_000)):
        large = compressed(payload(data), coding)
        assert large.size is None
        assert large.can_be_replayed is isinstance(data, bytes)
        assert undo(await large.as_bytes()) == b"abc" * 100_000


def test_empty_body_stays_empty() -> None:
    """Nothing is not compressed."""
    assert compressed(EMPTY_PAYLOAD, "gzip") is EMPTY_PAYLOAD
    assert "Content-Encoding" not in EMPTY_PAYLOAD.headers


def test_unknown_coding_is_refused() -> None:
    """What can't be applied is an error before anything is sent, of a stream as well."""
    with pytest.raises(LocalProtocolError, match=r"content coded as .*, got 'own'"):
        compressed(payload(stream()), "own")


@pytest.mark.parametrize(
    "data", [1, object(), ["a"], ["ab"], ("ab", "cd"), {"ab"}, [("a",)], [1, 2]]
)
def test_anything_else_is_refused(data: Any) -> None:
    """The error says what would be taken, and what came."""
    with pytest.raises(TypeError, match=f"async iterable of bytes, not {type(data).__name__}"):
        payload(data)


ENCODERS: list[tuple[JSONEncoder | None, bytes]] = [
    (None, b'{"a": "\\u00e4"}'),
    (lambda value: f"<{value['a']}>", b"<\xc3\xa4>"),
    (lambda _: b"bytes", b"bytes"),
]


@pytest.mark.parametrize(("encode", "content"), ENCODERS)
def test_json(encode: JSONEncoder | None, content: bytes) -> None:
    """JSON is UTF-8, by whichever serializer."""
    given = json_payload({"a": "ä"}, encode)
    assert (given.content, given.content_type) == (content, "application/json")


@pytest.mark.parametrize("is_form", [False, True])
async def test_response_is_sent_on(is_form: bool) -> None:
    """A response is a body by its content, once; its own ``read`` would give it without end."""
    async with Origin(response(b"hello")) as origin, Session() as session:
        given = await session.get(origin.url)
        data: Any = {"a": given} if is_form else given
        await session.post(origin.url, data=data)
        assert origin.request.count(b"hello") == 1
