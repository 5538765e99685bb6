"""HTTP server for asyncio."""

import sys

if not hasattr(sys.modules["aiohttp"], "__facade__"):
    raise ImportError(
        "aiohttp.server needs the package 'aiohttp' of aiohttp-protocol, but found another one, "
        "or what uninstalling it left; they can't share an environment. To keep aiohttp-protocol: "
        "pip uninstall -y aiohttp && pip install --force-reinstall aiohttp-protocol"
    )

__all__: list[str] = []
