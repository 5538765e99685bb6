"""The loggers of this stack, by the names under which programs configure them.

``aiohttp.log`` is this module. Nothing is configured here: without a handler of the
program's own, warnings and errors go to stderr, as logging does by itself.
"""

from __future__ import annotations

import logging

__all__ = [
    "access_logger",
    "client_logger",
    "internal_logger",
    "server_logger",
    "web_logger",
    "ws_logger",
]

access_logger = logging.getLogger("aiohttp.access")
client_logger = logging.getLogger("aiohttp.client")
internal_logger = logging.getLogger("aiohttp.internal")
server_logger = logging.getLogger("aiohttp.server")
web_logger = logging.getLogger("aiohttp.web")
ws_logger = logging.getLogger("aiohttp.websocket")
