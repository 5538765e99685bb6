"""One ``web.Application`` in every place where it can be served: the same answers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import aiohttp
from command_server import INTEGRATION, command_server
from gunicorn_process import Gunicorn
from haproxy import haproxy
from nginx import nginx
from web_answers import EXPECTED, answers

SOURCE = f"import sys; sys.path.append({str(INTEGRATION)!r}); from web_application import app"


def journal_of(folder: Path) -> Path:
    """Return where the application notes its moments."""
    return folder / "journal.txt"


@contextmanager
def run_app(folder: Path) -> Generator[str]:
    """Serve it by our command."""
    with command_server("web_application:app", journal=journal_of(folder)) as server:
        yield server.url


@contextmanager
def uvicorn(folder: Path, *options: str) -> Generator[str]:
    """Serve it as an ASGI application."""
    command = [sys.executable, "-m", "uvicorn", "--port", "0", "--no-access-log", *options]
    process = subprocess.Popen(
        [*command, "web_application:app"],
        cwd=INTEGRATION,
        env={**os.environ, "WEB_JOURNAL": str(journal_of(folder))},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    log = ""
    try:
        for line in process.stderr:
            log += line
            if found := re.search(r"running on (http://[\d.]+:\d+)", line):
                yield found[1]
                break
        else:
            raise RuntimeError(f"uvicorn ended: {log}")
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=30)
    # What the application logs of /broken is no complaint of the server's.
    assert "ASGI" not in rest, rest


def uvicorn_h11(folder: Path) -> Any:
    """Serve it by uvicorn's other parser, on asyncio's own loop."""
    return uvicorn(folder, "--http", "h11", "--loop", "asyncio")


def uvicorn_httptools(folder: Path) -> Any:
    """Serve it as uvicorn is installed by most."""
    return uvicorn(folder, "--http", "httptools", "--loop", "uvloop")


@contextmanager
def gunicorn(folder: Path, worker: str) -> Generator[str]:
    """Serve it by gunicorn and a worker class of ours."""
    options = ("--worker-class", worker, "--env", f"WEB_JOURNAL={journal_of(folder)}")
    with Gunicorn(folder, SOURCE, *options) as process:
        yield process.url
        process.signal(signal.SIGTERM)
        assert process.wait() == 0, process.log


def gunicorn_worker(folder: Path) -> Any:
    """Serve it by the worker's own name."""
    return gunicorn(folder, "aiohttp.worker.AsyncGunicornWorker")


def gunicorn_web_worker(folder: Path) -> Any:
    """Serve it by the name that aiohttp 3's users know."""
    return gunicorn(folder, "aiohttp.GunicornWebWorker")


SERVERS = [run_app, uvicorn_h11, uvicorn_httptools, gunicorn_worker, gunicorn_web_worker]


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.__name__)
async def test_answers_are_the_same(server: Any, tmp_path: Path) -> None:
    """Whoever serves it; and its moments come once, and in order."""
    with server(tmp_path) as url:
        found = await answers(url)
    assert found == EXPECTED
    assert journal_of(tmp_path).read_text().split() == ["startup", "shutdown", "cleanup"]


# Behind proxies.


TRUSTED = ("--trusted-proxies", "127.0.0.1")
LIES = {"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Proto": "https"}
BY_FIELDS = "option forwardfor\n    http-request set-header X-Forwarded-Proto https"
NGINX = """
    location / {{
        proxy_pass http://127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
    }}"""


async def who(url: str, **fields: str) -> dict[str, Any]:
    """Return what the application knows of us; our address is not the proxies'."""
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"{url}/who", headers=fields) as answer,
    ):
        told: dict[str, Any] = await answer.json()
        return told


@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2"])
async def test_answers_behind_haproxy_that_speaks_its_protocol(
    version: str, tmp_path: Path
) -> None:
    """They are the same, and the client's address is what it says."""
    with (
        command_server("web_application:app", "--proxy-protocol", "127.0.0.1") as server,
        haproxy(tmp_path, server.port, server=version) as front,
    ):
        url = f"http://127.0.0.1:{front}"
        found = await answers(url)
        told = await who(url, **LIES)
    assert found == EXPECTED
    assert (told["remote"], told["scheme"], told["host"]) == ("127.0.0.2", "http", url[7:])


@pytest.mark.parametrize("options", [TRUSTED, ()], ids=["trusted", "not trusted"])
async def test_application_behind_haproxy(options: tuple[str, ...], tmp_path: Path) -> None:
    """Its fields are believed where it is trusted; what the client says of itself never is."""
    with (
        command_server("web_application:app", *options) as server,
        haproxy(tmp_path, server.port, mode="http", front=BY_FIELDS) as front,
    ):
        url = f"http://127.0.0.1:{front}"
        told = await who(url, **LIES)
    remote, scheme = ("127.0.0.2", "https") if options else ("127.0.0.1", "http")
    assert (told["remote"], told["scheme"], told["host"]) == (remote, scheme, url[7:])


@pytest.mark.parametrize("options", [TRUSTED, ()], ids=["trusted", "not trusted"])
async def test_application_behind_nginx(options: tuple[str, ...], tmp_path: Path) -> None:
    """The answers are the same; the client's lies stay without effect."""
    with (
        command_server("web_application:app", *options) as server,
        nginx(tmp_path, {"front": NGINX.format(port=server.port)}) as ports,
    ):
        url = f"http://127.0.0.1:{ports['front']}"
        found = await answers(url)
        told = await who(url, **LIES)
    del found["again on the same connection"]  # nginx makes one for each request
    assert found == {name: EXPECTED[name] for name in found}
    remote = "127.0.0.2" if options else "127.0.0.1"
    assert (told["remote"], told["scheme"], told["host"]) == (remote, "http", url[7:])


async def test_client_that_is_no_trusted_proxy_is_not_believed() -> None:
    """Without a proxy between, from an address that isn't trusted, fields change nothing."""
    with command_server("web_application:app", "--trusted-proxies", "192.0.2.0/24") as server:
        told = await who(server.url, **LIES)
    assert (told["remote"], told["scheme"]) == ("127.0.0.2", "http")
