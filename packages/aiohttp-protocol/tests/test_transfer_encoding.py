"""base64 and quoted-printable, however the data is cut."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol.errors import LocalProtocolError, MultipartError
from aiohttp.protocol.transfer_encoding import transfer_decoder, transfer_encoder
from wire import cuts

NAMES = ["base64", "quoted-printable"]
# RFC 2045, section 6.7, and what is hard in it: trailing blanks, "=", bare CR and LF.
TEXT = b"Now's the time =\r\nfor all folk to come\r\nto the aid \t\r\n of \xc3\xa4 \r x\n= "


def encoded(name: str, pieces: Iterable[bytes]) -> bytes:
    """Return pieces, encoded."""
    factory = transfer_encoder(name)
    assert factory is not None
    encoder = factory()
    return b"".join([*map(encoder.encode, pieces), encoder.finish()])


def decoded(name: str, pieces: Iterable[bytes]) -> bytes:
    """Return encoded pieces, decoded."""
    factory = transfer_decoder(name)
    assert factory is not None
    decoder = factory()
    return b"".join([*map(decoder.decode, pieces), decoder.finish()])


@pytest.mark.parametrize("name", NAMES)
def test_both_directions_under_every_cut(name: str) -> None:
    """What was encoded in any pieces is decoded in any pieces."""
    data = TEXT * 3
    for pieces in cuts(data):
        assert decoded(name, [encoded(name, pieces)]) == data
    for pieces in cuts(encoded(name, [data])):
        assert decoded(name, pieces) == data


@given(st.sampled_from(NAMES), st.lists(st.binary(max_size=200)))
def test_any_data(name: str, pieces: list[bytes]) -> None:
    """Any data comes back, in lines of at most 76 characters that are ASCII."""
    text = encoded(name, pieces)
    assert decoded(name, [text]) == b"".join(pieces)
    assert all(len(line) <= 76 for line in text.split(b"\r\n"))
    assert text.isascii()
    assert b"\n" not in text.replace(b"\r\n", b"")


@pytest.mark.parametrize("end", [b"!", b"\x00"])
@pytest.mark.parametrize("size", range(70, 80))
def test_line_that_is_just_full(size: int, end: bytes) -> None:
    """A piece that fills its last line leaves room for the break behind it."""
    text = encoded("quoted-printable", [b"a" * size + end, b"b"])
    assert max(map(len, text.split(b"\r\n"))) <= 76
    assert decoded("quoted-printable", [text]) == b"a" * size + end + b"b"


def test_others_can_read_it() -> None:
    """The decoders of the standard library agree."""
    assert base64.decodebytes(encoded("base64", [TEXT])) == TEXT
    assert quopri.decodestring(encoded("quoted-printable", [TEXT])) == TEXT


def test_what_means_nothing_in_base64_is_ignored() -> None:
    """Line ends, blanks and whatever else isn't of the alphabet (RFC 2045, section 6.8)."""
    for pieces in cuts(b" Y W\r\nJ*j\n"):
        assert decoded("base64", pieces) == b"abc"


@pytest.mark.parametrize("data", [b"YWJ", b"YWJjZ", b"A"])
def test_base64_that_ends_early_is_an_error(data: bytes) -> None:
    """A group of less than four characters was cut short."""
    for pieces in cuts(data):
        with pytest.raises(MultipartError, match="ended within four characters"):
            decoded("base64", pieces)


def test_padding_in_the_wrong_place_is_an_error() -> None:
    """A group can't begin with its padding."""
    with pytest.raises(MultipartError, match="expected base64"):
        decoded("base64", [b"Y==="])


@pytest.mark.parametrize("data", [b"YQ==YWJj", b"YWJjYWI=\r\nYWJj", b"YQ==Y", b"YQ==="])
def test_base64_ends_with_its_padding(data: bytes) -> None:
    """What goes on behind it was lost or not, depending on how the data was cut."""
    for pieces in cuts(data):
        with pytest.raises(MultipartError, match=r"behind its padding|Excess data|ended"):
            decoded("base64", pieces)


@pytest.mark.parametrize("name", ["", "7bit", "8BIT", " binary "])
def test_identity(name: str) -> None:
    """These say that data goes as it is."""
    assert transfer_encoder(name) is None
    assert transfer_decoder(name) is None


def test_unknown_encoding_is_an_error() -> None:
    """The program's fault or the peer's; either is told what there is."""
    message = "unknown Content-Transfer-Encoding 'x-own': expected 7bit, 8bit, binary, base64"
    with pytest.raises(LocalProtocolError, match=message):
        transfer_encoder("x-own")
    with pytest.raises(MultipartError, match=message):
        transfer_decoder("x-own")
    assert transfer_encoder("BASE64") is not None
