"""``RequestLimits``: each bound a number."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttp.server.web.limits import RequestLimits


@pytest.mark.parametrize(
    "bounds",
    [{"body": -1}, {"fields": -1}, {"parts": "3"}, {"parts": None}, {"file": -1}, {"spool": None}],
)
def test_what_is_no_bound_is_refused(bounds: dict[str, Any]) -> None:
    """A bound is a number from 0 on; only some may be None."""
    (name,) = bounds
    with pytest.raises(ValueError, match=rf"RequestLimits\.{name} must be a number from 0 on"):
        RequestLimits(**bounds)


def test_defaults() -> None:
    """A body has a mebibyte, a form a thousand fields; a file has no bound of its own."""
    limits = RequestLimits()
    assert (limits.body, limits.fields, limits.parts, limits.file) == (2**20, 1000, 1000, None)
