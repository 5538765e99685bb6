"""granian: Rust, with a bare WSGI application on a given number of threads; no access log."""

import os
import signal
import sys
import threading

from granian import Granian
from granian.constants import HTTPModes, Interfaces

from bench.contenders.serve_granian import announce_when_ready
from bench.worker import end_with_parent, listen


def main(application, threads):
    """Serve until the bench ends."""
    with listen() as listener:  # it takes a number only
        port = listener.getsockname()[1]
    threading.Thread(target=announce_when_ready, args=(port,), daemon=True).start()
    Granian(
        f"bench.contenders.hello:{application}",
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=int(threads),
        http=HTTPModes.http1,
        websockets=False,
        backlog=2048,
        log_enabled=False,
    ).serve()


if __name__ == "__main__":
    end_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
    main(*sys.argv[1:])
