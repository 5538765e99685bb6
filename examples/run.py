"""What `make run` does: serve httpbin with gunicorn and our worker, fetch from it with our client.

gunicorn runs as a process of its own, on a free port of the loopback, with
``aiohttp.worker.AsyncGunicornWorker``; it serves ``application`` below. Exits
with 0 if everything came back as it should, and gunicorn stopped cleanly.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import html
import importlib.metadata
import io
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias, cast
from wsgiref.types import StartResponse, WSGIEnvironment

import aiohttp

MEGABYTE = 1_000_000
PIECE = 64 * 1024
PATTERN = bytes(range(256)) * (PIECE // 256)
"""A download is this, over and over."""


# What gunicorn serves.


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Serve /download/<n> ourselves, n bytes of the pattern, and httpbin for all else."""
    if found := re.fullmatch(r"/download/(\d+)", environ["PATH_INFO"]):
        size = int(found[1])
        fields = [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))]
        start_response("200 OK", fields)
        return download(size)
    from httpbin import app as httpbin

    answer: Iterable[bytes] = httpbin(environ, start_response)
    return answer


def download(size: int) -> Iterator[bytes]:
    """Yield so many bytes of the pattern."""
    while size > 0:
        yield PATTERN[:size]
        size -= len(PATTERN)


@contextlib.asynccontextmanager
async def gunicorn() -> AsyncGenerator[str, None]:
    """Run gunicorn, and give its URL; leaving stops it, and raises if that isn't clean."""
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--threads", "4"]
    command += ["--worker-class", "aiohttp.worker.AsyncGunicornWorker", "--no-control-socket"]
    command += ["--chdir", str(Path(__file__).parent), "run:application"]
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)

        def written() -> str:
            return os.pread(log.fileno(), MEGABYTE, 0).decode(errors="replace")

        try:
            yield await asyncio.wait_for(booted(process, written), 20)
            process.terminate()
            code = await asyncio.wait_for(process.wait(), 20)
            expect("gunicorn's exit code", code, 0)
        except BaseException:
            print(written(), file=sys.stderr)
            raise
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def booted(process: asyncio.subprocess.Process, written: Callable[[], str]) -> str:
    """Return the URL of gunicorn, once it has a worker."""
    while "Booting worker" not in written():
        if process.returncode is not None:
            raise Wrong(f"gunicorn ended with {process.returncode}")
        await asyncio.sleep(0.02)
    found = re.search(r"Listening at: (\S+)", written())
    if found is None:
        raise Wrong("gunicorn doesn't say where it listens")
    return found[1]


# What comes back, and how it is shown.


class Wrong(Exception):
    """Something came back otherwise than it should."""


def expect(what: str, came: object, expected: object) -> None:
    """Fail unless what came is what was expected."""
    if came != expected:
        raise Wrong(f"{what} is {came!r}, not {expected!r}")


class Paper:
    """Where it is written: in colours on a terminal, plainly elsewhere."""

    def __init__(self) -> None:
        cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="replace")
        self.is_terminal = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        is_wide = (sys.stdout.encoding or "").lower().startswith("utf")
        self._full, self._empty, self._more = ("█", "░", "…") if is_wide else ("#", ".", "...")

    def style(self, code: str, text: str) -> str:
        """Return a text in a colour: a number of ECMA-48's SGR, such as ``"32"`` for green."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.is_terminal else text

    def line(self, text: str = "", end: str = "\n") -> None:
        """Write a line."""
        print(text, end=end, flush=True)

    def answer(self, name: str, request: str, response: aiohttp.ClientResponse) -> None:
        """Write what was asked, and the kind of answer that came."""
        status = self.style("32;1" if response.status < 400 else "31;1", str(response.status))
        kind = self.style("2", response.headers.get("Content-Type", ""))
        self.line(f"{self.style('1', f'{name:<15}')} {request:<30} {status}  {kind}")

    def detail(self, text: str) -> None:
        """Write one line of what the answer holds, cut to the width of a page."""
        text = " ".join(text.split())
        self.line(f"{'':<16}{text if len(text) <= 76 else text[:75] + self._more}")

    def progress(self, done: int, total: int, seconds: float) -> None:
        """Draw the bar of a download anew; elsewhere than on a terminal only when it is full."""
        if not self.is_terminal and done < total:
            return
        width = 40 * done // total
        bar = self.style("36", self._full * width + self._empty * (40 - width))
        rate = done / MEGABYTE / max(seconds, 1e-6)
        start, end = ("\r", "\n" if done == total else "") if self.is_terminal else ("", "\n")
        self.line(f"{start}{'':<16}{bar} {done / MEGABYTE:5.1f} MB, {rate:4.0f} MB/s", end=end)


async def page(url: str, paper: Paper) -> None:
    """Fetch a page, and show its heading and how it begins."""
    async with aiohttp.request("GET", f"{url}/html", timeout=10) as response:
        text = (await response.read()).decode()
    paper.answer("a page", "GET /html", response)
    heading, paragraph = (
        re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("h1", "p")
    )
    if heading is None or paragraph is None:
        raise Wrong(f"the page has no heading, or no paragraph: {text!r}")
    expect("the heading", heading[1], "Herman Melville - Moby-Dick")
    paper.detail(html.unescape(heading[1]))
    paper.detail(html.unescape(paragraph[1]))


async def values(url: str, paper: Paper) -> None:
    """Fetch JSON that repeats our query and one of our fields."""
    request = aiohttp.request(
        "GET",
        f"{url}/get",
        params={"whale": "white", "motto": "à la mer"},
        headers={"X-Ship": "Pequod"},
        timeout=10,
    )
    async with request as response:
        answer = await response.json()
    paper.answer("JSON", "GET /get?whale=white&motto=...", response)
    expect("the query", answer["args"], {"whale": "white", "motto": "à la mer"})
    expect("our field", answer["headers"]["X-Ship"], "Pequod")
    paper.detail(json.dumps(answer["args"], ensure_ascii=False))
    paper.detail(json.dumps(answer["headers"]))


async def compressed(url: str, paper: Paper) -> None:
    """Fetch a body that comes gzipped, and is undone on the way."""
    async with aiohttp.request("GET", f"{url}/gzip", timeout=10) as response:
        answer = await response.json()
    paper.answer("a gzip body", "GET /gzip", response)
    expect("the coding", response.headers.get("Content-Encoding"), "gzip")
    expect("the flag in it", answer["gzipped"], True)
    paper.detail(f"{response.headers['Content-Length']} bytes came, gzipped: {answer['gzipped']}")


async def upload(url: str, paper: Paper) -> None:
    """Send a megabyte in chunks, without saying how much it will be."""
    data = b"Call me Ishmael. " * 60_000
    request = aiohttp.request("POST", f"{url}/post", data=data, chunked=True, timeout=30)
    async with request as response:
        answer = await response.json()
    paper.answer("chunked upload", "POST /post", response)
    expect("the framing", answer["headers"].get("Transfer-Encoding"), "chunked")
    expect("what arrived", hashlib.sha256(answer["data"].encode()).digest(), sha256(data))
    paper.detail(f"{len(data) / MEGABYTE:.2f} MB went there and came back the same")


async def redirect(url: str, paper: Paper) -> None:
    """Follow two redirects to their end."""
    async with aiohttp.request("GET", f"{url}/redirect/2", timeout=10) as response:
        answer = await response.json()
    paper.answer("a redirect", "GET /redirect/2", response)
    expect("the end of the way", answer["url"], f"{url}/get")
    stations = [*response.history, response]
    expect("the statuses", [each.status for each in stations], [302, 302, 200])
    paper.detail(" -> ".join(f"{each.status} {each.url.path}" for each in stations))


async def large(url: str, paper: Paper) -> None:
    """Download ten megabytes piece by piece, with a bar that grows."""
    total, done = 10 * MEGABYTE, 0
    digest = hashlib.sha256()
    async with aiohttp.request("GET", f"{url}/download/{total}", timeout=60) as response:
        paper.answer("a download", f"GET /download/{total}", response)
        began = time.perf_counter()
        async for piece in response.content.iter_chunked(PIECE):
            done += len(piece)
            digest.update(piece)
            paper.progress(done, total, time.perf_counter() - began)
    expect("the size", done, total)
    expect("what came", digest.digest(), sha256(b"".join(download(total))))


def sha256(data: bytes) -> bytes:
    """Return the digest by which two contents are compared."""
    return hashlib.sha256(data).digest()


Step: TypeAlias = Callable[[str, Paper], Coroutine[None, None, None]]
STEPS: tuple[Step, ...] = (page, values, compressed, upload, redirect, large)


async def main() -> int:
    """Fetch everything, and return the exit code."""
    paper = Paper()
    began = time.perf_counter()
    try:
        async with gunicorn() as url:
            version = importlib.metadata.version("gunicorn")
            paper.line(f"httpbin on gunicorn {version} and AsyncGunicornWorker, at {url}\n")
            for step in STEPS:
                await step(url, paper)
    except (Wrong, aiohttp.ClientError, OSError) as exc:
        paper.line(f"\n{paper.style('31;1', 'wrong:')} {type(exc).__name__}: {exc}")
        return 1
    seconds = time.perf_counter() - began
    paper.line(
        f"\n{paper.style('32;1', 'all right:')} {len(STEPS)} of {len(STEPS)} "
        f"came back as they should, and gunicorn stopped cleanly ({seconds:.1f} s)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
