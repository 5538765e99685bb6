"""What a request asks for, and below which path the application is that answers it."""

from __future__ import annotations

import os

__all__ = ["script_name", "split_target"]


def script_name() -> str:
    """Return where the application is mounted, by the process's environment.

    That is how gunicorn documents it: ``SCRIPT_NAME=/mount gunicorn …``.
    """
    return os.environ.get("SCRIPT_NAME", "").rstrip("/")


def split_target(target: str) -> tuple[str | None, str, str]:
    """Return authority, path and query of a request's target (RFC 9112, section 3.2).

    The authority is None unless the target is in absolute form: then it replaces Host.
    The asterisk form, for the server as a whole, has no path.
    """
    path, _, query = target.partition("?")
    if path.startswith("/"):
        return None, path, query
    _, scheme_end, rest = path.partition("://")
    if not scheme_end:
        return None, "", query
    authority, _, path = rest.partition("/")
    return authority, f"/{path}", query
