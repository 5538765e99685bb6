"""What the fields of a request say: its content, conditions, cookies (RFC 9110, RFC 6265)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from aiohttp.protocol import Headers, RequestHead, charset_of

from .lazy import lazy

if TYPE_CHECKING:
    from datetime import datetime

    from aiohttp.protocol import ETag

__all__ = ["RequestFields"]


class RequestFields:
    """The half of a request that looks at nothing but its head."""

    __slots__ = ()

    head: RequestHead
    headers: Headers

    @property
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The octets of the fields, without white space around the values."""
        # A head is ISO-8859-1 here, because that can be undone.
        return tuple(
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in self.headers.items()
        )

    @property
    def keep_alive(self) -> bool:
        """Whether the client would use the connection again."""
        return self.head.keep_alive

    @lazy
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name; of those with one name the first, whose path is the longest."""
        from aiohttp.protocol import cookie_text, parse_cookie_field

        cookies: dict[str, str] = {}
        for value in self.headers.getall("Cookie", ()):
            for name, coded in parse_cookie_field(value):
                cookies.setdefault(name, cookie_text(coded))
        return MappingProxyType(cookies)

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case (RFC 9110, section 8.3)."""
        given = self.headers.get("Content-Type", "application/octet-stream")
        return given.partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The charset that Content-Type names, or None."""
        return charset_of(self.headers.get("Content-Type", ""))

    @property
    def content_length(self) -> int | None:
        """How many bytes the body has, where the client says so, before its coding is undone."""
        return self.head.content_length

    @property
    def http_range(self) -> slice:
        """The range that Range asks for, as a slice of the whole.

        Raises:
            ValueError: if it asks for several ranges, or for what is none.
        """
        from .preconditions import slice_of

        return slice_of(self.headers)

    @property
    def if_modified_since(self) -> datetime | None:
        """The date of If-Modified-Since in UTC; None if there is none."""
        return self._date("If-Modified-Since")

    @property
    def if_unmodified_since(self) -> datetime | None:
        """The date of If-Unmodified-Since in UTC; None if there is none."""
        return self._date("If-Unmodified-Since")

    @property
    def if_range(self) -> datetime | None:
        """The date of If-Range in UTC; None if there is none, or an entity tag."""
        return self._date("If-Range")

    def _date(self, name: str) -> datetime | None:
        from .preconditions import date_of

        return date_of(self.headers, name)

    @property
    def if_match(self) -> tuple[ETag, ...] | None:
        """The entity tags of If-Match; None if it isn't there."""
        return self._etags("If-Match")

    @property
    def if_none_match(self) -> tuple[ETag, ...] | None:
        """The entity tags of If-None-Match; None if it isn't there."""
        return self._etags("If-None-Match")

    def _etags(self, name: str) -> tuple[ETag, ...] | None:
        from .preconditions import etags_of

        return etags_of(self.headers, name)
