"""What is tested is what was built: the installed files are those of the tree."""

from __future__ import annotations

from house import installed_problems


def test_installed_room_is_that_of_the_tree() -> None:
    """No file of ``aiohttp.client`` is missing, added or older than the tree's."""
    assert installed_problems("aiohttp-client", "client") == []
