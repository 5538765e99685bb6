"""Heads in which nothing is unusual, and what is kept of them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol import (
    InvalidHeader,
    Limits,
    RemoteProtocolError,
    RequestHead,
    ResponseHead,
    parse_request_head,
    parse_response_head,
)
from aiohttp.protocol.headers import parse_field_line
from aiohttp.protocol.http1 import head as head_module
from aiohttp.protocol.http1 import lines as module
from aiohttp.protocol.http1.lines import plain_parts
from aiohttp.protocol.limits import DEFAULT_LIMITS

Head = RequestHead | ResponseHead


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
            False,
        )  # fmt: skip


def test_plain_parts_tell_whether_all_lines_were_kept() -> None:
    """That is, whether they have few values, and were met before: no secret is among them."""
    for lines, tells in (
        ([b"Accept: kept"], [False, True]),
        ([b"Accept: kept", b"X-Unknown-Yet: secret"], [False, False]),
        ([b"Accept: kept", b"Cookie: secret"], [False, False]),
        ([b"Authorization: secret"], [False, False]),
    ):
        for _ in tells:
            plain_parts(request(b"Accept:"), DEFAULT_LIMITS)  # names are known now
        found = [plain_parts(request(*lines), DEFAULT_LIMITS) for _ in range(3)]
        assert [parts[2] for parts in found if parts][-2:] == [tells[-1]] * 2


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
        b"GET / HTTP/1.1\r\nHost: a\0\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n ",
        b"\r\n\r\n",
        b"",
    ],
)
def test_anything_unusual_is_left_to_others(head: bytes) -> None:
    """Another line end, control character, fold, second head, or a line that is no field."""
    for _ in range(2):
        assert plain_parts(head, DEFAULT_LIMITS) is None


@pytest.mark.parametrize("octet", [*range(0x20), *range(0x7F, 0x100)])
def test_unknown_characters_are_looked_at(octet: int) -> None:
    """A value of a known name is plain only if it is printable ASCII."""
    assert plain_parts(request(b"X-A: a"), DEFAULT_LIMITS) is not None
    assert plain_parts(request(b"X-A: a%cb" % octet), DEFAULT_LIMITS) is None


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


PARTS = [
    b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", b"Host: a\r\n", b"X-A: b\r\n", b"Accept: b\r\n",
    b"X-A:", b"Accept:", b"Content-Length: 1\r\n", b"a", b" ", b":", b"\t", b"\0", b"\x85", b"\xe4",
    b"\r\n", b"\r", b"\n",
]  # fmt: skip


def outcome(parse: Callable[[bytes], Head], data: bytes) -> object:
    """Return what is understood, or the error."""
    try:
        head = parse(data)
    except RemoteProtocolError as exc:
        return type(exc), exc.message
    first = (
        (head.method, head.target) if isinstance(head, RequestHead) else (head.status, head.reason)
    )
    return first, head.version, list(head.headers.items()), head.content_length


@pytest.mark.parametrize("parse", [parse_request_head, parse_response_head])
@given(parts=st.lists(st.sampled_from(PARTS), max_size=10))
def test_plain_or_not_comes_to_the_same(parse: Callable[[bytes], Head], parts: list[bytes]) -> None:
    """A head, or the error with its message, doesn't depend on the way that was taken."""
    start = b"GET / HTTP/1.1\r\n" if parse is parse_request_head else b"HTTP/1.1 200 OK\r\n"
    for data in (start + b"".join(parts) + b"\r\n\r\n", b"".join(parts)):
        with (
            mock.patch.object(head_module, "plain_parts", return_value=None),
            mock.patch.object(head_module, "known_request_head", return_value=None),
        ):
            ordinary = outcome(parse, data)
        assert [outcome(parse, data) for _ in range(3)] == [ordinary] * 3


@pytest.mark.parametrize("name", [b"User-Agent", b"user-agent", b"USER-AGENT"])
def test_lines_of_few_values_are_kept_in_every_spelling(name: bytes) -> None:
    """Once its name is known, a line is looked up as a whole, whichever case its name is in."""
    for value in (b"1", b"2"):
        assert plain_parts(request(name + b": " + value), DEFAULT_LIMITS) is not None
    assert f"{name.decode()}: 2" in module._fields_by_line


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
