"""A door: ``aiohttp.web`` is ``aiohttp.server.web``, the very same module.

A folder and not a file, so that another distribution's ``aiohttp/web.py`` can
neither replace it when it is installed nor remove it when it is uninstalled.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..server.web import *
else:
    import sys

    import aiohttp.protocol  # which refuses another distribution's aiohttp first of all

    sys.modules[__name__] = aiohttp.web
