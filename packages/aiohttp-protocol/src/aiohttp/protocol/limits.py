"""Every quantity that a peer controls, with its bound: all of them are on by default."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar, Protocol

__all__ = ["DEFAULT_LIMITS", "GIB", "KIB", "MIB", "Limits", "check_bounds"]

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one connection, for servers and clients alike.

    Sizes are bytes, times are seconds. In parentheses: the status that a server
    answers when the bound is hit; a client raises the error that carries it.
    """

    # The head and what resembles it.
    line: int = 8190
    """The request line (414) or status line, without its line end."""
    field_line: int = 8190
    """One field line, without its line end (431)."""
    fields: int = 128
    """How many field lines a head or a trailer section may have (431)."""
    head: int = 64 * KIB
    """A whole head, line ends included (431)."""
    chunk_line: int = 4 * KIB
    """One chunk-size line with its extensions (400)."""
    chunk_extensions: int = 16 * KIB
    """The extensions of all chunks of one body together (400)."""
    trailers: int = 8 * KIB
    """A whole trailer section (431)."""

    # Bodies.
    body: int | None = GIB
    """A body as it comes over the wire, without chunk framing (413). None: no bound."""
    decoded: int | None = GIB
    """A body after its content coding is undone (413). None: no bound."""
    ratio: int = 200
    """Decoded to coded size (413), looked at once ``ratio_grace`` bytes have been decoded."""
    ratio_grace: int = MIB
    """Up to here any ratio passes: small bodies of blanks are common and harmless."""
    codings: int = 3
    """How many content codings may be applied on top of each other (400)."""
    members: int = 20_000
    """Gzip members or zstd frames in one body (413): a gibibyte of bgzip has 16,448."""
    drain: int = 256 * KIB
    """How much of an unread body is read and dropped to keep a connection."""

    # Queues.
    read_buffer: int = 256 * KIB
    """Above this many unread body bytes the transport is paused; resumed below a quarter."""
    write_buffer: int = 256 * KIB
    """Above this many unsent bytes a writer waits."""
    pipeline: int = 64 * KIB
    """Bytes of requests that wait behind an unanswered one; then the transport is paused."""

    # Times.
    head_time: float = 15.0
    """From the connection, or a request's first byte, to the end of its head (408)."""
    body_time: float = 30.0
    """Between two bytes of a body (408)."""
    body_rate: int = 128
    """Bytes a second that a body must average once ``body_time`` has passed (408). 0: no bound."""
    write_time: float = 30.0
    """Without progress of a peer that should read what we send (the connection is cut)."""
    keep_alive: float = 75.0
    """Between two requests of a connection; announced in ``Keep-Alive``. 0: one request each."""
    handshake_time: float = 15.0
    """For the TLS handshake."""
    linger: float = 2.0
    """After a last answer: so long is read and dropped, that the peer may read it."""

    # Counts.
    requests: int = 100_000
    """Requests on one connection; the last answer says ``Connection: close``."""
    connections: int = 10_000
    """Open connections; beyond them no more are accepted, the backlog waits."""

    unchecked_head: int = field(init=False, repr=False, compare=False)
    """A head of at most so many bytes can't exceed ``line``, ``field_line`` or ``head``."""

    def __post_init__(self) -> None:
        check_bounds(self)
        object.__setattr__(self, "unchecked_head", min(self.line, self.field_line, self.head))


class _Dataclass(Protocol):
    """What ``fields`` takes."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def check_bounds(limits: _Dataclass) -> None:
    """Refuse what is no number from 0 on; None is one where its annotation allows it.

    Raises:
        ValueError: which names the class and the attribute.
    """
    for each in fields(limits):
        value: object = getattr(limits, each.name, 0)
        if value is None and "None" in str(each.type):
            continue
        if not (isinstance(value, (int, float)) and value >= 0):
            name = f"{type(limits).__name__}.{each.name}"
            raise ValueError(f"{name} must be a number from 0 on, not {value!r}")


DEFAULT_LIMITS = Limits()
