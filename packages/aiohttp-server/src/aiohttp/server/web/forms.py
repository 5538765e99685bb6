"""Forms: their fields and files, of either kind, bounded in everything that a client chooses."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Final, TypeAlias

from multidict import CIMultiDictProxy, MultiDict, MultiDictProxy

from aiohttp.protocol import (
    BodyPartReader,
    LimitExceeded,
    MultipartError,
    MultipartLimits,
    MultipartReader,
    shown,
)

from .bodies import check_announced, decode_text, known_codec, too_large
from .limits import RequestLimits
from .uploads import Spool, Upload

if TYPE_CHECKING:
    from .request import BaseRequest

__all__ = ["FileField", "FormValue", "multipart_reader", "read_form"]

_LONGEST_FIELD_LINE: Final = 8190


@dataclass(frozen=True, slots=True)
class FileField:
    """A file that was uploaded.

    Attributes:
        name: of the form's field.
        filename: as the client says, so never to be used as a path.
        file: what came, to be read from its beginning; closed when the request ends.
        content_type: as the client says; ``application/octet-stream`` if it doesn't.
        headers: the fields of this part of the form.
    """

    name: str
    filename: str
    file: IO[bytes]
    content_type: str
    headers: CIMultiDictProxy[str]


FormValue: TypeAlias = str | bytes | FileField
"""A field of a form: text; bytes where its type is another; a file."""


async def read_form(request: BaseRequest) -> MultiDictProxy[FormValue]:
    """Return the fields of a request's form, in order; none if it has no form.

    Raises:
        HTTPRequestEntityTooLarge: if a bound of ``request.limits`` is exceeded.
        HTTPException, RemoteProtocolError: if the form is malformed.
    """
    fields: MultiDict[FormValue] = MultiDict()
    if request.method in request.POST_METHODS:
        kind = request.content_type
        if kind == "multipart/form-data":
            await _read_parts(request, fields)
        elif kind in {"", "application/x-www-form-urlencoded"}:
            codec = known_codec(request.charset or "utf-8")
            fields.extend(_pairs(await request.read(), codec, request.limits.fields))
    return MultiDictProxy(fields)


# application/x-www-form-urlencoded


def _pairs(data: bytes, codec: str, limit: int | None) -> Iterator[tuple[str, str]]:
    """Yield names and values, as the URL standard parses them (section 5.1): nothing is refused.

    But for too many of them, before the first is looked at.
    """
    data = data.rstrip(b" \t\r\n")  # what programs put behind it
    count = data.count(b"&") + 1
    if limit is not None and count > limit:
        message = f"expected no more than {limit} fields in a form, got {count}"
        raise too_large("client_max_fields", limit, count, message)
    for pair in data.replace(b"+", b" ").split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            yield (
                _ESCAPES.sub(_octets, name).decode(codec, "replace"),
                _ESCAPES.sub(_octets, value).decode(codec, "replace"),
            )


# A run at a time: that is linear, and for a megabyte of percent signs 15 times as fast as
# urllib.parse, which takes the text apart at each of them.
_ESCAPES: Final = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")


def _octets(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[0].decode().replace("%", ""))


# multipart/form-data


def multipart_reader(request: BaseRequest) -> MultipartReader:
    """Return a reader of the parts of a request's body, of any size: they come one by one.

    Raises:
        MultipartError: if Content-Type isn't multipart, or has no boundary.
    """
    return _reader(request, parts=request.limits.parts, total=None)


def _reader(request: BaseRequest, *, parts: int | None, total: int | None) -> MultipartReader:
    limits = request.limits
    bounds = MultipartLimits(
        parts=sys.maxsize if parts is None else parts,
        head=limits.part_head,
        field_line=min(limits.part_head, _LONGEST_FIELD_LINE),
        value=limits.value,
        values=limits.values,
        total=total,
    )
    return MultipartReader(request.headers, request.unread_body, limits=bounds)


async def _read_parts(request: BaseRequest, fields: MultiDict[FormValue]) -> None:
    limits = request.limits
    check_announced(limits.body, request.content_length)
    spool = Spool(limits.spool)
    try:
        reader = _reader(request, parts=limits.fields, total=limits.body)
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise MultipartError("expected fields in a form, got a multipart body within it")
            fields.add(part.name or "", await _read_part(part, spool, limits))
        await reader.release()
    except LimitExceeded as exc:
        spool.close()
        if exc.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        raise too_large(
            _BOUNDS.get(exc.name, exc.name), exc.limit, exc.limit + 1, exc.message
        ) from exc
    except BaseException:
        spool.close()
        raise
    if spool.is_on_disk and (task := request.task) is not None:
        task.add_done_callback(lambda _: spool.close())


# What a user calls the bounds that a reader of parts was given. In a form each part is a field.
_BOUNDS: Final = {
    "parts": "client_max_fields",
    "total": "client_max_size",
    "head": "part_head",
    "field_line": "part_head",
}


async def _read_part(part: BodyPartReader, spool: Spool, limits: RequestLimits) -> FormValue:
    """Return a field of a form, free of transfer encodings."""
    async with aclosing(_pieces(part)) as pieces:
        if part.filename is not None:
            return await _read_file(part, pieces, Upload(spool), limits.file)
        value = b"".join([piece async for piece in pieces])
    content_type = part.headers.get("Content-Type", "text/plain")
    if not content_type.lower().startswith("text/"):
        return value
    return decode_text(value, part.get_charset("utf-8"), f"the field {shown(part.name or '')}")


async def _pieces(part: BodyPartReader) -> AsyncGenerator[bytes, None]:
    decoder = part.decoder()
    while data := await part.readany():
        for piece in decoder.decoded(data, is_last=False):
            yield piece
    for piece in decoder.decoded(b"", is_last=True):
        yield piece


async def _read_file(
    part: BodyPartReader, pieces: AsyncIterator[bytes], upload: Upload, limit: int | None
) -> FormValue:
    filename = part.filename or ""
    async for piece in pieces:
        await upload.write(piece)
        if limit is not None and upload.size > limit:
            message = f"expected no more than {limit} bytes in the file {shown(filename)}"
            raise too_large("file", limit, upload.size, f"{message}, got {upload.size} or more")
    if not filename and not upload.size:
        return b""  # what browsers send where no file was chosen; false, unlike a FileField
    content_type = part.headers.get("Content-Type", "application/octet-stream")
    file = await upload.finish()
    return FileField(part.name or "", filename, file, content_type, part.headers)
