"""The walls of the client: what it may import, however the import is written."""

from __future__ import annotations

from house import forbidden_imports, importable_rooms, private_imports


def test_client_imports_protocol_and_what_it_declares() -> None:
    """The client imports the standard library, protocol, aiohappyeyeballs, multidict and yarl."""
    allowed = ["aiohttp.client", "aiohttp.protocol", "aiohappyeyeballs", "multidict", "yarl"]
    allowed += ["aiodns", "publicsuffixlist", "truststore"]  # extras
    assert forbidden_imports("client", allowed) == []


def test_imports_from_protocol_are_public() -> None:
    """What the client takes from protocol is in an ``__all__`` there."""
    assert private_imports("client") == []


def test_other_rooms_are_not_importable() -> None:
    """Where protocol and the client are installed, no other room is found."""
    assert importable_rooms("client") == ["protocol", "client"]
