"""What a target names: a path with its query, maybe an authority."""

from __future__ import annotations

import pytest

from aiohttp.server.web.target import authority_of, local_authority, path_of


@pytest.mark.parametrize(
    ("target", "path", "authority"),
    [
        ("/", "/", None),
        ("/a?b=http://c", "/a?b=http://c", None),
        ("//a/b", "//a/b", None),
        ("*", "*", None),
        ("http://a", "/", "a"),
        ("http://a:81/b?c", "/b?c", "a:81"),
        ("https://a?b/c", "/?b/c", "a"),
        ("http://[::1]/b", "/b", "[::1]"),
        ("example.net:443", "example.net:443", "example.net:443"),
        ("[::1]:443", "[::1]:443", "[::1]:443"),
    ],
)
def test_targets(target: str, path: str, authority: str | None) -> None:
    """Each form of RFC 9112, section 3.2, is taken apart."""
    assert path_of(target) == path
    assert authority_of(target) == authority


@pytest.mark.parametrize(
    ("sockname", "authority"),
    [
        (("192.0.2.1", 80), "192.0.2.1:80"),
        (("::1", 80, 0, 0), "[::1]:80"),
        ("/run/socket", "localhost"),
        (b"\0abstract", "localhost"),
        ("", "localhost"),
        (None, "localhost"),
    ],
)
def test_own_address(sockname: object, authority: str) -> None:
    """A socket's own name is an authority, that of a unix socket localhost."""
    assert local_authority(sockname) == authority
