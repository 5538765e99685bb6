"""What an ASGI application is told about a request: its *connection scope* (HTTP, version 2.5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote

from aiohttp.protocol import Exchange

from .environ import split_target
from .fields import DROP_AMBIGUOUS, FieldRule
from .messages import Scope
from .tls_scope import tls_extension

__all__ = ["DEBUG", "EXTENSIONS", "SPEC_VERSION", "VERSION", "Scopes"]

VERSION: Final = "3.0"
SPEC_VERSION: Final = "2.5"

EXTENSIONS: Final = (
    "http.response.early_hint",
    "http.response.pathsend",
    "http.response.trailers",
    "http.response.zerocopysend",
)
"""What every response may use."""

DEBUG: Final = "http.response.debug"
"""Offered on request only: its specification says that it isn't for production."""


class Scopes:
    """Makes the scopes of one application.

    Args:
        root_path: where it is mounted, as SCRIPT_NAME in WSGI.
        fields: sifts the fields of requests, and knows whose word on SCRIPT_NAME counts.
        extensions: the names of those that are offered.
    """

    def __init__(
        self,
        *,
        root_path: str = "",
        fields: FieldRule = DROP_AMBIGUOUS,
        extensions: Iterable[str] = EXTENSIONS,
    ) -> None:
        self._root_path = root_path.rstrip("/")
        self._fields = fields
        self._extensions = tuple(extensions)

    def make(self, exchange: Exchange) -> Scope:
        """Return the scope of one request, which is the application's to change.

        Names of fields are in lower case; an absolute target replaces Host (RFC 9112,
        section 3.2.2).
        """
        head = exchange.head
        authority, raw_path, query = split_target(head.target)
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in self._fields.kept(exchange)
        ]
        if authority is not None:
            host = (b"host", authority.encode("latin-1"))
            headers = [host, *(field for field in headers if field[0] != b"host")]
        mount = self._fields.told(exchange, "SCRIPT_NAME")
        root_path = self._root_path if mount is None else mount.rstrip("/")
        scheme = exchange.scheme
        extensions: dict[str, Any] = {name: {} for name in self._extensions}
        if scheme == "https" and (facts := tls_extension(exchange)) is not None:
            extensions["tls"] = facts
        return {
            "type": "http",
            "asgi": {"version": VERSION, "spec_version": SPEC_VERSION},
            "http_version": f"{head.version.major}.{head.version.minor}",
            "method": head.method,
            "scheme": scheme,
            "path": _path(raw_path, root_path),
            "raw_path": (raw_path or "*").encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "root_path": root_path,
            "headers": headers,
            "client": _client(exchange.peername),
            "server": _server(exchange.sockname),
            "extensions": extensions,
        }


def _path(raw_path: str, root_path: str) -> str:
    """Return the path decoded, and below ``root_path``; ``*`` for the server as a whole.

    One that isn't below it was cut by a proxy: frameworks expect it whole. Octets
    that are no UTF-8 become U+FFFD. Surrogates would tell them apart, but no
    framework could log them or put them into a response, so that anybody could
    cause errors; ``raw_path`` has them.
    """
    if not raw_path:
        return "*"
    path = unquote(raw_path) if "%" in raw_path else raw_path
    if not root_path or path == root_path or path.startswith(f"{root_path}/"):
        return path
    return root_path + path


def _client(name: Any) -> tuple[str, int] | None:
    """Return host and port; None for a unix socket, or a client that was gone at once."""
    return None if not name or isinstance(name, (str, bytes)) else (name[0], name[1])


def _server(name: Any) -> tuple[str, int | None] | None:
    """Return host and port, or the path of a unix socket and no port."""
    if not name:
        return None
    if isinstance(name, bytes):  # in Linux's abstract namespace
        name = name.decode(errors="surrogateescape")
    return (name, None) if isinstance(name, str) else (name[0], name[1])
