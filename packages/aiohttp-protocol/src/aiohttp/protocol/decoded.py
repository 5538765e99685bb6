"""Bodies whose content coding is undone above the connection that they come by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .coding import ContentDecoder
from .errors import RemoteProtocolError
from .limits import DEFAULT_LIMITS, Limits
from .streams import DECODE_TURN, StreamReader

__all__ = ["DecodedStream"]


class DecodedStream(StreamReader):
    """What another stream says, its content coding undone while it is read.

    A connection knows nothing of it, so it serves any exchange, and those programs
    that pass a coded body on read it as it came. Nothing is pulled ahead: so the flow
    control of the source holds for its readers, too. Errors are those of the source,
    and ``ContentCodingError`` or ``LimitExceeded`` of the decoder.

    Args:
        source: the coded body; from now on nobody else should read it.
        decoder: what undoes the coding.
        limits: ``decoded`` bounds what may be read; the decoder has its own copy.
    """

    __slots__ = ("_source",)

    def __init__(
        self, source: StreamReader, decoder: ContentDecoder, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        super().__init__(decoder=decoder, max_size=limits.decoded)
        self._source = source

    def on_eof(self, callback: Callable[[], object]) -> None:
        """Call this when the last byte of the source has come, at once if it has."""
        self._source.on_eof(callback)

    async def wait_eof(self) -> None:
        """Return when the last byte of the source has come."""
        await self._source.wait_eof()

    async def _wait(self) -> None:
        """Pull from the source, in place of waiting for a connection to feed."""
        if self._decoded_in_turn >= DECODE_TURN:
            self._decoded_in_turn = 0
            await asyncio.sleep(0)  # the others' turn; there may be more to decode already
            return
        try:
            data = await self._source.readany()
        except RemoteProtocolError as exc:
            self.set_exception(exc)
            return
        self.feed_data(data)
        if self._source.at_eof():
            self.feed_eof(self._source.trailers)
