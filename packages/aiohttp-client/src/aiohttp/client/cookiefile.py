"""Cookies in a file: JSON, which only its owner may read, and which is always whole.

    {"format": "aiohttp cookies 1", "cookies": [{"name": "a", "value": "1", …}, …]}

Each cookie has every field of ``_FIELDS``. Nothing in a file is executed, and
whatever isn't as ``write_cookies`` writes it is refused.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from math import inf
from os import PathLike
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from aiohttp.protocol.headers import shown

from .cookie import LATEST, Cookie

__all__ = ["read_cookies", "write_cookies"]

_FORMAT: Final = "aiohttp cookies 1"

_FIELDS: Final[dict[str, tuple[type, ...]]] = {
    "name": (str,),
    "value": (str,),
    "domain": (str,),
    "path": (str,),
    "expires": (int, float, type(None)),  # None: with the session
    "is_secure": (bool,),
    "is_http_only": (bool,),
    "is_host_only": (bool,),
    "same_site": (str,),
}

_SENT: Final = frozenset({"name", "value"})
# What would end a cookie or a field, or isn't ISO-8859-1.
_UNSENDABLE: Final = re.compile(r"[\x00-\x1f;\x7f\u0100-\U0010ffff]")
# The other fields are only compared: a path may have a semicolon.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def write_cookies(path: str | PathLike[str], cookies: Iterable[Cookie]) -> None:
    """Write a file that only its owner may read (mode 0600), in place of what was there.

    Raises:
        OSError: if it can't be written; what was there stays.
    """
    entries = [
        {name: getattr(cookie, name) for name in _FIELDS}
        | {"expires": None if cookie.expires == inf else cookie.expires}
        for cookie in cookies
    ]
    text = json.dumps({"format": _FORMAT, "cookies": entries}, indent=1)
    from tempfile import mkstemp

    target = Path(path)
    handle, temporary = mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)  # or else, after a power failure, the new name may have no content
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_cookies(path: str | PathLike[str]) -> list[Cookie]:
    """Return the cookies of a file that ``write_cookies`` wrote, in order.

    Raises:
        OSError: if it can't be read.
        ValueError: if it is anything else; the message names the file and the place.
    """
    try:
        data: object = json.loads(Path(path).read_text("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"{os.fspath(path)} is no file of cookies: {exc}") from exc
    found = cast(dict[str, object], data) if isinstance(data, dict) else {}
    entries = found.get("cookies")
    if found.get("format") != _FORMAT or not isinstance(entries, list):
        raise ValueError(
            f"{os.fspath(path)} is no file of cookies: expected an object with "
            f'"format": "{_FORMAT}" and a list of "cookies"'
        )
    try:
        return [_cookie(number, entry) for number, entry in enumerate(cast(list[object], entries))]
    except ValueError as exc:
        raise ValueError(f"{os.fspath(path)} is no file of cookies: {exc}") from exc


def _cookie(number: int, entry: object) -> Cookie:
    fields = cast(dict[str, Any], entry) if isinstance(entry, dict) else {}
    if fields.keys() != _FIELDS.keys():
        wrong = ", ".join(sorted(fields.keys() ^ _FIELDS.keys()))
        raise ValueError(f"cookie {number}: fields are missing, or too many: {shown(wrong, 200)}")
    for name, kinds in _FIELDS.items():
        value = fields[name]
        if type(value) not in kinds:
            raise ValueError(f"cookie {number}: {name} can't be of type {type(value).__name__}")
        unfit = _UNSENDABLE if name in _SENT else _CONTROL
        if isinstance(value, str) and (found := unfit.search(value)):
            raise ValueError(f"cookie {number}: {found[0]!r} in its {name}")
    if not fields["name"] or "=" in fields["name"]:
        raise ValueError(f"cookie {number}: {shown(fields['name'])} can't be its name")
    if not fields["path"].startswith("/"):
        raise ValueError(f"cookie {number}: expected a path from / on, not {shown(fields['path'])}")
    if fields["expires"] is None:
        fields["expires"] = inf
    elif not -LATEST <= fields["expires"] <= LATEST:
        raise ValueError(f"cookie {number}: expires must be within the year 9999")
    return Cookie(**fields)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
