"""Opening what is to be sent."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from contextlib import nullcontext
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from aiohttp.server.web import opening
from aiohttp.server.web.opening import OpenFile, in_thread, open_file, promptly
from served import settle

ALL = "br, zstd, gzip"


def opened(path: Path, accept_encoding: str | None = None) -> OpenFile:
    """Open a file that is there, and close it again."""
    found = open_file(str(path), accept_encoding)
    assert found is not None
    found.close()
    return found


def test_small_file_is_read(tmp_path: Path) -> None:
    """Up to 64 KiB a file's content comes with it."""
    (tmp_path / "a").write_bytes(b"x" * 65536)
    (tmp_path / "b").write_bytes(b"x" * 65537)
    assert opened(tmp_path / "a").content == b"x" * 65536
    assert opened(tmp_path / "b").content is None
    assert opened(tmp_path / "b").size == 65537


def test_what_is_no_file(tmp_path: Path) -> None:
    """Directories, pipes, rings of links and names that no file can have are all nothing."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    (tmp_path / "file").touch()
    for name in ("", "pipe", "ring", "missing", "file/below", "x" * 300, "nul\0"):
        assert open_file(f"{tmp_path}/{name}") is None
    assert open_file("/dev/null") is None


def test_trouble_of_the_server_is_no_missing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many open files is an error that somebody must hear of."""

    def refuse(path: str, flags: int, *, dir_fd: int | None = None) -> int:
        raise OSError(errno.EMFILE, "Too many open files", path)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        open_file(str(tmp_path / "a"))


def test_link(tmp_path: Path) -> None:
    """A link is followed, unless it must not be: as the file, or on the way to it."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"x")
    (tmp_path / "real" / "link").symlink_to("file")
    (tmp_path / "other").symlink_to("real")
    for path in ("real/file", "real/link", "other/file"):
        assert opened(tmp_path / path).content == b"x"
        is_there = open_file(f"{tmp_path}/{path}", below=str(tmp_path)) is not None
        assert is_there == (path == "real/file")
    assert open_file(f"{tmp_path}/other/file", below=f"{tmp_path}/other") is not None
    assert open_file("/etc/hostname/missing", below="/") is None


@pytest.mark.parametrize("allowed", range(6))
def test_nothing_stays_open(tmp_path: Path, allowed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever call of open() is one too many, no descriptor is left."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("file", "file.gz"):
        (tmp_path / "a" / "b" / name).write_bytes(b"x")
    really_open = os.open
    calls = 0

    def open_some(*args: Any, **kwargs: Any) -> int:
        nonlocal calls
        calls += 1
        if calls > allowed:
            raise OSError(errno.EMFILE, "Too many open files")
        return really_open(*args, **kwargs)

    before = len([*Path("/dev/fd").iterdir()])
    monkeypatch.setattr(os, "open", open_some)
    with pytest.raises(OSError, match="Too many") if allowed < 5 else nullcontext():
        open_file(f"{tmp_path}/a/b/file", "gzip", below=str(tmp_path))
    monkeypatch.undo()
    assert (calls, len([*Path("/dev/fd").iterdir()])) == (min(allowed + 1, 5), before)


def test_smallest_twin_that_is_accepted(tmp_path: Path) -> None:
    """Of the codings that the client likes alike, the one of the fewest bytes is sent."""
    for suffix, size in (("", 100), (".gz", 50), (".br", 40), (".zst", 45)):
        (tmp_path / f"a.js{suffix}").write_bytes(b"x" * size)
    for accepted, coding, size in (
        (ALL, "br", 40),
        ("gzip, zstd", "zstd", 45),
        ("gzip, br;q=0.5", "gzip", 50),
        ("gzip;q=0", None, 100),
        ("identity;q=0", None, 100),
        (None, None, 100),
    ):
        found = opened(tmp_path / "a.js", accepted)
        assert (found.coding, found.size, found.varies) == (coding, size, True)


def test_no_twin(tmp_path: Path) -> None:
    """Without twins there is nothing to vary; a directory, a pipe or a link isn't one."""
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "a.gz").mkdir()
    os.mkfifo(tmp_path / "a.br")
    (tmp_path / "a.zst").symlink_to(tmp_path / "secret")
    found = opened(tmp_path / "a", ALL)
    assert (found.coding, found.varies, found.content) == (None, False, b"x")


def test_twin_alone(tmp_path: Path) -> None:
    """A twin without its file isn't sent in its place."""
    (tmp_path / "a.gz").write_bytes(b"x")
    assert open_file(str(tmp_path / "a"), ALL) is None


async def test_second_time_without_a_thread(tmp_path: Path) -> None:
    """What was found a moment ago is looked for at once; what was missing is not."""
    threads: list[int] = []

    def look() -> str:
        threads.append(threading.get_ident())
        return "found"

    def miss() -> None:
        threads.append(threading.get_ident())

    path = str(tmp_path / "second-time")
    for work in (miss, look, look, miss, look):
        await promptly(path, work)
    here = threading.get_ident()
    assert [each == here for each in threads] == [False, False, True, True, False]


async def test_what_is_remembered_is_bounded() -> None:
    """Opening very many files doesn't fill the memory with their names."""
    now = asyncio.get_running_loop().time()
    opening._fresh.update({str(number): now for number in range(opening._MAX_FRESH)})
    await promptly("one more", lambda: True)
    assert list(opening._fresh) == ["one more"]


async def test_cancelled_while_a_thread_opens(tmp_path: Path) -> None:
    """A file that is opened for a request that has gone is closed."""
    (tmp_path / "a").write_bytes(b"x" * 70000)
    go_on = threading.Event()
    found: list[OpenFile] = []

    def slowly() -> OpenFile | None:
        go_on.wait(10)
        result = open_file(str(tmp_path / "a"))
        assert result is not None
        found.append(result)
        return result

    def close(each: OpenFile | None) -> None:
        assert each is not None
        each.close()

    task = asyncio.create_task(in_thread(slowly, close))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    await settle()
    assert found[0].file.closed


async def test_closed_while_a_thread_reads(tmp_path: Path) -> None:
    """The file is closed behind the last read, which would read another one otherwise."""
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    found = OpenFile(FileIO(str(tmp_path / "pipe")), 1, 0)
    task = asyncio.create_task(found.read(1))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    found.close()
    assert not found.file.closed
    os.write(writer, b"x")
    os.close(writer)
    await asyncio.get_running_loop().shutdown_default_executor()
    await settle()
    assert found.file.closed


async def test_read(tmp_path: Path) -> None:
    """A file is read to its end, and closed as often as one likes."""
    (tmp_path / "a").write_bytes(b"x" * 70000)
    found = open_file(str(tmp_path / "a"))
    assert found is not None
    assert [len(await found.read(65536)) for _ in range(3)] == [65536, 4464, 0]
    found.close()
    found.close()
    assert found.file.closed
