"""What a URL says to the pool, to the connector and to the wire."""

from __future__ import annotations

import pytest
from yarl import URL

from aiohttp.client.destination import ConnectionKey, destination_of
from aiohttp.client.errors import InvalidUrlClientError, NonHttpUrlClientError
from aiohttp.client.tls import Fingerprint
from aiohttp.protocol import encode_basic_auth


@pytest.mark.parametrize(
    ("url", "key", "authority", "target"),
    [
        ("http://a", ("http", "a", 80), "a", "/"),
        ("http://a?q", ("http", "a", 80), "a", "/?q"),
        ("https://a/b", ("https", "a", 443), "a", "/b"),
        ("http://a:80/", ("http", "a", 80), "a", "/"),
        ("http://a:8080/", ("http", "a", 8080), "a:8080", "/"),
        ("http://[::1]:8080/", ("http", "::1", 8080), "[::1]:8080", "/"),
        ("http://[::1]/", ("http", "::1", 80), "[::1]", "/"),
        ("http://A.Example/", ("http", "a.example", 80), "a.example", "/"),
        ("http://bücher.example/", ("http", "xn--bcher-kva.example", 80), None, "/"),
        ("http://a/ä b?ü=1#top", ("http", "a", 80), "a", "/%C3%A4%20b?%C3%BC=1"),
        ("http://a/%2F%20", ("http", "a", 80), "a", "/%2F%20"),
    ],
)
def test_destination(
    url: str, key: tuple[str, str, int], authority: str | None, target: str
) -> None:
    """Key, Host and target are what the connection and the wire need."""
    found = destination_of(url)
    assert found.key == ConnectionKey(*key)
    assert found.authority == (authority or key[1])
    assert found.target == target


def test_fragment_stays_at_home() -> None:
    """A fragment is not requested, but ``real_url`` has it."""
    found = destination_of("http://a/b#c")
    assert (found.url, found.real_url) == (URL("http://a/b"), URL("http://a/b#c"))


def test_userinfo_becomes_credentials() -> None:
    """Userinfo is sent as Authorization, and stands in no URL that is shown."""
    found = destination_of("http://me:p%40ss@a/b")
    assert found.url == found.real_url == URL("http://a/b")
    assert found.authorization == encode_basic_auth("me", "p@ss")
    assert "me" not in repr(found)


def test_same_url_is_parsed_once() -> None:
    """Programs ask for the same URLs again and again."""
    assert destination_of("http://a/same") is destination_of("http://a/same")


@pytest.mark.parametrize(
    "url",
    ["http://a:/", "http://[::1]/", "http://[::1]:80/", "http://m:p@a/", "http://m:+8@a/?b:+1"],
)
def test_what_looks_like_a_port(url: str) -> None:
    """Colons of addresses, of userinfo and of what follows are none of a port's."""
    assert destination_of(url).key.port == 80


def test_url_object_that_is_no_url() -> None:
    """What ``encoded=True`` lets through is refused here, although it has not even a text."""
    for url in [URL("http://a\r\nb: c/", encoded=True), URL("http://a:x/", encoded=True)]:
        with pytest.raises(InvalidUrlClientError, match=r"^…: Invalid URL: port"):
            destination_of(url)


def test_url_object_is_as_good_as_text() -> None:
    """Both kinds lead to the same place."""
    assert destination_of(URL("http://a/b")).url == destination_of("http://a/b").url


@pytest.mark.parametrize("url", ["ftp://a/", "file:///etc/passwd", "javascript:alert(1)", "a:80"])
def test_other_schemes_are_refused(url: str) -> None:
    """Only http and https are requested; the error is a ValueError, too."""
    with pytest.raises(NonHttpUrlClientError, match="begins with http:// or https://") as caught:
        destination_of(url)
    assert isinstance(caught.value, ValueError)
    assert caught.value.url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/path",
        "a.example",
        "//a/b",
        "http://",
        "http:///path",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://a:x/",
        "http://a:0/",
        "http://a:65536/",
        "http://a b/",
        "http://a\\b/",
        "http://" + "a" * 256 + "/",
    ],
)
def test_malformed_urls_are_refused(url: str) -> None:
    """What has no scheme, no host or no sense is an InvalidURL that says so."""
    with pytest.raises(InvalidUrlClientError) as caught:
        destination_of(url)
    assert caught.value.description


@pytest.mark.parametrize("url", ["http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]:80/"])
def test_zone_of_an_address(url: str) -> None:
    """A zone means nothing to the server whom Host tells it; the error says where it belongs."""
    expected = "without a zone, got zone 'eth0': ask for a name that .* knows as fe80::1%eth0$"
    for given in (url, URL(url)):
        with pytest.raises(InvalidUrlClientError, match=expected):
            destination_of(given)


def test_key_tells_connections_apart() -> None:
    """Scheme, host, port, TLS, the name in the certificate and the proxy: all must agree."""
    key = ConnectionKey("https", "a", 443)
    others = [
        key._replace(scheme="http"),
        key._replace(host="b"),
        key._replace(port=8443),
        key._replace(ssl=False),
        key._replace(ssl=Fingerprint(bytes(32))),
        key._replace(server_hostname="b"),
        key._replace(proxy=URL("http://proxy")),
    ]
    assert len({key, *others}) == 8
    assert key == ConnectionKey("https", "a", 443)


def test_key_for_people() -> None:
    """In messages a key is host and port."""
    assert str(ConnectionKey("http", "a", 80)) == "a:80"
    assert str(ConnectionKey("http", "::1", 80)) == "[::1]:80"
