"""Pages of an API: 20 KB of JSON, compressed, with 12 fields and two set cookies; and 2 KB."""

from __future__ import annotations

import gzip
import json
import random
import re
from typing import Any

from bench.heads import response_heads

__all__ = ["ITEMS", "RECORDS", "pages"]

SIZE = 20_000
TAGS = ("new", "sale", "red", "blue", "green", "large", "small")


def _record(chance: random.Random, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"item {chance.getrandbits(40):x}",
        "price": round(chance.random() * 1000, 2),
        "tags": chance.sample(TAGS, 3),
        "owner": {"login": f"user{chance.randrange(10**6)}", "admin": chance.random() < 0.1},
        "created": f"2025-0{chance.randrange(1, 10)}-1{chance.randrange(10)}T12:00:00Z",
        "url": f"https://api.example.org/items/{number}",
    }


def _records(size: int) -> list[dict[str, Any]]:
    """Return so many records that as JSON they have this size, or a little more."""
    chance = random.Random(2014)
    records: list[dict[str, Any]] = []
    while len(json.dumps(records)) < size:
        records.append(_record(chance, len(records)))
    return records


RECORDS = json.dumps(_records(SIZE)).encode()
"""A list of records, all alike, as JSON."""

ITEMS = _records(2_000)
"""A few of them, 2 KB as JSON."""


def pages(count: int) -> list[bytes]:
    """Return ``count`` responses that have the same body, and differ in each field that can."""
    body = gzip.compress(RECORDS, 6, mtime=0)
    edits = {
        rb"Content-Length: 0": b"Content-Length: %d" % len(body),
        rb"Connection: keep-alive": b"Content-Encoding: gzip",
        rb"Content-Type: .*": b"Content-Type: application/json\r",
    }
    responses: list[bytes] = []
    for head in response_heads(2014, count):
        for pattern, replacement in edits.items():
            head = re.sub(pattern, replacement, head)  # noqa: PLW2901 edited three times
        responses.append(head + body)
    return responses
