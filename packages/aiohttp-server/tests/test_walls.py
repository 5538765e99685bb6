"""The walls of the server: what it may import, however the import is written."""

from __future__ import annotations

from house import forbidden_imports, importable_rooms, private_imports


def test_server_imports_protocol_and_what_it_declares() -> None:
    """The server imports the standard library, protocol, multidict and yarl.

    But for two places: its ``TestClient`` knows the client, and its plugin pytest.
    """
    doors = ["aiohttp.abc", "aiohttp.hdrs"]  # to protocol
    allowed = ["aiohttp.server", "aiohttp.protocol", *doors, "multidict", "yarl"]
    beside = {
        "server/testing/client.py": "from aiohttp.client",
        "server/pytest_plugin/": "imports pytest",
    }
    assert [
        found
        for found in forbidden_imports("server", allowed)
        if not any(place in found and what in found for place, what in beside.items())
    ] == []


def test_imports_from_protocol_are_public() -> None:
    """What the server takes from protocol is in an ``__all__`` there."""
    assert private_imports("server") == []


def test_other_rooms_are_not_importable() -> None:
    """Where protocol and the server are installed, no other room is found."""
    assert importable_rooms("server") == ["protocol", "server"]
