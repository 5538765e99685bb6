"""Beside the worker: gunicorn's control interface and its dirty workers."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from gunicorn_process import PATIENCE, Gunicorn, until
from worker_applications import ASGI, WSGI


def ask(control_socket: Path, command: str) -> Any:
    """Return what gunicorn's control interface answers."""
    gunicornc = Path(sysconfig.get_path("scripts")) / "gunicornc"
    done = subprocess.run(
        [gunicornc, "--socket", control_socket, "--json", "--command", command],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("source", [WSGI, ASGI], ids=["wsgi", "asgi"])
def test_control_interface(tmp_path: Path, source: str) -> None:
    """gunicornc shows our workers as it shows its own, adds, kills and reloads them."""
    control = tmp_path / "control"

    def workers() -> list[int]:
        return [worker["pid"] for worker in ask(control, "show workers")["workers"]]

    with Gunicorn(tmp_path, source, control_socket=control) as gunicorn:
        until(control.exists, "the control socket")
        (first,) = ask(control, "show workers")["workers"]
        assert first["pid"] == gunicorn.pids[0]
        assert first["last_heartbeat"] < 5
        ask(control, "worker add 1")
        two = until(lambda: len(found := workers()) == 2 and found, "two workers")
        ask(control, f"worker kill {first['pid']}")
        until(lambda: first["pid"] not in workers(), "the end of the first")
        ask(control, "reload")
        until(lambda: not set(two) & set(workers()), "new workers")
        assert gunicorn.get()[0] == 200
        ask(control, "shutdown")
        assert gunicorn.wait() == 0


DIRTY_APP = """
import os
from gunicorn.dirty import DirtyApp, get_dirty_client, get_dirty_client_async

class Dirty(DirtyApp):
    def square(self, number):
        return [number * number, os.getpid()]
"""

DIRTY_WSGI = f"""{DIRTY_APP}
def app(environ, start_response):
    start_response("200 OK", [])
    square, pid = get_dirty_client().execute("served:Dirty", "square", 7)
    return [b"%d %d" % (square, pid != os.getpid())]
"""

DIRTY_ASGI = f"""{DIRTY_APP}
async def app(scope, receive, send):
    assert scope["type"] == "http"
    client = await get_dirty_client_async()
    square, pid = await client.execute_async("served:Dirty", "square", 7)
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    body = b"%d %d" % (square, pid != os.getpid())
    await send({{"type": "http.response.body", "body": body}})
"""


@pytest.mark.parametrize("source", [DIRTY_WSGI, DIRTY_ASGI], ids=["wsgi", "asgi"])
def test_dirty_workers(tmp_path: Path, source: str) -> None:
    """Applications reach gunicorn's dirty workers, from threads and from the loop."""
    options = ["--dirty-app", "served:Dirty", "--dirty-workers", "1"]
    with Gunicorn(tmp_path, source, *options) as gunicorn:
        gunicorn.has_logged("worker-1.sock")  # on which the dirty worker listens
        answers = [gunicorn.begin("/") for _ in range(4)]
        assert [answer.result() for answer in answers] == [(200, b"49 1")] * 4
