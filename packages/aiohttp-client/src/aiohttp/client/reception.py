"""How a response is received: what of it is undone, and how much of it there may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from aiohttp.protocol.http1.head import ResponseHead
from aiohttp.protocol.limits import GIB, Limits

__all__ = ["READ_LIMIT", "RECEPTION_OPTIONS", "Reception"]

READ_LIMIT: Final = GIB
"""Bytes that ``read`` keeps in memory at most, unless ``max_body`` says another number."""


class Reception(NamedTuple):
    """How a response is received.

    Attributes:
        decode: whether its content coding is undone.
        until_close: whether it has a body where it announces no length.
        limits: of what the server may send; None: those of the connection.
        max_read: bytes of a body that ``read`` keeps in memory.
        on_information: is told of each informational response.
    """

    decode: bool = True
    until_close: bool = True
    limits: Limits | None = None
    max_read: int = READ_LIMIT
    on_information: Callable[[ResponseHead], object] | None = None

    def altered(
        self,
        limits: Limits,
        *,
        auto_decompress: bool | None = None,
        read_until_eof: bool = True,
        read_bufsize: int | None = None,
        max_line_size: int | None = None,
        max_field_size: int | None = None,
        max_headers: int | None = None,
        max_body: int | None = None,
        on_information: Callable[[ResponseHead], object] | None = None,
    ) -> Reception:
        """Return what these options of ``request()`` make of this; ``limits``: the connection's."""
        bounds = {
            "line": max_line_size,
            "field_line": max_field_size,
            "fields": max_headers,
            "read_buffer": read_bufsize,
            "body": max_body,
            "decoded": max_body,
        }
        changes = tuple((name, value) for name, value in bounds.items() if value is not None)
        return Reception(
            decode=self.decode if auto_decompress is None else auto_decompress,
            until_close=read_until_eof,
            limits=_replaced(self.limits or limits, changes) if changes else self.limits,
            max_read=self.max_read if max_body is None else max_body,
            on_information=on_information,
        )


RECEPTION_OPTIONS: Final = frozenset(Reception.altered.__kwdefaults__ or ())
"""Those options of ``request()`` that are about its response."""


# A program says the same again and again: 0.3 µs instead of 25.
@lru_cache(maxsize=64)
def _replaced(limits: Limits, changes: tuple[tuple[str, int], ...]) -> Limits:
    return replace(limits, **dict(changes))
