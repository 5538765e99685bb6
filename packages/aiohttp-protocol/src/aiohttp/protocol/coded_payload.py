"""A body that is coded while it is sent: compressed, or in base64 as the part of a mail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final, Protocol

from .limits import KIB
from .payload import Payload, PayloadContent, pieces_of

__all__ = ["CodedPayload", "PieceEncoder"]

_STEP: Final = 64 * KIB
"""How much is coded at once: 2 ms of deflate. Then the loop has its turn."""


class PieceEncoder(Protocol):
    """What applies a coding to one body: ``ContentEncoder``, ``TransferEncoder``."""

    def encode(self, data: bytes) -> bytes:
        """Return what can be sent by now, maybe nothing."""
        ...

    def finish(self) -> bytes:
        """Return the rest."""
        ...


class CodedPayload(Payload):
    """Another payload, coded. Up to 64 KiB in memory at once, anything else in steps of that.

    It has the type, the filename and a copy of the fields of the other, and can be replayed
    if that can. ``encoder`` makes what codes it, anew each time it is sent.
    """

    __slots__ = ("_coded", "_encoder", "_source")

    def __init__(self, source: Payload, encoder: Callable[[], PieceEncoder]) -> None:
        super().__init__(source, None, source.content_type, source.filename, source.encoding)
        self._source = source
        self._encoder = encoder
        self._coded: bytes | None = None
        content = source.content if source.is_in_memory else None
        if isinstance(content, bytes) and len(content) <= _STEP:
            coder = encoder()
            self._coded = coder.encode(content) + coder.finish()

    @property
    def content(self) -> PayloadContent:
        """The coded bytes, or what gives them."""
        return self._pieces() if self._coded is None else self._coded

    @property
    def size(self) -> int | None:
        """The length once it is coded, where that was done already."""
        return None if self._coded is None else len(self._coded)

    @property
    def can_be_replayed(self) -> bool:
        """Whether the other payload can."""
        return self._source.can_be_replayed

    @property
    def is_in_memory(self) -> bool:
        """Whether it was coded already."""
        return self._coded is not None

    def _own_fields(self) -> list[tuple[str, str]]:
        return list(self._source.headers.items())

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        coder = self._encoder()
        in_turn = 0
        async with aclosing(pieces_of(self._source.content)) as pieces:
            async for piece in pieces:
                for start in range(0, len(piece), _STEP):
                    step = piece[start : start + _STEP]
                    if coded := coder.encode(step):
                        yield coded
                    in_turn += len(step)
                    if in_turn >= _STEP:
                        in_turn = 0
                        await asyncio.sleep(0)
        if coded := coder.finish():
            yield coded
