"""Which kind of application an object is: one rule, applied when the worker boots.

What has ``handle_exchange`` is native. Of anything else that is callable, the positional
parameters without a default decide: two are WSGI's ``(environ, start_response)``, three are
ASGI's ``(scope, receive, send)``, and what can be called without any makes the application.
Where that can't be told, or where a name contradicts the number, nobody guesses: the worker
doesn't start, and says how to name the kind.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, cast

from .boot import BootError

__all__ = ["VARIABLE", "Kind", "kind_of", "kind_wanted"]

Kind: TypeAlias = Literal["native", "wsgi", "asgi", "factory"]

VARIABLE: Final = "AIOHTTP_APPLICATION"
"""The environment variable, so also gunicorn's ``raw_env``, that names the kind."""

_KINDS: Final = ("auto", "native", "wsgi", "asgi")
_BY_PARAMETERS: Final[dict[int, Kind]] = {0: "factory", 2: "wsgi", 3: "asgi"}
_FIRST_NAMES: Final[dict[str, Kind]] = {"environ": "wsgi", "env": "wsgi", "scope": "asgi"}


def kind_wanted(name: str) -> Kind | None:
    """Return the kind of this name, or None for ``auto``, which leaves it to ``kind_of``.

    Raises:
        BootError: if it names none.
    """
    if name not in _KINDS:
        raise BootError(f"expected {VARIABLE} to be one of {', '.join(_KINDS)}, got {name!r}")
    return None if name == "auto" else cast(Kind, name)


def kind_of(application: object, wanted: Kind | None = None) -> Kind:
    """Return what kind of application this is; ``wanted`` is the user's word on it.

    A factory is one whatever is wanted: what it makes is looked at again.

    Raises:
        BootError: if it is no application, or could be of several kinds.
    """
    is_class = isinstance(application, type)
    if wanted in (None, "native") and not is_class and hasattr(application, "handle_exchange"):
        return "native"  # though a web.Application is a mapping, and callable, too
    if not callable(application):
        remedy = (
            "; for an application a port use --worker-class aiohttp.worker.PortMapperWorker"
            if isinstance(application, Mapping)
            else ""
        )
        raise BootError(
            f"expected an application, got {application!r}, which can't be called{remedy}"
        )
    seen = _kind_by_parameters(application)
    if wanted is not None and seen != "factory":
        if wanted == "native":
            raise BootError(
                f"{VARIABLE} is 'native', but {application!r} has no method handle_exchange"
            )
        return wanted
    if seen is None:
        raise BootError(
            f"can't tell whether {application!r} is of WSGI or of ASGI, whose parameters are "
            f"(environ, start_response) and (scope, receive, send); it has {_shown(application)}. "
            f"Say which: --env {VARIABLE}=wsgi, or asgi"
        )
    return seen


def _kind_by_parameters(application: Any) -> Kind | None:
    """Return the kind that the parameters tell; None where they don't."""
    try:
        parameters = list(inspect.signature(application).parameters.values())
    except (TypeError, ValueError):  # of C, or with a signature that is no truth
        return None
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is p.empty]
    if any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters):
        return None
    kind = _BY_PARAMETERS.get(len(required))
    if kind == "factory":
        return None if any(p.kind is p.VAR_POSITIONAL for p in parameters) else kind
    expected = _FIRST_NAMES.get(required[0].name) if required else None
    return kind if expected in (None, kind) else None


def _shown(application: Any) -> str:
    try:
        return str(inspect.signature(application))
    except (TypeError, ValueError):
        return "no signature"
