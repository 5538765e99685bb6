"""What a request's target names: an authority, a path with its query (RFC 9112, section 3.2)."""

from __future__ import annotations

from typing import Any

__all__ = ["authority_of", "local_authority", "path_of"]


def path_of(target: str) -> str:
    """Return the path of a target with its query, as it came.

    ``*``, and the authority that CONNECT names, stay as they are: no path looks like them.
    """
    if target[:1] == "/":
        return target
    scheme, separator, rest = target.partition("://")
    if not separator or not scheme.isalpha():
        return target
    path = rest[len(_authority(rest)) :]
    return path if path[:1] == "/" else f"/{path}"  # section 3.2.2: http://host is http://host/


def authority_of(target: str) -> str | None:
    """Return the host and port that a target itself names, which Host can't overrule.

    That is so for a proxy's absolute form and for CONNECT (sections 3.2.2 and 3.2.3).
    """
    if target[:1] in {"/", "*"}:
        return None
    rest = target.partition("://")[2]
    return _authority(rest) if rest else target


def _authority(rest: str) -> str:
    return rest.partition("/")[0].partition("?")[0]


def local_authority(sockname: Any) -> str:
    """Return our own address as host and port, for requests that name none."""
    if not sockname or isinstance(sockname, (str, bytes)):
        return "localhost"  # a unix socket
    host, port = sockname[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
