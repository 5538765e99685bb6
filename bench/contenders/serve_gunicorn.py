"""gunicorn with one worker: its class, its parser, what it serves, and on how many threads."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from gunicorn.app.base import BaseApplication

from bench.worker import announce, end_with_parent


class OneWorker(BaseApplication):
    """gunicorn, configured by a program instead of by a command line."""

    def __init__(self, application: str, settings: dict[str, Any]) -> None:
        self._application = application
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Set what is to differ from gunicorn's defaults."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application; called in the worker."""
        if self._application == "web":
            from bench.contenders import serve_web

            return serve_web.application("hello")
        from bench.contenders import hello

        return getattr(hello, self._application)


def main(worker: str, parser: str, application: str, threads: str, loop: str = "auto") -> None:
    """Serve until the bench ends."""
    settings = {
        "worker_class": worker,
        "http_parser": parser,
        "threads": int(threads),
        "asgi_loop": loop,
        "bind": "127.0.0.1:0",
        "keepalive": 75,
        "graceful_timeout": 1,
        "loglevel": "error",
        "control_socket_disable": True,
        "when_ready": lambda arbiter: announce(arbiter.LISTENERS[0].sock.getsockname()[1]),
    }
    OneWorker(application, settings).run()


if __name__ == "__main__":
    end_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
    main(*sys.argv[1:])
