"""Whom real proxies speak for: HAProxy and nginx, by fields and by the PROXY protocol."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from aiohttp.protocol import Exchange, Listener, TrustedProxies
from haproxy import haproxy
from nginx import nginx

CERTIFICATE = Path(__file__).parents[1] / "packages/aiohttp-protocol/tests/localhost.pem"
LOOPBACK = TrustedProxies(["127.0.0.0/8"])


class Names:
    """Tells each client what is known of it."""

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer with address, scheme and host."""
        text = f"{exchange.peername[0]} {exchange.peername[1]} {exchange.scheme} {exchange.host}"
        await exchange.respond(200, [("Connection", "close")], text.encode())


async def asked(
    port: int, *fields: str, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1"
) -> tuple[str, int]:
    """Return what the server knows of us, and the port that we had."""
    name = None if tls is None else "localhost"
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=tls, server_hostname=name, local_addr=(address, 0)
    )
    own: int = writer.get_extra_info("sockname")[1]
    lines = "".join(f"{field}\r\n" for field in (*fields, "Connection: close"))
    writer.write(f"GET / HTTP/1.1\r\nHost: inside.example\r\n{lines}\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n\r\n")[2].decode(), own


@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2"])
async def test_haproxy_tells_its_clients_address(version: str, tmp_path: Path) -> None:
    """By both versions of its protocol; the server's other clients need not speak it."""
    async with Listener(Names(), proxy_protocol=LOOPBACK) as listener:
        ((_, port),) = await listener.listen_tcp("127.0.0.1", 0)
        with haproxy(tmp_path, port, server=version) as front:
            told, own = await asked(front)
    assert told == f"127.0.0.1 {own} http None"


async def test_haproxy_tells_that_its_client_came_over_tls(tmp_path: Path) -> None:
    """TLS ends at the proxy, and the scheme is https all the same."""
    async with Listener(Names(), proxy_protocol=LOOPBACK) as listener:
        ((_, port),) = await listener.listen_tcp("127.0.0.1", 0)
        bind = f"ssl crt {CERTIFICATE}"
        with haproxy(tmp_path, port, bind=bind, server="send-proxy-v2-ssl-cn") as front:
            told, own = await asked(front, tls=ssl.create_default_context(cafile=CERTIFICATE))
    assert told == f"127.0.0.1 {own} https None"


async def test_haproxy_checks_a_server_that_expects_its_protocol(tmp_path: Path) -> None:
    """Its health checks speak for itself, or say nothing, and the server goes on."""
    async with Listener(Names(), proxy_protocol=LOOPBACK) as listener:
        ((_, port),) = await listener.listen_tcp("127.0.0.1", 0)
        check = "send-proxy-v2 check check-send-proxy inter 20ms"
        with haproxy(tmp_path, port, server=check) as front:
            told, own = await asked(front)
            while listener.books.connections < 4:
                await asyncio.sleep(0.02)
            again, another = await asked(front)
        assert listener.books.limits_hit["proxy_protocol"] == 0
    assert (told, again) == (f"127.0.0.1 {own} http None", f"127.0.0.1 {another} http None")


SCHEME = "http-request set-header X-Forwarded-Proto http"
LIES = ("X-Forwarded-For: 192.0.2.66", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example")


async def test_client_cannot_lie_through_haproxy(tmp_path: Path) -> None:
    """What it says of itself stays left of what HAProxy says, or is replaced by that."""
    trusted = TrustedProxies(["127.0.0.1"])
    options = "option forwardfor"
    async with Listener(Names(), trusted_proxies=trusted) as listener:
        ((_, port),) = await listener.listen_tcp("127.0.0.1", 0)
        with haproxy(tmp_path, port, mode="http", options=options, front=SCHEME) as front:
            told, _ = await asked(front, *LIES, address="127.0.0.2")
    assert told == "127.0.0.2 0 http None"


async def test_nginx_tells_its_clients_scheme_and_host(tmp_path: Path) -> None:
    """By fields that it writes itself into every request."""
    fields = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"]
    trusted = TrustedProxies(["127.0.0.1"], fields=fields)
    async with Listener(Names(), trusted_proxies=trusted) as listener:
        ((_, port),) = await listener.listen_tcp("127.0.0.1", 0)
        location = f"""
            ssl_certificate {CERTIFICATE}; ssl_certificate_key {CERTIFICATE};
            location / {{
                proxy_pass http://127.0.0.1:{port};
                proxy_set_header X-Forwarded-For $remote_addr;
                proxy_set_header X-Forwarded-Proto $scheme;
                proxy_set_header X-Forwarded-Host $http_host;
            }}"""
        with nginx(tmp_path, {"front": location}) as ports:
            tls = ssl.create_default_context(cafile=CERTIFICATE)
            told, _ = await asked(ports["front"], *LIES, tls=tls)
    assert told == "127.0.0.1 0 https inside.example"
