"""What aiohttp 3 documents of its client (``aiohttp3-client.txt``), and what ours says to it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from inspect import Parameter
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.client.options import RequestOptions
from aiohttp.client.reception import Reception
from documented import Documentation

__all__ = ["CLIENT", "calls", "parameters_of"]

CLIENT = Documentation(
    Path(__file__).with_name("aiohttp3-client.txt"),
    {
        "ClientRequest": aiohttp.ClientRequest,
        "ClientResponse": aiohttp.ClientResponse,
        "aiohttp": aiohttp,
        "chunk_size": 8192,
        "json": json,
    },
)

calls = CLIENT.calls


def parameters_of(found: Callable[..., Any]) -> dict[str, Parameter]:
    """Return what a callable takes, with the options of ``request()`` spelled out."""
    parameters = dict(inspect.signature(found).parameters)
    parameters.pop("self", None)
    if any(each.annotation == "Unpack[RequestOptions]" for each in parameters.values()):
        for option in RequestOptions.__annotations__:
            parameters.setdefault(option, _option(option))
    return parameters


def _option(name: str) -> Parameter:
    """Return an option of ``request()``, with the default of whoever takes it in the end."""
    for taker in (aiohttp.ClientSession._request, aiohttp.ClientRequest, Reception.altered):
        if name in (found := inspect.signature(taker).parameters):
            return found[name]
    raise LookupError(f"{name} is an option, but nobody takes it")
