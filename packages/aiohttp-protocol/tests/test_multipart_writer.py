"""Multipart bodies made of payloads: their bytes, their length, what must not be sent."""

from __future__ import annotations

import gzip
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from aiohttp.protocol.coded_payload import CodedPayload
from aiohttp.protocol.coding import content_encoder
from aiohttp.protocol.errors import InvalidUse, LocalProtocolError
from aiohttp.protocol.multipart_reader import BodyPartReader, MultipartReader
from aiohttp.protocol.multipart_writer import MultipartWriter
from aiohttp.protocol.payload import BytesPayload, JsonPayload, get_payload, pieces_of
from aiohttp.protocol.streams import StreamReader

KIB = 1024


class Sink:
    """Takes what a payload writes."""

    def __init__(self) -> None:
        self.written = b""

    async def write(self, data: bytes) -> None:
        self.written += data


async def test_mixed() -> None:
    """Parts of all kinds, in order, each with its fields; the body is one piece."""
    with MultipartWriter("mixed", boundary="AaB03x") as writer:
        writer.append("ä")
        writer.append(b"abc", {"X-Own": "1"})
        writer.append_json({"a": 1}, {"X-Own": "2"})
        writer.append_form([("a", "b c"), ("a", "&")])
        writer.append_form({"d": ["1", "2"]})
    assert writer.content_type == "multipart/mixed; boundary=AaB03x"
    assert (len(writer), bool(writer), bool(MultipartWriter())) == (5, True, True)
    assert [type(part).__name__ for part in writer][1:3] == ["BytesPayload", "JsonPayload"]
    assert writer.content == (
        b"--AaB03x\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"\r\n"
        b"\xc3\xa4\r\n"
        b"--AaB03x\r\n"
        b"Content-Type: application/octet-stream\r\n"
        b"X-Own: 1\r\n"
        b"\r\n"
        b"abc\r\n"
        b"--AaB03x\r\n"
        b"Content-Type: application/json\r\n"
        b"X-Own: 2\r\n"
        b"\r\n"
        b'{"a": 1}\r\n'
        b"--AaB03x\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"\r\n"
        b"a=b+c&a=%26\r\n"
        b"--AaB03x\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"\r\n"
        b"d=1&d=2\r\n"
        b"--AaB03x--\r\n"
    )
    assert writer.size == len(await writer.as_bytes())


def test_no_part() -> None:
    """A body without parts is its last boundary."""
    assert MultipartWriter(boundary="a").content == b"--a--\r\n"


async def test_part_changed_after_it_was_appended() -> None:
    """What ``append`` returns can be changed until the body is sent."""
    writer = MultipartWriter("related", boundary="a b")
    part = writer.append(io.BytesIO(b"abc"))
    part.set_content_disposition("attachment", filename="a.bin")
    del part.headers["Content-Type"]
    assert writer.content_type == 'multipart/related; boundary="a b"'
    assert await writer.as_bytes() == (
        b'--a b\r\nContent-Disposition: attachment; filename="a.bin"\r\n\r\nabc\r\n--a b--\r\n'
    )


async def test_form_names_its_parts() -> None:
    """A part of a form has a name: the program's, or one that is made up."""
    writer = MultipartWriter("form-data", boundary="a")
    del writer.append("1").headers["Content-Type"]
    part = get_payload(b"2")
    part.set_content_disposition("form-data", name="own", filename='"ü"')
    writer.append(part, {"Content-Type": "a/b"})
    assert await writer.as_bytes() == (
        b"--a\r\n"
        b'Content-Disposition: form-data; name="section-0"\r\n'
        b"\r\n"
        b"1\r\n"
        b"--a\r\n"
        b"Content-Type: a/b\r\n"
        b'Content-Disposition: form-data; name="own"; filename="%22\xc3\xbc%22"\r\n'
        b"\r\n"
        b"2\r\n"
        b"--a--\r\n"
    )


@pytest.mark.parametrize(
    "name", ["Content-Encoding", "content-length", "Content-Transfer-Encoding"]
)
def test_what_no_form_may_have(name: str) -> None:
    """These fields have no meaning in a form (RFC 7578, sections 4.7 and 4.8)."""
    writer = MultipartWriter("form-data")
    writer.append("1", {name: "1"})
    with pytest.raises(LocalProtocolError, match="(?i)part of a form must not have.*" + name):
        _ = writer.content


def test_form_without_a_name_is_refused() -> None:
    """A program's own disposition must name the field, too."""
    writer = MultipartWriter("form-data")
    writer.append("1", {"Content-Disposition": "form-data"})
    with pytest.raises(InvalidUse, match="a part of form-data needs a name"):
        _ = writer.content


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain\r\nX-Injected: 1"},
        {"X-Own": "a\nb"},
        {"X-Own": "a\0"},
        {"X-Own\r\nX-Injected": "1"},
    ],
)
async def test_injection_is_refused(headers: dict[str, str]) -> None:
    """No line break comes into the head of a part (CVE-2026-34514, CVE-2026-50269)."""
    writer = MultipartWriter()
    writer.append("1", headers)
    for send in (writer.as_bytes, lambda: writer.write(Sink())):
        with pytest.raises(LocalProtocolError):
            await send()


@pytest.mark.parametrize("boundary", ["", "a" * 71, "a ", "ä", 'a"b', "a\r\nb"])
def test_bad_boundary_is_refused(boundary: str) -> None:
    """RFC 2046, section 5.1.1."""
    with pytest.raises(LocalProtocolError, match="a boundary must be"):
        MultipartWriter(boundary=boundary)


def test_boundaries_are_random() -> None:
    """Without a given boundary each writer has its own; a given one is looked for."""
    assert MultipartWriter().boundary != MultipartWriter().boundary
    writer = MultipartWriter(boundary="abc")
    writer.append(b"x\r\n--abc")
    with pytest.raises(LocalProtocolError, match="the boundary 'abc' is a line of a content"):
        _ = writer.content


async def test_file(tmp_path: Path) -> None:
    """A file makes a body of known length, which can be sent again."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 300 * KIB)

    def opened() -> io.BufferedReader:
        return path.open("rb")

    with opened() as file:
        writer = MultipartWriter("form-data", boundary="a")
        writer.append(file).set_content_disposition("form-data", name="f", filename="a.txt")
        assert not isinstance(writer.content, bytes)
        assert writer.can_be_replayed
        assert not writer.is_in_memory
        body = await writer.as_bytes()
        assert writer.size == len(body) == len(await writer.as_bytes())
        assert body.count(b"x") == 300 * KIB + 2  # text/plain, a.txt


async def test_stream() -> None:
    """A stream makes a body of unknown length, which is sent once."""

    async def stream() -> AsyncIterator[bytes]:
        yield b"abc"

    writer = MultipartWriter(boundary="a")
    writer.append(stream())
    assert writer.size is None
    assert not writer.can_be_replayed
    assert (await writer.as_bytes()).endswith(b"\r\n\r\nabc\r\n--a--\r\n")


async def test_large_body_in_memory_is_not_copied() -> None:
    """From 64 KiB on the body is sent in pieces, which aren't joined first."""
    writer = MultipartWriter()
    writer.append(b"x" * 100 * KIB)
    assert not writer.is_in_memory
    assert writer.can_be_replayed
    pieces = [len(piece) async for piece in pieces_of(writer.content)]
    assert pieces[1:3] == [64 * KIB, 36 * KIB]
    assert sum(pieces) == writer.size


async def test_parts_are_coded() -> None:
    """A part is compressed and encoded as its fields say, by whichever is innermost first."""
    data = b"abc" * 1000
    writer = MultipartWriter("mixed")
    writer.append(data, {"Content-Encoding": "gzip"})
    writer.append(data, {"Content-Transfer-Encoding": "base64"})
    writer.append(data, {"Content-Encoding": "deflate", "Content-Transfer-Encoding": "base64"})
    writer.append(data, {"Content-Transfer-Encoding": "quoted-printable"})
    writer.append(data, {"Content-Encoding": "identity", "Content-Transfer-Encoding": "binary"})
    body = await writer.as_bytes()
    assert writer.size == len(body)
    reader = MultipartReader(writer.headers, StreamReader.complete(body))
    async for part in reader:
        assert isinstance(part, BodyPartReader)
        raw = await part.read()
        assert part.decode(raw) == data
        assert (raw == data) is (part.headers.get("Content-Transfer-Encoding") == "binary")


async def test_compressed_payload_is_not_compressed_again() -> None:
    """A part that was coded before is sent as it is."""
    part = CodedPayload(get_payload(b"abc"), lambda: content_encoder("gzip"))
    part.headers["Content-Encoding"] = "gzip"
    writer = MultipartWriter(boundary="a")
    writer.append(part)
    compressed = (await writer.as_bytes()).split(b"\r\n\r\n")[1].removesuffix(b"\r\n--a--\r\n")
    assert gzip.decompress(compressed) == b"abc"


@pytest.mark.parametrize(
    "headers", [{"Content-Encoding": "own"}, {"Content-Transfer-Encoding": "own"}]
)
def test_unknown_coding_is_refused(headers: dict[str, str]) -> None:
    """What can't be applied is not announced."""
    writer = MultipartWriter()
    writer.append(b"abc", headers)
    with pytest.raises(LocalProtocolError, match="'own'"):
        _ = writer.content


async def test_nested() -> None:
    """A writer is a part like others."""
    inner = MultipartWriter("alternative", boundary="i")
    inner.append("1")
    outer = MultipartWriter(boundary="o")
    assert outer.append(inner) is inner
    body = await outer.as_bytes()
    assert body.startswith(b"--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n")
    assert body.endswith(b"1\r\n--i--\r\n\r\n--o--\r\n")
    assert outer.size == len(body)


def test_nested_deeply() -> None:
    """Time is not two to the power of the depth."""
    writer = MultipartWriter()
    for _ in range(40):
        outer = MultipartWriter()
        outer.append(writer)
        writer = outer
    content = writer.content
    assert isinstance(content, bytes)
    assert writer.size == len(content)


async def test_endless_body() -> None:
    """Without its last boundary a body can go on."""
    sink = Sink()
    writer = MultipartWriter("x-mixed-replace", boundary="a")
    writer.append(b"1")
    await writer.write(sink, close_boundary=False)
    first = b"--a\r\nContent-Type: application/octet-stream\r\n\r\n1"
    assert sink.written == first
    endless = MultipartWriter("x-mixed-replace", "a", close_boundary=False)
    endless.append(b"1")
    assert (endless.content, endless.size) == (first, len(first))
    await writer.write(sink)
    assert sink.written == first + first + b"\r\n--a--\r\n"


def test_what_is_no_payload_is_refused() -> None:
    """The error says what is taken."""
    with pytest.raises(TypeError, match=r"expected bytes, str, .* not int"):
        MultipartWriter().append(1)


async def test_abandoned_body_is_closed() -> None:
    """A part that isn't wanted to its end is closed at once."""
    closed: list[bool] = []

    def pieces() -> Iterator[bytes]:
        try:
            yield b"a"
        finally:
            closed.append(True)

    writer = MultipartWriter()
    writer.append(pieces())
    sent = pieces_of(writer.content)
    await anext(sent)
    await anext(sent)
    await sent.aclose()
    assert closed == [True]


def test_payloads_are_kept() -> None:
    """``append_payload`` and ``append_json`` return the part that was made."""
    writer = MultipartWriter()
    payload = BytesPayload(b"")
    assert writer.append_payload(payload) is payload
    assert isinstance(writer.append_json([]), JsonPayload)
