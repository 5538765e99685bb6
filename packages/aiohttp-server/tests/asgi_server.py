"""An ASGI server that holds one request, for tests of the ASGI door."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

__all__ = ["AsgiServer", "body_of", "scope_of"]

Headers = Iterable[tuple[bytes, bytes]]


class AsgiServer:
    """An ASGI server that holds one request; what is sent to it is kept.

    Attributes:
        sent: the messages of the application.
        received: how many messages it has asked for.
    """

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.sent: list[dict[str, Any]] = []
        self.received = 0
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for message in messages:
            self.tell(message)

    def tell(self, message: dict[str, Any]) -> None:
        """Hand a message to the application."""
        self._messages.put_nowait(message)

    def leave(self) -> None:
        """Say that the client has gone."""
        self.tell({"type": "http.disconnect"})

    async def receive(self) -> Any:
        """Be asked for the next message."""
        self.received += 1
        return await self._messages.get()

    async def send(self, message: Any) -> None:
        """Keep a message."""
        self.sent.append(message)

    @property
    def status(self) -> int:
        """Of the response."""
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Of the response."""
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        """Of the response, which is complete."""
        assert [each.get("more_body", False) for each in self.sent[1:]][-1] is False
        return b"".join(each["body"] for each in self.sent[1:])


def scope_of(
    path: str = "/", method: str = "GET", headers: Headers = (), **extra: Any
) -> dict[str, Any]:
    """Return the scope of a request."""
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"example.org"), *headers],
        "client": ("192.0.2.7", 50000),
        "server": ("192.0.2.1", 80),
        **extra,
    }


def body_of(*pieces: bytes) -> list[dict[str, Any]]:
    """Return the messages of a request's body."""
    return [
        {"type": "http.request", "body": piece, "more_body": i < len(pieces)}
        for i, piece in enumerate(pieces, 1)
    ]
