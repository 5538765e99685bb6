"""The field Cookie, as every server has to read it (RFC 6265, sections 4.2 and 5.4)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["cookie_text", "parse_cookie_field"]

_WHITE: Final = " \t"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
# The escapes of http.cookies, which many programs write.
_ESCAPE: Final = re.compile(r"\\([0-3][0-7]{2}|.)", re.DOTALL)


def parse_cookie_field(value: str) -> list[tuple[str, str]]:
    """Return names and values of a Cookie field, in order, without white space around them.

    Quotes are part of a value. Text without ``=`` is a value whose name is ``""``,
    as for browsers. Nothing is refused; neither name nor value is no cookie.
    """
    pairs: list[tuple[str, str]] = []
    for piece in value.split(";"):
        name, equals, text = piece.partition("=")
        pair = (name.strip(_WHITE), text.strip(_WHITE)) if equals else ("", name.strip(_WHITE))
        if any(pair):
            pairs.append(pair)
    return pairs


def cookie_text(coded: str) -> str:
    """Return the value of a cookie for people: without quotes, and decoded, if it is UTF-8.

    One that hides a control character stays as the wire has it. Linear in its length.
    """
    text = coded
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = _ESCAPE.sub(_unescaped, text[1:-1])
    if _CONTROL.search(text):
        return coded
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except ValueError:
        return text


def _unescaped(match: re.Match[str]) -> str:
    escape = match[1]
    return escape if len(escape) == 1 else chr(int(escape, 8))
