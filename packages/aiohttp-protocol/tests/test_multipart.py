"""Multipart bodies: every cut, every limit, hostile peers, both directions.

Of the advisories about multipart, CVE-2025-47287 (tornado: a log line for each
error) can't apply: nothing here logs, and the first error is the last.
"""

from __future__ import annotations

import io
import math
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from aiohttp.protocol.errors import (
    HttpException,
    InvalidUse,
    LimitExceeded,
    LocalProtocolError,
    MultipartError,
)
from aiohttp.protocol.multipart import (
    DEFAULT_MULTIPART_LIMITS,
    MultipartDecoder,
    MultipartEncoder,
    MultipartEnded,
    MultipartEvent,
    MultipartLimits,
    PartBegan,
    PartData,
    PartEnded,
    multipart_decoder,
)
from wire import cuts

KIB = 1024
MIB = 1024 * KIB
BOUNDARY = "AaB03x"
LARGE = MultipartLimits(parts=10**9, value=10**9, values=10**9)


def received(
    decoder: MultipartDecoder, pieces: Iterable[bytes], *, end: bool = True
) -> Iterator[MultipartEvent]:
    """Yield the events of a body that comes in these pieces."""
    for piece in pieces:
        decoder.receive_data(piece)
        while (event := decoder.next_event()) is not None:
            yield event
    if end:
        decoder.end()
        while (event := decoder.next_event()) is not None:
            yield event


def joined(events: Iterable[MultipartEvent]) -> list[MultipartEvent]:
    """Return the events with the data of each part in one piece."""
    result: list[MultipartEvent] = []
    for event in events:
        if isinstance(event, PartData) and result and isinstance(result[-1], PartData):
            assert event.data
            result[-1] = PartData(result[-1].data + event.data)
        else:
            result.append(event)
    return result


def events_of(
    pieces: Iterable[bytes],
    *,
    is_form: bool = True,
    limits: MultipartLimits = DEFAULT_MULTIPART_LIMITS,
) -> list[MultipartEvent]:
    """Return the events of a whole body with the boundary of these tests."""
    return joined(received(MultipartDecoder(BOUNDARY, is_form=is_form, limits=limits), pieces))


def error_of(
    pieces: Iterable[bytes],
    *,
    is_form: bool = True,
    limits: MultipartLimits = DEFAULT_MULTIPART_LIMITS,
) -> HttpException:
    """Return the error in which a body ends."""
    with pytest.raises(HttpException) as caught:
        events_of(pieces, is_form=is_form, limits=limits)
    return caught.value


def began(
    fields: Iterable[tuple[str, str]], name: str | None = None, filename: str | None = None
) -> PartBegan:
    """Return the event in which a part with these fields begins."""
    return PartBegan(CIMultiDictProxy(CIMultiDict(fields)), name, filename)


def field(name: str, data: bytes) -> bytes:
    """Return a part of a form, from its boundary to the end of its data."""
    return (
        b"--AaB03x\r\n"
        b'Content-Disposition: form-data; name="' + name.encode() + b'"\r\n'
        b"\r\n" + data + b"\r\n"
    )


def part(*lines: bytes, data: bytes = b"") -> bytes:
    """Return a whole body of one part with these field lines."""
    return b"\r\n".join([b"--AaB03x", *lines, b"", data, b"--AaB03x--", b""])


def disposition(value: str) -> bytes:
    """Return a whole body of one part with this Content-Disposition."""
    return part(b"Content-Disposition: " + value.encode(), data=b"x")


# What is decoded.

BODIES: list[tuple[str, bool, bytes, list[MultipartEvent]]] = [
    (
        "the example of RFC 1867, section 6",
        True,
        (
            b"--AaB03x\r\n"
            b'content-disposition: form-data; name="field1"\r\n'
            b"\r\n"
            b"Joe Blow\r\n"
            b"--AaB03x\r\n"
            b'content-disposition: form-data; name="pics"; filename="file1.txt"\r\n'
            b"Content-Type: text/plain\r\n"
            b"\r\n"
            b" ... contents of file1.txt ...\r\n"
            b"--AaB03x--\r\n"
        ),
        [
            began([("content-disposition", 'form-data; name="field1"')], "field1"),
            PartData(b"Joe Blow"),
            PartEnded(),
            began(
                [
                    ("content-disposition", 'form-data; name="pics"; filename="file1.txt"'),
                    ("Content-Type", "text/plain"),
                ],
                "pics",
                "file1.txt",
            ),
            PartData(b" ... contents of file1.txt ..."),
            PartEnded(),
            MultipartEnded(),
        ],
    ),
    (
        "preamble, epilogue, padding, a part without fields (RFC 2046, section 5.1.1)",
        False,
        (
            b"This is the preamble.\r\n"
            b"-AaB03x\r--AaB03x\r\n"
            b"--AaB03x \t\r\n"
            b"\r\n"
            b"implicitly typed\r\n"
            b"--AaB03x\r\n"
            b"Content-type: text/plain; charset=us-ascii\r\n"
            b"\r\n"
            b"It DOES end with a linebreak.\r\n"
            b"\r\n"
            b"--AaB03x-- \r\n"
            b"This is the epilogue.\r\n"
            b"--AaB03x\r\n"
        ),
        [
            began([]),
            PartData(b"implicitly typed"),
            PartEnded(),
            began([("Content-type", "text/plain; charset=us-ascii")]),
            PartData(b"It DOES end with a linebreak.\r\n"),
            PartEnded(),
            MultipartEnded(),
        ],
    ),
    (
        "no part",
        True,
        b"--AaB03x--\r\n",
        [MultipartEnded()],
    ),
    (
        "no line end behind the last boundary",
        True,
        b"--AaB03x--",
        [MultipartEnded()],
    ),
    (
        "parts without data",
        False,
        (
            b"--AaB03x\r\n"
            b"\r\n"
            b"\r\n"
            b"--AaB03x\r\n"
            b"A: b\r\n"
            b"\r\n"
            b"--AaB03x\r\n"  # the empty line of the head ends the line before a delimiter
            b"\r\n"
            b"--AaB03x--"
        ),
        [
            began([]),
            PartEnded(),
            began([("A", "b")]),
            PartEnded(),
            began([]),
            PartEnded(),
            MultipartEnded(),
        ],
    ),
    (
        "data that is nearly a boundary",
        False,
        (
            b"--AaB03x\r\n"
            b"\r\n"
            b"\r\n\r\r\n-\r\n--\r\n--AaB03\r\n--AaB03y\n--AaB03x--\r--AaB03x\r\r\n--Aa\r\n"
            b"--AaB03x--"
        ),
        [
            began([]),
            PartData(b"\r\n\r\r\n-\r\n--\r\n--AaB03\r\n--AaB03y\n--AaB03x--\r--AaB03x\r\r\n--Aa"),
            PartEnded(),
            MultipartEnded(),
        ],
    ),
]


@pytest.mark.parametrize(
    ("is_form", "body", "events"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES]
)
def test_body_under_every_cut(is_form: bool, body: bytes, events: list[MultipartEvent]) -> None:
    """Each body gives the same events, however it is cut."""
    for pieces in cuts(body, splits=1000):
        assert events_of(pieces, is_form=is_form) == events


@pytest.mark.parametrize(
    ("value", "name", "filename"),
    [
        ('form-data; name="a"', "a", None),
        ("form-data; name=a", "a", None),
        ('Form-Data;NAME="a";FileName="b.txt"', "a", "b.txt"),
        ('form-data; name=""; filename=""', "", ""),
        ('form-data; name="\u20ac"; filename="\u00fc.txt"', "\u20ac", "\u00fc.txt"),
        ('form-data; name="a;b=\\"c\\""', 'a;b="c"', None),
        ('form-data; name="%22q%22 %0D%0A%41"', '"q" %0D%0A%41', None),
        (r'form-data; name=a; filename="C:\dir\new.txt"', "a", r"C:\dir\new.txt"),
        ('form-data; name=a; filename="../../etc/passwd"', "a", "../../etc/passwd"),
        ("form-data; name=a; filename*=UTF-8''%e2%82%ac.txt", "a", "\u20ac.txt"),
        ("form-data; name=a; filename=x; filename*=UTF-8''y", "a", "y"),
        ("form-data; name=a; unknown=1", "a", None),
    ],
)
def test_disposition(value: str, name: str, filename: str | None) -> None:
    """RFC 7578, section 4.2; filename* wins (RFC 6266, section 4.3)."""
    event = events_of([disposition(value)])[0]
    assert isinstance(event, PartBegan)
    assert (event.name, event.filename) == (name, filename)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("form-data", "expected Content-Disposition: form-data with a name"),
        ("attachment; name=a", "expected Content-Disposition: form-data with a name"),
        ("form-data; name*=UTF-8''a", "expected Content-Disposition: form-data with a name"),
        ("form-data, name=a", "expected Content-Disposition: form-data with a name"),
        ('form-data; name="a', "expected '; name=value'"),
        ('form-data; name="a"; name="b"', "expected parameter name once"),
        ("form-data; name=a; filename*=x", "expected an extended value"),
        ("form-data; name=a; filename*=UTF-8''a%0D%0Ab", "control character"),
    ],
)
def test_malformed_disposition_is_an_error(value: str, message: str) -> None:
    """A part of a form has exactly one name, well-formed."""
    error = error_of([disposition(value)])
    assert isinstance(error, MultipartError)
    assert message in error.message
    assert error.status == 400


@pytest.mark.parametrize("value", ["inline", "attachment; filename=a.txt", "x-own; name=n"])
def test_disposition_elsewhere(value: str) -> None:
    """Outside of forms the disposition is free, and may be missing."""
    (event, *_) = events_of([disposition(value)], is_form=False)
    assert isinstance(event, PartBegan)
    assert event.headers["content-disposition"] == value
    assert "expected 'type; name=value'" in error_of([disposition("; a=b")], is_form=False).message


@pytest.mark.parametrize(
    ("value", "filename"),
    [
        ("attachment; filename*0*=UTF-8''%e2%82; filename*1*=%ac; filename*2=.txt", "\u20ac.txt"),
        ("attachment; filename=a; filename*=iso-8859-1''%e4", "a"),
        ('attachment; filename= "a"', "a"),
        ("attachment; filename=%22", "%22"),
    ],
)
def test_filename_elsewhere(value: str, filename: str) -> None:
    """Outside of forms a filename is what RFC 2231 and RFC 6266, section 4.3, make of it."""
    (event, *_) = events_of([disposition(value)], is_form=False)
    assert isinstance(event, PartBegan)
    assert event.filename == filename


# What is refused.

HEADS: list[tuple[str, bytes, str]] = [
    ("no disposition", part(b"A: b"), "form-data with a name, got none"),
    ("no field at all", part(), "form-data with a name, got none"),
    ("no colon", part(b"abc"), "expected 'name: value'"),
    ("a space before the colon", part(b"A : b"), "white space between the field name"),
    ("a folded line", part(b"A: b", b" c: d"), "white space before"),
    ("an empty name", part(b": b"), "expected a token as field name"),
    ("a name that is no token", part(b"A(: b"), "expected a token as field name"),
    ("a bare LF", part(b"A: b\nX: y"), r"control character '\n'"),
    ("a bare CR", part(b"A: b\rX: y"), r"control character '\r'"),
    ("NUL", part(b"A: b\0"), r"control character '\x00'"),
    ("bytes that aren't UTF-8", part(b"A: \xff"), "expected UTF-8"),
    ("surrogates", part(b"A: \xed\xa0\x80"), "expected UTF-8"),
    (
        "two dispositions",
        part(b"Content-Disposition: form-data; name=a", b"content-disposition: x"),
        "expected one field content-disposition, got two",
    ),
    (
        "two types",
        part(b"Content-Type: text/plain", b"Content-Type: text/html"),
        "expected one field Content-Type, got two",
    ),
    ("a boundary inside the head", part(b"A: b", b"--AaB03x"), "part 1 ended before its head did"),
]


@pytest.mark.parametrize(
    ("body", "message"), [row[1:] for row in HEADS], ids=[row[0] for row in HEADS]
)
def test_malformed_head_of_a_part_is_an_error(body: bytes, message: str) -> None:
    """The head of a part is read as strictly as that of a message, however it is cut."""
    for pieces in cuts(body):
        error = error_of(pieces)
        assert isinstance(error, MultipartError)
        assert message in error.message


@pytest.mark.parametrize(
    "rest",
    [
        b"y\r\n",
        b"-\r\n",
        b"-x",
        b" x\r\n",
        b"---\r\n",
        b"--x",
        b"-- x\r\n",
        b"  --\r\n",
        b"\n",
        b"\r-",
    ],
)
@pytest.mark.parametrize("before", [b"", field("a", b"x")])
def test_line_that_goes_on_behind_the_boundary_is_an_error(before: bytes, rest: bytes) -> None:
    """Readers disagree on whether that is a boundary, so it is refused, not guessed."""
    body = before + b"--AaB03x" + rest + b"\r\n\r\n--AaB03x--\r\n"
    for pieces in cuts(body):
        assert "expected a line end or '--' behind a boundary" in error_of(pieces).message


@pytest.mark.parametrize("end", [b"", b"--"])
def test_padding_behind_a_boundary_is_bounded(end: bytes) -> None:
    """White space behind a boundary is no way to make us wait."""
    behind = b"\r\n\r\n\r\n--AaB03x--"
    good = b"--AaB03x" + end + b" " * (128 - len(end)) + behind
    assert events_of([good], is_form=False)[-1] == MultipartEnded()
    for pieces in cuts(b"--AaB03x" + end + b" " * (129 - len(end)) + behind):
        assert "behind a boundary" in error_of(pieces, is_form=False).message


def test_truncated_body_is_an_error_at_every_place() -> None:
    """CVE-2024-30251: a body that ends early ends in an error, not in an endless loop."""
    body = field("a", b"x") + field("b", b"y") + b"--AaB03x--"
    for size in range(len(body)):
        error = error_of([body[:size]])
        assert isinstance(error, MultipartError)
        assert "the body ended" in error.message
        assert error.message.endswith("expected it to end with --AaB03x--")


def test_error_stays() -> None:
    """After an error every call raises it, and what comes is dropped."""
    decoder = MultipartDecoder(BOUNDARY)
    decoder.receive_data(part(b"abc"))
    for _ in range(2):
        with pytest.raises(MultipartError, match="part 1: expected 'name: value'"):
            decoder.next_event()
        decoder.receive_data(part(b"Content-Disposition: form-data; name=a"))
    assert "failed" in repr(decoder)


def test_good_events_come_before_the_error() -> None:
    """What was complete before the error is delivered."""
    events: list[MultipartEvent] = []
    decoder = MultipartDecoder(BOUNDARY)
    with pytest.raises(MultipartError, match="part 2"):
        events.extend(received(decoder, [field("a", b"x") + part(b"abc")]))
    assert [type(event) for event in events] == [PartBegan, PartData, PartEnded]


def test_receiving_after_the_end_is_a_mistake() -> None:
    """Nothing can be received once the end was told."""
    decoder = MultipartDecoder(BOUNDARY)
    decoder.end()
    with pytest.raises(InvalidUse, match="nothing can follow it"):
        decoder.receive_data(b"more")


def test_content_length_of_a_part_is_no_framing() -> None:
    """Rule 1: only the boundary ends a part, whatever its Content-Length says (RFC 7578, 4.8)."""
    for length in (b"0", b"1", b"999999999999", b"-1", b"+3", b"0x3", b"\xd9\xa3"):
        body = part(
            b"Content-Disposition: form-data; name=a", b"Content-Length: " + length, data=b"abc"
        )
        assert events_of([body])[1] == PartData(b"abc")


def test_no_line_end_but_crlf() -> None:
    """A boundary behind a bare LF or CR is data (RFC 2046, section 5.1.1)."""
    data = b"x\n--AaB03x\ny\r--AaB03x--\r"
    assert events_of([part(b"Content-Disposition: form-data; name=a", data=data)])[1] == PartData(
        data
    )


# Boundaries and Content-Type.


@pytest.mark.parametrize(
    "boundary",
    [
        "a",
        "0" * 70,
        "----WebKitFormBoundary7MA4YWxkTrZu0gW",
        "gc0pJq0M:08jU534c0p",
        "a b'()+_,-./:=?",
    ],
)
def test_boundary_both_ways(boundary: str) -> None:
    """A legal boundary goes through Content-Type and body, quoted where it has to be."""
    encoder = MultipartEncoder(boundary=boundary)
    encoder.add_field("a", "x")
    decoder = multipart_decoder(encoder.content_type)
    assert joined(received(decoder, encoder))[1] == PartData(b"x")


@pytest.mark.parametrize(
    "boundary", ["", " ", "a ", "0" * 71, "a\r\nb", "a\0", "a;b", 'a"b', "a*b", "\u00e4", "\uff11"]
)
def test_illegal_boundary_is_refused(boundary: str) -> None:
    """1 to 70 characters of RFC 2046, section 5.1.1, in both directions."""
    with pytest.raises(MultipartError, match="expected a boundary of 1 to 70 characters"):
        MultipartDecoder(boundary)
    with pytest.raises(LocalProtocolError, match="a boundary must be 1 to 70 characters"):
        MultipartEncoder(boundary=boundary)


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("text/plain; boundary=a", "expected Content-Type: multipart/"),
        ("", "expected Content-Type: multipart/"),
        ("multipart/form-data", "expected a boundary in Content-Type"),
        ("multipart/form-data; boundary=", "expected '; name=value'"),
        ('multipart/form-data; boundary=""', "expected a boundary of 1 to 70"),
        ("multipart/form-data; boundary=a; boundary=b", "expected parameter boundary once"),
    ],
)
def test_content_type_that_has_no_boundary(content_type: str, message: str) -> None:
    """A Content-Type from which no boundary can be told is an error of the peer."""
    with pytest.raises(MultipartError) as caught:
        multipart_decoder(content_type)
    assert message in caught.value.message


def test_content_type_tells_whether_it_is_a_form() -> None:
    """Only a form's parts need names."""
    body = part(b"A: b")
    assert joined(received(multipart_decoder("Multipart/Mixed; boundary=AaB03x"), [body]))
    with pytest.raises(MultipartError, match="with a name"):
        joined(received(multipart_decoder("MULTIPART/FORM-DATA; Boundary=AaB03x"), [body]))


# Limits: the last that passes, and the first that doesn't, however the body is cut.

FORM_HEAD = b"Content-Disposition: form-data; name=a"
LIMITS: list[tuple[str, int, bytes, bytes]] = [
    ("parts", 2, field("a", b"") * 2 + b"--AaB03x--", field("a", b"") * 3 + b"--AaB03x--"),
    ("head", 52, part(FORM_HEAD, b"A: 34567"), part(FORM_HEAD, b"A: 345678")),
    ("field_line", 60, part(FORM_HEAD, b"A" * 58 + b": "), part(FORM_HEAD, b"A" * 59 + b": ")),
    ("fields", 2, part(FORM_HEAD, b"A: 1"), part(FORM_HEAD, b"A: 1", b"A: 2")),
    ("value", 5, part(FORM_HEAD, data=b"12345"), part(FORM_HEAD, data=b"123456")),
    (
        "values",
        5,
        field("a", b"123") + field("b", b"45") + b"--AaB03x--",
        field("a", b"123") + field("b", b"456") + b"--AaB03x--",
    ),
    ("preamble", 5, b"12345\r\n--AaB03x--", b"123456\r\n--AaB03x--"),
    ("epilogue", 5, b"--AaB03x--\r\n12345", b"--AaB03x--\r\n123456"),
    ("total", 20, b"--AaB03x--\r\n12345678", b"--AaB03x--\r\n123456789"),
]


@pytest.mark.parametrize(("name", "limit", "good", "bad"), LIMITS, ids=[row[0] for row in LIMITS])
def test_limit(name: str, limit: int, good: bytes, bad: bytes) -> None:
    """CVE-2026-34516 (heads), CVE-2026-31958, CVE-2023-30798 (parts), #13652 (preamble)."""
    limits = MultipartLimits(**{name: limit})
    for pieces in cuts(good):
        assert events_of(pieces, limits=limits)[-1] == MultipartEnded()
    for pieces in cuts(bad):
        error = error_of(pieces, limits=limits)
        assert isinstance(error, LimitExceeded)
        assert (error.name, error.limit, error.status) == (name, limit, 413)
        assert error.message.startswith(f"expected no more than {limit} ")


def test_preamble_and_epilogue_are_counted_apart() -> None:
    """Each has its own bound, to the byte."""
    limits = MultipartLimits(preamble=5, epilogue=5)
    for pieces in cuts(b"12345\r\n--AaB03x--\r\n12345"):
        assert events_of(pieces, limits=limits) == [MultipartEnded()]


def test_sizes_are_counted_over_all_fields() -> None:
    """CVE-2025-69228: the counter of all fields doesn't begin again with each of them."""
    limits = MultipartLimits(value=100, values=1000)
    body = b"".join(field(f"f{n}", bytes(100)) for n in range(11)) + b"--AaB03x--"
    error = error_of([body], limits=limits)
    assert isinstance(error, LimitExceeded)
    assert error.name == "values"


def test_field_is_bounded_before_it_is_complete() -> None:
    """CVE-2026-34517: the size of a field is checked as it comes, not when it is in memory."""
    decoder = MultipartDecoder(BOUNDARY, limits=MultipartLimits(value=1000))
    decoder.receive_data(field("a", b"")[:-2])
    assert isinstance(decoder.next_event(), PartBegan)
    handed_over = 0
    with pytest.raises(LimitExceeded, match="1000 bytes in a field"):
        for _ in range(100):
            decoder.receive_data(bytes(300))
            while (event := decoder.next_event()) is not None:
                assert isinstance(event, PartData)
                handed_over += len(event.data)
    assert handed_over == 900


def test_files_are_bounded_in_total_only() -> None:
    """A file is streamed, so the bound of fields isn't its bound."""
    limits = MultipartLimits(value=10, values=10)
    body = part(b"Content-Disposition: form-data; name=a; filename=b", data=bytes(1000))
    assert events_of([body], limits=limits)[1] == PartData(bytes(1000))
    assert events_of([part(data=bytes(1000))], limits=limits, is_form=False)[1] == PartData(
        bytes(1000)
    )


@pytest.mark.parametrize("value", [-1, math.nan, "5", None])
def test_limits_are_numbers_from_0_on(value: object) -> None:
    """A limit that is none is a mistake that is told at once; only all together may have none."""
    with pytest.raises(ValueError, match=r"MultipartLimits\.parts must be a number from 0 on"):
        MultipartLimits(parts=value)  # type: ignore[arg-type]
    assert MultipartLimits(total=None).total is None


# Memory and time.


@pytest.mark.parametrize(
    "piece",
    [bytes(64 * KIB), b"\r" * 64 * KIB, b"\r\n--AaB03" * 6553, b"\r\n" * 32 * KIB],
    ids=["zeros", "CR", "near boundaries", "empty lines"],
)
def test_endless_file_takes_no_memory(piece: bytes) -> None:
    """A file of any length passes through the memory of one piece."""
    decoder = MultipartDecoder(BOUNDARY)
    decoder.receive_data(b"--AaB03x\r\n" + FORM_HEAD + b"; filename=f\r\n\r\n")
    size = 0
    tracemalloc.start()
    for event in received(decoder, [piece] * 100, end=False):
        if isinstance(event, PartData):
            size += len(event.data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 100 * len(piece) - size < 10
    assert peak < 512 * KIB


@pytest.mark.parametrize("start", [b"", b"--AaB03x\r\n", b"--AaB03x\r\nA: "])
def test_endless_preamble_or_head_is_cut(start: bytes) -> None:
    """#13652, CVE-2026-34516: what never ends is refused as soon as it is too long."""
    decoder = MultipartDecoder(BOUNDARY)
    decoder.receive_data(start)
    with pytest.raises(LimitExceeded):
        for event in received(decoder, [b"a" * 1000] * 20, end=False):
            pytest.fail(f"unexpected {event}")


HOSTILE = {
    "near boundaries": part(FORM_HEAD, data=b"\r\n--AaB03" * 5_000),
    "only CR": part(FORM_HEAD, data=b"\r" * 50_000),
    "empty lines": part(FORM_HEAD, data=b"\r\n" * 25_000),
    "many parts": field("a", b"") * 1000 + b"--AaB03x--",
    "one long value": part(FORM_HEAD, data=bytes(50_000)),
    "many fields": part(*[b"A: b"] * 10_000),
    "a long head": part(b"A: " + b"a" * 50_000),
    "parameters": part(b"Content-Disposition: form-data" + b"; x=" * 10_000),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("size", [1, 1000, MIB])
def test_hostile_bodies_take_linear_time(body: bytes, size: int) -> None:
    """Rule 12, GHSA-8423-8fgw-73vq (tornado): no scan begins again, nothing is split uncounted."""
    limits = MultipartLimits(parts=10**6, head=MIB, field_line=MIB, fields=100)
    start = time.process_time()
    decoder = MultipartDecoder(BOUNDARY, limits=limits)
    with suppress(HttpException):
        for _ in received(decoder, [body[i : i + size] for i in range(0, len(body), size)]):
            pass
    # A tenth of a second; with a scan that begins again for each byte, minutes.
    assert time.process_time() - start < 5


# Encoding.


def encoder_of(subtype: str = "form-data") -> MultipartEncoder:
    """Return an encoder with the boundary of these tests."""
    return MultipartEncoder(subtype, boundary=BOUNDARY)


def test_form_on_the_wire() -> None:
    """A text field, and a file with its type, as browsers write them."""
    encoder = encoder_of()
    encoder.add_field("field1", "Joe Blow \u20ac")
    encoder.add_field("pics", b"GIF89a", filename="file.gif", content_type="image/gif")
    assert encoder.content_type == "multipart/form-data; boundary=AaB03x"
    assert b"".join(encoder) == (
        b"--AaB03x\r\n"
        b'Content-Disposition: form-data; name="field1"\r\n'
        b"\r\n"
        b"Joe Blow \xe2\x82\xac\r\n"
        b"--AaB03x\r\n"
        b'Content-Disposition: form-data; name="pics"; filename="file.gif"\r\n'
        b"Content-Type: image/gif\r\n"
        b"\r\n"
        b"GIF89a\r\n"
        b"--AaB03x--\r\n"
    )


def test_mixed_on_the_wire() -> None:
    """Parts of other multiparts have the fields that they were given, in order, or none."""
    encoder = encoder_of("mixed")
    encoder.add_part("{}", [("Content-Type", "application/json"), ("X-Own", "1")])
    encoder.add_part(b"")
    assert b"".join(encoder) == (
        b"--AaB03x\r\n"
        b"Content-Type: application/json\r\n"
        b"X-Own: 1\r\n"
        b"\r\n"
        b"{}\r\n"
        b"--AaB03x\r\n"
        b"\r\n"
        b"\r\n"
        b"--AaB03x--\r\n"
    )


def test_empty_form_on_the_wire() -> None:
    """A form without fields is one last boundary, as browsers write it."""
    assert b"".join(encoder_of()) == b"--AaB03x--\r\n"


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ('a"b', b"a%22b"),
        ("a\r\nb", b"a%0D%0Ab"),
        ("\u20ac", b"\xe2\x82\xac"),
        ("a\\", rb"a\\"),
        ("a b;c=%", b"a b;c=%"),
    ],
)
def test_names_are_escaped(name: str, escaped: bytes) -> None:
    """Quotes and line ends as browsers do; a backslash as in any quoted string."""
    encoder = encoder_of()
    encoder.add_field(name, "", filename=name)
    line = b"".join(encoder).split(b"\r\n")[1]
    assert line == (
        b'Content-Disposition: form-data; name="' + escaped + b'"; filename="' + escaped + b'"'
    )


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0b", "a\x1b[0m", " a"])
def test_fields_of_parts_are_validated(value: str) -> None:
    """CVE-2026-34514, CVE-2026-50269: no line break gets into a part's head, whichever way."""
    form, mixed = encoder_of(), encoder_of("mixed")
    with pytest.raises(LocalProtocolError, match="Content-Type"):
        form.add_field("a", "x", content_type=value)
    with pytest.raises(LocalProtocolError, match="X-Own"):
        form.add_field("a", "x", fields=[("X-Own", value)])
    with pytest.raises(LocalProtocolError, match="X-Own"):
        mixed.add_part("x", [("X-Own", value)])
    with pytest.raises(LocalProtocolError, match="a field name must be a token"):
        mixed.add_part("x", [(value, "x")])
    with pytest.raises(LocalProtocolError, match="a subtype of multipart must be a token"):
        MultipartEncoder(value)
    assert b"".join(form) == b"".join(mixed) == b"--AaB03x--\r\n"


@pytest.mark.parametrize("name", ["a\0b", "a\x7fb", "a\ud800b"])
def test_names_that_can_not_be_sent(name: str) -> None:
    """Control characters and lone surrogates in a name are refused."""
    with pytest.raises(LocalProtocolError, match="Content-Disposition"):
        encoder_of().add_field(name, "x")
    with pytest.raises(LocalProtocolError, match="Content-Disposition"):
        encoder_of().add_field("a", "x", filename=name)


def test_text_that_is_no_utf8() -> None:
    """A lone surrogate in a value is an error of the program."""
    with pytest.raises(LocalProtocolError, match="a content can't be sent as UTF-8"):
        encoder_of().add_field("a", "\ud800")


def test_boundary_is_looked_for_in_contents() -> None:
    """A given boundary that is a line of a content would end the part; a random one can't be."""
    for content in (b"--AaB03x", b"a\r\n--AaB03x--", "x\r\n--AaB03xyz"):
        with pytest.raises(LocalProtocolError, match="is a line of a content"):
            encoder_of().add_field("a", content)
    encoder_of().add_field("a", b"-- AaB03x --AaB03x \n--AaB03x")


def test_random_boundaries_differ() -> None:
    """Without a given boundary each encoder has its own, of 128 bits."""
    boundaries = {MultipartEncoder().boundary for _ in range(100)}
    assert len(boundaries) == 100
    assert {len(boundary) for boundary in boundaries} == {32}


@pytest.mark.parametrize("name", [None, 5, b"a"])
def test_names_that_are_not_text(name: object) -> None:
    """Not every program is typed: names and filenames must be str."""
    with pytest.raises(LocalProtocolError, match="a name must be str, not "):
        encoder_of().add_field(name, "x")  # type: ignore[arg-type]
    if name is not None:
        with pytest.raises(LocalProtocolError, match="a filename must be str, not "):
            encoder_of().add_field("a", "x", filename=name)  # type: ignore[arg-type]


def test_wrong_kind_of_part() -> None:
    """Form fields are for forms, and forms have nothing else."""
    with pytest.raises(InvalidUse, match=r"use add_part\(\)"):
        encoder_of("mixed").add_field("a", "x")
    for value in ("attachment; name=a", "form-data", "form-data; filename=a", "form-data; name"):
        with pytest.raises(InvalidUse, match=r"use add_field\(\)"):
            encoder_of().add_part("x", [("Content-Disposition", value)])
    with pytest.raises(InvalidUse, match=r"use add_field\(\)"):
        encoder_of().add_part("x")


def test_part_of_a_form_with_its_own_disposition() -> None:
    """A form takes a part whose fields name it."""
    encoder = encoder_of()
    encoder.add_part("x", iter([("content-disposition", 'form-data; name="a"')]))
    assert b"".join(encoder) == (
        b'--AaB03x\r\ncontent-disposition: form-data; name="a"\r\n\r\nx\r\n--AaB03x--\r\n'
    )


def test_without_parts() -> None:
    """Another encoder with the same boundary starts without parts, and each has its own."""
    encoder = encoder_of()
    encoder.add_field("a", "x")
    other = encoder.without_parts()
    assert b"".join(other) == other.closing == b"--AaB03x--\r\n"
    other.add_field("b", "y")
    assert b'name="b"' not in b"".join(encoder)
    assert encoder.closing == b"\r\n--AaB03x--\r\n"


async def endless() -> AsyncIterator[bytes]:
    """Give a content that only a loop can read."""
    yield b"x"


def test_contents_of_every_kind() -> None:
    """Bytes, text, files and iterables are sent, in pieces that are never empty."""
    encoder = encoder_of()
    encoder.add_field("a", b"1")
    encoder.add_field("b", bytearray(b"2"))
    encoder.add_field("c", memoryview(b"3"))
    encoder.add_field("d", io.BytesIO(b"4\n5" * 50_000), filename="d")
    encoder.add_field("e", [b"6", b"", b"7"])
    pieces = list(encoder)
    assert b"" not in pieces
    assert max(map(len, pieces)) == 64 * KIB
    found = [event.data for event in events_of(pieces) if isinstance(event, PartData)]
    assert found == [b"1", b"2", b"3", b"4\n5" * 50_000, b"67"]


def test_length_is_exact_where_it_is_known() -> None:
    """The length counts heads and boundaries; one content without a length makes it unknown."""
    encoder = encoder_of()
    lengths = [encoder.content_length]
    encoder.add_field("a", "\u20ac")
    lengths.append(encoder.content_length)
    encoder.add_field("b", io.BytesIO(b"123"), length=3)
    lengths.append(encoder.content_length)
    assert lengths == [12, 71, 130]
    assert len(b"".join(encoder)) == 130
    encoder.add_field("c", iter([b"x"]))
    assert encoder.content_length is None


@pytest.mark.parametrize(("length", "has"), [(2, "more"), (4, "3")])
def test_content_that_is_not_as_long_as_was_said(length: int, has: str) -> None:
    """A wrong length is an error, and not a byte more than announced is sent."""
    encoder = encoder_of()
    encoder.add_field("a", [b"1", b"2", b"3"], length=length)
    sent: list[bytes] = []
    with pytest.raises(LocalProtocolError, match=f"{length} bytes, but its content has {has}"):
        sent.extend(encoder)
    assert b"".join(sent[1:]) == b"123"[:length]


@pytest.mark.parametrize("content", [io.StringIO("a"), ["a"], [1]])
def test_content_that_is_no_bytes(content: Any) -> None:
    """A text file is refused; it had no end."""
    encoder = encoder_of()
    encoder.add_field("a", content)
    with pytest.raises(LocalProtocolError, match="expected a piece of bytes, not "):
        list(encoder)


def test_sections_give_contents_as_they_were_added() -> None:
    """Whoever has a loop gets its own contents back, between the bytes around them."""
    content = endless()
    encoder = encoder_of()
    encoder.add_field("a", content)
    encoder.add_field("b", b"")
    head, found, *rest = encoder.sections()
    assert found is content
    assert head == field("a", b"")[:-2]
    assert rest == [b"\r\n" + field("b", b"")[:-2], b"\r\n--AaB03x--\r\n"]
    with pytest.raises(LocalProtocolError, match=r"async_generator can only be read .*sections"):
        list(encoder)


def test_multipart_in_multipart() -> None:
    """A part may be a multipart of its own, with its exact length."""
    inner = MultipartEncoder("alternative")
    inner.add_part("text", [("Content-Type", "text/plain")])
    outer = MultipartEncoder("mixed")
    outer.add_part(inner, [("Content-Type", inner.content_type)], length=inner.content_length)
    body = b"".join(outer)
    assert len(body) == outer.content_length
    (head, data, *_) = joined(received(multipart_decoder(outer.content_type), [body]))
    assert isinstance(head, PartBegan)
    assert isinstance(data, PartData)
    decoder = multipart_decoder(head.headers["Content-Type"])
    assert joined(received(decoder, [data.data]))[1] == PartData(b"text")


def test_repr_tells_the_state() -> None:
    """Encoder and decoder show how far they are."""
    encoder = encoder_of()
    encoder.add_field("a", "x")
    assert repr(encoder) == "<MultipartEncoder form-data 1 parts, length 69>"
    decoder = MultipartDecoder(BOUNDARY)
    assert repr(decoder) == "<MultipartDecoder open 0 parts in 0 bytes>"
    joined(received(decoder, encoder))
    assert repr(decoder) == "<MultipartDecoder complete 1 parts in 69 bytes>"


# Both directions.

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20).filter(
    lambda name: "%22" not in name
)
DATA = st.one_of(
    st.binary(max_size=100),
    st.lists(
        st.sampled_from([b"\r", b"\n", b"-", b"--", b"\r\n--bound", b"x", b"ary", b"\r\n--b"]),
        max_size=12,
    ).map(b"".join),
).filter(lambda data: b"\r\n--boundary" not in b"\r\n" + data)


@given(
    st.lists(st.tuples(NAMES, st.none() | NAMES, DATA), max_size=4),
    st.lists(st.integers(0, 400), max_size=8),
)
def test_round_trip(parts: list[tuple[str, str | None, bytes]], places: list[int]) -> None:
    """Encoding, then decoding, is identity under every cut."""
    encoder = MultipartEncoder(boundary="boundary")
    for name, filename, data in parts:
        encoder.add_field(name, data, filename=filename)
    body = b"".join(encoder)
    assert len(body) == encoder.content_length
    edges = [0, *sorted(places), len(body)]
    pieces = [body[a:b] for a, b in pairwise(edges)]
    found: list[tuple[str | None, str | None, bytes]] = []
    for event in received(multipart_decoder(encoder.content_type), pieces):
        if isinstance(event, PartBegan):
            found.append((event.name, event.filename, b""))
        elif isinstance(event, PartData):
            found[-1] = (*found[-1][:2], found[-1][2] + event.data)
    assert found == parts


@given(
    st.lists(st.sampled_from([*b'\r\n- :ab;"=']), max_size=60).map(bytes), st.binary(max_size=60)
)
def test_any_bytes_end_in_events_or_an_error(middle: bytes, noise: bytes) -> None:
    """Whatever comes, decoding ends; whole and byte by byte it ends the same way."""

    def outcome(pieces: Iterable[bytes]) -> tuple[list[MultipartEvent], str]:
        events: list[MultipartEvent] = []
        decoder = MultipartDecoder("a", is_form=False)
        try:
            events.extend(received(decoder, pieces))
        except HttpException as exc:
            return joined(events), str(exc)
        return joined(events), ""

    body = b"--a" + middle + noise + b"\r\n--a--"
    whole, *others = (outcome(pieces) for pieces in cuts(body, splits=8))
    assert all(other == whole for other in others)
