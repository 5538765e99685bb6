"""What the router found for one request: who answers it, and with which values of the path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiohttp.protocol.abc import AbstractMatchInfo

if TYPE_CHECKING:
    from .application import Application
    from .exceptions import HTTPException
    from .middlewares import Handler
    from .request import Request
    from .routes import AbstractRoute
    from .stream_response import StreamResponse

__all__ = ["MatchInfoError", "UrlMappingMatchInfo"]


class UrlMappingMatchInfo(dict[str, str], AbstractMatchInfo):
    """The values of ``{name}`` in the route's path, decoded, and the route.

    ``request.match_info["name"]`` is what most programs use of it.
    """

    # Attributes of the class as long as nothing else is known: one is made for each request.
    _apps: tuple[Application, ...] = ()
    _current_app: Application | None = None
    _is_frozen = False

    def __init__(self, match_dict: Mapping[str, str], route: AbstractRoute) -> None:
        self.update(match_dict)  # super().__init__(…) takes twice as long: 0.25 µs of a request
        self._route = route

    def __repr__(self) -> str:
        return f"<MatchInfo {dict(self)}: {self.route!r}>"

    @property
    def route(self) -> AbstractRoute:
        """The route that matched."""
        return self._route

    @property
    def handler(self) -> Handler:  # type: ignore[override]
        """The route's handler, without the middlewares."""
        return self._route.handler

    async def expect_handler(self, request: Request) -> StreamResponse | None:
        """Have the route look at a request with ``Expect``; a response ends the request here."""
        return await self._route.handle_expect_header(request)

    @property
    def http_exception(self) -> HTTPException | None:
        """The router's own answer, 404 or 405; None, for a handler was found."""
        return None

    def get_info(self) -> Mapping[str, Any]:
        """Return what is known about the resource's path."""
        return self._route.get_info()

    # The applications that the request passes.

    @property
    def apps(self) -> tuple[Application, ...]:
        """The applications on the way to the route, the outermost first."""
        return self._apps

    def add_app(self, app: Application) -> None:
        """Put an application around those that are there.

        Raises:
            RuntimeError: after ``freeze``.
        """
        if self._is_frozen:
            raise RuntimeError("this match info is frozen: its request is being answered")
        apps = self._apps
        self._apps = (app, *apps) if apps else (app,)

    @property
    def current_app(self) -> Application:
        """The application whose middleware or handler runs now; ``request.app``.

        Raises:
            RuntimeError: if no application had its part in finding the route.
        """
        current = self._current_app
        if current is not None:
            return current
        if not self._apps:
            raise RuntimeError("no application has been added to this match info")
        return self._apps[-1]

    @current_app.setter
    def current_app(self, app: Application) -> None:
        self._current_app = app

    def set_current_app(self, app: Application) -> _Within:
        """Return a context manager, inside of which ``current_app`` is ``app``.

        Raises:
            RuntimeError: if the application isn't one of ``apps``.
        """
        if not any(app is each for each in self._apps):
            raise RuntimeError(f"expected one of {list(self._apps)!r}, got {app!r}")
        return _Within(self, app)

    def freeze(self) -> None:
        """Refuse further applications."""
        self._is_frozen = True


class _Within:
    """What ``set_current_app`` returns. A class: each middleware of a sub-application has one."""

    __slots__ = ("_app", "_before", "_match_info")

    def __init__(self, match_info: UrlMappingMatchInfo, app: Application) -> None:
        self._match_info = match_info
        self._app = app
        self._before: Application | None = None

    def __enter__(self) -> None:
        self._before = self._match_info._current_app  # noqa: SLF001 - the other half of one thing
        self._match_info._current_app = self._app  # noqa: SLF001

    def __exit__(self, *exc_info: object) -> None:
        self._match_info._current_app = self._before  # noqa: SLF001


class MatchInfoError(UrlMappingMatchInfo):
    """The router's own answer: nobody is there (404), or not for this method (405)."""

    def __init__(self, http_exception: HTTPException) -> None:
        from .routes import SystemRoute

        super().__init__({}, SystemRoute(http_exception))
        self._exception = http_exception

    def __repr__(self) -> str:
        return f"<MatchInfoError {self._exception.status}: {self._exception.reason}>"

    @property
    def http_exception(self) -> HTTPException:
        """What the handler raises."""
        return self._exception
