"""Heads as browsers and servers send them: 12 fields, and no two alike."""

from __future__ import annotations

import random

__all__ = ["request_heads", "response_heads"]

HOSTS = ("www.example.com", "shop.example.com", "api.example.org", "news.example.net:8443")
PLACES = ("articles", "products", "static/js", "static/css", "search", "users", "images", "api/v2")
LANGUAGES = ("en-US", "en-GB", "de-DE", "fr-FR", "pt-BR", "ja-JP", "es-MX", "pl-PL", "zh-CN")
SYSTEMS = (
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
    "Linux; Android 10; K",
)
CHROMIUM = "Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (%s; rv:%d.0) Gecko/20100101 Firefox/%d.0"
PLATFORMS = ('"Windows"', '"macOS"', '"Linux"', '"Android"')
PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
ACCEPTED = (PAGE, "*/*", "application/json, text/plain, */*", "image/avif,image/webp,*/*;q=0.8")
CONTENT_TYPES = ("text/html; charset=utf-8", "application/json", "text/css", "image/webp")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def request_heads(seed: int, count: int) -> list[bytes]:
    """Return ``count`` heads of GET requests, the same ones for the same seed.

    They differ as real ones do: target, referer, cookie and validators in almost
    every one; user agent, language and accepted types out of dozens.
    """
    chance = random.Random(seed)
    kinds = (_chromium, _firefox)
    return [_join(_request_line(chance), chance.choice(kinds)(chance)) for _ in range(count)]


def response_heads(seed: int, count: int) -> list[bytes]:
    """Return ``count`` heads of 200 responses, the same ones for the same seed."""
    chance = random.Random(seed)
    return [_join("HTTP/1.1 200 OK", _response_fields(chance)) for _ in range(count)]


def _join(start_line: str, fields: list[tuple[str, str]]) -> bytes:
    lines = [start_line, *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode("ascii")


def _request_line(chance: random.Random) -> str:
    return f"GET {_path(chance)} HTTP/1.1"


def _path(chance: random.Random) -> str:
    path = f"/{chance.choice(PLACES)}/{_hex(chance, 8)}"
    if chance.random() < 0.5:
        return path
    return f"{path}?page={chance.randrange(100)}&ref={_hex(chance, 6)}"


def _hex(chance: random.Random, digits: int) -> str:
    return f"{chance.getrandbits(4 * digits):0{digits}x}"


def _cookie(chance: random.Random) -> str:
    return (
        f"session={_hex(chance, 32)}; _ga=GA1.2.{chance.randrange(10**9)}.{chance.randrange(10**9)}"
        f"; theme={chance.choice(('dark', 'light'))}; csrftoken={_hex(chance, 24)}"
    )


def _language(chance: random.Random) -> str:
    first, second = chance.sample(LANGUAGES, 2)
    return f"{first},{first[:2]};q=0.9,{second};q=0.{chance.randrange(5, 9)}"


def _chromium(chance: random.Random) -> list[tuple[str, str]]:
    host = chance.choice(HOSTS)
    version = chance.randrange(118, 142)
    system = chance.randrange(len(SYSTEMS))
    return [
        ("Host", host),
        ("Connection", "keep-alive"),
        ("sec-ch-ua", f'"Chromium";v="{version}", "Not?A_Brand";v="{version % 92 + 8}"'),
        ("sec-ch-ua-platform", PLATFORMS[system]),
        ("User-Agent", CHROMIUM % (SYSTEMS[system], version)),
        ("Accept", chance.choice(ACCEPTED)),
        ("Sec-Fetch-Site", chance.choice(("same-origin", "none", "cross-site"))),
        ("Referer", f"https://{host}{_path(chance)}"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Accept-Language", _language(chance)),
        ("If-None-Match", f'"{_hex(chance, 16)}"'),
        ("Cookie", _cookie(chance)),
    ]


def _firefox(chance: random.Random) -> list[tuple[str, str]]:
    host = chance.choice(HOSTS)
    version = chance.randrange(115, 146)
    return [
        ("Host", host),
        ("User-Agent", FIREFOX % (chance.choice(SYSTEMS), version, version)),
        ("Accept", chance.choice(ACCEPTED)),
        ("Accept-Language", _language(chance)),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Referer", f"https://{host}{_path(chance)}"),
        ("Connection", "keep-alive"),
        ("Cookie", _cookie(chance)),
        ("Sec-Fetch-Dest", chance.choice(("document", "script", "image", "empty"))),
        ("Sec-Fetch-Mode", chance.choice(("navigate", "no-cors", "cors"))),
        ("If-Modified-Since", _date(chance)),
        ("Priority", f"u={chance.randrange(6)}"),
    ]


def _date(chance: random.Random) -> str:
    return (
        f"{chance.choice(WEEKDAYS)}, {chance.randrange(1, 29):02} {chance.choice(MONTHS)} 2025 "
        f"{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02} GMT"
    )


def _response_fields(chance: random.Random) -> list[tuple[str, str]]:
    return [
        ("Date", _date(chance)),
        ("Server", chance.choice(("nginx", "nginx/1.26.2", "cloudflare", "Apache"))),
        ("Content-Type", chance.choice(CONTENT_TYPES)),
        ("Content-Length", "0"),
        ("Connection", "keep-alive"),
        ("Cache-Control", f"public, max-age={chance.randrange(60, 86400)}"),
        ("ETag", f'"{_hex(chance, 16)}"'),
        ("Last-Modified", _date(chance)),
        ("Vary", "Accept-Encoding, Cookie"),
        ("Set-Cookie", f"session={_hex(chance, 32)}; Path=/; HttpOnly; SameSite=Lax"),
        ("Set-Cookie", f"seen={chance.randrange(10**9)}; Path=/; Max-Age=31536000"),
        ("X-Request-Id", _hex(chance, 32)),
    ]
