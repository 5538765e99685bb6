"""Serve an application: as long as a block lasts, or as the whole program."""

from __future__ import annotations

import asyncio
import builtins
import logging
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import Any, Unpack

from aiohttp.protocol import Application, Listener, Tls, access_logger
from aiohttp.protocol.abc import AbstractAccessLogger

from .accesslog import AccessLogger
from .greeting import greeting, has_colors
from .options import RunnerOptions
from .places import Places, SocketPath
from .runner import AppRunner, GracefulExit
from .sites import BACKLOG, TCPSite
from .stopping import Stopping

__all__ = ["run_app", "run_program", "serve", "serve_until_stopped"]


@asynccontextmanager
async def serve(
    application: Application,
    host: str | None = "127.0.0.1",
    port: int = 0,
    *,
    ssl_context: Tls = None,
    **options: Unpack[RunnerOptions],
) -> AsyncGenerator[Listener]:
    """Serve an application as long as the block lasts, then drain.

    ``host`` None means all addresses of this machine; port 0 finds a free one: look
    into ``listener.addresses``. What still runs after ``shutdown_timeout`` seconds (25)
    is cut. This and other options: see ``RunnerOptions``.

    Raises:
        OSError: if the host is unknown, or the port is in use; the message says which.
    """
    runner = AppRunner(application, **options)
    await runner.setup()
    try:
        await TCPSite(runner, host, port, ssl_context=ssl_context).start()
        yield runner.listener
    finally:
        await runner.cleanup()


def run_app(
    app: Application | Awaitable[Application],
    *,
    host: str | Iterable[str] | None = None,
    port: int | None = None,
    path: SocketPath | Iterable[SocketPath] | None = None,
    sock: socket.socket | Iterable[socket.socket] | None = None,
    shutdown_timeout: float = 25.0,
    keepalive_timeout: float | None = None,
    ssl_context: Tls = None,
    print: Callable[..., object] | None = print,
    backlog: int = BACKLOG,
    access_log_class: type[AbstractAccessLogger] = AccessLogger,
    access_log_format: str = AccessLogger.LOG_FORMAT,
    access_log: logging.Logger | None = access_logger,
    handle_signals: bool = True,
    reuse_address: bool | None = None,
    reuse_port: bool | None = None,
    handler_cancellation: bool = False,
    loop: asyncio.AbstractEventLoop | None = None,
    **kwargs: Any,
) -> None:
    """Serve an application until SIGINT or SIGTERM, then stop in order and return.

    Stopping takes ``shutdown_timeout`` seconds at most, and what the application's
    ``on_cleanup`` takes. A second SIGINT cuts what runs at once, and a third ends the
    program where it stands. SIGHUP loads ``Certificates`` again. A handler that
    raises ``GracefulExit`` stops the program as a signal does.

    Args:
        app: a ``web.Application``, any other ``aiohttp.protocol.Application``, or an
            awaitable of one, which is awaited in the event loop that serves it.
        host: one or several; None means all addresses of this machine.
        port: 0 finds a free one; None means 8080, or 8443 with TLS.
        path: of a unix socket, or several. Then there is no TCP, unless host or port
            is given as well.
        sock: bound already, or several; as ``path``.
        ssl_context: serves TLS: a context, or what returns the one for the next
            connection, such as ``Certificates("cert.pem", "key.pem")``.
        print: called with lines for people; None for silence.
        backlog: how many connections may wait to be accepted.
        handle_signals: whether SIGINT and SIGTERM stop it as told.
        reuse_address: SO_REUSEADDR; None: where it is safe.
        reuse_port: SO_REUSEPORT: other processes may listen on this port as well.
        loop: instead of a new one; closed at the end.
        shutdown_timeout: seconds until what still runs is cut.
        keepalive_timeout: seconds between two requests of a connection; None: 75.
        access_log: where requests are logged, at INFO; None: nowhere. In asyncio's debug
            mode the default logger writes to stderr without being configured.
        access_log_class: makes the access logger, of ``access_log`` and the format.
        access_log_format: of a line; see ``AccessLogger``.
        handler_cancellation: whether a handler is cancelled when its client goes away.
        kwargs: see ``RunnerOptions``.

    Raises:
        OSError: if the host is unknown, or the port is in use; the message says which.
        RuntimeError: if an event loop runs here already.
        TypeError: if an option isn't one; the message says which.
    """
    _require_no_loop()
    options: dict[str, Any] = {
        "access_log": access_log,
        "access_log_class": access_log_class,
        "access_log_format": access_log_format,
        "handler_cancellation": handler_cancellation,
        "keepalive_timeout": keepalive_timeout,
        "shutdown_timeout": shutdown_timeout,
    }
    places = Places(
        host=host,
        port=port,
        path=path,
        sock=sock,
        ssl_context=ssl_context,
        backlog=backlog,
        reuse_address=reuse_address,
        reuse_port=reuse_port,
    )
    say = _speaker(print)
    has_color = print is builtins.print and has_colors(sys.stdout)
    stopping = Stopping(handle_signals=handle_signals, say=say)
    main = serve_until_stopped(
        app,
        places,
        stopping,
        on_ready=lambda names: say(greeting(names, colors=has_color)),
        **{**kwargs, **options},
    )
    run_program(main, stopping, loop=loop)


def _require_no_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "run_app() runs an event loop of its own, and here runs one already: "
        "use 'async with web.serve(app)', or AppRunner and TCPSite"
    )


async def serve_until_stopped(
    app: Application | Awaitable[Application],
    places: Places,
    stopping: Stopping,
    *,
    on_ready: Callable[[list[str]], object] | None = None,
    **options: Unpack[RunnerOptions],
) -> None:
    """Serve an application at these places until its end is wished for, then stop in order.

    ``on_ready`` is called with the names of the sites when all of them listen.

    Raises:
        OSError: if a place can't be had; the message says which.
    """
    with stopping.heard(places.ssl_context):
        if asyncio.get_running_loop().get_debug():
            _show_in_terminal(options.get("access_log"))
        application = await app if isawaitable(app) else app
        runner = AppRunner(application, **options)
        async with stopping.ends(runner):
            await runner.setup()
            sites = list(places.sites(runner))
            for site in sites:
                await site.start()
            if on_ready is not None:
                on_ready([site.name for site in sites])
            await stopping.wait()


def run_program(
    main: Coroutine[Any, Any, None],
    stopping: Stopping,
    *,
    loop: asyncio.AbstractEventLoop | None = None,
) -> None:
    """Run ``main`` to its end in a new event loop, or in ``loop``, which is closed then.

    Whatever ends a loop, such as KeyboardInterrupt, or SystemExit in a handler, makes
    ``main`` stop in order first. An exit code other than that of ``GracefulExit`` is
    handed on.
    """
    factory = None if loop is None else lambda: loop
    with asyncio.Runner(loop_factory=factory) as runner:
        running = runner.get_loop()
        if running.get_exception_handler() is None:
            running.set_exception_handler(_report)
        task = running.create_task(main)
        exits: list[SystemExit] = []
        while not task.done():
            try:
                running.run_until_complete(task)
            except (KeyboardInterrupt, SystemExit) as exc:
                if isinstance(exc, SystemExit) and not isinstance(exc, GracefulExit):
                    exits.append(exc)
                elif stopping.is_cut:
                    raise
                stopping.interrupt()
    if exits:
        raise exits[0]


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody retrieved, but for what ended the loop: that has been seen."""
    if not isinstance(context.get("exception"), (KeyboardInterrupt, SystemExit)):
        loop.default_exception_handler(context)


def _speaker(print: Callable[..., object] | None) -> Callable[[str], None]:
    def say(text: str) -> None:
        if print is not None:
            print(text)
            sys.stdout.flush()  # through a pipe, too, it is wanted now

    return say


def _show_in_terminal(log: logging.Logger | None) -> None:
    """Have an access log that nobody configured written to stderr, as in debug mode is expected."""
    if log is None or log is not access_logger:
        return
    if log.level == logging.NOTSET:
        log.setLevel(logging.DEBUG)
    if not log.hasHandlers():
        log.addHandler(logging.StreamHandler())
