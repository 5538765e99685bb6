"""How long a request may take, as a whole and step by step."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

__all__ = ["DEFAULT_TIMEOUT", "ClientTimeout", "Timeout", "client_timeout", "validate_seconds"]


def validate_seconds(what: str, value: Any, expected: str = "seconds from 0 on or None") -> None:
    """Refuse what is no time to wait.

    Raises:
        TypeError: if it is no number: it can't be added to the time of a clock.
        ValueError: if it is negative, or NaN.
    """
    try:
        is_time = value + 0.0 >= 0
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"{what} must be {expected}, not {value!r} of type {kind}") from None
    if not is_time:
        raise ValueError(f"{what} must be {expected}, not {value!r}")


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
            if value is not None:
                validate_seconds(f"ClientTimeout.{field.name}", value)


Timeout: TypeAlias = ClientTimeout | float | None
"""What ``timeout=`` takes: limits, seconds for the whole, or None for the default."""

DEFAULT_TIMEOUT = ClientTimeout(total=300, sock_connect=30)


def client_timeout(
    timeout: Timeout,
    default: ClientTimeout = DEFAULT_TIMEOUT,
    conn_timeout: float | None = None,
) -> ClientTimeout:
    """Return the limits that ``timeout=`` and 2014's ``conn_timeout=`` ask for.

    Raises:
        TypeError: if one of them is no number, such as "3".
        ValueError: if one is negative.
    """
    if timeout is None:
        limits = default
    elif isinstance(timeout, ClientTimeout):
        limits = timeout
    else:
        validate_seconds("timeout", timeout, "seconds from 0 on, a ClientTimeout or None")
        limits = ClientTimeout(total=timeout)
    if conn_timeout is None:
        return limits
    validate_seconds("conn_timeout", conn_timeout)
    return replace(limits, sock_connect=conn_timeout)
