"""A door: ``aiohttp.log`` is ``aiohttp.protocol.log``, the very same module.

A folder and not a file, so that another distribution's ``aiohttp/log.py`` can
neither replace it when it is installed nor remove it when it is uninstalled.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..protocol.log import *
else:
    import sys

    import aiohttp.protocol  # which refuses another distribution's aiohttp first of all

    sys.modules[__name__] = aiohttp.log
