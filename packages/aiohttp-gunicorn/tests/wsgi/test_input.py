"""``wsgi.input``: a thread reads what arrives on the loop (PEP 3333, "Input and Error Streams")."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pytest

from aiohttp.worker.wsgi.input import PIECE, BlockingInput, UnreadableBody
from aiohttp.worker.wsgi.threads import Inbox, ThreadPool
from aiohttp.worker.wsgi.waiting import ClientWait


def patient() -> ClientWait:
    """Return the patience of a job that is in no pool, and so is never parked."""
    return ClientWait(ThreadPool(1, Inbox(), most=1))


class Loop:
    """The other end of an input: answers what it asks with the next piece that fits."""

    def __init__(self, pieces: Iterable[bytes | Exception], first: bytes = b"") -> None:
        self.asked: list[int] = []
        self.source = BlockingInput(self._ask, patient(), first)
        self.file = io.BufferedReader(self.source, PIECE)
        self._pieces = list(pieces)

    def _ask(self, size: int) -> None:
        self.asked.append(size)
        piece = self._pieces.pop(0) if self._pieces else b""
        if isinstance(piece, bytes) and len(piece) > size:
            self._pieces.insert(0, piece[size:])
            piece = piece[:size]
        self.source.feed(piece)


def test_read_all() -> None:
    """read() returns the whole body, however it came."""
    assert Loop([b"ab", b"c", b"def"]).file.read() == b"abcdef"


def test_read_some() -> None:
    """read(n) returns n bytes, and fewer only at the end of the body."""
    file = Loop([b"ab", b"c", b"def"]).file
    assert [file.read(4), file.read(4), file.read(4)] == [b"abcd", b"ef", b""]


def test_lines() -> None:
    """Readline, readlines and iteration give lines with their ends, cut anywhere."""
    pieces = [b"on", b"e\ntwo\n", b"th", b"ree\nfour"]
    assert Loop(pieces).file.readline() == b"one\n"
    assert Loop(pieces).file.readlines() == [b"one\n", b"two\n", b"three\n", b"four"]
    assert list(Loop(pieces).file) == [b"one\n", b"two\n", b"three\n", b"four"]


def test_nothing_is_asked_before_the_first_read() -> None:
    """An application that reads nothing never asks, so no 100 Continue is sent."""
    assert Loop([b"abc"]).asked == []


def test_pieces_are_bounded() -> None:
    """One read never asks for more than one piece beyond what the application wants."""
    loop = Loop([b"x" * 3 * PIECE])
    loop.file.read(10)
    assert loop.asked == [PIECE]


def test_large_read_into_own_buffer() -> None:
    """A large body is read completely and in order."""
    data = bytes(range(256)) * 1024
    assert Loop([data]).file.read(len(data)) == data


@pytest.mark.parametrize("size", [-1, 4])
def test_broken_body_is_an_os_error(size: int) -> None:
    """A body that breaks off is an OSError, again and again, with its cause."""
    loop = Loop([b"abc", ValueError("cut short")])
    for _ in range(2):
        with pytest.raises(UnreadableBody, match="body can't be read: cut short") as caught:
            while loop.file.read(size):
                pass
        assert isinstance(caught.value, OSError)
        assert isinstance(caught.value.cause, ValueError)


def test_read_after_the_request() -> None:
    """A read after the request is over fails instead of waiting for ever."""
    source = BlockingInput(lambda size: None, patient())
    source.end()
    for _ in range(2):
        with pytest.raises(UnreadableBody, match="the request is over"):
            source.read(1)
