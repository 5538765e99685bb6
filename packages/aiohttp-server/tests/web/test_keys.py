"""``web/keys.py``: typed keys, and several mappings seen as one."""

from __future__ import annotations

import pytest

from aiohttp.server.web.keys import AppKey, ChainMapProxy, RequestKey, ResponseKey


@pytest.mark.parametrize("kind", [AppKey, RequestKey, ResponseKey])
def test_key_tells_its_name_and_type(kind: type[AppKey[int]]) -> None:
    """A key says in which module it was made, its name and the type of what it keeps."""
    assert repr(kind("count", int)) == f"<{kind.__name__}({__name__}.count, type=int)>"
    assert repr(kind("any")) == f"<{kind.__name__}({__name__}.any, type=unknown)>"


def test_key_takes_its_type_from_its_annotation() -> None:
    """``AppKey[...]`` says the type too, be it a class or more than that."""
    assert repr(AppKey[bytes]("a")).endswith("type=bytes)>")
    assert repr(AppKey[list[int]]("a")).endswith("type=list[int])>")
    assert repr(AppKey("a", ChainMapProxy)).endswith("type=aiohttp.server.web.keys.ChainMapProxy)>")


def test_keys_of_one_name_are_two() -> None:
    """A key equals nothing but itself."""
    one, other = AppKey("a", int), AppKey("a", int)
    assert one != other
    assert len({one, other, one}) == 2


def test_keys_are_sorted_by_name() -> None:
    """Keys can be sorted, beside strings too."""
    a, b = AppKey("a", int), AppKey("b", int)
    assert sorted([b, a]) == [a, b]


def test_name_of_a_key_is_a_string() -> None:
    """A forgotten name is an error that says what came instead."""
    with pytest.raises(TypeError, match="expected a str as the name of a key, got type"):
        AppKey(int)  # type: ignore[arg-type]


def test_first_mapping_wins() -> None:
    """A chain finds a key in the first mapping that has it."""
    key = AppKey("a", int)
    chain = ChainMapProxy([{key: 1, "b": 2}, {"b": 3, "c": 4}])
    assert (chain[key], chain["b"], chain["c"]) == (1, 2, 4)
    assert (chain.get("d"), chain.get("d", 5), chain.get(key)) == (None, 5, 1)
    assert set(chain) == {key, "b", "c"}
    assert len(chain) == 3
    assert "c" in chain
    assert "d" not in chain
    with pytest.raises(KeyError, match="d"):
        chain["d"]


def test_chain_is_true_if_there_is_something() -> None:
    """A chain of empty mappings is false, as an empty mapping is."""
    assert not ChainMapProxy([{}, {}])
    assert ChainMapProxy([{}, {"a": 1}])
    assert repr(ChainMapProxy([{}, {"a": 1}])) == "ChainMapProxy({}, {'a': 1})"
