"""What the worker serves under gunicorn; how it behaves there is in ``test_worker_*.py``."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import aiohttp
from gunicorn_process import Gunicorn
from worker_applications import ASGI, NATIVE, WSGI

HTTPBIN = "from httpbin import app"


@pytest.fixture(scope="module")
def httpbin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    """Return httpbin, served with 4 threads on asyncio's own loop; elsewhere it is uvloop's."""
    folder = tmp_path_factory.mktemp("httpbin")
    with Gunicorn(folder, HTTPBIN, "--threads", "4", "--asgi-loop", "asyncio") as gunicorn:
        yield gunicorn


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


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    """Return an application that is served with 4 threads."""
    with Gunicorn(tmp_path_factory.mktemp("served"), WSGI, "--threads", "4") as gunicorn:
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
    """As many requests as there are threads are under way at a time."""
    answers = [served.begin("/meet") for _ in range(4)]
    assert [answer.result()[0] for answer in answers] == [200] * 4


def test_environ(served: Gunicorn) -> None:
    """The application knows both ends of its connection, and that it has threads."""
    port = str(served.address[1]).encode()
    assert served.get("/environ/SERVER_PORT")[1] == port
    assert served.get("/environ/REMOTE_ADDR")[1] == b"127.0.0.1"
    assert served.get("/environ/wsgi.multithread")[1] == b"True"
    assert served.get("/environ/SERVER_SOFTWARE")[1].startswith(b"gunicorn/")


@pytest.mark.parametrize("source", [WSGI, ASGI, NATIVE], ids=["wsgi", "asgi", "native"])
def test_kinds_of_applications(tmp_path: Path, source: str) -> None:
    """Applications of each kind are served, and nobody has to say of which they are."""
    with Gunicorn(tmp_path, source) as gunicorn:
        assert gunicorn.get() == (200, b"%d" % gunicorn.pids[0])


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
