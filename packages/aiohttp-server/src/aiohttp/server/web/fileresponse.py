"""A response that is a file: sent by the kernel, in parts, or not at all where it is known."""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aiohttp.protocol import ETag, http_date

from .compression import accept_encoding_of, add_to_vary
from .contenttypes import content_type_of
from .errorpage import short_answer
from .opening import OpenFile, open_file, promptly
from .ranges import ByteRanges, content_range
from .selection import WHOLE, Selection, Validators, select, validators_of
from .stream_response import LooseHeaders, StreamResponse

if TYPE_CHECKING:
    from .request import BaseRequest

__all__ = ["FileResponse"]

_OF_A_FILE: Final = (
    "Accept-Ranges", "Cache-Control", "Content-Digest", "Content-Disposition", "Content-Encoding",
    "Content-Language", "Content-Location", "ETag", "Expires", "Last-Modified", "Repr-Digest",
)  # fmt: skip
"""Fields that a program gives with a file, and that would lie about a line sent in its place."""


class FileResponse(StreamResponse):
    """Send a file, or what the client lacks of it.

    Where status is 200, the conditions of a request (If-Match, If-None-Match, If-Modified-Since,
    If-Unmodified-Since, If-Range) and its ranges are honoured: it may become 206, 304, 412 or
    416. A file that is missing, unreadable or no regular file becomes 404, all three alike.

    A twin beside the file that ends in ``.br``, ``.zst`` or ``.gz`` is sent instead to a client
    that accepts it, with Content-Encoding and Vary; it must not be a symbolic link.

    Content-Type follows from the name, ETag and Last-Modified from the file, where ``headers``
    doesn't say otherwise.

    Args:
        path: of the file. Links are followed: whoever takes it from a request uses
            ``add_static`` instead, which looks where it leads.
        chunk_size: how many bytes are read at a time where the kernel can't send the file:
            one that is compressed now.
        status, reason, headers: as of ``StreamResponse``.
    """

    _below: str | None = None
    """The directory below which no link is followed, if there is one."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        chunk_size: int = 256 * 1024,
        status: int = 200,
        reason: str | None = None,
        headers: LooseHeaders | None = None,
    ) -> None:
        super().__init__(status=status, reason=reason, headers=headers)
        if chunk_size < 1:
            raise ValueError(f"chunk_size is a number of bytes, at least 1; got {chunk_size}")
        self._path = os.fspath(path)
        self._chunk_size = chunk_size

    async def prepare(self, request: BaseRequest) -> None:
        """Send all of it: the head, the file, and the end. A second call changes nothing.

        Raises:
            LocalProtocolError: if the file became shorter meanwhile; the connection is cut.
        """
        if self.prepared:
            await super().prepare(request)  # which refuses another request
            return
        accept_encoding = accept_encoding_of(request)
        found = await promptly(
            self._path,
            lambda: open_file(self._path, accept_encoding, below=self._below),
            _close,
        )
        if found is None:
            await self._decline(request, 404)
            return
        with closing(found):
            await self._answer(request, found)

    async def _answer(self, request: BaseRequest, found: OpenFile) -> None:
        selection = self._select(request, found)
        match selection.status:
            case 304:
                self.set_status(304)
                await super().prepare(request)
                await self.write_eof()
            case 412:
                await self._decline(request, 412)
            case 416:
                self.headers["Content-Range"] = content_range(None, found.size)
                await self._decline(request, 416)
            case _ if len(selection.parts) > 1:
                await self._send_parts(request, found, selection.parts)
            case _:
                await self._send_one(request, found, *selection.parts)

    def _select(self, request: BaseRequest, found: OpenFile) -> Selection:
        """Set what tells one state of the file from another, and compare it with the request."""
        headers = self.headers
        if found.varies:
            add_to_vary(headers, "Accept-Encoding")
        validators = self._validators_of(found)
        headers["ETag"] = str(validators.etag)
        headers.setdefault("Last-Modified", http_date(validators.modified.timestamp()))
        if self.status != 200:
            return WHOLE
        ranges = self._has_ranges(found)
        return select(request.method, request.headers, validators, found.size, ranges=ranges)

    def _validators_of(self, found: OpenFile) -> Validators:
        """Return what the program says of the file's state, or the file."""
        validators = validators_of(found.mtime_ns, found.size, found.coding, time.time())
        own = self.etag
        if not self._has_ranges(found) or (own is not None and found.coding is not None):
            # Two sequences of bytes have this one tag (RFC 9110, section 8.8.1).
            tag = own or validators.etag
            validators = replace(validators, etag=ETag(tag.value, is_weak=True), is_strong=False)
        elif own is not None:
            validators = replace(validators, etag=own)
        return replace(validators, modified=self.last_modified or validators.modified)

    def _has_ranges(self, found: OpenFile) -> bool:
        # What is compressed as it leaves has no parts that a client could count.
        return found.coding is not None or not self.compression

    async def _decline(self, request: BaseRequest, status: int) -> None:
        """Say why there is no file, as the exception of this status says it."""
        self.set_status(status)
        for name in _OF_A_FILE:
            self.headers.popall(name, None)
        content_type, text = short_answer(
            status, self.reason, self.reason, request.headers.getall("Accept", ())
        )
        line = text.encode()
        self.headers["Content-Type"] = f"{content_type}; charset=utf-8"
        add_to_vary(self.headers, "Accept")
        self.headers["Content-Length"] = str(len(line))
        await super().prepare(request)
        await self.write_eof(line)

    async def _send_one(
        self, request: BaseRequest, found: OpenFile, part: range | None = None
    ) -> None:
        """Send the file, or one part of it."""
        headers = self.headers
        headers.setdefault("Content-Type", content_type_of(self._path))
        if self._has_ranges(found):
            headers.setdefault("Accept-Ranges", "bytes")
        if found.coding is not None:
            headers["Content-Encoding"] = found.coding
        if part is None:
            part = range(found.size)
        else:
            self.set_status(206)
            headers["Content-Range"] = content_range(part, found.size)
        await self._begin(request, len(part))
        await self._send(request, found, part)
        await self.write_eof()

    async def _send_parts(
        self, request: BaseRequest, found: OpenFile, parts: tuple[range, ...]
    ) -> None:
        """Send several parts of the file, each with a head of its own."""
        headers = self.headers
        if found.coding is not None:
            headers["Content-Encoding"] = found.coding
        body = ByteRanges(
            parts,
            found.size,
            content_type=headers.get("Content-Type", content_type_of(self._path)),
            boundary=os.urandom(16).hex(),
        )
        self.set_status(206)
        headers["Content-Type"] = body.content_type
        await self._begin(request, body.length)
        for head, part in body:
            await self.write(head)
            await self._send(request, found, part)
        await self.write(body.ending)
        await self.write_eof()

    async def _begin(self, request: BaseRequest, length: int) -> None:
        if not self.chunked:
            self.headers["Content-Length"] = str(length)
        await super().prepare(request)

    async def _send(self, request: BaseRequest, found: OpenFile, part: range) -> None:
        if request.method == "HEAD":
            return
        if found.content is not None:
            await self.write(found.content[part.start : part.stop])
        elif self._compressor is None:
            await request.exchange.sendfile(found.file, part.start, len(part))
        else:
            left = len(part)  # no more than that: a log may grow faster than its reader reads
            while data := await found.read(min(left, self._chunk_size)):
                left -= len(data)
                await self.write(data)


def _close(found: OpenFile | None) -> None:
    if found is not None:
        found.close()
