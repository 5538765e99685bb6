"""aiohttp.web 3: one handler, no access log."""

import asyncio
import sys

from aiohttp import web
from bench.worker import announce, end_with_parent, listen, run


async def hello(_request):
    """Answer with few bytes."""
    return web.Response(text="Hello, world")


async def main():
    """Serve until the bench ends."""
    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listener = listen()
    await web.SockSite(runner, listener, backlog=2048).start()
    announce(listener.getsockname()[1])
    await asyncio.Event().wait()


if __name__ == "__main__":
    end_with_parent()
    run(sys.argv[1], main())
