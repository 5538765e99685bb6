"""What an application says before the body, and what is remembered of it."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttp.protocol import InvalidUse
from aiohttp.worker.heads import FieldMemory, parse_start


def read(name: str, value: str) -> tuple[str, str]:
    """Return a field as it is; refuse a wrong one."""
    if value == "wrong":
        raise InvalidUse("expected another value")
    return name, value.strip()


def test_fields_are_looked_up() -> None:
    """A field that comes again is the same object."""
    memory = FieldMemory(read, frozenset())
    assert memory["X", " 1"] == ("X", "1")
    assert memory["X", " 1"] is memory["X", " 1"]


def test_special_fields_are_left_to_the_caller() -> None:
    """Their names are known in any case."""
    memory = FieldMemory(read, frozenset({"te"}))
    assert memory["TE", "1"] is memory["te", "1"] is None


def test_wrong_fields_are_refused_again() -> None:
    """Nothing is remembered of them."""
    memory = FieldMemory(read, frozenset())
    for _ in range(2):
        with pytest.raises(InvalidUse):
            memory["X", "wrong"]


def test_memory_is_bounded() -> None:
    """Neither what is made up on the way fills it, nor what is long, new or secret."""
    memory = FieldMemory(read, frozenset())
    for number in range(2 * memory.FIELDS):
        assert memory["x", str(number)] == ("x", str(number))
    assert len(memory) <= memory.FIELDS
    memory.clear()
    for field in (("y", "long" * 50), ("ETag", "new"), ("Set-Cookie", "secret")):
        assert memory[field] == field
    assert not memory


def test_start_is_read() -> None:
    """Status, reason where it isn't the registered one, fields, and apart from them the length."""
    headers = [("X", " 1\t"), ("Content-Length", "5"), ("Connection", "close"), ("Y", "2")]
    fields = [("X", "1"), ("Y", "2")]
    assert parse_start("200 OK", headers) == ((200, None, fields), 5)
    assert parse_start("200 Fine", []) == ((200, "Fine", []), None)


def test_fields_of_a_start_are_its_own() -> None:
    """What is added to them isn't there the next time."""
    headers = [("X", "1")]
    parse_start("200 OK", headers)[0][2].append(("Y", "2"))
    assert parse_start("200 OK", headers)[0][2] == [("X", "1")]


@pytest.mark.parametrize("name", ["Content-Length", "content-length", "CONTENT-LENGTH"])
def test_length_may_be_told_twice(name: str) -> None:
    """If it is the same, white space aside."""
    headers = [(name, " 5"), ("Content-Length", "5 "), ("content-length", "5")]
    assert parse_start("200 OK", headers) == ((200, None, []), 5)


@pytest.mark.parametrize("values", [("x",), ("",), ("-1",), ("5 5",), ("\u0665",), ("5", "6")])
def test_length_must_be_a_number(values: tuple[str, ...]) -> None:
    """One, in digits."""
    headers = [("Content-Length", value) for value in values]
    with pytest.raises(InvalidUse, match="expected one Content-Length in digits"):
        parse_start("200 OK", headers)


@pytest.mark.parametrize(
    "header", [(b"X", "1"), ("X", b"1"), ("X", 1), ("X", ["1"]), ("Content-Length", 5)]
)
def test_headers_are_native_strings(header: Any) -> None:
    """The error shows the header, also one that can't be looked up."""
    with pytest.raises(InvalidUse, match="expected a header of two str"):
        parse_start("200 OK", [header])


def test_headers_may_be_lists() -> None:
    """Of two items."""
    assert parse_start("200 OK", [["X", "1"]])[0][2] == [("X", "1")]  # type: ignore[list-item]
