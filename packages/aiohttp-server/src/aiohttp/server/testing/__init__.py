"""``aiohttp.test_utils``: what tests of applications need.

``MemoryClient`` asks an application without sockets. ``TestServer`` serves it on a free
port; ``TestClient`` asks such a server with a ``ClientSession``, and needs aiohttp-client:
``pip install aiohttp-server[testing]``. For pytest there are fixtures: ``aiohttp_client``,
``aiohttp_server``, ``aiohttp_raw_server``, ``aiohttp_unused_port`` and ``loop``.
"""

from __future__ import annotations

from .cases import AioHTTPTestCase
from .client import TestClient
from .loops import loop_context, setup_test_loop, teardown_test_loop
from .memory import MemoryClient, MemoryResponse, StreamedResponse
from .mocks import MockedExchange, make_mocked_coro, make_mocked_request
from .ports import get_port_socket, unused_port
from .servers import BaseTestServer, RawTestServer, TestServer

__all__ = [
    "AioHTTPTestCase",
    "BaseTestServer",
    "MemoryClient",
    "MemoryResponse",
    "MockedExchange",
    "RawTestServer",
    "StreamedResponse",
    "TestClient",
    "TestServer",
    "get_port_socket",
    "loop_context",
    "make_mocked_coro",
    "make_mocked_request",
    "setup_test_loop",
    "teardown_test_loop",
    "unused_port",
]
