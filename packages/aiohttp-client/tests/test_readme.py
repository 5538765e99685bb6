"""The README's program runs as printed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from house import readme_programs, run_program


class Quiet(SimpleHTTPRequestHandler):
    """What ``python -m http.server`` runs, without its log."""

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of a server with an empty folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_program(port: int) -> None:
    """The program gets a page, and a 404."""
    (program,) = readme_programs("packages/aiohttp-client")
    first, second, third = run_program(program.replace(":8000/", f":{port}/")).splitlines()
    assert first == f"200 text/html; charset=utf-8 http://127.0.0.1:{port}/?a=1"
    assert second.endswith(" characters")
    assert third == "404 File not found"
