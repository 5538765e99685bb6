"""Applications whose paths say what they do: for tests of the worker that serves them.

What they do for as long as a test wants, they do until there is a file ``released`` in
their folder.
"""

from __future__ import annotations

__all__ = ["ASGI", "NATIVE", "WSGI"]

WSGI = """
import hashlib, os, sys, threading, time

four = threading.Barrier(4)

def app(environ, start_response):
    name, _, argument = environ["PATH_INFO"].strip("/").partition("/")
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Name", name)])
    if name == "sleep":
        print("sleeping", flush=True)
        time.sleep(float(argument))
    elif name == "hold":
        print("holding", flush=True)
        while not os.path.exists("released"):
            time.sleep(0.02)
    elif name == "meet":
        four.wait(10)
    elif name == "endless":
        return iter(lambda: b"x" * 1000, b"")
    elif name == "digest":
        digest = hashlib.sha256()
        while piece := environ["wsgi.input"].read(100_000):
            digest.update(piece)
        return [digest.hexdigest().encode()]
    elif name == "fail":
        raise RuntimeError("out of order")
    elif name == "errors":
        print("a line for the log", file=environ["wsgi.errors"])
    elif name == "environ":
        return [str(environ.get(argument)).encode()]
    elif name == "variable":
        return [os.environ[argument].encode()]
    return [b"%d" % os.getpid()]
"""

ASGI = """
import asyncio, os, time

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError("no lifespan")
    name, _, argument = scope["path"].strip("/").partition("/")
    content = b"%d" % os.getpid()
    if name == "hold":
        print("holding", flush=True)
        while not os.path.exists("released"):
            await asyncio.sleep(0.02)
    elif name == "block":
        print("blocking", flush=True)
        while not os.path.exists("released"):
            time.sleep(0.02)
    elif name == "loop":
        content = type(asyncio.get_running_loop()).__module__.encode()
    fields = [(b"content-type", b"text/plain"), (b"x-name", name.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": content})
"""

NATIVE = """
import asyncio, os

class Application:
    def __call__(self): ...  # gunicorn wants this
    async def handle_exchange(self, exchange):
        if exchange.head.target.startswith("/hold"):
            print("holding", flush=True)
            while not os.path.exists("released"):
                await asyncio.sleep(0.02)
        await exchange.respond(200, [("Content-Type", "text/plain")], b"%d" % os.getpid())

app = Application()
"""
