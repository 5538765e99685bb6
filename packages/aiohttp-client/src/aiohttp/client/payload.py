"""What a program gives as ``data=``, ``files=`` or ``json=``, as a body that can be sent."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias, TypeGuard

from aiohttp.protocol.payload import (
    AsyncReadable,
    BytesPayload,
    JsonPayload,
    Payload,
    StringPayload,
    get_payload,
)

if TYPE_CHECKING:
    from .formdata import FormData

__all__ = [
    "EMPTY_PAYLOAD",
    "Data",
    "Files",
    "JSONEncoder",
    "compressed",
    "form_payload",
    "json_payload",
    "payload",
]

Form: TypeAlias = "Mapping[str, object] | Sequence[tuple[str, object]] | FormData"
Stream: TypeAlias = IO[Any] | AsyncReadable | Iterable[bytes] | AsyncIterable[bytes]
Data: TypeAlias = "bytes | bytearray | memoryview | str | Form | Stream | Payload"
"""What ``data=`` takes: bytes, text, a form, a file, pieces as they come, a payload."""

Files: TypeAlias = Mapping[str, object] | Iterable[object]
"""What ``files=`` takes: a mapping of names to files, or files, ``(name, file)`` and
``(name, file, type)``."""

JSONEncoder: TypeAlias = Callable[[Any], str | bytes]

EMPTY_PAYLOAD: Final[Payload] = BytesPayload(b"", content_type="")


def payload(data: Data | None, *, encoding: str = "utf-8") -> Payload:
    """Return ``data`` as a body.

    Text is sent in ``encoding``. A mapping or pairs are a form: ``multipart/form-data`` if
    there is a file among its values, else ``application/x-www-form-urlencoded``. A file
    is read in a thread, from where it stands, and left open: whoever opens, closes.

    Raises:
        TypeError: for anything else.
    """
    if data is None:
        return EMPTY_PAYLOAD
    if isinstance(data, bytes):
        return BytesPayload(data)
    if isinstance(data, str):
        return StringPayload(data, encoding=encoding)
    if _is_list(data):
        return _of_sequence(data, encoding)
    return _of_anything(data, encoding)


def json_payload(value: object, encode: JSONEncoder | None = None) -> Payload:
    """Return ``value`` as a body of JSON."""
    return JsonPayload(value, dumps=encode)


def form_payload(data: Data | None, files: Files | None, encoding: str = "utf-8") -> Payload:
    """Return a form with the fields of ``data`` and the files of ``files``.

    A file is something with ``read``, or bytes or str, which have their field's name as
    filename then. Without files it is what ``payload`` makes of ``data``.

    Raises:
        TypeError: if a value is neither text nor file.
        ValueError: if a name, filename or type has a control character.
    """
    if not files:
        return payload(data, encoding=encoding)
    return _form(() if data is None else data, encoding).with_files(files)()


def compressed(payload: Payload, coding: str) -> Payload:
    """Return a body compressed by ``"deflate"`` or ``"gzip"``.

    Up to 64 KiB in memory are compressed now, anything else while it is sent, in steps
    that leave the loop its turn. An empty body stays as it is.

    Raises:
        LocalProtocolError: if the coding is unknown.
    """
    from aiohttp.protocol.coded_payload import CodedPayload
    from aiohttp.protocol.coding import content_encoder

    if payload.is_in_memory and not payload.size:
        return payload
    content_encoder(coding)  # an unknown one is refused before anything is sent
    return CodedPayload(payload, partial(content_encoder, coding))


def _of_sequence(data: Sequence[Any], encoding: str) -> Payload:
    if data and all(isinstance(piece, bytes | bytearray | memoryview) for piece in data):
        return BytesPayload(b"".join(data))
    if all(_is_list(pair) and len(pair) == 2 for pair in data):
        return _form(data, encoding)()
    raise _refused(data)


def _of_anything(data: Any, encoding: str) -> Payload:
    from .formdata import FormData

    if isinstance(data, FormData) or _is_mapping(data):
        return _form(data, encoding)()
    try:
        return get_payload(data)
    except TypeError as exc:
        raise _refused(data) from exc


def _form(data: Any, encoding: str) -> FormData:
    from .formdata import FormData

    return data if isinstance(data, FormData) else FormData(data, charset=encoding)


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def _refused(data: object) -> TypeError:
    return TypeError(
        "data must be bytes, str, a mapping, a list of pairs, FormData, a file, an iterable or "
        f"an async iterable of bytes, not {type(data).__name__}"
    )
