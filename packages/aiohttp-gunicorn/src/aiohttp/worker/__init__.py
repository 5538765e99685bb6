"""Workers for gunicorn that serve HTTP with asyncio."""

import sys

if not hasattr(sys.modules["aiohttp"], "__facade__"):
    raise ImportError(
        "aiohttp.worker needs the package 'aiohttp' of aiohttp-protocol, but found another one, "
        "or what uninstalling it left; they can't share an environment. To keep aiohttp-protocol: "
        "pip uninstall -y aiohttp && pip install --force-reinstall aiohttp-protocol"
    )

from .portmapper import PortMapperWorker
from .process import AsyncGunicornWorker, GunicornUVLoopWebWorker, GunicornWebWorker

__all__ = [
    "AsyncGunicornWorker",
    "GunicornUVLoopWebWorker",
    "GunicornWebWorker",
    "PortMapperWorker",
]
