"""Content codings: gzip, deflate, br and zstd, applied and undone in pieces (RFC 9110, 8.4).

Decoding is pulled. What the peer sent waits in its coded form, and whoever
reads asks for at most so many decoded bytes; so memory stays small however a
decompression bomb is built, and a body that nobody reads is never decoded.

    feed → queue of coded bytes → link of the last coding applied → … → of the first → read

A link takes at most ``_WINDOW`` bytes from the one before it when, and only
when, its decompressor can't go on without them. Each link is bounded, not only
the last: what one inflates may be swallowed by the next.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from .errors import (
    ContentCodingError,
    DecompressionBomb,
    HttpException,
    InvalidUse,
    LimitExceeded,
    LocalProtocolError,
    UnknownContentCoding,
)
from .headers import list_members, shown
from .limits import DEFAULT_LIMITS, Limits

__all__ = [
    "ContentDecoder",
    "ContentEncoder",
    "accept_encoding",
    "available_codings",
    "choose_coding",
    "content_decoder",
    "content_encoder",
    "decoded_at_once",
]

BytesLike: TypeAlias = bytes | bytearray | memoryview

_WINDOW: Final = 16 * 1024
# Coded bytes that one step takes. zlib copies what it did not use at each step,
# so a small window keeps small reads cheap; 64 KiB decode 100 MB no faster.

_STEP: Final = 64 * 1024
# Decoded bytes that one step of ``decoded_at_once`` gives,
_AT_ONCE: Final = 512 * 1024
# and all of them: about 1 ms of inflate.

_ZSTD_WINDOW_LOG: Final = 23
# "A decoder … MUST NOT use a Window_Size larger than 8 MB" (RFC 9659, section 3):
# without this bound a frame of ten bytes makes libzstd ask for 128 MB.


class _Decompressor(Protocol):
    """The interface of ``bz2.BZ2Decompressor``, which zstd's has as well."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether ``decompress(b"")`` can't give anything more."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end of the stream."""
        ...

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return up to ``max_length`` (from 1 on) decompressed bytes."""
        ...


class _Compressor(NamedTuple):
    """What one coding does to data that is sent."""

    encode: Callable[[BytesLike], bytes]
    flush: Callable[[], bytes]
    finish: Callable[[], bytes]


class _Codec(NamedTuple):
    """One content coding: its two directions, and what differs between the formats."""

    decompressor: Callable[[], _Decompressor]
    compressor: Callable[[int], _Compressor]
    levels: range
    default_level: int
    error: type[Exception]
    repeats: bool = False
    """Whether several streams may follow each other (gzip members, zstd frames)."""
    padded: bool = False
    """Whether zero bytes may follow the last stream, as gzip(1) allows."""


# gzip and deflate, in the standard library.


class _Inflater:
    """``zlib.decompressobj`` with the interface of a ``_Decompressor``."""

    def __init__(self, wbits: int) -> None:
        self._inflate = zlib.decompressobj(wbits)
        self._tail = b""
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        found = self._inflate.decompress(self._tail + data, max_length)
        self._tail = self._inflate.unconsumed_tail
        # Having taken everything, zlib may still hold output that did not fit.
        self.needs_input = not self._tail and len(found) < max_length
        return found


class _DeflateInflater(_Inflater):
    """The coding "deflate": zlib-wrapped (RFC 9110, 8.4.1.2), or raw as some servers send it.

    A raw stream can't be taken for a zlib header (RFC 1950, section 2.2): its
    first byte would announce a stored block, with a bit set in the padding.
    """

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._first: bytes | None = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._first is not None:
            data = self._first + data
            if len(data) < 2:
                self._first = data
                return b""
            self._first = None
            if data[0] & 0x0F != zlib.DEFLATED or int.from_bytes(data[:2], "big") % 31:
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        return super().decompress(data, max_length)


def _zlib_codec(
    decompressor: Callable[[], _Decompressor], wbits: int, *, is_gzip: bool
) -> Callable[[], _Codec]:
    def compressor(level: int) -> _Compressor:
        deflate = zlib.compressobj(level, wbits=wbits)
        return _Compressor(
            deflate.compress, lambda: deflate.flush(zlib.Z_SYNC_FLUSH), deflate.flush
        )

    codec = _Codec(
        decompressor, compressor, range(10), 6, zlib.error, repeats=is_gzip, padded=is_gzip
    )
    return lambda: codec


# br and zstd, in extras; imported when first needed.


class _BrotliInflater:
    """``brotli.Decompressor`` with the interface of a ``_Decompressor``.

    Its output bound is only roughly kept (it grows in blocks of 32 KiB and
    more), so the smallest is asked for and the rest is kept here.
    """

    unused_data = b""  # bytes behind the end make brotli raise

    def __init__(self, brotli: Any) -> None:
        self._brotli = brotli.Decompressor()
        self._found = b""
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return not self._found and bool(self._brotli.is_finished())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        found = self._found or bytes(self._brotli.process(data, output_buffer_limit=1))
        self._found = found[max_length:]
        # can_accept_more_data() is true as well when all input was taken and its
        # output is still to come; only an empty answer tells that there is none.
        self.needs_input = not found and self._brotli.can_accept_more_data()
        return found[:max_length]


@cache
def _br() -> _Codec:
    try:
        brotli = import_module("brotli")
    except ImportError as exc:
        raise _missing("br", "brotli") from exc
    if not hasattr(brotli.Decompressor, "can_accept_more_data"):
        # Before 1.2 brotli could only decompress without a bound.
        raise _missing("br", "brotli", f"brotli 1.2 or later, not {brotli.__version__}")

    def compressor(level: int) -> _Compressor:
        compress = brotli.Compressor(quality=level)
        return _Compressor(compress.process, compress.flush, compress.finish)

    # brotli's own default of 11 is for files made once; at 5 it is as fast as
    # gzip at 6 (66 and 47 MB/s of Python source) and 10 % smaller.
    return _Codec(lambda: _BrotliInflater(brotli), compressor, range(12), 5, brotli.error)


@cache
def _zstd() -> _Codec:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        zstd = import_module(name)
    except ImportError as exc:
        raise _missing("zstd", "zstd") from exc
    options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}

    def compressor(level: int) -> _Compressor:
        compress = zstd.ZstdCompressor(level=level)
        return _Compressor(
            compress.compress,
            lambda: compress.flush(compress.FLUSH_BLOCK),
            compress.flush,
        )

    # Levels above 19 use windows that a decoder must refuse (RFC 9659, section 3).
    return _Codec(
        lambda: zstd.ZstdDecompressor(options=options),
        compressor,
        range(1, 20),
        3,
        zstd.ZstdError,
        repeats=True,
    )


def _missing(coding: str, extra: str, what: str = "") -> ImportError:
    needed = what or f"the extra {extra!r}"
    return ImportError(
        f"content coding {coding!r} needs {needed}: pip install 'aiohttp-protocol[{extra}]'"
    )


_CODECS: Final[dict[str, Callable[[], _Codec]]] = {
    "gzip": _zlib_codec(lambda: _Inflater(zlib.MAX_WBITS + 16), zlib.MAX_WBITS + 16, is_gzip=True),
    "deflate": _zlib_codec(_DeflateInflater, zlib.MAX_WBITS, is_gzip=False),
    "br": _br,
    "zstd": _zstd,
}
_ALIASES: Final = {"x-gzip": "gzip"}  # RFC 9110, section 8.4.1.3


def _coding_names(content_encoding: str) -> list[str]:
    """Return the codings in the order in which they were, or will be, applied."""
    names = (_ALIASES.get(name, name) for name in list_members([content_encoding]))
    return [name for name in names if name != "identity"]


# Decoding.


class _Queue:
    """The coded bytes that wait, as one buffer: many tiny pieces cost no more than a large one."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self.received = 0
        self.is_ended = False

    def __len__(self) -> int:
        return len(self._bytes)

    @property
    def taken(self) -> int:
        """How many bytes have been read from here."""
        return self.received - len(self._bytes)

    @property
    def is_complete(self) -> bool:
        return self.is_ended and not self._bytes

    def append(self, data: BytesLike) -> None:
        self._bytes += data
        self.received += len(data)

    def clear(self) -> None:
        self._bytes.clear()

    def read(self, max_size: int) -> bytes:
        with memoryview(self._bytes) as view:
            data = bytes(view[:max_size])
        del self._bytes[: len(data)]
        return data


class _Link:
    """One coding of a chain: takes coded bytes from its source, gives decoded ones."""

    def __init__(
        self, coding: str, codec: _Codec, source: _Queue | _Link, queue: _Queue, limits: Limits
    ) -> None:
        self._coding = coding
        self._codec = codec
        self._source = source
        self._queue = queue
        self._limits = limits
        self._decompressor = codec.decompressor()
        self._members = 1
        self._between = b""  # what follows the end of a member, not looked at yet
        self._is_padding = False
        self._produced = 0

    @property
    def is_complete(self) -> bool:
        """Whether the source is complete and everything was read.

        A body of no bytes at all is complete in every coding: servers label
        empty bodies as they would label full ones.
        """
        return (
            self._is_hungry
            and self._source.is_complete
            and (self._decompressor.eof or not self._queue.received)
        )

    @property
    def _is_hungry(self) -> bool:
        if self._decompressor.eof:
            return not self._between
        return self._decompressor.needs_input

    def read(self, max_size: int) -> bytes:
        """Return 1 to ``max_size`` decoded bytes; ``b""`` if more must be fed first, or at the end.

        Raises:
            ContentCodingError: if the data is malformed, or ended too early.
            LimitExceeded: if a limit is exceeded.
        """
        while True:
            data = b""
            if self._is_hungry and not (data := self._source.read(_WINDOW)):
                if self._source.is_complete and not self.is_complete:
                    raise self._error(
                        f"the body ended before its {self._coding} coding did, "
                        f"after {self._queue.received} coded bytes"
                    )
                return b""
            if found := self._decode(data, max_size):
                self._produced += len(found)
                self._check_size()
                return found

    def _decode(self, data: bytes, max_size: int) -> bytes:
        if self._decompressor.eof:
            data = self._begin_member(self._between + data)
            self._between = b""
            if not data:
                return b""
        try:
            found = self._decompressor.decompress(data, max_size)
        except self._codec.error as exc:
            raise self._error(
                f"expected content coded as {self._coding}, got bytes that aren't: {exc}"
            ) from exc
        if self._decompressor.eof:
            self._between = self._decompressor.unused_data
        return found

    def _begin_member(self, data: bytes) -> bytes:
        """Look at what follows a complete member, and return what belongs to the next."""
        if self._is_padding or (self._codec.padded and data.startswith(b"\0")):
            self._is_padding = True
            data = data.lstrip(b"\0")
        if not data:
            return data
        if self._is_padding or not self._codec.repeats:
            raise self._error(
                f"expected the body to end with its {self._coding} coding, "
                f"got {shown(data, 20)} behind it"
            )
        self._members += 1
        limit = self._limits.members
        if self._members > limit:
            raise LimitExceeded(
                f"expected no more than {limit} members of {self._coding} in one body",
                name="members",
                limit=limit,
            )
        self._decompressor = self._codec.decompressor()
        return data

    def _check_size(self) -> None:
        limits, produced = self._limits, self._produced
        coded = self._queue.taken
        if limits.decoded is not None and produced > limits.decoded:
            raise DecompressionBomb(
                f"{coded} coded bytes decode to more than {limits.decoded} bytes",
                name="decoded",
                limit=limits.decoded,
                ratio=produced / coded,
            )
        if produced > limits.ratio_grace and produced > limits.ratio * coded:
            raise DecompressionBomb(
                f"{coded} coded bytes decode to {produced} bytes and more: "
                f"expected no more than {limits.ratio} times as many",
                name="ratio",
                limit=limits.ratio,
                ratio=produced / coded,
            )

    def _error(self, message: str) -> ContentCodingError:
        return ContentCodingError(message, coding=self._coding)


class ContentDecoder:
    """The content codings of one body, undone at the reader's pace; no loop, no I/O.

    Whoever receives calls ``feed`` and ``end``; whoever reads calls ``read``. All
    errors come out of ``read``, after the bytes that were good, and again at
    every further call; from then on what is fed is dropped. Made by
    ``content_decoder``.
    """

    def __init__(self, codings: Iterable[str], limits: Limits) -> None:
        self._codings = tuple(codings)
        self._queue = _Queue()
        self._error: HttpException | None = None
        last: _Queue | _Link = self._queue
        for coding in reversed(self._codings):  # what was applied last is undone first
            last = _Link(coding, _known_codec(coding), last, self._queue, limits)
        self._last = last

    def __repr__(self) -> str:
        state = "failed" if self._error else "complete" if self.is_complete else "open"
        return f"<ContentDecoder {', '.join(self._codings)} {state} {self.pending} bytes pending>"

    @property
    def pending(self) -> int:
        """How many coded bytes wait; this is what counts for flow control."""
        return len(self._queue)

    @property
    def is_complete(self) -> bool:
        """Whether the input ended where it may end, and everything was read."""
        return self._error is None and self._last.is_complete

    def feed(self, data: BytesLike) -> None:
        """Queue coded bytes, of any number; nothing is decoded yet.

        Raises:
            InvalidUse: after ``end``.
        """
        if self._queue.is_ended:
            raise InvalidUse("the end of the coded body was told; nothing can be fed after it")
        if self._error is None:
            self._queue.append(data)

    def end(self) -> None:
        """Tell that the body ended; ``read`` goes on, and raises if that was too early."""
        self._queue.is_ended = True

    def read(self, max_size: int) -> bytes:
        """Return 1 to ``max_size`` decoded bytes; ``b""`` if more must be fed first, or at the end.

        Which of the two it is, ``is_complete`` tells. What was decoded and isn't
        asked for yet is at most 32 KiB in each link of a chain.

        Raises:
            ContentCodingError: if the data isn't what Content-Encoding says, ends
                too early, or goes on behind its end. A server answers 400.
            DecompressionBomb: if ``limits.decoded`` or ``limits.ratio`` is exceeded (413).
            LimitExceeded: if there are more members than ``limits.members`` (413).
        """
        if max_size < 1:
            raise ValueError(f"max_size must be a number of bytes from 1 on, not {max_size}")
        if self._error is not None:
            raise self._error
        try:
            return self._last.read(max_size)
        except HttpException as exc:
            self._error = exc
            self._queue.clear()
            raise


def content_decoder(
    content_encoding: str, limits: Limits = DEFAULT_LIMITS
) -> ContentDecoder | None:
    """Return what undoes the codings of a body, or None if there are none to undo.

    ``content_encoding`` is the field's value, such as ``"gzip"`` or ``"br, gzip"``
    (first br was applied, then gzip). RFC 9110, section 8.4.

    Raises:
        UnknownContentCoding: if a coding is unknown, or its extra isn't installed.
            A server answers 415.
        ContentCodingError: if there are more than ``limits.codings`` (400).
    """
    codings = _coding_names(content_encoding)
    if len(codings) > limits.codings:
        raise ContentCodingError(
            f"expected no more than {limits.codings} content codings, got {len(codings)}",
            coding=content_encoding,
        )
    return ContentDecoder(codings, limits) if codings else None


def decoded_at_once(
    data: bytes, coding: str, limits: Limits = DEFAULT_LIMITS, max_size: int | None = None
) -> bytes | None:
    """Return what a whole body decodes to, or None if ``content_decoder`` must look at it.

    That is, if anything is unusual about it: it is malformed, has several members,
    or more than 512 KiB or ``max_size``, or comes near a limit. ``coding`` is one of
    ``available_codings``.

    A body of 20 KB takes 15 µs like this, 13 of them in zlib, and 21 through a
    ``ContentDecoder`` and a ``StreamReader``; a GET of it 0.83 of the CPU time.
    """
    most = min(_AT_ONCE, limits.ratio_grace)
    if limits.decoded is not None:
        most = min(most, limits.decoded)
    if max_size is not None:
        most = min(most, max_size)
    codec = _known_codec(coding)
    decompressor = codec.decompressor()
    pieces: list[bytes] = []
    size = 0
    try:
        while not decompressor.eof:
            piece = decompressor.decompress(data, _STEP)
            size += len(piece)
            if not piece or size > most:
                return None
            pieces.append(piece)
            data = b""  # the decompressor keeps what didn't fit
    except codec.error:
        return None
    return None if decompressor.unused_data else b"".join(pieces)


def _known_codec(coding: str) -> _Codec:
    if (load := _CODECS.get(coding)) is None:
        raise UnknownContentCoding(
            f"expected content coded as {accept_encoding()}, got {shown(coding)}", coding=coding
        )
    try:
        return load()
    except ImportError as exc:
        raise UnknownContentCoding(str(exc), coding=coding) from exc


# Encoding.


class ContentEncoder:
    """Content codings, applied to one body in pieces. Made by ``content_encoder``."""

    def __init__(self, compressors: Iterable[_Compressor]) -> None:
        self._compressors = tuple(compressors)
        self._is_finished = False

    def encode(self, data: BytesLike) -> bytes:
        """Return what can be sent by now; often ``b""``, while coded data collects."""
        self._check_open()
        for compressor in self._compressors:
            data = compressor.encode(data)
        return bytes(data)

    def flush(self) -> bytes:
        """Return all that is held back, so that the peer can read up to here.

        Costs some compression; for bodies that are read while they are made.
        """
        self._check_open()
        data = b""
        for compressor in self._compressors:
            data = compressor.encode(data) + compressor.flush()
        return data

    def finish(self) -> bytes:
        """Return the rest, with the end of each coding. Once, also for an empty body."""
        self._check_open()
        self._is_finished = True
        data = b""
        for compressor in self._compressors:
            data = compressor.encode(data) + compressor.finish()
        return data

    def _check_open(self) -> None:
        if self._is_finished:
            raise InvalidUse("the coded body was finished; nothing can be added to it")


def content_encoder(content_encoding: str, level: int | None = None) -> ContentEncoder:
    """Return what applies codings to a body, in the order in which they are named.

    ``content_encoding`` is the field's value that the peer will see; "identity"
    changes nothing. ``level`` is 0 to 9 for gzip and deflate (6 if None), 0 to 11
    for br (5), 1 to 19 for zstd (3). deflate is zlib-wrapped (RFC 9110, 8.4.1.2).

    Raises:
        LocalProtocolError: if a coding is unknown or its extra isn't installed, or
            it does not have that level.
    """
    return ContentEncoder(_compressor(name, level) for name in _coding_names(content_encoding))


def _compressor(coding: str, level: int | None) -> _Compressor:
    try:
        codec = _known_codec(coding)
    except UnknownContentCoding as exc:
        raise LocalProtocolError(exc.message) from exc
    if level is not None and level not in codec.levels:
        raise LocalProtocolError(
            f"a level of {coding} is {codec.levels[0]} to {codec.levels[-1]}, not {level}"
        )
    return codec.compressor(codec.default_level if level is None else level)


# Negotiation.


@cache
def available_codings() -> tuple[str, ...]:
    """Return the codings that can be applied and undone here, as in ``("gzip", "deflate", "br")``.

    Imports what the extras brought (4 ms, once): to find a file is not to know
    that it works, and a coding that is offered to a peer has to.
    """
    names: list[str] = []
    for name, load in _CODECS.items():
        try:
            load()
        except ImportError:
            continue
        names.append(name)
    return tuple(names)


def accept_encoding() -> str:
    """Return a client's Accept-Encoding: everything that is available, without weights."""
    return ", ".join(available_codings())


_WEIGHT = re.compile(r"[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def choose_coding(accept_encoding: str | None, offered: Iterable[str]) -> str | None:
    """Return the coding to answer with: one of ``offered``, "identity", or None if none will do.

    ``accept_encoding`` is the field's value, None where there is no such field.
    The greatest weight wins; among equals the order of ``offered``, which is
    the server's preference, and any coding before identity. Members that
    aren't well-formed count as absent. RFC 9110, section 12.5.3.
    """
    if accept_encoding is None:
        return "identity"  # "any content coding is considered acceptable", but not all cope
    weights = _weights(accept_encoding)
    others = weights.get("*", 0.0)
    best, best_weight = None, 0.0
    for coding in offered:
        weight = weights.get(_ALIASES.get(coding, coding), others)
        if weight > best_weight:
            best, best_weight = coding, weight
    # Not being named leaves identity acceptable, behind everything that is named.
    identity = weights.get("identity", 0.0 if weights.get("*") == 0 else None)
    if identity is None:
        return best or "identity"
    return "identity" if identity > best_weight else best


def _weights(accept_encoding: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for member in accept_encoding.split(","):
        coding, semicolon, weight = member.partition(";")
        found = _WEIGHT.fullmatch(weight.strip(" \t")) if semicolon else None
        if found or not semicolon:
            name = coding.strip(" \t").lower()
            weights[_ALIASES.get(name, name)] = float(found[1]) if found else 1.0
    weights.pop("", None)
    return weights
