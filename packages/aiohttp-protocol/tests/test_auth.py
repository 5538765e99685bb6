"""Basic authentication: what is sent, what is understood, and that it stays secret."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol import BasicAuth, encode_basic_auth


@dataclass(frozen=True)
class Url:
    """As much of a URL as is needed here."""

    user: str | None
    password: str | None


@pytest.mark.parametrize(
    ("login", "password", "encoding", "value"),
    [
        ("Aladdin", "open sesame", "utf-8", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),  # RFC 7617, 2
        ("test", "123\xa3", "utf-8", "Basic dGVzdDoxMjPCow=="),  # RFC 7617, section 2.1
        ("a", "\xe4", "latin1", "Basic YTrk"),
        ("a", "b:c", "utf-8", "Basic YTpiOmM="),
        ("", "", "utf-8", "Basic Og=="),
    ],
)
def test_both_ways(login: str, password: str, encoding: str, value: str) -> None:
    """What is encoded is decoded to the same."""
    assert encode_basic_auth(login, password, encoding) == value
    assert BasicAuth(login, password, encoding).encode() == value
    assert BasicAuth.decode(value, encoding) == (login, password, encoding)


@given(
    st.text(st.characters(exclude_characters=":", exclude_categories=["Cc", "Cs"])),
    st.text(st.characters(exclude_categories=["Cc", "Cs"])),
)
def test_whatever_can_be_sent_is_understood(login: str, password: str) -> None:
    """Any text without control characters comes back."""
    auth = BasicAuth.decode(encode_basic_auth(login, password), "utf-8")
    assert (auth.login, auth.password) == (login, password)


def test_defaults() -> None:
    """A password may be left out; the function takes UTF-8, the class ISO-8859-1."""
    assert encode_basic_auth("\xe4") == "Basic w6Q6"
    assert BasicAuth("\xe4").encode() == "Basic 5Do="
    assert BasicAuth("a") == ("a", "", "latin1")


@pytest.mark.parametrize(
    ("login", "password", "message"),
    [
        ("a:b", "", "a login for Basic authentication can't contain a colon"),
        ("a\n", "", "a login can't contain control characters"),
        ("a", "secret\n", "a password can't contain control characters, such as a line end"),
        ("a", "\x7f", "a password can't contain control characters"),
    ],
)
def test_what_cannot_be_sent(login: str, password: str, message: str) -> None:
    """A login that would end early and control characters are refused (RFC 7617, section 2)."""
    for make in (encode_basic_auth, BasicAuth):
        with pytest.raises(ValueError, match=message) as caught:
            make(login, password)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["latin1", "ascii"])
def test_what_cannot_be_encoded(encoding: str) -> None:
    """Python's message would show which character it is."""
    for make in (encode_basic_auth, BasicAuth):
        with pytest.raises(ValueError, match=f"can't be encoded in {encoding}") as caught:
            make("me", "日secret", encoding)
        assert "65e5" not in str(caught.value)
        assert "日" not in str(caught.value)
        assert caught.value.__suppress_context__
        with pytest.raises(LookupError, match="unknown encoding: nonsense"):
            make("me", "secret", "nonsense")


def test_what_is_no_text() -> None:
    """None and bytes are the program's mistake."""
    with pytest.raises(TypeError, match="a login must be a str, not NoneType"):
        BasicAuth(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="a password must be a str, not bytes"):
        encode_basic_auth("a", b"b")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "expected credentials of the scheme Basic"),
        ("Bearer secret", "expected credentials of the scheme Basic, got another one"),
        ("Basic", "expected a colon"),
        ("Basic s*cret", "expected base64 after 'Basic'"),
        ("Basic c2VjcmV0OnNlY3JldA", "expected base64 after 'Basic'"),
        ("Basic \xe4", "expected base64 after 'Basic'"),
        ("Basic c2VjcmV0", "expected a colon between login and password, got none"),
        ("Basic OuQ=", "expected credentials in utf-8, got other bytes"),
        ("Basic OgA=", "a password can't contain control characters"),
    ],
)
def test_what_is_not_understood(value: str, message: str) -> None:
    """Each malformed value is one kind of error, which shows nothing of it."""
    with pytest.raises(ValueError, match=message) as caught:
        BasicAuth.decode(value, "utf-8")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "Basic  "])
def test_scheme_in_any_case(scheme: str) -> None:
    """The scheme is compared without regard to case (RFC 9110, section 11.1)."""
    assert BasicAuth.decode(f"{scheme} YTpi")[:2] == ("a", "b")


@pytest.mark.parametrize(
    ("url", "auth"),
    [
        (Url("a", "b"), ("a", "b", "latin1")),
        (Url("a", None), ("a", "", "latin1")),
        (Url(None, "b"), ("", "b", "latin1")),
        (Url(None, None), None),
    ],
)
def test_from_url(url: Url, auth: tuple[str, str, str] | None) -> None:
    """The userinfo of a URL is a login and a password."""
    assert BasicAuth.from_url(url) == auth


def test_from_what_is_no_url() -> None:
    """A str has to be parsed first."""
    with pytest.raises(TypeError, match=r"expected a yarl\.URL, not str"):
        BasicAuth.from_url("http://a")


def test_repr_keeps_the_password() -> None:
    """A log may show the login, but not the password."""
    auth = BasicAuth("me", "secret")
    assert repr(auth) == str(auth) == "BasicAuth(login='me', password='…', encoding='latin1')"


def test_it_travels() -> None:
    """It can be pickled and copied."""
    auth = BasicAuth("me", "secret")
    assert pickle.loads(pickle.dumps(auth)) == copy.copy(auth) == copy.deepcopy(auth) == auth
