"""The server, asked by the clients of the world: curl, ab, wrk, a browser, proxies, raw bytes."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

SERVED = Path(__file__).with_name("served.py")


@contextmanager
def process(*command: str | Path) -> Generator[subprocess.Popen[str]]:
    """Run a server as long as the block lasts; it must end well at SIGTERM."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.send_signal(signal.SIGTERM)
            started.communicate(timeout=30)
    assert started.returncode in {0, -signal.SIGTERM}


def printed_port(started: subprocess.Popen[str]) -> int:
    """Return the port that a server prints first."""
    assert started.stdout is not None
    return int(started.stdout.readline())


def free_port() -> int:
    """Return a port that was free a moment ago, for peers that can't find one themselves."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a running server."""
    with process(sys.executable, SERVED) as started:
        yield printed_port(started)


def run(*command: str | Path) -> str:
    """Return what a program prints; it must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rest_of(sock: socket.socket) -> bytes:
    """Return all bytes up to the server's close."""
    return b"".join(iter(lambda: sock.recv(65536), b""))


def raw(port: int, request: bytes) -> bytes:
    """Return all bytes that the server sends in answer to these, up to its close."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(request)
        return rest_of(sock)


def connect(port: int) -> socket.socket:
    """Return an open connection to the server."""
    return socket.create_connection(("127.0.0.1", port), timeout=30)


# curl


def test_curl_uses_one_connection_for_two_requests(port: int) -> None:
    """Curl keeps the connection: the second answer says that no new one was made."""
    url = f"http://127.0.0.1:{port}/bytes/10"
    made = run("curl", "-s", "-w", "%{num_connects},", "-o", os.devnull, "-o", os.devnull, url, url)
    assert made == "1,0,"


@pytest.mark.parametrize("options", [(), ("-H", "Transfer-Encoding: chunked"), ("--http1.0",)])
def test_curl_uploads(port: int, tmp_path: Path, options: tuple[str, ...]) -> None:
    """10 MB arrive unharmed, with a length (curl expects 100), chunked, and in HTTP/1.0."""
    content = os.urandom(10_000_000)
    (tmp_path / "body").write_bytes(content)
    url = f"http://127.0.0.1:{port}/digest"
    answer = run("curl", "-s", *options, "--data-binary", f"@{tmp_path / 'body'}", url)
    assert answer == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("options", [(), ("--http1.0",)])
def test_curl_reads_a_response_in_pieces(port: int, options: tuple[str, ...]) -> None:
    """Pieces of unknown number arrive, chunked in HTTP/1.1, up to the close in HTTP/1.0."""
    answer = run("curl", "-s", *options, f"http://127.0.0.1:{port}/pieces/1000")
    assert len(answer) == 1_000_000


def test_curl_asks_for_the_head_alone(port: int) -> None:
    """HEAD is answered with the fields of GET and no body."""
    answer = run("curl", "-sI", f"http://127.0.0.1:{port}/bytes/10")
    assert answer.startswith("HTTP/1.1 200 OK\n")
    assert "Content-Length: 10\n" in answer
    assert re.search(r"^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$", answer, re.MULTILINE)


# Load generators


def test_ab_keeps_alive(port: int) -> None:
    """``ab -k`` (HTTP/1.0 with keep-alive) fails no request, and keeps every connection."""
    report = run("ab", "-k", "-q", "-n", "2000", "-c", "20", f"http://127.0.0.1:{port}/")
    assert re.search(r"Complete requests: +2000\n", report)
    assert re.search(r"Failed requests: +0\n", report)
    assert re.search(r"Keep-Alive requests: +2000\n", report)


def test_wrk_sees_no_error(port: int) -> None:
    """Wrk with 64 connections sees right answers, and neither errors nor time-outs."""
    report = run("wrk", "-t1", "-c64", "-d2", f"http://127.0.0.1:{port}/")
    assert int(re.findall(r"(\d+) requests in", report)[0]) > 100
    assert "Non-2xx" not in report
    assert "Socket errors" not in report


# A browser


def test_chromium_renders_what_a_script_fetched(port: int, tmp_path: Path) -> None:
    """A page uploads 100 KB and reads a chunked answer, in headless Chromium."""
    dom = run(
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", f"--user-data-dir={tmp_path}", "--virtual-time-budget=5000",
        "--dump-dom", f"http://127.0.0.1:{port}/",
    )  # fmt: skip
    assert '<p id="answer">100000 50000</p>' in dom


# Proxies


NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_max_body_size 100m;
    client_body_buffer_size 10m;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    upstream served {{ server 127.0.0.1:{upstream}; keepalive 4; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://served;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""

HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend front
    bind 127.0.0.1:{port}
    default_backend served
backend served
    http-reuse always
    server one 127.0.0.1:{upstream}
"""


def wait_for(port: int) -> None:
    """Return when somebody listens on the port."""
    for _ in range(200):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on port {port}")


@contextmanager
def proxy(kind: str, upstream: int, folder: Path) -> Generator[int]:
    """Run nginx or HAProxy before the server; the block gets the proxy's port."""
    front = free_port()
    template = {"nginx": NGINX, "haproxy": HAPROXY}[kind]
    file = folder / "proxy.conf"
    file.write_text(template.format(folder=folder, port=front, upstream=upstream))
    path = os.environ["PATH"] + ":/usr/sbin"
    option = {"nginx": "-c", "haproxy": "-f"}[kind]
    program = subprocess.check_output(["which", kind], text=True, env={"PATH": path}).strip()
    with process(program, option, file):
        wait_for(front)
        yield front


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_bodies_pass_a_proxy(port: int, tmp_path: Path, kind: str) -> None:
    """Behind a proxy with kept connections a thousand requests, and large bodies, come through."""
    content = os.urandom(5_000_000)
    (tmp_path / "body").write_bytes(content)
    with proxy(kind, port, tmp_path) as front:
        report = run("ab", "-q", "-n", "1000", "-c", "8", f"http://127.0.0.1:{front}/pieces/3")
        assert re.search(r"Complete requests: +1000\n", report)
        assert "Non-2xx responses" not in report
        url = f"http://127.0.0.1:{front}/digest"
        answer = run("curl", "-s", "--data-binary", f"@{tmp_path / 'body'}", url)
    assert answer == hashlib.sha256(content).hexdigest()


# Raw bytes


def test_request_byte_by_byte(port: int) -> None:
    """A client that sends one byte at a time is served like any other."""
    request = (
        b"POST /count HTTP/1.1\r\n"
        b"Host: localhost\r\n"
        b"Connection: close\r\n"
        b"Transfer-Encoding: chunked\r\n"
        b"\r\n"
        b"5\r\nhello\r\n"
        b"0\r\n\r\n"
    )
    with connect(port) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(request)):
            sock.sendall(request[at : at + 1])
        answer = rest_of(sock)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n5")


def test_both_framings_are_refused_and_what_follows_is_not_answered(port: int) -> None:
    """Content-Length with Transfer-Encoding: 400 and close; the pipelined request is not read."""
    answer = raw(
        port,
        b"POST /count HTTP/1.1\r\n"
        b"Host: localhost\r\n"
        b"Content-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n"
        b"\r\n"
        b"0\r\n\r\n"
        b"GET /bytes/1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"Connection: close\r\n" in answer


def test_half_closed_client_gets_its_answer(port: int) -> None:
    """A client that closes its side after the request is answered."""
    with connect(port) as sock:
        sock.sendall(b"GET /bytes/3 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        answer = rest_of(sock)
    assert answer.endswith(b"\r\n\r\n\0\0\0")


def test_two_hundred_dawdlers_keep_nobody_from_being_served() -> None:
    """200 clients who dribble their heads: a 201st is served, they get 408 when time is up."""
    head_time = 3.0
    with process(sys.executable, SERVED, str(head_time)) as started, ExitStack() as stack:
        port = printed_port(started)
        began = time.monotonic()
        slow = [stack.enter_context(connect(port)) for _ in range(200)]
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: dawdler\r\n"
        for byte in request[: int(head_time) - 1]:
            for sock in slow:
                sock.sendall(bytes([byte]))
            asked = time.monotonic()
            assert raw(port, b"GET /bytes/1 HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 OK")
            assert time.monotonic() - asked < 1.0
            time.sleep(max(0.0, asked + 1.0 - time.monotonic()))
        answers = [rest_of(sock) for sock in slow]
        took = time.monotonic() - began
    assert all(answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n") for answer in answers)
    assert took >= head_time - 0.05
