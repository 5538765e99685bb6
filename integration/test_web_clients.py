"""A ``web.Application``, asked by curl, wrk, ab, h2load, aiohttp 3's client and ours."""

from __future__ import annotations

import hashlib
import json
import os
import re
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_server import CERTIFICATE, CommandServer, command_server
from environment import Environment
from web_answers import EXPECTED, answers
from web_application import CONTENT, PIECE, TEXT

TARGET = "web_application:app"


@pytest.fixture(scope="module", params=["plain", "TLS"])
def server(request: pytest.FixtureRequest) -> Iterator[CommandServer]:
    """The application, running."""
    options = ("--certfile", CERTIFICATE) if request.param == "TLS" else ()
    with command_server(TARGET, *options) as running:
        yield running


def run(*command: str | Path) -> bytes:
    """Return what a program prints; it must succeed."""
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def curl(*arguments: str | Path) -> bytes:
    """Return what curl prints; it trusts our certificate."""
    return run("curl", "-sS", "--cacert", CERTIFICATE, *arguments)


# curl


def test_curl_keeps_its_connection(server: CommandServer) -> None:
    """The second answer says that no new connection was made."""
    wanted = "%{http_code} %{num_connects},"
    targets = ["-o", os.devnull, server.url, "-o", os.devnull, f"{server.url}/hello/again"]
    assert curl("-w", wanted, *targets) == b"200 1,200 0,"


def test_curl_asks_for_the_head_alone(server: CommandServer) -> None:
    """HEAD has the fields of GET, and nothing behind them."""
    head = curl("-I", server.url).decode()
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "Content-Length: 14\r\n" in head
    assert "Content-Type: text/plain; charset=utf-8\r\n" in head
    assert head.endswith("\r\n\r\n")


@pytest.mark.parametrize(
    "options",
    [(), ("-H", "Transfer-Encoding: chunked"), ("--http1.0",), ("-H", "Expect: 100-continue")],
    ids=["length", "chunked", "HTTP/1.0", "100-continue"],
)
def test_curl_uploads(server: CommandServer, tmp_path: Path, options: tuple[str, ...]) -> None:
    """10 MB arrive unharmed."""
    content = os.urandom(10_000_000)
    (tmp_path / "body").write_bytes(content)
    answer = curl(*options, "--data-binary", f"@{tmp_path / 'body'}", f"{server.url}/digest")
    assert answer.decode() == hashlib.sha256(content).hexdigest()


def test_curl_sends_a_form_with_a_file(server: CommandServer, tmp_path: Path) -> None:
    """Fields and files of multipart/form-data come by their names."""
    (tmp_path / "log.txt").write_text("Call me Ishmael.")
    log = f"log=@{tmp_path / 'log.txt'};type=text/x-log"
    answer = curl("-F", "ship=Pequod", "-F", log, f"{server.url}/form")
    assert json.loads(answer) == {"ship": "Pequod", "log": ["log.txt", "text/x-log", 16]}


@pytest.mark.parametrize("options", [(), ("--http1.0",)], ids=["HTTP/1.1", "HTTP/1.0"])
def test_curl_reads_pieces(server: CommandServer, options: tuple[str, ...]) -> None:
    """Pieces of unknown number arrive, chunked or up to the close."""
    assert curl(*options, f"{server.url}/pieces/1000") == PIECE * 1000


def test_curl_asks_for_ranges(server: CommandServer) -> None:
    """One range comes as it is, several as multipart/byteranges; HEAD knows none."""
    url = f"{server.url}/file"
    assert curl("-r", "1000-1999", url) == CONTENT[1000:2000]
    assert curl("-r", "-100", url) == CONTENT[-100:]
    several = curl("-r", "0-4,100000-", url)
    assert several.count(b"\r\nContent-Range: bytes ") == 2
    assert f"Content-Range: bytes 0-4/{len(CONTENT)}".encode() in several
    assert CONTENT[100000:] in several
    assert curl("-w", "%{http_code}", "-o", os.devnull, "-r", "200000-", url) == b"416"


def test_curl_resumes_a_download(server: CommandServer, tmp_path: Path) -> None:
    """``-C -`` fetches what is missing."""
    file = tmp_path / "content.bin"
    file.write_bytes(CONTENT[:70_000])
    curl("-C", "-", "-o", file, f"{server.url}/file")
    assert file.read_bytes() == CONTENT


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_curl_undoes_compression(server: CommandServer, coding: str) -> None:
    """The coding that is asked for is that which comes, and undone it is the text."""
    url = f"{server.url}/text"
    fields = curl("-D", "-", "-o", os.devnull, "-H", f"Accept-Encoding: {coding}", url).decode()
    assert f"\r\nContent-Encoding: {coding}\r\n" in fields
    assert "\r\nVary: Accept-Encoding\r\n" in fields
    if coding in known_to_curl():
        assert curl("--compressed", "-H", f"Accept-Encoding: {coding}", url).decode() == TEXT


def known_to_curl() -> set[str]:
    """Return the content codings that this curl was built with."""
    features = run("curl", "--version").decode().partition("Features:")[2].split()
    known: set[str] = set()
    codings = {"libz": ("gzip", "deflate"), "brotli": ("br",), "zstd": ("zstd",)}
    for feature in codings.keys() & features:
        known.update(codings[feature])
    return known


# Load generators


def test_wrk_sees_no_error(server: CommandServer) -> None:
    """64 connections see right answers, and neither errors nor time-outs."""
    report = run("wrk", "-t1", "-c64", "-d1", f"{server.url}/hello/wrk").decode()
    assert int(re.findall(r"(\d+) requests in", report)[0]) > 100
    assert "Non-2xx" not in report
    assert "Socket errors" not in report


def test_ab_keeps_alive(server: CommandServer) -> None:
    """``ab -k`` (HTTP/1.0 with keep-alive) fails no request, and keeps every connection."""
    report = run("ab", "-k", "-q", "-n", "2000", "-c", "20", f"{server.url}/").decode()
    assert re.search(r"Complete requests: +2000\n", report)
    assert re.search(r"Failed requests: +0\n", report)
    assert re.search(r"Keep-Alive requests: +2000\n", report)
    assert "Non-2xx" not in report


def test_ab_posts(server: CommandServer, tmp_path: Path) -> None:
    """Bodies come back; each with a connection of its own."""
    (tmp_path / "body").write_bytes(PIECE)
    report = run(
        "ab", "-q", "-n", "200", "-c", "10", "-p", tmp_path / "body", "-T", "text/plain",
        f"{server.url}/echo",
    ).decode()  # fmt: skip
    assert re.search(r"Complete requests: +200\n", report)
    assert re.search(r"Failed requests: +0\n", report)
    assert re.search(rf"Document Length: +{len(PIECE)} bytes\n", report)


def test_h2load_succeeds(server: CommandServer) -> None:
    """``h2load --h1`` counts 2,000 successes of 2,000, on 16 connections."""
    report = run("h2load", "--h1", "-n", "2000", "-c", "16", f"{server.url}/").decode()
    assert "2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout" in report
    assert "status codes: 2000 2xx" in report


# Python


async def test_our_client_gets_right_answers(server: CommandServer) -> None:
    """All that ``web_answers`` asks for is answered as it should."""
    tls = ssl.create_default_context(cafile=CERTIFICATE)
    assert await answers(server.url, tls=tls) == EXPECTED


@pytest.fixture(scope="module")
def aiohttp_3(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the aiohttp of others in it."""
    environment = Environment(tmp_path_factory.mktemp("aiohttp3") / "venv")
    environment.pip("install", "--quiet", "aiohttp >=3.14,<4")
    return environment


def test_aiohttp_3_gets_right_answers(server: CommandServer, aiohttp_3: Environment) -> None:
    """The same program, by the client of aiohttp 3."""
    program = Path(__file__).with_name("web_answers.py")
    version = run(aiohttp_3.python, "-c", "import aiohttp; print(aiohttp.__version__)")
    assert version.startswith(b"3.")
    assert json.loads(run(aiohttp_3.python, program, server.url, CERTIFICATE)) == EXPECTED
