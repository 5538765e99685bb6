"""Options of serving: what ``run_app``, runners and ``web.Server`` take for their connections."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypedDict

from aiohttp.protocol import DEFAULT_LIMITS, Exchange, Limits, access_logger
from aiohttp.protocol.abc import AbstractAccessLogger

if TYPE_CHECKING:
    from aiohttp.protocol import TrustedProxies

__all__ = ["ConnectionOptions", "RunnerOptions", "listener_options"]

_LIMITS: Final = {
    "keepalive_timeout": "keep_alive",
    "lingering_time": "linger",
    "max_field_size": "field_line",
    "max_headers": "fields",
    "max_line_size": "line",
    "read_bufsize": "read_buffer",
}
"""Options that are one limit each, and its name among ``Limits``."""

_WITHOUT_MEANING: Final = {
    "auto_decompress": "bodies of requests are decoded, within limits.decoded and limits.ratio",
    "debug": "give it to web.Application",
    "logger": "give it to web.Application; connections log to 'aiohttp.server'",
    "timeout_ceil_threshold": "deadlines need no rounding here",
}
"""Options of aiohttp 3 that would do nothing here, and what to do instead."""


class ConnectionOptions(TypedDict, total=False):
    """What concerns connections, with its defaults.

    Attributes:
        access_log: where requests are logged, at INFO: the logger ``aiohttp.access``.
            None: nowhere. It costs nothing as long as that level is off.
        access_log_class: makes the access logger, of ``access_log`` and its format.
        access_log_format: of a line; see ``AccessLogger``.
        handler_cancellation: whether a handler is cancelled when its client goes away
            (no).
        limits: bounds of everything that a client controls.
        keepalive_timeout, lingering_time, max_field_size, max_headers, max_line_size,
            read_bufsize: one of these limits each: ``keep_alive``, ``linger``,
            ``field_line``, ``fields``, ``line``, ``read_buffer``. None: as ``limits``
            says.
        allowed_methods: if not empty, any other method is answered 405.
        on_exchange: called with each exchange when its response is over.
        proxy_protocol: networks such as ``["10.0.0.0/8"]`` whose connections begin
            with a PROXY line, which is believed; see ``Listener``.
        server: the value of the Server field; none is sent if it is empty, as it is.
        tcp_keepalive: whether the kernel probes silent clients (yes).
        trusted_proxies: networks of proxies whose word is taken for a client's address,
            scheme and host.
        loop: ignored, for programs of long ago.
    """

    access_log: logging.Logger | None
    access_log_class: type[AbstractAccessLogger]
    access_log_format: str
    allowed_methods: Collection[str]
    handler_cancellation: bool
    keepalive_timeout: float | None
    limits: Limits | None
    lingering_time: float | None
    loop: object
    max_field_size: int | None
    max_headers: int | None
    max_line_size: int | None
    on_exchange: Callable[[Exchange], object] | None
    proxy_protocol: TrustedProxies | Iterable[str] | None
    read_bufsize: int | None
    server: str
    tcp_keepalive: bool
    trusted_proxies: TrustedProxies | Iterable[str] | None


class RunnerOptions(ConnectionOptions, total=False):
    """What concerns a runner's end as well.

    Attributes:
        shutdown_timeout: seconds from the beginning of the end until what still runs
            is cut (25: Kubernetes kills after 30).
        shutdown_delay: of these, seconds in which connections are still accepted, and
            whoever asks for readiness hears 503 (0).
    """

    shutdown_timeout: float
    shutdown_delay: float


def listener_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a ``Listener`` that these ``ConnectionOptions`` stand for.

    Raises:
        TypeError: which names the option that isn't one.
        ValueError: if a limit is none.
    """
    _check_names(given)
    found: dict[str, Any] = {"limits": _limits(given)}
    for name in ("allowed_methods", "on_exchange", "server", "tcp_keepalive"):
        if name in given:
            found[name] = given[name]
    for name in ("trusted_proxies", "proxy_protocol"):
        if (trusted := given.get(name)) is not None:
            found[name] = _trusted(trusted)
    if observers := _access_log(given):
        found["observers"] = observers
    return found


def _check_names(given: Mapping[str, Any]) -> None:
    known = ConnectionOptions.__annotations__
    for name in given:
        if name in _WITHOUT_MEANING:
            raise TypeError(f"{name} is no option here: {_WITHOUT_MEANING[name]}")
        if name not in known:
            from difflib import get_close_matches

            close = get_close_matches(name, [*known, *RunnerOptions.__annotations__], 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known))}"
            raise TypeError(f"{name!r} is no option of a connection: {hint}")


def _limits(given: Mapping[str, Any]) -> Limits:
    limits: Limits = given.get("limits") or DEFAULT_LIMITS
    changed = {limit: given[name] for name, limit in _LIMITS.items() if given.get(name) is not None}
    return replace(limits, **changed) if changed else limits


def _trusted(networks: TrustedProxies | Iterable[str]) -> TrustedProxies:
    from aiohttp.protocol import TrustedProxies

    if isinstance(networks, TrustedProxies):
        return networks
    if isinstance(networks, str):
        raise TypeError(f"expected networks such as ['10.0.0.0/8'], got {networks!r}")
    return TrustedProxies(networks)


def _access_log(given: Mapping[str, Any]) -> tuple[Callable[[Exchange], object], ...]:
    """Return what writes the access log, if anything does.

    One that is off when the server starts stays off, and costs nothing.
    """
    from .accesslog import AccessLogger, exchange_log

    log = given.get("access_log", access_logger)
    if log is None:
        return ()
    make = given.get("access_log_class", AccessLogger)
    access = make(log, given.get("access_log_format", AccessLogger.LOG_FORMAT))
    return (exchange_log(access),) if getattr(access, "enabled", True) else ()
