"""Multipart bodies that a program reads, part by part, at its own pace.

    MultipartReader → next() → BodyPartReader → read(), read_chunk(), readline() …
                             → MultipartReader, where the part is multipart itself

What is asked for is pulled from the stream, no more; a part that isn't read to its end
is read over when the next one is asked for. Of a part that is multipart itself the data
is the stream of the inner reader: so its boundaries can't be taken for those around it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final, Protocol, Self, overload

from multidict import CIMultiDict, CIMultiDictProxy

from .coding import ContentDecoder, content_decoder
from .disposition import (
    content_disposition_filename,
    encode_content_disposition,
    parse_content_disposition,
)
from .errors import LimitExceeded, MultipartError
from .headers import shown
from .limits import DEFAULT_LIMITS, KIB
from .multipart import (
    DEFAULT_MULTIPART_LIMITS,
    MultipartDecoder,
    MultipartEnded,
    MultipartEvent,
    MultipartLimits,
    PartBegan,
    PartData,
    multipart_decoder,
)
from .parameters import charset_of, codec_of
from .payload import Order, Payload, PayloadContent, payload_type
from .transfer_encoding import NOT_BASE64, TransferDecoder, transfer_decoder

__all__ = [
    "BodyPartReader",
    "BodyPartReaderPayload",
    "HasContent",
    "MultipartReader",
    "MultipartResponseWrapper",
    "PartDecoder",
    "PartSource",
    "ReadsAny",
]

_LINE: Final = 256 * KIB
"""What ``readline`` takes at most, as ``Limits.read_buffer`` for a stream."""
_STEP: Final = 64 * KIB
"""How much is decoded at once, before other tasks have their turn."""
_CHARSET: Final = 40
"""Bytes of the field ``_charset_``: the longest label there is has 19 (WHATWG Encoding)."""
_FORM_FIELDS: Final = 1000


class ReadsAny(Protocol):
    """A stream of bytes, such as ``StreamReader``."""

    async def readany(self) -> bytes:
        """Return the next bytes as they came, ``b""`` at the end."""
        ...


class HasContent(Protocol):
    """A response whose body can be read, and that can be let go of."""

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """Its fields, with Content-Type."""
        ...

    @property
    def content(self) -> Any:
        """Its body: something that ``ReadsAny``, and has ``at_eof()``."""
        ...

    def release(self) -> Awaitable[object]:
        """Give the connection back."""
        ...


class PartSource:
    """The events of one multipart body, pulled from a stream; one reader at a time."""

    def __init__(
        self, decoder: MultipartDecoder, stream: ReadsAny, limits: MultipartLimits
    ) -> None:
        self._decoder = decoder
        self._stream = stream
        self.limits = limits
        self.depth: int = stream.depth + 1 if isinstance(stream, BodyPartReader) else 1
        if self.depth > limits.depth:
            raise LimitExceeded(
                f"expected multipart bodies no deeper than {limits.depth} in each other",
                name="depth",
                limit=limits.depth,
            )

    async def next_event(self) -> MultipartEvent:
        """Return the next event; after the last boundary always ``MultipartEnded``.

        Raises:
            HttpException: if the body is malformed, ends too early or exceeds a limit, and
                whatever the stream raises; again at every further call.
        """
        while (event := self._decoder.next_event()) is None:
            if self._decoder.is_complete:
                return MultipartEnded()
            await self._receive()
        return event

    async def drain(self) -> None:
        """Read what follows the last boundary, and drop it."""
        self._decoder.next_event()
        while await self._receive():
            self._decoder.next_event()

    async def _receive(self) -> bool:
        data = await self._stream.readany()
        if data:
            self._decoder.receive_data(data)
        else:
            self._decoder.end()
        return bool(data)


class BodyPartReader:
    """One part, read once. Made by ``MultipartReader``.

    Every read returns ``b""`` at the end, and raises what the reader raises. Cancelling
    one loses no byte. Data comes as it was sent; ``decode`` undoes its codings.

    Args:
        boundary: of the body, with its two dashes.
        headers: the fields of the part.
        content: where its data comes from: of a stream, from here to the boundary.
        is_form: whether the body is a form, whose parts have no content coding.
        default_charset: what the form's field ``_charset_`` said.
        began: the event in which the part began.

    Attributes:
        headers: its fields, decoded from UTF-8.
        name: of the form's field, or None.
        filename: as the peer wrote it, so never to be used as a path; or None.
        depth: of the body, 1 if it is part of no other.
    """

    chunk_size: ClassVar[int] = 8 * KIB

    def __init__(
        self,
        boundary: bytes,
        headers: CIMultiDictProxy[str],
        content: PartSource | ReadsAny,
        *,
        is_form: bool = False,
        default_charset: str | None = None,
        began: PartBegan | None = None,
    ) -> None:
        if not isinstance(content, PartSource):
            content = _source_within_part(boundary, content)
        if began is None:
            parameters = parse_content_disposition(headers.get("Content-Disposition"))[1]
            self.name = content_disposition_filename(parameters, "name")
            self.filename = content_disposition_filename(parameters)
        else:
            self.name, self.filename = began.name, began.filename
        self.headers = headers
        self.depth = content.depth
        self._source = content
        self._is_form = is_form
        self._default_charset = default_charset
        self._piece = b""  # came, and wasn't read, from the offset on
        self._offset = 0
        self._has_ended = False

    def __repr__(self) -> str:
        name = "" if self.name is None else f" {self.name!r}"
        return f"<BodyPartReader{name} {'at its end' if self.at_eof() else 'open'}>"

    def at_eof(self) -> bool:
        """Return whether everything was read; a last read that gives ``b""`` finds out."""
        return self._has_ended and self._offset == len(self._piece)

    # Reading.

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        data = await self.readany()
        if not data:
            raise StopAsyncIteration
        return data

    async def readany(self) -> bytes:
        """Return the next bytes as they came."""
        return self._take(len(self._piece)) if await self._has_more() else b""

    async def read(self, *, decode: bool = False) -> bytes:
        """Return all that is left, with its codings undone if ``decode`` is true."""
        taken: list[bytes] = []
        try:
            while data := await self.readany():
                taken.append(data)
            data = b"".join(taken)
            return b"".join([piece async for piece in self.decode_iter(data)]) if decode else data
        except BaseException:
            self._put_back(b"".join(taken))
            raise

    async def read_chunk(self, size: int = chunk_size) -> bytes:
        """Return 1 to ``size`` bytes as soon as there are any.

        Of base64 whole groups of four characters, so that ``decode`` can take each
        chunk; if there is none in ``size`` bytes, what means nothing in them is dropped.
        """
        if size < 1:
            raise ValueError(f"read_chunk needs a size from 1 on, not {size}")
        if self.headers.get("Content-Transfer-Encoding", "").lower() == "base64":
            return await self._read_groups(size)
        return self._take(size) if await self._has_more() else b""

    async def readline(self) -> bytes:
        """Return a line with its LF; at the end of the part, what is left.

        Raises:
            LimitExceeded: if it is longer than 256 KiB; its bytes can be read otherwise.
        """
        line = bytearray()
        try:
            while await self._has_more():
                end = self._piece.find(b"\n", self._offset) + 1
                line += self._take(end - self._offset if end else len(self._piece))
                if len(line) > _LINE:
                    raise LimitExceeded(
                        f"expected a line of at most {_LINE} bytes", name="readline", limit=_LINE
                    )
                if end:
                    break
        except BaseException:
            self._put_back(bytes(line))
            raise
        return bytes(line)

    async def release(self) -> None:
        """Read the rest, and drop it."""
        while await self.readany():
            pass

    async def text(self, *, encoding: str | None = None) -> str:
        """Return all that is left as text: in ``encoding``, the part's charset, or UTF-8.

        Raises:
            MultipartError: if the peer names a charset that there isn't. A server answers 400.
            UnicodeDecodeError: if the data isn't in that encoding.
        """
        data = await self.read(decode=True)
        return data.decode(encoding or self._known_charset())

    async def json(self, *, encoding: str | None = None) -> Any:
        """Return all that is left as the value that its JSON stands for; None if it is empty.

        Raises:
            ValueError: if it isn't JSON; and as ``text``.
        """
        from json import loads

        text = await self.text(encoding=encoding)
        return loads(text) if text else None

    async def form(self, *, encoding: str | None = None) -> list[tuple[str, str]]:
        """Return all that is left as the pairs of an urlencoded form.

        Raises:
            LimitExceeded: if there are more than 1000. A server answers 413.
        """
        from urllib.parse import parse_qsl

        encoding = encoding or self._known_charset()
        text = (await self.text(encoding=encoding)).rstrip()
        if text.count("&") >= _FORM_FIELDS:
            raise LimitExceeded(
                f"expected no more than {_FORM_FIELDS} fields in an urlencoded form",
                name="fields",
                limit=_FORM_FIELDS,
            )
        return parse_qsl(text, keep_blank_values=True, encoding=encoding)

    # Decoding.

    @overload
    def get_charset(self, default: str) -> str: ...
    @overload
    def get_charset(self, default: str | None = None) -> str | None: ...
    def get_charset(self, default: str | None = None) -> str | None:
        """Return the charset of Content-Type, or of the form, or ``default``."""
        named = charset_of(self.headers.get("Content-Type", ""))
        return named or self._default_charset or default

    def decode(self, data: bytes) -> bytes:
        """Undo Content-Transfer-Encoding and Content-Encoding of the whole data.

        Or of one chunk, if it is in base64 alone: for all others ``decoder`` keeps what goes
        over from chunk to chunk.

        Raises:
            HttpException: if it isn't so encoded, or decodes to more than
                ``MultipartLimits.total`` bytes.
        """
        return b"".join(self.decoder().decoded(data, is_last=True))

    async def decode_iter(self, data: bytes) -> AsyncGenerator[bytes, None]:
        """Decode as ``decode``, but yield up to 64 KiB at a time, and leave the loop its turn."""
        for piece in self.decoder().decoded(data, is_last=True):
            yield piece
            await asyncio.sleep(0)

    def decoder(self) -> PartDecoder:
        """Return what undoes the codings of this part, chunk after chunk."""
        transfer = transfer_decoder(self.headers.get("Content-Transfer-Encoding", ""))
        limits = replace(DEFAULT_LIMITS, decoded=self._source.limits.total)
        # RFC 7578, section 4.8: no field but three means anything in a form.
        coding = "" if self._is_form else self.headers.get("Content-Encoding", "")
        return PartDecoder(transfer and transfer(), content_decoder(coding, limits))

    def _known_charset(self) -> str:
        charset = self.get_charset("utf-8")
        codec = codec_of(charset)
        if codec is None:
            raise MultipartError(f"expected a charset, got {shown(charset)}")
        return codec

    # Inside.

    async def _has_more(self) -> bool:
        while self._offset == len(self._piece) and not self._has_ended:
            event = await self._source.next_event()
            if isinstance(event, PartData):
                self._piece, self._offset = event.data, 0
            else:
                self._has_ended = True
        return self._offset < len(self._piece)

    def _take(self, size: int) -> bytes:
        data = self._piece[self._offset : self._offset + size]
        self._offset += len(data)
        return data

    def _put_back(self, data: bytes) -> None:
        if self._piece.endswith(data, 0, self._offset):
            self._offset -= len(data)  # nothing is copied: a piece may be read in many chunks
        else:
            self._piece = data + self._piece[self._offset :]
            self._offset = 0

    async def _read_groups(self, size: int) -> bytes:
        taken = bytearray()
        characters = 0
        try:
            while characters < 4 and await self._has_more():
                if len(taken) >= size:
                    taken = taken.translate(None, NOT_BASE64)
                data = self._take(max(1, size - len(taken)))
                characters += len(data.translate(None, NOT_BASE64))
                taken += data
        except BaseException:
            self._put_back(bytes(taken))
            raise
        if characters < 4:
            return bytes(taken)
        end = len(taken)
        incomplete = characters % 4
        while incomplete:
            end -= 1
            incomplete -= taken[end] not in NOT_BASE64
        self._put_back(bytes(taken[end:]))
        return bytes(taken[:end])


class PartDecoder:
    """Undoes the codings of one part, chunk after chunk. Made by ``BodyPartReader.decoder``."""

    def __init__(self, transfer: TransferDecoder | None, content: ContentDecoder | None) -> None:
        self._transfer = transfer
        self._content = content

    def decoded(self, data: bytes, *, is_last: bool) -> Iterator[bytes]:
        """Yield what can be decoded by now, up to 64 KiB at a time; what isn't coded at once.

        Raises:
            HttpException: if it isn't so encoded, ended too early, or exceeds a limit.
        """
        if self._transfer is None:
            yield from self._undo_content(data, is_last=is_last)
            return
        for start in range(0, len(data), _STEP):
            step = self._transfer.decode(data[start : start + _STEP])
            yield from self._undo_content(step, is_last=False)
        if is_last:
            yield from self._undo_content(self._transfer.finish(), is_last=True)

    def _undo_content(self, data: bytes, *, is_last: bool) -> Iterator[bytes]:
        if self._content is None:
            if data:
                yield data
            return
        self._content.feed(data)
        if is_last:
            self._content.end()
        while piece := self._content.read(_STEP):
            yield piece


def _source_within_part(boundary: bytes, stream: ReadsAny) -> PartSource:
    """Return the source of a stream whose part has begun, head and all."""
    decoder = MultipartDecoder(boundary.removeprefix(b"--").decode("ascii"), is_form=False)
    decoder.receive_data(b"--" + decoder.boundary.encode() + b"\r\n\r\n")
    decoder.next_event()
    return PartSource(decoder, stream, DEFAULT_MULTIPART_LIMITS)


@payload_type(BodyPartReader, order=Order.try_first)
class BodyPartReaderPayload(Payload):
    """A part that came, to be sent on: decoded, of the same type and name; once."""

    __slots__ = ("_part",)

    def __init__(
        self,
        value: BodyPartReader,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
        filename: str | None = None,
        encoding: str | None = None,
    ) -> None:
        content_type = content_type or value.headers.get("Content-Type")
        super().__init__(value, None, content_type, filename or value.filename, encoding)
        self._part = value
        names = {"name": value.name, "filename": self.filename}
        told = {key: name for key, name in names.items() if name is not None}
        if told:
            self.headers["Content-Disposition"] = encode_content_disposition("attachment", told)
        self.headers.update(headers or {})

    @property
    def content(self) -> PayloadContent:
        """What is left of the part, decoded."""
        return self._pieces()

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        decoder = self._part.decoder()
        while data := await self._part.readany():
            for piece in decoder.decoded(data, is_last=False):
                yield piece
        for piece in decoder.decoded(b"", is_last=True):
            yield piece


class MultipartReader:
    """The parts of a body, one after the other.

    Args:
        headers: of the message, with Content-Type.
        content: its body.
        limits: of everything that the peer chooses; what is read in parts and as a
            whole counts the same.

    Raises:
        MultipartError: if Content-Type isn't multipart, or has no boundary.
        LimitExceeded: if this body is nested deeper than ``limits.depth``.
    """

    response_wrapper_cls: ClassVar[Callable[..., MultipartResponseWrapper]]
    multipart_reader_cls: ClassVar[type[MultipartReader] | None] = None
    """For parts that are multipart themselves; this class if None."""
    part_reader_cls: ClassVar[type[BodyPartReader]] = BodyPartReader

    def __init__(
        self,
        headers: Mapping[str, str],
        content: ReadsAny,
        *,
        limits: MultipartLimits = DEFAULT_MULTIPART_LIMITS,
    ) -> None:
        self.headers = headers
        self._decoder = multipart_decoder(CIMultiDict(headers).get("Content-Type", ""), limits)
        self._source = PartSource(self._decoder, content, limits)
        self._part: BodyPartReader | None = None  # the last one, maybe not read to its end
        self._is_first = True
        self._default_charset: str | None = None
        self._at_eof = False

    @classmethod
    def from_response(cls, response: HasContent) -> MultipartResponseWrapper:
        """Return the parts of a response, whose connection is given back behind the last one."""
        return cls.response_wrapper_cls(response, cls(response.headers, response.content))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> MultipartReader | BodyPartReader:
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    def at_eof(self) -> bool:
        """Return whether the last boundary came."""
        return self._at_eof

    async def next(self) -> MultipartReader | BodyPartReader | None:
        """Return the next part, None behind the last one. What is left of this one is dropped.

        The field ``_charset_`` that may begin a form is taken as the charset of its
        text, and passed over (RFC 7578, section 4.6).

        Raises:
            MultipartError: if the body is malformed, or ends too early. A server answers 400.
            LimitExceeded: if it exceeds a limit (413).
        """
        part = await self.fetch_next_part()
        may_be_charset = self._is_first and self._decoder.is_form
        self._is_first = False
        if may_be_charset and isinstance(part, BodyPartReader) and part.name == "_charset_":
            self._default_charset = await _read_charset(part)
            part = await self.fetch_next_part()
        return part

    async def fetch_next_part(self) -> MultipartReader | BodyPartReader | None:
        """Return the next part as ``next`` does, whatever it is."""
        if self._part is not None:
            await self._part.release()
        event = await self._source.next_event()
        if not isinstance(event, PartBegan):
            self._at_eof = True
            return None
        self._part = self.part_reader_cls(
            b"--" + self._decoder.boundary.encode(),
            event.headers,
            self._source,
            is_form=self._decoder.is_form,
            default_charset=self._default_charset,
            began=event,
        )
        if not _is_multipart(event.headers.get("Content-Type", "")):
            return self._part
        inner = self.multipart_reader_cls or type(self)
        return inner(event.headers, self._part, limits=self._source.limits)

    async def release(self) -> None:
        """Read everything that is left, and drop it, also behind the last boundary."""
        while not self._at_eof:
            await self.fetch_next_part()
        await self._source.drain()


def _is_multipart(content_type: str) -> bool:
    return content_type.lstrip(" \t").lower().startswith("multipart/")


async def _read_charset(part: BodyPartReader) -> str:
    name = b""
    while data := await part.read_chunk(_CHARSET):
        name += data
        if len(name) > _CHARSET:
            raise MultipartError(f"expected a charset in the field _charset_, got {shown(name)}")
    return name.decode("ascii", "replace").strip()


class MultipartResponseWrapper:
    """The parts of a response. Made by ``MultipartReader.from_response``.

    Attributes:
        resp: the response.
        stream: its reader.
    """

    def __init__(self, resp: HasContent, stream: MultipartReader) -> None:
        self.resp = resp
        self.stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> MultipartReader | BodyPartReader:
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    def at_eof(self) -> bool:
        """Return whether the response was read to its end."""
        return bool(self.resp.content.at_eof())

    async def next(self) -> MultipartReader | BodyPartReader | None:
        """Return the next part; None behind the last one, and the response is released then."""
        part = await self.stream.next()
        if self.stream.at_eof():
            await self.release()
        return part

    async def release(self) -> None:
        """Give the connection back, or close it if much is left to read."""
        await self.resp.release()


MultipartReader.response_wrapper_cls = MultipartResponseWrapper
