"""Content-Transfer-Encoding of parts: base64 and quoted-printable, in pieces (RFC 2045, section 6).

HTTP has no need of it, and forms must not use it (RFC 7578, section 4.7); bodies that
come from mail, or go there, have it.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from .errors import LocalProtocolError, MultipartError
from .headers import shown

__all__ = [
    "NOT_BASE64",
    "TransferDecoder",
    "TransferEncoder",
    "transfer_decoder",
    "transfer_encoder",
]

_LINE: Final = 57
"""Bytes that make a line of 76 characters in base64 (RFC 2045, section 6.8)."""
NOT_BASE64: Final = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)
"""Bytes that mean nothing in base64, such as line ends."""


class TransferEncoder(Protocol):
    """Encodes the data of one part."""

    def encode(self, data: bytes) -> bytes:
        """Return what can be sent by now, maybe nothing."""
        ...

    def finish(self) -> bytes:
        """Return the rest."""
        ...


class TransferDecoder(Protocol):
    """Decodes the data of one part."""

    def decode(self, data: bytes) -> bytes:
        """Return what is known by now, maybe nothing."""
        ...

    def finish(self) -> bytes:
        """Return the rest.

        Raises:
            MultipartError: if the data ended too early. A server answers 400.
        """
        ...


class _Base64Encoder:
    def __init__(self) -> None:
        self._rest = b""

    def encode(self, data: bytes) -> bytes:
        data = self._rest + data
        whole = len(data) - len(data) % _LINE
        self._rest = data[whole:]
        return b"".join(_base64_line(data[i : i + _LINE]) for i in range(0, whole, _LINE))

    def finish(self) -> bytes:
        return _base64_line(self._rest) if self._rest else b""


def _base64_line(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False) + b"\r\n"


_QUOTED_LINE = 76
"""Characters in a line at most (RFC 2045, section 6.7, rule 5)."""


class _QuotedPrintableEncoder:
    def encode(self, data: bytes) -> bytes:
        # Line ends as well: what is sent may be no text. Each piece ends in a soft line
        # break, which means nothing, so that no line grows over two pieces.
        quoted = binascii.b2a_qp(data, istext=False).replace(b"=\n", b"=\r\n")
        if len(quoted) - (quoted.rfind(b"\n") + 1) == _QUOTED_LINE:
            # No room for the "=" of the break: the last character goes to the next line.
            size = 3 if quoted[-3:-2] == b"=" else 1
            quoted = quoted[:-size] + b"=\r\n" + quoted[-size:]
        return quoted + b"=\r\n"

    def finish(self) -> bytes:
        return b""


class _Base64Decoder:
    def __init__(self) -> None:
        self._rest = b""
        self._is_padded = False  # so it is at its end

    def decode(self, data: bytes) -> bytes:
        # What isn't of the alphabet, line ends above all, is to be ignored.
        data = self._rest + data.translate(None, NOT_BASE64)
        if data and self._is_padded:
            raise MultipartError(f"base64 goes on behind its padding, with {shown(data, 20)}")
        whole = len(data) - len(data) % 4
        self._rest = data[whole:]
        self._is_padded |= data.endswith(b"=", 0, whole)
        try:
            # Strictly: else what follows the padding is lost, if it comes in the same piece.
            return binascii.a2b_base64(data[:whole], strict_mode=True)
        except binascii.Error as exc:
            raise MultipartError(f"expected base64, got {shown(data, 20)}: {exc}") from exc

    def finish(self) -> bytes:
        if self._rest:
            raise MultipartError(f"base64 ended within four characters, with {shown(self._rest)}")
        return b""


class _QuotedPrintableDecoder:
    def __init__(self) -> None:
        self._rest = b""

    def decode(self, data: bytes) -> bytes:
        data = self._rest + data
        # An escape is three bytes long: "=41", "=\r\n".
        cut = data.rfind(b"=", max(0, len(data) - 2))
        cut = len(data) if cut < 0 else cut
        self._rest = data[cut:]
        return binascii.a2b_qp(data[:cut])

    def finish(self) -> bytes:
        return binascii.a2b_qp(self._rest)


def transfer_encoder(name: str) -> Callable[[], TransferEncoder] | None:
    """Return what makes encoders of this name; None if data goes as it is.

    Raises:
        LocalProtocolError: if there is no such encoding.
    """
    found = _ENCODINGS.get(name.strip().lower())
    if found is None:
        raise LocalProtocolError(f"unknown Content-Transfer-Encoding {shown(name)}: {_EXPECTED}")
    return found.encoder


def transfer_decoder(name: str) -> Callable[[], TransferDecoder] | None:
    """Return what makes decoders of this name; None if data comes as it is.

    Raises:
        MultipartError: if there is no such encoding. A server answers 400.
    """
    found = _ENCODINGS.get(name.strip().lower())
    if found is None:
        raise MultipartError(f"unknown Content-Transfer-Encoding {shown(name)}: {_EXPECTED}")
    return found.decoder


class _Encoding(NamedTuple):
    encoder: Callable[[], TransferEncoder] | None = None
    decoder: Callable[[], TransferDecoder] | None = None


_ENCODINGS: Final = {
    "": _Encoding(),
    "7bit": _Encoding(),
    "8bit": _Encoding(),
    "binary": _Encoding(),
    "base64": _Encoding(_Base64Encoder, _Base64Decoder),
    "quoted-printable": _Encoding(_QuotedPrintableEncoder, _QuotedPrintableDecoder),
}
_EXPECTED: Final = f"expected {', '.join(filter(None, _ENCODINGS))}"
