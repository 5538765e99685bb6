"""granian: Rust, with a bare RSGI application; no access log."""

import os
import signal
import socket
import sys
import threading
import time

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops

from bench.worker import announce, end_with_parent, listen

FIELDS = [("content-type", "text/plain")]


async def hello(_scope, protocol):
    """Answer with few bytes."""
    protocol.response_str(200, FIELDS, "Hello, world")


def announce_when_ready(port):
    """Tell the port as soon as somebody answers there."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            announce(port)
            return


def main():
    """Serve until the bench ends."""
    with listen() as listener:  # it takes a number only
        port = listener.getsockname()[1]
    threading.Thread(target=announce_when_ready, args=(port,), daemon=True).start()
    Granian(
        "bench.contenders.serve_granian:hello",
        port=port,
        interface=Interfaces.RSGI,
        loop=Loops(sys.argv[-1]),
        http=HTTPModes.http1,
        websockets=False,
        backlog=2048,
        log_enabled=False,
    ).serve()


if __name__ == "__main__":
    end_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
    main()
