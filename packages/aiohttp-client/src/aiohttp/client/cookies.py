"""The cookies that one request carries (RFC 6265, section 4.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["cookie_field"]

# What would end a pair, or a field. Servers and browsers use more characters than
# cookie-octet allows, so these alone are refused.
_ENDS_NAME = re.compile(r"[\x00-\x20;=,\x7f]")
_ENDS_VALUE = re.compile(r"[\x00-\x1f;\x7f]")


def cookie_field(cookies: Mapping[str, object]) -> str:
    """Return the value of the Cookie field.

    Values are sent as they are; an object with a ``value``, such as a ``Morsel``,
    sends that.

    Raises:
        ValueError: if a name or value would end its pair and begin another one.
    """
    pairs: list[str] = []
    for name, given in cookies.items():
        value = str(getattr(given, "value", given))
        if not name or _ENDS_NAME.search(name):
            raise ValueError(f"a cookie's name must be a token, not {name!r}")
        if found := _ENDS_VALUE.search(value):
            raise ValueError(f"{found[0]!r} in the value of cookie {name!r}: quote it first")
        pairs.append(f"{name}={value}")
    return "; ".join(pairs)
