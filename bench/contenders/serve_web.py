"""``aiohttp.web``: one program, which runs with ours and with aiohttp 3.

The first argument says what it serves: an application for each figure.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

from aiohttp import web
from bench.page import ITEMS
from bench.worker import announce, end_with_parent, listen, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PIECE = b"x" * 65536
MADE = json.dumps(ITEMS).encode()


async def hello(_request: web.Request) -> web.Response:
    """Answer with few bytes."""
    return web.Response(text="Hello, world")


async def item(request: web.Request) -> web.Response:
    """Answer with 2 KB of JSON."""
    return web.json_response({"name": request.match_info["name"], "items": ITEMS})


async def made(_request: web.Request) -> web.Response:
    """Answer with 2 KB of JSON that were made beforehand."""
    return web.Response(body=MADE, content_type="application/json")


@web.middleware
async def labelled(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Set a field of each response."""
    response = await handler(request)
    response.headers["Cache-Control"] = "no-store"
    return response


async def size(request: web.Request) -> web.Response:
    """Read the body; answer with its length."""
    return web.Response(text=str(len(await request.read())))


async def stream(request: web.Request) -> web.StreamResponse:
    """Send as many bytes as the target says, as chunks unless it wants their length announced."""
    left = int(request.match_info["size"])
    response = web.StreamResponse()
    if "announced" in request.match_info:
        response.content_length = left
    await response.prepare(request)
    while left > 0:
        await response.write(PIECE if left >= len(PIECE) else PIECE[:left])
        left -= len(PIECE)
    await response.write_eof()
    return response


def application(kind: str, *words: str) -> web.Application:
    """Return the application for a figure."""
    app = web.Application()
    if kind == "hello":
        app.router.add_get("/", hello)
    elif kind in {"item", "made"}:
        app.middlewares.append(labelled)
        app.router.add_get("/items/{name}", item if kind == "item" else made)
    elif kind == "size":
        app.router.add_post("/", size)
    elif kind == "stream":
        app.router.add_get("/{size}", stream)
        app.router.add_get("/{announced}/{size}", stream)
    elif kind == "file":
        app.router.add_static("/", words[0])
    else:
        path = {"fixed": "/section{}/page", "named": "/section{}/{{name}}/page"}[kind]
        for number in range(int(words[0])):
            app.router.add_get(path.format(number), hello)
    return app


async def main(words: list[str]) -> None:
    """Serve until the bench ends."""
    runner = web.AppRunner(application(*words), access_log=None)
    await runner.setup()
    listener = listen()
    await web.SockSite(runner, listener, backlog=2048).start()
    announce(listener.getsockname()[1])
    await asyncio.Event().wait()


if __name__ == "__main__":
    end_with_parent()
    run(sys.argv[-1], main(sys.argv[1:-1]))
