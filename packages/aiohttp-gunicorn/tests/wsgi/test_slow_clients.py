"""Clients of WSGI that are slow: what they hold, and what they never hold."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from wsgiref.types import StartResponse

import pytest

from aiohttp.protocol import Exchange
from aiohttp.worker.hooks import RequestHooks
from aiohttp.worker.wsgi import handover, spool, waiting
from aiohttp.worker.wsgi.application import READ_FIRST
from aiohttp.worker.wsgi.async_input import SpooledInput
from aiohttp.worker.wsgi.environ import Environ
from wsgi_client import GET, PLAIN, Adapter, echo, hello, post, until

UPLOAD = post("Content-Length: 600000", content=b"x" * READ_FIRST)
REST = b"x" * (600_000 - READ_FIRST)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have threads parked at once, not after 50 ms."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)


class SilentHooks(RequestHooks):
    """Hooks that do nothing."""

    def __init__(self) -> None:
        pass

    def before(self, exchange: Exchange) -> None:
        """Do nothing."""

    def after(self, exchange: Exchange, environ: Mapping[str, Any] | None) -> None:
        """Do nothing."""


def serve(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Greet a GET, and echo anything else."""
    return (hello if environ["REQUEST_METHOD"] == "GET" else echo)(environ, start_response)


def stream(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Answer with far more than a connection keeps for a client that doesn't read."""
    start_response("200 OK", PLAIN)
    for _ in range(100):
        yield b"x" * 10_000


def serve_or_stream(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Greet on one path, stream on all others."""
    application = hello if environ["PATH_INFO"] == "/hello" else stream
    yield from application(environ, start_response)


async def test_slow_uploads_leave_the_threads_to_others(wsgi: Adapter) -> None:
    """While more uploads are stuck than there are threads, others are answered at once."""
    slow = [await wsgi.connect(serve, threads=2)]
    slow += [slow[0].another() for _ in range(7)]
    for client in slow:
        client.send(UPLOAD)
    good = slow[0].another()
    good.send(GET)
    assert (await good.answer()).content == b"hello"
    for client in slow:
        client.send(REST)
    for client in slow:
        assert len((await client.answer()).content) == 600_000


async def test_slow_readers_leave_the_threads_to_others(wsgi: Adapter) -> None:
    """So it is with clients that don't read what is streamed to them."""
    slow = [await wsgi.connect(serve_or_stream, threads=2)]
    slow += [slow[0].another() for _ in range(7)]
    for client in slow:
        client.transport.hold()
        client.send(GET)
    good = slow[0].another()
    good.send(GET.replace(b"/path", b"/hello"))
    assert (await good.answer()).content == b"hello"
    for client in slow:
        client.transport.release()
    for client in slow:
        assert len((await client.answer()).content) == 1_000_000


async def test_slow_reader_holds_its_application_back(
    wsgi: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread is parked for as long as it takes, and what it took counts as its patience."""
    made: list[int] = []
    progress: list[int] = []
    note_progress = waiting.ClientWait.note_progress

    def note(client: waiting.ClientWait, size: int) -> None:
        progress.append(size)
        note_progress(client, size)

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        for number in range(1000):
            made.append(number)
            yield b"x" * 10_000

    monkeypatch.setattr(waiting.ClientWait, "note_progress", note)
    slow = await wsgi.connect(application, threads=2)
    slow.transport.hold()
    slow.send(GET)
    await until(lambda: repr(wsgi.pools[0]) == "<ThreadPool of 2, 3 threads, 1 parked>")
    assert len(made) < 50
    slow.transport.release()
    assert len((await slow.answer()).content) == 10_000_000
    assert 0 < sum(progress) <= 10_000_000


async def test_hook_waits_for_a_slow_reader(wsgi: Adapter) -> None:
    """It is told of the whole response, for others have threads meanwhile."""
    seen: list[int] = []

    class Noted(SilentHooks):
        def after(self, exchange: Exchange, environ: Mapping[str, Any] | None) -> None:
            seen.append(exchange.body_sent)

    slow = await wsgi.connect(stream, threads=2, hooks=Noted())
    slow.transport.hold()
    slow.send(GET)
    await until(lambda: "1 parked" in repr(wsgi.pools[0]))
    slow.transport.release()
    await slow.answer()
    assert seen == [1_000_000]


@pytest.mark.parametrize("threads", [1, 2])
async def test_slow_readers_of_files_take_no_thread(
    wsgi: Adapter, tmp_path: Path, threads: int
) -> None:
    """A file is the connection's to send: the application has closed its own long before."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1_000_000)
    files: list[IO[bytes]] = []

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        files.append(path.open("rb"))
        start_response("200 OK", PLAIN)
        wrapped: Iterator[bytes] = environ["wsgi.file_wrapper"](files[-1])
        return wrapped

    slow = [await wsgi.connect(application, threads=threads)]
    slow += [slow[0].another() for _ in range(3)]
    for client in slow:
        client.transport.hold()
        client.send(GET)
    await until(lambda: len(files) == 4 and all(file.closed for file in files))
    await until(lambda: not wsgi.pools[0].running())
    slow.pop().transport.lose()
    for client in slow:
        client.transport.release()
        assert len((await client.answer()).content) == 1_000_000


async def test_threads_for_slow_clients_are_bounded(wsgi: Adapter) -> None:
    """When as many threads wait as there may be, others wait for the first that goes on."""
    slow = await wsgi.connect(serve, threads=2, most=3)
    others = [slow.another() for _ in range(2)]
    for client in (slow, *others):
        client.send(UPLOAD)
    await until(lambda: len(wsgi.pools[0].running()) == 3)
    good = slow.another()
    good.send(GET)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not good.transport.written
    slow.send(REST)
    assert (await good.answer()).content == b"hello"
    for client in others:
        client.send(REST)
        await client.answer()


async def test_slow_client_that_goes_frees_its_thread(wsgi: Adapter) -> None:
    """A thread that is parked learns that its client has gone, too."""
    client = await wsgi.connect(serve)
    client.send(UPLOAD)
    await until(lambda: bool(wsgi.pools[0].running()))
    client.transport.lose()
    await until(lambda: not wsgi.pools[0].running())


# One thread, which nothing can take the place of.


async def test_one_thread_gets_the_whole_content(wsgi: Adapter) -> None:
    """An application that has but one thread is called when the content is there."""
    slow = await wsgi.connect(serve, threads=1)
    slow.send(UPLOAD)
    good = slow.another()
    good.send(GET)
    assert (await good.answer()).content == b"hello"
    slow.send(REST)
    assert len((await slow.answer()).content) == 600_000


async def test_one_thread_gets_large_content_by_the_disk(
    wsgi: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Content that is too large for the memory is a file, which is closed in the end."""
    monkeypatch.setattr(spool, "IN_MEMORY", 100_000)
    files: list[object] = []

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        files.append(environ["wsgi.input"])
        return echo(environ, start_response)

    client = await wsgi.connect(application, threads=1)
    client.send(UPLOAD)
    client.send(REST)
    assert (await client.answer()).content == b"x" * 600_000
    await wsgi.pools[0].stop()
    assert [getattr(file, "closed", None) for file in files] == [True]


async def test_one_thread_leaves_large_content_on_the_disk_for_the_loop(
    wsgi: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes on on the loop reads the rest from the file, not all of it from the memory."""
    monkeypatch.setattr(spool, "IN_MEMORY", 100_000)
    bodies: list[Any] = []

    def application(environ: Environ, start_response: StartResponse) -> Awaitable[list[bytes]]:
        assert environ["wsgi.input"].read(1) == b"x"

        async def go_on() -> list[bytes]:
            content = environ["wsgi.input"]
            bodies.append(content)
            start_response("200 OK", PLAIN)
            first = await content.read(9) + await content.readline(10)
            rest = [line async for line in content]
            return [b"%d" % len(first), b" %d" % len(rest[0])]

        return go_on()

    client = await wsgi.connect(application, threads=1)
    client.send(UPLOAD + REST)
    assert (await client.answer()).content == b"19 599980"
    assert isinstance(bodies[0], SpooledInput)


async def test_one_thread_runs_ahead_of_its_readers(wsgi: Adapter) -> None:
    """What is streamed to a slow reader waits on the disk, and not the thread."""
    slow = [await wsgi.connect(serve_or_stream, threads=1)]
    slow += [slow[0].another() for _ in range(3)]
    for client in slow:
        client.transport.hold()
        client.send(GET)
    good = slow[0].another()
    good.send(GET.replace(b"/path", b"/hello"))
    assert (await good.answer()).content == b"hello"
    slow.pop().transport.lose()
    for client in slow:
        client.transport.release()
        assert (await client.answer()).content == b"x" * 1_000_000


async def test_one_thread_has_a_bound_on_the_disk(
    wsgi: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No application fills the disk: at some point it waits after all."""
    monkeypatch.setattr(handover, "AHEAD_ON_DISK", 200_000)
    made: list[int] = []

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        for number in range(100):
            made.append(number)
            yield b"%10d" % number * 1000

    client = await wsgi.connect(application, threads=1)
    client.transport.hold()
    client.send(GET)
    await until(lambda: len(made) > 20)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(made) < 40
    client.transport.release()
    content = (await client.answer()).content
    assert content == b"".join(b"%10d" % number * 1000 for number in range(100))


async def test_one_thread_uses_the_disk_again(
    wsgi: Adapter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """However long a response is, what has been sent of it makes room for what follows."""
    monkeypatch.setattr(handover, "AHEAD_ON_DISK", 100_000)
    files: list[IO[bytes]] = []
    sizes: list[int] = []

    def temporary_file(buffering: int) -> IO[bytes]:
        files.append((tmp_path / "spill").open("xb+", buffering))
        return files[-1]

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        for number in range(100):
            yield b"%10d" % number * 1000
            sizes.extend(os.fstat(file.fileno()).st_size for file in files)
        yield b"end" * 50_000

    monkeypatch.setattr(spool, "TemporaryFile", temporary_file)
    client = await wsgi.connect(application, threads=1)
    client.transport.hold()
    client.send(GET)
    await until(lambda: bool(sizes))
    client.transport.release()
    parts = [b"%10d" % number * 1000 for number in range(100)]
    assert (await client.answer()).content == b"".join(parts) + b"end" * 50_000
    assert 200_000 <= max(sizes) <= 300_000


async def test_one_thread_waits_for_no_hook(wsgi: Adapter) -> None:
    """Nor does it wait for a slow reader to tell a hook what was sent."""
    hooks = SilentHooks()
    slow = await wsgi.connect(serve_or_stream, threads=1, hooks=hooks)
    slow.transport.hold()
    slow.send(GET)
    good = slow.another()
    good.send(GET.replace(b"/path", b"/hello"))
    assert (await good.answer()).content == b"hello"
    slow.transport.release()
    assert len((await slow.answer()).content) == 1_000_000


async def test_one_thread_stays_one(wsgi: Adapter) -> None:
    """An application that isn't safe for threads never runs twice at a time."""
    names: set[str] = set()

    def application(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        names.add(threading.current_thread().name)
        yield from stream(environ, start_response)

    clients = [await wsgi.connect(application, threads=1)]
    clients += [clients[0].another() for _ in range(3)]
    for client in clients:
        client.transport.hold()
        client.send(GET)
    await clients[0].has(b"xxxxx")
    for client in clients:
        client.transport.release()
        await client.answer()
    assert len(names) == 1
