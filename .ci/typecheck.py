"""Check types with mypy and pyright, both strict: the installed wheels, and what uses them.

The settings are those of the repository's ``pyproject.toml``, but for the paths:
here ``aiohttp`` is what is installed in the running environment, as its users'
type checkers see it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
INSTALLED = Path(sysconfig.get_path("purelib")) / "aiohttp"
TESTS = sorted(REPOSITORY.glob("packages/*/tests"))
SHARED = REPOSITORY / "packages" / "aiohttp-protocol" / "tests"
"""Helpers that the tests of all packages import."""

OTHERS = [
    folder
    for folder in (
        *sorted(REPOSITORY.glob("packages/*/examples")),
        REPOSITORY / "bench",
        REPOSITORY / "examples",
        REPOSITORY / "integration",
        REPOSITORY / ".ci",
    )
    if folder.is_dir()
]


CONTENDERS = REPOSITORY / "bench" / "contenders"
"""Programs for the environment of our peers, who are not installed here."""


def settings(tool: str) -> dict[str, Any]:
    """Return what the repository's ``pyproject.toml`` says about a tool."""
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["tool"][tool])


def mypy_config(folder: Path) -> Path:
    """Write mypy's settings without the paths into the tree."""
    config = settings("mypy")
    del config["mypy_path"]
    sections = {"mypy": config}
    for override in config.pop("overrides", ()):
        for module in override.pop("module"):
            sections[f"mypy-{module}"] = override
    lines: list[str] = []
    for section, values in sections.items():
        lines.append(f"[{section}]")
        for key, value in values.items():
            lines.append(f"{key} = {value if isinstance(value, (bool, str)) else ', '.join(value)}")
    file = folder / "mypy.ini"
    file.write_text("\n".join(lines))
    return file


def pyright_config(folder: Path) -> Path:
    """Write pyright's settings with the installed wheels in place of the tree."""
    config = settings("pyright")
    del config["extraPaths"]

    def relative(path: Path) -> str:
        return Path(os.path.relpath(path, folder)).as_posix()

    config["include"] = [relative(path) for path in (INSTALLED, *TESTS, *OTHERS)]
    config["exclude"] = [relative(CONTENDERS)]
    config["executionEnvironments"] = [
        {"root": relative(folder), "extraPaths": [relative(SHARED)]}
        for folder in (*TESTS, REPOSITORY / "integration")
    ] + [{"root": relative(REPOSITORY), "extraPaths": [relative(SHARED)]}]
    file = folder / "pyrightconfig.json"
    file.write_text(json.dumps(config))
    return file


def calls(folder: Path) -> Iterator[tuple[list[str], list[Path]]]:
    """Yield each command, and where mypy is to look for modules beside what is installed."""
    mypy = [sys.executable, "-m", "mypy", "--cache-dir", os.fspath(folder / "cache")]
    mypy += ["--config-file", os.fspath(mypy_config(folder)), "--exclude", "bench/contenders/"]
    yield [*mypy, "--package", "aiohttp"], []
    for tests in TESTS:
        yield [*mypy, os.fspath(tests)], [tests, SHARED]
    for other in OTHERS:
        base = REPOSITORY if (other / "__init__.py").exists() else other
        yield [*mypy, os.fspath(other)], [base, SHARED]
    pyright = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    yield [*pyright, "--project", os.fspath(pyright_config(folder))], []


def main() -> int:
    """Run all of them, and return 1 if any found something."""
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for command, path in calls(folder):
            print(f"{command[2]} {command[-1]}", flush=True)
            environment = {**os.environ, "MYPYPATH": os.pathsep.join(map(os.fspath, path))}
            done = subprocess.run(command, cwd=folder, env=environment, check=False)
            failed |= done.returncode
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
