"""The example application in headless Chromium: what a person sees of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import urllib.request
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from chromium import Chromium, chromium
from command_server import EXAMPLES, CommandServer, command_server
from gunicorn_process import until

MB = 1_000_000
LARGE = 200 * MB
GROWTH = 16 * MB
"""How much more memory an upload of that size may need: buffers of 256 KiB, and the allocator."""


@pytest.fixture
def server() -> Iterator[CommandServer]:
    """The example, running."""
    with command_server("demo:make_app", folder=EXAMPLES) as running:
        yield running


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncGenerator[Chromium]:
    """A browser with a fresh profile."""
    async with chromium(tmp_path / "profile") as running:
        yield running


async def test_page_draws_what_the_stream_tells(server: CommandServer, browser: Chromium) -> None:
    """The plot grows by a point with each event; the page loads nothing that fails."""
    page = await browser.new_page()
    await page.open(server.url)
    assert await page.text("h1") == "aiohttp-server"
    count = "document.querySelector('#line').points.numberOfItems"
    await page.until(f"{count} >= 3")
    before = await page.evaluate(count)
    await page.until(f"{count} >= {before + 3}")
    assert (await page.text("#late")).endswith(" ms late")
    # Style and script came: nothing else paints the line, or knows its scale.
    stroke = "getComputedStyle(document.querySelector('#line')).strokeWidth"
    assert await page.evaluate(stroke) == "2px"
    assert "the last 12 s" in await page.text("#scale")
    assert page.complaints == []


async def test_upload_of_200_mb_needs_little_memory(
    server: CommandServer, browser: Chromium, tmp_path: Path
) -> None:
    """It arrives unharmed, with progress on the way; the server's memory does not grow with it."""
    large = tmp_path / "large.bin"
    digest = write_noise(large)
    page = await browser.new_page()
    await page.open(server.url)
    await page.until("document.querySelector('#line').points.numberOfItems >= 2")
    await page.choose_files("input", large)
    await page.evaluate(
        "window.seen = [];"
        "new MutationObserver(() => seen.push(document.querySelector('progress').value))"
        ".observe(document.querySelector('#progress'), {childList: true})"
    )
    server.forget_peak()
    before = server.peak()
    await page.evaluate("document.querySelector('button').click()")
    await page.until("document.querySelector('#progress').innerText.includes('200 MB kept')", 60)
    growth = server.peak() - before
    print(f"\nserver: {before / MB:.1f} MB, at most {growth / MB:.1f} MB more during the upload")
    assert growth < GROWTH

    seen = await page.evaluate("seen")
    assert seen == sorted(seen)
    assert any(0 < value < 1 for value in seen)
    assert page.complaints == []
    assert await asyncio.to_thread(digest_of_url, f"{server.url}/files/large.bin") == digest


def write_noise(file: Path) -> str:
    """Write a large file, and return its SHA-256."""
    digest = hashlib.sha256()
    block = os.urandom(MB)
    with file.open("wb") as opened:
        for _ in range(LARGE // MB):
            opened.write(block)
            digest.update(block)
    return digest.hexdigest()


def digest_of_url(url: str) -> str:
    """Return the SHA-256 of what is there."""
    with urllib.request.urlopen(url) as response:
        return hashlib.file_digest(response, "sha256").hexdigest()


async def test_listing_shows_what_was_uploaded(
    server: CommandServer, browser: Chromium, tmp_path: Path
) -> None:
    """The form works without the page's script; the listing's names are text, and links."""
    note, trap = tmp_path / "notes.txt", tmp_path / "<img src=x onerror=alert(1)>.txt"
    note.write_text("a note")
    trap.write_text("a trap")
    page = await browser.new_page()
    await page.open(server.url)
    await page.choose_files("input", note, trap)
    await page.evaluate("document.querySelector('form').submit()")  # unseen by the script
    await page.until("document.title.startsWith('Index of') && document.readyState == 'complete'")
    assert await page.evaluate("location.pathname") == "/files/"
    rows = await page.evaluate(
        "[...document.querySelectorAll('tbody tr')].map(row => row.cells[0].innerText.trim())"
    )
    assert rows == ["_img src_x onerror_alert(1)_.txt", "notes.txt"]
    assert "2 files" in await page.text()
    await page.evaluate("document.querySelector('a[href$=\"notes.txt\"]').click()")
    await page.until("document.body.innerText == 'a note'")


def test_upload_that_breaks_off_leaves_nothing(server: CommandServer) -> None:
    """Neither in the listing nor beside it, whatever the file is called."""
    begun = (
        b"POST /files HTTP/1.1\r\n"
        b"Host: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=B\r\n"
        b"Content-Length: 5000\r\n"
        b"\r\n"
        b"--B\r\n"
        b'Content-Disposition: form-data; name="file"; filename="../half.txt"\r\n'
        b"\r\n"
        b"only the begin"
    )
    (arriving,) = (each for each in files_of(server, begun) if "/arriving/" in each)
    until(lambda: not Path(arriving).exists(), "the removal of what had arrived")
    with urllib.request.urlopen(f"{server.url}/files/") as listing:
        assert b"This directory is empty." in listing.read()


def files_of(server: CommandServer, begun: bytes) -> list[str]:
    """Begin a request, wait until it writes a file, break it off; return which files were open."""
    descriptors = Path(f"/proc/{server.process.pid}/fd")

    def is_open() -> list[str]:
        names = [os.fspath(each.readlink()) for each in descriptors.iterdir() if each.is_symlink()]
        return names if any("/arriving/" in name for name in names) else []

    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.sendall(begun)
        return list(until(is_open, "a file that is written"))


async def test_error_page_shows_where_it_happened(server: CommandServer, browser: Chromium) -> None:
    """In debug mode the page has the error, the line and the file."""
    page = await browser.new_page()
    await page.open(f"{server.url}/broken")
    text = await page.text()
    assert "KeyError" in text
    assert "'quince'" in text
    assert 'prices[request.query.get("fruit", "quince")]' in text
    assert "demo.py" in text
    # The browser itself says that it got 500; a style that its policy forbids would be another.
    assert len(page.complaints) == 1
    assert "500" in page.complaints[0]


async def test_other_routes(server: CommandServer, browser: Chromium) -> None:
    """A path with a name answers in JSON, an unknown one 404."""
    page = await browser.new_page()
    await page.open(server.url)
    fetched = "fetch('/hello/w%C3%B6rld?a=b').then(answer => answer.json())"
    assert await page.evaluate(fetched) == {"hello": "wörld", "query": {"a": "b"}}
    assert await page.evaluate("fetch('/nowhere').then(answer => answer.status)") == 404
