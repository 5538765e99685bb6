"""What it costs to import the client: nothing that isn't needed yet."""

from __future__ import annotations

import subprocess
import sys

HEAVY = [
    "aiodns",
    "aiohttp.client.cookiejar",
    "aiohttp.client.formdata",
    "aiohttp.client.hosts",
    "aiohttp.protocol.http1.server",
    "aiohttp.protocol.multipart",
    "concurrent.futures.process",
    "email",
    "html",
    "http.client",
    "http.cookies",
    "importlib.metadata",
    "json",
    "mimetypes",
    "multiprocessing",
    "netrc",
    "publicsuffixlist",
    "random",
    "tempfile",
    "truststore",
    "uuid",
    "xml",
    "zipfile",
]


def test_heavy_modules_stay_out() -> None:
    """Importing ``aiohttp.request`` imports none of these."""
    program = (
        "import sys, asyncio; before = set(sys.modules); import aiohttp; aiohttp.request;"
        f"print(*[name for name in {HEAVY!r} if name in set(sys.modules) - before])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_nothing_happens_at_import() -> None:
    """No loop, no thread and no TLS context is made."""
    program = (
        "import gc, threading, aiohttp; aiohttp.request; import asyncio, ssl;"
        "kinds = (asyncio.AbstractEventLoop, ssl.SSLContext);"
        "print(threading.active_count(), sum(isinstance(o, kinds) for o in gc.get_objects()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "0"]
