"""A server to be stopped: ``python stopping_server.py asyncio|uvloop SHUTDOWN_TIMEOUT``.

Prints where it serves, what it says about its end, and at last how many requests were
answered by its handlers.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

ANSWERED = web.AppKey("answered", list[int])

routes = web.RouteTableDef()


@routes.post("/work")
async def work(request: web.Request) -> web.Response:
    """Read a body, take some milliseconds, and send the body back in one piece."""
    body = await request.read()
    await asyncio.sleep(float(request.query["takes"]))
    request.app[ANSWERED].append(len(body))
    return web.Response(body=body)


@routes.get("/pieces")
async def pieces(request: web.Request) -> web.StreamResponse:
    """Send an answer piece by piece."""
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(5):
        await response.write(b"0123456789")
        await asyncio.sleep(0.002)
    request.app[ANSWERED].append(50)
    return response


@routes.get("/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Send events without end."""
    async with web.EventSourceResponse(request) as stream:
        while True:
            await stream.send_event("tick")
            await asyncio.sleep(0.01)
    return stream


@routes.get("/forever")
async def forever(request: web.Request) -> web.StreamResponse:
    """Send something, and never end, whoever wishes it."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"here I am\n")
    await asyncio.Event().wait()
    return response


async def tell_cleanup(app: web.Application) -> None:
    """Say that cleanup has run, and what was answered until then."""
    print(f"cleanup after {len(app[ANSWERED])} answers", flush=True)


def main(loop: str, shutdown_timeout: str) -> None:
    """Serve until a signal comes."""
    app = web.Application()
    app[ANSWERED] = []
    app.add_routes(routes)
    app.on_cleanup.append(tell_cleanup)
    if loop == "uvloop":
        import uvloop

        made: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    else:
        made = asyncio.new_event_loop()
    web.run_app(app, host="127.0.0.1", port=0, loop=made, shutdown_timeout=float(shutdown_timeout))


if __name__ == "__main__":
    main(*sys.argv[1:])
