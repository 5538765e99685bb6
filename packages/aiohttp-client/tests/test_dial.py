"""One socket to one of several addresses, and what is said where none answers."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from aiohttp.client.dial import Dialer, Dialing, address_info

ONE_BY_ONE = Dialing(delay=None)


@pytest.fixture
def port() -> Iterator[int]:
    """A port of 127.0.0.2 that somebody listens on, and nobody on 127.0.0.1."""
    with socket.create_server(("127.0.0.2", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("host", "family", "address"),
    [
        ("192.0.2.1", socket.AF_INET, ("192.0.2.1", 80)),
        ("::1", socket.AF_INET6, ("::1", 80, 0, 0)),
        ("2001:db8::1", socket.AF_INET6, ("2001:db8::1", 80, 0, 0)),
        ("fe80::1%7", socket.AF_INET6, ("fe80::1", 80, 0, 7)),
    ],
)
def test_addresses(host: str, family: int, address: tuple[object, ...]) -> None:
    """An address is what ``inet_pton`` knows; a zone may follow."""
    stream, tcp = socket.SOCK_STREAM, socket.IPPROTO_TCP
    assert address_info(host, 80) == (family, stream, tcp, "", address)


def test_zone_by_name() -> None:
    """A zone is the name of an interface, too."""
    index, name = socket.if_nameindex()[0]
    found = address_info(f"fe80::1%{name}", 80)
    assert found is not None
    assert found[4][3] == index


@pytest.mark.parametrize(
    "host",
    ["a.example", "", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "::g",
     "fe80::1%no-such-interface", "server1", "1.2.3.4.5"],
)  # fmt: skip
def test_names(host: str) -> None:
    """What some systems take for an address is a name: a resolver may refuse it."""
    assert address_info(host, 80) is None


def infos(port: int, *hosts: str) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
    """Return addresses as ``getaddrinfo`` has them."""
    return [info for host in hosts if (info := address_info(host, port))]


@pytest.mark.parametrize("how", [ONE_BY_ONE, Dialing(), Dialing(interleave=2)])
async def test_next_address(port: int, how: Dialing) -> None:
    """The first address that answers wins; those that don't are left out from then on."""
    dialer = Dialer(infos(port, "127.0.0.1", "127.0.0.2"), how)
    with closing(await dialer.dial()) as sock:
        assert sock.getpeername() == ("127.0.0.2", port)
        assert not sock.getblocking()


async def test_struck_address_is_not_tried_again(port: int) -> None:
    """An address that answers, but is no good, gives way to the others."""
    dialer = Dialer(infos(port, "127.0.0.2", "127.0.0.1"), ONE_BY_ONE, "a.example")
    with closing(await dialer.dial()) as sock:
        dialer.strike(sock, OSError("it speaks no TLS"))
    assert dialer.left == infos(port, "127.0.0.1")
    with pytest.raises(OSError, match=r"\.2: it speaks no TLS; 127\.0\.0\.1: Connection refused"):
        await dialer.dial()
    assert dialer.left == []


@pytest.mark.parametrize("how", [ONE_BY_ONE, Dialing(delay=0.001)])
async def test_each_address_is_named(port: int, how: Dialing) -> None:
    """Where none answers, each is named with its own reason."""
    wrong = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("255.255.255.255", port))]
    dialer = Dialer([*infos(port, "127.0.0.1"), *wrong], how, "a.example")
    with pytest.raises(ConnectionRefusedError) as caught:
        await dialer.dial()
    first, second = str(caught.value.strerror).split("; ")
    assert first == "127.0.0.1: Connection refused"
    assert second in {
        "255.255.255.255: Network is unreachable",
        "255.255.255.255: Permission denied",
    }
    causes: Any = caught.value.__cause__
    assert len(causes.exceptions) == 2


async def test_address_of_the_host_is_not_repeated(port: int) -> None:
    """Who asked for an address knows which one it is."""
    dialer = Dialer(infos(port, "127.0.0.1"), Dialing(), "127.0.0.1")
    with pytest.raises(ConnectionRefusedError) as caught:
        await dialer.dial()
    assert (caught.value.errno, caught.value.strerror) == (
        errno.ECONNREFUSED,
        "Connection refused",
    )


async def test_local_address(port: int) -> None:
    """The socket is bound before it is connected."""
    local = infos(0, "127.0.0.3")
    dialer = Dialer(infos(port, "127.0.0.2"), Dialing(local=local))
    with closing(await dialer.dial()) as sock:
        assert sock.getsockname()[0] == "127.0.0.3"


async def test_local_address_that_is_not_ours(port: int) -> None:
    """The error is about binding, and says to what."""
    dialer = Dialer(infos(port, "127.0.0.2"), Dialing(local=infos(0, "192.0.2.1")))
    with pytest.raises(OSError, match=r"192\.0\.2\.1.*cannot assign") as caught:
        await dialer.dial()
    assert caught.value.errno == errno.EADDRNOTAVAIL


async def test_socket_factory(port: int) -> None:
    """It sees where a socket is to lead, and may refuse to make one."""
    seen: list[object] = []

    def make(info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        seen.append(info[4])
        if info[4][0] == "127.0.0.1":
            raise PermissionError(errno.EACCES, "not there")
        return socket.socket(info[0], info[1], info[2])

    how = Dialing(delay=None, socket_factory=make)
    dialer = Dialer(infos(port, "127.0.0.1", "127.0.0.2"), how)
    (await dialer.dial()).close()
    assert seen == [("127.0.0.1", port), ("127.0.0.2", port)]
    with pytest.raises(PermissionError, match="not there"):
        await Dialer(infos(port, "127.0.0.1"), how).dial()


async def test_socket_of_another_family(port: int) -> None:
    """The error says what is wrong: its number is negative, and none that ``strerror`` knows."""
    how = Dialing(socket_factory=lambda _: socket.socket(socket.AF_INET6))
    with pytest.raises(OSError, match="family") as caught:
        await Dialer(infos(port, "127.0.0.1"), how).dial()
    assert "Unknown error" not in str(caught.value)


async def test_cancelling_leaves_no_socket(port: int) -> None:
    """Whatever was opened is closed: a leaked socket would be a warning, which is an error."""
    task = asyncio.create_task(Dialer(infos(port, "127.0.0.2", "127.0.0.1"), Dialing()).dial())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# One address only.


async def test_only_address_is_connected_to(port: int) -> None:
    """A socket comes back connected, not blocking, and without Nagle's delay to come."""
    with closing(await Dialer(infos(port, "127.0.0.2"), Dialing()).dial()) as sock:
        assert sock.getpeername() == ("127.0.0.2", port)
        assert sock.gettimeout() == 0
        assert sock.proto == socket.IPPROTO_TCP


async def test_only_address_refuses(port: int) -> None:
    """The error is the system's, with its number, and nothing is left to try."""
    dialer = Dialer(infos(port, "127.0.0.1"), Dialing(), "127.0.0.1")
    with pytest.raises(OSError, match="Connection refused") as caught:
        await dialer.dial()
    assert caught.value.errno == errno.ECONNREFUSED
    assert dialer.left == []


async def test_only_address_that_takes_its_time() -> None:
    """Where the handshake isn't over at once the loop waits; cancelled, it leaves no socket."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with socket.create_connection(address):
            task = asyncio.create_task(Dialer(infos(address[1], "127.0.0.1"), Dialing()).dial())
            await asyncio.sleep(0.01)
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_socket_may_be_connected_twice() -> None:
    """Linux takes a second ``connect`` for a question, which the waiting for one leans on."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as sock:
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.connect(server.getsockname())
        await asyncio.get_running_loop().sock_connect(sock, server.getsockname())
        assert sock.getpeername() == server.getsockname()


# By the loop itself.


async def test_protocol_is_connected(port: int) -> None:
    """What has the loop connect ends at the same address."""
    dialer = Dialer(infos(port, "127.0.0.2"), Dialing())
    made = asyncio.get_running_loop().create_future()

    class Made(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.set_result(transport)

    await dialer.connect(Made())
    transport = await made
    assert transport.get_extra_info("peername") == ("127.0.0.2", port)
    transport.abort()
    await asyncio.sleep(0)


async def test_protocol_that_is_refused(port: int) -> None:
    """The error reads as that of ``dial``."""
    dialer = Dialer(infos(port, "127.0.0.1"), Dialing(), "127.0.0.1")
    with pytest.raises(OSError, match="Connection refused"):
        await dialer.connect(asyncio.Protocol())
    assert dialer.left == []


async def test_asyncio_dials() -> None:
    """asyncio's loops, several addresses, and sockets of one's own are for ``dial``."""
    assert not Dialer(infos(80, "127.0.0.1"), Dialing()).leaves_it_to_the_loop
