"""What aiohttp 3 documents of its client (``aiohttp3-client.txt``), and what ours says to it."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import Parameter
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from aiohttp.client.options import RequestOptions
from aiohttp.client.reception import Reception

__all__ = ["COVERING", "NOT_GIVEN", "Row", "calls", "mentions", "parameters_of", "rows"]

DATA = Path(__file__).with_name("aiohttp3-client.txt")

NOT_GIVEN = object()
"""The default of a parameter that says nothing when it is left out."""

_WORDS: dict[str, Any] = {
    # What the signatures in the documentation are made of.
    "ClientRequest": aiohttp.ClientRequest,
    "ClientResponse": aiohttp.ClientResponse,
    "aiohttp": aiohttp,
    "chunk_size": 8192,
    "json": json,
    "sentinel": NOT_GIVEN,
}


@dataclass(frozen=True)
class Row:
    """One documented name.

    Attributes:
        path: where it is to be found below ``aiohttp``, such as ``ClientSession.get``.
        kind: class, exception, function, data; attribute, method, classmethod.
        is_async: whether it is to be awaited, or iterated with ``async for``.
        parameters: with their defaults; None if the documentation has no signature.
    """

    path: str
    kind: str
    is_async: bool
    parameters: Mapping[str, Parameter] | None

    def __str__(self) -> str:
        return self.path

    @property
    def name(self) -> str:
        """The name itself."""
        return self.path.rpartition(".")[2]

    @property
    def found(self) -> Any:
        """What we have in this place."""
        value: Any = aiohttp
        for name in self.path.split("."):
            value = getattr(value, name)
        return value


@cache
def rows() -> tuple[Row, ...]:
    """Return every documented name, in the documentation's order."""
    return tuple(_rows(DATA.read_text(encoding="utf-8")))


def _rows(text: str) -> Iterator[Row]:
    owner = ""
    for line in text.splitlines():
        found = re.fullmatch(r"( *)(async )?(\w+) ([\w.]+)(?:\((.*)\))?", line)
        if found is None:
            continue  # a comment
        indent, is_async, kind, name, arguments = found.groups()
        path = f"{owner}.{name}" if indent else name.removeprefix("aiohttp.")
        if not indent:
            owner = path
        parameters = None
        if arguments is not None:
            # The file is ours, and its words are those above.
            documented = eval(f"lambda {arguments}: 0", _WORDS.copy())
            parameters = inspect.signature(documented).parameters
        yield Row(path, kind, bool(is_async), parameters)


# What ours takes.


def parameters_of(found: Callable[..., Any]) -> dict[str, Parameter]:
    """Return what a callable takes, with the options of ``request()`` spelled out."""
    parameters = dict(inspect.signature(found).parameters)
    parameters.pop("self", None)
    if any(each.annotation == "Unpack[RequestOptions]" for each in parameters.values()):
        for option in RequestOptions.__annotations__:
            parameters.setdefault(option, _option(option))
    return parameters


def _option(name: str) -> Parameter:
    """Return an option of ``request()``, with the default of whoever takes it in the end."""
    for taker in (aiohttp.ClientSession._request, aiohttp.ClientRequest, Reception.altered):
        if name in (found := inspect.signature(taker).parameters):
            return found[name]
    raise LookupError(f"{name} is an option, but nobody takes it")


# Which test calls what.

COVERING: dict[str, Callable[..., object]] = {}
"""Every documented name that some test calls, and that test."""

Test = TypeVar("Test", bound=Callable[..., object])


def calls(owner: str, *members: str) -> Callable[[Test], Test]:
    """Say of a test that it calls these members of ``owner``, or ``owner`` itself."""

    def register(test: Test) -> Test:
        for path in [f"{owner}.{member}" for member in members] or [owner]:
            COVERING[path] = test
        return test

    return register


def mentions(test: Callable[..., object]) -> set[str]:
    """Return every name, attribute and key in a test's code; also of what parametrizes it."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(test))).body
    if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        # Saying that one calls something is not calling it.
        function.decorator_list = [
            each for each in function.decorator_list if not ast.unparse(each).startswith("calls(")
        ]
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found
