"""The two environments of a run: ours, and that of the peers, which hold one ``aiohttp`` each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "ours", "peers"]

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = Path(__file__).with_name("requirements-peers.txt")


def ours() -> str:
    """Return the Python that runs our contenders: the one that runs this."""
    return sys.executable


def peers() -> str:
    """Return the Python that runs the peers; makes their environment where it is missing.

    It stands in ``.venv-peers``, or where the variable ``BENCH_PEERS`` says. The
    former is made anew when the requirements, or the Python, are others.
    """
    if "BENCH_PEERS" in os.environ:
        return str(Path(os.environ["BENCH_PEERS"]) / "bin" / "python")
    home = ROOT / ".venv-peers"
    python = home / "bin" / "python"
    made_for = f"{sys.version}\n{REQUIREMENTS.read_text()}"
    stamp = home / "made-for.txt"
    if not (stamp.exists() and stamp.read_text() == made_for):
        print(f"making an environment for the peers in {home.name} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        quiet = ("--quiet", "--disable-pip-version-check")
        install = (python, "-m", "pip", "install", *quiet, "--requirement", REQUIREMENTS)
        subprocess.run(install, check=True)
        stamp.write_text(made_for)
    return str(python)
