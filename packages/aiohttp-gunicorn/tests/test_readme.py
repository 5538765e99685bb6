"""The README's application is served by the README's command."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

from house import REPOSITORY, readme_programs

README = REPOSITORY / "packages" / "aiohttp-gunicorn" / "README.md"


def test_command(tmp_path: Path) -> None:
    """The command serves the application, and ends with status 0 when it is told to."""
    (program,) = readme_programs("packages/aiohttp-gunicorn")
    (tmp_path / "hello.py").write_text(program)
    command = re.search(r"^    gunicorn (.*)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert command is not None
    arguments = command[1].replace(":8000", ":0").split()

    gunicorn = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    with gunicorn:
        assert gunicorn.stderr is not None
        log = iter(gunicorn.stderr.readline, "")
        url = next(found[0] for line in log if (found := re.search(r"http://[\d.:]+", line)))
        with urlopen(url, timeout=10) as response:
            assert response.read() == b"Hello, 127.0.0.1\n"
        gunicorn.terminate()
        rest = gunicorn.stderr.read()
    assert gunicorn.returncode == 0, rest
