"""Cookies: what has gone wrong elsewhere (rules 9, 12 and 13), by the id of the advisory."""

from __future__ import annotations

import json
import logging
import pickle
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from yarl import URL

from aiohttp.client.cookie import canonical_domain, domains_of, path_matches
from aiohttp.client.cookiejar import CookieJar
from aiohttp.client.cookies import (
    cookie_field,
    merge,
    morsel_of,
    parse_cookie_date,
    parse_set_cookie,
    response_cookies,
    wire_value,
)
from aiohttp.protocol.cookies import parse_cookie_field

URL_HTTP = URL("http://www.example.com/")


def receive(line: str) -> None:
    """Let a jar receive one line."""
    CookieJar().receive([line], URL_HTTP)


WORK: dict[str, Callable[[int], object]] = {
    "CVE-2024-52804 escapes": lambda n: morsel_of("a", '"' + "\\073" * (n // 4) + '"'),
    "CVE-2024-52804 backslashes": lambda n: morsel_of("a", '"' + "\\" * n + '"'),
    "quotes to send": lambda n: wire_value("a", '"' + '\\"' * (n // 2)),
    "quoted but for its end": lambda n: wire_value("a", '"' + "x" * n),
    "white space in a name": lambda n: parse_set_cookie("a" + " " * n + "b" + "\t" * n + "=1"),
    "semicolons": lambda n: receive("a=1" + ";" * n),
    "attributes": lambda n: receive("a=1" + ";path=/" * (n // 7)),
    "domains": lambda n: receive("a=1" + ";domain=\xe9" * (n // 9)),
    "dates": lambda n: receive("a=1" + ";expires=0:0:0 1 jan 2031" * (n // 26)),
    "digits of a date": lambda n: parse_cookie_date("1" * n),
    "delimiters of a date": lambda n: parse_cookie_date(" ," * (n // 2)),
    "cookies to read": lambda n: parse_cookie_field("a=1;" * (n // 4)),
    "cookies to merge": lambda n: merge("a=1;" * (n // 8), "b=1;" * (n // 8)),
    "cookies of a response": lambda n: response_cookies(["a=1; path=/"] * (n // 11)),
    "path": lambda n: path_matches("/a" * (n // 2), "/a" * (n // 2 - 1)),
    "domain": lambda n: canonical_domain("a." * (n // 2)),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_time_is_linear(work: Callable[[int], object]) -> None:
    """Sixteen times as much takes about sixteen times as long, and never its square."""

    def seconds(size: int) -> float:
        began = time.thread_time()
        work(size)
        return time.thread_time() - began

    small = min(seconds(20_000) for _ in range(3))
    large = min(seconds(320_000) for _ in range(3))
    assert large < 16 * 6 * max(small, 0.0002)


def test_hosts_are_short() -> None:
    """What grows with the square of labels is bounded: a name has 255 octets at most."""
    began = time.thread_time()
    assert len(domains_of("a." * 127 + "b")) == 128
    assert time.thread_time() - began < 0.1


def test_full_jar_stays_quick() -> None:
    """A server that fills a jar again and again does not make each cookie dear."""

    def seconds(count: int) -> float:
        began = time.thread_time()
        jar = CookieJar(limit=300)
        for number in range(count):
            jar.receive([f"a{number}=1"], URL_HTTP.with_host(f"h{number % 50}.com"))
        return time.thread_time() - began

    assert seconds(4000) < 4 * 6 * max(seconds(1000), 0.005)


def test_cookies_of_others_cost_nothing() -> None:
    """What a jar has of other hosts makes no cookie dear that comes without TLS."""

    def seconds(hosts: int) -> float:
        jar = CookieJar()
        for number in range(hosts):
            jar.receive(["a=1"], URL_HTTP.with_host(f"h{number}.com"))
        began = time.thread_time()
        for number in range(300):
            jar.receive([f"a={number}"], URL_HTTP)
        return time.thread_time() - began

    assert seconds(2900) < 10 * max(seconds(29), 0.005)


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2025-69230: no cookie writes to a log, however bad, so nobody can flood it."""
    caplog.set_level(logging.DEBUG)
    lines = [
        "",
        "=",
        "a",
        "a=\x00",
        "a b=c d",
        "a=1; domain=com",
        "a=1; expires=x",
        "a=" + "x" * 9999,
    ]
    CookieJar(limit=1).receive(lines * 50, URL_HTTP)
    response_cookies(lines * 50)
    assert not caplog.records


def test_pickle_is_refused(tmp_path: Path) -> None:
    """CVE-2026-34993: a file can't make us run anything: it is JSON, or it is refused."""
    file = tmp_path / "cookies"
    file.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ValueError, match="is no file of cookies"):
        CookieJar().load(file)


def test_host_only_survives_a_file(tmp_path: Path) -> None:
    """CVE-2026-54279: after save and load no subdomain gets a host-only cookie."""
    jar = CookieJar()
    jar.receive(["a=1"], URL("http://example.com/"))
    jar.save(tmp_path / "cookies")
    loaded = CookieJar()
    loaded.load(tmp_path / "cookies")
    assert loaded.header(URL("http://example.com/")) == "a=1"
    assert loaded.header(URL("http://sub.example.com/")) == ""


def test_flag_can_not_be_left_out_of_a_file(tmp_path: Path) -> None:
    """CVE-2026-54279: nor does a file without the flag widen a cookie: it is refused."""
    file = tmp_path / "cookies"
    jar = CookieJar()
    jar.receive(["a=1"], URL_HTTP)
    jar.save(file)
    content = json.loads(file.read_text())
    del content["cookies"][0]["is_host_only"]
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="is_host_only"):
        CookieJar().load(file)


@pytest.mark.parametrize("text", ["a\r\nSet-Cookie: b", "a; b=2", "a\x00", "a\n"])
@pytest.mark.parametrize("quote", [True, False])
def test_nothing_is_injected(text: str, quote: bool) -> None:
    """CVE-2026-35536, GHSA-wwv5-g3v4-889x: what a program passes on begins no cookie or field."""
    for pair in [(text, "1"), ("a", text)]:
        try:
            field = cookie_field([pair], quote=quote)
        except ValueError:
            continue
        assert field == r'a="a\073 b=2"'


@pytest.mark.parametrize("attribute", ["Domain=evil.com", "Path=/\r\nX: y", "Domain=a\x00.com"])
def test_attributes_of_a_server_go_nowhere(attribute: str) -> None:
    """CVE-2026-35536: attributes decide where a cookie goes, and are never sent themselves."""
    jar = CookieJar()
    jar.receive(
        [f"a=1; {attribute}", f"b=1; Path=/; SameSite={attribute.encode().hex()}"], URL_HTTP
    )
    assert jar.header(URL_HTTP) == "b=1"


def test_number_of_cookies_is_bounded() -> None:
    """Whatever servers send, a jar has 180 cookies of a domain, and 3000 in all, at most."""
    jar = CookieJar()
    for number in range(40):
        url = URL(f"http://h{number}.com/")
        jar.receive([f"a{each}=1" for each in range(200)], url)
        assert len(jar.filter_cookies(url)) <= 180
    assert len(jar) <= 3000
