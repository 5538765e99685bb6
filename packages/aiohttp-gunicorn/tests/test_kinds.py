"""The kind of an application is told by what it is, or it is not told at all."""

from __future__ import annotations

import functools
import sys
from collections import UserDict
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from aiohttp.worker.boot import BootError
from aiohttp.worker.kinds import Kind, kind_of, kind_wanted


class Native(UserDict[str, object]):
    """A web.Application, seen from outside: callable, and a mapping, too."""

    async def handle_exchange(self, exchange: Any) -> None: ...

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class Asgi:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class Wsgi:
    def __call__(self, environ: Any, start_response: Any) -> Any: ...

    def method(self, environ: Any, start_response: Any) -> Any: ...


class WsgiByConstruction:
    """PEP 3333, "The Application/Framework Side": a class whose instances are iterated over."""

    def __init__(self, environ: Any, start_response: Any) -> None: ...


class Keyword:
    """Takes two as WSGI does, and can't be called with two."""

    def __call__(self, a: Any, b: Any, *, c: Any) -> None: ...


class Configured:
    """A factory: its defaults make an application."""

    def __init__(self, debug: bool = False) -> None: ...


class CallableByAttribute:
    """As Sentry's wrapper around ASGI: each object has a ``__call__`` of its own."""

    __slots__ = ("__call__",)

    def __init__(self) -> None:
        self.__call__ = Asgi().__call__


class Proxy:
    """Has every attribute that one asks for."""

    def __getattr__(self, name: str) -> Any:
        return anything

    def __call__(self, environ: Any, start_response: Any) -> Any: ...


def wsgi(environ: Any, start_response: Any) -> Any: ...


async def coroutine_wsgi(environ: Any, start_response: Any) -> Any: ...


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...


def plain_asgi(scope: Any, receive: Any, send: Any) -> Any: ...


def wsgi_and_more(e: Any, s: Any, *more: Any, **options: Any) -> Any: ...
def wsgi_and_extra(e: Any, s: Any, extra: Any = None) -> Any: ...
def named_asgi(name: Any, scope: Any, receive: Any, send: Any) -> Any: ...


def anything(*args: Any) -> None: ...
def of_one(request: Any) -> None: ...
def of_four(a: Any, b: Any, c: Any, d: Any) -> None: ...
def asgi_without_send(scope: Any, receive: Any) -> None: ...
def asgi_with_send_or_not(scope: Any, receive: Any, send: Any = None) -> None: ...
def asgi_without_scope(receive: Any, send: Any) -> None: ...
def wsgi_with_exc_info(environ: Any, start_response: Any, exc_info: Any) -> None: ...
def wsgi_behind_config(config: Any, environ: Any, start_response: Any) -> None: ...
def environ_behind_config(config: Any, environ: Any) -> None: ...


def make(debug: bool = False, *, loop: Any = None) -> Any: ...


async def make_soon() -> Any: ...


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a decorated function, as most decorators leave it."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


@pytest.mark.parametrize(
    ("application", "kind"),
    [
        (Native(), "native"),
        (Asgi(), "asgi"),
        (asgi, "asgi"),
        (plain_asgi, "asgi"),
        (wrapped(asgi), "asgi"),
        (functools.partial(named_asgi, "x"), "asgi"),
        (wsgi, "wsgi"),
        (Wsgi(), "wsgi"),
        (Wsgi().method, "wsgi"),
        (WsgiByConstruction, "wsgi"),
        (coroutine_wsgi, "wsgi"),
        (CallableByAttribute(), "asgi"),
        (Proxy(), "wsgi"),
        (wrapped(wsgi), "wsgi"),
        (wsgi_and_more, "wsgi"),
        (wsgi_and_extra, "wsgi"),
        (make, "factory"),
        (make_soon, "factory"),
        (Configured, "factory"),
        (Native, "factory"),
    ],
)
def test_kind_is_told_by_the_parameters(application: Any, kind: Kind) -> None:
    """Two are WSGI's, three are ASGI's, none are a factory's; handle_exchange goes before."""
    assert kind_of(application) == kind


@pytest.mark.parametrize(
    "application",
    [
        anything,
        of_one,
        of_four,
        asgi_without_send,
        asgi_with_send_or_not,
        wsgi_with_exc_info,
        wsgi_behind_config,
        environ_behind_config,
        asgi_without_scope,
        Wsgi.method,
        Asgi.__call__,
        Mock(),
        Keyword(),
        type,
    ],
)
def test_kind_that_can_not_be_told_is_asked_for(application: Any) -> None:
    """Nobody guesses: neither the number is right, or the names speak against it."""
    with pytest.raises(BootError, match=r"can't tell whether .*--env AIOHTTP_APPLICATION=wsgi"):
        kind_of(application)
    assert kind_of(application, "wsgi") == "wsgi"
    assert kind_of(application, "asgi") == "asgi"


def test_annotations_are_not_evaluated() -> None:
    """They may name what only type checkers import; from Python 3.14 on without a future."""
    future = "from __future__ import annotations\n" if sys.version_info < (3, 14) else ""
    namespace: dict[str, Any] = {}
    exec(f"{future}def app(environ: Missing, start_response: Missing): ...", namespace)
    assert kind_of(namespace["app"]) == "wsgi"


def test_signature_is_shown() -> None:
    """Whoever reads the error sees what was looked at."""

    def handler(request: object) -> None: ...

    with pytest.raises(BootError, match=r"it has \(request: 'object'\) -> 'None'"):
        kind_of(handler)
    with pytest.raises(BootError, match="it has no signature"):
        kind_of(type)


def test_users_word_goes_before_what_is_seen() -> None:
    """A native application is served by its other door, where that is wanted."""
    assert kind_of(Native(), "asgi") == "asgi"
    assert kind_of(asgi, "wsgi") == "wsgi"
    assert kind_of(make, "asgi") == "factory"


def test_native_must_have_its_method() -> None:
    """What hasn't handle_exchange can't be served as if it had."""
    with pytest.raises(BootError, match="has no method handle_exchange"):
        kind_of(wsgi, "native")
    assert kind_of(Mock(), "native") == "native"


def test_mapping_needs_the_other_worker() -> None:
    """A mapping from ports to applications names the worker that takes it."""
    with pytest.raises(BootError, match=r"aiohttp\.worker\.PortMapperWorker"):
        kind_of({8080: wsgi})


def test_what_can_not_be_called_is_no_application() -> None:
    """A module, or a string, is shown as what it is."""
    with pytest.raises(BootError, match="got 'application', which can't be called"):
        kind_of("application")


def test_names_of_kinds() -> None:
    """``auto`` leaves it to the rule; what is no kind is refused with the list of them."""
    assert kind_wanted("auto") is None
    assert kind_wanted("asgi") == "asgi"
    with pytest.raises(BootError, match="one of auto, native, wsgi, asgi, got 'factory'"):
        kind_wanted("factory")
