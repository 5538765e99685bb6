"""What cookies look like on the wire: the fields Cookie and Set-Cookie (RFC 6265, 4.2 and 5.2).

Names and values are kept octet for octet: on the wire they are ISO-8859-1, as the
whole head is, and what a server said goes back to it as it came. Only values that
the program gives are quoted, and encoded in UTF-8, where they need it. For people
there is ``Morsel.value``, free of quotes and decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, cast

from aiohttp.protocol.cookies import cookie_text, parse_cookie_field
from aiohttp.protocol.headers import require_str, shown

if TYPE_CHECKING:
    from http.cookies import Morsel, SimpleCookie

__all__ = [
    "GivenCookies",
    "SetCookie",
    "cookie_field",
    "given_pairs",
    "merge",
    "morsel_of",
    "parse_cookie_date",
    "parse_set_cookie",
    "response_cookies",
    "wire_value",
]

GivenCookies: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]
"""Cookies as a program gives them: names with texts, numbers, or a ``Morsel`` each."""

_LONGEST_COOKIE: Final = 4096
"""Octets in name and value: what RFC 6265, section 6.1, asks for, and browsers accept."""
_LONGEST_ATTRIBUTE: Final = 1024
"""Octets in an attribute's value; a longer one is ignored, as browsers do."""

_FLAGS: Final = frozenset({"httponly", "partitioned", "secure"})

_WHITE: Final = " \t"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

# What would end a pair, or a field. Servers and browsers use more characters than
# cookie-octet allows, so these alone are refused; and in the name that a server gave
# to a Morsel even fewer, or else it could not be sent back. There characters beyond
# ASCII are octets; in a name of the program nobody knows which ones they would be.
_ENDS_NAME: Final = re.compile(r"[\x00-\x20;=,\x7f-\U0010ffff]")
_ENDS_FOREIGN_NAME: Final = re.compile(r"[\x00-\x1f;=\x7f\u0100-\U0010ffff]")
_ENDS_VALUE: Final = re.compile(r"[\x00-\x1f;\x7f]")

# What is no cookie-octet (RFC 6265, section 4.1.1), but for characters beyond ASCII:
# those are sent in UTF-8, as browsers do.
_NEEDS_QUOTES: Final = re.compile(r'[ ",;\\]')
_IS_QUOTED: Final = re.compile(r'"(?:[^"\\;]|\\["\\0-3])*"')
# The escapes of http.cookies, which many servers read.
_ESCAPED: Final = str.maketrans({'"': '\\"', "\\": "\\\\", ",": "\\054", ";": "\\073"})

# Cookie.


def cookie_field(cookies: GivenCookies, *, quote: bool = True) -> str:
    """Return the value of the Cookie field for cookies that the program gives.

    Raises:
        ValueError: if a name or value would end its pair and begin another one.
        TypeError: if a value is None or bytes.
    """
    return "; ".join([
        f"{name}={wire_value(name, given, quote=quote)}" for name, given in given_pairs(cookies)
    ])  # fmt: skip


def given_pairs(cookies: GivenCookies) -> Iterable[tuple[str, Any]]:
    """Return names and values, in whichever form the program gives them.

    Raises:
        TypeError: if it is text, whole or in pieces, which nobody has parsed.
    """
    if isinstance(cookies, Mapping):
        return cast(Mapping[str, Any], cookies).items()
    pairs = tuple(cookies)
    for part in (cookies, *pairs):
        _refuse_text(part)
    return pairs


def _refuse_text(part: object) -> None:
    if isinstance(part, str | bytes):  # "ab" could be unpacked, to the cookie a=b
        raise TypeError(
            f"cookies must be a mapping or pairs of name and value, not {type(part).__name__}; "
            "a whole Cookie field goes into headers"
        )


def wire_value(name: str, given: object, *, quote: bool = True) -> str:
    r"""Return the value of one cookie as the wire has it; ``name`` is validated, too.

    A ``Morsel`` is sent as it came. In any other value a space and ``" , ; \`` are
    quoted, in the way of ``http.cookies``, unless the program has done so. Without
    ``quote`` nothing is, and a Morsel sends its ``value``.

    Raises:
        ValueError: if name or value would end the pair and begin another one.
        TypeError: if the value is None or bytes.
    """
    require_str("a cookie's name", name)
    if given is None or isinstance(given, bytes | bytearray):
        kind = type(given).__name__
        raise TypeError(f"the value of cookie {shown(name)} must be str, not {kind}")
    coded = getattr(given, "coded_value", None)
    if not name or (_ENDS_NAME if coded is None else _ENDS_FOREIGN_NAME).search(name):
        raise ValueError(f"a cookie's name must be a token, not {shown(name)}")
    if coded is not None and quote:
        value = _as_it_came(str(coded))
    else:
        value = _in_utf8(str(getattr(given, "value", given)))
        if quote and _NEEDS_QUOTES.search(value) and not _IS_QUOTED.fullmatch(value):
            value = f'"{value.translate(_ESCAPED)}"'
    if found := _ENDS_VALUE.search(value):
        raise ValueError(
            f"{found[0]!r} in the value of cookie {shown(name)}: quote or encode it first"
        )
    return value


def merge(*fields: str) -> str:
    """Return one value for the Cookie field in place of several; the later ones win by name.

    A client sends one such field at most (RFC 6265, section 5.4). Cookies of the same
    name within one value, such as those of different paths, all stay.
    """
    given = [field for field in fields if field]
    if len(given) < 2:
        return given[0] if given else ""
    taken: set[str] = set()
    kept: list[str] = []
    for field in reversed(given):
        pairs = parse_cookie_field(field)
        kept[:0] = [
            f"{name}={value}" if name or "=" in value else value
            for name, value in pairs
            if name not in taken
        ]
        taken.update(name for name, _ in pairs)
    return "; ".join(kept)


# Set-Cookie.


class SetCookie(NamedTuple):
    """What one Set-Cookie field says.

    Attributes:
        name: never empty.
        value: as it came, with quotes if it has any.
        attributes: names in lower case, and values, in order; ``""`` for a flag.
    """

    name: str
    value: str
    attributes: tuple[tuple[str, str], ...] = ()


def parse_set_cookie(value: str) -> SetCookie | None:
    """Return what a Set-Cookie field says, or None if it is to be ignored.

    That is so without a name, with a control character, and with more than 4096
    octets of name and value. Nothing else is an error (RFC 6265, section 5.2).
    """
    pair, *rest = [piece.strip(_WHITE) for piece in value.split(";")]
    if not value.isprintable() and any(map(_CONTROL.search, (pair, *rest))):
        return None
    name, equals, text = pair.partition("=")
    name, text = name.rstrip(_WHITE), text.lstrip(_WHITE)
    if not equals or not name or len(name) + len(text) > _LONGEST_COOKIE:
        return None
    attributes: list[tuple[str, str]] = []
    for piece in rest:
        key, _, setting = piece.partition("=")
        setting = setting.lstrip(_WHITE)
        if len(setting) <= _LONGEST_ATTRIBUTE:
            attributes.append((key.rstrip(_WHITE).lower(), setting))
    return SetCookie(name, text, tuple(attributes))


def response_cookies(values: Sequence[str]) -> SimpleCookie:
    """Return the cookies that Set-Cookie fields set; of those with one name, the last.

    Whatever a server says, nothing is raised: what can't be read is left out.
    """
    from http.cookies import SimpleCookie  # 1 ms, and few programs look at cookies

    cookies = SimpleCookie()
    for value in values:
        given = parse_set_cookie(value)
        if given is not None:
            cookies[given.name] = morsel_of(given.name, given.value, given.attributes)
    return cookies


def morsel_of(
    name: str, coded_value: str, attributes: Iterable[tuple[str, str]] = ()
) -> Morsel[str]:
    """Return a cookie in the form of the standard library.

    ``coded_value`` is what the wire has, ``value`` the same for people: without quotes,
    and decoded, if it is UTF-8. Attributes that a Morsel doesn't know are left out.
    """
    from http.cookies import Morsel

    morsel: Morsel[str] = Morsel()
    # Not set(), which refuses names such as "a[0]" that servers use and browsers keep.
    state = {"key": name, "value": cookie_text(coded_value), "coded_value": coded_value}
    cast(Any, morsel).__setstate__(state)
    for key, value in attributes:
        if morsel.isReservedKey(key):
            morsel[key] = True if key in _FLAGS else value
    return morsel


# The date of Expires (RFC 6265, section 5.1.1).

_DELIMITERS: Final = re.compile(r"[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME: Final = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY: Final = re.compile(r"([0-9]{1,2})(?![0-9])")
_YEAR: Final = re.compile(r"([0-9]{2,4})(?![0-9])")
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}


def parse_cookie_date(text: str) -> float | None:
    """Return the date of an Expires attribute in seconds since 1970, or None if it is none.

    Any order and any delimiters do: the first token that looks like a time, a day, a
    month, a year is that. The time is UTC, whatever zone is named.
    """
    clock = day = year = None
    month = 0
    for token in _DELIMITERS.split(text):
        if clock is None and (clock := _TIME.match(token)):
            continue
        if day is None and (day := _DAY.match(token)):
            continue
        if not month and (month := _MONTHS.get(token[:3].lower(), 0)):
            continue
        if year is None:
            year = _YEAR.match(token)
    if clock is None or day is None or year is None:
        return None
    full_year = int(year[1])
    if full_year < 100:
        full_year += 1900 if full_year >= 70 else 2000
    if full_year < 1601:
        return None
    from datetime import UTC, datetime

    hour, minute, second = map(int, clock.groups())
    try:
        date = datetime(full_year, month, int(day[1]), hour, minute, second, tzinfo=UTC)
    except ValueError:  # there is no such day, hour, minute, second; or no month was named
        return None
    return date.timestamp()


# Octets and characters.


def _as_it_came(coded: str) -> str:
    """Return what a server sent; or, if it can't have been one, the same in UTF-8."""
    try:
        coded.encode("latin-1")
    except UnicodeEncodeError:
        return _in_utf8(coded)
    return coded


def _in_utf8(text: str) -> str:
    return text if text.isascii() else text.encode().decode("latin-1")
