"""The index: which resources are asked, in which order, and how few."""

from __future__ import annotations

import pytest

from aiohttp import web
from aiohttp.server.web.index import ResourceIndex


def index_of(*paths: str) -> ResourceIndex:
    """Return an index of resources with these paths."""
    index, router = ResourceIndex(), web.UrlDispatcher()
    for path in paths:
        index.add(router.add_resource(path))
    return index


@pytest.mark.parametrize(
    ("paths", "path", "expected"),
    [
        (["/{a}/x", "/{a}/{b}", "/p/{b}", "/p/q"], "/p/q", ["/p/q", "/p/{b}", "/{a}/{b}"]),
        (["/{a}/{b}", "/{a}/x"], "/p/x", ["/{a}/{b}", "/{a}/x"]),
        (["/{a}/x", "/{a}/{b}"], "/p/x", ["/{a}/x", "/{a}/{b}"]),
        (["/{tail:.*}", "/{a}"], "/p", ["/{tail}", "/{a}"]),
        (["/{a}", "/{tail:.*}", "/p"], "/p", ["/p", "/{a}", "/{tail}"]),
        (["/p", "/p/", "/p/{a}"], "/p/", ["/p/", "/p/{a}"]),
        (["/p", "/p/"], "/p", ["/p"]),
        (["/a/b/c", "/a"], "/a/b", []),
        (["/", ""], "/", ["/"]),
    ],
)
def test_candidates(
    paths: list[str], path: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longest fixed prefix goes first; then the order of adding."""
    few = [each.canonical for each in index_of(*paths).candidates(path)]
    assert [each for each in few if each in expected] == expected
    monkeypatch.setattr("aiohttp.server.web.index._FEW", 0)
    assert [each.canonical for each in index_of(*paths).candidates(path)] == expected


def test_a_thousand_routes_of_one_shape_have_one_candidate() -> None:
    """However many patterns begin with a parameter: their fixed segments tell them apart."""
    index = index_of(*(f"/{{tenant}}/thing{i}/{{id}}" for i in range(1000)))
    assert [r.canonical for r in index.candidates("/t/thing7/1")] == ["/{tenant}/thing7/{id}"]
    assert list(index.candidates("/t/other/1")) == []


def test_deep_paths_are_not_tried_deeper_than_the_routes_are() -> None:
    """A path of thousands of segments costs no more than its first few."""
    index = index_of("/a/b/{tail:.*}")
    path = "/a/b" + "/x" * 4000
    assert index._end_of_prefix(path) == len("/a/b")
    assert [each.canonical for each in index.candidates(path)] == ["/a/b/{tail}"]
