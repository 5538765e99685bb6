"""The page that lists a directory."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from aiohttp.server.web.listing import Entry, content_security_policy, listing_page

FILES = [
    Entry("file10.txt", 5, 300.0),
    Entry("file2.txt", 2_500_000, 100.0),
    Entry("B", None, 0.0),
    Entry("a.TXT", 999, 200.0),
]


def names(page: str) -> list[str]:
    """Return the names on a page, in its order."""
    return re.findall(r'<td class="name"><a[^>]*>([^<]*)</a>', page)


class Links(HTMLParser):
    """Collects what a browser would follow, and every element it would make."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href" and value]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("name", ["B/", "a.TXT", "file2.txt", "file10.txt"]),
        ("-name", ["B/", "file10.txt", "file2.txt", "a.TXT"]),
        ("size", ["B/", "file10.txt", "a.TXT", "file2.txt"]),
        ("-size", ["B/", "file2.txt", "a.TXT", "file10.txt"]),
        ("date", ["B/", "file2.txt", "a.TXT", "file10.txt"]),
        ("-date", ["B/", "file10.txt", "a.TXT", "file2.txt"]),
        ("<script>", ["B/", "a.TXT", "file2.txt", "file10.txt"]),
    ],
)
def test_order(order: str, expected: list[str]) -> None:
    """Directories come first, numbers count as such, case doesn't."""
    assert names(listing_page("/static", [], FILES, order=order)) == expected


def test_header_offers_the_other_order() -> None:
    """A second click on a column turns it round; no script is needed."""
    page = listing_page("/static", [], FILES, order="size")
    assert 'class="size" aria-sort="ascending"><a href="?sort=-size">' in page
    assert '<th scope="col" class="date"><a href="?sort=date">' in page
    assert Links(page).tags.isdisjoint({"script", "link", "img", "iframe", "form"})


def test_links() -> None:
    """Each link is an absolute path on this host, with its names escaped."""
    page = listing_page("/static/", ["a b", "ü"], [Entry("100%#?.txt", 1, 0.0)])
    assert [link for link in Links(page).links if not link.startswith("?")] == [
        "/static/",
        "/static/a%20b/",
        "/static/a%20b/",
        "/static/a%20b/%C3%BC/100%25%23%3F.txt",
    ]


def test_listing_of_the_whole_site() -> None:
    """At the prefix "/" no link begins with two slashes, which would name a host."""
    links = Links(listing_page("", [], [Entry("evil.example", None, 0.0)])).links
    links += Links(listing_page("", ["evil.example"], FILES)).links
    assert "/evil.example/" in links
    assert not any("//" in link for link in links)


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "javascript:alert(1)",
        "&lt;script&gt;",
        "a\nb",
        "\udcff\udcfe",
    ],
)
def test_names_are_text(name: str) -> None:
    """A name is shown as it is, in the title, the trail, the table and as a link's text."""
    entries = [Entry(name, 1, 0.0), Entry(name, None, 0.0)]
    page = listing_page("/static", [name, "x"], entries)
    found = Links(page)
    assert found.tags.isdisjoint({"script", "img"})
    assert all(link.startswith(("/static", "?sort=")) for link in found.links)
    page.encode("utf-8")
    assert not re.search(r"<[^>]*\son\w+=", page)


def test_text_that_runs_backwards() -> None:
    """A name can't pass for another one by characters that turn the text round."""
    assert names(listing_page("/", [], [Entry("a\u202etxt.exe", 1, 0.0)])) == ["a\ufffdtxt.exe"]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 KiB"), (1024, "1.0 KiB"), (102_400, "100 KiB"),
        (1_022_000, "998 KiB"), (1_023_500, "1.0 MiB"), (2**40, "1.0 TiB"), (2**63, "8.0 EiB"),
    ],
)  # fmt: skip
def test_sizes(size: int, text: str) -> None:
    """A size has at most three digits before its unit; the exact one is in the title."""
    page = listing_page("/", [], [Entry("a", size, 0.0)])
    assert f'title="{size:,} bytes">{text}</td>' in page


def test_dates() -> None:
    """Dates are in UTC; one that no calendar has is left out."""
    page = listing_page("/", [], [Entry("a", 1, 784111777.0)])
    assert '<time datetime="1994-11-06T08:49Z" title="UTC">1994-11-06 08:49</time>' in page
    assert "<time" not in listing_page("/", [], [Entry("a", 1, 1e30)])


def test_empty_directory() -> None:
    """An empty directory says so."""
    assert "This directory is empty." in listing_page("/", [], [])
    assert "1 directory · 3 files · 2.4 MiB" in listing_page("/", [], FILES)


def test_policy() -> None:
    """The page's own style is all that it may load."""
    assert content_security_policy().startswith("default-src 'none'; style-src 'sha256-")
