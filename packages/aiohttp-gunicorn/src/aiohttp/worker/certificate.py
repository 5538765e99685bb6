"""Whose a certificate is, as text."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["distinguished_name"]

# Short names of RFC 4514, section 3, by those that OpenSSL spells out.
_SHORT_NAMES: Final = {
    "commonName": "CN",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "streetAddress": "STREET",
    "domainComponent": "DC",
    "userId": "UID",
}

# What has a meaning in the string form of a name (RFC 4514, section 2.4).
_ESCAPED: Final = re.compile(r'^[ #]| $|["+,;<>\\]')
# Only NUL must be: but a certificate's owner must not end anybody's line, such as a log's.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def distinguished_name(subject: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    """Return a certificate's subject, in the form of ``getpeercert``, as RFC 4514 writes it."""
    return ",".join(
        "+".join(f"{_SHORT_NAMES.get(name, name)}={_escaped(value)}" for name, value in parts)
        for parts in reversed(subject)
    )


def _escaped(value: str) -> str:
    value = _ESCAPED.sub(lambda found: f"\\{found[0]}", value)
    return _CONTROL.sub(lambda found: f"\\{ord(found[0]):02X}", value)
