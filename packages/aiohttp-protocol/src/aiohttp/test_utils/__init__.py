"""A door: ``aiohttp.test_utils`` is ``aiohttp.server.testing``, the very same module.

A folder and not a file, so that another distribution's ``aiohttp/test_utils.py`` can
neither replace it when it is installed nor remove it when it is uninstalled.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..server.testing import *
else:
    import sys

    import aiohttp.protocol  # which refuses another distribution's aiohttp first of all

    sys.modules[__name__] = aiohttp.test_utils
