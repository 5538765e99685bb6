"""The worker behind real nginx and HAProxy: who asks, over what, and that no request is lost."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

import loaded
from gunicorn_process import Gunicorn
from haproxy import haproxy
from load import Load
from nginx import nginx

SOURCE = Path(loaded.__file__).read_text()
CERTIFICATE = Path(__file__).parents[1] / "packages/aiohttp-protocol/tests/localhost.pem"

UPSTREAM = """
    upstream gunicorn {{ server {served}; keepalive 16; }}
"""
LOCATION = """
    location / {
        proxy_pass http://gunicorn;
        proxy_http_version 1.1;
        proxy_next_upstream off;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
    }
"""
"""Nothing is tried twice: whatever goes wrong once is a 502."""

TLS = f"ssl_certificate {CERTIFICATE}; ssl_certificate_key {CERTIFICATE};"
LIES = ("X-Forwarded-For: 192.0.2.66", "X-Forwarded-Proto: https", "Forwarded: for=192.0.2.66")

every_kind = pytest.mark.parametrize("kind", loaded.KINDS)
every_socket = pytest.mark.parametrize("socket", ["tcp", "unix"])


@contextmanager
def served(
    folder: Path, kind: str, *options: str, socket: str = "tcp"
) -> Generator[tuple[Gunicorn, int | Path]]:
    """Run gunicorn with an application of ``loaded``; the block gets where it listens, too."""
    path = folder / "socket"
    bind = "127.0.0.1:0" if socket == "tcp" else f"unix:{path}"
    with Gunicorn(folder, f"{SOURCE}\n\napp = {kind}\n", *options, bind=bind) as gunicorn:
        yield gunicorn, gunicorn.address[1] if socket == "tcp" else path


@contextmanager
def behind_nginx(folder: Path, upstream: int | Path) -> Generator[dict[str, int]]:
    """Run nginx before gunicorn; the block gets the ports of ``plain`` and ``tls``."""
    place = f"127.0.0.1:{upstream}" if isinstance(upstream, int) else f"unix:{upstream}"
    servers = {"plain": LOCATION, "tls": TLS + LOCATION}
    with nginx(folder, servers, UPSTREAM.format(served=place)) as ports:
        yield ports


async def who(port: int, *fields: str, tls: bool = False, times: int = 1) -> tuple[list[str], int]:
    """Return what the application knows of us, asked so often, and the port that we had.

    Our address is 127.0.0.2, because 127.0.0.1 is trusted.
    """
    context = ssl.create_default_context(cafile=CERTIFICATE) if tls else None
    name = "localhost" if tls else None
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=name, local_addr=("127.0.0.2", 0)
    )
    own: int = writer.get_extra_info("sockname")[1]
    lines = "".join(f"{field}\r\n" for field in fields)
    told: list[str] = []
    for _ in range(times):
        writer.write(f"GET /who HTTP/1.1\r\nHost: inside.example\r\n{lines}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].split()[0])
        told.append((await reader.readexactly(length)).decode())
    writer.close()
    return told, own


# Who asks.


@every_kind
@every_socket
async def test_nginx_tells_address_and_scheme(kind: str, socket: str, tmp_path: Path) -> None:
    """By fields that nginx writes; what its client says of itself is not believed."""
    with (
        served(tmp_path, kind, socket=socket) as (_, upstream),
        behind_nginx(tmp_path, upstream) as ports,
    ):
        plain, _ = await who(ports["plain"], *LIES, times=2)
        tls, _ = await who(ports["tls"], *LIES, tls=True, times=2)
    assert plain == ["127.0.0.2 0 http inside.example"] * 2
    assert tls == ["127.0.0.2 0 https inside.example"] * 2


@every_kind
async def test_nobody_is_believed_who_is_not_named(kind: str, tmp_path: Path) -> None:
    """Where nginx isn't in ``forwarded_allow_ips``, it is the client."""
    with (
        served(tmp_path, kind, "--forwarded-allow-ips", "192.0.2.1") as (_, upstream),
        behind_nginx(tmp_path, upstream) as ports,
    ):
        (told,), _ = await who(ports["tls"], tls=True)
    address, port, *rest = told.split()
    assert (address, rest) == ("127.0.0.1", ["http", "inside.example"])
    assert int(port)


@every_kind
@pytest.mark.parametrize(
    ("server", "setting", "socket"),
    [
        ("send-proxy", "v1", "tcp"),
        ("send-proxy-v2", "v2", "unix"),
        ("send-proxy-v2", "auto", "tcp"),
    ],
)
async def test_haproxy_tells_address_of_every_request(
    kind: str, server: str, setting: str, socket: str, tmp_path: Path
) -> None:
    """By the PROXY protocol, for each request of a connection, not only for the first."""
    with (
        served(tmp_path, kind, "--proxy-protocol", setting, socket=socket) as (_, upstream),
        haproxy(tmp_path, upstream, server=server) as port,
    ):
        told, own = await who(port, times=3)
    assert told == [f"127.0.0.2 {own} http inside.example"] * 3


@every_kind
async def test_haproxy_tells_that_its_client_came_over_tls(kind: str, tmp_path: Path) -> None:
    """TLS ends at the proxy, and the scheme is https all the same."""
    with (
        served(tmp_path, kind, "--proxy-protocol", "v2") as (_, upstream),
        haproxy(
            tmp_path, upstream, bind=f"ssl crt {CERTIFICATE}", server="send-proxy-v2-ssl"
        ) as port,
    ):
        told, own = await who(port, tls=True, times=2)
    assert told == [f"127.0.0.2 {own} https inside.example"] * 2


@every_kind
async def test_haproxy_tells_address_by_fields(kind: str, tmp_path: Path) -> None:
    """Over connections that its clients share."""
    options = "option forwardfor\n    http-reuse always"
    front = "http-request set-header X-Forwarded-Proto http"
    with (
        served(tmp_path, kind) as (_, upstream),
        haproxy(tmp_path, upstream, mode="http", options=options, front=front) as port,
    ):
        told, _ = await who(port, *LIES, times=2)
    assert told == ["127.0.0.2 0 http inside.example"] * 2


# That nothing is lost.


CHANGING = ("--workers", "2", "--max-requests", "700", "--max-requests-jitter", "100")


async def pass_5000(gunicorn: Gunicorn, port: int) -> None:
    """Have 5,000 requests pass, while workers restart themselves and are replaced."""
    async with Load(("127.0.0.1", port)) as load:
        for _ in range(5):
            await load.more(1000)
            gunicorn.signal(signal.SIGHUP)
    assert not load.failures
    assert len(load.answers) >= 8


@pytest.mark.parametrize(("kind", "socket"), [("wsgi", "tcp"), ("asgi", "unix"), ("native", "tcp")])
async def test_nginx_passes_5000_requests(kind: str, socket: str, tmp_path: Path) -> None:
    """Over connections that are kept and used again; uploads, chunks and all."""
    options = (*CHANGING, "--asgi-loop", "asyncio")
    with (
        served(tmp_path, kind, *options, socket=socket) as (gunicorn, upstream),
        behind_nginx(tmp_path, upstream) as ports,
    ):
        await pass_5000(gunicorn, ports["plain"])
    assert "error" not in (tmp_path / "error.log").read_text()


@pytest.mark.parametrize(
    ("kind", "socket"), [("wsgi", "unix"), ("asgi", "tcp"), ("native", "unix")]
)
async def test_haproxy_passes_5000_requests(kind: str, socket: str, tmp_path: Path) -> None:
    """Over connections that are kept, and used again by whoever asks next."""
    options = (*CHANGING, "--asgi-loop", "uvloop")
    once = "http-reuse always\n    retries 0"
    with (
        served(tmp_path, kind, *options, socket=socket) as (gunicorn, upstream),
        haproxy(tmp_path, upstream, mode="http", options=once) as port,
    ):
        await pass_5000(gunicorn, port)


async def test_upstream_connections_are_used_again(tmp_path: Path) -> None:
    """So that the tests above show what they are meant to."""
    options = ["--forwarded-allow-ips", "192.0.2.1"]
    with served(tmp_path, "asgi", *options) as (_, upstream):
        with behind_nginx(tmp_path, upstream) as ports:
            by_nginx = [(await who(ports["plain"]))[0][0] for _ in range(20)]
        with haproxy(tmp_path, upstream, mode="http", options="http-reuse always") as port:
            by_haproxy = [(await who(port))[0][0] for _ in range(20)]
    assert len(set(by_nginx)) == len(set(by_haproxy)) == 1
