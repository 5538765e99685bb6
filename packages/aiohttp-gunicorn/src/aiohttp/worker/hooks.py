"""gunicorn's hooks around each request: ``pre_request`` and ``post_request``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Self
from weakref import WeakKeyDictionary

from aiohttp.protocol import Application, Exchange, reason_of

from .targets import split_target
from .wsgi.environ import make_environ

__all__ = ["HookRequest", "HookResponse", "HookedApplication", "RequestHooks"]


class HookRequest:
    """A request in the shape of gunicorn's, as far as its documentation shows hooks that look.

    Both hooks of one request get the same object, so that one may leave something in it
    for the other. What they change in it changes nothing else.

    Attributes:
        headers: the fields, with their names in upper case.
        path: still percent-encoded, as are ``uri`` and ``query``.
        remote_addr: the client's address.
        peer_addr: that of the connection's other end, which may be a proxy's.
    """

    def __init__(self, exchange: Exchange) -> None:
        head = exchange.head
        self.method = head.method
        self.uri = head.target
        _, self.path, self.query = split_target(head.target)
        self.fragment = ""
        self.version = (head.version.major, head.version.minor)
        self.headers = [(name.upper(), value) for name, value in head.headers.items()]
        self.scheme = exchange.scheme
        self.remote_addr = exchange.peername
        self.peer_addr = exchange.get_extra_info("peername")

    def __repr__(self) -> str:
        return f"<HookRequest {self.method} {self.uri}>"


class HookResponse:
    """A response in the shape of gunicorn's.

    Attributes:
        status: such as ``"200 OK"``; None if there was no response.
        sent: bytes of the body.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.status_code = exchange.response_status or None
        self.status = (
            f"{self.status_code} {reason_of(self.status_code)}" if self.status_code else None
        )
        self.headers = list(exchange.sent_fields)
        self.headers_sent = self.status is not None
        self.sent = exchange.body_sent

    def __repr__(self) -> str:
        return f"<HookResponse {self.status}>"


class RequestHooks:
    """Calls the hooks of one worker; they may block, so for WSGI in the application's thread."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._begun: WeakKeyDictionary[Exchange, HookRequest] = WeakKeyDictionary()

    @classmethod
    def of(cls, worker: Any) -> Self | None:
        """Return the hooks of a gunicorn worker; None if neither would do anything."""
        cfg = worker.cfg
        if cfg.post_request is not cfg.settings["post_request"].default:
            return cls(worker)
        if cfg.pre_request is not cfg.settings["pre_request"].default:
            return cls(worker)
        # gunicorn's own pre_request writes a line to the log, at this level.
        log = getattr(worker.log, "error_log", None)
        return None if log is None or not log.isEnabledFor(logging.DEBUG) else cls(worker)

    def before(self, exchange: Exchange) -> None:
        """Call ``pre_request``; its error is that of the request."""
        request = HookRequest(exchange)
        self._begun[exchange] = request
        self._worker.cfg.pre_request(self._worker, request)

    def after(self, exchange: Exchange, environ: Mapping[str, Any] | None) -> None:
        """Call ``post_request``, when the response is over; an error in it is logged.

        Without ``environ``, as of an application that is not of WSGI, it gets one all the same.
        """
        try:
            self._worker.cfg.post_request(
                self._worker,
                self._begun.pop(exchange, None) or HookRequest(exchange),
                make_environ(exchange, {"SCRIPT_NAME": ""}) if environ is None else environ,
                HookResponse(exchange),
            )
        except Exception:
            self._worker.log.exception("Exception in post_request hook")


class HookedApplication:
    """An application whose requests go through hooks, on the event loop."""

    take_exchange = None  # nothing passes by

    def __init__(self, application: Application, hooks: RequestHooks) -> None:
        self._application = application
        self._hooks = hooks

    def __getattr__(self, name: str) -> Any:
        # What else it may have, and need not: ``startup``, ``disconnect_grace`` …
        return getattr(self._application, name)

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request; one that the connection could not take goes through no hook."""
        if exchange.refusal is not None:
            await self._application.handle_exchange(exchange)
            return
        try:
            self._hooks.before(exchange)
            await self._application.handle_exchange(exchange)
        finally:
            self._hooks.after(exchange, None)
