"""The path of a route: fixed text and ``{name}`` or ``{name:regex}``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from .paths import encode_value, routing_text, value_of

__all__ = ["ANY_SEGMENT", "Parameter", "PathPattern", "Place"]

ANY_SEGMENT = "[^{}/]+"
"""What ``{name}`` matches."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACE = re.compile("[{}]")


class Parameter(NamedTuple):
    """A part of a path that differs between requests."""

    name: str
    regex: str


class Place(NamedTuple):
    """Where an index keeps a resource.

    Attributes:
        prefix: the whole segments that each of its paths begins with: ``/``, or text such
            as ``/api/users`` without a slash at its end.
        shape: the segments of what follows the prefix, None standing for any segment;
            None as a whole if that can't be said.
    """

    prefix: str
    shape: tuple[str | None, ...] | None


class PathPattern:
    """A path that was taken apart, and compares with routing paths.

    Args:
        path: empty, or with a slash first. Fixed text may be escaped or not: ``/a b`` is
            ``/a%20b``. A regex may have braces, in pairs.

    Raises:
        ValueError: if the path has no slash at its start, a brace has no partner, a name
            is none or comes twice, or a regex is none.
    """

    def __init__(self, path: str) -> None:
        if path and not path.startswith("/"):
            raise ValueError(f"expected a path that begins with / or is empty, got {path!r}")
        self.parts: tuple[str | Parameter, ...] = tuple(_parts(path))
        names = [part.name for part in self.parts if isinstance(part, Parameter)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the parameter {name!r} comes twice in {path!r}")
        self.names = tuple(names)

    def __repr__(self) -> str:
        return f"<PathPattern {self.canonical}>"

    @cached_property
    def canonical(self) -> str:
        """The routing path, with ``{name}`` for parameters."""
        return "".join(part if isinstance(part, str) else f"{{{part.name}}}" for part in self.parts)

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """What a routing path matches as a whole."""
        return re.compile(
            "".join(
                re.escape(part) if isinstance(part, str) else f"(?P<{part.name}>{part.regex})"
                for part in self.parts
            )
        )

    @cached_property
    def _fullmatch(self) -> Callable[[str], re.Match[str] | None]:
        return self.regex.fullmatch

    @cached_property
    def _segments(self) -> list[list[str]] | None:
        """The fixed text of each segment, if one of them has several parameters; else None.

        For then the regex isn't used: what ``{a}-{b}-{c}`` fails to match it tries for the
        cube of the length, which is ten minutes for a path of 8 KB.
        """
        for part in self.parts:
            if part.regex != ANY_SEGMENT if isinstance(part, Parameter) else _BRACE.search(part):
                return None
        segments = _segments(self.parts)
        return segments if any(len(literals) > 2 for literals in segments) else None

    @cached_property
    def place(self) -> Place:
        """Where an index keeps it."""
        if not self.names:
            prefix = self.canonical.rstrip("/")
            return Place(prefix or "/", tuple(self.canonical[len(prefix) :].split("/")))
        first = self.parts[0] if isinstance(self.parts[0], str) else ""
        prefix = first.rpartition("/")[0].rstrip("/")
        marked = "".join(_mark(part) for part in self.parts)[len(prefix) :]
        return Place(prefix or "/", _shape(marked))

    def match(self, path: str) -> dict[str, str] | None:
        """Return the values of a routing path's parameters, decoded; None if it is another."""
        values: dict[str, str] | None
        if self._segments is not None:
            values = _divided(path, self._segments, self.names)
        else:
            found = self._fullmatch(path)
            values = None if found is None else found.groupdict("")
        if values is not None and "%" in path:
            values = {name: value_of(value) for name, value in values.items()}
        return values

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the path with these values, escaped: where it matches, it gives them back.

        In the value of ``{name}`` a slash is escaped, in that of ``{name:regex}`` it stays.
        The path never begins with two slashes, which would be the start of a host's name.

        Raises:
            TypeError: if a value is missing, too many, or no str.
        """
        if set(values) != set(self.names):
            raise TypeError(
                f"expected values for {', '.join(self.names) or 'nothing'} of "
                f"{self.canonical}, got {', '.join(values) or 'none'}"
            )
        path = "".join(
            _encode_fixed(part) if isinstance(part, str) else _encode(part, values[part.name])
            for part in self.parts
        )
        return f"/%2F{path[2:]}" if path.startswith("//") else path

    def below(self, prefix: PathPattern) -> PathPattern:
        """Return this pattern behind a prefix."""
        joined = PathPattern("")
        joined.parts = tuple(_run_together(prefix.parts + self.parts))
        joined.names = prefix.names + self.names
        return joined


def _segments(parts: tuple[str | Parameter, ...]) -> list[list[str]]:
    """Return the fixed text before, between and behind the parameters of each segment."""
    segments = [[""]]
    for part in parts:
        if isinstance(part, Parameter):
            segments[-1].append("")
            continue
        first, *others = part.split("/")
        segments[-1][-1] += first
        segments += ([each] for each in others)
    return segments


def _divided(path: str, segments: list[list[str]], names: tuple[str, ...]) -> dict[str, str] | None:
    """Return the values in a path, each of them in one segment."""
    texts = path.split("/")
    if len(texts) != len(segments) or _BRACE.search(path):
        return None
    values: list[str] = []
    for text, literals in zip(texts, segments, strict=True):
        found = _values_between(literals, text)
        if found is None:
            return None
        values += found
    return dict(zip(names, values, strict=True))


def _values_between(literals: list[str], text: str) -> list[str] | None:
    """Return what a text has between these literals: the first as long as may be, none empty.

    From its end on, for there the last place that fits is the one that regexes find. Linear.
    """
    first, *between = literals
    if not between:
        return [] if text == first else None
    last = between.pop()
    start, end = len(first), len(text) - len(last)
    if not (text.startswith(first) and text.endswith(last)):
        return None
    values: list[str] = []
    for literal in reversed(between):
        position = text.rfind(literal, start, max(start, end - 1))
        if position < 0:
            return None
        values.append(text[position + len(literal) : end])
        end = position
    values.append(text[start:end])
    return values[::-1] if all(values) else None


def _parts(path: str) -> Iterator[str | Parameter]:
    """Take a path apart."""
    position = 0
    while position < len(path):
        start = path.find("{", position)
        fixed = path[position:] if start < 0 else path[position:start]
        if "}" in fixed:
            raise ValueError(f"expected {{ before }} in {path!r}")
        if fixed:
            yield routing_text(fixed)
        if start < 0:
            return
        position = _end_of_braces(path, start)
        yield _parameter(path[start + 1 : position - 1], path)


def _end_of_braces(path: str, start: int) -> int:
    """Return where what the brace at ``start`` opens ends; braces inside come in pairs."""
    depth = 0
    for position in range(start, len(path)):
        depth += {"{": 1, "}": -1}.get(path[position], 0)
        if not depth:
            return position + 1
    raise ValueError(f"expected }} for the {{ at {start} of {path!r}")


def _parameter(text: str, path: str) -> Parameter:
    name, colon, regex = text.partition(":")
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"expected {{name}} or {{name:regex}} with an ASCII identifier as name, "
            f"got {{{text}}} in {path!r}"
        )
    if not colon:
        return Parameter(name, ANY_SEGMENT)
    if not regex:
        raise ValueError(f"expected a regex after the colon of {{{text}}} in {path!r}")
    try:
        groups = re.compile(regex).groupindex
    except re.error as exc:
        raise ValueError(f"the regex of {{{text}}} in {path!r} is none: {exc}") from exc
    if groups:
        raise ValueError(f"the regex of {{{text}}} in {path!r} must not name groups")
    return Parameter(name, regex)


def _run_together(parts: tuple[str | Parameter, ...]) -> Iterator[str | Parameter]:
    """Join fixed text that stands side by side."""
    fixed = ""
    for part in parts:
        if isinstance(part, str):
            fixed += part
            continue
        if fixed:
            yield fixed
        fixed = ""
        yield part
    if fixed:
        yield fixed


# Marks of what isn't fixed, of characters that no routing path of a resource has.
_SEGMENT, _OTHER = "\0", "\1"


def _mark(part: str | Parameter) -> str:
    if isinstance(part, str):
        return part
    return _SEGMENT if part.regex == ANY_SEGMENT else _OTHER


def _shape(marked: str) -> tuple[str | None, ...] | None:
    segments = marked.split("/")
    if _OTHER in marked or any(_SEGMENT in each and each != _SEGMENT for each in segments):
        return None
    return tuple(None if each == _SEGMENT else each for each in segments)


def _encode_fixed(text: str) -> str:
    return "/".join(encode_value(value_of(part), safe="") for part in text.split("/"))


def _encode(parameter: Parameter, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a str for {parameter.name}, got {type(value).__name__}")
    return encode_value(value, safe="" if parameter.regex == ANY_SEGMENT else "/")
