"""How a field spells a URL."""

from __future__ import annotations

import pytest

from aiohttp.client.references import reference_of


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://a/b?c=d#e", "http://a/b?c=d#e"),
        ("../a;b,c", "../a;b,c"),
        ("/\xc3\xa4", "/%C3%A4"),  # UTF-8, as servers send it
        ("/\xe4", "/%E4"),
        ("/a b", "/a%20b"),
        ("/%41%zz", "/A%25zz"),
    ],
)
def test_references(text: str, url: str) -> None:
    """Octets beyond ASCII are encoded one by one; what is encoded stays."""
    assert str(reference_of(text)) == url


def test_malformed_reference() -> None:
    """It is an error of Python's own kind, for its caller to explain."""
    with pytest.raises(ValueError, match="IPv6"):
        reference_of("http://[")
