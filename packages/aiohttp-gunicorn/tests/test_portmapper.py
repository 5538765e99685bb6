"""Which application of a mapping is served where."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from aiohttp.worker.boot import BootError
from aiohttp.worker.portmapper import places_by_port

SITE, ADMIN = "the site", "the admin's pages"


@pytest.fixture(name="sockets")
def _sockets() -> Iterator[list[socket.socket]]:
    """Three sockets that are bound to ports of their own."""
    with ExitStack() as stack:
        bound = [stack.enter_context(closing(socket.socket())) for _ in range(3)]
        for sock in bound:
            sock.bind(("127.0.0.1", 0))
        yield bound


def ports_of(sockets: list[socket.socket]) -> list[int]:
    """Return to which ports these are bound."""
    return [sock.getsockname()[1] for sock in sockets]


def test_each_application_has_its_sockets(sockets: list[socket.socket]) -> None:
    """An application with several ports is one application."""
    first, second, third = ports_of(sockets)
    places = places_by_port({first: SITE, second: ADMIN, third: SITE}, sockets)
    assert places == [(SITE, [sockets[0], sockets[2]]), (ADMIN, [sockets[1]])]


def test_port_with_several_addresses(sockets: list[socket.socket]) -> None:
    """127.0.0.1 and ::1 may be bound to one port: one application serves both."""
    (port,) = ports_of(sockets[:1])
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.2", port))
        assert places_by_port({port: SITE}, [sockets[0], other]) == [(SITE, [sockets[0], other])]


def test_key_of_a_unix_socket_is_its_path(tmp_path: Path) -> None:
    """It has no port."""
    path = str(tmp_path / "site.sock")
    with closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.bind(path)
        assert places_by_port({path: SITE}, [sock]) == [(SITE, [sock])]


def test_callable_mapping_is_a_mapping(sockets: list[socket.socket]) -> None:
    """With --preload it has to be callable, which nobody calls."""

    class Ports(dict[int, object]):
        def __call__(self) -> None:
            raise AssertionError

    (port,) = ports_of(sockets[:1])
    assert places_by_port(Ports({port: SITE}), sockets[:1]) == [(SITE, sockets[:1])]


def test_port_without_application_and_the_other_way_round(sockets: list[socket.socket]) -> None:
    """Both are named, all of them."""
    first, second, third = ports_of(sockets)
    with pytest.raises(BootError) as caught:
        places_by_port({first: SITE, 1: ADMIN, "2": ADMIN}, sockets)
    assert str(caught.value) == (
        "expected an application for each port: "
        f"nothing is mapped to {second}, which is bound; "
        f"nothing is mapped to {third}, which is bound; "
        "no --bind has 1, which is mapped; no --bind has '2', which is mapped"
    )


@pytest.mark.parametrize("application", [SITE, [8000], None, print])
def test_what_is_no_mapping(application: Any) -> None:
    """One application has the other worker."""
    with pytest.raises(BootError, match=r"a mapping such as \{8000: .*AsyncGunicornWorker"):
        places_by_port(application, [])
