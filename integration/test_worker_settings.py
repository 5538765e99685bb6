"""gunicorn's settings, as the worker honours them: sockets, limits, TLS, environment, loops."""

from __future__ import annotations

import http.client
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from gunicorn_process import PATIENCE, Gunicorn, until
from worker_applications import ASGI, WSGI

KINDS = pytest.mark.parametrize("source", [WSGI, ASGI], ids=["wsgi", "asgi"])


# Sockets.


class UnixConnection(http.client.HTTPConnection):
    """A connection of the standard library's client, to a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def get(connection: http.client.HTTPConnection, target: str = "/") -> bytes:
    """Return the content of a GET; the connection is closed then."""
    connection.request("GET", target)
    content = connection.getresponse().read()
    connection.close()
    return content


@KINDS
def test_unix_socket(tmp_path: Path, source: str) -> None:
    """A unix socket is served, and is still there after its first workers have gone."""
    path = tmp_path / "socket"
    with Gunicorn(tmp_path, source, "--umask", "0077", bind=f"unix:{path}") as gunicorn:
        assert path.stat().st_mode & 0o777 == 0o700
        first = gunicorn.pids[0]
        assert get(UnixConnection(path)) == b"%d" % first
        gunicorn.signal(signal.SIGHUP)
        gunicorn.has_logged(f"Worker exiting (pid: {first})")
        assert get(UnixConnection(path)) == b"%d" % gunicorn.pids[1]


def test_ipv6(tmp_path: Path) -> None:
    """An address of IPv6 is served, and so are the client's and the server's."""
    with Gunicorn(tmp_path, WSGI, bind="[::1]:0") as gunicorn:
        assert gunicorn.get("/environ/REMOTE_ADDR")[1] == b"::1"
        assert gunicorn.get("/environ/SERVER_PORT")[1] == b"%d" % gunicorn.address[1]


def test_several_sockets(tmp_path: Path) -> None:
    """All of several ``--bind`` are served by the one application."""
    path = tmp_path / "socket"
    with Gunicorn(tmp_path, WSGI, "--bind", f"unix:{path}") as gunicorn:
        assert gunicorn.get()[1] == get(UnixConnection(path)) == b"%d" % gunicorn.pids[0]


def test_socket_by_its_descriptor(tmp_path: Path) -> None:
    """``fd://`` serves a socket that gunicorn inherits."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        fd = sock.fileno()
        with Gunicorn(tmp_path, WSGI, bind=f"fd://{fd}", pass_fds=[fd]) as gunicorn:
            assert gunicorn.address == sock.getsockname()
            assert gunicorn.get()[1] == b"%d" % gunicorn.pids[0]


AS_SYSTEMD_DOES = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_socket_of_systemd(tmp_path: Path) -> None:
    """A socket that systemd has opened is served."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        fd = sock.fileno()
        launcher = [sys.executable, "-c", AS_SYSTEMD_DOES, str(fd)]
        with Gunicorn(tmp_path, WSGI, launcher=launcher, pass_fds=[fd]) as gunicorn:
            assert gunicorn.address == sock.getsockname()
            assert gunicorn.get()[1] == b"%d" % gunicorn.pids[0]


def test_reuse_port(tmp_path: Path) -> None:
    """With --reuse-port each worker has a socket of its own, and all of them are served."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1", 0))  # keeps the port for us; it doesn't listen
        port = sock.getsockname()[1]
        options = ["--reuse-port", "--workers", "2"]
        with Gunicorn(tmp_path, WSGI, *options, bind=f"127.0.0.1:{port}") as gunicorn:
            seen: set[bytes] = set()

            def is_balanced() -> bool:
                seen.add(get(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)))
                return len(seen) == 2

            until(lambda: is_listening(port), "a socket that listens")
            until(is_balanced, "answers of both workers")
            assert seen == {b"%d" % pid for pid in gunicorn.pids}


def is_listening(port: int) -> bool:
    """Tell whether somebody accepts connections."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


# Connections.


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    """Return an application that is served with strict limits, and what else can be combined."""
    folder = tmp_path_factory.mktemp("served")
    options = ["--limit-request-line", "100", "--limit-request-fields", "5"]
    options += ["--limit-request-field_size", "200", "--env", "AIOHTTP_LIMIT_BODY=1000"]
    options += ["--env", "COLOUR=a=b", "--keep-alive", "7"]
    with Gunicorn(folder, WSGI, *options) as gunicorn:
        yield gunicorn


@pytest.mark.parametrize(
    ("target", "fields", "status"),
    [
        ("/" + "x" * 100, {}, 414),
        ("/", {"X": "x" * 200}, 431),
        ("/", {f"X{number}": "" for number in range(5)}, 431),
    ],
    ids=["line", "field_size", "fields"],
)
def test_limits(served: Gunicorn, target: str, fields: dict[str, str], status: int) -> None:
    """gunicorn's limit_request_* are the limits of a connection."""
    assert served.get(target, **fields)[0] == status


@pytest.mark.parametrize(("size", "status"), [(1000, 200), (1001, 413)])
def test_limit_without_a_setting(served: Gunicorn, size: int, status: int) -> None:
    """A limit for which gunicorn has no setting is set by a variable."""
    connection = served.connect()
    connection.request("POST", "/digest", b"x" * size)
    assert connection.getresponse().status == status
    connection.close()


def test_keep_alive(served: Gunicorn) -> None:
    """A connection is kept for gunicorn's ``keepalive``, and says so."""
    connection = served.connect()
    for _ in range(3):
        connection.request("GET", "/")
        response = connection.getresponse()
        response.read()
        assert response.headers["Keep-Alive"] == "timeout=7"
    connection.close()


def test_keep_alive_of_0(tmp_path: Path) -> None:
    """With a keepalive of 0 every connection is closed after one request."""
    with Gunicorn(tmp_path, WSGI, "--keep-alive", "0") as gunicorn:
        connection = gunicorn.connect()
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.headers["Connection"] == "close"
        response.read()
        assert response.isclosed()
        connection.close()


def test_worker_connections(tmp_path: Path) -> None:
    """Beyond worker_connections nobody is accepted, nor refused: the next ones wait."""
    with Gunicorn(tmp_path, WSGI, "--worker-connections", "2", "--threads", "4") as gunicorn:
        answers = [gunicorn.begin("/hold") for _ in range(2)]
        until(lambda: gunicorn.log.count("holding") == 2, "two connections")
        third = gunicorn.begin("/hold")
        with pytest.raises(TimeoutError):
            third.result(0.5)
        assert gunicorn.log.count("holding") == 2
        (tmp_path / "released").touch()
        assert [answer.result()[0] for answer in (*answers, third)] == [200] * 3


# The process.


def test_raw_env(served: Gunicorn) -> None:
    """The application has the environment that gunicorn was told."""
    assert served.get("/variable/COLOUR")[1] == b"a=b"


@pytest.mark.parametrize(
    ("loop", "module"),
    [("asyncio", b"asyncio.unix_events"), ("auto", b"uvloop" if find_spec("uvloop") else None)],
)
def test_loop(tmp_path: Path, loop: str, module: bytes | None) -> None:
    """The loop is uvloop's where that is installed and isn't refused."""
    with Gunicorn(tmp_path, ASGI, "--asgi-loop", loop) as gunicorn:
        assert gunicorn.get("/loop")[1] == (module or b"asyncio.unix_events")


# TLS.


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


SSL_CONTEXT = """
import ssl

def ssl_context(config, default_ssl_context_factory):
    context = default_ssl_context_factory()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context
"""


def test_tls(tmp_path: Path, certificate: tuple[str, str]) -> None:
    """With certfile and keyfile the worker speaks TLS; the hook ssl_context has its say."""
    options = ["--certfile", certificate[0], "--keyfile", certificate[1]]
    trust = ssl.create_default_context(cafile=certificate[0])
    with Gunicorn(tmp_path, WSGI, *options, config=SSL_CONTEXT) as gunicorn:
        url = f"{gunicorn.url}/environ/wsgi.url_scheme"
        with urllib.request.urlopen(url, context=trust, timeout=PATIENCE) as response:
            assert response.read() == b"https"
        host, port = gunicorn.address
        with (
            socket.create_connection((host, port)) as plain,
            trust.wrap_socket(plain, server_hostname=host) as secure,
        ):
            assert secure.version() == "TLSv1.2"


def test_client_certificate(tmp_path: Path, certificate: tuple[str, str]) -> None:
    """With cert_reqs a client without certificate is refused; of one with it, WSGI knows more."""
    options = ["--certfile", certificate[0], "--keyfile", certificate[1]]
    options += ["--ca-certs", certificate[0], "--cert-reqs", str(int(ssl.CERT_REQUIRED))]
    trust = ssl.create_default_context(cafile=certificate[0])
    with Gunicorn(tmp_path, WSGI, *options) as gunicorn:
        url = f"{gunicorn.url}/environ/SSL_CLIENT_VERIFY"
        with pytest.raises(OSError, match=r"(?i)certificate|reset|closed|EOF"):
            urllib.request.urlopen(url, context=trust, timeout=PATIENCE)
        trust.load_cert_chain(*certificate)
        with urllib.request.urlopen(url, context=trust, timeout=PATIENCE) as response:
            assert response.read() == b"SUCCESS"
