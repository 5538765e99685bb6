"""``server/target.py``: what ``module:app`` on a command line means."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiohttp.server.target import TargetError, load

SOURCE = """
class App:
    async def handle_exchange(self, exchange): ...

app = App()
application = App()
seen = []

def create(): return app
async def create_later(): return app
async def nothing_later(): return None
def init(argv):
    seen.extend(argv)
    return app
def two(a, b): return app
def nothing(): return None
class Made(App): ...
class Other: ...
number = 5
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module ``shop.web`` in the current folder."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "web.py").write_text(SOURCE)
    (tmp_path / "shop" / "broken.py").write_text("import not_there_at_all")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in [each for each in sys.modules if each.partition(".")[0] == "shop"]:
        del sys.modules[name]


def test_application() -> None:
    """An application is taken as it is; without a colon its name is ``app``."""
    found = load("shop.web:app")
    assert found is load("shop.web")
    assert type(found).__name__ == "App"


def test_function_that_makes_one() -> None:
    """A function without parameters is called."""
    assert load("shop.web:create") is load("shop.web:app")


async def test_coroutine_function_that_makes_one() -> None:
    """What a coroutine function returns is awaited later, in the loop that serves."""
    assert await load("shop.web:create_later") is load("shop.web:app")


def test_function_gets_arguments() -> None:
    """A function with a parameter gets what follows on the command line."""
    assert load("shop.web:init", ["--debug", "x"]) is load("shop.web:app")
    assert sys.modules["shop.web"].seen == ["--debug", "x"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("", "expected module:app, such as shop.web:app, got ''"),
        ("shop/web.py:app", "expected module:app"),
        ("shopp.web:app", "no module shopp.web in .*, nor among what is installed"),
        ("shop.wep:app", "no module shop.wep"),
        ("shop.web:aplication", "module shop.web has no aplication; did you mean application"),
        ("shop.web:number", "expected shop.web:number to be an application.* it is an int"),
        ("shop.web:two", "two needs 2 arguments"),
        ("shop.web:nothing", "expected shop.web:nothing.* it returned None"),
        ("shop.web:Made", "shop.web:Made is a class: expected an application"),
        ("shop.web:Other", "expected shop.web:Other.* it returned an Other"),
        ("shop.py:app", "no module shop.py .*; did you mean shop:app"),
        ("./shop/web.py", "got './shop/web.py'; did you mean shop.web:app"),
    ],
)
def test_what_is_none(target: str, message: str) -> None:
    """Each mistake has a sentence of its own, which says what was expected."""
    with pytest.raises(TargetError, match=message):
        load(target)


@pytest.mark.parametrize("target", ["shop.web:app", "shop.web:create", "shop.web:Other"])
def test_arguments_that_nobody_takes(target: str) -> None:
    """They are options with a mistake: nothing is served in spite of it."""
    with pytest.raises(TargetError, match=f"{target} takes no arguments, got --prot 80; --help"):
        load(target, ["--prot", "80"])


async def test_nothing_that_is_made_later() -> None:
    """What a coroutine function returns is looked at when it is there."""
    made = load("shop.web:nothing_later")
    with pytest.raises(TargetError, match=r"shop.web:nothing_later.* it returned None"):
        await made


def test_error_inside_of_a_module_stays() -> None:
    """What a module itself can't import is not ours to explain."""
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        load("shop.broken:app")
