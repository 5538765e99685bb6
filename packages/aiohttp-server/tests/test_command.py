"""``python -m aiohttp.server``, as a process of its own."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from aiohttp.server.reload import INTERVAL

pytestmark = pytest.mark.skipif(
    not hasattr(socket, "SO_REUSEPORT"), reason="processes that share a port need SO_REUSEPORT"
)

PEM = Path(__file__).parents[2] / "aiohttp-protocol" / "tests" / "localhost.pem"
SOURCE = """
import http.client
import os
class App:
    async def handle_exchange(self, exchange):
        if exchange.head.target == "/die":
            os._exit(9)
        await exchange.respond(200, [], b"%d one" % os.getpid())
app = App()
"""


class Program:
    """The command, whose lines can be waited for."""

    def __init__(
        self, folder: Path, *arguments: str, python: Sequence[str] = (), **environment: str
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *python, "-m", "aiohttp.server", *arguments],
            cwd=folder,
            stdin=subprocess.PIPE,  # a terminal where nobody types
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "NO_COLOR": "1", **environment},
        )
        self.said = ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the first match of a pattern in what it says from now on."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"expected {pattern!r}, it said:\n{self.said}")

    def url(self) -> str:
        """Return where it serves, when it does."""
        return self.wait_for(r"Serving on (http://localhost:\d+)")[1]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and return the exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Return the exit status."""
        self.said += self.process.communicate(timeout=20)[0]
        return self.process.returncode


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts the command in a folder with a module ``shop``; ends it if the test doesn't."""
    (tmp_path / "shop.py").write_text(SOURCE)
    programs: list[Program] = []

    def start(*arguments: str, **options: Any) -> Program:
        # Who runs the tests may ignore hangups, as nohup does; then a child would, too.
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        try:
            programs.append(Program(tmp_path, *arguments, **options))
        finally:
            signal.signal(signal.SIGHUP, before)
        return programs[-1]

    yield start
    for program in programs:
        if program.process.poll() is None:
            program.process.kill()
        program.process.communicate()


def get(url: str) -> str:
    """Return what a server answers."""
    with urllib.request.urlopen(url, timeout=10) as response:
        text: str = response.read().decode()
        return text


def test_one_process(run: Callable[..., Program]) -> None:
    """It says where it serves, answers, logs, and ends in order at SIGTERM."""
    program = run("shop:app", "--port", "0", "--access-log", "%r %s")
    assert get(program.url() + "/x") == f"{program.process.pid} one"
    program.wait_for("GET /x HTTP/1.1 200")
    assert program.end() == 0


def test_several_processes(run: Callable[..., Program]) -> None:
    """Several processes serve one port; all end with their parent."""
    program = run("shop:app", "--port", "0", "--workers", "2")
    url = program.url()
    program.wait_for("2 workers")
    pids = {get(url).split()[0] for _ in range(50)}
    assert str(program.process.pid) not in pids
    assert len(pids) == 2
    assert program.end(signal.SIGINT) == 0
    assert "Traceback" not in program.said


def test_worker_is_like_its_parent(run: Callable[..., Program], tmp_path: Path) -> None:
    """Its Python has the same options, its greeting colors; but it can't read what is typed."""
    (tmp_path / "shop.py").write_text(
        SOURCE + "import sys; print(sys.flags.dev_mode, [sys.stdin.read()], flush=True)"
    )
    arguments = "shop:app", "--port", "0", "--workers", "2"
    program = run(*arguments, python=["-X", "dev"], NO_COLOR="", FORCE_COLOR="1")
    program.wait_for(r"True \[''\]")
    program.wait_for(r"\x1b\[1;36mhttp://localhost:")
    assert program.end() == 0


def test_hangup_without_certificates(run: Callable[..., Program]) -> None:
    """It ends them all, as it ends one process: the terminal is gone."""
    program = run("shop:app", "--port", "0", "--workers", "2")
    program.wait_for("2 workers")
    assert program.end(signal.SIGHUP) == -signal.SIGHUP
    assert "another" not in program.said


def test_hangup_with_certificates(run: Callable[..., Program], tmp_path: Path) -> None:
    """Each worker loads them again."""
    pem = tmp_path / "tls.pem"
    pem.write_bytes(PEM.read_bytes())
    program = run("shop:app", "--port", "0", "--workers", "2", "--certfile", str(pem))
    program.wait_for("2 workers")
    pem.unlink()
    program.process.send_signal(signal.SIGHUP)
    for _ in range(2):
        program.wait_for("the certificate stays what it was")
    assert program.end() == 0
    assert "ended" not in program.said


def test_own_logging(run: Callable[..., Program], tmp_path: Path) -> None:
    """What a program says about its log is heard, and not too late."""
    (tmp_path / "shop.py").write_text(
        SOURCE + "import logging\n"
        "logging.basicConfig(level=logging.INFO, format='own %(message)s')\n"
        "logging.info('words')\n"
    )
    program = run("shop:app", "--port", "0")
    program.wait_for("^own words$")
    program.url()
    assert program.end() == 0


def test_dead_worker_is_replaced(run: Callable[..., Program]) -> None:
    """A worker that dies is told of, and another one takes its place."""
    program = run("shop:app", "--port", "0", "--workers", "2")
    url = program.url()
    program.wait_for("2 workers")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        get(url + "/die")
    program.wait_for("ended with status 9: starting another one")
    assert get(url).endswith("one")
    assert program.end() == 0


def test_workers_that_can_not_start(run: Callable[..., Program], tmp_path: Path) -> None:
    """If a worker can't begin, none is tried for ever, and the exit status tells it."""
    (tmp_path / "shop.py").write_text("1 / 0")
    program = run("shop:app", "--port", "0", "--workers", "2")
    assert program.wait() == 1
    assert "ZeroDivisionError" in program.said
    assert "ended with status 1: stopping" in program.said


def test_unix_socket_of_several(run: Callable[..., Program], tmp_path: Path) -> None:
    """Workers share a unix socket, whose file is removed at the end; a dead one is replaced."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
    program = run("shop:app", "--unix", "s", "--workers", "2")
    program.wait_for("2 workers")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(tmp_path / "s"))
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert program.end() == 0
    assert not (tmp_path / "s").exists()


def test_reload_waits_for_the_name_of_an_application(
    run: Callable[..., Program], tmp_path: Path
) -> None:
    """A mistake in module:app is one line here, too, until the module is changed."""
    program = run("shop:shop", "--port", "0", "--reload")
    program.wait_for("error: module shop has no shop")
    program.wait_for("waiting for a change")
    (tmp_path / "shop.py").write_text(SOURCE + "shop = app")
    assert get(program.url()).endswith("one")
    assert "Traceback" not in program.said
    assert program.end() == 0


def test_reload_of_a_module_that_was_gone(run: Callable[..., Program], tmp_path: Path) -> None:
    """A file that is missing is waited for, as is one that it imports."""
    path, other = tmp_path / "shop.py", tmp_path / "other.py"
    program = run("shop:app", "--port", "0", "--reload")
    program.wait_for("reloading on changes")
    path.unlink()
    program.wait_for("error: no module shop")
    program.wait_for("waiting for a change")
    path.write_text(SOURCE + "import other\n")
    program.wait_for("No module named 'other'")
    program.wait_for("waiting for a change")
    other.write_text("print('at last', flush=True)")
    program.wait_for("at last")
    assert program.end() == 0


def test_reload_while_it_starts(run: Callable[..., Program], tmp_path: Path) -> None:
    """A start that takes for ever is given up when the module changes; so is an import."""
    path = tmp_path / "shop.py"
    path.write_text(
        SOURCE.replace("app = App()\n", "") + "    async def startup(self):\n"
        "        import asyncio\n"
        "        print('starting', flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "app = App()\n"
    )
    program = run("shop:app", "--port", "0", "--reload")
    program.wait_for("starting")
    pause = f"import time; time.sleep({INTERVAL + 0.1}); "  # until it is watched
    path.write_text(pause + "print('importing', flush=True); time.sleep(60)")
    program.wait_for("importing")
    path.write_text(SOURCE)
    assert get(program.url()).endswith("one")
    assert program.end() == 0


def test_reload(run: Callable[..., Program], tmp_path: Path) -> None:
    """A changed module is served anew, on the same port; a broken one waits for its repair."""
    program = run("shop:app", "--port", "0", "--reload")
    url = program.url()
    program.wait_for("reloading on changes")
    assert get(url).endswith("one")
    (tmp_path / "shop.py").write_text("1 / 0")
    program.wait_for("shop.py has changed: starting anew")
    program.wait_for("waiting for a change")
    assert "ZeroDivisionError" in program.said
    (tmp_path / "shop.py").write_text(SOURCE.replace("one", "two") + "\nprint('again', flush=True)")
    program.wait_for("again")
    while True:
        try:
            assert get(url).endswith("two")
            break
        except ConnectionError:
            continue  # it is about to listen
        except OSError as exc:
            if not isinstance(getattr(exc, "reason", None), ConnectionError):
                raise
    assert program.end() == 0


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["shop:nothing"], 2, "error: module shop has no nothing"),
        (["shop:app", "--certfile", "none.pem"], 1, "error: can't read the certificate none.pem"),
        (["shop:app", "--host", "host.invalid"], 1, "error: can't listen on host.invalid: "),
        (["shop:app", "--prot", "80"], 2, "error: shop:app takes no arguments, got --prot 80"),
        (["shop:app", "--unix", 200 * "x"], 1, "xxx: AF_UNIX path too long"),
        (["shop:app", "--workers", "2", "--unix", 200 * "x"], 1, "xxx: AF_UNIX path too long"),
    ],
)
def test_mistakes(
    run: Callable[..., Program], arguments: list[str], status: int, message: str
) -> None:
    """What can't be served ends with one clear line and a status, without a traceback."""
    program = run(*arguments)
    assert program.wait() == status
    assert message in program.said
    assert "Traceback" not in program.said


@pytest.mark.parametrize("workers", ["1", "2"])
def test_port_in_use(run: Callable[..., Program], workers: str) -> None:
    """A port that somebody else has is named, in one line, whoever would have served it."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        program = run("shop:app", "--host", "127.0.0.1", "--port", str(port), "--workers", workers)
        assert program.wait() == 1
    assert program.said.count("\n") == 1
    assert f"error: can't listen on 127.0.0.1 port {port}: Address already in use" in program.said


def test_port_in_use_by_several(run: Callable[..., Program]) -> None:
    """It isn't shared with who forgot that the same program runs already."""
    first = run("shop:app", "--port", "0", "--workers", "2")
    port = first.url().rpartition(":")[2]
    second = run("shop:app", "--port", port, "--workers", "2")
    assert second.wait() == 1
    assert f"port {port}: Address already in use" in second.said
    assert first.end() == 0


def test_descriptors(run: Callable[..., Program], tmp_path: Path) -> None:
    """The program takes as many open files as it may have, where its shell allows few."""
    resource = pytest.importorskip("resource", reason="Windows has no bound of open files")
    (tmp_path / "shop.py").write_text(
        SOURCE + "import resource\nprint(resource.getrlimit(resource.RLIMIT_NOFILE), flush=True)"
    )
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        program = run("shop:app", "--port", "0")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert int(program.wait_for(r"\((\d+), ")[1]) == min(hard, 1_048_576)
    program.url()
    assert program.end() == 0
