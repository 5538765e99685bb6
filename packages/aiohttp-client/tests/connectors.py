"""What the tests of connectors share: resolvers that answer from a book, steps that never end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

from aiohttp.client import (
    Session,
)
from aiohttp.client.connector import BaseConnector
from aiohttp.protocol.abc import AbstractResolver, ResolveResult

__all__ = ["Book", "SilentBook", "connector_of", "never"]


class Book(AbstractResolver):
    """A resolver that answers from a book."""

    def __init__(self, **addresses: list[str]) -> None:
        self.addresses = {f"{name}.example": found for name, found in addresses.items()}
        self.asked: list[str] = []
        self.is_closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=6, flags=0)
            for address in self.addresses[host]
        ]

    async def close(self) -> None:
        self.is_closed = True


class SilentBook(Book):
    """A resolver that never answers."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        return cast("list[ResolveResult]", await never())


def connector_of(session: Session) -> BaseConnector:
    """Return the connector of a session that was not detached."""
    connector = session.connector
    if connector is None:
        raise LookupError(f"{session!r} was detached")
    return connector


async def never(*_: object, **__: object) -> Any:
    """Stand in for a step that never ends."""
    await asyncio.get_running_loop().create_future()
