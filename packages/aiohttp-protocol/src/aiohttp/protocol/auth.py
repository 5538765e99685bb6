"""Login and password by the scheme Basic (RFC 7617): as a field's value, and back."""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from typing import Any, NamedTuple, Self, TypeAlias

__all__ = ["BasicAuth", "encode_basic_auth"]

URL: TypeAlias = Any
"""A ``yarl.URL``, which protocol doesn't depend on; its properties fit no ``Protocol``."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class _Credentials(NamedTuple):
    login: str
    password: str = ""
    encoding: str = "latin1"


class BasicAuth(_Credentials):
    """A login and its password, which ``repr`` doesn't show.

    For ``encode_basic_auth``, which is all that a client needs; ``decode`` is for
    servers. To compare a password, use ``hmac.compare_digest``: by the time that
    ``==`` takes, it can be guessed one character after the other.

    Attributes:
        login: without a colon.
        password: maybe empty.
        encoding: of both on the wire. RFC 7617 leaves it open; UTF-8 is what servers
            expect today, ISO-8859-1 the default here, as in aiohttp.

    Raises:
        TypeError: if login or password isn't a str.
        ValueError: if they can't be sent.
        LookupError: if Python doesn't know the encoding.
    """

    __slots__ = ()

    def __new__(cls, login: str, password: str = "", encoding: str = "latin1") -> Self:
        """Refuse what can't be sent, as long as nobody has kept it."""
        _octets(login, password, encoding)
        return super().__new__(cls, login, password, encoding)

    @classmethod
    def decode(cls, auth_header: str, encoding: str = "latin1") -> Self:
        """Return what the value of an Authorization field says.

        Raises:
            ValueError: if it is of another scheme, or malformed. The message has
                nothing of the value.
        """
        scheme, _, token = auth_header.partition(" ")
        if scheme.lower() != "basic":
            raise ValueError("expected credentials of the scheme Basic, got another one")
        try:
            decoded = a2b_base64(token.strip(" "), strict_mode=True)
        except ValueError:
            raise ValueError("expected base64 after 'Basic', got something else") from None
        try:
            login, colon, password = decoded.decode(encoding).partition(":")
        except UnicodeDecodeError:
            raise ValueError(f"expected credentials in {encoding}, got other bytes") from None
        if not colon:
            raise ValueError("expected a colon between login and password, got none")
        return cls(login, password, encoding)

    @classmethod
    def from_url(cls, url: URL, *, encoding: str = "latin1") -> Self | None:
        """Return the userinfo of a URL; None if it has none.

        Raises:
            TypeError: if this is no URL object.
            ValueError: if the userinfo can't be sent.
        """
        try:
            login, password = url.user, url.password
        except AttributeError:
            raise TypeError(f"expected a yarl.URL, not {type(url).__name__}") from None
        if login is None and password is None:
            return None
        return cls(login or "", password or "", encoding)

    def encode(self) -> str:
        """Return the value of an Authorization field, such as ``"Basic YTpi"``."""
        return encode_basic_auth(self.login, self.password, self.encoding)

    def __repr__(self) -> str:
        return f"BasicAuth(login={self.login!r}, password='…', encoding={self.encoding!r})"


def encode_basic_auth(login: str, password: str = "", encoding: str = "utf-8") -> str:
    """Return the value of an Authorization field (RFC 7617, section 2).

    Raises:
        TypeError: if login or password isn't a str.
        ValueError: if the login contains a colon, which would end it; if one of them
            contains a control character, such as the line end of the file that it
            was read from; or if ``encoding`` can't encode it. The message has
            nothing of either.
        LookupError: if Python doesn't know the encoding.
    """
    token = b2a_base64(_octets(login, password, encoding), newline=False)
    return f"Basic {token.decode('ascii')}"


def _octets(login: str, password: str, encoding: str) -> bytes:
    _validate(login, password)
    try:
        return f"{login}:{password}".encode(encoding)
    except UnicodeEncodeError:
        # Python's own message shows what can't be encoded: a part of the password.
        raise ValueError(
            f"login or password has a character that can't be encoded in {encoding}"
        ) from None


def _validate(login: object, password: object) -> None:
    for what, given in (("login", login), ("password", password)):
        if not isinstance(given, str):  # not every program is typed
            raise TypeError(f"a {what} must be a str, not {type(given).__name__}")
        if _CONTROL.search(given):
            raise ValueError(f"a {what} can't contain control characters, such as a line end")
        if what == "login" and ":" in given:
            raise ValueError("a login for Basic authentication can't contain a colon")
