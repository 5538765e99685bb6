"""What the worker tells gunicorn: its logs, its statsd, and its hooks."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import pytest

from gunicorn_process import PATIENCE, Gunicorn
from worker_applications import ASGI, NATIVE, WSGI

KINDS = pytest.mark.parametrize("source", [WSGI, ASGI, NATIVE], ids=["wsgi", "asgi", "native"])


# Logs.


@KINDS
def test_access_log(tmp_path: Path, source: str) -> None:
    """A request is in gunicorn's access log, in its format; a refused one is, too."""
    form = "%(h)s '%(r)s' %(s)s %(B)s %(a)s %({x-id}i)s %({content-type}o)s %({host}e)s|"
    options = ["--access-logfile", "-", "--access-logformat", form]
    with Gunicorn(tmp_path, source, *options) as gunicorn:
        size = len(gunicorn.get("/path?a=%20b", **{"User-Agent": "me", "X-Id": "7"})[1])
        line = f"127.0.0.1 'GET /path?a=%20b HTTP/1.1' 200 {size} me 7 text/plain -|"
        assert gunicorn.has_logged(line)
        with socket.create_connection(gunicorn.address) as client:
            client.sendall(b"GET /wrong HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 400 ")
        assert gunicorn.has_logged("127.0.0.1 'GET /wrong HTTP/1.1' 400 ")


def test_default_format_of_the_access_log(tmp_path: Path) -> None:
    """Without a format, the access log has gunicorn's."""
    with Gunicorn(tmp_path, WSGI, "--access-logfile", "-") as gunicorn:
        gunicorn.get("/", **{"User-Agent": 'a "quote"'})
        size = len(str(gunicorn.pids[0]))
        assert gunicorn.has_logged(rf'"GET / HTTP/1.1" 200 {size} "-" "a \"quote\""')
        assert re.search(r"127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:", gunicorn.log)


def test_wsgi_errors(tmp_path: Path) -> None:
    """What an application prints to wsgi.errors is in gunicorn's error log."""
    with Gunicorn(tmp_path, WSGI) as gunicorn:
        gunicorn.get("/errors")
        assert gunicorn.has_logged("[ERROR] a line for the log")


def test_failing_application(tmp_path: Path) -> None:
    """An application that raises is a 500, and its traceback in gunicorn's error log."""
    with Gunicorn(tmp_path, WSGI) as gunicorn:
        assert gunicorn.get("/fail")[0] == 500
        assert gunicorn.has_logged("RuntimeError: out of order")


OWN_LOGGER = """
import sys

class Plain:
    \"\"\"As little as gunicorn's arbiter asks of a logger, and none of its attributes.\"\"\"

    def __init__(self, cfg):
        self.cfg = cfg
    def access(self, resp, req, environ, request_time):
        where = environ["RAW_URI"], environ["REQUEST_METHOD"], environ["REMOTE_ADDR"]
        headers = {name.lower(): value for name, value in resp.headers}
        length = headers["content-type"], resp.sent
        self.write("ACCESS", "%s %s %s %s %s" % (*where, resp.status, length))
    def write(self, level, msg, *args, **options):
        print("<%s>" % level, msg % args if args else msg, file=sys.stderr, flush=True)
    def __getattr__(self, name):
        if name in {"debug", "info", "warning", "error", "critical", "exception"}:
            return lambda *args, **options: self.write(name, *args, **options)
        if name in {"close_on_exec", "reopen_files", "setup"}:
            return lambda *args: None
        raise AttributeError(name)

logger_class = Plain
"""


@KINDS
def test_logger_class(tmp_path: Path, source: str) -> None:
    """A logger class of somebody's own sees every request, however little it has in common."""
    with Gunicorn(tmp_path, source, config=OWN_LOGGER) as gunicorn:
        size = len(gunicorn.get("/path")[1])
        line = f"<ACCESS> /path GET 127.0.0.1 200 ('text/plain', {size})"
        assert gunicorn.has_logged(line)


def test_statsd(tmp_path: Path) -> None:
    """Requests are counted and timed in statsd."""
    with socket.socket(type=socket.SOCK_DGRAM) as statsd:
        statsd.bind(("127.0.0.1", 0))
        statsd.settimeout(PATIENCE)
        host = f"127.0.0.1:{statsd.getsockname()[1]}"
        options = ["--statsd-host", host, "--statsd-prefix", "site", "--dogstatsd-tags", "a:b"]
        with Gunicorn(tmp_path, WSGI, *options) as gunicorn:
            gunicorn.get()
            seen: set[str] = set()
            expected = {
                "site.gunicorn.requests:1|c|@1.0|#a:b",
                "site.gunicorn.request.status.200:1|c|@1.0|#a:b",
            }
            while not expected <= seen:
                seen.add(statsd.recv(65536).decode())
            assert any(
                re.fullmatch(r"site\.gunicorn\.request\.duration:[\d.]+\|ms\|#a:b", each)
                for each in seen
            )


# Hooks.

HOOKS = """
import os, threading

def told(*what):
    print("hook:", *what, flush=True)

def on_starting(server): told("on_starting")
def when_ready(server): told("when_ready")
def pre_fork(server, worker): told("pre_fork")
def post_fork(server, worker): told("post_fork")
def post_worker_init(worker): told("post_worker_init", worker.alive)
def worker_int(worker): told("worker_int")
def worker_abort(worker): told("worker_abort")
def worker_exit(server, worker): told("worker_exit", worker.pid == os.getpid())
def child_exit(server, worker): told("child_exit")
def nworkers_changed(server, new_value, old_value): told("nworkers_changed", new_value, old_value)
def on_reload(server): told("on_reload")
def on_exit(server): told("on_exit")

def pre_request(worker, req):
    req.mark = req.path
    worker.log.debug("%s %s", req.method, req.path)
    is_blocking = threading.current_thread() is not threading.main_thread()
    told("pre_request", req.method, req.path, req.query, dict(req.headers)["X-A"], is_blocking)

def post_request(worker, req, environ, resp):
    told("post_request", req.mark, environ["PATH_INFO"], resp.status, resp.sent)
"""


def told(gunicorn: Gunicorn) -> list[str]:
    """Return what hooks have said so far, in order."""
    return re.findall(r"^hook: (.*)$", gunicorn.log, re.MULTILINE)


def test_hooks_of_a_worker_s_life(tmp_path: Path) -> None:
    """gunicorn's hooks for what becomes of a worker are called, each in its turn."""
    with Gunicorn(tmp_path, WSGI, config=HOOKS) as gunicorn:
        gunicorn.get(**{"X-A": "b"})
        gunicorn.signal(signal.SIGHUP)
        gunicorn.has_logged("hook: child_exit")
        gunicorn.signal(signal.SIGQUIT)
        assert gunicorn.wait() == 0
        lines = [line for line in told(gunicorn) if "_request" not in line]
        born = ["pre_fork", "post_fork", "post_worker_init True"]
        assert lines[:6] == ["nworkers_changed 1 None", "on_starting", "when_ready", *born]
        assert sorted(lines[6:]) == sorted(
            [
                *("nworkers_changed 1 1", "on_reload", *born),
                *("worker_exit True", "child_exit"),
                *("worker_int", "worker_exit True", "child_exit", "on_exit"),
            ]
        )
        assert lines.index("child_exit") > lines.index("worker_exit True")
        assert lines[-1] == "on_exit"


@pytest.mark.parametrize(
    ("source", "is_in_thread"),
    [(WSGI, True), (ASGI, False), (NATIVE, False)],
    ids=["wsgi", "asgi", "native"],
)
def test_hooks_of_a_request(tmp_path: Path, source: str, *, is_in_thread: bool) -> None:
    """pre_request and post_request are called around each request, where they may block."""
    with Gunicorn(tmp_path, source, config=HOOKS) as gunicorn:
        size = len(gunicorn.get("/path?a=b", **{"X-A": "b"})[1])
        gunicorn.has_logged("hook: post_request")
        before, after = (line for line in told(gunicorn) if "_request" in line)
        assert before == f"pre_request GET /path a=b b {is_in_thread}"
        assert after == f"post_request /path /path 200 OK {size}"
