"""What the fields of a request say: content, conditions, ranges, cookies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from aiohttp.protocol import ETag
from asked import ask

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
CONDITIONS = ("if_modified_since", "if_unmodified_since", "if_range", "if_match", "if_none_match")


async def told(attribute: str, fields: dict[str, str] | list[tuple[str, str]]) -> Any:
    """Return an attribute of a request with these fields."""
    return await ask(lambda request: getattr(request, attribute), headers=fields)


@pytest.mark.parametrize(
    ("value", "content_type", "charset"),
    [
        ("text/html", "text/html", None),
        ("Text/HTML ; Charset=UTF-8", "text/html", "UTF-8"),
        ('text/html; charset="latin-1"; x=y', "text/html", "latin-1"),
        ("text/html; charset", "text/html", None),
        ("", "", None),
    ],
)
async def test_content_type(value: str, content_type: str, charset: str | None) -> None:
    """The type is in lower case, without its parameters."""
    assert await told("content_type", {"Content-Type": value}) == content_type
    assert await told("charset", {"Content-Type": value}) == charset


async def test_content_type_by_default() -> None:
    """Without Content-Type the content may be anything (RFC 9110, section 8.3)."""
    assert await told("content_type", {}) == "application/octet-stream"


@pytest.mark.parametrize("attribute", CONDITIONS)
async def test_conditions_that_are_not_there(attribute: str) -> None:
    """Without its field a condition is None."""
    assert await told(attribute, {}) is None


@pytest.mark.parametrize("attribute", CONDITIONS[:3])
async def test_conditions_with_dates(attribute: str) -> None:
    """A date comes in UTC; what is none is ignored, such as an entity tag in If-Range."""
    name = attribute.replace("_", "-").title()
    assert await told(attribute, {name: DATE}) == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert await told(attribute, {name: '"etag"'}) is None


@pytest.mark.parametrize("attribute", CONDITIONS[3:])
async def test_conditions_with_etags(attribute: str) -> None:
    """Entity tags come as a tuple over all lines of the field; ``*`` is one of them."""
    name = attribute.replace("_", "-").title()
    fields = [(name, '"a", W/"b"'), (name, '"c"')]
    assert await told(attribute, fields) == (ETag("a"), ETag("b", is_weak=True), ETag("c"))
    assert await told(attribute, {name: "*"}) == (ETag("*"),)
    assert await told(attribute, {name: "junk"}) == ()


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("bytes=0-499", slice(0, 500, 1)),
        ("bytes=500-", slice(500, None, 1)),
        ("bytes=-500", slice(-500, None, 1)),
        ("bytes=7-7", slice(7, 8, 1)),
        ("Bytes=7-7", slice(7, 8, 1)),
    ],
)
async def test_range(field: str, found: slice) -> None:
    """One range is a slice of the whole (RFC 9110, section 14.1.2)."""
    assert await told("http_range", {"Range": field}) == found


async def test_no_range_is_the_whole() -> None:
    """Without Range everything is asked for."""
    assert await told("http_range", {}) == slice(None, None, 1)


@pytest.mark.parametrize(
    "field",
    [
        "bytes=-", "bytes=-0", "bytes=5-4", "bytes=0-1,2-3", "bytes=\xb2-", "bytes= 0-1", "bytes",
        "lines=0-1", "bytes=+1-2", "bytes=0x1-2", "bytes=1_0-20", "bytes=" + "9" * 40 + "-",
    ],
)  # fmt: skip
async def test_range_that_is_none(field: str) -> None:
    """What is no single range of bytes, in ASCII digits, is a ValueError (CVE-2025-69225)."""
    with pytest.raises(ValueError, match="expected a range"):
        await told("http_range", {"Range": field})


async def test_cookies() -> None:
    """Cookies come by name, decoded; of one name the first, which has the longest path."""
    fields = [("Cookie", 'a=1; b="x \\"y"; a=2'), ("Cookie", "c=\xc3\xbc")]
    cookies = await told("cookies", fields)
    assert cookies == {"a": "1", "b": 'x "y', "c": "ü"}
    with pytest.raises(TypeError):
        cookies["d"] = "read-only"


async def test_many_bad_cookies_log_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2025-69230: what can't be read is read as well as it goes, without a word."""
    await told("cookies", {"Cookie": "; ".join(["a(=)", "=", "b"] * 500)})
    assert caplog.records == []
