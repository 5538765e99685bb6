"""Rounds in which contenders take turns, so that a noisy minute falls on all of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["turns"]

Item = TypeVar("Item")


def turns(
    what: str, items: Sequence[Item], rounds: int, label: Callable[[Item], str] = str
) -> Iterator[tuple[int, Item]]:
    """Yield (round, item), each item once a round; every round begins with another one.

    Shows on a terminal how far it is.
    """
    total = rounds * len(items)
    for number in range(total):
        turn, place = divmod(number, len(items))
        item = items[(turn + place) % len(items)]
        _show(f"{what}: round {turn + 1} of {rounds}, {label(item)} ({number * 100 // total} %)")
        yield turn, item
    _show("")


def _show(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text[:100]}")
        sys.stderr.flush()
