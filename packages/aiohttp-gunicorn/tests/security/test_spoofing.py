"""Who a client says that it is: nobody believes it, in front of an application of any kind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from gunicorn.config import Config

from aiohttp.protocol import Listener
from aiohttp.worker.proxies import proxy_protocol_by
from attacked import KINDS, victim

PROXY = ("127.0.0.1", 50000)
STRANGER = ("203.0.113.9", 50000)
ADAPTED = ("wsgi", "asgi")
"""Kinds whose applications take ``-`` and ``_`` in a name for the same; native ones don't."""

every_kind = pytest.mark.parametrize("kind", KINDS)


def get(*lines: str, target: str = "/") -> bytes:
    """Return a request with these fields."""
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


LIES = (
    ["X-Forwarded-For: 192.0.2.66"],
    ["X-Forwarded-Proto: https"],
    ["X-Forwarded-Protocol: ssl"],
    ["X-Forwarded-Ssl: on"],
    ["Forwarded: for=192.0.2.66;proto=https"],
)


@every_kind
@pytest.mark.parametrize("lines", LIES, ids=lambda lines: lines[0])
async def test_stranger_is_not_believed(kind: str, lines: list[str]) -> None:
    """What a proxy would say of its client is nothing that a client may say of itself."""
    async with victim(kind) as attacked:
        await attacked.receive(get(*lines), peername=STRANGER)
        (call,) = attacked.calls
    assert (call.client, call.scheme) == (STRANGER[0], "http")


@every_kind
async def test_proxy_that_trusts_everybody_is_not_fooled(kind: str) -> None:
    """With ``forwarded_allow_ips = "*"`` only what the last proxy has added counts."""
    async with victim(kind, forwarded_allow_ips="*") as attacked:
        await attacked.receive(get("X-Forwarded-For: 192.0.2.66, 198.51.100.7"), peername=PROXY)
        (call,) = attacked.calls
    assert call.client == "198.51.100.7"


@every_kind
async def test_disagreeing_schemes_are_refused(kind: str) -> None:
    """One of them is the client's, which the proxy forgot to take away; nobody knows which."""
    async with victim(kind) as attacked:
        lines = ["X-Forwarded-Proto: http", "X-Forwarded-Ssl: on"]
        answer = await attacked.receive(get(*lines), peername=PROXY)
        assert attacked.calls == []
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("kind", ADAPTED)
@pytest.mark.parametrize("name", ["X_Forwarded_For", "Content_Type", "REMOTE_USER", "X-Real_IP"])
async def test_underscores_pass_for_no_hyphens(kind: str, name: str) -> None:
    """A proxy that takes X-Real-IP from its clients lets X_Real_IP through."""
    async with victim(kind) as attacked:
        await attacked.receive(get(f"{name}: 192.0.2.66"), peername=STRANGER)
        (call,) = attacked.calls
    assert "192.0.2.66" not in call.fields.values()


@pytest.mark.parametrize("kind", ADAPTED)
async def test_underscores_may_be_refused(kind: str) -> None:
    """As gunicorn's ``header_map`` has it."""
    async with victim(kind, header_map="refuse") as attacked:
        answer = await attacked.receive(get("X_It: 1"), peername=STRANGER)
        assert attacked.calls == []
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("kind", ADAPTED)
@pytest.mark.parametrize("peername", [PROXY, STRANGER])
async def test_only_a_proxy_says_who_has_logged_in(kind: str, peername: Any) -> None:
    """REMOTE_USER and such, which the user names in ``forwarder_headers``."""
    async with victim(kind, forwarder_headers="REMOTE_USER") as attacked:
        await attacked.receive(get("REMOTE_USER: admin"), peername=peername)
        (call,) = attacked.calls
    assert ("admin" in call.fields.values()) == (peername is PROXY)


async def test_proxy_field_configures_no_proxy() -> None:
    """CVE-2016-5385: as HTTP_PROXY it has redirected what programs asked others for."""
    async with victim("wsgi") as attacked:
        await attacked.receive(get("Proxy: evil.example:80"))
        (call,) = attacked.calls
    assert "evil.example:80" not in call.fields.values()


@every_kind
@pytest.mark.parametrize("host", ["x/public?", "x#", "x@evil.example", "x\\y", "[::1", "a b"])
async def test_host_that_is_no_host_reaches_nobody(kind: str, host: str) -> None:
    """CVE-2026-48710: frameworks build URLs of it, and decide by their path."""
    async with victim(kind) as attacked:
        answer = await attacked.receive(f"GET /admin HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert attacked.calls == []
    assert answer.startswith(b"HTTP/1.1 400 ")


PROXIED = b"PROXY TCP4 192.0.2.66 192.0.2.1 1 2\r\n" + get("Connection: close")


@every_kind
async def test_proxy_protocol_that_is_off_is_a_bad_request(kind: str) -> None:
    """Where ``proxy_protocol`` is off, which is a string in gunicorn, and so true."""
    async with victim(kind) as attacked:
        answer = await attacked.receive(PROXIED, peername=PROXY)
        assert attacked.calls == []
    assert answer.startswith(b"HTTP/1.1 400 ")


@every_kind
@pytest.mark.parametrize(("allowed", "status"), [("192.0.2.1", 400), ("127.0.0.1", 200)])
async def test_proxy_protocol_of_a_stranger_is_a_bad_request(
    kind: str, allowed: str, status: int
) -> None:
    """gunicorn 25.3 to 26.1: it was taken from peers that ``proxy_allow_ips`` doesn't name."""
    cfg = Config()
    cfg.set("proxy_protocol", "auto")
    cfg.set("proxy_allow_ips", allowed)
    async with victim(kind) as attacked:
        async with Listener(attacked.application, **proxy_protocol_by(cfg)) as listener:
            ((_, port),) = await listener.listen_tcp("127.0.0.1", 0)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(PROXIED)
            answer = await reader.read()
            writer.close()
        assert [call.client for call in attacked.calls] == ["192.0.2.66"] * (status == 200)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
