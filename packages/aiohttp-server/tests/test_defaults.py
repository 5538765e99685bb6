"""Defaults: those that aiohttp 3 documents, but for the few of which the README has a table."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from inspect import Parameter

import pytest

from aiohttp import web
from aiohttp.protocol import DEFAULT_LIMITS
from aiohttp.test_utils import MemoryClient
from documented import NOT_GIVEN
from documented_server import SERVER, parameters_of
from house import REPOSITORY

README = REPOSITORY / "packages" / "aiohttp-server" / "README.md"

MEANING = {
    "web.run_app(keepalive_timeout=)": DEFAULT_LIMITS.keep_alive,
}
"""What None means where it is the default here, and something else is documented."""

DIFFERENT = {"shutdown_timeout", "backlog"}
"""Parameters that are in the README's table."""


def with_default() -> Iterator[tuple[str, object, object]]:
    """Yield each documented parameter that has a default: its name, that default, and ours."""
    for row in SERVER.rows:
        if row.kind == "fixture" or not row.parameters:
            continue
        ours = parameters_of(row.found)
        for name, documented in row.parameters.items():
            if documented.default not in (Parameter.empty, NOT_GIVEN) and name not in DIFFERENT:
                yield f"{row.path}({name}=)", documented.default, ours[name].default


@pytest.mark.parametrize(
    ("name", "there", "here"), [pytest.param(*each, id=each[0]) for each in with_default()]
)
def test_default_is_the_documented_one(name: str, there: object, here: object) -> None:
    """Leaving out a parameter means what aiohttp 3 says that it means."""
    if here is None:
        here = MEANING.get(name)
    assert here == there or (here is None and there is False)


def default_of(function: Callable[..., object], parameter: str) -> object:
    """Return what it means to leave out a parameter."""
    return inspect.signature(function).parameters[parameter].default


async def server_field() -> str:
    """Return what a response says about who made it."""
    async with MemoryClient(web.Application()) as client:
        return (await client.get("/")).headers.get("Server", "not sent")


async def here() -> dict[str, str]:
    """Return the defaults that are others here than in aiohttp 3, as they are."""
    for site in (web.TCPSite, web.UnixSite, web.SockSite):
        assert default_of(site, "backlog") == default_of(web.run_app, "backlog")
        assert default_of(site, "shutdown_timeout") is None  # the runner's
    limits = DEFAULT_LIMITS
    return {
        "shutdown_timeout=": f"{default_of(web.run_app, 'shutdown_timeout'):g} s",
        "backlog=": str(default_of(web.run_app, "backlog")),
        "lingering_time=": f"{limits.linger:g} s",
        "Server": await server_field(),
        "request.content": f"{(limits.body or 0) / 2**30:.0f} GiB",
        "limits.head_time": f"{limits.head_time:g} s",
        "limits.body_time": f"{limits.body_time:g} s",
        "limits.write_time": f"{limits.write_time:g} s",
        "limits.connections": f"{limits.connections:,}".replace(",", " "),
    }


async def test_differing_defaults_are_those_that_the_readme_prints() -> None:
    """Each row of the README's table says what the code does."""
    text = README.read_text(encoding="utf-8")
    _, _, section = text.partition("\n## Where the defaults differ\n")
    lines = section.partition("\n## ")[0]
    table = re.findall(r"^\| [^|`]*`([^`]+)`[^|]*\| [^|]+ \| ([^|,]+)", lines, re.MULTILINE)
    assert {name: value.strip() for name, value in table} == await here()
