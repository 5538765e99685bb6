"""Content-Disposition: what a part or a response is called, read and written.

Forms write it as browsers do (HTML, "multipart/form-data encoding algorithm"),
everybody else by RFC 6266. What a peer calls a file is never a path: take nothing
but its last part, and only after a look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import MappingProxyType
from typing import Final

from .errors import InvalidHeader, LocalProtocolError
from .headers import is_token, require_str, shown
from .parameters import decode_extended, parse_parameters

__all__ = [
    "ContentDisposition",
    "content_disposition_filename",
    "encode_content_disposition",
    "parse_content_disposition",
]

# The escapes of browsers, and that of quoted-string for the backslash, which they
# leave alone: a name that ends with one would escape its closing quote.
_AS_BROWSERS: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A", "\\": "\\\\"})
# Blanks behind "=", outside of quotes: RFC 6266 has them in its examples (section 5),
# though no grammar since has.
_BLANKS: Final = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*"?)|=[ \t]++')
_QUOTED: Final = str.maketrans({'"': '\\"', "\\": "\\\\"})  # RFC 9110, section 5.6.4


@dataclass(frozen=True, slots=True)
class ContentDisposition:
    """What Content-Disposition says.

    Attributes:
        type: "inline", "attachment", "form-data" …, in lower case.
        parameters: by lower name; those whose names end with ``*`` are decoded.
        filename: as the peer wrote it, so never to be used as a path.
    """

    type: str | None
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    filename: str | None = None

    @classmethod
    def parse(cls, value: str | None) -> ContentDisposition | None:
        """Return what the field says; None if there is none, or it is malformed."""
        kind, parameters = parse_content_disposition(value)
        if kind is None:
            return None
        filename = content_disposition_filename(parameters)
        return cls(kind, MappingProxyType(parameters), filename)


def parse_content_disposition(header: str | None) -> tuple[str | None, dict[str, str]]:
    """Return type and parameters; ``(None, {})`` if there is no field, or it is malformed.

    A parameter ``name*`` is decoded; one that can't be is left out, so that its plain twin
    counts (RFC 6266, section 4.3). Linear in the length of the field.
    """
    try:
        value = _BLANKS.sub(lambda match: match[1] or "=", header or "")
        kind, found = parse_parameters(value)
    except InvalidHeader:
        return None, {}
    return (kind, dict(_decoded(found))) if is_token(kind) else (None, {})


def _decoded(found: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        if not name.endswith("*") or name.count("*") > 1:
            yield name, value
            continue
        try:
            yield name, decode_extended(value)
        except InvalidHeader:
            continue


def content_disposition_filename(params: Mapping[str, str], name: str = "filename") -> str | None:
    """Return ``name*``, or else ``name``, or else what its continuations make (RFC 2231).

    ``params`` are those of ``parse_content_disposition``.
    """
    for key in (f"{name}*", name):
        if key in params:
            return params[key]
    is_extended = f"{name}*0*" in params
    text = "".join(_continuations(params, name, is_extended=is_extended))
    if not is_extended:
        return text or None
    try:
        return decode_extended(text)
    except InvalidHeader:
        return None


def _continuations(params: Mapping[str, str], name: str, *, is_extended: bool) -> Iterator[str]:
    """Yield the pieces of a value: if it is extended, all of them percent-encoded."""
    for number in count():
        key = f"{name}*{number}"
        if (piece := params.get(f"{key}*")) is not None:
            yield piece
        elif (piece := params.get(key)) is not None:
            yield _percent_encoded(piece) if is_extended else piece
        else:
            return


def _percent_encoded(text: str, charset: str = "utf-8") -> str:
    from urllib.parse import quote

    return quote(text, safe="", encoding=charset)


def encode_content_disposition(
    kind: str,
    parameters: Mapping[str, str],
    *,
    quote_fields: bool = True,
    charset: str = "utf-8",
) -> str:
    r"""Return the value of Content-Disposition.

    In ``form-data`` names are written as browsers do: as they are, but with ``"``, CR
    and LF as %22, %0D and %0A. Elsewhere a value beyond ASCII is written as
    ``name*=utf-8''…`` (RFC 6266, section 4.3). Without ``quote_fields`` all values are
    written as they are, and ``"`` as ``\"``; the field is UTF-8 then.

    Raises:
        LocalProtocolError: if the type, a name or a value can't be sent.
    """
    if not is_token(kind):
        raise LocalProtocolError(
            f"a type of Content-Disposition must be a token, not {shown(kind)}"
        )
    written = [kind]
    for name, value in parameters.items():
        if not is_token(name):
            raise LocalProtocolError(f"the name of a parameter must be a token, not {shown(name)}")
        require_str(f"the parameter {name}", value)
        written.append(f"{name}{_encoded(kind, name, value, quote_fields, charset)}")
    return "; ".join(written)


def _encoded(kind: str, name: str, value: str, quote_fields: bool, charset: str) -> str:
    if quote_fields and kind.lower() == "form-data":
        return f'="{value.translate(_AS_BROWSERS)}"'
    if any(character < " " or character == "\x7f" for character in value):
        raise LocalProtocolError(f"control character in the parameter {name}: {shown(value)}")
    if quote_fields and not value.isascii():
        try:
            return f"*={charset}''{_percent_encoded(value, charset)}"
        except (UnicodeEncodeError, LookupError) as exc:
            raise LocalProtocolError(
                f"the parameter {name} can't be sent in {charset}: {shown(value)}"
            ) from exc
    return f'="{value.translate(_QUOTED)}"'
