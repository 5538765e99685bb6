"""One request as it will be sent: options put into order."""

from __future__ import annotations

from typing import Any

import pytest
from multidict import CIMultiDict
from yarl import URL

from aiohttp.client.request import HttpRequest
from aiohttp.client.session import Session
from aiohttp.protocol import BasicAuth


def fields(**options: Any) -> dict[str, str]:
    """Return the fields of a request without a session."""
    return dict(HttpRequest("POST", "http://a/", **options).headers)


# Fields.


def test_fields_of_a_session_are_replaced_by_name() -> None:
    """A request's field takes the place of the session's, whatever its spelling."""
    session = Session(headers={"X-Mine": "session", "X-Other": "1"})
    request = HttpRequest("GET", "http://a/", headers={"x-mine": "request"}, session=session)
    assert request.headers.getall("X-Mine") == ["request"]
    assert request.headers["X-Other"] == "1"


def test_headers_of_a_session_can_be_changed() -> None:
    """``session.headers`` is looked at for each request."""
    session = Session(headers={"X-Mine": "1"})
    HttpRequest("GET", "http://a/", session=session)
    session.headers["X-Mine"] = "2"
    request = HttpRequest("GET", "http://a/", session=session)
    assert request.headers.getall("X-Mine") == ["2"]
    assert b"X-Mine: 2\r\n" in request.encoded_fields.block


def test_headers_of_a_request_can_be_changed() -> None:
    """What is done to ``headers`` before it is sent goes onto the wire."""
    request = HttpRequest("GET", "http://a/", headers={"A": "1"})
    request.headers["B"] = "2"
    del request.headers["A"]
    assert request.encoded_fields.block == b"B: 2\r\n"


@pytest.mark.parametrize(
    ("of_session", "of_request", "left"),
    [
        ((), (), {"Accept", "Accept-Encoding", "User-Agent", "Content-Type"}),
        (["User-Agent"], (), {"Accept", "Accept-Encoding", "Content-Type"}),
        ((), ["user-agent", "content-type"], {"Accept", "Accept-Encoding"}),
        (["Accept"], ["ACCEPT-ENCODING", "User-Agent"], {"Content-Type"}),
    ],
)
def test_added_fields_can_be_skipped(of_session: Any, of_request: Any, left: set[str]) -> None:
    """``skip_auto_headers`` of session and request hold together."""
    session = Session(skip_auto_headers=of_session)
    request = HttpRequest(
        "POST", "http://a/", data=b"x", skip_auto_headers=of_request, session=session
    )
    assert set(request.headers) == left


def test_added_fields_can_be_skipped_without_a_session() -> None:
    """A request on its own adds nothing but what its body says, and that can be skipped, too."""
    assert fields(data=b"x", skip_auto_headers=["CONTENT-TYPE"]) == {}
    assert fields(data=b"x") == {"Content-Type": "application/octet-stream"}


def test_given_fields_are_not_skipped() -> None:
    """``skip_auto_headers`` is about what is added, not about what the program says."""
    session = Session(headers={"User-Agent": "mine"}, skip_auto_headers=["User-Agent"])
    request = HttpRequest("GET", "http://a/", session=session)
    assert request.headers["User-Agent"] == "mine"


def test_headers_that_are_no_pairs() -> None:
    """A list of names is no list of fields."""
    with pytest.raises(TypeError, match="headers must be a mapping or pairs"):
        HttpRequest("GET", "http://a/", headers=["X-Mine"])  # type: ignore[list-item]


# Who asks.


@pytest.mark.parametrize(
    ("url", "auth", "authorization"),
    [
        ("http://a/", ("me", "secret"), "Basic bWU6c2VjcmV0"),
        ("http://a/", BasicAuth("me", "secret"), "Basic bWU6c2VjcmV0"),
        ("http://me:secret@a/", None, "Basic bWU6c2VjcmV0"),
        ("http://you:no@a/", ("me", "secret"), "Basic bWU6c2VjcmV0"),
    ],
)
def test_authorization(url: str, auth: Any, authorization: str) -> None:
    """``auth`` is a tuple, or the URL says it; what is passed explicitly wins."""
    assert HttpRequest("GET", url, auth=auth).headers["Authorization"] == authorization


def test_auth_of_a_session_is_the_last_resort() -> None:
    """A header, ``auth=`` and the URL come before the session's ``auth``."""
    session = Session(auth=("session", "secret"))
    given = "Bearer x"
    assert HttpRequest("GET", "http://a/", session=session).headers["Authorization"] == (
        "Basic c2Vzc2lvbjpzZWNyZXQ="
    )
    request = HttpRequest("GET", "http://a/", headers={"Authorization": given}, session=session)
    assert request.headers.getall("Authorization") == [given]
    request = HttpRequest("GET", "http://me:secret@a/", session=session)
    assert request.headers["Authorization"] == "Basic bWU6c2VjcmV0"


def test_authorization_of_a_session_comes_before_its_auth() -> None:
    """A session's header is said by the program; ``auth`` is for requests without any."""
    session = Session(auth=("session", "secret"), headers={"Authorization": "Bearer x"})
    request = HttpRequest("GET", "http://a/", session=session)
    assert request.headers.getall("Authorization") == ["Bearer x"]


@pytest.mark.parametrize(
    ("url", "is_sent"),
    [
        ("http://a/c", True),
        ("http://a:80/", True),
        ("http://a:81/", False),
        ("https://a/", False),
        ("http://b/", False),
    ],
)
def test_auth_of_a_session_stays_at_its_base(url: str, is_sent: bool) -> None:
    """With ``base_url``, other origins don't get the session's login."""
    session = Session("http://a/b/", auth=("session", "secret"))
    request = HttpRequest("GET", url, session=session)
    assert ("Authorization" in request.headers) is is_sent


@pytest.mark.parametrize(
    ("auth", "kind"),
    [
        ("ab", "str"),
        ("user:pass", "str"),
        (b"ab", "bytes"),
        ({"user": "pass", "b": "c"}, "dict"),
        (("user",), "tuple of length 1"),
        (("user", "pass", "utf-8", "x"), "tuple of length 4"),
    ],
)
def test_auth_that_is_no_tuple(auth: Any, kind: str) -> None:
    """Text of two characters is no login and password; the error shows nothing of either."""
    expected = rf"^auth must be a tuple \(login, password\), or BasicAuth\(.*\), not {kind}$"
    with pytest.raises(TypeError, match=expected):
        HttpRequest("GET", "http://a/", auth=auth)
    with pytest.raises(TypeError, match=expected):
        Session(auth=auth)


def test_auth_that_is_put_into_a_session() -> None:
    """It is looked at again, when it is used."""
    session = Session()
    session.auth = "ab"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="auth must be a tuple"):
        HttpRequest("GET", "http://a/", session=session)


def test_auth_beside_an_authorization_header() -> None:
    """Nobody can know which of the two was meant."""
    with pytest.raises(ValueError, match="auth and an Authorization header exclude each other"):
        HttpRequest("GET", "http://a/", auth=("a", "b"), headers={"Authorization": "x"})


# Cookies.


def test_cookies_become_one_field() -> None:
    """The session's header, the request's header and ``cookies=`` are merged; the last wins."""
    session = Session(headers={"Cookie": "a=1; b=1; c=1"})
    request = HttpRequest(
        "GET", "http://a/", headers={"cookie": "b=2; c=2"}, cookies={"c": "3"}, session=session
    )
    assert request.cookies == "a=1; b=2; c=3"
    assert "Cookie" not in request.headers


def test_cookie_that_a_subclass_adds() -> None:
    """A Cookie in ``headers`` is merged, too, rather than sent as a second field."""
    request = HttpRequest("GET", "http://a/", cookies={"a": "1"})
    request.headers["Cookie"] = "b=2"
    assert request.cookies == "a=1; b=2"
    assert request.encoded_fields.block == b""


def test_cookie_that_a_subclass_adds_stays_one_field() -> None:
    """It is merged as well when the fields were put together anew."""
    request = HttpRequest("POST", "http://a/", cookies={"a": "1"})
    request.headers["Cookie"] = "b=2"
    request.update_body(b"x")
    assert request.cookies == "a=1; b=2"
    assert b"Cookie" not in request.encoded_fields.block


@pytest.mark.parametrize("cookies", ["a=1", b"a=1", ["ab"], ["a=1", "b=2"]])
def test_cookies_that_are_text(cookies: Any) -> None:
    """Text is no pair, not even one of two characters; the error says where it belongs."""
    expected = "cookies must be a mapping or pairs .*; a whole Cookie field goes into headers"
    with pytest.raises(TypeError, match=expected):
        HttpRequest("GET", "http://a/", cookies=cookies)
    with pytest.raises(TypeError, match=expected):
        Session(cookies=cookies)


# Bodies.


def test_one_body_only() -> None:
    """``json`` excludes ``data`` and ``files``."""
    with pytest.raises(ValueError, match="a request has one body"):
        HttpRequest("POST", "http://a/", data=b"x", json={})
    with pytest.raises(ValueError, match="a request has one body"):
        HttpRequest("POST", "http://a/", files={"a": b"x"}, json={})


@pytest.mark.parametrize(
    ("compress", "coding"), [(True, "deflate"), ("deflate", "deflate"), ("gzip", "gzip")]
)
def test_compress(compress: Any, coding: str) -> None:
    """``compress`` is announced, and the body is another one."""
    request = HttpRequest("POST", "http://a/", data=b"a" * 1000, compress=compress)
    assert request.headers["Content-Encoding"] == request.compress == coding
    assert isinstance(request.payload.content, bytes)
    assert len(request.payload.content) < 100


@pytest.mark.parametrize("compress", [None, False])
def test_no_compression(compress: Any) -> None:
    """Without ``compress`` a body goes as it is."""
    assert "Content-Encoding" not in fields(data=b"x", compress=compress)


def test_unknown_compression() -> None:
    """A coding that we don't write is refused, and the error names those that we do."""
    for data in (b"x", None):
        with pytest.raises(ValueError, match="must be True, 'deflate' or 'gzip', not 'br'"):
            HttpRequest("POST", "http://a/", data=data, compress="br")


def test_compress_beside_content_encoding() -> None:
    """A body that says it is coded already isn't coded again."""
    with pytest.raises(ValueError, match="compress and a Content-Encoding header exclude"):
        HttpRequest(
            "POST", "http://a/", data=b"x", compress=True, headers={"Content-Encoding": "gzip"}
        )


@pytest.mark.parametrize("data", [b"", "", {}])
def test_nothing_is_not_compressed(data: Any) -> None:
    """An empty body isn't announced as a compressed one: that would be some bytes long."""
    assert "Content-Encoding" not in fields(data=data, compress=True)


@pytest.mark.parametrize(
    ("options", "content_type"),
    [
        ({"data": b"{}"}, "application/vnd.api+json"),
        ({"json": {}}, "application/vnd.api+json"),
        ({"data": b"{}", "headers": {"content-type": "text/plain"}}, "text/plain"),
        ({"files": {"a": b"x"}}, "multipart/form-data"),
    ],
)
def test_content_type_of_a_session(options: Any, content_type: str) -> None:
    """It is that of every body, but for multipart ones, which alone know their boundary."""
    session = Session(headers={"Content-Type": "application/vnd.api+json"})
    request = HttpRequest("POST", "http://a/", session=session, **options)
    (given,) = request.headers.getall("Content-Type")
    assert given.partition(";")[0] == content_type


@pytest.mark.parametrize("chunked", [-1, 2.5, "3"])
def test_size_of_chunks_is_a_number(chunked: Any) -> None:
    """A size that no chunk can have is refused: of -1 nothing of the body would be sent."""
    with pytest.raises(ValueError, match="chunked must be True, or bytes per chunk from 1 on"):
        HttpRequest("POST", "http://a/", data=b"x", chunked=chunked)


def test_update_body_keeps_what_was_said() -> None:
    """A Content-Encoding of the program's, and what is to be skipped, hold for another body."""
    request = HttpRequest(
        "POST",
        "http://a/",
        data=b"x",
        headers={"Content-Encoding": "gzip"},
        skip_auto_headers=["Content-Type"],
        session=Session(),
    )
    request.update_body(b"y")
    assert request.headers["Content-Encoding"] == "gzip"
    assert "Content-Type" not in request.headers


def test_update_body() -> None:
    """Another body has another type; what the program said itself stays."""
    request = HttpRequest("POST", "http://a/", data="text", headers={"X-Mine": "1"})
    request.update_body({"a": "b"})
    assert request.body.content == b"a=b"
    assert dict(request.headers) == {
        "X-Mine": "1", "Content-Type": "application/x-www-form-urlencoded",
    }  # fmt: skip
    request.update_body(None)
    assert dict(request.headers) == {"X-Mine": "1"}


async def test_update_body_can_be_awaited() -> None:
    """aiohttp 3 spells it with an ``await``."""
    request = HttpRequest("POST", "http://a/")
    await request.update_body(b"x")
    assert request.body.content == b"x"


# What it tells.


def test_attributes() -> None:
    """A request tells what it was made of."""
    request = HttpRequest("POST", "https://me:secret@a/b?c#d", data=b"x", chunked=3)
    assert request.url == URL("https://a/b?c")
    assert request.original_url == URL("https://a/b?c#d")
    assert (request.is_ssl, request.chunked, request.chunk_size) == (True, True, 3)
    assert isinstance(request.headers, CIMultiDict)
    assert repr(request) == "<HttpRequest POST https://a/b?c>"


def test_verify_ssl_of_2014() -> None:
    """``verify_ssl=False`` is ``ssl=False``."""
    assert HttpRequest("GET", "https://a/", verify_ssl=False).key.ssl is False
    assert HttpRequest("GET", "https://a/", verify_ssl=True).key.ssl is True


# Whether it may be sent twice.


@pytest.mark.parametrize(
    ("method", "options", "was_sent", "may"),
    [
        ("GET", {}, True, True),
        ("PUT", {"data": b"x"}, True, True),
        ("POST", {"data": b"x"}, True, False),
        ("POST", {"data": b"x"}, False, True),
        ("POST", {"data": b"x", "replayable": True}, True, True),
        ("POST", {"data": iter([b"x"]), "replayable": True}, False, False),
        ("PUT", {"data": iter([b"x"])}, False, False),
    ],
)
def test_may_be_repeated(method: str, options: Any, was_sent: bool, may: bool) -> None:
    """Where the method is idempotent, or it was not sent whole, or the program said so."""
    request = HttpRequest(method, "http://a/", **options)
    assert request.may_be_repeated(was_sent=was_sent) is may


def test_file_by_post_is_not_sent_twice(tmp_path: Any) -> None:
    """Not even where it was not sent whole, unless that was asked for."""
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with path.open("rb") as file:
        request = HttpRequest("POST", "http://a/", data=file)
        assert not request.may_be_repeated(was_sent=False)
        request = HttpRequest("POST", "http://a/", data=file, replayable=True)
        assert request.may_be_repeated(was_sent=True)


def test_one_name_to_skip_is_no_list_of_names() -> None:
    """A str would be taken letter by letter; skip_auto_headers wants names."""
    text: Any = "User-Agent"
    with pytest.raises(TypeError, match=r"must be names such as \['User-Agent'\], not one str"):
        Session(skip_auto_headers=text)
    with pytest.raises(TypeError, match=r"must be names such as \['User-Agent'\], not one str"):
        HttpRequest("GET", "http://a/", skip_auto_headers=text, session=Session())
