"""The worker under gunicorn itself: what it serves, and how it behaves as a citizen."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

import aiohttp
from gunicorn_process import Gunicorn, until

HTTPBIN = "from httpbin import app"

APPLICATION = """
import hashlib, os, sys, time

def app(environ, start_response):
    name, _, argument = environ["PATH_INFO"].strip("/").partition("/")
    start_response("200 OK", [("Content-Type", "text/plain")])
    if name == "sleep":
        print("sleeping", flush=True)
        time.sleep(float(argument))
    elif name == "endless":
        return iter(lambda: b"x" * 1000, b"")
    elif name == "digest":
        digest = hashlib.sha256()
        while piece := environ["wsgi.input"].read(100_000):
            digest.update(piece)
        return [digest.hexdigest().encode()]
    elif name == "fail":
        raise RuntimeError("out of order")
    elif name == "errors":
        print("a line for the log", file=environ["wsgi.errors"])
    elif name == "environ":
        return [str(environ.get(argument)).encode()]
    return [b"%d" % os.getpid()]
"""

NATIVE = """
class app:
    def __call__(): ...
    async def handle_exchange(exchange): ...
    async def startup(): 1 / 0
"""


@pytest.fixture(scope="module")
def httpbin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    """Return httpbin, served with 4 threads on asyncio's own loop; elsewhere it is uvloop's."""
    folder = tmp_path_factory.mktemp("httpbin")
    with Gunicorn(folder, HTTPBIN, "--threads", "4", "--asgi-loop", "asyncio") as gunicorn:
        yield gunicorn


def in_thread(gunicorn: Gunicorn, target: str) -> Future[tuple[int, bytes]]:
    """Begin a GET, and return what will be its answer."""
    executor = ThreadPoolExecutor(1)
    future = executor.submit(gunicorn.get, target)
    executor.shutdown(wait=False)
    return future


# What it serves.


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/get?a=b", 200),
        ("/html", 200),
        ("/status/418", 418),
        ("/stream/20", 200),
        ("/range/1000?chunk_size=100", 200),
        ("/drip?duration=0.1&numbytes=5", 200),
        ("/bytes/100000", 200),
        ("/cookies/set?a=b", 302),
    ],
)
def test_httpbin(httpbin: Gunicorn, target: str, status: int) -> None:
    """Httpbin is served, in one piece or in many."""
    assert httpbin.get(target)[0] == status


def test_httpbin_by_urllib(httpbin: Gunicorn) -> None:
    """A client of another make gets redirected, sends a form, and reads JSON."""
    request = urllib.request.Request(f"{httpbin.url}/redirect-to?status_code=307&url=/post")
    with urllib.request.urlopen(f"{httpbin.url}/redirect/2") as response:
        assert json.load(response)["url"] == f"{httpbin.url}/get"
    request = urllib.request.Request(f"{httpbin.url}/post", data=b"a=b")
    with urllib.request.urlopen(request) as response:
        assert json.load(response)["form"] == {"a": "b"}


async def test_httpbin_by_our_client(httpbin: Gunicorn) -> None:
    """Our own client gets redirected, has content decoded, and sends chunks."""
    async with aiohttp.request("GET", f"{httpbin.url}/redirect/1") as response:
        assert (await response.json())["url"] == f"{httpbin.url}/get"
    async with aiohttp.request("GET", f"{httpbin.url}/gzip") as response:
        assert (await response.json())["gzipped"] is True
    data = b"x" * 100_000
    async with aiohttp.request("POST", f"{httpbin.url}/post", data=data, chunked=True) as response:
        assert len((await response.json())["data"]) == 100_000


def test_keep_alive(httpbin: Gunicorn) -> None:
    """A connection is kept for gunicorn's ``keepalive``, and says so."""
    connection = httpbin.connect()
    for _ in range(3):
        connection.request("GET", "/get")
        response = connection.getresponse()
        response.read()
        assert response.headers["Keep-Alive"] == "timeout=2"
    connection.close()


def test_keep_alive_of_0(tmp_path: Path) -> None:
    """With a keepalive of 0 every connection is closed after one request."""
    with Gunicorn(tmp_path, APPLICATION, "--keep-alive", "0") as gunicorn:
        connection = gunicorn.connect()
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.headers["Connection"] == "close"
        response.read()
        assert response.isclosed()
        connection.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    """Return APPLICATION, served with 4 threads and strict limits."""
    folder = tmp_path_factory.mktemp("served")
    options = ["--threads", "4", "--access-logfile", "-", "--limit-request-line", "100"]
    options += ["--limit-request-fields", "5", "--limit-request-field_size", "200"]
    with Gunicorn(folder, APPLICATION, *options) as gunicorn:
        yield gunicorn


def test_large_upload(served: Gunicorn) -> None:
    """A chunked upload of 20 MB arrives whole."""
    pieces = [os.urandom(100_000) for _ in range(200)]
    connection = served.connect()
    connection.request("POST", "/digest", iter(pieces), {"Host": "x"}, encode_chunked=True)
    digest = hashlib.sha256(b"".join(pieces)).hexdigest()
    assert connection.getresponse().read().decode() == digest
    connection.close()


def test_threads_block_side_by_side(served: Gunicorn) -> None:
    """As many requests as there are threads take as long as one."""
    began = time.monotonic()
    answers = [in_thread(served, "/sleep/0.5") for _ in range(4)]
    assert [answer.result()[0] for answer in answers] == [200] * 4
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    ("target", "fields", "status"),
    [
        ("/" + "x" * 100, {}, 414),
        ("/", {"X": "x" * 200}, 431),
        ("/", {f"X{number}": "" for number in range(5)}, 431),
    ],
)
def test_limits(served: Gunicorn, target: str, fields: dict[str, str], status: int) -> None:
    """Gunicorn's limit_request_* are the limits of a connection."""
    assert served.get(target, **fields)[0] == status


def test_access_log(served: Gunicorn) -> None:
    """A request is in gunicorn's access log, in its format."""
    served.get("/environ/REQUEST_METHOD?a=%20b", **{"User-Agent": "me"})
    assert served.has_logged('"GET /environ/REQUEST_METHOD?a=%20b HTTP/1.1" 200 3 "-" "me"')


def test_wsgi_errors(served: Gunicorn) -> None:
    """What an application prints to wsgi.errors is in gunicorn's error log."""
    served.get("/errors")
    assert served.has_logged("[ERROR] a line for the log")


def test_failing_application(served: Gunicorn) -> None:
    """An application that raises is a 500, and its traceback in gunicorn's error log."""
    assert served.get("/fail")[0] == 500
    assert served.has_logged("RuntimeError: out of order")


def test_environ(served: Gunicorn) -> None:
    """The application knows both ends of its connection, and that it has threads."""
    port = str(served.address[1]).encode()
    assert served.get("/environ/SERVER_PORT")[1] == port
    assert served.get("/environ/REMOTE_ADDR")[1] == b"127.0.0.1"
    assert served.get("/environ/wsgi.multithread")[1] == b"True"
    assert served.get("/environ/SERVER_SOFTWARE")[1].startswith(b"gunicorn/")


def test_unix_socket(tmp_path: Path) -> None:
    """A unix socket is served, and is still there after its first workers have gone."""
    path = tmp_path / "socket"
    with Gunicorn(tmp_path, APPLICATION, bind=f"unix:{path}") as gunicorn:
        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
                client.sendall(b"GET /environ/SERVER_NAME HTTP/1.1\r\nHost: me:81\r\n\r\n")
                assert client.recv(65536).endswith(b"\r\n\r\nme")
            gunicorn.signal(signal.SIGHUP)
            gunicorn.has_logged(f"Worker exiting (pid: {gunicorn.pids[0]})")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the paths of a certificate for 127.0.0.1 and of its key."""
    folder = tmp_path_factory.mktemp("certificate")
    subject = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2", *subject]
    subprocess.run(
        [*command, "-keyout", "key.pem", "-out", "certificate.pem"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return str(folder / "certificate.pem"), str(folder / "key.pem")


def test_tls(tmp_path: Path, certificate: tuple[str, str]) -> None:
    """With certfile and keyfile the worker speaks TLS, and the scheme is https."""
    options = ["--certfile", certificate[0], "--keyfile", certificate[1]]
    trust = ssl.create_default_context(cafile=certificate[0])
    with Gunicorn(tmp_path, APPLICATION, *options) as gunicorn:
        url = f"{gunicorn.url}/environ/wsgi.url_scheme"
        with urllib.request.urlopen(url, context=trust) as response:
            assert response.read() == b"https"


# How it ends.


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_sigterm_answers_what_runs(tmp_path: Path, loop: str) -> None:
    """After SIGTERM a running request is answered; then gunicorn ends, at once and well."""
    with Gunicorn(tmp_path, APPLICATION, "--asgi-loop", loop) as gunicorn:
        idle = gunicorn.connect()
        idle.request("GET", "/")
        idle.getresponse().read()
        answer = in_thread(gunicorn, "/sleep/1")
        gunicorn.has_logged("sleeping")
        gunicorn.signal(signal.SIGTERM)
        assert answer.result()[0] == 200
        assert gunicorn.wait(15) == 0
        idle.close()


def test_endless_response_is_cut_within_graceful_timeout(tmp_path: Path) -> None:
    """After SIGTERM an endless response has graceful_timeout; no worker has to be killed."""
    with Gunicorn(tmp_path, APPLICATION, "--graceful-timeout", "2") as gunicorn:
        connection = gunicorn.connect()
        connection.request("GET", "/endless")
        response = connection.getresponse()
        gunicorn.signal(signal.SIGTERM)
        with pytest.raises((OSError, http.client.IncompleteRead)):
            while response.read(100_000):
                pass
        assert gunicorn.wait(4) == 0
        assert "SIGKILL" not in gunicorn.log
        connection.close()


def test_blocked_thread_does_not_outlive_graceful_timeout(tmp_path: Path) -> None:
    """A thread that blocks beyond graceful_timeout ends with its process, unkilled."""
    with Gunicorn(tmp_path, APPLICATION, "--graceful-timeout", "2") as gunicorn:
        answer = in_thread(gunicorn, "/sleep/30")
        gunicorn.has_logged("sleeping")
        gunicorn.signal(signal.SIGTERM)
        assert gunicorn.wait(4) == 0
        assert "SIGKILL" not in gunicorn.log
        assert answer.exception() is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_sigint_and_sigquit_cut(tmp_path: Path, number: signal.Signals) -> None:
    """SIGINT and SIGQUIT cut what runs."""
    with Gunicorn(tmp_path, APPLICATION, "--graceful-timeout", "20") as gunicorn:
        answer = in_thread(gunicorn, "/sleep/30")
        gunicorn.has_logged("sleeping")
        began = time.monotonic()
        gunicorn.signal(number)
        assert gunicorn.wait() == 0
        assert time.monotonic() - began < 5
        assert answer.exception() is not None


def test_dead_arbiter_is_noticed(tmp_path: Path) -> None:
    """A worker whose arbiter was killed ends within a few seconds."""
    with Gunicorn(tmp_path, APPLICATION) as gunicorn:
        gunicorn.get()
        gunicorn.signal(signal.SIGKILL)
        assert gunicorn.has_logged("Parent changed, shutting down", 4)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_startup_that_waits_is_not_waited_for(tmp_path: Path, number: signal.Signals) -> None:
    """An application that is still starting is cancelled, and cleans up."""
    source = """
import asyncio

class app:
    def __call__(): ...
    async def handle_exchange(exchange): ...
    async def startup():
        print("starting", flush=True)
        await asyncio.Event().wait()
    async def cleanup():
        print("cleaned up", flush=True)
"""
    with Gunicorn(tmp_path, source, "--graceful-timeout", "20") as gunicorn:
        gunicorn.has_logged("starting")
        gunicorn.signal(number)
        assert gunicorn.wait(5) == 0
        assert "cleaned up" in gunicorn.log
        assert "Error" not in gunicorn.log


def test_failing_cleanup_is_logged(tmp_path: Path) -> None:
    """What goes wrong when an application cleans up isn't lost."""
    source = """
class app:
    def __call__(): ...
    async def handle_exchange(exchange): ...
    async def cleanup(): 1 / 0
"""
    with Gunicorn(tmp_path, source) as gunicorn:
        gunicorn.signal(signal.SIGTERM)
        assert gunicorn.wait() == 0
        assert "Error while stopping" in gunicorn.log
        assert "ZeroDivisionError: division by zero" in gunicorn.log


# How it lives.


def test_blocking_application_costs_no_heartbeat(tmp_path: Path) -> None:
    """A request that blocks longer than ``timeout`` is answered by a worker that lives."""
    with Gunicorn(tmp_path, APPLICATION, "--timeout", "1") as gunicorn:
        assert gunicorn.get("/sleep/2.5")[0] == 200
        assert "WORKER TIMEOUT" not in gunicorn.log


def test_draining_worker_keeps_its_heartbeat(tmp_path: Path) -> None:
    """A worker that drains for longer than ``timeout`` isn't taken for dead."""
    with Gunicorn(tmp_path, APPLICATION, "--timeout", "1") as gunicorn:
        answer = in_thread(gunicorn, "/sleep/2.5")
        gunicorn.has_logged("sleeping")
        gunicorn.signal(signal.SIGTERM, gunicorn.pids[0])
        assert answer.result()[0] == 200
        assert "WORKER TIMEOUT" not in gunicorn.log


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_sighup_reloads_without_a_lost_request(tmp_path: Path, loop: str) -> None:
    """While SIGHUP replaces the workers no request fails, and new processes answer."""
    options = ["--workers", "2", "--threads", "2", "--asgi-loop", loop]
    with Gunicorn(tmp_path, APPLICATION, *options) as gunicorn:
        pids: list[bytes] = []
        is_over = threading.Event()

        def ask() -> None:
            while not is_over.is_set():
                status, content = gunicorn.get()
                assert status == 200
                pids.append(content)

        with ThreadPoolExecutor(4) as clients:
            asked = [clients.submit(ask) for _ in range(4)]
            until(lambda: len(pids) > 100, "answers")
            before = set(pids)
            gunicorn.signal(signal.SIGHUP)
            until(lambda: set(pids[-50:]).isdisjoint(before), "answers of new workers")
            is_over.set()
        for each in asked:
            each.result()


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_max_requests(tmp_path: Path, loop: str) -> None:
    """After max_requests a worker is replaced, and no request is lost."""
    with Gunicorn(tmp_path, APPLICATION, "--max-requests", "10", "--asgi-loop", loop) as gunicorn:
        pids = {gunicorn.get()[1] for _ in range(50)}
        assert len(pids) >= 4
        assert gunicorn.has_logged("Autorestarting worker after current request.")


def test_sigusr1_reopens_logs(tmp_path: Path) -> None:
    """After SIGUSR1 the logs are written to files of the same name."""
    log = tmp_path / "access.log"
    with Gunicorn(tmp_path, APPLICATION, "--access-logfile", str(log)) as gunicorn:
        gunicorn.get("/one")
        until(lambda: "/one" in log.read_text(), "a line")
        log.rename(tmp_path / "access.log.1")
        gunicorn.signal(signal.SIGUSR1)
        until(log.exists, "a new log")
        gunicorn.get("/two")
        until(lambda: "/two" in log.read_text(), "a line")


def test_reload(tmp_path: Path) -> None:
    """With --reload a changed application is served anew."""
    with Gunicorn(tmp_path, APPLICATION, "--reload", "--reload-engine", "poll") as gunicorn:
        first = gunicorn.get()[1]
        changed = itertools.count(int(time.time()))  # the first may be what it has not yet seen

        def has_changed() -> bool:
            os.utime(tmp_path / "served.py", (0, next(changed)))
            return gunicorn.get()[1] != first

        until(has_changed, "another process")


# How it fails to start.


@pytest.mark.parametrize(
    ("source", "options", "code", "message"),
    [
        ("import no_such_module", [], 3, "No module named 'no_such_module'"),
        ("application = None", [], 4, "Failed to find attribute 'app' in 'served'."),
        ("async def app(scope, receive, send): ...", [], 3, "is a coroutine function, as of ASGI"),
        (APPLICATION, ["--certfile", "served.py"], 3, "certfile 'served.py' and keyfile None"),
        (NATIVE, [], 3, "The worker can't start: ZeroDivisionError: division by zero"),
    ],
    ids=["import", "attribute", "coroutine", "certificate", "startup"],
)
def test_failing_start_ends_gunicorn(
    tmp_path: Path, source: str, options: list[str], code: int, message: str
) -> None:
    """A start that fails ends gunicorn within seconds, and the log says why."""
    gunicorn = Gunicorn(tmp_path, source, *options)
    assert gunicorn.wait() == code
    assert message in gunicorn.log
    assert gunicorn.log.count("Booting worker") == 1


# The example that `make run` runs.


def test_example_prints_what_it_fetched() -> None:
    """The example ends well, and what it prints elsewhere than on a terminal is plain."""
    example = Path(__file__).parents[1] / "examples" / "run.py"
    done = subprocess.run(
        [sys.executable, example], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" 200 ") == 7
    assert "10.0 MB" in done.stdout
    assert "\x1b" not in done.stdout
