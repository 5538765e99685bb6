"""An application that is one function from request to response, for tests of responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from aiohttp.protocol import Exchange
from aiohttp.server.web.request import BaseRequest
from aiohttp.server.web.stream_response import StreamResponse
from aiohttp.test_utils import MemoryClient, MemoryResponse

__all__ = ["Answer", "Answering", "answer_of", "client_of"]

Answer: TypeAlias = Callable[[BaseRequest], Awaitable[StreamResponse]] | StreamResponse


class Answering:
    """Sends what a function returns; or one response, to one request."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Have the function answer, and send the rest of it."""
        request = BaseRequest(exchange)
        answer = self._answer
        response = answer if isinstance(answer, StreamResponse) else await answer(request)
        await response.send(request)


def client_of(answer: Answer) -> MemoryClient:
    """Return a client of an application that answers with this."""
    return MemoryClient(Answering(answer))


async def answer_of(answer: Answer, method: str = "GET", **options: Any) -> MemoryResponse:
    """Return what one request is answered by; its body as it came, coded."""
    async with client_of(answer) as client:
        return await client.request(method, "/", decode=False, **options)
