"""Multipart bodies: parts between boundaries, decoded and encoded in pieces (RFC 2046, 7578).

    preamble  CRLF --boundary CRLF  head CRLF CRLF data  CRLF --boundary … CRLF --boundary--

Both directions know no loop and no I/O. The decoder has the verbs of h11:
``receive_data``, then ``next_event`` until it gives None, which means that it
needs more. Only the boundary ends a part; a Content-Length inside a part is an
ordinary field (RFC 7578, section 4.8).
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import IO, Final, NamedTuple, Self, TypeAlias

from multidict import CIMultiDict, CIMultiDictProxy

from .disposition import (
    content_disposition_filename,
    encode_content_disposition,
    parse_content_disposition,
)
from .errors import (
    HttpException,
    InvalidHeader,
    InvalidUse,
    LimitExceeded,
    LocalProtocolError,
    MultipartError,
)
from .headers import (
    is_token,
    parse_field_line,
    require_str,
    shown,
    validate_field_name,
    validate_field_value,
)
from .limits import GIB, KIB, MIB, check_bounds
from .parameters import decode_extended, parse_parameters

__all__ = [
    "DEFAULT_MULTIPART_LIMITS",
    "Content",
    "MultipartDecoder",
    "MultipartEncoder",
    "MultipartEnded",
    "MultipartEvent",
    "MultipartLimits",
    "PartBegan",
    "PartData",
    "PartEnded",
    "multipart_decoder",
]


@dataclass(frozen=True, slots=True)
class MultipartLimits:
    """The bounds of one multipart body; sizes are bytes. Beyond them a server answers 413."""

    parts: int = 1000
    """How many parts there may be."""
    head: int = 16 * KIB
    """The head of one part, line ends included."""
    field_line: int = 8190
    """One field line of a part's head, without its line end."""
    fields: int = 32
    """How many field lines the head of one part may have."""
    value: int = MIB
    """The data of one part of a form that is no file: such parts end up in memory."""
    values: int = 16 * MIB
    """The data of all parts of a form that are no files."""
    preamble: int = 8 * KIB
    """What stands before the first boundary, and is dropped."""
    epilogue: int = 8 * KIB
    """What stands behind the last boundary, and is dropped."""
    depth: int = 8
    """How deep multipart bodies may be nested, where a reader follows them."""
    total: int | None = GIB
    """Everything together. None: no bound but that of the body."""

    def __post_init__(self) -> None:
        check_bounds(self)


DEFAULT_MULTIPART_LIMITS = MultipartLimits()


# Events.


@dataclass(frozen=True, slots=True)
class PartBegan:
    """A part begins.

    Attributes:
        headers: its fields, decoded from UTF-8.
        name: of the form's field; always there in a form, else where
            Content-Disposition has one.
        filename: as the peer wrote it, so never to be used as a path; "" where a
            form's file input was left empty. None if the part is no file.
    """

    headers: CIMultiDictProxy[str]
    name: str | None = None
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class PartData:
    """Some bytes of the part that began last; never empty."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnded:
    """The part that began last is complete."""


@dataclass(frozen=True, slots=True)
class MultipartEnded:
    """The last boundary came: there are no more parts."""


MultipartEvent: TypeAlias = PartBegan | PartData | PartEnded | MultipartEnded


# Boundaries.

_CRLF: Final = b"\r\n"
_PADDING: Final = 128
# Bytes of white space that a gateway may have put behind a boundary (RFC 2046,
# section 5.1.1: transport-padding); the RFC sets no bound.

# bchars (RFC 2046, section 5.1.1): 1 to 70, not ending with a space.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")


def _is_boundary(text: str) -> bool:
    return _BOUNDARY.fullmatch(text) is not None


# Decoding.


class MultipartDecoder:
    """Takes a multipart body in pieces, gives events.

    ``receive_data`` never fails for what the peer sent; all errors come out of
    ``next_event``, and again at every further call. If that is called until it
    gives None, at most one piece that was received and the head of one part are
    held. Time is linear in what is received, however it is cut.

    Args:
        boundary: as in Content-Type, without its leading dashes.
        is_form: whether this is multipart/form-data: each part must have a name
            then, and parts that are no files are bounded (``limits.value``).
        limits: see ``MultipartLimits``.

    Attributes:
        boundary: as it was given.
        is_form: as it was given.
    """

    def __init__(
        self,
        boundary: str,
        *,
        is_form: bool = True,
        limits: MultipartLimits = DEFAULT_MULTIPART_LIMITS,
    ) -> None:
        if not _is_boundary(boundary):
            raise MultipartError(
                "expected a boundary of 1 to 70 characters as in RFC 2046, section 5.1.1, "
                f"got {shown(boundary, 80)}"
            )
        self.boundary = boundary
        self._delimiter = b"\r\n--" + boundary.encode()
        self.is_form = is_form
        self._limits = limits
        # The first boundary may be the first line: pretend that a line ended before it.
        self._buffer = bytearray(_CRLF)
        self._read: Callable[[], MultipartEvent | None] = self._read_preamble
        self._error: HttpException | None = None
        self._is_ended = False
        self._is_complete = False
        self._received = 0
        self._dropped = 0  # of the preamble, then of the epilogue
        self._scanned = 0  # of the head, without finding its end
        self._skip = 0  # of the buffer: the line end of the head, which may begin a delimiter
        self._parts = 0
        self._is_file = False
        self._value_size = 0
        self._values_size = 0

    def __repr__(self) -> str:
        state = "failed" if self._error else "complete" if self._is_complete else "open"
        return f"<MultipartDecoder {state} {self._parts} parts in {self._received} bytes>"

    @property
    def is_complete(self) -> bool:
        """Whether the last boundary came."""
        return self._is_complete

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes of the body, of any number.

        Raises:
            InvalidUse: after ``end``.
        """
        if self._is_ended:
            raise InvalidUse("the end of the multipart body was told; nothing can follow it")
        self._received += len(data)
        if self._error is None:
            self._buffer += data

    def end(self) -> None:
        """Tell that the body ended; ``next_event`` raises if that was too early."""
        self._is_ended = True

    def next_event(self) -> MultipartEvent | None:
        """Return the next event, or None if more must be received first.

        After ``MultipartEnded`` it gives None; what follows is the epilogue.

        Raises:
            MultipartError: if the body is malformed, or ended early. A server answers 400.
            LimitExceeded: if a limit is exceeded (413).
        """
        if self._error is not None:
            raise self._error
        try:
            total = self._limits.total
            if total is not None and self._received > total:
                self._exceed("total", f"{total} bytes in a multipart body")
            return self._read()
        except HttpException as exc:
            self._error = exc
            self._buffer.clear()
            raise

    # What is read next: each returns an event, or None if more is needed.

    def _read_preamble(self) -> MultipartEvent | None:
        found = self._buffer.find(self._delimiter)
        end = self._safe_end() if found < 0 else found
        self._drop(end, "preamble")
        if found < 0:
            self._check_open("before the first boundary")
            return None
        return self._begin_boundary_line()

    def _begin_boundary_line(self) -> MultipartEvent | None:
        del self._buffer[: len(self._delimiter)]
        self._read = self._read_boundary_line
        return self._read_boundary_line()

    def _read_boundary_line(self) -> MultipartEvent | None:
        """Read what follows a boundary: nothing before a part, two dashes behind the last one."""
        buffer = self._buffer
        end = buffer.find(_CRLF, 0, _PADDING + len(_CRLF))
        if end < 0 and len(buffer) < _PADDING + len(_CRLF):
            if not self._is_ended:
                return None
            end = len(buffer)  # the end of the body ends the line as well
        rest = None if end < 0 else bytes(buffer[:end]).rstrip(b" \t")
        if rest == b"--":
            return self._end_parts(end)
        if rest in {b"", b"-", b"\r"} and end == len(buffer):
            self._check_open("behind a boundary")
        if rest != b"":
            # RFC 2046 lets a line go on behind the boundary. Readers disagree on
            # whether it is one then, so nobody may depend on it.
            found = shown(bytes(buffer[:_PADDING]) if rest is None else rest, 20)
            raise MultipartError(f"expected a line end or '--' behind a boundary, got {found}")
        return self._begin_part(end)

    def _end_parts(self, end: int) -> MultipartEvent:
        del self._buffer[:end]
        self._is_complete = True
        self._dropped = 0
        self._read = self._read_epilogue
        return MultipartEnded()

    def _begin_part(self, end: int) -> MultipartEvent | None:
        if self._parts == self._limits.parts:
            self._exceed("parts", f"{self._limits.parts} parts")
        self._parts += 1
        del self._buffer[:end]  # the line end stays: a head without fields is that and one more
        self._scanned = 0
        self._read = self._read_head
        return self._read_head()

    def _read_head(self) -> MultipartEvent | None:
        buffer, limit = self._buffer, self._limits.head
        end = buffer.find(b"\r\n\r\n", self._scanned)
        # In front of the head stands the line end of the boundary, which isn't
        # counted; of its own end 2 bytes are to be added, or 1 at least to come.
        if (len(buffer) - 1 if end < 0 else end + 2) > limit:
            self._exceed("head", f"{limit} bytes in the head of a part")
        if end < 0:
            self._scanned = max(0, len(buffer) - 3)
            self._check_open(f"in the head of part {self._parts}")
            return None
        if buffer.find(self._delimiter, 0, end) >= 0:
            raise MultipartError(f"part {self._parts} ended before its head did")
        try:
            began = self._parse_head(bytes(buffer[len(_CRLF) : end]))
        except InvalidHeader as exc:
            raise MultipartError(f"part {self._parts}: {exc.message}") from exc
        # The second line end stays: where the part has no data, it begins a delimiter.
        del buffer[: end + len(_CRLF)]
        self._skip = len(_CRLF)
        self._is_file = began.filename is not None
        self._value_size = 0
        self._read = self._read_data
        return began

    def _read_data(self) -> MultipartEvent | None:
        found = self._buffer.find(self._delimiter)
        end = self._safe_end() if found < 0 else found
        if end > self._skip:
            with memoryview(self._buffer) as view:
                data = bytes(view[self._skip : end])
            del self._buffer[:end]
            self._skip = 0
            if self.is_form and not self._is_file:
                self._count_value(len(data))
            return PartData(data)
        if found < 0:
            self._check_open(f"in the data of part {self._parts}")
            return None
        del self._buffer[:found]
        self._skip = 0
        self._read = self._begin_boundary_line
        return PartEnded()

    def _read_epilogue(self) -> MultipartEvent | None:
        self._drop(len(self._buffer), "epilogue")
        return None

    def _check_open(self, where: str) -> None:
        if self._is_ended:
            boundary = self._delimiter[2:].decode()
            raise MultipartError(f"the body ended {where}: expected it to end with {boundary}--")

    def _safe_end(self) -> int:
        """Return where in the buffer, which has no delimiter, the beginning of one may stand.

        A delimiter has one CR, its first byte; so only the last CR can begin it.
        """
        buffer = self._buffer
        last = buffer.rfind(b"\r", max(0, len(buffer) - len(self._delimiter) + 1))
        if last >= 0 and self._delimiter.startswith(buffer[last:]):
            return last
        return len(buffer)

    def _drop(self, size: int, name: str) -> None:
        del self._buffer[:size]
        self._dropped += size
        limit: int = getattr(self._limits, name)
        # The line end that was pretended, or that of the last boundary, is not counted.
        if self._dropped > limit + len(_CRLF):
            self._exceed(name, f"{limit} bytes of {name}")

    def _count_value(self, size: int) -> None:
        self._value_size += size
        self._values_size += size
        if self._value_size > self._limits.value:
            self._exceed("value", f"{self._limits.value} bytes in a field that is no file")
        if self._values_size > self._limits.values:
            self._exceed("values", f"{self._limits.values} bytes in all fields that are no files")

    def _exceed(self, name: str, what: str) -> None:
        limit: int = getattr(self._limits, name)
        raise LimitExceeded(f"expected no more than {what}", name=name, limit=limit)

    # The head of a part.

    def _parse_head(self, head: bytes) -> PartBegan:
        limits = self._limits
        if head and head.count(_CRLF) + 1 > limits.fields:
            self._exceed("fields", f"{limits.fields} fields in the head of a part")
        headers: CIMultiDict[str] = CIMultiDict()
        for line in head.split(_CRLF) if head else ():
            if len(line) > limits.field_line:
                self._exceed("field_line", f"{limits.field_line} bytes in a field of a part")
            try:
                # Browsers write UTF-8 (RFC 7578, section 5.1), unlike in the head of a message.
                name, value = parse_field_line(line.decode())
            except UnicodeDecodeError as exc:
                raise InvalidHeader(f"expected UTF-8 in a field line, got {shown(line)}") from exc
            if name in headers and name.lower() in _ONCE:
                raise InvalidHeader(f"expected one field {name}, got two", name=name)
            headers.add(name, value)
        name_, filename = self._parse_disposition(headers.get("Content-Disposition"))
        return PartBegan(CIMultiDictProxy(headers), name_, filename)

    def _parse_disposition(self, value: str | None) -> tuple[str | None, str | None]:
        """Return name and filename (RFC 7578, section 4.2; RFC 2183 elsewhere)."""
        if self.is_form:
            return _parse_form_data(value)
        kind, found = parse_content_disposition(value)
        if value is not None and kind is None:
            raise InvalidHeader(
                f"expected 'type; name=value' in Content-Disposition, got {shown(value)}"
            )
        return content_disposition_filename(found, "name"), content_disposition_filename(found)


def _parse_form_data(value: str | None) -> tuple[str, str | None]:
    """Return name and filename of a form's part, in which nothing is left to guess."""
    kind, parameters = ("", {}) if value is None else parse_parameters(value)
    name, filename = parameters.get("name"), parameters.get("filename")
    if kind != "form-data" or name is None:
        raise InvalidHeader(
            "expected Content-Disposition: form-data with a name, "
            f"got {'none' if value is None else shown(value)}"
        )
    if (extended := parameters.get("filename*")) is not None:
        filename = decode_extended(extended)
    elif filename is not None:
        filename = _unescape(filename)
    return _unescape(name), filename


_ONCE: Final = {"content-disposition", "content-type", "content-transfer-encoding"}


def _unescape(text: str) -> str:
    # Browsers write a quote as %22, and leave a real "%22" as it is: the quote is
    # by far the likelier. %0D and %0A stay: no line break comes out of a name.
    return text.replace("%22", '"')


def multipart_decoder(
    content_type: str, limits: MultipartLimits = DEFAULT_MULTIPART_LIMITS
) -> MultipartDecoder:
    """Return the decoder for a body with this Content-Type.

    Raises:
        MultipartError: if it isn't multipart, or has no valid boundary. A server answers 400.
    """
    try:
        kind, parameters = parse_parameters(content_type)
    except InvalidHeader as exc:
        raise MultipartError(f"Content-Type: {exc.message}") from exc
    if not kind.startswith("multipart/"):
        raise MultipartError(f"expected Content-Type: multipart/…, got {shown(content_type)}")
    if (boundary := parameters.get("boundary")) is None:
        raise MultipartError(f"expected a boundary in Content-Type, got {shown(content_type)}")
    return MultipartDecoder(boundary, is_form=kind == "multipart/form-data", limits=limits)


# Encoding.

Content: TypeAlias = bytes | IO[bytes] | Iterable[bytes] | AsyncIterable[bytes]
"""What a part that is sent may hold, and ``sections`` gives."""
_Given: TypeAlias = str | bytearray | memoryview | Content

_PIECE: Final = 64 * KIB


class _Part(NamedTuple):
    head: bytes
    content: Content
    length: int | None


class MultipartEncoder:
    """Makes a multipart body of parts that are added first.

    Iterate over it for the body in pieces of bytes, never empty; or take
    ``sections`` to read the contents yourself. It can be done again if all
    contents can.

    Args:
        subtype: "form-data", "mixed", "related" …
        boundary: 128 random bits if None. One that is given is looked for in
            contents that are bytes, and refused if it is there.
    """

    def __init__(self, subtype: str = "form-data", *, boundary: str | None = None) -> None:
        if not is_token(subtype):
            raise LocalProtocolError(f"a subtype of multipart must be a token, not {subtype!r}")
        if boundary is not None and not _is_boundary(boundary):
            raise LocalProtocolError(
                "a boundary must be 1 to 70 characters as in RFC 2046, section 5.1.1, "
                f"not {shown(boundary, 80)}"
            )
        self.subtype = subtype
        self.boundary = os.urandom(16).hex() if boundary is None else boundary
        self._is_boundary_random = boundary is None
        self._parts: list[_Part] = []

    def __repr__(self) -> str:
        length = "unknown" if self.content_length is None else self.content_length
        return f"<MultipartEncoder {self.subtype} {len(self._parts)} parts, length {length}>"

    @property
    def content_type(self) -> str:
        """The value for Content-Type; the boundary is quoted where it has to be."""
        boundary = self.boundary if is_token(self.boundary) else f'"{self.boundary}"'
        return f"multipart/{self.subtype}; boundary={boundary}"

    @property
    def content_length(self) -> int | None:
        """The bytes of the whole body; None if the length of a part isn't known."""
        total = len(self.closing)
        for part in self._parts:
            if part.length is None:
                return None
            total += len(part.head) + part.length
        return total

    def add_field(
        self,
        name: str,
        content: _Given,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        fields: Iterable[tuple[str, str]] = (),
        length: int | None = None,
    ) -> None:
        """Add a field of a form, or a file if there is a filename (RFC 7578).

        ``str`` is sent as UTF-8. Names and filenames are sent as browsers do: in
        UTF-8, with ``"``, CR and LF as %22, %0D and %0A. ``length`` is that of the
        content in bytes, where it isn't ``bytes`` or ``str`` and you know it.

        Raises:
            LocalProtocolError: if a name, type or field can't be sent.
            InvalidUse: if this isn't form-data.
        """
        if self.subtype != "form-data":
            raise InvalidUse(f"multipart/{self.subtype} has no form fields: use add_part()")
        require_str("a name", name)
        names = {"name": name}
        if filename is not None:
            require_str("a filename", filename)
            names["filename"] = filename
        head = [("Content-Disposition", encode_content_disposition("form-data", names))]
        if content_type is not None:
            head.append(("Content-Type", content_type))
        self._add(content, (*head, *fields), length)

    def add_part(
        self,
        content: _Given,
        fields: Iterable[tuple[str, str]] = (),
        *,
        length: int | None = None,
    ) -> None:
        """Add a part with these fields, such as Content-Type.

        The content may be another encoder, with its ``content_type`` as the field
        and its ``content_length`` as the length.

        Raises:
            LocalProtocolError: if a field can't be sent.
            InvalidUse: if this is form-data, and the fields give no name.
        """
        fields = tuple(fields)
        if self.subtype == "form-data" and not any(map(_names_a_field, fields)):
            raise InvalidUse("a part of form-data needs a name: use add_field()")
        self._add(content, fields, length)

    def without_parts(self) -> Self:
        """Return an encoder with the same type and boundary, and no parts yet."""
        other = copy(self)
        other._parts = []  # noqa: SLF001 it is of this class
        return other

    def sections(self) -> Iterator[Content]:
        """Yield what to send, in order: ``bytes``, and contents as they were added.

        For contents that need a loop, a thread or a pace of their own. A content
        must be read to its end, and be as long as was said.
        """
        for part in self._parts:
            yield part.head
            if part.content != b"":
                yield part.content
        yield self.closing

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body in pieces; files in pieces of 64 KiB, iterables in theirs.

        Raises:
            LocalProtocolError: if a content isn't as long as was said, or can only
                be read by ``async for``.
        """
        for part in self._parts:
            yield part.head
            sent = 0
            for piece in _pieces(part.content):
                sent += len(piece)
                if part.length is not None and sent > part.length:
                    break
                if piece:
                    yield piece
            if part.length is not None and sent != part.length:
                raise LocalProtocolError(
                    f"a part was to have {part.length} bytes, but its content has "
                    f"{'more' if sent > part.length else sent}"
                )
        yield self.closing

    @property
    def closing(self) -> bytes:
        """The last boundary, with which the body ends."""
        return self._delimiter + b"--\r\n"

    @property
    def _delimiter(self) -> bytes:
        """Two dashes and the boundary, in a line of its own."""
        return (_CRLF if self._parts else b"") + b"--" + self.boundary.encode()

    def _add(self, content: _Given, fields: Iterable[tuple[str, str]], length: int | None) -> None:
        if isinstance(content, str):
            content = _utf8(content, "a content")
        if isinstance(content, bytes | bytearray | memoryview):
            content = bytes(content)
            length = len(content)
            if not self._is_boundary_random:
                self._check_boundary(content)
        lines = [self._delimiter, *(_encode_field(*field) for field in fields), b"", b""]
        self._parts.append(_Part(_CRLF.join(lines), content, length))

    def _check_boundary(self, content: bytes) -> None:
        line = b"--" + self.boundary.encode()
        if content.startswith(line) or _CRLF + line in content:
            raise LocalProtocolError(
                f"the boundary {self.boundary!r} is a line of a content: give another, or none"
            )


def _names_a_field(field: tuple[str, str]) -> bool:
    """Whether this is the Content-Disposition that a part of a form must have (RFC 7578, 4.2)."""
    if field[0].lower() != "content-disposition":
        return False
    kind, parameters = parse_content_disposition(field[1])
    return kind == "form-data" and "name" in parameters


def _encode_field(name: str, value: str) -> bytes:
    """Return a field line of a part without its line end; the one way into a part's head."""
    validate_field_name(name)
    octets = _utf8(value, f"field {shown(name)}")
    validate_field_value(name, octets.decode("iso-8859-1"))
    return name.encode() + b": " + octets


def _utf8(text: str, what: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as exc:
        raise LocalProtocolError(f"{what} can't be sent as UTF-8: {exc.reason}") from exc


def _pieces(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    if not isinstance(content, Iterable):
        raise LocalProtocolError(
            f"{type(content).__name__} can only be read by 'async for': use sections()"
        )
    read = getattr(content, "read", None)
    for piece in content if read is None else iter(lambda: read(_PIECE), b""):
        yield _octets(piece)


def _octets(piece: object) -> bytes:
    if isinstance(piece, bytes | bytearray):
        return bytes(piece)
    if isinstance(piece, memoryview):
        return piece.tobytes()
    # Of a text file "" would be no end, either.
    raise LocalProtocolError(
        f"a content is sent as bytes: expected a piece of bytes, not {type(piece).__name__}"
    )
