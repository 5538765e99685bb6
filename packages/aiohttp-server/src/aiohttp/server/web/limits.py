"""What a handler may be given of a request's body: every bound with its default."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp.protocol import KIB, MIB, check_bounds

__all__ = ["DEFAULT_REQUEST_LIMITS", "RequestLimits"]


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The bounds of what is read as a whole: ``read``, ``text``, ``json``, ``post``.

    Sizes are bytes. Beyond one of them the client gets 413, and is told which. What is
    read piece by piece (``request.content``, ``request.multipart()``) is bounded by
    ``aiohttp.protocol.Limits.body`` instead, and in its number and heads of parts from here.
    ``client_max_size=0`` and ``client_max_fields=0``, as of aiohttp 3, are None here.
    """

    body: int | None = MIB
    """A whole body, uploads included; ``client_max_size``. None: no bound of its own."""
    fields: int | None = 1000
    """How many fields a form may have, of either kind; ``client_max_fields``. None: no bound."""
    parts: int = 1000
    """How many parts a multipart body may have that is read part by part."""
    part_head: int = 16 * KIB
    """The head of one part, line ends included."""
    value: int = MIB
    """A field of a multipart form that is no file: it is kept in memory."""
    values: int = 16 * MIB
    """All such fields of one form together."""
    file: int | None = None
    """One uploaded file. None: no bound but that of the body."""
    spool: int = MIB
    """So much of all files of one form is kept in memory; the rest in one temporary file."""

    def __post_init__(self) -> None:
        check_bounds(self)


DEFAULT_REQUEST_LIMITS = RequestLimits()
