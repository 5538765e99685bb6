"""Limits in time, as a program gives them."""

from __future__ import annotations

import pytest

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
