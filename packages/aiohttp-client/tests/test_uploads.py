"""How far a body has been sent."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from aiohttp.client import Session, UploadAbortedError, UploadTracker
from origin import Origin, response


async def test_bytes_are_counted() -> None:
    """The whole body is counted, and its length is still announced."""
    tracker = UploadTracker()
    async with Origin(response()) as origin, Session() as session:
        await session.post(origin.url, data=b"x" * 100_000, upload_tracker=tracker)
        await tracker.upload_complete
        assert (tracker.bytes_written, tracker.attempts) == (100_000, 1)
        assert b"\r\nContent-Length: 100000\r\n" in origin.request


async def test_pieces_are_counted() -> None:
    """An iterable is counted piece by piece: those that were taken."""
    tracker = UploadTracker()
    counts: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            counts.append(tracker.bytes_written)
            yield b"hello"

    async with Origin(response()) as origin, Session() as session:
        await session.post(origin.url, data=body(), upload_tracker=tracker)
    assert counts == [0, 5, 10]
    assert tracker.bytes_written == 15


async def test_each_attempt_begins_anew() -> None:
    """A redirect that keeps the body sends it once more."""
    answers = iter([response(b"", "Location: /b", status="307 Here"), response()])
    tracker = UploadTracker()
    async with Origin(lambda _: next(answers)) as origin, Session() as session:
        await session.post(origin.url, data=b"hello", upload_tracker=tracker)
    await tracker.upload_complete
    assert (tracker.bytes_written, tracker.attempts) == (5, 2)


async def test_upload_that_is_not_completed() -> None:
    """When the request has ended and the body won't be sent, the future says so."""
    tracker = UploadTracker()

    async def body() -> AsyncIterator[bytes]:
        yield b"hello"
        raise KeyError("mine")

    async with Origin(response()) as origin, Session() as session:
        with pytest.raises(KeyError, match="mine"):
            await session.post(origin.url, data=body(), upload_tracker=tracker)
        with pytest.raises(UploadAbortedError, match="not sent whole"):
            await tracker.upload_complete


async def test_request_that_never_began() -> None:
    """Without a connection nothing was sent."""
    tracker = UploadTracker()
    async with Session() as session:
        with pytest.raises(OSError, match="cannot connect"):
            await session.post("http://127.0.0.1:1/", data=b"x", upload_tracker=tracker)
    with pytest.raises(UploadAbortedError, match="only 0 bytes"):
        await tracker.upload_complete
    assert tracker.attempts == 0


async def test_request_without_a_body() -> None:
    """Nothing is complete at once."""
    tracker = UploadTracker()
    async with Origin(response()) as origin, Session() as session:
        await session.get(origin.url, upload_tracker=tracker)
    await tracker.upload_complete
    assert tracker.bytes_written == 0


async def test_one_request_only() -> None:
    """A tracker can't follow two requests at once."""
    tracker = UploadTracker()
    async with Origin(response()) as origin, Session() as session:
        await session.post(origin.url, data=b"x", upload_tracker=tracker)
        with pytest.raises(RuntimeError, match="follows another request: make a new one"):
            await session.post(origin.url, data=b"x", upload_tracker=tracker)


async def test_programs_generator_is_closed() -> None:
    """A body that is given up midway is closed at once, so that it can clean up."""
    is_closed = False

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal is_closed
        try:
            yield b"1"
            yield b"2"
        finally:
            is_closed = True

    body = UploadTracker().follow(pieces())
    assert await anext(body) == b"1"
    await body.aclose()
    assert is_closed


async def test_repr() -> None:
    """A tracker tells how far it has come."""
    assert repr(UploadTracker()) == "<UploadTracker 0 bytes, attempt 0>"


async def test_request_that_can_not_be_made() -> None:
    """A tracker is at its end, too, when its request is refused before it is one."""
    tracker = UploadTracker()
    async with Session() as session:
        with pytest.raises(ValueError, match="nonsense"):
            await session.post("nonsense", data=b"x", upload_tracker=tracker)
    with pytest.raises(UploadAbortedError, match="only 0 bytes"):
        await tracker.upload_complete
