"""The arguments of ``python -m aiohttp.server``: what there is, and what each may be."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, Final

from aiohttp.protocol import DEFAULT_LIMITS, Limits, TrustedProxies

from .accesslog import AccessLogger

__all__ = ["for_worker", "limits_of", "parse_arguments"]

_UNITS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_ACCESS_LOG: Final = "common"
"""What ``--access-log`` alone means."""
_LIMITS: Final = {
    "line": "bytes of a request line",
    "field_line": "bytes of one field line",
    "fields": "field lines of a head",
    "head": "bytes of a whole head",
    "chunk_line": "bytes of a chunk-size line",
    "chunk_extensions": "bytes of all chunk extensions of a body",
    "trailers": "bytes of a trailer section",
    "body": "bytes of a body, or none",
    "decoded": "bytes of a body whose content coding is undone, or none",
    "ratio": "decoded to coded size of a body",
    "ratio_grace": "bytes up to which any ratio passes",
    "codings": "content codings on top of each other",
    "members": "gzip members or zstd frames of a body",
    "drain": "bytes of an unread body that are dropped to keep its connection",
    "read_buffer": "bytes of a body that wait to be read",
    "write_buffer": "bytes that wait to be sent",
    "pipeline": "bytes of requests that wait behind another one",
    "head_time": "until a head is complete",
    "body_time": "between two bytes of a body",
    "body_rate": "bytes a second of a body, on average; 0: no bound",
    "write_time": "in which a client must take something of its answer",
    "keep_alive": "between two requests of a connection; 0: one request each",
    "handshake_time": "for the TLS handshake",
    "linger": "in which a client may read a last answer",
    "requests": "requests of a connection",
    "connections": "open connections",
}
"""What each limit bounds, in a few words; ``Limits`` has more."""
_FROM_PARENT: Final = ("lifeline", "fd", "found_port")
"""What only a worker is told: where its parent is, and the place that is reserved."""


def parse_arguments(arguments: Sequence[str] | None, program: str) -> argparse.Namespace:
    """Return the options; ``rest`` is what follows ``module:app``, for a function that makes it."""
    parser = argparse.ArgumentParser(
        prog=program,
        usage="%(prog)s [options] module:app [arguments]",  # all options would fill a screen
        description="Serve an application until SIGINT or SIGTERM, then finish what runs.",
        epilog="Arguments behind module:app are handed to a function that makes the application.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "target",
        metavar="module:app",
        help="an application, such as a web.Application, or a function that makes one; "
        "without a colon its name is 'app'",
    )
    _add_places(parser)
    _add_running(parser)
    group = parser.add_argument_group("limits", "bounds of what clients may do; sizes as 64k, 10M")
    for each in fields(Limits):
        if each.init:
            _add_limit(group, each.name, str(each.type))
    for name in _FROM_PARENT:
        parser.add_argument(_option(name), type=int, help=argparse.SUPPRESS)
    options, rest = parser.parse_known_args(arguments)
    if unknown := [each for each in rest if each.startswith("--limit-")]:
        parser.error(f"there is no {unknown[0].partition('=')[0]}; see --help for the limits")
    _check(parser, options)
    options.rest = rest
    return options


def for_worker(arguments: Sequence[str], **given: int) -> list[str]:
    """Return a worker's arguments: its parent's, and behind no ``--`` what it is given itself."""
    own = [text for name in given for text in (_option(name), str(given[name]))]
    return [*own, *arguments]


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _add_places(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where")
    group.add_argument(
        "-H", "--host", "--hostname", help="address to listen on (default: all of this machine's)"
    )
    group.add_argument(
        "-P", "--port", type=_port, help="(default: 8080, with a certificate 8443; 0: a free one)"
    )
    group.add_argument("-U", "--unix", "--path", metavar="PATH", help="listen on a unix socket")
    group.add_argument("--certfile", metavar="FILE", help="serve TLS with this certificate (PEM)")
    group.add_argument("--keyfile", metavar="FILE", help="its key, if it is in another file")


def _add_running(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how")
    group.add_argument(
        "--workers", type=_count, default=1, metavar="N", help="processes (default: 1)"
    )
    group.add_argument(
        "--reload", action="store_true", help="start anew when a module has changed on disk"
    )
    group.add_argument(
        "--access-log",
        nargs="?",
        const=_ACCESS_LOG,
        type=_log_format,
        metavar="FORMAT",
        help="write a line for each request: 'common', 'json', or a format such as '%%a %%r %%s'",
    )
    group.add_argument(
        "--shutdown-timeout",
        type=_seconds,
        default=25.0,
        metavar="SECONDS",
        help="until what still runs after SIGTERM is cut (default: 25)",
    )
    group.add_argument(
        "--trusted-proxies",
        type=_networks,
        metavar="NETWORKS",
        help="whose Forwarded and X-Forwarded-… fields are believed, such as 10.0.0.0/8,::1",
    )
    group.add_argument(
        "--proxy-protocol",
        type=_networks,
        metavar="NETWORKS",
        help="whose connections begin with a PROXY header",
    )


def _add_limit(group: argparse._ArgumentGroup, name: str, annotation: str) -> None:
    default = getattr(DEFAULT_LIMITS, name)
    kind: Callable[[str], object] = _seconds if "float" in annotation else _size
    group.add_argument(
        _option(f"limit_{name}"),
        dest=f"limit_{name}",
        type=_or_none(kind) if "None" in annotation else kind,
        default=argparse.SUPPRESS,
        metavar="SECONDS" if "float" in annotation else "N",
        help=f"{_LIMITS[name]} (default: {_with_unit(default)})",
    )


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with an error if options contradict each other."""
    if options.unix is not None and (options.host is not None or options.port is not None):
        parser.error("--unix goes without --host and --port: one process listens in one place")
    if options.keyfile is not None and options.certfile is None:
        parser.error("--keyfile needs --certfile")
    if options.reload and options.workers > 1:
        parser.error("--reload goes with one worker")


def limits_of(options: argparse.Namespace) -> Limits:
    """Return the limits that are asked for."""
    given: dict[str, Any] = {
        name.removeprefix("limit_"): value
        for name, value in vars(options).items()
        if name.startswith("limit_")
    }
    return Limits(**given)


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port, 0 to 65535, got {text!r}")
    return number


def _count(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got {text!r}")
    return number


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not number >= 0:
        raise argparse.ArgumentTypeError(f"expected seconds, such as 2.5, got {text!r}")
    return number


def _size(text: str) -> int:
    digits = text.rstrip("kKmMgG")
    unit = _UNITS.get(text[len(digits) :].lower())
    if unit is None or not (digits.isascii() and digits.isdecimal()):
        raise argparse.ArgumentTypeError(
            f"expected a number, such as 500, 64k or 10M, got {text!r}"
        )
    return int(digits) * unit


def _with_unit(number: float) -> str:
    """Return a default as one would type it: 1G for a gibibyte."""
    for unit in ("g", "m", "k"):
        if number and not number % _UNITS[unit]:
            return f"{number // _UNITS[unit]:g}{unit.upper()}"
    return f"{number:g}"


def _or_none(kind: Callable[[str], object]) -> Callable[[str], object]:
    return lambda text: None if text.lower() == "none" else kind(text)


def _networks(text: str) -> list[str]:
    networks = [each.strip() for each in text.split(",") if each.strip()]
    try:
        TrustedProxies(networks)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc
    return networks


def _log_format(text: str) -> str:
    if text in {"common", "json"}:
        return text
    if "%" not in text:
        raise argparse.ArgumentTypeError(
            f"expected 'common', 'json' or a format such as '%a %r %s', got {text!r}"
        )
    try:
        AccessLogger(logging.getLogger("aiohttp.access"), text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc
    return text
