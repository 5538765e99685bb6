"""The fields Cookie and Set-Cookie, in both directions."""

from __future__ import annotations

from datetime import UTC, datetime
from http.cookies import Morsel, SimpleCookie
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiohttp.client.cookies import (
    SetCookie,
    cookie_field,
    merge,
    morsel_of,
    parse_cookie_date,
    parse_set_cookie,
    response_cookies,
    wire_value,
)
from aiohttp.protocol.cookies import parse_cookie_field
from aiohttp.protocol.dates import http_date
from aiohttp.protocol.errors import LocalProtocolError

octets = st.text(st.characters(max_codepoint=255))


def date(*fields: int) -> float:
    """Return a time of UTC in seconds since 1970."""
    year, month, day, hour, minute, second = fields
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()


# Cookie, written.


def test_pairs_in_order() -> None:
    """Values that may be sent are sent as they are."""
    assert cookie_field({"a": "1", "b": '"x y"', "c": 3}) == 'a=1; b="x y"; c=3'


def test_pairs_of_a_list() -> None:
    """Pairs do as well as a mapping, and may repeat a name."""
    assert cookie_field([("a", "1"), ("a", "2")]) == "a=1; a=2"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("", ""),
        ("dG9r/ZW4+Cg==", "dG9r/ZW4+Cg=="),
        ("a b", '"a b"'),
        ("a,b;c", r'"a\054b\073c"'),
        ('a"b', r'"a\"b"'),
        ("a\\b", r'"a\\b"'),
        ('"', r'"\""'),
        ('"a"b"', r'"\"a\"b\""'),
        ('"a; b"', r'"\"a\073 b\""'),
        (r'"a\073 b"', r'"a\073 b"'),
        ("é", "é".encode().decode("latin-1")),
        ("日 本", '"' + "日 本".encode().decode("latin-1") + '"'),
    ],
)
def test_values_are_quoted_where_they_need_it(value: str, sent: str) -> None:
    """What is no cookie-octet is quoted as http.cookies does it; the rest is in UTF-8."""
    assert wire_value("a", value) == sent


@given(st.text(st.characters(exclude_characters="\x00-\x1f\x7f", exclude_categories=["Cc", "Cs"])))
@example("\\073")
@example('\\"')
def test_values_come_back(value: str) -> None:
    """What was quoted and encoded is the same for whoever reads it."""
    sent = wire_value("a", value)
    already_quoted = sent.startswith('"') and sent == value.encode().decode("latin-1")
    assert already_quoted or morsel_of("a", sent).value == value


def test_values_without_quotes() -> None:
    """Where the program doesn't want quotes there are none, and a Morsel sends its value."""
    assert cookie_field({"a": "b c"}, quote=False) == "a=b c"
    assert cookie_field(SimpleCookie('a="b c"'), quote=False) == "a=b c"


def test_morsels_go_back_as_they_came() -> None:
    """The standard library's cookies can be given, and keep their quotes and octets."""
    assert cookie_field(SimpleCookie("a=1; b=2")) == "a=1; b=2"
    assert cookie_field(response_cookies(['a="\xe9 \\073"', "b c=1"])) == ('a="\xe9 \\073"; b c=1')


def test_morsel_beyond_the_wire() -> None:
    """A coded value that no server can have sent is sent in UTF-8."""
    morsel: Morsel[str] = Morsel()
    morsel.set("a", "日", "日")
    assert cookie_field({"a": morsel}) == "a=" + "日".encode().decode("latin-1")


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a=b", "a,b", "a\r\nX: y", "a\x00", "é", "日"])
def test_name_that_ends_its_pair(name: str) -> None:
    """Nothing in a name can begin another cookie or field."""
    with pytest.raises(ValueError, match="a cookie's name must be a token"):
        cookie_field({name: "x"})


@pytest.mark.parametrize("name", ["", "a;b", "a=b", "a\r\nX: y", "日"])
def test_name_of_a_morsel(name: str) -> None:
    """A name that a server gave is not asked to be a token, but ends no pair either."""
    with pytest.raises(ValueError, match="a cookie's name must be a token"):
        cookie_field({name: SimpleNamespace(coded_value="x", value="x")})


@pytest.mark.parametrize("quote", [True, False])
@pytest.mark.parametrize("value", ["1\r\nX: y", "\x00", "\x7f", "a\tb"])
def test_value_that_ends_its_field(value: str, quote: bool) -> None:
    """No control character is sent, quoted or not."""
    with pytest.raises(ValueError, match="in the value of cookie 'a': quote or encode it first"):
        cookie_field({"a": value}, quote=quote)
    with pytest.raises(ValueError, match="in the value of cookie 'a'"):
        cookie_field({"a": SimpleNamespace(coded_value=value, value=value)}, quote=quote)


def test_value_that_ends_its_pair() -> None:
    """Without quotes a semicolon would begin another cookie."""
    with pytest.raises(ValueError, match="';' in the value of cookie 'a'"):
        cookie_field({"a": "1; admin=1"}, quote=False)


@pytest.mark.parametrize("value", [None, b"x", bytearray(b"x")])
def test_value_of_a_wrong_type(value: object) -> None:
    """What Python would spell as b'x' or None is refused, since nobody means that."""
    with pytest.raises(TypeError, match="the value of cookie 'a' must be str, not"):
        cookie_field({"a": value})


def test_name_of_a_wrong_type() -> None:
    """A name is text."""
    with pytest.raises(LocalProtocolError, match="a cookie's name must be str, not int"):
        cookie_field([(1, "x")])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]


# Cookie, read and merged.


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        ("", []),
        (";; ;", []),
        ("a=1", [("a", "1")]),
        ("a=1;b=2 ;\tc = 3", [("a", "1"), ("b", "2"), ("c", "3")]),
        ('a="x y"; b==; a=2', [("a", '"x y"'), ("b", "="), ("a", "2")]),
        ("alone; =b", [("", "alone"), ("", "b")]),
    ],
)
def test_cookie_field_is_read(value: str, pairs: list[tuple[str, str]]) -> None:
    """Names and values come in order, with their quotes and without white space around."""
    assert parse_cookie_field(value) == pairs


@pytest.mark.parametrize(
    ("fields", "merged"),
    [
        ([], ""),
        (["", ""], ""),
        (["a=1", ""], "a=1"),
        (["", " a=1;b=2"], " a=1;b=2"),
        (["a=1", "b=2"], "a=1; b=2"),
        (["a=1; b=2", "a=3"], "b=2; a=3"),
        (["a=1; b=2", "b=3; c=4", "a=5; c=6"], "b=3; a=5; c=6"),
        (["a=1; a=2; b=3", "b=4"], "a=1; a=2; b=4"),
        (["A=1", "a=2"], "A=1; a=2"),
        (["a=1", "alone"], "a=1; alone"),
        (["a=1", "="], "a=1"),
        (["a=1", "=b=2"], "a=1; =b=2"),
    ],
)
def test_later_cookies_win_by_name(fields: list[str], merged: str) -> None:
    """One field carries them all; cookies of one name stay together."""
    assert merge(*fields) == merged


@given(st.lists(octets))
def test_merged_fields_have_every_name(fields: list[str]) -> None:
    """No name is lost, and what the last field says is said."""
    merged = parse_cookie_field(merge(*fields))
    names = {name for field in fields for name, _ in parse_cookie_field(field)}
    assert {name for name, _ in merged} == names
    given_last = [each for each in fields if each]
    if given_last:
        last = parse_cookie_field(given_last[-1])
        assert merged[len(merged) - len(last) :] == last


# Set-Cookie.


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("SID=31d4d96e407aad42", SetCookie("SID", "31d4d96e407aad42")),
        ("a=", SetCookie("a", "")),
        (' a = "x y" ', SetCookie("a", '"x y"')),
        ("a=b=c", SetCookie("a", "b=c")),
        ("a b[0]=\xff, {}", SetCookie("a b[0]", "\xff, {}")),
        (
            "lang=en-US; Path=/; Domain=example.com;Secure ; HttpOnly;\tMax-Age = 5;;=x; sEcUrE",
            SetCookie(
                "lang",
                "en-US",
                (
                    ("path", "/"),
                    ("domain", "example.com"),
                    ("secure", ""),
                    ("httponly", ""),
                    ("max-age", "5"),
                    ("", ""),
                    ("", "x"),
                    ("secure", ""),
                ),
            ),
        ),
    ],
)
def test_set_cookie_is_read(value: str, expected: SetCookie) -> None:
    """Whatever white space, order and case a server likes (RFC 6265, sections 3.1 and 5.2)."""
    assert parse_set_cookie(value) == expected


@pytest.mark.parametrize(
    "value", ["", "a", ";a=1", "=1", " =1", "a\x00=1", "a=\x07", "a=b\tc", "a=1; path=/\x7f"]
)
def test_set_cookie_that_is_ignored(value: str) -> None:
    """Without a name, or with a control character, there is no cookie."""
    assert parse_set_cookie(value) is None


def test_long_set_cookie_is_ignored() -> None:
    """Name and value have 4096 octets at most (RFC 6265, section 6.1)."""
    assert parse_set_cookie("a=" + "b" * 4095) == SetCookie("a", "b" * 4095)
    assert parse_set_cookie("a=" + "b" * 4096) is None


def test_long_attribute_is_ignored() -> None:
    """An attribute of more than 1024 octets isn't there; the cookie is."""
    assert parse_set_cookie(f"a=1; path=/{'b' * 1024}; secure") == SetCookie(
        "a", "1", (("secure", ""),)
    )


def test_response_cookies() -> None:
    """A response's cookies are the standard library's, with their attributes as they came."""
    cookies = response_cookies(
        [
            'a="x\\073 y"; Path=/b; Domain=.example.com; Max-Age=5; Secure; HttpOnly; SameSite=Lax',
            "a[0]=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Unknown=2",
            "broken",
        ]
    )
    assert list(cookies) == ["a", "a[0]"]
    morsel = cookies["a"]
    assert (morsel.key, morsel.value, morsel.coded_value) == ("a", "x; y", '"x\\073 y"')
    assert {name: value for name, value in morsel.items() if value} == {
        "path": "/b",
        "domain": ".example.com",
        "max-age": "5",
        "secure": True,
        "httponly": True,
        "samesite": "Lax",
    }
    assert cookies["a[0]"]["expires"] == "Thu, 01 Jan 1970 00:00:00 GMT"


def test_last_response_cookie_of_a_name() -> None:
    """Of several with one name the last is there."""
    assert response_cookies(["a=1; path=/b", "a=2"])["a"].OutputString() == "a=2"


@pytest.mark.parametrize(
    ("coded", "value"),
    [
        ("caf\xc3\xa9", "café"),
        ("caf\xe9", "café"),
        ('"caf\\351"', "café"),
        ('"a\\"b\\\\c"', 'a"b\\c'),
        ('"', '"'),
        ('""', ""),
        ('"a\\"', "a\\"),
        ('"a\\012b"', '"a\\012b"'),
    ],
)
def test_value_for_people(coded: str, value: str) -> None:
    """A value is free of quotes, and decoded where it is UTF-8; controls stay escaped."""
    assert morsel_of("a", coded).value == value


@given(st.lists(octets))
@example(['a="\\000"; secure=\xa0; path=\x85'])
def test_nothing_that_a_server_says_raises(values: list[str]) -> None:
    """Any octets are read, and what is a cookie can be sent back, octet for octet."""
    cookies = response_cookies([*values, *(f"a={value}" for value in values)])
    sent = cookie_field(cookies)
    assert parse_cookie_field(sent) == [
        (name, morsel.coded_value) for name, morsel in cookies.items()
    ]


# Expires.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wed, 09 Jun 2021 10:18:14 GMT", date(2021, 6, 9, 10, 18, 14)),
        ("Wednesday, 09-Jun-21 10:18:14 GMT", date(2021, 6, 9, 10, 18, 14)),
        ("Wed Jun  9 10:18:14 2021", date(2021, 6, 9, 10, 18, 14)),
        ("2021 june 9 10:18:14", date(2021, 6, 9, 10, 18, 14)),
        ("10:18:14x,9th,JUN,2021AD", date(2021, 6, 9, 10, 18, 14)),
        ("1:2:3 1 jan 70", date(1970, 1, 1, 1, 2, 3)),
        ("1 02 jan 0:0:0", date(2002, 1, 1, 0, 0, 0)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("0:0:0 1 jan 69", date(2069, 1, 1, 0, 0, 0)),
        ("0:0:0 1 jan 99", date(1999, 1, 1, 0, 0, 0)),
        ("0:0:0 1 jan 1601", date(1601, 1, 1, 0, 0, 0)),
        ("23:59:59 29 feb 2024 1:1:1 2 mar 2025", date(2024, 2, 29, 23, 59, 59)),
    ],
)
def test_date(text: str, expected: float) -> None:
    """A date is found whatever its order and delimiters (RFC 6265, section 5.1.1)."""
    assert parse_cookie_date(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "tomorrow",
        "jan 1 2021",
        "0:0:0 jan 2021",
        "0:0:0 1 2021",
        "0:0:0 1 jan",
        "0:0:0 1 jan 1600",
        "0:0:0 1 jan 20210",
        "0:0:0 0 jan 2021",
        "0:0:0 32 jan 2021",
        "0:0:0 30 feb 2021",
        "0:0:0 29 feb 2023",
        "24:0:0 1 jan 2021",
        "0:60:0 1 jan 2021",
        "0:0:60 1 jan 2021",
        "0:0:000 1 jan 2021",
        "\u0660:\u0660:\u0660 \u0661 jan \u0662\u0660\u0662\u0661",
    ],
)
def test_no_date(text: str) -> None:
    """What lacks a part, or names a day that isn't, is no date; digits are ASCII."""
    assert parse_cookie_date(text) is None


@given(st.integers(int(date(1601, 1, 1, 0, 0, 0)), int(date(9999, 12, 31, 23, 59, 59))))
def test_date_of_http(seconds: int) -> None:
    """The form that HTTP prescribes is read to the second."""
    assert parse_cookie_date(http_date(seconds)) == seconds


@given(st.text())
def test_no_text_breaks_dates(text: str) -> None:
    """Any text is a date, or none."""
    found = parse_cookie_date(text)
    assert found is None or isinstance(found, float)
