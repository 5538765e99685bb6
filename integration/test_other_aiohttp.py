"""One folder, two distributions: aiohttp 3 and ours, installed and uninstalled in every order.

Whichever way it happens, the first import ends in one clear error, and the pip
command in it repairs the environment.
"""

from __future__ import annotations

import re

import pytest

from environment import WHEELS, Environment

STEPS = {
    "ours": ["install", *(str(wheel) for wheel in WHEELS.glob("aiohttp_[ps]*.whl"))],
    "aiohttp 3": ["install", "aiohttp >=3.14,<4"],
    "without aiohttp 3": ["uninstall", "-y", "aiohttp"],
    "without protocol": ["uninstall", "-y", "aiohttp-protocol"],
}
"""What pip is told, by the name that the tests have for it. Ours are protocol and server."""


@pytest.mark.parametrize(
    ("steps", "statements"),
    [
        (
            ["ours", "aiohttp 3"],
            ["import aiohttp", "import aiohttp.server", "from aiohttp import web"],
        ),
        (
            ["aiohttp 3", "ours"],
            ["import aiohttp", "import aiohttp.server", "from aiohttp import web"],
        ),
        # From here on `import aiohttp` finds a folder without any module, and nobody can speak.
        (
            ["ours", "aiohttp 3", "without aiohttp 3"],
            ["import aiohttp.server", "import aiohttp.protocol", "from aiohttp import web"],
        ),
        (
            ["aiohttp 3", "ours", "without aiohttp 3"],
            ["import aiohttp.server", "import aiohttp.protocol", "from aiohttp import web"],
        ),
        (["ours", "aiohttp 3", "without protocol"], ["import aiohttp.server"]),
        (["aiohttp 3", "ours", "without protocol"], ["import aiohttp.server"]),
    ],
    ids=lambda value: ", ".join(value) if "import" not in value[0] else "",
)
def test_first_import_names_the_command_that_repairs(
    bare: Environment, steps: list[str], statements: list[str]
) -> None:
    """The error is an ImportError of one line, and doing what it says is all that is needed."""
    for step in steps:
        bare.pip(*STEPS[step])

    errors = [bare.error(statement) for statement in statements]
    for error in errors:
        assert error.startswith("ImportError: ")
        assert "can't share an environment" in error

    commands = re.findall(r"pip ((?:un)?install [^&]+)", errors[0])
    assert [command.split()[0] for command in commands] == ["uninstall", "install"]
    for command in commands:
        bare.pip(*command.split())
    assert bare.error("import aiohttp.server; from aiohttp import hdrs") == ""
