"""What ``module:app`` on a command line means."""

from __future__ import annotations

import difflib
import inspect
import shlex
import sys
from collections.abc import Awaitable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["TargetError", "load"]

_DEFAULT_NAME = "app"


class TargetError(Exception):
    """Why a target can't be served, as a sentence for whoever typed it."""


def load(target: str, arguments: Sequence[str] = ()) -> Any:
    """Return the application that ``target`` names, or an awaitable of it.

    ``shop.web:app`` is ``app`` of the module ``shop.web``, seen from the current
    folder; without a colon the name is ``app``. What has ``handle_exchange`` is served
    as it is. Anything else that can be called makes the application: it is given
    ``arguments`` if it needs one argument.

    Raises:
        TargetError: if there is no such module or name, or it is nothing to serve, or
            nobody takes the arguments: then they are options with a mistake. An error
            inside the module is not translated: its traceback is wanted.
    """
    module_name, _, name = target.partition(":")
    if not module_name or not all(part.isidentifier() for part in module_name.split(".")):
        raise TargetError(
            f"expected module:app, such as shop.web:app, got {target!r}{_module_meant(target)}"
        )
    found = _find(_import(module_name), name or _DEFAULT_NAME)
    if inspect.isclass(found) and not callable(getattr(found, "handle_exchange", None)):
        _refuse_arguments(target, arguments)
        return _require(found(), target)
    if hasattr(found, "handle_exchange"):
        if inspect.isclass(found):
            raise TargetError(f"{target} is a class: expected an application, or what makes one")
        _refuse_arguments(target, arguments)
        return found
    if not callable(found):
        raise TargetError(
            f"expected {target} to be an application, which has handle_exchange(), such as "
            f"web.Application(), or a function that makes one; it is {_kind(found)}"
        )
    return _require(_make(found, target, arguments), target)


def _module_meant(target: str) -> str:
    """Return a hint to whoever typed the path of a file."""
    path, _, name = target.partition(":")
    parts = [part for part in path.removesuffix(".py").split("/") if part not in {"", "."}]
    if path.endswith(".py") and parts and all(part.isidentifier() for part in parts):
        return f"; did you mean {'.'.join(parts)}:{name or _DEFAULT_NAME}?"
    return ""


def _import(name: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name is not None and (name == exc.name or name.startswith(f"{exc.name}.")):
            raise TargetError(
                f"no module {name} in {here}, nor among what is installed{_module_meant(name)}"
            ) from exc
        raise  # something that the module itself imports is missing


def _find(module: Any, path: str) -> Any:
    found = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            close = difflib.get_close_matches(name, [n for n in dir(found) if n[:1] != "_"], n=3)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise TargetError(f"module {module.__name__} has no {path}{hint}") from None
    return found


def _refuse_arguments(target: str, arguments: Sequence[str]) -> None:
    if arguments:
        raise TargetError(
            f"{target} takes no arguments, got {shlex.join(arguments)}; --help tells the options "
            "that there are"
        )


def _make(factory: Any, target: str, arguments: Sequence[str]) -> Any:
    needed = [
        each
        for each in inspect.signature(factory).parameters.values()
        if each.default is each.empty
        and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) > 1:
        raise TargetError(
            f"{factory.__qualname__} needs {len(needed)} arguments; a function that makes an "
            "application takes none, or a list of the arguments behind module:app"
        )
    if needed:
        return factory(list(arguments))
    _refuse_arguments(target, arguments)
    return factory()


def _require(made: Any, target: str) -> Any:
    """Return what a factory made, if it can be served; an awaitable is looked at later."""
    if hasattr(made, "handle_exchange"):
        return made
    if inspect.isawaitable(made):
        return _require_later(made, target)
    raise TargetError(
        f"expected {target}() to return an application, which has handle_exchange(), such as "
        f"web.Application(); it returned {_kind(made)}"
    )


async def _require_later(made: Awaitable[Any], target: str) -> Any:
    return _require(await made, target)


def _kind(value: object) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"
