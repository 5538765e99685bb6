"""The README's programs run as printed, and its table of limits is that of the code."""

from __future__ import annotations

import re
from dataclasses import fields

from aiohttp.protocol import DEFAULT_LIMITS
from house import REPOSITORY, readme_programs, run_program

README = REPOSITORY / "packages" / "aiohttp-protocol" / "README.md"
UNITS = {"": 1, "bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "s": 1, "bytes/s": 1}


def test_server() -> None:
    """The first program serves itself a greeting."""
    output = run_program(readme_programs("packages/aiohttp-protocol")[0])
    assert output.startswith("HTTP/1.1 200 OK\r\n")
    assert output.endswith("\r\n\r\nHello from example.org\n\n")


def test_heads() -> None:
    """The second program reads a head, and is told what is wrong with another."""
    first, second = run_program(readme_programs("packages/aiohttp-protocol")[1]).splitlines()
    assert first == "GET /get?a=1 HttpVersion(major=1, minor=1) example.org True"
    assert second.startswith("400 expected digits as Content-Length")


def test_draining() -> None:
    """The third program ends a response that has no end, when the server begins to drain."""
    output = run_program(readme_programs("packages/aiohttp-protocol")[2])
    assert output.startswith("all were answered: True\nHTTP/1.1 200 OK\r\n")
    assert re.search(r"\r\n0\r\nTicks: \d+\r\n\r\n\n$", output)


def test_limits() -> None:
    """The table has every limit, in the order of the code, with its default."""
    rows = re.findall(
        r"^\| `(\w+)` \| ([\d,]+) ?([\w/]*) \|", README.read_text(encoding="utf-8"), re.MULTILINE
    )
    told = {name: int(number.replace(",", "")) * UNITS[unit] for name, number, unit in rows}
    names = [each.name for each in fields(DEFAULT_LIMITS) if each.init]
    assert told == {name: getattr(DEFAULT_LIMITS, name) for name in names}
    assert list(told) == names
