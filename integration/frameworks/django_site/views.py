"""The pages of the site."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Event

from django.core.files.uploadedfile import UploadedFile
from django.core.handlers.asgi import ASGIRequest
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt

PIECE = 64 * 1024

go = Event()
notes: list[str] = []


def hello(request: HttpRequest, name: str) -> HttpResponse:
    """Tell what the path and the query say."""
    return JsonResponse({"name": name, "query": request.GET.dict()})


def away(request: HttpRequest) -> HttpResponse:
    """Redirect to the greeting."""
    return redirect(hello, name="again")


@csrf_exempt
def digest(request: HttpRequest) -> HttpResponse:
    """Tell the SHA-256 of a body, which is read as it comes."""
    found = hashlib.sha256()
    while piece := request.read(PIECE):
        found.update(piece)
    return HttpResponse(found.hexdigest())


@csrf_exempt
def upload(request: HttpRequest) -> HttpResponse:
    """Tell what came in a form."""
    log = request.FILES["log"]
    if not isinstance(log, UploadedFile):
        return HttpResponse("expected one file as log\n", status=422)
    found = hashlib.sha256()
    for piece in log.chunks():
        found.update(piece)
    told = {"ship": request.POST["ship"], "name": log.name, "size": log.size}
    return JsonResponse({**told, "sha256": found.hexdigest()})


def visits(request: HttpRequest) -> HttpResponse:
    """Count in the session."""
    request.session["visits"] = request.session.get("visits", 0) + 1
    return HttpResponse(request.session["visits"])


def source(request: HttpRequest) -> FileResponse:
    """Send this file."""
    return FileResponse(Path(__file__).open("rb"), content_type="text/plain")


# An iterator that blocks would be read to its end by ASGI, and one that awaits by WSGI.


def lines(request: HttpRequest) -> StreamingHttpResponse:
    """Send a line; wait until told to go on, and send another one."""
    generate = lines_async if isinstance(request, ASGIRequest) else lines_sync
    return StreamingHttpResponse(generate(), content_type="text/plain")


def lines_sync() -> Iterator[str]:
    """Wait in a thread of the worker."""
    go.clear()
    yield "first\n"
    yield "second\n" if go.wait(10) else "nobody said go\n"


async def lines_async() -> AsyncIterator[str]:
    """Wait in another thread."""
    go.clear()
    yield "first\n"
    yield "second\n" if await asyncio.to_thread(go.wait, 10) else "nobody said go\n"


@csrf_exempt
def let_go(request: HttpRequest) -> HttpResponse:
    """Let the second line go."""
    go.set()
    return HttpResponse(status=204)


def endless(request: HttpRequest) -> StreamingHttpResponse:
    """Send lines without end, and note when nobody wants more."""
    generate = endless_async if isinstance(request, ASGIRequest) else endless_sync
    return StreamingHttpResponse(generate(), content_type="text/plain")


def endless_sync() -> Iterator[str]:
    """Go on until closed."""
    try:
        while True:
            yield "and on\n"
            time.sleep(0.01)
    finally:
        notes.append("gone")


async def endless_async() -> AsyncIterator[str]:
    """Go on until cancelled."""
    try:
        while True:
            yield "and on\n"
            await asyncio.sleep(0.01)
    finally:
        notes.append("gone")


def tell_notes(request: HttpRequest) -> HttpResponse:
    """Tell what was noted."""
    return JsonResponse(notes, safe=False)


def broken(request: HttpRequest) -> HttpResponse:
    """Fail."""
    raise RuntimeError("out of order")
