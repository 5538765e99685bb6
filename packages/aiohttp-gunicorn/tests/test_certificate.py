"""Whose a certificate is, as text."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttp.worker.certificate import distinguished_name


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ((), ""),
        (((("organizationName", "A, B"),),), "O=A\\, B"),
        (((("commonName", "a"), ("userId", "b")),), "CN=a+UID=b"),
        (((("emailAddress", "a@b"),),), "emailAddress=a@b"),
        (((("commonName", " #a "),),), "CN=\\ #a\\ "),
        (((("commonName", "#a"),),), "CN=\\#a"),
        (((("commonName", 'a"+,;<>\\b'),),), 'CN=a\\"\\+\\,\\;\\<\\>\\\\b'),
        (((("commonName", "a\0"),),), "CN=a\\00"),
    ],
)
def test_distinguished_name_is_escaped(subject: Any, text: str) -> None:
    """RFC 4514, section 2.4."""
    assert distinguished_name(subject) == text
