"""Multipart bodies that a program makes of payloads."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, cast

from .coded_payload import CodedPayload
from .coding import content_encoder
from .errors import LocalProtocolError
from .limits import KIB
from .multipart import MultipartEncoder
from .payload import (
    AsyncWriter,
    JsonPayload,
    Payload,
    PayloadContent,
    StringPayload,
    get_payload,
    pieces_of,
)
from .transfer_encoding import transfer_encoder

__all__ = ["MultipartWriter"]

_WORTH_JOINING: Final = 64 * KIB
"""Up to here a body in memory is made one piece, which is sent in one write."""

_NOT_IN_FORMS: Final = ("Content-Encoding", "Content-Length", "Content-Transfer-Encoding")


class MultipartWriter(Payload):
    """A multipart body: append what it is made of, then send it.

    A part is coded as its Content-Encoding and Content-Transfer-Encoding say
    (base64, quoted-printable), but for those of a form, which must have neither (RFC
    7578, sections 4.7 and 4.8). Fields of a part may be changed until it is sent.

    Args:
        subtype: "mixed", "form-data", "related" …
        boundary: 128 random bits if None.
        close_boundary: whether the last boundary is sent; False for a body that never ends.
    """

    __slots__ = ("_close_boundary", "_encoder", "_parts")

    def __init__(
        self, subtype: str = "mixed", boundary: str | None = None, close_boundary: bool = True
    ) -> None:
        self._encoder = MultipartEncoder(subtype, boundary=boundary)
        self._close_boundary = close_boundary
        self._parts: list[Payload] = []
        super().__init__(None, content_type=self._encoder.content_type)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Do nothing: the parts belong to whoever gave them."""

    def __len__(self) -> int:
        return len(self._parts)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Payload]:
        return iter(self._parts)

    @property
    def boundary(self) -> str:
        """What stands between the parts, without its dashes."""
        return self._encoder.boundary

    # What it is made of.

    def append(self, obj: Any, headers: Mapping[str, str] | None = None) -> Payload:
        """Add a part of anything that ``get_payload`` takes, and return it.

        Raises:
            TypeError: if it takes no such thing.
        """
        if not isinstance(obj, Payload):
            return self.append_payload(get_payload(obj, headers=headers))
        if headers:
            obj.headers.update(headers)
        return self.append_payload(obj)

    def append_payload(self, payload: Payload) -> Payload:
        """Add a part, and return it; in a form without a name it gets one."""
        if self._is_form and "Content-Disposition" not in payload.headers:
            payload.set_content_disposition("form-data", name=f"section-{len(self._parts)}")
        self._parts.append(payload)
        return payload

    def append_json(self, obj: Any, headers: Mapping[str, str] | None = None) -> Payload:
        """Add a part of JSON, and return it."""
        return self.append_payload(JsonPayload(obj, headers=headers))

    def append_form(
        self,
        obj: Sequence[tuple[str, Any]] | Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
    ) -> Payload:
        """Add a part that is an urlencoded form, and return it."""
        from urllib.parse import urlencode

        text = urlencode(obj, doseq=True)
        content_type = "application/x-www-form-urlencoded"
        return self.append_payload(StringPayload(text, headers, content_type))

    # The body.

    @property
    def content(self) -> PayloadContent:
        """The body with all parts that it has by now.

        Raises:
            LocalProtocolError: if a field of a part can't be sent.
        """
        sections = self._sections(self._close_boundary)
        joined = [section for section in sections if isinstance(section, bytes)]
        if len(joined) == len(sections) and sum(map(len, joined)) <= _WORTH_JOINING:
            return b"".join(joined)
        return _pieces(sections)

    @property
    def size(self) -> int | None:
        """The length in bytes; None if that of a part isn't known."""
        encoder = self._filled(contents=False)
        length = encoder.content_length
        return length if length is None or self._close_boundary else length - len(encoder.closing)

    @property
    def can_be_replayed(self) -> bool:
        """Whether all parts can."""
        return all(part.can_be_replayed for part in self._parts)

    @property
    def is_in_memory(self) -> bool:
        """Whether all of it is in memory, and so small that it is made one piece."""
        return isinstance(self.content, bytes)

    async def write(self, writer: AsyncWriter, close_boundary: bool = True) -> None:
        """Write the body; without its last boundary, parts may be written behind it."""
        async with aclosing(_pieces(self._sections(close_boundary))) as pieces:
            async for piece in pieces:
                await writer.write(piece)

    @property
    def _is_form(self) -> bool:
        return self._encoder.subtype == "form-data"

    def _sections(self, close_boundary: bool) -> list[PayloadContent]:
        sections = cast("list[PayloadContent]", list(self._filled().sections()))
        return sections if close_boundary else sections[:-1]

    def _filled(self, *, contents: bool = True) -> MultipartEncoder:
        """Return an encoder with the parts as they are by now, or only with their heads and sizes.

        Each part is asked for one of the two where that suffices: of nested bodies both
        would take time by two to the power of the depth.
        """
        encoder = self._encoder.without_parts()
        for part in self._parts:
            sent = self._as_sent(part)
            content: PayloadContent | tuple[()] = sent.content if contents else ()
            length = None if isinstance(content, bytes) else sent.size
            encoder.add_part(content, part.headers.items(), length=length)
        return encoder

    def _as_sent(self, part: Payload) -> Payload:
        """Return a part with the codings that its fields name."""
        headers = part.headers
        if self._is_form:
            if found := [name for name in _NOT_IN_FORMS if name in headers]:
                raise LocalProtocolError(f"a part of a form must not have the field {found[0]}")
            return part
        coding = headers.get("Content-Encoding", "")
        if coding and not isinstance(part, CodedPayload):
            part = CodedPayload(part, partial(content_encoder, coding))
        if encoder := transfer_encoder(headers.get("Content-Transfer-Encoding", "")):
            part = CodedPayload(part, encoder)
        return part


async def _pieces(sections: Iterable[PayloadContent]) -> AsyncGenerator[bytes, None]:
    for section in sections:
        async with aclosing(pieces_of(section)) as pieces:
            async for piece in pieces:
                yield piece
