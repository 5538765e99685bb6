"""What aiohttp 3 documents, as a file has it, and which tests call it.

The file has one name a line, with its kind and its signature as documented; a member
is indented below its class::

    class aiohttp.BaseConnector(*, keepalive_timeout=15, limit=100)
      attribute closed
      async method close()
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

__all__ = ["NOT_GIVEN", "Documentation", "Row", "agrees", "is_positional", "mentions"]

NOT_GIVEN = object()
"""The default of a parameter that says nothing when it is left out: "sentinel"."""


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


Test = TypeVar("Test", bound=Callable[..., object])


class Documentation:
    """The names of one file, and which test calls each.

    Args:
        file: what is documented.
        words: what its signatures are made of; "sentinel" is known.

    Attributes:
        rows: in the file's order.
        covering: every name that some test calls, and that test.
    """

    def __init__(self, file: Path, words: Mapping[str, Any]) -> None:
        self._words = {"sentinel": NOT_GIVEN, **words}
        self.rows = tuple(self._rows(file.read_text(encoding="utf-8")))
        self.covering: dict[str, Callable[..., object]] = {}

    def _rows(self, text: str) -> Iterator[Row]:
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
                documented = eval(f"lambda {arguments}: 0", self._words.copy())
                parameters = inspect.signature(documented).parameters
            yield Row(path, kind, bool(is_async), parameters)

    def calls(self, owner: str, *members: str) -> Callable[[Test], Test]:
        """Say of a test that it calls these members of ``owner``, or ``owner`` itself."""

        def register(test: Test) -> Test:
            for path in [f"{owner}.{member}" for member in members] or [owner]:
                self.covering[path] = test
            return test

        return register


def agrees(ours: Mapping[str, Parameter], theirs: Mapping[str, Parameter]) -> bool:
    """Whether all that is documented exists: what can be given by position in its position."""
    by_position = [name for name, each in theirs.items() if is_positional(each)]
    if [name for name, each in ours.items() if is_positional(each)][: len(by_position)] != (
        by_position
    ):
        return False
    kinds = {each.kind for each in ours.values()}
    return all(
        each.kind in kinds
        if each.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
        # One that takes several takes one, too.
        else name in ours and ours[name].kind in (each.kind, Parameter.VAR_POSITIONAL)
        for name, each in theirs.items()
    )


def is_positional(parameter: Parameter) -> bool:
    """Whether it may be given without its name."""
    return parameter.kind not in (Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD)


def mentions(test: Callable[..., object]) -> set[str]:
    """Return every name, attribute and key in a test's code, and what is defined there.

    Also of what parametrizes it.
    """
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
        elif isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node is not function:
            found.add(node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found
