"""The same answer from each kind of application that a worker of gunicorn serves.

Nothing is imported from ``aiohttp``: here as in the environment of the peers, an
application is an object of the right shape.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from aiohttp.protocol import Exchange

BODY = b"Hello, world"


async def asgi(
    _scope: dict[str, Any],
    _receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Answer with few bytes; without a lifespan, which workers find out by asking."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"text/plain"), (b"content-length", b"12")],
        }
    )
    await send({"type": "http.response.body", "body": BODY})


def wsgi(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer with few bytes."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "12")])
    return [BODY]


def blocking(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer with few bytes, after a second."""
    time.sleep(1)
    return wsgi(environ, start_response)


class Exchanges:
    """Answers with few bytes behind protocol's seam, which is the least that a worker can do."""

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer."""
        await exchange.respond(200, [("Content-Type", "text/plain")], BODY)

    def __call__(self) -> None:
        """Be callable, or gunicorn doesn't take it for an application."""


exchanges = Exchanges()
