"""Bodies that a program sends: bytes, text, JSON, files and iterables, and what is told of each.

    bytes, str, JSON, BytesIO, StringIO   in memory: length known, can be replayed
    a seekable file                       read in a thread; rewound to where it stood to be replayed
    any other file, an iterable           sent once
    an async iterable, an async reader    sent once, as fast as it gives

A payload is the body of a whole message, or of one part of a multipart body: it has the
fields that a part has. It never closes what it was given: whoever opens, closes.
"""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from codecs import getincrementalencoder
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Callable,
    Generator,
    Iterable,
    Mapping,
)
from collections.abc import (
    Set as AbstractSet,
)
from contextlib import aclosing
from enum import Enum
from inspect import iscoroutinefunction
from io import BufferedRandom, BufferedReader, BytesIO, FileIO, IOBase, StringIO, TextIOBase
from stat import S_ISREG
from threading import Lock
from typing import IO, Any, ClassVar, Final, Protocol, TypeAlias, TypeVar

from multidict import CIMultiDict

from .errors import InvalidUse
from .limits import KIB

__all__ = [
    "PAYLOAD_REGISTRY",
    "AsyncIterablePayload",
    "AsyncReadable",
    "AsyncReaderPayload",
    "AsyncWriter",
    "BufferedReaderPayload",
    "BytesIOPayload",
    "BytesPayload",
    "IOBasePayload",
    "IterablePayload",
    "JsonPayload",
    "Order",
    "Payload",
    "PayloadRegistry",
    "StringIOPayload",
    "StringPayload",
    "TextIOPayload",
    "get_payload",
    "payload_type",
    "pieces_of",
]

PayloadContent: TypeAlias = bytes | AsyncIterable[bytes]
"""All of a body, or what gives it piece by piece."""
LooseFields: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

_PIECE: Final = 64 * KIB
_FILE_PIECE: Final = 256 * KIB
"""What one turn in a thread reads of a file: 100 MB in 15 ms, where 64 KiB take 54 ms."""


class AsyncWriter(Protocol):
    """Where ``Payload.write`` writes to."""

    async def write(self, data: bytes, /) -> object:
        """Take some bytes, and return when more are welcome."""


class AsyncReadable(Protocol):
    """A stream such as ``response.content``, or a file of aiofiles."""

    async def read(self, n: int, /) -> bytes:
        """Return 1 to ``n`` bytes, or ``b""`` at the end."""
        ...


class Payload(ABC):
    """One body, or one part of a multipart body.

    Args:
        value: what the program gave.
        headers: fields of the part; Content-Type among them wins over ``content_type``.
        content_type: guessed from the filename if None, else ``default_content_type``.
        filename: to be told to the peer.
        encoding: of text.
    """

    __slots__ = ("__weakref__", "_content_type", "_headers", "encoding", "filename")

    default_content_type: ClassVar[str] = "application/octet-stream"

    def __init__(
        self,
        value: Any,
        headers: LooseFields | None = None,
        content_type: str | None = None,
        filename: str | None = None,
        encoding: str | None = None,
    ) -> None:
        self.filename = filename
        self.encoding = encoding
        if content_type is None:
            content_type = _guessed_type(filename) if filename else None
        self._content_type = self.default_content_type if content_type is None else content_type
        # Made when it is needed: a body that is no part has no fields (1 µs).
        self._headers: CIMultiDict[str] | None = None
        if headers:
            self.headers.update(headers)

    def __repr__(self) -> str:
        size = "of unknown size" if self.size is None else f"{self.size} bytes"
        return f"<{type(self).__name__} {self.content_type or 'without a type'}, {size}>"

    @property
    @abstractmethod
    def content(self) -> PayloadContent:
        """The bytes, or what gives them; where it can be replayed, from the start each time."""

    @property
    def size(self) -> int | None:
        """The length in bytes; None if it isn't known before the end."""
        return None

    @property
    def can_be_replayed(self) -> bool:
        """Whether the body can be sent a second time."""
        return self.is_in_memory

    @property
    def is_in_memory(self) -> bool:
        """Whether ``content`` is bytes."""
        return False

    @property
    def content_type(self) -> str:
        """The value for Content-Type; "" if there is none."""
        if self._headers is None:
            return self._content_type
        return self._headers.get("Content-Type", "")

    @property
    def headers(self) -> CIMultiDict[str]:
        """The fields of the part, to be changed at will until it is sent."""
        if self._headers is None:
            self._headers = CIMultiDict(self._own_fields())
        return self._headers

    def _own_fields(self) -> list[tuple[str, str]]:
        return [("Content-Type", self._content_type)] if self._content_type else []

    def set_content_disposition(
        self,
        disptype: str,
        quote_fields: bool = True,
        _charset: str = "utf-8",
        **params: str,
    ) -> None:
        """Set the field Content-Disposition, as in ``("form-data", name="a", filename="b.txt")``.

        See ``encode_content_disposition`` for how parameters are written.

        Raises:
            LocalProtocolError: if the type or a parameter can't be sent.
        """
        from .disposition import encode_content_disposition

        self.headers["Content-Disposition"] = encode_content_disposition(
            disptype, params, quote_fields=quote_fields, charset=_charset
        )

    async def as_bytes(self) -> bytes:
        """Return the whole body; that of a stream can't be sent any more then."""
        return b"".join([piece async for piece in pieces_of(self.content)])

    async def write(self, writer: AsyncWriter) -> None:
        """Write the body, in pieces of up to 64 KiB where it is in memory."""
        async with aclosing(pieces_of(self.content)) as pieces:
            async for piece in pieces:
                await writer.write(piece)


async def pieces_of(content: PayloadContent) -> AsyncGenerator[bytes, None]:
    """Yield a body in pieces, never empty: bytes by 64 KiB, anything else as it comes.

    Raises:
        TypeError: if a piece isn't bytes.
    """
    if isinstance(content, bytes):
        for start in range(0, len(content), _PIECE):
            yield content[start : start + _PIECE]
        return
    iterator = aiter(content)
    try:
        async for piece in iterator:
            if octets := _octets(piece):
                yield octets
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()


def _octets(piece: Any) -> bytes:
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, bytearray):
        return bytes(piece)  # it could change while it is being sent
    if isinstance(piece, memoryview):
        return piece.tobytes()
    raise TypeError(f"a body is sent as bytes: expected a piece of bytes, not {_named(piece)}")


def _named(value: object) -> str:
    return type(value).__name__


# In memory.


class _InMemory(Payload):
    """What payloads have in common whose bytes are at hand, in a slot of their own."""

    __slots__ = ()

    _bytes: bytes

    @property
    def content(self) -> bytes:
        """The bytes."""
        return self._bytes

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self._bytes)

    @property
    def is_in_memory(self) -> bool:
        """True."""
        return True


class BytesPayload(_InMemory):
    """Bytes; a copy where they could change while they are being sent."""

    __slots__ = ("_bytes",)

    def __init__(self, value: bytes | bytearray | memoryview, *args: Any, **kwargs: Any) -> None:
        super().__init__(value, *args, **kwargs)
        self._bytes = value if type(value) is bytes else bytes(value)


class StringPayload(BytesPayload):
    """Text, sent in ``encoding``, else in the charset of ``content_type``, else in UTF-8."""

    __slots__ = ()

    def __init__(
        self,
        value: str,
        headers: LooseFields | None = None,
        content_type: str | None = None,
        filename: str | None = None,
        encoding: str | None = None,
    ) -> None:
        content_type, encoding = _text_type(content_type, encoding)
        super().__init__(value.encode(encoding), headers, content_type, filename, encoding)


class StringIOPayload(StringPayload):
    """What is left of a ``StringIO``, which stays where it stands."""

    __slots__ = ()

    def __init__(self, value: StringIO, *args: Any, **kwargs: Any) -> None:
        super().__init__(value.getvalue()[value.tell() :], *args, **kwargs)


class JsonPayload(BytesPayload):
    """A value as JSON; ``dumps`` may give str or bytes."""

    __slots__ = ()

    def __init__(
        self,
        value: Any,
        encoding: str = "utf-8",
        content_type: str = "application/json",
        dumps: Callable[[Any], str | bytes] | None = None,
        *,
        headers: LooseFields | None = None,
        filename: str | None = None,
    ) -> None:
        if dumps is None:
            import json

            dumps = json.dumps
        text = dumps(value)
        octets = text.encode(encoding) if isinstance(text, str) else text
        super().__init__(octets, headers, content_type, filename, encoding)


# Files.


class IOBasePayload(Payload):
    """What is left of a file, binary or text; read in a thread, 256 KiB at a time.

    Of a regular file exactly the bytes are sent that it has now, though it grows.

    Args:
        value: anything with ``read(size)``.
        disposition: of the part, if there is a filename; None for no such field.
    """

    __slots__ = ("_disposition", "_file", "_is_begun", "_lock", "_size", "_start", "_turn")

    def __init__(
        self,
        value: IO[Any],
        disposition: str | None = "attachment",
        *,
        headers: LooseFields | None = None,
        content_type: str | None = None,
        filename: str | None = None,
        encoding: str | None = None,
    ) -> None:
        self._disposition = disposition
        self._file = value
        self._start = _position(value)
        self._size = _bytes_left(value)
        self._is_begun = False
        self._lock = Lock()
        self._turn = object()  # of whoever reads the file now
        super().__init__(value, headers, content_type, filename or _name_of(value), encoding)

    @property
    def content(self) -> PayloadContent:
        """What reads the file, from where it stood when it was given."""
        return self._pieces()

    @property
    def size(self) -> int | None:
        """The bytes that are left of a regular file; None for any other."""
        return self._size

    @property
    def can_be_replayed(self) -> bool:
        """Whether the file can be brought back to where it stood."""
        return self._start is not None

    def _own_fields(self) -> list[tuple[str, str]]:
        fields = super()._own_fields()
        if self.filename and self._disposition:
            from .disposition import encode_content_disposition

            value = encode_content_disposition(self._disposition, {"filename": self.filename})
            fields.append(("Content-Disposition", value))
        return fields

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        read = self._reader()
        in_thread = asyncio.get_running_loop().run_in_executor
        left = self._size
        while left is None or left > 0:
            size = _FILE_PIECE if left is None else min(_FILE_PIECE, left)
            piece = await in_thread(None, read, size)
            if not piece:
                return  # if bytes are missing, whoever sends knows it
            if left is not None:
                left -= len(piece)
            yield piece

    def _rewind(self) -> None:
        if self._start is not None:
            self._file.seek(self._start)
        elif self._is_begun:
            raise InvalidUse("this file can be sent only once: it can't be brought back")
        self._is_begun = True

    def _reader(self) -> Callable[[int], bytes]:
        """Return what reads the file from where it stood; from now on nobody else does.

        A body that was given up may still be read in its thread, or be about to: that must
        not move the file for the one that is sent in its place.
        """
        read = self._file.read
        encode = getincrementalencoder(self.encoding or "utf-8")().encode
        turn = self._turn = object()
        is_begun = False

        def read_bytes(size: int) -> bytes:
            nonlocal is_begun
            with self._lock:
                if turn is not self._turn:
                    raise InvalidUse("this file is sent anew: expected one upload of it at a time")
                if not is_begun:
                    self._rewind()
                    is_begun = True
                piece = read(size)
            if piece is None:
                raise BlockingIOError("nothing to read yet: expected a file that waits for more")
            # At its end a text may owe something to its encoding, such as ISO-2022-JP.
            return encode(piece, not piece) if isinstance(piece, str) else _octets(piece)

        return read_bytes


class BufferedReaderPayload(IOBasePayload):
    """A binary file, as ``open(path, "rb")`` gives it."""

    __slots__ = ()


class BytesIOPayload(_InMemory, IOBasePayload):
    """What is left of a ``BytesIO``, which stays where it stands."""

    __slots__ = ("_bytes",)

    def __init__(self, value: BytesIO, *args: Any, **kwargs: Any) -> None:
        super().__init__(value, *args, **kwargs)
        # Without a copy, if it stands at its start.
        self._bytes = value.getvalue()[value.tell() :]


class TextIOPayload(IOBasePayload):
    """A text file; sent in ``encoding``, else in the charset of ``content_type``, else in UTF-8."""

    __slots__ = ()

    def __init__(
        self,
        value: IO[str],
        disposition: str | None = "attachment",
        *,
        headers: LooseFields | None = None,
        content_type: str | None = None,
        filename: str | None = None,
        encoding: str | None = None,
    ) -> None:
        content_type, encoding = _text_type(content_type, encoding)
        super().__init__(
            value,
            disposition,
            headers=headers,
            content_type=content_type,
            filename=filename,
            encoding=encoding,
        )


def _text_type(content_type: str | None, encoding: str | None) -> tuple[str, str]:
    """Return the type that text is sent with, and its encoding."""
    if content_type is None:
        encoding = encoding or "utf-8"
        return f"text/plain; charset={encoding}", encoding
    if encoding is None:
        from .parameters import charset_of

        encoding = charset_of(content_type) or "utf-8"
    return content_type, encoding


def _position(file: IO[Any]) -> int | None:
    """Return where a file stands, if it can be brought back there."""
    try:
        return file.tell() if file.seekable() else None
    except (AttributeError, OSError):
        return None


def _bytes_left(file: IO[Any]) -> int | None:
    """Return how many bytes a regular file has from where it stands; None for any other.

    Only of a plain file is the descriptor's size that of the content: it isn't for
    ``GzipFile`` or text. And files that the kernel makes up say that they have none.
    """
    raw = getattr(file, "raw", file)
    if not isinstance(raw, FileIO):
        return None
    status = os.fstat(raw.fileno())
    if not S_ISREG(status.st_mode) or (not status.st_size and _may_have_bytes(file)):
        return None
    return max(0, status.st_size - file.tell())


def _may_have_bytes(file: IO[Any]) -> bool:
    peek = getattr(file, "peek", None)
    return peek is None or bool(peek(1))


def _name_of(file: object) -> str | None:
    """Return the last part of a file's path; None for no file of the file system."""
    name = getattr(file, "name", None)
    if not isinstance(name, str) or name.startswith("<"):
        return None
    return os.path.basename(name) or None  # noqa: PTH119 pathlib isn't loaded for this


def _guessed_type(filename: str) -> str | None:
    from mimetypes import guess_type

    return guess_type(filename)[0]


# Streams.


class IterablePayload(Payload):
    """Pieces of bytes that an iterable gives, such as a generator; sent once."""

    __slots__ = ("_is_begun", "_iterable")

    def __init__(self, value: Iterable[bytes], *args: Any, **kwargs: Any) -> None:
        if _has_no_order(value):
            raise TypeError(f"expected an iterable of bytes in order, not {_named(value)}")
        super().__init__(value, *args, **kwargs)
        self._iterable = value
        self._is_begun = False

    @property
    def content(self) -> PayloadContent:
        """What iterates, once."""
        return self._pieces()

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        if self._is_begun:
            raise InvalidUse("this iterable can be sent only once")
        self._is_begun = True
        iterator = iter(self._iterable)
        try:
            for piece in iterator:
                yield _octets(piece)
        finally:
            if isinstance(iterator, Generator):
                iterator.close()


def _has_no_order(value: object) -> bool:
    return isinstance(value, Mapping | AbstractSet)


class AsyncIterablePayload(Payload):
    """Pieces of bytes that an async iterable gives; sent once."""

    __slots__ = ("_is_begun", "_iterable")

    def __init__(self, value: AsyncIterable[bytes], *args: Any, **kwargs: Any) -> None:
        super().__init__(value, *args, **kwargs)
        self._iterable = value
        self._is_begun = False

    @property
    def content(self) -> PayloadContent:
        """What iterates, once."""
        return self._pieces()

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        if self._is_begun:
            raise InvalidUse("this async iterable can be sent only once")
        self._is_begun = True
        # 0.15 µs per piece; handed on as it is, a second upload would be empty, and succeed.
        async with aclosing(pieces_of(self._iterable)) as pieces:
            async for piece in pieces:
                yield piece


class AsyncReaderPayload(AsyncIterablePayload):
    """What ``await value.read(size)`` gives until ``b""``: another response, a pipe; sent once."""

    __slots__ = ()

    def __init__(self, value: AsyncReadable, *args: Any, **kwargs: Any) -> None:
        super().__init__(_read_pieces(value), *args, **kwargs)


async def _read_pieces(reader: AsyncReadable) -> AsyncGenerator[bytes, None]:
    while piece := await reader.read(_PIECE):
        yield piece


# The registry.


class Order(Enum):
    """When a factory is asked whether it takes a value."""

    try_first = "try_first"
    normal = "normal"
    try_last = "try_last"


_PayloadFactory: TypeAlias = Callable[..., Payload]
_FactoryT = TypeVar("_FactoryT", bound=_PayloadFactory)


class PayloadRegistry:
    """Which payload a value becomes: of those of the same order, the one registered last."""

    def __init__(self) -> None:
        self._factories: dict[str, list[tuple[Any, _PayloadFactory]]] = {
            order.value: [] for order in Order
        }

    def register(
        self,
        factory: _PayloadFactory,
        type: Any,
        *,
        order: Order = Order.normal,
    ) -> None:
        """Let values of a type, or of a tuple of types, be made payloads by ``factory``."""
        self._factories[order.value].insert(0, (type, factory))

    def get(self, data: Any, *args: Any, **kwargs: Any) -> Payload:
        """Return a payload for ``data``, made with the other arguments; a payload as it is.

        Raises:
            TypeError: if nobody takes this type.
        """
        if isinstance(data, Payload):
            return data
        return self._factory(data)(data, *args, **kwargs)

    def _factory(self, data: object) -> _PayloadFactory:
        for order, factories in self._factories.items():
            # Readers without a common base, such as wrappers of files, are known by
            # having ``read``; many can be iterated as well, but over lines.
            if order == "try_last" and callable(read := getattr(data, "read", None)):
                return AsyncReaderPayload if iscoroutinefunction(read) else IOBasePayload
            for kind, factory in factories:
                if isinstance(data, kind):
                    return factory
        raise TypeError(
            "expected bytes, str, a file, an iterable or an async iterable of bytes, "
            f"not {_named(data)}"
        )


PAYLOAD_REGISTRY: Final = PayloadRegistry()


def get_payload(data: Any, *args: Any, **kwargs: Any) -> Payload:
    """Return a payload for ``data``; see ``PayloadRegistry.get``."""
    return PAYLOAD_REGISTRY.get(data, *args, **kwargs)


class payload_type:  # noqa: N801 it is used as a function
    """Decorate a factory, such as a subclass of ``Payload``, to register it for a type."""

    def __init__(self, type: Any, *, order: Order = Order.normal) -> None:
        self._type = type
        self._order = order

    def __call__(self, factory: _FactoryT) -> _FactoryT:
        """Register the factory, and return it."""
        PAYLOAD_REGISTRY.register(factory, self._type, order=self._order)
        return factory


# From the widest type to the narrowest, since the last one is asked first.
for _factory, _types, _order in (
    (IterablePayload, Iterable, Order.try_last),
    (AsyncIterablePayload, AsyncIterable, Order.try_last),
    (IOBasePayload, IOBase, Order.normal),
    (BufferedReaderPayload, (BufferedReader, BufferedRandom), Order.normal),
    (TextIOPayload, TextIOBase, Order.normal),
    (BytesIOPayload, BytesIO, Order.normal),
    (StringIOPayload, StringIO, Order.normal),
    (StringPayload, str, Order.normal),
    (BytesPayload, (bytes, bytearray, memoryview), Order.normal),
):
    PAYLOAD_REGISTRY.register(_factory, _types, order=_order)
