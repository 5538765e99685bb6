"""Throw-away virtual environments, for tests of how our wheels are installed."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

__all__ = ["WHEELS", "Environment"]

WHEELS = Path(os.environ["AIOHTTP_WHEELS"])
"""The folder of our freshly built wheels."""


class Environment:
    """A virtual environment with nothing in it, not even pip."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=sys.platform != "win32")
        scheme = {"base": os.fspath(folder), "platbase": os.fspath(folder)}
        self.python = Path(sysconfig.get_path("scripts", "venv", scheme)) / "python"
        self.site_packages = Path(sysconfig.get_path("purelib", "venv", scheme))

    def pip(self, *arguments: str) -> None:
        """Install or uninstall something, with the pip of the running environment.

        Our own packages are found among the wheels.
        """
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        subprocess.run(
            [*pip, "--python", self.python, *arguments],
            env={**os.environ, "PIP_FIND_LINKS": os.fspath(WHEELS)},
            check=True,
        )

    def error(self, statement: str) -> str:
        """Return the last line of what Python prints about ``statement``; "" if it works."""
        done = subprocess.run(
            [self.python, "-c", statement], stderr=subprocess.PIPE, text=True, check=False
        )
        return done.stderr.strip().splitlines()[-1] if done.returncode else ""
