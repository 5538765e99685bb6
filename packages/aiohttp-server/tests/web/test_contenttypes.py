"""Media types by name."""

from __future__ import annotations

import mimetypes
import subprocess
import sys

import pytest

from aiohttp.server.web.contenttypes import content_type_of


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/srv/index.html", "text/html"),
        ("app.JS", "text/javascript"),
        ("font.woff2", "font/woff2"),
        ("notes.txt.gz", "application/gzip"),
        ("archive.tar.br", "application/x-brotli"),
        ("letter.rtf", "application/rtf"),
        ("README", "application/octet-stream"),
        (".js", "application/octet-stream"),
        ("a.nothing-known", "application/octet-stream"),
        ("data:text/html,x.png", "image/png"),
        ("data:text/html;base64,", "application/octet-stream"),
    ],
)
def test_type_by_name(path: str, content_type: str) -> None:
    """The last suffix decides, whatever else a name looks like."""
    assert content_type_of(path) == content_type


def test_type_that_a_program_adds() -> None:
    """What mimetypes learns counts."""
    mimetypes.add_type("application/x-test", ".x-test")
    assert content_type_of("a.x-test") == "application/x-test"


def test_mimetypes_stays_out() -> None:
    """The files of a web page don't need it."""
    program = (
        "import sys; from aiohttp.server.web.contenttypes import content_type_of as of; "
        "print(of('a.css'), 'mimetypes' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == [b"text/css", b"False"]
