"""Find the resources that may match a path, however many there are.

A resource is kept under the whole segments that each of its paths begins with. A path asks
under itself first, then under one segment less, and so on: the longest fixed prefix wins,
and of resources with the same prefix the one that was added first. Below a prefix the
patterns that have only whole segments as parameters are found by the segments that are
fixed, all patterns of one shape by one look into a dict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .resources import AbstractResource

__all__ = ["ResourceIndex"]

_Entry = tuple[int, AbstractResource]
"""A resource, and the how-manieth it is: so that entries sort in the order of adding."""


class ResourceIndex:
    """Resources by their place; see the module."""

    def __init__(self) -> None:
        self._root = _Bucket()
        self._buckets: dict[str, _Bucket] = {}
        self._depth = 0  # of the prefixes, in segments: a path's others needn't be tried
        self._count = 0

    def add(self, resource: AbstractResource) -> None:
        """Add a resource behind those that are there."""
        prefix, shape = resource.place
        if prefix == "/":
            bucket = self._root
        else:
            bucket = self._buckets.setdefault(prefix, _Bucket())
            self._depth = max(self._depth, prefix.count("/"))
        self._count += 1
        bucket.add((self._count, resource), shape)

    def candidates(self, path: str) -> Iterator[AbstractResource]:
        """Yield the resources that may match a routing path, in the order in which to ask them.

        Takes a time that grows with the segments that fixed prefixes have, not with those
        that the path has.
        """
        buckets = self._buckets
        for end in self._ends(path):
            bucket = buckets.get(path[:end])
            if bucket is not None:
                yield from bucket.candidates(path[end:])
        yield from self._root.candidates(path)

    def _ends(self, path: str) -> Sequence[int]:
        """Return where the path's whole segments end, the last one first."""
        ends: list[int] = []
        end = 0
        for _ in range(self._depth):
            end = path.find("/", end + 1)
            if end < 0:
                ends.append(len(path))
                break
            ends.append(end)
        ends.reverse()
        return ends


class _Bucket:
    """The resources with one fixed prefix."""

    __slots__ = ("_others", "_shapes")

    def __init__(self) -> None:
        # By the number of slashes: which segments are fixed, and the resources by those.
        self._shapes: dict[int, dict[tuple[int, ...], dict[tuple[str, ...], list[_Entry]]]] = {}
        self._others: list[_Entry] = []

    def add(self, entry: _Entry, shape: tuple[str | None, ...] | None) -> None:
        if shape is None:
            self._others.append(entry)
            return
        fixed = {i: segment for i, segment in enumerate(shape) if segment is not None}
        tables = self._shapes.setdefault(len(shape) - 1, {})
        table = tables.setdefault(tuple(fixed), {})
        table.setdefault(tuple(fixed.values()), []).append(entry)

    def candidates(self, tail: str) -> Iterator[AbstractResource]:
        """Yield the resources that may match what follows the prefix, as it was added."""
        entries = self._others
        tables = self._shapes.get(tail.count("/"))
        if tables is not None:
            segments = tail.split("/")
            hits = list(entries)
            for fixed, table in tables.items():
                hits += table.get(tuple([segments[i] for i in fixed]), ())
            hits.sort()
            entries = hits
        for _, resource in entries:
            yield resource
