"""Bodies of requests, read as a whole: bounded, and decoded. Errors say whose fault it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

from aiohttp.protocol import BodyTooLarge, RemoteProtocolError, StreamReader, codec_of, shown

if TYPE_CHECKING:
    from .exceptions import HTTPRequestEntityTooLarge

__all__ = [
    "InvalidJson",
    "check_announced",
    "decode_json",
    "decode_text",
    "known_codec",
    "read_whole",
    "too_large",
]


class InvalidJson(RemoteProtocolError, JSONDecodeError):
    """A body is no JSON. The client gets 400, unless the program catches the ValueError."""

    def __init__(self, msg: str, doc: str, pos: int) -> None:
        JSONDecodeError.__init__(self, msg, doc, pos)
        self.message = f"expected JSON in the body: {self}"


async def read_whole(stream: StreamReader, limit: int | None, announced: int | None) -> bytes:
    """Return a body of at most ``limit`` bytes; ``announced``: what Content-Length says.

    Raises:
        HTTPRequestEntityTooLarge: as soon as it is known to be larger.
        RemoteProtocolError: if it breaks off, or is not what its codings say.
    """
    check_announced(limit, announced)
    try:
        return await stream.read_all(limit)
    except BodyTooLarge as exc:
        name = "client_max_size" if exc.name == "limit" else exc.name
        came = max(stream.total_raw_bytes, exc.limit + 1)
        refusal = too_large(name, exc.limit, came, exc.message)
        if exc.is_counted:
            refusal.limit_name = ""
        raise refusal from exc


def check_announced(limit: int | None, announced: int | None) -> None:
    """Refuse a body by what Content-Length says, before a byte of it is asked for.

    Raises:
        HTTPRequestEntityTooLarge: if it is larger than ``limit``.
    """
    if limit is not None and announced is not None and announced > limit:
        message = f"expected a body of at most {limit} bytes, got {announced}"
        raise too_large("client_max_size", limit, announced, message)


def too_large(name: str, limit: int, came: int, message: str) -> HTTPRequestEntityTooLarge:
    """Return the answer to what exceeds a limit; its text names the limit, the bound, what came."""
    from .exceptions import HTTPRequestEntityTooLarge

    refusal = HTTPRequestEntityTooLarge(limit, came).say(f"{message} (limit {name})")
    refusal.limit_name = name
    return refusal


def known_codec(charset: str) -> str:
    """Return Python's name for a charset that the client names.

    Raises:
        HTTPUnsupportedMediaType: if there is no such charset.
    """
    codec = codec_of(charset)
    if codec is None:
        from .exceptions import HTTPUnsupportedMediaType

        raise HTTPUnsupportedMediaType().say(f"expected a known charset, got {shown(charset)}")
    return codec


def decode_text(data: bytes, charset: str, what: str = "the body") -> str:
    """Return data that the client says is in this charset as text.

    Raises:
        HTTPUnsupportedMediaType: if there is no such charset.
        HTTPBadRequest: if the data isn't in it; ``what`` is for its text.
    """
    try:
        return data.decode(known_codec(charset))
    except UnicodeDecodeError as exc:
        from .exceptions import HTTPBadRequest

        raise HTTPBadRequest(
            text=f"400: expected {what} in {charset}, but byte {exc.start} can't be: {exc.reason}"
        ) from exc


def decode_json(text: str, loads: Callable[[str], Any]) -> Any:
    """Return what a text says in JSON.

    Raises:
        InvalidJson: if it is none, or too much for ``json.loads``, where that is ``loads``.
    """
    try:
        # A byte order mark is of no meaning here (RFC 8259, section 8.1).
        return loads(text.removeprefix("\ufeff"))
    except JSONDecodeError as exc:
        if type(exc) is not JSONDecodeError:
            raise  # an error of the program's own ``loads``, which it may wait for
        raise InvalidJson(exc.msg, exc.doc, exc.pos) from exc
    except (ValueError, RecursionError) as exc:
        if loads is not json.loads:
            raise
        too_much = "much nesting" if isinstance(exc, RecursionError) else "many digits"
        raise InvalidJson(f"too {too_much}", text, 0) from exc
