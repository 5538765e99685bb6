"""Fields of a response: by name, and by attributes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from aiohttp.protocol import ETag
from aiohttp.server.web.stream_response import StreamResponse


def test_content_type_without_a_field() -> None:
    """Where nothing is said, the body is octets without a charset."""
    response = StreamResponse()
    assert (response.content_type, response.charset) == ("application/octet-stream", None)
    assert "Content-Type" not in response.headers


def test_content_type_and_charset_share_a_field() -> None:
    """Type and charset are set one by one, and make one field."""
    response = StreamResponse()
    response.content_type = "text/html"
    response.charset = "UTF-8"
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    response.content_type = "text/css"
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    response.charset = None
    assert response.headers["Content-Type"] == "text/css"


def test_content_type_is_read_without_its_parameters() -> None:
    """The type is in lower case, and the charset too."""
    response = StreamResponse(headers={"Content-Type": 'Text/HTML; a=b; charset="UTF-8"'})
    assert (response.content_type, response.charset) == ("text/html", "utf-8")


def test_other_parameters_stay() -> None:
    """A parameter such as boundary survives a new charset, quoted where it must be."""
    response = StreamResponse(headers={"Content-Type": 'multipart/mixed; boundary="a b"'})
    response.charset = "ascii"
    assert response.headers["Content-Type"] == 'multipart/mixed; boundary="a b"; charset=ascii'


def test_octets_have_no_charset() -> None:
    """A charset for application/octet-stream is refused: nobody would look at it."""
    with pytest.raises(RuntimeError, match="set content_type before charset"):
        StreamResponse().charset = "utf-8"


def test_content_length() -> None:
    """The length is a number in a field, which None takes away."""
    response = StreamResponse()
    assert response.content_length is None
    response.content_length = 5
    assert response.headers["Content-Length"] == "5"
    assert response.content_length == 5
    response.content_length = None
    assert "Content-Length" not in response.headers


def test_length_and_chunks_exclude_each_other() -> None:
    """A body in chunks has no Content-Length, whichever was asked for first."""
    chunked = StreamResponse()
    chunked.enable_chunked_encoding()
    with pytest.raises(RuntimeError, match="in chunks has no Content-Length"):
        chunked.content_length = 5
    fixed = StreamResponse()
    fixed.content_length = 5
    with pytest.raises(RuntimeError, match="can't be sent in chunks"):
        fixed.enable_chunked_encoding()


MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    "given",
    [
        MOMENT,
        MOMENT.replace(tzinfo=None),
        MOMENT.astimezone(timezone(timedelta(hours=2))),
        int(MOMENT.timestamp()),
        MOMENT.timestamp() + 0.7,
        "Sun, 06 Nov 1994 08:49:37 GMT",
    ],
)
def test_last_modified(given: datetime | float | str) -> None:
    """A datetime, seconds or a date as text become the date of HTTP."""
    response = StreamResponse()
    response.last_modified = given
    assert response.headers["Last-Modified"] == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert response.last_modified == MOMENT


def test_last_modified_is_taken_away() -> None:
    """None takes the field away, and what is no date is read as None."""
    response = StreamResponse(headers={"Last-Modified": "yesterday"})
    assert response.last_modified is None
    response.last_modified = None
    assert "Last-Modified" not in response.headers
    assert response.last_modified is None


def test_etag() -> None:
    """Text becomes a strong tag; an ETag may be weak."""
    response = StreamResponse()
    response.etag = "abc"
    assert response.headers["ETag"] == '"abc"'
    assert response.etag == ETag("abc")
    response.etag = ETag("abc", is_weak=True)
    assert response.headers["ETag"] == 'W/"abc"'
    assert response.etag == ETag("abc", is_weak=True)
    response.etag = None
    assert "ETag" not in response.headers
    assert response.etag is None


def test_etag_with_a_quote_is_refused() -> None:
    """A tag that would end early is refused."""
    with pytest.raises(ValueError, match="expected visible characters but quotes"):
        StreamResponse().etag = 'a"b'
