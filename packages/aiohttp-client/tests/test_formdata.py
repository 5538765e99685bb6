"""Forms: urlencoded or multipart, as browsers send them, again, without injection."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from multidict import MultiDict

from aiohttp.client.formdata import FormData
from aiohttp.protocol import (
    BodyPartReader,
    BytesPayload,
    InvalidUse,
    MultipartReader,
    Payload,
    StreamReader,
    get_payload,
)

URLENCODED = "application/x-www-form-urlencoded"


class OwnBytes(bytearray):
    """Bytes of a program's own class."""


class File(io.BytesIO):
    """A file with a name."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


async def parts_of(payload: Payload) -> list[tuple[str | None, str | None, str | None, bytes]]:
    """Return name, filename, content type and data of each part of a form."""
    body = await payload.as_bytes()
    assert payload.size in {None, len(body)}
    headers = {"Content-Type": payload.content_type}
    found: list[tuple[str | None, str | None, str | None, bytes]] = []
    async for part in MultipartReader(headers, StreamReader.complete(body)):
        assert isinstance(part, BodyPartReader)
        content_type = part.headers.get("Content-Type")
        found.append((part.name, part.filename, content_type, await part.read()))
    return found


# Urlencoded.


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({}, b""),
        ({"a": "b c", "ü": "&="}, b"a=b+c&%C3%BC=%26%3D"),
        ([("a", "1"), ("a", "2")], b"a=1&a=2"),
        ((("a", "1"), ["b", "2"]), b"a=1&b=2"),
        (MultiDict([("a", "1"), ("a", "2")]), b"a=1&a=2"),
        ({"a": ["1", 2], "b": ()}, b"a=1&a=2"),
        ({"a": 1, "b": 2.5, "c": UUID(int=1)}, b"a=1&b=2.5&c=00000000-0000-0000-0000-000000000001"),
        ({"a": b"\xff ", "b": bytearray(b"x"), "c": memoryview(b"y")}, b"a=%FF+&b=x&c=y"),
        ({"a": OwnBytes(b"x")}, b"a=x"),
        ([{"a": "1"}, ("b", "2")], b"a=1&b=2"),
    ],
)
def test_urlencoded(fields: Any, content: bytes) -> None:
    """Without a file a form is urlencoded."""
    form = FormData(fields)
    assert not form.is_multipart
    payload = form()
    assert (payload.content, payload.content_type) == (content, URLENCODED)


def test_charset_of_an_urlencoded_form() -> None:
    """Another charset than UTF-8 is told."""
    payload = FormData({"ü": "ä"}, charset="latin-1")()
    assert payload.content == b"%FC=%E4"
    assert payload.content_type == f"{URLENCODED}; charset=latin-1"


# Multipart.


async def test_multipart_as_browsers_send_it() -> None:
    """Text has no type, a file has one; names are as they are, but for quotes."""
    form = FormData({"text": "ä", 'q"': "1"})
    form.add_field("file", File(b"GIF", "/home/x/ü.gif"))
    payload = form()
    boundary = payload.content_type.removeprefix("multipart/form-data; boundary=").encode()
    assert payload.content == (
        b"--" + boundary + b"\r\n"
        b'Content-Disposition: form-data; name="text"\r\n'
        b"\r\n"
        b"\xc3\xa4\r\n"
        b"--" + boundary + b"\r\n"
        b'Content-Disposition: form-data; name="q%22"\r\n'
        b"\r\n"
        b"1\r\n"
        b"--" + boundary + b"\r\n"
        b"Content-Type: image/gif\r\n"
        b'Content-Disposition: form-data; name="file"; filename="\xc3\xbc.gif"\r\n'
        b"\r\n"
        b"GIF\r\n"
        b"--" + boundary + b"--\r\n"
    )


async def stream() -> AsyncIterator[bytes]:
    """Give a content piece by piece."""
    yield b"ab"
    yield b"c"


OCTETS = "application/octet-stream"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"value": File(b"1", "a.png")}, ("n", "a.png", "image/png", b"1")),
        ({"value": io.BytesIO(b"1")}, ("n", "n", OCTETS, b"1")),
        ({"value": io.StringIO("ä")}, ("n", "n", "text/plain; charset=utf-8", b"\xc3\xa4")),
        ({"value": File(b"1", "a"), "filename": "b.png"}, ("n", "b.png", "image/png", b"1")),
        ({"value": File(b"1", "a"), "content_type": "a/b"}, ("n", "a", "a/b", b"1")),
        ({"value": b"1", "filename": "a.png"}, ("n", "a.png", "image/png", b"1")),
        ({"value": b"1", "content_type": "a/b"}, ("n", None, "a/b", b"1")),
        ({"value": "1", "filename": "a.csv"}, ("n", "a.csv", "text/csv", b"1")),
        ({"value": "1", "filename": ""}, ("n", "", OCTETS, b"1")),
        ({"value": "ä", "content_type": "a/b"}, ("n", None, "a/b", b"\xc3\xa4")),
        (
            {"value": "ä", "content_type": "a/b; charset=latin-1"},
            ("n", None, "a/b; charset=latin-1", b"\xe4"),
        ),
        ({"value": "1", "content_transfer_encoding": "base64"}, ("n", None, None, b"1")),
        ({"value": stream()}, ("n", None, OCTETS, b"abc")),
        ({"value": iter([b"1", b"2"]), "filename": "a"}, ("n", "a", OCTETS, b"12")),
        ({"value": BytesPayload(b"1", content_type="a/b")}, ("n", None, "a/b", b"1")),
        (
            {"value": BytesPayload(b"1", filename="a.png"), "content_type": "c/d"},
            ("n", "a.png", "c/d", b"1"),
        ),
        ({"value": BytesPayload(b"1"), "filename": "a.png"}, ("n", "a.png", OCTETS, b"1")),
    ],
)
async def test_multipart(arguments: dict[str, Any], part: tuple[Any, ...]) -> None:
    """A file, a filename or a type makes a form multipart."""
    form = FormData()
    form.add_field("n", **arguments)
    assert form.is_multipart
    assert await parts_of(form()) == [part]


async def test_several_files_of_one_name() -> None:
    """A list is several fields, of text or files."""
    form = FormData({"a": ["1", io.BytesIO(b"2")], "b": 3})
    assert await parts_of(form()) == [
        ("a", None, None, b"1"),
        ("a", "a", OCTETS, b"2"),
        ("b", None, None, b"3"),
    ]


async def test_files_without_a_name() -> None:
    """A bare file is a field of its own name."""
    form = FormData([File(b"1", "/a/b.txt"), io.BytesIO(b"2")])
    assert await parts_of(form()) == [
        ("b.txt", "b.txt", "text/plain", b"1"),
        ("unknown", None, OCTETS, b"2"),
    ]
    assert await parts_of(FormData(File(b"1", "c"))()) == [("c", "c", OCTETS, b"1")]


async def test_multipart_on_demand() -> None:
    """A form can be multipart without a file."""
    assert await parts_of(FormData({"a": "1"}, default_to_multipart=True)()) == [
        ("a", None, None, b"1")
    ]


async def test_charset_of_a_multipart_form() -> None:
    """Text in another charset says so; names stay UTF-8."""
    form = FormData({"ü": "ä", "f": io.StringIO("ö")}, charset="latin-1")
    assert await parts_of(form()) == [
        ("ü", None, "text/plain; charset=latin-1", b"\xe4"),
        ("f", "f", "text/plain; charset=latin-1", b"\xf6"),
    ]


async def test_quote_fields() -> None:
    """Without ``quote_fields`` a quote is escaped by a backslash."""
    for quote_fields, name in ((True, b'name="a%22"'), (False, rb'name="a\""')):
        form = FormData({'a"': "1"}, quote_fields, default_to_multipart=True)
        assert name in await form().as_bytes()


async def test_form_is_sent_again(tmp_path: Path) -> None:
    """A form with files that can be rewound makes the same body again, a stream does not."""
    path = tmp_path / "a"
    path.write_bytes(b"x" * 300_000)
    file = path.open("rb")
    with file:
        form = FormData({"a": file})
        first, second = form(), form()
        assert first.can_be_replayed
        for payload in (first, first, second):
            ((*_, data),) = await parts_of(payload)
            assert data == b"x" * 300_000
        assert not file.closed
    form = FormData({"a": iter([b"1"])})
    assert not form().can_be_replayed
    await form().as_bytes()
    with pytest.raises(InvalidUse, match="only once"):
        await form().as_bytes()


async def test_payload_in_two_forms() -> None:
    """A payload has a name in each form and field; what the program gave stays as it was."""
    payload = BytesPayload(b"1", headers={"X-Own": "2"})
    first = FormData([("a", payload), ("b", payload)])()
    form = FormData()
    form.add_field("c", payload, content_type="a/b", filename="d")
    second = form()
    assert await parts_of(first) == [("a", None, OCTETS, b"1"), ("b", None, OCTETS, b"1")]
    assert await parts_of(second) == [("c", "d", "a/b", b"1")]
    assert b"\r\nX-Own: 2\r\n" in await second.as_bytes()
    assert (payload.filename, payload.content_type) == (None, OCTETS)
    assert "Content-Disposition" not in payload.headers


async def test_file_in_two_fields(tmp_path: Path) -> None:
    """A file can be sent twice in one form."""
    path = tmp_path / "a"
    path.write_bytes(b"x" * 300_000)
    with path.open("rb") as file:
        parts = await parts_of(FormData([("a", file), ("b", file)])())
    assert [(name, data) for name, _, _, data in parts] == [
        ("a", b"x" * 300_000),
        ("b", b"x" * 300_000),
    ]


# files=


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        ({"f": File(b"1", "a.png")}, [("f", "a.png", "image/png", b"1")]),
        ({"f": b"1", "g": "2"}, [("f", "f", OCTETS, b"1"), ("g", "g", OCTETS, b"2")]),
        ([("f", io.BytesIO(b"1"))], [("f", "f", OCTETS, b"1")]),
        (
            [("f", io.BytesIO(b"1"), "a/b"), ("f", b"2", "c/d")],
            [("f", "f", "a/b", b"1"), ("f", "f", "c/d", b"2")],
        ),
        ([File(b"1", "a.png")], [("a.png", "a.png", "image/png", b"1")]),
    ],
)
async def test_with_files(files: Any, parts: list[tuple[Any, ...]]) -> None:
    """Files stand beside the fields; the form that they are added to stays as it is."""
    form = FormData({"d": "x"})
    assert await parts_of(form.with_files(files)()) == [("d", None, None, b"x"), *parts]
    assert form().content == b"d=x"


# What is refused.


@pytest.mark.parametrize("files", [{"f": ("a.txt", b"1")}, [("f", ("a.txt", b"1", "a/b"), "a/b")]])
def test_tuple_as_a_file_is_refused(files: Any) -> None:
    """Other clients know it: here it would be two files, one of them with the name as data."""
    with pytest.raises(TypeError, match="no tuple as the file; a filename is given by"):
        FormData().with_files(files)


@pytest.mark.parametrize("value", [None, {"a": 1}, [None]])
def test_value_that_is_none_is_refused(value: object) -> None:
    """None and mappings have no text that a server could mean."""
    with pytest.raises(TypeError, match="field 'a' must be text, bytes or a file, not"):
        FormData({"a": value})


@pytest.mark.parametrize("field", ["ab", 1, ("a",), ("a", "b", "c"), None])
def test_field_that_is_none_is_refused(field: object) -> None:
    """A form is made of mappings, pairs and files."""
    with pytest.raises(TypeError, match="a form is made of"):
        FormData().add_fields(field)


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "a\r\nX: y"},
        {"name": "a", "filename": "b\nX: y"},
        {"name": "a", "filename": "b\0"},
        {"name": "a", "content_type": "a/b\r\nX: y"},
        {"name": "a", "value": io.BytesIO(b""), "content_type": "a/b\r"},
    ],
)
def test_injection_is_refused(arguments: dict[str, Any]) -> None:
    """No line break comes into the head of a part (CVE-2026-34514, CVE-2026-50269)."""
    with pytest.raises(ValueError, match=r"control character .* of a form"):
        FormData().add_field(**{"value": "1", **arguments})


def test_name_of_a_file_cannot_inject() -> None:
    """A file's own name comes from a disk, and is looked at as well."""
    with pytest.raises(ValueError, match=r"control character .* in the filename"):
        FormData({"a": File(b"", 'b"\r\nX: y')})


@pytest.mark.parametrize("arguments", [{"name": 1}, {"filename": b"a"}, {"content_type": 1}])
def test_text_that_is_none_is_refused(arguments: dict[str, Any]) -> None:
    """Names, filenames and types are str."""
    (what,) = arguments
    with pytest.raises(TypeError, match=f"the {what} of a form's field must be str, not"):
        FormData().add_field(**{"name": "a", "value": "1", **arguments})


def test_repr() -> None:
    """A form shows what it will be."""
    form = FormData({"a": "1"})
    assert repr(form) == "<FormData urlencoded, 1 fields>"
    form.add_field("b", get_payload(b""))
    assert repr(form) == "<FormData multipart, 2 fields>"
