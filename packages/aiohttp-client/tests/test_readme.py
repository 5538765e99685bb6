"""The README's programs run as printed."""

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


def test_programs(port: int) -> None:
    """A page and a 404 by a session; the page in the dialect of 2014; the page by two hosts."""
    session, dialect, hosts = (
        run_program(program.replace(":8000", f":{port}")).splitlines()
        for program in readme_programs("packages/aiohttp-client")
    )
    assert session[0] == f"200 text/html; charset=utf-8 http://127.0.0.1:{port}/?a=1"
    assert session[1].endswith(" characters")
    assert session[2] == "404 File not found"
    assert dialect[0].endswith(" bytes")
    assert hosts[0].startswith("200 http://")
