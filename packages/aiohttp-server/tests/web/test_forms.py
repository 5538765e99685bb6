"""``post``: forms of both kinds, each bound of theirs, and what becomes of uploads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest

from aiohttp.protocol import Exchange, MultipartError
from aiohttp.server.web.exceptions import (
    HTTPBadRequest,
    HTTPRequestEntityTooLarge,
    HTTPUnsupportedMediaType,
)
from aiohttp.server.web.forms import FileField
from aiohttp.server.web.limits import RequestLimits
from aiohttp.server.web.request import BaseRequest
from aiohttp.test_utils import MemoryClient
from asked import ask, multipart
from served import Application, settle

URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


async def fields_of(request: BaseRequest) -> list[tuple[str, object]]:
    """Return the fields of a form, files as their name, type and content."""
    return [
        (
            name,
            (value.filename, value.content_type, value.file.read())
            if isinstance(value, FileField)
            else value,
        )
        for name, value in (await request.post()).items()
    ]


async def post(body: bytes, headers: dict[str, str] = URLENCODED, **options: Any) -> Any:
    """Return the fields of an urlencoded form."""
    return await ask(fields_of, method="POST", data=body, headers=headers, **options)


async def refused(**options: Any) -> str:
    """Return with which text a form is refused as too large."""
    with pytest.raises(HTTPRequestEntityTooLarge) as caught:
        await ask(fields_of, **options)
    return caught.value.text or ""


# application/x-www-form-urlencoded


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", []),
        (b"a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        (b"a&b=&=c&&=", [("a", ""), ("b", ""), ("", "c"), ("", "")]),
        (b"a+b=%20%2B+%26", [("a b", " + &")]),
        (b"n=%C3%BC\xc3\xbc", [("n", "üü")]),
        (b"n=%zz%&%ff=1\r\n", [("n", "%zz%"), ("\ufffd", "1")]),
    ],
)
async def test_urlencoded_form(body: bytes, fields: list[tuple[str, str]]) -> None:
    """Names and values are decoded as the URL standard says, which refuses nothing."""
    assert await post(body) == fields


async def test_charset_of_an_urlencoded_form() -> None:
    """A form in another charset says so; one that there isn't is 415."""
    content_type = "application/x-www-form-urlencoded; charset="
    assert await post(b"a=%FC", {"Content-Type": f"{content_type}latin-1"}) == [("a", "ü")]
    with pytest.raises(HTTPUnsupportedMediaType):
        await post(b"a=1", {"Content-Type": f"{content_type}klingon"})


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_methods_with_a_form(method: str) -> None:
    """These methods bring forms."""
    assert await ask(fields_of, method=method, data=b"a=1", headers=URLENCODED) == [("a", "1")]


@pytest.mark.parametrize(
    ("method", "content_type"),
    [("GET", "application/x-www-form-urlencoded"), ("POST", "application/json")],
)
async def test_what_is_no_form_has_no_fields(method: str, content_type: str) -> None:
    """Another method or type has no fields, and its body can be read."""

    async def look(request: BaseRequest) -> tuple[int, bytes]:
        return len(await request.post()), await request.read()

    headers = {"Content-Type": content_type}
    assert await ask(look, method=method, data=b"a=1", headers=headers) == (0, b"a=1")


async def test_form_is_read_once_and_kept() -> None:
    """``post`` returns the same again, and works after ``read``."""

    async def look(request: BaseRequest) -> bool:
        await request.read()
        return await request.post() is await request.post()

    assert await ask(look, method="POST", data=b"a=1", headers=URLENCODED)
    assert await ask(look, **multipart([('name="a"', b"1")]))


async def test_number_of_fields_is_bounded() -> None:
    """A form at the bound is taken; one field more is refused, and said why."""
    limits = RequestLimits(fields=3)
    assert len(await post(b"a&b&c", limits=limits)) == 3
    text = await refused(method="POST", data=b"a&b&c&d", headers=URLENCODED, limits=limits)
    assert text == (
        "413: expected no more than 3 fields in a form, got 4 (limit client_max_fields)"
    )


@pytest.mark.parametrize("limits", [RequestLimits(fields=None), RequestLimits(fields=1500)])
async def test_parts_of_a_form_are_its_fields(limits: RequestLimits) -> None:
    """The number of a form's fields has one bound, or none, whichever kind the form is of."""
    assert len(await post(b"a" + b"&a" * 1499, limits=limits)) == 1500
    assert len(await ask(fields_of, **multipart([('name="a"', b"")] * 1500), limits=limits)) == 1500


# multipart/form-data


async def test_multipart_form() -> None:
    """Text comes as text, another type as bytes, a file as a file."""
    options = multipart([
        ('name="a"', b"1"),
        ('name="\xc3\xbc"'.encode("latin-1").decode(), "ü".encode()),
        ('name="t"\r\nContent-Type: text/plain; charset=latin-1', b"\xfc"),
        ('name="b"\r\nContent-Type: image/png', b"\x89"),
        ('name="f"; filename="../x.txt"\r\nContent-Type: text/css', b"p {}\r\n"),
        ('name="g"; filename="y"', b"\x00\xff"),
        ('name="h"; filename=""\r\nContent-Type: application/octet-stream', b""),
        ('name="a"', b""),
    ])  # fmt: skip
    assert await ask(fields_of, **options) == [
        ("a", "1"),
        ("ü", "ü"),
        ("t", "ü"),
        ("b", b"\x89"),
        ("f", ("../x.txt", "text/css", b"p {}\r\n")),
        ("g", ("y", "application/octet-stream", b"\x00\xff")),
        ("h", b""),
        ("a", ""),
    ]


async def test_file_field() -> None:
    """A file has the fields of its part, and is in memory where it is small."""

    async def look(request: BaseRequest) -> Any:
        return (await request.post())["f"]

    field = await ask(look, **multipart([('name="f"; filename="x"\r\nX-Y: z', b"data")]))
    assert (field.name, field.filename, field.headers["x-y"]) == ("f", "x", "z")
    assert isinstance(field.file, BytesIO)


async def test_charset_field_names_the_charset() -> None:
    """``_charset_`` in front decides for the text behind it (RFC 7578, section 4.6)."""
    options = multipart([('name="_charset_"', b"latin-1"), ('name="a"', b"\xfc")])
    assert await ask(fields_of, **options) == [("a", "ü")]


async def test_transfer_encodings_are_undone() -> None:
    """Old programs send fields in base64 or quoted-printable."""
    options = multipart([
        ('name="a"\r\nContent-Transfer-Encoding: base64', b"w7w="),
        ('name="f"; filename="x"\r\nContent-Transfer-Encoding: quoted-printable', b"=00a"),
    ])  # fmt: skip
    expected = [("a", "ü"), ("f", ("x", "application/octet-stream", b"\x00a"))]
    assert await ask(fields_of, **options) == expected


@pytest.mark.parametrize(
    ("head", "data", "error", "text"),
    [
        ('name="a"', b"\xff", HTTPBadRequest, "400: expected the field 'a' in utf-8"),
        (
            'name="a"\r\nContent-Type: text/plain; charset=klingon', b"",
            HTTPUnsupportedMediaType, "415: expected a known charset, got 'klingon'",
        ),
    ],
)  # fmt: skip
async def test_text_that_is_none(head: str, data: bytes, error: Any, text: str) -> None:
    """A field that isn't in its charset is refused by name."""
    with pytest.raises(error) as caught:
        await ask(fields_of, **multipart([(head, data)]))
    assert caught.value.text.startswith(text)


async def test_form_within_a_form_is_refused() -> None:
    """``multipart/mixed`` within a form is of the past (RFC 7578, section 4.3): 400."""
    options = multipart([('name="a"\r\nContent-Type: multipart/mixed; boundary=C', b"--C--")])
    with pytest.raises(MultipartError, match="multipart body within it"):
        await ask(fields_of, **options)


@pytest.mark.parametrize("cut", [3, 30, 60, 110, 125])
async def test_form_that_ends_early_is_refused(cut: int) -> None:
    """A form without its last boundary is 400, never taken for a whole one."""
    options = multipart([('name="a"', b"1"), ('name="f"; filename="x"', b"12345")])
    options["data"] = options["data"][:cut]
    with pytest.raises(MultipartError):
        await ask(fields_of, **options)


@pytest.mark.parametrize(
    ("limits", "parts", "text"),
    [
        (
            RequestLimits(body=100), [('name="a"', b"x" * 100)],
            "413: expected a body of at most 100 bytes, got 158 (limit client_max_size)",
        ),
        (
            RequestLimits(fields=2), [('name="a"', b"")] * 3,
            "413: expected no more than 2 parts (limit client_max_fields)",
        ),
        (
            RequestLimits(part_head=100), [('name="a"; x="' + "y" * 100 + '"', b"")],
            "413: expected no more than 100 bytes in the head of a part (limit part_head)",
        ),
        (
            RequestLimits(value=10), [('name="a"', b"x" * 11)],
            "413: expected no more than 10 bytes in a field that is no file (limit value)",
        ),
        (
            RequestLimits(values=15), [('name="a"', b"x" * 8)] * 2,
            "413: expected no more than 15 bytes in all fields that are no files (limit values)",
        ),
        (
            RequestLimits(file=10), [('name="a"; filename="b"', b"x" * 11)],
            "413: expected no more than 10 bytes in the file 'b', got 11 or more (limit file)",
        ),
    ],
)  # fmt: skip
async def test_each_bound_of_a_form(
    limits: RequestLimits, parts: list[tuple[str, bytes]], text: str
) -> None:
    """The text of 413 names the limit and the bound."""
    assert await refused(**multipart(parts), limits=limits) == text


async def test_body_of_unknown_length_is_bounded() -> None:
    """The size of a whole form is bounded where no length was announced, too."""
    options = multipart([('name="f"; filename="x"', b"x" * 5000)])
    body = options.pop("data")

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    text = await refused(**options, data=pieces(), limits=RequestLimits(body=2000))
    assert text == (
        "413: expected no more than 2000 bytes in a multipart body (limit client_max_size)"
    )


# Uploads on disk.


async def test_large_files_come_from_disk() -> None:
    """Files beyond ``spool`` bytes of all of them are read from one temporary file."""
    small, large, last = b"s" * 60, bytes(range(256)) * 8000, b"l" * 70

    async def look(request: BaseRequest) -> list[bool]:
        form = await request.post()
        files = [each.file for each in form.values() if isinstance(each, FileField)]
        assert [file.read() for file in files] == [small, large, last]
        assert files[1].seek(-3, 2) == len(large) - 3
        assert files[1].read() == large[-3:]
        return [isinstance(file, BytesIO) for file in files]

    parts = [('name="f"; filename="x"', data) for data in (small, large, last)]
    limits = RequestLimits(body=None, spool=100)
    assert await ask(look, **multipart(parts), limits=limits) == [True, False, False]


SPOOLED = multipart([('name="f"; filename="x"', b"x" * 3000)])
LIMITS = RequestLimits(spool=9)


async def test_files_are_closed_when_the_request_ends() -> None:
    """A handler that returns has closed its files, though nobody called ``close``."""
    kept: list[FileField] = []

    async def look(request: BaseRequest) -> bytes:
        field = (await request.post())["f"]
        assert isinstance(field, FileField)
        kept.append(field)
        return field.file.read(3)

    assert await ask(look, limits=LIMITS, **SPOOLED) == b"xxx"
    with pytest.raises(ValueError, match="closed file"):
        kept[0].file.seek(0)
        kept[0].file.read()


async def test_files_are_closed_when_the_handler_is_cancelled() -> None:
    """A client that goes away while its form is handled leaves no file open."""
    kept: list[FileField] = []
    is_read = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        request = BaseRequest(exchange)
        request._limits = LIMITS
        field = (await request.post())["f"]
        assert isinstance(field, FileField)
        kept.append(field)
        is_read.set()
        await asyncio.Event().wait()

    async with MemoryClient(Application(handler)) as client:
        asking = asyncio.create_task(client.request(path="/", **SPOOLED))
        await is_read.wait()
        asking.cancel()
        await settle()
    with pytest.raises(ValueError, match="closed file"):
        kept[0].file.read()


# Time.


@pytest.mark.parametrize("count", [1_000_000])
async def test_a_million_fields_are_refused_early(count: int) -> None:
    """They are counted before the first is taken apart: no list of them is ever made."""
    limits = RequestLimits(body=None)
    began = time.process_time()
    data = b"&".join([b"a"] * count)
    text = await refused(method="POST", data=data, headers=URLENCODED, limits=limits)
    assert text.startswith("413: expected no more than 1000 fields in a form, got 1000000")
    assert time.process_time() - began < 1
