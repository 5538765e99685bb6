"""The page that shows what a directory holds: complete HTML, no script, no other file."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_from_bytes

from .markup import escaped, style_policy

__all__ = ["Entry", "content_security_policy", "listing_page"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing.

    Attributes:
        name: of the file or directory, as the system has it: maybe with surrogate escapes.
        size: in bytes; None: it is a directory.
        mtime: when it was modified, in seconds since 1970.
    """

    name: str
    size: int | None
    mtime: float

    @property
    def is_directory(self) -> bool:
        """Whether there may be other entries below it."""
        return self.size is None


def listing_page(
    base: str, crumbs: Sequence[str], entries: Iterable[Entry], *, order: str = "name"
) -> str:
    """Return a listing as HTML.

    Args:
        base: the path of the topmost directory, as it is written in a URL: ``/static``.
        crumbs: names of the directories from there to the one that is shown.
        entries: what is in it.
        order: ``name``, ``size`` or ``date``; with a ``-`` before it, backwards. Directories
            come first in any case; anything else means ``name``.

    """
    shown = _in_order(entries, order)
    path = "/".join([base.rstrip("/"), *map(_quoted, crumbs)])
    title = _escaped("/".join([base.rstrip("/"), *crumbs]) + "/")
    rows = (_parent_row(path) if crumbs else "") + "".join(_row(path, each) for each in shown)
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>Index of {title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{_trail(base, crumbs)}</h1>\n"
        f"<table>\n<thead>\n<tr>{_columns(order)}</tr>\n</thead>\n"
        f"<tbody>\n{rows}</tbody>\n</table>\n"
        f"<p>{_summary(shown)}</p>\n</main>\n</body>\n</html>\n"
    )


def content_security_policy() -> str:
    """Return what the page may do: have its style."""
    return style_policy(_STYLE)


# The order.


def _in_order(entries: Iterable[Entry], order: str) -> list[Entry]:
    by_name = sorted(entries, key=lambda entry: _natural(entry.name), reverse=order == "-name")
    match order.removeprefix("-"):
        case "size":
            by_name.sort(key=lambda entry: entry.size or 0, reverse=order == "-size")
        case "date":
            by_name.sort(key=lambda entry: entry.mtime, reverse=order == "-date")
        case _:
            pass
    by_name.sort(key=lambda entry: not entry.is_directory)
    return by_name


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return a key that puts file2 before file10, and A beside a."""
    key = [
        (0, int(piece), "") if index % 2 else (1, 0, piece)
        for index, piece in enumerate(re.split(r"([0-9]{1,18})", name.casefold()))
    ]
    return [*key, (2, 0, name)]


_COLUMNS: Final = (("name", "Name"), ("size", "Size"), ("date", "Modified"))


def _columns(order: str) -> str:
    chosen = order if order.removeprefix("-") in {"name", "size", "date"} else "name"
    return "".join(_column(key, label, chosen) for key, label in _COLUMNS)


def _column(key: str, label: str, chosen: str) -> str:
    sort, target = "", key
    if key == chosen:
        sort, target = ' aria-sort="ascending"', f"-{key}"
    elif f"-{key}" == chosen:
        sort = ' aria-sort="descending"'
    return f'<th scope="col" class="{key}"{sort}><a href="?sort={target}">{label}</a></th>'


# The lines.


def _row(path: str, entry: Entry) -> str:
    slash = "/" if entry.is_directory else ""
    icon = "d" if entry.is_directory else "f"
    size = "" if entry.size is None else _size(entry.size)
    exact = "" if entry.size is None else f' title="{entry.size:,} bytes"'
    return (
        f'<tr><td class="name"><a class="{icon}" href="{_href(path)}/{_quoted(entry.name)}{slash}">'
        f"{_escaped(entry.name)}{slash}</a></td>"
        f'<td class="size"{exact}>{size}</td><td class="date">{_time(entry.mtime)}</td></tr>\n'
    )


def _parent_row(path: str) -> str:
    parent = _href(path.rpartition("/")[0])
    return (
        f'<tr><td class="name"><a class="d" href="{parent}/">..</a></td>'
        '<td class="size"></td><td class="date"></td></tr>\n'
    )


def _trail(base: str, crumbs: Sequence[str]) -> str:
    """Return a link to each directory above, and the name of this one."""
    names = [base.rstrip("/") or "", *crumbs]
    path = base.rstrip("/")
    links: list[str] = []
    for depth, name in enumerate(names):
        if depth:
            path += f"/{_quoted(name)}"
        text = _escaped(name)
        if depth < len(names) - 1:
            links.append(f'<a href="{_href(path)}/">{text}/</a>')
        else:
            links.append(f'<span aria-current="page">{text}/</span>')
    return "<wbr>".join(links)


def _summary(entries: Sequence[Entry]) -> str:
    sizes = [entry.size for entry in entries if entry.size is not None]
    parts = list(_counts(len(entries) - len(sizes), len(sizes)))
    if not parts:
        return "This directory is empty."
    if sizes:
        parts.append(_size(sum(sizes)))
    return " · ".join(parts)


def _counts(directories: int, files: int) -> Iterator[str]:
    if directories:
        yield "1 directory" if directories == 1 else f"{directories:,} directories"
    if files:
        yield "1 file" if files == 1 else f"{files:,} files"


def _size(size: int) -> str:
    """Return a size for people: three digits and a unit."""
    if size < 1000:
        return f"{size} B"
    value, unit = size / 1024, 0
    while value >= 999.5:
        value, unit = value / 1024, unit + 1
    return f"{value:.{0 if value >= 99.95 else 1}f} {'KMGTPE'[unit]}iB"


def _time(mtime: float) -> str:
    try:
        moment = time.gmtime(mtime)
    except (OverflowError, ValueError, OSError):
        return ""  # a file system may know years that the calendar doesn't
    year, month, day, hour, minute = moment[:5]
    stamp = f"{year:04}-{month:02}-{day:02}"
    clock = f"{hour:02}:{minute:02}"
    return f'<time datetime="{stamp}T{clock}Z" title="UTC">{stamp} {clock}</time>'


# Names are what somebody called a file: in HTML they are text, in a URL a path segment.


def _escaped(name: str) -> str:
    return escaped(name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _quoted(name: str) -> str:
    return quote_from_bytes(name.encode("utf-8", "surrogateescape"), safe="")


def _href(path: str) -> str:
    """Return a path for a link of its own site: ``//name`` would be another host."""
    return _escaped("/" + path.lstrip("/")) if path else ""


_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2024;--dim:#656d76;--line:#e3e6ea;--paper:#fff;
--hover:#f5f7f9;--link:#0b57d0;--folder:#c98a1b}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8eb;--dim:#98a1ab;--line:#2b3036;--paper:#15181b;
--hover:#1d2125;--link:#8ab4f8;--folder:#e0b252}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem}
h1{margin:0 0 1.5rem;font-size:1.375rem;font-weight:600;overflow-wrap:anywhere}
h1 a{color:var(--dim);font-weight:400}
a{color:var(--link);text-decoration:none}
a:hover,a:focus-visible{text-decoration:underline}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.5rem .75rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{border-bottom-width:2px;font-size:.8125rem;font-weight:600;white-space:nowrap}
th a{color:var(--dim)}
th[aria-sort=ascending] a::after{content:" \\2191"}
th[aria-sort=descending] a::after{content:" \\2193"}
tbody tr:hover{background:var(--hover)}
.name{width:100%;overflow-wrap:anywhere}
.size{text-align:right;white-space:nowrap}
.date{white-space:nowrap}
td.size,td.date,p{color:var(--dim)}
td a{display:block;position:relative;padding-left:1.75rem}
td a::before{content:"";position:absolute;left:0;top:.3em;width:.8rem;height:1rem;border-radius:2px;
border:1.5px solid var(--dim)}
td a.d::before{top:.4em;width:1.1rem;height:.8rem;border:0;background:var(--folder);
box-shadow:.1rem -.15rem 0 -.05rem var(--folder)}
p{margin:1rem .75rem 0;font-size:.875rem}
@media (max-width:36rem){.date{display:none}main{padding:1.25rem .5rem}h1{margin-left:.75rem}}
"""
