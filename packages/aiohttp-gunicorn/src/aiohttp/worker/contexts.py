"""TLS contexts, as gunicorn's settings and its hook ``ssl_context`` have them."""

from __future__ import annotations

import ssl
from typing import Any

from gunicorn.sock import ssl_context

from .boot import BootError

__all__ = ["tls_context"]

USED = ("certfile", "keyfile", "ca_certs", "ciphers")
"""The settings that can be at fault."""


def tls_context(cfg: Any) -> ssl.SSLContext | None:
    """Return the context for all listeners, or None for plain HTTP.

    Raises:
        BootError: if they can't be used, or the hook returns something else.
    """
    if not cfg.is_ssl:
        return None
    try:
        context = ssl_context(cfg)
    except OSError as exc:  # ssl.SSLError is one, and most don't tell which file it was
        used = ", ".join(f"{name} {cfg.settings[name].get()!r}" for name in USED)
        raise BootError(f"TLS can't be set up by {used}: {exc}") from exc
    except Exception as exc:
        raise BootError.by(exc, "the hook ssl_context failed") from exc
    if not isinstance(context, ssl.SSLContext):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise BootError(f"expected the hook ssl_context to return an SSLContext, got {context!r}")
    # Whatever http_protocols says: a client that was promised h2 would speak it.
    context.set_alpn_protocols(["http/1.1"])
    return context
