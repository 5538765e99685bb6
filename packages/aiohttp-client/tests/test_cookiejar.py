"""Cookies between requests: which are kept, and which go where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import astuple, replace
from http.cookies import Morsel, SimpleCookie
from math import inf
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from yarl import URL

from aiohttp.client.cookiejar import CookieJar, DummyCookieJar, cookie_doors
from aiohttp.protocol.abc import AbstractCookieJar, ClearCookiePredicate, LooseCookies

HTTP = URL("http://www.example.com/")
HTTPS = URL("https://www.example.com/")


class Clock:
    """A wall clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


def jar_with(*lines: str, url: URL = HTTPS, limit: int = 3000, per_domain: int = 180) -> CookieJar:
    """Return a jar that received Set-Cookie fields."""
    jar = CookieJar(limit=limit, limit_per_domain=per_domain)
    jar.receive(lines, url)
    return jar


# To whom they go.


@pytest.mark.parametrize(
    ("line", "url", "is_sent"),
    [
        ("a=1", "https://www.example.com/", True),
        ("a=1", "http://www.example.com/", True),
        ("a=1", "http://www.example.com:8080/", True),
        ("a=1", "http://WWW.Example.com/", True),
        ("a=1", "ws://www.example.com/", True),
        ("a=1", "http://example.com/", False),
        ("a=1", "http://b.www.example.com/", False),
        ("a=1", "http://other.com/", False),
        ("a=1; Domain=example.com", "http://example.com/", True),
        ("a=1; Domain=example.com", "http://b.www.example.com/", True),
        ("a=1; Domain=example.com", "http://wwwexample.com/", False),
        ("a=1; Secure", "https://www.example.com/", True),
        ("a=1; Secure", "wss://www.example.com/", True),
        ("a=1; Secure", "http://www.example.com/", False),
        ("a=1; Path=/b", "http://www.example.com/b/c?d", True),
        ("a=1; Path=/b", "http://www.example.com/bc", False),
        ("a=1; HttpOnly; SameSite=Strict", "http://www.example.com/", True),
    ],
)
def test_request_that_gets_a_cookie(line: str, url: str, is_sent: bool) -> None:
    """Host, path and TLS decide (RFC 6265, section 5.4)."""
    assert jar_with(line).header(URL(url)) == ("a=1" if is_sent else "")


@pytest.mark.parametrize("url", [URL("http://127.0.0.1:8080/"), URL("http://[::1]/")])
def test_cookies_of_an_address(url: URL) -> None:
    """A host that is an IP address has cookies like any other, for itself alone."""
    jar = jar_with("a=1", url=url)
    assert jar.header(url) == "a=1"
    assert jar.host_only_cookies == {(url.raw_host, "/", "a")}
    assert jar.header(URL("http://127.0.0.2/")) == ""


def test_unsafe_accepts_the_domain_of_an_address() -> None:
    """With ``unsafe`` the Domain attribute of an address holds, too."""
    url = URL("http://127.0.0.1/")
    jar = CookieJar(unsafe=True)
    jar.receive(["a=1; Domain=127.0.0.1"], url)
    assert jar.header(url) == "a=1"
    assert jar.host_only_cookies == frozenset()


def test_order() -> None:
    """Longest paths come first, then the oldest; a replacement is as old as what it replaces."""
    url = URL("http://www.example.com/b/c/d")
    jar = jar_with("a=1; Path=/", "b=1; Path=/; Domain=example.com", "c=1; Path=/b/c", url=url)
    jar.receive(["d=1; Path=/b", "a=2; Path=/"], url)
    assert jar.header(url) == "c=1; d=1; a=2; b=1"


def test_one_name_at_two_paths() -> None:
    """Both are sent, the more specific one first."""
    jar = jar_with("a=1; Path=/", "a=2; Path=/b")
    assert jar.header(URL("http://www.example.com/b")) == "a=2; a=1"
    assert jar.header(HTTP) == "a=1"


@pytest.mark.parametrize("value", ['"x y"', "x y", "a=b", "{1, 2}", "\xe9\xff", '"', "\\", "'"])
def test_values_go_back_as_they_came(value: str) -> None:
    """No octet is changed, whether or not values of the program are quoted."""
    for quote in (True, False):
        jar = CookieJar(quote_cookie=quote)
        jar.receive([f"a={value}"], HTTP)
        assert jar.header(HTTP) == f"a={value}"


def test_cookies_of_one_request() -> None:
    """They follow those of the jar, replace them by name, and stay out of the jar."""
    jar = jar_with("a=1", "b=2")
    assert jar.header(HTTP, {"b": "x y", "c": "3"}) == 'a=1; b="x y"; c=3'
    assert jar.header(HTTP) == "a=1; b=2"
    assert CookieJar(quote_cookie=False).header(HTTP, {"b": "x y"}) == "b=x y"


def test_origin_that_is_treated_as_secure() -> None:
    """Secure cookies go to such an origin without TLS, and to no other one."""
    local = URL("http://localhost:8080/b?c")
    several: list[str | URL] = [local, "http://other/"]
    for given in (local, str(local), several):
        jar = CookieJar(treat_as_secure_origin=given)
        assert local.origin() in jar.treat_as_secure_origin
        jar.receive(["__Secure-a=1; Secure; Path=/"], local)
        assert jar.header(local) == "__Secure-a=1"
        assert jar.header(URL("http://localhost/")) == ""
        assert jar.filter_cookies() == {}


def test_url_without_a_host() -> None:
    """Nothing is received from nowhere."""
    jar = jar_with("a=1", url=URL("/b"))
    assert len(jar) == 0


def test_program_names_no_host() -> None:
    """Cookies of a URL without a host don't go to every host: that is a mistake."""
    jar = CookieJar()
    with pytest.raises(ValueError, match="expected a URL with a host, got '/b'"):
        jar.update_cookies({"a": "1"}, URL("/b"))
    assert len(jar) == 0


# What replaces what.


def test_replacement() -> None:
    """Name, domain and path are what a cookie is known by."""
    jar = jar_with("a=1", "a=2; Domain=example.com", "a=3; Path=/b", "a=4")
    assert len(jar) == 3
    assert jar.header(HTTP) == "a=4; a=2"


def test_domain_attribute_replaces_host_only() -> None:
    """A cookie of the same domain replaces a host-only one, and is not host-only."""
    jar = jar_with("a=1", "a=1; Domain=www.example.com")
    assert jar.header(URL("http://b.www.example.com/")) == "a=1"
    assert jar.host_only_cookies == frozenset()
    jar.receive(["a=1"], HTTP)
    assert jar.header(URL("http://b.www.example.com/")) == ""


@pytest.mark.parametrize(
    "line",
    [
        "a=; Max-Age=0",
        "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "a=; Expires=Sat, 01-Jan-00 00:00:00 GMT",
    ],
)
def test_expiry_in_the_past_deletes(line: str) -> None:
    """That is how a server takes a cookie back."""
    jar = jar_with("a=1", "b=2")
    jar.receive([line], HTTP)
    assert jar.header(HTTP) == "b=2"
    jar.receive([line], HTTP)
    assert len(jar) == 1


def test_cookies_expire() -> None:
    """From the second on that they expire, they are neither sent nor counted."""
    clock = Clock()
    jar = CookieJar(time=clock)
    jar.receive(["a=1; Max-Age=10", "b=2; Max-Age=20", "c=3"], HTTP)
    assert jar.header(HTTP) == "a=1; b=2; c=3"
    clock.now += 9.9
    assert len(jar) == 3
    clock.now += 0.1
    assert jar.header(HTTP) == "b=2; c=3"
    clock.now += 10
    assert len(jar) == 1
    assert [morsel.key for morsel in jar] == ["c"]
    assert jar._next_expiry == inf


def test_expiry_is_put_off() -> None:
    """A server that repeats a cookie keeps it alive; without an expiry it stays."""
    clock = Clock()
    jar = CookieJar(time=clock)
    jar.receive(["a=1; Max-Age=10", "b=2; Max-Age=10"], HTTP)
    assert jar.header(HTTP) == "a=1; b=2"
    clock.now += 5
    jar.receive(["a=1; Max-Age=10", "b=2"], HTTP)
    clock.now += 5
    assert jar.header(HTTP) == "a=1; b=2"
    clock.now += 5
    assert jar.header(HTTP) == "b=2"


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("a=2", "http://www.example.com/"),
        ("a=2; Secure", "http://www.example.com/"),
        ("a=; Max-Age=0", "http://www.example.com/"),
        ("a=2; Domain=example.com", "http://www.example.com/"),
        ("a=2; Domain=example.com", "http://b.example.com/"),
        ("a=2; Path=/b", "http://www.example.com/b"),
    ],
)
def test_secure_cookies_are_left_alone(line: str, url: str) -> None:
    """What comes without TLS neither replaces nor hides a Secure cookie (RFC 6265bis, 5.7)."""
    jar = jar_with("a=1; Secure; Path=/")
    jar.receive([line], URL(url))
    assert [morsel.value for morsel in jar] == ["1"]


def test_secure_cookies_of_others() -> None:
    """Other names, paths and hosts don't keep a cookie away, nor does what came with TLS."""
    jar = jar_with("a=1; Secure; Path=/b", "b=1; Secure")
    jar.receive(["a=2", "c=2"], HTTP)
    jar.receive(["a=3"], URL("http://other.example.com/"))
    jar.receive(["b=4"], HTTPS)
    assert jar.header(HTTP) == "b=4; a=2; c=2"
    assert jar.header(URL("http://other.example.com/")) == "a=3"


def test_secure_cookie_from_without_tls() -> None:
    """It is kept, and sent by TLS only (RFC 6265, section 5.3)."""
    jar = jar_with("a=1; Secure", url=HTTP)
    assert jar.header(HTTP) == ""
    assert jar.header(HTTPS) == "a=1"


# What the program puts in and takes out.


def test_cookies_for_every_host() -> None:
    """Without a URL a cookie goes everywhere, but makes way for a host's own of that name."""
    jar = CookieJar()
    jar.update_cookies({"a": "1", "b": "x y"})
    assert jar.header(HTTP) == 'a=1; b="x y"'
    assert jar.header(URL("http://127.0.0.1/c")) == 'a=1; b="x y"'
    assert jar.header(URL("/c")) == 'a=1; b="x y"'
    jar.receive(["a=2"], HTTP)
    assert jar.header(HTTP) == 'b="x y"; a=2'
    assert jar.header(URL("http://127.0.0.1/c")) == 'a=1; b="x y"'


@pytest.mark.parametrize(
    "cookies",
    [{"a": "1"}, [("a", "1")], {"a": SimpleCookie("a=1")["a"]}, SimpleCookie("a=1")],
)
def test_cookies_of_the_program(cookies: LooseCookies) -> None:
    """Mappings, pairs, texts and morsels: with a URL they are that host's."""
    jar = CookieJar()
    jar.update_cookies(cookies, URL("http://www.example.com/b/c"))
    assert jar.header(URL("http://www.example.com/b/")) == "a=1"
    assert jar.header(HTTP) == jar.header(URL("http://other.com/b/")) == ""


def test_morsel_with_attributes() -> None:
    """Attributes of a morsel mean what they mean in a response."""
    clock = Clock()
    jar = CookieJar(time=clock)
    cookies = SimpleCookie('a="x y"; Path=/b; Domain=example.com; Secure; Max-Age=10')
    jar.update_cookies(cookies, HTTPS)
    [morsel] = jar
    assert (morsel["path"], morsel["domain"], morsel["secure"]) == ("/b", "example.com", True)
    assert jar.header(URL("https://example.com/b")) == 'a="x y"'
    clock.now += 10
    assert len(jar) == 0


@pytest.mark.parametrize(("name", "value"), [("expires", 10), ("max-age", 10), ("max-age", "10")])
def test_morsel_with_a_number(name: str, value: object) -> None:
    """A number of seconds counts from now, in either attribute, as http.cookies has it."""
    clock = Clock()
    jar = CookieJar(time=clock)
    morsel: Morsel[str] = Morsel()
    morsel.set("a", "1", "1")
    morsel[name] = value
    jar.update_cookies({"a": morsel}, HTTP)
    clock.now += 9
    assert len(jar) == 1
    clock.now += 1
    assert len(jar) == 0


def test_morsel_that_deletes() -> None:
    """A Max-Age of zero is no missing one, whether text or number."""
    for value in (0, "0"):
        jar = jar_with("a=1")
        cookies = SimpleCookie("a=")
        cookies["a"]["max-age"] = value
        jar.update_cookies(cookies, HTTP)
        assert len(jar) == 0


def test_domain_of_a_morsel() -> None:
    """Without a URL a morsel goes to the domain that it names; with one it must match."""
    jar = CookieJar()
    cookies = SimpleCookie("a=1; Domain=other.com")
    jar.update_cookies(cookies, HTTP)
    assert len(jar) == 0
    jar.update_cookies(cookies)
    assert jar.header(URL("http://www.other.com/")) == "a=1"
    assert jar.header(HTTP) == ""


def test_morsel_with_a_control_character() -> None:
    """An attribute that no server could have sent is refused, since no file would have it back."""
    morsel: Morsel[str] = Morsel()
    morsel.set("a", "1", "1")
    # Newer Pythons refuse it in ``morsel["domain"]``.
    super(Morsel, morsel).update(domain="a\x00.com")
    with pytest.raises(ValueError, match=r"'\\x00' in the attribute domain of cookie 'a'"):
        CookieJar().update_cookies({"a": morsel})


def test_promising_name_of_the_program() -> None:
    """A plain value whose name has a prefix gets the attributes that the prefix promises."""
    jar = CookieJar()
    jar.update_cookies({"__Host-a": "1", "__Secure-b": "2"}, URL("https://www.example.com/c/d"))
    assert jar.header(HTTPS) == "__Host-a=1"
    assert jar.header(URL("https://www.example.com/c")) == "__Secure-b=2; __Host-a=1"
    assert jar.header(URL("http://www.example.com/c")) == ""


@pytest.mark.parametrize("cookies", [{"a b": "1"}, {"a": "1\r\n"}, {"a": "1\x00"}])
def test_unsendable_cookies_are_refused(cookies: dict[str, str]) -> None:
    """The program's mistakes are errors at once."""
    with pytest.raises(ValueError, match="cookie"):
        CookieJar().update_cookies(cookies)


def test_filter_cookies() -> None:
    """The standard library's view of a request: of one name, the most specific."""
    jar = jar_with("a=1; Path=/", 'b="x y"; Path=/', "a=2; Path=/b")
    jar.update_cookies({"c": "3"})
    found = jar.filter_cookies(URL("https://www.example.com/b"))
    assert isinstance(found, SimpleCookie)
    assert {name: morsel.value for name, morsel in found.items()} == {
        "a": "2",
        "b": "x y",
        "c": "3",
    }
    assert found.output(header="", sep=";") == ' a=2; b="x y"; c=3'
    assert list(jar.filter_cookies("http://other.com/")) == ["c"]
    assert list(jar.filter_cookies()) == ["c"]


def test_views() -> None:
    """All cookies can be looked at, by domain and path."""
    jar = jar_with("a=1; Secure", "b=2; Domain=example.com; Path=/c")
    jar.update_cookies({"d": "3"})
    assert {key: list(cookies) for key, cookies in jar.cookies.items()} == {
        ("www.example.com", "/"): ["a"],
        ("example.com", "/c"): ["b"],
        ("", "/"): ["d"],
    }
    assert jar.host_only_cookies == {("www.example.com", "/", "a")}
    assert sorted(morsel.OutputString() for morsel in jar) == [
        "a=1; Domain=www.example.com; Path=/; Secure",
        "b=2; Domain=example.com; Path=/c",
        "d=3; Path=/",
    ]
    assert repr(jar) == "<CookieJar 3 cookies>"


def test_clear() -> None:
    """Some or all cookies are removed, and aren't sent any more."""
    jar = jar_with("a=1", "b=2", "c=3")
    assert jar.header(HTTP) == "a=1; b=2; c=3"
    jar.clear(lambda morsel: morsel.key == "b")
    assert jar.header(HTTP) == "a=1; c=3"
    jar.clear()
    assert jar.header(HTTP) == ""
    assert len(jar) == 0


def test_clear_domain() -> None:
    """A domain is cleared with everything below it, and nothing else."""
    jar = jar_with("a=1", "b=2; Domain=example.com")
    jar.receive(["c=3"], URL("http://wwwexample.com/"))
    jar.update_cookies({"d": "4"})
    jar.clear_domain("www.Example.com")
    assert sorted(morsel.key for morsel in jar) == ["b", "c", "d"]
    jar.clear_domain(".example.com")
    assert sorted(morsel.key for morsel in jar) == ["c", "d"]


def test_saved_jar_is_loaded(tmp_path: Path) -> None:
    """What is loaded is what was saved, host-only and shared cookies, order and expiry."""
    file = tmp_path / "cookies"
    clock = Clock()
    jar = CookieJar(time=clock)
    jar.receive(['a="x y"; Path=/b; Secure; HttpOnly; SameSite=Lax; Max-Age=10', "b=2"], HTTPS)
    jar.receive(["c=\xff; Domain=example.com", "d=4; Max-Age=5"], HTTP)
    jar.update_cookies({"e": "5"})
    clock.now += 5
    jar.save(file)
    loaded = CookieJar(time=clock)
    loaded.receive(["old=1"], HTTP)
    loaded.load(file)
    for url in ("https://www.example.com/b", "http://example.com/", "https://other.com/"):
        assert loaded.header(URL(url)) == jar.header(URL(url)) != ""
    assert loaded.cookies == jar.cookies
    assert loaded.host_only_cookies == jar.host_only_cookies
    clock.now += 5
    assert len(loaded) == 3


def test_any_path_can_be_loaded(tmp_path: Path) -> None:
    """A path may have a semicolon: that of the request, or of a morsel."""
    url = URL("http://www.example.com/b;c/d")
    jar = jar_with("a=1", url=url)
    cookies = SimpleCookie("b=2")
    cookies["b"]["path"] = "/日;e"
    jar.update_cookies(cookies, url)
    jar.save(tmp_path / "cookies")
    loaded = CookieJar()
    loaded.load(tmp_path / "cookies")
    assert loaded.header(url) == "a=1"
    assert [morsel["path"] for morsel in loaded] == ["/b;c", "/日;e"]


def test_jar_is_kept_when_a_file_is_refused(tmp_path: Path) -> None:
    """A file that is no jar, or isn't there, changes nothing."""
    file = tmp_path / "cookies"
    jar = jar_with("a=1")
    with pytest.raises(FileNotFoundError):
        jar.load(file)
    file.write_text("[]")
    with pytest.raises(ValueError, match="is no file of cookies"):
        jar.load(str(file))
    assert jar.header(HTTP) == "a=1"


# Bounds.


def test_limit_per_domain() -> None:
    """What wasn't used for the longest time makes room; other domains don't notice."""
    clock = Clock()
    jar = CookieJar(limit_per_domain=3, time=clock)
    jar.receive(["o=1"], URL("http://other.com/"))
    jar.receive(["a=1; Path=/a", "b=2; Path=/b", "c=3; Path=/c"], HTTP)
    clock.now += 1
    assert jar.header(URL("http://www.example.com/a")) == "a=1"
    jar.receive(["d=4"], HTTP)
    assert [morsel.key for morsel in jar] == ["o", "a", "c", "d"]


def test_limit() -> None:
    """The number of all cookies is bounded, too; a tenth goes at once."""
    clock = Clock()
    jar = CookieJar(limit=100, time=clock)
    for number in range(101):
        clock.now += 1
        jar.receive([f"a={number}"], URL(f"http://h{number}.com/"))
    assert len(jar) == 91
    assert next(iter(jar)).value == "10"


def test_expired_cookies_make_room_first() -> None:
    """None has to go for one that has expired (RFC 6265, section 5.3)."""
    clock = Clock()
    jar = CookieJar(limit=3, limit_per_domain=2, time=clock)
    jar.receive(["a=1", "b=2; Max-Age=5"], HTTP)
    clock.now += 5
    jar.receive(["c=3"], HTTP)
    assert [morsel.key for morsel in jar] == ["a", "c"]
    jar.receive(["d=4; Max-Age=5"], URL("http://other.com/"))
    clock.now += 5
    jar.receive(["e=5"], URL("http://another.com/"))
    assert [morsel.key for morsel in jar] == ["a", "c", "e"]


def test_secure_cookies_stay() -> None:
    """A server without TLS can't push Secure cookies out."""
    jar = jar_with("a=1; Secure", "b=2; Secure", per_domain=2, limit=3)
    jar.receive(["c=3", "d=4; Domain=example.com"], HTTP)
    jar.receive(["e=5"], URL("http://other.com/"))
    assert jar.header(HTTPS) == "a=1; b=2"
    jar.receive(["f=6; Secure"], HTTPS)
    assert jar.header(HTTPS) == "b=2; f=6"


def test_shared_cookies_are_not_of_one_domain() -> None:
    """The bound of a domain is one for servers: what goes to every host isn't counted."""
    jar = CookieJar(limit_per_domain=2)
    jar.update_cookies({str(number): "1" for number in range(5)})
    assert len(jar) == 5


def test_no_limits() -> None:
    """0 means that there is none."""
    jar = CookieJar(limit=0, limit_per_domain=0)
    jar.receive([f"a{number}=1" for number in range(4000)], HTTP)
    assert len(jar) == 4000


@pytest.mark.parametrize("limits", [(-1, 1), (1, -1)])
def test_limits_are_counts(limits: tuple[int, int]) -> None:
    """A negative limit is a mistake."""
    with pytest.raises(ValueError, match="limits are counts from 0 on"):
        CookieJar(limit=limits[0], limit_per_domain=limits[1])


def test_answers_are_bounded() -> None:
    """What is remembered for requests stays small, however many URLs there are."""
    jar = jar_with("a=1; Path=/")
    for number in range(3000):
        assert jar.header(URL(f"http://www.example.com/{number}")) == "a=1"
    assert len(jar._answers) <= 1024


def test_answers_are_bounded_in_size() -> None:
    """Nor do many long cookies fill the memory once for each URL."""
    jar = jar_with(*[f"a{number}={'x' * 4000}; Path=/" for number in range(100)])
    for number in range(20):
        assert len(jar.header(URL(f"http://www.example.com/{number}"))) > 400_000
    assert sum(len(answer.field) for answer in jar._answers.values()) < 2_000_000


# The same cookie again.

SESSION = "a=%s; Path=/; HttpOnly"


def test_value_changes_with_each_response() -> None:
    """The field of a request has the value that came last, and the cookie keeps its age."""
    jar = jar_with(SESSION % 1, "b=1; Path=/")
    for number in range(5):
        jar.receive([SESSION % number], HTTPS)
        assert jar.header(HTTPS) == f"a={number}; b=1"
        assert [morsel.value for morsel in jar] == [str(number), "1"]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("a=3\x00; Path=/; HttpOnly", "a=1"),
        ("a; Path=/; HttpOnly", "a=1"),
        (f"a={'x' * 4097}; Path=/; HttpOnly", "a=1"),
        ("a=; Path=/; HttpOnly", "a="),
        ("a= 3 ; Path=/; HttpOnly", "a=3"),
        ("a=\xe4=\xa0; Path=/; HttpOnly", "a=\xe4=\xa0"),
        ("a=3; Path=/; HttpOnly; Max-Age=0", ""),
        ("a=3; Path=/; HttpOnly; Secure", ""),
        (f"a={'x' * 1000}; Path=/; HttpOnly", f"a={'x' * 1000}"),
    ],
)
def test_value_that_is_read_as_the_first_was(line: str, field: str) -> None:
    """What is no cookie is none the second time either."""
    jar = jar_with(SESSION % 1)
    for _ in range(2):
        jar.receive([line], HTTPS)
        assert jar.header(HTTP) == field


def test_secure_cookie_without_tls_stays_as_it_came() -> None:
    """What comes without TLS replaces no Secure cookie, not even one that came so itself."""
    jar = CookieJar()
    for value in (1, 2, 3):
        jar.receive([f"a={value}; Path=/; Secure"], HTTP)
        assert jar.header(HTTPS) == "a=1"


def test_path_by_default_is_that_of_each_request() -> None:
    """A cookie that names no path, or none that begins with /, is another one elsewhere."""
    for path in ("", "; Path=x", "; Path=/; Path=x"):
        jar = CookieJar()
        for place in ("/a/", "/b/", "/a/"):
            jar.receive([f"a={place}{path}"], HTTP.with_path(place))
        assert jar.header(HTTP.with_path("/a/")) == "a=/a/"
        assert jar.header(HTTP.with_path("/b/")) == "a=/b/"


def test_lifetime_begins_anew() -> None:
    """Max-Age counts from each response; a date passes, though it is said again."""
    clock = Clock()
    jar = CookieJar(time=clock)
    date = "Sun, 09 Sep 2001 01:47:00 GMT"  # in 20 s
    for seconds in (0, 8, 16, 24):
        clock.now = 1_000_000_000.0 + seconds
        jar.receive(["a=1; Path=/; Max-Age=9", f"b=1; Path=/; Expires={date}"], HTTP)
        assert jar.header(HTTP) == ("a=1; b=1" if seconds < 20 else "a=1")
    clock.now += 9
    assert jar.header(HTTP) == ""


def test_shorter_lifetime_holds() -> None:
    """Two ways to say one cookie, in turn: the last one counts."""
    clock = Clock()
    jar = CookieJar(time=clock)
    for _ in range(3):
        jar.receive(["a=1; Path=/; Max-Age=10"], HTTP)
        jar.receive(["a=1; Path=/; Max-Age=1000"], HTTP)
        clock.now += 11
        assert jar.header(HTTP) == "a=1"
    jar.receive(["a=1; Path=/; Max-Age=10"], HTTP)
    clock.now += 11
    assert jar.header(HTTP) == ""


def test_two_ways_to_say_a_cookie() -> None:
    """It is what was said last, whatever was said before, and by whichever line."""
    jar = CookieJar()
    for _ in range(2):
        jar.receive(["a=1; Path=/; HttpOnly; Expires=Fri, 01 Jan 2100 00:00:00 GMT"], HTTP)
        (morsel,) = jar
        assert (morsel["httponly"], morsel["expires"][-17:]) == (True, "2100 00:00:00 GMT")
        jar.receive(["a=1; Path=/; SameSite=Lax"], HTTP)
        (morsel,) = jar
        assert (morsel["httponly"], morsel["expires"], morsel["samesite"]) == ("", "", "Lax")


def test_cookie_without_room_comes_again() -> None:
    """What was pushed out at once isn't kept the second time either."""
    jar = jar_with("a=1; Path=/; Secure", limit=1)
    for value in (1, 2):
        jar.receive([f"b={value}; Path=/"], HTTPS)
        assert jar.header(HTTPS) == "a=1"
        assert len(jar) == 1


def test_renewals_are_bounded() -> None:
    """What is remembered of lines stays small, however many kinds of them there are."""
    jar = jar_with("a=1; Path=/")
    for number in range(3000):
        jar.receive([f"a=1; Path=/; {number}", f"a=1; Path=/; {number}{'x' * 5000}"], HTTPS)
    assert len(jar._renewals) <= 1024
    assert max(len(attributes) for _, attributes, *_ in jar._renewals) < 1024


def test_answers_stay_bounded_in_size() -> None:
    """Nor do values that grow when answers are remembered already fill the memory."""
    urls = [URL(f"http://www.example.com/{number}") for number in range(20)]
    jar = jar_with(*[f"a{number}=; Path=/" for number in range(100)])
    for url in urls:
        assert len(jar.header(url)) < 1000
    jar.receive([f"a{number}={'x' * 4000}; Path=/" for number in range(100)], HTTPS)
    for url in urls:
        assert len(jar.header(url)) > 400_000
    assert sum(len(answer.field) for answer in jar._answers.values()) < 2_000_000


# Any jar.


class PlainJar(AbstractCookieJar):
    """A jar of somebody else, who knows the abstract class only."""

    def __init__(self) -> None:
        self.inner = CookieJar()

    def __len__(self) -> int:
        return len(self.inner)

    def __iter__(self) -> Iterator[Morsel[str]]:
        return iter(self.inner)

    def update_cookies(self, cookies: LooseCookies, response_url: URL | None = None) -> None:
        self.inner.update_cookies(cookies, response_url)

    def filter_cookies(self, request_url: URL) -> SimpleCookie:
        return self.inner.filter_cookies(request_url)

    def clear(self, predicate: ClearCookiePredicate | None = None) -> None:
        self.inner.clear(predicate)

    def clear_domain(self, domain: str) -> None:
        self.inner.clear_domain(domain)


class ForgetfulJar(CookieJar):
    """Our jar, with another mind about what to send."""

    def filter_cookies(self, request_url: str | URL | None = None) -> SimpleCookie:
        return SimpleCookie()


def test_doors_of_our_jars() -> None:
    """Our own jars are spoken to without objects of http.cookies."""
    for jar in (CookieJar(), DummyCookieJar()):
        assert cookie_doors(jar) == (jar.receive, jar.header)


def test_doors_of_any_jar() -> None:
    """Another jar receives morsels and gives morsels; values and names stay as they are."""
    receive, header = cookie_doors(PlainJar())
    receive(['a="x y"; Path=/', "b[0]=\xff; Path=/c", "broken", "b[0]=2; Path=/"], HTTP)
    assert header(HTTP, None) == 'a="x y"; b[0]=2'
    assert header(URL("http://www.example.com/c"), {"a": "1"}) == "b[0]=\xff; a=1"


def test_doors_of_a_subclass() -> None:
    """A subclass that decides by itself is asked."""
    receive, header = cookie_doors(ForgetfulJar())
    receive(["a=1"], HTTP)
    assert header(HTTP, {"b": "2"}) == "b=2"


def test_dummy_jar() -> None:
    """It keeps nothing; what one request is given is sent."""
    jar = DummyCookieJar()
    jar.receive(["a=1"], HTTP)
    jar.update_cookies({"b": "2"}, HTTP)
    jar.clear()
    jar.clear_domain("example.com")
    assert (len(jar), list(jar), list(jar.filter_cookies(HTTP))) == (0, [], [])
    assert jar.header(HTTP) == ""
    assert jar.header(HTTP, {"a": "x y"}) == 'a="x y"'
    assert repr(jar) == "<DummyCookieJar>"


def test_parameters_of_aiohttp() -> None:
    """A loop may be given, and is not needed; what else was given can be read."""
    jar = CookieJar(unsafe=True, quote_cookie=False, loop=None)
    assert (jar.unsafe, jar.quote_cookie, jar.treat_as_secure_origin) == (True, False, frozenset())
    assert len(DummyCookieJar(loop=None)) == 0


# Everything at once: what is remembered never differs from what would be found anew.

hosts = st.sampled_from(["example.com", "www.example.com", "b.www.example.com", "10.0.0.1"])
paths = st.sampled_from(["/", "/a", "/a/b"])
urls = st.builds("{}://{}{}".format, st.sampled_from(["http", "https"]), hosts, paths).map(URL)
attributes = st.sampled_from([
    "Secure", "Path=/", "Path=/a", "Max-Age=3", "Max-Age=0", "Domain=example.com",
    "Domain=www.example.com", "Domain=10.0.0.1", "HttpOnly", "Expires=09 Sep 2001 01:46:45",
])  # fmt: skip


def set_cookie(name: str, value: str, given: list[str]) -> str:
    """Return the value of a Set-Cookie field."""
    return "; ".join([f"{name}={value}", *given])


lines = st.builds(
    set_cookie,
    st.sampled_from(["a", "b", "__Host-c"]),
    st.sampled_from(["1", "2"]),
    st.lists(attributes, max_size=4),
)


class JarMachine(RuleBasedStateMachine):
    """A small jar in use, beside one that takes every line for a new one."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.jar = CookieJar(limit=8, limit_per_domain=5, time=self.clock)
        self.forgetful = CookieJar(limit=8, limit_per_domain=5, time=self.clock)
        self.last: list[str] = []

    @rule(given=st.lists(lines, max_size=3), url=urls)
    def receive(self, given: list[str], url: URL) -> None:
        self.jar.receive(given, url)
        for line in given:
            self.forgetful._renewals.clear()
            self.forgetful.receive([line], url)
        self.last = [*given, *self.last][:6]

    @rule(value=st.sampled_from(["1", "2", "3"]), url=urls)
    def receive_again(self, value: str, url: URL) -> None:
        others = [re.sub("=[^;]*", f"={value}", line, count=1) for line in self.last]
        self.receive(others, url)

    @rule(seconds=st.integers(0, 2))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(domain=hosts)
    def clear_domain(self, domain: str) -> None:
        self.jar.clear_domain(domain)
        self.forgetful.clear_domain(domain)

    @rule(url=urls)
    def ask(self, url: URL) -> None:
        field = self.jar.header(url)
        assert self.forgetful.header(url) == field
        anew = CookieJar(time=self.clock)
        for cookie in sorted(self.jar._all(), key=lambda each: each.created):
            anew._put(replace(cookie))
        assert anew.header(url) == field
        if url.scheme == "http":
            assert "__Host-c" not in field

    @invariant()
    def nothing_is_taken_for_another(self) -> None:
        assert len(self.jar) == len(self.forgetful)  # what has expired is gone then
        kept, expected = (
            sorted(astuple(replace(cookie, max_age=None)) for cookie in jar._all())
            for jar in (self.jar, self.forgetful)
        )
        assert kept == expected

    @invariant()
    def counts_are_right(self) -> None:
        cookies = list(self.jar._all())
        assert len(cookies) == self.jar._count <= 8
        secure = {cookie for cookie in cookies if cookie.is_secure}
        assert set().union(*self.jar._secure.values()) == secure
        assert all(self.jar._secure.values())
        assert all(0 < len(domain) <= 5 for domain in self.jar._domains.values())
        assert all(cookie.expires >= self.jar._next_expiry for cookie in cookies)
        assert len(self.jar) == sum(cookie.expires > self.clock.now for cookie in cookies)


TestJar = settings(max_examples=60, stateful_step_count=20, deadline=None)(JarMachine).TestCase
