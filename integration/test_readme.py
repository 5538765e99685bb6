"""The program in the README of all runs as printed."""

from __future__ import annotations

from house import readme_programs, run_program


def test_program() -> None:
    """Our client fetches a greeting from our server."""
    (program,) = readme_programs(".")
    assert run_program(program) == "200 Hello, world\n"
