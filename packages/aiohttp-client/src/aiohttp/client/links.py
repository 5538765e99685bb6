"""Links from one resource to others: the Link field (RFC 8288)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from multidict import MultiDict, MultiDictProxy
from yarl import URL

from aiohttp.protocol.errors import InvalidHeader
from aiohttp.protocol.parameters import decode_extended

from .references import joined, reference_of

__all__ = ["Link", "Links", "parse_links"]

Link: TypeAlias = MultiDictProxy[str | URL]
"""The parameters of a link, by their names in lower case, and as ``"url"`` where it leads."""

Links: TypeAlias = MultiDictProxy[Link]
"""Links by what they are to their origin, such as ``"next"``."""

# Appendix B.2 and B.3 of RFC 8288. Of each choice the next character decides, so that time
# is linear.
_TARGET: Final = re.compile(r"[ \t,]*+<([^>]*+)>")
_PARAMETER: Final = re.compile(
    r"[ \t]*+;[ \t]*+(?P<name>[^ \t=;,]*+)[ \t]*+"
    r'(?:=[ \t]*+(?:"(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+)*)"?|(?P<token>[^;,]*+)))?'
)
_ESCAPED: Final = re.compile(r"\\(.)")


def parse_links(values: Iterable[str], base: URL) -> Links:
    """Return what the values of the Link fields of a response from ``base`` say.

    A link of several relations, as in ``rel="next last"``, is there under each of
    them, in lower case; one without any, under its target as it is spelt. Never
    fails: what is malformed is left out, and ends its line.
    """
    links: MultiDict[Link] = MultiDict()
    for value in values:
        for target, parameters in _links_in(value):
            try:
                url = joined(base, reference_of(target))
            except ValueError:
                continue
            link: MultiDict[str | URL] = MultiDict(parameters)
            link["url"] = url
            relations = dict(reversed(parameters)).get("rel", "")  # the first one counts
            for relation in relations.lower().split() or [target]:
                links.add(relation, MultiDictProxy(link))
    return MultiDictProxy(links)


def _links_in(value: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    position = 0
    while found := _TARGET.match(value, position):
        position = found.end()
        parameters: list[tuple[str, str]] = []
        while each := _PARAMETER.match(value, position):
            position = each.end()
            parameters += _parameter(each)
        yield found[1], parameters


def _parameter(found: re.Match[str]) -> list[tuple[str, str]]:
    """Return the parameter, or none: it may be empty, or extended but malformed."""
    name: str = found["name"].lower()
    if found["quoted"] is not None:
        return [(name, _ESCAPED.sub(r"\1", found["quoted"]))]
    text = (found["token"] or "").rstrip(" \t")
    if name.endswith("*"):
        try:
            text = decode_extended(text)
        except InvalidHeader:
            return []
    return [(name, text)] if name else []
