"""A file as a response."""

from __future__ import annotations

import asyncio
import gzip
import os
from pathlib import Path

import pytest

from aiohttp.protocol import Exchange, HttpVersion10
from aiohttp.server.web.compression import ContentCoding
from aiohttp.server.web.fileresponse import FileResponse
from aiohttp.server.web.request import BaseRequest
from aiohttp.server.web.stream_response import StreamResponse
from aiohttp.test_utils import MemoryResponse
from answering import Answering, answer_of, client_of
from served import GET, Served, settle

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
TEXT = b"0123456789" * 10
BIG = bytes(range(256)) * 1024


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """Return a file of 100 bytes, from 1994."""
    return written(tmp_path / "text.txt", TEXT)


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """Return a file of 256 KiB, from 1994."""
    return written(tmp_path / "big.bin", BIG)


def written(path: Path, content: bytes) -> Path:
    """Write a file, and set its time."""
    path.write_bytes(content)
    os.utime(path, (784111777, 784111777))
    return path


async def sent(path: Path, method: str = "GET", **fields: str) -> MemoryResponse:
    """Return what a request with these fields gets."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    return await answer_of(FileResponse(path), method, headers=headers)


async def test_whole_file(text: Path, big: Path) -> None:
    """A small file and a large one are sent with their type, length and validators."""
    for path, content, content_type in (
        (text, TEXT, "text/plain"),
        (big, BIG, "application/octet-stream"),
    ):
        response = await sent(path)
        assert (response.status, response.body) == (200, content)
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Length"] == str(len(content))
        assert response.headers["Last-Modified"] == DATE
        assert response.headers["ETag"] == f'"{784111777 * 10**9:x}-{len(content):x}"'
        assert response.headers["Accept-Ranges"] == "bytes"
        assert "Vary" not in response.headers


async def test_small_file_is_one_write(text: Path) -> None:
    """Head and content of a small file leave together."""
    served = Served(Answering(FileResponse(text)).handle_exchange)
    served.client.feed(GET)
    while not served.client.writes:
        await asyncio.sleep(0)
    await settle()
    (only,) = served.client.writes
    assert only.endswith(b"\r\n\r\n" + TEXT)


async def test_empty_file(tmp_path: Path) -> None:
    """Nothing is sent, and announced."""
    response = await sent(written(tmp_path / "empty", b""), Range="bytes=-5")
    assert (response.status, response.body) == (200, b"")
    assert response.headers["Content-Length"] == "0"


async def test_head(text: Path, big: Path) -> None:
    """HEAD gets the fields of GET, whatever range it asks for."""
    for path in (text, big):
        head, get = await sent(path, "HEAD", Range="bytes=0-1"), await sent(path)
        assert (head.status, head.body) == (200, b"")
        for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified", "Accept-Ranges"):
            assert head.headers[name] == get.headers[name]


async def test_one_part(text: Path, big: Path) -> None:
    """A range gets its bytes, and is told where they are from."""
    for path, content in ((text, TEXT), (big, BIG)):
        response = await sent(path, Range="bytes=5-")
        assert (response.status, response.body) == (206, content[5:])
        size = len(content)
        assert response.headers["Content-Range"] == f"bytes 5-{size - 1}/{size}"
        assert response.headers["Content-Length"] == str(size - 5)


@pytest.mark.parametrize("content", [TEXT, BIG])
async def test_several_parts(tmp_path: Path, content: bytes) -> None:
    """Several ranges get one body of several parts, in the order that was asked for."""
    path = written(tmp_path / "a.txt", content)
    response = await sent(path, Range="bytes=-1,0-4")
    boundary = response.headers["Content-Type"].removeprefix("multipart/byteranges; boundary=")
    assert response.status == 206
    assert response.headers["Content-Length"] == str(len(response.body))
    assert "Content-Range" not in response.headers
    size = len(content)
    assert response.body == b"\r\n".join([
        b"--" + boundary.encode(),
        b"Content-Type: text/plain",
        f"Content-Range: bytes {size - 1}-{size - 1}/{size}".encode(),
        b"",
        content[-1:],
        b"--" + boundary.encode(),
        b"Content-Type: text/plain",
        f"Content-Range: bytes 0-4/{size}".encode(),
        b"",
        content[:5],
        b"--" + boundary.encode() + b"--",
        b"",
    ])  # fmt: skip


async def test_range_that_does_not_exist(text: Path) -> None:
    """416 says how long the file is."""
    response = await sent(text, Range="bytes=100-")
    assert response.status == 416
    assert response.headers["Content-Range"] == "bytes */100"
    assert response.body == b"416: Range Not Satisfiable"


async def test_client_that_has_it(text: Path) -> None:
    """304 has the validators, and neither content nor its description."""
    etag = (await sent(text)).headers["ETag"]
    response = await sent(text, If_None_Match=etag)
    assert (response.status, response.body) == (304, b"")
    assert response.headers["ETag"] == etag
    assert response.headers["Last-Modified"] == DATE
    for name in ("Content-Type", "Content-Length", "Accept-Ranges"):
        assert name not in response.headers
    assert (await sent(text, If_Modified_Since=DATE)).status == 304


async def test_failed_condition(text: Path) -> None:
    """412 says so in a line."""
    response = await sent(text, If_Match='"other"')
    assert (response.status, response.body) == (412, b"412: Precondition Failed")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_download_that_is_resumed(big: Path) -> None:
    """If-Range gets the rest of the same file, or the whole of another."""
    etag = (await sent(big)).headers["ETag"]
    rest = await sent(big, Range="bytes=1000-", If_Range=etag)
    assert (rest.status, rest.body) == (206, BIG[1000:])
    written(big, BIG + b"!")
    whole = await sent(big, Range="bytes=1000-", If_Range=etag)
    assert (whole.status, whole.body) == (200, BIG + b"!")


async def test_status_of_the_program(text: Path) -> None:
    """A page for an error is sent as it is: conditions and ranges are of what is found."""
    response = await answer_of(
        FileResponse(text, status=404, reason="Gone fishing"),
        headers={"Range": "bytes=0-1", "If-None-Match": "*"},
    )
    assert (response.status, response.reason, response.body) == (404, "Gone fishing", TEXT)
    for status in (412, 416):
        response = await answer_of(FileResponse(text, status=status))
        assert (response.status, response.body) == (status, TEXT)


async def test_fields_of_the_program(text: Path) -> None:
    """What the program says of the file counts, also in conditions."""
    fields = {"Content-Type": "text/x-log", "ETag": '"mine"', "Last-Modified": DATE, "X-A": "b"}
    response = await answer_of(FileResponse(text, headers=fields))
    assert {name: response.headers[name] for name in fields} == fields
    asked = {"If-None-Match": '"mine"'}
    assert (await answer_of(FileResponse(text, headers=fields), headers=asked)).status == 304


@pytest.mark.parametrize(
    ("name", "asked", "status"),
    [
        ("missing", {}, 404),
        ("text.txt", {"If-Match": '"other"'}, 412),
        ("text.txt", {"Range": "bytes=100-"}, 416),
    ],
)
async def test_fields_of_a_file_that_is_not_sent(
    text: Path, name: str, asked: dict[str, str], status: int
) -> None:
    """A line in its place is neither coded nor to be saved, and not kept for a year."""
    fields = {
        "Content-Encoding": "gzip",
        "Content-Disposition": "attachment",
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": '"mine"',
        "X-A": "b",
    }
    response = await answer_of(FileResponse(text.parent / name, headers=fields), headers=asked)
    assert (response.status, response.body[:5]) == (status, f"{status}: ".encode())
    assert response.headers["X-A"] == "b"
    assert not {name.lower() for name in [*fields][:4]} & {
        name.lower() for name in response.headers
    }


async def test_tag_of_the_program_is_shared_by_twins(text: Path) -> None:
    """One strong tag is not for two sequences of bytes: with a twin it is weak."""
    (text.parent / "text.txt.gz").write_bytes(gzip.compress(TEXT))
    headers = {"ETag": '"mine"'}
    for accepted, tag in (("identity", '"mine"'), ("gzip", 'W/"mine"')):
        asked = {"Accept-Encoding": accepted}
        response = await answer_of(FileResponse(text, headers=headers), headers=asked)
        assert response.headers["ETag"] == tag
        asked["If-Match"] = '"mine"'
        status = (await answer_of(FileResponse(text, headers=headers), headers=asked)).status
        assert status == (200 if accepted == "identity" else 412)


@pytest.mark.parametrize("name", ["missing", ".", "pipe", "text.txt/", "ring"])
async def test_no_file(tmp_path: Path, name: str) -> None:
    """What is missing, no file, or not to be read is 404."""
    written(tmp_path / "text.txt", TEXT)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    response = await answer_of(FileResponse(f"{tmp_path}/{name}"))
    assert (response.status, response.body) == (404, b"404: Not Found")
    assert "ETag" not in response.headers


async def test_twin(tmp_path: Path) -> None:
    """A compressed twin is sent with its coding, its tag and the type of the file."""
    path = written(tmp_path / "app.js", BIG)
    coded = gzip.compress(BIG)
    written(tmp_path / "app.js.gz", coded)
    plain, twin = await sent(path), await sent(path, Accept_Encoding="gzip")
    assert (plain.body, twin.body) == (BIG, coded)
    assert "Content-Encoding" not in plain.headers
    assert twin.headers["Content-Encoding"] == "gzip"
    assert twin.headers["Content-Type"] == plain.headers["Content-Type"] == "text/javascript"
    assert twin.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert twin.headers["ETag"] != plain.headers["ETag"]
    part = await sent(path, Accept_Encoding="gzip", Range="bytes=0-9")
    assert (part.status, part.body) == (206, coded[:10])
    in_lines = [("Accept-Encoding", "identity;q=0.5"), ("Accept-Encoding", "gzip")]
    assert (await answer_of(FileResponse(path), headers=in_lines)).body == coded
    known = await sent(path, Accept_Encoding="gzip", If_None_Match=twin.headers["ETag"])
    assert (known.status, known.headers["Vary"]) == (304, "Accept-Encoding")


@pytest.mark.parametrize("content", [TEXT, BIG])
async def test_compression(tmp_path: Path, content: bytes) -> None:
    """A file without a twin can be compressed as it leaves; it has no parts then."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = FileResponse(tmp_path / "a", chunk_size=1000)
        response.enable_compression()
        return response

    written(tmp_path / "a", content)
    response = await answer_of(answer, headers={"Accept-Encoding": "gzip", "Range": "bytes=0-9"})
    assert response.status == 200
    assert gzip.decompress(response.body) == content
    assert "Content-Length" not in response.headers
    assert "Accept-Ranges" not in response.headers
    tag = response.headers["ETag"]
    assert tag.startswith('W/"')
    for headers in ({"If-None-Match": tag}, {"Accept-Encoding": "gzip", "If-None-Match": tag}):
        known = await answer_of(answer, headers=headers)
        assert (known.status, known.headers["ETag"]) == (304, tag)


async def test_file_that_grows(big: Path) -> None:
    """Of a file that is compressed as it leaves no more is sent than there was at first."""

    class Hooked(BaseRequest):
        async def _prepare_hook(self, response: StreamResponse) -> None:
            with big.open("ab") as file:
                file.write(b"more")

    async def answer(request: BaseRequest) -> StreamResponse:
        response = FileResponse(big)
        response.enable_compression(ContentCoding.gzip)
        await response.send(Hooked(request.exchange))
        return response

    assert gzip.decompress((await answer_of(answer)).body) == BIG


async def test_chunked(big: Path) -> None:
    """A file may be sent in chunks, though nobody knows why."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = FileResponse(big)
        response.enable_chunked_encoding()
        return response

    response = await answer_of(answer)
    assert response.body == BIG
    assert response.headers["Transfer-Encoding"] == "chunked"


async def test_http_1_0(big: Path) -> None:
    """A client of 1996 gets the file, too."""
    assert (await answer_of(FileResponse(big), version=HttpVersion10)).body == BIG


async def test_response_is_for_one_request(text: Path) -> None:
    """A second call of prepare changes nothing, and another request is refused."""

    async def answer(request: BaseRequest) -> StreamResponse:
        await response.prepare(request)
        await response.prepare(request)
        return response

    response = FileResponse(text)
    async with client_of(answer) as client:
        assert (await client.get("/")).body == TEXT
        assert (await client.get("/")).status == 500


def test_chunk_size_has_a_bound() -> None:
    """No bytes at a time would never be done."""
    with pytest.raises(ValueError, match="at least 1; got 0"):
        FileResponse("a", chunk_size=0)


async def test_file_that_shrinks(big: Path) -> None:
    """A file that becomes shorter while it is sent cuts the connection: no part is the whole."""

    class Hooked(BaseRequest):
        async def _prepare_hook(self, response: StreamResponse) -> None:
            os.truncate(big, 1)

    async def answer(exchange: Exchange) -> None:
        await FileResponse(big).send(Hooked(exchange))

    served = Served(answer)
    served.client.feed(GET)
    while not served.is_closed:
        await asyncio.sleep(0)
    answered = served.client.take()
    assert b"Content-Length: 262144" in answered
    assert len(answered) < len(BIG)


async def test_client_that_goes_away(big: Path) -> None:
    """Its file is closed, and nothing is left."""
    served = Served(Answering(FileResponse(big)).handle_exchange)
    served.client.hold()
    served.client.feed(GET)
    while not served.client.writes:
        await asyncio.sleep(0)
    served.client.lose()
    await settle(20)
    assert served.is_closed
