"""Limits in time, as a program gives them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from aiohttp.client import Session
from aiohttp.client.timeouts import DEFAULT_TIMEOUT, ClientTimeout, client_timeout


def test_default() -> None:
    """Without a word there are 300 s in all, and 30 s to open a connection."""
    assert client_timeout(None) == DEFAULT_TIMEOUT == ClientTimeout(total=300, sock_connect=30)


def test_seconds_are_for_the_whole() -> None:
    """A number is the total, as in 2014."""
    assert client_timeout(2.5) == ClientTimeout(total=2.5)


def test_limits_are_taken_as_they_are() -> None:
    """Only ``ClientTimeout`` can ask for no limit at all."""
    timeout = ClientTimeout(total=None)
    assert client_timeout(timeout) is timeout


def test_session_has_its_own_default() -> None:
    """None means: as the session says."""
    default = ClientTimeout(connect=1)
    assert client_timeout(None, default) is default


@pytest.mark.parametrize("name", ["total", "connect", "pool", "sock_connect", "sock_read"])
def test_limit_that_is_none(name: str) -> None:
    """A negative limit is a mistake, and says whose."""
    with pytest.raises(ValueError, match=rf"ClientTimeout\.{name} must be seconds from 0 on"):
        ClientTimeout(**{name: -1})


@pytest.mark.parametrize("given", ["3", object(), (3, 10), timedelta(seconds=3), Decimal(3)])
def test_what_is_no_number_of_seconds(given: Any) -> None:
    """Text, a tuple or a timedelta can't be added to a clock's time; the error says whose it is."""
    with pytest.raises(TypeError, match=r"^timeout must be seconds from 0 on, a ClientTimeout or"):
        client_timeout(given)
    with pytest.raises(TypeError, match=r"^conn_timeout must be seconds from 0 on or None, not"):
        client_timeout(None, conn_timeout=given)
    with pytest.raises(TypeError, match=r"^ClientTimeout\.sock_read must be seconds from 0 on or"):
        ClientTimeout(sock_read=given)
    with pytest.raises(TypeError, match=r"^timeout must be seconds .* of type"):
        Session(timeout=given)


@pytest.mark.parametrize("given", [-1, -0.5, float("nan")])
def test_negative_seconds(given: float) -> None:
    """A time that is over before it begins is a mistake, and so is none at all."""
    with pytest.raises(ValueError, match=r"^timeout must be seconds from 0 on"):
        client_timeout(given)
    with pytest.raises(ValueError, match=r"^conn_timeout must be seconds from 0 on"):
        client_timeout(None, conn_timeout=given)


@pytest.mark.parametrize("given", [3, 2.5, Fraction(5, 2), 0, float("inf")])
def test_every_real_number_is_a_time(given: Any) -> None:
    """What can be added to a clock's time will do."""
    assert client_timeout(given, conn_timeout=given) == ClientTimeout(
        total=given, sock_connect=given
    )
