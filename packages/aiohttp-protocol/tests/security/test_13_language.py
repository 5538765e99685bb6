"""Rule 13: no control flow in assert, no pickle, no code from data, no raw text in messages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import aiohttp.protocol
from aiohttp.protocol.errors import BadHttpMessage
from aiohttp.protocol.http1.head import parse_request_head, parse_response_head

SOURCES = sorted(Path(str(aiohttp.protocol.__file__)).parent.rglob("*.py"))
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "code", "runpy"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}


@pytest.fixture(params=SOURCES, ids=[path.stem for path in SOURCES])
def tree(request: pytest.FixtureRequest) -> ast.Module:
    """Return a module of the package as a tree."""
    path: Path = request.param
    return ast.parse(path.read_text(encoding="utf-8"))


def test_no_assert(tree: ast.Module) -> None:
    """CVE-2025-69227: nothing depends on what python -O takes away."""
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]


def test_no_pickle(tree: ast.Module) -> None:
    """CVE-2026-34993: nothing that runs code from data is imported."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    assert not names & FORBIDDEN_MODULES


def test_no_code_from_data(tree: ast.Module) -> None:
    """Nothing is evaluated, either."""
    calls = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & FORBIDDEN_CALLS


def test_no_possessive_group(tree: ast.Module) -> None:
    """Python 3.11 before 3.11.5 takes what ``(…)*+`` must not match for a match (gh-106052)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            without_sets = re.sub(r"\[(?:[^\]\\]|\\.)*\]", "", text)
            assert not re.search(r"\)(?:[*+?]|\{[0-9,]+\})\+", without_sets), node.lineno


@pytest.mark.parametrize(
    "data",
    [
        b"GET /\x1b[31mred HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\x9b31mred HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \x1b]0;title\x07\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\x1b[2J: b\r\n\r\n",
        b"G\x1b[8mT / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xc2\x9b5\r\n\r\n",
    ],
)
def test_no_escape_sequence_in_a_message(data: bytes) -> None:
    """CVE-2020-7694: what a peer sends reaches a terminal escaped, or not at all."""
    with pytest.raises(BadHttpMessage) as caught:
        parse_request_head(data)
    assert caught.value.message.isprintable()
    with pytest.raises(BadHttpMessage) as caught:
        parse_response_head(data)
    assert caught.value.message.isprintable()


def test_target_is_not_unquoted() -> None:
    """CVE-2020-7694: a percent-encoded control stays encoded: a target is handed on as it came."""
    data = b"GET /%1b%5b31m%0d%0aX HTTP/1.1\r\nHost: a\r\n\r\n"
    assert parse_request_head(data).target == "/%1b%5b31m%0d%0aX"
