"""What went wrong elsewhere where files were served, and does not here.

A client reaches nothing outside the directory, learns nothing of what is there, and can't make
a page of names do what a page does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from aiohttp.server.web import fileresponse, opening, static_resource
from aiohttp.server.web.application import Application
from aiohttp.server.web.static_resource import file_names
from aiohttp.test_utils import MemoryClient, MemoryResponse

SECRET = b"the secret"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a directory of files, with secrets beside it."""
    root = tmp_path / "www"
    (root / "sub").mkdir(parents=True)
    (root / "file.txt").write_bytes(b"public")
    for other in ("secret", "www2/secret", "wwwsecret"):
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).write_bytes(SECRET)
    return root


async def ask(
    root: Path,
    *targets: str,
    follow_symlinks: bool = False,
    show_index: bool = True,
    accept_encoding: str = "br, zstd, gzip",
) -> list[bytes]:
    """Return the whole answers, head and body, to targets that are sent as they are."""
    app = Application()
    app.router.add_static("/static", root, follow_symlinks=follow_symlinks, show_index=show_index)
    async with MemoryClient(app) as client:
        return [
            await client.raw(
                f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                f"Accept-Encoding: {accept_encoding}\r\n\r\n".encode("latin-1")
            )
            for target in targets
        ]


def status_of(answer: bytes) -> int:
    """Return the status of an answer."""
    return int(answer.split(b" ", 2)[1])


def without_date(answer: bytes) -> bytes:
    """Return an answer without what is the time's."""
    return re.sub(rb"Date: [^\r]*\r\n", b"", answer)


TRAVERSALS = [
    "/static/../secret",
    "/static/sub/../../secret",
    "/static/missing/../../secret",
    "/static/%2e%2e/secret",
    "/static/.%2e/secret",
    "/static/%2E%2E%2Fsecret",
    "/static/..%2fsecret",
    "/static/..%5csecret",
    "/static/..\\secret",
    "/static/%252e%252e/secret",
    "/static/..%252fsecret",
    "/static/%c0%ae%c0%ae/secret",
    "/static/%c0%ae%c0%ae%c0%afsecret",
    "/static/..;/secret",
    "/static/....//secret",
    "/static/..%00/secret",
    "/static/file.txt%00.html",
    "/static/sub/..",
    "/static/..",
    "/static/.",
    "/static/./file.txt",
    "/static//etc/passwd",
    "/static/%2Fetc%2Fpasswd",
    "/static//file.txt",
    "/static/sub//../../secret",
    "/static/..2/secret",
    "/static/../www2/secret",
    "/static/../wwwsecret",
    "/staticsecret",
    "/static2/secret",
    "/static/%ff%fe",
    "/static/" + "a/" * 2000,
    "/static/" + "a" * 4000,
    "/static/" + "sub/" * 1500 + "..",
    "http://a/static/../secret",
]


@pytest.mark.parametrize("follow_symlinks", [False, True])
async def test_traversal(root: Path, follow_symlinks: bool) -> None:
    """CVE-2024-23334: no path leads out, also where links may; all answers are the same."""
    answers = await ask(root, *TRAVERSALS, "/static/none", follow_symlinks=follow_symlinks)
    for target, answer in zip(TRAVERSALS, answers, strict=False):
        assert SECRET not in answer, target
        assert without_date(answer) == without_date(answers[-1]), target
    assert status_of(answers[-1]) == 404


async def test_common_prefix(root: Path) -> None:
    """CVE-2023-29159: a directory whose name begins alike is another one."""
    (root / "link").symlink_to(root.parent / "www2")
    (root / "file").symlink_to(root.parent / "wwwsecret")
    for answer in await ask(root, "/static/link/secret", "/static/link", "/static/file"):
        assert status_of(answer) == 404


async def test_links_that_lead_out(root: Path) -> None:
    """A link to what is outside is missing, and so is everything behind it."""
    (root / "file").symlink_to(root.parent / "secret")
    (root / "relative").symlink_to("../secret")
    (root / "up").symlink_to("..")
    (root / "chain").symlink_to("up")
    (root / "broken").symlink_to("nowhere")
    (root / "ring").symlink_to("ring")
    targets = ["file", "relative", "up", "up/secret", "up/www/file.txt", "chain/secret", "broken",
               "ring", "ring/x", "up/none"]  # fmt: skip
    answers = await ask(root, "/static/none", *(f"/static/{target}" for target in targets))
    assert len({without_date(answer) for answer in answers}) == 1
    assert status_of(answers[0]) == 404


async def test_links_that_lead_out_are_not_listed(root: Path) -> None:
    """A listing has what can be had."""
    for name, target in (("out", "../secret"), ("broken", "nowhere"), ("in", "file.txt")):
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe")
    (page,) = await ask(root, "/static/")
    links = re.findall(rb'<td class="name"><a[^>]* href="([^"]*)"', page)
    assert links == [b"/static/sub/", b"/static/file.txt", b"/static/in"]


async def test_links_that_may_lead_out(root: Path) -> None:
    """With follow_symlinks what is linked is served; that is what the option is for."""
    (root / "file").symlink_to(root.parent / "secret")
    (answer,) = await ask(root, "/static/file", follow_symlinks=True)
    assert answer.endswith(SECRET)


@pytest.mark.parametrize("follow_symlinks", [False, True])
@pytest.mark.parametrize("suffix", [".gz", ".br", ".zst"])
async def test_twin_that_leads_out(root: Path, suffix: str, follow_symlinks: bool) -> None:
    """CVE-2024-42367: a precompressed twin that is a link is no twin."""
    (root / f"file.txt{suffix}").symlink_to(root.parent / "secret")
    (answer,) = await ask(root, "/static/file.txt", follow_symlinks=follow_symlinks)
    assert answer.endswith(b"public")
    assert b"Content-Encoding" not in answer


@pytest.mark.parametrize("swapped", ["sub/secret", "sub"])
async def test_link_that_is_put_there_meanwhile(
    root: Path, swapped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking and opening nobody can put a link in the place of file or directory."""
    (root / "sub" / "secret").write_bytes(b"public")
    really_open = opening.open_file

    def swap_and_open(path: str, accept_encoding: str | None, *, below: str) -> object:
        (root / swapped).rename(root / "aside")
        (root / swapped).symlink_to(root.parent / ("secret" if "/" in swapped else ""))
        return really_open(path, accept_encoding, below=below)

    monkeypatch.setattr(fileresponse, "open_file", swap_and_open)
    answers = await ask(root, "/static/sub/secret", "/static/none")
    assert without_date(answers[0]) == without_date(answers[1])
    assert status_of(answers[0]) == 404


async def test_missing_and_forbidden_are_alike(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2025-69226: what exists and may not be read can't be told from what doesn't exist."""

    def forbid(path: Path) -> os.stat_result:
        if path.name == "hidden":
            raise PermissionError(13, "Permission denied", str(path))
        return path.stat(follow_symlinks=False)

    def is_readable(path: Path, mode: int) -> bool:
        return path.name != "forbidden" and mode == os.R_OK

    # Whoever runs the tests may be allowed everything, as root is.
    monkeypatch.setattr(Path, "lstat", forbid)
    monkeypatch.setattr(os, "access", is_readable)
    (root / "forbidden").write_bytes(SECRET)
    os.mkfifo(root / "pipe")
    targets = ["none", "hidden", "hidden/x", "forbidden", "pipe", "sub", "sub/", "file.txt/",
               "file.txt/x"]  # fmt: skip
    answers = await ask(root, *(f"/static/{each}" for each in targets), show_index=False)
    assert len({without_date(answer) for answer in answers}) == 1
    assert status_of(answers[0]) == 404


async def test_nothing_outside_is_looked_at(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2025-69226: not even the time of an answer depends on what is outside."""
    looked: list[str] = []
    lstat = Path.lstat

    def note(path: Path) -> os.stat_result:
        looked.append(str(path))
        return lstat(path)

    (root / "up").symlink_to("..")
    monkeypatch.setattr(Path, "lstat", note)
    await ask(root, *TRAVERSALS, "/static/up/secret", "/static/none/a/b/c")
    assert looked
    assert all(path == str(root) or path.startswith(f"{root}/") for path in looked)
    assert str(root / "up" / "secret") not in looked
    assert not any(path.startswith(f"{root}/none/") for path in looked)


@pytest.mark.parametrize(
    "rest",
    [
        "/\\\\evil.example\\share\\a", "/%5C%5Cevil.example%5Cshare", "//evil.example/share/a",
        "/C:", "/C:\\Windows\\win.ini", "/c:/Windows/win.ini", "/C:file", "/file.txt::$DATA",
        "/file.txt:stream", "/..\\secret", "/a\\b", "/CON", "/con.txt", "/sub/NUL", "/COM1",
        "/lpt9.log", "/COM¹", "/CONIN$", "/file.txt.", "/file.txt ", "/.. ", "/...", "/a*", "/a?",
        '/"', "/a|b", "/a\nb", "/a\x1f",
    ],
)  # fmt: skip
def test_what_windows_takes_for_more_than_a_name(rest: str) -> None:
    """CVE-2026-34515: no drive, host, stream or device reaches the file system."""
    text = rest.replace("%5C", "\\")
    assert file_names(text, is_windows=True) is None


@pytest.mark.parametrize("rest", ["/a.txt", "/sub/größe.txt", "/console.txt", "/com10", "/.env"])
def test_names_on_windows(rest: str) -> None:
    """What only looks similar is a name there, too."""
    assert file_names(rest, is_windows=True) == rest.split("/")[1:]


@pytest.mark.parametrize(
    "name",
    [
        "<img src=x onerror=alert(1)>",
        '"><svg onload=alert(1)>',
        "'-alert(1)-'",
        "<!--",
        "]]>",
        "&#60;b&#62;",
    ],
)
@pytest.mark.parametrize("make", [Path.touch, Path.mkdir])
async def test_names_in_a_listing(root: Path, name: str, make: Callable[[Path], None]) -> None:
    """CVE-2024-27306: the name of a file or a directory is text on the page."""
    make(root / name)
    (root / "sub" / name).mkdir()
    quoted = "".join(f"%{octet:02X}" for octet in name.encode())
    for page in await ask(root, "/static/", f"/static/sub/{quoted}"):
        assert status_of(page) == 200
        assert not re.search(rb"<(img|svg|b)\b", page)
        assert b"Content-Security-Policy: default-src 'none';" in page
        assert b"X-Content-Type-Options: nosniff" in page


async def test_sort_in_a_listing(root: Path) -> None:
    """CVE-2024-27306: nothing of the query comes back."""
    (page,) = await ask(root, "/static/?sort=%22%3E%3Cimg%20src%3Dx%3E")
    assert b"<img" not in page


@pytest.mark.parametrize(
    "target", ["//evil.example", "//evil.example/..", "/static//evil.example", "/static/sub"]
)
async def test_no_redirect(root: Path, target: str) -> None:
    """CVE-2023-28370: a directory is never answered by sending the client elsewhere."""
    (answer,) = await ask(root, target)
    assert status_of(answer) in {200, 404}
    assert b"Location" not in answer


@pytest.mark.parametrize(
    "digits", ["\u0663-\u0664", "\uff10-\uff11", "1-\xb2", "+0-1", "0_0-1", " 0 - 1 "]
)
async def test_digits_in_range(root: Path, digits: str) -> None:
    """CVE-2025-69225: digits are those of ASCII; others are no range, and no error of ours."""
    app = Application()
    app.router.add_static("/static", root)
    async with MemoryClient(app) as client:
        answer = await client.raw(
            b"GET /static/file.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            + f"Range: bytes={digits}\r\n\r\n".encode()
        )
    assert status_of(answer) == 416


async def test_many_ranges(root: Path) -> None:
    """A request of 8 KB can't ask for a body of megabytes (RFC 9110, section 17.15)."""
    (root / "big").write_bytes(b"x" * 100_000)
    app = Application()
    app.router.add_static("/static", root)
    for field in ("0-," * 1000, ",".join(f"{i}-{i}" for i in range(0, 3000, 2)), "0-9,5-14"):
        async with MemoryClient(app) as client:
            response: MemoryResponse = await client.get(
                "/static/big", headers={"Range": f"bytes={field}"[:7000]}
            )
        assert (response.status, len(response.body)) == (200, 100_000)


def test_one_place_opens_files() -> None:
    """Whatever is sent was opened by opening.py: no other module here calls open()."""
    for module in (fileresponse, static_resource):
        source = Path(module.__file__ or "").read_text(encoding="utf-8")
        assert not re.search(r"\bopen\(", source)
