"""Figures as one SVG: a bar for each contender, a dot for each of its rounds."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.contender import Contender
    from bench.figure import Figure

__all__ = ["draw"]

WIDTH, LEFT, RIGHT = 900, 260, 190
ROW, GAP = 24, 62
COLOURS = {"ours": "#2a9d5c", "peer": "#4a7ebb", "limit": "#b8bcc2", "beside": "#a5d8ba"}
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}"
    ".title{font-weight:600;font-size:15px}.quiet{fill:#777}.ours{font-weight:600}"
    ".round{fill:#111;fill-opacity:.45}"
)


def draw(figures: list[Figure], caption: str) -> str:
    """Return an SVG image of all figures, one below the other."""
    height = 40 + sum(GAP + ROW * len(figure.samples) for figure in figures)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="16" y="24" class="quiet">{escape(caption)}</text>',
    ]
    top = 40
    for figure in figures:
        parts.extend(_figure(figure, top))
        top += GAP + ROW * len(figure.samples)
    return "\n".join([*parts, "</svg>", ""])


def _figure(figure: Figure, top: int) -> Iterator[str]:
    better = "more is better" if figure.more_is_better else "less is better"
    yield f'<text x="16" y="{top + 30}" class="title">{escape(figure.title)}</text>'
    yield (
        f'<text x="{WIDTH - 16}" y="{top + 30}" text-anchor="end" class="quiet">'
        f"{escape(figure.unit)}, {better}</text>"
    )
    greatest = max((sample.value for row in figure.samples.values() for sample in row), default=1)
    scale = (WIDTH - LEFT - RIGHT) / greatest
    order = sorted(figure.samples, key=figure.value, reverse=figure.more_is_better)
    order.sort(key=lambda contender: contender.loop)
    for place, contender in enumerate(order):
        yield from _row(figure, contender, top + 42 + place * ROW, scale)


def _row(figure: Figure, contender: Contender, top: int, scale: float) -> Iterator[str]:
    value = figure.value(contender)
    ratio = figure.ratio(contender)
    middle = top + ROW / 2
    kind = "ours" if contender.role == "ours" else ""
    yield (
        f'<text x="{LEFT - 10}" y="{middle + 4}" text-anchor="end" class="{kind}">'
        f"{escape(contender.label)}</text>"
    )
    yield (
        f'<rect x="{LEFT}" y="{top + 3}" width="{value * scale:.1f}" height="{ROW - 6}" '
        f'fill="{COLOURS[contender.role]}"/>'
    )
    for sample in figure.samples[contender]:
        x = LEFT + sample.value * scale
        yield f'<circle cx="{x:.1f}" cy="{middle}" r="2.5" class="round"/>'
    text = f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"
    if ratio is not None:
        text += f" · ours ×{ratio:.2f}"
    yield f'<text x="{WIDTH - RIGHT + 12}" y="{middle + 4}" class="{kind}">{text}</text>'
