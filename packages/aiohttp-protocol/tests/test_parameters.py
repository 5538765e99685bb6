"""Parameters of field values: quoted, extended, malformed; in linear time."""

from __future__ import annotations

import time

import pytest

from aiohttp.protocol.errors import InvalidHeader
from aiohttp.protocol.parameters import charset_of, codec_of, decode_extended, parse_parameters


@pytest.mark.parametrize(
    ("value", "main", "parameters"),
    [
        ("", "", {}),
        ("form-data", "form-data", {}),
        (" Text/HTML ;Charset=UTF-8", "text/html", {"charset": "UTF-8"}),
        ('a;x=1;\ty="2"  ; z=3', "a", {"x": "1", "y": "2", "z": "3"}),
        ('a; x=""', "a", {"x": ""}),
        ('a; x=";=, "', "a", {"x": ";=, "}),
        ("a;;; x=1; ", "a", {"x": "1"}),
        ("a; filename*=UTF-8''%e2%82%ac", "a", {"filename*": "UTF-8''%e2%82%ac"}),
        ('a; x="\u20ac"', "a", {"x": "\u20ac"}),
        (r'a; x="\"\\"', "a", {"x": '"\\'}),
        (r'a; x="C:\dir\new.txt"', "a", {"x": r"C:\dir\new.txt"}),
    ],
)
def test_parameters(value: str, main: str, parameters: dict[str, str]) -> None:
    """The main value and the names are in lower case; values are as they were meant."""
    assert parse_parameters(value) == (main, parameters)


@pytest.mark.parametrize(
    "value",
    [
        "a; x",
        "a; x=",
        "a; =1",
        "a; x =1",
        "a; x= 1",
        'a; x="1',
        'a; x="1\\"',
        'a; x="1"2',
        "a; x=1 y=2",
        "a; x=1, b",
        "a; x=a/b",
        "a; \u20ac=1",
        "a; x=\u20ac",
        "a; x='a b'",
    ],
)
def test_malformed_parameter_is_an_error(value: str) -> None:
    """What is no parameter is refused and shown, not skipped."""
    with pytest.raises(InvalidHeader, match="expected '; name=value', got"):
        parse_parameters(value)


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("Latin1", "iso8859-1"),
        ("unheard-of", None),
        ("hex", None),
        ("punycode", None),
        ("Unicode_Escape", None),
        ("a\0b", None),
        ("\u20ac", None),
        ("x" * 46, None),
    ],
)
def test_codec_of_a_charset(charset: str, codec: str | None) -> None:
    """Only charsets are taken, not each codec that Python has."""
    assert codec_of(charset) == codec


def test_repeated_parameter_is_an_error() -> None:
    """Of two values two readers may take different ones; the case of the name is no difference."""
    with pytest.raises(InvalidHeader, match="expected parameter name once, got it twice"):
        parse_parameters('form-data; name="a"; Name="b"')


@pytest.mark.parametrize(
    "value",
    [
        "a" + "; x=" * 100_000,
        'a; x="' + '\\"' * 100_000,
        'a; x="' + "a" * 200_000,
        "a" + " " * 100_000 + ";" * 100_000 + "x",
        "a; " + "x" * 200_000,
        'a; x="' + '";' * 100_000,
    ],
)
def test_hostile_parameters_take_linear_time(value: str) -> None:
    """CVE-2025-67726 (tornado), CVE-2020-5236 (waitress): 200 KB cost no more than milliseconds."""
    began = time.process_time()
    with pytest.raises(InvalidHeader):
        parse_parameters(value)
    assert time.process_time() - began < 1


def test_many_parameters_take_linear_time() -> None:
    """Ten thousand good parameters are parsed in one pass."""
    value = "a" + "".join(f'; x{n}="{n}"' for n in range(10_000))
    began = time.process_time()
    assert len(parse_parameters(value)[1]) == 10_000
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("UTF-8''%e2%82%ac%20rates", "\u20ac rates"),
        ("utf-8'en'%C2%A3%20and.txt", "\u00a3 and.txt"),
        ("UTF-8''", ""),
        ("UTF-8''100%25!#$&+-.^_`|~", "100%!#$&+-.^_`|~"),
    ],
)
def test_extended_value(value: str, text: str) -> None:
    """RFC 8187, section 3.2: charset, language, percent-encoded octets."""
    assert decode_extended(value) == text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("plain", "expected an extended value"),
        ("UTF-8'plain", "expected an extended value"),
        ("iso-8859-1''%A3", "expected an extended value"),
        ("UTF-8''%4", "expected an extended value"),
        ("UTF-8''%zz", "expected an extended value"),
        ("UTF-8''%\uff14\uff11", "expected an extended value"),
        ("UTF-8''a b", "expected an extended value"),
        ("UTF-8''%ff", "expected UTF-8"),
        ("UTF-8''a%0D%0AX-Y: z", "expected an extended value"),
        ("UTF-8''a%0D%0AX", "control character"),
        ("UTF-8''a%00.txt", "control character"),
    ],
)
def test_malformed_extended_value_is_an_error(value: str, message: str) -> None:
    """Another charset, bad octets and hidden control characters are refused."""
    with pytest.raises(InvalidHeader, match=message):
        decode_extended(value)


@pytest.mark.parametrize(
    ("value", "charset"),
    [
        ("text/plain; charset=utf-8", "utf-8"),
        ('text/plain; Charset="ISO-8859-1"', "ISO-8859-1"),
        ("text/plain", None),
        ("text/plain; charset=", None),
        ('text/plain; charset=""', None),
        ("text/plain; charset=a b", None),
        ("", None),
    ],
)
def test_charset(value: str, charset: str | None) -> None:
    """A Content-Type that is malformed names no charset."""
    assert charset_of(value) == charset
