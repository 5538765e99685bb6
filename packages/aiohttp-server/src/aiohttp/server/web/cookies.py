"""Cookies that a response sets: the field Set-Cookie (RFC 6265, section 4.1, and its successor).

A browser takes the field apart at each ";", so a name, a value or an attribute that has one
could smuggle in attributes; a line break, whole fields. Both are refused, whoever gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any, Final

from aiohttp.protocol import is_token, require_str, shown

__all__ = ["cookie_lines", "set_cookie", "set_cookie_line"]

_ENDS_ATTRIBUTE: Final = re.compile(r"[\x00-\x1f;\x7f]")
_MAX_AGE: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_SAME_SITE: Final = {"strict": "Strict", "lax": "Lax", "none": "None"}
_NAMES: Final = {
    "expires": "Expires",
    "domain": "Domain",
    "max-age": "Max-Age",
    "path": "Path",
    "secure": "Secure",
    "httponly": "HttpOnly",
    "version": "Version",
    "samesite": "SameSite",
    "partitioned": "Partitioned",
    "comment": "Comment",
}
_FLAGS: Final = frozenset({"httponly", "partitioned", "secure"})

# What is no cookie-octet, but for characters beyond ASCII: those are sent in UTF-8.
_NEEDS_QUOTES: Final = re.compile(r'[ ",;\\]')
# The escapes of http.cookies, which undoes them when the cookie comes back.
_ESCAPED: Final = str.maketrans({'"': '\\"', "\\": "\\\\", ",": "\\054", ";": "\\073"})


class _Morsel(Morsel[str]):
    """A Morsel that knows ``Partitioned``, as that of Python 3.14 does."""

    def __setitem__(self, key: str, value: Any) -> None:
        if key.lower() == "partitioned":
            super(Morsel, self).__setitem__("partitioned", value)
        else:
            super().__setitem__(key, value)


def set_cookie(cookies: SimpleCookie, name: str, value: str, **attributes: Any) -> None:
    """Put a cookie into ``cookies``, in place of the one of this name; see ``set_cookie_line``."""
    set_cookie_line(name, value, **attributes)
    morsel = _Morsel()
    try:
        morsel.set(name, value, _coded(name, value))
    except CookieError as exc:
        raise ValueError(f"http.cookies knows no cookie of the name {name!r}: {exc}") from exc
    for attribute, given in attributes.items():
        if given is not None:
            morsel[attribute.replace("_", "-")] = given
    cookies[name] = morsel


def cookie_lines(cookies: SimpleCookie) -> Iterator[str]:
    """Yield the values of Set-Cookie, one for each cookie.

    Raises:
        ValueError: see ``set_cookie_line``.
    """
    for name, morsel in cookies.items():
        attributes = [(attribute, morsel.get(attribute)) for attribute in _NAMES]
        yield _line(name, morsel.coded_value, attributes)


def set_cookie_line(
    name: str,
    value: str,
    *,
    expires: str | None = None,
    domain: str | None = None,
    max_age: int | str | None = None,
    path: str | None = "/",
    secure: bool | None = None,
    httponly: bool | None = None,
    version: str | None = None,
    samesite: str | None = None,
    partitioned: bool | None = None,
) -> str:
    r"""Return the value of a Set-Cookie field.

    In ``value`` a space and ``" , ; \`` are quoted, in the way of ``http.cookies``;
    characters beyond ASCII are sent in UTF-8.

    ``expires`` is a date as HTTP writes it, ``max_age`` seconds (0 or less has the client
    forget the cookie), ``samesite`` Strict, Lax or None in any case. ``version`` is of
    RFC 2109; browsers ignore it.

    Raises:
        ValueError: if name is no token, value has a control character, or an attribute is not
            what it should be.
    """
    attributes = (
        ("expires", expires), ("domain", domain), ("max-age", max_age), ("path", path),
        ("secure", secure), ("httponly", httponly), ("version", version),
        ("samesite", samesite), ("partitioned", partitioned),
    )  # fmt: skip
    return _line(name, _coded(name, value), attributes)


def _line(name: str, coded: str, attributes: Iterable[tuple[str, object]]) -> str:
    require_str("a cookie's name", name)
    if not is_token(name):
        raise ValueError(f"a cookie's name must be a token, not {shown(name)}")
    parts = [f"{name}={_checked(name, 'value', coded)}"]
    for attribute, value in attributes:
        if attribute in _FLAGS:
            if value:
                parts.append(_NAMES[attribute])
        elif value is not None and value != "":
            text = _attribute(name, attribute, value)
            parts.append(f"{_NAMES[attribute]}={text}")
    return "; ".join(parts)


def _attribute(name: str, attribute: str, value: object) -> str:
    text = str(value)
    if attribute == "max-age" and not _MAX_AGE.fullmatch(text):
        raise ValueError(f"Max-Age of cookie {shown(name)} must be seconds, not {shown(text)}")
    if attribute == "samesite":
        if text.lower() not in _SAME_SITE:
            raise ValueError(
                f"SameSite of cookie {shown(name)} must be Strict, Lax or None, not {shown(text)}"
            )
        return _SAME_SITE[text.lower()]
    if attribute == "path" and not text.startswith("/"):
        raise ValueError(f"Path of cookie {shown(name)} must begin with /, not {shown(text)}")
    return _checked(name, _NAMES[attribute], text)


def _checked(name: str, what: str, text: str) -> str:
    """Return a text as the wire has it, if nobody can take it for more than that."""
    if found := _ENDS_ATTRIBUTE.search(text):
        raise ValueError(f"{found[0]!r} in the {what} of cookie {shown(name)}: {shown(text)}")
    return text if text.isascii() else text.encode().decode("latin-1")


def _coded(name: str, value: str) -> str:
    """Return a value in quotes where it needs them, still as text."""
    require_str("a cookie's value", value, name)
    return f'"{value.translate(_ESCAPED)}"' if _NEEDS_QUOTES.search(value) else value
