"""``python -m aiohttp.web module:app``: the path that aiohttp's users know of the same command."""

import sys

from aiohttp.server.command import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main(program="python -m aiohttp.web"))
