"""Rule 8: decompression is bounded per step, in total and by ratio, also where nobody reads.

Bodies, chains and every coding are in ``tests/test_coding.py``; here stand the
published failures, in gzip.
"""

from __future__ import annotations

import gzip
import tracemalloc

import pytest

from aiohttp.protocol.coding import ContentDecoder, content_decoder
from aiohttp.protocol.errors import DecompressionBomb, UnknownContentCoding
from aiohttp.protocol.limits import DEFAULT_LIMITS, Limits

MIB = 2**20
BOMB = gzip.compress(bytes(64 * MIB))


def decoder(limits: Limits = DEFAULT_LIMITS) -> ContentDecoder:
    """Return a decoder for gzip."""
    found = content_decoder("gzip", limits)
    assert found is not None
    return found


def test_bomb_is_found_by_its_ratio() -> None:
    """CVE-2025-69223, GHSA-mgf9-4vpg-hj56: 64 KB that inflate to 64 MB are refused on the way."""
    bomb = decoder()
    bomb.feed(BOMB)
    with pytest.raises(DecompressionBomb) as caught:
        while bomb.read(64 * 1024):
            pass
    assert caught.value.status == 413


def test_each_step_is_bounded() -> None:
    """CVE-2026-84382: no step inflates more than it hands over, however large its input is."""
    unbound = Limits(ratio=10**9, decoded=None)
    bomb = decoder(unbound)
    bomb.feed(BOMB)
    tracemalloc.start()
    for _ in range(100):
        assert len(bomb.read(4096)) <= 4096
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MIB


def test_total_is_bounded() -> None:
    """CVE-2025-69223: the decoded size has a limit of its own."""
    bomb = decoder(Limits(decoded=MIB, ratio=10**9))
    bomb.feed(BOMB)
    sizes: list[int] = []
    with pytest.raises(DecompressionBomb):
        while data := bomb.read(64 * 1024):
            sizes.append(len(data))
    assert sum(sizes) <= MIB


def test_what_nobody_reads_is_not_inflated() -> None:
    """CVE-2026-54278, CVE-2026-21441, CVE-2026-44432: cleanup and redirects inflate nothing."""
    tracemalloc.start()
    bomb = decoder()
    bomb.feed(BOMB)
    bomb.end()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(BOMB) + 128 * 1024


def test_unknown_coding_is_not_passed_through() -> None:
    """What isn't known is refused, not handed over as if it were plain."""
    with pytest.raises(UnknownContentCoding):
        content_decoder("gzip, cow")
