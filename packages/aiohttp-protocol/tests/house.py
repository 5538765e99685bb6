"""What the tests of all four packages check of the house itself: walls, exports, wheels.

Each package's own tests say which rule holds for it; how a rule is checked is
said here. Sources are read with ``ast``, so that an import counts wherever it is
written: at the top, inside a function or under ``TYPE_CHECKING``.
"""

from __future__ import annotations

import ast
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import aiohttp

__all__ = [
    "REPOSITORY",
    "Import",
    "exports_problems",
    "facade_problems",
    "forbidden_imports",
    "importable_rooms",
    "imports",
    "installed_problems",
    "modules",
    "private_imports",
    "readme_programs",
    "run_program",
    "sources",
]

REPOSITORY = Path(__file__).parents[3]
ROOMS = ("protocol", "client", "server", "worker")
STANDARD_LIBRARY = frozenset(sys.stdlib_module_names)


class Import:
    """One imported name: ``from a.b import c`` is module ``a.b`` and name ``c``."""

    def __init__(self, file: Path, line: int, module: str, name: str | None) -> None:
        self.file = file
        self.line = line
        self.module = module
        self.name = name

    def __str__(self) -> str:
        what = self.module if self.name is None else f"{self.name} from {self.module}"
        return f"{self.file.as_posix()}:{self.line} imports {what}"

    def is_of(self, allowed: str) -> bool:
        """Tell whether this imports ``allowed``, something in it, or a module below it."""
        full = self.module if self.name is None else f"{self.module}.{self.name}"
        return f"{full}.".startswith(f"{allowed}.")


def sources(room: str) -> Iterator[tuple[Path, str]]:
    """Yield the path and the full module name of every source file of ``aiohttp.<room>``."""
    folder = Path(import_module(f"aiohttp.{room}").__path__[0])
    for file in sorted(folder.rglob("*.py")):
        parts = ("aiohttp", room, *file.relative_to(folder).with_suffix("").parts)
        yield file, ".".join(part for part in parts if part != "__init__")


def imports(file: Path, module: str) -> Iterator[Import]:
    """Yield every import of a source file, with relative ones resolved.

    Names that are passed to ``import_module`` or ``__import__`` as text count too.
    """
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name, None)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")
            base = base[: len(base) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield Import(file, node.lineno, source, alias.name)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            if called in {"import_module", "__import__"}:
                for argument in node.args[:1]:
                    if isinstance(argument, ast.Constant):
                        yield Import(file, node.lineno, str(argument.value), None)


def forbidden_imports(room: str, allowed: Collection[str]) -> list[str]:
    """Return what ``aiohttp.<room>`` imports beside the standard library and ``allowed``."""
    return [
        str(found)
        for file, module in sources(room)
        for found in imports(file, module)
        if found.module.partition(".")[0] not in STANDARD_LIBRARY
        and not any(found.is_of(name) for name in allowed)
    ]


def private_imports(room: str) -> list[str]:
    """Return what ``aiohttp.<room>`` imports from another room without being offered it there.

    Of rooms that are installed: the others are looked into where they are, too.
    """
    return [
        f"{found}, which is not in its __all__"
        for file, module in sources(room)
        for found in imports(file, module)
        if found.is_of("aiohttp") and not found.is_of(f"aiohttp.{room}")
        if found.name is not None
        if _is_installed(found.module)
        if found.name not in getattr(import_module(found.module), "__all__", ())
        if not _is_module(f"{found.module}.{found.name}")
    ]


def _is_installed(module: str) -> bool:
    return find_spec(".".join(module.split(".")[:2])) is not None


def _is_module(name: str) -> bool:
    try:
        import_module(name)
    except ModuleNotFoundError:
        return False
    return True


def modules(room: str) -> Iterator[ModuleType]:
    """Yield ``aiohttp.<room>`` and every module below it."""
    package = import_module(f"aiohttp.{room}")
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield import_module(found.name)


def exports_problems(room: str) -> list[str]:
    """Return, in words, where the public names of a room and of its modules disagree."""
    return [problem for module in modules(room) for problem in _export_problems(module)]


def _export_problems(module: ModuleType) -> Iterator[str]:
    names: list[str] | None = getattr(module, "__all__", None)
    if names is None:
        yield f"{module.__name__} has no __all__"
        return
    if len(names) != len(set(names)):
        yield f"{module.__name__}.__all__ has a name twice"
    for name in names:
        if not hasattr(module, name):
            yield f"{module.__name__}.__all__ has {name}, which is not defined"
            continue
        value = getattr(module, name)
        home = getattr(value, "__module__", module.__name__)
        if not (inspect.isclass(value) or inspect.isfunction(value)) or home == module.__name__:
            continue
        if not hasattr(module, "__path__"):
            yield f"{module.__name__} exports {name}, whose home is {home}"
        elif value.__name__ not in getattr(sys.modules[home], "__all__", (value.__name__,)):
            yield f"{module.__name__} exports {name}, which is not in {home}.__all__"


def importable_rooms(room: str) -> list[str]:
    """Return the rooms that an interpreter finds where ``room`` and protocol are installed.

    It sees only the folders in which these two were found, and no ``.pth`` file.
    """
    found = {
        os.fspath(Path(import_module(name).__path__[0]).parents[1])
        for name in ("aiohttp.protocol", f"aiohttp.{room}")
    }
    program = (
        f"import sys; sys.path += {sorted(found)!r}\n"
        "from importlib.util import find_spec\n"
        f"print(*[room for room in {ROOMS!r} if find_spec('aiohttp.' + room)])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def installed_problems(package: str, room: str) -> list[str]:
    """Return the files in which the imported ``aiohttp.<room>`` and the repository differ."""
    tree = REPOSITORY / "packages" / package / "src" / "aiohttp" / room
    return _differences(tree, Path(import_module(f"aiohttp.{room}").__path__[0]))


def facade_problems() -> list[str]:
    """Return the files in which the imported facade with its doors and the repository differ."""
    tree = REPOSITORY / "packages" / "aiohttp-protocol" / "src" / "aiohttp"
    return _differences(tree, Path(aiohttp.__path__[0]), leave_out=ROOMS)


def _differences(tree: Path, installed: Path, leave_out: Collection[str] = ()) -> list[str]:
    def files(folder: Path) -> dict[str, bytes]:
        return {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file() and file.suffix != ".pyc"
            if file.relative_to(folder).parts[0] not in leave_out
        }

    ours, theirs = files(tree), files(installed)
    names = sorted(name for name in ours | theirs if ours.get(name) != theirs.get(name))
    return [f"{name} differs between {tree} and {installed}" for name in names]


def readme_programs(folder: str) -> list[str]:
    """Return the Python programs in the README of a folder of the repository."""
    text = (REPOSITORY / folder / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def run_program(program: str) -> str:
    """Run a program as its reader would, with warnings as errors; return what it prints.

    Line ends are not translated, so that those of HTTP can be seen.
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, check=False, timeout=60
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return done.stdout.decode()
