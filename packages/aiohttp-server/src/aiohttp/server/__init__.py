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

_HOMES = {
    "aiohttp.protocol": ("ServerHttpProtocol",),
    "aiohttp.server.serving": ("run_app", "serve"),
    "aiohttp.server.web.keys": ("ChainMapProxy",),
}
"""Module: the names of it that are public here, imported when they are first used."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aiohttp.protocol import ServerHttpProtocol as ServerHttpProtocol

    from .serving import run_app as run_app
    from .serving import serve as serve
    from .web.keys import ChainMapProxy as ChainMapProxy

__all__ = ["ChainMapProxy", "ServerHttpProtocol", "run_app", "serve"]


def _resolve(name: str) -> object:
    """Return what ``aiohttp.server.<name>`` is, and remember it: the second use is free."""
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            value: object = getattr(import_module(home), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# Hidden from type checkers, who would take every misspelled name for an object.
if not TYPE_CHECKING:
    __getattr__ = _resolve
