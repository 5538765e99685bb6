"""1,000 slow clients of ``slowhttptest``: a normal one is served as if they weren't there.

What is usual is told by a second server, which nobody attacks: the two are asked in
turns, so that whatever else the machine does, it does to both.
"""

from __future__ import annotations

import resource
import socket
import statistics
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from command_server import CommandServer, command_server

CONNECTIONS = 1000
REQUESTS = 200  # of each kind, from each server, once the connections are made
AT_MOST = 60  # seconds until an attack ends by itself
PATIENCE = 30.0  # seconds for one answer, on a machine that is busy with 1,000 connections
SLOW_READER = ["-X", "-w", "1", "-y", "8", "-n", "1", "-z", "8"]
ATTACKS = {
    "slow heads": ("/", ["-H", "-i", "1"]),
    "slow bodies": ("/digest", ["-B", "-t", "POST", "-i", "1", "-s", "8192"]),
    "slow readers of pieces": ("/pieces/200?times=20", SLOW_READER),
    "slow readers of a file": ("/large", SLOW_READER),
}
"""What is asked for, and how."""


@pytest.fixture(scope="module")
def descriptors() -> Iterator[None]:
    """Let this process and its children open as many sockets as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def attack(kind: str, url: str) -> Generator[subprocess.Popen[bytes]]:
    """Attack a server as long as the block lasts."""
    target, options = ATTACKS[kind]
    number = str(CONNECTIONS)
    command = ["slowhttptest", "-c", number, "-r", number, "-l", str(AT_MOST), "-v", "0"]
    with subprocess.Popen(
        [*command, *options, "-u", url + target], stdout=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def connections_of(server: CommandServer) -> int:
    """Return how many sockets a server has."""
    return sum(1 for _ in Path(f"/proc/{server.process.pid}/fd").iterdir())


@dataclass
class Client:
    """A normal client: each request on a new connection, and on one that is kept.

    Attributes:
        fresh, kept: how long the answers took, in seconds.
    """

    port: int
    fresh: list[float] = field(default_factory=list[float])
    kept: list[float] = field(default_factory=list[float])

    def __post_init__(self) -> None:
        self._kept = self._connect()

    def ask(self) -> None:
        """Ask twice, and note how long it took."""
        began = time.perf_counter()
        with self._connect() as fresh:
            self._get(fresh)
        between = time.perf_counter()
        self._get(self._kept)
        self.fresh.append(between - began)
        self.kept.append(time.perf_counter() - between)

    def close(self) -> None:
        """Close the connection that is kept."""
        self._kept.close()

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def _get(self, sock: socket.socket) -> None:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while not answer.endswith(b"Hello, world!\n"):
            piece = sock.recv(65536)
            if not piece:
                raise ConnectionError(f"the server closed behind {answer!r}")
            answer += piece
        if not answer.startswith(b"HTTP/1.1 200 OK\r\n"):
            raise ConnectionError(f"the server answered {answer!r}")


@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize("kind", ATTACKS)
def test_normal_client_is_served_throughout(kind: str) -> None:
    """Every request is answered, in less than twice the usual time; 1,000 others get nowhere."""
    with (
        command_server("web_application:app") as attacked,
        command_server("web_application:app") as spared,
    ):
        client, other = Client(attacked.port), Client(spared.port)
        with attack(kind, attacked.url) as attacker:
            while (connections := connections_of(attacked)) < CONNECTIONS:
                client.ask()  # in the storm of its beginning, too
                assert attacker.poll() is None, f"it ended with {connections} connections"
            slowest = max(client.fresh + client.kept)
            client.fresh.clear()
            client.kept.clear()
            for _ in range(REQUESTS):
                client.ask()
                other.ask()
                time.sleep(0.002)
            remaining, memory = connections_of(attacked), attacked.peak()
        for each in (client, other):
            each.close()
    fresh, kept = (
        statistics.median(mine) / statistics.median(usual)
        for mine, usual in ((client.fresh, other.fresh), (client.kept, other.kept))
    )
    print(
        f"\n{kind}: {remaining} connections, {REQUESTS} requests of each kind; "
        f"new connections {fresh:.2f} × the usual {in_ms(statistics.median(other.fresh))}, "
        f"a kept one {kept:.2f} × {in_ms(statistics.median(other.kept))}; "
        f"slowest {in_ms(max(client.fresh + client.kept))}, "
        f"{in_ms(slowest)} in the beginning; peak of memory {memory / 1e6:.0f} MB"
    )
    assert remaining > CONNECTIONS * 0.9
    assert fresh < 2
    assert kept < 2


def in_ms(seconds: float) -> str:
    """Return a time for people."""
    return f"{seconds * 1000:.2f} ms"
