"""``server/reload.py``: changed files are noticed."""

from __future__ import annotations

import os
import queue
from pathlib import Path

import pytest

from aiohttp.server.reload import ChangedFiles, Watcher, files_of_error, files_of_modules


def touch(path: Path, seconds: int) -> None:
    """Write a file, with a time of its own."""
    path.write_text(str(seconds))
    os.utime(path, (seconds, seconds))


def test_change_is_seen_once(tmp_path: Path) -> None:
    """A file counts as changed when it differs from how it was first seen."""
    path = tmp_path / "a.py"
    touch(path, 1)
    changed = ChangedFiles(lambda: [path])
    assert changed.look() is None
    assert changed.look() is None
    touch(path, 2)
    assert changed.look() == path
    assert changed.look() is None


def test_new_file_is_no_change(tmp_path: Path) -> None:
    """A module that is imported later is watched from then on."""
    files = [tmp_path / "a.py"]
    touch(files[0], 1)
    changed = ChangedFiles(lambda: files)
    assert changed.look() is None
    files.append(tmp_path / "b.py")
    touch(files[1], 1)
    assert changed.look() is None
    touch(files[1], 2)
    assert changed.look() == files[1]


def test_file_that_is_gone_has_changed(tmp_path: Path) -> None:
    """Removing a file is a change, and so is its return; also of one that no module is any more."""
    path = tmp_path / "a.py"
    touch(path, 1)
    files = [path]
    changed = ChangedFiles(lambda: files)
    assert changed.look() is None
    files.clear()
    path.unlink()
    assert changed.look() == path
    touch(path, 1)
    assert changed.look() == path


def test_own_modules_are_watched() -> None:
    """What is imported is watched, the standard library is not."""
    files = files_of_modules()
    assert Path(__file__) in files
    assert Path(os.__file__) not in files


def test_watcher_tells_a_change(tmp_path: Path) -> None:
    """The watcher's thread tells the file that has changed, and ends."""
    path = tmp_path / "a.py"
    touch(path, 1)
    changed = ChangedFiles(lambda: [path])
    changed.look()
    told: queue.SimpleQueue[Path] = queue.SimpleQueue()
    watcher = Watcher(told.put, changed=changed, interval=0.001)
    watcher.start()
    touch(path, 2)
    assert told.get(timeout=10) == path
    watcher.wait()


def test_watcher_can_be_stopped(tmp_path: Path) -> None:
    """A watcher that nothing is told of ends when it is stopped."""
    told: queue.SimpleQueue[Path] = queue.SimpleQueue()
    watcher = Watcher(told.put, changed=ChangedFiles(list), interval=60)
    watcher.start()
    watcher.stop()
    assert told.empty()


def test_files_of_an_error(tmp_path: Path) -> None:
    """A file with a wrong syntax, or one that raises when it is run, is known by its error."""
    path = tmp_path / "wrong.py"
    for source in ("1 / 0", "1 +"):
        with pytest.raises((SyntaxError, ZeroDivisionError)) as info:
            exec(compile(source, path, "exec"))
        assert path in files_of_error(info.value)
