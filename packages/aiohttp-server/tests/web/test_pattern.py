"""Paths of routes: taken apart, compared, filled."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.server.web.paths import routing_path
from aiohttp.server.web.pattern import PathPattern, Place


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("", ""),
        ("/", "/"),
        ("/a%20b/ы", "/a b/ы"),
        ("/a/{name}", "/a/{name}"),
        (r"/{year:\d{4}}-{month:\d\d}", "/{year}-{month}"),
        ("/{tail:.*}", "/{tail}"),
    ],
)
def test_canonical(path: str, canonical: str) -> None:
    """A pattern tells its path, not escaped and without regexes."""
    assert PathPattern(path).canonical == canonical


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a", "begins with / or is empty, got 'a'"),
        ("/{", "expected } for the { at 1 of '/{'"),
        (r"/{a:\d{2}", "expected } for the { at 1"),
        ("/a}", "expected { before } in '/a}'"),
        ("/{}", "got {} in '/{}'"),
        ("/{1a}", "ASCII identifier as name, got {1a}"),
        ("/{é}", "ASCII identifier"),
        ("/{a:}", "expected a regex after the colon of {a:}"),
        ("/{a:(}", r"the regex of {a:(} in '/{a:(}' is none: missing )"),
        ("/{a:(?P<b>x)}", "must not name groups"),
        ("/{a}/{a}", "the parameter 'a' comes twice"),
    ],
)
def test_a_path_that_is_none_is_refused(path: str, message: str) -> None:
    """The error says what was expected, and where."""
    with pytest.raises(ValueError, match=r"^[^\n]*$") as caught:
        PathPattern(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "path", "values"),
    [
        ("/{a}/x", "/1/x", {"a": "1"}),
        ("/{a}/x", "/1/x/", None),
        ("/{a}/x", "//x", None),
        ("/{a}", "/1/2", None),
        ("/{a}", "/1%2F2", {"a": "1/2"}),
        ("/{a}", "/{x}", None),
        (r"/{a:\d+}.{b}", "/12.txt", {"a": "12", "b": "txt"}),
        (r"/{a:\d+}.{b}", "/12-txt", None),
        ("/{a:.*}", "/", {"a": ""}),
        ("/{a:.*}", "/1/2%252F", {"a": "1/2%2F"}),
        ("/a.b/{c}", "/axb/1", None),
        ("/{a:x|y}z", "/yz", {"a": "y"}),
        ("/{a:(x)?}", "/", {"a": ""}),
        ("/{a}-{b}", "/1-2-3", {"a": "1-2", "b": "3"}),
        ("/{a}-{b}", "/1--", {"a": "1", "b": "-"}),
        ("/{a}-{b}", "/-1", None),
        ("/{a}-{b}", "/1/2", None),
        ("/{a}-{b}", "/1-{2}", None),
        ("/{a}{b}/x", "/123/x", {"a": "12", "b": "3"}),
        ("/{a}-{b}/x", "/1%2F2-3/x", {"a": "1/2", "b": "3"}),
        ("/100%/{a}", "/100%25/x", {"a": "x"}),
    ],
)
def test_match(pattern: str, path: str, values: dict[str, str] | None) -> None:
    """The whole path has to match; the values are decoded."""
    assert PathPattern(pattern).match(path) == values


@given(
    st.sampled_from(["/{a}-{b}", "/{a}{b}", "/x{a}-{b}--{c}y", "/{a}-{b}/{c}", "/{a}x{b}x"]),
    st.text("x-y/", max_size=9),
)
def test_segment_of_several_values_is_divided_as_by_its_regex(pattern: str, path: str) -> None:
    """What is found without the regex is what the regex finds."""
    taken_apart = PathPattern(pattern)
    found = taken_apart.regex.fullmatch("/" + path)
    assert taken_apart.match("/" + path) == (None if found is None else found.groupdict())


@pytest.mark.parametrize("path", ["/" + "-" * 8000 + "/", "/" + "-" * 8000, "/" + "a-" * 4000])
def test_several_values_in_a_segment_take_linear_time(path: str) -> None:
    """A path that almost matches isn't tried in all its divisions: that were ten minutes."""
    pattern = PathPattern("/{year}-{month}-{day}.html")
    began = perf_counter()
    assert pattern.match(path) is None
    assert perf_counter() - began < 1


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", Place("/", ("", ""))),
        ("", Place("/", ("",))),
        ("/a/b", Place("/a/b", ("",))),
        ("/a/b/", Place("/a/b", ("", ""))),
        ("/{a}", Place("/", ("", None))),
        ("/a/{b}/c/", Place("/a", ("", None, "c", ""))),
        ("/a/x{b}/c", Place("/a", None)),
        (r"/a/{b:\d+}", Place("/a", None)),
        ("/a{tail:.*}", Place("/", None)),
    ],
)
def test_place(path: str, place: Place) -> None:
    """The prefix is made of whole segments; a shape has only whole segments that differ."""
    assert PathPattern(path).place == place


def test_fill() -> None:
    """Values are escaped; a slash stays where a regex may want it."""
    pattern = PathPattern("/ы/{a}/{tail:.*}")
    assert pattern.fill({"a": "x/y ?#%", "tail": "1/2 3"}) == "/%D1%8B/x%2Fy%20%3F%23%25/1/2%203"


@pytest.mark.parametrize("tail", ["/evil.example", "//evil.example", "\\evil.example"])
def test_fill_never_leaves_the_host(tail: str) -> None:
    """A URL that a program makes from a value stays on its own host."""
    path = PathPattern("/{tail:.*}").fill({"tail": tail})
    assert not path.startswith("//")
    assert "\\" not in path


def test_fill_needs_exactly_its_values() -> None:
    """What is missing, too many, or no str is told."""
    pattern = PathPattern("/{a}/{b}")
    with pytest.raises(TypeError, match=r"expected values for a, b of /\{a\}/\{b\}, got a"):
        pattern.fill({"a": "1"})
    with pytest.raises(TypeError, match="expected a str for b, got int"):
        pattern.fill({"a": "1", "b": 2})  # type: ignore[dict-item]


@given(st.text(st.characters(codec="utf-8", exclude_characters="{}"), min_size=1))
def test_what_is_filled_in_is_matched(value: str) -> None:
    """The URL of a resource leads to it, with the same value."""
    pattern = PathPattern("/a b/{name}/c%2Fd/100%")
    assert pattern.match(routing_path(pattern.fill({"name": value}))) == {"name": value}


def test_below() -> None:
    """A pattern behind a prefix is as if it had been written so."""
    joined = PathPattern("/{b}").below(PathPattern("/a%20/x"))
    assert joined.parts == PathPattern("/a%20/x/{b}").parts
    assert joined.place == Place("/a /x", ("", None))
