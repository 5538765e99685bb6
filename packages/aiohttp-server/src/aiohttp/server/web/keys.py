"""Typed keys of what a program keeps in an application, a request or a response.

A key is found by identity: two keys of the same name are two keys, so that no
two libraries meet by accident. Strings are keys too, without a type.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final, Generic, TypeVar, final, overload

__all__ = ["AppKey", "ChainMapProxy", "NotAppKeyWarning", "RequestKey", "ResponseKey"]

_T = TypeVar("_T")
_U = TypeVar("_U")


class NotAppKeyWarning(UserWarning):
    """Issued when something is kept in an application below a string.

    It works, but a type checker knows nothing of what is kept, and two libraries
    may choose the same string: an ``AppKey`` helps with both.
    """


class _Key(Generic[_T]):
    """A name for people and a type for type checkers; equal to itself only.

    Args:
        name: told by ``repr``, below the module that made the key.
        t: the type of what is kept, for ``repr``; type checkers take it from here too.
    """

    __slots__ = ("__orig_class__", "_name", "_t")

    def __init__(self, name: str, t: type[_T] | None = None) -> None:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"expected a str as the name of a key, got {type(name).__name__}")
        module = sys._getframe(1).f_globals.get("__name__", "?")  # noqa: SLF001 - as namedtuple does
        self._name: Final = f"{module}.{name}"
        self._t: Final = t

    def __lt__(self, other: object) -> bool:
        return self._name < other._name if isinstance(other, _Key) else True

    def __repr__(self) -> str:
        kind: Any = self._t
        if kind is None:
            found = getattr(self, "__orig_class__", None)  # as in AppKey[int]("name")
            kind = found.__args__[0] if found is not None else None
        if isinstance(kind, type):
            prefix = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
            told = prefix + kind.__qualname__
        else:
            told = "unknown" if kind is None else repr(kind)
        return f"<{type(self).__name__}({self._name}, type={told})>"


@final
class AppKey(_Key[_T]):
    """A key of an application, such as ``AppKey("db", Pool)``."""

    __slots__ = ()


@final
class RequestKey(_Key[_T]):
    """A key of a request, such as ``RequestKey("user", User)``."""

    __slots__ = ()


@final
class ResponseKey(_Key[_T]):
    """A key of a response."""

    __slots__ = ()


@final
class ChainMapProxy(Mapping["str | AppKey[Any]", Any]):
    """Several mappings seen as one that can't be changed; the first that has a key answers.

    ``request.config_dict`` is one: of the application that answers, and of those around it.
    """

    __slots__ = ("_maps",)

    def __init__(self, maps: Any) -> None:
        self._maps: tuple[Mapping[str | AppKey[Any], Any], ...] = tuple(maps)

    @overload
    def __getitem__(self, key: AppKey[_T]) -> _T: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: str | AppKey[Any]) -> Any:
        for each in self._maps:
            if key in each:
                return each[key]
        raise KeyError(key)

    @overload  # type: ignore[override]
    def get(self, key: AppKey[_T], default: _U) -> _T | _U: ...
    @overload
    def get(self, key: AppKey[_T], default: None = None) -> _T | None: ...
    @overload
    def get(self, key: str, default: Any = None) -> Any: ...
    def get(  # pyright: ignore[reportIncompatibleMethodOverride] - keys are of two types
        self, key: str | AppKey[Any], default: Any = None
    ) -> Any:
        """Return what the first mapping that has this key keeps there, else the default."""
        for each in self._maps:
            if key in each:
                return each[key]
        return default

    def __contains__(self, key: object) -> bool:
        return any(key in each for each in self._maps)

    def __iter__(self) -> Iterator[str | AppKey[Any]]:
        seen: dict[str | AppKey[Any], None] = {}
        for each in reversed(self._maps):
            seen.update(dict.fromkeys(each))
        return iter(seen)

    def __len__(self) -> int:
        return len({key for each in self._maps for key in each})

    def __bool__(self) -> bool:
        return any(self._maps)

    def __repr__(self) -> str:
        return f"ChainMapProxy({', '.join(map(repr, self._maps))})"
