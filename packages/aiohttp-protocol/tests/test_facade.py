"""The front door: what ``import aiohttp`` brings, and what it says about what is missing.

Most of it runs in interpreters of its own, which see the facade and only those
rooms that a test builds for them.
"""

from __future__ import annotations

import ast
import builtins
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import multidict
import pytest

import aiohttp

FACADE = Path(aiohttp.__path__[0])
ROOMS = ("protocol", "client", "server", "worker")
REPAIR = "pip uninstall -y aiohttp && pip install --force-reinstall aiohttp-protocol"


def run(code: str, *folders: Path) -> Any:
    """Return what ``code`` assigns to ``result``, where only ``folders`` are importable."""
    path = [os.fspath(folder) for folder in folders]
    program = f"import sys\nsys.path += {path!r}\n{code}\nimport json\nprint(json.dumps(result))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def error(statement: str, *folders: Path) -> str:
    """Return type and message of the error that ``statement`` ends in."""
    code = (
        f"try:\n    {statement}\n"
        "except Exception as exc:\n    result = f'{type(exc).__name__}: {exc}'\n"
        "else:\n    result = 'no error'"
    )
    return str(run(code, *folders))


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A folder with the facade and its doors, and without a room."""
    target = tmp_path / "alone"
    for source in (FACADE / "__init__.py", *FACADE.glob("*/__init__.py")):
        if source.parent.name not in ROOMS:
            copy = target / "aiohttp" / source.relative_to(FACADE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    return target


def room(folder: Path, name: str, source: str) -> Path:
    """Create the module ``aiohttp.<name>`` beside the facade's folder; return where."""
    home = folder / "rooms"
    module = home.joinpath("aiohttp", *name.split("."), "__init__.py")
    module.parent.mkdir(parents=True)
    module.write_text(source)
    return home


def test_import_loads_nothing_but_pkgutil(alone: Path) -> None:
    """``import aiohttp`` adds itself to what pkgutil imports, and nothing else."""
    code = "import pkgutil; before = set(sys.modules)\nimport aiohttp\n"
    assert run(code + "result = sorted(set(sys.modules) - before)", alone) == ["aiohttp"]


def test_import_loads_neither_asyncio_nor_ssl() -> None:
    """``import aiohttp`` with its rooms installed leaves asyncio and ssl alone."""
    code = "import aiohttp\nresult = sorted({'asyncio', 'ssl'} & set(sys.modules))"
    assert run(code, FACADE.parent) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("request", "aiohttp.request needs the client: pip install aiohttp-client"),
        ("client", "aiohttp.client needs the client: pip install aiohttp-client"),
        ("web", "aiohttp.web needs the server: pip install aiohttp-server"),
        ("test_utils", "aiohttp.test_utils needs the server: pip install aiohttp-server"),
        ("worker", "aiohttp.worker needs the gunicorn worker: pip install aiohttp-gunicorn"),
        ("web_log", "aiohttp.web_log needs the server: pip install aiohttp-server"),
        ("hdrs", "aiohttp.hdrs needs the protocol: pip install aiohttp-protocol"),
        ("log", "aiohttp.log needs the protocol: pip install aiohttp-protocol"),
    ],
)
def test_missing_room_is_named_with_the_pip_command(alone: Path, name: str, message: str) -> None:
    """A name whose wheel is not installed says which wheel to install."""
    assert error(f"import aiohttp; aiohttp.{name}", alone) == f"ImportError: {message}"
    assert error(f"from aiohttp import {name}", alone) == f"ImportError: {message}"


def test_door_of_a_missing_room_names_it(alone: Path, tmp_path: Path) -> None:
    """``import aiohttp.web`` without the server says what to install."""
    protocol = room(tmp_path, "protocol", "")
    expected = "ImportError: aiohttp.web needs the server: pip install aiohttp-server"
    assert error("import aiohttp.web", alone, protocol) == expected
    assert error("from aiohttp.web import Application", alone, protocol) == expected


def test_error_inside_a_room_surfaces_as_itself(alone: Path, tmp_path: Path) -> None:
    """A module that a room itself misses is not mistaken for the room."""
    client = room(tmp_path, "client", "import no_such_module")
    expected = "ModuleNotFoundError: No module named 'no_such_module'"
    assert error("import aiohttp; aiohttp.request", alone, client) == expected


def test_folder_without_code_counts_as_missing(alone: Path, tmp_path: Path) -> None:
    """What an unclean uninstallation leaves of a room is no room."""
    leftover = tmp_path / "leftover"
    (leftover / "aiohttp" / "client" / "__pycache__").mkdir(parents=True)
    message = "ImportError: aiohttp.request needs the client: pip install aiohttp-client"
    assert error("import aiohttp; aiohttp.request", alone, leftover) == message
    code = "import aiohttp\nresult = 'client' in dir(aiohttp)"
    assert run(code, alone, leftover) is False


def test_unknown_name_is_an_attribute_error(alone: Path) -> None:
    """A misspelled name fails as it does with any module."""
    expected = "AttributeError: module 'aiohttp' has no attribute 'reqeust'"
    assert error("import aiohttp; aiohttp.reqeust", alone) == expected


def test_resolved_name_is_remembered(alone: Path, tmp_path: Path) -> None:
    """The second use of a name is an ordinary attribute of the module."""
    client = room(tmp_path, "client", "def request(): pass")
    code = (
        "import aiohttp\nresult = ['request' in vars(aiohttp)]\naiohttp.request\n"
        "result += ['request' in vars(aiohttp), "
        "aiohttp.request is sys.modules['aiohttp.client'].request]"
    )
    assert run(code, alone, client) == [False, True, True]


def test_public_names_are_those_of_installed_rooms(alone: Path, tmp_path: Path) -> None:
    """``__all__`` and ``dir()`` follow what is installed, and import none of it."""
    client = room(tmp_path, "client", "raise RuntimeError('imported')")
    code = (
        "import aiohttp\nresult = [('request' in names, 'ServerHttpProtocol' in names) "
        "for names in (aiohttp.__all__, dir(aiohttp))]"
    )
    assert run(code, alone) == [[False, False], [False, False]]
    assert run(code, alone, client) == [[True, False], [True, False]]
    rooms = "import aiohttp\nresult = [name for name in dir(aiohttp) if name in aiohttp._ROOMS]"
    assert run(rooms, alone, client) == ["client"]


def test_no_public_name_shadows_a_builtin() -> None:
    """``from aiohttp import *`` leaves the builtins of its importer alone."""
    assert not set(aiohttp._public_names()) & set(vars(builtins))


@pytest.mark.parametrize("door", ["abc", "hdrs", "log"])
def test_door_is_the_module_behind_it(door: str) -> None:
    """A door is not a copy: it is the very module of the room."""
    imported = f"import aiohttp.{door}, aiohttp.protocol.{door} as real\n"
    site_packages = Path(multidict.__file__).parent.parent
    code = (
        imported + f"result = [aiohttp.{door} is real, sys.modules['aiohttp.{door}'] is real, "
        f"'{door}' in dir(aiohttp)]"
    )
    assert run(code, FACADE.parent, site_packages) == [True, True, True]


def test_door_to_the_server_is_its_module(alone: Path, tmp_path: Path) -> None:
    """``from aiohttp.web import Application`` finds the server's class."""
    room(tmp_path, "protocol", "")
    room(tmp_path, "server", "")
    rooms = room(tmp_path, "server.web", "class Application: pass")
    code = (
        "from aiohttp.web import Application\nfrom aiohttp import web\n"
        "import aiohttp.server.web as real\n"
        "result = [web is real, Application is real.Application]"
    )
    assert run(code, alone, rooms) == [True, True]


def test_version_is_that_of_the_protocol() -> None:
    """``aiohttp.__version__`` asks the metadata of aiohttp-protocol, when it is asked."""
    assert "__version__" in dir(aiohttp)
    code = (
        "import importlib.metadata\nimportlib.metadata.version = '{} 1.2.3'.format\n"
        "import aiohttp\nresult = aiohttp.__version__"
    )
    assert run(code, FACADE.parent) == "aiohttp-protocol 1.2.3"


def test_folder_shared_with_another_aiohttp_is_refused(alone: Path) -> None:
    """Where aiohttp 3 was installed below us, the first import names the repair."""
    (alone / "aiohttp" / "client_reqrep.py").touch()
    message = error("import aiohttp", alone)
    assert message.startswith(f"ImportError: the folder {alone / 'aiohttp'} belongs to two")
    assert message.endswith(REPAIR)


def test_other_aiohttp_elsewhere_on_the_path_is_not_looked_into(
    alone: Path, tmp_path: Path
) -> None:
    """A system-wide aiohttp 3 is invisible from a virtual environment with ours."""
    system = room(tmp_path, "client", "raise RuntimeError('foreign')")
    (system / "aiohttp" / "__init__.py").touch()
    (system / "aiohttp" / "client_reqrep.py").touch()
    expected = "ImportError: aiohttp.request needs the client: pip install aiohttp-client"
    assert error("import aiohttp; aiohttp.request", alone, system) == expected


@pytest.mark.parametrize("facade", [None, "", "from . import hdrs"])
@pytest.mark.parametrize("name", ["aiohttp.protocol", "aiohttp.hdrs", "aiohttp.web"])
def test_room_without_our_facade_is_refused(tmp_path: Path, name: str, facade: str | None) -> None:
    """Below another facade, or none at all, the first import of a room names the repair."""
    shutil.copytree(FACADE, tmp_path / "aiohttp", ignore=shutil.ignore_patterns("*.pyc"))
    front = tmp_path / "aiohttp" / "__init__.py"
    if facade is None:
        front.unlink()
    else:
        front.write_text(facade)
    message = error(f"import {name}", tmp_path)
    assert message.startswith(
        "ImportError: aiohttp.protocol needs the package 'aiohttp' of aiohttp-protocol"
    )
    assert message.endswith(REPAIR)


def test_table_is_what_type_checkers_see() -> None:
    """The imports under TYPE_CHECKING and the table list the same names of the same rooms."""
    tree = ast.parse((FACADE / "__init__.py").read_text(encoding="utf-8"))
    guarded = next(
        node.body
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = {
        (node.module, alias.name, alias.asname)
        for node in guarded
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    names = {
        (f"aiohttp.{room}", name, name) for room, names in aiohttp._NAMES.items() for name in names
    }
    modules = {("aiohttp", name, name) for name in (*aiohttp._ROOMS, *aiohttp._DOORS)}
    assert seen == names | modules


def test_every_name_has_one_home() -> None:
    """No name is in the table twice."""
    names = [name for names in aiohttp._NAMES.values() for name in names]
    assert len(names) == len(set(names))
