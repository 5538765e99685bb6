"""One worker, several applications: each has a port of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import Any, cast

from .boot import BootError
from .process import AsyncGunicornWorker
from .serving import Place

__all__ = ["PortMapperWorker", "places_by_port"]


class PortMapperWorker(AsyncGunicornWorker):
    """Serves a mapping from ports to applications of any kind, as many as there are ``--bind``.

    ::

        application = {8000: site, 8001: admin}

    The key of a unix socket is its path. What is there more than once is one application with
    several ports. gunicorn itself takes nothing that can't be called: with ``--preload``, which
    has the arbiter load the application, the mapping must be callable, too.
    """

    def places(self) -> list[Place]:
        """Return the applications of the mapping and their sockets."""
        return places_by_port(self.wsgi, [wrapper.sock for wrapper in self.sockets])


def places_by_port(applications: Any, sockets: Iterable[socket.socket]) -> list[Place]:
    """Return each application of a mapping with the sockets that are bound to its ports.

    Raises:
        BootError: if this is no mapping, or a port is without application or the other way
            round; they are named.
    """
    if not isinstance(applications, Mapping):
        raise BootError(
            f"expected a mapping such as {{8000: application}}, got {applications!r}: for one "
            "application use --worker-class aiohttp.worker.AsyncGunicornWorker"
        )
    mapping = cast("Mapping[object, object]", applications)
    bound: dict[object, list[socket.socket]] = {}
    for sock in sockets:
        bound.setdefault(_port_of(sock), []).append(sock)
    _check_ports(mapping, bound)
    places: dict[int, Place] = {}
    for port, socks in bound.items():
        application = mapping[port]
        places.setdefault(id(application), Place(application, [])).sockets.extend(socks)
    return list(places.values())


def _port_of(sock: socket.socket) -> object:
    """Return the port of a socket, or the path of a unix socket."""
    name: tuple[object, ...] | str | bytes = sock.getsockname()
    return name[1] if isinstance(name, tuple) else name


def _check_ports(mapping: Mapping[object, object], bound: Mapping[object, object]) -> None:
    faults = [
        *(
            f"nothing is mapped to {port!r}, which is bound"
            for port in bound
            if port not in mapping
        ),
        *(f"no --bind has {port!r}, which is mapped" for port in mapping if port not in bound),
    ]
    if faults:
        raise BootError(f"expected an application for each port: {'; '.join(faults)}")
