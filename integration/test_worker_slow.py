"""Slow clients of the worker: they hold nobody else up, and none of them for ever.

One more of them than there are threads stays where it is, each in the same way; then a good
client asks, and is answered as if it were alone.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import statistics
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

import loaded
from gunicorn_process import PATIENCE, Gunicorn, until

SOURCE = Path(loaded.__file__).read_text()
CERTIFICATE = str(Path(__file__).parents[1] / "packages/aiohttp-protocol/tests/localhost.pem")
THREADS = 8
SLOW = THREADS + 1
ASKED = 20
POST = "POST /echo HTTP/1.1\r\nHost: x\r\n"
WAYS = {
    "nothing": b"",
    "half a head": b"GET /hello HTTP/1.1\r\nHost: x\r\nX-",
    "half a small body": f"{POST}Content-Length: 1000\r\n\r\n".encode() + b"x" * 500,
    "half a large body": f"{POST}Content-Length: 300000\r\n\r\n".encode() + b"x" * 150_000,
    "half a small chunk": f"{POST}Transfer-Encoding: chunked\r\n\r\n3e8\r\n".encode() + b"x" * 500,
    "many chunks and no end": f"{POST}Transfer-Encoding: chunked\r\n\r\n".encode()
    + b"3e8\r\n%b\r\n" % (b"x" * 1000) * 150,
    "no body behind 100": f"{POST}Content-Length: 9\r\nExpect: 100-continue\r\n\r\n".encode(),
    "reads nothing": b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
}
"""What a client sends before it stops. It never reads."""


def gunicorn_with(folder: Path, kind: str, *options: str, **environ: str) -> Gunicorn:
    """Return gunicorn with one worker and an application of ``loaded``."""
    return Gunicorn(folder, f"{SOURCE}\n\napp = {kind}\n", *options, environ=environ)


def slow_client(gunicorn: Gunicorn, way: str) -> socket.socket:
    """Return a connection on which no more will be sent than was."""
    client = socket.socket()
    client.settimeout(PATIENCE)
    client.connect(gunicorn.address)
    client.sendall(WAYS[way])
    return client


@contextmanager
def slow_clients(gunicorn: Gunicorn, *ways: str) -> Generator[None]:
    """Have so many clients be slow in each of these ways, as long as the block lasts."""
    with ExitStack() as opened:
        for way in ways:
            for _ in range(SLOW):
                opened.enter_context(slow_client(gunicorn, way))
        yield


def ask(gunicorn: Gunicorn) -> float:
    """Be a good client, with bodies and without; return how long the slowest answer took.

    The slow ones have 15 or 30 seconds: who had to wait for one of them would lose patience.
    """
    connection = gunicorn.connect()
    times: list[float] = []
    for method, target, body, size in (
        ("GET", "/hello", None, 5),
        ("POST", "/echo", b"y" * 1000, 1000),
        ("POST", "/echo", [b"y" * 50_000] * 4, 200_000),
        ("GET", "/pieces", None, 20_000),
    ):
        began = time.monotonic()
        connection.request(method, target, body, encode_chunked=True)
        response = connection.getresponse()
        assert (response.status, len(response.read())) == (200, size)
        times.append(time.monotonic() - began)
    connection.close()
    return max(times)


@pytest.fixture(
    scope="module", params=[("wsgi", THREADS), ("wsgi", 1), ("asgi", 1), ("native", 1)], ids=str
)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gunicorn]:
    """The application of each kind, running; WSGI with one thread, too."""
    kind, threads = request.param
    with gunicorn_with(tmp_path_factory.mktemp("slow"), kind, "--threads", str(threads)) as running:
        ask(running)
        yield running


@pytest.mark.parametrize("way", WAYS)
def test_good_client_is_served(served: Gunicorn, way: str) -> None:
    """Beside slow clients of each kind, of which there are more than threads."""
    usual = [ask(served) for _ in range(5)]
    with slow_clients(served, way):
        beside = [ask(served) for _ in range(ASKED)]
    text = ", ".join(f"{statistics.median(times) * 1000:.1f} ms" for times in (usual, beside))
    print(f"median without and with them: {text}")


def test_slow_clients_take_no_memory(served: Gunicorn) -> None:
    """Nine who read nothing of 50 MB each, and nine whose uploads stop half way."""
    status = Path(f"/proc/{served.pids[0]}/status")
    with slow_clients(served, "reads nothing", "half a large body"):
        ask(served)
        (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert int(peak) < 100_000


STRICT = {
    f"AIOHTTP_LIMIT_{name}": "2"
    for name in ("HEAD_TIME", "BODY_TIME", "WRITE_TIME", "HANDSHAKE_TIME", "LINGER")
}


@pytest.mark.parametrize("kind", loaded.KINDS)
def test_slow_client_has_its_time_and_no_more(kind: str, tmp_path: Path) -> None:
    """Who owes the rest of a request is told so; who reads nothing never gets to the end."""
    options = ["--threads", str(THREADS), "--keep-alive", "60"]
    with gunicorn_with(tmp_path, kind, *options, **STRICT) as gunicorn, ExitStack() as opened:
        good = opened.enter_context(closing(gunicorn.connect()))
        good.request("GET", "/hello")
        good.getresponse().read()
        descriptors = Path(f"/proc/{gunicorn.pids[0]}/fd")
        usual = len(list(descriptors.iterdir()))
        slow = {way: opened.enter_context(slow_client(gunicorn, way)) for way in WAYS}
        until(lambda: len(list(descriptors.iterdir())) >= usual + len(WAYS), "connections")
        until(lambda: len(list(descriptors.iterdir())) <= usual, "their end")
        received = {way: everything(client) for way, client in slow.items()}
    assert received.pop("nothing") == b""
    assert 0 < len(received.pop("reads nothing")) < 50_000_000
    assert received.pop("no body behind 100").startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    for answer in received.values():
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"\r\nConnection: close\r\n" in answer


def everything(client: socket.socket) -> bytes:
    """Return what has arrived until the connection ended, in whatever way."""
    received = b""
    with suppress(ConnectionResetError):
        while piece := client.recv(65536):
            received += piece
    return received


# TLS.


def test_silent_handshakes_hold_nobody_up(tmp_path: Path) -> None:
    """Clients that connect, and never begin to speak TLS: they have their time, too."""
    trust = ssl.create_default_context(cafile=CERTIFICATE)
    options = ["--certfile", CERTIFICATE, "--keyfile", CERTIFICATE, "--threads", str(THREADS)]
    with gunicorn_with(tmp_path, "wsgi", *options, **STRICT) as gunicorn, ExitStack() as opened:
        slow = [opened.enter_context(slow_client(gunicorn, "nothing")) for _ in range(SLOW)]
        for _ in range(ASKED):
            connection = http.client.HTTPSConnection(
                "localhost", gunicorn.address[1], timeout=PATIENCE, context=trust
            )
            connection.request("GET", "/hello")
            assert connection.getresponse().read() == b"hello"
            connection.close()
        assert [everything(client) for client in slow] == [b""] * SLOW
