"""The coding of a response: chosen by Accept-Encoding, applied in pieces or at once.

RFC 9110, sections 8.4 and 12.5.3.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from concurrent.futures import Executor
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

from aiohttp.protocol import available_codings, content_encoder
from aiohttp.protocol import choose_coding as best_coding

if TYPE_CHECKING:
    from multidict import CIMultiDict

    from .request import BaseRequest

__all__ = [
    "Compressor",
    "ContentCoding",
    "accept_encoding_of",
    "add_to_vary",
    "announce_coding",
    "choose_coding",
]


class ContentCoding(Enum):
    """How a response's body is coded."""

    deflate = "deflate"
    gzip = "gzip"
    br = "br"
    """Needs the extra ``aiohttp-server[brotli]``."""
    zstd = "zstd"
    """Needs the extra ``aiohttp-server[zstd]``, or Python 3.14."""
    identity = "identity"


_PREFERENCE: Final = ("zstd", "br", "gzip", "deflate")
"""Of what the client likes alike: the smallest body for the least time."""

_PARTIAL: Final = 206
_WEAK: Final = "W/"


class _Encoder(Protocol):
    """``aiohttp.protocol.ContentEncoder``, or what knows a strategy of zlib."""

    def encode(self, data: bytes | bytearray | memoryview, /) -> bytes: ...
    def flush(self) -> bytes: ...
    def finish(self) -> bytes: ...


class _Deflater:
    """gzip or deflate by a strategy of zlib."""

    def __init__(self, coding: ContentCoding, strategy: int) -> None:
        window = 31 if coding is ContentCoding.gzip else 15
        self._zlib = zlib.compressobj(wbits=window, strategy=strategy)

    def encode(self, data: bytes | bytearray | memoryview, /) -> bytes:
        return self._zlib.compress(data)

    def flush(self) -> bytes:
        return self._zlib.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._zlib.flush()


class Compressor:
    """One body's coding. What is large is coded in a thread: zlib lets go of the interpreter.

    Raises:
        LocalProtocolError: if an extra isn't installed that the coding needs.
    """

    def __init__(
        self, coding: ContentCoding, strategy: int | None = None, executor: Executor | None = None
    ) -> None:
        self._encoder: _Encoder
        if strategy is not None and coding in {ContentCoding.gzip, ContentCoding.deflate}:
            self._encoder = _Deflater(coding, strategy)
        else:
            self._encoder = content_encoder(coding.value)
        self._executor = executor

    async def encode(self, data: bytes | bytearray | memoryview, at_once: int) -> bytes:
        """Return what can be sent by now; more than ``at_once`` bytes are coded in a thread."""
        if len(data) <= at_once:
            return self._encoder.encode(data)
        return await self._in_thread(self._encoder.encode, data)

    async def encode_whole(self, data: bytes, at_once: int) -> bytes:
        """Return a whole body, coded."""
        if len(data) <= at_once:
            return self._whole(data)
        return await self._in_thread(self._whole, data)

    async def _in_thread(
        self, code: Callable[[bytes], bytes], data: bytes | bytearray | memoryview
    ) -> bytes:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, code, bytes(data))

    def _whole(self, data: bytes) -> bytes:
        return self._encoder.encode(data) + self._encoder.finish()

    def flush(self) -> bytes:
        """Return what is held back, so that the client can read up to here."""
        return self._encoder.flush()

    async def finish(self) -> bytes:
        """Return the rest."""
        return self._encoder.finish()


def choose_coding(
    headers: CIMultiDict[str], request: BaseRequest, asked: ContentCoding | bool, *, status: int
) -> ContentCoding:
    """Return how the body of a response is to be coded, and say in Vary what that depends on.

    ``asked`` is a coding, or True for what the client prefers.
    """
    if "Content-Encoding" in headers or status == _PARTIAL:
        return ContentCoding.identity
    if isinstance(asked, ContentCoding):
        return asked
    add_to_vary(headers, "Accept-Encoding")
    return _preferred(request)


def announce_coding(headers: CIMultiDict[str], coding: ContentCoding) -> None:
    """Put into the fields of a response what follows from its coding."""
    headers["Content-Encoding"] = coding.value
    headers.pop("Content-Length", None)
    etag = headers.get("ETag")
    if etag is not None and not etag.startswith(_WEAK):
        # The bytes differ from those that the tag was made for (RFC 9110, section 8.8.1).
        headers["ETag"] = _WEAK + etag


def accept_encoding_of(request: BaseRequest) -> str | None:
    """Return Accept-Encoding, its lines as one (RFC 9110, section 5.3); None without any."""
    lines = request.headers.getall("Accept-Encoding", None)
    return None if lines is None else ", ".join(lines)


def _preferred(request: BaseRequest) -> ContentCoding:
    accepted = accept_encoding_of(request)
    if accepted is None:
        return ContentCoding.identity
    available = available_codings()
    offered = [coding for coding in _PREFERENCE if coding in available]
    # "identity;q=0" and nothing else that we know: a body that isn't coded serves the client
    # better than 406 (RFC 9110, section 12.5.3, leaves the choice).
    return ContentCoding(best_coding(accepted, offered) or "identity")


def add_to_vary(headers: CIMultiDict[str], name: str) -> None:
    """Say that a field of the request was looked at (RFC 9110, section 12.5.5)."""
    given = ", ".join(headers.getall("Vary", ()))
    members = {member.strip().lower() for member in given.split(",")}
    if "*" not in members and name.lower() not in members:
        headers["Vary"] = f"{given}, {name}" if given else name
