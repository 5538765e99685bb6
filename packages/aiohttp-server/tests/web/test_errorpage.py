"""What a client sees of an error that nobody handled."""

from __future__ import annotations

import json
import logging
import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from aiohttp.server.testing import MemoryClient, MemoryResponse
from aiohttp.server.web.application import Application
from aiohttp.server.web.errorpage import preferred_type
from aiohttp.server.web.request import Request
from aiohttp.server.web.response import Response

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


async def fail(request: Request) -> Response:
    """Fail, while holding values that are nobody's business."""
    password, colour = "hunter2", "<i>red</i>"
    raise LookupError(f"no {len(password)} <b>such</b> {len(colour)}")


async def asked(
    accept: str | None, caplog: pytest.LogCaptureFixture, **options: Any
) -> MemoryResponse:
    """Return what a failing application answers."""
    app = Application(**options)
    app.router.add_get("/fail", fail)
    headers = {"Authorization": "Bearer 123"} | ({} if accept is None else {"Accept": accept})
    async with MemoryClient(app) as client:
        with caplog.at_level(logging.ERROR):
            response = await client.get('/fail?q="<script>', headers=headers)
    assert response.status == 500
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    return response


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ([], "text/plain"),
        (["*/*"], "text/plain"),
        ([BROWSER], "text/html"),
        (["text/html, */*"], "text/html"),
        (["application/json"], "application/json"),
        (["application/json, */*;q=0.5"], "application/json"),
        (["application/json, text/plain, */*"], "text/plain"),
        (["application/json;q=0.5, text/*;q=0.4"], "application/json"),
        (["text/*"], "text/plain"),
        (["text/html;q=0", "application/*"], "application/json"),
        (["image/png"], "text/plain"),
        (["APPLICATION/JSON; charset=utf-8; q=0.9"], "application/json"),
        (["text/html;q=high, text/plain;q=7, ,"], "text/plain"),
    ],
)
def test_type_is_what_the_client_likes_best(accept: list[str], content_type: str) -> None:
    """Named over wildcards, and plain text where it doesn't matter."""
    assert preferred_type(accept) == content_type


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [(None, "text/plain"), (BROWSER, "text/html"), ("application/json", "application/json")],
)
async def test_users_see_an_id_and_nothing_else(
    accept: str | None, content_type: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the traceback under the same id."""
    response = await asked(accept, caplog)
    text = response.text()
    assert response.content_type == content_type
    assert "Internal Server Error" in text
    assert "LookupError" not in text
    assert "hunter2" not in text
    (record,) = caplog.records
    found = re.search(r"\[request ([0-9a-f]+)\]", record.getMessage())
    assert found is not None
    assert found[1] in text
    assert record.exc_info is not None


async def test_json_has_members(caplog: pytest.LogCaptureFixture) -> None:
    """For programs: status, error and the id; in debug mode what was raised, too."""
    members = json.loads((await asked("application/json", caplog)).body)
    assert set(members) == {"status", "error", "request_id"}
    members = json.loads((await asked("application/json", caplog, debug=True)).body)
    assert members["type"] == "LookupError"
    assert members["message"] == "no 7 <b>such</b> 10"
    assert members["traceback"][0] == "Traceback (most recent call last):"


async def test_debug_text_is_the_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """As Python prints it, for somebody at a terminal."""
    text = (await asked("*/*", caplog, debug=True)).text()
    assert text.rstrip().endswith("LookupError: no 7 <b>such</b> 10")


async def test_debug_page_is_complete_and_escaped(caplog: pytest.LogCaptureFixture) -> None:
    """No script runs on it, and no value of a variable is on it."""
    response = await asked(BROWSER, caplog, debug=True)
    text = response.text()
    assert "no 7 &lt;b&gt;such&lt;/b&gt; 10" in text
    assert "<script" not in text
    assert "Bearer" not in text
    assert "&lt;i&gt;red" in text  # in the source
    assert "&#x27;&lt;i&gt;red" not in text  # as a value
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in response.headers["Content-Security-Policy"]


async def test_values_are_shown_only_if_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """And never those whose name sounds like a secret."""
    text = (await asked(BROWSER, caplog, debug=True, debug_locals=True)).text()
    assert "&#x27;&lt;i&gt;red&lt;/i&gt;&#x27;" in text
    assert "<th>password<td><code>(not shown" in text
