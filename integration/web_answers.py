"""What ``web_application`` answers to a client: ``python web_answers.py URL [CAFILE]`` prints JSON.

It is written with what aiohttp 3's client and ours have in common, and runs with both.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
import sys
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp

__all__ = ["EXPECTED", "answers"]

BLOCK = bytes(range(256)) * 256
BLOCKS = 40
TEXT_LENGTH = 220_000
FILE = bytes(range(256)) * 400


async def uploaded() -> AsyncGenerator[bytes]:
    """Yield 2.6 MB whose length nobody tells before."""
    for _ in range(BLOCKS):
        yield BLOCK


def digest(data: bytes) -> str:
    """Return what tells two contents apart."""
    return hashlib.sha256(data).hexdigest()


EXPECTED: dict[str, Any] = {
    "get": [200, "text/plain", "Hello, world!\n", "yes"],
    "again on the same connection": True,
    "path and query": {"name": "à la mer", "query": {"whale": "white"}},
    "head": [200, "14", ""],
    "head of a file": [200, str(len(FILE)), ""],
    "post": [200, "application/octet-stream", digest(BLOCK)],
    "empty post": [200, ""],
    "chunked upload": digest(BLOCK * BLOCKS),
    "form": {"name": "Ishmael", "motto": "à la mer"},
    "form with a file": {"name": "Ishmael", "log": ["log.bin", "application/x-log", len(BLOCK)]},
    "pieces": [200, 100_000],
    "compressed": [200, "gzip", "Accept-Encoding", TEXT_LENGTH],
    "not compressed": [200, None, TEXT_LENGTH],
    "file": [200, "bytes", digest(FILE)],
    "range": [206, f"bytes 100-299/{len(FILE)}", digest(FILE[100:300])],
    "last bytes": [206, digest(FILE[-5:])],
    "no such range": [416, f"bytes */{len(FILE)}"],
    "not modified": [304, ""],
    "cookies": [{}, {"ship": "Pequod"}],
    "redirect": [[302, 200], {"name": "again", "query": {}}],
    "not found": [404, "404: Not Found"],
    "wrong method": [405, "GET, HEAD"],
    "broken": [500, True],
    "too large": 413,
    "events": ["0", "1", "2"],
}


async def answers(url: str, *, tls: ssl.SSLContext | None = None) -> dict[str, Any]:
    """Return what is answered, by what was asked."""
    connector = aiohttp.TCPConnector(ssl=tls) if tls else aiohttp.TCPConnector()
    async with aiohttp.ClientSession(connector=connector) as session:
        return {
            **await _plain(session, url),
            **await _uploads(session, url),
            **await _bodies(session, url),
            **await _files(session, url),
            **await _special(session, url),
        }


async def _plain(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with session.get(f"{url}/") as answer:
        found["get"] = [
            answer.status, answer.content_type, await answer.text(), answer.headers["X-Counted"],
        ]  # fmt: skip
    ports: list[int] = []
    for _ in range(3):
        async with session.get(f"{url}/who") as answer:
            ports.append((await answer.json())["port"])
    found["again on the same connection"] = len(set(ports)) == 1
    async with session.get(f"{url}/hello/à la mer", params={"whale": "white"}) as answer:
        found["path and query"] = await answer.json()
    for name, path in (("head", ""), ("head of a file", "file")):
        async with session.head(f"{url}/{path}") as answer:
            length = answer.headers.get("Content-Length")
            found[name] = [answer.status, length, await answer.text()]
    return found


async def _uploads(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with session.post(f"{url}/echo", data=BLOCK) as answer:
        found["post"] = [answer.status, answer.content_type, digest(await answer.read())]
    async with session.post(f"{url}/echo") as answer:
        found["empty post"] = [answer.status, await answer.text()]
    async with session.post(f"{url}/digest", data=uploaded()) as answer:
        found["chunked upload"] = await answer.text()
    fields = {"name": "Ishmael", "motto": "à la mer"}
    async with session.post(f"{url}/form", data=fields) as answer:
        found["form"] = await answer.json()
    form = aiohttp.FormData({"name": "Ishmael"})
    form.add_field("log", BLOCK, filename="log.bin", content_type="application/x-log")
    async with session.post(f"{url}/form", data=form) as answer:
        found["form with a file"] = await answer.json()
    async with session.post(f"{url}/echo", data=bytes(2_000_000)) as answer:
        found["too large"] = answer.status
    return found


async def _bodies(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with session.get(f"{url}/pieces/100") as answer:
        size = 0
        async for piece in answer.content.iter_chunked(4096):
            size += len(piece)
        found["pieces"] = [answer.status, size]
    async with session.get(f"{url}/text", headers={"Accept-Encoding": "gzip"}) as answer:
        coding, vary = (answer.headers.get(name) for name in ("Content-Encoding", "Vary"))
        found["compressed"] = [answer.status, coding, vary, len(await answer.text())]
    async with session.get(f"{url}/text", headers={"Accept-Encoding": "identity"}) as answer:
        coding = answer.headers.get("Content-Encoding")
        found["not compressed"] = [answer.status, coding, len(await answer.text())]
    async with session.get(f"{url}/events") as answer:
        lines = [await answer.content.readline() for _ in range(9)]
        found["events"] = [
            line.decode()[len("data: ") :].strip() for line in lines if line.startswith(b"data")
        ]
    return found


async def _files(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with session.get(f"{url}/file") as answer:
        etag = answer.headers["ETag"]
        ranges = answer.headers.get("Accept-Ranges")
        found["file"] = [answer.status, ranges, digest(await answer.read())]
    async with session.get(f"{url}/file", headers={"Range": "bytes=100-299"}) as answer:
        place = answer.headers.get("Content-Range")
        found["range"] = [answer.status, place, digest(await answer.read())]
    async with session.get(f"{url}/file", headers={"Range": "bytes=-5"}) as answer:
        found["last bytes"] = [answer.status, digest(await answer.read())]
    async with session.get(f"{url}/file", headers={"Range": "bytes=9000000-"}) as answer:
        found["no such range"] = [answer.status, answer.headers.get("Content-Range")]
    async with session.get(f"{url}/file", headers={"If-None-Match": etag}) as answer:
        found["not modified"] = [answer.status, await answer.text()]
    return found


async def _special(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    jar = aiohttp.CookieJar(unsafe=True)  # keeps those of an address, too
    connector = session.connector
    async with aiohttp.ClientSession(
        cookie_jar=jar, connector=connector, connector_owner=False
    ) as other:
        cookies: list[Any] = []
        for _ in range(2):
            async with other.get(f"{url}/cookie") as answer:
                cookies.append(await answer.json())
        found["cookies"] = cookies
    async with session.get(f"{url}/away") as answer:
        statuses = [each.status for each in (*answer.history, answer)]
        found["redirect"] = [statuses, await answer.json()]
    async with session.get(f"{url}/nowhere") as answer:
        found["not found"] = [answer.status, await answer.text()]
    async with session.delete(f"{url}/") as answer:
        found["wrong method"] = [answer.status, answer.headers.get("Allow")]
    async with session.get(f"{url}/broken") as answer:
        found["broken"] = [answer.status, "out of order" not in await answer.text()]
    return found


if __name__ == "__main__":
    context = ssl.create_default_context(cafile=sys.argv[2]) if len(sys.argv) > 2 else None
    print(json.dumps(asyncio.run(answers(sys.argv[1], tls=context))))
