"""Cookies in a file."""

from __future__ import annotations

import json
import os
import stat
import sys
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.client.cookie import LATEST, Cookie
from aiohttp.client.cookiefile import read_cookies, write_cookies

ENTRY: dict[str, object] = {
    "name": "a",
    "value": "1",
    "domain": "example.com",
    "path": "/",
    "expires": None,
    "is_secure": False,
    "is_http_only": False,
    "is_host_only": True,
    "same_site": "",
}

texts = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters=";=\x7f"))
cookies = st.builds(
    Cookie,
    name=texts.filter(bool),
    value=texts,
    domain=texts,
    path=texts.map("/;{}".format),
    expires=st.just(inf) | st.floats(0, LATEST),
    is_secure=st.booleans(),
    is_http_only=st.booleans(),
    is_host_only=st.booleans(),
    same_site=texts,
)


def facts(cookie: Cookie) -> tuple[object, ...]:
    """Return what is to be kept of a cookie."""
    return tuple(getattr(cookie, name) for name in ENTRY)


def refusal(file: Path, content: object) -> str:
    """Write a file, expect that it is refused, and return why."""
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ValueError, match="is no file of cookies: ") as caught:
        read_cookies(file)
    message = str(caught.value)
    assert message.startswith(str(file))
    assert message.isprintable()
    return message.partition("is no file of cookies: ")[2]


def entries(**fields: object) -> dict[str, object]:
    """Return the content of a file with one good cookie, and another one with these fields."""
    return {"format": "aiohttp cookies 1", "cookies": [ENTRY, {**ENTRY, **fields}]}


@given(given_cookies=st.lists(cookies))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, given_cookies: list[Cookie]
) -> None:
    """Every fact of a cookie comes back, octet for octet, in order."""
    file = tmp_path_factory.getbasetemp() / "cookies"
    write_cookies(file, given_cookies)
    assert [facts(cookie) for cookie in read_cookies(file)] == list(map(facts, given_cookies))


def test_file(tmp_path: Path) -> None:
    """The file is JSON that a person can read."""
    file = tmp_path / "cookies"
    write_cookies(str(file), [Cookie("a", "1", "example.com", "/", is_host_only=True)])
    assert json.loads(file.read_text()) == {"format": "aiohttp cookies 1", "cookies": [ENTRY]}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of files")
def test_only_the_owner_may_read(tmp_path: Path) -> None:
    """Whatever the umask, and whatever the file was like before."""
    file = tmp_path / "cookies"
    file.write_text("")
    file.chmod(0o644)
    before = os.umask(0)
    try:
        write_cookies(file, [])
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_failure_leaves_what_was_there(tmp_path: Path) -> None:
    """Where the new file can't take the old one's place, nothing else is left behind."""
    target = tmp_path / "cookies"
    target.mkdir()
    (target / "kept").touch()
    with pytest.raises(OSError, match="cookies"):
        write_cookies(target, [])
    assert [path.name for path in tmp_path.iterdir()] == ["cookies"]
    assert (target / "kept").exists()


def test_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """Whoever puts a link in the way gets nothing written elsewhere."""
    other = tmp_path / "other"
    other.write_text("kept")
    file = tmp_path / "cookies"
    file.symlink_to(other)
    write_cookies(file, [])
    assert other.read_text() == "kept"
    assert not file.is_symlink()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[" * 100_000, "recursion"),
        ("\x80\x04\x95", "Expecting value"),
        ([], 'expected an object with "format": "aiohttp cookies 1" and a list of "cookies"'),
        ({"format": "aiohttp cookies 2", "cookies": []}, "expected an object"),
        ({"format": "aiohttp cookies 1", "cookies": {}}, "expected an object"),
        ({"example.com|/": {"a": {"key": "a", "value": "1"}}}, "expected an object"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: object, reason: str) -> None:
    """What isn't a file of cookies is told so, in one line that begins with its path."""
    assert reason in refusal(tmp_path / "cookies", content)


def test_octets_are_refused(tmp_path: Path) -> None:
    """A file that is no text is no file of cookies, and nothing in it is run."""
    file = tmp_path / "cookies"
    file.write_bytes(b"\x80\x04\x95\x1d\x00\x00\x00cos\nsystem\n")
    with pytest.raises(ValueError, match="is no file of cookies: 'utf-8' codec can't decode"):
        read_cookies(file)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": ""}, "cookie 1: '' can't be its name"),
        ({"name": "a=b"}, "cookie 1: 'a=b' can't be its name"),
        ({"name": "a\r\nX: y"}, r"cookie 1: '\r' in its name"),
        ({"name": 1}, "cookie 1: name can't be of type int"),
        ({"value": "1; b=2"}, "cookie 1: ';' in its value"),
        ({"value": "1\n"}, r"cookie 1: '\n' in its value"),
        ({"value": "日"}, "cookie 1: '日' in its value"),
        ({"value": None}, "cookie 1: value can't be of type NoneType"),
        ({"domain": "a\x00"}, r"cookie 1: '\x00' in its domain"),
        ({"path": "/\n"}, r"cookie 1: '\n' in its path"),
        ({"path": "a"}, "cookie 1: expected a path from / on, not 'a'"),
        ({"path": ""}, "cookie 1: expected a path from / on, not ''"),
        ({"expires": True}, "cookie 1: expires can't be of type bool"),
        ({"expires": "0"}, "cookie 1: expires can't be of type str"),
        ({"expires": 10**400}, "cookie 1: expires must be within the year 9999"),
        ({"expires": inf}, "Infinity is no number of JSON"),
        ({"is_host_only": 1}, "cookie 1: is_host_only can't be of type int"),
        ({"more": 1}, "cookie 1: fields are missing, or too many: 'more'"),
    ],
)
def test_malformed_cookie_is_refused(
    tmp_path: Path, fields: dict[str, object], reason: str
) -> None:
    """A cookie that isn't as it would have been written is named, with what is wrong."""
    assert refusal(tmp_path / "cookies", entries(**fields)) == reason


def test_incomplete_cookie_is_refused(tmp_path: Path) -> None:
    """A cookie without its host-only flag, or one that is no object, isn't guessed at."""
    content = entries()
    incomplete = {name: value for name, value in ENTRY.items() if name != "is_host_only"}
    wrong: list[object] = [incomplete, [], None, "is_host_only"]
    for entry in wrong:
        content["cookies"] = [entry]
        assert "is_host_only" in refusal(tmp_path / "cookies", content)


def test_huge_number_is_refused(tmp_path: Path) -> None:
    """A number that overflows is not taken for infinity."""
    text = json.dumps(entries()).replace("null", "1e999")
    assert "expires must be within" in refusal(tmp_path / "cookies", text)
