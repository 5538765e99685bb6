"""The application: routes, middlewares, what a program keeps, and the moments of its life."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from functools import partial
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from aiohttp.protocol import MIB, Exchange, PeerDisconnected, RemoteProtocolError, web_logger
from aiohttp.protocol.abc import AbstractRouter

from .dispatcher import UrlDispatcher
from .exceptions import HTTPException
from .handling import (
    adopt,
    answer_for_error,
    chain_of,
    http_exception_of,
    match_of_refusal,
    require_response,
)
from .keys import AppKey, NotAppKeyWarning
from .limits import RequestLimits
from .middlewares import Middleware, check_middlewares
from .request import Request
from .response_fields import ResponseFields
from .signals import CleanupContext, FrozenList, Signal, error_of, is_cancelled, raise_all
from .stream_response import StreamResponse

if TYPE_CHECKING:
    import logging

    from ..server import Server
    from .matchinfo import UrlMappingMatchInfo
    from .resources import AbstractResource
    from .routedef import AbstractRouteDef
    from .routes import AbstractRoute

__all__ = ["Application"]

_T = TypeVar("_T")
_U = TypeVar("_U")


class Application(MutableMapping["str | AppKey[Any]", Any]):
    """What answers requests: handlers by method and path.

    ::

        async def hello(request):
            return web.Response(text=f"Hello, {request.match_info['name']}")


        app = web.Application()
        app.router.add_get("/{name}", hello)
        web.run_app(app)

    It is served by ``run_app``, by any ASGI server (it is an ASGI callable), and by
    whatever serves exchanges (``aiohttp.protocol.Application``), such as our gunicorn
    worker. It is a mapping, for what handlers need: ``app[POOL] = pool``, with ``POOL
    = web.AppKey("pool", Pool)``.

    Args:
        logger: where errors of handlers are logged.
        router: of the program's own; a ``UrlDispatcher`` by default.
        middlewares: see ``web.middleware``; the first is the outermost.
        handler_args: options for the connections, as those of ``AppRunner``.
        client_max_size: how many bytes a body may have that is read as a whole (413);
            0: no bound but the connection's.
        client_max_fields: how many fields a form may have (413); 0: no bound.
        request_limits: all such bounds, instead of the two above.
        debug: whether an error shows its traceback to the client; None: whether the
            event loop is in debug mode.
        debug_locals: whether that page shows local variables too, with whatever secrets
            they hold.
        loop: ignored, for programs of long ago.

    Attributes:
        handler_cancellation: whether a handler is cancelled when its client goes away.
        has_prepare_hooks: whether ``on_response_prepare`` may have receivers, here or below.
        exchange_observers: functions that are called with each exchange when its response
            is over, complete or not; those of an application below another aren't.
    """

    handles_refusals: Final = True
    """Middlewares see requests that the connection refused, too."""

    def __init__(
        self,
        *,
        logger: logging.Logger | logging.LoggerAdapter[Any] = web_logger,
        router: AbstractRouter | None = None,
        middlewares: Iterable[Middleware] = (),
        handler_args: Mapping[str, Any] | None = None,
        client_max_size: int = MIB,
        client_max_fields: int = 1000,
        request_limits: RequestLimits | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        debug: bool | None = None,
        debug_locals: bool = False,
    ) -> None:
        if not isinstance(router, (AbstractRouter, NoneType)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"expected an AbstractRouter as router, got {type(router).__name__}")
        if loop is not None:
            warnings.warn(
                "loop is ignored: an application has that which runs it",
                DeprecationWarning,
                stacklevel=2,
            )
        self.logger = logger
        self.debug_locals = debug_locals
        self.handler_cancellation = False
        self.has_prepare_hooks = True  # as long as nobody knows better
        self.exchange_observers: FrozenList[Callable[[Exchange], object]] = FrozenList()
        self.request_limits = (
            RequestLimits(body=client_max_size or None, fields=client_max_fields or None)
            if request_limits is None
            else request_limits
        )
        self._debug = debug
        self._router = UrlDispatcher() if router is None else router
        # The doors of the hot path; closed where a router's own ``match`` or ``resolve`` decides.
        self._match: Callable[[Request], UrlMappingMatchInfo | None] = _never
        self._plain: Mapping[str, Mapping[str, AbstractRoute]] = {}
        if isinstance(self._router, UrlDispatcher) and self._router.matches_at_once:
            self._match = self._router.match
            if type(self._router).match is UrlDispatcher.match:
                self._plain = self._router.plain
        self._handler_args = handler_args
        self._middlewares: FrozenList[Middleware] = FrozenList(middlewares)
        self._state: dict[str | AppKey[Any], Any] = {}
        self._subapps: list[Application] = []
        self._on_response_prepare: Signal[Request, StreamResponse] = Signal(self)
        self._on_startup: Signal[Application] = Signal(self)
        self._on_shutdown: Signal[Application] = Signal(self)
        self._on_cleanup: Signal[Application] = Signal(self)
        self._cleanup_ctx = CleanupContext()
        self._frozen = False
        self._pre_frozen = False
        self._is_started = False

    def __repr__(self) -> str:
        return f"<Application 0x{id(self):x}>"

    # What a program keeps. Equality is identity: two empty applications aren't one.

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        return True

    @overload
    def __getitem__(self, key: AppKey[_T]) -> _T: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: str | AppKey[Any]) -> Any:
        return self._state[key]

    @overload
    def __setitem__(self, key: AppKey[_T], value: _T) -> None: ...
    @overload
    def __setitem__(self, key: str, value: Any) -> None: ...
    def __setitem__(self, key: str | AppKey[Any], value: Any) -> None:
        self._check_changeable()
        if not isinstance(key, AppKey):
            warnings.warn(
                f"a web.AppKey instead of {key!r} would tell its type, and never clash",
                NotAppKeyWarning,
                stacklevel=2,
            )
        self._state[key] = value

    def __delitem__(self, key: str | AppKey[Any]) -> None:
        self._check_changeable()
        del self._state[key]

    def __len__(self) -> int:
        return len(self._state)

    def __iter__(self) -> Iterator[str | AppKey[Any]]:
        return iter(self._state)

    @overload  # type: ignore[override]
    def get(self, key: AppKey[_T], default: _U) -> _T | _U: ...
    @overload
    def get(self, key: AppKey[_T], default: None = None) -> _T | None: ...
    @overload
    def get(self, key: str, default: Any = None) -> Any: ...
    def get(  # pyright: ignore[reportIncompatibleMethodOverride] - keys are of two types
        self, key: str | AppKey[Any], default: Any = None
    ) -> Any:
        """Return what is kept below this key, else the default."""
        return self._state.get(key, default)

    def _check_changeable(self) -> None:
        if self._frozen:
            warnings.warn(
                "an application that has started should not be changed: "
                "keep an object in it that may be",
                DeprecationWarning,
                stacklevel=3,
            )

    # Its parts.

    @property
    def router(self) -> UrlDispatcher:
        """The router; of the program's own class where it gave one."""
        return self._router  # type: ignore[return-value]

    @property
    def middlewares(self) -> FrozenList[Middleware]:
        """The middlewares, the outermost first."""
        return self._middlewares

    @property
    def on_response_prepare(self) -> Signal[Request, StreamResponse]:
        """Called with request and response before the response's head is sent."""
        return self._on_response_prepare

    @property
    def on_startup(self) -> Signal[Application]:
        """Called before the first connection is accepted."""
        return self._on_startup

    @property
    def on_shutdown(self) -> Signal[Application]:
        """Called when stopping begins: requests are still running."""
        return self._on_shutdown

    @property
    def on_cleanup(self) -> Signal[Application]:
        """Called after the last request."""
        return self._on_cleanup

    @property
    def cleanup_ctx(self) -> CleanupContext:
        """Contexts that are entered before ``on_startup``, and left after ``on_cleanup``."""
        return self._cleanup_ctx

    @property
    def debug(self) -> bool:
        """Whether an error shows its traceback to the client."""
        if self._debug is not None:
            return self._debug
        try:
            return asyncio.get_running_loop().get_debug()
        except RuntimeError:
            return False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop. Deprecated."""
        return asyncio.get_running_loop()

    @property
    def handler_args(self) -> Mapping[str, Any]:
        """Options for the connections."""
        return MappingProxyType(dict(self._handler_args or {}))

    # Routes and applications below this one.

    def add_routes(self, routes_table: Iterable[AbstractRouteDef]) -> list[AbstractRoute]:
        """Add routes of a ``RouteTableDef``, or of a list of ``web.get(...)`` and its like."""
        return self.router.add_routes(routes_table)

    def add_subapp(self, prefix: str, subapp: Application) -> AbstractResource:
        """Have another application answer all paths below a prefix, such as ``"/admin"``.

        It gets the lifecycle of this one, and its middlewares run inside of this one's.

        Raises:
            RuntimeError: if either application is frozen, as the other one is after it
                was added.
            ValueError: if the prefix is ``/`` or empty.
        """
        from .subapps import PrefixedSubAppResource

        if not isinstance(prefix, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"expected a str as prefix, got {type(prefix).__name__}")
        prefix = prefix.rstrip("/")
        if not prefix:
            raise ValueError("expected a prefix such as '/admin': one for all would hide this app")
        return self._add_below(lambda: PrefixedSubAppResource(prefix, subapp), subapp)

    def add_domain(self, domain: str, subapp: Application) -> AbstractResource:
        """Have another application answer all requests to a host, such as ``*.example.com``.

        Raises:
            RuntimeError: as ``add_subapp``.
            ValueError: if the domain is none.
        """
        from .subapps import Domain, MaskDomain, MatchedSubAppResource

        if not isinstance(domain, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"expected a str as domain, got {type(domain).__name__}")
        rule = MaskDomain(domain) if "*" in domain else Domain(domain)
        return self._add_below(lambda: MatchedSubAppResource(rule, subapp), subapp)

    def _add_below(
        self, make: Callable[[], AbstractResource], subapp: Application
    ) -> AbstractResource:
        if self._pre_frozen or self._on_startup.frozen:
            raise RuntimeError(
                "this application is frozen, for it has started or belongs to another one: "
                "add before"
            )
        if subapp.pre_frozen:
            raise RuntimeError("the other application was added somewhere already, or has started")
        if subapp is self:
            raise RuntimeError("an application can't be added to itself")
        resource = make()
        self.router.register_resource(resource)
        self._subapps.append(subapp)
        self.on_startup.append(lambda _: subapp.startup())
        self.on_shutdown.append(lambda _: subapp.shutdown())
        self.on_cleanup.append(lambda _: subapp.cleanup())
        subapp.pre_freeze()
        return resource

    # Its life.

    @property
    def pre_frozen(self) -> bool:
        """Whether it belongs to another application, or is frozen."""
        return self._pre_frozen

    @property
    def frozen(self) -> bool:
        """Whether routes, middlewares and signals may not be changed any more."""
        return self._frozen

    def pre_freeze(self) -> None:
        """Refuse changes of routes, middlewares and signals from now on."""
        if self._pre_frozen:
            return
        check_middlewares(self._middlewares)
        self._pre_frozen = True
        self._middlewares.freeze()
        self.exchange_observers.freeze()
        if isinstance(self._router, UrlDispatcher):
            self._router.freeze()
        for each in (
            self._on_response_prepare, self._on_startup, self._on_shutdown, self._on_cleanup,
            self._cleanup_ctx,
        ):  # fmt: skip
            each.freeze()
        for subapp in self._subapps:
            subapp.pre_freeze()
        self.has_prepare_hooks = bool(self._on_response_prepare) or any(
            subapp.has_prepare_hooks for subapp in self._subapps
        )

    def freeze(self) -> None:
        """Refuse every change from now on; done by ``startup``. Twice is fine."""
        if self._frozen:
            return
        self.pre_freeze()
        self._frozen = True
        for subapp in self._subapps:
            subapp.freeze()

    async def startup(self) -> None:
        """Enter the contexts of ``cleanup_ctx``, then call ``on_startup``.

        Until both are done routes, middlewares and the other signals may be added to.
        """
        self._cleanup_ctx.freeze()
        self._on_startup.freeze()
        await self._cleanup_ctx.enter(self)
        await self._on_startup.send(self)
        self._is_started = True
        self.freeze()

    async def shutdown(self) -> None:
        """Call ``on_shutdown``: all of it, whatever goes wrong.

        Raises:
            CleanupError: if several went wrong; a single error is raised itself.
        """
        self.pre_freeze()
        raise_all("on_shutdown", await self._on_shutdown.send_to_all(self))

    async def cleanup(self) -> None:
        """Call ``on_cleanup``, then leave the contexts: all of it, whatever goes wrong.

        After a start that failed half way only the contexts that had been entered are left.
        Cancelling this cancels the step that runs; the others run all the same.

        Raises:
            CleanupError: if several went wrong; a single error is raised itself.
        """
        self.pre_freeze()
        is_started, self._is_started = self._is_started, False
        steps: Iterable[Callable[[], Awaitable[object]]] = (
            [partial(receiver, self) for receiver in self._on_cleanup]
            if is_started
            else [subapp.cleanup for subapp in reversed(self._subapps)]
        )
        errors = [exc for step in steps if (exc := await error_of(step)) is not None]
        raise_all("cleanup", [*errors, *await self._cleanup_ctx.leave()])

    # Answering.

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request: the application's door for our own servers."""
        request = Request(exchange, self)
        exchange.request = request
        exchange.cancel_on_disconnect = self.handler_cancellation
        try:
            # Most requests are for a path without parts: one look finds the chain.
            head = exchange.head
            routes = self._plain.get(head.target)
            route = None if routes is None else routes.get(head.method)
            if route is None and exchange.refusal is None:
                route = self._matched(request)
            if (
                route is None
                or (chain := route.chain) is None
                or head.expect_continue
                or exchange.refusal is not None
            ):
                response = await self._find_answer(request)
            else:
                request._route = route  # noqa: SLF001 - they are one house
                response = await chain(request)
            begun = request._response  # noqa: SLF001
            # Not StreamResponse, which is an abstract class: they take 0.1 µs more.
            if begun is not None or not isinstance(response, ResponseFields):
                response = require_response(request, response)
            await response.send(request)
            # Two that know each other are left to the garbage collector: 0.5 µs a request.
            request._response = None  # noqa: SLF001
        except asyncio.CancelledError as exc:
            if is_cancelled():
                raise
            error = RuntimeError("the handler waited for something that was cancelled")
            error.__cause__ = exc
            await self._answer_error(request, error)
        except Exception as exc:  # noqa: BLE001 - answered
            await self._answer_error(request, exc)

    def _matched(self, request: Request) -> AbstractRoute | None:
        """Have the router say who answers, if it can without waiting."""
        found = self._match(request)
        if found is None:
            return None
        request._match_info = found  # noqa: SLF001 - they are one house
        found.add_app(self)
        return found.route

    async def _find_answer(self, request: Request) -> StreamResponse | None:
        """Return what the handler of a request returns, whoever that is."""
        exchange = request.exchange
        match_info = request._match_info  # noqa: SLF001 - they are one house
        if match_info is None:
            if exchange.refusal is not None:
                match_info = match_of_refusal(exchange.refusal)
            else:
                match_info = adopt(await self._router.resolve(request))
            request._match_info = match_info  # noqa: SLF001
            match_info.add_app(self)
        chain = match_info.route.chain
        if chain is None:
            self.pre_freeze()  # a route remembers its middlewares
            chain = await chain_of(match_info)
        if exchange.head.expect_continue:
            answer = await match_info.expect_handler(request)
            if answer is not None:
                return answer
        return await chain(request)

    async def _answer_error(self, request: Request, exc: Exception) -> None:
        """Send what there is to say of an error; re-raise it if it is too late for that."""
        exchange = request.exchange
        has_gone = isinstance(exc, PeerDisconnected) and exchange.is_disconnected
        if exchange.response_status or has_gone:
            raise exc
        # That another peer has gone, whom the handler has asked, is no fault of this one.
        if isinstance(exc, RemoteProtocolError) and not isinstance(exc, PeerDisconnected):
            exc = http_exception_of(exc)
        try:
            if isinstance(exc, HTTPException):
                if exc.limit_name:
                    exchange.books.limits_hit[exc.limit_name] += 1
                await exc.send(request)
                return
        except PeerDisconnected:
            raise
        except Exception as another:
            if exchange.response_status:
                raise
            exc = another
        await answer_for_error(self, request, exc).send(request)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Answer as an ASGI application: HTTP and lifespan."""
        from .asgi import serve_asgi

        await serve_asgi(self, scope, receive, send)

    def make_handler(self, loop: asyncio.AbstractEventLoop | None = None, **kwargs: Any) -> Server:
        """Return a factory of connections for ``loop.create_server``. Deprecated: AppRunner."""
        from ..server import Server

        self.pre_freeze()
        return Server.serving(self, **{**self.handler_args, **kwargs})


def _never(request: object) -> None:
    """Stand for a router that can't tell without waiting."""
