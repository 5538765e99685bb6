"""What a server says to the person who starts it: where to look, and how to stop it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, Final

__all__ = ["farewell", "greeting", "has_colors"]

_EVERYWHERE: Final = ("://0.0.0.0", "://[::]")
_BOLD_CYAN: Final = "\033[1;36m"
_DIM: Final = "\033[2m"
_PLAIN: Final = "\033[0m"


def greeting(names: Iterable[str], *, colors: bool = False) -> str:
    """Return what to print when a server is ready: the places where it is found, in two lines.

    ``names`` are those of sites. A site on all addresses is told as ``localhost``,
    which can be opened in a browser, unlike ``0.0.0.0``.
    """
    urls = list(dict.fromkeys(map(_for_people, names)))
    line, hint = "======== {} ========", "(Press CTRL+C to stop)"
    if colors:
        urls = [f"{_BOLD_CYAN}{url}{_PLAIN}" for url in urls]
        line, hint = f"{_DIM}========{_PLAIN} {{}} {_DIM}========{_PLAIN}", f"{_DIM}{hint}{_PLAIN}"
    return "\n".join((line.format(f"Serving on {', '.join(urls)}"), hint))


def farewell(requests: int, seconds: float) -> str:
    """Return what to print when stopping takes its time, because somebody waits for an answer."""
    runs, them = ("1 request is", "it") if requests == 1 else (f"{requests} requests are", "them")
    return f"Stopping: {runs} still running, for {seconds:g} s at most (CTRL+C cuts {them})"


def has_colors(stream: IO[str]) -> bool:
    """Tell whether colors are wanted there: on a terminal, unless NO_COLOR is set.

    FORCE_COLOR wants them everywhere. See no-color.org and force-color.org.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _for_people(name: str) -> str:
    for everywhere in _EVERYWHERE:
        if everywhere in name:
            return f"{name.replace(everywhere, '://localhost')} (on every address)"
    return name
