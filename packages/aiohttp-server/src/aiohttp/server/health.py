"""Ready-made handlers that tell an orchestrator how a server is: alive, and ready for requests.

They are off until a program adds them, under the names that Kubernetes asks for::

    app.add_routes([web.get("/livez", web.livez), web.get("/readyz", web.readyz)])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .web.request import Request
    from .web.response import Response

__all__ = ["livez", "readyz"]


async def livez(request: Request) -> Response:
    """Answer 200 as long as the event loop turns: who doesn't get it may restart the process."""
    return _answer(200, "alive")


async def readyz(request: Request) -> Response:
    """Answer 200, or 503 once the server is about to stop: then send it no new requests."""
    if request.is_draining:
        return _answer(503, "stopping")
    return _answer(200, "ready")


def _answer(status: int, text: str) -> Response:
    from .web.response import Response

    return Response(status=status, text=f"{text}\n", headers={"Cache-Control": "no-store"})
