"""gunicorn's settings, as protocol understands them, and ours beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import Field, fields, replace
from typing import Any

from aiohttp.protocol import DEFAULT_LIMITS, Limits, shown

from .boot import BootError

__all__ = ["PREFIX", "check", "limits_of"]

PREFIX = "AIOHTTP_LIMIT_"
"""Begins the environment variables that set limits, such as ``AIOHTTP_LIMIT_BODY=10485760``."""

UNLIMITED_LINE = 1024 * 1024
"""What ``limit_request_line = 0`` and ``limit_request_field_size = 0`` mean, in bytes.

gunicorn documents 0 as unlimited; a line without any bound is an attack. It
stops at 1 MiB itself, where it has its fast parser.
"""

MOST_FIELDS = 32768
"""What gunicorn takes at most for ``limit_request_fields``, and for its 0."""

SET_BY_GUNICORN = {
    "line": "limit_request_line",
    "field_line": "limit_request_field_size",
    "fields": "limit_request_fields",
    "keep_alive": "keepalive",
    "connections": "worker_connections",
}
"""Limits that have a setting of gunicorn, which alone sets them."""

WHOLE = re.compile(r"[0-9]{1,18}")
SECONDS = re.compile(r"[0-9]{1,18}(\.[0-9]{1,9})?")

NOT_FOLLOWED = {
    "http_protocols": "HTTP/1.1 is spoken, but not HTTP/2 or 3",
    "http2_cleartext": "HTTP/1.1 is spoken, but not HTTP/2",
    "casefold_http_method": "methods are taken as they come (RFC 9110, section 9.1)",
    "permit_obsolete_folding": "a head with folded lines is refused (RFC 9112, section 5.2)",
    "permit_unconventional_http_version": "only versions 1.x are spoken (RFC 9110, section 2.5)",
    "strip_header_spaces": "a space before a colon is refused (RFC 9112, section 5.1)",
}
"""Settings that ask for what this worker refuses, and what it does instead."""


def check(cfg: Any, log: Any) -> None:
    """Warn of settings that ask for what this worker doesn't do.

    Raises:
        BootError: if nobody could reach it so.
    """
    if cfg.protocol != "http":
        raise BootError(
            f"protocol is {cfg.protocol!r}, but this worker speaks 'http' only: have the proxy "
            "speak it (nginx: proxy_pass instead of uwsgi_pass)"
        )
    if cfg.worker_connections == 0:
        raise BootError("worker_connections is 0, so nobody would be served: expected 1 or more")
    for name, instead in NOT_FOLLOWED.items():
        setting = cfg.settings[name]
        if setting.get() != type(setting)().get():
            log.warning("%s = %r is not followed: %s", name, setting.get(), instead)


def limits_of(cfg: Any, environ: Mapping[str, str]) -> Limits:
    """Return the limits of a connection by a configuration of gunicorn, and by ``environ``.

    Its variables that begin with ``AIOHTTP_LIMIT_`` set those for which gunicorn has none.

    Raises:
        BootError: if a variable names no such limit, or its value is none.
    """
    line = cfg.limit_request_line or UNLIMITED_LINE
    field_line = cfg.limit_request_field_size or UNLIMITED_LINE
    limits = replace(
        DEFAULT_LIMITS,
        line=line,
        field_line=field_line,
        fields=min(cfg.limit_request_fields or MOST_FIELDS, MOST_FIELDS),
        # A head may be longer than usual where one of its lines may.
        head=max(DEFAULT_LIMITS.head, line + field_line),
        keep_alive=float(cfg.keepalive),
        connections=cfg.worker_connections,
    )
    return replace(limits, **_limits_told(environ))


def _limits_told(environ: Mapping[str, str]) -> dict[str, Any]:
    known = {each.name: each for each in fields(Limits) if each.init}
    told: dict[str, Any] = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name in SET_BY_GUNICORN:
            raise BootError(f"{variable}: use gunicorn's {SET_BY_GUNICORN[name]} instead")
        if name not in known:
            names = ", ".join(each.upper() for each in known if each not in SET_BY_GUNICORN)
            raise BootError(f"{variable}: expected one of {names} behind {PREFIX}")
        told[name] = _parse_limit(variable, text, known[name])
    return told


def _parse_limit(variable: str, text: str, limit: Field[Any]) -> float | None:
    """Return the value of a variable, whose kind is that of the limit's annotation."""
    kinds = str(limit.type).split(" | ")
    if text == "none" and "None" in kinds:
        return None
    convert, pattern, expected = (
        (float, SECONDS, "a number of seconds")
        if "float" in kinds
        else (int, WHOLE, "a whole number")
    )
    if pattern.fullmatch(text) is None:
        others = " or 'none'" if "None" in kinds else ""
        raise BootError(f"{variable}: expected {expected}{others}, got {shown(text)}")
    return convert(text)
