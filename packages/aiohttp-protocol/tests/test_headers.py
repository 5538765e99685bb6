"""Names and values of fields: the same grammar for what comes and for what goes."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiohttp.protocol.errors import InvalidHeader, LocalProtocolError
from aiohttp.protocol.headers import (
    is_token,
    list_members,
    may_be_secret,
    parse_field_line,
    require_str,
    shown,
    split_authority,
    validate_field_name,
    validate_field_value,
)

# RFC 9110, section 5.6.2, written out.
TCHAR = set("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
# RFC 9110, section 5.5: VCHAR, obs-text, SP and HTAB.
FIELD_VCHAR = {chr(c) for c in (0x09, *range(0x20, 0x7F), *range(0x80, 0x100))}
LATIN_1 = [chr(c) for c in range(0x100)]


# Tokens and field names.


@pytest.mark.parametrize("char", LATIN_1)
def test_token_characters(char: str) -> None:
    """A token has the characters of RFC 9110, section 5.6.2, in names of both directions."""
    name = f"a{char}b"
    assert is_token(name) == is_token(char) == (char in TCHAR)
    if char in TCHAR:
        validate_field_name(name)
        assert parse_field_line(f"{name}:x") == (name, "x")
        return
    with pytest.raises(LocalProtocolError, match="a field name must be a token"):
        validate_field_name(name)
    if char != ":":
        with pytest.raises(InvalidHeader, match="field name"):
            parse_field_line(f"{name}:x")


@pytest.mark.parametrize("text", ["", "é", "\u212a", "a\n", "\na", "a b", "\u0660"])
def test_no_token(text: str) -> None:
    """Nothing, a line end at an end, and letters and digits beyond ASCII are no token."""
    assert not is_token(text)


# Field lines.


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("Host: example.org", ("Host", "example.org")),
        ("Host:example.org", ("Host", "example.org")),
        ("hOsT: \t example.org \t ", ("hOsT", "example.org")),
        ("A:", ("A", "")),
        ("A: \t ", ("A", "")),
        ("A: b: c", ("A", "b: c")),
        ("A: b\tc  d", ("A", "b\tc  d")),
        ("A: \xe9\x85\xa0", ("A", "\xe9\x85\xa0")),
        ("A: \x85", ("A", "\x85")),  # str.strip() would take obs-text away, too
        ("A: \xa0x\xa0", ("A", "\xa0x\xa0")),
        ("!#$%&'*+-.^_`|~09azAZ: x", ("!#$%&'*+-.^_`|~09azAZ", "x")),
    ],
)
def test_field_line(line: str, field: tuple[str, str]) -> None:
    """A field line is a name as it is spelt, and a value without the white space around it."""
    assert parse_field_line(line) == field


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "expected 'name: value' in a field line, got ''"),
        ("Host", "expected 'name: value' in a field line, got 'Host'"),
        (": x", "expected a token as field name, got ''"),
        ("Host : x", "white space between the field name 'Host' and its colon"),
        ("Host\t: x", "white space between the field name 'Host' and its colon"),
        (" Host: x", r"expected a field name, got white space before 'Host' \(obs-fold\)"),
        ("\tHost: x", r"expected a field name, got white space before 'Host' \(obs-fold\)"),
        ("Ho st: x", "expected a token as field name, got 'Ho st'"),
        ("H\xf6st: x", "expected a token as field name, got 'Höst'"),
        ("H(o)st: x", "expected a token as field name"),
        ("Host: a\0b", r"control character '\\x00' in the value of field 'Host'"),
        ("Host: a\rb", r"control character '\\r' in the value of field 'Host'"),
        ("Host: a\nb", r"control character '\\n' in the value of field 'Host'"),
        ("Host: \x0b", r"control character '\\x0b'"),
        ("Host: a\r", r"control character '\\r'"),
        ("Host: \x7f", r"control character '\\x7f'"),
    ],
)
def test_no_field_line(line: str, message: str) -> None:
    """What is no field line is refused, and the message tells where it is hurt."""
    with pytest.raises(InvalidHeader, match=message):
        parse_field_line(line)


@pytest.mark.parametrize("char", LATIN_1)
def test_value_characters(char: str) -> None:
    """A value has the characters of RFC 9110, section 5.5, in both directions."""
    value = f"a{char}b"
    if char in FIELD_VCHAR:
        assert parse_field_line(f"A: {value}") == ("A", value)
        validate_field_value("A", value)
        return
    with pytest.raises(InvalidHeader, match="control character"):
        parse_field_line(f"A: {value}")
    with pytest.raises(LocalProtocolError, match="line breaks in fields can't be sent"):
        validate_field_value("A", value)


# What must not be sent.


@pytest.mark.parametrize("value", ["", "a", "a b", "a\tb", "\xe9", "\xa0", "\x85", '"a, b"'])
def test_value_that_can_be_sent(value: str) -> None:
    """Printable ISO-8859-1 can be sent, an empty value too."""
    validate_field_value("A", value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a\r\nEvil: 1", r"control character '\\r' in the value of field 'A'"),
        ("a\nEvil: 1", r"control character '\\n'"),
        ("a\0", r"control character '\\x00'"),
        (" a", "white space around the value of field 'A': ' a'"),
        ("a\t", "white space around the value of field 'A'"),
        ("\u20ac", "'€', which is not ISO-8859-1; encode it first, such as by percent-encoding"),
        ("a\u2028b", "not ISO-8859-1"),
        ("\udc80", "not ISO-8859-1"),
        # These become CR and LF if somebody keeps only the low byte.
        ("a\u010d\u010aEvil: 1", "not ISO-8859-1"),
        ("a\u560d\u560aEvil: 1", "not ISO-8859-1"),
    ],
)
def test_value_that_can_not_be_sent(value: str, message: str) -> None:
    """What would not arrive as it is, or would arrive as something else, is refused."""
    with pytest.raises(LocalProtocolError, match=message):
        validate_field_value("A", value)


@pytest.mark.parametrize("value", [None, 5, b"5", ["5"]])
def test_only_str_can_be_sent(value: object) -> None:
    """A value of another type is refused by name: nothing is converted behind one's back."""
    kind = type(value).__name__
    with pytest.raises(LocalProtocolError, match=rf"a field value must be str, not {kind} \(field"):
        validate_field_value("A", value)  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match=f"a field name must be str, not {kind}"):
        validate_field_name(value)  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match=f"^a reason must be str, not {kind}$"):
        require_str("a reason", value)


# Lists.


@pytest.mark.parametrize(
    ("values", "members"),
    [
        ([], []),
        ([""], []),
        ([" , ,\t"], []),
        (["close"], ["close"]),
        (["Keep-Alive, UPGRADE"], ["keep-alive", "upgrade"]),
        (["a ,\tb", "", "c,"], ["a", "b", "c"]),
        (["a b"], ["a b"]),
        (["\xa0chunked"], ["\xa0chunked"]),  # str.strip() would make it chunked
        (["\x85chunked\x1f"], ["\x85chunked\x1f"]),
    ],
)
def test_list_members(values: list[str], members: list[str]) -> None:
    """The members of all lines come in order and lower case; empty ones are dropped."""
    assert list_members(values) == members


# Authorities.


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("example.org", ("example.org", "")),
        ("example.org:8080", ("example.org", "8080")),
        ("example.org:", ("example.org", "")),
        ("example.org:0", ("example.org", "0")),
        ("example.org:65535", ("example.org", "65535")),
        ("192.0.2.1:80", ("192.0.2.1", "80")),
        ("[::]", ("[::]", "")),
        ("[::1]:80", ("[::1]", "80")),
        ("[2001:DB8::1]", ("[2001:DB8::1]", "")),
        ("[::ffff:192.0.2.1]", ("[::ffff:192.0.2.1]", "")),
        ("xn--bcher-kva.example", ("xn--bcher-kva.example", "")),
        ("my_host", ("my_host", "")),
        ("a%2Db", ("a%2Db", "")),
        ("a,b", ("a,b", "")),  # reg-name may have sub-delims: RFC 3986, section 3.2.2
        ("x" * 255, ("x" * 255, "")),
    ],
)
def test_authority(text: str, parts: tuple[str, str]) -> None:
    """An authority is a name or an address, and perhaps a port."""
    assert split_authority(text) == parts


NO_AUTHORITY = {
    "nothing": "",
    "no host": ":80",
    "bad port": "example.org:http",
    "negative port": "example.org:-1",
    "signed port": "example.org:+80",
    "port beyond 65535": "example.org:65536",
    "port of six digits": "example.org:000080",
    "port of other digits": "example.org:\xb2",
    "two ports": "example.org:80:80",
    "userinfo": "user@example.org",
    "userinfo with password": "user:secret@example.org",
    "slash": "example.org/",
    "backslash": "example.org\\evil",
    "query": "example.org?",
    "fragment": "example.org#",
    "space": "example.org evil",
    "space at the end": "example.org ",
    "list": "a.example, b.example",
    "scheme": "http://example.org",
    "quote": 'example"org',
    "angle brackets": "<example>",
    "half an escape": "example%2",
    "no escape": "example%zz",
    "beyond ASCII": "b\xfccher.example",
    "control": "a\x00b",
    "line end": "example.org\n",
    "too long": "x" * 256,
    "unclosed bracket": "[::1",
    "unopened bracket": "::1]",
    "no brackets": "::1",
    "nothing in brackets": "[]",
    "IPv4 in brackets": "[192.0.2.1]",
    "name in brackets": "[example.org]",
    "only colons": "[::::]",
    "two gaps": "[1::2::3]",
    "nine groups": "[1:2:3:4:5:6:7:8:9]",
    "seven groups": "[1:2:3:4:5:6:7]",
    "long group": "[12345::]",
    "zone": "[fe80::1%eth0]",
    "escaped zone": "[fe80::1%25eth0]",
    "IPvFuture": "[v1.x]",
    "behind brackets": "[::1]evil",
    "port in brackets": "[::1:80",
    "letter behind brackets": "[::1]80",
}


@pytest.mark.parametrize("text", NO_AUTHORITY.values(), ids=NO_AUTHORITY.keys())
def test_no_authority(text: str) -> None:
    """What another reader could take for more, or less, than host and port is none."""
    assert split_authority(text) is None


@given(st.text("a.-_%0159fF:[]@/?#\\ ,;v\x00\xfc", max_size=24))
@example("[::1]")
def test_authority_is_the_same_in_a_url(text: str) -> None:
    """What passes is all of the authority of a URL that is made with it, and nothing else of it."""
    if (parts := split_authority(text)) is None:
        return
    url = urlsplit(f"http://{text}/path")
    assert (url.netloc, url.path, url.query, url.fragment) == (text, "/path", "", "")
    assert (url.hostname or "").lower() == parts[0].strip("[]").lower()
    assert url.port == (int(parts[1]) if parts[1] else None)
    if parts[0].startswith("["):
        assert ipaddress.IPv6Address(url.hostname or "").version == 6


# Messages.


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("a", "'a'"),
        (b"a\r\n", r"b'a\r\n'"),
        ("\x1b[31m", r"'\x1b[31m'"),
        ("x" * 60, "'" + "x" * 60 + "'"),
        ("x" * 61, "'" + "x" * 59 + "…"),
        ("\x00" * 10**6, ("'" + r"\x00" * 15)[:60] + "…"),
    ],
)
def test_shown(text: str | bytes, short: str) -> None:
    """A peer's text is shown escaped, on one line, and cut."""
    assert shown(text) == short


@given(st.text() | st.binary())
def test_shown_is_one_printable_line(text: str | bytes) -> None:
    """Nothing that a peer sends reaches a terminal or a log as it is."""
    assert shown(text).isprintable()
    assert len(shown(text)) <= 2 + 10 * 60


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "Cookie2", "X-API-Key",
        "X-Auth-Token", "X-CSRF-Token", "X-Amz-Security-Token", "X-Hub-Signature-256",
        "Sec-WebSocket-Key", "Authentication-Info", "X-Session-Id", "Client-Secret",
    ],
)  # fmt: skip
def test_secrets_are_known_by_their_names(name: str) -> None:
    """Fields that carry credentials are told by their names, whoever invented them."""
    assert may_be_secret(name)
    assert may_be_secret(name.upper())


@pytest.mark.parametrize("name", ["Host", "Accept", "User-Agent", "Content-Type", "Connection"])
def test_what_all_messages_have_is_no_secret(name: str) -> None:
    """The fields of nearly every message are not taken for secrets."""
    assert not may_be_secret(name)
