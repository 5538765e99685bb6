"""What a coroutine of WSGI reads a request's content from: ``wsgi.input``, to be awaited."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from typing import IO

from aiohttp.protocol import HttpException, IncompleteReadError, LimitExceeded, StreamReader

from .input import UnreadableBody

__all__ = ["AsyncInput", "SpooledInput"]


class AsyncInput:
    """PEP 3333's input stream, whose methods are coroutines; it is iterated over by lines.

    Each of them raises ``UnreadableBody``, an OSError, once the body has gone wrong.
    Cancelling one loses no byte.
    """

    def __init__(self, body: StreamReader) -> None:
        self._body = body

    async def read(self, size: int | None = -1, /) -> bytes:
        """Return ``size`` bytes, fewer only at the end; all to the end for -1 or None."""
        with _unreadable_as_os_error():
            if size is None or size < 0:
                return await self._body.read()
            try:
                return await self._body.readexactly(size)
            except IncompleteReadError as exc:
                return exc.partial

    async def readline(self, size: int | None = -1, /) -> bytes:
        """Return a line with its LF, but at most ``size`` bytes; ``b""`` at the end."""
        if size is None or size < 0:
            size = sys.maxsize
        with _unreadable_as_os_error():
            try:
                return await self._body.readuntil(b"\n", max_size=size)
            except LimitExceeded as exc:
                if exc.name != "max_size":
                    raise
        return await self.read(size)

    async def readlines(self, hint: int | None = -1, /) -> list[bytes]:
        """Return the lines to the end; with a hint as many as have that many bytes."""
        left = hint if hint is not None and hint > 0 else sys.maxsize
        lines: list[bytes] = []
        while left > 0 and (line := await self.readline()):
            lines.append(line)
            left -= len(line)
        return lines

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while line := await self.readline():
            yield line


class SpooledInput(AsyncInput):
    """The same of a body that is in a file, and stays there.

    The file is read on the loop: it was written just now, so no disk is waited for.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    async def read(self, size: int | None = -1, /) -> bytes:
        """Return ``size`` bytes, fewer only at the end; all to the end for -1 or None."""
        return self._file.read(-1 if size is None else size)

    async def readline(self, size: int | None = -1, /) -> bytes:
        """Return a line with its LF, but at most ``size`` bytes; ``b""`` at the end."""
        return self._file.readline(-1 if size is None else size)


@contextmanager
def _unreadable_as_os_error() -> Generator[None]:
    try:
        yield
    except HttpException as exc:
        raise UnreadableBody(exc) from exc
