"""Requests as handlers get them: asked in memory, and looked at by a function of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import isawaitable
from typing import Any

from aiohttp.protocol import Exchange
from aiohttp.server.web.limits import DEFAULT_REQUEST_LIMITS, RequestLimits
from aiohttp.server.web.request import BaseRequest
from aiohttp.test_utils import MemoryClient

__all__ = ["Looking", "ask", "ask_raw", "multipart"]

Look = Callable[[BaseRequest], Any]
"""What a test wants to know of a request; may be a coroutine function."""


class Looking:
    """An application that shows each request to a function, and answers 204.

    Attributes:
        found: what the function returned, of each request.
        errors: what it raised.
    """

    def __init__(self, look: Look, limits: RequestLimits) -> None:
        self.found: list[Any] = []
        self.errors: list[BaseException] = []
        self._look = look
        self._limits = limits

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Look at one request."""
        request = BaseRequest(exchange)
        request._limits = self._limits
        try:
            found = self._look(request)
            self.found.append(await found if isawaitable(found) else found)
        except BaseException as exc:
            self.errors.append(exc)
            if not isinstance(exc, Exception):
                raise
        await exchange.respond(204)

    def result(self) -> Any:
        """Return what was found in the only request, or raise its error."""
        if self.errors:
            raise self.errors[0]
        (found,) = self.found
        return found


async def ask(
    look: Look,
    path: str = "/",
    *,
    method: str = "GET",
    limits: RequestLimits = DEFAULT_REQUEST_LIMITS,
    server: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Return what a function finds in a request, or raise what it raises.

    ``server``: options of ``MemoryClient``; ``options``: of its ``request``.
    """
    app = Looking(look, limits)
    async with MemoryClient(app, **(server or {})) as client:
        await client.request(method, path, **options)
    return app.result()


async def ask_raw(look: Look, data: bytes, **server: Any) -> Any:
    """Return what a function finds in a request that no client would send."""
    app = Looking(look, DEFAULT_REQUEST_LIMITS)
    async with MemoryClient(app, **server) as client:
        await client.raw(data)
    return app.result()


def multipart(parts: Iterable[tuple[str, bytes]], *, boundary: str = "B") -> dict[str, Any]:
    r"""Return options for a form of parts: what stands behind ``form-data;``, and data.

    Further fields of a part may follow, each behind ``\r\n``.
    """
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
        for head, data in parts
    )
    return {
        "data": body + f"--{boundary}--\r\n".encode(),
        "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"},
        "method": "POST",
    }
