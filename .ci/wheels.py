"""Build the four wheels, look into them, install them: ``wheels.py build|check|install``.

``build FOLDER`` builds sdist and wheel of every package into an emptied FOLDER,
with flit_core, as ``pip install packages/<name>`` does.
``check FOLDER`` looks at what was built, and prints what is wrong with it.
``install FOLDER NAME ...`` installs the wheels of these packages (``protocol``,
``client``, ``server``, ``gunicorn``) and what they depend on into the running
environment. Their paths are given to pip, so that none of our names is ever
looked up in an index, and a rebuilt wheel replaces one of the same version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("protocol", "client", "server", "gunicorn")


def source(package: str) -> Path:
    """Return the folder of a package."""
    return REPOSITORY / "packages" / f"aiohttp-{package}"


def build(folder: Path, *_: str) -> int:
    """Build every package."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for package in PACKAGES:
        for kind in ("sdist", "wheel"):
            print(f"built {_build(kind, source(package), folder)}")
    return 0


def _build(kind: str, package: Path, folder: Path) -> str:
    hook = f"from flit_core import buildapi; print(buildapi.build_{kind}({os.fspath(folder)!r}))"
    command = [sys.executable, "-c", hook]
    done = subprocess.run(command, cwd=package, check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout.strip()


def find(folder: Path, package: str, suffix: str) -> Path:
    """Return the one file of a package with this suffix that was built."""
    found = sorted(folder.glob(f"aiohttp_{package}-*{suffix}"))
    if len(found) != 1:
        sys.exit(f"expected one aiohttp_{package}-*{suffix} in {folder}, found {len(found)}")
    return found[0]


def install(folder: Path, *packages: str) -> int:
    """Install the wheels of ``packages``, first with their dependencies, then afresh."""
    wheels = [os.fspath(find(folder, package, ".whl")) for package in packages]
    pip = [sys.executable, "-I", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *wheels], check=True)
    subprocess.run([*pip, "--force-reinstall", "--no-deps", *wheels], check=True)
    return 0


def check(folder: Path, *_: str) -> int:
    """Print what is wrong with the built files; return 1 if anything is."""
    problems = [problem for package in PACKAGES for problem in _wheel_problems(folder, package)]
    problems += _shared_files(folder)
    print(*problems or ["four sdists and four wheels: nothing wrong with them"], sep="\n")
    return 1 if problems else 0


def _members(wheel: Path) -> dict[str, bytes]:
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _wheel_problems(folder: Path, package: str) -> Iterator[str]:
    wheel = find(folder, package, ".whl")
    members = _members(wheel)
    code = {name: data for name, data in members.items() if ".dist-info/" not in name}
    (metadata,) = (data for name, data in members.items() if name.endswith("/METADATA"))

    root = source(package) / "src"
    files = [file for file in root.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    tree = {file.relative_to(root).as_posix(): file.read_bytes() for file in files}
    for name in sorted(code.keys() | tree.keys()):
        if code.get(name) != tree.get(name):
            yield f"{wheel.name}: {name} is not the file of the tree"
    for name in code:
        if "/tests/" in name or Path(name).name.startswith(("test_", "conftest.")):
            yield f"{wheel.name}: {name} is a test"

    rooms = {name.split("/")[1] for name in code if name.endswith("/py.typed") and "/" in name}
    room = "worker" if package == "gunicorn" else package
    if room not in rooms:
        yield f"{wheel.name}: aiohttp/{room}/py.typed is missing"
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in members):
        yield f"{wheel.name}: LICENSE is missing"
    yield from (f"{wheel.name}: {problem}" for problem in _metadata_problems(package, metadata))
    yield from _sdist_problems(folder, package, members)


def _metadata_problems(package: str, metadata: bytes) -> Iterator[str]:
    fields = message_from_bytes(metadata)
    project = tomllib.loads((source(package) / "pyproject.toml").read_text())["project"]
    if fields["Version"] != project["version"]:
        yield f"version {fields['Version']}, expected {project['version']}"
    if fields["License-Expression"] != "BSD-3-Clause":
        yield f"licence {fields['License-Expression']}, expected BSD-3-Clause"
    if fields["Requires-Python"] != ">=3.11":
        yield f"Requires-Python {fields['Requires-Python']}, expected >=3.11"
    if "Typing :: Typed" not in fields.get_all("Classifier", ()):
        yield "the classifier Typing :: Typed is missing"
    needed = {
        need.partition(" ")[0].partition("~")[0]
        for need in fields.get_all("Requires-Dist", ())
        if "extra ==" not in need
    }
    ours = {name for name in needed if name.startswith("aiohttp-")}
    if ours != (set() if package == "protocol" else {"aiohttp-protocol"}):
        yield f"needs {sorted(ours)} of our packages, expected aiohttp-protocol only"


def _sdist_problems(folder: Path, package: str, members: dict[str, bytes]) -> Iterator[str]:
    sdist = find(folder, package, ".tar.gz")
    with tempfile.TemporaryDirectory() as temporary:
        with tarfile.open(sdist) as archive:
            # Debian 12's Python 3.11.2 knows no filters yet.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(temporary)
        (unpacked,) = Path(temporary).iterdir()
        rebuilt = _members(Path(temporary) / _build("wheel", unpacked, Path(temporary)))
    if rebuilt != members:
        yield f"{sdist.name}: the wheel that is built from it differs from {package}'s wheel"


def _shared_files(folder: Path) -> Iterator[str]:
    owners: dict[str, str] = {}
    for package in PACKAGES:
        for name in _members(find(folder, package, ".whl")):
            if name in owners:
                yield f"{name} is in the wheels of {owners[name]} and {package}"
            owners[name] = package


def main(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name."""
    commands: dict[str, Callable[..., int]] = {"build": build, "check": check, "install": install}
    match arguments:
        case [command, folder, *packages] if command in commands:
            return commands[command](Path(folder).resolve(), *packages)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
