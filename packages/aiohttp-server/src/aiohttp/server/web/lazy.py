"""Attributes that are computed when they are first looked at, and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

__all__ = ["lazy"]

_T = TypeVar("_T")


class lazy(Generic[_T]):  # noqa: N801 - a decorator, as property is
    """A read-only attribute of an object that has a slot ``_cache``: a dict, or None.

    Most requests look at few of them, so not even the dict is made before one does.
    """

    def __init__(self, compute: Callable[[Any], _T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, owner: None, kind: type[object]) -> Self: ...
    @overload
    def __get__(self, owner: object, kind: type[object]) -> _T: ...
    def __get__(self, owner: Any, kind: type[object]) -> Self | _T:
        if owner is None:
            return self
        cache: dict[str, Any] | None = owner._cache  # noqa: SLF001 - what this is made for
        if cache is None:
            cache = owner._cache = {}  # noqa: SLF001
        if self._name not in cache:
            cache[self._name] = self._compute(owner)
        value: _T = cache[self._name]
        return value
