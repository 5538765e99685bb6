"""What a WSGI application is told about a request: PEP 3333's ``environ``."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import IO, Any, TypeAlias
from urllib.parse import unquote_to_bytes

from aiohttp.protocol import Exchange, RemoteProtocolError, split_authority

__all__ = ["Environ", "ErrorLog", "FileWrapper", "OutsideMount", "base_environ", "make_environ"]

Environ: TypeAlias = dict[str, Any]

DEFAULT_PORTS = {"http": "80", "https": "443"}

MEMORABLE = 64
"""Characters of a field name whose key is remembered; clients could fill the memory with longer."""


class OutsideMount(RemoteProtocolError):
    """The path is not below SCRIPT_NAME, so no application is there.

    Attributes:
        path: as it came, still percent-encoded.
        script_name: where the application is mounted.
    """

    status = 404

    def __init__(self, path: str, script_name: str) -> None:
        super().__init__(f"the application is mounted at {script_name!r}, not at {path!r}")
        self.path = path
        self.script_name = script_name


class ErrorLog(io.TextIOBase):
    """``wsgi.errors``: every line that an application writes becomes a record of a log."""

    def __init__(self, log: Callable[[str, str], None]) -> None:
        self._log = log

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str, /) -> int:
        """Log the lines of ``text``; empty ones make no record."""
        for line in text.splitlines():
            if line.strip():
                self._log("%s", line)
        return len(text)


class FileWrapper:
    """``wsgi.file_wrapper``: the file's content in blocks; ``close()`` closes the file.

    An application that returns one, around a file on disk and unread by itself,
    has the file sent by the connection, without passing through Python where
    the platform can.
    """

    def __init__(self, file: IO[bytes], block_size: int = 64 * 1024) -> None:
        self.file = file
        self.block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        while block := self.file.read(self.block_size):
            yield block

    def close(self) -> None:
        """Close the file, if it can be closed."""
        close = getattr(self.file, "close", None)
        if close is not None:
            close()


def base_environ(
    *, errors: ErrorLog, server_software: str, is_multithread: bool, is_multiprocess: bool
) -> Environ:
    """Return what is the same for every request of a process.

    SCRIPT_NAME, the place where the application is mounted, comes from the
    process's environment, as gunicorn documents it.
    """
    return {
        "wsgi.version": (1, 0),
        "wsgi.errors": errors,
        "wsgi.multithread": is_multithread,
        "wsgi.multiprocess": is_multiprocess,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        # The input ends where the body ends, also when CONTENT_LENGTH is missing.
        "wsgi.input_terminated": True,
        "SERVER_SOFTWARE": server_software,
        "SCRIPT_NAME": os.environ.get("SCRIPT_NAME", "").rstrip("/"),
    }


def make_environ(exchange: Exchange, base: Mapping[str, Any]) -> Environ:
    """Return the environ of one request, but for ``wsgi.input``.

    Text is native strings that carry bytes as latin-1 (PEP 3333, "Unicode Issues").

    Raises:
        OutsideMount: if the path isn't below SCRIPT_NAME; a server answers 404.
    """
    head = exchange.head
    target = head.target
    environ = dict(base)
    environ["REQUEST_METHOD"] = head.method
    environ["RAW_URI"] = target
    environ["SERVER_PROTOCOL"] = f"HTTP/{head.version.major}.{head.version.minor}"
    environ["wsgi.url_scheme"] = exchange.scheme
    path, _, environ["QUERY_STRING"] = target.partition("?")
    _add_fields(environ, head.headers.items())
    if not path.startswith("/"):
        path = _add_authority(environ, path)
    environ["PATH_INFO"] = _path_info(path, environ["SCRIPT_NAME"])
    _add_addresses(environ, exchange)
    return environ


def _environ_key(name: str) -> str | None:
    """Return the key of a field, or None for a field that must not get in.

    A name with an underscore would be taken for the one with a hyphen, which a
    proxy may have checked (RFC 9110, section 17.10). ``Proxy`` has no meaning, and
    as HTTP_PROXY it has redirected the requests of CGI scripts (CVE-2016-5385).
    """
    if "_" in name:
        return None
    key = name.upper().replace("-", "_")
    if key in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
        return key
    return None if key == "PROXY" else "HTTP_" + key


_remembered_key = lru_cache(maxsize=1024)(_environ_key)


def _add_fields(environ: Environ, fields: Any) -> None:
    """Add the fields; those of one name are joined (RFC 9110, section 5.3; cookies: RFC 6265)."""
    repeated: dict[str, list[str]] = {}
    for name, value in fields:
        key = _remembered_key(name) if len(name) <= MEMORABLE else _environ_key(name)
        if key is None:
            continue
        if key in environ:
            # Joined once, at the end: joining one by one is quadratic.
            repeated.setdefault(key, [environ[key]]).append(value)
        else:
            environ[key] = value
    for key, values in repeated.items():
        environ[key] = ("; " if key == "HTTP_COOKIE" else ",").join(values)


def _add_authority(environ: Environ, path: str) -> str:
    """Return the path of a target in absolute form, whose host replaces Host.

    RFC 9112, section 3.2.2. The asterisk form, for the server as a whole, has
    no path (section 3.2.4).
    """
    _, scheme_end, rest = path.partition("://")
    if not scheme_end:
        return ""
    authority, _, path = rest.partition("/")
    environ["HTTP_HOST"] = authority
    return "/" + path


def _path_info(path: str, script_name: str) -> str:
    """Return the path below SCRIPT_NAME, with its percent-encoding undone."""
    decoded = path
    if "%" in path:
        decoded = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
    if not script_name:
        return decoded
    rest = decoded.removeprefix(script_name)
    if rest == decoded or rest[:1] not in {"", "/"}:
        raise OutsideMount(path, script_name)
    return rest


def _add_addresses(environ: Environ, exchange: Exchange) -> None:
    """Add who asks and who is asked; a unix socket has no address, there Host tells our name."""
    peer, ours = _address(exchange.peername), _address(exchange.sockname)
    if peer is None:
        environ["REMOTE_ADDR"] = ""
    else:
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = peer
    if ours is None:
        host, port = split_authority(environ.get("HTTP_HOST", "")) or ("", "")
        environ["SERVER_NAME"] = host or "localhost"
        environ["SERVER_PORT"] = port or DEFAULT_PORTS[exchange.scheme]
    else:
        host, environ["SERVER_PORT"] = ours
        # IPv6 stands in brackets, as in a URL (RFC 3875, section 4.1.14).
        environ["SERVER_NAME"] = f"[{host}]" if ":" in host else host


def _address(name: Any) -> tuple[str, str] | None:
    """Return host and port; None for a unix socket, or a client that was gone at once."""
    if not name or isinstance(name, (str, bytes)):
        return None
    return name[0], str(name[1])
