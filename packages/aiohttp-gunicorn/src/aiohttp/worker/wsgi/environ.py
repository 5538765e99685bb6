"""What a WSGI application is told about a request: PEP 3333's ``environ``."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import IO, Any, TypeAlias
from urllib.parse import unquote_to_bytes

from aiohttp.protocol import Exchange, Proxied, RemoteProtocolError, split_authority

from ..fields import DROP_AMBIGUOUS, FieldRule, has_underscore
from ..targets import script_name, split_target
from .tls import tls_environ

__all__ = [
    "BlockWrapper",
    "Environ",
    "ErrorLog",
    "FileWrapper",
    "OutsideMount",
    "base_environ",
    "make_environ",
]

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


class BlockWrapper:
    """``wsgi.file_wrapper``: the file's content in blocks; ``close()`` closes the file."""

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


class FileWrapper(BlockWrapper):
    """The same, but a file on disk is sent by the connection: by the kernel where it can.

    So it is if an application returns one that it has not read from itself.
    """


def base_environ(
    *,
    errors: ErrorLog,
    server_software: str,
    is_multithread: bool,
    is_multiprocess: bool,
    can_sendfile: bool = True,
) -> Environ:
    """Return what is the same for every request of a process.

    Without ``can_sendfile``, as of ``--no-sendfile``, files are read in blocks.
    """
    return {
        "wsgi.version": (1, 0),
        "wsgi.errors": errors,
        "wsgi.multithread": is_multithread,
        "wsgi.multiprocess": is_multiprocess,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper if can_sendfile else BlockWrapper,
        # The input ends where the body ends, also when CONTENT_LENGTH is missing.
        "wsgi.input_terminated": True,
        "SERVER_SOFTWARE": server_software,
        "SCRIPT_NAME": os.fsencode(script_name()).decode("latin-1"),
    }


def make_environ(
    exchange: Exchange,
    base: Mapping[str, Any],
    fields: FieldRule | None = None,
    *,
    keeper: object = None,
) -> Environ:
    """Return the environ of one request, but for ``wsgi.input``.

    Text is native strings that carry bytes as latin-1 (PEP 3333, "Unicode Issues").
    ``keeper`` stands for ``base`` and ``fields``, if requests that say the same are to share
    what it takes 2 µs to make of them.

    Raises:
        OutsideMount: if the path isn't below SCRIPT_NAME; a server answers 404.
        InvalidHeader: if proxies contradict themselves, or ``fields`` refuses one; 400.
    """
    kept = exchange.head.derived
    if kept is not None and (known := kept.get(keeper)) is not None:
        environ: Environ = known.copy()
    else:
        environ = _told_by_head(exchange, base, fields or DROP_AMBIGUOUS)
        # With an underscore it depends on the peer what is let in.
        if kept is not None and keeper is not None and not has_underscore(exchange.head.headers):
            kept[keeper] = environ.copy()
    _add_connection(environ, exchange)
    return environ


def _told_by_head(exchange: Exchange, base: Mapping[str, Any], rule: FieldRule) -> Environ:
    head = exchange.head
    environ = dict(base)
    environ["REQUEST_METHOD"] = head.method
    environ["RAW_URI"] = head.target
    environ["SERVER_PROTOCOL"] = f"HTTP/{head.version.major}.{head.version.minor}"
    authority, path, environ["QUERY_STRING"] = split_target(head.target)
    _add_fields(environ, rule.kept(exchange))
    if authority is not None:
        environ["HTTP_HOST"] = authority
    _add_told(environ, exchange, rule)
    environ["PATH_INFO"] = _path_info(path, environ["SCRIPT_NAME"])
    return environ


def _environ_key(name: str) -> str | None:
    """Return the key of a field, or None for a field that must not get in.

    ``Proxy`` has no meaning, and as HTTP_PROXY it has redirected the requests of CGI
    scripts (CVE-2016-5385).
    """
    upper = name.upper()
    if upper in {"CONTENT-TYPE", "CONTENT-LENGTH"}:
        return upper.replace("-", "_")
    return None if upper == "PROXY" else f"HTTP_{upper.replace('-', '_')}"


_remembered_key = lru_cache(maxsize=1024)(_environ_key)


def _add_fields(environ: Environ, fields: Iterable[tuple[str, str]]) -> None:
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


def _add_told(environ: Environ, exchange: Exchange, rule: FieldRule) -> None:
    """Add where the application is, and who asks, if a forwarder tells it.

    Not PATH_INFO: the path is the target's. By default gunicorn lets forwarders send that
    field, and so would a client ask for another path than the one that its proxy has checked.
    """
    if "HTTP_SCRIPT_NAME" in environ and (mount := rule.told(exchange, "SCRIPT_NAME")) is not None:
        environ["SCRIPT_NAME"] = mount.rstrip("/")
    if "HTTP_REMOTE_USER" in environ and (user := rule.told(exchange, "REMOTE_USER")) is not None:
        environ["REMOTE_USER"] = user


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


def _add_connection(environ: Environ, exchange: Exchange) -> None:
    """Add who asks and who is asked, and how; a unix socket has no address: Host tells our name."""
    scheme = environ["wsgi.url_scheme"] = exchange.scheme
    if scheme == "https":
        environ["HTTPS"] = "on"
    peer = exchange.peername
    if _is_address(peer):
        environ["REMOTE_ADDR"] = peer[0]
        environ["REMOTE_PORT"] = str(peer[1])
    else:
        environ["REMOTE_ADDR"] = ""
    ours = exchange.sockname
    if _is_address(ours):
        host = ours[0]
        # IPv6 stands in brackets, as in a URL (RFC 3875, section 4.1.14).
        environ["SERVER_NAME"] = f"[{host}]" if ":" in host else host
        environ["SERVER_PORT"] = str(ours[1])
    else:
        host, port = split_authority(environ.get("HTTP_HOST", "")) or ("", "")
        environ["SERVER_NAME"] = host or "localhost"
        environ["SERVER_PORT"] = port or DEFAULT_PORTS[scheme]
    if (tls := exchange.get_extra_info("ssl_object")) is not None:
        environ.update(tls_environ(tls))
    if (proxied := exchange.get_extra_info("proxied")) is not None:
        _add_proxied(environ, proxied)


def _add_proxied(environ: Environ, proxied: Proxied) -> None:
    """Add what the PROXY protocol has told, by gunicorn's names; REMOTE_ADDR follows it anyway."""
    address = proxied.destination
    if _is_address(address):
        environ["PROXY_PROTOCOL"] = "TCP6" if ":" in address[0] else "TCP4"
        environ["PROXY_ADDR"] = address[0]
        environ["PROXY_PORT"] = str(address[1])


def _is_address(name: Any) -> bool:
    """Tell host and port from a unix socket's path, and from a client that was gone at once."""
    return isinstance(name, tuple)
