"""Find the resources that may match a path, however many there are.

A resource is kept under the whole segments that each of its paths begins with. A path asks
under itself first, then under one segment less, and so on: the longest fixed prefix wins,
and of resources with the same prefix the one that was added first. Below a prefix the
patterns that have only whole segments as parameters are found by the segments that are
fixed, all patterns of one shape by one look into a dict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .resources import AbstractResource

__all__ = ["ResourceIndex"]

_Entry = tuple[int, AbstractResource]
"""A resource, and the how-manieth it is: so that entries sort in the order of adding."""

_FEW = 4
"""So many patterns are tried in less time than it takes to find out which ones may match."""


class ResourceIndex:
    """Resources by their place; see the module.

    Attributes:
        prefixes: under which resources are kept, but for ``/``.
    """

    def __init__(self) -> None:
        self._root = _Bucket()
        self._buckets: dict[str, _Bucket] = {}
        self.prefixes: Mapping[str, object] = self._buckets
        self._depth = 0  # of the longest prefix, in segments
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

        How long that takes depends on the segments that fixed prefixes have, not on how
        many the path has.
        """
        buckets = self._buckets
        end = self._end_of_prefix(path)
        while end > 0:
            bucket = buckets.get(path[:end])
            if bucket is not None:
                yield from bucket.candidates(path, end)
            end = path.rfind("/", 0, end)
        yield from self._root.candidates(path, 0)

    def _end_of_prefix(self, path: str) -> int:
        """Return where the longest prefix ends that this path may have."""
        if path.count("/") <= self._depth:
            return len(path)
        rest = path.split("/", self._depth + 1)[-1]
        return len(path) - len(rest) - 1


class _Bucket:
    """The resources with one fixed prefix."""

    __slots__ = ("_all", "_others", "_shapes")

    def __init__(self) -> None:
        self._all: list[AbstractResource] = []
        # By the number of slashes: which segments are fixed, and the resources by those.
        self._shapes: dict[int, dict[tuple[int, ...], dict[tuple[str, ...], list[_Entry]]]] = {}
        self._others: list[_Entry] = []

    def add(self, entry: _Entry, shape: tuple[str | None, ...] | None) -> None:
        self._all.append(entry[1])
        if shape is None:
            self._others.append(entry)
            return
        fixed = {i: segment for i, segment in enumerate(shape) if segment is not None}
        tables = self._shapes.setdefault(len(shape) - 1, {})
        table = tables.setdefault(tuple(fixed), {})
        table.setdefault(tuple(fixed.values()), []).append(entry)

    def candidates(self, path: str, end: int) -> list[AbstractResource]:
        """Return the resources that may match, as they were added; the prefix ends at ``end``."""
        if len(self._all) <= _FEW:
            return self._all
        hits = list(self._others)
        tables = self._shapes.get(path.count("/", end))
        if tables is not None:
            segments = path[end:].split("/")
            for fixed, table in tables.items():
                hits += table.get(tuple([segments[i] for i in fixed]), ())
            hits.sort()
        return [resource for _, resource in hits]
