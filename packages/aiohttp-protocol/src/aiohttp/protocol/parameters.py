"""Parameters of a field value, as in ``form-data; name="a"; filename="b"`` (RFC 9110, 5.6.6)."""

from __future__ import annotations

import re
from codecs import lookup
from typing import Final

from .errors import InvalidHeader
from .headers import shown

__all__ = ["charset_of", "codec_of", "decode_extended", "parse_parameters"]

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"  # noqa: S105
# OWS ";" OWS [ token "=" ( token / quoted-string ) ]. Of each choice the next character
# decides, so that time is linear. Only repeats of single characters are possessive: with
# groups, which may do without, Python before 3.11.5 errs (gh-106052).
_PARAMETER = re.compile(
    rf"[ \t]*+;[ \t]*+(?:(?P<name>{_TOKEN})="
    rf'(?:(?P<token>{_TOKEN})|"(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+)*)"))?'
)
_ESCAPED = re.compile(r'\\(["\\])')
# ext-value (RFC 8187, section 3.2.1), of the one charset that all must know.
_EXTENDED = re.compile(
    r"(?i:utf-8)'[A-Za-z0-9\-]*+'"
    r"(?P<value>[!#$&+\-.^_`|~0-9A-Za-z]*+(?:%[0-9A-Fa-f]{2}[!#$&+\-.^_`|~0-9A-Za-z]*+)*)"
)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_LONGEST_CHARSET: Final = 45
"""The longest name at IANA. Python keeps in mind each unknown name that it is asked for."""

_NO_CHARSETS: Final = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape"})
"""Text codecs that are for parts of Python only. Punycode takes time by the square of the size."""

_PROBE: Final = b"text"


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    r"""Return what stands before the first ";", in lower case, and the parameters by lower name.

    Quoted strings come without their quotes. ``\"`` and ``\\`` are undone; any other
    backslash stays, because browsers write a file's name without escaping it.
    Empty parameters are dropped. Linear in the length of ``value``.

    Raises:
        InvalidHeader: if a parameter is malformed, or there twice: two readers
            might take two different ones. A server answers 400.
    """
    main, semicolon, _ = value.partition(";")
    value = value.rstrip(" \t")
    found: dict[str, str] = {}
    position = len(main)
    while semicolon and position < len(value):
        match = _PARAMETER.match(value, position)
        if match is None:
            raise InvalidHeader(f"expected '; name=value', got {shown(value[position:])}")
        position = match.end()
        if (name := match["name"]) is None:
            continue
        name = name.lower()
        if name in found:
            raise InvalidHeader(f"expected parameter {name} once, got it twice")
        quoted = match["quoted"]
        found[name] = match["token"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
    return main.strip(" \t").lower(), found


def charset_of(content_type: str) -> str | None:
    """Return the charset that a Content-Type names; None if it names none, or is malformed."""
    try:
        return parse_parameters(content_type)[1].get("charset") or None
    except InvalidHeader:
        return None


def codec_of(charset: str) -> str | None:
    """Return Python's name for a charset that a peer names; None if there is no such thing."""
    if len(charset) > _LONGEST_CHARSET:
        return None
    try:
        # Names such as "hex" are codecs, too, but not of text: they refuse to decode.
        _PROBE.decode(charset, "replace")
        name = lookup(charset).name
    except (LookupError, ValueError):
        return None
    return None if name in _NO_CHARSETS else name


def decode_extended(value: str) -> str:
    """Return the text of an extended value, such as ``UTF-8''%e2%82%ac.txt`` (RFC 8187).

    Raises:
        InvalidHeader: if it is malformed, not in UTF-8, or hides a control
            character. A server answers 400.
    """
    match = _EXTENDED.fullmatch(value)
    if match is None:
        raise InvalidHeader(f"expected an extended value as in UTF-8''a%20b, got {shown(value)}")
    octets = _PERCENT.sub(lambda hex_: bytes.fromhex(hex_[1].decode()), match["value"].encode())
    try:
        text = octets.decode()
    except UnicodeDecodeError as exc:
        raise InvalidHeader(f"expected UTF-8 in an extended value, got {shown(value)}") from exc
    if _CONTROL.search(text):
        raise InvalidHeader(f"control character in the extended value {shown(value)}")
    return text
