"""TLS contexts, as gunicorn's settings and its hook ``ssl_context`` have them."""

from __future__ import annotations

import ssl
from typing import Any

from gunicorn.sock import ssl_context

from .boot import BootError

__all__ = ["tls_context"]


def tls_context(cfg: Any) -> ssl.SSLContext | None:
    """Return the context for all listeners, or None for plain HTTP.

    Raises:
        BootError: if certificate and key can't be used.
    """
    if not cfg.is_ssl:
        return None
    try:
        context: ssl.SSLContext = ssl_context(cfg)
    except OSError as exc:  # ssl.SSLError is one
        raise BootError(
            f"certfile {cfg.certfile!r} and keyfile {cfg.keyfile!r} can't be used: {exc}"
        ) from exc
    # Whatever http_protocols says: a client that was promised h2 would speak it.
    context.set_alpn_protocols(["http/1.1"])
    return context
