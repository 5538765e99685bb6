"""What a contender's process does for the bench: answer its lines, or serve until it goes.

Contenders run in two environments, so this module needs the standard library only.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

__all__ = ["answer_lines", "announce", "end_with_parent", "listen", "run"]


def answer_lines(commands: Mapping[str, Callable[..., object]]) -> None:
    """Answer each line of the bench, ``command word word``, with one line of JSON.

    Says that it is ready first, and returns when the bench has gone.
    """
    announce("ready")
    for line in sys.stdin:
        name, *words = line.split()
        announce(commands[name](*words))


def announce(fact: object) -> None:
    """Tell the bench one thing, such as the port that a server listens on."""
    print(json.dumps(fact), flush=True)


def listen() -> socket.socket:
    """Return a socket that listens on a free port of the loopback, for thousands of clients.

    It names its protocol: only then does asyncio switch Nagle's algorithm off, as
    it does for the sockets that it opens itself.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    listener.setblocking(False)
    return listener


def end_with_parent(end: Callable[[], object] = lambda: os._exit(0)) -> None:
    """End this process when the bench goes, even if it was killed: its pipe tells."""

    def wait() -> None:
        while os.read(0, 4096):  # not sys.stdin, whose lock a fork would inherit
            pass
        end()

    threading.Thread(target=wait, daemon=True).start()


def run(loop: str, main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on the loop of this name, ``"asyncio"`` or ``"uvloop"``."""
    with asyncio.Runner(loop_factory=new_loop(loop)) as runner:
        runner.run(main)


def new_loop(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes loops of this name; both modules call it the same."""
    factory: Callable[[], asyncio.AbstractEventLoop] = import_module(name).new_event_loop
    return factory
