"""Resolvers: the system's, and aiodns."""

from __future__ import annotations

import asyncio
import socket
import sys
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest

from aiohttp.client import resolver
from aiohttp.client.resolver import AsyncResolver, DefaultResolver, ThreadedResolver
from aiohttp.protocol.abc import AbstractResolver


class DNSError(Exception):
    """As ``aiodns.error.DNSError``: a number of c-ares, and a text."""


class DNSResolver:
    """What ``AsyncResolver`` asks of ``aiodns.DNSResolver``, without a network."""

    made: list[DNSResolver]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.arguments = args, kwargs
        self.asked: list[tuple[Any, ...]] = []
        self.is_cancelled = False
        self.made.append(self)

    async def getaddrinfo(self, host: str, *, family: int, port: int, type: int) -> Any:
        """Answer as c-ares does: numbers as bytes."""
        self.asked.append((host, family, port, type))
        if host == "nobody.example":
            raise DNSError(4, "Domain name not found")
        if host == "silent.example":
            raise DNSError(12, "Timeout while contacting DNS servers")
        return SimpleNamespace(
            nodes=[
                SimpleNamespace(family=socket.AF_INET6, addr=(b"2001:db8::1", port, 0, 0)),
                SimpleNamespace(family=socket.AF_INET, addr=(b"192.0.2.1", port)),
            ]
        )

    def cancel(self) -> None:
        """Give up."""
        self.is_cancelled = True


@pytest.fixture
def aiodns(monkeypatch: pytest.MonkeyPatch) -> list[DNSResolver]:
    """Put our ``DNSResolver`` in the place of aiodns, installed or not."""
    DNSResolver.made = []
    module = SimpleNamespace(DNSResolver=DNSResolver, error=SimpleNamespace(DNSError=DNSError))
    monkeypatch.setitem(sys.modules, "aiodns", module)
    return DNSResolver.made


async def test_system_is_asked() -> None:
    """The system knows itself."""
    found = await ThreadedResolver().resolve("localhost", 80, socket.AF_INET)
    assert [(each["hostname"], each["host"], each["port"]) for each in found] == [
        ("localhost", "127.0.0.1", 80)
    ]
    assert found[0]["family"] == socket.AF_INET
    assert found[0]["flags"] == socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


async def test_link_local_address_keeps_its_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its zone a link-local address leads nowhere."""

    async def answer(host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", port, 0, 2))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answer)
    resolver = ThreadedResolver(loop=asyncio.get_running_loop())
    assert [each["host"] for each in await resolver.resolve("a.example", 80)] == ["fe80::1%2"]
    await resolver.close()
    resolver.stop()


async def test_what_is_no_name() -> None:
    """A label that no name can have is an OSError like any other."""
    with pytest.raises(OSError, match="not a name"):
        await ThreadedResolver().resolve("a" * 64 + ".example", 80)


async def test_aiodns_is_asked(aiodns: list[DNSResolver]) -> None:
    """Its arguments are handed on; its answer is told in our words."""
    asker: AbstractResolver = AsyncResolver(["192.0.2.53"], timeout=1)
    assert aiodns == []
    found = await asker.resolve("a.example", 443, socket.AF_UNSPEC)
    assert [(each["host"], each["family"], each["port"]) for each in found] == [
        ("2001:db8::1", socket.AF_INET6, 443),
        ("192.0.2.1", socket.AF_INET, 443),
    ]
    loop = asyncio.get_running_loop()
    assert aiodns[0].arguments == ((["192.0.2.53"],), {"timeout": 1, "loop": loop})
    assert aiodns[0].asked == [("a.example", socket.AF_UNSPEC, 443, socket.SOCK_STREAM)]


@pytest.mark.parametrize(
    ("host", "message", "errno"),
    [
        ("nobody.example", "Domain name not found", socket.EAI_NONAME),
        ("silent.example", "Timeout while contacting", socket.EAI_AGAIN),
    ],
)
@pytest.mark.usefixtures("aiodns")
async def test_errors_of_aiodns(host: str, message: str, errno: int) -> None:
    """They are those of ``getaddrinfo``: no such name, or ask again."""
    with pytest.raises(socket.gaierror, match=message) as caught:
        await AsyncResolver().resolve(host)
    assert caught.value.errno == errno


async def test_closing_aiodns(aiodns: list[DNSResolver]) -> None:
    """What is under way is given up; twice is fine, and so is without a question."""
    asker = AsyncResolver()
    await asker.close()
    await asker.resolve("a.example")
    await asker.close()
    await asker.close()
    assert [each.is_cancelled for each in aiodns] == [True]


def test_without_aiodns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "aiodns", None)
    with pytest.raises(ImportError, match=r"pip install aiohttp-client\[dns\]"):
        AsyncResolver()


def test_default_resolver() -> None:
    """It is the one that needs aiodns exactly where aiodns is installed."""
    is_installed = find_spec("aiodns") is not None
    assert DefaultResolver is (AsyncResolver if is_installed else ThreadedResolver)
    assert resolver.DefaultResolver is DefaultResolver
