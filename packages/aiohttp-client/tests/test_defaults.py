"""Defaults: those that aiohttp 3 documents, but for the few of which the README has a table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from inspect import Parameter
from typing import Any

import pytest
from yarl import URL

import aiohttp
from aiohttp.client.connector import CLIENT_LIMITS
from aiohttp.client.reception import READ_LIMIT
from aiohttp.client.timeouts import DEFAULT_TIMEOUT
from aiohttp.protocol.http1 import client_exchange
from documented import NOT_GIVEN
from documented_client import CLIENT, parameters_of
from house import REPOSITORY
from origin import Origin, response

README = REPOSITORY / "packages" / "aiohttp-client" / "README.md"

MEANING = {
    "BaseConnector(keepalive_timeout=)": CLIENT_LIMITS.keep_alive,
    "ClientResponse.json(loads=)": json.loads,
    "ClientSession(json_serialize=)": json.dumps,
    "ClientSession(max_field_size=)": CLIENT_LIMITS.field_line,
    "ClientSession(max_headers=)": CLIENT_LIMITS.fields,
    "ClientSession(max_line_size=)": CLIENT_LIMITS.line,
    "ClientSession(read_bufsize=)": CLIENT_LIMITS.read_buffer,
    "request(version=)": aiohttp.HttpVersion11,
}
"""What None means where it is the default here, and something else is documented."""

TOLD_BY_TESTS = {
    "ClientSession(fallback_charset_resolver=)",  # test_text_is_utf_8
    "ClientSession.head(allow_redirects=)",  # test_head_follows_no_redirects
}
"""Defaults that no signature shows."""


def with_default() -> Iterator[tuple[str, object, object]]:
    """Yield each documented parameter that has a default: its name, that default, and ours."""
    for row in CLIENT.rows:
        ours = parameters_of(row.found) if row.parameters else {}
        for name, documented in (row.parameters or {}).items():
            if documented.default is not Parameter.empty:
                yield f"{row.path}({name}=)", documented.default, ours[name].default


@pytest.mark.parametrize(
    ("name", "there", "here"), [pytest.param(*each, id=each[0]) for each in with_default()]
)
def test_default_is_the_documented_one(name: str, there: object, here: object) -> None:
    """Leaving out a parameter means what aiohttp 3 says that it means."""
    if here is None:
        here = MEANING.get(name)
    # None, where it means nothing else, says "no", "none" or "as usual".
    is_silent = here is None and there in (None, False, [], NOT_GIVEN)
    assert name in TOLD_BY_TESTS or is_silent or here == there


async def test_text_is_utf_8() -> None:
    """Without a charset and without a resolver of one's own, text is UTF-8."""
    async with (
        Origin(response("ü".encode(), "Content-Type: text/plain")) as origin,
        aiohttp.request("GET", origin.url) as found,
    ):
        assert await found.text() == "ü"


async def test_head_follows_no_redirects() -> None:
    """``head`` asks for the redirect itself."""
    moved = response(b"", "Location: /", status="302 Found")
    async with (
        Origin(moved) as origin,
        aiohttp.ClientSession() as session,
        session.head(origin.url) as found,
    ):
        assert found.status == 302


def test_times_are_those_of_aiohttp_3() -> None:
    """300 seconds in all, 30 to connect; aiohttp 0.6.3 had no limits."""
    assert aiohttp.ClientTimeout(total=300, sock_connect=30) == DEFAULT_TIMEOUT
    assert aiohttp.ClientSession().timeout == DEFAULT_TIMEOUT


def here() -> dict[str, str]:
    """Return the defaults that are others here than in aiohttp 3, as they are."""
    address, jar = URL("http://127.0.0.1/"), aiohttp.CookieJar()
    jar.update_cookies({"name": "value"}, address)
    request: Any = aiohttp.ClientRequest("GET", URL("http://ü:ü@localhost/"))
    encodings = [
        encoding
        for encoding in ("latin-1", "utf-8")
        if aiohttp.encode_basic_auth("ü", "ü", encoding) == request.headers["Authorization"]
    ]
    return {
        "read()": f"{READ_LIMIT / 2**30:.0f} GiB",
        "ratio": str(CLIENT_LIMITS.ratio),
        "expect100=True": f"{client_exchange._EXPECT_TIME:g} s",
        "unsafe=False": "kept" if jar.filter_cookies(address) else "dropped",
        "login:password@": " ".join(encodings),
    }


def test_differing_defaults_are_those_that_the_readme_prints() -> None:
    """Each row of the README's table says what the code does."""
    text = README.read_text(encoding="utf-8")
    _, _, section = text.partition("\n## Where the defaults differ\n")
    lines = section.partition("\n## ")[0]
    table = re.findall(r"^\| [^|`]*`([^`]+)`[^|]*\| [^|]+ \| ([^|,]+)", lines, re.MULTILINE)
    assert {name: value.strip() for name, value in table} == here()
