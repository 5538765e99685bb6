"""Text on a page: what somebody else wrote must stay text, and must show what it is."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

__all__ = ["escaped", "style_policy"]

# What would turn round or hide the text after it.
_INVISIBLE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def escaped(text: str) -> str:
    """Return text as HTML, for elements and for attributes between quotes.

    What doesn't show, or can't be encoded, becomes a replacement character.
    """
    from html import escape

    shown = text.encode("utf-8", "replace").decode("utf-8")
    return _INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", escape(shown))


@cache
def style_policy(style: str) -> str:
    """Return a Content-Security-Policy for a page with this style and nothing else active.

    The hash is of what stands between ``<style>`` and ``</style>`` (CSP 3, section 2.3.1).
    """
    from base64 import b64encode
    from hashlib import sha256

    digest = b64encode(sha256(style.encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
