"""How the worker starts under gunicorn, and how a start that fails ends it."""

from __future__ import annotations

import os
import signal
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from gunicorn_process import PATIENCE, Gunicorn, until
from worker_applications import ASGI, WSGI

NATIVE_EXITS = """
import sys

class Application:
    def __call__(self): ...
    async def handle_exchange(self, exchange): ...
    async def startup(self): sys.exit("no settings")

app = Application()
"""

NATIVE_FAILS_AND_GOES_ON = """
import asyncio

async def refuse():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

class Application:
    def __call__(self): ...
    async def handle_exchange(self, exchange): ...
    async def startup(self):
        self.task = asyncio.create_task(refuse())
        await asyncio.sleep(0)
        raise LookupError("no settings")

app = Application()
"""

NATIVE_FAILS = """
class Application:
    def __call__(self): ...
    async def handle_exchange(self, exchange): ...
    async def startup(self): 1 / 0

app = Application()
"""

LIFESPAN_FAILS = """
async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database at db.example"})
"""

LIFESPAN_RAISES = """
async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive()
    raise ConnectionError("no database at db.example")
"""

FACTORY_FAILS = "def app(): raise RuntimeError('no settings')"

PORTS = f"{WSGI}\nwsgi = app\napp = {{1: wsgi}}\n"
"""Nobody listens on port 1."""

PORT_MAPPER = ["--worker-class", "aiohttp.worker.PortMapperWorker"]
LIFESPAN_ON = ["--asgi-lifespan", "on"]


def listening() -> socket.socket:
    """Return a socket that gunicorn is to serve."""
    return socket.create_server(("127.0.0.1", 0))


def get(port: int, target: str) -> bytes:
    """Return the content of a GET."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{target}", timeout=PATIENCE) as response:
        content: bytes = response.read()
        return content


@pytest.mark.parametrize(
    ("source", "options", "code", "message"),
    [
        ("import no_such_module", [], 3, "ModuleNotFoundError: No module named 'no_such_module'"),
        ("application = None", [], 4, "Failed to find attribute 'app' in 'served'."),
        ("app = 1", [], 3, "expected an application, got 1"),
        ("def app(one): ...", [], 3, "can't tell whether <function app at "),
        (FACTORY_FAILS, [], 3, "RuntimeError: no settings"),
        ("import sys; sys.exit('no settings')", [], 3, "can't be loaded: SystemExit: no settings"),
        ("def app(): raise SystemExit(1)", [], 3, "can't be made: SystemExit: 1"),
        (NATIVE_EXITS, [], 3, "can't start: SystemExit: no settings"),
        (NATIVE_FAILS_AND_GOES_ON, [], 3, "can't start: LookupError: no settings"),
        (WSGI, ["--certfile", "served.py"], 3, "certfile 'served.py', keyfile None"),
        (NATIVE_FAILS, [], 3, "ZeroDivisionError: division by zero"),
        (LIFESPAN_FAILS, [], 3, "no database at db.example"),
        (LIFESPAN_RAISES, LIFESPAN_ON, 3, "no database at db.example"),
        (PORTS, PORT_MAPPER, 3, "nothing is mapped to "),
        (WSGI, ["--protocol", "uwsgi"], 3, "uwsgi"),
        (WSGI, ["--env", "AIOHTTP_LIMIT_BODY=much"], 3, "AIOHTTP_LIMIT_BODY"),
        (WSGI, ["--env", "AIOHTTP_APPLICATION=cgi"], 3, "AIOHTTP_APPLICATION"),
    ],
    ids=[
        "import", "attribute", "no-application", "kind", "factory", "import-exits",
        "factory-exits", "startup-exits", "startup-goes-on", "certificate", "startup", "lifespan",
        "lifespan-raises", "port", "protocol", "limit", "kind-setting",
    ],
)  # fmt: skip
def test_start_that_fails_ends_gunicorn(
    tmp_path: Path, source: str, options: list[str], code: int, message: str
) -> None:
    """A start that fails ends gunicorn within seconds; of all its workers one says why."""
    gunicorn = Gunicorn(tmp_path, source, "--workers", "4", *options)
    assert gunicorn.wait() == code
    lines = [line for line in gunicorn.log.splitlines() if "The worker can't start: " in line]
    assert len(lines) == 1
    assert message in lines[0]
    assert gunicorn.log.count("Booting worker") <= 4


def test_start_that_fails_with_preload(tmp_path: Path) -> None:
    """With --preload it is the arbiter that can't import the application."""
    gunicorn = Gunicorn(tmp_path, "import no_such_module", "--preload")
    assert gunicorn.wait() != 0
    assert "No module named 'no_such_module'" in gunicorn.log
    assert "Booting worker" not in gunicorn.log


def test_start_that_fails_while_gunicorn_ends(tmp_path: Path) -> None:
    """An application that can't be loaded doesn't keep gunicorn from ending well."""
    source = """
import os, time
print("loading", flush=True)
while not os.path.exists("released"):
    time.sleep(0.02)
raise LookupError("no settings")
"""
    with Gunicorn(tmp_path, source) as gunicorn:
        gunicorn.has_logged("loading")
        gunicorn.signal(signal.SIGTERM)
        gunicorn.has_logged("Handling signal: term")
        time.sleep(0.2)  # until the worker has it, too
        (tmp_path / "released").touch()
        assert gunicorn.wait() == 0
        assert "LookupError: no settings" in gunicorn.log
        assert "HaltServer" not in gunicorn.log


def test_preload(tmp_path: Path) -> None:
    """With --preload the application is imported once, by the arbiter."""
    source = f"{WSGI}\nimport os\nprint('imported by', os.getpid(), flush=True)\n"
    with Gunicorn(tmp_path, source, "--preload", "--workers", "2") as gunicorn:
        assert int(gunicorn.get()[1]) in until(lambda: gunicorn.pids[1:] and gunicorn.pids, "two")
        assert gunicorn.log.count("imported by") == 1
        assert f"imported by {gunicorn.process.pid}\n" in gunicorn.log


def test_error_of_syntax_with_reload(tmp_path: Path) -> None:
    """With --reload a module that can't be read is shown to the browser, until it can be."""
    options = ["--reload", "--reload-engine", "poll"]
    with Gunicorn(tmp_path, "def app(", *options) as gunicorn:
        status, content = gunicorn.get()
        assert status == 500
        assert b"SyntaxError" in content
        later = time.time() + 10

        def is_mended() -> bool:
            nonlocal later
            (tmp_path / "served.py").write_text(WSGI, encoding="utf-8")
            later += 1
            os.utime(tmp_path / "served.py", (later, later))
            return gunicorn.get()[0] == 200

        until(is_mended, "an answer of the application")


def test_ports_with_applications_of_their_own(tmp_path: Path) -> None:
    """A mapping from ports serves each of several sockets with its application."""
    source = f"""
import os
{WSGI}
wsgi = app
{ASGI}
asgi = app
first, second = (int(port) for port in os.environ["PORTS"].split())
app = {{first: wsgi, second: asgi}}
"""
    with listening() as first, listening() as second:
        ports = [sock.getsockname()[1] for sock in (first, second)]
        with Gunicorn(
            tmp_path,
            source,
            *PORT_MAPPER,
            *("--bind", f"fd://{second.fileno()}"),
            bind=f"fd://{first.fileno()}",
            environ={"PORTS": " ".join(map(str, ports))},
            pass_fds=[first.fileno(), second.fileno()],
        ):
            assert get(ports[0], "/environ/wsgi.url_scheme") == b"http"
            assert get(ports[1], "/loop").partition(b".")[0] in {b"uvloop", b"asyncio"}
