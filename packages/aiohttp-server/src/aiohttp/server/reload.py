"""Notices that a module of the running program has changed on disk."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from traceback import walk_tb

__all__ = ["ChangedFiles", "Watcher", "files_of_error", "files_of_modules"]

INTERVAL = 0.5
"""Seconds between two looks at all files: 500 of them take 2 ms."""


def files_of_modules() -> set[Path]:
    """Return the source files of what is imported, but for the standard library's."""
    own = Path(sys.base_prefix) / "lib"
    found: set[Path] = set()
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py"):
            path = Path(file)
            if own not in path.parents or "site-packages" in path.parts:
                found.add(path)
    return found


def files_of_error(exc: BaseException) -> set[Path]:
    """Return the files that had a part in an error: what can't be imported is no module.

    Also those that would have helped: where a module that is missing may appear.
    """
    found: set[Path] = set()
    cause: BaseException | None = exc
    while cause is not None:
        found |= {Path(frame.f_code.co_filename) for frame, _ in walk_tb(cause.__traceback__)}
        if isinstance(cause, SyntaxError) and cause.filename:
            found.add(Path(cause.filename))
        if isinstance(cause, ModuleNotFoundError) and cause.name:
            found |= _files_of_name(cause.name)
        cause = cause.__cause__ or cause.__context__
    return found


def _files_of_name(module: str) -> set[Path]:
    """Return the files of which any would be this module."""
    places = [Path(folder, *module.split(".")) for folder in sys.path]
    return {each for place in places for each in (place.with_suffix(".py"), place / "__init__.py")}


class ChangedFiles:
    """Compares files with how they were when they were first seen. Pure but for ``stat``."""

    def __init__(self, files: Callable[[], Iterable[Path]] = files_of_modules) -> None:
        self._files = files
        self._seen: dict[Path, int | None] = {}

    def also(self, files: Iterable[Path]) -> None:
        """Have these files looked at as well, as they are now."""
        for path in files:
            self._seen.setdefault(path, _changed_at(path))

    def look(self) -> Path | None:
        """Return a file that has changed, or is gone, since it was first seen."""
        for path in {*self._seen, *self._files()}:
            now = _changed_at(path)
            if self._seen.setdefault(path, now) != now:
                self._seen[path] = now
                return path
        return None


class Watcher:
    """Looks at files in a thread of its own until one has changed.

    Args:
        on_change: called in that thread, once, with the file.
        interval: seconds between two looks.
    """

    def __init__(
        self,
        on_change: Callable[[Path], object],
        *,
        changed: ChangedFiles | None = None,
        interval: float = INTERVAL,
    ) -> None:
        self._on_change = on_change
        self._changed = ChangedFiles() if changed is None else changed
        self._interval = interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="reload", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End it, and return when it has ended."""
        self._stop.set()
        self._thread.join()

    def wait(self) -> None:
        """Return when a file has changed."""
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            path = self._changed.look()
            if path is not None:
                self._on_change(path)
                return
            self._stop.wait(self._interval)


def _changed_at(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
