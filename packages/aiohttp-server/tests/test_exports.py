"""The public surface of ``aiohttp.server``: declared twice, and compared."""

from __future__ import annotations

from importlib import import_module

import aiohttp
from house import exports_problems


def test_public_names_agree() -> None:
    """Every module has ``__all__``, its names exist, and each has one home."""
    assert exports_problems("server") == []


def test_facade_offers_public_names_only() -> None:
    """Every name that the facade finds in this room is public here."""
    assert set(aiohttp._NAMES["server"]) <= set(import_module("aiohttp.server").__all__)
