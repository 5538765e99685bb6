"""Heads in which nothing is unusual, and what is kept of them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol import InvalidHeader, Limits, parse_request_head
from aiohttp.protocol.headers import parse_field_line
from aiohttp.protocol.http1 import lines as module
from aiohttp.protocol.http1.lines import plain_parts
from aiohttp.protocol.limits import DEFAULT_LIMITS


@pytest.fixture(autouse=True)
def empty_caches() -> Iterator[None]:
    """Begin and end with nothing kept."""
    caches = (module._fields_by_line, module._names_by_start, module._kept_by_start)
    for cache in caches:
        cache.clear()
    yield
    for cache in caches:
        cache.clear()


def request(*lines: bytes) -> bytes:
    """Return a request with these field lines."""
    return b"\r\n".join((b"GET / HTTP/1.1", b"Host: a", *lines, b"", b""))


def kept() -> str:
    """Return all that is kept, as text."""
    return repr((module._fields_by_line, module._names_by_start, module._kept_by_start))


def test_plain_head_is_taken_apart() -> None:
    """Names keep their spelling and order; spaces around values go."""
    head = request(b"accept: */*", b"X-A:b", b"X-A:   c d  ", b"X-Empty:", b"X-Empty: ")
    for _ in range(3):
        assert plain_parts(head, DEFAULT_LIMITS) == (
            "GET / HTTP/1.1",
            [
                ("Host", "a"), ("accept", "*/*"), ("X-A", "b"), ("X-A", "c d"),
                ("X-Empty", ""), ("X-Empty", ""),
            ],
        )  # fmt: skip


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\n\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\n\rX: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\r\n\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\x0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\x1c\x1d\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\x85\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\tb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_anything_unusual_is_left_to_others(head: bytes) -> None:
    """Another line end, control character, fold, second head, or a line that is no field."""
    assert plain_parts(head, DEFAULT_LIMITS) is None


def test_heads_beyond_a_limit_are_left_to_others() -> None:
    """Too many fields, and too many bytes."""
    head = request(b"X-A: b", b"X-A: c")
    assert plain_parts(head, Limits(fields=3)) is not None
    assert plain_parts(head, Limits(fields=2)) is None
    assert plain_parts(head, Limits(head=len(head) - 1)) is None


field_lines = st.lists(
    st.from_regex(r"[A-Za-z-]{1,8}:[ ]{0,2}[ -~]{0,12}", fullmatch=True).map(str.encode)
)


@given(field_lines)
def test_known_and_unknown_lines_come_to_the_same(lines: list[bytes]) -> None:
    """What is kept never changes a field: the slow way, the first and the second time agree."""
    head = request(*lines)
    slow = [parse_field_line(line.decode()) for line in (b"Host: a", *lines)]
    for _ in range(2):
        parts = plain_parts(head, DEFAULT_LIMITS)
        assert parts is not None
        assert parts[1] == slow


def test_refused_lines_are_not_kept() -> None:
    """A line that was refused is refused again, and leaves nothing behind."""
    for _ in range(3):
        with pytest.raises(InvalidHeader):
            parse_request_head(request(b"X-Refused : a"))
    assert "X-Refused" not in kept()


@pytest.mark.parametrize(
    "line",
    [
        b"Authorization: Basic secret", b"AUTHORIZATION: Bearer secret", b"Referer: secret",
        b"proxy-authorization: secret", b"Cookie: secret", b"Set-Cookie: secret",
        b"X-Api-Key: secret", b"X-Auth-Token: secret", b"ETag: secret",
    ],
)  # fmt: skip
def test_secrets_are_not_kept(line: bytes) -> None:
    """Credentials, and all other values that are not few, don't outlive their head."""
    for _ in range(2):
        assert plain_parts(request(line), DEFAULT_LIMITS) is not None
    assert "secret" not in kept()


def test_what_heads_share_can_not_be_changed() -> None:
    """Two heads share a kept field, which is a tuple; what a program gets is read-only."""
    for _ in range(2):  # the first one teaches the name
        head = parse_request_head(request(b"Accept: a"))
    assert isinstance(module._fields_by_line["Accept: a"], tuple)
    with pytest.raises(TypeError):
        head.headers["Accept"] = "b"  # type: ignore[index]
    assert parse_request_head(request(b"Accept: a")).headers["Accept"] == "a"


def test_what_is_kept_is_bounded() -> None:
    """However many different lines and names come, less than 2 MiB is kept."""
    tracemalloc.start()
    for number in range(10_000):
        line = f"User-Agent: {number} ".ljust(256, "x")
        name = f"X-{number}-".ljust(64, "x")
        spelling = f"{number:b}".replace("1", "C").replace("0", "c")
        heads = request(line.encode(), f"{name}: a".encode(), f"X{spelling}: a".encode())
        assert plain_parts(heads, DEFAULT_LIMITS) is not None
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 2 * 2**20
    assert len(module._fields_by_line) <= 2048
    assert len(module._names_by_start) <= 512


def test_long_lines_and_names_are_not_kept() -> None:
    """A line of more than 256 characters, a name of more than 64, are parsed anew each time."""
    line = b"User-Agent: ".ljust(257, b"x")
    name = b"X-".ljust(65, b"x") + b": a"
    assert plain_parts(request(line, name), DEFAULT_LIMITS) is not None
    assert "xxx" not in kept()
