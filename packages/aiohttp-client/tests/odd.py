"""Answers that no client may take for good, and what must come of them: for tests of security."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttp.client import ClientError, Session
from origin import Origin, response

__all__ = ["SMUGGLED", "refusal"]

SMUGGLED = response(b"evil", "X-Evil: 1")
"""An answer that nobody asked for."""


async def refusal(data: bytes, behind: bytes = SMUGGLED, **options: Any) -> ClientError:
    """Return the error that an answer ends in.

    Whatever comes behind it answers nothing: the next request has a connection of its own.
    ``options``: of the request.
    """
    answers = iter([data + behind, response(b"good")])
    async with Origin(lambda _: next(answers)) as origin, Session(timeout=5) as session:
        with pytest.raises(ClientError) as caught:
            async with session.get(origin.url, **options) as answer:
                await answer.read()
        async with session.get(origin.url) as answer:
            body = await answer.read()
    # No asserts: nobody rewrites them here for python -O.
    if (body, origin.connections) != (b"good", 2):
        pytest.fail(f"got {body!r}, by {origin.connections} connections")
    if isinstance(caught.value, TimeoutError):
        pytest.fail(f"only a limit in time ended it: {caught.value}")
    return caught.value
