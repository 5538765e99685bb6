"""Who takes part: a program, the environment and loop it runs on, and what it stands for."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Literal

__all__ = ["Contender", "on_loops_we_have"]


@dataclass(frozen=True)
class Contender:
    """One line of a table.

    Attributes:
        name: as a reader knows it.
        module: below ``bench.contenders``; run with ``words`` as arguments.
        role: ours; a peer; the limit, which does no work but the kernel's; or what
            stands beside ours: ours again, in other circumstances.
        loop: the event loop, given to the program as its last argument; "" for none.
    """

    name: str
    module: str
    role: Literal["ours", "peer", "limit", "beside"]
    loop: Literal["asyncio", "uvloop", ""] = ""
    words: tuple[str, ...] = field(default=())

    @property
    def is_ours(self) -> bool:
        """Whether it runs in our environment."""
        return self.role in {"ours", "beside"}

    @property
    def label(self) -> str:
        """Name and loop."""
        return f"{self.name} · {self.loop}" if self.loop else self.name


def on_loops_we_have(contenders: tuple[Contender, ...]) -> tuple[Contender, ...]:
    """Leave out ours on uvloop, and say so, where our environment has no uvloop."""
    if find_spec("uvloop") is not None:
        return contenders
    print("ours is not measured on uvloop: it isn't installed here", file=sys.stderr)
    return tuple(c for c in contenders if not (c.is_ours and c.loop == "uvloop"))
