"""Content-Disposition, read and written: RFC 6266, RFC 7578 and what browsers do."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol.disposition import (
    ContentDisposition,
    content_disposition_filename,
    encode_content_disposition,
    parse_content_disposition,
)
from aiohttp.protocol.errors import LocalProtocolError


@pytest.mark.parametrize(
    ("value", "kind", "parameters"),
    [
        # RFC 6266, section 5
        ("Attachment; filename=example.html", "attachment", {"filename": "example.html"}),
        ('INLINE; FILENAME= "an example.html"', "inline", {"filename": "an example.html"}),
        (
            "attachment; filename*= UTF-8''%e2%82%ac%20rates",
            "attachment",
            {"filename*": "\u20ac rates"},
        ),
        ('inline; a= "b= \\"c= d"; e=\t"f"', "inline", {"a": 'b= "c= d', "e": "f"}),
        (
            "attachment; filename=\"EURO rates\"; filename*=utf-8''%e2%82%ac%20rates",
            "attachment",
            {"filename": "EURO rates", "filename*": "\u20ac rates"},
        ),
        ("inline", "inline", {}),
        ("inline;", "inline", {}),
        ('form-data; name="a;b"; x=""', "form-data", {"name": "a;b", "x": ""}),
        (r'attachment; filename="a\"b\\c"', "attachment", {"filename": 'a"b\\c'}),
        # What can't be decoded leaves its plain twin to count (section 4.3).
        ("attachment; filename=a; filename*=UTF-8''%ff", "attachment", {"filename": "a"}),
        ("attachment; filename*=x", "attachment", {}),
        (
            "attachment; filename*0*=UTF-8''%61; filename*1=b",
            "attachment",
            {"filename*0*": "UTF-8''%61", "filename*1": "b"},
        ),
        (None, None, {}),
        ("", None, {}),
        ("; filename=a", None, {}),
        ('"inline"', None, {}),
        ("inline; filename=a; filename=b", None, {}),
        ("inline; filename", None, {}),
        ("inline; filename=a b", None, {}),
        ('inline; filename="a', None, {}),
    ],
)
def test_parse(value: str | None, kind: str | None, parameters: dict[str, str]) -> None:
    """A field that is malformed is no field; nothing raises, warns or logs."""
    assert parse_content_disposition(value) == (kind, parameters)


@pytest.mark.parametrize(
    ("parameters", "filename"),
    [
        ({}, None),
        ({"filename": "a"}, "a"),
        ({"filename": ""}, ""),
        ({"filename": "a", "filename*": "b"}, "b"),
        ({"filename*0": "a", "filename*1": "b", "filename*3": "d"}, "ab"),
        ({"filename*1": "b"}, None),
        ({"filename*0*": "UTF-8''%e2%82", "filename*1*": "%ac"}, "\u20ac"),
        ({"filename*0*": "UTF-8''%e2"}, None),
        ({"filename*0*": "UTF-8''%61%20", "filename*1": "100%25 \u20ac"}, "a 100%25 \u20ac"),
        ({"filename": "a", "filename*0": "b"}, "a"),
    ],
)
def test_filename(parameters: dict[str, str], filename: str | None) -> None:
    """``filename*`` wins, then ``filename``; continuations are for want of both (RFC 2231)."""
    assert content_disposition_filename(parameters) == filename


def test_name() -> None:
    """Other parameters have their variants, too."""
    _, parameters = parse_content_disposition("form-data; name=a; name*=utf-8''b; filename=c")
    assert content_disposition_filename(parameters, "name") == "b"


def test_disposition_of_a_response() -> None:
    """All of it as one value; None if there is none."""
    found = ContentDisposition.parse('Attachment; filename="../a.txt"; size=3')
    assert found is not None
    assert (found.type, found.filename) == ("attachment", "../a.txt")
    assert dict(found.parameters) == {"filename": "../a.txt", "size": "3"}
    with pytest.raises(TypeError):
        found.parameters["a"] = "b"  # type: ignore[index]
    assert ContentDisposition.parse(None) is None
    assert ContentDisposition.parse("a b") is None
    assert ContentDisposition("inline").filename is None


@pytest.mark.parametrize(
    ("kind", "parameters", "value"),
    [
        ("inline", {}, "inline"),
        ("attachment", {"filename": 'a "b".txt'}, r'attachment; filename="a \"b\".txt"'),
        ("attachment", {"filename": "\u20ac a"}, "attachment; filename*=utf-8''%E2%82%AC%20a"),
        ("form-data", {"name": "\u20ac", "filename": ""}, 'form-data; name="\u20ac"; filename=""'),
        ("form-data", {"name": 'a"\r\n\\'}, r'form-data; name="a%22%0D%0A\\"'),
    ],
)
def test_encode(kind: str, parameters: dict[str, str], value: str) -> None:
    """Forms as browsers write them (HTML), everybody else by RFC 6266."""
    assert encode_content_disposition(kind, parameters) == value


def test_encode_without_quoting() -> None:
    """Without it a value stays as it is, in quotes."""
    for kind in ("form-data", "attachment"):
        value = encode_content_disposition(kind, {"name": 'ü"\\'}, quote_fields=False)
        assert value == rf'{kind}; name="ü\"\\"'


def test_encode_in_another_charset() -> None:
    """The charset of what is percent-encoded is told."""
    value = encode_content_disposition("attachment", {"filename": "ü"}, charset="iso-8859-1")
    assert value == "attachment; filename*=iso-8859-1''%FC"


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("a b", {}, "a type of Content-Disposition must be a token, not 'a b'"),
        ("a\r\nX: y", {}, "must be a token"),
        ("inline", {"a b": "c"}, "the name of a parameter must be a token"),
        ("inline", {"filename": "a\r\nX: y"}, "control character in the parameter filename"),
        ("inline", {"filename": "ü\0"}, "control character in the parameter filename"),
        ("inline", {"filename": "\x7f"}, "control character in the parameter filename"),
        ("inline", {"size": 3}, "the parameter size must be str, not int"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    kind: str, parameters: dict[str, str], message: str
) -> None:
    """No line break comes into a field (CVE-2026-50269)."""
    with pytest.raises(LocalProtocolError, match=message):
        encode_content_disposition(kind, parameters)


@pytest.mark.parametrize(
    ("filename", "charset"), [("\u20ac", "iso-8859-1"), ("a\udcff", "utf-8"), ("ä", "unheard-of")]
)
def test_what_a_charset_does_not_have(filename: str, charset: str) -> None:
    """A name that can't be encoded is told, such as one of a disk that isn't in UTF-8."""
    with pytest.raises(LocalProtocolError, match=f"filename can't be sent in {charset}: "):
        encode_content_disposition("attachment", {"filename": filename}, charset=charset)


@given(
    st.sampled_from(["form-data", "attachment"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"])),
)
def test_what_is_written_is_read(kind: str, name: str) -> None:
    """Any name without control characters comes back, but a browser's %22 for a quote."""
    value = encode_content_disposition(kind, {"filename": name})
    expected = name.replace('"', "%22") if kind == "form-data" else name
    assert content_disposition_filename(parse_content_disposition(value)[1]) == expected


@pytest.mark.parametrize(
    "value", ["; a=" * 50_000, "= " * 50_000, 'inline; a="' + "\\" * 99_999, "x" * 100_000]
)
def test_linear_time(value: str) -> None:
    """A hostile field costs no more than its length."""
    began = time.process_time()
    parse_content_disposition(value)
    content_disposition_filename({f"filename*{i}": "a" for i in range(10_000)})
    assert time.process_time() - began < 0.5
