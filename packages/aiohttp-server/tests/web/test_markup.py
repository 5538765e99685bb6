"""Text on a page: escaped, and showing what it is."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest

from aiohttp.server.web.markup import escaped, style_policy


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<b>'&\"'</b>", "&lt;b&gt;&#x27;&amp;&quot;&#x27;&lt;/b&gt;"),
        ("größer\n\t", "größer\n\t"),
        ("a\u202eb\x00\x1b[31m", "a\ufffdb\ufffd\ufffd[31m"),
        ("\udc80", "?"),
    ],
)  # fmt: skip
def test_text_stays_text(text: str, html: str) -> None:
    """Nothing of it is markup, turns the text round or can't be encoded."""
    assert escaped(text) == html


def test_policy_allows_this_style_only() -> None:
    """No script, no image, no frame around the page."""
    digest = b64encode(sha256(b"p{}").digest()).decode()
    assert style_policy("p{}").startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "frame-ancestors 'none'" in style_policy("p{}")
