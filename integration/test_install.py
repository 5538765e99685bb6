"""What a user gets from pip: a client without a server, and little of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from environment import Environment

PACKAGES = Path(__file__).parents[1] / "packages"


def size(folder: Path) -> int:
    """Return the bytes of the files below ``folder``, compiled ones left out."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc")
    return sum(file.stat().st_size for file in files)


@pytest.fixture
def client(bare: Environment) -> Environment:
    """An environment with protocol and client, from source."""
    names = ("protocol", "client")
    bare.pip("install", *(str(PACKAGES / f"aiohttp-{name}") for name in names))
    return bare


def test_client_alone(client: Environment) -> None:
    """The client works without the others, says what they are called, and stays small."""
    assert client.error("import aiohttp; aiohttp.request") == ""
    assert client.error("import aiohttp; aiohttp.worker") == (
        "ImportError: aiohttp.worker needs the gunicorn worker: pip install aiohttp-gunicorn"
    )
    # Sources with their docstrings; those of aiohttp 3.14, which is compiled, take 7.1 MB.
    assert size(client.site_packages / "aiohttp") < 900_000
    assert size(client.site_packages) < 4_500_000
