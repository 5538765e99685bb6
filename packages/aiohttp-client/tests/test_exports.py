"""The public surface of ``aiohttp.client``: declared twice, and compared."""

from __future__ import annotations

from importlib import import_module

import aiohttp
from house import exports_problems


def test_public_names_agree() -> None:
    """Every module has ``__all__``, its names exist, and each has one home."""
    assert exports_problems("client") == []


def test_facade_offers_every_public_name() -> None:
    """``aiohttp.<name>`` works for every public name of the client."""
    client = import_module("aiohttp.client")
    assert sorted(aiohttp._NAMES["client"]) == sorted([*client.__all__, *client._SHADOWS])
