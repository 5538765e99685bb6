"""Limits: on by default, checked when they are set, and told apart by name."""

from __future__ import annotations

import ast
import inspect
import math
from dataclasses import FrozenInstanceError, fields, replace
from itertools import pairwise

import pytest

from aiohttp.protocol import limits as module
from aiohttp.protocol.limits import DEFAULT_LIMITS, Limits

NAMES = [each.name for each in fields(Limits) if each.init]
CAN_BE_UNBOUNDED = {"body", "decoded"}


@pytest.mark.parametrize("name", NAMES)
def test_every_limit_is_on(name: str) -> None:
    """By default every quantity that a peer controls has a bound."""
    value = getattr(DEFAULT_LIMITS, name)
    assert value is not None
    assert 0 < value < math.inf


def test_every_limit_is_explained() -> None:
    """Each limit has its sentence right below it."""
    tree = ast.parse(inspect.getsource(module))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef))
    for node, following in pairwise(body):
        if isinstance(node, ast.AnnAssign):
            assert isinstance(following, ast.Expr)
            assert isinstance(following.value, ast.Constant)
            assert isinstance(following.value.value, str)


@pytest.mark.parametrize("name", NAMES)
def test_zero_is_a_bound(name: str) -> None:
    """Zero is accepted for every limit: it forbids, or turns off what can be turned off."""
    assert getattr(replace(DEFAULT_LIMITS, **{name: 0}), name) == 0


@pytest.mark.parametrize("value", [-1, -0.5, math.nan, "5", b"5", [5]])
@pytest.mark.parametrize("name", NAMES)
def test_no_number_is_refused(name: str, value: object) -> None:
    """What is no number from 0 on is refused when it is set, with the name of the limit."""
    with pytest.raises(ValueError, match=rf"Limits\.{name} must be a number from 0 on, not "):
        Limits(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_only_bodies_can_be_unbounded(name: str) -> None:
    """None takes the bound of a body away, and is refused for everything else."""
    if name in CAN_BE_UNBOUNDED:
        assert getattr(Limits(**{name: None}), name) is None  # type: ignore[arg-type]
    else:
        with pytest.raises(ValueError, match=f"{name} must be a number from 0 on, not None"):
            Limits(**{name: None})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["line", "field_line", "head"])
def test_unchecked_head_follows_its_limits(name: str) -> None:
    """A head that is no longer than the smallest of three limits can't exceed any of them."""
    assert DEFAULT_LIMITS.unchecked_head == 8190
    assert replace(DEFAULT_LIMITS, **{name: 100}).unchecked_head == 100


def test_limits_do_not_change() -> None:
    """One object serves all connections, so it is frozen."""
    with pytest.raises(FrozenInstanceError):
        DEFAULT_LIMITS.body = 5  # type: ignore[misc]
    assert Limits() == DEFAULT_LIMITS
    assert hash(Limits()) == hash(DEFAULT_LIMITS)
