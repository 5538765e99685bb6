"""gunicorn's settings as limits of a connection."""

from __future__ import annotations

from typing import Any

import pytest
from gunicorn.config import Config

from aiohttp.protocol import DEFAULT_LIMITS, Limits
from aiohttp.worker.settings import limits_of


def limits(**settings: Any) -> Limits:
    """Return the limits by gunicorn's defaults and these settings."""
    cfg = Config()
    for name, value in settings.items():
        cfg.set(name, value)
    return limits_of(cfg)


def test_defaults() -> None:
    """Without settings gunicorn's own defaults hold, and ours where it has none."""
    assert limits().line == 4094
    assert limits().field_line == 8190
    assert limits().fields == 100
    assert limits().keep_alive == 2
    assert limits().connections == 1000
    assert limits().head_time == DEFAULT_LIMITS.head_time


def test_keep_alive_of_0() -> None:
    """A keepalive of 0 is none."""
    assert limits(keepalive=0).keep_alive == 0


def test_line_that_is_unlimited_has_a_bound() -> None:
    """Where gunicorn says unlimited, a line has a mebibyte, and the head room for it."""
    found = limits(limit_request_line=0, limit_request_field_size=0)
    assert found.line == found.field_line == 1024 * 1024
    assert found.head >= found.line + found.field_line


@pytest.mark.parametrize("setting", [0, 1_000_000])
def test_number_of_fields_has_a_bound(setting: int) -> None:
    """Gunicorn takes 32768 fields at most; 0 doesn't refuse every request."""
    assert limits(limit_request_fields=setting).fields == 32768


def test_head_stays_bounded() -> None:
    """Small lines don't make the head as a whole smaller than usual."""
    assert limits(limit_request_line=100).head == DEFAULT_LIMITS.head
