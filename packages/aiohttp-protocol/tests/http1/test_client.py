"""The client's end of a connection, with a test for server and a clock that is turned by hand."""

from __future__ import annotations

import asyncio
import gc
import gzip
import socket
import zlib
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from aiohttp.protocol.errors import (
    BadHttpMessage,
    BadStatusLine,
    BodyTooLarge,
    ChunkError,
    ContentCodingError,
    DecompressionBomb,
    FramingError,
    HeadTooLarge,
    HttpException,
    IncompleteRead,
    InvalidHeader,
    InvalidUse,
    LimitExceeded,
    LineTooLong,
    LocalProtocolError,
    PeerDisconnected,
    PeerTooSlow,
    RemoteProtocolError,
    UnknownContentCoding,
    UnknownTransferCoding,
)
from aiohttp.protocol.headers import headers_of
from aiohttp.protocol.http1.client import ClientHttpProtocol
from aiohttp.protocol.http1.client_exchange import ClientExchange, RequestBody
from aiohttp.protocol.http1.encode import encode_fields
from aiohttp.protocol.http1.head import HttpVersion10, ResponseHead
from aiohttp.protocol.limits import Limits
from aiohttp.protocol.streams import EMPTY_STREAM
from aiohttp.protocol.timers import TICK, Deadlines
from wire import HandClock, connect, cuts

KIB = 1024

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED_HELLO = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n"
)


class Line:
    """A client connection whose server is the test."""

    def __init__(
        self, limits: Limits | None = None, sock: socket.socket | None = None, **extra: Any
    ) -> None:
        self.clock = HandClock()
        self.released: list[bool] = []  # whether it was reusable, for each time
        self.lost = 0
        self.connection = ClientHttpProtocol(
            Deadlines(self.clock),
            limits=limits or Limits(),
            label="server:80",
            sock=sock,
            released=lambda connection: self.released.append(connection.is_reusable),
            lost=self._count_lost,
        )
        self.transport = connect(self.connection, **extra)

    def _count_lost(self, connection: ClientHttpProtocol) -> None:
        self.lost += 1

    @property
    def state(self) -> str:
        """The name of the connection's state, out of its repr."""
        return repr(self.connection).split(" ")[2].rstrip(",")

    def ask(self, method: str = "GET", **options: Any) -> ClientExchange:
        """Start an exchange."""
        target = "server:80" if method == "CONNECT" else "/"
        return self.connection.start(method, target, "server:80", **options)

    def feed(self, *pieces: bytes) -> None:
        """Let the server send these pieces."""
        for piece in pieces:
            self.transport.feed(piece)


async def turns(count: int = 3) -> None:
    """Let the loop's callbacks and tasks go on."""
    for _ in range(count):
        await asyncio.sleep(0)


async def pieces_of(*pieces: bytes) -> AsyncIterator[bytes]:
    """Yield a body as a program would."""
    for piece in pieces:
        yield piece


def translated(exc: BaseException) -> ValueError:
    """Make another error of it, as a program might."""
    return ValueError(str(exc))


async def whole(exchange: ClientExchange) -> tuple[int, bytes]:
    """Return status and body."""
    head = await exchange.response()
    return head.status, await exchange.body.read()


# Requests.


async def test_request_is_one_write() -> None:
    """Head and body of a small request are written together."""
    line = Line()
    line.ask("POST", body=b"hello", fields=encode_fields([("X-One", "1")]))
    assert line.transport.writes == [
        b"POST / HTTP/1.1\r\nHost: server:80\r\nX-One: 1\r\nContent-Length: 5\r\n\r\nhello"
    ]


async def test_large_body_is_written_in_pieces() -> None:
    """A body of more than 64 KiB follows its head, in pieces of 512 KiB."""
    line = Line()
    body = bytes(600 * KIB)
    exchange = line.ask("PUT", body=body)
    assert not exchange.is_request_sent
    await exchange.request_sent()
    assert [len(piece) for piece in line.transport.writes[1:]] == [512 * KIB, 88 * KIB]
    assert exchange.is_request_sent


async def test_upload_waits_for_a_server_that_does_not_read() -> None:
    """Above the transport's mark nothing more is written until the server reads on."""
    line = Line()
    line.transport.hold()
    exchange = line.ask("PUT", body=bytes(4096 * KIB))
    await turns(10)
    held = len(line.transport.written)
    assert held < 600 * KIB
    line.transport.release()
    await exchange.request_sent()
    assert len(line.transport.written) > 4096 * KIB


@pytest.mark.parametrize(
    "make", [lambda: pieces_of(*[b"x"] * 1000), lambda: bytes(100 * 2**20)], ids=["drops", "bytes"]
)
async def test_upload_lets_others_have_their_turn(make: Callable[[], RequestBody]) -> None:
    """A server that takes everything at once keeps nobody waiting, its own answer neither."""
    line = Line()
    exchange = line.ask("PUT", body=make())
    await turns(3)
    assert 1 < len(line.transport.writes) < 300
    line.feed(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
    assert (await whole(exchange))[0] == 403
    assert len(line.transport.writes) < 300


async def test_upload_stops_when_the_server_has_gone() -> None:
    """A lost connection takes everything, too: it must not keep the loop from telling."""
    line = Line()

    async def body() -> AsyncIterator[bytes]:
        line.transport.lose(ConnectionResetError())
        while True:
            yield b"x"

    exchange = line.ask("PUT", body=body())
    with pytest.raises(PeerDisconnected):
        await exchange.response()
    assert len(line.transport.late_writes) == 1


async def test_iterable_is_sent_in_chunks() -> None:
    """A body of unknown length is sent as its pieces come; an empty piece doesn't end it."""
    line = Line()
    exchange = line.ask("POST", body=pieces_of(b"hello", b"", b" world"))
    await exchange.request_sent()
    assert line.transport.written == (
        b"POST / HTTP/1.1\r\n"
        b"Host: server:80\r\n"
        b"Transfer-Encoding: chunked\r\n"
        b"\r\n"
        b"5\r\nhello\r\n"
        b"6\r\n world\r\n"
        b"0\r\n\r\n"
    )


async def test_iterable_of_known_length_is_sent_as_it_is() -> None:
    """A Content-Length of the program's makes chunks needless."""
    line = Line()
    fields = encode_fields([("Content-Length", "11")])
    exchange = line.ask("POST", body=pieces_of(b"hello", b" world"), fields=fields)
    await exchange.request_sent()
    assert line.transport.written.endswith(b"Content-Length: 11\r\n\r\nhello world")


@pytest.mark.parametrize("announced", ["0", "10", "12"])
async def test_iterable_is_held_to_its_length(announced: str) -> None:
    """A body that isn't as long as announced is an error, and ends the connection."""
    line = Line()
    fields = encode_fields([("Content-Length", announced)])
    exchange = line.ask("POST", body=pieces_of(b"hello", b" world"), fields=fields)
    with pytest.raises(LocalProtocolError, match=f"expected {announced} bytes of body"):
        await exchange.response()
    assert line.state == "CLOSED"


async def test_bytes_are_sent_in_chunks_of_a_size() -> None:
    """``chunk_size`` makes chunks of that size, the last one shorter."""
    line = Line()
    exchange = line.ask("POST", body=b"hello", chunk_size=2)
    await exchange.request_sent()
    assert line.transport.written.endswith(b"\r\n\r\n2\r\nhe\r\n2\r\nll\r\n1\r\no\r\n0\r\n\r\n")


async def test_iterable_that_fails() -> None:
    """What the iteration raises reaches whoever awaits the response; the connection is closed."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"hello"
        raise KeyError("mine")

    line = Line()
    exchange = line.ask("POST", body=broken())
    with pytest.raises(KeyError, match="mine"):
        await exchange.response()
    assert isinstance(exchange.upload_error, KeyError)
    assert line.transport.is_aborted
    assert line.released == [False]


async def test_iterable_that_is_cancelled() -> None:
    """A body whose source was cancelled ends its exchange: the server waits for the rest."""
    source = asyncio.get_running_loop().create_future()

    async def relayed() -> AsyncIterator[bytes]:
        yield await source

    line = Line()
    exchange = line.ask("POST", body=relayed())
    await turns()
    source.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exchange.response()
    assert line.released == [False]


async def test_generator_is_closed_when_the_upload_stops() -> None:
    """A generator that isn't exhausted runs its ``finally``."""
    ended: list[str] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 64 * KIB
        finally:
            ended.append("finally")

    line = Line()
    line.transport.hold()
    exchange = line.ask("POST", body=endless())
    await turns()
    exchange.abort()
    await turns()
    assert ended == ["finally"]
    with pytest.raises(InvalidUse):
        await exchange.response()


@pytest.mark.parametrize(
    ("method", "target", "authority"),
    [("G T", "/", "a"), ("GET", "/ HTTP/1.1\r\nX: y", "a"), ("GET", "/", "a\r\nX: y")],
)
async def test_request_that_must_not_be_sent(method: str, target: str, authority: str) -> None:
    """A refused request leaves the connection as it was, and nothing on the wire."""
    line = Line()
    with pytest.raises(LocalProtocolError):
        line.connection.start(method, target, authority)
    assert line.transport.writes == []
    assert line.connection.is_reusable
    assert line.released == []


async def test_old_version_has_no_chunks() -> None:
    """A body of unknown length can't be sent by HTTP/1.0; nothing is."""
    line = Line()
    with pytest.raises(LocalProtocolError, match=r"HTTP/1\.0 has no chunks"):
        line.ask("POST", body=pieces_of(b"x"), version=HttpVersion10)
    assert line.connection.is_reusable


# Responses.

RESPONSES: dict[str, tuple[str, bytes, int, bytes, bool]] = {
    # name: (method, bytes, status, body, whether the connection may be used again)
    "none": ("GET", OK, 200, b"", True),
    "length": ("GET", HELLO, 200, b"hello", True),
    "chunked": ("GET", CHUNKED_HELLO, 200, b"hello", True),
    "head": ("HEAD", HELLO[:-5], 200, b"", True),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    "304": ("GET", b"HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n", 304, b"", True),
    "no reason": ("GET", b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, b"", True),
    "bare LF": ("GET", b"HTTP/1.1 200 OK\nContent-Length: 4\n\n\r\n\r\n", 200, b"\r\n\r\n", True),
    "interim": ("GET", b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO, 200, b"hello", True),
    "hints": ("GET", b"HTTP/1.1 103 X\r\nLink: </a>\r\n\r\n" + HELLO, 200, b"hello", True),
    "close": (
        "GET",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        200,
        b"hello",
        False,
    ),
    "1.0": ("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello", False),
    "1.0 kept": (
        "GET",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
        200,
        b"hello",
        True,
    ),
}


@pytest.mark.parametrize("name", RESPONSES)
async def test_response_is_understood_however_it_is_cut(name: str) -> None:
    """Status, body and what becomes of the connection don't depend on segments."""
    method, data, status, body, reusable = RESPONSES[name]
    for pieces in cuts(data):
        line = Line()
        exchange = line.ask(method)
        line.feed(*pieces)
        assert await whole(exchange) == (status, body)
        assert exchange.is_complete
        assert line.connection.is_reusable == reusable
        assert line.released == [reusable]


@pytest.mark.parametrize("name", RESPONSES)
async def test_bytes_behind_a_response_condemn_the_connection(name: str) -> None:
    """The answer is given, but what nobody asked for never becomes the next one."""
    method, data, status, body, _ = RESPONSES[name]
    for pieces in ([data + HELLO], [data, HELLO], [data[:-1], data[-1:] + b"H"]):
        line = Line()
        exchange = line.ask(method)
        line.feed(*pieces)
        assert await whole(exchange) == (status, body)
        assert not line.connection.is_reusable
        assert line.transport.is_aborted
        with pytest.raises(PeerDisconnected, match="the connection to server:80 is closed"):
            line.ask()


async def test_body_until_close() -> None:
    """A response that announces no length ends with its connection (RFC 9112, 6.3, rule 8)."""
    for pieces in cuts(b"HTTP/1.1 200 OK\r\n\r\nhello"):
        line = Line()
        exchange = line.ask()
        line.feed(*pieces)
        assert not exchange.is_complete
        line.transport.feed_eof()
        assert await whole(exchange) == (200, b"hello")
        assert line.released == [False]


async def test_no_body_until_close_on_demand() -> None:
    """With ``until_close=False`` a response that announces nothing has nothing."""
    line = Line()
    exchange = line.ask(until_close=False)
    line.feed(b"HTTP/1.1 200 OK\r\n\r\n")
    assert await whole(exchange) == (200, b"")
    assert line.released == [False]


async def test_trailers() -> None:
    """Fields behind the last chunk are the body's trailers, and no headers."""
    line = Line()
    exchange = line.ask()
    line.feed(CHUNKED_HELLO)
    head = await exchange.response()
    assert "X-Sum" not in head.headers
    assert exchange.trailers == exchange.body.trailers == headers_of([("X-Sum", "42")])


async def test_no_trailers_before_the_end() -> None:
    """There are none before the response, none before its end, and none without chunks."""
    line = Line()
    exchange = line.ask()
    assert not exchange.trailers
    line.feed(CHUNKED_HELLO[:-2])
    assert not exchange.trailers
    line.feed(CHUNKED_HELLO[-2:])
    assert exchange.trailers
    exchange = line.ask()
    line.feed(HELLO)
    assert not exchange.trailers


async def test_connection_serves_one_exchange_after_the_other() -> None:
    """What came before leaves no trace."""
    line = Line()
    for data in (HELLO, CHUNKED_HELLO, OK, HELLO):
        exchange = line.ask()
        line.feed(data)
        assert (await whole(exchange))[0] == 200
    assert line.released == [True] * 4
    assert repr(line.connection) == "<ClientHttpProtocol server:80 IDLE, 4 requests>"


@contextmanager
def socketpair() -> Generator[tuple[socket.socket, socket.socket], None, None]:
    """Give two ends of a connection, ours not blocking."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


UNSEEN: dict[str, tuple[Callable[[socket.socket], object], str]] = {
    "closed": (socket.socket.close, "server:80 closed the idle connection"),
    "spoke": (lambda theirs: theirs.send(HELLO), "server:80 spoke unasked on the idle connection"),
}


async def used(sock: socket.socket, **extra: Any) -> Line:
    """Return a connection that had one exchange."""
    line = Line(sock=sock, **extra)
    await again(line)
    line.transport.take()
    return line


async def again(line: Line) -> None:
    """Have an exchange."""
    exchange = line.ask()
    line.feed(HELLO)
    assert await whole(exchange) == (200, b"hello")


@pytest.mark.parametrize("name", UNSEEN)
async def test_what_waits_unseen_condemns_a_kept_connection(name: str) -> None:
    """What came while the loop was busy is found before a request is sent after it."""
    happen, message = UNSEEN[name]
    with socketpair() as (ours, theirs):
        line = await used(ours)
        happen(theirs)
        with pytest.raises(PeerDisconnected, match=message):
            line.ask()
        assert not line.transport.writes
        assert line.transport.is_aborted
        assert (line.released, line.lost) == ([True], 1)


async def test_socket_that_is_silent_stays_in_use() -> None:
    """A look finds nothing, and takes nothing away."""
    with socketpair() as (ours, theirs):
        line = await used(ours)
        await again(line)
        theirs.send(b"unseen")
        with pytest.raises(PeerDisconnected):
            line.ask()
        assert ours.recv(10) == b"unseen"


async def test_first_request_needs_no_look() -> None:
    """What comes before any request is for the parser to refuse, which says more."""
    with socketpair() as (ours, theirs):
        theirs.send(b"SSH-2.0-OpenSSH")
        await again(Line(sock=ours))


async def test_socket_that_is_broken() -> None:
    """An error of the socket, such as a reset, is the end of the connection, too."""
    with socketpair() as (ours, _):
        line = await used(ours)
        ours.close()
        with pytest.raises(PeerDisconnected, match="server:80 broke the idle connection"):
            line.ask()
        assert line.transport.is_aborted


async def test_tickets_of_tls_condemn_nothing() -> None:
    """Bytes below TLS may be session tickets; only the end of the connection counts."""
    with socketpair() as (ours, theirs):
        line = await used(ours, ssl_object=object())
        theirs.send(b"ticket")
        await again(line)
        ours.recv(10)
        theirs.close()
        with pytest.raises(PeerDisconnected, match="server:80 closed the idle connection"):
            line.ask()


async def test_one_exchange_at_a_time() -> None:
    """A second request before the first answer is a mistake, and harms nothing."""
    line = Line()
    exchange = line.ask()
    with pytest.raises(InvalidUse, match="one exchange at a time"):
        line.ask()
    line.feed(HELLO)
    assert await whole(exchange) == (200, b"hello")


async def test_small_body_makes_no_stream_unless_asked_for() -> None:
    """A body that came with its head is there as bytes, and as a stream on demand."""
    line = Line()
    exchange = line.ask()
    line.feed(HELLO)
    assert exchange.whole_body == b"hello"
    assert await exchange.body.readexactly(5) == b"hello"
    exchange = line.ask()
    line.feed(OK)
    assert exchange.body is EMPTY_STREAM


CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_chunks_that_came_whole() -> None:
    """They make no stream either, unless they are coded, or anything is unusual about them."""
    line = Line()
    exchange = line.ask()
    line.feed(CHUNKS + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")
    assert exchange.whole_body == b"hello"
    assert line.released == [True]
    coded = gzip.compress(b"hello")
    head = CHUNKS.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
    exchange = line.ask()
    line.feed(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(coded), coded))
    await exchange.response()
    assert exchange.whole_body is None
    assert await exchange.read_all() == b"hello"
    assert line.released == [True, True]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"c\r\nhello\r\n0\r\n\r\n", None),
        (b"5\r\nhelloX\r\n0\r\n\r\n", ChunkError),
        (b"0\r\n\r\nHTTP/1.1 200 OK\r\n0\r\n\r\n", None),
        (b"0\r\nA: b\r\n0\r\n\r\n", InvalidHeader),
        (b"6\r\nhello!\r\n0\r\n\r\n", BodyTooLarge),
    ],
)
async def test_chunks_that_only_seem_to_be_whole(
    body: bytes, error: type[HttpException] | None
) -> None:
    """What ends like a last chunk isn't always one: errors are those of a body in pieces."""
    line = Line(Limits(decoded=5))
    exchange = line.ask()
    line.feed(CHUNKS + body)
    await exchange.response()
    assert exchange.whole_body is None
    if error is not None:
        with pytest.raises(error):
            await exchange.read_all()
    assert line.released != [True]


async def test_large_body_is_received_into_its_final_buffer() -> None:
    """While somebody reads to the end, bytes don't pass through the shared buffer."""
    line = Line()
    exchange = line.ask()
    size = 1024 * KIB
    line.feed(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    await exchange.response()
    reading = asyncio.ensure_future(exchange.body.read())
    await turns()
    line.feed(b"a" * size)
    assert await reading == b"a" * size
    assert line.released == [True]


async def test_bound_of_a_plain_body() -> None:
    """What has no coding is bounded as what has one, whether it comes at once or in pieces."""
    for pieces in cuts(HELLO):
        line = Line(Limits(decoded=4))
        exchange = line.ask()
        line.feed(*pieces)
        await exchange.response()
        with pytest.raises(BodyTooLarge, match="got 5 bytes of a body, expected no more than 4"):
            await exchange.body.read()


READ_ALL = [HELLO, CHUNKED_HELLO, HELLO.replace(b"Content-Length: 5", b"A: b")]


@pytest.mark.parametrize("data", READ_ALL, ids=["length", "chunked", "close"])
@pytest.mark.parametrize("limit", [5, None])
async def test_read_all_within_its_limit(data: bytes, limit: int | None) -> None:
    """The whole body comes back, however it is cut and framed; the second time nothing."""
    for pieces in cuts(data):
        line = Line()
        exchange = line.ask()
        line.feed(*pieces)
        if exchange.is_under_way:
            line.transport.feed_eof()
        await exchange.response()
        assert await exchange.read_all(limit) == b"hello"
        assert await exchange.read_all(limit) == b""


@pytest.mark.parametrize("data", READ_ALL, ids=["length", "chunked", "close"])
async def test_read_all_beyond_its_limit(data: bytes) -> None:
    """A body that is larger is refused, and its error is what ``translate`` makes of it."""
    for pieces in cuts(data):
        line = Line()
        exchange = line.ask(translate=translated)
        line.feed(*pieces)
        await exchange.response()
        with pytest.raises(ValueError, match="expected a body of at most 4 bytes, got 5"):
            await exchange.read_all(4)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
        CHUNKED_HELLO[:-12],
        b"HTTP/1.1 200 OK\r\n\r\nhello",
    ],
    ids=["length", "chunked", "close"],
)
async def test_read_all_gives_up_at_once(data: bytes) -> None:
    """What is announced, or there, suffices: nobody waits for the rest of a body too large."""
    line = Line()
    exchange = line.ask()
    line.feed(data)
    await exchange.response()
    with pytest.raises(BodyTooLarge, match="at most 4 bytes") as caught:
        await exchange.read_all(4)
    assert (caught.value.name, caught.value.limit) == ("limit", 4)
    assert line.transport.is_aborted
    assert line.released == [False]


async def test_cancelled_read_all_can_be_repeated() -> None:
    """Cancelling loses no byte."""
    line = Line()
    exchange = line.ask()
    line.feed(HELLO[:-1])
    await exchange.response()
    reading = asyncio.ensure_future(exchange.read_all(5))
    await turns()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    line.feed(HELLO[-1:])
    assert await exchange.read_all(5) == b"hello"


async def test_limits_of_one_exchange() -> None:
    """``limits`` bound one exchange; the next has the connection's again."""
    line = Line(Limits(body=100))
    for limits, is_good in ((Limits(body=4), False), (Limits(field_line=10), False), (None, True)):
        if not line.connection.is_reusable:
            line = Line(Limits(body=100))
        exchange = line.ask(limits=limits)
        if is_good:
            line.feed(HELLO)
            assert await whole(exchange) == (200, b"hello")
        else:
            line.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            with pytest.raises(LimitExceeded):
                await exchange.response()


async def test_limits_end_with_their_exchange() -> None:
    """What one exchange was allowed, the next on its connection isn't."""
    line = Line(Limits(body=4))
    exchange = line.ask(limits=Limits())
    line.feed(HELLO)
    assert await whole(exchange) == (200, b"hello")
    exchange = line.ask()
    line.feed(HELLO)
    with pytest.raises(BodyTooLarge, match="at most 4 bytes"):
        await exchange.response()


async def test_unread_body_pauses_the_transport() -> None:
    """Above ``read_buffer`` nothing is received until somebody reads."""
    line = Line(Limits(read_buffer=10))
    exchange = line.ask()
    line.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n", b"a" * 20, b"b" * 20)
    await exchange.response()
    assert not line.transport.is_reading()
    assert await exchange.body.read() == b"a" * 20 + b"b" * 20
    assert line.transport.is_reading()


# Content codings.


async def test_coded_body_is_decoded() -> None:
    """Codings are undone, however the bytes are cut."""
    body = b"hello " * 100
    coded = zlib.compress(body)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(
        coded
    )
    for pieces in cuts(head + coded):
        line = Line()
        exchange = line.ask()
        line.feed(*pieces)
        assert await whole(exchange) == (200, body)


GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"


async def test_coded_body_that_came_whole() -> None:
    """It is decoded in one go for who wants all, and is a stream on demand."""
    coded = gzip.compress(b"hello")
    line = Line()
    exchange = line.ask()
    line.feed(GZIP % len(coded) + coded)
    await exchange.response()
    assert exchange.is_complete
    assert await exchange.read_all(5) == b"hello"
    assert exchange.body is EMPTY_STREAM
    exchange = line.ask()
    line.feed(GZIP % len(coded) + coded)
    await exchange.response()
    assert await exchange.body.readexactly(2) == b"he"
    assert await exchange.read_all() == b"llo"
    assert exchange.body.total_raw_bytes == len(coded)


WRONG = {
    "truncated": (gzip.compress(b"hello")[:-1], Limits(), "the body ended before its gzip coding"),
    "not gzip": (b"hello", Limits(), "expected content coded as gzip"),
    "too large": (gzip.compress(b"hello"), Limits(decoded=4), "expected no more than|more than 4"),
    "beyond what is wanted": (gzip.compress(b"hello, world"), Limits(), "at most 5 bytes, got 12"),
    "too many codings": (gzip.compress(b"hello"), Limits(codings=0), "no more than 0 content cod"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_wrong_coded_body_that_came_whole(name: str) -> None:
    """It is as wrong as one that comes in pieces, and each read says so."""
    coded, limits, message = WRONG[name]
    for pieces in cuts(GZIP % len(coded) + coded, splits=4):
        line = Line(limits)
        exchange = line.ask(translate=translated)
        line.feed(*pieces)
        await exchange.response()
        for _ in range(2):
            with pytest.raises(ValueError, match=message):
                await exchange.read_all(5)


async def test_coded_body_is_left_alone_on_demand() -> None:
    """With ``decode=False`` the body is what came over the wire."""
    line = Line()
    exchange = line.ask(decode=False)
    line.feed(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello")
    assert await whole(exchange) == (200, b"hello")


async def test_unknown_coding_is_told_to_who_reads() -> None:
    """The head is delivered; reading what nobody can decode is an error."""
    line = Line()
    exchange = line.ask()
    line.feed(b"HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 5\r\n\r\nuryyb")
    assert (await exchange.response()).status == 200
    with pytest.raises(UnknownContentCoding):
        await exchange.body.read()
    assert line.released == [False]


async def test_truncated_coding_is_translated() -> None:
    """Errors that arise while a body is read pass through ``translate``, too."""
    line = Line()
    exchange = line.ask(translate=translated)
    coded = zlib.compress(b"hello")[:-1]
    line.feed(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(coded)
    )
    line.feed(coded)
    await exchange.response()
    with pytest.raises(ValueError, match="the body ended before its deflate coding did") as caught:
        await exchange.body.read()
    assert not isinstance(caught.value, ContentCodingError)


PLAIN = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n"
)  # fmt: skip
CODED = (
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n"
)
HUGE = gzip.compress(bytes(2**21))
REFUSED = {
    "plain": (PLAIN, Limits(decoded=4), BodyTooLarge),
    "decoded": (CODED % (len(HUGE), HUGE), Limits(decoded=2**20), DecompressionBomb),
    "ratio": (CODED % (len(HUGE), HUGE), Limits(ratio=10), DecompressionBomb),
    "malformed": (CODED % (5, b"hello"), Limits(), ContentCodingError),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_body_that_is_refused_is_not_received_on(name: str) -> None:
    """A body too large, a bomb, what can't be decoded: the connection is closed at once."""
    data, limits, error = REFUSED[name]
    line = Line(limits)
    exchange = line.ask()
    line.feed(data)
    await exchange.response()
    with pytest.raises(error):
        await exchange.body.read()
    assert line.transport.is_aborted
    assert line.released == [False]
    with pytest.raises(error):
        await exchange.body.read()


async def test_complete_body_that_is_refused_costs_no_connection() -> None:
    """Where all has come, the connection is the next exchange's already."""
    line = Line(Limits(ratio=10))
    exchange = line.ask()
    line.feed(CODED % (len(HUGE), HUGE), b"0\r\n\r\n")
    following = line.ask()
    await exchange.response()
    with pytest.raises(DecompressionBomb):
        await exchange.body.read()
    line.feed(HELLO)
    assert await whole(following) == (200, b"hello")


async def test_error_status_without_body_may_name_any_coding() -> None:
    """A coding of nothing is nothing."""
    line = Line()
    exchange = line.ask("HEAD")
    line.feed(b"HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 5\r\n\r\n")
    assert await whole(exchange) == (200, b"")


# Answers that are none.

LIMITS = Limits(line=40, field_line=40, head=200, fields=3, body=100)

MALFORMED: dict[str, tuple[bytes, type[HttpException], str]] = {
    "no HTTP": (b"SSH-2.0-OpenSSH\r\n\r\n", BadStatusLine, "expected HTTP/1"),
    "status": (b"HTTP/1.1 2x0 OK\r\n\r\n", BadStatusLine, "three digits"),
    "empty line first": (b"\r\nHTTP/1.1 200 OK\r\n\r\n", BadStatusLine, "expected"),
    "NUL": (b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n", InvalidHeader, "control character"),
    "bare CR": (b"HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n", InvalidHeader, "control character"),
    "space before colon": (b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", InvalidHeader, "white space"),
    "two lengths": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        FramingError,
        "differing Content-Length",
    ),
    "length and chunks": (
        b"HTTP/1.1 200 X\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        FramingError,
        "both Content-Length and Transfer-Encoding",
    ),
    "unknown coding": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        UnknownTransferCoding,
        "chunked",
    ),
    "line": (b"HTTP/1.1 200 " + b"x" * 40 + b"\r\n\r\n", LineTooLong, "at most 40 bytes"),
    "field": (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 40 + b"\r\n\r\n", LineTooLong, "at most 40 bytes"),
    "fields": (
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 4 + b"\r\n",
        HeadTooLarge,
        "at most 3 fields",
    ),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", BodyTooLarge, "at most 100 bytes"),
    "unasked upgrade": (b"HTTP/1.1 101 Switch\r\n\r\n", BadHttpMessage, "no upgrade was asked for"),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_answer_is_an_error_at_once(name: str) -> None:
    """No answer that isn't HTTP is waited for, whatever its segments are."""
    data, error, message = MALFORMED[name]
    for pieces in cuts(data):
        line = Line(LIMITS)
        exchange = line.ask()
        line.feed(*pieces)
        with pytest.raises(error, match=message):
            await exchange.response()
        assert line.transport.is_aborted
        assert line.released == [False]


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

BROKEN_BODIES: dict[str, tuple[bytes, type[HttpException], str]] = {
    "size": (CHUNKED + b"5\r\nhello\r\nx\r\n", ChunkError, "expected 1 to 16 hex digits"),
    "terminator": (CHUNKED + b"5\r\nhelloXX", ChunkError, "expected CRLF after 5 bytes"),
    "trailer": (CHUNKED + b"0\r\nHost: a\r\n\r\n", InvalidHeader, "must not come as a trailer"),
    "large": (CHUNKED + b"65\r\n", BodyTooLarge, "at most 100 bytes"),
}


@pytest.mark.parametrize("name", BROKEN_BODIES)
async def test_malformed_body_is_an_error_at_once(name: str) -> None:
    """A bad chunk after good ones ends the body with an error, never with a hang."""
    data, error, message = BROKEN_BODIES[name]
    for pieces in cuts(data):
        line = Line(LIMITS)
        exchange = line.ask()
        line.feed(*pieces)
        assert (await exchange.response()).status == 200
        with pytest.raises(error, match=message):
            await exchange.body.read()
        assert line.released == [False]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (HELLO[:-1], "expected a body of 5 bytes, the connection was closed after 4"),
        (CHUNKED_HELLO[:-2], "the connection was closed after 5 bytes of a chunked body"),
    ],
)
async def test_body_that_breaks_off(data: bytes, message: str) -> None:
    """The end of the connection in mid-body is an error, never a short body."""
    line = Line()
    exchange = line.ask()
    line.feed(data)
    line.transport.feed_eof()
    await exchange.response()
    with pytest.raises(IncompleteRead, match=message):
        await exchange.body.read()


async def test_reset_in_a_body_until_close() -> None:
    """A reset is no end: such a body may be cut short."""
    line = Line()
    exchange = line.ask()
    line.feed(b"HTTP/1.1 200 OK\r\n\r\nhello")
    line.transport.lose(ConnectionResetError("reset by peer"))
    await exchange.response()
    with pytest.raises(PeerDisconnected, match="broke the connection after 5 bytes") as caught:
        await exchange.body.read()
    assert isinstance(caught.value.__cause__, ConnectionResetError)


async def test_server_that_closes_instead_of_answering() -> None:
    """No answer at all is told from half of one."""
    line = Line()
    exchange = line.ask()
    line.transport.feed_eof()
    with pytest.raises(PeerDisconnected, match="server:80 closed the connection before it had"):
        await exchange.response()
    assert not exchange.is_answered


async def test_server_that_closes_within_its_head() -> None:
    """Half an answer makes a difference to who wants to ask again."""
    line = Line()
    exchange = line.ask()
    line.feed(b"HTTP/1.1 200")
    line.transport.feed_eof()
    with pytest.raises(PeerDisconnected, match="after 12 bytes of the head of its response"):
        await exchange.response()
    assert exchange.is_answered


async def test_endless_informational_responses() -> None:
    """A server can't keep a client busy for ever with 1xx."""
    line = Line()
    exchange = line.ask()
    line.feed(b"HTTP/1.1 102 Processing\r\n\r\n" * 65)
    with pytest.raises(LimitExceeded, match="at most 64 informational responses"):
        await exchange.response()


# Informational responses and held bodies.


async def test_early_hints_are_handed_on() -> None:
    """103 reaches the callback before the final response; 100 doesn't."""
    line = Line()
    hints: list[ResponseHead] = []
    exchange = line.ask(on_information=hints.append)
    line.feed(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    assert [(hint.status, hint.headers["Link"]) for hint in hints] == [(103, "</a>")]
    line.feed(HELLO)
    assert await whole(exchange) == (200, b"hello")


async def test_callback_that_fails() -> None:
    """What the callback raises reaches whoever awaits the response."""
    line = Line()

    def fail(_: ResponseHead) -> None:
        raise KeyError("mine")

    exchange = line.ask(on_information=fail)
    line.feed(b"HTTP/1.1 103 Early Hints\r\n\r\n" + HELLO)
    with pytest.raises(KeyError, match="mine"):
        await exchange.response()
    assert line.released == [False]


async def test_body_is_held_back_until_100() -> None:
    """With ``expect_continue`` the body follows when the server asks for it."""
    line = Line()
    exchange = line.ask("POST", body=b"hello", expect_continue=True)
    await turns()
    assert line.transport.take() == (
        b"POST / HTTP/1.1\r\nHost: server:80\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    )
    line.feed(b"HTTP/1.1 100 Continue\r\n\r\n")
    await exchange.request_sent()
    assert line.transport.take() == b"hello"
    line.feed(OK)
    assert await whole(exchange) == (200, b"")
    assert line.connection.is_reusable


async def test_body_is_held_back_for_a_second_at_most() -> None:
    """A server that doesn't know Expect gets the body after a second (RFC 9110, 10.1.1)."""
    line = Line()
    exchange = line.ask("POST", body=b"hello", expect_continue=True)
    await turns()
    line.clock.advance(0.99)
    await turns()
    assert not line.transport.written.endswith(b"hello")
    line.clock.advance(0.01 + TICK)
    await exchange.request_sent()
    assert line.transport.written.endswith(b"hello")


@pytest.mark.parametrize("status", [b"200 OK", b"417 No"])
async def test_held_body_is_not_sent_after_a_final_response(status: bytes) -> None:
    """The final response says that the body isn't wanted; the connection can't be kept."""
    line = Line()
    exchange = line.ask("POST", body=b"hello", expect_continue=True)
    await turns()
    line.feed(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nno")
    assert (await whole(exchange))[1] == b"no"
    line.clock.advance(2)
    await turns()
    assert b"hello" not in line.transport.written
    assert line.released == [False]


async def test_nothing_is_held_back_without_a_body() -> None:
    """Expect without content has no meaning (RFC 9110, section 10.1.1)."""
    line = Line()
    line.ask("POST", expect_continue=True)
    assert b"Expect" not in line.transport.written


# Answers before the request is complete.


async def test_early_error_stops_the_upload() -> None:
    """A final error response ends the sending, is delivered, and ends the connection."""
    line = Line()
    line.transport.hold()
    exchange = line.ask("PUT", body=bytes(1024 * KIB))
    await turns()
    line.feed(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")
    assert await whole(exchange) == (413, b"large")
    assert line.state == "CLOSED"
    sent = len(line.transport.written)
    line.transport.release()
    await turns()
    assert len(line.transport.written) == sent
    assert not exchange.is_request_sent


async def test_early_success_lets_the_upload_go_on() -> None:
    """Both ends may stream at the same time; the connection is kept when both are complete."""
    line = Line()
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"one"
        await go_on.wait()
        yield b"two"

    exchange = line.ask("POST", body=slow())
    await turns()
    line.feed(CHUNKED + b"3\r\none\r\n")
    assert (await exchange.response()).status == 200
    assert await exchange.body.readany() == b"one"
    assert line.state == "BOTH"
    go_on.set()
    await exchange.request_sent()
    assert line.transport.written.endswith(b"3\r\ntwo\r\n0\r\n\r\n")
    line.feed(b"3\r\ntwo\r\n0\r\n\r\n")
    assert await exchange.body.read() == b"two"
    assert line.released == [True]


@pytest.mark.parametrize(
    ("close", "answer"),
    [
        (False, HELLO),
        (True, HELLO),
        (True, HELLO.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)),
    ],
)
async def test_early_complete_success_lets_the_upload_end(close: bool, answer: bytes) -> None:
    """A server that has answered gets the rest of the request all the same, close or not."""
    line = Line()
    line.transport.hold()
    exchange = line.ask("PUT", body=bytes(512 * KIB), close=close)
    await turns()
    line.feed(answer)
    assert await whole(exchange) == (200, b"hello")
    assert exchange.is_complete
    assert (line.state, line.released) == ("EARLY", [])
    line.transport.release()
    await exchange.request_sent()
    await turns()
    assert exchange.is_request_sent
    assert line.released == [not close]


async def test_upload_behind_a_complete_success_that_is_cut() -> None:
    """A server that goes away has answered all the same; that not all was sent can be seen."""
    line = Line()
    line.transport.hold()
    exchange = line.ask("PUT", body=bytes(512 * KIB), close=True)
    await turns()
    line.feed(HELLO)
    assert await whole(exchange) == (200, b"hello")
    line.connection.connection_lost(ConnectionResetError())
    await exchange.request_sent()
    assert (exchange.is_request_sent, exchange.is_upload_unwanted) == (False, False)
    assert line.released == [False]


# Upgrades.

UPGRADE = encode_fields([("Connection", "Upgrade"), ("Upgrade", "echo")])


@pytest.mark.parametrize(
    ("method", "fields", "head"),
    [
        ("GET", UPGRADE, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n"),
        ("CONNECT", encode_fields([]), b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
    ],
)
async def test_transport_is_handed_over(method: str, fields: Any, head: bytes) -> None:
    """After 101 or CONNECT's 2xx the transport is given away, with what was read already."""
    for pieces in cuts(head):
        line = Line()
        exchange = line.ask(method, fields=fields)
        line.feed(*pieces)
        line.connection.data_received(b"more")
        await exchange.response()
        assert not line.transport.is_reading()
        assert line.released == []
        assert exchange.detach() == (line.transport, b"more")
        assert line.released == [False]
        assert not line.transport.is_closing()


async def test_transport_that_nobody_takes_over() -> None:
    """Giving up a switched connection closes it."""
    line = Line()
    exchange = line.ask(fields=UPGRADE)
    line.feed(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    await exchange.response()
    exchange.abort()
    assert line.transport.is_aborted
    assert line.released == [False]


async def test_refused_upgrade_is_an_ordinary_response() -> None:
    """A server may ignore Upgrade."""
    line = Line()
    exchange = line.ask(fields=UPGRADE)
    line.feed(HELLO)
    assert await whole(exchange) == (200, b"hello")
    with pytest.raises(InvalidUse, match="expected 101"):
        exchange.detach()


async def test_upgrade_instead_of_a_tunnel() -> None:
    """101 isn't what a CONNECT has asked for."""
    line = Line()
    exchange = line.ask("CONNECT")
    line.feed(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    with pytest.raises(BadHttpMessage, match="no upgrade was asked for"):
        await exchange.response()


async def test_upgrade_before_the_request_is_complete() -> None:
    """Nobody may switch while the request is still being sent."""
    line = Line()
    line.transport.hold()
    exchange = line.ask("POST", fields=UPGRADE, body=bytes(1024 * KIB))
    line.feed(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    with pytest.raises(BadHttpMessage, match="before the request was sent whole"):
        await exchange.response()


# Time.


async def test_deadline_of_the_whole_exchange() -> None:
    """A deadline ends the wait for the head, and no earlier than it says."""
    line = Line()
    exchange = line.ask(deadline=line.clock.time() + 5)
    line.clock.advance(4.99)
    assert line.state == "WAITING"
    line.clock.advance(0.01 + TICK)
    with pytest.raises(TimeoutError, match="no complete response from server:80 in time"):
        await exchange.response()
    assert line.transport.is_aborted


async def test_deadline_in_a_body() -> None:
    """The deadline counts until the last byte of the body."""
    line = Line()
    exchange = line.ask(deadline=line.clock.time() + 5)
    line.feed(HELLO[:-1])
    await exchange.response()
    line.clock.advance(6)
    with pytest.raises(TimeoutError):
        await exchange.body.read()


async def test_deadline_ends_with_its_exchange() -> None:
    """A complete response can't time out."""
    line = Line()
    exchange = line.ask(deadline=line.clock.time() + 5)
    line.feed(HELLO)
    assert await whole(exchange) == (200, b"hello")
    line.clock.advance(6)
    assert line.connection.is_reusable


async def test_silent_server() -> None:
    """``read_time`` counts from the last byte."""
    line = Line()
    exchange = line.ask(read_time=2.0)
    for byte in HELLO[:-1]:
        line.clock.advance(1.9)
        line.feed(bytes([byte]))
    await exchange.response()
    line.clock.advance(2 + TICK)
    with pytest.raises(PeerTooSlow, match="no byte from server:80 for 2 s") as caught:
        await exchange.body.read()
    assert caught.value.waited == 2.0


async def test_slow_reader_is_no_silent_server() -> None:
    """While we don't read, the server's silence is our own doing."""
    line = Line(Limits(read_buffer=4))
    exchange = line.ask(read_time=2.0)
    line.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", b"world")
    await exchange.response()
    line.clock.advance(10)
    assert await exchange.body.read() == b"helloworld"


async def test_slow_upload_is_no_silent_server() -> None:
    """While we send, the server need not say anything; then its time begins."""
    line = Line()
    line.transport.hold()
    exchange = line.ask("PUT", body=bytes(1024 * KIB), read_time=2.0)
    await turns()
    line.clock.advance(10)
    line.transport.release()
    await exchange.request_sent()
    line.clock.advance(1.9)
    line.feed(OK)
    assert await whole(exchange) == (200, b"")


@pytest.mark.parametrize("answer", [HELLO, HELLO[:-1]], ids=["EARLY", "BOTH"])
async def test_slow_upload_behind_an_answer_is_no_silent_server(answer: bytes) -> None:
    """That holds, too, where the server has begun to answer, or has answered, by then."""
    line = Line()
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        await go_on.wait()
        yield b"hello"

    exchange = line.ask("POST", body=slow(), read_time=2.0)
    await turns()
    line.feed(answer)
    line.clock.advance(10)
    go_on.set()
    await exchange.request_sent()
    if answer != HELLO:
        line.feed(HELLO[len(answer) :])
    assert await whole(exchange) == (200, b"hello")
    await turns()
    assert line.released == [True]


async def test_idle_connection_is_closed() -> None:
    """After ``keep_alive`` seconds nobody will use it any more."""
    line = Line(Limits(keep_alive=10))
    exchange = line.ask()
    line.feed(HELLO)
    await whole(exchange)
    line.clock.advance(9.9)
    assert line.connection.is_reusable
    line.clock.advance(0.1 + TICK)
    assert line.state == "CLOSED"
    assert line.lost == 1
    assert line.released == [True]


@pytest.mark.parametrize(
    ("announced", "seconds"),
    [(b"timeout=5", 4), (b"max=7, Timeout = 5", 4), (b"timeout=1", 0.5), (b"timeout=99", 10)],
)
async def test_server_announces_how_long_it_keeps_a_connection(
    announced: bytes, seconds: float
) -> None:
    """A connection is used no longer than its server is going to keep it."""
    line = Line(Limits(keep_alive=10))
    exchange = line.ask()
    line.feed(b"HTTP/1.1 200 OK\r\nKeep-Alive: " + announced + b"\r\nContent-Length: 0\r\n\r\n")
    await whole(exchange)
    line.clock.advance(seconds - 0.01)
    assert line.connection.is_reusable
    line.clock.advance(0.01 + TICK)
    assert not line.connection.is_reusable


async def test_connection_that_is_not_kept() -> None:
    """Without idle time, or by ``close=True``, a connection has one exchange."""
    for line, close in (Line(Limits(keep_alive=0)), False), (Line(), True):
        exchange = line.ask(close=close)
        line.feed(HELLO)
        assert await whole(exchange) == (200, b"hello")
        assert line.released == [False]
        assert line.transport.is_closing()


# Giving up.


async def test_cancelled_wait_closes_the_connection() -> None:
    """Nobody may get the answer to a request that was given up."""
    line = Line()
    waiting = asyncio.ensure_future(line.ask().response())
    await turns()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert line.released == [False]
    assert line.transport.is_aborted


async def test_cancellation_after_the_answer_harms_nobody() -> None:
    """When the response was complete, the connection belongs to somebody else already."""
    line = Line()
    waiting = asyncio.ensure_future(line.ask().response())
    await turns()
    line.feed(HELLO)
    following = line.ask()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    line.feed(HELLO)
    assert await whole(following) == (200, b"hello")


async def test_old_exchange_can_not_touch_a_new_one() -> None:
    """``abort`` and ``discard`` of a finished exchange do nothing."""
    line = Line()
    first = line.ask()
    line.feed(HELLO)
    await whole(first)
    second = line.ask()
    first.abort()
    first.discard()
    assert (first.is_under_way, second.is_under_way) == (False, True)
    line.feed(HELLO)
    assert await whole(second) == (200, b"hello")


async def test_abort_is_told_to_who_reads() -> None:
    """A body whose response was closed raises, and doesn't end."""
    line = Line()
    exchange = line.ask()
    line.feed(HELLO[:-1])
    await exchange.response()
    exchange.abort()
    with pytest.raises(InvalidUse, match="closed before its body had been read"):
        await exchange.body.read()


@pytest.mark.parametrize("pieces", [[HELLO[-4:]], [HELLO[-4:-2], HELLO[-2:]]])
async def test_discarded_rest_is_dropped(pieces: list[bytes]) -> None:
    """A short rest that comes soon keeps the connection."""
    line = Line()
    exchange = line.ask()
    line.feed(HELLO[:-4])
    await exchange.response()
    exchange.discard()
    line.feed(*pieces)
    assert line.released == [True]
    with pytest.raises(InvalidUse, match="released before its body had been read"):
        await exchange.body.read()
    following = line.ask()
    line.feed(HELLO)
    assert await whole(following) == (200, b"hello")


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
async def test_long_rest_is_not_waited_for(head: bytes) -> None:
    """What is long, or has no end, costs the connection at once."""
    line = Line()
    exchange = line.ask()
    line.feed(head)
    await exchange.response()
    exchange.discard()
    assert line.released == [False]


async def test_discarded_chunks_are_bounded() -> None:
    """A rest of unknown length is dropped up to ``drain`` bytes, and never decoded."""
    line = Line(Limits(drain=10))
    exchange = line.ask()
    line.feed(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
    await exchange.response()
    exchange.discard()
    line.feed(b"8\r\nnot gzip\r\n")
    assert line.released == []
    line.feed(b"3\r\nabc\r\n")
    assert line.released == [False]


async def test_discarded_rest_has_little_time() -> None:
    """A rest that doesn't come within ``linger`` seconds costs the connection."""
    line = Line(Limits(linger=2))
    exchange = line.ask()
    line.feed(HELLO[:-4])
    await exchange.response()
    exchange.discard()
    line.clock.advance(2 + TICK)
    assert line.released == [False]


async def test_discarding_resumes_a_paused_transport() -> None:
    """The rest must come in to be dropped."""
    line = Line(Limits(read_buffer=4))
    exchange = line.ask()
    line.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", b"world")
    await exchange.response()
    exchange.discard()
    await turns()
    assert line.released == [True]


async def test_close_wakes_whoever_waits() -> None:
    """Closing the connection ends its exchange; twice is fine."""
    line = Line()
    exchange = line.ask()
    line.connection.close()
    line.connection.close()
    with pytest.raises(InvalidUse, match="was closed on this side"):
        await exchange.response()
    await turns()
    assert line.released == [False]


@pytest.mark.parametrize("pieces", [[], [HELLO[:-1]]], ids=["WAITING", "RESPONSE"])
def test_closing_after_the_loop(pieces: list[bytes]) -> None:
    """Whatever was under way when its loop was closed can still be let go."""

    async def begin() -> tuple[Line, ClientExchange]:
        line = Line()
        exchange = line.ask()
        line.feed(*pieces)
        await turns()
        return line, exchange

    with asyncio.Runner() as runner:
        line, exchange = runner.run(begin())
    exchange.discard()
    exchange.abort()
    exchange.abort_from_anywhere()
    line.connection.close()


async def test_closed_connection_leaves_no_timer() -> None:
    """The clock has nothing to do for a connection that was closed."""
    line = Line()
    exchange = line.ask(deadline=line.clock.time() + 300)
    line.feed(HELLO)
    await whole(exchange)
    line.connection.close()
    await turns()
    assert line.clock.pending == 0


async def test_peer_is_known_after_the_end() -> None:
    """An error about a connection that was reset can still say whose it was."""
    line = Line()
    exchange = line.ask()
    line.connection.connection_lost(ConnectionResetError())
    with pytest.raises(PeerDisconnected):
        await exchange.response()
    assert line.connection.get_extra_info("peername") == ("192.0.2.1", 50000)


# Every state with everything that may happen in it.


async def in_state(name: str) -> tuple[Line, ClientExchange | None]:
    """Return a connection in this state, with the exchange under way."""
    line = Line(replace(Limits(), keep_alive=100))
    match name:
        case "IDLE":
            return line, None
        case "CLOSED":
            line.connection.close()
            return line, None
        case "WAITING" | "RESPONSE" | "SWITCHED":
            exchange = line.ask(fields=UPGRADE, deadline=line.clock.time() + 200)
        case _:
            line.transport.hold()
            exchange = line.ask("PUT", body=bytes(1024 * KIB), deadline=line.clock.time() + 200)
            await turns()
    switching = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
    part = HELLO[:-1]
    answers = {"RESPONSE": part, "BOTH": part, "EARLY": HELLO, "SWITCHED": switching}
    if name in answers:
        line.feed(answers[name])
    return line, exchange


def call(exchange: ClientExchange | None, method: Callable[[ClientExchange], None]) -> None:
    """Call a method of the exchange, if there is one."""
    if exchange is not None:
        method(exchange)


HAPPENINGS: dict[str, Callable[[Line, ClientExchange | None], object]] = {
    "head": lambda line, exchange: line.feed(OK),
    "byte": lambda line, exchange: line.feed(b"H"),
    "eof": lambda line, exchange: line.transport.feed_eof(),
    "reset": lambda line, exchange: line.connection.connection_lost(ConnectionResetError()),
    "time": lambda line, exchange: line.clock.advance(201),
    "close": lambda line, exchange: line.connection.close(),
    "abort": lambda line, exchange: call(exchange, ClientExchange.abort),
    "discard": lambda line, exchange: call(exchange, ClientExchange.discard),
}

# What follows, in the order of HAPPENINGS. A state that is not named: nothing happens.
C = "CLOSED"
FOLLOWING: dict[str, list[str]] = {
    #            head     byte       eof         reset time       close abort   discard
    "IDLE":     [C,       C,         C,          C,    "IDLE",    C,    "IDLE", "IDLE"],
    "REQUEST":  ["EARLY", "REQUEST", C,          C,    C,         C,    C,      C],
    "WAITING":  ["IDLE",  "WAITING", C,          C,    C,         C,    C,      C],
    "BOTH":     [C,       "EARLY",   C,          C,    C,         C,    C,      C],
    "RESPONSE": [C,       "IDLE",    C,          C,    C,         C,    C,      "RESPONSE"],
    "EARLY":    [C,       C,         C,          C,    C,         C,    C,      "EARLY"],
    "SWITCHED": ["SWITCHED", "SWITCHED", "SWITCHED", C, "SWITCHED", C,  C,      C],
    "CLOSED":   [C,       C,         C,          C,    C,         C,    C,      C],
}  # fmt: skip


@pytest.mark.parametrize("happening", HAPPENINGS)
@pytest.mark.parametrize("state", FOLLOWING)
async def test_whatever_happens_in_whatever_state(state: str, happening: str) -> None:
    """Every exchange ends once: in IDLE with a reusable connection, or with a closed one."""
    line, exchange = await in_state(state)
    assert line.state == state
    already = line.lost
    HAPPENINGS[happening](line, exchange)
    following = dict(zip(HAPPENINGS, FOLLOWING[state], strict=True))[happening]
    assert line.state == following
    if exchange is not None:
        assert line.released == {"IDLE": [True], "CLOSED": [False]}.get(following, [])
        assert line.lost == 0
    else:
        assert line.released == []
        assert line.lost == max(already, following == "CLOSED")
    assert line.transport.is_closing() == (following == "CLOSED" and happening != "reset") or (
        happening == "reset"
    )
    if exchange is not None and not exchange.is_answered:
        line.connection.close()
        with pytest.raises((RemoteProtocolError, InvalidUse, TimeoutError)):
            await exchange.response()
    line.connection.close()
    await turns()
    gc.collect()  # an exception that nobody retrieved would be told now
