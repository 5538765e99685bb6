"""The site on Falcon."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import falcon
from falcon import App, Request, Response

__all__ = ["app"]

PIECE = 64 * 1024


class Hello:
    """What the path and the query say."""

    def on_get(self, req: Request, resp: Response, name: str) -> None:
        """Tell it."""
        resp.media = {"name": name, "query": req.params}


class Away:
    """Elsewhere."""

    def on_get(self, req: Request, resp: Response) -> None:
        """Redirect to the greeting."""
        raise falcon.HTTPFound(f"{req.root_path}/hello/again")


class Digest:
    """The SHA-256 of a body."""

    def on_post(self, req: Request, resp: Response) -> None:
        """Read it as it comes."""
        found = hashlib.sha256()
        while piece := req.stream.read(PIECE):
            found.update(piece)
        resp.text = found.hexdigest()


class Upload:
    """A form."""

    def on_post(self, req: Request, resp: Response) -> None:
        """Tell what came in it."""
        told: dict[str, object] = {}
        for part in req.get_media():
            if part.filename is None:
                told[part.name] = part.text
                continue
            found, size = hashlib.sha256(), 0
            while piece := part.stream.read(PIECE):
                found.update(piece)
                size += len(piece)
            told |= {"name": part.filename, "size": size, "sha256": found.hexdigest()}
        resp.media = told


class Visits:
    """How often a client has asked."""

    def on_get(self, req: Request, resp: Response) -> None:
        """Count in a cookie."""
        count = int(req.cookies.get("visits", "0")) + 1
        resp.set_cookie("visits", str(count), secure=False)
        resp.text = str(count)


class Source:
    """This file."""

    def on_get(self, req: Request, resp: Response) -> None:
        """Send it: where there is a ``wsgi.file_wrapper``, Falcon uses that."""
        self.on_head(req, resp)
        resp.stream = Path(__file__).open("rb")  # noqa: SIM115 - who sends it closes it

    def on_head(self, req: Request, resp: Response) -> None:
        """Tell of it."""
        resp.content_type = falcon.MEDIA_TEXT
        resp.content_length = Path(__file__).stat().st_size


class Lines:
    """Two lines, the second of which waits."""

    def __init__(self) -> None:
        self._go = Event()

    def on_get(self, req: Request, resp: Response) -> None:
        """Send a line; wait until told to go on, and send another one."""
        resp.content_type = falcon.MEDIA_TEXT
        resp.stream = self._generate()

    def on_post_go(self, req: Request, resp: Response) -> None:
        """Let the second line go."""
        self._go.set()
        resp.status = falcon.HTTP_204

    def _generate(self) -> Iterator[bytes]:
        self._go.clear()
        yield b"first\n"
        yield b"second\n" if self._go.wait(10) else b"nobody said go\n"


class Endless:
    """Lines without end."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    def on_get(self, req: Request, resp: Response) -> None:
        """Send them, and note when nobody wants more."""
        resp.content_type = falcon.MEDIA_TEXT
        resp.stream = self._generate()

    def on_get_notes(self, req: Request, resp: Response) -> None:
        """Tell what was noted."""
        resp.media = self._notes

    def _generate(self) -> Iterator[bytes]:
        try:
            while True:
                yield b"and on\n"
                time.sleep(0.01)
        finally:
            self._notes.append("gone")


class Broken:
    """What is out of order."""

    def on_get(self, req: Request, resp: Response) -> None:
        """Fail."""
        raise RuntimeError("out of order")


app: App[Request, Response] = App()
app.add_route("/hello/{name}", Hello())
app.add_route("/away", Away())
app.add_route("/digest", Digest())
app.add_route("/upload", Upload())
app.add_route("/visits", Visits())
app.add_route("/source", Source())
lines, endless = Lines(), Endless()
app.add_route("/lines", lines)
app.add_route("/go", lines, suffix="go")
app.add_route("/endless", endless)
app.add_route("/notes", endless, suffix="notes")
app.add_route("/broken", Broken())
