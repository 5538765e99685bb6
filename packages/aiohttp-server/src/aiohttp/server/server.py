"""``web.Server``: one handler for all requests, without routes, and the connections it serves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Self, TypeAlias, Unpack

from aiohttp.protocol import Application, Exchange, Listener, ServerHttpProtocol

from .options import ConnectionOptions, listener_options

if TYPE_CHECKING:
    from .web.request import BaseRequest
    from .web.stream_response import StreamResponse

__all__ = ["Server"]

_Handler: TypeAlias = "Callable[[BaseRequest], Awaitable[StreamResponse]]"
_RequestFactory: TypeAlias = "Callable[[Exchange], BaseRequest]"


class Server:
    """Serve one handler, which gets every request, whatever its path.

    ::

        async def hello(request):
            return web.Response(text=f"Hello, {request.path}")


        runner = web.ServerRunner(web.Server(hello))

    It is an application (``aiohttp.protocol.Application``), and, called without
    arguments, a factory of connections for ``loop.create_server(server, host, port)``.

    Args:
        handler: a coroutine function of a request, which returns a response.
        request_factory: makes the request out of an exchange; ``BaseRequest`` by default.
        options: see ``ConnectionOptions``.
    """

    def __init__(
        self,
        handler: _Handler,
        *,
        request_factory: _RequestFactory | None = None,
        **options: Unpack[ConnectionOptions],
    ) -> None:
        if not callable(handler):
            raise TypeError(f"expected a coroutine function as handler, got {handler!r}")
        self._set_up(_OneHandler(handler, request_factory), options)

    @classmethod
    def serving(cls, application: Application, **options: Unpack[ConnectionOptions]) -> Self:
        """Return a server whose connections are answered by an application."""
        if not callable(getattr(application, "handle_exchange", None)):
            raise TypeError(
                f"expected an application, such as web.Application(), got {application!r}"
            )
        self = cls.__new__(cls)
        self._set_up(application, options)
        return self

    def _set_up(self, application: Application, options: ConnectionOptions) -> None:
        self._application = application
        self._listener_options = listener_options({**options})
        self._listener: Listener | None = None
        if hasattr(application, "handler_cancellation"):
            is_wanted = options.get("handler_cancellation", False)
            setattr(application, "handler_cancellation", is_wanted)  # noqa: B010 - of any class

    def __repr__(self) -> str:
        return f"<Server, {len(self.connections)} connections, {self.requests_count} requests>"

    @property
    def connections(self) -> list[Any]:
        """The connections that are open."""
        return [] if self._listener is None else list(self._listener.service.connections)

    @property
    def requests_count(self) -> int:
        """How many requests have come so far."""
        return 0 if self._listener is None else self._listener.books.requests

    @property
    def listener(self) -> Listener:
        """Sockets that listen, and what the connections share; belongs to the running loop."""
        return self.prepare() if self._listener is None else self._listener

    def prepare(self, **options: Any) -> Listener:
        """Return the listener, made with these options in addition, of ``Listener``.

        Raises:
            RuntimeError: if it was made already.
        """
        if self._listener is not None:
            raise RuntimeError("a server is served once: make another web.Server")
        self._listener = Listener(self._application, **self._listener_options, **options)
        return self._listener

    def __call__(self) -> ServerHttpProtocol:
        """Return a new connection."""
        return ServerHttpProtocol(self.listener.service)

    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Stop as ``Listener.drain`` does: what still runs after ``timeout`` seconds is cut."""
        if self._listener is not None:
            await self._listener.drain(timeout)

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request that another listener has accepted."""
        await self._application.handle_exchange(exchange)


class _OneHandler:
    """An application that is one handler.

    Not the server itself: an application's ``shutdown`` is called when draining
    begins, a server's begins it.
    """

    def __init__(self, handler: _Handler, request_factory: _RequestFactory | None) -> None:
        from .web.exceptions import HTTPException
        from .web.request import BaseRequest

        self.handler_cancellation = False
        self._handler = handler
        self._make_request = BaseRequest if request_factory is None else request_factory
        self._raised_answer = HTTPException

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request."""
        exchange.cancel_on_disconnect = self.handler_cancellation
        request = self._make_request(exchange)
        exchange.request = request
        try:
            response = await self._handler(request)
        except self._raised_answer as exc:
            response = exc
        await response.send(request)
