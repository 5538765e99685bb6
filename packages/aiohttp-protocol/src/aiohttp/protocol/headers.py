"""Field names and values: the grammar of RFC 9110, section 5, in both directions.

The border between bytes and str is here: on the wire a head is ISO-8859-1,
because that is reversible (RFC 9110, section 5.5: other octets are opaque
data). Fields are kept in order and in their original spelling; a
``CIMultiDict`` ignores case when it looks them up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

from multidict import CIMultiDict, CIMultiDictProxy

from .errors import InvalidHeader, LocalProtocolError

__all__ = [
    "Headers",
    "headers_of",
    "is_token",
    "list_members",
    "may_be_secret",
    "parse_field_line",
    "require_str",
    "shown",
    "split_authority",
    "validate_field_name",
    "validate_field_value",
]

Headers: TypeAlias = CIMultiDictProxy[str]
"""Fields in order, with their original spelling; looked up without regard to case."""

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Everything but VCHAR, obs-text, SP and HTAB (RFC 9110, section 5.5).
_FORBIDDEN_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# uri-host [ ":" port ] (RFC 3986, section 3.2.2), without the IPvFuture of its
# grammar: none was ever defined. Nor has a literal a zone here: it means
# something on its sender's machine only (RFC 9844, section 5).
_AUTHORITY = re.compile(
    r"(\[([0-9A-Fa-f:.]{2,45})\]|(?:[!$&'()*+,\-.0-9;=A-Z_a-z~]|%[0-9A-Fa-f]{2}){1,255})"
    r"(?::([0-9]{0,5}))?"
)

_SECRET = re.compile(
    "auth|cookie|credential|key|passw|secret|session|signature|token", re.IGNORECASE
)


def headers_of(fields: Iterable[tuple[str, str]]) -> Headers:
    """Return fields as ``Headers``."""
    return CIMultiDictProxy(CIMultiDict(fields))


def shown(text: str | bytes, limit: int = 60) -> str:
    """Return a peer's text as one printable, short line for an error message."""
    found = repr(text[: limit + 1])
    return found if len(text) <= limit else f"{found[:limit]}…"


def is_token(text: str) -> bool:
    """Whether ``text`` is a token: a method, a field name (RFC 9110, section 5.6.2)."""
    return _TOKEN.fullmatch(text) is not None


def may_be_secret(name: str) -> bool:
    """Whether a field of this name may have a secret as value, going by its name."""
    return _SECRET.search(name) is not None


def split_authority(text: str) -> tuple[str, str] | None:
    """Return host and port of ``uri-host [ ":" port ]`` as they are spelt, or None.

    The port is ``""`` where none is given; an IPv6 address keeps its brackets.
    None says that this is no authority (RFC 9110, section 7.2).
    """
    match = _AUTHORITY.fullmatch(text)
    if match is None or int(match[3] or 0) > 65535:
        return None
    if match[2] is not None and not _is_ipv6(match[2]):
        return None
    return match[1], match[3] or ""


def _is_ipv6(text: str) -> bool:
    import ipaddress  # 1 ms, and few peers are addressed like this

    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def parse_field_line(line: str) -> tuple[str, str]:
    """Return the name, spelt as it came, and the value of a field line.

    ``line`` comes without its line end. White space around the value is removed;
    none is allowed around the name (RFC 9112, section 5.1).

    Raises:
        InvalidHeader: if this is no field line. A server answers 400.
    """
    name, colon, value = line.partition(":")
    if not colon:
        raise InvalidHeader(f"expected 'name: value' in a field line, got {shown(line)}")
    if _TOKEN.fullmatch(name) is None:
        raise InvalidHeader(_why_no_name(name), name=name)
    value = value.strip(" \t")
    # isprintable() is the quick half: true for nearly all values ever sent, and
    # never for a control character. What it doubts (tabs, some of ISO-8859-1)
    # the pattern decides.
    if not value.isprintable() and (found := _FORBIDDEN_IN_VALUE.search(value)):
        raise InvalidHeader(
            f"control character {found[0]!r} in the value of field {shown(name)}", name=name
        )
    return name, value


def _why_no_name(name: str) -> str:
    if name[:1] in (" ", "\t"):
        return f"expected a field name, got white space before {shown(name.strip())} (obs-fold)"
    if name[-1:] in (" ", "\t"):
        return f"white space between the field name {shown(name.strip())} and its colon"
    return f"expected a token as field name, got {shown(name)}"


def require_str(what: str, value: object, name: str = "") -> None:
    """Refuse what is no str, such as bytes or a number, before it is put on the wire.

    Raises:
        LocalProtocolError: which tells ``what`` it should have been, and the field's ``name``.
    """
    if not isinstance(value, str):
        where = f" (field {shown(name)})" if name else ""
        raise LocalProtocolError(f"{what} must be str, not {type(value).__name__}{where}")


def validate_field_name(name: str) -> None:
    """Refuse a field name that must not be sent.

    Raises:
        LocalProtocolError: if it isn't a token.
    """
    require_str("a field name", name)
    if _TOKEN.fullmatch(name) is None:
        raise LocalProtocolError(
            f"a field name must be a token (letters, digits, !#$%&'*+-.^_`|~), not {shown(name)}"
        )


def validate_field_value(name: str, value: str) -> None:
    """Refuse a field value that must not be sent.

    Raises:
        LocalProtocolError: if it has a control character, white space at an end,
            or a character beyond ISO-8859-1. ``name`` is for the message.
    """
    # Not every program is typed.
    require_str("a field value", value, name)
    if not value.isprintable() and (found := _FORBIDDEN_IN_VALUE.search(value)):
        raise LocalProtocolError(
            f"control character {found[0]!r} in the value of field {shown(name)}; "
            "line breaks in fields can't be sent"
        )
    if value != value.strip(" \t"):
        raise LocalProtocolError(
            f"white space around the value of field {shown(name)}: {shown(value)}"
        )
    if not value.isascii() and max(value) > "\xff":
        raise LocalProtocolError(
            f"the value of field {shown(name)} has {max(value)!r}, which is not ISO-8859-1; "
            "encode it first, such as by percent-encoding"
        )


def list_members(values: Iterable[str]) -> list[str]:
    """Return the members of a list field, over all its lines, in lower case.

    Empty members are dropped (RFC 9110, section 5.6.1.2). For lists of tokens
    only: a comma inside a quoted string would end a member.
    """
    return [
        stripped.lower()
        for value in values
        for member in value.split(",")
        if (stripped := member.strip(" \t"))
    ]
