"""The steps in which an application in a thread answers, and how those that send are done."""

from __future__ import annotations

from typing import IO, Any, NamedTuple, TypeAlias

from aiohttp.protocol import Exchange

from ..heads import ResponseFields

__all__ = [
    "Chunk",
    "End",
    "Finish",
    "GoOn",
    "Inform",
    "ReadBody",
    "SendFile",
    "SendSpilled",
    "Settle",
    "Start",
    "Step",
    "Whole",
    "perform",
]


class Whole(NamedTuple):
    """A response that is complete; with ``is_end`` the application has nothing to close."""

    status: int
    reason: str | None
    fields: ResponseFields
    body: bytes
    is_end: bool = False


class Inform(NamedTuple):
    """Early hints, of no use once the response has begun."""

    fields: ResponseFields


class Start(NamedTuple):
    """The head of a response whose body follows."""

    status: int
    reason: str | None
    fields: ResponseFields


class Chunk(NamedTuple):
    """A part of the body."""

    data: bytes


class SendFile(NamedTuple):
    """A part of the body: ``size`` bytes of a regular file."""

    file: IO[bytes]
    offset: int
    size: int


class SendSpilled(NamedTuple):
    """A part of the body that waits on the disk."""

    file: IO[bytes]
    offset: int
    size: int


class Finish(NamedTuple):
    """The body is complete."""


class ReadBody(NamedTuple):
    """The application waits for up to ``size`` bytes of the request's body."""

    size: int


class Settle(NamedTuple):
    """The thread waits until all steps before this one are done."""


class GoOn(NamedTuple):
    """The application has returned something that is awaited, or iterated over, on the loop."""

    answer: Any


class End(NamedTuple):
    """The application has returned and is closed; ``error`` is what the connection answers for."""

    error: Exception | None = None


Step: TypeAlias = (
    Whole
    | Inform
    | Start
    | Chunk
    | SendFile
    | SendSpilled
    | Finish
    | ReadBody
    | Settle
    | GoOn
    | End
)


async def perform(exchange: Exchange, step: Step) -> None:
    """Do a step that sends something."""
    match step:
        case Whole(status, reason, fields, body):
            await exchange.respond(status, fields, body, reason=reason)
        case Chunk(data):
            await exchange.write(data)
        case Start(status, reason, fields):
            await exchange.start(status, fields, reason=reason)
        case Finish():
            await exchange.finish()
        case SendFile(file, offset, size) | SendSpilled(file, offset, size):
            await exchange.sendfile(file, offset, size)
        case Inform(fields) if not exchange.response_status:
            await exchange.inform(103, fields)
        case _:
            pass  # is between the thread and its coroutine
