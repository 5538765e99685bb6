"""One call of a WSGI application (PEP 3333), in the thread where it blocks as it likes."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from types import TracebackType
from typing import IO, TypeAlias
from wsgiref.types import WSGIApplication

from aiohttp.protocol import (
    InvalidUse,
    RemoteProtocolError,
    encode_fields,
    encode_status_line,
    reason_of,
)

from .environ import Environ, FileWrapper
from .input import UnreadableBody
from .steps import ClientGone, End, Finish, ResponseFields, SendFile, Start, Steps, Whole

__all__ = ["Call", "parse_start"]

JOIN = 64 * 1024
"""Up to here a list of pieces is joined, so that the response leaves as one write."""

# Of the connection, not of the message (RFC 9110, section 7.6.1): PEP 3333 forbids
# them to applications. Dropped without an error, as gunicorn's own workers do.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
)


@lru_cache(maxsize=256)
def _parse_status(status: str) -> tuple[int, str | None]:
    """Split ``"404 Not Found"``; the reason is None where it is the registered one."""
    code, _, reason = status.partition(" ")
    if not (len(code) == 3 and code.isascii() and code.isdigit()):
        raise InvalidUse(f"expected a status such as '200 OK', not {status!r}")
    encode_status_line(int(code), reason)
    return int(code), None if reason == reason_of(int(code)) else reason


def parse_start(
    status: object, headers: Iterable[tuple[object, object]]
) -> tuple[Start, int | None]:
    """Return what ``start_response`` was told, and apart from it the Content-Length.

    White space around a value is no part of it (RFC 9110, section 5.5).

    Raises:
        LocalProtocolError: if the status isn't ``"999 Reason"``, a header isn't a
            pair of native strings that can be sent, or Content-Length isn't
            one number. The application can still answer otherwise.
    """
    if not isinstance(status, str):
        raise InvalidUse(f"expected a status such as '200 OK', not {status!r}")
    fields: ResponseFields = []
    lengths: set[str] = set()
    for name, value in headers:
        if not (isinstance(name, str) and isinstance(value, str)):
            raise InvalidUse(f"expected a header of two str, not ({name!r}, {value!r})")
        lower = name.lower()
        if lower == "content-length":
            lengths.add(value.strip(" \t"))
        elif lower not in HOP_BY_HOP:
            fields.append((name, value.strip(" \t")))
    encode_fields(fields)  # The connection would refuse the same, but too late for an answer.
    length = _parse_length(*lengths) if lengths else None
    return Start(*_parse_status(status), fields), length


def _parse_length(text: str, *others: str) -> int:
    if others or not (text.isascii() and text.isdigit()):
        found = ", ".join(sorted([text, *others]))
        raise InvalidUse(f"expected one Content-Length in digits, not {found!r}")
    return int(text)


class Call:
    """Runs an application once and posts what it answers as steps."""

    __slots__ = (
        "_application",
        "_content_length",
        "_environ",
        "_is_complete",
        "_is_head",
        "_is_started",
        "_start",
        "_steps",
    )

    def __init__(self, application: WSGIApplication, environ: Environ, steps: Steps) -> None:
        self._application = application
        self._environ = environ
        # Now: the application may change its environ as it likes (PEP 3333).
        self._is_head = environ["REQUEST_METHOD"] == "HEAD"
        self._steps = steps
        self._start: Start | None = None
        self._content_length: int | None = None
        self._is_started = False
        self._is_complete = False

    def run(self) -> None:
        """Call the application, iterate over its answer, close it; never raises.

        A client that went while all threads were busy isn't worked for any more.
        """
        if not self._steps.is_abandoned:
            self._steps.post(End(self._outcome()))

    def _outcome(self) -> Exception | None:
        """Return the error that the connection has to answer for, or that is to be logged."""
        try:
            self._answer()
        except ClientGone:
            return None
        except UnreadableBody as exc:
            # Once the request is over, that was all that is wrong with its body.
            return None if self._steps.is_abandoned else exc.cause
        except BaseException as exc:  # noqa: BLE001
            if isinstance(exc, Exception) and not isinstance(exc, RemoteProtocolError):
                return exc
            # SystemExit would end the loop. And if the application is a client of
            # others, whose fault this is, then our client is not to blame.
            error = RuntimeError(f"the application raised {exc!r}")
            error.__cause__ = exc
            return error
        return None

    def _answer(self) -> None:
        answer = self._application(self._environ, self._start_response)
        try:
            if isinstance(answer, (list, tuple)) and not self._is_started:
                self._send_list(answer)
            elif isinstance(answer, FileWrapper):
                self._send_file(answer)
            else:
                for data in answer:
                    self._send(data)
            self._finish()
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()

    def _start_response(
        self,
        status: str,
        response_headers: list[tuple[str, str]],
        exc_info: ExcInfo | None = None,
    ) -> Callable[[bytes], object]:
        """PEP 3333, "The start_response() Callable"; the ``write()`` it returns is legacy.

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
        return self._send

    def _decided(self) -> Start:
        """Return the head, which can't be replaced any more from here on."""
        if self._start is None:
            raise InvalidUse("the application answered without calling start_response")
        self._is_started = True
        return self._start

    def _announced(self) -> Start:
        """Return the same, with the Content-Length: where the body doesn't tell it."""
        start = self._decided()
        if self._content_length is not None:
            start.fields.append(("Content-Length", str(self._content_length)))
        return start

    def _send(self, data: object) -> None:
        if not isinstance(data, bytes):
            raise InvalidUse(f"expected a body of bytes, not of {type(data).__name__}")
        if not data:
            return
        if not self._is_started:
            if len(data) == self._content_length:
                self._post_whole(data)
                return
            self._steps.post(self._announced())
        elif self._is_complete:
            raise InvalidUse(f"expected no more body, got {len(data)} bytes after its end")
        self._steps.post_chunk(data)

    def _send_list(self, pieces: list[bytes] | tuple[bytes, ...]) -> None:
        """Answer with a body that is all there: its length is known, it needs no chunks."""
        if len(pieces) == 1 or sum(map(len, pieces)) <= JOIN:
            pieces = (b"".join(pieces),)
        if len(pieces) == 1 and pieces[0]:
            self._post_whole(pieces[0])
            return
        for data in pieces:
            self._send(data)

    def _send_file(self, wrapper: FileWrapper) -> None:
        """Have the connection send a file on disk; read anything else like an iterable.

        Of both no more than the announced length: that is how a part of a file is sent.
        """
        rest = None if self._is_started else _rest_of_file(wrapper.file)
        if rest is None:
            left = sys.maxsize if self._content_length is None else self._content_length
            for data in wrapper:
                self._send(data[:left])
                left -= len(data)
                if left <= 0:
                    break
            return
        offset, size = rest
        if self._content_length is None:
            self._content_length = size
        self._steps.post(self._announced())
        self._steps.post_file(SendFile(wrapper.file, offset, self._content_length))

    def _finish(self) -> None:
        if self._is_complete:
            return
        if self._is_started:
            self._steps.post(Finish())
        elif self._content_length is None and self._is_head:
            # Not as a whole: that would claim that GET has a body of 0 bytes.
            self._steps.post(self._decided())
            self._steps.post(Finish())
        else:
            self._post_whole(b"")
        self._is_complete = True

    def _post_whole(self, body: bytes) -> None:
        # Without the field a response takes the quick way through the connection, which adds
        # it again: 36 instead of 41 µs of processor time for a hello.
        is_told = len(body) == self._content_length
        start = self._decided() if is_told else self._announced()
        self._steps.post(Whole(*start, body))
        self._is_complete = True


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
