"""The Link field: what a server says about where else to go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from aiohttp.client.links import parse_links

BASE = URL("http://a.example/dir/page?q=1")


def plain(*values: str) -> list[tuple[str, dict[str, str]]]:
    """Return the links in these field lines, URLs as text; of parameters the first ones."""
    links = parse_links(values, BASE)
    return [(name, {key: str(link[key]) for key in link}) for name, link in links.items()]


@pytest.mark.parametrize(
    ("value", "links"),
    [
        (
            '<http://example.com/TheBook/chapter2>; rel="previous"; title="previous chapter"',
            [
                (
                    "previous",
                    {
                        "rel": "previous",
                        "title": "previous chapter",
                        "url": "http://example.com/TheBook/chapter2",
                    },
                )
            ],
        ),  # RFC 8288, section 3.5, as the next four
        (
            '</>; rel="http://example.net/foo"',
            [
                (
                    "http://example.net/foo",
                    {"rel": "http://example.net/foo", "url": "http://a.example/"},
                )
            ],
        ),
        (
            '</terms>; rel="copyright"; anchor="#foo"',
            [
                (
                    "copyright",
                    {"rel": "copyright", "anchor": "#foo", "url": "http://a.example/terms"},
                )
            ],
        ),
        (
            (
                "</TheBook/chapter2>; rel=\"previous\"; title*=UTF-8'de'letztes%20Kapitel, "
                "</TheBook/chapter4>; rel=\"next\"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel"
            ),
            [
                (
                    "previous",
                    {
                        "rel": "previous",
                        "title*": "letztes Kapitel",
                        "url": "http://a.example/TheBook/chapter2",
                    },
                ),
                (
                    "next",
                    {
                        "rel": "next",
                        "title*": "nächstes Kapitel",
                        "url": "http://a.example/TheBook/chapter4",
                    },
                ),
            ],
        ),
        (
            '<x>; rel="start  NEXT"',
            [
                ("start", {"rel": "start  NEXT", "url": "http://a.example/dir/x"}),
                ("next", {"rel": "start  NEXT", "url": "http://a.example/dir/x"}),
            ],
        ),
        ("<x>", [("x", {"url": "http://a.example/dir/x"})]),
        ("<>; rel=self", [("self", {"rel": "self", "url": str(BASE)})]),
        (
            r'<a,b;c>; title="a, \"b\"; <c>" ;rel = next',
            [
                (
                    "next",
                    {
                        "title": 'a, "b"; <c>',
                        "rel": "next",
                        "url": "http://a.example/dir/a,b;c",
                    },
                )
            ],
        ),
        (
            "<x>; rel=a; rel=b",
            [("a", {"rel": "a", "url": "http://a.example/dir/x"})],
        ),
        ("<x>; url=evil", [("x", {"url": "http://a.example/dir/x"})]),
        (
            "<x>; nopush;; rel=preload",
            [("preload", {"nopush": "", "rel": "preload", "url": "http://a.example/dir/x"})],
        ),
        ("</\xc3\xa4 b>", [("/\xc3\xa4 b", {"url": "http://a.example/%C3%A4%20b"})]),
    ],
)
def test_links(value: str, links: list[tuple[str, dict[str, str]]]) -> None:
    """Targets are resolved, relations are names, parameters are there."""
    assert plain(value) == links


def test_several_lines() -> None:
    """Each line is one part of the whole; of the same relation there may be several."""
    links = parse_links(["<1>; rel=item, <2>; rel=item", "<3>; rel=item"], BASE)
    assert [link["url"] for link in links.getall("item")] == [
        URL(f"http://a.example/dir/{number}") for number in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("", []),
        ("x", []),
        ("<x", []),
        ("<x>; rel=a; title*=nonsense, <y>; rel=b", ["a", "b"]),
        ('<x>; rel="a', ["a"]),
        ('<x>; rel="a\\', ["a"]),
        ('<x>; rel="a" b, <y>; rel=c', ["a"]),
        ("<http://[>; rel=a, <y>; rel=b", ["b"]),
        (", ,<x>; rel=a,,<y>; rel=b,", ["a", "b"]),
    ],
)
def test_malformed_links(value: str, names: list[str]) -> None:
    """What can be read is there, and nothing raises."""
    assert [name for name, _ in plain(value)] == names


@given(st.text(st.sampled_from('<>;,=" \t\\%a*[]:/#?\xe4'), max_size=60))
def test_nothing_raises(value: str) -> None:
    """Whatever a server says, it is no error."""
    parse_links([value], BASE)


@pytest.mark.parametrize(
    "hostile", ["<x>" + ";a" * 30_000, '<x>;a="' + "\\a" * 30_000, "<" * 60_000]
)
def test_long_lines_take_linear_time(hostile: str) -> None:
    """No pattern goes back over what it has seen."""
    parse_links([hostile], BASE)
