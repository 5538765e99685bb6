"""uvicorn with llhttp: a bare ASGI application, no access log."""

import sys

import uvicorn

from bench.worker import announce, end_with_parent, listen, run

START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain"), (b"content-length", b"12")],
}
BODY = {"type": "http.response.body", "body": b"Hello, world"}


async def hello(_scope, _receive, send):
    """Answer with few bytes."""
    await send(START)
    await send(BODY)


async def main():
    """Serve until the bench ends."""
    config = uvicorn.Config(
        hello,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=75,
        server_header=False,
    )
    listener = listen()
    announce(listener.getsockname()[1])
    await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    end_with_parent()
    run(sys.argv[1], main())
