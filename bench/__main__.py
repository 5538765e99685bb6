"""``python -m bench``: measure, print tables, and write down what was measured."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bench.plot import draw
from bench.process import ContenderFailed
from bench.table import print_figure

if TYPE_CHECKING:
    from bench.figure import Figure

BENCHES = ("parser", "server", "client", "download", "upload", "start", "idle", "gunicorn")


@dataclass(frozen=True)
class Options:
    """How thoroughly to measure.

    Attributes:
        rounds: how many times each contender takes its turn.
        seconds: how long a turn lasts, where it is told by time.
        quick: see that everything runs; the figures are worth little.
        only: a part of the titles of those figures that are wanted.
    """

    rounds: int
    seconds: float
    quick: bool
    only: str = ""

    def wants(self, title: str) -> bool:
        """Whether the figure of this title is to be measured."""
        return self.only.lower() in title.lower()


def main() -> int:
    """Run the benches that were asked for. 1: a contender failed; 130: interrupted."""
    arguments = _arguments()
    quick = arguments.quick
    options = Options(
        rounds=arguments.rounds or (2 if quick else 7),
        seconds=arguments.seconds or (0.3 if quick else 2.0),
        quick=quick,
        only=arguments.only,
    )
    signal.signal(signal.SIGTERM, _interrupt)
    figures: list[Figure] = []
    print(_machine())
    try:
        for name in arguments.bench or BENCHES:
            for figure in import_module(f"bench.{name}").measure(options):
                print_figure(figure, sys.stdout)
                figures.append(figure)
    except KeyboardInterrupt:
        print("\ninterrupted; all processes have been ended", file=sys.stderr)
        return 130
    except ContenderFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    finally:
        _write(figures, arguments.json, arguments.plot)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("bench", nargs="*", choices=[*BENCHES, []], help="all if none is named")
    parser.add_argument("--rounds", type=int, help="turns of each contender; 7 if not given")
    parser.add_argument("--seconds", type=float, help="of a turn; 2 if not given")
    parser.add_argument("--only", default="", metavar="TEXT", help="figures with this in a title")
    parser.add_argument("--quick", action="store_true", help="see that everything runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw all figures as SVG")
    return parser.parse_args()


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """Turn SIGTERM into what Ctrl-C does, so that every process is ended on the way out."""
    raise KeyboardInterrupt


def _machine() -> str:
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        "medians of interleaved rounds, ± half of best to worst"
    )


def _write(figures: list[Figure], as_json: Path | None, as_plot: Path | None) -> None:
    if as_json is not None:
        facts = {"machine": _machine(), "figures": [figure.as_json() for figure in figures]}
        as_json.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    if as_plot is not None:
        as_plot.write_text(draw(figures, _machine()))


if __name__ == "__main__":
    sys.exit(main())
