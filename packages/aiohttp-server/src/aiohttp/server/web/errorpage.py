"""What a client sees when a handler fails: as little as possible, or, in debug mode, everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from .markup import escaped, style_policy

if TYPE_CHECKING:
    from .request import BaseRequest
    from .response import Response

__all__ = ["error_response", "preferred_type", "short_answer"]

PLAIN: Final = "text/plain"
HTML: Final = "text/html"
JSON: Final = "application/json"


def error_response(request: BaseRequest, exc: BaseException) -> Response:
    """Return a 500 for an error that nobody handled, as text, HTML or JSON.

    It names the request's id, by which the log has the traceback. The client gets the
    traceback itself only if ``app.debug`` is set, with local variables only if
    ``app.debug_locals`` is. As JSON it comes to clients that accept nothing better.
    """
    from .response import Response

    app = getattr(request, "app", None)
    content_type = preferred_type(request.headers.getall("Accept", ()))
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if getattr(app, "debug", False):
        from .debugpage import debug_html, debug_members, debug_style, debug_text

        if content_type == HTML:
            with_locals = getattr(app, "debug_locals", False)
            headers["Content-Security-Policy"] = style_policy(debug_style())
            text = debug_html(request, exc, with_locals=with_locals)
        elif content_type == JSON:
            text = _json({**_members(request), **debug_members(exc)})
        else:
            text = f"{_text(request)}\n{debug_text(exc)}"
    elif content_type == HTML:
        headers["Content-Security-Policy"] = style_policy(_STYLE)
        text = _html(request)
    else:
        text = _json(_members(request)) if content_type == JSON else _text(request)
    return Response(status=500, text=text, content_type=content_type, headers=headers)


def short_answer(
    status: int, reason: str, message: str, accept: tuple[str, ...] | list[str]
) -> tuple[str, str]:
    """Return the type and the text of an answer that says little: a line, or JSON.

    JSON only for clients that accept nothing better; with ``message`` where that is
    another than ``reason``.
    """
    if preferred_type(accept) != JSON:
        return PLAIN, f"{status}: {message}"
    told = {"status": status, "error": reason}
    return JSON, _json(told if message == reason else {**told, "message": message})


def _members(request: BaseRequest) -> dict[str, Any]:
    return {"status": 500, "error": "Internal Server Error", "request_id": request.id}


def _json(members: dict[str, Any]) -> str:
    from json import dumps

    return f"{dumps(members)}\n"


def _text(request: BaseRequest) -> str:
    return f"500: Internal Server Error\nThe server failed to answer. Request id: {request.id}\n"


def _html(request: BaseRequest) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Internal Server Error</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        "<h1>Internal Server Error</h1>\n<p>The server failed to answer this request.</p>\n"
        f"<p>Request id: <code>{escaped(request.id)}</code></p>\n</main>\n</body>\n</html>\n"
    )


_STYLE: Final = """
:root{color-scheme:light dark}
body{margin:0;font:16px/1.5 system-ui,sans-serif}
main{max-width:36rem;margin:18vh auto 0;padding:0 1.25rem}
h1{margin:0 0 1rem;font-size:1.5rem;font-weight:600}
p{margin:.25rem 0;opacity:.75}
"""


# What the client likes best.


def preferred_type(accept: tuple[str, ...] | list[str]) -> str:
    """Return the type to answer an error with, by the values of Accept.

    The greatest weight wins; among equals the type that is named over the one that
    only a wildcard stands for, then plain text over HTML over JSON: a browser names HTML,
    a client of an API names JSON, and ``*/*`` is a person at a terminal. RFC 9110,
    section 12.5.1.
    """
    ranges = dict(filter(None, map(_media_range, ",".join(accept).split(","))))
    if not ranges:
        return PLAIN
    rank: Callable[[str], tuple[float, int]] = lambda each: _rank(each, ranges)  # noqa: E731
    return max((PLAIN, HTML, JSON), key=rank)


def _media_range(member: str) -> tuple[str, float] | None:
    """Return the type, or what stands for several, and its weight."""
    name, *parameters = (part.strip(" \t").lower() for part in member.split(";"))
    weight = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                weight = float(parameter[2:])
            except ValueError:
                return None
    return (name, weight) if name and 0 <= weight <= 1 else None


def _rank(content_type: str, ranges: dict[str, float]) -> tuple[float, int]:
    wildcards = (content_type, content_type.partition("/")[0] + "/*", "*/*")
    for place, name in enumerate(wildcards):
        if name in ranges:
            return ranges[name], -place
    return 0.0, -len(wildcards)
