"""``python -m aiohttp.server module:app``."""

import sys

from .command import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
