"""What every parser does for the bench: show that it understood, and be timed.

A contender hands over one function for each direction: it takes the bytes of a
whole head and returns what a server or client needs of it: ``(method, target,
headers, keep_alive)`` or ``(status, reason, headers, keep_alive)``, the headers in
a ``CIMultiDict``, text as ``str``.
"""

from __future__ import annotations

import gc
import time
import zlib
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, TypeAlias

from bench.heads import request_heads, response_heads
from bench.worker import answer_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Parse", "Understood", "serve"]

Understood: TypeAlias = tuple[Any, str, Any, bool]
Parse: TypeAlias = "Callable[[bytes], Any]"

ROTATED = 1000
SEED = 2014
BATCH = 100


def serve(
    request: Parse,
    response: Parse,
    *,
    explain_request: Callable[[Any], Understood] = lambda result: result,
    explain_response: Callable[[Any], Understood] = lambda result: result,
) -> None:
    """Answer the bench: ``check``, and ``run DIRECTION KIND COUNT SEED``."""
    parsers = {"request": request, "response": response}
    makers = {"request": request_heads, "response": response_heads}
    explains = {"request": explain_request, "response": explain_response}
    rotation = {name: make(SEED, ROTATED) for name, make in makers.items()}

    def check() -> dict[str, int]:
        return {
            name: _digest(explains[name](parse(head)) for head in rotation[name])
            for name, parse in parsers.items()
        }

    def run(direction: str, kind: str, count: str, seed: str) -> float:
        if kind == "cold":
            heads = makers[direction](int(seed), int(count))
        elif kind == "rotated":
            heads = list(islice(cycle(rotation[direction]), int(count)))
        else:
            heads = [rotation[direction][0]] * int(count)
        return _seconds(parsers[direction], heads)

    answer_lines({"check": check, "run": run})


def _digest(results: Iterable[Understood]) -> int:
    """Return one number for all that was understood, to compare across processes."""
    total = 0
    for first, second, headers, keep_alive in results:
        fields = [(name.lower(), value) for name, value in headers.items()]
        total = zlib.crc32(repr((first, second, fields, bool(keep_alive))).encode(), total)
    return total


def _seconds(parse: Parse, heads: list[bytes]) -> float:
    """Return the processor time of parsing these; a neighbour's load doesn't count in it.

    Each head is a new object with no hash yet, in memory that was just written,
    as it would be after ``recv``.
    """
    gc.collect()
    elapsed = 0.0
    for start in range(0, len(heads), BATCH):
        arrived = [bytes(memoryview(head)) for head in heads[start : start + BATCH]]
        began = time.process_time()
        for head in arrived:
            parse(head)
        elapsed += time.process_time() - began
    return elapsed
