"""A client session and the test server that it asks: the one place that knows both."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from aiohttp.protocol import Application

from .servers import BaseTestServer, TestServer

if TYPE_CHECKING:
    from yarl import URL

    from aiohttp.client import Session
    from aiohttp.client.awaitables import RequestContext
    from aiohttp.protocol.abc import AbstractCookieJar

__all__ = ["TestClient"]


class TestClient:
    """Ask an application over a socket, with all that a ``ClientSession`` can do.

    ::

        async with TestClient(app) as client:
            response = await client.get("/hello")
            assert await response.text() == "Hello"

    Needs aiohttp-client: ``pip install aiohttp-server[testing]``.

    Args:
        app_or_server: an application, for which a ``TestServer`` is made, or a server.
        loop: ignored, for programs of long ago.
        scheme, host: of that ``TestServer``.
        cookie_jar: of the session; by default one that accepts cookies of IP addresses.
        kwargs: of ``ClientSession``.

    Raises:
        ImportError: if aiohttp-client isn't installed.
    """

    __test__ = False  # whatever pytest thinks of its name

    def __init__(
        self,
        app_or_server: Application | BaseTestServer,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        scheme: str = "http",
        host: str = "127.0.0.1",
        cookie_jar: AbstractCookieJar | None = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(app_or_server, BaseTestServer):
            self._server = app_or_server
        else:
            self._server = TestServer(app_or_server, scheme=scheme, host=host)
        self._session = _new_session(cookie_jar, kwargs)

    def __repr__(self) -> str:
        return f"<TestClient of {self._server!r}>"

    @property
    def scheme(self) -> str:
        """The server's scheme."""
        return self._server.scheme

    @property
    def host(self) -> str:
        """The server's host."""
        return self._server.host

    @property
    def port(self) -> int | None:
        """The server's port; None before it is started."""
        return self._server.port

    @property
    def server(self) -> BaseTestServer:
        """The server."""
        return self._server

    @property
    def app(self) -> Any:
        """The application; None of a server without one."""
        return getattr(self._server, "app", None)

    @property
    def session(self) -> Session:
        """The session; its requests need whole URLs, see ``make_url``."""
        return self._session

    async def start_server(self, **kwargs: Any) -> None:
        """Start the server, unless it runs; ``kwargs`` are those of its ``start_server``.

        If that fails, the client is closed.
        """
        try:
            await self._server.start_server(**kwargs)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the session, then the server. Twice is fine."""
        await self._session.close()
        await self._server.close()

    def make_url(self, path: str | URL) -> URL:
        """Return the URL of a path of the server."""
        return self._server.make_url(path)

    # Asking.

    def request(self, method: str, path: str | URL, *args: Any, **kwargs: Any) -> RequestContext:
        """Ask; to be awaited, or entered: what ``ClientSession.request`` does with the URL."""
        return self._session.request(method, self.make_url(path), *args, **kwargs)

    def get(self, path: str | URL, *args: Any, **kwargs: Any) -> RequestContext:
        """GET; see ``ClientSession.get``."""
        return self._session.get(self.make_url(path), *args, **kwargs)

    def post(self, path: str | URL, *args: Any, **kwargs: Any) -> RequestContext:
        """POST; see ``ClientSession.post``."""
        return self._session.post(self.make_url(path), *args, **kwargs)

    def options(self, path: str | URL, *args: Any, **kwargs: Any) -> RequestContext:
        """OPTIONS; see ``ClientSession.options``."""
        return self._session.options(self.make_url(path), *args, **kwargs)

    def head(self, path: str | URL, *args: Any, **kwargs: Any) -> RequestContext:
        """HEAD; see ``ClientSession.head``."""
        return self._session.head(self.make_url(path), *args, **kwargs)

    def put(self, path: str | URL, *args: Any, **kwargs: Any) -> RequestContext:
        """PUT; see ``ClientSession.put``."""
        return self._session.put(self.make_url(path), *args, **kwargs)

    def patch(self, path: str | URL, *args: Any, **kwargs: Any) -> RequestContext:
        """PATCH; see ``ClientSession.patch``."""
        return self._session.patch(self.make_url(path), *args, **kwargs)

    def delete(self, path: str | URL, *args: Any, **kwargs: Any) -> RequestContext:
        """DELETE; see ``ClientSession.delete``."""
        return self._session.delete(self.make_url(path), *args, **kwargs)

    async def __aenter__(self) -> Self:
        await self.start_server()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()


def _new_session(cookie_jar: AbstractCookieJar | None, options: dict[str, Any]) -> Session:
    """Return a client session; only now the client is imported."""
    try:
        from aiohttp.client import CookieJar, Session
    except ModuleNotFoundError as exc:
        if exc.name != "aiohttp.client":
            raise  # something is missing inside the client: it says that itself
        raise ImportError(
            "TestClient needs aiohttp-client: pip install aiohttp-server[testing]", name=exc.name
        ) from exc
    return Session(
        cookie_jar=CookieJar(unsafe=True) if cookie_jar is None else cookie_jar, **options
    )
