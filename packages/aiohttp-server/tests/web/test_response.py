"""``Response``: a body as a whole, in one write."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from aiohttp.protocol import Payload
from aiohttp.server.web.compression import ContentCoding
from aiohttp.server.web.request import BaseRequest
from aiohttp.server.web.response import Response, json_bytes_response, json_response
from aiohttp.server.web.stream_response import StreamResponse
from answering import Answering, answer_of
from served import GET, Served, settle


async def test_text() -> None:
    """Text is sent as UTF-8."""
    response = await answer_of(Response(text="größer"))
    assert response.body == "größer".encode()
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Content-Length"] == "8"


async def test_text_with_type_and_charset() -> None:
    """Type and charset are those that are asked for."""
    response = await answer_of(Response(text="ü", content_type="text/html", charset="latin-1"))
    assert response.body == b"\xfc"
    assert response.headers["Content-Type"] == "text/html; charset=latin-1"


async def test_text_with_type_among_the_fields() -> None:
    """A Content-Type among the fields gets a charset, if it has none."""
    headers = {"Content-Type": "text/html", "X-A": "b"}
    response = await answer_of(Response(text="ü", headers=headers))
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["X-A"] == "b"
    assert headers == {"Content-Type": "text/html", "X-A": "b"}
    headers = {"Content-Type": "text/html; charset=latin-1"}
    assert (await answer_of(Response(text="ü", headers=headers))).body == b"\xfc"


@pytest.mark.parametrize("headers", [None, {"X-A": "b"}])
async def test_bytes(headers: dict[str, str] | None) -> None:
    """Bytes are octets, unless somebody says otherwise."""
    response = await answer_of(Response(body=b"\0\1", headers=headers))
    assert response.body == b"\0\1"
    assert response.headers["Content-Type"] == "application/octet-stream"
    response = await answer_of(
        Response(body=b"\0\1", headers=headers, content_type="image/png", charset="x")
    )
    assert response.headers["Content-Type"] == "image/png; charset=x"


@pytest.mark.parametrize("headers", [None, {"X-A": "b"}])
async def test_nothing(headers: dict[str, str] | None) -> None:
    """An empty body has a length of 0, and no type."""
    response = await answer_of(Response(headers=headers))
    assert (response.status, response.body) == (200, b"")
    assert response.headers["Content-Length"] == "0"
    assert "Content-Type" not in response.headers


async def test_status_and_reason() -> None:
    """Status and reason are sent as they were given."""
    response = await answer_of(Response(text="Tea?", status=418, reason="Short and stout"))
    assert (response.status, response.reason) == (418, "Short and stout")


async def test_several_fields_of_one_name() -> None:
    """Pairs may have a name twice."""
    response = await answer_of(Response(headers=[("X-A", "b"), ("x-a", "c")]))
    assert response.headers.getall("X-A") == ["b", "c"]


async def test_fields_set_later() -> None:
    """What is set on the response counts until it is sent."""
    response = Response(text="a")
    response.headers["X-A"] = "b"
    response.text = "ü"
    response.charset = "latin-1"
    found = await answer_of(response)
    assert found.headers["X-A"] == "b"
    assert found.headers["Content-Type"] == "text/plain; charset=latin-1"


async def test_one_write() -> None:
    """Head and body leave in one write."""
    served = Served(Answering(Response(text="Hello", headers={"X-A": "b"})).handle_exchange)
    asyncio.get_running_loop().call_soon(served.client.feed, GET)
    await settle(40)
    (write,) = served.client.writes
    assert write.endswith(b"\r\n\r\nHello")


async def pieces() -> AsyncIterator[bytes]:
    """Give a body in pieces."""
    yield b"one, "
    yield b"two"


@pytest.mark.parametrize("make", [pieces, lambda: iter([b"one, ", b"two"])])
async def test_pieces(make: Any) -> None:
    """Iterables of bytes are sent as they come, in chunks."""
    response = await answer_of(Response(body=make()))
    assert response.body == b"one, two"
    assert response.headers["Transfer-Encoding"] == "chunked"


async def test_file(tmp_path: Path) -> None:
    """A file brings its length, type and name."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"content")
    with path.open("rb") as file:
        response = await answer_of(Response(body=file))
    assert response.body == b"content"
    assert response.headers["Content-Length"] == "7"
    assert response.headers["Content-Type"] == "text/plain"
    assert response.headers["Content-Disposition"] == 'attachment; filename="a.txt"'


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"X-A": "a\r\nb"}, {"Content-Length": "9"}])
async def test_file_is_closed(tmp_path: Path, method: str, headers: dict[str, str]) -> None:
    """A file is closed behind its response, whatever becomes of that."""
    (tmp_path / "a.txt").write_bytes(b"content")
    file = (tmp_path / "a.txt").open("rb")
    served = Served(Answering(Response(body=file, headers=headers)).handle_exchange)
    await served.exchange(GET.replace(b"GET", method.encode()))
    while not file.closed:  # in a thread, if it failed
        await asyncio.sleep(0)


async def test_what_can_only_be_read() -> None:
    """What has ``read`` is as good as a file, though it can't be closed."""

    class Source:
        read = BytesIO(b"content").read

    assert (await answer_of(Response(body=Source()))).body == b"content"


async def test_file_of_a_client_that_goes_away() -> None:
    """A pipe that somebody waits for in a thread is closed behind that, and nobody waits here."""
    reading, writing = os.pipe()
    file = os.fdopen(reading, "rb")
    served = Served(Answering(Response(body=file)).handle_exchange)
    await served.exchange(GET)
    served.client.lose()
    await settle(20)
    assert served.is_closed
    assert not file.closed
    os.close(writing)
    while not file.closed:
        await asyncio.sleep(0)


async def test_fields_of_a_payload_stand_back() -> None:
    """What the program says of a body wins over what the payload says."""
    headers = {"Content-Type": "image/png"}
    response = Response(body=BytesIO(b"content"), headers=headers)
    assert response.body == b"content"
    found = await answer_of(response)
    assert found.headers.getall("Content-Type") == ["image/png"]
    assert found.body == b"content"


@pytest.mark.parametrize("body", ["text", bytearray(b"text"), memoryview(b"text")])
async def test_other_bodies_in_memory(body: object) -> None:
    """What is in memory is sent at once, with its length."""
    response = Response(body=body)
    assert response.content_length == 4
    assert Response(body=body, headers={"Content-Length": "5"}).content_length == 5
    found = await answer_of(response)
    assert (found.body, found.headers["Content-Length"]) == (b"text", "4")


async def test_body_is_not_read_for_head() -> None:
    """In answer to HEAD a body isn't touched, but its length is told."""
    file = BytesIO(b"content")
    response = await answer_of(Response(body=file), "HEAD")
    assert response.headers["Content-Length"] == "7"

    is_read = False

    async def telling() -> AsyncIterator[bytes]:
        nonlocal is_read
        is_read = True
        yield b""

    response = await answer_of(Response(body=telling()), "HEAD")
    assert (response.status, response.body, is_read) == (200, b"", False)


async def test_body_in_chunks_and_with_trailers() -> None:
    """A whole body can be sent in chunks, and has trailers then."""
    chunked = Response(text="abc")
    chunked.enable_chunked_encoding()
    assert chunked.content_length is None
    found = await answer_of(chunked)
    assert (found.headers["Transfer-Encoding"], found.body) == ("chunked", b"abc")
    trailing = Response(text="abc")
    trailing.trailers["X-A"] = "b"
    found = await answer_of(trailing)
    assert (found.headers["Trailer"], found.trailers["X-A"]) == ("X-A", "b")


async def test_prepared_by_the_handler() -> None:
    """A handler may prepare a whole response itself; its length is known."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = Response(text="abc")
        await response.prepare(request)
        return response

    found = await answer_of(answer)
    assert (found.body, found.headers["Content-Length"]) == (b"abc", "3")


class ChangingRequest(BaseRequest):
    """A request whose application changes each response before it is sent."""

    @property
    def has_prepare_hooks(self) -> bool:
        """True: its own."""
        return True

    async def _prepare_hook(self, response: StreamResponse) -> None:
        if isinstance(response, Response) and not response.prepared:
            response.set_status(203)
            response.text = "changed"
            response.headers["X-A"] = "b"
            response.enable_compression(ContentCoding.identity)


async def test_changed_by_a_hook() -> None:
    """What ``on_response_prepare`` changes counts, be it status or body."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = Response(text="abc")
        await response.send(ChangingRequest(request.exchange))
        return response

    found = await answer_of(answer)
    assert (found.status, found.text(), found.headers["X-A"]) == (203, "changed", "b")


async def test_sent_once() -> None:
    """A response that was sent is not sent again."""

    async def answer(request: BaseRequest) -> StreamResponse:
        response = Response(text="abc")
        await response.send(request)
        assert response.body_length == 3
        return response

    assert (await answer_of(answer)).body == b"abc"


async def test_no_content() -> None:
    """204 has neither body nor length, whatever the program gives."""
    for status in (204, 304):
        response = await answer_of(Response(status=status, text="abc", headers={"X-A": "b"}))
        assert response.body == b""
        assert "Content-Length" not in response.headers


def test_body_and_text() -> None:
    """The body is seen as bytes, and as text by its charset."""
    response = Response()
    assert (response.body, response.text, response.content_length) == (None, None, 0)
    response.text = ""
    assert (response.body, response.text, response.content_length) == (b"", "", 0)
    response.text = "ü"
    assert (response.body, response.text) == ("ü".encode(), "ü")
    response.body = b"octets"
    assert (response.text, response.content_length) == ("octets", 6)
    response.body = None
    assert response.body is None
    response.body = iter([b""])
    assert isinstance(response.body, Payload)
    assert (response.text, response.content_length) == (None, None)


def test_text_set_later_has_a_type() -> None:
    """Text makes a body text/plain; bytes, octets."""
    response = Response()
    response.text = "a"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    response = Response()
    response.body = b"a"
    assert response.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"body": b"", "text": ""}, "expected body or text, got both"),
        ({"content_type": "text/html; charset=utf-8"}, "the charset as an argument of its own"),
        ({"text": "", "content_type": "a/b", "headers": {"content-type": "c/d"}}, "got both"),
        ({"body": b"", "content_type": "a/b", "headers": {"content-type": "c/d"}}, "got both"),
        ({"text": "", "charset": "utf-8", "headers": {"content-type": "c/d"}}, "got both"),
    ],
)
def test_contradictions(arguments: dict[str, Any], message: str) -> None:
    """Arguments that contradict each other are refused."""
    with pytest.raises(ValueError, match=message):
        Response(**arguments)


def test_wrong_types() -> None:
    """Text must be text, and a body something that can be sent."""
    with pytest.raises(TypeError, match="text must be str, not bytes; bytes go into body"):
        Response(text=b"octets")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not int"):
        Response(body=1)


def test_length_is_not_set_by_hand() -> None:
    """The length of a whole body is its own."""
    with pytest.raises(RuntimeError, match="is set by itself"):
        Response().content_length = 1


async def test_wrong_length_is_an_error() -> None:
    """A Content-Length that isn't that of the body is never sent."""
    response = await answer_of(Response(text="abc", headers={"Content-Length": "4"}))
    assert response.status == 500


async def test_length_for_head_may_be_given() -> None:
    """In answer to HEAD the length of a body that wasn't made can be told."""
    response = await answer_of(Response(headers={"Content-Length": "4"}), "HEAD")
    assert response.headers["Content-Length"] == "4"


async def test_json_response() -> None:
    """A value is sent as JSON."""
    response = await answer_of(json_response({"a": [1, None]}, status=201, headers={"X-A": "b"}))
    assert (response.status, response.json()) == (201, {"a": [1, None]})
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["X-A"] == "b"


def test_json_response_is_that_of_json_dumps() -> None:
    """Without a dumps of one's own, the text is that of json.dumps; what has no end is an error."""
    data: dict[str, Any] = {"ä": [1.5, None, True, "\u2028"], "b": {}}
    assert json_response(data).text == json.dumps(data)
    data["b"]["endless"] = data
    with pytest.raises(RecursionError):
        json_response(data)


def test_json_response_of_text_or_bytes() -> None:
    """JSON that was made elsewhere is sent as it is; null is a value, nothing is not."""
    assert json_response(text="[]").text == "[]"
    assert json_response(body=b"[]", content_type="application/problem+json").body == b"[]"
    assert json_response(None).text == "null"
    assert json_response([1], dumps=lambda value: f"<{value}>").text == "<[1]>"
    with pytest.raises(ValueError, match="expected only one of data, text and body"):
        json_response([], text="[]")


def test_json_bytes_response() -> None:
    """A ``dumps`` that gives bytes spares the way by text."""
    response = json_bytes_response({"a": 1}, dumps=lambda value: json.dumps(value).encode())
    assert (response.body, response.content_type) == (b'{"a": 1}', "application/json")
    assert json_bytes_response(dumps=str.encode, body=b"[]").body == b"[]"
    with pytest.raises(ValueError, match="expected only one of data and body"):
        json_bytes_response("", dumps=str.encode, body=b"[]")
