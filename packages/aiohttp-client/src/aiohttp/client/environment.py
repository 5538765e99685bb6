"""What the environment of the process says: logins, in the file that NETRC names."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netrc import netrc

__all__ = ["netrc_credentials"]


def netrc_credentials(host: str) -> tuple[str, str] | None:
    """Return login and password that the file has for a host, or None.

    The file is the one that the variable NETRC names, or else ``~/.netrc`` (``_netrc``
    on Windows). It is read again when it has changed.

    Raises:
        ValueError: if there is a file, but it can't be read, or is malformed.
    """
    path = _path()
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    found = _read(path, changed).authenticators(host)
    if found is None:
        return None
    login, account, password = found
    return login or account or "", password or ""


def _path() -> Path:
    named = os.environ.get("NETRC")
    if named:
        return Path(named)
    return Path.home() / ("_netrc" if os.name == "nt" else ".netrc")


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> netrc:
    from netrc import NetrcParseError, netrc

    try:
        return netrc(path)
    except OSError as exc:
        raise ValueError(f"{path} can't be read: {exc.strerror}") from exc
    except (NetrcParseError, UnicodeDecodeError) as exc:
        raise ValueError(f"{path} is no netrc file: {exc}") from exc
