"""What a program gives as a body: its bytes, its length, whether it can be sent again."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, Any, cast

import pytest

from aiohttp.protocol.errors import InvalidUse, LocalProtocolError
from aiohttp.protocol.payload import (
    PAYLOAD_REGISTRY,
    AsyncIterablePayload,
    AsyncReaderPayload,
    BufferedReaderPayload,
    BytesIOPayload,
    BytesPayload,
    IOBasePayload,
    IterablePayload,
    JsonPayload,
    Order,
    Payload,
    PayloadRegistry,
    StringIOPayload,
    StringPayload,
    TextIOPayload,
    get_payload,
    payload_type,
    pieces_of,
)
from aiohttp.protocol.streams import StreamReader

KIB = 1024
OCTETS = "application/octet-stream"
DATA = bytes(range(256)) * 2400 + b"end"  # 600 KiB and a bit: three turns in a thread


class Sink:
    """Takes what a payload writes."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    async def write(self, data: bytes) -> None:
        self.pieces.append(data)


def at(file: IO[Any], position: int) -> Any:
    """Return a file that stands at a position."""
    file.seek(position)
    return file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a file with ``DATA``."""
    path = tmp_path / "data.bin"
    path.write_bytes(DATA)
    return path


# In memory.


@pytest.mark.parametrize(
    ("payload", "kind", "content", "content_type"),
    [
        (get_payload(b"abc"), BytesPayload, b"abc", OCTETS),
        (get_payload(bytearray(b"abc")), BytesPayload, b"abc", OCTETS),
        (get_payload(memoryview(b"abcd")[::2]), BytesPayload, b"ac", OCTETS),
        (get_payload(b"a", content_type="image/gif"), BytesPayload, b"a", "image/gif"),
        (get_payload(b"a", content_type=""), BytesPayload, b"a", ""),
        (get_payload(b"a", filename="a.png"), BytesPayload, b"a", "image/png"),
        (get_payload(b"a", filename="a.unheard-of"), BytesPayload, b"a", OCTETS),
        (get_payload("ä"), StringPayload, b"\xc3\xa4", "text/plain; charset=utf-8"),
        (
            get_payload("ä", encoding="latin-1"),
            StringPayload,
            b"\xe4",
            "text/plain; charset=latin-1",
        ),
        (
            get_payload("ä", content_type="text/html; charset=iso-8859-1"),
            StringPayload,
            b"\xe4",
            "text/html; charset=iso-8859-1",
        ),
        (get_payload("ä", content_type="a/b; c"), StringPayload, b"\xc3\xa4", "a/b; c"),
        (get_payload("ä", content_type="a/b"), StringPayload, b"\xc3\xa4", "a/b"),
        (get_payload(at(io.BytesIO(b"abc"), 1)), BytesIOPayload, b"bc", OCTETS),
        (
            get_payload(at(io.StringIO("aäb"), 1)),
            StringIOPayload,
            b"\xc3\xa4b",
            "text/plain; charset=utf-8",
        ),
        (JsonPayload({"a": 1}), JsonPayload, b'{"a": 1}', "application/json"),
        (JsonPayload(1, dumps=lambda _: b"b"), JsonPayload, b"b", "application/json"),
        (JsonPayload("ä", "latin-1", "a/b", repr), JsonPayload, b"'\xe4'", "a/b"),
    ],
)
def test_in_memory(
    payload: Payload, kind: type[Payload], content: bytes, content_type: str
) -> None:
    """What is in memory is bytes, of known length, and can be sent again."""
    assert type(payload) is kind
    assert (payload.content, payload.content_type) == (content, content_type)
    assert payload.size == len(content)
    assert payload.is_in_memory
    assert payload.can_be_replayed


def test_bytes_are_not_copied() -> None:
    """Neither bytes nor a whole BytesIO is copied; what could change is."""
    data = b"abc" * 1000
    assert get_payload(data).content is data
    assert get_payload(io.BytesIO(data)).content is data
    changing = bytearray(b"abc")
    payload = get_payload(changing)
    changing[0] = 0
    assert payload.content == b"abc"


def test_file_in_memory_stays_where_it_stands() -> None:
    """A BytesIO can be given to two requests."""
    file = at(io.BytesIO(b"abc"), 1)
    assert get_payload(file).content == get_payload(file).content == b"bc"
    assert file.tell() == 1


def test_fields_can_be_changed() -> None:
    """The fields of a payload are those of the part that it will be."""
    payload = get_payload(b"a", headers={"X-Own": "1"}, content_type="a/b")
    assert list(payload.headers.items()) == [("Content-Type", "a/b"), ("X-Own", "1")]
    payload.headers["content-type"] = "c/d"
    assert payload.content_type == "c/d"
    del payload.headers["content-type"]
    assert payload.content_type == ""
    assert get_payload(b"a", headers={"content-type": "e/f"}).content_type == "e/f"


def test_disposition() -> None:
    """A program sets the disposition, and what can't be sent is refused."""
    payload = get_payload(b"a")
    payload.set_content_disposition("form-data", name='a"', filename="ü")
    assert payload.headers["Content-Disposition"] == 'form-data; name="a%22"; filename="ü"'
    payload.set_content_disposition("form-data", False, name='a"')
    assert payload.headers["Content-Disposition"] == r'form-data; name="a\""'
    with pytest.raises(LocalProtocolError, match="control character in the parameter filename"):
        payload.set_content_disposition("attachment", filename="a\r\nX: y")


def test_repr() -> None:
    """A payload shows what is told of it."""
    assert repr(get_payload(b"abc")) == f"<BytesPayload {OCTETS}, 3 bytes>"
    assert repr(get_payload(b"", content_type="")) == "<BytesPayload without a type, 0 bytes>"
    assert repr(get_payload(iter([b""]))) == f"<IterablePayload {OCTETS}, of unknown size>"


# Files.


async def test_file(path: Path) -> None:
    """A file is read from where it stands, again from there, and left open."""
    with path.open("rb") as file:
        file.seek(100)
        payload = get_payload(file)
        assert isinstance(payload, BufferedReaderPayload)
        assert payload.size == len(DATA) - 100
        assert payload.can_be_replayed
        assert not payload.is_in_memory
        assert payload.filename == "data.bin"
        assert payload.headers["Content-Disposition"] == 'attachment; filename="data.bin"'
        expected = DATA[100:]
        assert await payload.as_bytes() == expected
        file.seek(7)
        assert await payload.as_bytes() == expected
        assert not file.closed


async def test_file_is_read_in_a_thread(path: Path) -> None:
    """No read of a file happens on the loop's thread, and each is of 256 KiB."""
    seen: list[tuple[bool, int]] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            seen.append((threading.current_thread() is threading.main_thread(), size or 0))
            return super().read(size)

    payload = IOBasePayload(Watched(DATA))
    assert [len(piece) async for piece in pieces_of(payload.content)] == [262144, 262144, 90115]
    assert {on_loop for on_loop, _ in seen} == {False}


class SlowFile(io.BytesIO):
    """A file whose first read lasts until somebody lets it go on."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.is_reading = threading.Event()
        self.may_go_on = threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes."""
        if not self.is_reading.is_set():
            self.is_reading.set()
            self.may_go_on.wait(10)
        return super().read(size)


async def test_file_that_is_still_read_for_a_body_that_was_given_up() -> None:
    """A thread that can't be stopped doesn't move the file for whoever sends it next."""
    file = SlowFile(DATA)
    payload = IOBasePayload(file)
    given_up = asyncio.create_task(payload.as_bytes())
    await asyncio.to_thread(file.is_reading.wait)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    again = asyncio.create_task(payload.as_bytes())
    await asyncio.sleep(0)
    file.may_go_on.set()
    assert await again == DATA


async def test_file_is_sent_once_at_a_time() -> None:
    """Two who read the same file would each get a part of it: the first one is refused."""
    payload = IOBasePayload(io.BufferedReader(io.BytesIO(DATA)))
    first = pieces_of(payload.content)
    assert DATA.startswith(await anext(first))
    assert await payload.as_bytes() == DATA
    with pytest.raises(InvalidUse, match="expected one upload of it at a time"):
        await anext(first)


async def test_file_that_grows(path: Path) -> None:
    """Of a file that grows, what was there when it was given is sent."""
    with path.open("rb") as file, path.open("ab") as log:
        payload = get_payload(file)
        log.write(b"more")
        log.flush()
        assert payload.size == len(await payload.as_bytes()) == len(DATA)


async def test_file_that_shrinks(path: Path) -> None:
    """A file that is cut meanwhile gives less than its size, for the sender to notice."""
    with path.open("rb") as file:
        payload = get_payload(file)
        os.truncate(path, 10)
        assert payload.size == len(DATA)
        assert await payload.as_bytes() == DATA[:10]


def opened(kind: str, path: Path) -> IO[bytes]:
    """Return a file, opened in one of the ways there are."""
    if kind == "temporary":
        return tempfile.NamedTemporaryFile()
    if kind == "spooled":
        return tempfile.SpooledTemporaryFile()
    if kind == "gzip":
        path.write_bytes(gzip.compress(DATA))
        return cast("IO[bytes]", gzip.open(path))
    return cast("IO[bytes]", path.open("rb", buffering=0) if kind == "raw" else path.open(kind))


@pytest.mark.parametrize(
    ("kind", "size", "content"),
    [
        ("raw", len(DATA), DATA),
        ("r+b", len(DATA), DATA),
        ("gzip", None, DATA),
        ("temporary", 0, b""),
        ("spooled", None, b""),
    ],
)
async def test_size_of_files(path: Path, kind: str, size: int | None, content: bytes) -> None:
    """Only of a plain file is the descriptor's size that of the content."""
    with opened(kind, path) as file:
        payload = get_payload(file)
        assert isinstance(payload, IOBasePayload)
        assert payload.size == size
        assert await payload.as_bytes() == content


async def test_member_of_an_archive(path: Path) -> None:
    """A file without a descriptor is sent, too, and again."""
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        archive.write(path, "data.bin")
        with archive.open("data.bin") as file:
            payload = get_payload(file)
            assert payload.size is None
            assert await payload.as_bytes() == await payload.as_bytes() == DATA


def test_empty_file_has_a_size(tmp_path: Path) -> None:
    """An empty file has 0 bytes; one that the kernel makes up says so, but has more."""
    (tmp_path / "empty").write_bytes(b"")
    with (tmp_path / "empty").open("rb") as file:
        assert get_payload(file).size == 0
    with (tmp_path / "empty").open("rb", buffering=0) as raw:
        assert get_payload(raw).size is None


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
async def test_file_of_the_kernel() -> None:
    """What the kernel makes up is sent whole, though its size is told to be 0."""
    with opened("rb", Path("/proc/self/status")) as file:
        payload = get_payload(file)
        assert payload.size is None
        assert await payload.as_bytes()


async def test_pipe_is_sent_once() -> None:
    """What can't be rewound is sent once; a second time is an error, not an empty body."""
    reading, writing = os.pipe()
    os.write(writing, b"abc")
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        payload = get_payload(file)
        assert payload.size is None
        assert not payload.can_be_replayed
        assert payload.filename is None
        assert await payload.as_bytes() == b"abc"
        with pytest.raises(InvalidUse, match="can be sent only once"):
            await payload.as_bytes()


async def test_file_that_does_not_wait() -> None:
    """A file that has nothing yet is no file at its end."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with (
        os.fdopen(reading, "rb", buffering=0) as file,
        os.fdopen(writing, "wb"),
        pytest.raises(BlockingIOError, match="expected a file that waits"),
    ):
        await get_payload(file).as_bytes()


async def test_text_file(tmp_path: Path) -> None:
    """A text file is sent as UTF-8, or as it is asked for, with one byte order mark."""
    path = tmp_path / "page.html"
    path.write_text("ä\n" * 300_000, encoding="latin-1")
    with path.open(encoding="latin-1") as file:
        payload = get_payload(file)
        assert isinstance(payload, TextIOPayload)
        assert (payload.size, payload.can_be_replayed) == (None, True)
        assert payload.content_type == "text/plain; charset=utf-8"
        assert await payload.as_bytes() == ("ä\n" * 300_000).encode()
        other = get_payload(at(file, 0), content_type="text/html; charset=utf-16")
        assert await other.as_bytes() == ("ä\n" * 300_000).encode("utf-16")


async def test_text_file_in_an_encoding_with_an_end(tmp_path: Path) -> None:
    """What the encoding owes at the end is sent: of ISO-2022-JP the way back to ASCII."""
    path = tmp_path / "a"
    path.write_text("あ", encoding="utf-8")
    with path.open(encoding="utf-8") as file:
        payload = get_payload(file, encoding="iso-2022-jp")
        assert await payload.as_bytes() == "あ".encode("iso-2022-jp")


async def test_wrapper_of_a_file() -> None:
    """Whatever has ``read`` is a file, binary or text, though it has no common base."""

    class Wrapper:
        def __init__(self, pieces: list[Any]) -> None:
            self._pieces = pieces

        def read(self, _size: int) -> Any:
            return self._pieces.pop(0)

    assert await get_payload(Wrapper([b"a", bytearray(b"b"), b""])).as_bytes() == b"ab"
    assert await get_payload(Wrapper(["ä", ""])).as_bytes() == b"\xc3\xa4"
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write("abc")
        file.seek(1)
        assert await get_payload(file).as_bytes() == b"bc"
    with pytest.raises(TypeError, match="expected a piece of bytes, not int"):
        await get_payload(Wrapper([1])).as_bytes()


def test_closed_file_is_refused(path: Path) -> None:
    """A file that was closed is an error at once, not when it is sent."""
    with path.open("rb") as file:
        pass
    with pytest.raises(ValueError, match="closed file"):
        get_payload(file)


@pytest.mark.parametrize(
    ("name", "filename"),
    [("/a/b.txt", "b.txt"), ("b.txt", "b.txt"), ("<stdin>", None), (3, None), ("/a/", None)],
)
def test_name_of_a_file(name: object, filename: str | None) -> None:
    """The last part of a path is told, and no descriptor and no <stdin>."""
    file: Any = io.BytesIO()
    file.name = name
    assert get_payload(file).filename == filename
    assert ("Content-Disposition" in get_payload(file).headers) == (filename is not None)
    assert get_payload(file, filename="own").filename == "own"
    assert "Content-Disposition" not in IOBasePayload(file, None).headers


async def test_cancelled_reading(path: Path) -> None:
    """A file can be sent again after its sending was cancelled within a read."""
    with path.open("rb") as file:
        payload = get_payload(file)
        task = asyncio.ensure_future(payload.as_bytes())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await payload.as_bytes() == DATA


# Streams.


async def test_iterable() -> None:
    """An iterable is sent piece by piece, once, and closed."""
    closed: list[bool] = []

    def pieces() -> Iterator[Any]:
        try:
            yield b"a"
            yield b""
            yield memoryview(b"bc")
        finally:
            closed.append(True)

    payload = get_payload(pieces())
    assert isinstance(payload, IterablePayload)
    assert (payload.size, payload.can_be_replayed, payload.is_in_memory) == (None, False, False)
    assert [piece async for piece in pieces_of(payload.content)] == [b"a", b"bc"]
    assert closed == [True]
    with pytest.raises(InvalidUse, match="can be sent only once"):
        await payload.as_bytes()


async def test_abandoned_generator_is_closed() -> None:
    """A generator whose body isn't wanted to the end is closed at once."""
    closed: list[bool] = []

    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield b"a"
        finally:
            closed.append(True)

    sent = pieces_of(get_payload(pieces()).content)
    assert await anext(sent) == b"a"
    await sent.aclose()
    assert closed == [True]


async def test_async_iterable() -> None:
    """An async iterable is sent once; a second time is an error, not an empty body."""

    async def pieces() -> AsyncIterator[Any]:
        yield b"a"
        yield bytearray(b"b")

    payload = get_payload(pieces())
    assert type(payload) is AsyncIterablePayload
    assert (payload.size, payload.can_be_replayed) == (None, False)
    assert await payload.as_bytes() == b"ab"
    with pytest.raises(InvalidUse, match="can be sent only once"):
        await payload.as_bytes()


async def test_generator_within_an_async_iterable_is_closed() -> None:
    """Also where it is ``__aiter__`` that is the generator."""
    closed: list[bool] = []

    class Body:
        async def __aiter__(self) -> AsyncIterator[bytes]:
            try:
                yield b"a"
            finally:
                closed.append(True)

    sent = pieces_of(get_payload(Body()).content)
    assert await anext(sent) == b"a"
    await sent.aclose()
    assert closed == [True]


async def test_async_reader() -> None:
    """A stream with ``read`` is read in pieces, not by lines as its iteration would."""
    reader = asyncio.StreamReader()
    for stream in (StreamReader.complete(b"a\nb\n"), reader):
        payload = get_payload(stream)
        assert type(payload) is AsyncReaderPayload
        if stream is reader:
            reader.feed_data(b"a\nb\n")
            reader.feed_eof()
        assert [piece async for piece in pieces_of(payload.content)] == [b"a\nb\n"]


@pytest.mark.parametrize("piece", ["a", 1, None, [b"a"]])
async def test_pieces_are_bytes(piece: Any) -> None:
    """A piece of anything else is an error that says what came."""

    async def pieces() -> AsyncIterator[Any]:
        yield piece

    message = f"expected a piece of bytes, not {type(piece).__name__}"
    with pytest.raises(TypeError, match=message):
        await get_payload(iter([piece])).as_bytes()
    with pytest.raises(TypeError, match=message):
        await get_payload(pieces()).as_bytes()


async def test_bytes_are_written_in_pieces() -> None:
    """What is large is written by 64 KiB."""
    sink = Sink()
    await get_payload(b"a" * (130 * KIB)).write(sink)
    assert list(map(len, sink.pieces)) == [64 * KIB, 64 * KIB, 2 * KIB]


# The registry.


@pytest.mark.parametrize("data", [None, 1, object(), {"a": 1}, {b"a"}])
def test_anything_else_is_refused(data: Any) -> None:
    """The error says what is taken, and what came."""
    with pytest.raises(TypeError, match=f"bytes.*, not {type(data).__name__}"):
        get_payload(data)


def test_payload_stays_as_it_is() -> None:
    """A payload is what it is."""
    payload = get_payload(b"")
    assert get_payload(payload, content_type="a/b") is payload


def test_own_types() -> None:
    """A program's types are asked for in their order, the last registered first."""

    class Text(str):
        __slots__ = ()

    class First(StringPayload):
        __slots__ = ()

    class Second(StringPayload):
        __slots__ = ()

    registry = PayloadRegistry()
    registry.register(StringPayload, str)
    registry.register(First, Text, order=Order.try_last)
    assert type(registry.get(Text("a"))) is StringPayload
    registry.register(Second, Text)
    assert type(registry.get(Text("a"))) is Second
    registry.register(First, Text, order=Order.try_first)
    assert type(registry.get(Text("a"))) is First


def test_decorator(monkeypatch: pytest.MonkeyPatch) -> None:
    """``payload_type`` registers what it decorates, and returns it."""
    factories = {order: [*found] for order, found in PAYLOAD_REGISTRY._factories.items()}
    monkeypatch.setattr(PAYLOAD_REGISTRY, "_factories", factories)

    class Point:
        x = 1

    @payload_type(Point)
    class PointPayload(BytesPayload):
        __slots__ = ()

        def __init__(self, value: Point, **kwargs: Any) -> None:
            super().__init__(json.dumps(value.x).encode(), **kwargs)

    assert get_payload(Point(), content_type="a/b").content == b"1"
    assert type(get_payload(Point())) is PointPayload


def test_import_is_light() -> None:
    """Nothing heavy is loaded before a body needs it."""
    program = (
        "import sys, asyncio; before = set(sys.modules);"
        "from aiohttp.protocol.payload import get_payload; get_payload(b''); get_payload('');"
        "print(*sorted(name for name in set(sys.modules) - before if '.' not in name))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"email", "json", "mimetypes", "uuid", "zlib", "tempfile"} & {*done.stdout.split()}
