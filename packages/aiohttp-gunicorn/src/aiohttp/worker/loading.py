"""From ``module:name``, as gunicorn's command line has it, to what it stands for.

gunicorn's own loader refuses what isn't callable, so neither a mapping from ports to
applications nor what a coroutine ``create_app()`` returns would get through it.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

from .boot import BootError

__all__ = ["load"]

_NO_APPLICATION = 4


def load(uri: str) -> object:
    """Return what ``module``, ``module:name`` or ``module:make(1, debug=True)`` stands for.

    The name may have dots; without one it is ``application``. Arguments are literals. What
    a coroutine function makes is returned as the coroutine that it is.

    Raises:
        BootError: if there is no such name, or this is no expression of that kind.
        Exception: what importing the module, or calling the function, raises.
    """
    module_name, _, expression = uri.partition(":")
    module = _import(module_name, expression or "application")
    try:
        node = ast.parse(expression or "application", mode="eval").body
    except SyntaxError:
        raise _unreadable(uri) from None
    if not isinstance(node, ast.Call):
        return _find(module, node, uri)
    try:
        positional = [ast.literal_eval(each) for each in node.args]
        named = {each.arg: ast.literal_eval(each.value) for each in node.keywords if each.arg}
    except ValueError:
        raise BootError(f"expected literal arguments in {uri!r}", _NO_APPLICATION) from None
    return _find(module, node.func, uri)(*positional, **named)


def _import(name: str, expression: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        path = Path(name)
        if path.suffix == ".py" and path.exists():
            meant = ".".join(path.with_suffix("").parts)
            raise BootError(
                f"{name!r} is a file, not a module: did you mean '{meant}:{expression}'?",
                _NO_APPLICATION,
            ) from exc
        raise


def _find(module: Any, node: ast.expr, uri: str) -> Any:
    """Return what a name with or without dots means in a module."""
    if isinstance(node, ast.Name):
        owner, name = module, node.id
    elif isinstance(node, ast.Attribute):
        owner, name = _find(module, node.value, uri), node.attr
    else:
        raise _unreadable(uri)
    try:
        return getattr(owner, name)
    except AttributeError:
        where = module.__name__
        raise BootError(
            f"Failed to find attribute {name!r} in {where!r}.", _NO_APPLICATION
        ) from None


def _unreadable(uri: str) -> BootError:
    return BootError(
        f"expected 'module:name' or 'module:function(arguments)', got {uri!r}", _NO_APPLICATION
    )
