"""The site on Flask."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from threading import Event

from flask import Flask, Response, redirect, request, send_file, session, url_for
from werkzeug.wrappers import Response as WSGIResponse

__all__ = ["app"]

PIECE = 64 * 1024

app = Flask(__name__)
app.secret_key = "Call me Ishmael."
go = Event()
notes: list[str] = []


@app.get("/hello/<name>")
def hello(name: str) -> dict[str, object]:
    """Tell what the path and the query say."""
    return {"name": name, "query": request.args}


@app.get("/away")
def away() -> WSGIResponse:
    """Redirect to the greeting."""
    return redirect(url_for("hello", name="again"))


@app.post("/digest")
def digest() -> str:
    """Tell the SHA-256 of a body, which is read as it comes."""
    found = hashlib.sha256()
    while piece := request.stream.read(PIECE):
        found.update(piece)
    return found.hexdigest()


@app.post("/upload")
def upload() -> dict[str, object]:
    """Tell what came in a form."""
    log = request.files["log"]
    content = log.stream.read()
    return {
        "ship": request.form["ship"],
        "name": log.filename,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@app.get("/visits")
def visits() -> str:
    """Count in the session."""
    session["visits"] = session.get("visits", 0) + 1
    return str(session["visits"])


@app.get("/source")
def source() -> Response:
    """Send this file."""
    return send_file(__file__, mimetype="text/plain")


@app.get("/lines")
def lines() -> Response:
    """Send a line; wait until told to go on, and send another one."""

    def generate() -> Iterator[str]:
        go.clear()
        yield "first\n"
        yield "second\n" if go.wait(10) else "nobody said go\n"

    return Response(generate(), mimetype="text/plain")


@app.post("/go")
def let_go() -> tuple[str, int]:
    """Let the second line go."""
    go.set()
    return "", 204


@app.get("/endless")
def endless() -> Response:
    """Send lines without end, and note when nobody wants more."""

    def generate() -> Iterator[str]:
        try:
            while True:
                yield "and on\n"
                time.sleep(0.01)
        finally:
            notes.append("gone")

    return Response(generate(), mimetype="text/plain")


@app.get("/notes")
def tell_notes() -> list[str]:
    """Tell what was noted."""
    return notes


@app.get("/broken")
def broken() -> str:
    """Fail."""
    raise RuntimeError("out of order")
