"""A middleware that finds a path that was spelled a little differently."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .exceptions import HTTPMove, HTTPPermanentRedirect
from .middlewares import Handler, Middleware, middleware

if TYPE_CHECKING:
    from .request import Request
    from .stream_response import StreamResponse

__all__ = ["normalize_path_middleware"]


def normalize_path_middleware(
    *,
    append_slash: bool = True,
    remove_slash: bool = False,
    merge_slashes: bool = True,
    redirect_class: type[HTTPMove] = HTTPPermanentRedirect,
) -> Middleware:
    """Return a middleware that redirects to the path that there is.

    Only where the path as it came is answered by nobody, and never where the request itself is
    refused, such as for its Host. The query stays. The redirect
    never leaves the host: its target has one slash first, and no backslash, which browsers
    take for another.

    Args:
        append_slash: try the path with a slash at its end.
        remove_slash: try the path without the slashes at its end.
        merge_slashes: try the path with one slash for several.
        redirect_class: how to redirect.

    Raises:
        ValueError: if both ``append_slash`` and ``remove_slash`` are true.
    """
    if append_slash and remove_slash:
        raise ValueError("expected append_slash or remove_slash, got both: which is it?")

    def spellings(path: str) -> Iterator[str]:
        """Yield other spellings of a path, the nearest first."""
        merged = re.sub("//+", "/", path) if merge_slashes else path
        yield merged
        for each in dict.fromkeys((path, merged)):
            if append_slash and not each.endswith("/"):
                yield f"{each}/"
            if remove_slash and each.endswith("/"):
                yield each.rstrip("/") or "/"

    @middleware
    async def normalize_path(request: Request, handler: Handler) -> StreamResponse:
        if request.match_info.http_exception is None or request.exchange.refusal is not None:
            return await handler(request)
        path, question_mark, query = request.raw_path.partition("?")
        for spelling in spellings(path):
            other = "/" + spelling.lstrip("/").replace("\\", "%5C")
            if other == path:
                continue
            clone = request.clone(rel_url=f"{other}{question_mark}{query}")
            found = await request.app.router.resolve(clone)
            if found.http_exception is None:
                raise redirect_class(clone.raw_path)
        return await handler(request)

    return normalize_path
