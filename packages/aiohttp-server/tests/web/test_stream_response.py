"""``StreamResponse``: prepared, written in parts, ended."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

import pytest

from aiohttp.protocol import HttpVersion10, InvalidUse, LocalProtocolError
from aiohttp.server.web.keys import ResponseKey
from aiohttp.server.web.request import BaseRequest
from aiohttp.server.web.stream_response import StreamResponse
from answering import answer_of, client_of


async def in_parts(request: BaseRequest) -> StreamResponse:
    """Answer with a body in two parts."""
    response = StreamResponse(headers={"X-A": "b"})
    await response.prepare(request)
    await response.write(b"one, ")
    await response.write(memoryview(b"two"))
    return response


async def test_parts_are_sent_in_chunks() -> None:
    """A body of unknown length is sent in chunks, and ended for the handler."""
    response = await answer_of(in_parts)
    assert response.body == b"one, two"
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-A"] == "b"


async def test_parts_for_an_old_client() -> None:
    """For HTTP/1.0 the body's end is that of the connection, chunks asked for or not."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(b"parts")
        return response

    response = await answer_of(answer, version=HttpVersion10)
    assert response.body == b"parts"
    assert "Transfer-Encoding" not in response.headers


async def test_length_is_announced() -> None:
    """A body of known length needs no chunks."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = StreamResponse(status=201, reason="Made")
        response.content_length = 4
        await response.prepare(request)
        await response.write(b"ab")
        await response.write_eof(b"cd")
        assert response.body_length == 4
        return response

    response = await answer_of(answer)
    assert (response.status, response.reason, response.body) == (201, "Made", b"abcd")
    assert response.headers["Content-Length"] == "4"


async def test_unprepared_response_is_sent() -> None:
    """A response that was never prepared is, with no body."""
    response = await answer_of(StreamResponse(status=404))
    assert (response.status, response.body) == (404, b"")


async def test_head_has_no_body() -> None:
    """What is written in answer to HEAD is dropped."""
    response = await answer_of(in_parts, "HEAD")
    assert response.body == b""
    assert response.headers["X-A"] == "b"


@pytest.mark.parametrize("status", [204, 304])
async def test_status_without_content_has_no_type(status: int) -> None:
    """204 and 304 have neither a body nor a type."""
    response = await answer_of(StreamResponse(status=status))
    assert "Content-Type" not in response.headers


async def test_head_is_sent_alone() -> None:
    """Writing nothing sends the head, so that the client can go on."""
    may_go_on = asyncio.Event()

    async def answer(request: BaseRequest) -> StreamResponse:
        response = StreamResponse()
        await response.prepare(request)
        await response.write(b"")
        await may_go_on.wait()
        await response.write(b"late")
        return response

    async with client_of(answer) as client, client.stream("GET", "/") as response:
        assert response.status == 200
        may_go_on.set()
        assert await response.read() == b"late"


async def test_states() -> None:
    """Before, while and after sending, the response tells how far it is."""
    response = StreamResponse()
    seen: list[object] = [response.prepared, response.task, response.body_length]

    async def answer(request: BaseRequest) -> StreamResponse:
        await response.prepare(request)
        await response.prepare(request)
        seen.append(response.prepared)
        seen.append(response.task is asyncio.current_task())
        return response

    await answer_of(answer)
    assert seen == [False, None, 0, True, True]


async def test_clone_of_the_request_is_the_request() -> None:
    """What was prepared for a clone isn't sent again for the request."""

    async def answer(request: BaseRequest) -> StreamResponse:
        return await in_parts(request.clone(method="POST"))

    assert (await answer_of(answer)).body == b"one, two"


async def test_response_is_for_one_request() -> None:
    """A response that was sent to one request is refused for another."""
    response = StreamResponse()
    async with client_of(response) as client:
        await client.get("/first")
        assert (await client.get("/second")).status == 500
    request = response._request
    assert request is not None
    other = BaseRequest(request.exchange)
    other.exchange = None  # type: ignore[assignment]
    with pytest.raises(RuntimeError, match="GET '/first'> was sent already: make a new response"):
        await response.prepare(other)


async def test_wrong_order_is_refused() -> None:
    """Writing comes between ``prepare`` and ``write_eof``; errors say what was missing."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = StreamResponse()
        with pytest.raises(RuntimeError, match=r"write\(\) before prepare\(\)"):
            await response.write(b"")
        with pytest.raises(RuntimeError, match=r"write_eof\(\) before prepare\(\)"):
            await response.write_eof()
        await response.prepare(request)
        with pytest.raises(RuntimeError, match="can't be changed: the response was prepared"):
            response.set_status(404)
        with pytest.raises(TypeError, match="expected bytes, not str"):
            await response.write("text")  # type: ignore[arg-type]
        await response.write_eof()
        await response.write_eof()
        with pytest.raises(RuntimeError, match=r"write\(\) after write_eof\(\)"):
            await response.write(b"")
        return response

    assert (await answer_of(answer)).status == 200


async def test_keep_alive() -> None:
    """Whether the connection stays is unknown, then as the client asks, unless we close it."""
    response = StreamResponse()
    seen: list[bool | None] = [response.keep_alive]
    sent = await answer_of(response)
    seen.append(response.keep_alive)
    assert seen == [None, True]
    assert sent.headers.get("Connection") != "close"
    closing = StreamResponse()
    closing.force_close()
    assert closing.keep_alive is False
    assert (await answer_of(closing)).headers["Connection"] == "close"


async def test_trailers() -> None:
    """Fields set while the body is made are sent behind it; known ones are announced."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = StreamResponse()
        response.trailers["X-Sum"] = ""
        await response.prepare(request)
        data = b"body"
        await response.write(data)
        response.trailers["X-Sum"] = str(zlib.crc32(data))
        return response

    response = await answer_of(answer)
    assert response.headers["Trailer"] == "X-Sum"
    assert response.trailers["X-Sum"] == str(zlib.crc32(b"body"))


async def test_early_hints() -> None:
    """Hints leave before the response, which is not ready yet; mapping or pairs."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = StreamResponse()
        await response.send_early_hints(request, {"Link": "</a.css>; rel=preload; as=style"})
        await response.send_early_hints(request, [("Link", "</b.js>"), ("Link", "</c.js>")])
        await response.prepare(request)
        with pytest.raises(InvalidUse):
            await response.send_early_hints(request, {})
        return response

    response = await answer_of(answer)
    first, second = response.informational
    assert (first.status, first.headers["Link"]) == (103, "</a.css>; rel=preload; as=style")
    assert second.headers.getall("Link") == ["</b.js>", "</c.js>"]
    assert response.status == 200


@pytest.mark.parametrize("status", [99, 1000, "abc", 200.5])
def test_status_out_of_range(status: Any) -> None:
    """A status that can't be sent is refused where it is given."""
    with pytest.raises(ValueError, match=r"100 to 999"):
        StreamResponse(status=status)


def test_reason() -> None:
    """The registered reason goes with a status until another one is given."""
    response = StreamResponse()
    assert response.reason == "OK"
    response.set_status(404)
    assert response.reason == "Not Found"
    response.set_status(404, "Gone fishing")
    assert response.reason == "Gone fishing"
    assert StreamResponse(status=599).reason == ""


async def test_field_that_cannot_be_sent() -> None:
    """An error in a field is raised by ``prepare``, and another response can still be sent."""

    async def answer(request: BaseRequest) -> StreamResponse:
        with pytest.raises(LocalProtocolError, match="'X-A'"):
            await StreamResponse(headers={"X-A": "b\r\nX-C: d"}).prepare(request)
        return StreamResponse(status=404)

    assert (await answer_of(answer)).status == 404


def test_repr() -> None:
    """A response tells its status, and what it answers."""
    assert repr(StreamResponse(status=404)) == "<StreamResponse 404 Not Found not prepared>"


def test_mapping() -> None:
    """A program keeps in a response what it likes, below names or typed keys."""
    key = ResponseKey("user", str)
    response = StreamResponse()
    assert "a" not in response
    assert (list(response), response.get("a", 2), response.get(key)) == ([], 2, None)
    with pytest.raises(KeyError):
        del response["a"]
    response["a"] = 1
    response[key] = "somebody"
    assert (response["a"], response[key], len(response)) == (1, "somebody", 2)
    assert (response.get("a"), response.get(key)) == (1, "somebody")
    del response["a"]
    assert list(response) == [key]
    with pytest.raises(KeyError):
        response["a"]


def test_response_is_itself() -> None:
    """Responses are equal if they are the same, and true though nothing is kept in them."""
    one, other = StreamResponse(), StreamResponse()
    assert one
    assert one == one  # noqa: PLR0124
    assert one != other
    assert len({one, other, one}) == 2
