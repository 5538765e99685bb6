"""A small site: pages, uploads with progress, a listing, a live plot, and what an error looks like.

Run it in this folder, and open the URL that it prints:

    python demo.py
    python -m aiohttp.server demo:make_app --port 8080 --reload

What is uploaded is kept in a temporary folder, until the server stops.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import BodyPartReader, web

PAGES = Path(__file__).parent / "pages"
FOLDER = web.AppKey("folder", Path)

routes = web.RouteTableDef()


@routes.get("/")
async def index(request: web.Request) -> web.FileResponse:
    """Send the page; its style and script come from ``/pages/``, see ``make_app``."""
    return web.FileResponse(PAGES / "index.html")


@routes.get("/hello/{name}")
async def hello(request: web.Request) -> web.Response:
    """Answer with JSON."""
    return web.json_response({"hello": request.match_info["name"], "query": dict(request.query)})


@routes.get("/broken")
async def broken(request: web.Request) -> web.Response:
    """Fail: in debug mode one sees where, else only the id under which it is in the log."""
    prices = {"apple": 3, "pear": 4}
    return web.json_response({"price": prices[request.query.get("fruit", "quince")]})


# Uploads.


@routes.post("/files")
async def upload(request: web.Request) -> web.Response:
    """Keep the files of a form. They are written as they come: a large one needs no memory."""
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.filename:
            await store(part, request.app[FOLDER], file_name(part.filename))
    raise web.HTTPSeeOther("/files/")


async def store(part: BodyPartReader, folder: Path, name: str) -> None:
    """Write a file, and move it to where it is served when it is complete."""
    arriving = folder / "arriving" / secrets.token_hex(8)
    try:
        with await asyncio.to_thread(arriving.open, "xb") as file:
            async for piece in part:
                await asyncio.to_thread(file.write, piece)
        # In a thread as well: it takes long where it replaces a large file.
        await asyncio.to_thread(arriving.replace, folder / "files" / name)
    finally:
        await asyncio.to_thread(arriving.unlink, missing_ok=True)


def file_name(given: str) -> str:
    """Return a name that stays in its folder, whatever the client calls its file."""
    return re.sub(r"[^\w .()+-]+", "_", given)[-60:].lstrip(".") or "unnamed"


# The plot.


@routes.get("/pulse")
async def pulse(request: web.Request) -> web.StreamResponse:
    """Tell ten times a second by how many milliseconds the event loop wakes up too late.

    The block ends by itself when the browser has gone, or the server stops.
    """
    loop = asyncio.get_running_loop()
    async with web.EventSourceResponse(request) as stream:
        while True:
            expected = loop.time() + 0.1
            await asyncio.sleep(0.1)
            await stream.send_event(json.dumps({"late": 1000 * (loop.time() - expected)}))
    return stream


# The application.


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """Let pages load nothing from elsewhere, and what somebody has uploaded run no script."""
    policy = "sandbox" if request.path.startswith("/files/") else "default-src 'self'"
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers["X-Content-Type-Options"] = "nosniff"


def make_app() -> web.Application:
    """Return the application, with an empty folder for uploads."""
    temporary = TemporaryDirectory(prefix="demo-")
    folder = Path(temporary.name)
    for name in ("arriving", "files"):
        (folder / name).mkdir()

    async def remove_folder(app: web.Application) -> None:
        await asyncio.to_thread(temporary.cleanup)

    app = web.Application(debug=True)  # shows tracebacks: not for a site that others visit
    app[FOLDER] = folder
    app.add_routes(routes)
    app.add_routes([web.static("/pages", PAGES)])
    app.add_routes([web.static("/files", folder / "files", show_index=True)])
    app.on_response_prepare.append(protect)
    app.on_cleanup.append(remove_folder)
    return app


if __name__ == "__main__":
    web.run_app(make_app(), host="localhost", port=8080)
