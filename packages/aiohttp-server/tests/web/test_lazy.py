"""``lazy``: computed at the first look, and kept."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttp.server.web.lazy import lazy


class Counting:
    """Counts how often an attribute is computed."""

    __slots__ = ("_cache", "count")

    def __init__(self) -> None:
        self._cache: dict[str, Any] | None = None
        self.count = 0

    @lazy
    def answer(self) -> int:
        """The answer."""
        self.count += 1
        return 42


def test_attribute_is_computed_once() -> None:
    """Nothing is made before the first look, and nothing anew at the second."""
    counting = Counting()
    assert counting._cache is None
    assert (counting.answer, counting.answer, counting.count) == (42, 42, 1)


def test_attribute_is_read_only() -> None:
    """Setting it is an error, as for a property."""
    with pytest.raises(AttributeError):
        Counting().answer = 1  # type: ignore[misc]


def test_attribute_is_documented() -> None:
    """The class shows it with its docstring."""
    assert Counting.answer.__doc__ == "The answer."
