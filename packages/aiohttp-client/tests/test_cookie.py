"""One cookie: whose it is, where it goes, and until when."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from math import inf
from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiohttp.client import cookie as cookie_module
from aiohttp.client.cookie import (
    LATEST,
    Cookie,
    Origin,
    canonical_domain,
    cookie_of,
    domains_of,
    path_matches,
)
from aiohttp.client.cookies import parse_set_cookie

NOW = 1_000_000_000.0


def received(
    line: str,
    host: str = "www.example.com",
    path: str = "/",
    *,
    is_secure: bool = True,
    unsafe: bool = False,
) -> Cookie | None:
    """Return what a jar is to store of a Set-Cookie field."""
    given = parse_set_cookie(line)
    assert given is not None
    return cookie_of(given, Origin(host, path, is_secure), NOW, unsafe=unsafe)


def scope(line: str, host: str, *, unsafe: bool = False) -> str:
    """Return the domain that a cookie is for: with a dot in front if subdomains get it, too."""
    cookie = received(line, host, unsafe=unsafe)
    if cookie is None:
        return "refused"
    return cookie.domain if cookie.is_host_only else f".{cookie.domain}"


@pytest.fixture
def use_suffixes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[ModuleType | None], None]]:
    """Let a module take the place of publicsuffixlist; None: it isn't installed."""

    def forget() -> None:
        cookie_module._public_suffixes.cache_clear()
        cookie_module._is_public_suffix.cache_clear()

    def use(module: ModuleType | None) -> None:
        monkeypatch.setitem(sys.modules, "publicsuffixlist", module)
        forget()

    yield use
    monkeypatch.undo()
    forget()


# Whose it is.


@pytest.mark.parametrize(
    ("line", "host", "expected"),
    [
        ("a=1", "www.example.com", "www.example.com"),
        ("a=1; Domain=", "www.example.com", "www.example.com"),
        ("a=1; Domain=.", "www.example.com", "www.example.com"),
        ("a=1; Domain=example.com", "www.example.com", ".example.com"),
        ("a=1; Domain=.EXAMPLE.com", "www.example.com", ".example.com"),
        ("a=1; Domain=www.example.com", "www.example.com", ".www.example.com"),
        ("a=1; Domain=example.com; Domain=", "www.example.com", ".example.com"),
        ("a=1; Domain=other.com; Domain=example.com", "www.example.com", ".example.com"),
        ("a=1; Domain=b.www.example.com", "www.example.com", "refused"),
        ("a=1; Domain=ww.example.com", "www.example.com", "refused"),
        ("a=1; Domain=ample.com", "www.example.com", "refused"),
        ("a=1; Domain=..example.com", "www.example.com", "refused"),
        ("a=1; Domain=example.com:80", "www.example.com", "refused"),
        ("a=1; Domain=com", "www.example.com", "refused"),
        ("a=1; Domain=example.com.", "www.example.com", "refused"),
        ("a=1; Domain=example.com", "www.example.com.", "refused"),
        ("a=1; Domain=com.", "www.example.com.", "refused"),
        ("a=1; Domain=localhost", "localhost", "localhost"),
        ("a=1; Domain=m\xc3\xbcnchen.de", "www.xn--mnchen-3ya.de", ".xn--mnchen-3ya.de"),
        ("a=1; Domain=\xff.de", "www.xn--mnchen-3ya.de", "refused"),
    ],
)
def test_scope_of_a_host(line: str, host: str, expected: str) -> None:
    """A cookie is its host's, or for a domain that the host is part of and that has an owner."""
    assert scope(line, host) == expected


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.1"])
def test_scope_of_an_address(host: str) -> None:
    """An address has no subdomains: its cookies are its own, also if it names itself."""
    assert scope("a=1", host) == host
    assert scope(f"a=1; Domain={host}", host) == host
    assert scope(f"a=1; Domain={host}", host, unsafe=True) == f".{host}"
    assert scope("a=1", host, unsafe=True) == host


@pytest.mark.parametrize("unsafe", [False, True])
@pytest.mark.parametrize("domain", ["0.0.1", "1", "example.com", "[::1]"])
def test_address_below_a_domain(domain: str, unsafe: bool) -> None:
    """No address is below another one, or below a name."""
    assert scope(f"a=1; Domain={domain}", "127.0.0.1", unsafe=unsafe) == "refused"


def test_public_suffix_is_refused(
    use_suffixes: Callable[[ModuleType | None], None],
) -> None:
    """Where publicsuffixlist is installed, a domain that nobody owns gets no cookie."""
    module = ModuleType("publicsuffixlist")

    class PublicSuffixList:
        def is_public(self, domain: str) -> bool:
            return domain in ("co.uk", "github.io")

    module.__dict__["PublicSuffixList"] = PublicSuffixList
    use_suffixes(module)
    assert scope("a=1; Domain=co.uk", "www.example.co.uk") == "refused"
    assert scope("a=1; Domain=example.co.uk", "www.example.co.uk") == ".example.co.uk"
    assert scope("a=1; Domain=github.io", "github.io") == "github.io"


def test_public_suffix_of_the_real_list() -> None:
    """The list knows who hands out names, also where it is a company (the extra ``psl``)."""
    assert scope("a=1; Domain=co.uk", "www.example.co.uk") == "refused"
    assert scope("a=1; Domain=github.io", "example.github.io") == "refused"
    assert scope("a=1; Domain=example.co.uk", "www.example.co.uk") == ".example.co.uk"


def test_public_suffix_without_the_list(
    use_suffixes: Callable[[ModuleType | None], None],
) -> None:
    """Where it is not installed, names without a dot are what is known."""
    use_suffixes(None)
    assert scope("a=1; Domain=uk", "www.example.co.uk") == "refused"
    assert scope("a=1; Domain=co.uk", "www.example.co.uk") == ".co.uk"


def test_list_is_not_loaded_without_need(
    use_suffixes: Callable[[ModuleType | None], None],
) -> None:
    """A cookie without Domain is its host's whatever the list says, which is slow to load."""
    use_suffixes(ModuleType("publicsuffixlist"))  # to load it would fail: it has no class
    assert scope("a=1", "www.example.com") == "www.example.com"


def test_broken_list_is_no_missing_list(
    use_suffixes: Callable[[ModuleType | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import that fails inside publicsuffixlist is not taken for its absence."""

    class Broken(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise ModuleNotFoundError("No module named 'unknown'", name="unknown")

    use_suffixes(Broken("publicsuffixlist"))
    with pytest.raises(ModuleNotFoundError, match="unknown"):
        scope("a=1; Domain=co.uk", "www.example.co.uk")


@pytest.mark.parametrize(
    ("line", "is_secure", "is_kept"),
    [
        ("__Secure-a=1; Secure", True, True),
        ("__Secure-a=1; Secure", False, False),
        ("__Secure-a=1", True, False),
        ("__SECURE-a=1", True, False),
        ("__Host-a=1; Secure; Path=/", True, True),
        ("__Host-a=1; Secure; Path=/", False, False),
        ("__Host-a=1; Path=/", True, False),
        ("__Host-a=1; Secure", True, False),
        ("__Host-a=1; Secure; Path=/b", True, False),
        ("__Host-a=1; Secure; Path=/; Domain=example.com", True, False),
        ("__host-a=1; Secure; Path=/; Domain=www.example.com", True, False),
        ("__Hosta=1", False, True),
    ],
)
def test_promise_of_a_name(line: str, is_secure: bool, is_kept: bool) -> None:
    """A name that promises something is refused if the cookie doesn't keep it."""
    assert (received(line, is_secure=is_secure) is not None) is is_kept


def test_cookie_of_the_program() -> None:
    """Without an origin a cookie is for the domain that it names, or for every host."""
    for line, domain in [("a=1", ""), ("a=1; Domain=com", "com"), ("__Host-a=1", "")]:
        given = parse_set_cookie(line)
        assert given is not None
        cookie = cookie_of(given, None, NOW)
        assert cookie is not None
        assert (cookie.domain, cookie.path, cookie.is_host_only) == (domain, "/", False)


# Until when, and other attributes.


@pytest.mark.parametrize(
    ("attributes", "expires"),
    [
        ("", inf),
        ("; Max-Age=5", NOW + 5),
        ("; Max-Age=5; Max-Age=7", NOW + 7),
        ("; Max-Age=5; Max-Age=x", NOW + 5),
        ("; Max-Age=+5", inf),
        ("; Max-Age=5.0", inf),
        ("; Max-Age=1_0", inf),
        ("; Max-Age=\u0665".encode().decode("latin-1"), inf),
        ("; Max-Age=", inf),
        ("; Max-Age=0", -inf),
        ("; Max-Age=-5", -inf),
        ("; Max-Age=" + "9" * 1000, LATEST),
        ("; Max-Age=-" + "9" * 1000, -inf),
        ("; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("; Expires=Sun, 09 Sep 2001 01:46:41 GMT", NOW + 1),
        ("; Expires=Sun, 09 Sep 2001 01:46:41 GMT; Expires=0", NOW + 1),
        ("; Expires=Fri, 31 Dec 9999 23:59:59 GMT", LATEST),
        ("; Max-Age=5; Expires=Thu, 01 Jan 1970 00:00:00 GMT", NOW + 5),
        ("; Max-Age=0; Expires=Fri, 31 Dec 9999 23:59:59 GMT", -inf),
    ],
)
def test_expiry(attributes: str, expires: float) -> None:
    """Max-Age is stronger than Expires; what is malformed isn't there (sections 5.2, 5.3)."""
    cookie = received("a=1" + attributes)
    assert cookie is not None
    assert cookie.expires == expires


@pytest.mark.parametrize(
    ("attributes", "requested", "path"),
    [
        ("", "/", "/"),
        ("", "/a", "/"),
        ("", "/a/", "/a"),
        ("", "/a/b", "/a"),
        ("; Path=", "/a/b", "/a"),
        ("; Path=c", "/a/b", "/a"),
        ("; Path=/c", "/a/b", "/c"),
        ("; Path=/c/", "/a/b", "/c/"),
        ("; Path=/c; Path=", "/a/b", "/a"),
    ],
)
def test_path(attributes: str, requested: str, path: str) -> None:
    """A path that doesn't begin with a slash is none: the folder of the request is meant."""
    cookie = received("a=1" + attributes, path=requested)
    assert cookie is not None
    assert cookie.path == path


def test_morsel() -> None:
    """A cookie can be had as the standard library's, with all that is known of it."""
    cookie = received("a=1; HttpOnly; Secure; SameSite=None; Expires=Sun, 09-Sep-01 01:46:41 GMT")
    assert cookie is not None
    assert cookie.morsel().OutputString() == (
        "a=1; Domain=www.example.com; expires=Sun, 09 Sep 2001 01:46:41 GMT; HttpOnly; Path=/; "
        "SameSite=None; Secure"
    )


# Hosts and paths.


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        ("a.b.c", ("a.b.c", "b.c", "c")),
        ("c", ("c",)),
        ("a.b.", ("a.b.", "b.")),
        ("1.2.3.4", ("1.2.3.4",)),
        ("::1", ("::1",)),
        ("", ("",)),
    ],
)
def test_domains_of_a_host(host: str, domains: tuple[str, ...]) -> None:
    """A host matches itself and what is above it (RFC 6265, section 5.1.3)."""
    assert domains_of(host) == domains


@pytest.mark.parametrize(
    ("path", "allowed", "matches"),
    [
        ("/", "/", True),
        ("/a", "/", True),
        ("/a", "/a", True),
        ("/a/", "/a", True),
        ("/a/b", "/a", True),
        ("/a/b", "/a/", True),
        ("/ab", "/a", False),
        ("/a", "/a/", False),
        ("/", "/a", False),
        ("/A", "/a", False),
    ],
)
def test_path_matches(path: str, allowed: str, matches: bool) -> None:
    """A path matches itself and what is in it, folder by folder (section 5.1.4)."""
    assert path_matches(path, allowed) is matches


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("Example.COM", "example.com"),
        (".example.com", "example.com"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("münchen.de".encode().decode("latin-1"), "xn--mnchen-3ya.de"),
        ("", ""),
        (".", ""),
    ],
)
def test_canonical_domain(given: str, canonical: str) -> None:
    """Domains are compared in the form that URLs have (section 5.1.2)."""
    assert canonical_domain(given) == canonical


@given(st.text(st.characters(max_codepoint=255)), st.sampled_from(["a.example.com", "1.2.3.4"]))
@example("Domain=.\xe9", "a.example.com")
@example("Domain=\xad", "a.example.com")
def test_no_attribute_breaks_a_cookie(attributes: str, host: str) -> None:
    """Whatever the attributes, a cookie is for its host or above it, or is refused."""
    given = parse_set_cookie(f"a=1; {attributes}")
    cookie = given and cookie_of(given, Origin(host, "/", is_secure=True), NOW)
    if cookie:
        assert cookie.domain in domains_of(host)
        assert cookie.path.startswith("/")
        assert cookie.expires <= LATEST or cookie.expires == inf
