"""Sites: where a server is found, by which name, and how it leaves."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from aiohttp.server.certificates import Certificates, server_context
from aiohttp.server.runner import AppRunner
from aiohttp.server.sites import NamedPipeSite, SockSite, TCPSite, UnixSite
from served import GET, Application, settle

PEM = Path(__file__).parents[2] / "aiohttp-protocol" / "tests" / "localhost.pem"


@pytest.fixture
async def runner() -> AsyncGenerator[AppRunner]:
    """A runner that is set up; its application answers "found"."""
    runner = AppRunner(
        Application(lambda exchange: exchange.respond(200, (), b"found")), lingering_time=0
    )
    await runner.setup()
    yield runner
    await runner.cleanup()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: that of a unix socket has 108 bytes at most."""
    with TemporaryDirectory() as name:
        yield Path(name)


async def is_found(address: Any, tls: ssl.SSLContext | None = None) -> bool:
    """Tell whether the application answers there."""
    if isinstance(address, str):
        reader, writer = await asyncio.open_unix_connection(address, ssl=tls)
    else:
        reader, writer = await asyncio.open_connection(address[0], address[1], ssl=tls)
    writer.write(GET)
    answer = await reader.readuntil(b"found")
    writer.transport.abort()
    await settle()
    return answer.startswith(b"HTTP/1.1 200 OK")


# TCP.


async def test_tcp_site_on_a_free_port(runner: AppRunner) -> None:
    """Its port and its name tell the one that was found."""
    site = TCPSite(runner, "127.0.0.1", 0)
    assert site.port == 0
    await site.start()
    ((host, port),) = runner.addresses
    assert (host, site.port) == ("127.0.0.1", port)
    assert site.name == f"http://127.0.0.1:{port}"
    assert repr(site) == f"<TCPSite http://127.0.0.1:{port}>"
    assert await is_found((host, port))


def test_usual_port_is_not_told() -> None:
    """As browsers do it; and an IPv6 address stands in brackets."""
    runner: Any = type("Runner", (), {"server": True})
    assert TCPSite(runner, "::1", 80).name == "http://[::1]"
    assert TCPSite(runner, "x", 443, ssl_context=server_context()).name == "https://x"
    assert TCPSite(runner).name == "http://0.0.0.0:8080"
    assert TCPSite(runner, ssl_context=server_context()).name == "https://0.0.0.0:8443"


async def test_port_in_use_is_told(runner: AppRunner) -> None:
    """The error says which, and the site is not started then."""
    await TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    site = TCPSite(runner, "127.0.0.1", port)
    with pytest.raises(OSError, match=f"can't listen on 127.0.0.1 port {port}: Address already in"):
        await site.start()
    assert site not in runner.sites


async def test_port_may_be_shared(runner: AppRunner) -> None:
    """With others who want that, too."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        await TCPSite(runner, "127.0.0.1", port, reuse_port=True).start()


async def test_address_is_reused_as_wanted(runner: AppRunner) -> None:
    """By default where that is safe, which it is here."""
    for reuse_address in (None, True, False):
        await TCPSite(runner, "127.0.0.1", 0, reuse_address=reuse_address).start()
    options = [
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) for sock in runner.listener.sockets
    ]
    assert [bool(option) for option in options] == [True, True, False]


async def test_tls_site(runner: AppRunner) -> None:
    """Certificates serve TLS, and are watched while the site is there."""
    certificates = Certificates(PEM)
    site = TCPSite(runner, "127.0.0.1", 0, ssl_context=certificates)
    await site.start()
    assert site.name == f"https://127.0.0.1:{site.port}"
    assert certificates.is_watched
    assert await is_found(runner.addresses[0], ssl.create_default_context(cafile=PEM))
    await site.stop()
    assert not certificates.is_watched


# Other places.


async def test_unix_site(runner: AppRunner, folder: Path) -> None:
    """Its name is spelled as in nginx; the file goes when the site does."""
    site = UnixSite(runner, folder / "s")
    await site.start()
    assert site.name == f"http://unix:{folder}/s:"
    assert await is_found(str(folder / "s"))
    await site.stop()
    assert not (folder / "s").exists()


async def test_sock_site(runner: AppRunner, folder: Path) -> None:
    """Any bound socket will do; it is closed in the end."""
    tcp = socket.create_server(("127.0.0.1", 0))
    address = tcp.getsockname()
    site = SockSite(runner, tcp)
    await site.start()
    assert site.name == f"http://127.0.0.1:{address[1]}"
    assert await is_found(address)
    await site.stop()
    assert tcp.fileno() == -1
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(folder / "s"))
    await SockSite(runner, unix).start()
    assert [each.name for each in runner.sites] == [f"http://unix:{folder}/s:"]
    assert await is_found(str(folder / "s"))


async def test_named_pipes_are_windows_own(runner: AppRunner) -> None:
    """Elsewhere there are none, and the error says what is missing."""
    if hasattr(asyncio.get_running_loop(), "start_serving_pipe"):
        site = NamedPipeSite(runner, rf"\\.\pipe\{os.getpid()}")
        await site.start()
        await site.stop()
    else:
        with pytest.raises(RuntimeError, match="named pipes need Windows' proactor event loop"):
            NamedPipeSite(runner, r"\\.\pipe\x")


# Life.


async def test_site_needs_a_runner_that_is_set_up() -> None:
    """The message says what to call."""
    runner = AppRunner(Application(lambda exchange: exchange.respond(200)))
    with pytest.raises(RuntimeError, match=r"call runner\.setup\(\) before making a site"):
        TCPSite(runner)


async def test_connections_outlive_their_site(runner: AppRunner) -> None:
    """A site that stops accepts no more; who is connected is still served."""
    site = TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = runner.addresses[0]
    reader, writer = await asyncio.open_connection(*address)
    writer.write(GET)
    await reader.readuntil(b"found")
    await site.stop()
    with pytest.raises(ConnectionRefusedError):
        await is_found(address)
    writer.write(GET)
    await reader.readuntil(b"found")
    writer.transport.abort()
    await settle()


async def test_shutdown_timeout_of_a_site(runner: AppRunner) -> None:
    """It is that of the runner: what is cut then doesn't ask where it came in."""
    TCPSite(runner)
    assert runner.shutdown_timeout == 25.0
    UnixSite(runner, "s", shutdown_timeout=3.0)
    assert runner.shutdown_timeout == 3.0
