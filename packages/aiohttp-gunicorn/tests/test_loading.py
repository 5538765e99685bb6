"""What a name on gunicorn's command line stands for."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from aiohttp.worker.boot import BootError
from aiohttp.worker.loading import load

SOURCE = """
application = "the usual one"
other = "another one"

class holder:
    app = "one with dots"

def make(*args, **kwargs):
    return args, kwargs

async def make_soon():
    return "later"

def fail():
    raise LookupError("of the application's own")
"""


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loaded_here.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType]
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "loaded_here", raising=False)


NAMED: list[tuple[str, object]] = [
    ("loaded_here", "the usual one"),
    ("loaded_here:other", "another one"),
    ("loaded_here:holder.app", "one with dots"),
    ("loaded_here:make()", ((), {})),
    ("loaded_here:make(1, 'a:b', debug=True)", ((1, "a:b"), {"debug": True})),
]


@pytest.mark.parametrize(("uri", "found"), NAMED)
def test_name_or_call(uri: str, found: object) -> None:
    """A name, with dots if need be, or a call with literals; without a name, ``application``."""
    assert load(uri) == found


def test_coroutine_is_returned_as_it_is() -> None:
    """A coroutine factory is called; there is no loop yet in which to await it."""
    made = load("loaded_here:make_soon()")
    assert asyncio.run(made) == "later"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("loaded_here:missing", r"Failed to find attribute 'missing' in 'loaded_here'\."),
        ("loaded_here:holder.missing", r"Failed to find attribute 'missing'"),
        ("loaded_here:missing()", r"Failed to find attribute 'missing'"),
        ("loaded_here:1 +", r"expected 'module:name' or .* got 'loaded_here:1 \+'"),
        ("loaded_here:[other]", r"expected 'module:name'"),
        ("loaded_here:make(other)", r"expected literal arguments in 'loaded_here:make\(other\)'"),
        ("loaded_here.py:other", r"is a file, not a module: did you mean 'loaded_here:other'\?"),
    ],
)
def test_what_is_no_application(uri: str, message: str) -> None:
    """The error quotes what was asked for, and stands for gunicorn's "App failed to load"."""
    with pytest.raises(BootError, match=message) as caught:
        load(uri)
    assert caught.value.code == 4


def test_missing_module() -> None:
    """A module that isn't there is Python's own error; it may be one that the application wants."""
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_module'"):
        load("no_such_module:app")


def test_error_of_the_application() -> None:
    """What a factory raises comes through."""
    with pytest.raises(LookupError, match="of the application's own"):
        load("loaded_here:fail()")
