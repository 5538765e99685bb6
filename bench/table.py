"""Figures as a person likes to read them: bars, medians, and how ours compares."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from bench.contender import Contender
    from bench.figure import Bound, Figure, Goal

__all__ = ["print_figure"]

BOLD, DIM, GREEN, RED, BLUE, GREY = "1", "2", "32", "31", "36", "90"
COLOURS = {"ours": GREEN, "peer": BLUE, "limit": GREY, "beside": GREY}
EIGHTHS = " ▏▎▍▌▋▊▉"


def print_figure(figure: Figure, out: TextIO) -> None:
    """Print one figure, grouped by loop, the best first; in colour on a terminal."""
    paint = _painter(out)
    better = "more is better" if figure.more_is_better else "less is better"
    print(f"\n{paint(BOLD, figure.title)}  {paint(DIM, f'{figure.unit}, {better}')}", file=out)
    for loop in dict.fromkeys(contender.loop for contender in figure.samples):
        print(file=out)
        group = [contender for contender in figure.samples if contender.loop == loop]
        group.sort(key=figure.value, reverse=figure.more_is_better)
        for contender in group:
            print(_row(figure, contender, paint), file=out)
    if figure.goals or figure.bounds:
        print(file=out)
    for goal in figure.goals:
        print(_goal(figure, goal, paint), file=out)
    for bound in figure.bounds:
        print(_bound(figure, bound, paint), file=out)


def _painter(out: TextIO) -> Callable[[str, str], str]:
    if out.isatty() and "NO_COLOR" not in os.environ:
        return lambda colour, text: f"\x1b[{colour}m{text}\x1b[0m"
    return lambda _, text: text


def _row(figure: Figure, contender: Contender, paint: Callable[[str, str], str]) -> str:
    """Return ``name ▇▇▇ value ±spread beside ratio``."""
    labels = max(len(each.label) for each in figure.samples)
    room = max(10, min(40, shutil.get_terminal_size((120, 24)).columns - labels - 62))
    value = figure.value(contender)
    longest = max(map(figure.value, figure.samples))
    colour = COLOURS[contender.role]
    bar = paint(colour, _bar(value / longest, room))
    name = paint(BOLD if contender.role == "ours" else "0", contender.label.ljust(labels))
    spread = paint(DIM, f"±{figure.spread(contender):3.0%}")
    facts = f"{_number(value):>9} {spread} {_beside(figure, contender)}"
    return f"  {name}  {bar} {facts} {_ratio(figure, contender, paint)}".rstrip()


def _bar(part: float, room: int) -> str:
    whole, eighths = divmod(round(part * room * 8), 8)
    return ("█" * whole + (EIGHTHS[eighths] if eighths else "")).ljust(room)


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _beside(figure: Figure, contender: Contender) -> str:
    return f"{_number(figure.beside(contender)):>6} {figure.also}" if figure.also else ""


def _ratio(figure: Figure, contender: Contender, paint: Callable[[str, str], str]) -> str:
    ratio = figure.ratio(contender)
    if ratio is None:
        return ""
    by_cpu = figure.cpu_ratio(contender)
    text = f"ours is ×{ratio:.2f}" + (f", by CPU ×{by_cpu:.2f}" if by_cpu else "")
    if contender.role == "limit":
        return paint(GREY, text)
    return paint(GREEN if ratio >= 1 else RED, text)


def _goal(figure: Figure, goal: Goal, paint: Callable[[str, str], str]) -> str:
    peer = figure.peer_of(goal)
    reached = figure.reached(goal)
    loop = f" · {goal.loop}" if goal.loop else ""
    wanted = f"≥ {goal.at_least:.2f} × {goal.peer}{loop}{', by CPU' if goal.by_cpu else ''}"
    if peer is None or reached is None:
        return f"  {paint(DIM, '-')} goal: {wanted}: not measured in this run"
    by_cpu = None if goal.by_cpu else figure.cpu_ratio(peer, goal.loop)
    beside = f" (by CPU {by_cpu:.2f})" if by_cpu else ""
    if reached >= goal.at_least:
        return f"  {paint(GREEN, '✓')} goal: {wanted}: reached {reached:.2f}{beside}"
    return f"  {paint(RED, '✗')} goal: {wanted}: not reached, {reached:.2f}{beside}"


def _bound(figure: Figure, bound: Bound, paint: Callable[[str, str], str]) -> str:
    wanted = f"≤ {_number(bound.at_most)} {figure.unit} · {bound.loop}"
    ours = figure.ours(bound.loop)
    if ours is None:
        return f"  {paint(DIM, '-')} goal: {wanted}: not measured in this run"
    value = figure.value(ours)
    if value <= bound.at_most:
        return f"  {paint(GREEN, '✓')} goal: {wanted}: reached {_number(value)}"
    return f"  {paint(RED, '✗')} goal: {wanted}: not reached, {_number(value)}"
