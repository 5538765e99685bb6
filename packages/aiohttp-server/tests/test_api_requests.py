"""What aiohttp 3 documents of requests, called as documented."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from yarl import URL

import aiohttp
from aiohttp import web
from aiohttp.protocol import HttpVersion11
from aiohttp.test_utils import MemoryClient, MemoryResponse
from documented_server import calls

Look = Callable[[web.Request], Awaitable[object]]


async def asked(look: Look, method: str = "GET", path: str = "/", **options: Any) -> MemoryResponse:
    """Have a handler look at a request, and return its answer."""

    async def handler(request: web.Request) -> web.Response:
        await look(request)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    async with MemoryClient(app, host="example.org:8080") as client:
        response = await client.request(method, path, **options)
    assert response.status == 200, response.text()
    return response


@calls("web.BaseRequest")
@calls("web.BaseRequest", "version", "method", "url", "rel_url", "scheme", "secure", "host")
@calls("web.BaseRequest", "remote", "path_qs", "path", "raw_path", "query", "query_string")
@calls("web.BaseRequest", "headers", "raw_headers", "keep_alive", "transport", "loop")
@calls("web.BaseRequest", "client_max_size", "client_max_fields", "get_extra_info", "forwarded")
async def test_what_was_asked_for() -> None:
    """The request line, the address and the fields, as they came and decoded."""

    async def look(request: web.Request) -> None:
        assert isinstance(request, web.BaseRequest)
        assert request.version == HttpVersion11
        assert request.method == "REPORT"
        assert request.url == URL("http://example.org:8080/a%20b/%C3%BC?c=d%20e&c=f")
        assert request.rel_url == URL("/a%20b/%C3%BC?c=d%20e&c=f")
        assert (request.scheme, request.secure) == ("http", False)
        assert request.host == "example.org:8080"
        assert request.remote == "127.0.0.1"
        assert request.path_qs == "/a%20b/%C3%BC?c=d%20e&c=f"
        assert request.raw_path == "/a%20b/%C3%BC?c=d%20e&c=f"
        assert request.path == "/a b/ü"
        assert request.query.getall("c") == ["d e", "f"]
        assert request.query_string == "c=d e&c=f"
        assert request.headers["x-mine"] == "1"
        assert (b"X-Mine", b"1") in request.raw_headers
        assert request.keep_alive
        assert request.client_max_size == 2**20
        assert request.client_max_fields == 1000
        assert request.transport is not None
        with pytest.warns(DeprecationWarning, match="loop"):
            assert request.loop is asyncio.get_running_loop()
        assert request.get_extra_info("peername") == ("127.0.0.1", 50000)
        assert request.get_extra_info("nothing", default=7) == 7
        assert [dict(each) for each in request.forwarded] == [
            {"for": "192.0.2.1", "proto": "https"}
        ]

    fields = {"X-Mine": "1", "Forwarded": "for=192.0.2.1;proto=https"}
    await asked(look, "REPORT", "/a%20b/%C3%BC?c=d%20e&c=f", headers=fields)


@calls("web.BaseRequest", "cookies", "content_type", "charset", "content_length", "http_range")
@calls("web.BaseRequest", "if_modified_since", "if_unmodified_since", "if_range")
@calls("web.BaseRequest", "if_match", "if_none_match")
@calls("ETag")
@calls("ETag", "value", "is_weak")
async def test_what_fields_mean() -> None:
    """Fields with a meaning are parsed."""
    date = "Sun, 06 Nov 1994 08:49:37 GMT"

    async def look(request: web.Request) -> None:
        assert dict(request.cookies) == {"a": "1", "b": "x y"}
        assert request.content_type == "text/plain"
        assert request.charset == "latin-1"
        assert request.content_length == 3
        assert request.http_range == slice(2, 6, 1)
        moment = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
        assert request.if_modified_since == moment
        assert request.if_unmodified_since == moment
        assert request.if_range == moment
        assert request.if_match == (aiohttp.ETag("v1"), aiohttp.ETag("v2", is_weak=True))
        assert request.if_none_match is not None
        (found,) = request.if_none_match
        assert (found.value, found.is_weak) == ("*", False)

    fields = {
        "Cookie": 'a=1; b="x y"',
        "Content-Type": "Text/Plain; charset=latin-1",
        "Range": "bytes=2-5",
        "If-Modified-Since": date,
        "If-Unmodified-Since": date,
        "If-Range": date,
        "If-Match": '"v1", W/"v2"',
        "If-None-Match": "*",
    }
    await asked(look, "PUT", data=b"abc", headers=fields)


@calls("web.BaseRequest", "content", "body_exists", "can_read_body", "has_body", "read", "text")
@calls("web.BaseRequest", "json", "release")
async def test_body_is_read() -> None:
    """As bytes, text or JSON, or as a stream."""

    async def look(request: web.Request) -> None:
        assert request.body_exists
        assert request.can_read_body
        with pytest.warns(DeprecationWarning, match="can_read_body"):
            assert request.has_body
        assert await request.read() == b'{"a": 1}'
        assert await request.text() == '{"a": 1}'
        assert await request.json() == {"a": 1}
        assert await request.json(loads=len) == 8
        assert not request.can_read_body

    async def stream(request: web.Request) -> None:
        assert await request.content.readexactly(3) == b'{"a'
        await request.release()
        assert request.content.at_eof()

    async def nothing(request: web.Request) -> None:
        assert not request.body_exists
        assert await request.read() == b""

    await asked(look, "POST", json={"a": 1})
    await asked(stream, "POST", json={"a": 1})
    await asked(nothing)


@calls("web.BaseRequest", "post", "multipart")
@calls("web.FileField")
@calls("web.FileField", "name", "filename", "file", "content_type")
async def test_forms() -> None:
    """Fields of a form, and the files that were uploaded."""

    async def fields(request: web.Request) -> None:
        form = await request.post()
        assert form.getall("a") == ["1", "ü"]

    await asked(fields, "POST", data=[("a", "1"), ("a", "ü")])

    body = aiohttp.MultipartWriter("form-data", boundary="x")
    body.append("1").set_content_disposition("form-data", name="a")
    part = body.append(b"\x00\x01")
    part.headers["Content-Type"] = "image/png"
    part.set_content_disposition("form-data", name="picture", filename="p.png")

    async def files(request: web.Request) -> None:
        form = await request.post()
        assert form["a"] == "1"
        picture = form["picture"]
        assert isinstance(picture, web.FileField)
        assert (picture.name, picture.filename) == ("picture", "p.png")
        assert picture.content_type == "image/png"
        assert picture.file.read() == b"\x00\x01"

    async def parts(request: web.Request) -> None:
        reader = await request.multipart()
        names: list[str | None] = []
        while (part := await reader.next()) is not None:
            assert isinstance(part, aiohttp.BodyPartReader)
            names.append(part.name)
            await part.release()
        assert names == ["a", "picture"]

    await asked(files, "POST", data=body)
    await asked(parts, "POST", data=body)


@calls("web.BaseRequest", "clone")
@calls("web.Request")
@calls("web.Request", "match_info")
@calls("web.RequestKey")
async def test_request_of_an_application() -> None:
    """It knows what the router found, keeps what middlewares leave, and can be cloned."""
    key = web.RequestKey("user", str)

    async def look(request: web.Request) -> None:
        assert isinstance(request, web.Request)
        assert request.match_info["tail"] == "a/b"
        request[key] = "me"
        again = request.clone(method="PUT", rel_url=URL("/c"), headers={"A": "1"})
        assert (again.method, again.path, again.headers["a"]) == ("PUT", "/c", "1")
        assert again[key] == "me"
        assert request.clone().method == "GET"

    await asked(look, path="/a/b")
