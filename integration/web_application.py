"""A ``web.Application`` for real clients, wherever it is served: ``app`` of this module.

If the environment names a file as ``WEB_JOURNAL``, a line is added to it for each of the
application's moments.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

from aiohttp import web

__all__ = ["CONTENT", "LARGE", "PIECE", "TEXT", "app", "make_app"]

CONTENT = bytes(range(256)) * 400
"""What ``/file`` has."""
LARGE = 16_000_000
"""So many bytes has ``/large``."""
TEXT = "All work and no play makes Jack a dull boy.\n" * 5000
PIECE = b"0123456789" * 100

FILE = web.AppKey("file", Path)
REQUESTS = web.AppKey("requests", list[str])

routes = web.RouteTableDef()


@routes.get("/")
async def index(request: web.Request) -> web.Response:
    """Answer as small servers do in benchmarks."""
    return web.Response(text="Hello, world!\n")


@routes.get("/hello/{name}")
async def hello(request: web.Request) -> web.Response:
    """Tell what the path and the query say."""
    return web.json_response({"name": request.match_info["name"], "query": dict(request.query)})


@routes.get("/who")
async def who(request: web.Request) -> web.Response:
    """Tell what is known of the client."""
    peer = request.exchange.peername
    told = {"remote": request.remote, "scheme": request.scheme, "host": request.host}
    return web.json_response({**told, "port": peer[1] if peer else None})


@routes.post("/echo")
async def echo(request: web.Request) -> web.Response:
    """Send the body back."""
    return web.Response(body=await request.read(), content_type=request.content_type)


@routes.post("/digest")
async def digest(request: web.Request) -> web.Response:
    """Tell the SHA-256 of a body, which is read as it comes."""
    found = hashlib.sha256()
    async for piece in request.content.iter_any():
        found.update(piece)
    return web.Response(text=found.hexdigest())


@routes.post("/form")
async def form(request: web.Request) -> web.Response:
    """Tell the fields of a form; of files their names, types and sizes."""
    return web.json_response(
        {
            name: [value.filename, value.content_type, len(value.file.read())]
            if isinstance(value, web.FileField)
            else value
            for name, value in (await request.post()).items()
        }
    )


@routes.get("/pieces/{number}")
async def pieces(request: web.Request) -> web.StreamResponse:
    """Send an answer whose length nobody knows before."""
    response = web.StreamResponse()
    await response.prepare(request)
    piece = PIECE * int(request.query.get("times", "1"))
    for _ in range(int(request.match_info["number"])):
        await response.write(piece)
    return response


@routes.get("/text")
async def text(request: web.Request) -> web.Response:
    """Send a text, compressed if the client likes that."""
    response = web.Response(text=TEXT)
    response.enable_compression()
    return response


@routes.get("/file")
async def file(request: web.Request) -> web.FileResponse:
    """Send a file, or ranges of it."""
    return web.FileResponse(request.app[FILE])


@routes.get("/large")
async def large(request: web.Request) -> web.FileResponse:
    """Send a file that no buffer holds."""
    return web.FileResponse(request.app[FILE].with_name("large.bin"))


@routes.get("/cookie")
async def cookie(request: web.Request) -> web.Response:
    """Set a cookie, and tell those that came."""
    response = web.json_response(dict(request.cookies))
    response.set_cookie("ship", "Pequod", httponly=True, samesite="Lax")
    return response


@routes.get("/away")
async def away(request: web.Request) -> web.Response:
    """Redirect to the greeting."""
    raise web.HTTPFound("/hello/again")


@routes.get("/broken")
async def broken(request: web.Request) -> web.Response:
    """Fail."""
    raise RuntimeError("out of order")


@routes.get("/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Send events without end."""
    async with web.EventSourceResponse(request) as stream:
        number = 0
        while True:
            await stream.send_event(str(number), id=str(number))
            number += 1
            await asyncio.sleep(0.01)
    return stream


@web.middleware
async def count(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Note who was asked for what: middlewares run wherever the application does."""
    request.app[REQUESTS].append(request.path)
    response = await handler(request)
    if not response.prepared:
        response.headers["X-Counted"] = "yes"
    return response


async def with_file(app: web.Application) -> AsyncGenerator[None]:
    """Have files as long as the application runs."""
    note("startup")
    with tempfile.TemporaryDirectory() as folder:
        app[FILE] = Path(folder) / "content.bin"
        await asyncio.to_thread(app[FILE].write_bytes, CONTENT)
        await asyncio.to_thread(app[FILE].with_name("large.bin").write_bytes, bytes(LARGE))
        yield
    note("cleanup")


async def tell_shutdown(app: web.Application) -> None:
    """Note that stopping begins."""
    note("shutdown")


def note(moment: str) -> None:
    """Add a line to the journal, if there is one."""
    if journal := os.environ.get("WEB_JOURNAL"):
        with Path(journal).open("a") as opened:
            opened.write(f"{moment}\n")


def make_app() -> web.Application:
    """Return a new application."""
    made = web.Application(middlewares=[count], debug=False)
    made[REQUESTS] = []
    made.add_routes(routes)
    made.cleanup_ctx.append(with_file)
    made.on_shutdown.append(tell_shutdown)
    return made


app = make_app()
