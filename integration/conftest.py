"""Fixtures of the integration tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from environment import Environment


@pytest.fixture
def bare(tmp_path: Path) -> Environment:
    """A virtual environment with nothing in it."""
    return Environment(tmp_path / "venv")
