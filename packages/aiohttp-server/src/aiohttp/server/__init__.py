"""HTTP server for asyncio.

``serve`` and ``run_app`` serve an application: any object with
``async def handle_exchange(self, exchange)``, see ``aiohttp.protocol.Application``.
``ServerHttpProtocol``, whose path of 2014 is this one, lives in ``aiohttp.protocol``.
"""

import sys

if not hasattr(sys.modules["aiohttp"], "__facade__"):
    raise ImportError(
        "aiohttp.server needs the package 'aiohttp' of aiohttp-protocol, but found another one, "
        "or what uninstalling it left; they can't share an environment. To keep aiohttp-protocol: "
        "pip uninstall -y aiohttp && pip install --force-reinstall aiohttp-protocol"
    )

from aiohttp.protocol import ServerHttpProtocol

from .serving import run_app, serve

__all__ = ["ServerHttpProtocol", "run_app", "serve"]
