"""How long a request may take, as a whole and step by step."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TypeAlias

__all__ = ["DEFAULT_TIMEOUT", "ClientTimeout", "Timeout", "client_timeout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTimeout:
    """The limits of one request, in seconds. None, or 0: no limit."""

    total: float | None = None
    """From the call to the last byte of the body, redirects included."""
    connect: float | None = None
    """To get a connection: the wait for the pool, name, socket and TLS together."""
    pool: float | None = None
    """To be allowed a connection, while the pool's limit is reached."""
    sock_connect: float | None = None
    """To open a new connection: name, socket and TLS."""
    sock_read: float | None = None
    """Between two pieces of the response, and before the first one."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not value >= 0:
                raise ValueError(
                    f"ClientTimeout.{field.name} must be seconds from 0 on or None, not {value!r}"
                )


Timeout: TypeAlias = ClientTimeout | float | None
"""What ``timeout=`` takes: limits, seconds for the whole, or None for the default."""

DEFAULT_TIMEOUT = ClientTimeout(total=300, sock_connect=30)


def client_timeout(
    timeout: Timeout,
    default: ClientTimeout = DEFAULT_TIMEOUT,
    conn_timeout: float | None = None,
) -> ClientTimeout:
    """Return the limits that ``timeout=`` and 2014's ``conn_timeout=`` ask for."""
    if timeout is None:
        limits = default
    elif isinstance(timeout, ClientTimeout):
        limits = timeout
    else:
        limits = ClientTimeout(total=timeout)
    return limits if conn_timeout is None else replace(limits, sock_connect=conn_timeout)
