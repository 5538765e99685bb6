"""The path of a request as routes see it, and values as a path carries them.

Routes are compared with the *routing path*: percent-decoded as UTF-8, but for ``%2F`` and
``%25``. A slash that the client escaped belongs to a value and never divides segments:
``/a%2Fb`` is one segment, and a front end that decodes it and one that doesn't can't
disagree about which handler answers (RFC 3986, sections 2.2 and 6.2.2).
"""

from __future__ import annotations

import re

__all__ = ["encode_value", "routing_path", "routing_text", "value_of"]

# Runs of escapes, decoded as one: a character of UTF-8 has up to four. And a percent sign that
# escapes nothing: it stands for itself, and must not make an escape of what is decoded behind it.
_ESCAPES = re.compile(r"(?:%(?!2[Ff]|25)[0-9A-Fa-f]{2})+|%(?![0-9A-Fa-f]{2})")


def routing_path(raw_path: str) -> str:
    """Return the routing path of a request's ``raw_path``, which may have a query.

    ``*`` and an authority come back as they are: no route matches them.
    """
    path = raw_path.partition("?")[0] if "?" in raw_path else raw_path
    return routing_text(path) if "%" in path else path


def routing_text(text: str) -> str:
    """Decode the escapes of a path, but for ``%2F`` and ``%25``; what is no UTF-8 stays escaped.

    A percent sign that is none of an escape is ``%25``, too.
    """
    return _ESCAPES.sub(_decoded, text).replace("%2f", "%2F")


def _decoded(escapes: re.Match[str]) -> str:
    if escapes[0] == "%":
        return "%25"
    try:
        return bytes.fromhex(escapes[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return escapes[0]


def value_of(text: str) -> str:
    """Return what a part of a routing path stands for: nothing is escaped in it any more."""
    return text.replace("%2F", "/").replace("%25", "%") if "%" in text else text


def encode_value(value: str, *, safe: str = "") -> str:
    """Return a value as a path carries it, in ASCII (RFC 3986, section 3.3).

    ``safe`` are characters that stay, beyond those that always may, such as ``/``.
    """
    from urllib.parse import quote

    return quote(value, safe="!$&'()*+,;=:@" + safe)
