"""What an application calls at certain moments of its life, and the lists that hold it."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    MutableSequence,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeAlias, TypeVar, cast, overload

if TYPE_CHECKING:
    from .application import Application

__all__ = [
    "CleanupContext",
    "CleanupError",
    "FrozenList",
    "Signal",
    "error_of",
    "is_cancelled",
    "raise_all",
]

_T = TypeVar("_T")
_P = ParamSpec("_P")


class FrozenList(MutableSequence[_T]):
    """A list that may be frozen; a change raises RuntimeError from then on."""

    __slots__ = ("_items", "frozen")

    def __init__(self, items: Iterable[_T] = ()) -> None:
        self._items = list(items)
        self.frozen = False

    def freeze(self) -> None:
        """Refuse every change from now on. Twice is fine."""
        self.frozen = True

    def _changeable(self) -> list[_T]:
        if self.frozen:
            raise RuntimeError(
                f"this {type(self).__name__} is frozen, because its application has started: "
                "change it before"
            )
        return self._items

    @overload
    def __getitem__(self, index: int) -> _T: ...
    @overload
    def __getitem__(self, index: slice) -> FrozenList[_T]: ...
    def __getitem__(self, index: int | slice) -> _T | FrozenList[_T]:
        if isinstance(index, slice):
            return FrozenList(self._items[index])
        return self._items[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._changeable()[index] = value

    def __delitem__(self, index: int | slice) -> None:
        del self._changeable()[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[_T]:
        return iter(self._items)

    def __eq__(self, other: object) -> bool:
        return (
            self._items == list(cast("Iterable[object]", other))
            if isinstance(other, Iterable)
            else NotImplemented
        )

    __hash__ = None  # type: ignore[assignment]  # as a list

    def insert(self, index: int, value: _T) -> None:
        """Put an item before the one with this index."""
        self._changeable().insert(index, value)

    def __repr__(self) -> str:
        state = ", frozen" if self.frozen else ""
        return f"<{type(self).__name__}({self._items!r}{state})>"


class Signal(FrozenList[Callable[_P, Awaitable[object]]], Generic[_P]):
    """Coroutine functions that are called one after the other when something happens.

    ``owner`` is told in ``repr``.
    """

    __slots__ = ("_owner",)

    def __init__(self, owner: object = None) -> None:
        super().__init__()
        self._owner = owner

    async def send(self, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Call them all, in order. The first error ends it.

        Raises:
            RuntimeError: if the signal isn't frozen: somebody could still change it.
        """
        if not self.frozen:
            raise RuntimeError(f"{self!r} can't be sent before it is frozen")
        for receiver in self._items:
            await receiver(*args, **kwargs)

    async def send_to_all(self, *args: _P.args, **kwargs: _P.kwargs) -> list[BaseException]:
        """Call them all, whatever one of them raises; return the errors.

        Cancelling this ends it; a CancelledError that nobody asked for is an error of
        its receiver, such as of one that awaits the task that it has cancelled.
        """
        errors: list[BaseException] = []
        for receiver in self._items:
            error = await error_of(receiver, *args, **kwargs)
            if isinstance(error, asyncio.CancelledError) and is_cancelled():
                raise error
            if error is not None:
                errors.append(error)
        return errors

    def __call__(
        self, receiver: Callable[_P, Awaitable[object]]
    ) -> Callable[_P, Awaitable[object]]:
        """Append a receiver; for use as a decorator: ``@app.on_startup``."""
        self.append(receiver)
        return receiver

    def __repr__(self) -> str:
        return f"<Signal of {self._owner!r}, {len(self)} receivers>"


class CleanupError(RuntimeError):
    """Several things went wrong while an application was cleaned up: see ``exceptions``."""

    def __init__(self, message: str, exceptions: Sequence[BaseException] = ()) -> None:
        super().__init__(message, list(exceptions))

    @property
    def exceptions(self) -> list[BaseException]:
        """The errors, in the order in which they happened."""
        found: list[BaseException] = self.args[1]
        return found

    def __str__(self) -> str:
        return "; ".join([self.args[0], *(repr(exc) for exc in self.exceptions)])


def raise_all(what: str, errors: Sequence[BaseException]) -> None:
    """Raise the error, or one that lists them if there are several; none is fine.

    Raises:
        CleanupError: for several.
        CancelledError: for several, if the task is being cancelled; from a CleanupError.
    """
    if len(errors) == 1:
        raise errors[0]
    if errors:
        all_of_them = CleanupError(f"{len(errors)} errors in {what}", errors)
        cancelled = next((exc for exc in errors if isinstance(exc, asyncio.CancelledError)), None)
        if cancelled is not None and is_cancelled():
            raise cancelled from all_of_them
        raise all_of_them


async def error_of(
    function: Callable[_P, Awaitable[object]], *args: _P.args, **kwargs: _P.kwargs
) -> Exception | asyncio.CancelledError | None:
    """Call and await a function; return what it raised, or None."""
    try:
        await function(*args, **kwargs)
    except (Exception, asyncio.CancelledError) as exc:  # noqa: BLE001 - returned
        return exc
    return None


def is_cancelled() -> bool:
    """Tell whether somebody wants the running task to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


_Context: TypeAlias = (
    "Callable[[Application], AsyncIterator[None] | AbstractAsyncContextManager[Any]]"
)


class CleanupContext(FrozenList[_Context]):
    """Asynchronous generators, or context managers, around the life of an application.

    ::

        async def database(app):
            async with open_pool() as app[POOL]:
                yield


        app.cleanup_ctx.append(database)

    What is before ``yield`` runs at the start, in order; what is behind it at the
    end, in reverse order, and only of those whose first part came to its ``yield``.
    """

    __slots__ = ("_entered",)

    def __init__(self) -> None:
        super().__init__()
        self._entered: list[AbstractAsyncContextManager[Any]] = []

    async def enter(self, app: Application) -> None:
        """Run the first parts; the first error ends it. ``leave`` is to be called then too."""
        for make in self._items:
            context = _as_context(make(app))
            await context.__aenter__()
            self._entered.append(context)

    async def leave(self) -> list[BaseException]:
        """Run the second parts of those that were entered, each once; return the errors.

        Cancelling this cancels the part that runs; the others run all the same.
        """
        errors: list[BaseException] = []
        while self._entered:
            error = await error_of(self._entered.pop().__aexit__, None, None, None)
            if error is not None:
                errors.append(error)
        return errors


def _as_context(
    made: AsyncIterator[None] | AbstractAsyncContextManager[Any],
) -> AbstractAsyncContextManager[Any]:
    """Return a generator as the context manager that it stands for."""
    if isinstance(made, AbstractAsyncContextManager):
        return made  # pyright: ignore[reportUnknownVariableType]

    def again() -> AsyncGenerator[None]:
        return cast("AsyncGenerator[None]", made)

    return asynccontextmanager(again)()
