"""How a response is received: options, and what they come to."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttp.client.reception import READ_LIMIT, RECEPTION_OPTIONS, Reception
from aiohttp.protocol import Limits

CONNECTION = Limits(line=1000, body=None, decoded=None)


def test_as_usual() -> None:
    """Without options the limits are the connection's, and memory has a bound."""
    usual = Reception()
    assert usual.altered(CONNECTION) == usual == (True, True, None, READ_LIMIT, None)


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ({"max_line_size": 1}, {"line": 1}),
        ({"max_field_size": 1}, {"field_line": 1}),
        ({"max_headers": 1}, {"fields": 1}),
        ({"read_bufsize": 1}, {"read_buffer": 1}),
        ({"max_body": 1}, {"body": 1, "decoded": 1}),
    ],
)
def test_limits(options: Any, limits: dict[str, int]) -> None:
    """Each option replaces its limits, and leaves the connection's others."""
    found = Reception().altered(CONNECTION, **options).limits
    assert found is not None
    assert {name: getattr(found, name) for name in limits} == limits
    assert found.line == limits.get("line", 1000)


def test_request_after_session() -> None:
    """What a request says comes before what its session says, and the rest stays."""
    session = Reception().altered(CONNECTION, auto_decompress=False, max_headers=5, max_body=10)
    request = session.altered(CONNECTION, max_headers=7, read_until_eof=False)
    assert (request.decode, request.until_close, request.max_read) == (False, False, 10)
    assert request.limits is not None
    assert (request.limits.fields, request.limits.body) == (7, 10)


def test_options() -> None:
    """These are the options that are taken out before a request is made."""
    assert {
        "auto_decompress", "read_until_eof", "read_bufsize", "max_line_size", "max_field_size",
        "max_headers", "max_body", "on_information",
    } == RECEPTION_OPTIONS  # fmt: skip
