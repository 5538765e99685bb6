"""TLS by gunicorn's settings."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable

import pytest
from gunicorn.config import Config

from aiohttp.worker.boot import BootError
from aiohttp.worker.contexts import tls_context


def test_no_tls_without_certificate() -> None:
    """Without certfile there is plain HTTP."""
    assert tls_context(Config()) is None


def test_certificate_that_can_not_be_read() -> None:
    """A certificate that can't be used is named."""
    cfg = Config()
    cfg.set("certfile", __file__)
    with pytest.raises(BootError, match=r"certfile '.*test_contexts\.py', keyfile None"):
        tls_context(cfg)


def test_authorities_that_can_not_be_read() -> None:
    """All that may be at fault is named: OpenSSL doesn't say which file it misses."""
    cfg = Config()
    cfg.set("certfile", __file__)
    cfg.set("ca_certs", "/no/such.pem")
    cfg.set("ciphers", "NONE")
    with pytest.raises(
        BootError, match=r"ca_certs '/no/such\.pem', ciphers 'NONE': .*No such file"
    ):
        tls_context(cfg)


def test_hook_that_fails() -> None:
    """It is the hook that is to blame, not the certificate."""

    def fail(conf: Config, default: object) -> ssl.SSLContext:
        raise LookupError("no such host")

    def forget(conf: Config, default: Callable[[], object]) -> None: ...

    cfg = Config()
    cfg.set("certfile", __file__)
    cfg.set("ssl_context", fail)
    with pytest.raises(BootError, match="hook ssl_context failed: LookupError: no such host"):
        tls_context(cfg)
    cfg.set("ssl_context", forget)
    with pytest.raises(BootError, match="hook ssl_context to return an SSLContext, got None"):
        tls_context(cfg)


def test_tls_promises_no_more_than_is_spoken() -> None:
    """Where gunicorn would offer HTTP/2, clients are offered HTTP/1.1 alone."""

    class Context(ssl.SSLContext):
        offered: list[str]

        def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
            self.offered = list(alpn_protocols)

    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])

    def hook(conf: Config, default: object) -> ssl.SSLContext:
        return context

    cfg = Config()
    cfg.set("certfile", __file__)
    cfg.set("ssl_context", hook)
    assert tls_context(cfg) is context
    assert context.offered == ["http/1.1"]
