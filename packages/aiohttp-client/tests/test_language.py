"""What the language itself must not be used for (CVE-2025-69227, CVE-2026-34993)."""

from __future__ import annotations

import ast

from house import imports, sources


def test_no_control_flow_in_assert() -> None:
    """Under ``python -O`` asserts are gone: the client has none."""
    found = [
        f"{file.name}:{node.lineno}"
        for file, _ in sources("client")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert found == []


def test_no_pickle() -> None:
    """Nothing is unpickled: whoever could write the file could run code."""
    found = [
        str(one)
        for file, module in sources("client")
        for one in imports(file, module)
        if one.module in {"pickle", "shelve", "marshal"}
    ]
    assert found == []
