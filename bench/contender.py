"""Who takes part: a program, the environment and loop it runs on, and what it stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Contender"]


@dataclass(frozen=True)
class Contender:
    """One line of a table.

    Attributes:
        name: as a reader knows it.
        module: below ``bench.contenders``; run with ``words`` as arguments.
        role: ours; a peer; or the limit, which does no work but the kernel's.
        loop: the event loop, given to the program as its last argument; "" for none.
    """

    name: str
    module: str
    role: Literal["ours", "peer", "limit"]
    loop: Literal["asyncio", "uvloop", ""] = ""
    words: tuple[str, ...] = field(default=())

    @property
    def label(self) -> str:
        """Name and loop."""
        return f"{self.name} · {self.loop}" if self.loop else self.name
