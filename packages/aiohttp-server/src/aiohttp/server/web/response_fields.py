"""The fields of a response that have a meaning of their own, and its cookies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from multidict import CIMultiDict

from aiohttp.protocol import (
    ETag,
    http_date,
    is_token,
    parse_etag,
    parse_http_date,
    parse_parameters,
)

if TYPE_CHECKING:
    from http.cookies import SimpleCookie

__all__ = ["OCTET_STREAM", "ResponseFields"]

OCTET_STREAM: Final = "application/octet-stream"


class ResponseFields:
    """What a response says in fields: as ``headers``, and by attributes for some of them."""

    # Defaults are the class's: a response has of its own only what differs. No slots, since
    # HTTPException is an exception as well, and two layouts don't go into one class.
    _headers: CIMultiDict[str] | None = None
    _type: tuple[tuple[str, str], ...] = ()
    """The field Content-Type as long as it is the only one, and ``_headers`` isn't made."""
    _cookies: SimpleCookie | None = None
    _is_chunked: bool = False

    _is_plain: bool = True
    """Whether nothing but status, headers and body can matter: see ``Response.send``."""

    @property
    def headers(self) -> CIMultiDict[str]:
        """The fields, to be changed at will until ``prepare``."""
        if self._headers is None:
            self._headers = CIMultiDict(self._type)
        return self._headers

    @property
    def content_length(self) -> int | None:
        """The length that is announced, in bytes; None where the body ends when it ends."""
        value = self._field("Content-Length")
        return None if value is None else int(value)

    @content_length.setter
    def content_length(self, value: int | None) -> None:
        if value is None:
            self.headers.pop("Content-Length", None)
            return
        if self._is_chunked:
            raise RuntimeError("a body in chunks has no Content-Length")
        self.headers["Content-Length"] = str(int(value))

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case; else application/octet-stream."""
        value = self._field("Content-Type")
        return value.partition(";")[0].strip().lower() if value else OCTET_STREAM

    @content_type.setter
    def content_type(self, value: str) -> None:
        self.headers["Content-Type"] = _join_type(str(value), self._type_parameters())

    @property
    def charset(self) -> str | None:
        """The charset that Content-Type names, in lower case."""
        charset = self._type_parameters().get("charset")
        return charset.lower() if charset else None

    @charset.setter
    def charset(self, value: str | None) -> None:
        content_type = self.content_type
        if content_type == OCTET_STREAM:
            raise RuntimeError(
                "application/octet-stream has no charset: set content_type before charset"
            )
        parameters = self._type_parameters()
        parameters.pop("charset", None)
        if value is not None:
            parameters["charset"] = str(value).lower()
        self.headers["Content-Type"] = _join_type(content_type, parameters)

    def _type_parameters(self) -> dict[str, str]:
        value = self._field("Content-Type")
        if value is None or ";" not in value:
            return {}
        return parse_parameters(value)[1]

    def _field(self, name: str) -> str | None:
        """Return a field without making ``headers`` for it; ``name`` as ``_type`` spells it."""
        if self._headers is not None:
            return self._headers.get(name)
        return self._type[0][1] if self._type and self._type[0][0] == name else None

    @property
    def last_modified(self) -> datetime | None:
        """Last-Modified; set it to a datetime, a number of seconds since 1970, or a date as text.

        A datetime without a zone is in UTC.
        """
        value = self._field("Last-Modified")
        return None if value is None else parse_http_date(value)

    @last_modified.setter
    def last_modified(self, value: float | datetime | str | None) -> None:
        if value is None:
            self.headers.pop("Last-Modified", None)
        elif isinstance(value, str):
            self.headers["Last-Modified"] = value
        else:
            self.headers["Last-Modified"] = http_date(_timestamp(value))

    @property
    def etag(self) -> ETag | None:
        """The ETag; set it to text without quotes, or to an ``ETag``."""
        value = self._field("ETag")
        return None if value is None else parse_etag(value)

    @etag.setter
    def etag(self, value: ETag | str | None) -> None:
        if value is None:
            self.headers.pop("ETag", None)
        else:
            self.headers["ETag"] = str(ETag(value) if isinstance(value, str) else value)

    # Cookies.

    @property
    def cookies(self) -> SimpleCookie:
        """The cookies that the response sets; use ``set_cookie``, which looks at attributes."""
        if self._cookies is None:
            from http.cookies import SimpleCookie

            self._cookies = SimpleCookie()
            self._is_plain = False
        return self._cookies

    def set_cookie(
        self,
        name: str,
        value: str,
        *,
        expires: str | None = None,
        domain: str | None = None,
        max_age: int | str | None = None,
        path: str = "/",
        secure: bool | None = None,
        httponly: bool | None = None,
        version: str | None = None,
        samesite: str | None = None,
        partitioned: bool | None = None,
    ) -> None:
        """Set a cookie; one of the same name is replaced. See ``cookies.set_cookie``.

        Raises:
            ValueError: if name, value or an attribute would end its part of the field.
        """
        from .cookies import set_cookie

        set_cookie(
            self.cookies,
            name,
            value,
            expires=expires,
            domain=domain,
            max_age=max_age,
            path=path,
            secure=secure,
            httponly=httponly,
            version=version,
            samesite=samesite,
            partitioned=partitioned,
        )

    def del_cookie(
        self,
        name: str,
        *,
        domain: str | None = None,
        path: str = "/",
        secure: bool | None = None,
        httponly: bool | None = None,
        samesite: str | None = None,
    ) -> None:
        """Have the client forget a cookie: that of this domain and path."""
        self.set_cookie(
            name,
            "",
            max_age=0,
            expires="Thu, 01 Jan 1970 00:00:00 GMT",
            domain=domain,
            path=path,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
        )


def _join_type(content_type: str, parameters: Mapping[str, str]) -> str:
    return "; ".join([
        content_type, *(f"{name}={_quoted(value)}" for name, value in parameters.items())
    ])  # fmt: skip


def _quoted(value: str) -> str:
    return value if is_token(value) else '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def _timestamp(value: float | datetime) -> float:
    if not isinstance(value, datetime):
        return value
    return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp()
