"""Fields whose names have an underscore: who may send them, where they would pose as others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, Literal, Self

from aiohttp.protocol import Exchange, InvalidHeader, shown

from .proxies import sender_of, trusted_by

__all__ = ["DROP_AMBIGUOUS", "FieldRule", "has_underscore"]


class FieldRule:
    """Sifts fields for places where ``-`` and ``_`` fall together: an environ, most frameworks.

    There X_Forwarded_For is X-Forwarded-For, which a proxy may have checked (RFC 9110,
    section 17.10). gunicorn's settings decide about such names.

    Args:
        header_map: what becomes of them: ``"drop"``, ``"refuse"`` the request, or let them
            in, which is ``"dangerous"``.
        forwarder_headers: names that proxies may send in any case; ``"*"`` is every name.
        is_trusted: tells by its address who is such a proxy.
    """

    __slots__ = ("_forwarder_headers", "_header_map", "_is_trusted", "_takes_all")

    def __init__(
        self,
        header_map: Literal["drop", "refuse", "dangerous"] = "drop",
        forwarder_headers: Collection[str] = (),
        is_trusted: Callable[[Any], bool] = lambda peername: False,
    ) -> None:
        self._header_map = header_map
        self._forwarder_headers = frozenset(name.upper() for name in forwarder_headers)
        self._takes_all = "*" in self._forwarder_headers
        self._is_trusted = is_trusted

    def __repr__(self) -> str:
        names = ", ".join(sorted(self._forwarder_headers)) or "nothing"
        return f"<FieldRule {self._header_map}, {names} from forwarders>"

    @classmethod
    def of(cls, cfg: Any) -> Self:
        """Return the rule by a configuration of gunicorn."""
        return cls(cfg.header_map, cfg.forwarder_headers, trusted_by(cfg).trusts)

    def kept(self, exchange: Exchange) -> Iterable[tuple[str, str]]:
        """Return the fields of a request that may get in, in order and in their spelling.

        Raises:
            InvalidHeader: if one of them has the request refused; a server answers 400.
        """
        headers = exchange.head.headers
        if not has_underscore(headers):
            return headers.items()
        is_forwarder = self._is_trusted(sender_of(exchange))
        return [
            field
            for field in headers.items()
            if "_" not in (name := field[0])
            or (is_forwarder and self._is_forwarded(name))
            or self._is_let_in(name)
        ]

    def told(self, exchange: Exchange, name: str) -> str | None:
        """Return what a proxy says in a field such as ``"SCRIPT_NAME"``; None if none may.

        Raises:
            InvalidHeader: if it says more than one thing; a server answers 400.
        """
        values = exchange.head.headers.getall(name, ())
        if not values or not self._is_forwarded(name) or not self._is_trusted(sender_of(exchange)):
            return None
        if len(set(values)) > 1:
            found = ", ".join(map(shown, values))
            raise InvalidHeader(f"expected one {name} from the proxy, got {found}", name=name)
        return values[0]

    def _is_forwarded(self, name: str) -> bool:
        return self._takes_all or name.upper() in self._forwarder_headers

    def _is_let_in(self, name: str) -> bool:
        """Whether anybody may send this name, which has an underscore."""
        if self._header_map == "refuse":
            raise InvalidHeader(
                f"expected a field name without an underscore, got {shown(name)} "
                "(gunicorn's header_map is 'refuse')",
                name=name,
            )
        return self._header_map == "dangerous"


def has_underscore(names: Iterable[str]) -> bool:
    """Tell whether any of these names has one; every rule lets in all others, from anybody."""
    return "_" in "".join(names)  # 0.2 µs for a browser's twelve


DROP_AMBIGUOUS = FieldRule()
"""The rule where nobody has said another: that of gunicorn's defaults, without proxies."""
