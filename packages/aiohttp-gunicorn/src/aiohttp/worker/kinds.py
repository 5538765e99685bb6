"""Which kind of application an object is: one rule, applied when the worker boots.

What has ``handle_exchange(exchange)`` is native. Of anything else that is callable, the positional
parameters without a default decide: two are WSGI's ``(environ, start_response)``, three are
ASGI's ``(scope, receive, send)``, and what can be called without any makes the application.
Where that can't be told, or where a name contradicts the number, nobody guesses: the worker
doesn't start, and says how to name the kind.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, Literal, TypeAlias, cast

from .boot import BootError

__all__ = ["VARIABLE", "Kind", "kind_of", "kind_wanted"]

Kind: TypeAlias = Literal["native", "wsgi", "asgi", "factory"]

VARIABLE: Final = "AIOHTTP_APPLICATION"
"""The environment variable, so also gunicorn's ``raw_env``, that names the kind."""

_KINDS: Final = ("auto", "native", "wsgi", "asgi")
_BY_PARAMETERS: Final[dict[int, Kind]] = {0: "factory", 2: "wsgi", 3: "asgi"}

# Names that have their place in one kind only, and so speak against all others. A method
# without its object is nothing that can be served.
_PLACES: Final[dict[str, tuple[Kind, int] | None]] = {
    "environ": ("wsgi", 0), "env": ("wsgi", 0), "start_response": ("wsgi", 1),
    "scope": ("asgi", 0), "receive": ("asgi", 1), "send": ("asgi", 2),
    "self": None, "cls": None,
}  # fmt: skip


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
    if wanted in (None, "native") and _is_native(application, wanted):
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


def _is_native(application: object, wanted: Kind | None) -> bool:
    """Whether it has the method; objects that have any name one asks for have none that fits."""
    method = getattr(application, "handle_exchange", None)
    if isinstance(application, type) or method is None:
        return False
    signature = _signature_of(method)
    return wanted == "native" or (signature is not None and len(_required(signature)) == 1)


def _kind_by_parameters(application: object) -> Kind | None:
    """Return the kind that the parameters tell; None where they don't."""
    signature = _signature_of(application)
    if signature is None:
        return None
    parameters = signature.parameters.values()
    if any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters):
        return None
    required = _required(signature)
    kind = _BY_PARAMETERS.get(len(required))
    if kind == "factory":
        return None if any(p.kind is p.VAR_POSITIONAL for p in parameters) else kind
    places = [(kind, place) for place in range(len(required))]
    fits = all(_PLACES.get(p.name, here) == here for p, here in zip(required, places, strict=True))
    return kind if fits else None


def _required(signature: inspect.Signature) -> list[inspect.Parameter]:
    """Return the positional parameters without a default."""
    return [
        p
        for p in signature.parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
    ]


def _signature_of(application: Any) -> inspect.Signature | None:
    """Return how something is called, or None where that can't be told.

    Some objects, such as Sentry's around an ASGI application, have a ``__call__`` of their
    own, which ``inspect`` doesn't look for.
    """
    for each in (application, getattr(application, "__call__", None)):  # noqa: B004
        with suppress(Exception):  # of C, or with a signature that is no truth
            return _read_signature(each)
        if isinstance(application, type):
            break  # what its instances do when they are called is something else
    return None


def _read_signature(function: Any) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        # There annotations are evaluated, and may name what only type checkers import.
        from annotationlib import Format

        return inspect.signature(function, annotation_format=Format.FORWARDREF)
    return inspect.signature(function)


def _shown(application: object) -> str:
    return str(_signature_of(application) or "no signature")
