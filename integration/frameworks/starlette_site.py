"""The site on Starlette, with a lifespan: what begins there is in the state of each request."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypedDict

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

__all__ = ["app"]


class State(TypedDict):
    """What all requests share."""

    go: asyncio.Event
    notes: list[str]


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[State]:
    """Have something as long as the application runs."""
    notes = ["begun"]
    yield {"go": asyncio.Event(), "notes": notes}
    print("ended after", ", ".join(sorted(set(notes))), flush=True)


async def hello(request: Request) -> Response:
    """Tell what the path and the query say."""
    name, query = request.path_params["name"], dict(request.query_params)
    return JSONResponse({"name": name, "query": query})


async def away(request: Request) -> Response:
    """Redirect to the greeting."""
    return RedirectResponse(request.url_for("hello", name="again"))


async def digest(request: Request) -> Response:
    """Tell the SHA-256 of a body, which is read as it comes."""
    found = hashlib.sha256()
    async for piece in request.stream():
        found.update(piece)
    return PlainTextResponse(found.hexdigest())


async def upload(request: Request) -> Response:
    """Tell what came in a form."""
    async with request.form() as form:
        log = form["log"]
        if not isinstance(log, UploadFile):
            return PlainTextResponse("expected a file as log\n", 422)
        content = await log.read()
        sha256 = hashlib.sha256(content).hexdigest()
        told = {"ship": form["ship"], "name": log.filename, "size": len(content)}
        return JSONResponse({**told, "sha256": sha256})


async def visits(request: Request) -> Response:
    """Count in the session."""
    count = request.session.get("visits", 0) + 1
    request.session["visits"] = count
    return PlainTextResponse(str(count))


async def source(request: Request) -> Response:
    """Send this file."""
    return FileResponse(__file__, media_type="text/plain")


async def lines(request: Request) -> Response:
    """Send a line; wait until told to go on, and send another one."""
    go: asyncio.Event = request.state.go

    async def generate() -> AsyncGenerator[str]:
        go.clear()
        yield "first\n"
        async with asyncio.timeout(10):
            await go.wait()
        yield "second\n"

    return StreamingResponse(generate(), media_type="text/plain")


async def let_go(request: Request) -> Response:
    """Let the second line go."""
    request.state.go.set()
    return Response(status_code=204)


async def endless(request: Request) -> Response:
    """Send lines without end, and note when nobody wants more."""
    notes: list[str] = request.state.notes

    async def generate() -> AsyncGenerator[str]:
        try:
            while True:
                yield "and on\n"
                await asyncio.sleep(0.01)
        finally:
            notes.append("gone")

    return StreamingResponse(generate(), media_type="text/plain")


async def later(request: Request) -> Response:
    """Answer now, and note it when ``/go`` comes."""

    async def work() -> None:
        await request.state.go.wait()
        request.state.notes.append("worked")

    request.state.go.clear()
    return Response(status_code=202, background=BackgroundTask(work))


async def tell_notes(request: Request) -> Response:
    """Tell what was noted."""
    return JSONResponse(request.state.notes)


async def broken(request: Request) -> Response:
    """Fail."""
    raise RuntimeError("out of order")


app = Starlette(
    routes=[
        Route("/hello/{name}", hello),
        Route("/away", away),
        Route("/digest", digest, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
        Route("/visits", visits),
        Route("/source", source),
        Route("/lines", lines),
        Route("/go", let_go, methods=["POST"]),
        Route("/endless", endless),
        Route("/later", later, methods=["POST"]),
        Route("/notes", tell_notes),
        Route("/broken", broken),
    ],
    middleware=[Middleware(SessionMiddleware, secret_key="Call me Ishmael.")],
    lifespan=lifespan,
)
