"""Content codings: every coding whole, byte by byte and in any cut; bombs; negotiation."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol import coding as coding_module
from aiohttp.protocol.coding import (
    ContentDecoder,
    accept_encoding,
    available_codings,
    choose_coding,
    content_decoder,
    content_encoder,
    decoded_at_once,
)
from aiohttp.protocol.errors import (
    ContentCodingError,
    DecompressionBomb,
    HttpException,
    InvalidUse,
    LimitExceeded,
    LocalProtocolError,
    UnknownContentCoding,
)
from aiohttp.protocol.limits import DEFAULT_LIMITS, Limits
from wire import cuts

KIB = 1024
MIB = 1024 * KIB
TEXT = b"".join(b"line %d of a text that is worth compressing\n" % n for n in range(40))
CODINGS = available_codings()
UNBOUND = Limits(decoded=None, ratio=10**9)
NO_GRACE = Limits(ratio_grace=0)

each_coding = pytest.mark.parametrize("coding", CODINGS)


def encoded(coding: str, data: bytes = TEXT, level: int | None = None) -> bytes:
    """Return ``data`` with codings applied."""
    encoder = content_encoder(coding, level)
    return encoder.encode(data) + encoder.finish()


def raw_deflate(data: bytes) -> bytes:
    """Return ``data`` as a deflate stream without a zlib header."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def decoder_of(coding: str, limits: Limits = DEFAULT_LIMITS) -> ContentDecoder:
    """Return a decoder for what is not identity."""
    decoder = content_decoder(coding, limits)
    assert decoder is not None
    return decoder


def read_ready(decoder: ContentDecoder, max_size: int) -> Iterator[bytes]:
    """Yield what can be read by now, and check the bound of each piece."""
    while data := decoder.read(max_size):
        assert len(data) <= max_size
        yield data


def decoded(
    coding: str,
    pieces: Iterable[bytes],
    limits: Limits = DEFAULT_LIMITS,
    max_size: int = 64 * KIB,
) -> bytes:
    """Return the whole body, read as it comes."""
    decoder = decoder_of(coding, limits)
    found: list[bytes] = []
    for piece in pieces:
        decoder.feed(piece)
        found += read_ready(decoder, max_size)
    decoder.end()
    found += read_ready(decoder, max_size)
    assert decoder.is_complete
    return b"".join(found)


def peak_memory(decoder: ContentDecoder) -> int:
    """Return the bytes that Python allocated while everything was read in 64 KiB pieces."""
    tracemalloc.start()
    try:
        for _ in read_ready(decoder, 64 * KIB):
            pass
    except HttpException:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


# Every coding, in every cut.


def test_extras_are_installed() -> None:
    """These tests cover all four codings."""
    assert CODINGS == ("gzip", "deflate", "br", "zstd")


@each_coding
def test_body_under_every_cut(coding: str) -> None:
    """What was encoded is decoded, however the input is cut."""
    for pieces in cuts(encoded(coding)):
        assert decoded(coding, pieces) == TEXT


@each_coding
@pytest.mark.parametrize("max_size", [1, 7, 100, 64 * KIB])
def test_reads_of_every_size(coding: str, max_size: int) -> None:
    """A read gives at most as many bytes as were asked for, and in the end all of them."""
    body = TEXT * 5
    assert decoded(coding, [encoded(coding, body)], max_size=max_size) == body


@each_coding
def test_nothing_is_held_back(coding: str) -> None:
    """Small reads get as far as large ones with the input that has come, wherever it is cut."""
    wire = encoded(coding, b"abc" * 500)
    for size in range(len(wire)):
        decoders = decoder_of(coding), decoder_of(coding)
        for decoder in decoders:
            decoder.feed(wire[:size])
        small, large = decoders
        assert b"".join(read_ready(small, 1)) == b"".join(read_ready(large, 64 * KIB))


@each_coding
@pytest.mark.parametrize("body", [TEXT * 400, bytes(700 * KIB)], ids=["text", "zeros"])
def test_large_body(coding: str, body: bytes) -> None:
    """A body whose coded form is taken long before all of it is read comes out whole."""
    wire = encoded(coding, body)
    for max_size in (1000, 64 * KIB, MIB):
        assert decoded(coding, [wire], UNBOUND, max_size) == body


@each_coding
@given(data=st.data(), body=st.binary(max_size=300).map(lambda part: part * 400))
def test_round_trip(coding: str, data: st.DataObject, body: bytes) -> None:
    """Encoding, then decoding, changes nothing: any body, any cut, any size of reads."""
    encoder = content_encoder(coding)
    middle = data.draw(st.integers(0, len(body)))
    wire = encoder.encode(body[:middle])
    if data.draw(st.booleans()):
        wire += encoder.flush()
    wire += encoder.encode(body[middle:]) + encoder.finish()
    places = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=5)))
    pieces = [wire[a:b] for a, b in zip([0, *places], [*places, len(wire)], strict=True)]
    max_size = data.draw(st.integers(1, 5000))
    assert decoded(coding, pieces, UNBOUND, max_size) == body


@each_coding
def test_flush_lets_the_peer_read_up_to_here(coding: str) -> None:
    """After a flush everything encoded so far can be decoded, before the body ends."""
    encoder = content_encoder(coding)
    decoder = decoder_of(coding)
    for message in (b"first", b"second"):
        decoder.feed(encoder.encode(message) + encoder.flush())
        assert b"".join(read_ready(decoder, 100)) == message
    decoder.feed(encoder.finish())
    decoder.end()
    assert decoder.read(100) == b""
    assert decoder.is_complete


@each_coding
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_like_input(coding: str, kind: type[bytes | bytearray | memoryview]) -> None:
    """Encoders and decoders take bytes, bytearray and memoryview."""
    encoder = content_encoder(coding)
    wire = encoder.encode(kind(TEXT)) + encoder.finish()
    decoder = decoder_of(coding)
    decoder.feed(kind(wire))
    assert decoder.read(len(TEXT)) == TEXT


@each_coding
def test_empty_body_is_complete(coding: str) -> None:
    """A body without a byte is complete in every coding: servers label empty bodies too."""
    decoder = decoder_of(coding)
    complete = [decoder.is_complete]
    assert decoder.read(1) == b""
    decoder.end()
    complete.append(decoder.is_complete)
    assert decoder.read(1) == b""
    assert complete == [False, True]


@each_coding
def test_coded_empty_body(coding: str) -> None:
    """An encoder that got nothing still makes a complete coding of nothing."""
    assert encoded(coding, b"") != b""
    assert decoded(coding, [encoded(coding, b"")]) == b""


# Ends: too early, too late.


@each_coding
def test_truncated_body_is_an_error_at_every_place(coding: str) -> None:
    """A body that ends before its coding does is no short body, wherever it was cut."""
    wire = encoded(coding)
    for size in range(1, len(wire)):
        with pytest.raises(ContentCodingError, match=f"ended before its {coding} coding did"):
            decoded(coding, [wire[:size]])


@each_coding
def test_truncation_is_told_after_the_good_bytes(coding: str) -> None:
    """What came before the premature end can be read; then each read raises."""
    encoder = content_encoder(coding)
    decoder = decoder_of(coding)
    decoder.feed(encoder.encode(TEXT) + encoder.flush())
    decoder.end()
    assert decoder.read(len(TEXT)) == TEXT
    for _ in range(2):
        with pytest.raises(ContentCodingError, match="ended before") as caught:
            decoder.read(1)
        assert caught.value.coding == coding
        assert caught.value.status == 400
    assert not decoder.is_complete


@each_coding
@pytest.mark.parametrize("max_size", [1, 64 * KIB])
def test_bytes_behind_the_end_are_an_error(coding: str, max_size: int) -> None:
    """Bytes behind the end of a coding are neither dropped nor taken for content."""
    for pieces in cuts(encoded(coding) + b"garbage"):
        with pytest.raises(ContentCodingError, match=rf"expected .*{coding}"):
            decoded(coding, pieces, max_size=max_size)


@each_coding
def test_content_that_is_not_coded_is_an_error(coding: str) -> None:
    """Plain text labelled as coded is named as such."""
    for pieces in cuts(b"<html>plain text, not coded</html>"):
        with pytest.raises(ContentCodingError, match=f"expected content coded as {coding}"):
            decoded(coding, pieces)


def test_damaged_checksum_is_an_error() -> None:
    """A gzip member whose CRC does not fit its content is refused."""
    wire = bytearray(encoded("gzip"))
    wire[-5] ^= 1
    with pytest.raises(ContentCodingError, match="incorrect data check"):
        decoded("gzip", [bytes(wire)])


# What is peculiar to one format.


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("max_size", [1, 64 * KIB])
def test_members_follow_each_other(coding: str, max_size: int) -> None:
    """Several gzip members (RFC 1952, 2.2) or zstd frames (RFC 8878, 3) are one body."""
    wire = encoded(coding, b"one ") + encoded(coding, b"") + encoded(coding, b"two")
    for pieces in cuts(wire):
        assert decoded(coding, pieces, max_size=max_size) == b"one two"


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_truncated_second_member_is_an_error(coding: str) -> None:
    """A second member that begins and doesn't end is truncation, not garbage to ignore."""
    first, second = encoded(coding, b"one"), encoded(coding, b"two")
    for size in range(1, len(second)):
        with pytest.raises(ContentCodingError, match="ended before"):
            decoded(coding, [first + second[:size]])


def test_zeros_behind_gzip_are_padding() -> None:
    """Zero bytes behind the last member are ignored, as gzip(1) does: tapes are padded."""
    for pieces in cuts(encoded("gzip", b"text") + bytes(100)):
        assert decoded("gzip", pieces) == b"text"


def test_bytes_behind_gzip_padding_are_an_error() -> None:
    """Behind padding nothing else may come, not even another member."""
    for pieces in cuts(encoded("gzip", b"text") + bytes(10) + encoded("gzip", b"more")):
        with pytest.raises(ContentCodingError, match=r"expected the body to end with its gzip"):
            decoded("gzip", pieces)


def test_gzip_header_with_every_optional_part() -> None:
    """Extra field, name, comment and header CRC (RFC 1952, section 2.3) are skipped."""
    header = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x03\0abc" + b"name\0" + b"comment\0"
    header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    tail = zlib.crc32(TEXT).to_bytes(4, "little") + len(TEXT).to_bytes(4, "little")
    for pieces in cuts(header + raw_deflate(TEXT) + tail):
        assert decoded("gzip", pieces) == TEXT


@pytest.mark.parametrize("body", [b"", b"a", TEXT, bytes(range(256))])
def test_raw_deflate_is_understood(body: bytes) -> None:
    """Deflate without the zlib header, as some servers send it, is told by its first bytes."""
    for pieces in cuts(raw_deflate(body)):
        assert decoded("deflate", pieces) == body


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("window", range(9, 16))
def test_every_zlib_header_is_recognized(level: int, window: int) -> None:
    """Wrapped streams of every level and window are told from raw ones."""
    compressor = zlib.compressobj(level, wbits=window)
    assert decoded("deflate", [compressor.compress(TEXT) + compressor.flush()]) == TEXT


def test_preset_dictionary_is_an_error() -> None:
    """Deflate with a dictionary that nobody sent can't be undone."""
    compressor = zlib.compressobj(zdict=TEXT)
    with pytest.raises(ContentCodingError, match="deflate"):
        decoded("deflate", [compressor.compress(TEXT) + compressor.flush()])


def test_zstd_skippable_frame() -> None:
    """A skippable frame (RFC 8878, section 3.1.2) holds nothing of the content."""
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"abcde"
    for pieces in cuts(skippable + encoded("zstd", b"text") + skippable):
        assert decoded("zstd", pieces) == b"text"


def test_zstd_window_of_more_than_8_mib_is_refused() -> None:
    """A frame of a few bytes can't make the decoder ask for 128 MB (RFC 9659, section 3)."""
    magic, no_flags, window_log_27 = b"\x28\xb5\x2f\xfd", b"\0", b"\x88"
    with pytest.raises(ContentCodingError, match="too much memory"):
        decoded("zstd", [magic + no_flags + window_log_27 + b"\x19\0\0abc"])


def test_zstd_encoder_stays_below_8_mib() -> None:
    """The highest level makes frames that every decoder must accept."""
    body = TEXT * 10
    assert decoded("zstd", [encoded("zstd", body, level=19)]) == body
    with pytest.raises(LocalProtocolError, match="a level of zstd is 1 to 19, not 20"):
        content_encoder("zstd", 20)


# Chains and names.


@pytest.mark.parametrize("chain", ["gzip, br", "br, gzip", "zstd, deflate, gzip", "gzip, gzip"])
@pytest.mark.parametrize("max_size", [1, 64 * KIB])
def test_chain_is_undone_from_its_end(chain: str, max_size: int) -> None:
    """The coding that was applied last, and is named last, is undone first."""
    wire = TEXT
    for coding in chain.split(", "):
        wire = encoded(coding, wire)
    assert encoded(chain) == wire
    for pieces in cuts(wire, splits=16):
        assert decoded(chain, pieces, max_size=max_size) == TEXT


def test_chain_in_the_wrong_order_is_an_error() -> None:
    """The order in Content-Encoding matters."""
    with pytest.raises(ContentCodingError, match="expected content coded as zstd"):
        decoded("gzip, zstd", [encoded("zstd, gzip")])


def test_truncation_inside_a_chain_is_an_error() -> None:
    """A complete outer coding around a truncated inner one is an error."""
    with pytest.raises(ContentCodingError, match="ended before its br coding did"):
        decoded("br, gzip", [encoded("gzip", encoded("br")[:-3])])


def test_flush_goes_through_a_chain() -> None:
    """A flush makes everything readable through each coding of a chain."""
    encoder = content_encoder("gzip, br")
    decoder = decoder_of("gzip, br")
    decoder.feed(encoder.encode(b"now") + encoder.flush())
    assert decoder.read(100) == b"now"


@pytest.mark.parametrize("name", ["", "identity", "Identity, ,identity"])
def test_identity_needs_no_decoder(name: str) -> None:
    """Identity is no coding, and its encoder changes nothing."""
    assert content_decoder(name) is None
    encoder = content_encoder(name)
    assert encoder.encode(TEXT) + encoder.flush() + encoder.finish() == TEXT


@pytest.mark.parametrize("name", ["GZIP", "x-gzip", " gzip ,", "identity, gzip"])
def test_spellings_of_gzip(name: str) -> None:
    """Names ignore case; x-gzip is gzip (RFC 9110, section 8.4.1.3); empty members are dropped."""
    assert decoded(name, [gzip.compress(TEXT)]) == TEXT


@pytest.mark.parametrize("name", ["compress", "gzip, sdch", "g\u017aip", "gzip;q=1"])
def test_unknown_coding(name: str) -> None:
    """A coding that nobody here knows is 415, with the known ones in the message."""
    with pytest.raises(UnknownContentCoding, match="expected content coded as gzip, ") as caught:
        content_decoder(name)
    assert caught.value.status == 415
    with pytest.raises(LocalProtocolError):
        content_encoder(name)


def test_too_many_codings() -> None:
    """How many codings lie on top of each other is bounded, before anything is decoded."""
    assert content_decoder("gzip, gzip, gzip") is not None
    with pytest.raises(ContentCodingError, match="no more than 3 content codings, got 4"):
        content_decoder("gzip, gzip, gzip, gzip")


@pytest.mark.parametrize(("coding", "extra"), [("br", "brotli"), ("zstd", "zstd")])
def test_missing_extra_is_named(coding: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its extra a coding is neither offered nor applied, and the error says what to do."""
    for name in ("brotli", "backports.zstd", "compression.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    caches = (coding_module._br, coding_module._zstd, available_codings)
    for cached in caches:
        cached.cache_clear()
    try:
        assert accept_encoding() == "gzip, deflate"
        command = rf"pip install 'aiohttp-protocol\[{extra}\]'"
        with pytest.raises(UnknownContentCoding, match=command):
            content_decoder(coding)
        with pytest.raises(LocalProtocolError, match=command):
            content_encoder(coding)
    finally:
        for cached in caches:
            cached.cache_clear()


def test_brotli_that_can_not_be_bounded_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brotli before 1.2 would inflate a bomb in one go: it counts as missing."""

    class OldBrotli:
        __version__ = "1.1.0"
        Decompressor = object

    monkeypatch.setitem(sys.modules, "brotli", OldBrotli)
    coding_module._br.cache_clear()
    try:
        with pytest.raises(UnknownContentCoding, match=r"needs brotli 1\.2 or later, not 1\.1\.0"):
            content_decoder("br")
    finally:
        coding_module._br.cache_clear()


@pytest.mark.parametrize(
    ("coding", "level"), [("gzip", 10), ("deflate", -1), ("br", 12), ("zstd", 0)]
)
def test_levels_are_checked(coding: str, level: int) -> None:
    """A level that the coding doesn't have is an error of the program."""
    with pytest.raises(LocalProtocolError, match=f"a level of {coding} is .*, not {level}"):
        content_encoder(coding, level)


# Whole bodies, at once.


@each_coding
@pytest.mark.parametrize("body", [TEXT, TEXT * 100], ids=["one step", "several steps"])
def test_whole_body_is_decoded_at_once(coding: str, body: bytes) -> None:
    """Nearly all bodies that came whole take the short way."""
    assert decoded_at_once(encoded(coding, body), coding) == body


@each_coding
def test_unusual_body_is_left_to_the_decoder(coding: str) -> None:
    """What isn't one coding of one body is no result: the decoder tells what it is."""
    wire = encoded(coding)
    for unusual in (b"", wire[:-1], wire + b"garbage", wire + wire, b"<html>not coded</html>"):
        assert decoded_at_once(unusual, coding) is None


@each_coding
def test_body_beyond_a_limit_is_left_to_the_decoder(coding: str) -> None:
    """The short way is within all limits: of one byte more it gives nothing."""
    wire, size = encoded(coding), len(TEXT)
    assert decoded_at_once(wire, coding, Limits(decoded=size, ratio_grace=size), size) == TEXT
    assert decoded_at_once(wire, coding, Limits(decoded=size - 1)) is None
    assert decoded_at_once(wire, coding, Limits(ratio_grace=size - 1)) is None
    assert decoded_at_once(wire, coding, max_size=size - 1) is None


# Bombs: bounded per step, in total and by ratio.

BOMB_SIZE = 32 * MIB


@pytest.fixture(scope="module", params=CODINGS)
def bomb(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """A coding, and 32 MiB of zeros in it."""
    coding: str = request.param
    encoder = content_encoder(coding, 3)
    pieces = [encoder.encode(bytes(MIB)) for _ in range(BOMB_SIZE // MIB)]
    return coding, b"".join(pieces) + encoder.finish()


def test_bomb_is_bounded_per_step(bomb: tuple[str, bytes]) -> None:
    """CVE-2025-69223, CVE-2026-84382: memory stays small whatever a small input inflates to."""
    coding, wire = bomb
    decoder = decoder_of(coding, UNBOUND)
    decoder.feed(wire)
    assert peak_memory(decoder) < 512 * KIB


def test_bomb_at_once_is_given_up_soon(bomb: tuple[str, bytes]) -> None:
    """The short way goes no further than a body of usual size, by steps."""
    coding, wire = bomb
    tracemalloc.start()
    assert decoded_at_once(wire, coding, UNBOUND) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MIB


def test_bomb_is_bounded_by_ratio(bomb: tuple[str, bytes]) -> None:
    """GHSA-mgf9-4vpg-hj56 (tornado): more than 200 times its size is a bomb, after 1 MiB."""
    coding, wire = bomb
    decoder = decoder_of(coding)
    decoder.feed(wire)
    sizes: list[int] = []
    with pytest.raises(DecompressionBomb, match="expected no more than 200 times") as caught:
        sizes.extend(len(data) for data in read_ready(decoder, 64 * KIB))
    assert caught.value.name == "ratio"
    assert caught.value.limit == 200
    assert caught.value.ratio > 200
    assert caught.value.status == 413
    # 16 KiB of input are taken at once, and count as soon as they are.
    assert sum(sizes) <= 200 * 16 * KIB


def test_bomb_is_bounded_in_total(bomb: tuple[str, bytes]) -> None:
    """The decoded size is bounded, and what exceeds it isn't handed over."""
    coding, wire = bomb
    decoder = decoder_of(coding, Limits(decoded=300_000))
    decoder.feed(wire)
    sizes: list[int] = []
    with pytest.raises(DecompressionBomb, match="more than 300000 bytes") as caught:
        sizes.extend(len(data) for data in read_ready(decoder, 10_000))
    assert caught.value.name == "decoded"
    assert 290_000 < sum(sizes) <= 300_000


def test_bomb_that_nobody_reads_is_never_decoded(bomb: tuple[str, bytes]) -> None:
    """CVE-2026-54278, CVE-2026-21441, CVE-2026-44432: to drop or drain a body inflates nothing."""
    coding, wire = bomb
    tracemalloc.start()
    decoder = decoder_of(coding)
    decoder.feed(wire)
    decoder.end()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(wire) + 128 * KIB
    assert decoder.pending == len(wire)


def test_limits_hold_across_pieces() -> None:
    """Feeding byte by byte changes no limit."""
    wire = encoded("gzip", bytes(300_000))
    for pieces in ([wire], [wire[i : i + 1] for i in range(len(wire))]):
        with pytest.raises(DecompressionBomb, match="decode to more than 200000 bytes"):
            decoded("gzip", pieces, Limits(decoded=200_000))


def test_limits_hold_across_members() -> None:
    """A limit counts the whole body, not one member of it."""
    with pytest.raises(DecompressionBomb, match="more than 1000 bytes"):
        decoded("gzip", [encoded("gzip", bytes(400)) * 3], Limits(decoded=1000))


def test_exactly_the_limit_passes() -> None:
    """A body of exactly as many bytes as are allowed is no bomb."""
    assert len(decoded("gzip", [encoded("gzip", bytes(1000))], Limits(decoded=1000))) == 1000


def test_grace_lets_small_bodies_pass() -> None:
    """Up to ``ratio_grace`` any ratio passes; without it the same body is a bomb."""
    wire = encoded("gzip", bytes(MIB))
    assert len(decoded("gzip", [wire])) == MIB
    with pytest.raises(DecompressionBomb, match="times as many"):
        decoded("gzip", [wire], NO_GRACE)


@pytest.mark.parametrize("outer", CODINGS)
def test_bomb_between_two_codings(outer: str) -> None:
    """What one coding inflates and the next swallows is bounded like what is read."""
    # Empty stored blocks (RFC 1951, section 3.2.4): any number of them is no content.
    swallowed = b"\x78\x01" + b"\0\0\0\xff\xff" * MIB
    decoder = decoder_of(f"deflate, {outer}")
    decoder.feed(encoded(outer, swallowed))
    with pytest.raises(DecompressionBomb, match="times as many"):
        decoder.read(64 * KIB)


def test_bomb_in_a_chain_keeps_memory_small() -> None:
    """A bomb in a bomb costs a step in each coding, not the product of both."""
    decoder = decoder_of("gzip, gzip", UNBOUND)
    decoder.feed(encoded("gzip, gzip", bytes(BOMB_SIZE)))
    assert peak_memory(decoder) < 512 * KIB


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_are_counted(coding: str) -> None:
    """Limits count objects as well as bytes: empty members cost time, not memory."""
    limits = Limits(members=10)
    empty = encoded(coding, b"")
    assert decoded(coding, [empty * 10], limits) == b""
    with pytest.raises(LimitExceeded, match=f"no more than 10 members of {coding}") as caught:
        decoded(coding, [empty * 11], limits)
    assert (caught.value.name, caught.value.limit, caught.value.status) == ("members", 10, 413)


def test_many_tiny_pieces_cost_no_more_memory() -> None:
    """CVE-2025-69229, #12988: a body fed in single bytes waits in the memory of its size."""
    decoder = decoder_of("gzip")
    tracemalloc.start()
    for _ in range(100_000):
        decoder.feed(b"\x1f")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert decoder.pending == 100_000
    assert peak < 300_000


# The decoder's and the encoder's state.


def test_nothing_is_decoded_before_it_is_read() -> None:
    """Input waits in its coded form until somebody reads."""
    wire = encoded("gzip")
    decoder = decoder_of("gzip")
    decoder.feed(wire)
    assert decoder.pending == len(wire)
    assert decoder.read(10) == TEXT[:10]
    assert decoder.pending == 0


def test_error_stays() -> None:
    """After an error the input is dropped, and each read raises the same error."""
    decoder = decoder_of("gzip")
    decoder.feed(b"not gzip" * 10_000)
    for _ in range(2):
        with pytest.raises(ContentCodingError, match="incorrect header check"):
            decoder.read(10)
        assert decoder.pending == 0
        decoder.feed(encoded("gzip"))
    assert "failed" in repr(decoder)


def test_feeding_after_the_end_is_a_mistake() -> None:
    """Nothing can be fed once the end was told."""
    decoder = decoder_of("gzip")
    decoder.end()
    with pytest.raises(InvalidUse, match="nothing can be fed"):
        decoder.feed(b"more")


@pytest.mark.parametrize("max_size", [0, -1])
def test_unbounded_read_is_a_mistake(max_size: int) -> None:
    """For zlib 0, and for zstd -1, means "no bound": neither gets there."""
    with pytest.raises(ValueError, match="from 1 on"):
        decoder_of("gzip").read(max_size)


def test_finished_encoder_takes_nothing() -> None:
    """A coded body ends once."""
    encoder = content_encoder("gzip")
    encoder.finish()
    with pytest.raises(InvalidUse, match="was finished"):
        encoder.encode(b"x")
    with pytest.raises(InvalidUse, match="was finished"):
        encoder.flush()
    with pytest.raises(InvalidUse, match="was finished"):
        encoder.finish()


def test_repr_tells_the_state() -> None:
    """A decoder shows its codings, its state and what waits."""
    decoder = decoder_of("br, gzip")
    decoder.feed(b"12345")
    assert repr(decoder) == "<ContentDecoder br, gzip open 5 bytes pending>"


def test_extras_are_imported_when_first_needed() -> None:
    """Importing the module imports neither brotli nor zstd."""
    code = (
        "import sys, aiohttp.protocol.coding as coding\n"
        "coding.content_decoder('gzip')\n"
        "sys.exit(any('brotli' in name or 'zstd' in name for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Negotiation (RFC 9110, section 12.5.3).


def test_accept_encoding_names_what_is_available() -> None:
    """A client offers exactly what it can undo."""
    assert accept_encoding() == "gzip, deflate, br, zstd"


@pytest.mark.parametrize(
    ("field", "chosen"),
    [
        (None, "identity"),
        ("", "identity"),
        (" , ", "identity"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZip", "gzip"),
        ("deflate", "identity"),
        ("gzip;q=0.5, br;q=0.4", "gzip"),
        ("gzip;Q=1.000 , br ; q=0.999", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0.000, br;q=0", "identity"),
        ("*", "br"),
        ("*;q=0.1, br;q=0", "gzip"),
        ("gzip, *;q=0", "gzip"),
        ("compress, gzip", "gzip"),
        # identity
        ("identity", "identity"),
        ("identity, gzip", "gzip"),
        ("identity;q=1, gzip;q=0.5", "identity"),
        ("identity;q=0.5, gzip;q=1", "gzip"),
        ("identity;q=0", None),
        ("deflate, identity;q=0", None),
        ("*;q=0", None),
        ("*;q=0, identity;q=0.1", "identity"),
        ("identity;q=0, *", "br"),
        # the examples of the RFC, with "compress, gzip" above
        ("compress;q=0.5, gzip;q=1.0", "gzip"),
        ("gzip;q=1.0, identity; q=0.5, *;q=0", "gzip"),
        # what is malformed counts as absent
        ("gzip;q=2", "identity"),
        ("gzip;q=0.5555, br;q=0.1", "br"),
        ("gzip;q=-1", "identity"),
        ("gzip;q=1e0", "identity"),
        ("gzip;q=\uff11", "identity"),
        ("gzip;q", "identity"),
        ("gzip;level=1", "identity"),
    ],
)
def test_choose_coding(field: str | None, chosen: str | None) -> None:
    """The greatest weight wins, then the server's order; identity unless it is excluded."""
    assert choose_coding(field, ("br", "gzip")) == chosen


def test_choose_coding_without_an_offer() -> None:
    """A server that offers nothing answers with identity, if it may."""
    assert choose_coding("gzip, br", ()) == "identity"
    assert choose_coding("gzip, identity;q=0", ()) is None
