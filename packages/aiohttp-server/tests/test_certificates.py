"""Certificates: checked before they are used, renewed when their files change."""

from __future__ import annotations

import asyncio
import logging
import shutil
import ssl
from pathlib import Path

import pytest

from aiohttp.protocol import Listener
from aiohttp.server.certificates import BadCertificate, Certificates, server_context
from served import Application, settle

HERE = Path(__file__).parent
FIRST = HERE.parents[1] / "aiohttp-protocol" / "tests" / "localhost.pem"
RENEWED = HERE / "renewed.pem"
LOCKED = HERE / "locked.pem"
"""The key of ``RENEWED``, encrypted with the password "secret"."""


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """A certificate and its key in one file."""
    return Path(shutil.copy(FIRST, tmp_path / "site.pem"))


def split(pem: Path, folder: Path) -> tuple[Path, Path]:
    """Write certificate and key into files of their own."""
    text = pem.read_text()
    parts = [f"-----BEGIN{part}" for part in text.split("-----BEGIN")[1:]]
    (cert,) = (part for part in parts if "CERTIFICATE" in part.splitlines()[0])
    (key,) = (part for part in parts if "KEY" in part.splitlines()[0])
    (folder / "cert.pem").write_text(cert)
    (folder / "key.pem").write_text(key)
    return folder / "cert.pem", folder / "key.pem"


def replace(target: Path, source: Path) -> None:
    """Put another file in its place, as those who renew certificates do."""
    Path(shutil.copy(source, target.with_suffix(".new"))).replace(target)


async def served_name(address: tuple[str, int]) -> str:
    """Return whose certificate a server shows."""
    trusting = ssl.create_default_context(cafile=FIRST)
    trusting.load_verify_locations(RENEWED)
    _, writer = await asyncio.open_connection(*address, ssl=trusting)
    shown = writer.get_extra_info("peercert")
    writer.transport.abort()
    await settle()
    name: str = shown["subject"][0][0][1]
    return name


# Loading.


def test_pair_in_one_file_or_two(pem: Path, tmp_path: Path) -> None:
    """Both make a context for servers, and calling the certificates returns it."""
    for certificates in (Certificates(pem), Certificates(*split(pem, tmp_path))):
        context = certificates()
        assert context is certificates.context
        assert context.verify_mode == ssl.CERT_NONE
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_context_may_be_of_the_programs_own(pem: Path) -> None:
    """What makes contexts may be given; each load asks for a new one."""
    made: list[ssl.SSLContext] = []

    def make() -> ssl.SSLContext:
        made.append(server_context())
        return made[-1]

    certificates = Certificates(pem, make_context=make)
    assert certificates.reload()
    assert len(made) == 2
    assert certificates() is made[1]


def test_encrypted_key_needs_its_password() -> None:
    """Nobody is asked at the terminal: without it, or with a wrong one, there is an error."""
    Certificates(LOCKED, password="secret")
    with pytest.raises(
        BadCertificate, match=r"the key .*locked\.pem is encrypted: give its password, or a key"
    ):
        Certificates(LOCKED)
    with pytest.raises(BadCertificate, match=r"the password is not that of the key .*locked\.pem"):
        Certificates(LOCKED, password="wrong")


def test_missing_file_is_named(pem: Path, tmp_path: Path) -> None:
    """The error says which of the two, and where it was looked for."""
    nowhere = tmp_path / "nowhere.pem"
    with pytest.raises(BadCertificate, match=r"can't read the certificate .*nowhere\.pem: No such"):
        Certificates(nowhere)
    with pytest.raises(BadCertificate, match=r"can't read the key .*nowhere\.pem: No such file"):
        Certificates(pem, nowhere)


def test_file_that_is_no_pem(pem: Path, tmp_path: Path) -> None:
    """Text, nothing at all, or a certificate without its key."""
    cert, _ = split(pem, tmp_path)
    for text in ("text", "", cert.read_text()):
        pem.write_text(text)
        with pytest.raises(BadCertificate, match=r"expected a certificate in .* private key in"):
            Certificates(pem)


def test_key_of_another_certificate(pem: Path, tmp_path: Path) -> None:
    """The error says so in words of people."""
    cert, _ = split(pem, tmp_path)
    with pytest.raises(BadCertificate, match=r"renewed\.pem is not the key of the certificate"):
        Certificates(cert, RENEWED)


# Loading again.


def test_reload_of_a_broken_pair_changes_nothing_but_the_log(
    pem: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The old context stays; the log says what is wrong."""
    certificates = Certificates(pem)
    before = certificates()
    pem.write_text("broken")
    assert not certificates.reload()
    assert certificates() is before
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "the certificate stays what it was: expected a certificate in" in record.message


def test_only_a_change_is_loaded(pem: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that stays what it was is not read again, be it right or wrong."""
    certificates = Certificates(pem)
    before = certificates()
    assert not certificates.reload_if_changed()
    assert certificates() is before
    pem.unlink()
    assert not certificates.reload_if_changed()
    assert not certificates.reload_if_changed()
    assert len(caplog.records) == 1  # said once
    shutil.copy(RENEWED, pem)
    assert certificates.reload_if_changed()
    assert certificates() is not before


def test_pair_that_changes_file_by_file(
    pem: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Between the two changes the old pair is served; after the second, the new one."""
    cert, key = split(pem, tmp_path)
    (tmp_path / "new").mkdir()
    new_cert, new_key = split(RENEWED, tmp_path / "new")
    certificates = Certificates(cert, key)
    before = certificates()
    replace(cert, new_cert)
    assert not certificates.reload_if_changed()
    assert "is not the key of the certificate" in caplog.text
    assert certificates() is before
    replace(key, new_key)
    assert certificates.reload_if_changed()
    assert certificates() is not before


def test_key_that_becomes_readable_is_loaded(pem: Path) -> None:
    """Its rights are often set behind its content, which could not be read till then."""
    certificates = Certificates(pem)
    before = pem.stat()
    while pem.stat().st_ctime_ns == before.st_ctime_ns:  # a tick of the file system's clock
        pem.chmod(0o600)
    assert pem.stat().st_mtime_ns == before.st_mtime_ns
    assert certificates.reload_if_changed()


def test_pair_that_changes_by_one_link(tmp_path: Path) -> None:
    """Kubernetes puts a new version beside the old one, and turns the link to it in one step."""
    for name, source in (("1", FIRST), ("2", RENEWED)):
        (tmp_path / name).mkdir()
        split(source, tmp_path / name)
    current = tmp_path / "..data"
    current.symlink_to("1")
    certificates = Certificates(current / "cert.pem", current / "key.pem")
    before = certificates()
    (tmp_path / "next").symlink_to("2")
    (tmp_path / "next").replace(current)
    shutil.rmtree(tmp_path / "1")
    assert certificates.reload_if_changed()
    assert certificates() is not before
    assert not certificates.reload_if_changed()


async def test_watching_looks_at_the_files_again_and_again(pem: Path) -> None:
    """One timer looks, as long as somebody watches; then there is none."""
    certificates = Certificates(pem, poll_interval=0)
    with certificates.watched():
        with certificates.watched():
            await settle()
        before = certificates()
        replace(pem, RENEWED)
        await settle()
        assert certificates() is not before
    before = certificates()
    replace(pem, FIRST)
    await settle()
    assert certificates() is before


async def test_next_connection_gets_the_new_certificate(pem: Path) -> None:
    """A connection that is open keeps what it has, and goes on."""
    certificates = Certificates(pem)
    answer = Application(lambda exchange: exchange.respond(200))
    async with Listener(answer) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0, tls=certificates)
        assert await served_name(address) == "localhost"
        replace(pem, RENEWED)
        certificates.reload()
        assert await served_name(address) == "renewed"


def test_repr_names_the_file(pem: Path) -> None:
    """And nothing that is secret."""
    assert repr(Certificates(LOCKED, password="secret")) == f"<Certificates {LOCKED}>"
