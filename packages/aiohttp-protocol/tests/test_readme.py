"""The README's programs run as printed."""

from __future__ import annotations

from house import readme_programs, run_program


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
