"""Entity tags: what tells two states of a resource apart (RFC 9110, sections 8.8.3 and 13.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .headers import shown

__all__ = ["ANY_ETAG", "ETag", "parse_etag", "parse_etags"]

_VALUE: Final = r"[\x21\x23-\x7e\x80-\xff]*+"  # etagc
_IS_VALUE: Final = re.compile(_VALUE)
_MEMBER: Final = re.compile(rf'[ \t,]*+(?:(W/)?"({_VALUE})"(?=[ \t]*+(?:,|\Z))|\Z)')


@dataclass(frozen=True, slots=True)
class ETag:
    """An entity tag, such as ``ETag("33a64df5")``; ``str()`` gives it as fields have it.

    Args:
        value: without its quotes; ``"*"`` where a condition means any.
        is_weak: whether equal tags stand for the same meaning only, not the same bytes.

    Raises:
        ValueError: if a character of the value can't be in a tag.
    """

    value: str
    is_weak: bool = False

    def __post_init__(self) -> None:
        if _IS_VALUE.fullmatch(self.value) is None:
            raise ValueError(
                f"expected visible characters but quotes in an entity tag, got {shown(self.value)}"
            )

    def __str__(self) -> str:
        return f'W/"{self.value}"' if self.is_weak else f'"{self.value}"'

    def is_strongly(self, other: ETag) -> bool:
        """Whether both stand for the same bytes (RFC 9110, section 8.8.3.2)."""
        return self.value == other.value and not self.is_weak and not other.is_weak

    def is_weakly(self, other: ETag) -> bool:
        """Whether both stand for the same meaning (RFC 9110, section 8.8.3.2)."""
        return self.value == other.value


ANY_ETAG: Final = ETag("*")
"""What ``*`` in If-Match and If-None-Match is read as: any state that there is."""


def parse_etag(text: str) -> ETag | None:
    """Return the entity tag that a field such as ETag or If-Range gives, or None if it is none."""
    match = _MEMBER.fullmatch(text)
    if match is None or match[2] is None or text[:1] not in ("W", '"'):
        return None
    return ETag(match[2], match[1] is not None)


def parse_etags(values: Iterable[str]) -> tuple[ETag, ...]:
    """Return the entity tags of If-Match or If-None-Match, over all lines of the field.

    ``*`` is ``(ANY_ETAG,)``. Each list ends where it is malformed. Linear in its length.
    """
    found: list[ETag] = []
    for value in values:
        if value.strip(" \t") == "*":
            return (ANY_ETAG,)
        position = 0
        while (match := _MEMBER.match(value, position)) and match[2] is not None:
            position = match.end()
            found.append(ETag(match[2], match[1] is not None))
    return tuple(found)
