"""What one call of a WSGI application answers: PEP 3333's rules, and the steps that follow."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable
from types import TracebackType
from typing import IO, Protocol, TypeAlias

from aiohttp.protocol import InvalidUse

from ..heads import ResponseFields, parse_start
from .environ import FileWrapper
from .steps import Finish, SendFile, Start, Step, Whole

__all__ = ["Outlet", "Response"]

JOIN = 64 * 1024
"""Up to here a list of pieces is joined, so that the response leaves as one write."""

ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
)


class Outlet(Protocol):
    """Where steps go: to the coroutine that serves a thread, or to the connection itself."""

    def post(self, step: Step) -> None:
        """Take a step that needs no room."""

    def post_chunk(self, data: bytes) -> None:
        """Take a part of the body."""

    def post_file(self, step: SendFile) -> None:
        """Take a file."""

    def written(self) -> object:
        """Return what ``write()`` is to return."""


class Response:
    """The answer of one call, in the making.

    Whoever runs the application gives ``start_response`` to it, then everything
    that it yields to ``send``, or all of it to ``send_list`` or ``send_file``, and
    ends with ``finish``.

    Attributes:
        outlet: where the steps go.
    """

    __slots__ = (
        "_content_length",
        "_is_complete",
        "_is_head",
        "_is_started",
        "_start",
        "outlet",
    )

    def __init__(self, outlet: Outlet, *, is_head: bool) -> None:
        self.outlet = outlet
        self._is_head = is_head
        self._start: tuple[int, str | None, ResponseFields] | None = None
        self._content_length: int | None = None
        self._is_started = False
        self._is_complete = False

    # For the application.

    def start_response(
        self,
        status: str,
        response_headers: list[tuple[str, str]],
        exc_info: ExcInfo | None = None,
    ) -> Callable[[bytes], object]:
        """Take the head, and return ``write``, as PEP 3333 has it.

        Its names are those of the PEP, since there are applications that use them.
        """
        if exc_info is not None and exc_info[1] is not None:
            try:
                if self._is_started:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # Breaks the cycle of traceback and frame.
        elif self._start is not None:
            raise InvalidUse("start_response was called again without exc_info")
        self._start, self._content_length = parse_start(status, response_headers)
        return self.write

    def write(self, data: bytes) -> object:
        """Send a part of the body; on the loop, to be awaited. Legacy, says PEP 3333."""
        self.send(data)
        return self.outlet.written()

    # For whoever runs it.

    def send(self, data: object) -> None:
        """Send what the application has yielded; nothing for ``b""``.

        Raises:
            InvalidUse: if these aren't bytes, nothing was started, or the response is complete.
        """
        if not isinstance(data, bytes):
            # Which nobody yields: it is what iterating over bytes gives.
            hint = ": return a list of bytes, not bytes" if isinstance(data, int) else ""
            raise InvalidUse(f"expected a body of bytes, not of {type(data).__name__}{hint}")
        if not data:
            return
        if not self._is_started:
            if len(data) == self._content_length:
                self.outlet.post(self._whole(data))
                return
            self.outlet.post(Start(*self._announced()))
        elif self._is_complete:
            raise InvalidUse(f"expected no more body, got {len(data)} bytes after its end")
        self.outlet.post_chunk(data)

    def send_list(self, pieces: list[bytes] | tuple[bytes, ...]) -> None:
        """Send a body that is all there, and finish."""
        if (whole := self.whole_of(pieces)) is not None:
            self.outlet.post(whole)

    def whole_of(self, pieces: list[bytes] | tuple[bytes, ...]) -> Whole | None:
        """Return a response whose body is all there: its length is known, it needs no chunks.

        None if it was better sent in parts; then it is finished.
        """
        if not self._is_started and (len(pieces) == 1 or sum(map(len, pieces)) <= JOIN):
            body = b"".join(pieces)
            if body or not self._has_unknown_length:
                return self._whole(body, is_end=True)
        else:
            for data in pieces:
                self.send(data)
        self.finish()
        return None

    def send_file(self, wrapper: FileWrapper) -> None:
        """Have the connection send a file on disk; read anything else like an iterable.

        Of both no more than the announced length: that is how a part of a file is sent.
        """
        rest = None if self._is_started else _rest_of_file(wrapper.file)
        if rest is None:
            left = sys.maxsize if self._content_length is None else self._content_length
            for data in wrapper:
                self.send(data[:left])
                left -= len(data)
                if left <= 0:
                    break
            return
        offset, size = rest
        if self._content_length is None:
            self._content_length = size
        self.outlet.post(Start(*self._announced()))
        self.outlet.post_file(SendFile(wrapper.file, offset, self._content_length))

    def finish(self) -> None:
        """End the response, unless it is complete already."""
        if self._is_complete:
            return
        if self._is_started:
            self.outlet.post(Finish())
        elif self._has_unknown_length:
            self.outlet.post(Start(*self._decided()))
            self.outlet.post(Finish())
        else:
            self.outlet.post(self._whole(b""))
        self._is_complete = True

    @property
    def _has_unknown_length(self) -> bool:
        # As a whole an empty answer to HEAD would claim that GET has a body of 0 bytes.
        return self._is_head and self._content_length is None

    def _decided(self) -> tuple[int, str | None, ResponseFields]:
        """Return the head, which can't be replaced any more from here on."""
        if self._start is None:
            raise InvalidUse("the application answered without calling start_response")
        self._is_started = True
        return self._start

    def _announced(self) -> tuple[int, str | None, ResponseFields]:
        """Return the same, with the Content-Length: where the body doesn't tell it."""
        start = self._decided()
        if self._content_length is not None:
            start[2].append(("Content-Length", str(self._content_length)))
        return start

    def _whole(self, body: bytes, *, is_end: bool = False) -> Whole:
        # Without the field a response takes the quick way through the connection, which adds
        # it again: 36 instead of 41 µs of processor time for a hello.
        is_told = len(body) == self._content_length
        start = self._decided() if is_told else self._announced()
        self._is_complete = True
        return Whole(*start, body, is_end)


def _rest_of_file(file: IO[bytes]) -> tuple[int, int] | None:
    """Return where a regular file stands, and how many bytes follow; None for anything else.

    A descriptor alone proves nothing: an ``gzip.GzipFile`` has that of the file beneath.
    """
    if not isinstance(getattr(file, "raw", file), io.FileIO):
        return None
    try:
        status = os.fstat(file.fileno())
        offset = file.tell()
    except OSError:
        return None
    return (offset, max(status.st_size - offset, 0)) if stat.S_ISREG(status.st_mode) else None
