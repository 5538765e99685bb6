"""Files opened to be sent: regular ones only, with their compressed twins, off the loop."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import FileIO
from typing import Final, TypeVar

from aiohttp.protocol import choose_coding

__all__ = ["ABSENT", "OpenFile", "in_thread", "open_file", "promptly"]

# What is no longer is read when it is opened: one write with the head, instead of two and a
# call of sendfile with a descriptor of its own.
_SMALL: Final = 64 * 1024

_TWINS: Final = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}

ABSENT: Final = frozenset({
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.ENODEV,
    errno.EACCES, errno.EPERM,
    errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ,
})  # fmt: skip
"""What means "there is nothing", missing and forbidden alike, to whoever asks from outside.

Anything else, such as EMFILE or EIO, is the server's own trouble, and no missing file.
"""

# NONBLOCK: opening a pipe that nobody writes to would wait for ever. Zero where a system
# has no such flag.
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
)
_NOFOLLOW: Final[int] = getattr(os, "O_NOFOLLOW", 0)
# PATH: to pass a directory it need not be readable. Only Linux makes the difference.
_DIRECTORY: Final[int] = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", 0)
_CAN_WALK: Final = bool(_NOFOLLOW) and {os.open, os.stat} <= os.supports_dir_fd


@dataclass(slots=True)
class OpenFile:
    """A file that was opened to be sent; whoever gets it closes it.

    Attributes:
        file: to be read, unbuffered.
        size: in bytes.
        mtime_ns: when it was modified, in nanoseconds since 1970.
        content: all of it, if that is no more than 64 KiB.
        coding: the content coding of what was opened, or None: the file itself.
        varies: whether there is more than one representation to choose from.
    """

    file: FileIO
    size: int
    mtime_ns: int
    content: bytes | None = field(default=None, repr=False)
    coding: str | None = None
    varies: bool = False
    _reading: asyncio.Future[bytes | None] | None = field(default=None, init=False, repr=False)

    async def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, read by a thread; ``b""`` is the end."""
        loop = asyncio.get_running_loop()
        self._reading = loop.run_in_executor(None, self.file.read, size)
        return await asyncio.shield(self._reading) or b""

    def close(self) -> None:
        """Close the file; if it is being read for somebody who has gone, then after that."""
        # A thread that reads a descriptor which was closed reads what has its number then.
        reading = self._reading
        if reading is None or reading.done():
            self.file.close()
        else:
            reading.add_done_callback(self._close_after)

    def _close_after(self, reading: asyncio.Future[bytes | None]) -> None:
        self.file.close()
        if not reading.cancelled():
            reading.exception()  # nobody is left to be told


def open_file(
    path: str, accept_encoding: str | None = None, *, below: str | None = None
) -> OpenFile | None:
    """Open a file, or the smallest of its twins that the client accepts; None if there is none.

    A twin is the same content, compressed beforehand, in a file beside it: ``app.js.br``,
    ``app.js.zst``, ``app.js.gz``. It is not compared with the file: who writes the one
    writes the other. A twin is never a symbolic link: a link might lead anywhere, and the
    file that it stands for could be linked as well.

    Args:
        path: of the file.
        accept_encoding: the request's field.
        below: a directory above the file. From there on no symbolic link is followed, though
            somebody puts one there just now; where the system can't walk so (Windows),
            only the file itself is none. None: links are followed.

    Raises:
        OSError: if the server is in trouble; not if the file is missing, forbidden, or
            not a regular one.

    """
    if below is None or not _CAN_WALK:
        return _open_best(path, accept_encoding, None, follow_symlinks=below is None)
    *names, name = path.removeprefix(below).lstrip("/").split("/")
    directory = _open_directory(below, names)
    if directory is None:
        return None
    try:
        return _open_best(name, accept_encoding, directory, follow_symlinks=False)
    finally:
        os.close(directory)


def _open_directory(below: str, names: list[str]) -> int | None:
    """Open a directory by the names that lead to it, none of which is a link.

    Each is looked up in the one that is open, so that it doesn't matter what becomes of the
    path meanwhile. It takes 2 µs a name.
    """
    directory = -1
    try:
        directory = os.open(below, _DIRECTORY)
        for name in names:
            inner = os.open(name, _DIRECTORY | _NOFOLLOW, dir_fd=directory)
            os.close(directory)
            directory = inner
    except OSError as exc:
        if directory >= 0:
            os.close(directory)
        if exc.errno in ABSENT:
            return None
        raise
    return directory


def _open_best(
    path: str, accept_encoding: str | None, directory: int | None, *, follow_symlinks: bool
) -> OpenFile | None:
    """Open a file or its best twin, by a path relative to an open directory if there is one."""
    found = _open_regular(path, directory, follow_symlinks=follow_symlinks)
    if found is None:
        return None
    try:
        if sizes := _twins_of(path, directory):
            found.varies = True
            coding = choose_coding(accept_encoding, sorted(sizes, key=sizes.__getitem__))
            if coding in sizes:
                found = _twin_of(found, path, coding, directory)
        if found.size <= _SMALL:
            content = found.file.read(found.size) or b""
            found.content, found.size = content, len(content)
            found.close()
    except OSError:
        found.close()
        raise
    return found


def _twins_of(path: str, directory: int | None) -> dict[str, int]:
    """Return the codings in which a file exists, and how many bytes each has."""
    sizes: dict[str, int] = {}
    for coding, suffix in _TWINS.items():
        try:
            status = os.stat(path + suffix, dir_fd=directory, follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            sizes[coding] = status.st_size
    return sizes


def _twin_of(plain: OpenFile, path: str, coding: str, directory: int | None) -> OpenFile:
    """Open a twin in place of its file; the file itself if it has gone meanwhile."""
    twin = _open_regular(path + _TWINS[coding], directory, follow_symlinks=False)
    if twin is None:
        return plain
    plain.close()
    twin.coding = coding
    twin.varies = True
    return twin


def _open_regular(path: str, directory: int | None, *, follow_symlinks: bool) -> OpenFile | None:
    """Open a regular file; None if there is none that can be read.

    What was opened is what is looked at: no time passes in which one could be put in the
    place of the other.
    """
    try:
        flags = _FLAGS if follow_symlinks else _FLAGS | _NOFOLLOW
        descriptor = os.open(path, flags, dir_fd=directory)
    except OSError as exc:
        if exc.errno in ABSENT:
            return None
        raise
    except ValueError:
        return None  # NUL, or what the file system's encoding doesn't have
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return None
    return OpenFile(FileIO(descriptor), status.st_size, status.st_mtime_ns)


# Off the loop.

_T = TypeVar("_T")

# A file that was looked at a moment ago is in the kernel's caches: opening it again takes 4 µs
# here, and 70 by way of a thread. One that wasn't may wait for a disk or for a network, and
# nobody else should: the first of many requests goes by a thread, the others don't.
_FRESH_SECONDS: Final = 2.0
_MAX_FRESH: Final = 1024
_fresh: dict[str, float] = {}


async def promptly(
    path: str,
    work: Callable[[], _T | None],
    discard: Callable[[_T | None], object] | None = None,
) -> _T | None:
    """Return what ``work()`` finds at ``path``: by a thread, unless it was found a moment ago.

    Cancelled meanwhile, we ``discard`` what is found then.
    """
    now = time.monotonic()
    if now - _fresh.get(path, -_FRESH_SECONDS) < _FRESH_SECONDS:
        found = work()
    else:
        found = await in_thread(work, discard)
    if found is None:
        _fresh.pop(path, None)
    else:
        if len(_fresh) >= _MAX_FRESH:
            _fresh.clear()
        _fresh[path] = now
    return found


async def in_thread(work: Callable[[], _T], discard: Callable[[_T], object] | None = None) -> _T:
    """Return what ``work()`` returns in a thread; cancelled, ``discard`` it when it is there."""
    job = asyncio.get_running_loop().run_in_executor(None, work)

    def drop(job: asyncio.Future[_T]) -> None:
        if not job.cancelled() and job.exception() is None and discard is not None:
            discard(job.result())

    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        job.add_done_callback(drop)
        raise
