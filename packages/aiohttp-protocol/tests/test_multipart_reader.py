"""Multipart bodies read part by part: every read, nested bodies, bounds, hostile peers."""

from __future__ import annotations

import asyncio
import base64
import gzip
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from aiohttp.protocol.errors import (
    ContentCodingError,
    DecompressionBomb,
    HttpException,
    LimitExceeded,
    MultipartError,
    UnknownContentCoding,
)
from aiohttp.protocol.headers import headers_of
from aiohttp.protocol.multipart import DEFAULT_MULTIPART_LIMITS, MultipartLimits
from aiohttp.protocol.multipart_reader import (
    BodyPartReader,
    MultipartReader,
    MultipartResponseWrapper,
)
from aiohttp.protocol.multipart_writer import MultipartWriter
from aiohttp.protocol.payload import get_payload
from aiohttp.protocol.streams import StreamReader
from wire import cuts

KIB = 1024
MIB = 1024 * KIB
MIXED = {"Content-Type": "multipart/mixed; boundary=o"}
FORM = {"Content-Type": "multipart/form-data; boundary=o"}


class Pieces:
    """A stream of exactly these pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    async def readany(self) -> bytes:
        """Return the next piece."""
        return next(self._pieces, b"")


def reader_of(
    data: bytes | Iterable[bytes],
    headers: dict[str, str] = MIXED,
    limits: MultipartLimits = DEFAULT_MULTIPART_LIMITS,
) -> MultipartReader:
    """Return a reader of a body."""
    return MultipartReader(
        headers, Pieces([data] if isinstance(data, bytes) else data), limits=limits
    )


def body(*parts: bytes) -> bytes:
    """Return a body of parts, each with its head."""
    return b"".join(b"--o\r\n" + part + b"\r\n" for part in parts) + b"--o--\r\n"


async def only_part(
    data: bytes | Iterable[bytes],
    *lines: bytes,
    headers: dict[str, str] = MIXED,
    limits: MultipartLimits = DEFAULT_MULTIPART_LIMITS,
) -> BodyPartReader:
    """Return the only part of a body, with these field lines."""
    head = b"".join(line + b"\r\n" for line in lines)
    if isinstance(data, bytes):
        pieces: Iterable[bytes] = [body(head + b"\r\n" + data)]
    else:
        pieces = [b"--o\r\n" + head + b"\r\n", *data, b"\r\n--o--\r\n"]
    part = await reader_of(pieces, headers, limits).next()
    assert isinstance(part, BodyPartReader)
    return part


async def all_of(reader: MultipartReader) -> list[Any]:
    """Return what is in a body: the data of its parts, and a list for each nested one."""
    return [
        await all_of(part) if isinstance(part, MultipartReader) else await part.read()
        async for part in reader
    ]


# Parts.


async def test_parts_under_every_cut() -> None:
    """Each part comes with its fields and its data, however the body is cut."""
    data = (
        b"preamble\r\n"
        b"--o\r\n"
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"one\r\n--not\r\n"
        b"--o\r\n"
        b'Content-Disposition: attachment; name=n; filename="f.txt"\r\n'
        b"\r\n"
        b"\r\n"
        b"--o--\r\n"
        b"epilogue"
    )
    for pieces in cuts(data):
        reader = reader_of(pieces)
        first = await reader.next()
        assert isinstance(first, BodyPartReader)
        assert (first.headers["content-type"], first.name, first.filename) == (
            "text/plain",
            None,
            None,
        )
        assert await first.read() == b"one\r\n--not"
        second = await reader.next()
        assert isinstance(second, BodyPartReader)
        assert (second.name, second.filename) == ("n", "f.txt")
        assert not second.at_eof()
        assert await second.read() == b""
        assert second.at_eof()
        assert not reader.at_eof()
        assert await reader.next() is None
        assert reader.at_eof()
        assert await reader.next() is None


async def test_unread_part_is_read_over() -> None:
    """What is left of a part is dropped when the next one is asked for, and gives nothing then."""
    for pieces in cuts(body(b"\r\n" + b"1" * 100, b"\r\n2", b"\r\n3")):
        reader = reader_of(pieces)
        first = await reader.next()
        assert isinstance(first, BodyPartReader)
        assert len(await first.read_chunk(10)) <= 10
        second = await reader.next()
        assert isinstance(second, BodyPartReader)
        assert await first.read() == b""
        assert first.at_eof()
        assert await second.read() == b"2"
        await reader.release()
        assert reader.at_eof()


async def test_release_reads_everything() -> None:
    """A released reader has read the stream to its end, also the epilogue."""
    stream = StreamReader.complete(body(b"\r\n1", b"\r\n2") + b"epilogue")
    reader = MultipartReader(MIXED, stream)
    await reader.release()
    assert stream.at_eof()
    assert reader.at_eof()


async def test_part_that_streams() -> None:
    """A part gives what has come, before the next boundary has."""
    stream = StreamReader()
    reader = MultipartReader(MIXED, stream)
    stream.feed_data(b"--o\r\n\r\nabc")
    part = await reader.next()
    assert isinstance(part, BodyPartReader)
    assert await part.read_chunk() == b"abc"
    reading = asyncio.ensure_future(part.read_chunk())
    await asyncio.sleep(0)
    assert not reading.done()
    stream.feed_data(b"def\r\n--o")
    assert await reading == b"def"


@pytest.mark.parametrize(
    "text", ["", "text/plain", "multipart/mixed", "multipart/mixed; boundary="]
)
def test_what_is_no_multipart_is_refused(text: str) -> None:
    """The type must be multipart, with a boundary."""
    with pytest.raises(MultipartError, match="expected"):
        reader_of(b"", {"Content-Type": text})
    with pytest.raises(MultipartError, match=r"expected Content-Type: multipart/…, got ''"):
        reader_of(b"", {})


# Reading a part.


async def test_every_read() -> None:
    """Each way of reading takes up where the last one stopped, however the body is cut."""
    for pieces in cuts(b"abcdef\r\n12\nxyz", splits=20):
        part = await only_part(pieces)
        first = await part.read_chunk(3)
        assert b"abc".startswith(first)
        assert first + await part.readline() == b"abcdef\r\n"
        assert await part.readline() == b"12\n"
        assert await part.readline() == b"xyz"
        for read in (part.readline, part.read, part.read_chunk, part.readany):
            assert await read() == b""
        assert part.at_eof()


async def test_iteration() -> None:
    """Iterating gives the data as it comes."""
    part = await only_part([b"ab", b"cd"])
    assert [piece async for piece in part] == [b"ab", b"cd"]


async def test_read_chunk_needs_a_size() -> None:
    """A chunk has at least one byte."""
    part = await only_part(b"abc")
    with pytest.raises(ValueError, match="a size from 1 on, not 0"):
        await part.read_chunk(0)


async def test_lines_are_read_in_linear_time() -> None:
    """Very many lines of one piece cost no more than their length."""
    part = await only_part(b"\n" * 200_000)
    count = 0
    while await part.readline():
        count += 1
    assert count == 200_000


async def test_line_that_is_too_long() -> None:
    """A line has a bound; its bytes aren't lost."""
    part = await only_part([b"a" * 200 * KIB, b"b" * 200 * KIB])
    with pytest.raises(LimitExceeded, match="a line of at most 262144 bytes"):
        await part.readline()
    assert len(await part.read()) == 400 * KIB


@pytest.mark.parametrize("name", ["read", "readline", "read_chunk", "text"])
async def test_cancelled_read_loses_nothing(name: str) -> None:
    """After a read was cancelled, the next one has all that came."""
    stream = StreamReader()
    reader = MultipartReader(MIXED, stream)
    stream.feed_data(b"--o\r\nContent-Transfer-Encoding: base64\r\n\r\nYW")
    part = await reader.next()
    assert isinstance(part, BodyPartReader)
    reading = asyncio.ensure_future(getattr(part, name)())
    await asyncio.sleep(0)
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    stream.feed_data(b"Jj\r\n--o--")
    stream.feed_eof()
    assert await part.read(decode=True) == b"abc"


async def test_broken_stream() -> None:
    """An error of the stream comes out of every read, and what came before isn't lost."""
    stream = StreamReader()
    reader = MultipartReader(MIXED, stream)
    stream.feed_data(b"--o\r\n\r\nabc")
    stream.set_exception(ConnectionResetError("gone"))
    part = await reader.next()
    assert isinstance(part, BodyPartReader)
    for _ in range(2):
        with pytest.raises(ConnectionResetError, match="gone"):
            await part.read()
    assert not part.at_eof()
    assert await part.read_chunk() == b"abc"
    with pytest.raises(ConnectionResetError, match="gone"):
        await reader.next()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"--o",
        b"--o\r\n",
        b"--o\r\nA: b",
        b"--o\r\n\r\nabc",
        b"--o\r\n\r\nabc\r\n--o\r\n",
        b"x",
    ],
)
async def test_body_that_ends_early_is_an_error(data: bytes) -> None:
    """A body that breaks off never passes for a complete one (CVE-2024-30251: nor hangs)."""
    for pieces in cuts(data):
        reader = reader_of(pieces)
        for _ in range(2):
            with pytest.raises(MultipartError, match="the body ended"):
                await all_of(reader)


# Text, JSON, forms.


@pytest.mark.parametrize(
    ("content_type", "data", "text"),
    [
        (b"text/plain", b"\xc3\xa4", "ä"),
        (b"text/plain; charset=latin-1", b"\xe4", "ä"),
        (b'text/plain; charset="UTF-16"', "ä".encode("utf-16"), "ä"),
        (b"nonsense; charset", b"\xc3\xa4", "ä"),
    ],
)
async def test_text(content_type: bytes, data: bytes, text: str) -> None:
    """Text is in the charset of the part, else in UTF-8."""
    part = await only_part(data, b"Content-Type: " + content_type)
    assert await part.text() == text


async def test_text_in_a_given_encoding() -> None:
    """The program knows better than the peer."""
    part = await only_part(b"\xe4", b"Content-Type: text/plain; charset=unheard-of")
    assert part.get_charset() == "unheard-of"
    assert await part.text(encoding="latin-1") == "ä"


@pytest.mark.parametrize("charset", ["unheard-of", "hex", "rot13", "idna", "punycode", "x" * 46])
async def test_charset_that_is_none(charset: str) -> None:
    """It is the peer's fault, also where Python has a codec, but no charset, of this name."""
    part = await only_part(b"a", f"Content-Type: text/plain; charset={charset}".encode())
    for read in (part.text, part.json, part.form):
        with pytest.raises(MultipartError, match=f"expected a charset, got '{charset}'"):
            await read()


async def test_text_that_is_not_in_its_charset() -> None:
    """Bytes that aren't in it say so."""
    part = await only_part(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        await part.text()


async def test_charset() -> None:
    """Without a charset it is what the program says."""
    part = await only_part(b"")
    assert (part.get_charset(), part.get_charset("ascii")) == (None, "ascii")


@pytest.mark.parametrize(
    ("data", "value"), [(b'{"a": "\xc3\xa4"}', {"a": "ä"}), (b"", None), (b"[]", [])]
)
async def test_json(data: bytes, value: object) -> None:
    """The value that JSON stands for; None for nothing."""
    part = await only_part(data)
    assert await part.json() == value
    with pytest.raises(ValueError, match="Expecting value"):
        await (await only_part(b"nonsense")).json()


async def test_form() -> None:
    """An urlencoded form as pairs, with those that are empty."""
    part = await only_part(b"a=%C3%A4+b&a=&c\r\n")
    assert await part.form() == [("a", "ä b"), ("a", ""), ("c", "")]
    part = await only_part(b"a=%E4", b"Content-Type: a/b; charset=latin-1")
    assert await part.form() == [("a", "ä")]
    assert await (await only_part(b"a=%E4")).form(encoding="latin-1") == [("a", "ä")]
    assert await (await only_part(b"")).form() == []


async def test_form_of_too_many_fields() -> None:
    """A form has a bound of fields."""
    part = await only_part(b"&" * 1000)
    with pytest.raises(LimitExceeded, match="no more than 1000 fields"):
        await part.form()


async def test_charset_of_a_form() -> None:
    """The field _charset_ says what its text is in, and isn't given (RFC 7578, section 4.6)."""
    named = b'Content-Disposition: form-data; name="_charset_"\r\n\r\n'
    field = b'Content-Disposition: form-data; name="a"\r\n'
    for pieces in cuts(
        body(named + b"iso-8859-1", field + b"\r\n\xe4", named + b"later"), splits=30
    ):
        reader = reader_of(pieces, FORM)
        part = await reader.next()
        assert isinstance(part, BodyPartReader)
        assert (part.name, part.get_charset("utf-8")) == ("a", "iso-8859-1")
        assert await part.text() == "ä"
        other = await reader.next()
        assert isinstance(other, BodyPartReader)
        assert other.name == "_charset_"
    with pytest.raises(MultipartError, match="expected a charset in the field _charset_"):
        await reader_of(body(named + b"x" * 41, field), FORM).next()
    part = await reader_of(body(field + b"Content-Type: a/b; charset=utf-8\r\n\r\n"), FORM).next()
    assert isinstance(part, BodyPartReader)
    assert part.get_charset() == "utf-8"


# Codings.

DATA = b"abc" * 1000
DEFLATED = zlib.compress(DATA)


@pytest.mark.parametrize(
    ("lines", "sent"),
    [
        ([], DATA),
        ([b"Content-Transfer-Encoding: BASE64"], base64.encodebytes(DATA)),
        ([b"Content-Transfer-Encoding: quoted-printable"], b"ab=63" * 1000),
        ([b"Content-Transfer-Encoding: 8bit"], DATA),
        ([b"Content-Encoding: deflate"], DEFLATED),
        ([b"Content-Encoding: gzip"], gzip.compress(DATA)),
        ([b"Content-Encoding: identity"], DATA),
        (
            [b"Content-Encoding: deflate", b"Content-Transfer-Encoding: base64"],
            base64.b64encode(DEFLATED),
        ),
    ],
)
async def test_decoding(lines: list[bytes], sent: bytes) -> None:
    """Codings are undone when that is asked for: at once, in steps, or on the way to a peer."""
    assert await (await only_part(sent, *lines)).read() == sent
    assert await (await only_part(sent, *lines)).read(decode=True) == DATA
    assert await (await only_part(sent, *lines)).text() == DATA.decode()
    part = await only_part(sent, *lines)
    assert part.decode(await part.read()) == DATA
    assert b"".join([piece async for piece in part.decode_iter(sent)]) == DATA
    for pieces in cuts(sent, splits=10):
        payload = get_payload(await only_part(pieces, *lines))
        assert await payload.as_bytes() == DATA


async def test_form_has_no_content_coding() -> None:
    """Content-Encoding means nothing in a form (RFC 7578, section 4.8)."""
    lines = (b"Content-Disposition: form-data; name=a", b"Content-Encoding: gzip")
    part = await only_part(b"abc", *lines, headers=FORM)
    assert await part.read(decode=True) == b"abc"


async def test_base64_comes_in_whole_groups() -> None:
    """Each chunk of base64 can be decoded for itself, however it is cut."""
    data = bytes(range(256))
    for encoded in (base64.b64encode(data), base64.encodebytes(data), b" Y W J\n j\r\n"):
        for pieces in cuts(encoded, splits=40):
            part = await only_part(pieces, b"Content-Transfer-Encoding: base64")
            decoded = b""
            while chunk := await part.read_chunk(10):
                decoded += part.decode(chunk)
            assert decoded == base64.b64decode(encoded)


async def test_base64_that_is_nothing() -> None:
    """A chunk that has no group in it is read on, and at the end it is what there is."""
    part = await only_part(b"\r\n" * 5000 + b"YWJj", b"Content-Transfer-Encoding: base64")
    assert (await part.read_chunk()).strip() == b"YWJj"
    assert await part.read_chunk() == b""
    part = await only_part(b"YW", b"Content-Transfer-Encoding: base64")
    assert await part.read_chunk() == b"YW"


@pytest.mark.parametrize("begun", [b"\n", b"Y"])
async def test_base64_that_is_nothing_takes_no_memory(begun: bytes) -> None:
    """However much of it comes, a chunk of base64 is no longer than was asked for."""
    pieces = [begun, *[b"\r\n" * 32 * KIB] * 64, b"YWJj".removeprefix(begun)]
    part = await only_part(pieces, b"Content-Transfer-Encoding: base64")
    chunk = await part.read_chunk(100)
    assert len(chunk) <= 104
    assert part.decode(chunk) == b"abc"


async def test_base64_in_small_chunks_takes_linear_time() -> None:
    """What is left of a group is put back without a copy of all that came with it."""
    part = await only_part(base64.encodebytes(bytes(MIB)), b"Content-Transfer-Encoding: base64")
    began = time.thread_time()
    while await part.read_chunk(70):
        pass
    assert time.thread_time() - began < 1


async def test_base64_is_decoded_in_steps() -> None:
    """A large part leaves the loop its turn, compressed or not."""
    part = await only_part(base64.b64encode(bytes(MIB)), b"Content-Transfer-Encoding: base64")
    pieces = [piece async for piece in part.decode_iter(await part.read())]
    assert max(map(len, pieces)) <= 64 * KIB
    assert b"".join(pieces) == bytes(MIB)


@pytest.mark.parametrize(
    ("line", "data", "error"),
    [
        (b"Content-Transfer-Encoding: own", b"a", MultipartError),
        (b"Content-Transfer-Encoding: base64", b"a", MultipartError),
        (b"Content-Encoding: own", b"a", UnknownContentCoding),
        (b"Content-Encoding: gzip", b"abc", ContentCodingError),
        (b"Content-Encoding: gzip", gzip.compress(DATA)[:-4], ContentCodingError),
        (b"Content-Encoding: deflate", zlib.compress(b"\0" * 4_000_000, 9), DecompressionBomb),
    ],
)
async def test_what_cannot_be_decoded(line: bytes, data: bytes, error: type[HttpException]) -> None:
    """The peer's fault, each with its status; the bytes can still be read (CVE-2025-69223)."""
    part = await only_part(data, line)
    with pytest.raises(error):
        await part.read(decode=True)
    assert await part.read() == data
    with pytest.raises(error):
        await get_payload(await only_part(data, line)).as_bytes()


async def test_decoded_size_is_bounded() -> None:
    """What a part decodes to is bounded by what the whole body may have."""
    limits = MultipartLimits(total=1000)
    part = await only_part(DEFLATED, b"Content-Encoding: deflate", limits=limits)
    with pytest.raises(DecompressionBomb, match="decode to more than 1000 bytes"):
        await part.read(decode=True)


# Nested bodies.

NESTED = body(
    b"\r\n1",
    b"Content-Type: Multipart/Mixed; boundary=i\r\n\r\n"
    b"--i\r\n\r\n2\r\n-- o is no boundary\r\n--i--\r\nepilogue",
    b"\r\n3",
)


async def test_nested_body_under_every_cut() -> None:
    """A part that is multipart is read by a reader of its own."""
    for pieces in cuts(NESTED):
        inner = [b"2\r\n-- o is no boundary"]
        assert await all_of(reader_of(pieces)) == [b"1", inner, b"3"]


async def test_nested_body_is_read_over() -> None:
    """The next part of the outer body follows, whatever of the inner one was read."""
    for count in range(3):
        reader = reader_of(NESTED)
        await reader.next()
        inner = await reader.next()
        assert isinstance(inner, MultipartReader)
        for _ in range(count):
            await inner.next()
        last = await reader.next()
        assert isinstance(last, BodyPartReader)
        assert await last.read() == b"3"


async def test_boundary_that_begins_like_the_outer_one() -> None:
    """An inner boundary may begin with the outer one, with a blank or a letter between."""
    data = body(b"Content-Type: multipart/mixed; boundary=i--o\r\n\r\n--i--o\r\n\r\nx\r\n--i--o--")
    assert await all_of(reader_of(data)) == [[b"x"]]


async def test_inner_body_that_ends_early() -> None:
    """The outer boundary ends the inner body, which is an error if its own did not."""
    reader = reader_of(body(b"Content-Type: multipart/a; boundary=i\r\n\r\n--i\r\n\r\nx", b"\r\n3"))
    inner = await reader.next()
    assert isinstance(inner, MultipartReader)
    with pytest.raises(MultipartError, match="expected it to end with --i--"):
        await all_of(inner)
    last = await reader.next()
    assert isinstance(last, BodyPartReader)
    assert await last.read() == b"3"


async def test_depth_is_bounded() -> None:
    """A peer can't make a program that follows it go deeper and deeper."""
    writer = MultipartWriter("mixed")
    for _ in range(8):
        outer = MultipartWriter("mixed")
        outer.append(writer)
        writer = outer
    reader = MultipartReader(writer.headers, StreamReader.complete(await writer.as_bytes()))
    with pytest.raises(LimitExceeded, match="no deeper than 8") as caught:
        await all_of(reader)
    assert (caught.value.name, caught.value.limit) == ("depth", 8)


async def test_own_classes() -> None:
    """A subclass says of which class its parts and inner readers are."""

    class Part(BodyPartReader):
        pass

    class Inner(MultipartReader):
        pass

    class Outer(MultipartReader):
        multipart_reader_cls = Inner
        part_reader_cls = Part

    parts = [type(part) async for part in Outer(MIXED, Pieces([NESTED]))]
    assert parts == [Part, Inner, Part]


# Bounds.


@pytest.mark.parametrize(
    ("data", "limits", "name"),
    [
        (body(b"\r\n1", b"\r\n2"), MultipartLimits(parts=1), "parts"),
        (body(b"A: " + b"b" * 100 + b"\r\n\r\n"), MultipartLimits(head=50), "head"),
        (body(b"A: " + b"b" * 100 + b"\r\n\r\n"), MultipartLimits(field_line=50), "field_line"),
        (body(b"A: b\r\n" * 3 + b"\r\n"), MultipartLimits(fields=2), "fields"),
        (b"x" * 51 + body(), MultipartLimits(preamble=50), "preamble"),
        (body(b"\r\n" + b"x" * 1000), MultipartLimits(total=500), "total"),
    ],
)
async def test_bounds(data: bytes, limits: MultipartLimits, name: str) -> None:
    """Everything that the peer chooses has a bound (CVE-2026-34516, #13652, CVE-2026-31958)."""
    for pieces in cuts(data, splits=10):
        with pytest.raises(LimitExceeded) as caught:
            await all_of(reader_of(pieces, limits=limits))
        assert caught.value.name == name


async def test_epilogue_is_bounded() -> None:
    """What stands behind the last boundary, too, when it is read."""
    reader = reader_of(body() + b"x" * 51, limits=MultipartLimits(epilogue=50))
    assert await reader.next() is None
    with pytest.raises(LimitExceeded, match="50 bytes of epilogue"):
        await reader.release()


async def test_values_of_a_form_are_bounded() -> None:
    """A field of a form that is no file is bounded while it comes (CVE-2026-34517)."""
    line = b"Content-Disposition: form-data; name=a"
    part = await only_part(b"x" * 100, line, headers=FORM, limits=MultipartLimits(value=50))
    with pytest.raises(LimitExceeded, match="50 bytes in a field that is no file"):
        await part.read()


# Parts without a reader, parts that are sent on, responses.


async def test_part_of_a_plain_stream() -> None:
    """A part can be read from a stream that stands behind its head."""
    headers = headers_of([("Content-Disposition", 'form-data; name="a"; filename="b"')])
    for pieces in cuts(b"abc\r\n--o--"):
        part = BodyPartReader(b"--o", headers, Pieces(pieces))
        assert (part.name, part.filename) == ("a", "b")
        assert await part.read() == b"abc"
        assert part.at_eof()
    empty = BodyPartReader(b"--o", headers_of([]), Pieces([b"--o\r\n"]))
    assert await empty.read() == b""
    assert empty.name is None


async def test_part_that_is_sent_on() -> None:
    """A part that came is a payload: of its type, with its names, once."""
    disposition = 'Content-Disposition: x; name="ü"; filename=f'.encode()
    part = await only_part(b"abc", b"Content-Type: a/b", disposition)
    payload = get_payload(part, headers={"X-Own": "1"})
    assert (payload.content_type, payload.filename, payload.size) == ("a/b", "f", None)
    assert not payload.can_be_replayed
    assert dict(payload.headers) == {
        "Content-Type": "a/b",
        "Content-Disposition": "attachment; name*=utf-8''%C3%BC; filename=\"f\"",
        "X-Own": "1",
    }
    assert await payload.as_bytes() == b"abc"
    assert get_payload(await only_part(b"")).content_type == "application/octet-stream"


class Response:
    """As much of a response as its parts need."""

    def __init__(self, data: bytes) -> None:
        self.headers: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict(MIXED))
        self.content = StreamReader.complete(data)
        self.released = 0

    def release(self) -> Awaitable[None]:
        """Count."""
        self.released += 1
        return asyncio.sleep(0)


async def test_parts_of_a_response() -> None:
    """Behind its last part a response is released."""
    response = Response(body(b"\r\n1", b"\r\n2"))
    parts = MultipartReader.from_response(response)
    assert isinstance(parts, MultipartResponseWrapper)
    assert not parts.at_eof()
    seen: list[bytes] = []
    async for part in parts:
        assert isinstance(part, BodyPartReader)
        assert not response.released
        seen.append(await part.read())
    assert seen == [b"1", b"2"]
    assert response.released == 1
    assert parts.at_eof()


async def test_response_that_is_released() -> None:
    """The parts that nobody wants are left to the response."""
    response = Response(body(b"\r\n1", b"\r\n2"))
    parts = MultipartReader.from_response(response)
    await parts.next()
    await parts.release()
    assert response.released == 1


async def test_repr() -> None:
    """A part shows its name, and whether it was read."""
    part = await only_part(b"abc", b"Content-Disposition: x; name=n")
    assert repr(part) == "<BodyPartReader 'n' open>"
    await part.release()
    assert repr(part) == "<BodyPartReader 'n' at its end>"


async def test_what_was_written_is_read() -> None:
    """Both ends together: files, text, an inner body, a stream."""

    async def stream() -> AsyncIterator[bytes]:
        yield b"a" * 100 * KIB
        yield b"b"

    inner = MultipartWriter("alternative")
    inner.append("text")
    writer = MultipartWriter("mixed")
    writer.append("ä")
    writer.append(inner)
    writer.append(stream())
    reader = MultipartReader(writer.headers, StreamReader.complete(await writer.as_bytes()))
    assert await all_of(reader) == ["ä".encode(), [b"text"], b"a" * 100 * KIB + b"b"]
