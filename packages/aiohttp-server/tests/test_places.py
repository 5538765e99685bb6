"""Places: what run_app's arguments mean, as sites."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aiohttp.server.certificates import server_context
from aiohttp.server.places import Places

RUNNER: Any = type("Runner", (), {"server": True})
EVERYWHERE = "http://0.0.0.0:8080"


@pytest.mark.parametrize(
    ("places", "names"),
    [
        (Places(), [EVERYWHERE]),
        (Places(port=1), ["http://0.0.0.0:1"]),
        (Places(host="a", port=1), ["http://a:1"]),
        (Places(host=["a", "b"]), ["http://a:8080", "http://b:8080"]),
        (Places(ssl_context=server_context()), ["https://0.0.0.0:8443"]),
        (Places(path="/s"), ["http://unix:/s:"]),
        (Places(path=[Path("/s"), "/t"]), ["http://unix:/s:", "http://unix:/t:"]),
        (Places(path="/s", port=1), ["http://0.0.0.0:1", "http://unix:/s:"]),
        (Places(path="/s", host="a"), ["http://a:8080", "http://unix:/s:"]),
        (Places(host=()), []),
    ],
)
def test_arguments_as_sites(places: Places, names: list[str]) -> None:
    """TCP on every address unless another place is named; with it, if host or port are given."""
    assert [site.name for site in places.sites(RUNNER)] == names


def test_sockets_as_sites() -> None:
    """One or several; then there is no other place."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as one,
        closing(socket.create_server(("127.0.0.1", 0))) as other,
    ):
        names = [f"http://127.0.0.1:{sock.getsockname()[1]}" for sock in (one, other)]
        assert [site.name for site in Places(sock=one).sites(RUNNER)] == names[:1]
        assert [site.name for site in Places(sock=[one, other]).sites(RUNNER)] == names
        assert len(list(Places(sock=one, port=1).sites(RUNNER))) == 2
