"""Which kind of application an object is."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from gunicorn.config import Config

from aiohttp.protocol import Exchange
from aiohttp.worker.application import adapt
from aiohttp.worker.wsgi import WsgiApplication

log = logging.getLogger("test_application")


class Native:
    """An application of protocol's kind, callable because gunicorn wants it."""

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer nothing."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Would serve ASGI."""


class Asgi:
    """An application of ASGI's kind."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Would serve ASGI."""


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """Would serve ASGI."""


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    """Answer nothing."""
    return []


def test_function_is_wsgi() -> None:
    """A plain callable is served as WSGI."""
    assert isinstance(adapt(wsgi, Config(), log), WsgiApplication)


def test_native_application_is_served_as_it_is() -> None:
    """What has handle_exchange needs no adapter, even if it is callable too."""
    application = Native()
    assert adapt(application, Config(), log) is application


@pytest.mark.parametrize("application", [asgi, Asgi()], ids=["function", "object"])
def test_coroutine_function_is_refused(application: Any) -> None:
    """ASGI isn't taken for WSGI: it is an error at the start, not with each request."""
    with pytest.raises(TypeError, match=r"expected a WSGI application.*is a coroutine function"):
        adapt(application, Config(), log)
