"""What aiohttp 3 documents of its server (``aiohttp3-server.txt``), and what ours takes."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.log import access_logger
from aiohttp.protocol import HttpVersion
from aiohttp.server.web.routedef import GetOptions, RouteOptions, StaticOptions
from aiohttp.test_utils import get_port_socket
from aiohttp.web_log import AccessLogger
from documented import Documentation

__all__ = ["SERVER", "calls", "parameters_of"]

SERVER = Documentation(
    Path(__file__).with_name("aiohttp3-server.txt"),
    {
        "AccessLogger": AccessLogger,
        "HTTPPermanentRedirect": web.HTTPPermanentRedirect,
        "HttpVersion": HttpVersion,
        "LOG_FORMAT": AccessLogger.LOG_FORMAT,
        "access_logger": access_logger,
        "asyncio": asyncio,
        "get_port_socket": get_port_socket,
        "json": json,
    },
)

calls = SERVER.calls


HANDED_ON: dict[str, tuple[type, Callable[..., Any]]] = {
    "Unpack[GetOptions]": (GetOptions, web.UrlDispatcher.add_get),
    "Unpack[RouteOptions]": (RouteOptions, web.UrlDispatcher.add_route),
    "Unpack[StaticOptions]": (StaticOptions, web.UrlDispatcher.add_static),
}
"""Options by the annotation of ``**kwargs``, and who takes them in the end."""


def parameters_of(found: Callable[..., Any]) -> dict[str, Parameter]:
    """Return what a callable takes, with the options spelled out that it hands on."""
    parameters = dict(inspect.signature(found).parameters)
    parameters.pop("self", None)
    for each in list(parameters.values()):
        if (handed_on := HANDED_ON.get(str(each.annotation))) is not None:
            options, taker = handed_on
            theirs = inspect.signature(taker).parameters
            parameters |= {name: _by_name(theirs, name) for name in options.__annotations__}
    return parameters


def _by_name(parameters: Mapping[str, Parameter], name: str) -> Parameter:
    """Return an option; what a taker hands on itself says nothing when it is left out."""
    default = parameters[name].default if name in parameters else None
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default)
