"""Messages of ASGI applications: read, checked, and freed of what frames a response."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol import InvalidUse
from aiohttp.worker.asgi.messages import content_of, links_of, response_fields, response_head


@pytest.mark.parametrize("status", [200, 204, 418, 999])
def test_status_is_taken(status: int) -> None:
    """A final status is 200 to 999."""
    assert response_head({"status": status}) == (status, [], None, False)


@pytest.mark.parametrize("status", [None, "200", 100, 103, 199, 1000, 200.0])
def test_other_status_is_refused(status: Any) -> None:
    """Anything else is no answer; 1xx are extensions of their own."""
    with pytest.raises(InvalidUse, match=f"expected a status from 200 to 999, got {status!r}"):
        response_head({"status": status})


def test_status_that_is_missing_is_refused() -> None:
    """A message without status says what was expected."""
    with pytest.raises(InvalidUse, match="expected a status from 200 to 999, got None"):
        response_head({})


def test_fields_keep_their_order_and_repetition() -> None:
    """Fields come as they were given, in text."""
    headers = [(b"set-cookie", b"a=1"), (b"x", b"\xe9"), (b"set-cookie", b"b=2")]
    fields = [("set-cookie", "a=1"), ("x", "é"), ("set-cookie", "b=2")]
    assert response_fields(headers) == (fields, None, False)


def test_fields_may_be_lists_in_any_iterable() -> None:
    """The specification asks for iterables of two items, no more."""
    assert response_fields(iter([[b"x", b"1"]])) == ([("x", "1")], None, False)


def test_space_around_a_value_is_dropped() -> None:
    """White space around a value is no part of it (RFC 9110, section 5.5)."""
    assert response_fields([(b"x", b" 1\t")])[0] == [("x", "1")]


@pytest.mark.parametrize("name", [b"content-length", b"Content-Length", b"CONTENT-LENGTH"])
def test_content_length_comes_apart(name: bytes) -> None:
    """The length isn't among the fields, however it is spelled."""
    assert response_fields([(name, b" 12"), (b"x", b"1")]) == ([("x", "1")], 12, False)


def test_content_length_twice_the_same_is_one() -> None:
    """An application that gives the same length twice has said it once."""
    assert response_fields([(b"content-length", b"1"), (b"content-length", b"1")])[1] == 1


@pytest.mark.parametrize("values", [[b"1", b"2"], [b"-1"], [b"+1"], [b"1_0"], [b""], [b"1, 1"]])
def test_bad_content_length_is_refused(values: list[bytes]) -> None:
    """Only digits are a length, and only one of them (RFC 9110, section 8.6)."""
    with pytest.raises(InvalidUse, match="expected one Content-Length in digits"):
        response_fields([(b"content-length", value) for value in values])


@pytest.mark.parametrize(
    "name",
    [b"connection", b"keep-alive", b"proxy-connection", b"te", b"transfer-encoding", b"Upgrade"],
)
def test_fields_of_the_connection_are_dropped(name: bytes) -> None:
    """What is of the connection is the server's (RFC 9110, section 7.6.1)."""
    for _ in range(2):  # new, and known
        assert response_fields([(name, b"chunked"), (b"x", b"1")]) == ([("x", "1")], None, False)


def test_trailer_is_kept() -> None:
    """The field that announces trailers is the application's to send."""
    assert response_fields([(b"trailer", b"digest")])[0] == [("trailer", "digest")]


@pytest.mark.parametrize(
    ("value", "closes"),
    [(b"close", True), (b"foo, Close", True), (b"keep-alive", False), (b"closed", False)],
)
def test_connection_close_is_noted(value: bytes, closes: bool) -> None:
    """``close`` is a member of a list, in any case."""
    assert response_fields([(b"Connection", value)]) == ([], None, closes)


def test_connection_close_in_any_line_is_noted() -> None:
    """``close`` may stand in any of several lines."""
    headers = [(b"connection", b"close"), (b"connection", b"x")]
    assert response_fields(headers)[2]


@pytest.mark.parametrize(
    "pair",
    [
        ("x", b"1"),
        (b"x", "1"),
        (b"x", b"1", b"2"),
        (b"content-length", 1),
        (b"connection", "close"),
        None,
    ],
)
def test_headers_that_are_no_byte_strings_are_refused(pair: Any) -> None:
    """The error shows the pair that is wrong, not all the others."""
    with pytest.raises(InvalidUse) as caught:
        response_fields([(b"set-cookie", b"secret"), pair, (b"x", b"1")])
    assert caught.value.message == f"expected headers as pairs of byte strings, got {pair!r}"


def test_headers_that_are_no_iterable_are_refused() -> None:
    """Neither None nor a number is one."""
    headers: Any
    for headers in (None, 7):
        with pytest.raises(InvalidUse, match=f"pairs of byte strings, got {headers}"):
            response_fields(headers)


@pytest.mark.parametrize("content", [b"abc", bytearray(b"abc"), memoryview(b"abc")])
def test_content_is_bytes(content: object) -> None:
    """Frameworks pass on buffers, too."""
    assert content_of({"body": content}) == b"abc"


def test_content_is_optional() -> None:
    """A message without body brings none."""
    assert content_of({}) == b""


@pytest.mark.parametrize("content", ["abc", None, 3])
def test_content_of_another_type_is_refused(content: object) -> None:
    """Text has to be encoded before."""
    kind = type(content).__name__
    with pytest.raises(InvalidUse, match=f"expected a body of bytes, got {kind}"):
        content_of({"body": content})


def test_links_become_fields() -> None:
    """Each link of early hints is a field (RFC 8297)."""
    fields = [("Link", "</a.css>; rel=preload"), ("Link", "</b.js>; rel=preload")]
    links = [value.encode() for _, value in fields]
    assert links_of({"links": links}) == fields
    assert links_of({}) == []


def test_link_that_is_text_is_refused() -> None:
    """Links are byte strings."""
    with pytest.raises(InvalidUse, match="expected headers as pairs of byte strings"):
        links_of({"links": ["</a.css>"]})
    with pytest.raises(InvalidUse, match="expected links as byte strings, got None"):
        links_of({"links": None})


@given(st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=12)), max_size=6))
def test_any_byte_strings_are_fields_or_an_error(headers: list[tuple[bytes, bytes]]) -> None:
    """Nothing is invented, and nothing but InvalidUse is raised."""
    try:
        fields, length, _ = response_fields(headers)
    except InvalidUse:
        return
    given = [
        (name.decode("latin-1"), value.decode("latin-1").strip(" \t")) for name, value in headers
    ]
    assert [field for field in given if field in fields] == fields
    assert length is None or str(length) in {value.lstrip("0") or "0" for _, value in given}
