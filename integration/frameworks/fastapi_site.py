"""The site on FastAPI: some of it plain functions, which FastAPI calls in threads of its own."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, TypedDict

from fastapi import BackgroundTasks, FastAPI, Form, Request, UploadFile
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from pydantic import BaseModel
from starlette.middleware.sessions import SessionMiddleware

__all__ = ["app"]


class State(TypedDict):
    """What all requests share."""

    go: asyncio.Event
    notes: list[str]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[State]:
    """Have something as long as the application runs."""
    notes = ["begun"]
    yield {"go": asyncio.Event(), "notes": notes}
    print("ended after", ", ".join(sorted(set(notes))), flush=True)


app = FastAPI(lifespan=lifespan)
app.add_middleware(SessionMiddleware, secret_key="Call me Ishmael.")


class Greeting(BaseModel):
    """What the path and the query say."""

    name: str
    query: dict[str, str]


class Upload(BaseModel):
    """What came in a form."""

    ship: str
    name: str | None
    size: int | None
    sha256: str


@app.get("/hello/{name}")
def hello(name: str, request: Request) -> Greeting:
    """Greet."""
    return Greeting(name=name, query=dict(request.query_params))


@app.get("/away")
def away(request: Request) -> RedirectResponse:
    """Redirect to the greeting."""
    return RedirectResponse(request.url_for("hello", name="again"))


@app.post("/digest")
async def digest(request: Request) -> PlainTextResponse:
    """Tell the SHA-256 of a body, which is read as it comes."""
    found = hashlib.sha256()
    async for piece in request.stream():
        found.update(piece)
    return PlainTextResponse(found.hexdigest())


@app.post("/upload")
def upload(ship: Annotated[str, Form()], log: UploadFile) -> Upload:
    """Tell what came in a form."""
    sha256 = hashlib.sha256(log.file.read()).hexdigest()
    return Upload(ship=ship, name=log.filename, size=log.size, sha256=sha256)


@app.get("/visits")
def visits(request: Request) -> int:
    """Count in the session."""
    count: int = request.session.get("visits", 0) + 1
    request.session["visits"] = count
    return count


@app.api_route("/source", methods=["GET", "HEAD"])
def source() -> FileResponse:
    """Send this file."""
    return FileResponse(__file__, media_type="text/plain")


@app.get("/lines")
async def lines(request: Request) -> StreamingResponse:
    """Send a line; wait until told to go on, and send another one."""
    go: asyncio.Event = request.state.go

    async def generate() -> AsyncGenerator[str]:
        go.clear()
        yield "first\n"
        async with asyncio.timeout(10):
            await go.wait()
        yield "second\n"

    return StreamingResponse(generate(), media_type="text/plain")


@app.post("/go", status_code=204)
async def let_go(request: Request) -> None:
    """Let the second line go."""
    request.state.go.set()


@app.get("/endless")
async def endless(request: Request) -> StreamingResponse:
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


@app.post("/later", status_code=202)
async def later(request: Request, tasks: BackgroundTasks) -> None:
    """Answer now, and note it when ``/go`` comes."""

    async def work() -> None:
        await request.state.go.wait()
        request.state.notes.append("worked")

    request.state.go.clear()
    tasks.add_task(work)


@app.get("/notes")
async def tell_notes(request: Request) -> list[str]:
    """Tell what was noted."""
    notes: list[str] = request.state.notes
    return notes


@app.get("/broken")
def broken() -> None:
    """Fail."""
    raise RuntimeError("out of order")
