"""What was measured: samples of contenders, their medians, and how ours compares."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from bench.contender import Contender

__all__ = ["CPU", "Bound", "Figure", "Goal", "Sample"]


CPU = "CPU µs"
"""The unit of what is told beside a value, where that is processor time for one operation."""


class Sample(NamedTuple):
    """One round of one contender.

    ``value`` is in the figure's unit, ``also`` is what is told beside it, such as
    the processor time of one request: when neighbours disturb, it is the steadier.
    """

    value: float
    also: float = 0.0


class Goal(NamedTuple):
    """What we want to reach: ours at least so many times as good as ``peer``.

    ``by_cpu``: compared is the processor time told beside the value.
    """

    peer: str
    loop: str
    at_least: float
    by_cpu: bool = False


class Bound(NamedTuple):
    """What ours may need at most, in the figure's unit, whatever others need."""

    loop: str
    at_most: float


@dataclass
class Figure:
    """One table: contenders and their samples, a list for each, one item a round.

    Attributes:
        title: what was measured.
        unit: of a sample's value.
        more_is_better: whether a greater value is a better one.
        also: the unit of what is told beside, or "".
    """

    title: str
    unit: str
    more_is_better: bool = True
    also: str = ""
    goals: tuple[Goal, ...] = ()
    bounds: tuple[Bound, ...] = ()
    samples: dict[Contender, list[Sample]] = field(default_factory=dict["Contender", list[Sample]])

    def value(self, contender: Contender) -> float:
        """Return the median of its rounds."""
        return median(sample.value for sample in self.samples[contender])

    def beside(self, contender: Contender) -> float:
        """Return the median of what is told beside it."""
        return median(sample.also for sample in self.samples[contender])

    def spread(self, contender: Contender) -> float:
        """Return half the distance from the worst to the best round, as a part of the median."""
        values = [sample.value for sample in self.samples[contender]]
        return (max(values) - min(values)) / 2 / median(values)

    def ours(self, loop: str) -> Contender | None:
        """Return our contender on this loop."""
        for contender in self.samples:
            if contender.role == "ours" and contender.loop == loop:
                return contender
        return None

    def ratio(self, contender: Contender, loop: str = "") -> float | None:
        """Return how many times as good as this one ours is, on the same loop.

        The median of the rounds' own ratios: what disturbed a round disturbed both.
        Who has no loop is compared with ours on ``loop``, or on asyncio. None for
        ourselves, and where ours didn't run.
        """
        ratios = [ours.value / other.value for ours, other in self._pairs(contender, loop)]
        if not ratios:
            return None
        return median(r if self.more_is_better else 1 / r for r in ratios)

    def cpu_ratio(self, contender: Contender, loop: str = "") -> float | None:
        """Return the same by processor time, where that is told beside the value."""
        if self.also != CPU:
            return None
        pairs = self._pairs(contender, loop)
        return median(other.also / ours.also for ours, other in pairs) if pairs else None

    def _pairs(self, contender: Contender, loop: str) -> list[tuple[Sample, Sample]]:
        """Return our sample and that of ``contender`` of each round."""
        ours = self.ours(contender.loop or loop) or (None if loop else self.ours("asyncio"))
        if ours is None or contender.role == "ours":
            return []
        return list(zip(self.samples[ours], self.samples[contender], strict=True))

    def peer_of(self, goal: Goal) -> Contender | None:
        """Return whom a goal speaks of, or None if that one, or ours, wasn't measured."""
        for contender in self.samples:
            if contender.name == goal.peer and contender.loop in (goal.loop, ""):
                return contender if self._pairs(contender, goal.loop) else None
        return None

    def reached(self, goal: Goal) -> float | None:
        """Return how many times as good ours is as the one whom a goal speaks of."""
        peer = self.peer_of(goal)
        if peer is None:
            return None
        return (self.cpu_ratio if goal.by_cpu else self.ratio)(peer, goal.loop)

    def as_json(self) -> dict[str, Any]:
        """Return everything that was measured, for ``--json``."""
        return {
            "title": self.title,
            "unit": self.unit,
            "more_is_better": self.more_is_better,
            "also": self.also,
            "contenders": [
                {
                    "name": contender.name,
                    "loop": contender.loop,
                    "role": contender.role,
                    "median": self.value(contender),
                    "also": self.beside(contender),
                    "ours_is_times": self.ratio(contender),
                    "ours_is_times_by_cpu": self.cpu_ratio(contender),
                    "samples": [sample.value for sample in samples],
                }
                for contender, samples in self.samples.items()
            ],
            "goals": [
                {**goal._asdict(), "reached": reached}
                for goal in self.goals
                if (reached := self.reached(goal)) is not None
            ],
            "bounds": [
                {**bound._asdict(), "reached": self.value(ours)}
                for bound in self.bounds
                if (ours := self.ours(bound.loop)) is not None
            ],
        }
