"""What is tested is what was built: the installed files are those of the tree."""

from __future__ import annotations

from house import facade_problems, installed_problems


def test_installed_room_is_that_of_the_tree() -> None:
    """No file of ``aiohttp.protocol`` is missing, added or older than the tree's."""
    assert installed_problems("aiohttp-protocol", "protocol") == []


def test_installed_facade_is_that_of_the_tree() -> None:
    """The front door and its doors are this tree's."""
    assert facade_problems() == []
