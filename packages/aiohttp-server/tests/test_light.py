"""What it costs to import the server, and to answer: nothing that isn't needed yet."""

from __future__ import annotations

import subprocess
import sys

HEAVY = [
    "aiohttp.client",
    "aiohttp.protocol.http1.client",
    "aiohttp.protocol.multipart",
    "aiohttp.server.metrics",
    "aiohttp.server.testing",
    "aiohttp.server.web.asgi",
    "aiohttp.server.web.errorpage",
    "aiohttp.server.web.eventsource",
    "aiohttp.server.web.fileresponse",
    "aiohttp.server.web.forms",
    "brotli",
    "email",
    "html",
    "http.client",
    "http.cookies",
    "importlib.metadata",
    "mimetypes",
    "multiprocessing",
    "tempfile",
    "traceback",
    "unittest",
    "uuid",
    "yarl",
]
"""``traceback`` and others that asyncio imports itself don't count."""


def imported_by(program: str) -> list[str]:
    """Return which of these a program imports, beside what asyncio does."""
    program = f"import sys, asyncio, logging; before = set(sys.modules)\n{program}\n"
    program += f"print(*[name for name in {HEAVY!r} if name in set(sys.modules) - before])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_heavy_modules_stay_out() -> None:
    """Importing ``aiohttp.web`` and naming what a small program needs imports none of these."""
    program = "from aiohttp import web; web.Application, web.Response, web.run_app, web.get"
    assert imported_by(program) == []


def test_small_answers_need_nothing_heavy() -> None:
    """Neither does answering a small request."""
    program = """
from aiohttp import web
from aiohttp.protocol import Listener

async def hello(request):
    return web.Response(text=f"{request.method} {request.path} {request.match_info['name']}")

async def main():
    app = web.Application()
    app.add_routes([web.get("/{name}", hello)])
    async with Listener(app) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET /x HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
        assert (await reader.read()).endswith(b"GET /x x")
        writer.close()

asyncio.run(main())
"""
    assert imported_by(program) == []


def test_nothing_happens_at_import() -> None:
    """No loop, no thread and no TLS context is made."""
    program = (
        "import gc, threading; from aiohttp import web; web.Application; import asyncio, ssl;"
        "kinds = (asyncio.AbstractEventLoop, ssl.SSLContext);"
        "print(threading.active_count(), sum(isinstance(o, kinds) for o in gc.get_objects()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "0"]
