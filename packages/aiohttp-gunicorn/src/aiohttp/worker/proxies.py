"""Whom gunicorn's settings trust to speak for a client, and what is believed of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from aiohttp.protocol import (
    Exchange,
    InvalidHeader,
    Origin,
    Proxied,
    RequestHead,
    TrustedProxies,
    shown,
)

__all__ = ["Forwarders", "proxy_protocol_by", "sender_of", "trusted_by"]

VERSIONS = {"v1": (1,), "v2": (2,), "auto": (1, 2)}
"""What gunicorn's ``proxy_protocol`` names, as versions of that protocol."""


class Forwarders:
    """The proxies of ``forwarded_allow_ips``: a ``Trust`` in the sense of ``aiohttp.protocol``.

    The client's address is what they say in X-Forwarded-For, followed from its end through
    those of their addresses; its scheme, what they say in ``scheme_headers``.

    Args:
        networks: addresses and networks; ``"*"`` is everybody. Whoever connects to a unix
            socket is always trusted, as gunicorn documents it.
        scheme_headers: names of fields, each with the value that means https. Any other
            value means http; the value alone counts, with its case.
    """

    __slots__ = ("_names", "_proxies", "_scheme_headers")

    def __init__(self, networks: Iterable[str], scheme_headers: Mapping[str, str]) -> None:
        self._proxies = TrustedProxies([*networks, "unix"], fields=["X-Forwarded-For"])
        self._scheme_headers = dict(scheme_headers)
        self._names = ("X-Forwarded-For", *scheme_headers)

    def __repr__(self) -> str:
        return f"<Forwarders {self._proxies!r}>"

    def trusts(self, peername: Any) -> bool:
        """Whether this peer is one of them."""
        return self._proxies.trusts(peername)

    def believed(
        self, head: RequestHead, peername: Any, scheme: Literal["http", "https"]
    ) -> Origin:
        """Return where a request came from that ``peername`` has sent over ``scheme``.

        Raises:
            InvalidHeader: if they disagree on the scheme; a server answers 400.
        """
        if self._is_silent(head) or not self._proxies.trusts(peername):
            return Origin(peername, scheme, None)
        remote = self._proxies.believed(head, peername, scheme).remote
        return Origin(remote, self._told_scheme(head) or scheme, None)

    def _is_silent(self, head: RequestHead) -> bool:
        """Tell whether nothing is said that could be believed: so it is in most requests."""
        kept = head.derived
        silent: bool | None = None if kept is None else kept.get(self)
        if silent is None:
            silent = not any(map(head.headers.__contains__, self._names))
            if kept is not None:
                kept[self] = silent
        return silent

    def _told_scheme(self, head: RequestHead) -> Literal["http", "https"] | None:
        told = [
            (name, value, value == https)
            for name, https in self._scheme_headers.items()
            for value in head.headers.getall(name, ())
        ]
        if not told:
            return None
        verdicts = {is_https for _, _, is_https in told}
        if len(verdicts) > 1:
            found = ", ".join(f"{name}: {shown(value)}" for name, value, _ in told)
            raise InvalidHeader(
                f"expected one scheme from the proxy, got https and http at once: {found} "
                "(what means https is in gunicorn's secure_scheme_headers)",
                name=told[0][0],
            )
        return "https" if verdicts.pop() else "http"


def trusted_by(cfg: Any) -> Forwarders:
    """Return whose word is taken for a client's address and scheme, for ``Service``."""
    return Forwarders(cfg.forwarded_allow_ips, cfg.secure_scheme_headers)


def proxy_protocol_by(cfg: Any) -> dict[str, Any]:
    """Return which peers begin by the PROXY protocol, and in which versions, for ``Listener``."""
    if cfg.proxy_protocol == "off":  # a string, and so true
        return {}
    return {
        "proxy_protocol": TrustedProxies([*cfg.proxy_allow_ips, "unix"]),
        "proxy_versions": VERSIONS[cfg.proxy_protocol],
    }


def sender_of(exchange: Exchange) -> Any:
    """Return who has written a request's fields: the peer of the connection.

    Where that one began by the PROXY protocol, its proxy passes on what another has
    written, who may be anybody: then that one.
    """
    proxied: Proxied | None = exchange.get_extra_info("proxied")
    if proxied is None or proxied.source is None:
        return exchange.get_extra_info("peername")
    return proxied.source
