"""What the connections of one server share: its application, its limits, its clock, its books."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from .dates import DateLine
from .exchange import Application, Exchange, TakenExchange
from .http1.encode import encode_fields
from .limits import DEFAULT_LIMITS, Limits
from .outbox import Outbox
from .timers import Deadlines, deadlines_of

if TYPE_CHECKING:
    from .forwarded import Trust

__all__ = ["Books", "Service", "ServiceConnection"]

logger = logging.getLogger("aiohttp.server")


class ServiceConnection(Protocol):
    """What a service asks of each of its connections."""

    @property
    def exchange(self) -> Exchange | None:
        """The exchange that is under way; None between two of them."""

    def begin_drain(self) -> None:
        """Close if idle; otherwise answer what runs, announce the end, and close then."""

    def abort(self) -> None:
        """Cut the connection at once, and cancel what runs on it."""


class Books:
    """What a server has done so far, counted.

    Attributes:
        connections: accepted so far.
        disconnections: of those that are over.
        requests: whose head was read whole and right.
        responses: final responses, by status; refused requests included.
        bytes_received, bytes_sent: over the wire, heads and framing included.
        limits_hit: by the name of the limit or of the error.
    """

    __slots__ = (
        "bytes_received", "bytes_sent", "connections", "disconnections", "limits_hit", "requests",
        "responses",
    )  # fmt: skip

    def __init__(self) -> None:
        self.connections = 0
        self.disconnections = 0
        self.requests = 0
        self.responses: Counter[int] = Counter()
        self.bytes_received = 0
        self.bytes_sent = 0
        self.limits_hit: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<Books {self.requests} requests on {self.connections} connections>"


class Service:
    """What the connections of one server share. One for each event loop.

    Args:
        application: what answers; None where connections answer themselves, as a
            subclass of ``ServerHttpProtocol`` with its own ``handle_request`` does.
        limits: bounds of everything that a client controls.
        allowed_methods: if not empty, any other method is answered 405. CONNECT is
            answered 501 unless it is named here.
        tcp_keepalive: whether the kernel probes silent clients (SO_KEEPALIVE).
        server: the value of the Server field; none is sent if it is empty.
        on_exchange: called with each exchange when its response is over, complete or
            not, refused ones included: for access logs. An error in it is logged.
        observers: called behind ``on_exchange``, each whatever those before it raise; and
            behind them the application's own ``exchange_observers``, if it has any.
        trusted_proxies: whose word is taken for a client's address, scheme and host:
            ``TrustedProxies``, or anything else with ``believed``.
        deadlines: the timer; that of the running loop by default.

    Attributes:
        connections: those that are open.
        tasks: handlers that are running.
        disconnect_grace: seconds from a client's going to the end of its handler.
        outbox: where answers wait for each other; None on a loop that does that itself.
        observers: all who are told of exchanges that are over.
        books: counts.
        is_draining: whether ``begin_drain`` was called.
    """

    def __init__(
        self,
        application: Application | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
        allowed_methods: Collection[str] = (),
        tcp_keepalive: bool = True,
        server: str = "",
        on_exchange: Callable[[Exchange], object] | None = None,
        observers: Iterable[Callable[[Exchange], object]] = (),
        trusted_proxies: Trust | None = None,
        deadlines: Deadlines | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if isinstance(allowed_methods, str):
            raise TypeError("allowed_methods must be a collection of names, such as {'GET'}")
        self.application = application
        self.handles_refusals: bool = getattr(application, "handles_refusals", False)
        self.take_exchange: Callable[[TakenExchange], Callable[[], object] | None] | None = getattr(
            application, "take_exchange", None
        )
        self.disconnect_grace: float = getattr(application, "disconnect_grace", 0.0)
        self.limits = limits
        self.allowed_methods = frozenset(allowed_methods)
        self.tcp_keepalive = tcp_keepalive
        self.server_line = encode_fields([("Server", server)]).block if server else b""
        own = () if on_exchange is None else (on_exchange,)
        self.observers = (*own, *observers, *getattr(application, "exchange_observers", ()))
        self.trusted_proxies = trusted_proxies
        self.loop = loop if loop is not None else asyncio.get_running_loop()
        self.deadlines = deadlines if deadlines is not None else deadlines_of(self.loop)
        self.time = self.deadlines.time if deadlines is not None else _clock_of(self.loop)
        self.date_line = DateLine()
        self.outbox = Outbox(self.loop) if isinstance(self.loop, asyncio.BaseEventLoop) else None
        self.start_task = _eager_task_starter(self.loop, copy_context())
        self.persistent_ending = _persistent_ending(limits.keep_alive)
        self.last_request = limits.requests if limits.keep_alive else 0
        self.connections: set[ServiceConnection] = set()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.books = Books()
        self.is_draining = False
        self._draining: asyncio.Event | None = None
        self._change: asyncio.Event | None = None

    def __repr__(self) -> str:
        state = "draining" if self.is_draining else "open"
        return f"<Service {state}, {len(self.connections)} connections, {len(self.tasks)} handlers>"

    # Connections.

    def enter(self, connection: ServiceConnection) -> None:
        """Count a new connection in."""
        self.connections.add(connection)
        self.books.connections += 1

    def leave(self, connection: ServiceConnection) -> None:
        """Count a connection out."""
        if connection in self.connections:
            self.connections.remove(connection)
            self.books.disconnections += 1
        self.tell_change()

    @property
    def exchanges(self) -> list[Exchange]:
        """Those that are under way, the longest first. Any thread may ask."""
        found = [c.exchange for c in list(self.connections)]
        return sorted((e for e in found if e is not None), key=lambda e: e.started)

    def cancel(self, task: asyncio.Task[Any], why: str, grace: float = 0.0) -> None:
        """Cancel a handler, in ``grace`` seconds; one that has not begun never gets to its end."""
        task.add_done_callback(self.end_task)
        if not grace:
            task.cancel(why)
            return
        deadline = self.deadlines.deadline(lambda: task.cancel(why))
        deadline.set(self.time() + grace)
        task.add_done_callback(lambda _: deadline.close())

    def end_task(self, task: asyncio.Task[Any]) -> None:
        """Let go of a handler that has come to its end."""
        self.tasks.discard(task)
        self.tell_change()

    def tell_change(self) -> None:
        """Wake up whoever waits for a change."""
        if self._change is not None:
            self._change.set()
            self._change = None

    async def wait_change(self) -> None:
        """Return when a connection, or a handler, has come to its end."""
        if self._change is None:
            self._change = asyncio.Event()
        await self._change.wait()

    # Draining.

    def announce_end(self) -> None:
        """Have every response from now on announce that it is the last of its connection.

        For a server that is to be drained after some more of them. Who has read in a head
        that its connection will be kept learns it from the next one.
        """
        self.last_request = 0
        for exchange in self.exchanges:
            if not exchange.response_status:
                exchange.close_after()

    def begin_drain(self) -> None:
        """Tell all connections, and all handlers that ask, that the server is about to stop."""
        if self.is_draining:
            return
        self.is_draining = True
        if self._draining is not None:
            self._draining.set()
        for connection in list(self.connections):
            connection.begin_drain()

    async def wait_draining(self) -> None:
        """Return when draining begins."""
        if self.is_draining:
            return
        if self._draining is None:
            self._draining = asyncio.Event()
        await self._draining.wait()

    def abort(self) -> None:
        """Cut all connections, and cancel all handlers."""
        for connection in list(self.connections):
            connection.abort()
        for task in list(self.tasks):
            self.cancel(task, "the server stops")

    # Reports.

    def report(self, exchange: Exchange) -> None:
        """Hand a finished exchange to ``observers``; their errors are logged."""
        for observer in self.observers:
            try:
                observer(exchange)
            except Exception:
                logger.exception("error in %r for %r", observer, exchange)


def _clock_of(loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """Return the loop's clock; asyncio's own without the method around it, twice a request."""
    if type(loop).time is asyncio.BaseEventLoop.time:
        return time.monotonic
    return loop.time


def _persistent_ending(keep_alive: float) -> bytes:
    """Return the end of a head that offers to keep the connection for so many seconds."""
    if keep_alive == math.inf:
        return b"Connection: keep-alive\r\n\r\n"
    return f"Connection: keep-alive\r\nKeep-Alive: timeout={int(keep_alive)}\r\n\r\n".encode()


_TaskStarter: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


def _task_starter(loop: asyncio.AbstractEventLoop, context: Context) -> _TaskStarter:
    """Return what makes a task that begins in the loop's next turn, in a copy of ``context``.

    Not in one of the context that is current: requests are taken in by callbacks,
    which the handler of the request before may have asked for. A loop whose tasks
    the program makes itself is asked for them; elsewhere the detour of ``create_task``
    is spared, which takes 1.4 times as long.
    """
    if loop.get_task_factory() is not None:
        return lambda coroutine: context.copy().run(loop.create_task, coroutine)
    return lambda coroutine: asyncio.Task(
        coroutine, loop=loop, name=_TASK_NAME, context=context.copy()
    )


# All the same: to number them takes 0.2 µs.
_TASK_NAME: Final = "request"


def _eager_task_starter(loop: asyncio.AbstractEventLoop, context: Context) -> _TaskStarter:
    """Return what makes a task that begins at once, where this loop can do that.

    That spares a turn of the loop: 5 of the 42 µs that a lonely request takes, and 0.6
    of 15 among many. Requests of which several came in one piece are answered in one
    write (see ``docs/decisions/task-per-request.md``).
    """
    if loop.get_task_factory() is not None or not hasattr(loop, "__dict__"):
        return _task_starter(loop, context)
    if sys.version_info >= (3, 12):
        return lambda coroutine: asyncio.Task(
            coroutine, loop=loop, name=_TASK_NAME, context=context.copy(), eager_start=True
        )
    return _eager_starter(loop, context)


def _eager_starter(loop: asyncio.AbstractEventLoop, context: Context) -> _TaskStarter:
    """Return what makes a task on Python 3.11, and has it begin at once.

    A new task gives its first step to ``loop.call_soon``. For this one call that
    name is covered by one that takes the step aside, and so it can be run here, in
    the task's own context, as the loop would.
    """
    # Names of their own: 30 ns.
    current_task, call_soon = asyncio.current_task, loop.call_soon
    task_of: type[asyncio.Task[None]] = asyncio.Task
    aside: list[Callable[..., object]] = []
    own = context

    def take_aside(
        step: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle | None:
        if context is not own:  # a signal's handler came between, such as that of asyncio.run
            return call_soon(step, *args, context=context)
        aside.append(step)
        return None

    def start(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        nonlocal own
        own = context.copy()
        if current_task(loop) is not None:  # a task can't begin inside another one
            return task_of(coroutine, loop=loop, name=_TASK_NAME, context=own)
        loop.call_soon = take_aside  # type: ignore[method-assign,assignment]
        try:
            task = task_of(coroutine, loop=loop, name=_TASK_NAME, context=own)
        finally:
            del loop.call_soon
        own.run(aside.pop())
        return task

    return start
