"""Rule 10: what is meant for one origin goes to no other one, whoever leads there."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from aiohttp.client import (
    InvalidUrlRedirectClientError,
    NonHttpUrlRedirectClientError,
    Session,
    request,
)
from origin import Origin, response

PEM = Path(__file__).parent.parent / "localhost.pem"

SECRETS: dict[str, dict[str, Any]] = {
    "GHSA-3x9g-8vmp-wqvf auth": {"auth": ("me", "secret")},
    "GHSA-3x9g-8vmp-wqvf header": {"headers": {"Authorization": "secret"}},
    "#13180 two of them": {"headers": [("AUTHORIZATION", "secret"), ("authorization", "secret")]},
    "CVE-2026-34518 cookies": {"headers": {"cookie": "a=secret"}},
    "CVE-2026-34518 proxy": {"headers": {"PROXY-Authorization": "secret"}},
    "CVE-2026-47265 cookies of the request": {"cookies": {"a": "secret"}},
    "CVE-2026-44431 all": {
        "headers": {"Authorization": "secret", "Cookie": "a=secret"},
        "cookies": {"b": "secret"},
    },
}
# "me:secret" in Basic.
TELLING = (b"secret", b"bWU6c2VjcmV0")


def leads_to(url: str, status: str = "302 Found") -> bytes:
    """Return a redirect."""
    return response(b"", f"Location: {url}/next", status=status)


def tells(origin: Origin) -> bool:
    """Whether the last request has a secret in it."""
    return any(secret in origin.request for secret in TELLING)


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
@pytest.mark.parametrize("options", SECRETS.values(), ids=SECRETS.keys())
async def test_secret_stays(options: dict[str, Any], status: str) -> None:
    """Another port is another origin, and gets nothing; the same one gets it again."""
    async with (
        Origin(response()) as other,
        Origin(leads_to(other.url, status)) as origin,
        Session() as session,
    ):
        await session.get(origin.url, **options)
        assert (tells(origin), tells(other)) == (True, False)
    answers = iter([leads_to("", status), response()])
    async with Origin(lambda _: next(answers)) as origin, Session() as session:
        await session.get(origin.url, **options)
        assert origin.request.startswith(b"GET /next ")
        assert tells(origin)


@pytest.mark.parametrize("where", ["url", "session", "headers"])
async def test_secret_of_a_session(where: str) -> None:
    """GHSA-3x9g-8vmp-wqvf: nor does it matter where the secret was said."""
    session = Session(
        auth=("me", "secret") if where == "session" else None,
        headers={"authorization": "secret", "cookie": "a=secret"} if where == "headers" else None,
    )
    async with Origin(response()) as other, Origin(leads_to(other.url)) as origin, session:
        await session.get(origin.url.replace("//", "//me:secret@" if where == "url" else "//"))
        assert (tells(origin), tells(other)) == (True, False)


async def test_secret_does_not_come_back() -> None:
    """CVE-2026-44431: who leads away and back gets nothing for it: the chain has lost it."""
    answers: list[bytes] = []
    async with Origin(lambda _: answers.pop()) as origin, Origin(leads_to(origin.url)) as other:
        answers += [response(), leads_to(other.url)]
        await (await request("GET", origin.url, auth=("me", "secret"))).read()
        assert len(origin.requests) == 2
        assert not tells(origin)


async def test_cookies_of_the_jar_go_by_its_own_rules() -> None:
    """CVE-2026-47265: those of the host, which has several ports (RFC 6265, section 8.5)."""
    async with Origin(response()) as other, Origin(leads_to(other.url)) as origin:
        async with Session() as session:
            session.cookie_jar.update_cookies({"jar": "1"}, origin.url)
            await session.get(origin.url.replace("127.0.0.1", "localhost"), cookies={"own": "1"})
        assert b"Cookie: jar=1\r\n" in other.request
        assert b"own=1" not in other.request


async def test_without_tls() -> None:
    """https that leads to http is another origin, loses Referer, and can be refused."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(PEM)
    client = ssl.create_default_context(cafile=str(PEM))
    headers = {"Referer": "https://secret/", "Authorization": "secret"}
    async with Origin(response()) as plain, Origin(leads_to(plain.url), tls=server) as origin:
        async with Session() as session:
            await session.get(origin.url, ssl=client, headers=headers)
        assert (tells(origin), tells(plain)) == (True, False)
        async with Session(allow_insecure_redirects=False) as session:
            with pytest.raises(InvalidUrlRedirectClientError, match="from https to http"):
                await session.get(origin.url, ssl=client)
        assert len(plain.requests) == 1


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://a/", "javascript:alert(1)", "data:,a", "gopher://a", "ws://a"],
)
async def test_nowhere_but_http(location: str) -> None:
    """A server leads to no file, and to nothing else that isn't HTTP."""
    redirect = response(b"", f"Location: {location}", status="302 Found")
    async with Origin(redirect) as origin, Session() as session:
        with pytest.raises(NonHttpUrlRedirectClientError, match="neither http nor https"):
            await session.get(origin.url)


@pytest.mark.parametrize("location", ["http://[::1", "http://a:x/", "http://a\\@b/", "//a\\b"])
async def test_malformed_location(location: str) -> None:
    """CVE-2022-33124: what is no URL is one of the client's errors, and none of yarl's."""
    redirect = response(b"", f"Location: {location}", status="302 Found")
    async with Origin(redirect) as origin, Session() as session:
        with pytest.raises(InvalidUrlRedirectClientError, match="redirects to it"):
            await session.get(origin.url)


async def test_location_injects_nothing() -> None:
    """CVE-2021-41945: percent-encoding stays as it is."""
    answers = iter([
        response(b"", "Location: /a%0d%0aEvil:%201?b%0aEvil:1", status="302 Found"), response(),
    ])  # fmt: skip
    async with Origin(lambda _: next(answers)) as origin, Session() as session:
        await session.get(origin.url)
        assert b"\nEvil" not in origin.request
        assert origin.request.lower().startswith(b"get /a%0d%0aevil")
