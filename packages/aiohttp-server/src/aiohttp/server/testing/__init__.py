"""``aiohttp.test_utils``: what tests of applications need.

``MemoryClient`` asks an application without sockets. ``TestServer`` serves it on a free
port; ``TestClient`` asks such a server with a ``ClientSession``, and needs aiohttp-client:
``pip install aiohttp-server[testing]``.
"""

from __future__ import annotations

from .memory import MemoryClient, MemoryResponse, StreamedResponse
from .ports import get_port_socket, unused_port
from .servers import TestServer

__all__ = [
    "MemoryClient",
    "MemoryResponse",
    "StreamedResponse",
    "TestServer",
    "get_port_socket",
    "unused_port",
]
