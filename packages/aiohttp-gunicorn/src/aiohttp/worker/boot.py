"""A worker that can't start, and how gunicorn learns of it."""

from __future__ import annotations

import mmap
from typing import Self

__all__ = ["BootError", "SharedFlag"]


class BootError(Exception):
    """Why this worker can't serve, as a sentence for whoever started gunicorn.

    Attributes:
        code: with which the worker exits, so that gunicorn ends instead of trying for ever:
            3 where it can't boot, 4 where there is no application.
        error: what the application has raised, whose traceback helps; None without one.
    """

    def __init__(self, message: str, code: int = 3, error: BaseException | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.error = error

    @classmethod
    def by(cls, error: BaseException, what: str) -> Self:
        """Return that this error of the application is why, and what it has failed at."""
        return cls(f"{what}: {type(error).__name__}: {error}", error=error)


class SharedFlag:
    """A flag that a process shares with those that it forks.

    All workers of a gunicorn fail for the same reason and within the same moment: the
    first one says why.
    """

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def take(self) -> bool:
        """Raise the flag; return whether it was down.

        Two processes in the very same instant may both find it down.
        """
        is_first = not self._byte[0]
        self._byte[0] = 1
        return is_first

    def lower(self) -> None:
        """Have the next one take it."""
        self._byte[0] = 0
