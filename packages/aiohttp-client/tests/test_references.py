"""How a field spells a URL."""

from __future__ import annotations

import pytest
from yarl import URL

from aiohttp.client.references import joined, reference_of


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


@pytest.mark.parametrize("segment", ["%2F", "%3F", "%23", "%25", "%0D%0A", "%C3%BC"])
def test_base_stays_as_it_was_encoded(segment: str) -> None:
    """What is encoded in the path of a base is no delimiter of what is joined to it."""
    base = URL(f"http://a/{segment}/b/c?d", encoded=True)
    folder = f"http://a/{segment}/b/"
    for reference, url in {
        "x": f"{folder}x",
        "./x?y#z": f"{folder}x?y#z",
        "../x": f"http://a/{segment}/x",
        ".": folder,
        "http:x": f"{folder}x",
        "?x": f"{folder}c?x",
        "": f"{folder}c?d",
        "/x": "http://a/x",
        "//x/": "http://x/",
        "mailto:x": "mailto:x",
    }.items():
        assert str(joined(base, URL(reference))) == url


def test_empty_segments_stay() -> None:
    """Two slashes are no mistake (RFC 3986, section 5.2.4)."""
    assert joined(URL("http://a/b//c/"), URL("../d")) == URL("http://a/b//d")
    assert joined(URL("http://a"), URL("b")) == URL("http://a/b")
