"""Several servers: which of them is asked, and what becomes of a request when one fails."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import socket
import ssl
import weakref
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from pathlib import Path
from types import coroutine
from typing import Any, Literal

import pytest

from aiohttp.client.destination import ConnectionKey
from aiohttp.client.errors import (
    AllHostsFailed,
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientPayloadError,
    ClientResponseError,
    ConnectionTimeoutError,
    InvalidURL,
    MalformedResponseError,
    NonHttpUrlRedirectClientError,
    ServerDisconnectedError,
    ServerTimeoutError,
)
from aiohttp.client.hosts import Host, Hosts, HttpClient
from aiohttp.client.options import RequestOptions
from aiohttp.client.session import Session
from aiohttp.client.tcp import TCPConnector
from aiohttp.client.timeouts import ClientTimeout
from aiohttp.client.uploads import UploadTracker
from aiohttp.protocol.abc import AbstractResolver, ResolveResult
from origin import Answer, Origin, response

CERTIFICATE = Path(__file__).with_name("localhost.pem")
FAILURE = ClientConnectionError("broken")


def host(name: str) -> Host:
    """Return a host in service."""
    return Host(ConnectionKey("http", name, 80))


def first(hosts: Sequence[Host]) -> Host:
    """Pick without chance."""
    return hosts[0]


def fail(failed: Host, now: float) -> None:
    """Let a host fail at one request."""
    spell = failed.begin()
    failed.failed(spell, FAILURE, now)
    failed.end(spell)


@pytest.fixture
def three() -> list[Host]:
    """Three hosts in service."""
    return [host("a"), host("b"), host("c")]


@pytest.fixture
def hosts(three: list[Host]) -> Hosts:
    """The three, of which each is tried again 5 s after it failed."""
    return Hosts(three, 5.0, first)


@pytest.fixture
def refused() -> Iterator[str]:
    """An address at which nobody listens, and nobody is going to."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{sock.getsockname()[1]}"


# One host: what a request tells of it.


def test_host_counts_requests_in_flight() -> None:
    """A request is in flight from its begin to its end."""
    one = host("a")
    spells = [one.begin(), one.begin()]
    assert one.in_flight == 2
    for spell in spells:
        one.end(spell)
    assert one.in_flight == 0


def test_host_is_set_aside_once() -> None:
    """Ten requests that fail at the same breakdown are one failure: the first."""
    one = host("a")
    spells = [one.begin() for _ in range(10)]
    news = [one.failed(spell, FAILURE, 100.0 + spell) for spell in spells]
    assert news == [True] + [False] * 9
    assert (one.failure, one.failed_at) == (FAILURE, 100.0)


def test_answer_brings_a_host_back() -> None:
    """An answer to a request that was sent since the failure: the host is in service again."""
    one = host("a")
    fail(one, 0.0)
    spell = one.begin()
    assert one.answered(spell)
    assert one.failure is None


def test_answer_to_an_older_request_says_nothing() -> None:
    """The last answer before a breakdown may arrive behind the first failure."""
    one = host("a")
    older = one.begin()
    fail(one, 0.0)
    assert not one.answered(older)
    assert one.failure is FAILURE


def test_failure_of_an_older_request_says_nothing() -> None:
    """A request that hung through a breakdown can't set aside the host that has recovered."""
    one = host("a")
    hanging = one.begin()
    fail(one, 0.0)
    assert one.answered(one.begin())
    assert not one.failed(hanging, FAILURE, 9.0)
    assert one.failure is None


def test_answer_of_a_host_in_service_is_no_news() -> None:
    """Nothing changes when all is well."""
    one = host("a")
    assert not one.answered(one.begin())


def test_host_repr() -> None:
    """A host tells how it is."""
    one = host("::1")
    one.begin()
    assert repr(one) == "<Host [::1]:80: 1 in flight>"
    fail(one, 0.0)
    assert repr(one) == "<Host [::1]:80: set aside>"
    assert one.origin == "http://[::1]:80"


# Several hosts: which is asked.


def test_fewest_in_flight(hosts: Hosts, three: list[Host]) -> None:
    """The host that has the least to do is asked."""
    asked: list[Host] = []
    for _ in range(6):
        found = hosts.choose((), 0.0)
        assert found is not None
        found.begin()
        asked.append(found)
    assert asked == [*three, *three]


def test_ties_are_left_to_chance(three: list[Host]) -> None:
    """Between hosts with equally many requests the one is asked that ``pick`` names."""
    offered: list[Sequence[Host]] = []

    def last(given: Sequence[Host]) -> Host:
        offered.append(given)
        return given[-1]

    three[0].begin()
    assert Hosts(three, 5.0, last).choose((), 0.0) is three[2]
    assert offered == [three[1:]]


def test_host_set_aside_is_not_asked(hosts: Hosts, three: list[Host]) -> None:
    """Others have more in flight, but they work."""
    fail(three[0], 0.0)
    for one in three[1:]:
        one.begin()
    assert hosts.choose((), 4.9) is three[1]


def test_host_is_tried_again(hosts: Hosts, three: list[Host]) -> None:
    """After its time a host is tried again at once, by one request, and not by a crowd."""
    fail(three[2], 0.0)
    assert hosts.choose((), 5.0) is three[2]
    spell = three[2].begin()
    assert hosts.choose((), 5.0) is three[0]
    three[2].answered(spell)
    three[0].begin()
    three[1].begin()
    three[2].end(spell)
    assert hosts.choose((), 5.0) is three[2]


def test_second_failure_counts_from_then(hosts: Hosts, three: list[Host]) -> None:
    """A host that fails when it is tried again is set aside for as long as before."""
    fail(three[0], 0.0)
    fail(three[0], 5.0)
    assert hosts.choose((), 9.9) is three[1]
    assert hosts.choose((), 10.0) is three[0]


def test_trial_that_came_to_nothing_is_repeated(hosts: Hosts, three: list[Host]) -> None:
    """A request that is cancelled tells nothing: the next one tries the host."""
    fail(three[0], 0.0)
    three[0].end(three[0].begin())
    assert hosts.choose((), 5.0) is three[0]


def test_longest_failed_is_the_last_resort(hosts: Hosts, three: list[Host]) -> None:
    """When all have failed, the one is asked that failed longest ago, unless it was tried."""
    for now, one in zip((2.0, 1.0, 3.0), three, strict=True):
        fail(one, now)
    assert hosts.choose((), 3.0) is three[1]
    assert hosts.choose({three[1]}, 3.0) is three[0]
    assert hosts.choose((), 3.0, even_set_aside=False) is None
    assert hosts.choose(set(three), 3.0) is None


@pytest.mark.parametrize("tried", [(0,), (0, 1), (1, 2)])
def test_no_host_is_asked_twice(hosts: Hosts, three: list[Host], tried: Collection[int]) -> None:
    """A host that was tried is left out, whatever its state."""
    found = hosts.choose({three[at] for at in tried}, 0.0)
    assert found in [one for at, one in enumerate(three) if at not in tried]


# What ``hosts=`` takes.


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("example.org", "example.org:80 0 in flight"),
        ("example.org:8080", "example.org:8080 0 in flight"),
        ([("example.org", 8080)], "example.org:8080 0 in flight"),
        ("192.0.2.1", "192.0.2.1:80 0 in flight"),
        ("::1", "[::1]:80 0 in flight"),
        ("[::1]", "[::1]:80 0 in flight"),
        ("[::1]:8080", "[::1]:8080 0 in flight"),
        ([("::1", 8080)], "[::1]:8080 0 in flight"),
        ([("[::1]", 8080)], "[::1]:8080 0 in flight"),
        ("bücher.example", "xn--bcher-kva.example:80 0 in flight"),
        (("a:1", ("b", 2)), "a:1 0 in flight, b:2 0 in flight"),
        ((name for name in ("a", "b")), "a:80 0 in flight, b:80 0 in flight"),
        (["a", "a:80", ("a", 80)], "a:80 0 in flight"),
    ],
)
def test_hosts(given: Any, shown: str) -> None:
    """Each spelling of a host is understood; one that is named twice counts once."""
    assert repr(HttpClient(given)) == f"<HttpClient {shown}>"


def test_hosts_with_tls() -> None:
    """With TLS the port is 443 where none is given."""
    assert repr(HttpClient("example.org", ssl=True)) == "<HttpClient example.org:443 0 in flight>"


@pytest.mark.parametrize(
    "given",
    [
        "", ":80", "a:b", "a:99999", "a:0", "a b", "a/path", "a?query", "a#fragment",
        "http://a", "login:secret@a", "login@a", "[::1", "::1]", "1::2::3", "fe80::1%eth0",
        [("a", 0)], [("a", True)], [("a/b", 80)], [("", 80)],
    ],
)  # fmt: skip
def test_malformed_hosts(given: Any) -> None:
    """What isn't a host and maybe a port is refused; a login isn't repeated in the message."""
    with pytest.raises(InvalidURL, match=r"expected|nvalid|out of range") as caught:
        HttpClient(given)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("given", [("a", 80), [None], [b"a"], [("a",)], [("a", "80")]])
def test_hosts_of_another_type(given: Any) -> None:
    """A pair belongs into a list; and ports are numbers."""
    with pytest.raises(TypeError, match="hosts must be 'host', 'host:port' or "):
        HttpClient(given)


def test_no_hosts() -> None:
    """There must be somebody to ask."""
    with pytest.raises(ValueError, match="at least one host"):
        HttpClient([])


@pytest.mark.parametrize("failed_timeout", [-1.0, float("nan")])
def test_failed_timeout_is_a_time(failed_timeout: float) -> None:
    """Seconds don't run backwards."""
    with pytest.raises(ValueError, match="failed_timeout must be seconds from 0 on"):
        HttpClient("a", failed_timeout=failed_timeout)


def test_ssl_is_validated() -> None:
    """None is no way to do TLS."""
    with pytest.raises(TypeError, match="ssl must be True"):
        HttpClient("a", ssl=None)  # type: ignore[arg-type]


# Asking.


def at(origin: Origin) -> str:
    """Return ``host:port`` of a server."""
    return origin.url.removeprefix("http://")


def no_answer(_: bytes) -> Answer:
    """Never answer."""
    return asyncio.get_running_loop().create_future()


def closes(_: bytes) -> Answer:
    """Read the request, and close."""
    return None


async def pieces() -> AsyncIterator[bytes]:
    """Yield a body that can't be sent twice."""
    yield b"one"
    yield b"two"


def lines_of(origin: Origin) -> list[str]:
    """Return the request lines that a server has read."""
    return [request.split(b"\r\n")[0].decode() for request in origin.requests]


async def test_request() -> None:
    """Method and path are those of the request, or else those of the client, or else plain."""
    async with Origin(response(b"hello")) as origin:
        async with HttpClient(at(origin)) as client, client.request() as answer:
            assert (answer.status, await answer.read()) == (200, b"hello")
        async with HttpClient(at(origin), method="PUT", path="/a?b") as client:
            await client.request()
            await client.request("post", "/c", params={"d": "e"}, data=b"body")
        assert lines_of(origin) == ["GET / HTTP/1.1", "PUT /a?b HTTP/1.1", "POST /c?d=e HTTP/1.1"]
        assert origin.request.endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("//evil.example/", "//evil.example/"),
        ("@evil.example/", "/@evil.example/"),
        ("http://evil.example/", "/http://evil.example/"),
        ("path", "/path"),
        ("?query", "/?query"),
    ],
)
async def test_path_names_no_other_host(path: str, target: str) -> None:
    """Whatever a path looks like, it is asked for at one of the hosts."""
    async with Origin(response()) as origin, HttpClient(at(origin)) as client:
        await client.request("GET", path)
        assert lines_of(origin) == [f"GET {target} HTTP/1.1"]


async def test_request_in_the_dialect_of_2014(refused: str) -> None:
    """``yield from`` works in a generator that is marked ``types.coroutine``."""

    @coroutine
    def fetch(client: HttpClient) -> Any:
        answer = yield from client.request("GET", "/")
        return (yield from answer.read_and_close().__await__())

    async with Origin(response(b"hello")) as origin:
        assert await fetch(HttpClient([refused, at(origin)])) == b"hello"


async def test_load_is_spread() -> None:
    """Of six requests at once each of three hosts gets two."""
    go_on = asyncio.Event()

    async def answer() -> bytes:
        await go_on.wait()
        return response()

    def wait(_: bytes) -> Answer:
        return answer()

    async with Origin(wait) as one, Origin(wait) as two, Origin(wait) as three:
        origins = [one, two, three]
        async with HttpClient(map(at, origins)) as client, asyncio.TaskGroup() as tasks:
            for _ in range(6):
                tasks.create_task(client.request())
            while sum(len(origin.requests) for origin in origins) < 6:
                await asyncio.sleep(0)
            assert [len(origin.requests) for origin in origins] == [2, 2, 2]
            go_on.set()


async def test_unread_response_counts_as_load() -> None:
    """Until its body has come, or it is let go of, a response keeps its host busy."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    async with (
        Origin(head) as one,
        Origin(head) as two,
        HttpClient([at(one), at(two)], session=True) as client,
    ):
        responses = [await client.request(), await client.request()]
        assert (len(one.requests), len(two.requests)) == (1, 1)
        assert repr(client).count("1 in flight") == 2
        responses[0].close()
        assert repr(client).count("1 in flight") == 1
        responses[1].close()
        assert repr(client).count("0 in flight") == 2


async def test_request_is_repeated_on_another_host(
    refused: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Who can't connect to one host asks another one; one line of the log says so."""
    async with Origin(response(b"hello")) as origin:
        async with HttpClient([refused, at(origin)], method="POST", session=True) as client:
            for _ in range(20):
                async with client.request(data=pieces()) as answer:
                    assert await answer.read() == b"hello"
            assert repr(client) == f"<HttpClient {refused} set aside, {at(origin)} 0 in flight>"
        assert len(origin.requests) == 20
    (message,) = caplog.messages
    assert message.startswith(f"host {refused} is set aside: cannot connect to {refused}: ")


async def test_concurrent_failures_lose_no_host(
    refused: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Many requests that fail at one host at the same time set it aside once."""
    async with Origin(response()) as origin, HttpClient([refused, at(origin)]) as client:
        answers = await asyncio.gather(*(client.request() for _ in range(30)))
        assert [answer.status for answer in answers] == [200] * 30
        assert repr(client) == f"<HttpClient {refused} set aside, {at(origin)} 0 in flight>"
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_idempotent_request_is_repeated(method: str) -> None:
    """A request that was sent, but not answered, is repeated where twice means once."""
    async with Origin(closes) as one, Origin(response()) as two:
        async with HttpClient([at(one), at(two)], path="/p") as client:
            await asyncio.gather(client.request(method), client.request(method))
        assert lines_of(one) == [f"{method} /p HTTP/1.1"]
        assert lines_of(two) == [f"{method} /p HTTP/1.1"] * 2


async def test_post_is_not_repeated_once_it_is_sent() -> None:
    """A host that got the whole POST may have acted upon it: nobody else gets it."""
    async with Origin(closes) as one, Origin(closes) as two:
        async with HttpClient([at(one), at(two)]) as client:
            with pytest.raises(ServerDisconnectedError):
                await client.request("POST", data=b"body")
            assert repr(client).count("set aside") == 1
        assert len(one.requests) + len(two.requests) == 1


async def test_post_that_may_be_replayed_is_repeated() -> None:
    """Whoever knows that twice does no harm says so."""
    async with (
        Origin(closes) as one,
        Origin(closes) as two,
        HttpClient([at(one), at(two)]) as client,
    ):
        with pytest.raises(AllHostsFailed):
            await client.request("POST", data=b"body", replayable=True)
        assert (len(one.requests), len(two.requests)) == (1, 1)


async def test_tracked_upload_is_not_repeated() -> None:
    """An ``UploadTracker`` follows one request; for the next host there would be none."""
    async with (
        Origin(closes) as one,
        Origin(closes) as two,
        HttpClient([at(one), at(two)]) as client,
    ):
        tracker = UploadTracker()
        with pytest.raises(ServerDisconnectedError):
            await client.request("PUT", data=b"body", upload_tracker=tracker)
        assert len(one.requests) + len(two.requests) == 1


async def test_stream_is_not_sent_twice() -> None:
    """A body that can't be replayed is sent once, even if the method is idempotent."""
    async with Origin(closes) as one, Origin(closes) as two:
        async with HttpClient([at(one), at(two)]) as client:
            with pytest.raises(ServerDisconnectedError):
                await client.request("PUT", data=pieces())
        assert len(one.requests) + len(two.requests) == 1


async def test_file_is_sent_again_from_where_it_stood(tmp_path: Path) -> None:
    """What the first host has read of a file doesn't miss at the second one."""
    path = tmp_path / "file"
    path.write_bytes(b"head, body")
    async with (
        Origin(closes) as one,
        Origin(closes) as two,
        HttpClient([at(one), at(two)], method="PUT") as client,
    ):
        with path.open("rb") as file:
            file.seek(len(b"head, "))
            with pytest.raises(AllHostsFailed):
                await client.request(data=file)
        for origin in (one, two):
            body = origin.request.partition(b"\r\n\r\n")[2]
            assert b"body" in body
            assert b"head" not in body


@pytest.mark.parametrize("option", ["data", "files"])
async def test_form_is_sent_again_whole(option: Literal["data", "files"]) -> None:
    """Files in a form are no different."""
    options: RequestOptions = {}
    options[option] = {"file": io.BytesIO(b"content")}
    async with (
        Origin(closes) as one,
        Origin(closes) as two,
        HttpClient([at(one), at(two)], method="PUT") as client,
    ):
        with pytest.raises(AllHostsFailed):
            await client.request(**options)
        bodies = [origin.request.partition(b"\r\n\r\n")[2] for origin in (one, two)]
        assert bodies[0] == bodies[1]
        assert b"\r\n\r\ncontent\r\n--" in bodies[0]


async def test_options_that_can_be_read_once_are_kept() -> None:
    """A second host gets the same fields as the first one."""
    async with (
        Origin(closes) as one,
        Origin(closes) as two,
        HttpClient([at(one), at(two)]) as client,
    ):
        with pytest.raises(AllHostsFailed):
            await client.request(headers=(field for field in [("X-Field", "value")]))
        for origin in (one, two):
            assert b"\r\nX-Field: value\r\n" in origin.request


async def test_silent_host_is_given_up() -> None:
    """The time limit is for each host, so that another one has time to answer."""
    async with (
        Origin(no_answer) as one,
        Origin(response()) as two,
        HttpClient([at(one), at(two)], timeout=0.05) as client,
    ):
        await asyncio.gather(client.request(), client.request())
        assert repr(client).count("set aside") == 1


async def test_time_limit_of_one_request() -> None:
    """What a request says wins over the client; None says nothing."""
    async with Origin(no_answer) as origin, HttpClient(at(origin), timeout=0.05) as client:
        for given, seconds in [(None, 0.05), (0.1, 0.1)]:
            with pytest.raises(AllHostsFailed) as caught:
                await client.request(timeout=given)
            (cause,) = caught.value.failures.values()
            assert cause.limit == f"ClientTimeout.total={seconds} s"


async def test_host_that_does_not_connect_in_time() -> None:
    """``conn_timeout`` is for each host, too: here one that never answers to TLS."""
    async with Origin(no_answer) as origin:
        client = HttpClient(at(origin), ssl=True, conn_timeout=0.05)
        with pytest.raises(AllHostsFailed) as caught:
            await client.request()
        (cause,) = caught.value.failures.values()
        assert isinstance(cause, ConnectionTimeoutError)


async def test_all_hosts_fail(refused: str) -> None:
    """One error lists each host with its cause, in the order in which they were tried."""
    async with Origin(closes) as origin, HttpClient([refused, at(origin)], path="/p") as client:
        with pytest.raises(AllHostsFailed) as caught:
            await client.request()
        error = caught.value
        assert {*error.failures} == {refused, at(origin)}
        assert isinstance(error.failures[refused], ClientConnectorError)
        assert isinstance(error.failures[at(origin)], ServerDisconnectedError)
        assert isinstance(error, ClientConnectionError)
        assert (error.method, error.attempt, error.may_be_repeated) == ("GET", 2, True)
        assert str(error.url) == f"http://{[*error.failures][-1]}/p"
        assert 0 < error.elapsed < 5
        causes = "; ".join(f"{host}: {cause}" for host, cause in error.failures.items())
        assert str(error) == f"no host could answer: {causes}"
        assert f"{refused}: cannot connect to {refused}: " in causes


async def test_last_resort(caplog: pytest.LogCaptureFixture) -> None:
    """When all hosts are set aside, each request tries one: that which failed longest ago."""
    async with Origin(closes) as one, Origin(closes) as two:
        async with HttpClient([at(one), at(two)]) as client:
            for _ in range(4):
                with pytest.raises(AllHostsFailed) as caught:
                    await client.request()
                assert {*caught.value.failures} == {at(one), at(two)}
        # Two tries for the first error, one for each of the others, in turns.
        assert sorted([len(one.requests), len(two.requests)]) == [2, 3]
    assert len(caplog.messages) == 2


async def test_host_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    """A host that answers again is in service again."""
    caplog.set_level(logging.INFO, "aiohttp.client")
    answers = iter([None, None, response(), response()])
    async with Origin(lambda _: next(answers)) as origin:
        async with HttpClient(at(origin), failed_timeout=0.0) as client:
            for _ in range(2):
                with pytest.raises(AllHostsFailed):
                    await client.request()
            await client.request()
            await client.request()
        assert caplog.messages[1:] == [f"host {at(origin)} is back"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(response(b"too large"), ClientPayloadError, id="body"),
        pytest.param(
            response(b"", "Location: file:///", status="302 Found"),
            NonHttpUrlRedirectClientError,
            id="redirect",
        ),
    ],
)
async def test_answer_that_is_refused_is_an_answer(answer: bytes, error: type[Exception]) -> None:
    """A host is back in service, even if what it answers is of no use to this request."""
    answers = iter([None, answer])
    async with (
        Origin(lambda _: next(answers)) as origin,
        HttpClient(at(origin), failed_timeout=0.0) as client,
    ):
        with pytest.raises(AllHostsFailed):
            await client.request()
        with pytest.raises(error):
            await client.request(max_body=5)
        assert "set aside" not in repr(client)


async def test_error_of_status_is_an_answer() -> None:
    """A host that answers with 500 works, as far as this client can know."""
    async with (
        Origin(response(status="500 Oh")) as one,
        Origin(response(status="500 Oh")) as two,
        HttpClient([at(one), at(two)]) as client,
    ):
        assert (await client.request()).status == 500
        with pytest.raises(ClientResponseError):
            await client.request(raise_for_status=True)
        assert "set aside" not in repr(client)


async def test_malformed_answer_is_a_failure() -> None:
    """Whoever doesn't speak HTTP is set aside; but the request had reached somebody."""
    async with Origin(b"SSH-2.0\r\n\r\n") as origin, HttpClient(at(origin)) as client:
        with pytest.raises(MalformedResponseError):
            await client.request()
        assert repr(client) == f"<HttpClient {at(origin)} set aside>"


async def test_redirect_that_leads_nowhere_is_not_the_hosts_fault(refused: str) -> None:
    """A host that redirected has answered."""
    away = response(b"", f"Location: http://{refused}/", status="302 Found")
    async with Origin(away) as one, Origin(away) as two:
        async with HttpClient([at(one), at(two)]) as client:
            with pytest.raises(ClientConnectorError):
                await client.request()
            assert "set aside" not in repr(client)
        assert len(one.requests) + len(two.requests) == 1


async def test_post_that_was_redirected_is_not_repeated() -> None:
    """What 303 leads to is a GET, which may be repeated; but not the POST before it."""

    def answer(request: bytes) -> Answer:
        is_post = request.startswith(b"POST")
        return response(b"", "Location: /done", status="303 See Other") if is_post else None

    async with Origin(answer) as one, Origin(answer) as two:
        async with HttpClient([at(one), at(two)]) as client:
            with pytest.raises(ServerDisconnectedError):
                await client.request("POST", data=b"body")
        asked = lines_of(one) + lines_of(two)
        assert asked == ["POST / HTTP/1.1", "GET /done HTTP/1.1"]


async def test_full_pool_is_not_the_hosts_fault() -> None:
    """Who has no connection to spare learns nothing about a host."""
    async with Origin(no_answer) as origin, Session(connector=TCPConnector(limit=1)) as session:
        client = HttpClient(at(origin), session=session, timeout=ClientTimeout(pool=0.01))
        hanging = asyncio.create_task(client.request())
        while not origin.requests:
            await asyncio.sleep(0)
        with pytest.raises(ConnectionTimeoutError):
            await client.request()
        assert repr(client) == f"<HttpClient {at(origin)} 1 in flight>"
        hanging.cancel()


async def test_mistake_of_the_program_is_not_the_hosts_fault() -> None:
    """What can't be put on the wire is sent nowhere."""
    async with Origin(response()) as origin, HttpClient(at(origin)) as client:
        with pytest.raises(ValueError, match="value of field 'X'"):
            await client.request(headers={"X": "a\r\nb"})
        assert repr(client) == f"<HttpClient {at(origin)} 0 in flight>"


async def test_cancelled_request_says_nothing() -> None:
    """A request that is given up is in flight no more, and its host in service."""
    async with Origin(no_answer) as origin, HttpClient(at(origin)) as client:
        task = asyncio.create_task(client.request())
        while not origin.requests:
            await asyncio.sleep(0)
        assert repr(client) == f"<HttpClient {at(origin)} 1 in flight>"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert repr(client) == f"<HttpClient {at(origin)} 0 in flight>"


async def test_failure_keeps_nothing_alive() -> None:
    """What a host failed at is remembered, but not the request."""

    class Body:
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"body"

    async with Origin(closes) as origin, HttpClient(at(origin)) as client:
        body = Body()
        seen = weakref.ref(body)
        with pytest.raises(ServerDisconnectedError):
            await client.request("POST", data=body)
        del body
        await asyncio.sleep(0)  # the loop holds what woke us up
        gc.collect()
        assert seen() is None
        assert repr(client) == f"<HttpClient {at(origin)} set aside>"


async def test_unknown_host() -> None:
    """A name without an address is a failure of that host."""
    async with HttpClient("unknown.invalid") as client:
        with pytest.raises(AllHostsFailed, match=r"cannot resolve unknown\.invalid") as caught:
            await client.request()
        assert isinstance(caught.value.failures["unknown.invalid:80"], ClientConnectorDNSError)
        assert repr(client) == "<HttpClient unknown.invalid:80 set aside>"


class Book(AbstractResolver):
    """Knows the addresses of one host, and how often it was asked for them."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=6, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        pass


async def test_addresses_are_kept_until_the_host_fails() -> None:
    """A host that fails, in whatever way, is perhaps somewhere else by now."""
    answers = iter([response(), response(), None, response()])
    book = Book("127.0.0.1")
    connector = TCPConnector(resolver=book, force_close=True)
    async with Origin(lambda _: next(answers)) as origin, Session(connector=connector) as session:
        client = HttpClient(f"server.example:{origin.port}", session=session)
        await client.request()
        await client.request()
        assert book.asked == 1
        with pytest.raises(ServerDisconnectedError):
            await client.request("POST")
        await client.request()
        assert book.asked == 2


async def test_all_addresses_of_a_host_are_tried() -> None:
    """A host of which one address is dead works."""
    connector = TCPConnector(resolver=Book("127.0.0.2", "127.0.0.1"))
    async with Origin(response()) as origin, Session(connector=connector) as session:
        client = HttpClient(f"server.example:{origin.port}", session=session)
        await client.request()
        assert "set aside" not in repr(client)


@pytest.mark.parametrize("resolve", [True, False])
def test_resolve(resolve: bool) -> None:
    """``resolve=False``: addresses are looked up for each connection."""
    connector = HttpClient("server.example", resolve=resolve)._own_connector
    assert connector is not None
    assert connector.dns_cache is resolve


# TLS.


@pytest.fixture(scope="module")
def server_context() -> ssl.SSLContext:
    """TLS for a server that calls itself localhost, and vouches for itself."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.mark.parametrize("session", [True, False])
async def test_tls_with_a_context(server_context: ssl.SSLContext, session: bool) -> None:
    """A context says whom to trust, for each host."""
    context = ssl.create_default_context(cafile=CERTIFICATE)
    async with Origin(response(b"hello"), tls=server_context) as origin:
        hosts = f"localhost:{origin.port}"
        async with HttpClient(hosts, ssl=context, session=session) as client:
            answer = await client.request()
            assert await answer.read() == b"hello"
            assert answer.url.scheme == "https"


async def test_tls_that_can_not_be_agreed_is_a_failure(server_context: ssl.SSLContext) -> None:
    """A host whose certificate isn't trusted is as good as none."""
    async with Origin(response(), tls=server_context) as origin:
        client = HttpClient(f"localhost:{origin.port}", ssl=True)
        with pytest.raises(AllHostsFailed, match="certificate") as caught:
            await client.request()
        (cause,) = caught.value.failures.values()
        assert isinstance(cause, ClientConnectorCertificateError)


# Sessions.


async def test_without_session_each_request_has_a_connection() -> None:
    """As with ``request()``."""
    async with Origin(response()) as origin, HttpClient(at(origin)) as client:
        for _ in range(3):
            await client.request()
        assert origin.connections == 3


async def test_with_session_connections_are_kept() -> None:
    """``session=True``: one connection serves all."""
    async with Origin(response()) as origin, HttpClient(at(origin), session=True) as client:
        for _ in range(3):
            await client.request()
        assert origin.connections == 1


@pytest.mark.parametrize("session", [True, False])
async def test_cookies_belong_to_a_session(session: bool) -> None:
    """Without a session each request is the first one."""
    async with (
        Origin(response(b"", "Set-Cookie: name=value")) as origin,
        HttpClient(at(origin), session=session) as client,
    ):
        await client.request()
        await client.request()
        assert (b"\r\nCookie: name=value\r\n" in origin.request) is session


async def test_given_session_is_not_closed() -> None:
    """Whoever opens closes: the client closes only a session of its own."""
    async with Origin(response()) as origin, Session() as session:
        async with HttpClient(at(origin), session=session) as client:
            await client.request()
        assert not session.closed
        await session.get(origin.url)
        assert origin.connections == 1


@pytest.mark.parametrize("session", [True, False])
async def test_close(session: bool) -> None:
    """Closing cuts what is under way, blames no host, and is final; twice is fine."""
    async with Origin(no_answer) as origin:
        client = HttpClient(at(origin), session=session)
        task = asyncio.create_task(client.request())
        while not origin.requests:
            await asyncio.sleep(0)
        await client.close()
        client.close()
        assert client.closed
        with pytest.raises(ClientConnectionError, match="closed on this side"):
            await task
        with pytest.raises(RuntimeError, match="the client is closed"):
            await client.request()
        assert repr(client) == "<HttpClient closed>"


async def test_response_outlives_a_client_without_session() -> None:
    """As with ``request()``: whoever holds the response need not hold the client."""
    async with Origin(response(bytes(1_000_000))) as origin:
        answer = await HttpClient(at(origin)).request()
        gc.collect()
        assert len(await answer.read()) == 1_000_000


async def test_idle_connections_of_a_failed_host_are_closed() -> None:
    """After a failure the next try has a new connection."""

    def answer(request: bytes) -> Answer:
        return no_answer(request) if b" /hang " in request else response()

    async with Origin(answer) as origin, HttpClient(at(origin), session=True) as client:
        hanging = asyncio.create_task(client.request("POST", "/hang", timeout=0.05))
        while not origin.requests:
            await asyncio.sleep(0)
        await client.request()
        with pytest.raises(ServerTimeoutError):
            await hanging
        await client.request()
        assert origin.connections == 3
