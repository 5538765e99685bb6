"""An error with all that helps to find its cause: for the eyes of programmers, in debug mode."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, cast

from aiohttp.protocol import may_be_secret

from .markup import escaped

if TYPE_CHECKING:
    from .request import BaseRequest

__all__ = ["debug_html", "debug_members", "debug_style", "debug_text"]

_FAILURES: Final = 10
_FRAMES: Final = 40
"""Of each error; a recursion has a thousand. The innermost are shown, and the outermost few."""
_OUTERMOST: Final = 5
_CONTEXT: Final = 4
"""Lines of source before and after the one that failed."""
_TEXT: Final = 2000
"""Characters of an error's message."""
_LONGEST: Final = 20_000
"""Characters of a traceback as text, in which messages are whole."""


def debug_text(exc: BaseException) -> str:
    """Return the traceback as Python prints it, without the middle of one that is too long."""
    from traceback import TracebackException

    try:
        text = "".join(TracebackException.from_exception(exc, limit=-_FRAMES).format())
    except Exception as another:  # noqa: BLE001 - an error's own __str__ may fail
        return f"{type(exc).__qualname__}: its traceback can't be shown: {another!r}\n"
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]}\n…\n{text[-half:]}"


def debug_members(exc: BaseException) -> dict[str, Any]:
    """Return the error's type, message and traceback, for JSON."""
    return {
        "type": _type_name(exc),
        "message": _message(exc),
        "traceback": debug_text(exc).splitlines(),
    }


def debug_html(request: BaseRequest, exc: BaseException, *, with_locals: bool = False) -> str:
    """Return a page, complete and without script, that shows where an error came from.

    Values of local variables are shown only if wanted; those of variables and fields
    whose name sounds like a secret never are.
    """
    failures = list(islice(_failures(exc), _FAILURES))
    title = escaped(f"{_type_name(exc)}: {_message(exc)}".splitlines()[0][:120])
    shown = "".join(_failure(*each, with_locals=with_locals) for each in failures)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<p class="where">{escaped(request.method)} {escaped(request.raw_path)} '
        f"&middot; request {escaped(request.id)}</p>\n"
        f"{shown}{_request(request)}"
        f"<details><summary>The traceback as text</summary><pre>{escaped(debug_text(exc))}</pre>"
        "</details>\n"
        "<p class=where>You see this page because the application is in debug mode. "
        "Anybody else who can reach it sees it too.</p>\n</main>\n</body>\n</html>\n"
    )


@cache
def debug_style() -> str:
    """Return the style of the page, for its Content-Security-Policy."""
    return _STYLE


# Errors, and how one led to another.


def _failures(exc: BaseException) -> Iterator[tuple[str, BaseException]]:
    """Yield an error, and those behind it, each with how it is related to the one before."""
    waiting: list[tuple[str, BaseException]] = [("", exc)]
    seen: set[int] = set()
    while waiting:
        relation, each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield relation, each
        if each.__cause__ is not None:
            waiting.append(("caused by", each.__cause__))
        elif each.__context__ is not None and not each.__suppress_context__:
            waiting.append(("raised while handling", each.__context__))
        if isinstance(each, BaseExceptionGroup):
            group = cast("BaseExceptionGroup[BaseException]", each)
            waiting.extend(("one of its errors is", member) for member in group.exceptions)


def _type_name(exc: BaseException) -> str:
    kind = type(exc)
    prefix = "" if kind.__module__ in {"builtins", "__main__"} else f"{kind.__module__}."
    return prefix + kind.__qualname__


def _message(exc: BaseException) -> str:
    try:
        notes: list[str] = [str(note) for note in getattr(exc, "__notes__", ())]
        text = "\n".join([str(exc), *notes])
    except Exception as another:  # noqa: BLE001 - whatever its __str__ does
        return f"(its message can't be shown: {type(another).__qualname__})"
    return text if len(text) <= _TEXT else f"{text[:_TEXT]}…"


def _failure(relation: str, exc: BaseException, *, with_locals: bool) -> str:
    heading = f'<p class="relation">{relation}</p>\n' if relation else ""
    frames = list(_frames(exc.__traceback__))
    omitted = len(frames) - _FRAMES
    if omitted > 0:
        frames = frames[:_OUTERMOST] + frames[_OUTERMOST - _FRAMES :]
    shown = [
        _frame(frame, is_last=frame is frames[-1], with_locals=with_locals) for frame in frames
    ]
    if omitted > 0:
        shown.insert(_OUTERMOST, f'<p class="relation">{omitted:,} frames like these</p>\n')
    return (
        f"<section>\n{heading}<h1>{escaped(_type_name(exc))}</h1>\n"
        f"<pre class=message>{escaped(_message(exc))}</pre>\n{''.join(shown)}</section>\n"
    )


# Frames.


@dataclass(frozen=True)
class _Frame:
    """One call on the way to an error.

    Attributes:
        file, number, function: where it is.
        span: first and last column of what was evaluated, in bytes, if it is one line.
        variables: the local ones.
        lines: of the whole file.
    """

    file: str
    number: int
    function: str
    span: tuple[int, int] | None
    variables: dict[str, Any]
    lines: list[str]

    @property
    def is_library(self) -> bool:
        """Whether the program's author has probably not written it."""
        return self.file.startswith("<") or any(self.file.startswith(each) for each in _libraries())


@cache
def _libraries() -> tuple[str, ...]:
    from pathlib import Path
    from sysconfig import get_paths

    paths = get_paths()
    ours = str(Path(__file__).parents[2])
    return tuple({*(paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")), ours})


def _frames(traceback: TracebackType | None) -> Iterator[_Frame]:
    """Yield the frames of a traceback, the outermost first."""
    import linecache

    while traceback is not None:
        frame = traceback.tb_frame
        code = frame.f_code
        yield _Frame(
            code.co_filename,
            traceback.tb_lineno,
            code.co_qualname,
            _span(traceback),
            frame.f_locals,
            linecache.getlines(code.co_filename, frame.f_globals),
        )
        traceback = traceback.tb_next


def _span(traceback: TracebackType) -> tuple[int, int] | None:
    """Return the columns of what was evaluated, where the compiler has noted them (PEP 657)."""
    positions = traceback.tb_frame.f_code.co_positions()
    found = next(islice(positions, traceback.tb_lasti // 2, None), None)
    if found is None:
        return None
    first, last, start, end = found
    return None if start is None or end is None or first != last else (start, end)


def _frame(frame: _Frame, *, is_last: bool, with_locals: bool) -> str:
    # Where the program's own code is, is where one looks first.
    is_open = is_last or not frame.is_library
    variables = _variables(frame.variables) if with_locals else ""
    return (
        f"<details{' open' if is_open else ''}{' class=elsewhere' if frame.is_library else ''}>"
        f"<summary><b>{escaped(frame.function)}</b> "
        f"<span>{escaped(frame.file)}:{frame.number}</span></summary>\n"
        f"{_source(frame)}{variables}</details>\n"
    )


def _source(frame: _Frame) -> str:
    first = max(1, frame.number - _CONTEXT)
    lines = frame.lines[first - 1 : frame.number + _CONTEXT]
    if not lines:
        return "<p class=relation>its source isn't there</p>\n"
    return (
        "<pre>"
        + "".join(_source_line(frame, first + place, line) for place, line in enumerate(lines))
        + "</pre>\n"
    )


def _source_line(frame: _Frame, number: int, line: str) -> str:
    text = line.rstrip("\r\n")
    if number != frame.number:
        return f"<i>{number:>5}</i>  {escaped(text)}\n"
    return f"<em><i>{number:>5}</i>  {_marked(text, frame.span)}</em>\n"


def _marked(text: str, span: tuple[int, int] | None) -> str:
    """Return a line of source in which what was evaluated is marked; columns count bytes."""
    data = text.encode("utf-8", "replace")
    if span is None or len(data[span[0] : span[1]]) == len(data.strip()):
        return escaped(text)
    pieces = data[: span[0]], data[span[0] : span[1]], data[span[1] :]
    before, mark, after = (escaped(piece.decode("utf-8", "replace")) for piece in pieces)
    return f"{before}<mark>{mark}</mark>{after}"


# Values.


def _variables(variables: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escaped(name)}<td><code>{escaped(_value(name, value))}</code>"
        for name, value in variables.items()
    )
    return f"<table>{rows}</table>\n" if rows else ""


def _value(name: str, value: object) -> str:
    """Return a short text of a value, whatever its ``__repr__`` does."""
    from reprlib import Repr

    if may_be_secret(name):
        return "(not shown: going by its name it may be a secret)"
    short = Repr()
    short.maxstring = short.maxother = short.maxlong = 200
    try:
        return short.repr(value)
    except Exception as exc:  # noqa: BLE001 - it is somebody else's code
        return f"(its repr fails: {type(exc).__qualname__})"


def _request(request: BaseRequest) -> str:
    rows = "".join(
        f"<tr><th>{escaped(name)}<td><code>"
        f"{'(not shown)' if may_be_secret(name) else escaped(value[:500])}</code>"
        for name, value in request.headers.items()
    )
    python = sys.version.partition(" ")[0]
    return (
        f"<details><summary>The request's fields, on Python {python}</summary>"
        f"<table>{rows}</table></details>\n"
    )


_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2024;--dim:#656d76;--line:#e3e6ea;--paper:#fff;
--code:#f6f7f9;--hit:#fdecea;--mark:#f5b7b1;--red:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8eb;--dim:#98a1ab;--line:#2b3036;
--paper:#15181b;--code:#1d2125;--hit:#3b2021;--mark:#7c2d2a;--red:#f2938c}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:64rem;margin:0 auto;padding:2rem 1.25rem}
h1{margin:0;color:var(--red);font-size:1.375rem;font-weight:600;overflow-wrap:anywhere}
section{margin-bottom:2rem}
pre,code{font:13px/1.55 ui-monospace,monospace}
pre{margin:0;padding:.5rem 0;overflow-x:auto;background:var(--code)}
pre.message{margin:.25rem 0 1rem;padding:0;background:none;font:inherit;white-space:pre-wrap;
overflow-wrap:anywhere}
details{margin:.5rem 0;border:1px solid var(--line);border-radius:6px;overflow:hidden}
summary{padding:.4rem .75rem;cursor:pointer;overflow-wrap:anywhere}
summary span,.where,.relation,.elsewhere summary b{color:var(--dim);font-weight:400}
summary span,.where,.relation{font-size:.875rem}
pre em{display:inline-block;min-width:100%;background:var(--hit);font-style:normal}
pre i{color:var(--dim);font-style:normal;user-select:none}
mark{background:var(--mark);color:inherit;border-radius:2px}
table{width:100%;border-collapse:collapse}
th,td{padding:.25rem .75rem;border-top:1px solid var(--line);text-align:left;vertical-align:top;
overflow-wrap:anywhere}
th{width:12rem;font-size:.8125rem;font-weight:600}
"""
