"""A server's certificate and key, loaded again when their files change, and never half."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["BadCertificate", "Certificates", "server_context"]

logger = logging.getLogger("aiohttp.server")

_FOREIGN_KEY: Final = "KEY_VALUES_MISMATCH"
# How OpenSSL says that a file is no PEM, or not the part that was looked for.
_NO_PEM: Final = frozenset({"NO_START_LINE", "PEM_LIB", "BAD_BASE64_DECODE", "BAD_END_LINE", ""})


class BadCertificate(OSError):
    """A certificate and a key that can't be used: not there, not PEM, not a pair, locked."""


class Certificates:
    """The TLS context for the next connection, made of two files, renewed when they change.

    ::

        web.run_app(app, ssl_context=web.Certificates("cert.pem", "key.pem"))

    Each renewal is checked in a fresh context. Only one that is right takes the place
    of the last; a pair that is broken, as it is for a moment when one file has been
    replaced and the other not yet, changes nothing but the log. Connections that are
    open keep what they have.

    Args:
        certfile: PEM: the certificate, then those that lead to its root.
        keyfile: PEM: the private key; None if it is in ``certfile`` as well.
        password: of the key, if it is encrypted.
        make_context: returns a context that lacks only its certificate.
        poll_interval: seconds between two looks at the files while ``watched``.

    Attributes:
        context: the one for the next connection.

    Raises:
        BadCertificate: if the pair can't be used; the message says why.
    """

    def __init__(
        self,
        certfile: str | os.PathLike[str],
        keyfile: str | os.PathLike[str] | None = None,
        *,
        password: str | None = None,
        make_context: Callable[[], ssl.SSLContext] | None = None,
        poll_interval: float = 5.0,
    ) -> None:
        self._certfile = Path(certfile)
        self._keyfile = self._certfile if keyfile is None else Path(keyfile)
        self._password = password
        self._make_context = server_context if make_context is None else make_context
        self._poll_interval = poll_interval
        self._timer: asyncio.TimerHandle | None = None
        self._watchers = 0
        self._seen = self._look()
        self.context = self._load()

    def __repr__(self) -> str:
        return f"<Certificates {self._certfile}>"

    def __call__(self) -> ssl.SSLContext:
        """Return the context for the next connection."""
        return self.context

    @property
    def is_watched(self) -> bool:
        """Whether somebody looks at the files again and again."""
        return bool(self._watchers)

    def reload(self) -> bool:
        """Load the files again; return whether they were right. If not, the log says why."""
        self._seen = self._look()  # before it is read, so that no change after that is missed
        try:
            self.context = self._load()
        except BadCertificate as exc:
            logger.error("the certificate stays what it was: %s", exc)  # noqa: TRY400
            return False
        logger.info("loaded the certificate %s again", self._certfile)
        return True

    def reload_if_changed(self) -> bool:
        """Load the files again if they are not those of the last time, right or wrong."""
        return self._look() != self._seen and self.reload()

    @contextmanager
    def watched(self) -> Generator[None]:
        """Look at the files every ``poll_interval`` seconds as long as the block lasts.

        Blocks may overlap, all in one event loop: there is one timer, and no thread.
        """
        self._watchers += 1
        if self._timer is None:
            self._timer = self._next_look()
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._timer.cancel()
                self._timer = None

    def _next_look(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._poll_interval, self._poll)

    def _poll(self) -> None:
        self._timer = self._next_look()
        self.reload_if_changed()

    def _look(self) -> list[tuple[int, int, int, int] | None]:
        """Return what tells one state of the files from another; symbolic links are followed."""
        return [_stamp(path) for path in (self._certfile, self._keyfile)]

    def _load(self) -> ssl.SSLContext:
        for path, what in ((self._certfile, "certificate"), (self._keyfile, "key")):
            try:
                with path.open("rb"):
                    pass
            except OSError as exc:
                raise BadCertificate(f"can't read the {what} {path}: {exc.strerror}") from exc
        context = self._make_context()
        is_encrypted = False

        def password() -> str:  # without it OpenSSL asks whoever sits at the terminal
            nonlocal is_encrypted
            is_encrypted = True
            if self._password is None:
                raise BadCertificate(
                    f"the key {self._keyfile} is encrypted: give its password, or a key without one"
                )
            return self._password

        try:
            context.load_cert_chain(self._certfile, self._keyfile, password)
        except BadCertificate:
            raise
        except ssl.SSLError as exc:
            raise BadCertificate(self._why(exc.reason or "", is_encrypted)) from exc
        except (OSError, ValueError) as exc:
            raise BadCertificate(f"can't use {self._certfile} and {self._keyfile}: {exc}") from exc
        return context

    def _why(self, reason: str, is_encrypted: bool) -> str:
        """Say for people what OpenSSL says in its own words."""
        if reason == _FOREIGN_KEY:
            return f"{self._keyfile} is not the key of the certificate {self._certfile}"
        if is_encrypted:
            return f"the password is not that of the key {self._keyfile}"
        if reason in _NO_PEM:
            return (
                f"expected a certificate in {self._certfile} and its private key in "
                f"{self._keyfile}, both in PEM format (-----BEGIN ...)"
            )
        return f"can't use {self._certfile} and {self._keyfile}: {reason}"


def server_context() -> ssl.SSLContext:
    """Return a context for TLS 1.2 and 1.3 with HTTP/1.1, which lacks its certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _stamp(path: Path) -> tuple[int, int, int, int] | None:
    """Return what changes with a file: with its rights, too, which often come after it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size
