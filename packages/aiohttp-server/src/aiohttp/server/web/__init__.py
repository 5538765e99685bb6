"""``aiohttp.web``: the names with which servers are written."""

from __future__ import annotations

from ..serving import run_app, serve

__all__ = ["run_app", "serve"]
