"""Names of hosts and their addresses: looked up once for all who ask, and kept for a while."""

from __future__ import annotations

import asyncio
import math
import socket
import time as clock
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from aiohttp.protocol.abc import AbstractResolver, ResolveResult

__all__ = ["Names"]


class _Kept(NamedTuple):
    addresses: list[ResolveResult]
    until: float


class _Lookup:
    """A question that is on its way to the resolver, and how many wait for the answer."""

    __slots__ = ("task", "waiting")

    def __init__(self, task: asyncio.Task[list[ResolveResult] | Exception]) -> None:
        self.task = task
        self.waiting = 0


class Names:
    """Addresses of names, by way of a resolver.

    Args:
        resolver: who knows them.
        family: of the addresses; ``AF_UNSPEC``: any.
        ttl: seconds for which an answer is kept; None: for good; 0: not at all.
        limit: how many answers are kept; the oldest one goes first.
        time: seconds on some clock.
    """

    def __init__(
        self,
        resolver: AbstractResolver,
        *,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        ttl: float | None = 10.0,
        limit: int = 1000,
        time: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._resolver = resolver
        self._family = family
        self._ttl = math.inf if ttl is None else ttl
        self._limit = limit
        self._time = time
        self._kept: dict[tuple[str, int], _Kept] = {}  # kept last, last
        self._lookups: dict[tuple[str, int], _Lookup] = {}

    def __repr__(self) -> str:
        return f"<Names {len(self._kept)} kept, {len(self._lookups)} asked for>"

    @property
    def kept(self) -> Mapping[tuple[str, int], list[ResolveResult]]:
        """What is known now, by host and port."""
        now = self._time()
        return MappingProxyType({
            key: kept.addresses for key, kept in self._kept.items() if kept.until > now
        })  # fmt: skip

    async def look_up(self, host: str, port: int) -> list[ResolveResult]:
        """Return the addresses of ``host``, the preferred one first; at least one.

        All who ask at the same time share one question. It is given up when the last
        of them is cancelled.

        Raises:
            OSError: if there is none.
            Exception: whatever else the resolver raises.
        """
        key = (host, port)
        kept = self._kept.get(key)
        if kept is not None and kept.until > self._time():
            return kept.addresses
        lookup = self._lookups.get(key)
        if lookup is None:
            task = asyncio.get_running_loop().create_task(self._ask(key))
            lookup = self._lookups[key] = _Lookup(task)
        lookup.waiting += 1
        try:
            await asyncio.wait([lookup.task])
        finally:
            lookup.waiting -= 1
            if lookup.task.done() or not lookup.waiting:
                # No newcomer may join what is over, or about to be.
                self._strike(key, lookup)
                lookup.task.cancel()
        if lookup.task.cancelled():
            raise OSError("the resolver was closed")
        found = lookup.task.result()
        if isinstance(found, Exception):
            raise found
        return found

    def _strike(self, key: tuple[str, int], lookup: _Lookup) -> None:
        """Let nobody join this question any more; another one of the same name may be there."""
        if self._lookups.get(key) is lookup:
            del self._lookups[key]

    async def _ask(self, key: tuple[str, int]) -> list[ResolveResult] | Exception:
        """Return the answer, or what was raised: nobody may be left to retrieve it."""
        host, port = key
        try:
            found = await self._resolver.resolve(host, port, self._family)
            if not found:
                raise OSError("the resolver found no address")
        except Exception as exc:  # noqa: BLE001 resolvers are the program's: they may raise anything
            return exc
        self._keep(key, found)
        return found

    def _keep(self, key: tuple[str, int], found: list[ResolveResult]) -> None:
        if not self._ttl or not self._limit:
            return
        self._kept.pop(key, None)
        if len(self._kept) >= self._limit:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = _Kept(found, self._time() + self._ttl)

    def forget(self, host: str | None = None, port: int | None = None) -> None:
        """Drop what is kept of a host and port, of a host, or all."""
        for key in [*self._kept]:
            if host in (None, key[0]) and port in (None, key[1]):
                del self._kept[key]

    def close(self) -> None:
        """Forget everything; those who wait for an answer get an OSError."""
        self._kept.clear()
        lookups = [*self._lookups.values()]
        self._lookups.clear()
        for lookup in lookups:
            lookup.task.cancel()
