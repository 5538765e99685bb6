"""Logins of the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiohttp.client import Session
from aiohttp.client.environment import netrc_credentials
from aiohttp.client.request import HttpRequest


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with one login, which NETRC names."""
    path = tmp_path / "logins"
    path.write_text("machine a.example login me password secret\n")
    monkeypatch.setenv("NETRC", str(path))
    return path


def test_login_of_a_host(netrc: Path) -> None:
    """A host that the file has, and one that it hasn't."""
    assert netrc_credentials("a.example") == ("me", "secret")
    assert netrc_credentials("b.example") is None


def test_file_is_read_again(netrc: Path) -> None:
    """A change of the file is noticed."""
    assert netrc_credentials("a.example") == ("me", "secret")
    netrc.write_text("machine a.example login you password other\n")
    import os

    os.utime(netrc, ns=(1, 1))
    assert netrc_credentials("a.example") == ("you", "other")


def test_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that isn't there has no logins; without NETRC it is that of the home."""
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    assert netrc_credentials("a.example") is None
    monkeypatch.delenv("NETRC")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert netrc_credentials("a.example") is None


def test_malformed_file(netrc: Path) -> None:
    """A file that can't be read is an error that names it: it was asked for."""
    netrc.write_text("machine a.example nonsense\n")
    with pytest.raises(ValueError, match=r"logins is no netrc file"):
        netrc_credentials("a.example")


def test_file_that_can_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error that names it, rather than one of the operating system."""
    monkeypatch.setenv("NETRC", str(tmp_path))
    with pytest.raises(ValueError, match="can't be read: Is a directory"):
        netrc_credentials("a.example")


def test_session_asks_only_when_told(netrc: Path) -> None:
    """``trust_env`` is what makes a session look; ``auth`` and headers come first."""
    url = "http://a.example/"

    def authorization(session: Session) -> str | None:
        return HttpRequest("GET", url, session=session).headers.get("Authorization")

    assert authorization(Session()) is None
    assert authorization(Session(trust_env=True)) == "Basic bWU6c2VjcmV0"
    assert authorization(Session(trust_env=True, auth=("a", "b"))) == "Basic YTpi"
