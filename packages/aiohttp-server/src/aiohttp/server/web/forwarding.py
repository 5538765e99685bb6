"""A middleware that believes trusted proxies, for programs that can't give the server an option."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aiohttp.protocol import TrustedProxies

if TYPE_CHECKING:
    from .middlewares import Handler, Middleware
    from .request import Request
    from .stream_response import StreamResponse

__all__ = ["forwarded_middleware"]


def forwarded_middleware(trusted_proxies: TrustedProxies | Iterable[str]) -> Middleware:
    """Return a middleware that makes ``remote``, ``scheme`` and ``host`` those of the client.

    ``trusted_proxies`` are networks, such as ``["10.0.0.0/8"]``, or ``TrustedProxies``.
    The option of the same name of ``run_app`` does it for access logs, too; this is for
    where the connections are somebody else's, such as those of an ASGI server.
    """
    trusted = (
        trusted_proxies
        if isinstance(trusted_proxies, TrustedProxies)
        else TrustedProxies(trusted_proxies)
    )

    async def middleware(request: Request, handler: Handler) -> StreamResponse:
        exchange = request.exchange
        origin = trusted.believed(request.head, exchange.peername, exchange.scheme)
        peer = origin.remote
        remote = None if not peer or isinstance(peer, (str, bytes)) else str(peer[0])
        return await handler(request.clone(remote=remote, scheme=origin.scheme, host=origin.host))

    return middleware
