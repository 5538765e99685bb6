"""The coding of a response: chosen, and applied."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from multidict import CIMultiDict

from aiohttp.protocol import available_codings, content_decoder
from aiohttp.server.web.compression import ContentCoding, add_to_vary
from aiohttp.server.web.request import BaseRequest
from aiohttp.server.web.response import Response
from aiohttp.server.web.stream_response import StreamResponse
from aiohttp.test_utils import MemoryResponse
from answering import answer_of

TEXT = "The quick brown fox jumps over the lazy dog. " * 40


def compressed(text: str = TEXT, force: ContentCoding | None = None) -> Response:
    """Return a response of text that is to be compressed."""
    response = Response(text=text)
    response.enable_compression(force)
    return response


def decoded(response: MemoryResponse) -> str:
    """Return what a coded body says."""
    decoder = content_decoder(response.headers.get("Content-Encoding", ""))
    if decoder is None:
        return response.body.decode()
    decoder.feed(response.body)
    decoder.end()
    data = b""
    while piece := decoder.read(65536):
        data += piece
    assert decoder.is_complete
    return data.decode()


def accepting(accept: str | None) -> dict[str, str]:
    """Return the fields of a request that accepts these codings."""
    return {} if accept is None else {"Accept-Encoding": accept}


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("deflate, gzip", "gzip"),
        ("deflate, gzip;q=0.5", "deflate"),
        ("gzip;q=0", None),
        ("lzma", None),
        ("identity;q=0, lzma", None),
        ("identity, gzip;q=0.5", None),
    ],
)
async def test_coding_is_chosen(accept: str | None, coding: str | None) -> None:
    """The client's weights decide; the response says that it depends on them."""
    response = await answer_of(compressed(), headers=accepting(accept))
    assert response.headers.get("Content-Encoding") == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Content-Length"] == str(len(response.body))
    assert decoded(response) == TEXT
    assert (len(response.body) < len(TEXT)) == (coding is not None)


async def test_preference_among_equals() -> None:
    """Of what a browser likes alike, zstd and br come first where they are installed."""
    response = await answer_of(compressed(), headers=accepting("gzip, deflate, br, zstd"))
    preferred = [each for each in ("zstd", "br", "gzip") if each in available_codings()]
    assert response.headers["Content-Encoding"] == preferred[0]
    assert decoded(response) == TEXT


@pytest.mark.parametrize("coding", available_codings())
async def test_forced_coding(coding: str) -> None:
    """A coding that is forced is applied whatever the client accepts, and varies with nothing."""
    response = await answer_of(compressed(force=ContentCoding(coding)))
    assert response.headers["Content-Encoding"] == coding
    assert "Vary" not in response.headers
    assert decoded(response) == TEXT


@pytest.mark.parametrize(("force", "coding"), [(True, "deflate"), (False, None)])
async def test_forced_by_a_bool(force: bool, coding: str | None) -> None:
    """True is deflate, False no coding."""
    response = Response(text=TEXT)
    response.enable_compression(force)
    assert response.compression
    found = await answer_of(response, headers=accepting("gzip"))
    assert found.headers.get("Content-Encoding") == coding


@pytest.mark.parametrize("coding", [ContentCoding.gzip, ContentCoding.deflate])
@pytest.mark.parametrize("whole", [True, False])
async def test_strategy(coding: ContentCoding, whole: bool) -> None:
    """zlib's strategy is that of the program."""
    response = Response(text=TEXT) if whole else Response(body=iter([TEXT.encode()]))
    response.enable_compression(coding, strategy=zlib.Z_HUFFMAN_ONLY)
    found = await answer_of(response)
    assert decoded(found) == TEXT
    usual = await answer_of(compressed(force=coding))
    assert len(found.body) > 3 * len(usual.body)


async def test_strategy_is_of_zlib_only() -> None:
    """Other codings have no strategy of zlib."""
    response = Response(text=TEXT)
    response.enable_compression(ContentCoding.identity, strategy=zlib.Z_HUFFMAN_ONLY)
    assert (await answer_of(response)).text() == TEXT


@pytest.mark.parametrize(
    ("status", "headers"),
    [(200, {"Content-Encoding": "br"}), (206, {"Content-Range": "bytes 0-1/2"})],
)
async def test_left_alone(status: int, headers: dict[str, str]) -> None:
    """What is coded already, or a part of something, isn't coded."""
    response = Response(text=TEXT, status=status, headers=headers)
    response.enable_compression()
    found = await answer_of(response, headers=accepting("gzip"))
    assert found.headers.get("Content-Encoding") == headers.get("Content-Encoding")
    assert found.text() == TEXT


async def test_parts() -> None:
    """A body in parts is coded while it is written, in chunks."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = StreamResponse()
        response.content_length = len(TEXT)
        response.enable_compression()
        await response.prepare(request)
        for start in range(0, len(TEXT), 100):
            await response.write(TEXT[start : start + 100].encode())
        return response

    found = await answer_of(answer, headers=accepting("gzip"))
    assert found.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in found.headers
    assert decoded(found) == TEXT


async def pieces() -> AsyncIterator[bytes]:
    """Give the text in two pieces."""
    yield TEXT[:100].encode()
    yield TEXT[100:].encode()


async def test_payload() -> None:
    """A body of pieces is coded, too; one that a handler has prepared has a length."""
    response = Response(body=pieces())
    response.enable_compression()
    found = await answer_of(response, headers=accepting("gzip"))
    assert decoded(found) == TEXT

    async def answer(request: BaseRequest) -> StreamResponse:
        prepared = compressed()
        await prepared.prepare(request)
        assert prepared.text == TEXT
        return prepared

    found = await answer_of(answer, headers=accepting("gzip"))
    assert found.headers["Content-Length"] == str(len(found.body))
    assert decoded(found) == TEXT


@pytest.mark.parametrize(("text", "status"), [("", 200), (TEXT, 204), (TEXT, 304)])
async def test_nothing_is_not_coded(text: str, status: int) -> None:
    """Where there is no body, no coding is announced; but on what it would depend is told."""
    response = Response(text=text, status=status)
    response.enable_compression()
    found = await answer_of(response, headers=accepting("gzip"))
    assert (found.headers["Vary"], found.body) == ("Accept-Encoding", b"")
    assert "Content-Encoding" not in found.headers


async def test_head_has_the_fields_of_get() -> None:
    """HEAD tells coding, length and dependence as GET does."""
    get = await answer_of(compressed(), headers=accepting("gzip"))
    head = await answer_of(compressed(), "HEAD", headers=accepting("gzip"))
    for name in ("Content-Encoding", "Content-Length", "Vary"):
        assert head.headers[name] == get.headers[name]


async def test_tag_of_coded_bytes_is_weak() -> None:
    """A strong ETag was made for other bytes: it becomes weak where they are coded."""
    for accept, tag in (("gzip", 'W/"a"'), ("identity", '"a"')):
        response = compressed()
        response.etag = "a"
        found = await answer_of(response, headers=accepting(accept))
        assert found.headers["ETag"] == tag


class CountingExecutor(ThreadPoolExecutor):
    """Threads that count what is asked of them."""

    submitted = 0

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        """Count, and have it done."""
        self.submitted += 1
        return super().submit(*args, **kwargs)


async def test_large_body_is_coded_in_a_thread() -> None:
    """More than ``zlib_executor_size`` bytes leave the loop free, in the program's threads."""
    with CountingExecutor(1) as executor:
        for size, submitted in ((len(TEXT), 0), (len(TEXT) - 1, 1)):
            response = Response(text=TEXT, zlib_executor_size=size, zlib_executor=executor)
            response.enable_compression()
            assert decoded(await answer_of(response, headers=accepting("gzip"))) == TEXT
            assert executor.submitted == submitted


async def test_large_parts_are_coded_in_a_thread() -> None:
    """A large part of a stream lets others have their turn meanwhile."""
    turns = 0

    async def answer(request: BaseRequest) -> StreamResponse:
        nonlocal turns
        response = StreamResponse()
        response.enable_compression(ContentCoding.gzip)
        await response.prepare(request)
        writing = asyncio.create_task(response.write(bytes(1024 * 1024)))
        while not writing.done():
            turns += 1
            await asyncio.sleep(0)
        return response

    found = await answer_of(answer)
    assert decoded(found) == "\0" * 1024 * 1024
    assert turns > 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], "Accept-Encoding"),
        (["Cookie"], "Cookie, Accept-Encoding"),
        (["Cookie", "Origin"], "Cookie, Origin, Accept-Encoding"),
        (["accept-encoding"], "accept-encoding"),
        (["*"], "*"),
    ],
)
def test_vary(given: list[str], expected: str) -> None:
    """A name is added to Vary once, unless everything varies."""
    headers = CIMultiDict([("Vary", value) for value in given])
    add_to_vary(headers, "Accept-Encoding")
    assert headers.getall("Vary") == [expected]
