"""The README's applications are served by the README's commands."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

from gunicorn.config import KNOWN_SETTINGS

from aiohttp.worker.settings import NOT_FOLLOWED
from house import REPOSITORY, readme_programs

README = REPOSITORY / "packages" / "aiohttp-gunicorn" / "README.md"
HELLO, UPPER, SITES, PORTS = readme_programs("packages/aiohttp-gunicorn")


def commands() -> list[list[str]]:
    """Return the arguments of each gunicorn in the README."""
    found = re.findall(r"^    gunicorn (.*)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    return [line.split() for line in found]


@contextmanager
def served(folder: Path, *arguments: str, sockets: tuple[int, ...] = ()) -> Generator[str]:
    """Run gunicorn, yield its first URL, and see that it ends with status 0 when told to."""
    gunicorn = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--no-control-socket", *arguments],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=sockets,
    )
    with gunicorn:
        assert gunicorn.stderr is not None
        log = iter(gunicorn.stderr.readline, "")
        try:
            yield next(found[0] for line in log if (found := re.search(r"http://[\d.:]+", line)))
        finally:
            gunicorn.terminate()
        rest = gunicorn.stderr.read()
    assert gunicorn.returncode == 0, rest


def fetch(url: str, content: bytes | None = None) -> tuple[int, bytes]:
    """Return status and content of an answer."""
    with urlopen(url, content, timeout=10) as response:
        return response.status, response.read()


def test_application(tmp_path: Path) -> None:
    """The first command serves the first application."""
    (tmp_path / "hello.py").write_text(HELLO)
    arguments = [word.replace(":8000", ":0") for word in commands()[0]]
    with served(tmp_path, *arguments) as url:
        assert fetch(url) == (200, b"Hello, 127.0.0.1\n")


def test_coroutine_application(tmp_path: Path) -> None:
    """The coroutine function reads its input."""
    (tmp_path / "upper.py").write_text(UPPER)
    arguments = ["-k", "aiohttp.worker.AsyncGunicornWorker", "-b", "127.0.0.1:0", "upper:app"]
    with served(tmp_path, *arguments) as url:
        assert fetch(url, b"quietly") == (200, b"QUIETLY")


def test_several_applications(tmp_path: Path) -> None:
    """Each is served on its port; with --preload, too, where the mapping is of the class."""
    (tmp_path / "hello.py").write_text(HELLO)
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(2)]
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        first, second = (sock.getsockname()[1] for sock in sockets)
        sites = SITES.replace("8000", str(first)).replace("8001", str(second))
        (tmp_path / "sites.py").write_text(sites)
        preloaded = f"from sites import application\n{PORTS}\napplication = Ports(application)\n"
        (tmp_path / "preloaded.py").write_text(preloaded)

        worker, name = commands()[1][1], commands()[1][-1]
        descriptors = tuple(sock.fileno() for sock in sockets)
        options = ["-k", worker, *(word for fd in descriptors for word in ("-b", f"fd://{fd}"))]
        for rest in ([name], ["--preload", "preloaded:application"]):
            with served(tmp_path, *options, *rest, sockets=descriptors):
                assert fetch(f"http://127.0.0.1:{first}/")[1] == b"Hello, 127.0.0.1\n"
                assert fetch(f"http://127.0.0.1:{second}/") == (204, b"")


def settings() -> dict[str, str]:
    """Return what the README says of each setting of gunicorn: one word."""
    text = README.read_text(encoding="utf-8")
    section = text.partition("## gunicorn's settings")[2].partition("\n### ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:3] == "| `"]
    said = [(name, row[1]) for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    assert len(said) == len(dict(said)), "a setting is told of twice"
    return dict(said)


def test_settings() -> None:
    """Every setting of gunicorn has a row, and every row is one of gunicorn's settings."""
    said = settings()
    assert sorted(said) == sorted(str(setting.name) for setting in KNOWN_SETTINGS)
    assert set(said.values()) == {"honoured", "ignored", "replaced"}


def test_settings_that_are_not_followed() -> None:
    """What a worker says when it starts that it doesn't follow is not called honoured."""
    assert {settings()[name] for name in NOT_FOLLOWED} == {"ignored"}
