"""``python -m aiohttp.server module:app``: serve an application from the command line.

One process serves, or several: then this one looks after them, see ``workers``, and
each of them comes here again, with ``--lifeline``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiohttp.protocol import open_unix

from .accesslog import AccessLogger, JsonAccessLogger
from .arguments import for_worker, limits_of, parse_arguments
from .certificates import Certificates
from .greeting import greeting, has_colors
from .places import Places
from .reload import ChangedFiles, Watcher, files_of_error, files_of_modules
from .serving import run_program, serve_until_stopped
from .sites import BACKLOG
from .stopping import Stopping
from .target import TargetError, load
from .workers import RESTART, Lifeline, Supervisor

__all__ = ["main"]

_DESCRIPTORS: Final = 1_048_576
_PROGRAM: Final = "python -m aiohttp.server"


def main(arguments: Sequence[str] | None = None, program: str = _PROGRAM) -> int:
    """Serve what the arguments say until a signal ends it; return the exit status.

    0: it ended in order. 1: it could not serve. 2: the arguments are wrong. 130: CTRL+C
    was pressed until it ended at once.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = parse_arguments(arguments, program)
    is_worker = options.lifeline is not None
    try:
        if is_worker:
            return _serve_as_worker(options)
        if options.reload or options.workers > 1:
            return _supervise(options, arguments)
        _serve(options, partial(print, flush=True))  # through a pipe, too, it is wanted now
    except TargetError as exc:
        _complain(program, exc)
        return 2
    except _CanNotServe as exc:
        _complain(program, exc)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


class _CanNotServe(Exception):
    """Why the places that are asked for can't be had."""


def _complain(program: str, exc: Exception) -> None:
    sys.stderr.write(f"{program}: error: {exc}\n")


# One process.


def _serve(
    options: argparse.Namespace,
    say: Callable[[str], object],
    *,
    reuse_port: bool = False,
    on_load: Callable[[], object] = lambda: None,
) -> None:
    """Serve until a signal comes.

    Raises:
        TargetError: if there is nothing to serve.
        _CanNotServe: if a port is in use, or a certificate is bad.
    """
    _allow_descriptors()
    places = _places(options, reuse_port=reuse_port)
    app = load(options.target, options.rest)
    on_load()
    _log_to_streams()
    stopping = Stopping(say=say)
    main = serve_until_stopped(
        app,
        places,
        stopping,
        on_ready=lambda names: say(greeting(names, colors=has_colors(sys.stdout))),
        limits=limits_of(options),
        shutdown_timeout=options.shutdown_timeout,
        trusted_proxies=options.trusted_proxies,
        proxy_protocol=options.proxy_protocol,
        **_access_log(options.access_log),
    )
    with _places_explained():
        run_program(main, stopping)


def _allow_descriptors() -> None:
    """Let this process have as many open files as it may.

    Each connection is one, and a file on its way to a client one or two more. The usual
    bound of 1,024, which a process may raise by itself, is there for programs that use
    select(); ``limits.connections`` is 10,000.
    """
    try:
        import resource
    except ImportError:  # Windows has no such bound
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, _DESCRIPTORS) if hard != resource.RLIM_INFINITY else _DESCRIPTORS
    if soft < wanted:
        with suppress(OSError, ValueError):  # some systems have a bound that they don't tell
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _places(options: argparse.Namespace, *, reuse_port: bool) -> Places:
    tls = _certificates(options)
    if options.fd is not None:
        return Places(sock=socket.socket(fileno=options.fd), ssl_context=tls)
    return Places(
        host=options.host,
        port=options.port if options.found_port is None else options.found_port,
        path=options.unix,
        ssl_context=tls,
        reuse_port=reuse_port,
    )


@contextmanager
def _places_explained() -> Generator[None]:
    """Tell an address that can't be had from other errors, whose tracebacks are wanted."""
    try:
        yield
    except OSError as exc:
        if "can't listen" not in str(exc):
            raise
        raise _CanNotServe(exc.strerror) from exc


def _certificates(options: argparse.Namespace) -> Certificates | None:
    if options.certfile is None:
        return None
    try:
        return Certificates(options.certfile, options.keyfile)
    except OSError as exc:
        raise _CanNotServe(str(exc)) from exc


def _access_log(form: str | None) -> dict[str, Any]:
    """Return the options of ``run_app`` for an access log of this form; None is none."""
    if form is None:
        return {"access_log": None}
    logger = logging.getLogger("aiohttp.access")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers = [handler]
    if form == "json":
        return {
            "access_log_class": JsonAccessLogger,
            "access_log_format": JsonAccessLogger.LOG_FORMAT,
        }
    return {"access_log_format": AccessLogger.LOG_FORMAT if form == "common" else form}


def _log_to_streams() -> None:
    """Show what is logged, from warnings on, unless the program has said what it wants."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)


# Several processes.


def _supervise(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Look after workers until a signal comes; return their exit status.

    Raises:
        _CanNotServe: if a place can't be had: found out before the first worker starts.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise _CanNotServe("--workers and --reload need SO_REUSEPORT, which this system lacks")
    tls = _certificates(options)
    with _reservation(options) as reserved:
        place = (
            {"found_port": reserved.getsockname()[1]}
            if options.unix is None
            else {"fd": reserved.fileno()}
        )
        python = [*_interpreter_options(), "-m", "aiohttp.server"]
        supervisor = Supervisor(
            lambda lifeline: [*python, *for_worker(arguments, lifeline=lifeline, **place)],
            options.workers,
            descriptors=[] if options.unix is None else [reserved.fileno()],
            # Without certificates it is left alone: a terminal that is closed ends its programs.
            passed_on=[] if tls is None else [signal.SIGHUP],
            shutdown_timeout=options.shutdown_timeout,
            log=lambda line: sys.stderr.write(f"{line}\n"),
            on_ready=lambda word: _greet(word, options),
        )
        return asyncio.run(supervisor.run())


def _interpreter_options() -> list[str]:
    """Return what Python itself was told, such as ``-X dev``, if it was asked for a module."""
    told = sys.orig_argv[1:]
    return told[: told.index("-m")] if "-m" in told else []


def _greet(word: str, options: argparse.Namespace) -> None:
    extra = "reloading on changes" if options.reload else f"{options.workers} workers"
    print(f"{word}\n({extra})", flush=True)  # noqa: T201 - it is a program


@contextmanager
def _reservation(options: argparse.Namespace) -> Generator[socket.socket]:
    """Hold the place where the workers are going to listen.

    A unix socket listens already, and is inherited. A TCP port is bound only, so that
    it stays ours while the workers come and go.
    """
    if options.unix is not None:
        with _unix_socket(Path(options.unix)) as sock:
            yield sock
        return
    port = options.port
    if port is None:
        port = 8080 if options.certfile is None else 8443
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            options.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as exc:
        raise _CanNotServe(f"can't listen on {options.host}: {exc.strerror}") from exc
    with socket.socket(family, kind, proto) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            _check_unshared(address, family)
            sock.bind(address)
        except OSError as exc:
            raise _CanNotServe(f"can't listen on {address[0]} port {port}: {exc.strerror}") from exc
        yield sock


def _check_unshared(address: Any, family: int) -> None:
    """Raise OSError if somebody is there, though it be one who would share the port.

    That would most often be the same program, forgotten in another terminal, which
    would get every other request.
    """
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


@contextmanager
def _unix_socket(path: Path) -> Generator[socket.socket]:
    try:
        door = open_unix(path, None, BACKLOG)
    except OSError as exc:
        raise _CanNotServe(exc.strerror) from exc
    try:
        yield door.sock
    finally:
        door.close()


# One worker of them.


def _serve_as_worker(options: argparse.Namespace) -> int:
    """Serve as one of several processes; return the exit status for the parent."""
    lifeline = Lifeline(options.lifeline)
    lifeline.stop_with_parent(options.shutdown_timeout)
    if options.reload:
        return _serve_until_changed(options, lifeline.say)
    _serve(options, lifeline.say, reuse_port=True)
    return 0


def _serve_until_changed(options: argparse.Namespace, say: Callable[[str], object]) -> int:
    """Serve until a signal comes, or a module has changed on disk.

    A module that can't be imported isn't the end: it will be changed.
    """
    has_changed = threading.Event()

    def stop(path: Path) -> None:
        sys.stderr.write(f"{path} has changed: starting anew\n")
        has_changed.set()
        os.kill(os.getpid(), signal.SIGTERM)

    def end(*_: object) -> None:
        sys.exit(RESTART if has_changed.is_set() else 0)

    def look() -> None:
        files.also(files_of_modules())  # as they are now, not at the watcher's next look

    def announce(word: str) -> None:
        look()
        say(word)

    signal.signal(signal.SIGTERM, end)  # as long as no event loop hears it
    files = ChangedFiles()
    watcher = Watcher(stop, changed=files)
    watcher.start()
    try:
        _serve(options, announce, reuse_port=True, on_load=look)
    except _CanNotServe:
        raise
    except Exception as exc:  # noqa: BLE001 - shown to the programmer, who will mend it
        if isinstance(exc, TargetError):
            _complain(_PROGRAM, exc)
        else:
            traceback.print_exc()
        files.also(files_of_modules() | files_of_error(exc))
        sys.stderr.write("waiting for a change …\n")
        watcher.wait()
    return RESTART if has_changed.is_set() else 0
