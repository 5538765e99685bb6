"""The walls of the worker: what it may import, however the import is written."""

from __future__ import annotations

from house import forbidden_imports, importable_rooms, private_imports


def test_worker_imports_protocol_and_what_it_declares() -> None:
    """The worker imports the standard library, protocol, gunicorn; uvloop where it exists."""
    allowed = ["aiohttp.worker", "aiohttp.protocol", "gunicorn", "uvloop"]
    allowed += ["annotationlib"]  # of the standard library from Python 3.14 on
    assert forbidden_imports("worker", allowed) == []


def test_imports_from_protocol_are_public() -> None:
    """What the worker takes from protocol is in an ``__all__`` there."""
    assert private_imports("worker") == []


def test_other_rooms_are_not_importable() -> None:
    """Where protocol and the worker are installed, no other room is found."""
    assert importable_rooms("worker") == ["protocol", "worker"]
