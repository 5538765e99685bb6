"""What aiohttp 3 documents of responses, called as documented."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from multidict import CIMultiDict

import aiohttp
from aiohttp import web
from aiohttp.test_utils import MemoryClient, MemoryResponse
from documented_server import calls

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def got(answer: Answer | web.StreamResponse, **options: Any) -> MemoryResponse:
    """Return what a client gets from a handler, or of a response."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return answer if isinstance(answer, web.StreamResponse) else await answer(request)

    app = web.Application()
    app.router.add_get("/", handler)
    async with MemoryClient(app) as client:
        return await client.get("/", **options)


@calls("web.StreamResponse")
@calls("web.StreamResponse", "prepared", "task", "status", "reason", "set_status", "keep_alive")
@calls("web.StreamResponse", "force_close", "headers", "prepare", "write", "write_eof")
async def test_response_in_parts() -> None:
    """The head is fixed by prepare; the body follows, part by part."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201, reason="Made")
        assert (response.status, response.reason) == (201, "Made")
        before = response.prepared
        response.set_status(202, reason="Taken")
        response.headers["X-Mine"] = "1"
        response.force_close()
        assert response.keep_alive is False
        await response.prepare(request)
        assert (before, response.prepared) == (False, True)
        assert response.task is asyncio.current_task()
        await response.write(b"one")
        await response.write(b"two")
        await response.write_eof()
        return response

    found = await got(answer)
    assert (found.status, found.reason, found.body) == (202, "Taken", b"onetwo")
    assert found.headers["X-Mine"] == "1"
    assert found.headers["Connection"] == "close"


@calls("web.StreamResponse", "content_length", "content_type", "charset", "last_modified", "etag")
async def test_fields_with_a_meaning() -> None:
    """They can be set by value, and read again."""
    response = web.StreamResponse()
    response.content_length = 3
    response.content_type = "text/html"
    response.charset = "utf-8"
    response.last_modified = 784111777
    response.etag = aiohttp.ETag("v1", is_weak=True)
    assert (response.content_length, response.content_type) == (3, "text/html")
    assert response.charset == "utf-8"
    assert response.last_modified == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert response.etag == aiohttp.ETag("v1", is_weak=True)
    assert response.headers == CIMultiDict({
        "Content-Length": "3",
        "Content-Type": "text/html; charset=utf-8",
        "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT",
        "ETag": 'W/"v1"',
    })  # fmt: skip


@calls("web.StreamResponse", "cookies", "set_cookie", "del_cookie")
async def test_cookies() -> None:
    """A cookie is one field, with its attributes."""
    response = web.Response()
    response.set_cookie(
        "name",
        "value",
        path="/p",
        expires="Sun, 06 Nov 1994 08:49:37 GMT",
        domain="example.org",
        max_age=5,
        secure=True,
        httponly=True,
        samesite="Lax",
        partitioned=True,
    )
    assert response.cookies["name"].value == "value"
    response.del_cookie("old", path="/", domain=None)
    mine, old = (await got(response)).headers.getall("Set-Cookie")
    first, *attributes = mine.split("; ")
    assert first == "name=value"
    assert {each.partition("=")[0].lower() for each in attributes} == {
        "path", "expires", "domain", "max-age", "secure", "httponly", "samesite", "partitioned",
    }  # fmt: skip
    assert old.startswith("old=")
    assert "max-age=0" in old.lower()


@calls("web.StreamResponse", "compression", "enable_compression", "chunked")
@calls("web.StreamResponse", "enable_chunked_encoding")
@calls("web.ContentCoding")
@calls("web.ContentCoding", "deflate", "gzip", "identity")
async def test_codings() -> None:
    """A response is compressed as the client, or the program, wants it, and sent in chunks."""
    text = "text " * 1000

    async def compressed(force: web.ContentCoding | None, **fields: str) -> MemoryResponse:
        response = web.Response(text=text)
        response.enable_compression(force, strategy=zlib.Z_DEFAULT_STRATEGY)
        assert response.compression
        return await got(response, headers=fields, decode=False)

    found = await compressed(web.ContentCoding.gzip)
    assert found.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(found.body).decode() == text
    found = await compressed(web.ContentCoding.deflate)
    assert zlib.decompress(found.body).decode() == text
    found = await compressed(web.ContentCoding.identity)
    assert found.text() == text
    found = await compressed(None, **{"Accept-Encoding": "gzip"})
    assert gzip.decompress(found.body).decode() == text

    response = web.Response(text=text)
    response.enable_chunked_encoding()
    assert response.chunked
    found = await got(response)
    assert (found.headers["Transfer-Encoding"], found.text()) == ("chunked", text)


@calls("web.Response")
@calls("web.Response", "body", "text")
@calls("web.ResponseKey")
async def test_response() -> None:
    """Bytes or text, in one go."""
    response = web.Response(
        status=404,
        reason="Nowhere",
        text="grüße",
        headers={"X-Mine": "1"},
        content_type="text/x-mine",
        charset="latin-1",
    )
    assert response.text == "grüße"
    assert response.body == "grüße".encode("latin-1")
    key = web.ResponseKey("mark", int)
    response[key] = 1
    assert response[key] == 1
    found = await got(response)
    assert (found.status, found.reason, found.text()) == (404, "Nowhere", "grüße")
    assert found.headers["Content-Type"] == "text/x-mine; charset=latin-1"

    with ThreadPoolExecutor(1) as executor:
        large = web.Response(body=bytes(100_000), zlib_executor_size=1, zlib_executor=executor)
        large.enable_compression()
        found = await got(large, headers={"Accept-Encoding": "gzip"})
    assert found.body == bytes(100_000)
    large.body = b"other"
    assert large.body == b"other"


@calls("web.json_response")
@calls("web.json_bytes_response")
async def test_json() -> None:
    """A value as JSON."""
    found = await got(
        web.json_response({"a": 1}, status=201, reason="Made", headers={"X-Mine": "1"})
    )
    assert (found.status, found.reason, found.json()) == (201, "Made", {"a": 1})
    assert found.content_type == "application/json"
    found = await got(
        web.json_response([1], content_type="application/x-mine", dumps=lambda value: "[2]")
    )
    assert (found.json(), found.content_type) == ([2], "application/x-mine")
    assert (await got(web.json_response(text="[3]"))).json() == [3]
    assert (await got(web.json_response(body=b"[4]"))).json() == [4]
    found = await got(
        web.json_bytes_response([5], dumps=lambda value: json.dumps(value).encode(), status=202)
    )
    assert (found.status, found.json()) == (202, [5])


@calls("web.FileResponse")
async def test_file(tmp_path: Path) -> None:
    """A file is sent with its type, or a part of it."""
    path = tmp_path / "a.txt"
    path.write_text("0123456789")
    found = await got(web.FileResponse(path, chunk_size=1024, headers={"X-Mine": "1"}))
    assert (found.text(), found.content_type) == ("0123456789", "text/plain")
    assert found.headers["X-Mine"] == "1"
    part = await got(web.FileResponse(path), headers={"Range": "bytes=2-4"})
    assert (part.status, part.text()) == (206, "234")
    gone = await got(web.FileResponse(tmp_path / "b.txt", status=200, reason=None))
    assert gone.status == 404
