"""gunicorn's settings, as protocol understands them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp.protocol import DEFAULT_LIMITS, Limits

__all__ = ["limits_of"]

UNLIMITED_LINE = 1024 * 1024
"""What ``limit_request_line = 0`` and ``limit_request_field_size = 0`` mean, in bytes.

gunicorn documents 0 as unlimited; a line without any bound is an attack. It
stops at 1 MiB itself, where it has its fast parser.
"""

MOST_FIELDS = 32768
"""What gunicorn takes at most for ``limit_request_fields``, and for its 0."""


def limits_of(cfg: Any) -> Limits:
    """Return the limits of a connection by a configuration of gunicorn."""
    line = cfg.limit_request_line or UNLIMITED_LINE
    field_line = cfg.limit_request_field_size or UNLIMITED_LINE
    return replace(
        DEFAULT_LIMITS,
        line=line,
        field_line=field_line,
        fields=min(cfg.limit_request_fields or MOST_FIELDS, MOST_FIELDS),
        # A head may be longer than usual where one of its lines may.
        head=max(DEFAULT_LIMITS.head, line + field_line),
        keep_alive=float(cfg.keepalive),
        connections=cfg.worker_connections,
    )
