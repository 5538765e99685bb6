"""The walls of protocol: what its rooms may import, however the import is written."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from house import (
    Import,
    forbidden_imports,
    importable_rooms,
    imports,
    private_imports,
    sources,
)

PURE = frozenset({"head", "lines", "body", "encode", "request", "state"})
"""The modules of ``http1`` that know no loop, no socket and no clock."""

WITHOUT_IO = frozenset(
    {
        "__future__",
        "abc",
        "binascii",
        "bisect",
        "collections",
        "collections.abc",
        "dataclasses",
        "enum",
        "functools",
        "http",
        "ipaddress",
        "itertools",
        "math",
        "operator",
        "re",
        "string",
        "struct",
        "types",
        "typing",
    }
)
"""The part of the standard library that a pure module may use."""


def pure_sources() -> list[tuple[Path, str]]:
    """Return the pure modules of ``http1`` that exist."""
    names = {f"aiohttp.protocol.http1.{name}" for name in PURE}
    return [(file, module) for file, module in sources("protocol") if module in names]


def is_pure(found: Import) -> bool:
    """Tell whether a pure module may have this import."""
    rooms = ["errors", "headers", "limits", *(f"http1.{name}" for name in PURE)]
    return (
        found.module in WITHOUT_IO
        or found.is_of("multidict")
        or any(found.is_of(f"aiohttp.protocol.{room}") for room in rooms)
    )


def test_protocol_knows_nobody_upstairs() -> None:
    """Protocol imports the standard library, multidict and itself; codings where they exist."""
    allowed = ["aiohttp.protocol", "multidict", "brotli", "backports.zstd"]
    assert forbidden_imports("protocol", allowed) == []


def test_other_rooms_are_not_importable() -> None:
    """Where protocol alone is installed, no other room is found."""
    assert importable_rooms("protocol") == ["protocol"]


def test_pure_modules_exist() -> None:
    """The rule below is about modules that are there."""
    assert {file.stem for file, _ in pure_sources()} == PURE


def test_pure_modules_import_nothing_that_does_io() -> None:
    """Parsing, framing and encoding know no loop, no socket and no clock."""
    found = [found for file, module in pure_sources() for found in imports(file, module)]
    assert [str(one) for one in found if not is_pure(one)] == []


def test_pure_modules_have_no_coroutine() -> None:
    """What is pure never waits."""
    asynchronous = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    found = [
        f"{file}:{getattr(node, 'lineno', 0)}"
        for file, _ in pure_sources()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, asynchronous)
    ]
    assert found == []


def test_siblings_never_see_each_other() -> None:
    """``http1``, ``http2`` and ``websocket`` meet only above themselves."""
    siblings = {f"aiohttp.protocol.{name}" for name in ("http1", "http2", "websocket")}
    found = [
        str(found)
        for file, module in sources("protocol")
        for home in siblings
        if module.startswith(home)
        for found in imports(file, module)
        if any(found.is_of(sibling) for sibling in siblings - {home})
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import aiohttp.client", "aiohttp.client"),
        ("def f():\n    from aiohttp import client", "aiohttp"),
        ("if TYPE_CHECKING:\n    from ..client import pool", "aiohttp.client"),
        ("from ... import client", "aiohttp"),
        ("import_module('aiohttp.client')", "aiohttp.client"),
    ],
)
def test_import_is_found_however_it_is_written(tmp_path: Path, source: str, module: str) -> None:
    """An import counts at the top, in a function, under TYPE_CHECKING and as text."""
    file = tmp_path / "module.py"
    file.write_text(source)
    depth = "aiohttp.protocol.http1" if "..." in source else "aiohttp.protocol"
    (found,) = imports(file, f"{depth}.module")
    assert found.module == module
    assert found.is_of("aiohttp.client")
    assert str(found).startswith(f"{file.as_posix()}:")


def test_imports_between_rooms_are_public() -> None:
    """Protocol takes nothing from a room upstairs, public or not."""
    assert private_imports("protocol") == []
