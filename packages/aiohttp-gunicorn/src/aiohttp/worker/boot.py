"""A worker that can't start, and how gunicorn learns of it."""

from __future__ import annotations

import os
from typing import Self

__all__ = ["BootError", "SharedFlag"]

_TOKEN = b"."


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
        # A token lies in a pipe: the system sees to it that only one of them gets it.
        self._end, self._mouth = os.pipe()
        os.set_blocking(self._end, False)
        os.write(self._mouth, _TOKEN)

    def __del__(self) -> None:
        os.close(self._end)
        os.close(self._mouth)

    def take(self) -> bool:
        """Raise the flag; return whether it was down."""
        try:
            return os.read(self._end, len(_TOKEN)) == _TOKEN
        except BlockingIOError:
            return False

    def lower(self) -> None:
        """Have the next one take it."""
        self.take()  # should another one have lowered it just now
        os.write(self._mouth, _TOKEN)
