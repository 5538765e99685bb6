"""Files below a directory, by the paths of requests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aiohttp.server.web.application import Application
from aiohttp.server.web.static_resource import StaticResource, file_names
from aiohttp.test_utils import MemoryClient, MemoryResponse

IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a directory with some files."""
    root = tmp_path / "root"
    (root / "sub dir").mkdir(parents=True)
    (root / "app.js").write_text("let x")
    (root / "sub dir" / "größe 100%.txt").write_text("odd name")
    return root


async def get(resource: StaticResource, *paths: str, method: str = "GET") -> list[MemoryResponse]:
    """Return what an application with this resource answers."""
    app = Application()
    app.router.register_resource(resource)
    async with MemoryClient(app) as client:
        return [await client.request(method, path) for path in paths]


@pytest.mark.parametrize(
    ("rest", "names"),
    [
        ("", []),
        ("/", []),
        ("/a", ["a"]),
        ("/a/b.txt", ["a", "b.txt"]),
        ("/a/", ["a"]),
        ("/...", ["..."]),
        ("/100%25", ["100%"]),
        ("/größe", ["größe"]),
        ("/%FF", [os.fsdecode(b"\xff")]),
        ("/a:b\\c", ["a:b\\c"]),
    ],
)
def test_names(rest: str, names: list[str]) -> None:
    """What is between slashes is a name, unescaped once."""
    assert file_names(rest, is_windows=False) == names


@pytest.mark.parametrize(
    "rest",
    ["//", "/a//b", "//a", "/a//", "/.", "/..", "/../a", "/a/../b", "/a/..", "/./a", "/a%2Fb",
     "/%2F", "/..%2Fa", "/a\0", "/%00"],
)  # fmt: skip
def test_what_is_no_name(rest: str) -> None:
    """Nothing leads upwards, stays where it is, or has a slash or NUL in it."""
    assert file_names(rest, is_windows=False) is None
    assert file_names(rest, is_windows=True) is None


async def test_files(root: Path) -> None:
    """GET and HEAD get what is there, under its name as a URL has it."""
    resource = StaticResource("/static/", root)
    path = "/static/sub%20dir/gr%C3%B6%C3%9Fe%20100%25.txt"
    found, odd = await get(resource, "/static/app.js", path)
    assert (found.status, found.body, found.content_type) == (200, b"let x", "text/javascript")
    assert (odd.status, odd.body) == (200, b"odd name")
    (head,) = await get(resource, "/static/app.js", method="HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "5")


async def test_other_methods(root: Path) -> None:
    """What is not GET or HEAD is 405, whether there is a file or not."""
    for response in await get(StaticResource("/s", root), "/s/app.js", "/s/no", method="POST"):
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")


async def test_root_of_the_site(root: Path) -> None:
    """The prefix may be empty: what other resources don't have is looked for in the files."""
    app = Application()
    app.router.add_static("/", root)
    async with MemoryClient(app) as client:
        assert (await client.get("/app.js")).text() == "let x"
        assert (await client.get("/")).status == 404


async def test_below_another_application(root: Path) -> None:
    """The prefix of an application is put before that of its files."""
    inner, outer = Application(), Application()
    inner.router.add_static("/static", root, name="files", show_index=True)
    outer.add_subapp("/in", inner)
    assert str(inner.router["files"].url_for(filename="app.js")) == "/in/static/app.js"
    async with MemoryClient(outer) as client:
        assert (await client.get("/in/static/app.js")).text() == "let x"
        assert 'href="/in/static/app.js"' in (await client.get("/in/static")).text()


async def test_match_info(root: Path) -> None:
    """A middleware finds the path of the file in match_info, and the directory in the route."""
    resource = StaticResource("/static", root, name="files")
    assert resource.get_info()["directory"] == root
    assert [route.method for route in resource] == ["GET", "HEAD"]
    assert len(resource) == 2
    assert repr(resource) == f"<StaticResource 'files' /static -> {str(root)!r}>"


async def test_listing(root: Path) -> None:
    """A directory is shown if that was asked for, with or without a slash at its end."""
    resource = StaticResource("/static", root, show_index=True)
    with_slash, without, inner = await get(resource, "/static/", "/static", "/static/sub%20dir")
    assert with_slash.body == without.body
    assert with_slash.content_type == "text/html"
    assert "default-src 'none'" in with_slash.headers["Content-Security-Policy"]
    assert 'href="/static/app.js"' in with_slash.text()
    assert 'href="/static/sub%20dir/gr%C3%B6%C3%9Fe%20100%25.txt"' in inner.text()


async def test_order_of_a_listing(root: Path) -> None:
    """The order is part of the URL."""
    (root / "b.js").touch()
    (page,) = await get(StaticResource("/static", root, show_index=True), "/static?sort=-name")
    assert page.text().index("b.js") < page.text().index("app.js")


async def test_file_is_no_directory(root: Path) -> None:
    """A slash behind the name of a file, or a name below it, leads to nothing."""
    resource = StaticResource("/static", root, show_index=True)
    for response in await get(resource, "/static/app.js/", "/static/app.js/x"):
        assert response.status == 404


async def test_links_inside(root: Path) -> None:
    """A link to a file or directory inside is as good as the thing."""
    (root / "latest.js").symlink_to("app.js")
    (root / "dir").symlink_to(root / "sub dir")
    resource = StaticResource("/static", root)
    file, inner = await get(
        resource, "/static/latest.js", "/static/dir/gr%C3%B6%C3%9Fe%20100%25.txt"
    )
    assert (file.text(), inner.text()) == ("let x", "odd name")


async def test_directory_that_is_a_link(root: Path, tmp_path: Path) -> None:
    """The directory itself may be named by a link."""
    (tmp_path / "current").symlink_to(root)
    (found,) = await get(StaticResource("/static", tmp_path / "current"), "/static/app.js")
    assert found.text() == "let x"


def test_no_directory(tmp_path: Path) -> None:
    """Files are served from a directory that exists."""
    with pytest.raises(ValueError, match=r"expected a directory .*/none', found nothing"):
        StaticResource("/static", tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="found something else"):
        StaticResource("/static", tmp_path / "file")


# URLs.


def test_url(root: Path) -> None:
    """The URL of a file has what its name needs escaped."""
    resource = StaticResource("/größe", root)
    assert resource.url_for("app.js").raw_path == "/gr%C3%B6%C3%9Fe/app.js"
    assert str(resource.url_for(Path("sub dir/100%?#.txt"))).endswith("/sub%20dir/100%25%3F%23.txt")
    assert resource.url_for(filename="/app.js") == resource.url_for("app.js")


@pytest.mark.parametrize("name", ["../secret", "a//b", "a/./b", "a\0"])
def test_url_of_no_file(root: Path, name: str) -> None:
    """No URL is made that would never be answered."""
    with pytest.raises(ValueError, match="expected the path of a file below the directory"):
        StaticResource("/static", root).url_for(name)


def test_version(root: Path) -> None:
    """A version is that of the content, and changes with it."""
    resource = StaticResource("/static", root, append_version=True)
    before = resource.url_for("app.js")
    assert before == resource.url_for("app.js")
    assert before.query["v"] == StaticResource.get_file_hash(b"let x")
    (root / "app.js").write_text("let y = 1")
    assert resource.url_for("app.js").query["v"] == StaticResource.get_file_hash(b"let y = 1")
    assert not resource.url_for("app.js", append_version=False).query
    for name in ("missing.js", "sub dir"):
        assert not resource.url_for(name).query


def test_version_by_default(root: Path) -> None:
    """Without append_version there is none, unless one is asked for."""
    resource = StaticResource("/static", root)
    assert not resource.url_for("app.js").query
    assert resource.url_for("app.js", append_version=True).query


async def test_version_is_kept_by_caches(root: Path) -> None:
    """A file that is asked for by its current version never changes; by another one it may."""
    resource = StaticResource("/static", root, append_version=True)
    current = str(resource.url_for("app.js"))
    good, bad, none = await get(resource, current, "/static/app.js?v=old", "/static/app.js")
    assert good.headers["Cache-Control"] == IMMUTABLE
    assert "Cache-Control" not in bad.headers
    assert "Cache-Control" not in none.headers
    (root / "app.js").write_text("changed")
    (changed,) = await get(resource, current)
    assert "Cache-Control" not in changed.headers


async def test_directory_that_goes_away(root: Path) -> None:
    """While the directory is replaced, its files are missing, and no error."""
    resource = StaticResource("/static", root)
    (root.parent / "root").rename(root.parent / "old")
    (response,) = await get(resource, "/static/app.js")
    assert response.status == 404
