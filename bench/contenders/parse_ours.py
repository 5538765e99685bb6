"""``aiohttp.protocol``: plain Python, with the search for the head's end counted in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp.protocol.http1.head import parse_response_head, take_request_head
from aiohttp.protocol.limits import DEFAULT_LIMITS
from bench.contenders.parse import Understood, serve

if TYPE_CHECKING:
    from aiohttp.protocol.http1.head import RequestHead, ResponseHead


def parse_request(data: bytes) -> RequestHead:
    """Find the end of a head and parse it, as a connection does."""
    taken = take_request_head(data, DEFAULT_LIMITS)
    if taken is None:
        raise ValueError("expected a whole head")
    return taken[0]


def parse_response(data: bytes) -> ResponseHead:
    """Find the end of a head and parse it."""
    return parse_response_head(data[: data.find(b"\r\n\r\n") + 4], DEFAULT_LIMITS)


def explain_request(head: RequestHead) -> Understood:
    """Return what the bench compares."""
    return head.method, head.target, head.headers, head.keep_alive


def explain_response(head: ResponseHead) -> Understood:
    """Return what the bench compares."""
    return head.status, head.reason, head.headers, head.keep_alive


if __name__ == "__main__":
    serve(
        parse_request,
        parse_response,
        explain_request=explain_request,
        explain_response=explain_response,
    )
