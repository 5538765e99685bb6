"""Applications that PasteDeploy composes: one file says what is served, and how."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from gunicorn_process import Gunicorn

CONFIGURATION = """
[app:main]
paste.app_factory = pequod:make_app
whose = the ship of %(captain)s

[server:main]
use = egg:gunicorn#main
host = 127.0.0.1
port = 0
worker_class = aiohttp.worker.AsyncGunicornWorker
threads = 4
control_socket_disable = true
"""

PEQUOD = """
import threading

def make_app(global_conf, whose):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        thread = threading.current_thread().name.rstrip("0123456789")
        return [f"{whose} {environ['wsgi.multithread']} {thread}".encode()]
    return app
"""

SERVE = """
import sys
from paste.deploy import loadapp, loadserver

uri = f"config:{sys.argv[1]}"
settings = {"captain": "Ahab"}
loadserver(uri, global_conf=settings)(loadapp(uri, global_conf=settings))
"""


def configuration(folder: Path) -> Path:
    """Write the application and the file that names it; return the latter."""
    (folder / "pequod.py").write_text(PEQUOD)
    file = folder / "pequod.ini"
    file.write_text(CONFIGURATION)
    return file


class LoadServer(Gunicorn):
    """gunicorn, started by PasteDeploy: it gets no command line."""

    is_tls = False

    def __init__(self, folder: Path) -> None:
        (folder / "serve.py").write_text(SERVE)
        self._start(folder, [sys.executable, "serve.py", str(configuration(folder))])


def test_loadserver(tmp_path: Path) -> None:
    """``loadserver`` of PasteDeploy starts gunicorn with the worker that the file names."""
    with LoadServer(tmp_path) as gunicorn:
        assert gunicorn.get() == (200, b"the ship of Ahab True wsgi-")
        gunicorn.signal(signal.SIGTERM)
        assert gunicorn.wait() == 0
    assert "Using worker: aiohttp.worker.AsyncGunicornWorker" in gunicorn.log


def test_paste_option(tmp_path: Path) -> None:
    """``gunicorn --paste`` reads the applications only: threads and worker are its own options."""
    options = ("--paste", str(configuration(tmp_path)), "--paste-global", "captain=Ahab")
    with Gunicorn(tmp_path, "", *options) as gunicorn:
        assert gunicorn.get() == (200, b"the ship of Ahab False wsgi-")
