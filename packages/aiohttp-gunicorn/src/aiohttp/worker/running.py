"""What a worker is busy with: each request under way, for how long, and where in the code.

For the log: before a drain cuts what runs, when gunicorn aborts a silent worker, and
when the loop is blocked. Nothing here waits, takes a lock or changes anything, so that
a signal's handler may call it, whatever it has interrupted.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
from time import monotonic
from types import FrameType
from typing import NamedTuple, cast

from aiohttp.protocol import Exchange, RemoteProtocolError, Service, shown

from .frames import format_frames, frames_from, frames_of_task, frames_of_thread, place_of
from .wsgi.call import Call
from .wsgi.threads import Job, ThreadPool

__all__ = ["busy_request", "describe_running", "dump_running"]

MOST = 100
"""So many requests are described; a worker may have thousands."""

SHOWN = 200
"""Characters of a target that are shown."""


class Work(NamedTuple):
    """Something that runs.

    Attributes:
        title: what, for how long, for whom.
        state: what is known where there is no code to point at.
        frames: where it is.
    """

    title: str
    state: str
    frames: list[FrameType]

    @property
    def line(self) -> str:
        """All of it in one line."""
        where = f"at {place_of(self.frames)}" if self.frames else self.state
        return f"{self.title}, {where}"

    @property
    def stack(self) -> str:
        """The same with the whole stack."""
        return f"{self.title}:\n" + (format_frames(self.frames) or f"  {self.state}\n")


def describe_running(
    services: Iterable[Service], pool: ThreadPool | None, innermost: FrameType | None = None
) -> list[str]:
    """Return a line for each request under way, those of each service that run longest first.

    And for each handler, and each thread, that goes on although its request is over.
    ``innermost`` is where the loop's thread was interrupted, if a signal's handler asks.
    """
    works = _works(services, pool, _loop_frames(innermost))
    return _bounded([work.line for work in works])


def dump_running(
    services: Iterable[Service], pool: ThreadPool | None, innermost: FrameType | None = None
) -> str:
    """Return the same with whole stacks, the first of which is that of the loop's thread."""
    loop_frames = _loop_frames(innermost)
    works = [
        Work("The event loop's thread", "is not the main one", loop_frames),
        *_works(services, pool, loop_frames),
    ]
    return "\n".join(_bounded([work.stack for work in works]))


def busy_request(services: Iterable[Service]) -> str | None:
    """Name the request in whose handler the loop is at this moment; for any thread."""
    for service in services:
        current = asyncio.current_task(service.loop)
        for exchange in service.exchanges:
            if current is not None and exchange.task is current:
                return _title(exchange)
    return None


def _bounded(texts: list[str]) -> list[str]:
    rest = len(texts) - MOST
    return texts if rest <= 0 else [*texts[:MOST], f"and {rest} more"]


def _loop_frames(innermost: FrameType | None) -> list[FrameType]:
    if innermost is not None:
        return frames_from(innermost)
    return frames_of_thread(threading.main_thread().ident)


def _works(
    services: Iterable[Service], pool: ThreadPool | None, loop_frames: list[FrameType]
) -> Iterator[Work]:
    threads = {_owner(job): ident for ident, job in pool.running()} if pool is not None else {}
    for service in services:
        yield from _works_of(service, threads, loop_frames)
    for owner, ident in threads.items():
        frames = frames_of_thread(ident)
        yield Work(f"{owner!r}, whose request is over", "its thread has ended", frames)


def _works_of(
    service: Service, threads: dict[object, int], loop_frames: list[FrameType]
) -> Iterator[Work]:
    """Yield what a service has under way; what is found in ``threads`` is taken out of it."""
    others = set(service.tasks)
    for exchange in service.exchanges:
        task, title = exchange.task, _title(exchange)
        if task is not None:
            others.discard(task)
        if isinstance(exchange.request, Call):
            # A thread that has handed over a response is free again before the client has it.
            state = "sending the response" if exchange.response_status else "waiting for a thread"
            yield Work(title, state, frames_of_thread(threads.pop(exchange.request, None)))
        else:
            frames = [] if task is None else frames_of_task(task, loop_frames)
            yield Work(title, "its handler has ended", frames)
    for task in others:
        frames = frames_of_task(task, loop_frames)
        yield Work("A handler whose response is over", "it has ended", frames)


def _owner(job: Job) -> object:
    """Return what an exchange may know of a job: the object whose method it is."""
    return getattr(job, "__self__", job)


def _title(exchange: Exchange) -> str:
    head, seconds = exchange.head, monotonic() - exchange.started
    method, target = shown(head.method)[1:-1], shown(head.target, SHOWN)
    return f"{method} {target} for {seconds:.1f} s, client {_client(exchange)}"


def _client(exchange: Exchange) -> str:
    try:
        peername = exchange.peername
    except RemoteProtocolError:
        return "unknown, for its proxy contradicts itself"
    if not isinstance(peername, tuple):
        return "of a unix socket"
    host, port = cast("tuple[str, int]", peername[:2])
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
