"""Serve an application on host and port: in a running loop, or as the whole program."""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp.protocol import Application, Limits, Listener

__all__ = ["run_app", "serve"]


@asynccontextmanager
async def serve(
    application: Application,
    host: str | None = "127.0.0.1",
    port: int = 0,
    *,
    ssl_context: ssl.SSLContext | None = None,
    limits: Limits | None = None,
    shutdown_timeout: float = 25.0,
) -> AsyncGenerator[Listener]:
    """Serve an application as long as the block lasts, then drain.

    ``host`` None means all addresses of this machine; port 0 finds a free one: look
    into ``listener.addresses``. What still runs after ``shutdown_timeout`` seconds is cut.

    Raises:
        OSError: if the host is unknown, or the port is in use; the message says which.
    """
    options: dict[str, Any] = {} if limits is None else {"limits": limits}
    async with Listener(application, drain_limit=shutdown_timeout, **options) as listener:
        await listener.listen_tcp(host, port, tls=ssl_context)
        yield listener


def run_app(
    app: Application,
    *,
    host: str | None = None,
    port: int | None = None,
    ssl_context: ssl.SSLContext | None = None,
    limits: Limits | None = None,
    shutdown_timeout: float = 25.0,
    print: Callable[..., object] | None = print,
) -> None:
    """Serve an application until SIGINT or SIGTERM, then drain and return.

    ``host`` None means all addresses of this machine. The port is 8080 by default,
    8443 with TLS. ``print`` is called with lines for people; None for silence.

    Raises:
        OSError: if the host is unknown, or the port is in use; the message says which.
    """
    if port is None:
        port = 8080 if ssl_context is None else 8443

    async def main() -> None:
        stop = asyncio.Event()
        _on_stop_signals(stop.set)
        async with serve(
            app,
            host,
            port,
            ssl_context=ssl_context,
            limits=limits,
            shutdown_timeout=shutdown_timeout,
        ) as listener:
            if print is not None:
                print(_welcome(listener, "http" if ssl_context is None else "https"))
                sys.stdout.flush()  # through a pipe, too, it is wanted now
            await stop.wait()

    asyncio.run(main())


def _on_stop_signals(stop: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
        else:
            loop.add_signal_handler(number, stop)


def _welcome(listener: Listener, scheme: str) -> str:
    """Return what a person wants to know: where to look, and how to stop it."""
    hosts = [f"[{a[0]}]" if ":" in a[0] else a[0] for a in listener.addresses]
    ports = [address[1] for address in listener.addresses]
    urls = [f"{scheme}://{host}:{port}" for host, port in zip(hosts, ports, strict=True)]
    return f"======== Serving on {', '.join(urls)} ========\n(Press CTRL+C to stop)"
