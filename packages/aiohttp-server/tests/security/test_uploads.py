"""Advisories about uploads, forms and parts: each cause is a form, and what it gets."""

from __future__ import annotations

import asyncio
import gzip
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aiohttp.protocol import HttpException, MultipartError
from aiohttp.server.web.exceptions import HTTPException, HTTPRequestEntityTooLarge
from aiohttp.server.web.forms import FileField
from aiohttp.server.web.limits import RequestLimits
from aiohttp.server.web.request import BaseRequest
from asked import ask, multipart

FORM = {"Content-Type": "multipart/form-data; boundary=B"}
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
UNBOUNDED = RequestLimits(body=None, values=2**40)


async def post(request: BaseRequest) -> int:
    """Return how many fields a form has."""
    return len(await request.post())


async def refusal(data: Any, headers: dict[str, str] = FORM, **options: Any) -> str:
    """Return the text with which a form is refused, within a second of work."""
    began = time.process_time()
    with pytest.raises((HTTPException, HttpException)) as caught:
        await asyncio.wait_for(
            ask(post, method="POST", data=data, headers=headers, **options), timeout=30
        )
    assert time.process_time() - began < 1
    error = caught.value
    if isinstance(error, HTTPException):
        return error.text or ""
    assert isinstance(error, HttpException)
    return f"{error.status}: {error.message}"


def field(data: bytes, head: bytes = b'name="a"') -> bytes:
    """Return one part with its boundary."""
    return b"--B\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + data + b"\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"--B",
        b"--B\r\n",
        b"--B\r\n\r\n",
        b"--B\r\nContent-Disposition: form-data; name=a\r\n\r\n",
        b"--B\r\nContent-Disposition: form-data\r\n\r\n\r\n--B--\r\n",
        b"--B\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n--B--\r\n",
        b"--B\r\n: x\r\n\r\n\r\n--B--\r\n",
        b"--B\nContent-Disposition: form-data; name=a\n\n1\n--B--\n",
        b"--Bx\r\n\r\n\r\n--B--\r\n",
        field(b"1") + b"--B-\r\n",
        field(b"1")[:-2] + b"--B--\r\n",
    ],
)
async def test_malformed_form_ends(data: bytes) -> None:
    """CVE-2024-30251, CVE-2025-69227: no malformed form is read for ever, under -O neither."""
    assert (await refusal(data)).startswith("400: ")


@pytest.mark.parametrize("boundary", ["", '""', '"a\tb"', "x" * 71, '"a "'])
async def test_boundary_that_is_none(boundary: str) -> None:
    """CVE-2024-30251: nor one whose boundary matches anything."""
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    assert (await refusal(b"--\r\n\r\n----\r\n", headers)).startswith("400: ")
    assert (await refusal(b"x", {"Content-Type": "multipart/form-data"})).startswith("400: ")


async def test_sizes_of_all_fields_are_added() -> None:
    """CVE-2025-69228: a limit of the form is one of all its fields, not of each."""
    data = field(b"x" * 900) * 3 + b"--B--\r\n"
    assert "(limit client_max_size)" in await refusal(data, limits=RequestLimits(body=2000))
    limits = RequestLimits(body=None, value=1000, values=2000)
    assert "(limit values)" in await refusal(data, limits=limits)


async def test_field_is_refused_while_it_comes() -> None:
    """CVE-2026-34517: a field without an end is given up at its limit, not collected first."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield field(b"")[:-2]
        while sent < 2**26:
            sent += 2**16
            yield b"x" * 2**16

    text = await refusal(endless(), limits=RequestLimits(body=None))
    assert text.endswith("(limit value)")
    assert sent < 2**23


async def test_head_of_a_part_is_bounded() -> None:
    """CVE-2026-34516: many or long fields in the head of a part are refused."""
    line = b"X-A: " + b"y" * 8000 + b"\r\n"
    for lines in (line * 1000, b"X: y\r\n" * 100_000):
        data = (
            b'--B\r\nContent-Disposition: form-data; name="a"\r\n' + lines + b"\r\n1\r\n--B--\r\n"
        )
        text = await refusal(data, limits=UNBOUNDED)
        assert text == (
            "413: expected no more than 16384 bytes in the head of a part (limit part_head)"
        )


async def test_number_of_parts_is_bounded() -> None:
    """CVE-2023-30798, CVE-2026-31958, GHSA-8423-8fgw-73vq: the 1001st part is refused."""
    data = field(b"") * 100_000 + b"--B--\r\n"
    text = await refusal(data, limits=UNBOUNDED)
    assert text == "413: expected no more than 1000 parts (limit client_max_fields)"


async def test_number_of_parts_is_bounded_for_readers() -> None:
    """CVE-2026-31958: the same holds for ``multipart()``."""

    async def look(request: BaseRequest) -> None:
        async for _ in await request.multipart():
            pass

    with pytest.raises(HttpException, match="no more than 1000 parts"):
        await ask(look, **multipart([('name="a"', b"")] * 1001))


@pytest.mark.parametrize("piece", [b"a=b&", b"&", b"a&", b"%61=%62&", b"=&"])
async def test_number_of_urlencoded_fields_is_bounded(piece: bytes) -> None:
    """GHSA-mpf4-983q-p7j4, CVE-2025-67726: a million fields are refused before one is parsed."""
    text = await refusal(piece * 1_000_000, URLENCODED, limits=UNBOUNDED)
    assert text.startswith("413: expected no more than 1000 fields in a form, got 1000001")


@pytest.mark.parametrize("piece", [b"%61", b"%", b"+", b"=", b"\xff"])
async def test_one_long_field_takes_linear_time(piece: bytes) -> None:
    """CVE-2025-67726: megabytes of escapes are one field, and take no more than moments."""
    data = b"a=" + piece * (2**22 // len(piece))
    began = time.process_time()
    count = await ask(post, method="POST", data=data, headers=URLENCODED, limits=UNBOUNDED)
    assert count == 1
    assert time.process_time() - began < 2


async def test_preamble_is_bounded() -> None:
    """#13350: what stands before the first boundary is not read for ever."""
    text = await refusal(b"x" * 2**19 + field(b"1") + b"--B--\r\n")
    assert "bytes of preamble" in text


async def test_epilogue_is_bounded() -> None:
    """#13350: nor what stands behind the last one."""
    text = await refusal(field(b"1") + b"--B--\r\n" + b"x" * 2**19)
    assert "bytes of epilogue" in text


async def test_coded_body_is_bounded() -> None:
    """CVE-2025-69223: a body that grows when it is decoded is given up at its reader's limit."""
    data = gzip.compress(b"a=" + b"x" * 2**24)
    headers = {**URLENCODED, "Content-Encoding": "gzip"}
    assert (await refusal(data, headers)).endswith("(limit client_max_size)")


async def test_coded_form_is_bounded() -> None:
    """CVE-2025-69223: and so is a form of parts."""
    data = gzip.compress(field(b"x" * 2**24, b'name="a"; filename="b"') + b"--B--\r\n")
    assert (await refusal(data, {**FORM, "Content-Encoding": "gzip"})).startswith("413: ")


async def test_tiny_chunks_take_linear_time() -> None:
    """CVE-2025-69229: a form in a hundred thousand chunks of a byte is read in moments."""
    body = field(b"x" * 50_000) + b"--B--\r\n"

    async def drops() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10):
            yield body[start : start + 10]

    began = time.process_time()
    assert await ask(post, method="POST", data=drops(), headers=FORM) == 1
    assert time.process_time() - began < 3


async def test_malformed_forms_log_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2025-47287: no part of a form is worth a line in the log."""
    caplog.set_level(logging.DEBUG)
    await refusal(b"--B\r\n: x\r\n\r\n" * 1000)
    assert [record for record in caplog.records if record.name.startswith("aiohttp")] == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x", "a\\..\\b", "/x", ".."])
async def test_name_of_a_file_names_no_path(name: str) -> None:
    """What a client calls its file is told as it came; no file of that name is ever opened."""

    async def look(request: BaseRequest) -> tuple[str, Any]:
        field = (await request.post())["f"]
        assert isinstance(field, FileField)
        return field.filename, getattr(field.file, "name", None)

    options = multipart([(f'name="f"; filename="{name}"', b"x" * 2000)])
    assert await ask(look, limits=RequestLimits(spool=9), **options) == (name, None)


@pytest.mark.parametrize("head", ['name="a"; name="b"', 'name="a"\r\nContent-Disposition: x'])
async def test_names_that_two_readers_read_differently(head: str) -> None:
    """A part with two names is refused: somebody in front may have looked at the other one."""
    with pytest.raises(MultipartError):
        await ask(post, **multipart([(head, b"1")]))


async def test_many_files_take_one_descriptor() -> None:
    """A thousand files beyond the spool don't use up the descriptors of the process."""
    resource = pytest.importorskip("resource")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limit[1]))
    try:
        parts = [('name="f"; filename="x"', b"x" * 100)] * 1000
        assert await ask(post, limits=RequestLimits(spool=1), **multipart(parts)) == 1000
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)


async def test_large_body_costs_no_memory_ahead() -> None:
    """A length that is only announced reserves nothing: it is refused by its number."""
    with pytest.raises(HTTPRequestEntityTooLarge, match="Too Large"):
        await ask(post, method="POST", data=b"x" * (2**20 + 1), headers=URLENCODED)
