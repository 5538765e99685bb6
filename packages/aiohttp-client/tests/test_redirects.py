"""Where redirects lead, and what goes along."""

from __future__ import annotations

import pytest
from yarl import URL

from aiohttp.client.destination import destination_of
from aiohttp.client.errors import (
    InvalidURL,
    InvalidUrlRedirectClientError,
    NonHttpUrlRedirectClientError,
    RedirectClientError,
)
from aiohttp.client.redirects import redirect
from aiohttp.client.request import HttpRequest

BASE = destination_of("http://a/b/c?d#e")


@pytest.mark.parametrize(
    ("status", "method", "following", "keeps_body"),
    [
        (301, "GET", "GET", True),
        (301, "POST", "GET", False),
        (301, "PUT", "PUT", True),
        (302, "HEAD", "HEAD", True),
        (302, "POST", "GET", False),
        (302, "DELETE", "DELETE", True),
        (303, "GET", "GET", False),
        (303, "HEAD", "HEAD", False),
        (303, "POST", "GET", False),
        (303, "PUT", "GET", False),
        (307, "POST", "POST", True),
        (308, "POST", "POST", True),
        (308, "PUT", "PUT", True),
    ],
)
def test_method_and_body(status: int, method: str, following: str, keeps_body: bool) -> None:
    """RFC 9110, section 15.4, with what browsers do: POST becomes GET.

    By 303 everything does, without a body, and only HEAD stays HEAD (section 15.4.4).
    """
    step = redirect(status, method, BASE, "/")
    assert (step.method, step.keeps_body) == (following, keeps_body)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/x", "http://a/x#e"),
        ("x?y", "http://a/b/x?y#e"),
        ("?y", "http://a/b/c?y#e"),
        ("#f", "http://a/b/c?d#f"),
        ("//z/x", "http://z/x#e"),
        ("https://z:1/x#f", "https://z:1/x#f"),
        ("http://z/x y", "http://z/x%20y#e"),
        ("http://z/%20%2F", "http://z/%20%2F#e"),
    ],
)
def test_location_is_resolved(location: str, url: str) -> None:
    """A Location is a reference, and inherits the fragment (RFC 9110, section 10.2.2)."""
    assert redirect(302, "GET", BASE, location).destination.real_url == URL(url)


def test_location_that_is_not_ascii() -> None:
    """Octets beyond ASCII are taken for UTF-8, which is what servers mean."""
    location = "/ü".encode().decode("latin-1")
    assert redirect(302, "GET", BASE, location).destination.target == "/%C3%BC"


@pytest.mark.parametrize(
    ("location", "leaves"),
    [
        ("/x", False),
        ("http://a:80/x", False),
        ("http://A/x", False),
        ("https://a/x", True),
        ("http://a:81/x", True),
        ("http://b/x", True),
        ("http://sub.a/x", True),
    ],
)
def test_origin_is_scheme_host_and_port(location: str, leaves: bool) -> None:
    """Anything else than the same three is another origin (RFC 6454, section 4)."""
    assert redirect(302, "GET", BASE, location).leaves_origin == leaves


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://a/", "javascript:alert(1)"])
def test_other_schemes_are_refused(location: str) -> None:
    """A server can't send a client to a file."""
    with pytest.raises(NonHttpUrlRedirectClientError) as caught:
        redirect(302, "GET", BASE, location)
    assert isinstance(caught.value, RedirectClientError)
    assert isinstance(caught.value, InvalidURL)


@pytest.mark.parametrize("location", ["https://", "http://[::1", "http://a:x/"])
def test_malformed_locations_are_refused(location: str) -> None:
    """The error says who redirects where."""
    with pytest.raises(InvalidUrlRedirectClientError, match=r"http://a/b/c\?d redirects to it"):
        redirect(302, "GET", BASE, location)


def following(status: int, location: str, method: str = "POST") -> HttpRequest:
    """Return what follows a request with secrets and a body."""
    headers = [
        ("Authorization", "one"),
        ("AUTHORIZATION", "two"),
        ("cookie", "a=b"),
        ("Proxy-Authorization", "three"),
        ("Host", "a"),
        ("Content-Type", "text/plain"),
        ("X-Mine", "1"),
    ]
    request = HttpRequest(method, BASE.real_url, headers=headers, data=b"body", server_hostname="a")
    return request.follow(redirect(status, method, BASE, location))


def test_same_origin_keeps_everything() -> None:
    """Within an origin secrets and body go along."""
    request = following(307, "/x")
    assert [name for name, _ in request.headers.items()] == [
        "Authorization", "AUTHORIZATION", "Proxy-Authorization", "Host", "Content-Type", "X-Mine",
    ]  # fmt: skip
    assert request.cookies == "a=b"
    assert request.payload.content == b"body"
    assert request.server_hostname == "a"


def test_other_origin_loses_every_secret() -> None:
    """All copies of what was meant for one origin are dropped, in any spelling.

    CVE-2026-34518, CVE-2026-47265 (aiohttp), GHSA-3x9g-8vmp-wqvf (tornado),
    CVE-2026-44431 (urllib3), aiohttp #13180.
    """
    request = following(307, "http://b/x")
    assert dict(request.headers) == {"Content-Type": "text/plain", "X-Mine": "1"}
    assert request.cookies == ""
    assert request.payload.content == b"body"
    assert request.server_hostname is None


def test_cookie_that_a_subclass_adds() -> None:
    """A Cookie in ``headers`` goes along as one field, and stays with its origin."""
    request = HttpRequest("GET", "http://a/", cookies={"a": "1"})
    request.headers["Cookie"] = "b=2"
    same = request.follow(redirect(302, "GET", request.destination, "/c"))
    assert (same.cookies, "Cookie" in same.headers) == ("a=1; b=2", False)
    other = request.follow(redirect(302, "GET", request.destination, "http://b/"))
    assert (other.cookies, "Cookie" in other.headers) == ("", False)


def test_fields_of_the_body_go_with_it() -> None:
    """A GET that was a POST announces no content."""
    request = following(303, "/x")
    assert request.payload.content == b""
    assert "Content-Type" not in request.headers
    assert "X-Mine" in request.headers


def test_userinfo_of_a_location_is_used() -> None:
    """Credentials in a Location are for its own origin."""
    request = following(302, "http://you:there@b/x")
    assert request.headers["Authorization"].startswith("Basic ")
